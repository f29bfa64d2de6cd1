import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import { isSelfSignedRoot, type Purpose, verifyChain } from '../../src/sigstore/chain.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import type { Authority, Certificate } from '../../src/sigstore/types.ts';
import {
  type CertificateShape,
  codeSigning,
  type Made,
  makeAuthority,
  makeCertificate,
  makeKeys,
  noon,
  timeStamping,
  year,
} from '../kit/certificate.ts';
import { describeData } from '../kit/data.ts';
import { nothing, sequence } from '../kit/der.ts';

const { root, intermediate, authority } = makeAuthority();

function leafOf(issuer: Made, changes: CertificateShape = {}): Certificate {
  return makeCertificate({ subject: 'leaf', issuer, extendedKeyUsage: [codeSigning], uris: ['https://a'], ...changes })
    .certificate;
}

function authorityOf(...chain: Made[]): Authority {
  return {
    uri: 'https://ca.example',
    chain: chain.map(({ certificate }) => certificate),
    validFor: { start: noon - year },
  };
}

interface Given {
  readonly leaf?: Certificate;
  readonly extra?: readonly Certificate[];
  readonly authorities?: readonly Authority[];
  readonly at?: number;
  readonly purpose?: Purpose;
}

const sound = leafOf(intermediate);

function check({ leaf = sound, extra = [], authorities = [authority], at = noon, purpose = 'codeSigning' }: Given) {
  return verifyChain(leaf, extra, authorities, at, purpose);
}

function failure(given: Given): Partial<VerifyError> {
  try {
    check(given);
  } catch (error) {
    expect(error).toBeInstanceOf(VerifyError);
    const { code, message, expected, got } = error as VerifyError;
    return { code, message, ...(expected === undefined ? {} : { expected }), ...(got === undefined ? {} : { got }) };
  }
  throw new Error('the chain was accepted');
}

describe('a chain', () => {
  test('from a leaf over an intermediate to the root holds, and names both', () => {
    expect(check({})).toEqual({ authority, issuer: intermediate.certificate });
  });

  test('holds when the authority lists the root or the intermediate alone', () => {
    expect(check({ leaf: leafOf(root), authorities: [authorityOf(root)] }).issuer).toBe(root.certificate);
    expect(check({ authorities: [authorityOf(intermediate)] }).issuer).toBe(intermediate.certificate);
  });

  test('holds over an intermediate that came with the signature', () => {
    const only = authorityOf(root);
    expect(check({ extra: [intermediate.certificate], authorities: [only] }).issuer).toBe(intermediate.certificate);
    expect(failure({ authorities: [only] })).toEqual({
      code: 'untrusted',
      message: 'the trusted root does not know the issuer of the certificate',
      got: 'CN=intermediate',
    });
  });

  test('never ends in a certificate that came with the signature', () => {
    const own = makeAuthority();
    const extra = [own.intermediate.certificate, own.root.certificate];
    const leaf = leafOf(own.intermediate);
    expect(failure({ leaf, extra }).code).toBe('untrusted');
    expect(failure({ leaf, extra, authorities: [] }).code).toBe('untrusted');
    expect(failure({ leaf, extra, authorities: [{ ...authority, chain: [] }] }).code).toBe('untrusted');
  });

  test('to an authority of the same name and another key is untrusted, and without key identifiers wrong', () => {
    const other = makeAuthority();
    expect(failure({ leaf: leafOf(other.intermediate) }).code).toBe('untrusted');
    const blank = { ca: true, keyIds: false } as const;
    const [known, forged] = [1, 2].map(() => makeCertificate({ subject: 'ca', ...blank }));
    const leaf = leafOf(forged!, { keyIds: false });
    expect(failure({ leaf, authorities: [authorityOf(known!)] })).toEqual({
      code: 'invalid',
      message: 'the certificate of "CN=leaf" was not signed by "CN=ca": the signature does not hold',
    });
  });

  test('with one wrong signature is invalid, wherever it is', () => {
    expect(failure({ leaf: leafOf(intermediate, { breakSignature: true }) })).toMatchObject({
      code: 'invalid',
      message: 'the certificate of "CN=leaf" was not signed by "CN=intermediate": the signature does not hold',
    });
    const broken = makeCertificate({ subject: 'broken', issuer: root, ca: true, breakSignature: true });
    expect(failure({ leaf: leafOf(broken), authorities: [authorityOf(broken, root)] })).toMatchObject({
      code: 'invalid',
      message: 'the certificate of "CN=broken" was not signed by "CN=root": the signature does not hold',
    });
  });

  test.each(['P-384', 'P-521', 'rsa', 'ed25519'] as const)('signed by %s holds', (kind) => {
    const ca = makeCertificate({ subject: 'ca', ca: true, keys: makeKeys(kind), hash: 'sha384' });
    const leaf = leafOf(ca, { hash: 'sha512' });
    expect(check({ leaf, authorities: [authorityOf(ca)] }).issuer).toBe(ca.certificate);
  });

  test('signed by RSASSA-PSS holds, and not when the certificate says PKCS#1', () => {
    const ca = makeCertificate({ subject: 'ca', ca: true, keys: makeKeys('rsa'), pss: true });
    const authorities = [authorityOf(ca)];
    const leaf = leafOf(ca, { pss: true });
    expect(check({ leaf, authorities }).issuer).toBe(ca.certificate);
    const other = { ...leaf, signatureAlgorithm: { scheme: 'rsa-pkcs1', hash: 'sha256' } } as const;
    expect(failure({ leaf: other, authorities }).code).toBe('invalid');
  });

  test('over an authority whose key is not supported says so', () => {
    const weak = makeCertificate({ subject: 'weak', issuer: root, ca: true });
    const publicKey = () => {
      throw new VerifyError('unsupported', 'an RSA key of 1024 bits is too weak: 2048 is the least');
    };
    const chain = [{ ...weak.certificate, publicKey }, root.certificate];
    expect(failure({ leaf: leafOf(weak), authorities: [{ ...authority, chain }] })).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('an RSA key of 1024 bits is too weak'),
    });
  });
});

