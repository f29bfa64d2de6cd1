/**
 * X.509 certificates, version 3 (RFC 5280 §4.1 and §4.2):
 *
 *     SEQUENCE {
 *       SEQUENCE {                    tbs, the signed part
 *         [0] 2, serial, algorithm, issuer, { notBefore, notAfter }, subject, key,
 *         [3] { { OID, critical, OCTET STRING } … }
 *       }
 *       algorithm, BIT STRING signature
 *     }
 *
 * Parsing proves nothing; chain.ts does. Refused: other versions, an algorithm outside that is not the one inside,
 * repeated extensions, unique identifiers, times that do not exist, names of unknown kinds in a certificate for code
 * signing (a second name must not hide), and whatever is not DER. A critical extension that is not understood stays in
 * `extensions`.
 */

import { readExtensions } from './certificate-extensions.ts';
import {
  bitString,
  children,
  contextTag,
  explicit,
  fields,
  integer,
  primitiveContextTag,
  readDer,
  Tag,
  time,
} from './der.ts';
import { malformed, VerifyError } from './failure.ts';
import { publicKeyFromSpki } from './keys.ts';
import { parsePem } from './pem.ts';
import { readSignatureAlgorithm } from './signature-algorithm.ts';
import type { Certificate, PublicKey } from './types.ts';

const mostOctets = 1 << 16;

/** Throws `malformed` or `unsupported`. */
export function parseCertificate(der: Buffer): Certificate {
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new VerifyError(error.code, `the certificate cannot be read: ${error.message}`, { cause: error });
  }
}

/** One certificate or more, and nothing else. */
export function parsePemCertificates(text: string): Certificate[] {
  return parsePem(text).map(({ label, der }) => {
    if (label !== 'CERTIFICATE') throw malformed(`PEM: expected a certificate, got "${label}"`);
    return parseCertificate(der);
  });
}

function read(der: Buffer): Certificate {
  if (der.length > mostOctets) throw malformed(`it is longer than ${mostOctets} octets`);
  const outer = fields(readDer(der));
  const tbs = outer.next(Tag.sequence);
  const algorithm = outer.next(Tag.sequence);
  const signature = bitString(outer.next(Tag.bitString));
  outer.end();
  const inner = fields(tbs);
  const version = inner.optional(contextTag(0));
  if (version === undefined || !integer(explicit(version, 0)).equals(version3)) {
    throw new VerifyError('unsupported', 'its version is not 3');
  }
  const serial = integer(inner.next(Tag.integer));
  if (serial.length > 21 || serial[0]! >= 0x80) throw malformed('its serial number is negative or too long');
  // Only the inner one is signed: an attacker may write another outside.
  if (!inner.next(Tag.sequence).bytes.equals(algorithm.bytes)) {
    throw malformed('its signature algorithms inside and outside differ');
  }
  const issuer = inner.next(Tag.sequence).bytes;
  const [notBefore, notAfter] = readValidity(inner.next(Tag.sequence));
  const subject = inner.next(Tag.sequence).bytes;
  const spki = inner.next(Tag.sequence).bytes;
  if (inner.optional(primitiveContextTag(1)) !== undefined || inner.optional(primitiveContextTag(2)) !== undefined) {
    throw new VerifyError('unsupported', 'it has unique identifiers');
  }
  const extensions = inner.optional(contextTag(3));
  inner.end();
  return {
    der,
    tbs: tbs.bytes,
    signature,
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
    publicKey: once(() => publicKeyFromSpki(spki)),
    ...readExtensions(extensions === undefined ? [] : children(explicit(extensions, 3))),
  };
}

const version3 = Buffer.from([2]);

function readValidity(der: Parameters<typeof fields>[0]): readonly [number, number] {
  const both = fields(der);
  const [notBefore, notAfter] = [time(both.any()), time(both.any())];
  both.end();
  if (notBefore > notAfter) throw malformed('it ends before it begins');
  return [notBefore, notAfter];
}

function once(make: () => PublicKey): () => PublicKey {
  let made: PublicKey | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
