/**
 * Private keys for signing, as the tools of the field store them: one PEM block (RFC 7468) of
 *
 *     PRIVATE KEY                       PKCS#8 (RFC 5958)
 *     EC PRIVATE KEY                    SEC 1 (RFC 5915)
 *     RSA PRIVATE KEY                   PKCS#1 (RFC 8017)
 *     ENCRYPTED PRIVATE KEY             PKCS#8 under a password
 *     ENCRYPTED SIGSTORE PRIVATE KEY    what `cosign generate-key-pair` writes; ENCRYPTED COSIGN PRIVATE KEY before 2.0
 *
 * The last two hold JSON, whose ciphertext is a PKCS#8 key sealed with XSalsa20-Poly1305 under a key of scrypt:
 *
 *     {"kdf": {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": "…"},
 *      "cipher": {"name": "nacl/secretbox", "nonce": "…"}, "ciphertext": "…"}
 *
 * Refused: curves other than P-256, P-384 and P-521, RSA below 2048 bits, anything but RSA, ECDSA and Ed25519, a file with
 * several private keys, scrypt parameters that would take more than 256 MiB. No error tells anything of a key or password.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, scryptSync, sign } from 'node:crypto';
import { OperationalError, quoted } from '../diag/index.ts';
import { VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from './json.ts';
import { defaultHash, publicKeyFromSpki } from './keys.ts';
import { decodeBase64 } from './protojson.ts';
import type { PublicKey } from './types.ts';

export interface SigningKey {
  readonly publicKey: PublicKey;
  /** DER for ECDSA, PKCS#1 v1.5 for RSA, over the hash that goes with the key; Ed25519 over the bytes themselves. */
  sign(data: Buffer): Buffer;
}

/** `name` is the file, for messages. Throws OperationalError `configuration`. */
export async function parseSigningKey(text: string, password: string | undefined, name: string): Promise<SigningKey> {
  const block = findPrivateKey(text, name);
  const object =
    block.label.startsWith('ENCRYPTED SIGSTORE') || block.label.startsWith('ENCRYPTED COSIGN')
      ? await openSealedKey(block.content, password, name)
      : readPem(block, password, name);
  checkKind(object, name);
  const publicKey = publicKeyOf(object, name);
  const hash = publicKey.kind === 'ed25519' ? null : defaultHash(publicKey);
  return { publicKey, sign: (data) => sign(hash, data, object) };
}

/** The key in cosign's encrypted file. */
export async function formatSealedKey(key: KeyObject, password: string): Promise<string> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const params = { N: 65_536, r: 8, p: 1 };
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const sealed = xsalsa20poly1305(stretch(password, salt, params), nonce).encrypt(plain);
  const document = {
    kdf: { name: 'scrypt', params, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(sealed).toString('base64'),
  };
  const lines =
    Buffer.from(JSON.stringify(document))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [
    '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----',
    ...lines,
    '-----END ENCRYPTED SIGSTORE PRIVATE KEY-----',
    '',
  ].join('\n');
}

interface Block {
  readonly label: string;
  readonly pem: string;
  readonly content: Buffer;
}

const labels = [
  'PRIVATE KEY',
  'EC PRIVATE KEY',
  'RSA PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'ENCRYPTED SIGSTORE PRIVATE KEY',
  'ENCRYPTED COSIGN PRIVATE KEY',
];

function findPrivateKey(text: string, name: string): Block {
  const found: Block[] = [];
  const others: string[] = [];
  // `openssl ecparam` writes the curve in a block of its own before the key.
  for (const block of blocksOf(text)) {
    if (labels.includes(block.label)) found.push(block);
    else others.push(block.label);
  }
  const [block] = found;
  if (block !== undefined && found.length === 1) return block;
  if (found.length > 1) throw refused(name, 'it holds several private keys', 'keep one private key in a file');
  throw noKey(others, name);
}

/** Laxer than what verifies: people keep notes around their keys, and OpenSSL's old encryption has headers inside. */
function* blocksOf(text: string): Iterable<Block> {
  let at = 0;
  for (;;) {
    const start = text.indexOf('-----BEGIN ', at);
    const label = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text.slice(start, start + 64))?.[1];
    if (start < 0 || label === undefined) return;
    const [head, tail] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
    const end = text.indexOf(tail, start);
    if (end < 0) return;
    const content = Buffer.from(text.slice(start + head.length, end), 'base64');
    at = end + tail.length;
    yield { label, pem: text.slice(start, at), content };
  }
}

function noKey(found: readonly string[], name: string): OperationalError {
  if (found.includes('PUBLIC KEY') || found.includes('RSA PUBLIC KEY')) {
    return refused(
      name,
      'it is a public key',
      'give the private key: signing needs it, and verifying needs the public one',
    );
  }
  if (found.includes('CERTIFICATE'))
    return refused(name, 'it is a certificate', 'give the private key that belongs to it');
  if (found.includes('OPENSSH PRIVATE KEY')) {
    return refused(
      name,
      'it is a private key in the format of OpenSSH',
      'convert a copy of it, RSA and ECDSA only: ssh-keygen -p -m PKCS8 -f COPY',
      'instead of an Ed25519 key make another: openssl genpkey -algorithm ed25519 -out FILE',
    );
  }
  return refused(
    name,
    'it holds no private key in PEM',
    'make one with cosign generate-key-pair, or: openssl ecparam -name prime256v1 -genkey -noout -out FILE',
  );
}

