/**
 * Trusted roots (`trusted_root.json`): the logs, certificate authorities and timestamp authorities of one Sigstore
 * instance, each with the time in which it may be believed.
 *
 *     {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 *      "tlogs": [{"baseUrl": "https://rekor.sigstore.dev", "hashAlgorithm": "SHA2_256", "logId": {"keyId": "wNI9…"},
 *                 "publicKey": {"rawBytes": "…", "keyDetails": "PKIX_ECDSA_P256_SHA_256",
 *                               "validFor": {"start": "2021-01-12T11:53:27Z"}}}],
 *      "certificateAuthorities": [{"uri": "…", "certChain": {"certificates": [{"rawBytes": "…"}]}, "validFor": …}],
 *      "ctlogs": […], "timestampAuthorities": […]}
 *
 * The user trusts it, so it is read whole or not at all: a log that were skipped because its key is of an unknown kind
 * would leave a root that asks for no log. Both ends of a validity are inside it. Refused: a validity without start (it
 * is no "since ever"), unknown fields, keys that are not what they say.
 * https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 */
import { hash } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { hashAlgorithms, maxCertificateBytes } from './bundle.ts';
import { parseCertificate } from './certificate.ts';
import { malformed, VerifyError } from './failure.ts';
import { type Json, parseStrictJson } from './json.ts';
import { parsePublicKey, publicKeyFromSpki } from './keys.ts';
import {
  bytes,
  child,
  enumName,
  has,
  items,
  type Message,
  optionalText,
  readMessage,
  readTimestamp,
  text,
} from './protojson.ts';
import type { Authority, Certificate, KeyKind, LogKey, PublicKey, TimeRange, TrustRoot } from './types.ts';

/** One document. `name` is what pins and reports call it. Throws VerifyError `malformed` or `unsupported`. */
export function parseTrustRoot(json: string, name: string): TrustRoot {
  if (json.length > maxRootChars) throw malformed(`the trusted root is larger than ${maxRootChars} characters`);
  const root = openTrustRoot(parseStrictJson(json, 'the trusted root'), hash('sha256', json), name);
  // Keys and certificates are read when they are looked at: here, where something in them may be wrong.
  for (const log of [...root.tlogs, ...root.ctlogs]) log.key;
  for (const authority of [...root.certificateAuthorities, ...root.timestampAuthorities]) authority.chain;
  return root;
}

/**
 * A document of which it is known that `parseTrustRoot` takes it, by its digest. Keys and certificates are read when they
 * are first looked at: a signature needs one or two of them, and each takes as long as a verification does.
 */
export function openTrustRoot(document: Json, digest: string, name: string): TrustRoot {
  const root = readMessage(document, 'trusted root', [
    'mediaType',
    'tlogs',
    'certificateAuthorities',
    'ctlogs',
    'timestampAuthorities',
  ]);
  const mediaType = text(root, 'mediaType');
  if (!mediaTypes.includes(mediaType)) {
    throw new VerifyError('unsupported', `this is no trusted root by its media type: ${quoted(mediaType)}`);
  }
  return {
    name,
    digest,
    tlogs: items(root, 'tlogs', maxListed, readLog),
    ctlogs: items(root, 'ctlogs', maxListed, readLog),
    certificateAuthorities: items(root, 'certificateAuthorities', maxListed, readAuthority),
    timestampAuthorities: items(root, 'timestampAuthorities', maxListed, readAuthority),
  };
}

/** One document, or several as JSON lines. Several are told apart by a number: `name`, `name#2`, … */
export function parseTrustRoots(json: string, name: string): readonly TrustRoot[] {
  if (json.length > maxRootChars) throw malformed(`the trusted root is larger than ${maxRootChars} characters`);
  const lines = json.split('\n').filter((line) => line.trim() !== '');
  // A line that ends as an object does, with more to follow, cannot be part of one document.
  const areLines = lines.length > 1 && lines.every((line) => /^\s*\{/.test(line) && /\}\s*$/.test(line));
  if (!areLines) return [parseTrustRoot(json, name)];
  if (lines.length > maxListed) throw malformed(`there are more than ${maxListed} trusted roots in one file`);
  return lines.map((line, index) => parseTrustRoot(line, index === 0 ? name : `${name}#${index + 1}`));
}

const maxRootChars = 1 << 22;
const maxListed = 256;

const mediaTypes: readonly string[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];

