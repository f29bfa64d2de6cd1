import { sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import { verifyChain } from '../../src/sigstore/chain.ts';
import { verifyScts, verifySctsAhead } from '../../src/sigstore/sct.ts';
import type { Certificate, LogKey } from '../../src/sigstore/types.ts';
import {
  type CertificateShape,
  codeSigning,
  makeAuthority,
  makeCertificate,
  makeKeys,
  noon,
} from '../kit/certificate.ts';
import { describeData } from '../kit/data.ts';
import { octets, sequence } from '../kit/der.ts';
import { realBundle, realBundles } from './bundles.ts';
import { sha256, type TestKey, testKey } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';

const sctList = '1.3.6.1.4.1.11129.2.4.2';
const { intermediate } = makeAuthority();
const issuer = intermediate.certificate;
const log = testKey();
const known = logKey(log);

describe('certificate transparency timestamps', () => {
  it('hold for the certificate and the issuer that the log saw', () => {
    expect(() => verifyScts(issued([{}]), issuer, [known])).not.toThrow();
  });

  it('are judged the same when they were checked ahead, and for no other log or issuer', async () => {
    const [leaf, logs] = [issued([{}]), [known]];
    await verifySctsAhead(leaf, issuer, logs);
    const others = [{ ...known, key: logKey(testKey()).key }];
    expectRefusal(() => verifyScts(leaf, issuer, others), 'invalid', /hold/);
    expectRefusal(() => verifyScts(leaf, makeAuthority().intermediate.certificate, logs), 'invalid', /hold/);
    expect(() => verifyScts(leaf, issuer, logs)).not.toThrow();
    await verifySctsAhead(leaf, issuer, others);
    expectRefusal(() => verifyScts(leaf, issuer, others), 'invalid', /hold/);
    expect(() => verifyScts(leaf, issuer, logs)).not.toThrow();
  });

  it('may have extensions, as static logs write them', () => {
    const extensions = Buffer.from('0000050000000000', 'hex');
    expect(() => verifyScts(issued([{ extensions }]), issuer, [known])).not.toThrow();
    expectRefusal(
      () => verifyScts(issued([{ extensions, claimed: Buffer.alloc(8) }]), issuer, [known]),
      'invalid',
      /hold/,
    );
    expectRefusal(
      () => verifyScts(issued([{ extensions, claimed: Buffer.alloc(0) }]), issuer, [known]),
      'invalid',
      /hold/,
    );
  });

  it.each(['rsa', 'P-256', 'P-384'] as const)('may be by a log with a key of kind %s', (kind) => {
    const signer = testKey(kind);
    // Logs sign with SHA-256, whatever their key.
    const hashed = { ...signer, sign: (data: Buffer) => sign('sha256', data, signer.privateKey) };
    const leaf = issued([{ signer: hashed, code: kind === 'rsa' ? 1 : 3 }]);
    expect(() => verifyScts(leaf, issuer, [logKey(signer)])).not.toThrow();
  });

  it('hold beside those of unknown logs and later versions', () => {
    const unknown = { signer: testKey() };
    const later = { version: 1 };
    expect(() => verifyScts(issued([unknown, {}, later]), issuer, [known])).not.toThrow();
    expectRefusal(() => verifyScts(issued([unknown, later]), issuer, [known]), 'untrusted', /nowhere/);
  });

  it('of a known log must hold, though another one does', () => {
    const other = testKey();
    const forged = { signer: testKey(), logId: logKey(other).logId };
    expectRefusal(() => verifyScts(issued([{}, forged]), issuer, [known, logKey(other)]), 'invalid', /not hold/);
  });

  it('hold in certificates large and small', () => {
    for (const length of [1, 20, 100, 150, 300, 30_000]) {
      const leaf = issued([{}], { uris: [`https://example/${'x'.repeat(length)}`] });
      expect(() => verifyScts(leaf, issuer, [known]), String(length)).not.toThrow();
    }
    const bare: CertificateShape = { keyUsage: null, keyIds: false };
    const alone = issuedFrom({ subject: 'bare', issuer: intermediate, ...bare }, [{}]);
    expect([...alone.extensions.keys()]).toEqual([sctList]);
    expect(() => verifyScts(alone, issuer, [known])).not.toThrow();
  });

  it('are unproved when there are none', () => {
    const { certificate } = makeCertificate({ issuer: intermediate });
    expectRefusal(() => verifyScts(certificate, issuer, [known]), 'unproved', /no certificate transparency/);
  });

  it('are untrusted when no log is listed, or not for their time', () => {
    const leaf = issued([{}]);
    expectRefusal(() => verifyScts(leaf, issuer, []), 'untrusted', /nowhere/);
    const at = (start: number, end: number) => [{ ...known, validFor: { start, end } }];
    expect(() => verifyScts(leaf, issuer, at(noon, noon))).not.toThrow();
    expectRefusal(() => verifyScts(leaf, issuer, at(noon + 1, noon + 2)), 'untrusted', /nowhere/);
    expectRefusal(() => verifyScts(leaf, issuer, at(noon - 2, noon - 1)), 'untrusted', /nowhere/);
  });

  it('of a time that no number holds are of no listed time', () => {
    const leaf = issued([{ time: 0xffff_ffff_ffff_ffffn }]);
    const end = Number.MAX_SAFE_INTEGER;
    expectRefusal(() => verifyScts(leaf, issuer, [{ ...known, validFor: { start: 0, end } }]), 'untrusted', /nowhere/);
  });

  it('are invalid for another issuer, even one with the same name', () => {
    const twin = makeCertificate({ subject: 'intermediate', ca: true }).certificate;
    expect(twin.subject).toEqual(issuer.subject);
    expectRefusal(() => verifyScts(issued([{}]), twin, [known]), 'invalid', /not hold/);
  });

  it('are invalid in another certificate than the one that was logged', () => {
    const own = issued([{}]).extensions.get(sctList)!.value;
    const shape: CertificateShape = { subject: 'other', issuer: intermediate };
    const { certificate } = makeCertificate({ ...shape, extensions: [{ oid: sctList, value: own }] });
    expectRefusal(() => verifyScts(certificate, issuer, [known]), 'invalid', /not hold/);
  });

  it('are invalid when an extension was added after logging', () => {
    const base: CertificateShape = { ...fixed(), issuer: intermediate };
    const logged = makeCertificate(base).certificate.tbs;
    const value = octets(listOf([sctOf({}, logged)]));
    const late = { oid: '1.2.3.4', value: Buffer.of(5, 0) };
    const { certificate } = makeCertificate({ ...base, extensions: [{ oid: sctList, value }, late] });
    expectRefusal(() => verifyScts(certificate, issuer, [known]), 'invalid', /not hold/);
  });

  it('find their extension wherever it stands among the others', () => {
    const late = { oid: '1.2.3.4', value: Buffer.of(5, 0) };
    const base: CertificateShape = { ...fixed(), issuer: intermediate };
    const logged = makeCertificate({ ...base, extensions: [late] }).certificate.tbs;
    const value = octets(listOf([sctOf({}, logged)]));
    const { certificate } = makeCertificate({ ...base, extensions: [{ oid: sctList, value }, late] });
    expect(() => verifyScts(certificate, issuer, [known])).not.toThrow();
  });

  it.each([
    ['a log with another kind of key', { code: 1 }],
    ['another hash', { hash: 5 }],
    ['no hash', { hash: 0 }],
  ])('are invalid with the algorithm of %s', (_, shape) => {
    expectRefusal(() => verifyScts(issued([shape]), issuer, [known]), 'invalid', /algorithm/);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no OCTET STRING', sequence()],
    ['an empty list', octets(Buffer.from('0000', 'hex'))],
    ['no list', octets(Buffer.alloc(0))],
    ['a list that ends early', octets(Buffer.from('00050000', 'hex'))],
    ['a list with something after it', octets(Buffer.concat([listOf([sctOf({}, Buffer.alloc(0))]), Buffer.of(0)]))],
    ['an empty timestamp of version 1', octets(Buffer.from('0003000100', 'hex'))],
    ['a timestamp that is cut off', octets(listOf([sctOf({}, Buffer.alloc(0)).subarray(0, 60)]))],
    [
      'a timestamp with something after it',
      octets(listOf([Buffer.concat([sctOf({}, Buffer.alloc(0)), Buffer.of(0)])])),
    ],
    ['seventeen', octets(listOf(Array.from({ length: 17 }, () => sctOf({}, Buffer.alloc(0)))))],
  ])('are malformed when the extension holds %s', (_, value) => {
    const { certificate } = makeCertificate({ issuer: intermediate, extensions: [{ oid: sctList, value }] });
    expectRefusal(() => verifyScts(certificate, issuer, [known]), 'malformed', /./);
  });

  it('never hold with one bit flipped, and end in nothing but a refusal', () => {
    const base: CertificateShape = { ...fixed(), issuer: intermediate };
    const logged = makeCertificate(base).certificate.tbs;
    const good = octets(listOf([sctOf({}, logged)]));
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const value = Buffer.from(good);
        value[bit >> 3]! ^= 1 << (bit & 7);
        const { certificate } = makeCertificate({ ...base, extensions: [{ oid: sctList, value }] });
        refusalOf(() => verifyScts(certificate, issuer, [known]));
      }),
      { numRuns: 300 },
    );
  });
});