describe('time', () => {
  const [start, end] = [noon, noon + 600_000];
  const short = leafOf(intermediate, { notBefore: start, notAfter: end });

  test('both ends of a certificate are inside', () => {
    expect(check({ leaf: short, at: start }).authority).toBe(authority);
    expect(check({ leaf: short, at: end }).authority).toBe(authority);
  });

  test.each([start - 1, end + 1])('a signature made at %d is outside, and says when', (at) => {
    const range = '2025-06-01T12:00:00.000Z to 2025-06-01T12:10:00.000Z';
    const got = new Date(at).toISOString();
    expect(failure({ leaf: short, at })).toEqual({
      code: 'invalid',
      message: `the certificate of "CN=leaf" is valid from ${range}, and the signature was made at ${got}`,
      expected: range,
      got,
    });
  });

  test('counts for intermediates and roots as well', () => {
    const late = { notBefore: noon + 1000, ca: true } as const;
    const lateRoot = makeCertificate({ subject: 'late root', ...late });
    const below = makeCertificate({ subject: 'below', issuer: lateRoot, ca: true });
    expect(failure({ leaf: leafOf(below), authorities: [authorityOf(below, lateRoot)] }).message).toContain(
      'CN=late root',
    );
    const lateMiddle = makeCertificate({ subject: 'late middle', issuer: root, ...late });
    expect(failure({ leaf: leafOf(lateMiddle), authorities: [authorityOf(lateMiddle, root)] }).message).toContain(
      'CN=late middle',
    );
  });

  test('both ends of an authority are inside', () => {
    const authorities = [{ ...authority, validFor: { start: noon, end: noon + 1000 } }];
    expect(check({ authorities, at: noon }).authority).toBe(authorities[0]);
    expect(check({ authorities, at: noon + 1000 }).authority).toBe(authorities[0]);
    expect(failure({ authorities, at: noon - 1 })).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        /^the authority https:\/\/ca\.example is trusted from .* to .*, and the signature/,
      ),
    });
    expect(failure({ authorities, at: noon + 1001 }).code).toBe('invalid');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is no time', (at) => {
    expect(failure({ at }).code).toBe('invalid');
    expect(
      failure({ authorities: [{ ...authority, validFor: { start: at === -Infinity ? Number.NaN : at } }] }).code,
    ).toBe('invalid');
  });
});

