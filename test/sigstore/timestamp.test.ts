import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyTimestamp } from '../../src/sigstore/timestamp.ts';
import type { Authority } from '../../src/sigstore/types.ts';
import {
  type CertificateShape,
  codeSigning,
  makeAuthority,
  makeCertificate,
  makeKeys,
  noon,
  timeStamping,
  year,
} from '../kit/certificate.ts';
import { describeData } from '../kit/data.ts';
import { bool, element, explicitly, integer, nothing, octets, oid, sequence } from '../kit/der.ts';
import { realBundle, realBundles } from './bundles.ts';
import { expectRefusal, refusalOf } from './refusal.ts';
import { attribute, makeTimestamp, signingCertificateV2, type TimestampShape } from './tsa.ts';

const signed = Buffer.from('the signature');
const made = makeAuthority({ purpose: timeStamping });
const usage = { extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: true };
const signer = signerMade();
const listed: Authority = { ...made.authority, chain: [signer.certificate, ...made.authority.chain] };
const intermediateDer = made.intermediate.der;

describe('a timestamp', () => {
  it('proves the time at which its authority says that it saw the signature', () => {
    expect(verify({})).toEqual({ at: noon, source: 'timestamp-authority', by: 'https://ca.example' });
  });

  it.each<readonly [string, Partial<TimestampShape>]>([
    ['as a token without a response', { bare: true }],
    ['granted with modifications', { status: 1 }],
    ['by SHA-384', { hash: 'sha384' }],
    ['by SHA-512', { hash: 'sha512' }],
    ['with its certificate and chain', { certificates: [signer.der, intermediateDer] }],
    ['without the field of certificates', { noCertificates: true }],
    ['with a certificate that cannot be read', { certificates: [signer.der, sequence(integer(1))] }],
    ['by key id', { keyId: signer.certificate.subjectKeyId! }],
    ['without a signing certificate attribute', { signingCertificate: null }],
    ['with unsigned attributes', { unsigned: true }],
    ['with accuracy, ordering, nonce', { optional: [sequence(integer(1)), bool(true), integer(5)] }],
    ['with the name of its authority', { optional: [explicitly(0, sequence(oid('1.2.3')))] }],
    ['with an extension that is not critical', { optional: [explicitly(1, extension(false))] }],
  ])('may come %s', (_, shape) => {
    expect(verify(shape).at).toBe(noon);
  });

  it('may name its certificate by SHA-1 or by another hash', () => {
    const first = attribute('1.2.840.113549.1.9.16.2.12', sequence(sequence(sequence(octets(hashOf('sha1'))))));
    expect(verify({ signingCertificate: first }).at).toBe(noon);
    const algorithm = sequence(oid('2.16.840.1.101.3.4.2.3'));
    const certificateId = sequence(algorithm, octets(hashOf('sha512')), sequence(sequence(), integer(1)));
    const second = attribute('1.2.840.113549.1.9.16.2.47', sequence(sequence(certificateId), sequence()));
    expect(verify({ signingCertificate: second }).at).toBe(noon);
  });

  it.each(['rsa', 'P-384', 'P-521', 'ed25519'] as const)('may be signed with a key of kind %s', (kind) => {
    const other = signerMade({ keys: makeKeys(kind) });
    const authority = { ...made.authority, chain: [other.certificate, ...made.authority.chain] };
    expect(verify({ signer: other }, [authority]).at).toBe(noon);
  });

  it('may name RSA without its hash', () => {
    const other = signerMade({ keys: makeKeys('rsa') });
    const signatureAlgorithm = sequence(oid('1.2.840.113549.1.1.1'), nothing);
    const shape = { signer: other, certificates: [other.der], signatureAlgorithm };
    expect(verify(shape, [made.authority]).at).toBe(noon);
  });

  it('keeps fractions of a second', () => {
    expect(verify({ genTime: '20250601120000.5Z' }).at).toBe(noon + 500);
    expect(verify({ genTime: '20250601120000.123456Z' }).at).toBe(noon + 123);
  });

  it('may be by an authority of which only the chain is listed, when it brings its certificate', () => {
    expect(verify({ certificates: [signer.der] }, [made.authority]).at).toBe(noon);
    const rootOnly = { ...made.authority, chain: [made.root.certificate] };
    expect(verify({ certificates: [signer.der, intermediateDer] }, [rootOnly]).at).toBe(noon);
    expectRefusal(() => verify({}, [made.authority]), 'untrusted', /not known/);
    expectRefusal(() => verify({ certificates: [signer.der] }, [rootOnly]), 'untrusted', /issuer/);
  });

  it('is untrusted when its authority is not listed, however sound it is', () => {
    const other = makeAuthority({ purpose: timeStamping });
    expectRefusal(() => verify({ certificates: [signer.der, intermediateDer] }, []), 'untrusted', /not know/);
    expectRefusal(() => verify({ certificates: [signer.der] }, [other.authority]), 'untrusted', /not know/);
    // Also when it would be refused for more than that.
    const sha1 = { certificates: [signer.der], hashOid: '1.3.14.3.2.26', digest: Buffer.alloc(20) };
    expectRefusal(() => verify(sha1, [other.authority]), 'untrusted', /not know/);
  });

  it('finds its authority among several', () => {
    const other = makeAuthority({ purpose: timeStamping });
    const unnamed = { ...other.authority, uri: 'https://other.example' };
    expect(verify({}, [unnamed, listed]).by).toBe('https://ca.example');
  });

  it.each([
    ['at the start', { start: noon }, true],
    ['at the end', { start: noon - 1, end: noon }, true],
    ['before the start', { start: noon + 1 }, false],
    ['after the end', { start: noon - 2, end: noon - 1 }, false],
  ])('%s of the time of its authority', (_, validFor, good) => {
    const authority = { ...listed, validFor };
    if (good) expect(verify({}, [authority]).at).toBe(noon);
    else expectRefusal(() => verify({}, [authority]), 'invalid', /trusted from/);
  });

  it('is invalid outside the time of its certificate', () => {
    expectRefusal(() => verify({ genTime: '20280101000000Z' }), 'invalid', /valid from/);
    expectRefusal(() => verify({ genTime: '20200101000000Z' }), 'invalid', /from/);
    const end = new Date(noon + year).toISOString().replace(/[-:T]|\..*$/g, '');
    expect(verify({ genTime: `${end}Z` }).at).toBe(noon + year);
    expectRefusal(() => verify({ genTime: `${end}.001Z` }), 'invalid', /valid from/);
  });

  it.each<readonly [string, CertificateShape]>([
    ['for code signing', { extendedKeyUsage: [codeSigning], extendedKeyUsageCritical: true }],
    ['for anything', { extendedKeyUsage: ['2.5.29.37.0'], extendedKeyUsageCritical: true }],
    ['for time-stamping and more', { extendedKeyUsage: [timeStamping, codeSigning], extendedKeyUsageCritical: true }],
    ['for time-stamping, not critically', { extendedKeyUsage: [timeStamping] }],
    ['for signing certificates', { ...usage, ca: true }],
  ])('is invalid by a certificate %s', (_, shape) => {
    const other = makeCertificate({ subject: 'tsa', issuer: made.intermediate, ...shape });
    expectRefusal(() => verify({ signer: other, certificates: [other.der] }), 'invalid', /certificate/);
  });

  it.each<readonly [string, Partial<TimestampShape>, RegExp]>([
    ['about another signature', { digest: Buffer.alloc(32) }, /another signature/],
    ['with an empty digest', { digest: Buffer.alloc(0) }, /another signature/],
    ['that the authority refused', { status: 2 }, /refused/],
    ['whose signature is another', { signature: Buffer.from('x') }, /does not hold/],
    ['whose signature is empty', { signature: Buffer.alloc(0) }, /does not hold/],
    ['with the algorithm of another key', { signatureAlgorithm: sequence(oid('1.3.101.112')) }, /does not hold/],
    ['with another hash than was signed', { signatureAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) }, /not hold/],
    ['about other content', { attributes: ([type, _, id]) => [type!, digestOf('x'), id!] }, /other content/],
    ['about content of another type', { attributes: ([_, ...rest]) => [typeOf('1.2.3'), ...rest] }, /another type/],
  ])('is invalid %s', (_, shape, message) => {
    expectRefusal(() => verify(shape), 'invalid', message);
  });

  it('is invalid when another authority signed it in the name of a listed one', () => {
    const other = signerMade();
    const forged = { ...other, certificate: signer.certificate };
    expectRefusal(
      () => verify({ signer: forged, signingCertificate: signingCertificateV2(signer.der) }),
      'invalid',
      /not hold/,
    );
    expectRefusal(() => verify({ signer: forged, signingCertificate: null }), 'invalid', /not hold/);
  });

  it('takes no other certificate than the one that is named by hash, though number and key be the same', () => {
    const twin = makeCertificate({ subject: 'tsa', issuer: made.intermediate, ...usage, ...twinOf(signer) });
    expect(twin.der.equals(signer.der)).toBe(false);
    const named = { signingCertificate: signingCertificateV2(twin.der) };
    expectRefusal(() => verify(named), 'untrusted', /not known/);
    expect(verify({ ...named, certificates: [twin.der] }, [made.authority]).at).toBe(noon);
  });

  it.each<readonly [string, Partial<TimestampShape>]>([
    ['no signer', { signers: 0 }],
    ['two signers', { signers: 2 }],
    ['a signer version that is not for issuer and number', { signerVersion: 3 }],
    ['a signer version that is not for a key id', { keyId: Buffer.alloc(20), signerVersion: 1 }],
    ['other content', { contentType: '1.2.840.113549.1.7.1' }],
    ['no signed attributes', { attributes: () => [] }],
    ['no content type', { attributes: ([_, ...rest]) => rest }],
    ['no digest of its content', { attributes: ([type, _, id]) => [type!, id!] }],
    ['an attribute twice', { attributes: (usual) => [...usual, usual[1]!] }],
    ['an attribute with two values', { attributes: ([type, _, id]) => [type!, twoDigests(), id!] }],
    ['an attribute without value', { attributes: (usual) => [...usual, attribute('1.2.3')] }],
    ['an empty signing certificate', { signingCertificate: attribute('1.2.840.113549.1.9.16.2.47', sequence()) }],
    ['a time without zone', { genTime: '20250601120000' }],
    ['a time in local time', { genTime: '20250601120000+0200' }],
    ['a time with a comma', { genTime: '20250601120000,5Z' }],
    ['a time with a trailing zero', { genTime: '20250601120000.50Z' }],
    ['a time without seconds', { genTime: '202506011200Z' }],
    ['a 31st of June', { genTime: '20250631120000Z' }],
    ['something unknown at its end', { optional: [octets(Buffer.alloc(1))] }],
    ['its fields in another order', { optional: [integer(5), sequence(integer(1))] }],
    ['too many certificates', { certificates: Array.from({ length: 17 }, () => intermediateDer) }],
  ])('is malformed with %s', (_, shape) => {
    expectRefusal(() => verify(shape), 'malformed', /./);
  });

  it.each<readonly [string, Partial<TimestampShape>]>([
    ['another version', { version: 2 }],
    ['another version of CMS', { cmsVersion: 1 }],
    ['SHA-1', { hashOid: '1.3.14.3.2.26' }],
    ['a signature with SHA-1', { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')) }],
    ['a critical extension', { optional: [explicitly(1, extension(true))] }],
  ])('is unsupported with %s', (_, shape) => {
    expectRefusal(() => verify(shape), 'unsupported', /./);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no DER', Buffer.from('{"not": "DER"}')],
    ['a refusal without a token', sequence(sequence(integer(0)))],
    ['an empty sequence', sequence()],
    ['something after it', Buffer.concat([makeTimestamp({ signer, signed }), Buffer.of(0)])],
    [
      'something beside the token',
      sequence(sequence(integer(0)), makeTimestamp({ signer, signed, bare: true }), nothing),
    ],
    ['an indefinite length', Buffer.concat([Buffer.from('3080', 'hex'), Buffer.alloc(20)])],
    ['deep nesting', deep(1000)],
  ])('is malformed when it is %s', (_, response) => {
    expectRefusal(() => verifyTimestamp(response, signed, [listed]), 'malformed', /./);
  });

  it('is about the whole signature: a part of it, or more, will not do', () => {
    const response = makeTimestamp({ signer, signed });
    for (const other of [signed.subarray(1), Buffer.concat([signed, Buffer.of(0)]), Buffer.alloc(0)]) {
      expectRefusal(() => verifyTimestamp(response, other, [listed]), 'invalid', /another signature/);
    }
  });

  it('with any byte changed proves the same time or none, and ends in nothing but a refusal', () => {
    const good = makeTimestamp({ signer, signed, certificates: [signer.der] });
    const expected = verifyTimestamp(good, signed, [listed]);
    let survived = 0;
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good);
      changed[at]! ^= 1 << (at % 8);
      try {
        expect(verifyTimestamp(changed, signed, [listed])).toEqual(expected);
        survived++;
      } catch (error) {
        expect(error).toMatchObject({ name: 'VerifyError' });
      }
    }
    // The certificate is listed, so that nobody looks at the copy; the list of digest algorithms is nobody's.
    expect(survived).toBeLessThan(signer.der.length + 32);
  });

  it('ends in a refusal, whatever is cut out of it or put in', () => {
    const good = makeTimestamp({ signer, signed, certificates: [signer.der] });
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(20), fc.uint8Array({ maxLength: 20 }), (at, length, more) => {
        const changed = Buffer.concat([good.subarray(0, at), more, good.subarray(at + length)]);
        try {
          expect(verifyTimestamp(changed, signed, [listed]).at).toBe(noon);
        } catch (error) {
          expect(error).toMatchObject({ name: 'VerifyError' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describeData('real timestamps', () => {
  const all = realBundles().flatMap(({ name, entity, trust }) =>
    entity.timestamps.map((response) => ({ name, response, signature: entity.content.signature, trust })),
  );

  it('hold wherever the trusted root knows the authority', () => {
    const seen = new Map<string, number>();
    for (const { name, response, signature, trust } of all) {
      const { at, by } = verifyTimestamp(response, signature, trust.timestampAuthorities);
      expect(at, name).toBeGreaterThan(Date.UTC(2023, 0));
      seen.set(by, (seen.get(by) ?? 0) + 1);
    }
    expect([all.length, Object.fromEntries(seen)]).toEqual([
      15,
      {
        'http://localhost:8000': 1,
        'https://timestamp.sigstage.dev/api/v1/timestamp': 8,
        'https://timestamp.sigstore.dev/api/v1/timestamp': 6,
      },
    ]);
  });

  it('do not hold for another signature, nor under the root of another instance', () => {
    for (const { response, signature, trust } of all) {
      const { timestampAuthorities } = trust;
      const other = Buffer.concat([signature, Buffer.of(0)]);
      expectRefusal(() => verifyTimestamp(response, other, timestampAuthorities), 'invalid', /another signature/);
      for (const { trust: foreign } of all) {
        if (foreign.timestampAuthorities.some(({ uri }) => timestampAuthorities.some((own) => own.uri === uri)))
          continue;
        const refusal = refusalOf(() => verifyTimestamp(response, signature, foreign.timestampAuthorities));
        expect(refusal.code).toBe('untrusted');
      }
    }
  });

  it('at the last moment of their authority hold, and a moment later do not', () => {
    const { entity, trust } = realBundle('conformance/trust-root-tsa-validity-end-inclusive');
    const [response] = entity.timestamps;
    const signature = entity.content.signature;
    const { at } = verifyTimestamp(response!, signature, trust.timestampAuthorities);
    const until = (end: number) =>
      trust.timestampAuthorities.map((each) => ({ ...each, validFor: { start: each.validFor.start, end } }));
    expect(trust.timestampAuthorities.some(({ validFor }) => validFor.end === at)).toBe(true);
    expect(verifyTimestamp(response!, signature, until(at)).at).toBe(at);
    expectRefusal(() => verifyTimestamp(response!, signature, until(at - 1)), 'invalid', /trusted from/);
  });
});

function verify(shape: Partial<TimestampShape>, authorities: readonly Authority[] = [listed, made.authority]) {
  return verifyTimestamp(makeTimestamp({ signer, signed, ...shape }), signed, authorities);
}

function signerMade(shape: CertificateShape = {}) {
  return makeCertificate({ subject: 'tsa', issuer: made.intermediate, ...usage, ...shape });
}

function twinOf({ certificate, privateKey, publicKey }: ReturnType<typeof signerMade>): CertificateShape {
  return { serial: certificate.serial, keys: { privateKey, publicKey }, notAfter: noon + year / 2 };
}

function hashOf(algorithm: string): Buffer {
  return createHash(algorithm).update(signer.der).digest();
}

function typeOf(name: string): Buffer {
  return attribute('1.2.840.113549.1.9.3', oid(name));
}

function digestOf(text: string): Buffer {
  return attribute('1.2.840.113549.1.9.4', octets(createHash('sha256').update(text).digest()));
}

function twoDigests(): Buffer {
  return attribute('1.2.840.113549.1.9.4', octets(Buffer.alloc(32)), octets(Buffer.alloc(32)));
}

function extension(critical: boolean): Buffer {
  return sequence(oid('1.2.3.4'), ...(critical ? [bool(true)] : []), octets(Buffer.alloc(1)));
}

function deep(levels: number): Buffer {
  let inner = nothing;
  for (let level = 0; level < levels; level++) inner = element(0x30, inner);
  return inner;
}
