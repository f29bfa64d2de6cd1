/**
 * Sigstore bundles: one signature over a file or an in-toto statement, with all that is needed to verify it offline.
 *
 *     {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
 *      "verificationMaterial": {
 *        "certificate": {"rawBytes": "MII…"},                       or publicKey, or (v0.1, v0.2) x509CertificateChain
 *        "tlogEntries": [{"logIndex": "1", "logId": …, "kindVersion": …, "inclusionProof": …, "canonicalizedBody": …}],
 *        "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": "…"}]}},
 *      "dsseEnvelope": {"payload": "…", "payloadType": "…", "signatures": [{"sig": "…"}]}}   or messageSignature
 *
 * v0.1: every entry has the log's promise. v0.2: every entry has an inclusion proof. v0.3: a lone certificate instead of
 * a chain. Refused: other versions, unknown fields, none or several of what must be one, a proof without its checkpoint
 * (nothing would say who vouches for its root hash), entries or timestamps that stand twice.
 * https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
 */
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { type Json, parseStrictJson } from './json.ts';
import {
  bytes,
  child,
  count,
  enumName,
  has,
  items,
  type Message,
  oneOf,
  optionalChild,
  optionalText,
  readBytes,
  readMessage,
  text,
} from './protojson.ts';
import type { HashName, InclusionProof, LogEntry, SignedContent, SignedEntity, SignerMaterial } from './types.ts';

/** Throws VerifyError `malformed` or `unsupported`. */
export function parseBundle(json: string): SignedEntity {
  if (json.length > maxBundleChars) throw malformed(`the bundle is larger than ${maxBundleChars} characters`);
  return readBundle(parseStrictJson(json, 'the bundle'));
}

/** A bundle inside a document that was parsed already. */
export function readBundle(value: Json | undefined, where = 'bundle'): SignedEntity {
  const bundle = readMessage(value, where, ['mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope']);
  const version = versionOf(text(bundle, 'mediaType'));
  const material = child(bundle, 'verificationMaterial', [
    'publicKey',
    'x509CertificateChain',
    'certificate',
    'tlogEntries',
    'timestampVerificationData',
  ]);
  const requires = version === '0.1' ? 'promise' : 'proof';
  const entries = items(material, 'tlogEntries', maxEntries, readLogEntry);
  for (const entry of entries) checkEvidence(entry, version);
  refuseTwins(entries, (a, b) => a.logIndex === b.logIndex && a.logId.equals(b.logId), `${where}: a log entry`);
  return {
    format: `bundle v${version}`,
    content: contentOf(bundle),
    material: signerMaterial(material, version),
    entries,
    timestamps: timestampsOf(material),
    requires,
  };
}

