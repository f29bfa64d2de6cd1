/**
 * ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 §2.2.3), in DER and in nothing else:
 *
 *     30 45 02 20 3f… 02 21 00 a1…
 *
 * Refused: zero, negative, padded or oversized numbers, bytes behind. Both s and n-s are valid, as Sigstore has it:
 * nothing may take the bytes of a signature for a name of what was signed. Over files and statements some signers (WebCrypto,
 * services that keep keys) write r and s side by side instead (IEEE P1363), and nothing beside the signature says so.
 */
import { fields, readDer, Tag, unsignedInteger } from './der.ts';
import { VerifyError } from './failure.ts';
import type { KeyKind } from './types.ts';

/** Octets of the curve's order. */
export const orderLength: Readonly<Partial<Record<KeyKind, number>>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/**
 * r and s, each as long as the order (the IEEE P1363 form); undefined when it is no signature by a key of this kind.
 */
export function readEcdsaSignature(signature: Buffer, kind: KeyKind): Buffer | undefined {
  const length = orderLength[kind];
  if (length === undefined) return undefined;
  try {
    const inside = fields(readDer(signature));
    const r = unsignedInteger(inside.next(Tag.integer));
    const s = unsignedInteger(inside.next(Tag.integer));
    inside.end();
    if (r.length > length || s.length > length || r[0] === 0 || s[0] === 0) return undefined;
    const fixed = Buffer.alloc(2 * length);
    r.copy(fixed, length - r.length);
    s.copy(fixed, 2 * length - s.length);
    return fixed;
  } catch (error) {
    if (error instanceof VerifyError) return undefined;
    throw error;
  }
}

/** The same signature in DER, where it was written as r and s side by side; any other as it is. */
export function ecdsaInDer(signature: Buffer, kind: KeyKind): Buffer {
  const length = orderLength[kind];
  if (length === undefined || signature.length !== 2 * length) return signature;
  // A short signature in DER may be as long by chance: what reads as DER is DER.
  if (readEcdsaSignature(signature, kind) !== undefined) return signature;
  const body = Buffer.concat([derInteger(signature.subarray(0, length)), derInteger(signature.subarray(length))]);
  const head = body.length < 0x80 ? [Tag.sequence, body.length] : [Tag.sequence, 0x81, body.length];
  return Buffer.concat([Buffer.from(head), body]);
}

function derInteger(fixed: Buffer): Buffer {
  const start = fixed.findIndex((byte) => byte !== 0);
  const number = start === -1 ? fixed.subarray(-1) : fixed.subarray(start);
  const positive = number[0]! < 0x80 ? number : Buffer.concat([Buffer.alloc(1), number]);
  return Buffer.concat([Buffer.from([Tag.integer, positive.length]), positive]);
}
