import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { describeData, readData } from '../kit/data.ts';
import { realBundles } from './bundles.ts';

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
const media = (version: string) => `application/vnd.dev.sigstore.bundle+json;version=${version}`;

const proof = (changes: object = {}) => ({
  logIndex: '3',
  treeSize: '5',
  rootHash: base64(32),
  hashes: [base64(32)],
  checkpoint: { envelope: 'log\n5\n' },
  ...changes,
});

const entry = (changes: object = {}) => ({
  logIndex: '12',
  logId: { keyId: base64(32) },
  kindVersion: { kind: 'dsse', version: '0.0.1' },
  integratedTime: '1700000000',
  inclusionPromise: { signedEntryTimestamp: base64(70) },
  inclusionProof: proof(),
  canonicalizedBody: base64(10),
  ...changes,
});

const envelope = (changes: object = {}) => ({
  payload: base64(9),
  payloadType: 'application/vnd.in-toto+json',
  signatures: [{ sig: base64(70), keyid: '' }],
  ...changes,
});

const material = (changes: object = {}) => ({
  certificate: { rawBytes: base64(99) },
  tlogEntries: [entry()],
  timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: base64(50) }] },
  ...changes,
});

const bundle = (changes: object = {}) => ({
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: material(),
  dsseEnvelope: envelope(),
  ...changes,
});

const chain = { certificate: undefined, x509CertificateChain: { certificates: [{ rawBytes: base64(99) }] } };
const parse = (value: unknown) => parseBundle(JSON.stringify(value));
const withEntry = (changes: object) => ({ verificationMaterial: material({ tlogEntries: [entry(changes)] }) });

