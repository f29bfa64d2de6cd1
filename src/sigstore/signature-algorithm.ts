/**
 * AlgorithmIdentifier of a signature: SEQUENCE { OID, parameters } (RFC 5758 §3.2, RFC 4055 §3 and §5, RFC 8410 §3).
 *
 *     30 0a 06 08 2a 86 48 ce 3d 04 03 03      ecdsa-with-SHA384
 *
 * Refused as unsupported: SHA-1, SHA-224, MD5, DSA and whatever else is not listed; RSASSA-PSS unless mask and salt go
 * with the hash.
 */
import { contextTag, type Der, explicit, fields, oid, smallInteger, Tag } from './der.ts';
import { malformed, VerifyError } from './failure.ts';
import type { HashName, SignatureAlgorithm } from './types.ts';

/** In octets. */
export const digestLength: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** Throws `malformed` or `unsupported`. */
export function readSignatureAlgorithm(der: Der): SignatureAlgorithm {
  const inside = fields(der);
  const name = oid(inside.next(Tag.oid));
  if (name === rsaPss) {
    const hash = readPssHash(inside.next(Tag.sequence));
    inside.end();
    return { scheme: 'rsa-pss', hash };
  }
  const algorithm = algorithms.get(name);
  if (algorithm === undefined) {
    throw new VerifyError('unsupported', `the signature algorithm ${weak.get(name) ?? name} is not supported`);
  }
  // RFC 4055 §5: NULL, and absent must be taken as well. ECDSA and EdDSA have none.
  if (algorithm.scheme === 'rsa-pkcs1') checkNull(inside.optional(Tag.null));
  inside.end();
  return algorithm;
}

/** A hash by its AlgorithmIdentifier, parameters absent or NULL. */
export function readHashAlgorithm(der: Der): HashName {
  const inside = fields(der);
  const name = oid(inside.next(Tag.oid));
  checkNull(inside.optional(Tag.null));
  inside.end();
  const hash = hashes.get(name);
  if (hash === undefined) throw new VerifyError('unsupported', `the hash ${weak.get(name) ?? name} is not supported`);
  return hash;
}

const rsaPss = '1.2.840.113549.1.1.10';
const maskGeneration1 = '1.2.840.113549.1.1.8';

const algorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['1.2.840.10045.4.3.2', { scheme: 'ecdsa', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { scheme: 'ecdsa', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { scheme: 'ecdsa', hash: 'sha512' }],
  ['1.2.840.113549.1.1.11', { scheme: 'rsa-pkcs1', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { scheme: 'rsa-pkcs1', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { scheme: 'rsa-pkcs1', hash: 'sha512' }],
  // Ed25519 hashes on its own, with SHA-512.
  ['1.3.101.112', { scheme: 'ed25519', hash: 'sha512' }],
]);

const hashes: ReadonlyMap<string, HashName> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** For the message alone. */
const weak: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'RSA with MD5'],
  ['1.2.840.113549.1.1.5', 'RSA with SHA-1'],
  ['1.2.840.10045.4.1', 'ECDSA with SHA-1'],
  ['1.3.14.3.2.26', 'SHA-1'],
  ['1.2.840.113549.2.5', 'MD5'],
]);

function checkNull(der: Der | undefined): void {
  if (der !== undefined && der.content.length !== 0) throw malformed('a NULL has content');
}

/** RSASSA-PSS-params. Every default is SHA-1 or a salt for it, so all three have to be there. */
function readPssHash(der: Der): HashName {
  const inside = fields(der);
  const hash = readHashAlgorithm(explicit(inside.next(contextTag(0)), 0));
  const mask = fields(explicit(inside.next(contextTag(1)), 1));
  const isMask1 = oid(mask.next(Tag.oid)) === maskGeneration1;
  const maskHash = readHashAlgorithm(mask.next(Tag.sequence));
  mask.end();
  const salt = smallInteger(explicit(inside.next(contextTag(2)), 2));
  const trailer = inside.optional(contextTag(3));
  inside.end();
  const usual = isMask1 && maskHash === hash && salt === digestLength[hash];
  if (!usual || (trailer !== undefined && smallInteger(explicit(trailer, 3)) !== 1)) {
    throw new VerifyError('unsupported', 'the RSASSA-PSS parameters are not those that go with the hash');
  }
  return hash;
}