function readLog(value: Json, where: string): LogKey {
  const log = readMessage(value, where, [
    'baseUrl',
    'hashAlgorithm',
    'publicKey',
    'logId',
    'checkpointKeyId',
    'operator',
  ]);
  const treeHash = enumName(log, 'hashAlgorithm', hashAlgorithms) ?? 'nothing';
  if (treeHash !== 'SHA2_256') throw new VerifyError('unsupported', `${where} hashes by ${quoted(treeHash, 40)}`);
  const idField = has(log, 'logId') ? 'logId' : 'checkpointKeyId';
  const key = child(log, 'publicKey', ['rawBytes', 'keyDetails', 'validFor']);
  const found = once(() => readKey(key));
  return {
    logId: bytes(child(log, idField, ['keyId']), 'keyId', 64),
    baseUrl: text(log, 'baseUrl'),
    validFor: readRange(key),
    get key() {
      return found();
    },
  };
}

/** A PublicKey message: its bytes are a key of the kind that it states. */
export function readKey(message: Message): PublicKey {
  const details = enumName(message, 'keyDetails', keyDetails) ?? 'none';
  const kind = keyKinds.get(details);
  if (kind === undefined) {
    throw new VerifyError('unsupported', `${message.where} has a key of kind ${quoted(details, 60)}`);
  }
  const raw = bytes(message, 'rawBytes', 1 << 13);
  const key = details.startsWith('PKCS1_') ? parsePublicKey(raw) : publicKeyFromSpki(raw);
  if (key.kind !== kind.kind) throw malformed(`${message.where} says ${details} and has a key of kind ${key.kind}`);
  const bits = key.object.asymmetricKeyDetails?.modulusLength;
  if (kind.bits !== undefined && kind.bits !== bits)
    throw malformed(`${message.where} says ${details}, has ${bits} bits`);
  return key;
}

/** PublicKeyDetails of sigstore_common.proto, by number. */
const keyDetails: ReadonlyMap<number, string> = new Map([
  [1, 'PKCS1_RSA_PKCS1V5'],
  [3, 'PKIX_RSA_PKCS1V5'],
  [5, 'PKIX_ECDSA_P256_SHA_256'],
  [7, 'PKIX_ED25519'],
  [9, 'PKIX_RSA_PKCS1V15_2048_SHA256'],
  [10, 'PKIX_RSA_PKCS1V15_3072_SHA256'],
  [11, 'PKIX_RSA_PKCS1V15_4096_SHA256'],
  [12, 'PKIX_ECDSA_P384_SHA_384'],
  [13, 'PKIX_ECDSA_P521_SHA_512'],
]);

/** Those whose signatures we verify the way the name says: PSS, pre-hashed Ed25519, P-384 with SHA-256 are not among them. */
const keyKinds: ReadonlyMap<string, { kind: KeyKind; bits?: number }> = new Map([
  ['PKCS1_RSA_PKCS1V5', { kind: 'rsa' }],
  ['PKIX_RSA_PKCS1V5', { kind: 'rsa' }],
  ['PKIX_ECDSA_P256_SHA_256', { kind: 'P-256' }],
  ['PKIX_ED25519', { kind: 'ed25519' }],
  ['PKIX_RSA_PKCS1V15_2048_SHA256', { kind: 'rsa', bits: 2048 }],
  ['PKIX_RSA_PKCS1V15_3072_SHA256', { kind: 'rsa', bits: 3072 }],
  ['PKIX_RSA_PKCS1V15_4096_SHA256', { kind: 'rsa', bits: 4096 }],
  ['PKIX_ECDSA_P384_SHA_384', { kind: 'P-384' }],
  ['PKIX_ECDSA_P521_SHA_512', { kind: 'P-521' }],
]);

function readAuthority(value: Json, where: string): Authority {
  const authority = readMessage(value, where, ['subject', 'uri', 'certChain', 'validFor', 'operator']);
  const chain = once(() => readChain(authority));
  return {
    uri: optionalText(authority, 'uri') ?? '',
    validFor: readRange(authority),
    get chain() {
      return chain();
    },
  };
}

function readChain(authority: Message): readonly Certificate[] {
  const chain = items(child(authority, 'certChain', ['certificates']), 'certificates', 8, (each, place) =>
    parseCertificate(bytes(readMessage(each, place, ['rawBytes']), 'rawBytes', maxCertificateBytes)),
  );
  if (chain.length === 0) throw malformed(`${authority.where} has no certificate`);
  return chain;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The field `validFor` of a key or an authority. Its start is required. */
export function readRange(message: Message): TimeRange {
  const range = child(message, 'validFor', ['start', 'end']);
  const start = range.fields.get('start');
  if (start === undefined) throw malformed(`${range.where} has no start: nobody knows since when it may be believed`);
  const from = readTimestamp(start, `${range.where}.start`);
  const end = range.fields.get('end');
  // Never wider than stated: what is below a millisecond is added to the start and cut off the end.
  const begins = from.cut ? from.ms + 1 : from.ms;
  if (end === undefined) return { start: begins };
  const ends = readTimestamp(end, `${range.where}.end`).ms;
  if (ends < begins) throw malformed(`${range.where} ends before it starts`);
  return { start: begins, end: ends };
}
