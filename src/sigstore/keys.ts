/**
 * Public keys and signatures over data.
 *
 * A key is a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), as PEM or DER:
 *
 *     SEQUENCE { SEQUENCE { OID algorithm, parameters }, BIT STRING key }
 *
 * P-256, P-384 and P-521 by name with an uncompressed point (RFC 5480), RSA of 2048 to 8192 bits (RFC 3279 §2.3.1),
 * Ed25519 (RFC 8410). PKCS#1 `RSAPublicKey`, which old trusted roots hold, is put into that frame. Refused: every other
 * algorithm, curves by parameters, compressed points, keys for RSASSA-PSS alone, and every second spelling of the same
 * key, so that equal keys have equal bytes and can be compared by them.
 */
import {
  constants,
  createPublicKey,
  hash as digest,
  type KeyObject,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto';
import { bitString, fields, oid, readDer, Tag, unsignedInteger } from './der.ts';
import { readEcdsaSignature } from './ecdsa-signature.ts';
import { malformed, VerifyError } from './failure.ts';
import { parsePem } from './pem.ts';
import { isSshKey, readSshKey } from './ssh-key.ts';
import type { HashName, KeyKind, PublicKey, SignatureAlgorithm } from './types.ts';

export { verifyDigest } from './digest-signature.ts';

/**
 * One key, as PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`), DER (SPKI, PKCS#1) or an OpenSSH line. Throws `malformed` or
 * `unsupported`.
 */
export function parsePublicKey(pemOrDer: Buffer | string): PublicKey {
  const text = typeof pemOrDer === 'string' ? pemOrDer : pemOrDer[0] === Tag.sequence ? undefined : pemOrDer.toString();
  if (text === undefined) return publicKeyFromDer(pemOrDer as Buffer);
  if (isSshKey(text)) return publicKeyFromSpki(readSshKey(text));
  const blocks = parsePem(text);
  const block = blocks[0]!;
  if (block.label.includes('PRIVATE KEY')) {
    throw unsupported('this is a private key: give the public one, "openssl pkey -in FILE -pubout" writes it');
  }
  if (block.label === 'CERTIFICATE') {
    throw unsupported(
      'this is a certificate, not a public key: pin the identity in it, or take the key out with "openssl x509 -in FILE -noout -pubkey"',
    );
  }
  if (blocks.length > 1) throw malformed('there is more than one key: give one key per file');
  if (block.label === 'PUBLIC KEY') return publicKeyFromSpki(block.der);
  if (block.label === 'RSA PUBLIC KEY') return publicKeyFromPkcs1(block.der);
  throw unsupported(`a PEM block "${block.label}" is not a public key`);
}

/** Throws `malformed` or `unsupported`. */
export function publicKeyFromSpki(der: Buffer): PublicKey {
  const kind = kindOf(der);
  let object: KeyObject;
  try {
    object = createPublicKey(asPem(der));
  } catch (cause) {
    throw malformed(`the ${kind} public key is not valid`, cause);
  }
  return { kind, object, spki: der, fingerprint: digest('sha256', der, 'hex') };
}

/**
 * Of an object or of bytes, Node finds out by four errors, each with its stack, that they are no key of its own: that takes
 * as long as reading the key.
 */
function asPem(der: Buffer): string {
  const text = der.toString('base64');
  // Of elliptic curves they are short enough for one line, which OpenSSL reads up to 254 characters.
  const lines = text.length <= 160 ? text : text.replace(/.{64}/g, '$&\n');
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
}

/** By default the hash that goes with the key: SHA-384 for P-384, SHA-512 for P-521, otherwise SHA-256. */
export function verifyBytes(key: PublicKey, data: Buffer, signature: Buffer, hash?: HashName): boolean {
  return verifySignature(key, data, signature, { scheme: schemeOf[key.kind], hash: hash ?? defaultHash(key) });
}

/** False as well when the algorithm is none for this kind of key, or the signature is not well-formed. Never throws. */
export function verifySignature(
  key: PublicKey,
  data: Buffer,
  signature: Buffer,
  algorithm: SignatureAlgorithm,
): boolean {
  const found = ahead.get(signature);
  if (found !== undefined && isAbout(found, key, data, algorithm)) return found.holds;
  if (!isWellFormed(key, signature, algorithm)) return false;
  try {
    return verify(hashOf(algorithm), data, keyInput(key, algorithm), signature);
  } catch {
    return false;
  }
}

/**
 * The same work on one of Node's other threads: when the promise is kept, `verifySignature` has its answer for these bytes
 * under this key at hand. Never rejects, and decides nothing.
 */
export function verifySignatureAhead(
  key: PublicKey,
  data: Buffer,
  signature: Buffer,
  algorithm: SignatureAlgorithm,
): Promise<void> {
  if (!isWellFormed(key, signature, algorithm)) return Promise.resolve();
  return new Promise((resolve) => {
    try {
      verify(hashOf(algorithm), data, keyInput(key, algorithm), signature, (error, holds) => {
        if (error === null) ahead.set(signature, { key, data, algorithm, holds });
        resolve();
      });
    } catch {
      resolve();
    }
  });
}

/** As `verifyBytes`, ahead. */
export function verifyBytesAhead(key: PublicKey, data: Buffer, signature: Buffer, hash?: HashName): Promise<void> {
  return verifySignatureAhead(key, data, signature, { scheme: schemeOf[key.kind], hash: hash ?? defaultHash(key) });
}

interface Ahead {
  readonly key: PublicKey;
  readonly data: Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly holds: boolean;
}

/** By the signature, and gone with it. */
const ahead = new WeakMap<Buffer, Ahead>();

function isAbout(found: Ahead, key: PublicKey, data: Buffer, { scheme, hash }: SignatureAlgorithm): boolean {
  const { algorithm } = found;
  return found.key === key && algorithm.scheme === scheme && algorithm.hash === hash && found.data.equals(data);
}

function isWellFormed(key: PublicKey, signature: Buffer, { scheme }: SignatureAlgorithm): boolean {
  if (schemeOf[key.kind] !== (scheme === 'rsa-pss' ? 'rsa-pkcs1' : scheme)) return false;
  // OpenSSL 3 is as strict; how a signature may be spelled must not depend on the version that Node brings along.
  return scheme !== 'ecdsa' || readEcdsaSignature(signature, key.kind) !== undefined;
}

/** RSASSA-PSS with a salt of any length, by an RSA key that says nothing of its scheme. Never throws. */
export function verifyPss(key: PublicKey, data: Buffer, signature: Buffer, hash: HashName): boolean {
  if (key.kind !== 'rsa') return false;
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants;
  try {
    return verify(hash, data, { key: key.object, padding, saltLength }, signature);
  } catch {
    return false;
  }
}

function hashOf({ scheme, hash }: SignatureAlgorithm): HashName | null {
  return scheme === 'ed25519' ? null : hash;
}

function keyInput({ object }: PublicKey, { scheme }: SignatureAlgorithm): KeyObject | VerifyKeyObjectInput {
  if (scheme !== 'rsa-pss') return object;
  return { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

export function defaultHash(key: PublicKey): HashName {
  if (key.kind === 'P-384') return 'sha384';
  return key.kind === 'P-521' ? 'sha512' : 'sha256';
}

export const schemeOf: Readonly<Record<KeyKind, SignatureAlgorithm['scheme']>> = {
  'P-256': 'ecdsa',
  'P-384': 'ecdsa',
  'P-521': 'ecdsa',
  rsa: 'rsa-pkcs1',
  ed25519: 'ed25519',
};

const curves: ReadonlyMap<string, { readonly kind: KeyKind; readonly point: number }> = new Map([
  ['1.2.840.10045.3.1.7', { kind: 'P-256', point: 65 }],
  ['1.3.132.0.34', { kind: 'P-384', point: 97 }],
  ['1.3.132.0.35', { kind: 'P-521', point: 133 }],
]);

/** Reads the frame strictly; whether the point lies on the curve is for OpenSSL to say. */
function kindOf(spki: Buffer): KeyKind {
  const outer = fields(readDer(spki));
  const algorithm = fields(outer.next(Tag.sequence));
  const key = bitString(outer.next(Tag.bitString));
  outer.end();
  const name = oid(algorithm.next(Tag.oid));
  let kind: KeyKind;
  if (name === '1.2.840.10045.2.1') {
    const parameters = algorithm.any();
    kind = ecKind(parameters.tag === Tag.oid ? oid(parameters) : 'given by parameters', key);
  } else if (name === '1.2.840.113549.1.1.1') {
    if (algorithm.next(Tag.null).content.length !== 0) throw malformed('a NULL has content');
    checkRsa(key);
    kind = 'rsa';
  } else if (name === '1.3.101.112') {
    if (key.length !== 32) throw malformed('an Ed25519 key must have 32 octets');
    kind = 'ed25519';
  } else {
    throw unsupported(`a public key of the algorithm ${name} is not supported`);
  }
  algorithm.end();
  return kind;
}

function ecKind(curve: string, point: Buffer): KeyKind {
  const known = curves.get(curve);
  if (known === undefined)
    throw unsupported(`the elliptic curve ${curve} is not supported (P-256, P-384 and P-521 are)`);
  if (point[0] === 2 || point[0] === 3) throw unsupported('a compressed curve point is not supported');
  if (point[0] !== 4 || point.length !== known.point) throw malformed(`the ${known.kind} point has a wrong form`);
  return known.kind;
}

function checkRsa(key: Buffer): void {
  const inside = fields(readDer(key));
  const modulus = unsignedInteger(inside.next(Tag.integer));
  const exponent = unsignedInteger(inside.next(Tag.integer));
  inside.end();
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < 2048) throw unsupported(`an RSA key of ${bits} bits is too weak: 2048 is the least`);
  // The work grows with the cube of the modulus and with the exponent, and both may be an attacker's.
  if (bits > 8192) throw unsupported(`an RSA key of ${bits} bits is not supported: 8192 is the most`);
  const value = exponent.length > 4 ? 0 : exponent.readUIntBE(0, exponent.length);
  if (value < 3 || value % 2 === 0) throw unsupported('the exponent of the RSA key must be odd, from 3 to 2^32-1');
}

/** SEQUENCE { INTEGER … } is PKCS#1, SEQUENCE { SEQUENCE … } is SPKI. */
function publicKeyFromDer(der: Buffer): PublicKey {
  return fields(readDer(der)).any().tag === Tag.integer ? publicKeyFromPkcs1(der) : publicKeyFromSpki(der);
}

function publicKeyFromPkcs1(der: Buffer): PublicKey {
  checkRsa(der);
  let spki: Buffer;
  try {
    spki = createPublicKey({ key: der, format: 'der', type: 'pkcs1' }).export({ format: 'der', type: 'spki' });
  } catch (cause) {
    throw malformed('the RSA public key is not valid', cause);
  }
  return publicKeyFromSpki(spki);
}

function unsupported(message: string): VerifyError {
  return new VerifyError('unsupported', message);
}