function readPem({ label, pem }: Block, password: string | undefined, name: string): KeyObject {
  const encrypted = label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (encrypted && password === undefined) throw noPassword(name);
  try {
    return createPrivateKey(encrypted ? { key: pem, passphrase: password ?? '' } : { key: pem });
  } catch {
    // What OpenSSL says is about its own insides, and a cause would travel with the error: neither is passed on.
    throw encrypted
      ? wrongPassword(name)
      : refused(name, 'its private key is damaged, or of a kind that is not supported');
  }
}

function publicKeyOf(key: KeyObject, name: string): PublicKey {
  try {
    return publicKeyFromSpki(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  } catch (error) {
    if (error instanceof VerifyError) throw refused(name, error.message);
    throw error;
  }
}

function checkKind(key: KeyObject, name: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return;
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) >= 2048) return;
    throw refused(name, `it is an RSA key of ${details?.modulusLength} bits`, 'use one of at least 2048 bits');
  }
  if (type === 'ec' && ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '')) return;
  const kind = type === 'ec' ? `an ECDSA key on the curve ${details?.namedCurve}` : `a key of the kind ${type}`;
  throw refused(name, `it is ${kind}`, 'use ECDSA on P-256, P-384 or P-521, RSA from 2048 bits, or Ed25519');
}

interface Sealed {
  readonly salt: Buffer;
  readonly params: ScryptParameters;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

interface ScryptParameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

async function openSealedKey(content: Buffer, password: string | undefined, name: string): Promise<KeyObject> {
  const sealed = parseSealed(content, name);
  if (password === undefined) throw noPassword(name);
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const secret = stretch(password, sealed.salt, sealed.params);
  let plain: Uint8Array;
  try {
    plain = xsalsa20poly1305(secret, sealed.nonce).decrypt(sealed.ciphertext);
  } catch {
    throw wrongPassword(name);
  }
  try {
    return createPrivateKey({ key: Buffer.from(plain), format: 'der', type: 'pkcs8' });
  } catch {
    throw refused(name, 'what is encrypted in it is no private key');
  }
}

function stretch(password: string, salt: Buffer, { N, r, p }: ScryptParameters): Buffer {
  return scryptSync(password, salt, 32, { N, r, p, maxmem: 2 * maxScryptBytes });
}

function parseSealed(content: Buffer, name: string): Sealed {
  try {
    const document = object(parseStrictJsonBytes(content, 'the encrypted key'), 'the encrypted key');
    const [kdf, cipher] = [object(document['kdf'], 'kdf'), object(document['cipher'], 'cipher')];
    if (kdf['name'] !== 'scrypt' || cipher['name'] !== 'nacl/secretbox') {
      throw new VerifyError('unsupported', 'it is not encrypted with scrypt and nacl/secretbox');
    }
    return {
      salt: base64(kdf['salt'], 'kdf.salt'),
      params: scryptParameters(object(kdf['params'], 'kdf.params')),
      nonce: base64(cipher['nonce'], 'cipher.nonce', 24),
      ciphertext: base64(document['ciphertext'], 'ciphertext'),
    };
  } catch (error) {
    if (error instanceof VerifyError) throw refused(name, error.message);
    throw error;
  }
}

const maxScryptBytes = 256 * 1024 * 1024;

function scryptParameters(params: JsonObject): ScryptParameters {
  const [N, r, p] = [params['N'], params['r'], params['p']];
  const isWhole = (value: Json | undefined, max: number): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
  const fits =
    isWhole(N, 2 ** 21) &&
    N > 1 &&
    (N & (N - 1)) === 0 &&
    isWhole(r, 64) &&
    isWhole(p, 8) &&
    128 * N * r <= maxScryptBytes;
  if (!fits) throw new VerifyError('unsupported', 'its scrypt parameters are out of range');
  return { N, r, p };
}

function object(value: Json | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new VerifyError('malformed', `${what} is not an object`);
}

function base64(value: Json | undefined, what: string, length?: number): Buffer {
  const bytes = decodeBase64(typeof value === 'string' ? value : '', what);
  if (length === undefined || bytes.length === length) return bytes;
  throw new VerifyError('malformed', `${what} does not have ${length} bytes`);
}

function noPassword(name: string): OperationalError {
  return new OperationalError('configuration', `the key ${quoted(name)} is encrypted, and no password was given`, {
    hints: ['set COSIGN_PASSWORD or TIDEWAITER_KEY_PASSWORD, or give --key-password-file FILE'],
  });
}

function wrongPassword(name: string): OperationalError {
  return new OperationalError(
    'configuration',
    `the key ${quoted(name)} cannot be decrypted: the password is wrong, or the file damaged`,
    {
      hints: [
        'look at where the password comes from: --key-password-file, then TIDEWAITER_KEY_PASSWORD, then COSIGN_PASSWORD',
      ],
    },
  );
}

function refused(name: string, why: string, ...hints: string[]): OperationalError {
  return new OperationalError('configuration', `${quoted(name)} cannot be used to sign: ${why}`, {
    hints,
  });
}
