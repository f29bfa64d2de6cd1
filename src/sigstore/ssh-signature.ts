/**
 * Signatures by SSH keys over files, as `ssh-keygen -Y sign` and git write them (PROTOCOL.sshsig of OpenSSH):
 *
 *     -----BEGIN SSH SIGNATURE-----
 *     U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg…
 *     -----END SSH SIGNATURE-----
 *
 *     "SSHSIG" | uint32 1 | string public key | string namespace | string reserved | string hash | string signature
 *
 * What the key signs is not the message but this, so that a signature for one use is never one for another:
 *
 *     "SSHSIG" | string namespace | string reserved | string hash | string H(message)
 *
 * A security key (PROTOCOL.u2f) signs SHA-256(application) | flags | counter | SHA-256(the above); its flags say whether
 * somebody touched it (0x01) and whether it made sure who (0x04). The public key is in the signature: that it holds says
 * only that whoever has that key made it.
 *
 * Refused by name: other versions, anything in `reserved` (it is not signed as it stands here), SHA-1 (`ssh-rsa` as an
 * algorithm of signatures), RSA below 2048 or above 8192 bits, certificates, WebAuthn. Broken: text around the armour, base64
 * that is not canonical, numbers in a second spelling, bytes left over.
 */
import { hash as digest } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { publicKeyFromSpki, verifySignature } from './keys.ts';
import { parseSshKey, type SshKey } from './ssh-key.ts';
import { readSsh, type SshReader, sshString } from './ssh-wire.ts';
import type { HashName, PublicKey, SignatureAlgorithm } from './types.ts';

/** A signature as it was read; nothing of it is proved. */
export interface SshSignature {
  readonly key: SshKey;
  readonly publicKey: PublicKey;
  readonly namespace: Buffer;
  readonly hash: 'sha256' | 'sha512';
  readonly algorithm: SignatureAlgorithm;
  /** As node:crypto takes it: ECDSA in DER. */
  readonly value: Buffer;
  /** Security keys only. */
  readonly presence?: { readonly flags: number; readonly counter: number };
}

/** Whose key signed: it holds for whoever has that key, whether anybody knows them or not. */
export interface SshSigner {
  /** `SHA256:…` as ssh-keygen prints it. */
  readonly fingerprint: string;
  readonly keyBlob: Buffer;
  /** Absent for security keys, which sign nothing but this. */
  readonly publicKey?: PublicKey;
  /** Security keys only: whether the signature says that somebody touched it, and that it made sure who did. */
  readonly touched?: boolean;
  readonly verifiedByUser?: boolean;
}

export const sshArmor = '-----BEGIN SSH SIGNATURE-----';

const mostCharacters = 1 << 16;

/** Throws VerifyError `malformed` or `unsupported`. */
export function parseSshSignature(armored: string): SshSignature {
  if (armored.length > mostCharacters) throw malformed(`the SSH signature is longer than ${mostCharacters} characters`);
  const lines = armored.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  while (lines.at(-1) === '') lines.pop();
  if (lines[0] !== sshArmor || lines.at(-1) !== '-----END SSH SIGNATURE-----') {
    throw malformed('the SSH signature does not stand between its BEGIN and END lines');
  }
  const base64 = lines.slice(1, -1).join('');
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) throw malformed('the SSH signature is not canonical base64');
  return parseSshSignatureBlob(blob);
}

/** What the armour holds. Throws VerifyError `malformed` or `unsupported`. */
export function parseSshSignatureBlob(blob: Buffer): SshSignature {
  const reader = readSsh(blob, 'the SSH signature');
  if (!reader.bytes(magic.length).equals(magic)) throw malformed('the SSH signature does not begin with SSHSIG');
  const version = reader.uint32();
  if (version !== 1) throw unsupported(`version ${version} of SSH signatures is not supported`);
  const { key, publicKey } = readKey(reader.string());
  const namespace = reader.string();
  if (namespace.length === 0) throw malformed('the SSH signature has an empty namespace');
  if (reader.string().length > 0)
    throw unsupported('the SSH signature uses its reserved field, which is not supported');
  const hash = reader.string().toString('latin1');
  if (hash !== 'sha256' && hash !== 'sha512') {
    throw unsupported(`the hash ${quoted(hash, 40)} of an SSH signature is not supported`);
  }
  const value = reader.string();
  reader.end();
  return { key, publicKey, namespace, hash, ...readValue(value, key, publicKey) };
}

/**
 * Whose key made it, over this message and for this namespace, which is compared whole. Throws VerifyError `invalid` where it
 * does not hold.
 */
export function verifySshSignature(signature: SshSignature, message: Buffer, namespace: string): SshSigner {
  const { key, publicKey, presence, algorithm, value } = signature;
  if (!signature.namespace.equals(Buffer.from(namespace))) {
    throw invalid(`the SSH signature is for another use than ${quoted(namespace)}`, {
      expected: namespace,
      got: signature.namespace.toString('utf8'),
    });
  }
  const signed = Buffer.concat([
    magic,
    sshString(namespace),
    sshString(''),
    sshString(signature.hash),
    sshString(digest(signature.hash, message, 'buffer')),
  ]);
  const data = presence === undefined ? signed : presenceData(key, presence, signed);
  if (!verifySignature(publicKey, data, value, algorithm)) throw invalid('the SSH signature does not hold');
  const { fingerprint, blob: keyBlob } = key;
  if (presence === undefined) return { fingerprint, keyBlob, publicKey };
  const { flags } = presence;
  return { fingerprint, keyBlob, touched: (flags & 0x01) !== 0, verifiedByUser: (flags & 0x04) !== 0 };
}

