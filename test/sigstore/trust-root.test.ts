import { generateKeyPairSync } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parseTrustRoot, parseTrustRoots } from '../../src/sigstore/trust-root.ts';
import { describeData, readData } from '../kit/data.ts';

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const ed25519 = generateKeyPairSync('ed25519').publicKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const spki = (key = p256) => key.export({ format: 'der', type: 'spki' }).toString('base64');

const publicKey = (changes: object = {}) => ({
  rawBytes: spki(),
  keyDetails: 'PKIX_ECDSA_P256_SHA_256',
  validFor: { start: '2025-01-01T00:00:00Z' },
  ...changes,
});

const log = (changes: object = {}) => ({
  baseUrl: 'https://rekor.example',
  hashAlgorithm: 'SHA2_256',
  publicKey: publicKey(),
  logId: { keyId: Buffer.alloc(32, 1).toString('base64') },
  ...changes,
});

const root = (changes: object = {}) => ({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [log()],
  ...changes,
});

const parse = (value: object) => parseTrustRoot(JSON.stringify(value), 'test');
const range = (validFor: object) =>
  parse(root({ tlogs: [log({ publicKey: publicKey({ validFor }) })] })).tlogs[0]!.validFor;

describe('a trusted root', () => {
  it.each([
    'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    'application/vnd.dev.sigstore.trustedroot.v0.1+json',
    'application/vnd.dev.sigstore.trustedroot.v0.2+json',
  ])('is read as %s', (mediaType) => {
    const read = parse(root({ mediaType }));
    expect(read.tlogs[0]).toMatchObject({ baseUrl: 'https://rekor.example', key: { kind: 'P-256' } });
    expect(read.ctlogs).toEqual([]);
    expect(read.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is read with the fields of v0.2, with nulls and with numbers for names', () => {
    const read = parse(
      root({
        ctlogs: null,
        tlogs: [
          log({ hashAlgorithm: 1, operator: 'example', checkpointKeyId: { keyId: 'AAAA' } }),
          log({ publicKey: publicKey({ keyDetails: 5 }) }),
        ],
      }),
    );
    expect(read.tlogs).toHaveLength(2);
  });

  it('takes the checkpoint key id where there is no log id', () => {
    const { logId: _, ...rest } = log({ checkpointKeyId: { keyId: 'AAAAAA==' } });
    expect(parse(root({ tlogs: [rest] })).tlogs[0]!.logId).toEqual(Buffer.alloc(4));
  });

  it.each([
    ['PKIX_ED25519', spki(ed25519), 'ed25519'],
    ['PKIX_RSA_PKCS1V5', spki(rsa), 'rsa'],
    ['PKIX_RSA_PKCS1V15_2048_SHA256', spki(rsa), 'rsa'],
    ['PKCS1_RSA_PKCS1V5', rsa.export({ format: 'der', type: 'pkcs1' }).toString('base64'), 'rsa'],
  ])('is read with a key of kind %s', (keyDetails, rawBytes, kind) => {
    const read = parse(root({ tlogs: [log({ publicKey: publicKey({ keyDetails, rawBytes }) })] }));
    expect(read.tlogs[0]!.key.kind).toBe(kind);
  });

  it('keeps both ends of a validity, never wider than stated', () => {
    expect(range({ start: '2025-01-01T00:00:00Z' })).toEqual({ start: Date.UTC(2025, 0, 1) });
    expect(range({ start: '2025-01-01T00:00:00Z', end: null })).toEqual({ start: Date.UTC(2025, 0, 1) });
    expect(range({ start: '2025-01-01T01:00:00+01:00', end: '2025-01-01T00:00:00.5Z' })).toEqual({
      start: Date.UTC(2025, 0, 1),
      end: Date.UTC(2025, 0, 1, 0, 0, 0, 500),
    });
    expect(range({ start: '2025-01-01T00:00:00.000000001Z', end: '2025-01-01T00:00:01.999999Z' })).toEqual({
      start: Date.UTC(2025, 0, 1) + 1,
      end: Date.UTC(2025, 0, 1, 0, 0, 1, 999),
    });
  });

  const badKey = (changes: object) => ({ tlogs: [log({ publicKey: publicKey(changes) })] });
  it.each([
    ['a validity without start', badKey({ validFor: {} }), 'has no start'],
    ['a validity with nothing but an end', badKey({ validFor: { end: '2026-01-01T00:00:00Z' } }), 'has no start'],
    ['a start that is null', badKey({ validFor: { start: null } }), 'has no start'],
    ['no validity at all', badKey({ validFor: undefined }), 'has no validFor'],
    [
      'an end before the start',
      badKey({ validFor: { start: '2025-01-02T00:00:00Z', end: '2025-01-01T00:00:00Z' } }),
      'ends before it starts',
    ],
    ['a day that does not exist', badKey({ validFor: { start: '2025-02-30T00:00:00Z' } }), 'is not a time'],
    ['a date without time', badKey({ validFor: { start: '2025-02-03' } }), 'is not a time'],
    ['a key that is not what it says', badKey({ keyDetails: 'PKIX_ED25519' }), 'says PKIX_ED25519'],
    [
      'an RSA key of another size',
      badKey({ keyDetails: 'PKIX_RSA_PKCS1V15_4096_SHA256', rawBytes: spki(rsa) }),
      '2048 bits',
    ],
    ['a key of a kind that is not verified', badKey({ keyDetails: 'ML_DSA_65' }), 'key of kind "ML_DSA_65"'],
    ['RSA-PSS', badKey({ keyDetails: 'PKIX_RSA_PSS', rawBytes: spki(rsa) }), 'key of kind "PKIX_RSA_PSS"'],
    ['no kind of key', badKey({ keyDetails: undefined }), 'key of kind "none"'],
    ['a key that is none', badKey({ rawBytes: 'AAAA' }), ''],
    ['a tree by another hash', { tlogs: [log({ hashAlgorithm: 'SHA2_512' })] }, 'hashes by "SHA2_512"'],
    ['no log id', { tlogs: [log({ logId: undefined })] }, 'has no checkpointKeyId'],
    [
      'an authority without certificate',
      { certificateAuthorities: [{ certChain: { certificates: [] }, validFor: { start: '2025-01-01T00:00:00Z' } }] },
      'has no certificate',
    ],
    ['an unknown field', { witnesses: [] }, 'unknown field "witnesses"'],
    [
      'another media type',
      { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
      'no trusted root by its media type',
    ],
    ['logs that are no list', { tlogs: {} }, 'is not a list'],
  ])('is refused with %s', (_, changes, message) => {
    expect(() => parse(root(changes))).toThrow(message);
    expect(() => parse(root(changes))).toThrow(VerifyError);
  });

  it('is one or several, a line each', () => {
    const line = JSON.stringify(root());
    expect(parseTrustRoots(`${line}\n${line}\n`, 'both').map(({ name }) => name)).toEqual(['both', 'both#2']);
    expect(parseTrustRoots(JSON.stringify(root(), null, 2), 'one').map(({ name }) => name)).toEqual(['one']);
    expect(() => parseTrustRoots(`${line}\n{"mediaType":}`, 'broken')).toThrow(VerifyError);
    expect(() => parseTrustRoots(`${line}${line}`, 'glued')).toThrow('something follows the value');
    expect(() => parseTrustRoots('', 'empty')).toThrow(VerifyError);
  });

  it('throws nothing but VerifyError when a character is changed', () => {
    const text = JSON.stringify(root());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        try {
          parseTrustRoot(text.slice(0, at) + character + text.slice(at + 1), 'test');
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describeData('real trusted roots', (dir) => {
  const counts: Record<string, readonly number[][]> = {
    // tlogs, ctlogs, certificate authorities, timestamp authorities
    'public-good.json': [[2, 2, 2, 1]],
    'staging.json': [[5, 5, 2, 2]],
    'github.json': [[0, 0, 5, 5]],
    'cli-trusted_root.json': [[1, 2, 2, 0]],
    'scaffolding.json': [[1, 1, 1, 0]],
    'public-key-validity.json': [[0, 0, 0, 1]],
    'gh-trusted-root.jsonl': [
      [2, 2, 2, 1],
      [0, 0, 6, 6],
    ],
  };

  it.each(Object.entries(counts))('%s is read whole', (file, expected) => {
    const roots = parseTrustRoots(readData(`sigstore/trust/${file}`).toString('utf8'), file);
    const got = roots.map(({ tlogs, ctlogs, certificateAuthorities, timestampAuthorities }) =>
      [tlogs, ctlogs, certificateAuthorities, timestampAuthorities].map((list) => list.length),
    );
    expect(got).toEqual(expected);
  });

  it('knows the digest that TUF signed for the public-good root', () => {
    const { digest } = parseTrustRoot(readData('sigstore/trust/public-good.json').toString('utf8'), 'public-good');
    expect(digest).toBe('6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66');
  });

  it('all roots of cases are read', () => {
    const files = ['conformance', 'real'].flatMap((folder) =>
      readdirSync(path.join(dir, 'sigstore', folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('trusted_root.json'))
        .map((file) => `sigstore/${folder}/${file}`),
    );
    expect(files).toHaveLength(77);
    for (const file of files) expect(parseTrustRoots(readData(file).toString('utf8'), file)).toHaveLength(1);
  });
});
