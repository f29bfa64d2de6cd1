/**
 * OpenSSH public keys (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, and PROTOCOL.u2f of OpenSSH for security keys), as a line:
 *
 *     ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… me@acme.example
 *
 * The base64 holds strings: the type once more, then the numbers of the key. A security key (`sk-…`) adds the application
 * that it signs for, `ssh:` as a rule; what it signs is not the message (ssh-signature.ts), so that it is a key for
 * signatures of SSH only.
 *
 * Refused: two types that differ, parts missing or left over, numbers in a second spelling, DSA, and certificates
 * (`…-cert-v01@openssh.com`): whom they name is the word of an authority that nobody pinned.
 */
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { readSsh, type SshReader } from './ssh-wire.ts';

export interface SshKey {
  readonly type: string;
  /** What the base64 of a line holds: equal keys have equal bytes. */
  readonly blob: Buffer;
  /** `SHA256:…`, as ssh-keygen prints it. */
  readonly fingerprint: string;
  /** DER SubjectPublicKeyInfo of the key inside; its strength is not yet checked. */
  readonly spki: Buffer;
  /** Security keys only: what their signatures are bound to. */
  readonly application?: Buffer;
}

export function isSshKey(text: string): boolean {
  return /^\s*(?:sk-)?(?:ssh-|ecdsa-sha2-)/.test(text);
}

/** Whether a word names a type of key, one that is supported or not. */
export function isSshKeyType(word: string): boolean {
  return /^(?:sk-)?(?:ssh-(?:ed25519|ed448|rsa|dss)|ecdsa-sha2-nistp[0-9]{3})(?:-cert-v01)?(?:@openssh\.com)?$/.test(
    word,
  );
}

/** The key as a SubjectPublicKeyInfo, for signatures that are not SSH's own. Throws `malformed` or `unsupported`. */
export function readSshKey(text: string): Buffer {
  const lines = text.trim().split('\n');
  if (lines.length > 1) throw malformed('there is more than one SSH key: give one key per file');
  const key = parseSshKeyLine(lines[0]!);
  if (key.application !== undefined) {
    throw new VerifyError(
      'unsupported',
      `an SSH key of the type ${quoted(key.type, 64)} is not supported here: a security key makes signatures of SSH only`,
    );
  }
  return key.spki;
}

/** `type base64 comment`. Throws `malformed` or `unsupported`. */
export function parseSshKeyLine(line: string): SshKey {
  const [type = '', base64 = ''] = line.trim().split(/[ \t]+/, 2);
  if (!isSupported(type)) throw unsupported(type);
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) throw malformed('the SSH key is not canonical base64');
  const key = parseSshKey(blob);
  if (key.type !== type) throw malformed('the SSH key says two different types');
  return key;
}

/** Throws `malformed` or `unsupported`. */
export function parseSshKey(blob: Buffer): SshKey {
  const reader = readSsh(blob, 'the SSH key');
  const type = reader.string().toString('latin1');
  if (!isSupported(type)) throw unsupported(type);
  const jwk = readJwk(reader, type);
  const application = type.startsWith('sk-') ? reader.string() : undefined;
  reader.end();
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw malformed('the SSH key is not valid', cause);
  }
  return {
    type,
    blob,
    fingerprint: `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`,
    spki: key.export({ format: 'der', type: 'spki' }),
    ...(application !== undefined && { application }),
  };
}

interface Curve {
  readonly name: string;
  readonly crv: string;
  /** Octets of a coordinate. */
  readonly length: number;
}

const p256: Curve = { name: 'nistp256', crv: 'P-256', length: 32 };

const curves: ReadonlyMap<string, Curve> = new Map([
  ['ecdsa-sha2-nistp256', p256],
  ['sk-ecdsa-sha2-nistp256@openssh.com', p256],
  ['ecdsa-sha2-nistp384', { name: 'nistp384', crv: 'P-384', length: 48 }],
  ['ecdsa-sha2-nistp521', { name: 'nistp521', crv: 'P-521', length: 66 }],
]);

const others: readonly string[] = ['ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ssh-rsa'];

function isSupported(type: string): boolean {
  return curves.has(type) || others.includes(type);
}

function unsupported(type: string): VerifyError {
  if (type === '') return malformed('there is no SSH key');
  const why = type.includes('-cert-') ? ': give the key itself, not its certificate' : '';
  return new VerifyError('unsupported', `an SSH key of the type ${quoted(type, 64)} is not supported${why}`);
}

function readJwk(reader: SshReader, type: string): Record<string, string> {
  const curve = curves.get(type);
  if (curve !== undefined) return readPoint(reader, curve);
  if (type === 'ssh-rsa') {
    const e = number(reader.mpint());
    return { kty: 'RSA', e, n: number(reader.mpint()) };
  }
  const x = reader.string();
  if (x.length !== 32) throw malformed('an Ed25519 key must have 32 octets');
  return { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') };
}

function readPoint(reader: SshReader, { name, crv, length }: Curve): Record<string, string> {
  const curve = reader.string().toString('latin1');
  const point = reader.string();
  if (curve !== name || point.length !== 1 + 2 * length || point[0] !== 4) {
    throw malformed('the point of the SSH key has a wrong form');
  }
  const coordinate = (at: number): string => point.subarray(at, at + length).toString('base64url');
  return { kty: 'EC', crv, x: coordinate(1), y: coordinate(1 + length) };
}

function number(octets: Buffer): string {
  return octets.subarray(octets[0] === 0 ? 1 : 0).toString('base64url');
}
