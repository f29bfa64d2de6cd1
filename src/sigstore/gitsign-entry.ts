/**
 * The log entry inside a gitsign signature: an unsigned attribute, 1.3.6.1.4.1.57264.3.1, whose value is an OCTET STRING with
 * the message dev.sigstore.rekor.v1.TransparencyLogEntry (protobuf.ts).
 *
 *     08 ef8bd3f208   12 22 …    1a 15 …               20 cdcbdfd306     2a 49 …   32 d806 …
 *     logIndex        logId      hashedrekord 0.0.1    integratedTime    promise   proof
 *
 * gitsign leaves the body out. It is put together again from what it must be about: the SHA-256 of the signed attributes (not
 * of the commit), the signature, and the signer's certificate. An entry about anything else then has another hash, and
 * neither its promise nor its proof holds. A body that is there must say the same (entry-body.ts).
 *
 * The release candidates of 2023-01 wrote each field as an attribute of its own, below the same number:
 *
 *     .0 integratedTime   .1 log id, hex   .2 logIndex      .3 promise            .4 checkpoint
 *     .5 hashes, hex      .6 root, hex     .7 tree size     .8 index in the tree
 *
 * Refused: unknown fields, several entries, a proof without checkpoint, bodies left out of entries of another kind.
 * https://github.com/sigstore/gitsign/blob/main/docs/bundle-cms.md
 */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { children, type Der, octetString, smallInteger, Tag } from './der.ts';
import { malformed, VerifyError } from './failure.ts';
import { readWire, type WireMessage, type WireShape, wireBytes, wireNumber, wireText } from './protobuf.ts';
import type { HashName, InclusionProof, LogEntry } from './types.ts';

/** What the entry must be about. */
export interface LoggedSignature {
  /** DER of the signed attributes, as a SET. */
  readonly signed: Buffer;
  /** By which the signature was made. */
  readonly hash: HashName;
  readonly signature: Buffer;
  /** DER of the signer's certificate. */
  readonly certificate: Buffer;
}

/**
 * Undefined where no entry is embedded. Nothing is verified: that is for entry-body.ts and log-entry.ts. Throws VerifyError
 * `malformed`, or `unsupported` for an entry of a kind whose body is not known.
 */
export function readEmbeddedEntry(
  attributes: ReadonlyMap<string, readonly Der[]>,
  about: LoggedSignature,
): LogEntry | undefined {
  const value = onlyValue(attributes, entryAttribute);
  if (value === undefined) return undefined;
  if (value.tag === Tag.octetString) return readEntry(octetString(value), about);
  return readFields(attributes, about);
}

const arc = '1.3.6.1.4.1.57264.3';
const entryAttribute = `${arc}.1`;
const where = 'the embedded log entry';

function readEntry(message: Buffer, about: LoggedSignature): LogEntry {
  const entry = readWire(message, where, entryShape);
  const version = readInside(entry, 'kindVersion', versionShape);
  const kind = { kind: wireText(version, 'kind'), version: wireText(version, 'version') };
  const integratedTime = wireNumber(entry, 'integratedTime');
  const promise = wireBytes(readInside(entry, 'inclusionPromise', promiseShape), 'signedEntryTimestamp');
  const proof = wireBytes(entry, 'inclusionProof') && readProof(readInside(entry, 'inclusionProof', proofShape));
  return {
    logIndex: wireNumber(entry, 'logIndex'),
    logId: need(wireBytes(readInside(entry, 'logId', logIdShape), 'keyId'), 'log id'),
    kind,
    ...(integratedTime !== 0 && { integratedTime }),
    ...(promise !== undefined && { promise }),
    ...(proof !== undefined && { proof }),
    body: wireBytes(entry, 'canonicalizedBody') ?? bodyOf(about, kind),
  };
}