describeData('certificate transparency timestamps in real certificates', () => {
  const all = realBundles().flatMap(({ name, entity, trust, good }) => {
    if (entity.material.kind === 'key') return [];
    return [{ name, leaf: parseCertificate(entity.material.leaf), trust, good }];
  });

  it('hold in every good bundle', () => {
    const good = all.filter((each) => each.good);
    for (const { name, leaf, trust } of good) {
      const found = issuerOf(leaf, trust.certificateAuthorities);
      expect(() => verifyScts(leaf, found, trust.ctlogs), name).not.toThrow();
      expectRefusal(() => verifyScts(leaf, issuer, trust.ctlogs), 'invalid', /not hold/);
      const others = trust.ctlogs.map((each) => ({ ...each, key: log.key }));
      refusalOf(() => verifyScts(leaf, found, others));
    }
    expect(good).toHaveLength(26);
  });

  it('do not hold under the logs of another instance', () => {
    const { entity, trust } = realBundle('conformance/invalid-ct-key_fail');
    if (entity.material.kind === 'key') throw new Error('a certificate is expected');
    const leaf = parseCertificate(entity.material.leaf);
    const found = issuerOf(leaf, trust.certificateAuthorities);
    expectRefusal(() => verifyScts(leaf, found, trust.ctlogs), 'untrusted', /nowhere/);
  });
});

