import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEcdsaSignature } from '../../src/sigstore/ecdsa-signature.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parsePublicKey, publicKeyFromSpki, verifyBytes, verifyDigest } from '../../src/sigstore/keys.ts';
import type { HashName, KeyKind } from '../../src/sigstore/types.ts';
import { type Keys, makeCertificate, makeKeys, spkiOf } from '../kit/certificate.ts';
import { bits, integer, nothing, oid, sequence } from '../kit/der.ts';

const kinds = ['P-256', 'P-384', 'P-521', 'rsa', 'ed25519'] as const satisfies readonly KeyKind[];
const hashes = ['sha256', 'sha384', 'sha512'] as const satisfies readonly HashName[];
const pairs: ReadonlyMap<KeyKind, Keys> = new Map(kinds.map((kind) => [kind, makeKeys(kind)]));
const data = Buffer.from('what was signed');

function pem(key: KeyObject, type: 'spki' | 'pkcs1' = 'spki'): string {
  return key.export({ format: 'pem', type }).toString();
}

function fault(call: () => unknown): { readonly code: string; readonly message: string } {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(VerifyError);
    const { code, message } = error as VerifyError;
    return { code, message };
  }
  throw new Error('nothing was refused');
}

describe('a public key', () => {
  test.each(kinds)('of kind %s is the same from PEM and DER, with its fingerprint', (kind) => {
    const keys = pairs.get(kind)!;
    const spki = spkiOf(keys);
    for (const form of [
      pem(keys.publicKey),
      Buffer.from(pem(keys.publicKey)),
      `\r\n${pem(keys.publicKey).replaceAll('\n', '\r\n')}`,
      spki,
    ]) {
      const key = parsePublicKey(form);
      expect(key.kind).toBe(kind);
      expect(key.spki).toEqual(spki);
      expect(key.fingerprint).toBe(createHash('sha256').update(spki).digest('hex'));
      expect(key.object.equals(keys.publicKey)).toBe(true);
    }
  });

  test('in the PKCS#1 form is the same key', () => {
    const { publicKey } = pairs.get('rsa')!;
    const want = parsePublicKey(pem(publicKey));
    const der = publicKey.export({ format: 'der', type: 'pkcs1' });
    expect(parsePublicKey(pem(publicKey, 'pkcs1')).spki).toEqual(want.spki);
    expect(parsePublicKey(der).spki).toEqual(want.spki);
  });

  test('as a certificate or a private key is refused with what to do', () => {
    const { der } = makeCertificate();
    const certificate = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(fault(() => parsePublicKey(certificate))).toEqual({
      code: 'unsupported',
      message:
        'this is a certificate, not a public key: pin the identity in it, or take the key out with "openssl x509 -in FILE -noout -pubkey"',
    });
    const secret = pairs.get('P-256')!.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(fault(() => parsePublicKey(secret)).message).toBe(
      'this is a private key: give the public one, "openssl pkey -in FILE -pubout" writes it',
    );
  });

  test.each([
    ['nothing', '', 'malformed', 'PEM: there is no block'],
    ['text before it', `hello\n${pem(makeKeys().publicKey)}`, 'malformed', 'PEM: there is text outside of a block'],
    [
      'two at once',
      pem(makeKeys().publicKey) + pem(makeKeys().publicKey),
      'malformed',
      'there is more than one key: give one key per file',
    ],
    ['no end', '-----BEGIN PUBLIC KEY-----\nMFkw\n', 'malformed', 'PEM: the block "PUBLIC KEY" does not end'],
    [
      'base64 with other characters',
      '-----BEGIN PUBLIC KEY-----\nMF*w\n-----END PUBLIC KEY-----',
      'malformed',
      'PEM: the content is not canonical base64',
    ],
    [
      'base64 with bits left over',
      '-----BEGIN PUBLIC KEY-----\nMFl=\n-----END PUBLIC KEY-----',
      'malformed',
      'PEM: the content is not canonical base64',
    ],
    [
      'another label',
      '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----',
      'unsupported',
      'a PEM block "X509 CRL" is not a public key',
    ],
    ['too much text', ' '.repeat(2 ** 20 + 1), 'malformed', 'PEM: longer than 1048576 characters'],
  ])('with %s is refused', (_, text, code, message) => {
    expect(fault(() => parsePublicKey(text))).toEqual({ code, message });
  });

  test('of a weak or an enormous RSA modulus is refused', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    expect(fault(() => parsePublicKey(pem(small)))).toEqual({
      code: 'unsupported',
      message: 'an RSA key of 1024 bits is too weak: 2048 is the least',
    });
    expect(fault(() => publicKeyFromSpki(rsa(2n ** 2047n - 1n, 65537n))).message).toContain('of 2047 bits is too weak');
    expect(fault(() => publicKeyFromSpki(rsa(2n ** 8193n - 1n, 65537n))).message).toContain('of 8193 bits');
    expect(publicKeyFromSpki(rsa(2n ** 2048n - 1n, 3n)).kind).toBe('rsa');
  });

  test.each([1n, 4n, 65536n, 2n ** 32n + 1n])('with the RSA exponent %s is refused', (exponent) => {
    expect(fault(() => publicKeyFromSpki(rsa(2n ** 2048n - 1n, exponent))).code).toBe('unsupported');
  });

  test('has one spelling: no compressed point, no missing or filled NULL, no bytes behind', () => {
    const point = spkiOf(pairs.get('P-256')!).subarray(-65);
    const ec = (curve: Buffer, key: Buffer): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), curve), bits(key));
    const p256 = oid('1.2.840.10045.3.1.7');
    expect(publicKeyFromSpki(ec(p256, point)).kind).toBe('P-256');
    const compressed = Buffer.concat([Buffer.from([2 + (point[64]! & 1)]), point.subarray(1, 33)]);
    expect(fault(() => publicKeyFromSpki(ec(p256, compressed))).message).toBe(
      'a compressed curve point is not supported',
    );
    expect(fault(() => publicKeyFromSpki(ec(p256, point.subarray(0, 64)))).message).toBe(
      'the P-256 point has a wrong form',
    );
    const modulus = sequence(integer(2n ** 2048n - 1n), integer(65537));
    expect(fault(() => publicKeyFromSpki(sequence(sequence(oid('1.2.840.113549.1.1.1')), bits(modulus)))).code).toBe(
      'malformed',
    );
    expect(fault(() => publicKeyFromSpki(Buffer.concat([ec(p256, point), Buffer.from([0])]))).message).toBe(
      'DER: bytes after the end of the element',
    );
    expect(
      fault(() => publicKeyFromSpki(sequence(sequence(oid('1.2.840.10045.2.1'), p256, nothing), bits(point)))).code,
    ).toBe('malformed');
  });

  test('not on its curve, on another curve or of another algorithm is refused', () => {
    const point = Buffer.alloc(65, 1);
    point[0] = 4;
    const ec = (curve: Buffer): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), curve), bits(point));
    expect(fault(() => publicKeyFromSpki(ec(oid('1.2.840.10045.3.1.7'))))).toEqual({
      code: 'malformed',
      message: 'the P-256 public key is not valid',
    });
    expect(fault(() => publicKeyFromSpki(ec(oid('1.3.132.0.10')))).code).toBe('unsupported');
    expect(fault(() => publicKeyFromSpki(ec(sequence(integer(1))))).message).toContain('given by parameters');
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' });
    expect(fault(() => publicKeyFromSpki(x25519)).code).toBe('unsupported');
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({
      format: 'der',
      type: 'spki',
    });
    expect(fault(() => publicKeyFromSpki(pss)).code).toBe('unsupported');
  });

  test('any bytes and any changed key are read or refused', () => {
    const good = [...pairs.values()].map(spkiOf);
    const changed = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([key, at, bit]) => {
        const copy = Buffer.from(key);
        copy[at % copy.length]! ^= bit;
        return copy;
      });
    const anything = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.oneof(
          changed,
          anything,
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            parsePublicKey(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(VerifyError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('an SSH key', () => {
  const string = (content: Buffer | string): Buffer => {
    const bytes = Buffer.from(content as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const line = (type: string, ...parts: readonly Buffer[]): string =>
    `${type} ${Buffer.concat([string(type), ...parts.map(string)]).toString('base64')} me@acme.example\n`;
  const point = (kind: KeyKind, length: number): Buffer => spkiOf(pairs.get(kind)!).subarray(-length);
  const rsaKey = pairs.get('rsa')!.publicKey.export({ format: 'jwk' });
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.from(rsaKey.n!, 'base64url')]);

  test.each<[KeyKind, string]>([
    ['ed25519', line('ssh-ed25519', point('ed25519', 32))],
    ['P-256', line('ecdsa-sha2-nistp256', Buffer.from('nistp256'), point('P-256', 65))],
    ['P-384', line('ecdsa-sha2-nistp384', Buffer.from('nistp384'), point('P-384', 97))],
    ['P-521', line('ecdsa-sha2-nistp521', Buffer.from('nistp521'), point('P-521', 133))],
    ['rsa', line('ssh-rsa', Buffer.from(rsaKey.e!, 'base64url'), modulus)],
  ])('of kind %s is the same key as in PEM', (kind, text) => {
    expect(parsePublicKey(text).spki).toEqual(spkiOf(pairs.get(kind)!));
    expect(parsePublicKey(Buffer.from(text)).kind).toBe(kind);
  });

  test.each([
    [
      'of a hardware token',
      line('sk-ssh-ed25519@openssh.com', point('ed25519', 32), Buffer.from('ssh:')),
      'unsupported',
    ],
    ['of DSA', line('ssh-dss', Buffer.from([1]), Buffer.from([2])), 'unsupported'],
    ['cut off', line('ssh-ed25519', point('ed25519', 32)).replace(/.{8} me/, ' me'), 'malformed'],
    ['that is short', line('ssh-ed25519', point('ed25519', 31)), 'malformed'],
    ['with parts left over', line('ssh-ed25519', point('ed25519', 32), Buffer.from('x')), 'malformed'],
    ['of two types', line('ssh-ed25519', point('ed25519', 32)).replace('ssh-ed25519', 'ssh-rsa'), 'malformed'],
    [
      'on another curve than it says',
      line('ecdsa-sha2-nistp256', Buffer.from('nistp384'), point('P-384', 97)),
      'malformed',
    ],
    ['off its curve', line('ecdsa-sha2-nistp256', Buffer.from('nistp256'), Buffer.alloc(65, 4)), 'malformed'],
    ['without a key', 'ssh-ed25519', 'malformed'],
    ['beside another', line('ssh-ed25519', point('ed25519', 32)).repeat(2), 'malformed'],
  ])('%s is refused', (_, text, code) => {
    expect(fault(() => parsePublicKey(text)).code).toBe(code);
  });
});

describe('a signature over data', () => {
  test.each([
    ['P-256', 'sha256'],
    ['P-384', 'sha384'],
    ['P-521', 'sha512'],
    ['rsa', 'sha256'],
    ['ed25519', null],
  ] as const)('by %s holds with its usual hash, and for nothing else', (kind, hash) => {
    const keys = pairs.get(kind)!;
    const key = parsePublicKey(spkiOf(keys));
    const signature = sign(hash, data, keys.privateKey);
    expect(verifyBytes(key, data, signature)).toBe(true);
    expect(verifyBytes(key, Buffer.from('something else'), signature)).toBe(false);
    expect(verifyBytes(parsePublicKey(spkiOf(makeKeys(kind))), data, signature)).toBe(false);
    for (const wrong of [Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, Buffer.from([0])])]) {
      expect(verifyBytes(key, data, wrong)).toBe(false);
    }
    for (const other of kinds.filter((each) => each !== kind)) {
      expect(verifyBytes(parsePublicKey(spkiOf(pairs.get(other)!)), data, signature), other).toBe(false);
    }
  });

  test('holds with another hash only when that is asked for', () => {
    const keys = pairs.get('P-384')!;
    const key = parsePublicKey(spkiOf(keys));
    const signature = sign('sha256', data, keys.privateKey);
    expect(verifyBytes(key, data, signature)).toBe(false);
    expect(verifyBytes(key, data, signature, 'sha256')).toBe(true);
  });

  test('by a curve has one encoding', () => {
    const keys = pairs.get('P-256')!;
    const key = parsePublicKey(spkiOf(keys));
    const signature = sign('sha256', data, keys.privateKey);
    const fixed = readEcdsaSignature(signature, 'P-256')!;
    const [r, s] = [fixed.subarray(0, 32), fixed.subarray(32)];
    const encode = (...numbers: Buffer[]): Buffer => sequence(...numbers);
    expect(verifyBytes(key, data, encode(integer(r), integer(s)))).toBe(true);
    const raw = (content: Buffer): Buffer => Buffer.concat([Buffer.from([2, content.length]), content]);
    const zero = Buffer.from([0]);
    const refused: readonly (readonly [string, Buffer])[] = [
      ['padded', encode(raw(Buffer.concat([zero, zero, r])), integer(s))],
      ['negative', encode(raw(Buffer.concat([Buffer.from([0x80]), r.subarray(1)])), integer(s))],
      ['zero', encode(integer(0), integer(s))],
      ['too long', encode(integer(Buffer.concat([Buffer.from([1]), r])), integer(s))],
      ['alone', encode(integer(r))],
      ['three', encode(integer(r), integer(s), integer(1))],
      ['plain', fixed],
      ['long length', Buffer.concat([Buffer.from([0x30, 0x81, signature.length - 2]), signature.subarray(2)])],
    ];
    for (const [name, bytes] of refused) {
      expect(readEcdsaSignature(bytes, 'P-256'), name).toBeUndefined();
      expect(verifyBytes(key, data, bytes), name).toBe(false);
    }
  });

  test('by a curve holds with the high s as with the low one', () => {
    const keys = pairs.get('P-256')!;
    const key = parsePublicKey(spkiOf(keys));
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const fixed = readEcdsaSignature(sign('sha256', data, keys.privateKey), 'P-256')!;
    const s = BigInt(`0x${fixed.subarray(32).toString('hex')}`);
    const value = createHash('sha256').update(data).digest();
    for (const each of [s, order - s]) {
      const signature = sequence(integer(fixed.subarray(0, 32)), integer(each));
      expect(verifyBytes(key, data, signature)).toBe(true);
      expect(verifyDigest(key, { algorithm: 'sha256', value }, signature)).toBe(true);
    }
  });
});

describe('a signature over a digest alone', () => {
  test('by numbers that are not below the order of the curve never holds', () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const key = parsePublicKey(spkiOf(pairs.get('P-256')!));
    const digest = { algorithm: 'sha256', value: createHash('sha256').update(data).digest() } as const;
    for (const [r, s] of [
      [order, 1n],
      [1n, order],
      [order + 1n, order + 1n],
      [order - 1n, 1n],
      [1n, 1n],
    ] as const) {
      const signature = sequence(integer(r), integer(s));
      expect(verifyDigest(key, digest, signature)).toBe(false);
      expect(verifyBytes(key, data, signature)).toBe(false);
    }
  });

  const signing = ['P-256', 'P-384', 'P-521', 'rsa'] as const;

  test('says what node:crypto says over the data, for each key and hash, right or wrong', () => {
    const change = fc.constantFrom('nothing', 'data', 'signature', 'key', 'length');
    const message = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const others = new Map(signing.map((kind) => [kind, makeKeys(kind)]));
    fc.assert(
      fc.property(
        fc.constantFrom(...signing),
        fc.constantFrom(...hashes),
        message,
        change,
        fc.nat(),
        (kind, hash, bytes, how, at) => {
          const keys = pairs.get(kind)!;
          const signature = sign(hash, bytes, keys.privateKey);
          if (how === 'signature') signature[at % signature.length]! ^= 1 << (at % 8);
          const used = how === 'length' ? signature.subarray(0, -1) : signature;
          const seen = how === 'data' ? Buffer.concat([bytes, Buffer.from('!')]) : bytes;
          const key = parsePublicKey(spkiOf(how === 'key' ? others.get(kind)! : keys));
          const value = createHash(hash).update(seen).digest();
          const byDigest = verifyDigest(key, { algorithm: hash, value }, used);
          expect(byDigest).toBe(verifyBytes(key, seen, used, hash));
          expect(byDigest).toBe(how === 'nothing');
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(signing.flatMap((kind) => hashes.map((hash) => [kind, hash] as const)))(
    'by %s over %s holds',
    (kind, hash) => {
      const keys = pairs.get(kind)!;
      const value = createHash(hash).update(data).digest();
      const signature = sign(hash, data, keys.privateKey);
      const key = parsePublicKey(spkiOf(keys));
      expect(verifyDigest(key, { algorithm: hash, value }, signature)).toBe(true);
      value[0]! ^= 1;
      expect(verifyDigest(key, { algorithm: hash, value }, signature)).toBe(false);
    },
  );

  test('of RSA does not hold for another hash of the same length or a signature that is too large', () => {
    const keys = pairs.get('rsa')!;
    const key = parsePublicKey(spkiOf(keys));
    const value = createHash('sha512').update(data).digest();
    const other = sign('sha512-256', data, keys.privateKey);
    const short = createHash('sha512-256').update(data).digest();
    expect(verifyDigest(key, { algorithm: 'sha256', value: short }, other)).toBe(false);
    expect(verifyDigest(key, { algorithm: 'sha512', value }, Buffer.alloc(256, 0xff))).toBe(false);
  });

  test('of Ed25519 cannot be proved', () => {
    const keys = pairs.get('ed25519')!;
    const digest = { algorithm: 'sha256', value: createHash('sha256').update(data).digest() } as const;
    const key = parsePublicKey(spkiOf(keys));
    expect(fault(() => verifyDigest(key, digest, sign(null, data, keys.privateKey)))).toEqual({
      code: 'unproved',
      message: 'an Ed25519 signature cannot be verified by digest: give the file itself',
    });
  });

  test('needs a digest of the right length', () => {
    const key = parsePublicKey(spkiOf(pairs.get('P-256')!));
    const digest = { algorithm: 'sha256', value: Buffer.alloc(31) } as const;
    expect(fault(() => verifyDigest(key, digest, Buffer.alloc(70))).code).toBe('malformed');
  });
});

function rsa(modulus: bigint, exponent: bigint): Buffer {
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing), bits(sequence(integer(modulus), integer(exponent))));
}
