/**
 * Writes a signature as a Sigstore bundle v0.3: see bundle.ts for the format. Members stand in one fixed order, defaults are
 * left out as Protocol Buffers' JSON mapping has it, and the same signature gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { OperationalError } from '../diag/index.ts';
import { parseBundle } from './bundle.ts';
import { pae } from './dsse.ts';
import { VerifyError } from './failure.ts';
import type { SigningKey } from './signing-key.ts';
import type {
  Artifact,
  HashName,
  LogEntry,
  PublicKey,
  SignedContent,
  SignedEntity,
  SignerMaterial,
  TrustRoot,
} from './types.ts';
import { verifyEntity } from './verify.ts';

export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** What is to be signed. */
export type Unsigned =
  | { readonly kind: 'message'; readonly artifact: Buffer }
  | { readonly kind: 'dsse'; readonly payloadType: string; readonly payload: Buffer };

/** The bytes that a signature covers. */
export function signedBytes(unsigned: Unsigned): Buffer {
  return unsigned.kind === 'message' ? unsigned.artifact : pae(unsigned.payloadType, unsigned.payload);
}

export function withSignature(unsigned: Unsigned, signature: Buffer): SignedContent {
  if (unsigned.kind === 'dsse') return { ...unsigned, signature };
  const value = createHash('sha256').update(unsigned.artifact).digest();
  return { kind: 'message', signature, digest: { algorithm: 'sha256', value } };
}

/** What a file is known by. */
export function digestsOf(bytes: Buffer): ReadonlyMap<string, string> {
  const hex = (algorithm: HashName) => createHash(algorithm).update(bytes).digest('hex');
  return new Map([
    ['sha256', hex('sha256')],
    ['sha384', hex('sha384')],
    ['sha512', hex('sha512')],
  ]);
}

/** Signed with a key alone: no log, no time. */
export function signWithKey(unsigned: Unsigned, key: SigningKey): SignedEntity {
  return {
    format: 'bundle v0.3',
    content: withSignature(unsigned, key.sign(signedBytes(unsigned))),
    material: { kind: 'key', hint: keyHint(key.publicKey) },
    entries: [],
    timestamps: [],
    requires: 'proof',
  };
}

/** What cosign writes as the hint, and looks for. */
export function keyHint(key: PublicKey): string {
  return Buffer.from(key.fingerprint, 'hex').toString('base64');
}

/** One line of JSON. */
export function formatBundle(entity: SignedEntity): string {
  const { content, material, entries, timestamps } = entity;
  return JSON.stringify({
    mediaType: bundleMediaType,
    verificationMaterial: {
      ...formatMaterial(material),
      ...(entries.length === 0 ? {} : { tlogEntries: entries.map(formatEntry) }),
      ...(timestamps.length === 0
        ? {}
        : {
            timestampVerificationData: {
              rfc3161Timestamps: timestamps.map((each) => ({ signedTimestamp: base64(each) })),
            },
          }),
    },
    ...formatContent(content),
  });
}

/**
 * The bundle, read back and verified as anyone else would: what does not hold is never handed out. A service that answers
 * with someone else's certificate, or a trusted root of another instance, ends here.
 */
export function checkedBundle(
  entity: SignedEntity,
  artifact: Artifact,
  trust: readonly TrustRoot[],
  key?: PublicKey,
): string {
  const text = formatBundle(entity);
  try {
    verifyEntity(parseBundle(text), trust, artifact, key === undefined ? {} : { key });
    return text;
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const hints =
      key === undefined ? ['check that the trusted root belongs to the services that signed: it may be too old'] : [];
    throw new OperationalError('malformed', `the new bundle does not verify, so it was not written: ${error.message}`, {
      hints,
      cause: error,
    });
  }
}

function formatMaterial(material: SignerMaterial): object {
  if (material.kind === 'certificate') return { certificate: { rawBytes: base64(material.leaf) } };
  return { publicKey: material.hint === undefined ? {} : { hint: material.hint } };
}

function formatEntry(entry: LogEntry): object {
  const { logIndex, logId, kind, integratedTime, promise, proof, body } = entry;
  return {
    ...int64('logIndex', logIndex),
    logId: { keyId: base64(logId) },
    ...(kind === undefined ? {} : { kindVersion: { kind: kind.kind, version: kind.version } }),
    ...int64('integratedTime', integratedTime),
    ...(promise === undefined ? {} : { inclusionPromise: { signedEntryTimestamp: base64(promise) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            ...int64('logIndex', proof.logIndex),
            rootHash: base64(proof.rootHash),
            ...int64('treeSize', proof.treeSize),
            ...(proof.hashes.length === 0 ? {} : { hashes: proof.hashes.map(base64) }),
            checkpoint: { envelope: proof.checkpoint },
          },
        }),
    canonicalizedBody: base64(body),
  };
}

function formatContent(content: SignedContent): object {
  if (content.kind === 'message') {
    const { signature, digest } = content;
    const messageDigest =
      digest === undefined
        ? {}
        : { messageDigest: { algorithm: hashNames[digest.algorithm], digest: base64(digest.value) } };
    return { messageSignature: { ...messageDigest, signature: base64(signature) } };
  }
  const { payload, payloadType, signature, keyId } = content;
  const keyid = keyId === undefined || keyId === '' ? {} : { keyid: keyId };
  return {
    dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature), ...keyid }] },
  };
}

const hashNames: Readonly<Record<HashName, string>> = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' };

/** Decimal text, since a JSON number cannot hold all of an int64; 0 is the default and left out. */
function int64(name: string, value: number | undefined): object {
  return value === undefined || value === 0 ? {} : { [name]: String(value) };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
