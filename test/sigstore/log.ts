/** A transparency log of our own: keys, a tree by the book, checkpoints, promises, and whatever lies a test needs. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import type { InclusionProof, LogEntry, LogKey, PublicKey, TimeRange } from '../../src/sigstore/types.ts';

export interface TestKey {
  readonly key: PublicKey;
  readonly privateKey: KeyObject;
  sign(data: Buffer): Buffer;
}

export function testKey(kind: 'P-256' | 'P-384' | 'ed25519' | 'rsa' = 'P-256'): TestKey {
  const { publicKey, privateKey } = pairOf(kind);
  const hash = { 'P-256': 'sha256', 'P-384': 'sha384', rsa: 'sha256', ed25519: null }[kind];
  return {
    key: publicKeyFromSpki(publicKey.export({ format: 'der', type: 'spki' })),
    privateKey,
    sign: (data) => sign(hash, data, privateKey),
  };
}

function pairOf(kind: 'P-256' | 'P-384' | 'ed25519' | 'rsa'): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: kind });
}

export interface TestLog {
  readonly signer: TestKey;
  readonly key: LogKey;
  /** `NAME base64(hint || signature)` under that text. */
  signatureLine(text: string, name?: string, hint?: Buffer): string;
  checkpoint(size: number, root: Buffer, origin?: string): string;
  proof(bodies: readonly Buffer[], index: number): InclusionProof;
  promise(body: Buffer, integratedTime: number, logIndex: number): Buffer;
  /** With proof and promise, at index 1 of 3. */
  entry(body: Buffer): LogEntry & { readonly promise: Buffer; readonly proof: InclusionProof };
}

export const logName = 'log.example';
export const signedAt = Date.UTC(2026, 0, 2, 3, 4, 5);

export function testLog(signer = testKey(), validFor: TimeRange = { start: 0 }): TestLog {
  const logId = sha256(signer.key.spki);
  const key: LogKey = { logId, baseUrl: `https://${logName}`, key: signer.key, validFor };
  const log: TestLog = {
    signer,
    key,
    signatureLine: (text, name = logName, hint = logId.subarray(0, 4)) =>
      `\u2014 ${name} ${Buffer.concat([hint, signer.sign(Buffer.from(text))]).toString('base64')}\n`,
    checkpoint(size, root, origin = logName) {
      const text = `${origin}\n${size}\n${root.toString('base64')}\n`;
      return `${text}\n${log.signatureLine(text)}`;
    },
    proof(bodies, index) {
      const leaves = bodies.map((body) => sha256(Buffer.of(0), body));
      const rootHash = rootOf(leaves);
      const checkpoint = log.checkpoint(bodies.length, rootHash);
      return { logIndex: index, treeSize: bodies.length, rootHash, hashes: pathOf(leaves, index), checkpoint };
    },
    promise: (body, integratedTime, logIndex) =>
      signer.sign(
        Buffer.from(
          JSON.stringify({ body: body.toString('base64'), integratedTime, logID: logId.toString('hex'), logIndex }),
        ),
      ),
    entry(body) {
      const [logIndex, integratedTime] = [1000, signedAt / 1000];
      return {
        logIndex,
        logId,
        integratedTime,
        promise: log.promise(body, integratedTime, logIndex),
        proof: log.proof([Buffer.from('before'), body, Buffer.from('after')], 1),
        body,
      };
    },
  };
  return log;
}

export function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

export function nodeOf(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.of(1), left, right);
}

/** RFC 6962 §2.1, word for word. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeOf(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** RFC 6962 §2.1.1. */
export function pathOf(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...pathOf(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...pathOf(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
}

/** The largest power of two below that number. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