const entryShape: WireShape = new Map([
  [1, { name: 'logIndex', type: 'number' }],
  [2, { name: 'logId', type: 'bytes' }],
  [3, { name: 'kindVersion', type: 'bytes' }],
  [4, { name: 'integratedTime', type: 'number' }],
  [5, { name: 'inclusionPromise', type: 'bytes' }],
  [6, { name: 'inclusionProof', type: 'bytes' }],
  [7, { name: 'canonicalizedBody', type: 'bytes' }],
]);
const logIdShape: WireShape = new Map([[1, { name: 'keyId', type: 'bytes' }]]);
const versionShape: WireShape = new Map([
  [1, { name: 'kind', type: 'bytes' }],
  [2, { name: 'version', type: 'bytes' }],
]);
const promiseShape: WireShape = new Map([[1, { name: 'signedEntryTimestamp', type: 'bytes' }]]);
const proofShape: WireShape = new Map([
  [1, { name: 'logIndex', type: 'number' }],
  [2, { name: 'rootHash', type: 'bytes' }],
  [3, { name: 'treeSize', type: 'number' }],
  [4, { name: 'hashes', type: 'many' }],
  [5, { name: 'checkpoint', type: 'bytes' }],
]);
const checkpointShape: WireShape = new Map([[1, { name: 'envelope', type: 'bytes' }]]);

function readInside(message: WireMessage, name: string, shape: WireShape): WireMessage {
  return readWire(wireBytes(message, name) ?? Buffer.alloc(0), `${message.where}.${name}`, shape);
}

function readProof(proof: WireMessage): InclusionProof {
  return {
    logIndex: wireNumber(proof, 'logIndex'),
    treeSize: wireNumber(proof, 'treeSize'),
    rootHash: sha256Sized(need(wireBytes(proof, 'rootHash'), 'root hash')),
    hashes: (proof.bytes.get('hashes') ?? []).map(sha256Sized),
    // Without one nobody vouches for the root hash.
    checkpoint: wireText(readInside(proof, 'checkpoint', checkpointShape), 'envelope'),
  };
}

/** As Rekor writes the entry that gitsign sends: RFC 8785, the certificate as PEM with lines of 64. */
function bodyOf(about: LoggedSignature, { kind, version }: { kind: string; version: string }): Buffer {
  if (kind !== 'hashedrekord' || version !== '0.0.1') {
    throw new VerifyError('unsupported', `${where} has no body, and is not of the kind hashedrekord 0.0.1`);
  }
  const pem = pemOf(about.certificate);
  const spec = {
    data: { hash: { algorithm: about.hash, value: hash(about.hash, about.signed) } },
    signature: {
      content: about.signature.toString('base64'),
      publicKey: { content: Buffer.from(pem, 'latin1').toString('base64') },
    },
  };
  return Buffer.from(JSON.stringify({ apiVersion: version, kind, spec }), 'latin1');
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** One attribute for each field. */
function readFields(attributes: ReadonlyMap<string, readonly Der[]>, about: LoggedSignature): LogEntry {
  const field = (number: number): Der => need(onlyValue(attributes, `${arc}.${number}`), `attribute .${number}`);
  const checkpoint = field(4);
  if (checkpoint.tag !== Tag.utf8String || !isUtf8(checkpoint.content)) {
    throw malformed(`${where}: the checkpoint is not a UTF8String`);
  }
  const hashes = children(field(5));
  if (hashes.length > mostHashes) throw malformed(`${where} has more than ${mostHashes} hashes`);
  const kind = { kind: 'hashedrekord', version: '0.0.1' };
  return {
    logIndex: smallInteger(field(2)),
    logId: hexOf(field(1)),
    kind,
    integratedTime: smallInteger(field(0)),
    promise: octetString(field(3)),
    proof: {
      logIndex: smallInteger(field(8)),
      treeSize: smallInteger(field(7)),
      rootHash: hexOf(field(6)),
      hashes: hashes.map(hexOf),
      checkpoint: checkpoint.content.toString('utf8'),
    },
    body: bodyOf(about, kind),
  };
}

const mostHashes = 64;
const printableString = 0x13;

/** 32 octets, as lower-case hex in a PrintableString. */
function hexOf({ tag, content }: Der): Buffer {
  const text = content.length === 64 ? content.toString('latin1') : '';
  if (tag !== printableString || !/^[0-9a-f]{64}$/.test(text))
    throw malformed(`${where}: a digest is not 64 hex digits`);
  return Buffer.from(text, 'hex');
}

function sha256Sized(bytes: Buffer): Buffer {
  if (bytes.length !== 32) throw malformed(`${where}: a hash is not 32 bytes`);
  return bytes;
}

function onlyValue(attributes: ReadonlyMap<string, readonly Der[]>, name: string): Der | undefined {
  const values = attributes.get(name);
  if (values !== undefined && values.length !== 1)
    throw malformed(`${where}: an attribute must have exactly one value`);
  return values?.[0];
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw malformed(`${where} has no ${what}`);
  return value;
}