const magic = Buffer.from('SSHSIG');

type ReadKey = Pick<SshSignature, 'key' | 'publicKey'>;

/** A history has many signatures by few keys, and to set one up takes longer than to verify with it. */
const readKeys = new Map<string, ReadKey>();
const mostKeys = 256;
const longestKept = 2048;

function readKey(blob: Buffer): ReadKey {
  const name = blob.length > longestKept ? undefined : blob.toString('latin1');
  const known = name === undefined ? undefined : readKeys.get(name);
  if (known !== undefined) return known;
  // A copy: the key must not change, nor hold what it was read from.
  const key = parseSshKey(Buffer.from(blob));
  const read = { key, publicKey: publicKeyFromSpki(key.spki) };
  if (readKeys.size === mostKeys) readKeys.clear();
  if (name !== undefined) readKeys.set(name, read);
  return read;
}

function unsupported(message: string): VerifyError {
  return new VerifyError('unsupported', message);
}

function presenceData(key: SshKey, { flags, counter }: { flags: number; counter: number }, signed: Buffer): Buffer {
  const between = Buffer.alloc(5);
  between.writeUInt8(flags, 0);
  between.writeUInt32BE(counter, 1);
  const sha256 = (bytes: Buffer): Buffer => digest('sha256', bytes, 'buffer');
  return Buffer.concat([sha256(key.application ?? Buffer.alloc(0)), between, sha256(signed)]);
}

type Value = Pick<SshSignature, 'algorithm' | 'value' | 'presence'>;

/** `string algorithm`, then by the algorithm; security keys add flags and counter. */
function readValue(blob: Buffer, key: SshKey, publicKey: PublicKey): Value {
  const reader = readSsh(blob, 'the signature inside of the SSH signature');
  const name = reader.string().toString('latin1');
  const algorithm = algorithmOf(name, key);
  const value = readNumbers(reader, algorithm, publicKey);
  if (key.application === undefined) {
    reader.end();
    return { algorithm, value };
  }
  const flags = reader.byte();
  const counter = reader.uint32();
  reader.end();
  return { algorithm, value, presence: { flags, counter } };
}

const ecdsaHashes: ReadonlyMap<string, HashName> = new Map([
  ['ecdsa-sha2-nistp256', 'sha256'],
  ['ecdsa-sha2-nistp384', 'sha384'],
  ['ecdsa-sha2-nistp521', 'sha512'],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 'sha256'],
]);

/** Every type of key has one algorithm of the same name; RSA has two, by RFC 8332. */
function algorithmOf(name: string, { type }: SshKey): SignatureAlgorithm {
  if (type === 'ssh-rsa') {
    if (name === 'rsa-sha2-512') return { scheme: 'rsa-pkcs1', hash: 'sha512' };
    if (name === 'rsa-sha2-256') return { scheme: 'rsa-pkcs1', hash: 'sha256' };
    if (name === 'ssh-rsa') throw unsupported('a signature with SHA-1 (ssh-rsa) is too weak');
  }
  if (name.startsWith('webauthn-')) throw unsupported(`a signature by ${quoted(name, 64)} is not supported`);
  if (name !== type) {
    throw malformed(`the SSH signature is by ${quoted(name, 64)}, and its key is of the type ${quoted(type, 64)}`);
  }
  const hash = ecdsaHashes.get(type);
  return hash === undefined ? { scheme: 'ed25519', hash: 'sha512' } : { scheme: 'ecdsa', hash };
}

function readNumbers(reader: SshReader, { scheme }: SignatureAlgorithm, { object }: PublicKey): Buffer {
  const value = reader.string();
  if (scheme === 'ecdsa') return readEcdsa(value, reader.what);
  const length = scheme === 'ed25519' ? 64 : Math.ceil((object.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (value.length > length) throw malformed('the SSH signature is longer than its key allows');
  if (scheme === 'ed25519') return value;
  // Some signers leave leading zeros away (RFC 8332 §3 wants them); ssh-keygen takes both.
  return Buffer.concat([Buffer.alloc(length - value.length), value]);
}

/** mpint r, mpint s: the content of DER's INTEGER has the same one spelling. */
function readEcdsa(value: Buffer, what: string): Buffer {
  const inside = readSsh(value, what);
  const numbers = [inside.mpint(), inside.mpint()];
  inside.end();
  if (numbers.some(({ length }) => length > 67)) throw malformed(`${what} has a number that is too large`);
  const body = Buffer.concat(numbers.flatMap((each) => [Buffer.from([0x02, each.length]), each]));
  return Buffer.concat([Buffer.from(body.length < 128 ? [0x30, body.length] : [0x30, 0x81, body.length]), body]);
}