/** A TransparencyLogEntry of Rekor, as bundles and PEP 740 attestations carry it. */
export function readLogEntry(value: Json, where: string): LogEntry {
  const entry = readMessage(value, where, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const kind = child(entry, 'kindVersion', ['kind', 'version']);
  const integratedTime = count(entry, 'integratedTime');
  const promise = optionalChild(entry, 'inclusionPromise', ['signedEntryTimestamp']);
  const proof = optionalChild(entry, 'inclusionProof', ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']);
  return {
    logIndex: count(entry, 'logIndex'),
    logId: bytes(child(entry, 'logId', ['keyId']), 'keyId', 64),
    kind: { kind: text(kind, 'kind'), version: text(kind, 'version') },
    ...(integratedTime !== 0 && { integratedTime }),
    ...(promise !== undefined && { promise: bytes(promise, 'signedEntryTimestamp', maxSignatureBytes) }),
    ...(proof !== undefined && { proof: proofOf(proof) }),
    body: bytes(entry, 'canonicalizedBody', maxPayloadBytes),
  };
}

/** Fields of a DSSE envelope with exactly one signature. */
export function readEnvelope(envelope: Message): SignedContent {
  const signatures = items(envelope, 'signatures', 16, (value, where) => {
    const signature = readMessage(value, where, ['sig', 'keyid']);
    return { sig: bytes(signature, 'sig', maxSignatureBytes), keyId: optionalText(signature, 'keyid') };
  });
  const [signature] = signatures;
  // With several, each reader could look at another one.
  if (signature === undefined || signatures.length > 1) {
    throw malformed(`${envelope.where} has ${signatures.length} signatures, not exactly one`);
  }
  return {
    kind: 'dsse',
    payloadType: text(envelope, 'payloadType'),
    payload: bytes(envelope, 'payload', maxPayloadBytes),
    signature: signature.sig,
    ...(signature.keyId !== undefined && { keyId: signature.keyId }),
  };
}

export const maxCertificateBytes = 1 << 16;
export const maxSignatureBytes = 1 << 14;
/** Statements about large images carry whole SBOMs. */
export const maxPayloadBytes = 1 << 26;
export const maxBundleChars = 1 << 28;
const maxEntries = 32;
const maxTimestamps = 32;
const maxTimestampBytes = 1 << 16;

type Version = '0.1' | '0.2' | '0.3';

const versions: ReadonlyMap<string, Version> = new Map([
  ['application/vnd.dev.sigstore.bundle+json;version=0.1', '0.1'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.2', '0.2'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.3', '0.3'],
  ['application/vnd.dev.sigstore.bundle.v0.3+json', '0.3'],
]);

function versionOf(mediaType: string): Version {
  const version = versions.get(mediaType);
  if (version !== undefined) return version;
  const why = mediaType.startsWith('application/vnd.dev.sigstore.bundle')
    ? 'is of a version that is not known here'
    : 'is no bundle by its media type';
  throw new VerifyError('unsupported', `the bundle ${why}: ${quoted(mediaType)}`);
}

function signerMaterial(material: Message, version: Version): SignerMaterial {
  const form = oneOf(material, ['publicKey', 'x509CertificateChain', 'certificate']);
  if (form === 'publicKey') {
    const hint = optionalText(child(material, form, ['hint']), 'hint');
    return { kind: 'key', ...(hint !== undefined && { hint }) };
  }
  if (form === 'certificate') {
    if (version !== '0.3') throw malformed(`a bundle v${version} has a certificate chain, not a lone certificate`);
    return { kind: 'certificate', leaf: certificate(child(material, form, ['rawBytes'])), chain: [] };
  }
  if (version === '0.3') throw malformed('a bundle v0.3 has a lone certificate, not a chain');
  const [leaf, ...chain] = items(child(material, form, ['certificates']), 'certificates', 8, (value, where) =>
    certificate(readMessage(value, where, ['rawBytes'])),
  );
  if (leaf === undefined) throw malformed(`${material.where} has an empty certificate chain`);
  return { kind: 'certificate', leaf, chain };
}

function certificate(message: Message): Buffer {
  return bytes(message, 'rawBytes', maxCertificateBytes);
}

function timestampsOf(material: Message): readonly Buffer[] {
  const data = optionalChild(material, 'timestampVerificationData', ['rfc3161Timestamps']);
  if (data === undefined) return [];
  const timestamps = items(data, 'rfc3161Timestamps', maxTimestamps, (value, where) =>
    bytes(readMessage(value, where, ['signedTimestamp']), 'signedTimestamp', maxTimestampBytes),
  );
  refuseTwins(timestamps, (a, b) => a.equals(b), `${data.where}: a timestamp`);
  return timestamps;
}

function contentOf(bundle: Message): SignedContent {
  const form = oneOf(bundle, ['messageSignature', 'dsseEnvelope']);
  if (form === 'dsseEnvelope') return readEnvelope(child(bundle, form, ['payload', 'payloadType', 'signatures']));
  const message = child(bundle, form, ['messageDigest', 'signature']);
  const digest = optionalChild(message, 'messageDigest', ['algorithm', 'digest']);
  return {
    kind: 'message',
    signature: bytes(message, 'signature', maxSignatureBytes),
    ...(digest !== undefined && { digest: digestOf(digest) }),
  };
}

/** HashAlgorithm of sigstore_common.proto. */
export const hashAlgorithms: ReadonlyMap<number, string> = new Map([
  [1, 'SHA2_256'],
  [2, 'SHA2_384'],
  [3, 'SHA2_512'],
  [4, 'SHA3_256'],
  [5, 'SHA3_384'],
]);

const hashNames: ReadonlyMap<string, { name: HashName; size: number }> = new Map([
  ['SHA2_256', { name: 'sha256', size: 32 }],
  ['SHA2_384', { name: 'sha384', size: 48 }],
  ['SHA2_512', { name: 'sha512', size: 64 }],
]);

function digestOf(message: Message): { algorithm: HashName; value: Buffer } {
  const stated = enumName(message, 'algorithm', hashAlgorithms) ?? 'none';
  const hash = hashNames.get(stated);
  if (hash === undefined) throw new VerifyError('unsupported', `${message.where} is by ${quoted(stated, 40)}`);
  const value = bytes(message, 'digest', 64);
  if (value.length !== hash.size) throw malformed(`${message.where} is not as long as ${hash.name} makes it`);
  return { algorithm: hash.name, value };
}

function proofOf(proof: Message): InclusionProof {
  const hashes = items(proof, 'hashes', 64, (value, where) => {
    const hash = readBytes(value, where, 32);
    if (hash.length !== 32) throw malformed(`${where} is not 32 bytes`);
    return hash;
  });
  const rootHash = bytes(proof, 'rootHash', 32);
  if (rootHash.length !== 32) throw malformed(`${proof.where}.rootHash is not 32 bytes`);
  if (!has(proof, 'checkpoint')) throw malformed(`${proof.where} has no checkpoint: nobody vouches for its root hash`);
  const checkpoint = text(child(proof, 'checkpoint', ['envelope']), 'envelope');
  if (checkpoint.length > 1 << 16) throw malformed(`${proof.where}.checkpoint is too long`);
  return { logIndex: count(proof, 'logIndex'), treeSize: count(proof, 'treeSize'), rootHash, hashes, checkpoint };
}

function checkEvidence(entry: LogEntry, version: Version): void {
  if (version === '0.1' && entry.promise === undefined) {
    throw malformed("a log entry of a bundle v0.1 has no inclusion promise (the log's signed entry timestamp)");
  }
  if (version !== '0.1' && entry.proof === undefined) {
    throw malformed(`a log entry of a bundle v${version} has no inclusion proof`);
  }
}

function refuseTwins<T>(list: readonly T[], equal: (a: T, b: T) => boolean, what: string): void {
  for (const [index, each] of list.entries()) {
    if (list.slice(0, index).some((other) => equal(each, other))) throw malformed(`${what} stands twice`);
  }
}
