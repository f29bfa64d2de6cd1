/**
 * OpenSSH public keys, one line (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4):
 *
 *     ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… me@acme.example
 *
 * The base64 holds strings, each behind its length in four octets: the type once more, then the numbers of the key.
 * Refused: options before the type, two types that differ, bytes left over, and hardware keys (`sk-…`), which sign
 * something else than they are given.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { malformed, VerifyError } from './failure.ts';

export function isSshKey(text: string): boolean {
  return /^\s*(?:sk-)?(?:ssh-|ecdsa-sha2-)/.test(text);
}

/** The key as a SubjectPublicKeyInfo, not yet checked. Throws `malformed` or `unsupported`. */
export function readSshKey(text: string): Buffer {
  const lines = text.trim().split('\n');
  if (lines.length > 1) throw malformed('there is more than one SSH key: give one key per file');
  const [type = '', base64 = ''] = lines[0]!.split(/[ \t]/, 2);
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) throw malformed('the SSH key is not canonical base64');
  const [inner, ...parts] = readStrings(blob);
  if (inner?.toString('latin1') !== type) throw malformed('the SSH key says two different types');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwkOf(type, parts), format: 'jwk' });
  } catch (cause) {
    throw cause instanceof VerifyError ? cause : malformed('the SSH key is not valid', cause);
  }
  return key.export({ format: 'der', type: 'spki' });
}

const mostParts = 8;

function readStrings(blob: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    const length = blob.length - at < 4 ? Number.POSITIVE_INFINITY : blob.readUInt32BE(at);
    if (length > blob.length - at - 4 || found.length === mostParts) throw malformed('the SSH key is cut off');
    found.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

const curves: ReadonlyMap<string, { readonly crv: string; readonly length: number }> = new Map([
  ['nistp256', { crv: 'P-256', length: 32 }],
  ['nistp384', { crv: 'P-384', length: 48 }],
  ['nistp521', { crv: 'P-521', length: 66 }],
]);

function jwkOf(type: string, parts: readonly Buffer[]): Record<string, string> {
  const [first, second] = parts;
  const curve = type.startsWith(ecdsa) ? curves.get(type.slice(ecdsa.length)) : undefined;
  if (curve === undefined && type !== 'ssh-ed25519' && type !== 'ssh-rsa') {
    throw new VerifyError('unsupported', `an SSH key of the type "${type.slice(0, 64)}" is not supported`);
  }
  if (first === undefined || parts.length !== (type === 'ssh-ed25519' ? 1 : 2)) {
    throw malformed('the SSH key has a wrong number of parts');
  }
  if (second === undefined) return { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') };
  if (curve === undefined) return { kty: 'RSA', e: number(first), n: number(second) };
  const { crv, length } = curve;
  if (`${ecdsa}${first.toString('latin1')}` !== type || second.length !== 1 + 2 * length || second[0] !== 4) {
    throw malformed('the point of the SSH key has a wrong form');
  }
  const coordinate = (at: number): string => second.subarray(at, at + length).toString('base64url');
  return { kty: 'EC', crv, x: coordinate(1), y: coordinate(1 + length) };
}

const ecdsa = 'ecdsa-sha2-';

/** mpint: a zero octet before a high bit. */
function number(octets: Buffer): string {
  return octets.subarray(octets[0] === 0 ? 1 : 0).toString('base64url');
}
