import { createPublicKey, generateKeyPairSync, type KeyObject, scryptSync, verify } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { verifyBytes } from '../../src/sigstore/keys.ts';
import { formatSealedKey, parseSigningKey } from '../../src/sigstore/signing-key.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;
const keys: ReadonlyArray<readonly [string, KeyObject, string | null]> = [
  ['P-256', ec('P-256'), 'sha256'],
  ['P-384', ec('P-384'), 'sha384'],
  ['P-521', ec('P-521'), 'sha512'],
  ['rsa', rsa(2048), 'sha256'],
  ['ed25519', generateKeyPairSync('ed25519').privateKey, null],
];
const [, p256] = keys[0]!;
const secret = 'correct horse';
const data = Buffer.from('what is signed');

const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const encrypted = (key: KeyObject) =>
  key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret }).toString();
const block = (label: string, content: Buffer) =>
  `-----BEGIN ${label}-----\n${content
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END ${label}-----\n`;

/** What cosign writes, with cheap parameters and on request with lies. */
function sealed(change: (document: Record<string, unknown>) => unknown = (document) => document): string {
  const [salt, nonce] = [Buffer.alloc(32, 1), Buffer.alloc(24, 2)];
  const stretched = scryptSync(secret, salt, 32, { N: 16, r: 8, p: 1 });
  const ciphertext = xsalsa20poly1305(stretched, nonce).encrypt(p256.export({ type: 'pkcs8', format: 'der' }));
  const document = {
    kdf: { name: 'scrypt', params: { N: 16, r: 8, p: 1 }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  };
  return block('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(change(document))));
}

async function refusal(text: string, password?: string): Promise<OperationalError> {
  const error = await parseSigningKey(text, password, 'my.key').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OperationalError) return error;
  throw new Error('it was not refused with an OperationalError', { cause: error });
}

describe.each(keys)('a private key of the kind %s', (kind, object, hash) => {
  const forms: ReadonlyArray<readonly [string, () => string | Promise<string>]> = [
    ['PKCS#8', () => pkcs8(object)],
    ['encrypted PKCS#8', () => encrypted(object)],
    ["cosign's encrypted file", () => formatSealedKey(object, secret)],
    ...(kind.startsWith('P-')
      ? [['SEC 1', () => object.export({ type: 'sec1', format: 'pem' }).toString()] as const]
      : []),
    ...(kind === 'rsa' ? [['PKCS#1', () => object.export({ type: 'pkcs1', format: 'pem' }).toString()] as const] : []),
  ];

  it.each(forms)('is read as %s, and its signatures hold for node:crypto and for the verifier', async (_, write) => {
    const key = await parseSigningKey(await write(), secret, 'my.key');
    const signature = key.sign(data);
    expect(key.publicKey.kind).toBe(kind);
    expect(verify(hash, data, createPublicKey(object), signature)).toBe(true);
    expect(verifyBytes(key.publicKey, data, signature)).toBe(true);
    expect(verifyBytes(key.publicKey, Buffer.from('something else'), signature)).toBe(false);
  });
});

describe('a key file', () => {
  it.each([
    ['the parameters of its curve before it', block('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'))],
    ['a note before it', 'the key of the release team\n'],
    ['its public key before it', createPublicKey(p256).export({ type: 'spki', format: 'pem' }).toString()],
  ])('may have %s', async (_, before) => {
    const key = await parseSigningKey(before + pkcs8(p256), undefined, 'my.key');
    expect(verify('sha256', data, createPublicKey(p256), key.sign(data))).toBe(true);
  });

  it('may be encrypted in the old way of OpenSSL, with headers', async () => {
    const text = p256.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: secret }).toString();
    expect(text).toContain('DEK-Info: AES-128-CBC');
    const key = await parseSigningKey(text, secret, 'my.key');
    expect(verify('sha256', data, createPublicKey(p256), key.sign(data))).toBe(true);
    expect((await refusal(text)).message).toMatch(/is encrypted, and no password was given/);
    expect((await refusal(text, 'wrong')).message).toMatch(/the password is wrong/);
  });

  it('of an old cosign is read as well', async () => {
    const text = sealed().replaceAll('ENCRYPTED SIGSTORE', 'ENCRYPTED COSIGN');
    const key = await parseSigningKey(text, secret, 'my.key');
    expect(verify('sha256', data, createPublicKey(p256), key.sign(data))).toBe(true);
  });

  it('under an empty password is read with an empty password, and not without one', async () => {
    const text = await formatSealedKey(p256, '');
    expect((await parseSigningKey(text, '', 'my.key')).publicKey.kind).toBe('P-256');
    expect((await refusal(text)).message).toMatch(/no password was given/);
  });
});

