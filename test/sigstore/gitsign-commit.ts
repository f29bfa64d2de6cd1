/** Commit signatures as gitsign makes them, with the log entry inside: sound by default, and on request wrong in one way. */
import { createHash, sign } from 'node:crypto';
import type { LogEntry } from '../../src/sigstore/types.ts';
import type { Made } from '../kit/certificate.ts';
import { element, explicitly, implicitly, integer, octets, oid, sequence, setOf, time } from '../kit/der.ts';
import { certificatePem, type Instance } from './instance.ts';
import { signedAt } from './log.ts';
import { attribute } from './tsa.ts';

export const payload = Buffer.from(
  'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@acme.example> 1767323045 +0000\n\nadd a file\n',
);

export interface CommitShape {
  readonly leaf: Made;
  readonly payload?: Buffer;
  /** DER of the signed attributes, in place of the usual three; `null`: none, and the payload itself is signed. */
  readonly signed?: ((usual: readonly Buffer[]) => readonly Buffer[]) | null;
  readonly signature?: Buffer;
  readonly signatureAlgorithm?: Buffer;
  readonly digest?: 'sha256' | 'sha512';
  /** DER attributes, from the one with the entry and from its message; `null`: the field is left out. */
  readonly unsigned?: ((entry: Buffer, message: Buffer) => readonly Buffer[]) | null;
  /** Changes to the entry before it is written. */
  readonly entry?: (entry: LogEntry) => Partial<LogEntry>;
  /** Writes the body as well. */
  readonly withBody?: boolean;
  /** Of the body, in place of the right one; the log vouches for it. */
  readonly body?: (usual: Buffer) => Buffer;
  readonly certificates?: readonly Buffer[];
  readonly content?: Buffer;
  readonly contentType?: string;
  readonly version?: number;
  readonly keyId?: Buffer;
  readonly signers?: number;
  readonly label?: string;
}

export interface SignedCommit {
  readonly armored: string;
  readonly der: Buffer;
  /** Bytes under the signature, and the signature. */
  readonly attributes: Buffer;
  readonly signature: Buffer;
}

export const entryOid = '1.3.6.1.4.1.57264.3.1';
const sha256 = '2.16.840.1.101.3.4.2.1';
const sha512 = '2.16.840.1.101.3.4.2.3';
const plainData = '1.2.840.113549.1.7.1';

export function signCommit({ log }: Pick<Instance, 'log'>, shape: CommitShape): SignedCommit {
  const { leaf } = shape;
  const contentType = shape.contentType ?? plainData;
  const digest = createHash(shape.digest ?? 'sha256').update(shape.payload ?? payload);
  const usual = [
    attribute('1.2.840.113549.1.9.3', oid(contentType)),
    attribute('1.2.840.113549.1.9.5', time(signedAt)),
    attribute('1.2.840.113549.1.9.4', octets(digest.digest())),
  ];
  const list = shape.signed === undefined ? usual : (shape.signed?.(usual) ?? []);
  const attributes = shape.signed === null ? (shape.payload ?? payload) : setOf(...list);
  const key = leaf.privateKey;
  const signature = shape.signature ?? sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', attributes, key);
  const body = (shape.body ?? ((same) => same))(entryBody(attributes, signature, leaf.der));
  const logged: LogEntry = { ...log.entry(body), kind: { kind: 'hashedrekord', version: '0.0.1' } };
  const changed = { ...logged, ...shape.entry?.(logged) };
  const message = writeEntry(changed, shape.withBody === true);
  const entry = attribute(entryOid, octets(message));
  const unsigned = shape.unsigned === undefined ? [entry] : (shape.unsigned?.(entry, message) ?? []);
  const signer = sequence(
    integer(shape.keyId === undefined ? 1 : 3),
    shape.keyId === undefined
      ? sequence(leaf.certificate.issuer, integer(leaf.certificate.serial))
      : implicitly(0, shape.keyId),
    sequence(oid(shape.digest === 'sha512' ? sha512 : sha256)),
    ...(shape.signed === null ? [] : [element(0xa0, contentOf(attributes))]),
    shape.signatureAlgorithm ?? sequence(oid('1.2.840.10045.4.3.2')),
    octets(signature),
    ...(shape.unsigned === null ? [] : [element(0xa1, ...unsigned)]),
  );
  const content = shape.content === undefined ? [] : [explicitly(0, octets(shape.content))];
  const data = sequence(
    integer(shape.version ?? 1),
    setOf(sequence(oid(sha256))),
    sequence(oid(contentType), ...content),
    explicitly(0, ...(shape.certificates ?? [leaf.der])),
    element(0x31, ...Array.from({ length: shape.signers ?? 1 }, () => signer)),
  );
  const der = sequence(oid('1.2.840.113549.1.7.2'), explicitly(0, data));
  return { armored: armour(der, shape.label), der, attributes, signature };
}

export function armour(der: Buffer, label = 'SIGNED MESSAGE'): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

export function entryBody(signed: Buffer, signature: Buffer, certificate: Buffer): Buffer {
  const spec = {
    data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(signed).digest('hex') } },
    signature: {
      content: signature.toString('base64'),
      publicKey: { content: Buffer.from(certificatePem(certificate)).toString('base64') },
    },
  };
  return Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec }));
}

/** TransparencyLogEntry on the wire. */
export function writeEntry(entry: LogEntry, withBody: boolean): Buffer {
  const { kind, proof, promise } = entry;
  return Buffer.concat([
    wireNumber(1, entry.logIndex),
    wireBytes(2, wireBytes(1, entry.logId)),
    wireBytes(3, wireBytes(1, Buffer.from(kind?.kind ?? '')), wireBytes(2, Buffer.from(kind?.version ?? ''))),
    wireNumber(4, entry.integratedTime ?? 0),
    promise === undefined ? Buffer.alloc(0) : wireBytes(5, wireBytes(1, promise)),
    proof === undefined
      ? Buffer.alloc(0)
      : wireBytes(
          6,
          wireNumber(1, proof.logIndex),
          wireBytes(2, proof.rootHash),
          wireNumber(3, proof.treeSize),
          ...proof.hashes.map((hash) => wireBytes(4, hash)),
          wireBytes(5, wireBytes(1, Buffer.from(proof.checkpoint))),
        ),
    withBody ? wireBytes(7, entry.body) : Buffer.alloc(0),
  ]);
}

export function wireNumber(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)]);
}

export function wireBytes(field: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

export function varint(value: number): Buffer {
  const octets: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...octets, rest]);
    octets.push((rest % 128) | 0x80);
  }
}

/** A raw commit object, as git signs it: the header `gpgsig` with its continuation lines is taken out. */
export function splitCommit(raw: Buffer): { readonly armored: string; readonly payload: Buffer } {
  const end = raw.indexOf('\n\n');
  const lines = raw.subarray(0, end).toString('latin1').split('\n');
  const start = lines.findIndex((line) => line.startsWith('gpgsig '));
  let after = start + 1;
  while (lines[after]?.startsWith(' ')) after++;
  const armored = lines.slice(start, after).map((line, at) => line.slice(at === 0 ? 'gpgsig '.length : 1));
  const kept = Buffer.from([...lines.slice(0, start), ...lines.slice(after)].join('\n'), 'latin1');
  return { armored: `${armored.join('\n')}\n`, payload: Buffer.concat([kept, raw.subarray(end)]) };
}

/** What is inside a SET with a header of two or three octets. */
function contentOf(set: Buffer): Buffer {
  return set.subarray(set[1]! < 0x80 ? 2 : 2 + (set[1]! & 0x7f));
}