describe('a leaf', () => {
  test('that is an authority is refused', () => {
    const leaf = leafOf(root, { ca: true, keyUsage: [0, 5] });
    expect(failure({ leaf, authorities: [authorityOf(root)] })).toMatchObject({ code: 'invalid' });
  });

  test.each([
    ['no purpose', {}, 'no extended key usage'],
    ['another purpose', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, '1.3.6.1.5.5.7.3.1'],
    ['any purpose', { extendedKeyUsage: ['2.5.29.37.0'] }, '2.5.29.37.0'],
  ])('with %s is refused', (_, shape, got) => {
    const leaf = makeCertificate({ subject: 'leaf', issuer: intermediate, ...shape }).certificate;
    expect(failure({ leaf })).toEqual({
      code: 'invalid',
      message: 'the certificate is not for code signing',
      expected: `extended key usage ${codeSigning}`,
      got,
    });
  });

  test('whose key usage does not allow signatures is refused, and without key usage accepted', () => {
    expect(failure({ leaf: leafOf(intermediate, { keyUsage: [2] }) }).code).toBe('invalid');
    expect(check({ leaf: leafOf(intermediate, { keyUsage: null }) }).authority).toBe(authority);
  });

  test('with a critical extension that is not understood is refused', () => {
    const poison = { oid: '1.3.6.1.4.1.11129.2.4.3', critical: true, value: nothing };
    expect(failure({ leaf: leafOf(intermediate, { extensions: [poison] }) })).toEqual({
      code: 'unsupported',
      message: 'the certificate of "CN=leaf" has the extension 1.3.6.1.4.1.11129.2.4.3, which is not understood here',
    });
    const harmless = leafOf(intermediate, { extensions: [{ ...poison, critical: false }] });
    expect(check({ leaf: harmless }).authority).toBe(authority);
  });

  test('that the authority lists is the only one it has', () => {
    const tsa = makeAuthority({ purpose: timeStamping });
    const stamping = {
      subject: 'tsa',
      issuer: tsa.intermediate,
      extendedKeyUsage: [timeStamping],
      extendedKeyUsageCritical: true,
    };
    const [listed, other] = [makeCertificate(stamping), makeCertificate(stamping)];
    const authorities = [authorityOf(listed, tsa.intermediate, tsa.root)];
    const purpose = 'timeStamping';
    expect(check({ leaf: listed.certificate, authorities, purpose }).issuer).toBe(tsa.intermediate.certificate);
    expect(check({ leaf: parseCertificate(listed.der), authorities, purpose }).issuer).toBe(
      tsa.intermediate.certificate,
    );
    expect(failure({ leaf: other.certificate, authorities, purpose }).code).toBe('untrusted');
    expect(failure({ leaf: listed.certificate, authorities: [authorityOf(listed)], purpose }).code).toBe('untrusted');
  });

  test.each([
    ['not critical', { extendedKeyUsage: [timeStamping] }],
    ['not alone', { extendedKeyUsage: [timeStamping, codeSigning], extendedKeyUsageCritical: true }],
  ])('for time-stamping whose purpose is %s is refused', (_, shape) => {
    const leaf = makeCertificate({ subject: 'tsa', issuer: root, ...shape }).certificate;
    expect(failure({ leaf, authorities: [authorityOf(root)], purpose: 'timeStamping' })).toMatchObject({
      code: 'invalid',
      message: 'the certificate must be for time-stamping alone, and say so critically',
    });
  });

  test('for code signing does not stamp times', () => {
    expect(failure({ purpose: 'timeStamping' }).message).toBe('the certificate is not for time-stamping');
  });
});