interface SctShape {
  readonly signer?: TestKey;
  readonly logId?: Buffer;
  readonly time?: bigint;
  readonly extensions?: Buffer;
  /** Extensions as they are shown, where they are not those that were signed. */
  readonly claimed?: Buffer;
  readonly version?: number;
  readonly hash?: number;
  readonly code?: number;
}

function issued(shapes: readonly SctShape[], more: CertificateShape = {}): Certificate {
  return issuedFrom({ ...fixed(), issuer: intermediate, extendedKeyUsage: [codeSigning], ...more }, shapes);
}

/** As an authority does it: the certificate without the list is what the logs see. */
function issuedFrom(shape: CertificateShape, shapes: readonly SctShape[]): Certificate {
  const whole = { ...fixed(), ...shape };
  const logged = makeCertificate(whole).certificate.tbs;
  const value = octets(listOf(shapes.map((each) => sctOf(each, logged))));
  return makeCertificate({ ...whole, extensions: [{ oid: sctList, value }] }).certificate;
}

function fixed(): CertificateShape {
  return { subject: 'leaf', keys: leafKeys, serial: Buffer.of(1, 2, 3) };
}

const leafKeys = makeKeys();

function sctOf(shape: SctShape, logged: Buffer): Buffer {
  const { signer = log, extensions = Buffer.alloc(0) } = shape;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(shape.time ?? BigInt(noon));
  const signature = signer.sign(
    Buffer.concat([
      Buffer.of(0, 0),
      time,
      Buffer.of(0, 1),
      sha256(issuer.spki),
      lengthOf(logged, 3),
      logged,
      lengthOf(extensions, 2),
      extensions,
    ]),
  );
  const shown = shape.claimed ?? extensions;
  return Buffer.concat([
    Buffer.of(shape.version ?? 0),
    shape.logId ?? sha256(signer.key.spki),
    time,
    lengthOf(shown, 2),
    shown,
    Buffer.of(shape.hash ?? 4, shape.code ?? 3),
    lengthOf(signature, 2),
    signature,
  ]);
}

function listOf(scts: readonly Buffer[]): Buffer {
  const list = Buffer.concat(scts.flatMap((each) => [lengthOf(each, 2), each]));
  return Buffer.concat([lengthOf(list, 2), list]);
}

function lengthOf(bytes: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return length;
}

function logKey(signer: TestKey): LogKey {
  return { logId: sha256(signer.key.spki), baseUrl: 'https://ct.example', key: signer.key, validFor: { start: 0 } };
}

function issuerOf(leaf: Certificate, authorities: Parameters<typeof verifyChain>[2]): Certificate {
  return verifyChain(leaf, [], authorities, leaf.notBefore, 'codeSigning').issuer;
}
