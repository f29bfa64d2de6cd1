/**
 * Signatures over data of which only the digest is at hand. node:crypto hashes whatever it verifies, so the elliptic
 * curves come from `@noble/curves` (nothing here is secret, so constant time does not matter), and RSA is undone with
 * the public key and compared. Ed25519 signs the data itself and cannot be verified so.
 */
import { constants, publicDecrypt } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { readEcdsaSignature } from './ecdsa-signature.ts';
import { malformed, VerifyError } from './failure.ts';
import { digestLength } from './signature-algorithm.ts';
import type { HashName, PublicKey } from './types.ts';

/**
 * ECDSA with any of the hashes, RSA PKCS#1 v1.5. Throws `unproved` for Ed25519, `malformed` for a digest of a wrong
 * length.
 */
export function verifyDigest(
  key: PublicKey,
  digest: { readonly algorithm: HashName; readonly value: Buffer },
  signature: Buffer,
): boolean {
  if (digest.value.length !== digestLength[digest.algorithm]) {
    throw malformed(`a ${digest.algorithm} digest must have ${digestLength[digest.algorithm]} octets`);
  }
  if (key.kind === 'ed25519') {
    throw new VerifyError('unproved', 'an Ed25519 signature cannot be verified by digest: give the file itself');
  }
  if (key.kind === 'rsa') return verifyRsa(key, digest, signature);
  const compact = readEcdsaSignature(signature, key.kind);
  if (compact === undefined) return false;
  // lowS would refuse every second good signature: that rule is Bitcoin's.
  return curve(key.kind).verify(compact, digest.value, pointOf(key), { prehash: false, lowS: false });
}

/** DigestInfo up to the digest itself (RFC 8017 §9.2, note 1). */
const digestInfo: Readonly<Record<HashName, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/**
 * The padded message is rebuilt and compared whole. Taking the padding apart instead is how forged signatures with
 * small exponents got through (Bleichenbacher 2006).
 */
function verifyRsa(
  key: PublicKey,
  digest: { readonly algorithm: HashName; readonly value: Buffer },
  signature: Buffer,
): boolean {
  const length = Math.ceil((key.object.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (signature.length !== length) return false;
  const info = Buffer.concat([Buffer.from(digestInfo[digest.algorithm], 'hex'), digest.value]);
  const expected = Buffer.alloc(length, 0xff);
  expected[0] = 0;
  expected[1] = 1;
  expected[length - info.length - 1] = 0;
  info.copy(expected, length - info.length);
  try {
    return publicDecrypt({ key: key.object, padding: constants.RSA_NO_PADDING }, signature).equals(expected);
  } catch {
    return false;
  }
}

/** The uncompressed point is the end of the SPKI; keys.ts lets nothing else in. */
function pointOf(key: PublicKey): Buffer {
  return key.spki.subarray(key.spki.length - { 'P-256': 65, 'P-384': 97, 'P-521': 133, rsa: 0, ed25519: 0 }[key.kind]);
}

/** Loaded when first needed: the library takes longer to start than a whole verification takes. */
function curve(kind: 'P-256' | 'P-384' | 'P-521'): ECDSA {
  nist ??= createRequire(import.meta.url)('@noble/curves/nist.js') as typeof import('@noble/curves/nist.js');
  return { 'P-256': nist.p256, 'P-384': nist.p384, 'P-521': nist.p521 }[kind];
}

let nist: typeof import('@noble/curves/nist.js') | undefined;