describe('an intermediate', () => {
  function below(shape: CertificateShape): Given {
    const middle = makeCertificate({ subject: 'middle', issuer: root, ca: true, ...shape });
    return { leaf: leafOf(middle), authorities: [authorityOf(root)], extra: [middle.certificate] };
  }

  test('may have no key usage, any purpose, or this purpose among others', () => {
    for (const shape of [
      { keyUsage: null },
      { extendedKeyUsage: ['2.5.29.37.0'] },
      { extendedKeyUsage: [timeStamping, codeSigning] },
    ]) {
      expect(check(below(shape)).authority.uri).toBe('https://ca.example');
    }
  });

  test.each<[string, CertificateShape, string, string]>([
    [
      'that is no authority',
      { ca: false },
      'invalid',
      '"CN=middle" is not a certificate authority, and signed a certificate',
    ],
    [
      'whose key may not sign certificates',
      { keyUsage: [0] },
      'invalid',
      'the key of "CN=middle" may not sign certificates',
    ],
    [
      'for another purpose',
      { extendedKeyUsage: [timeStamping] },
      'invalid',
      '"CN=middle" may not issue certificates for this',
    ],
    [
      'with a critical extension that is not understood',
      { extensions: [{ oid: '2.5.29.36', critical: true, value: nothing }] },
      'unsupported',
      'the certificate of "CN=middle" has the extension 2.5.29.36, which is not understood here',
    ],
    [
      'with name constraints, critical or not',
      { extensions: [{ oid: '2.5.29.30', value: sequence() }] },
      'unsupported',
      'the certificate of "CN=middle" has the extension 2.5.29.30, which is not understood here',
    ],
  ])('%s is refused', (_, shape, code, message) => {
    expect(failure(below(shape))).toMatchObject({ code, message });
  });

  test('below one that allows none is refused, itself re-issued under the same name it is not counted', () => {
    const second = makeCertificate({ subject: 'second', issuer: intermediate, ca: true });
    expect(failure({ leaf: leafOf(second), extra: [second.certificate] })).toEqual({
      code: 'invalid',
      message: 'there are more authorities below "CN=intermediate" than it allows',
      expected: 'at most 0',
      got: '1',
    });
    const again = makeCertificate({ subject: 'intermediate', issuer: intermediate, ca: true });
    expect(check({ leaf: leafOf(again), extra: [again.certificate] }).issuer).toBe(again.certificate);
  });

  test('counts against the limit of the root too', () => {
    const strict = makeCertificate({ subject: 'strict', ca: true, pathLength: 0 });
    const middle = makeCertificate({ subject: 'middle', issuer: strict, ca: true });
    expect(failure({ leaf: leafOf(middle), authorities: [authorityOf(middle, strict)] }).message).toContain(
      '"CN=strict"',
    );
  });

  test('a leaf of ours must not issue another', () => {
    const issuing = makeCertificate({ subject: 'leaf', issuer: intermediate, extendedKeyUsage: [codeSigning] });
    const forged = leafOf(issuing, { subject: 'forged' });
    expect(failure({ leaf: forged, extra: [issuing.certificate] })).toMatchObject({
      code: 'invalid',
      message: '"CN=leaf" is not a certificate authority, and signed a certificate',
    });
  });
});

describe('several authorities', () => {
  test('are all tried, in any order', () => {
    const other = makeAuthority().authority;
    expect(check({ authorities: [other, authority] }).authority).toBe(authority);
    expect(check({ authorities: [authority, other] }).authority).toBe(authority);
    const closed = { ...authority, validFor: { start: noon - year, end: noon - 1 } };
    expect(check({ authorities: [closed, authority] }).authority).toBe(authority);
  });

  test('give the failure that came furthest', () => {
    const closed = { ...authority, validFor: { start: noon - year, end: noon - 1 } };
    const other = makeAuthority().authority;
    for (const authorities of [
      [other, closed],
      [closed, other],
    ]) {
      expect(failure({ authorities }).message).toContain('the authority https://ca.example is trusted from');
    }
  });
});