describe('a bundle', () => {
  it('is read whole', () => {
    expect(parse(bundle())).toEqual({
      format: 'bundle v0.3',
      content: {
        kind: 'dsse',
        payloadType: 'application/vnd.in-toto+json',
        payload: Buffer.alloc(9, 7),
        signature: Buffer.alloc(70, 7),
        keyId: '',
      },
      material: { kind: 'certificate', leaf: Buffer.alloc(99, 7), chain: [] },
      entries: [
        {
          logIndex: 12,
          logId: Buffer.alloc(32, 7),
          kind: { kind: 'dsse', version: '0.0.1' },
          integratedTime: 1700000000,
          promise: Buffer.alloc(70, 7),
          proof: {
            logIndex: 3,
            treeSize: 5,
            rootHash: Buffer.alloc(32, 7),
            hashes: [Buffer.alloc(32, 7)],
            checkpoint: 'log\n5\n',
          },
          body: Buffer.alloc(10, 7),
        },
      ],
      timestamps: [Buffer.alloc(50, 7)],
      requires: 'proof',
    });
  });

  it('needs a promise in v0.1 and a proof from v0.2 on', () => {
    const v01 = { mediaType: media('0.1'), verificationMaterial: material(chain) };
    const v02 = { mediaType: media('0.2'), verificationMaterial: material(chain) };
    expect(parse(bundle(v01))).toMatchObject({ format: 'bundle v0.1', requires: 'promise' });
    expect(parse(bundle(v02))).toMatchObject({ format: 'bundle v0.2', requires: 'proof' });
    expect(parse(bundle({ mediaType: media('0.3') }))).toMatchObject({ format: 'bundle v0.3', requires: 'proof' });
  });

  it('may leave out what is zero or empty, as writers of Protocol Buffers do', () => {
    const { logIndex: _, ...first } = entry({ inclusionPromise: null, integratedTime: null });
    const { logIndex: _proof, hashes: _hashes, ...alone } = proof({ treeSize: 1 });
    const read = parse(
      bundle({
        verificationMaterial: {
          publicKey: {},
          tlogEntries: [{ ...first, inclusionProof: alone }],
          timestampVerificationData: null,
        },
      }),
    );
    expect(read.material).toEqual({ kind: 'key' });
    expect(read.entries[0]).toMatchObject({ logIndex: 0, proof: { logIndex: 0, treeSize: 1, hashes: [] } });
    expect(read.entries[0]).not.toHaveProperty('integratedTime');
    expect(read.timestamps).toEqual([]);
  });

  it('may have no entries and no timestamps', () => {
    const read = parse(bundle({ verificationMaterial: { publicKey: { hint: 'h' } } }));
    expect(read).toMatchObject({ material: { kind: 'key', hint: 'h' }, entries: [], timestamps: [] });
  });

  it('may be written in snake_case', () => {
    const snake = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(snake);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [
          name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          snake(each),
        ]),
      );
    };
    expect(parse(snake(bundle()))).toEqual(parse(bundle()));
  });

  it('may be over a message, with or without its digest', () => {
    const message = { dsseEnvelope: undefined, messageSignature: { signature: base64(70) } };
    expect(parse(bundle(message)).content).toEqual({ kind: 'message', signature: Buffer.alloc(70, 7) });
    const digest = { algorithm: 'SHA2_384', digest: base64(48) };
    const hinted = parse(bundle({ ...message, messageSignature: { signature: base64(70), messageDigest: digest } }));
    expect(hinted.content).toMatchObject({ digest: { algorithm: 'sha384', value: Buffer.alloc(48, 7) } });
  });

  const message = (messageSignature: object) => ({ dsseEnvelope: undefined, messageSignature });
  const twins = [entry(), entry()];
  it.each([
    ['no object', null, 'bundle is not an object'],
    ['a list', [], 'bundle is not an object'],
    ['no media type', bundle({ mediaType: undefined }), 'bundle has no mediaType'],
    ['a later version', bundle({ mediaType: media('0.4') }), 'a version that is not known here'],
    ['another media type', bundle({ mediaType: 'application/json' }), 'no bundle by its media type'],
    ['an unknown field', bundle({ later: 1 }), 'bundle has an unknown field "later"'],
    [
      'an unknown field far down',
      bundle(withEntry({ inclusionProof: proof({ x: 1 }) })),
      'inclusionProof has an unknown field "x"',
    ],
    ['two spellings of a field', bundle({ media_type: media('0.1') }), 'field "mediaType" in two spellings'],
    [
      'both contents',
      bundle({ messageSignature: { signature: base64(3) } }),
      'more than one of messageSignature, dsseEnvelope',
    ],
    ['no content', bundle({ dsseEnvelope: undefined }), 'none of messageSignature, dsseEnvelope'],
    ['no signer', bundle({ verificationMaterial: material({ certificate: undefined }) }), 'none of publicKey'],
    ['two signers', bundle({ verificationMaterial: material({ publicKey: {} }) }), 'more than one of publicKey'],
    ['a chain in v0.3', bundle({ verificationMaterial: material(chain) }), 'a lone certificate, not a chain'],
    ['a lone certificate in v0.2', bundle({ mediaType: media('0.2') }), 'a certificate chain, not a lone certificate'],
    [
      'an empty chain',
      bundle({
        mediaType: media('0.2'),
        verificationMaterial: material({ certificate: undefined, x509CertificateChain: {} }),
      }),
      'an empty certificate chain',
    ],
    [
      'no promise in v0.1',
      bundle({
        mediaType: media('0.1'),
        verificationMaterial: material({ ...chain, tlogEntries: [entry({ inclusionPromise: null })] }),
      }),
      'no inclusion promise',
    ],
    [
      'no proof in v0.2',
      bundle({
        mediaType: media('0.2'),
        verificationMaterial: material({ ...chain, tlogEntries: [entry({ inclusionProof: null })] }),
      }),
      'no inclusion proof',
    ],
    [
      'a proof without checkpoint',
      bundle(withEntry({ inclusionProof: proof({ checkpoint: undefined }) })),
      'has no checkpoint',
    ],
    [
      'a root hash of 31 bytes',
      bundle(withEntry({ inclusionProof: proof({ rootHash: base64(31) }) })),
      'rootHash is not 32 bytes',
    ],
    [
      'a node of 31 bytes',
      bundle(withEntry({ inclusionProof: proof({ hashes: [base64(31)] }) })),
      'hashes[0] is not 32 bytes',
    ],
    ['65 nodes', bundle(withEntry({ inclusionProof: proof({ hashes: Array(65).fill(base64(32)) }) })), 'more than 64'],
    ['a negative index', bundle(withEntry({ logIndex: '-1' })), 'not a whole number'],
    ['an index with a leading zero', bundle(withEntry({ logIndex: '01' })), 'not a whole number'],
    ['an index that is broken', bundle(withEntry({ logIndex: 1.5 })), 'not a whole number'],
    ['an index beyond 2^53', bundle(withEntry({ logIndex: '9007199254740992' })), 'not a whole number'],
    ['an entry without body', bundle(withEntry({ canonicalizedBody: undefined })), 'has no canonicalizedBody'],
    ['an entry without kind', bundle(withEntry({ kindVersion: undefined })), 'has no kindVersion'],
    ['an entry without log', bundle(withEntry({ logId: undefined })), 'has no logId'],
    ['one entry twice', bundle({ verificationMaterial: material({ tlogEntries: twins }) }), 'a log entry stands twice'],
    [
      'one timestamp twice',
      bundle({
        verificationMaterial: material({
          timestampVerificationData: { rfc3161Timestamps: Array(2).fill({ signedTimestamp: base64(5) }) },
        }),
      }),
      'a timestamp stands twice',
    ],
    [
      'too many entries',
      bundle({ verificationMaterial: material({ tlogEntries: Array(33).fill(entry()) }) }),
      'more than 32',
    ],
    ['no signature in the envelope', bundle({ dsseEnvelope: envelope({ signatures: [] }) }), '0 signatures'],
    [
      'two signatures in the envelope',
      bundle({ dsseEnvelope: envelope({ signatures: Array(2).fill({ sig: base64(3) }) }) }),
      '2 signatures',
    ],
    ['base64 with a space', bundle({ dsseEnvelope: envelope({ payload: 'AAAA AAAA' }) }), 'payload is not base64'],
    ['base64 without padding', bundle({ dsseEnvelope: envelope({ payload: 'AAA' }) }), 'payload is not base64'],
    ['base64 with unused bits', bundle({ dsseEnvelope: envelope({ payload: 'AAB=' }) }), 'payload is not base64'],
    ['base64 of the URL alphabet', bundle({ dsseEnvelope: envelope({ payload: '__-_' }) }), 'payload is not base64'],
    ['an empty signature', bundle(message({ signature: '' })), 'signature is empty'],
    [
      'a digest of a wrong length',
      bundle(message({ signature: base64(3), messageDigest: { algorithm: 'SHA2_256', digest: base64(31) } })),
      'not as long as sha256',
    ],
    [
      'a digest by another hash',
      bundle(message({ signature: base64(3), messageDigest: { algorithm: 'SHA3_256', digest: base64(32) } })),
      'by "SHA3_256"',
    ],
    [
      'a digest by no hash',
      bundle(message({ signature: base64(3), messageDigest: { digest: base64(32) } })),
      'by "none"',
    ],
    [
      'a certificate that is no string',
      bundle({ verificationMaterial: material({ certificate: { rawBytes: 1 } }) }),
      'rawBytes is not a string',
    ],
    [
      'a certificate beyond 64 KiB',
      bundle({ verificationMaterial: material({ certificate: { rawBytes: base64(70_000) } }) }),
      'larger than 65536 bytes',
    ],
  ])('is refused with %s', (_, value, message) => {
    expect(() => parse(value)).toThrow(message);
    expect(() => parse(value)).toThrow(VerifyError);
  });

  it('throws nothing but VerifyError, whatever stands in a field', () => {
    const text = JSON.stringify(bundle());
    const values = ['null', '{}', '[]', '""', '0', 'true', '-1', '1e400', '"\\ud800"', '[null]', '{"a":1}'];
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...values), (at, value) => {
        // From there on, the next value is another one.
        const changed = text.slice(0, at) + text.slice(at).replace(/"[^"]*"(?!:)/, () => value);
        try {
          parseBundle(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describeData('real bundles', () => {
  it('are read, those that keep to the format', () => {
    // Of 89, 42 ask another question of a bundle that is here already, and four break the format.
    expect(realBundles()).toHaveLength(43);
  });

  it('are refused when any member stands twice', () => {
    const text = readData('sigstore/conformance/happy-path-v0.1/bundle.sigstore.json').toString('utf8');
    const value = JSON.parse(text) as Record<string, unknown>;
    for (const [name, member] of Object.entries(value)) {
      const twice = `{${JSON.stringify(name)}:${JSON.stringify(member)},${JSON.stringify(value).slice(1)}`;
      expect(() => parseBundle(twice)).toThrow('stands twice');
    }
  });
});