describe('refused, with what to do:', () => {
  const other = (type: 'ed448' | 'x25519') =>
    pkcs8((type === 'ed448' ? generateKeyPairSync('ed448') : generateKeyPairSync('x25519')).privateKey);
  it.each<readonly [string, () => string, RegExp]>([
    [
      'a public key',
      () => createPublicKey(p256).export({ type: 'spki', format: 'pem' }).toString(),
      /it is a public key/,
    ],
    ['a certificate', () => block('CERTIFICATE', Buffer.from('x')), /it is a certificate/],
    ['a key of OpenSSH', () => block('OPENSSH PRIVATE KEY', Buffer.from('x')), /format of OpenSSH/],
    ['nothing', () => '', /holds no private key in PEM/],
    ['a block without an end', () => pkcs8(p256).slice(0, -10), /holds no private key/],
    ['two keys', () => pkcs8(p256) + pkcs8(ec('P-256')), /several private keys/],
    ['a damaged key', () => block('PRIVATE KEY', Buffer.from('not DER')), /is damaged/],
    ['RSA of 1024 bits', () => pkcs8(rsa(1024)), /RSA key of 1024 bits/],
    ['another curve', () => pkcs8(ec('secp256k1')), /on the curve secp256k1/],
    ['Ed448', () => other('ed448'), /a key of the kind ed448/],
    ['a key that cannot sign', () => other('x25519'), /a key of the kind x25519/],
    [
      'RSA-PSS',
      () => pkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey),
      /a key of the kind rsa-pss/,
    ],
  ])('%s', async (_, write, why) => {
    const error = await refusal(write());
    expect([error.code, error.message]).toEqual(['configuration', expect.stringMatching(why)]);
    expect(error.cause).toBeUndefined();
  });

  it.each<readonly [string, (document: Record<string, unknown>) => unknown, RegExp]>([
    ['another key derivation', (it) => ({ ...it, kdf: { name: 'pbkdf2' } }), /not encrypted with scrypt/],
    ['another cipher', (it) => ({ ...it, cipher: { name: 'none', nonce: 'AA==' } }), /nacl\/secretbox/],
    ['no cipher', ({ kdf, ciphertext }) => ({ kdf, ciphertext }), /cipher is not an object/],
    ['a list', (it) => [it], /the encrypted key is not an object/],
    ['a short nonce', (it) => ({ ...it, cipher: { name: 'nacl/secretbox', nonce: 'AAAA' } }), /24 bytes/],
    ['no ciphertext', ({ kdf, cipher }) => ({ kdf, cipher }), /ciphertext is empty/],
    ['more memory than allowed', (it) => params(it, { N: 2 ** 21, r: 8, p: 1 }), /parameters are out of range/],
    ['N that is no power of two', (it) => params(it, { N: 15, r: 8, p: 1 }), /parameters are out of range/],
    ['N of 2^31', (it) => params(it, { N: 2 ** 31, r: 1, p: 1 }), /parameters are out of range/],
    ['p without end', (it) => params(it, { N: 16, r: 8, p: 1e9 }), /parameters are out of range/],
    ['parameters as text', (it) => params(it, { N: '16', r: 8, p: 1 }), /parameters are out of range/],
  ])('an encrypted file with %s', async (_, change, why) => {
    expect((await refusal(sealed(change), secret)).message).toMatch(why);
  });

  function params(document: Record<string, unknown>, changed: object) {
    return { ...document, kdf: { ...(document['kdf'] as object), params: changed } };
  }

  it('a wrong password, without showing it or what is left of the key', async () => {
    for (const text of [sealed(), encrypted(p256)]) {
      const error = await refusal(text, 'hunter2-is-wrong');
      expect(error.message).toMatch(/the password is wrong, or the file damaged/);
      expect(JSON.stringify([error, error.message, error.hints, error.cause ?? ''])).not.toMatch(/hunter2/);
    }
  });

  it('any change of an encrypted file, and nothing is ever thrown but an OperationalError', async () => {
    const text = sealed();
    const first = text.indexOf('\n') + 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.nat(127), async (at, code) => {
        fc.pre(at >= first && text.charCodeAt(at) !== code);
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const read = await parseSigningKey(changed, secret, 'my.key').catch((error: unknown) => error);
        if (read instanceof OperationalError) return;
        // A line break more or less, or a byte that base64 passes over, changes nothing.
        expect(verify('sha256', data, createPublicKey(p256), (read as { sign(data: Buffer): Buffer }).sign(data))).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('any text that is no key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'),
        fc.uint8Array({ maxLength: 200 }),
        async (label, bytes) => {
          expect((await refusal(block(label, Buffer.from(bytes)), secret)).code).toBe('configuration');
        },
      ),
      { numRuns: 200 },
    );
  });
});