describe('a hostile chain', () => {
  test('of authorities that certify each other in circles ends', () => {
    const keys = makeKeys();
    const blank = { ca: true, keyIds: false, keys } as const;
    const first = makeCertificate({ subject: 'circle', ...blank });
    const circle = Array.from({ length: 40 }, () => makeCertificate({ subject: 'circle', issuer: first, ...blank }));
    const leaf = leafOf(first, { keyIds: false });
    expect(failure({ leaf, extra: circle.map(({ certificate }) => certificate) }).code).toBe('untrusted');
  });

  test('that is longer than eight certificates is not followed', () => {
    let last = root;
    const extra: Certificate[] = [];
    for (let at = 0; at < 8; at++) {
      last = makeCertificate({ subject: `level ${at}`, issuer: last, ca: true });
      extra.push(last.certificate);
    }
    expect(failure({ leaf: leafOf(last), extra, authorities: [authorityOf(root)] }).code).toBe('untrusted');
  });

  test('changed in one byte of the leaf never holds', () => {
    const { der } = sound;
    for (const at of der.keys()) {
      const copy = Buffer.from(der);
      copy[at]! ^= 1 << (at % 8);
      expect(() => check({ leaf: parseCertificate(copy) }), `byte ${at}`).toThrow(VerifyError);
    }
  });
});

test('a root is what bears its own name and signed itself', () => {
  expect(isSelfSignedRoot(root.certificate)).toBe(true);
  expect(isSelfSignedRoot(intermediate.certificate)).toBe(false);
  const other = makeCertificate({ subject: 'root', ca: true });
  expect(isSelfSignedRoot(makeCertificate({ subject: 'root', issuer: other, ca: true }).certificate)).toBe(false);
});

describeData('real chains', (dir) => {
  const cases = ['conformance', 'real'].flatMap((part) =>
    readdirSync(path.join(dir, 'sigstore', part)).map((name) => path.join(dir, 'sigstore', part, name)),
  );
  const withLeaf = cases.flatMap((folder) => {
    const leaf = readLeaf(folder);
    return leaf === undefined ? [] : [{ folder, leaf }];
  });
  const positives = withLeaf.filter(({ folder }) => !folder.endsWith('_fail'));

  test('of every good bundle hold at the first and the last second of the leaf', () => {
    expect(positives.length).toBeGreaterThanOrEqual(25);
    for (const { folder, leaf } of positives) {
      const authorities = readAuthorities(folder, dir);
      for (const at of [leaf.notBefore, leaf.notAfter]) {
        expect(() => verifyChain(leaf, [], authorities, at, 'codeSigning'), folder).not.toThrow();
      }
      expect(() => verifyChain(leaf, [], authorities, leaf.notAfter + 1, 'codeSigning'), folder).toThrow(VerifyError);
      expect(() => verifyChain(leaf, [], authorities, leaf.notBefore, 'timeStamping'), folder).toThrow(VerifyError);
    }
  });
});

interface Json {
  readonly rawBytes: string;
  readonly certificates: readonly Json[];
  readonly certChain: Json;
  readonly uri: string;
  readonly validFor: { readonly start: string; readonly end?: string | null };
}

function readLeaf(folder: string): Certificate | undefined {
  const file = path.join(folder, 'bundle.sigstore.json');
  if (!existsSync(file)) return undefined;
  const { verificationMaterial: material } = JSON.parse(readFileSync(file, 'utf8')) as {
    verificationMaterial: { certificate?: Json; x509CertificateChain?: Json };
  };
  const leaf = material.certificate ?? material.x509CertificateChain?.certificates[0];
  return leaf === undefined ? undefined : parseCertificate(Buffer.from(leaf.rawBytes, 'base64'));
}

function readAuthorities(folder: string, dir: string): Authority[] {
  const own = path.join(folder, 'trusted_root.json');
  const file = existsSync(own) ? own : path.join(dir, 'sigstore/trust/public-good.json');
  const { certificateAuthorities } = JSON.parse(readFileSync(file, 'utf8')) as { certificateAuthorities: Json[] };
  return certificateAuthorities.map(({ uri, certChain, validFor: { start, end } }) => ({
    uri,
    chain: certChain.certificates.map(({ rawBytes }) => parseCertificate(Buffer.from(rawBytes, 'base64'))),
    validFor: { start: Date.parse(start), ...(typeof end === 'string' ? { end: Date.parse(end) } : {}) },
  }));
}
