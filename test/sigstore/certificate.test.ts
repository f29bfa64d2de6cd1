import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate, parsePemCertificates } from '../../src/sigstore/certificate.ts';
import { formatName } from '../../src/sigstore/distinguished-name.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import {
  type CertificateShape,
  codeSigning,
  makeCertificate,
  makeDer,
  makeKeys,
  name,
  noon,
  pssAlgorithm,
  spkiOf,
  timeStamping,
} from '../kit/certificate.ts';
import { describeData, readData } from '../kit/data.ts';
import {
  bits,
  bool,
  element,
  explicitly,
  implicitly,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  setOf,
  utf8,
} from '../kit/der.ts';

const userName = '1.3.6.1.4.1.57264.1.7';
const otherName = (id: string, value: Buffer): Buffer => explicitly(0, oid(id), explicitly(0, value));

function refusal(code: string, message: string) {
  return expect.objectContaining({ name: 'VerifyError', code, message: `the certificate cannot be read: ${message}` });
}

describe('a certificate', () => {
  test('is read with all that a path and an identity need', () => {
    const root = makeCertificate({ subject: 'root', ca: true, pathLength: 1 });
    const { der, certificate, ...keys } = makeCertificate({
      subject: 'leaf',
      issuer: root,
      serial: Buffer.from('00ff01', 'hex'),
      notBefore: noon,
      notAfter: noon + 600_000,
      extendedKeyUsage: [codeSigning],
      uris: ['https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main'],
      emails: ['me@acme.example'],
      extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: utf8('https://issuer.example') }],
    });
    expect(certificate.der).toBe(der);
    expect(certificate.serial).toEqual(Buffer.from('00ff01', 'hex'));
    expect(certificate.issuer).toEqual(name('root'));
    expect(certificate.subject).toEqual(name('leaf'));
    expect([certificate.notBefore, certificate.notAfter]).toEqual([noon, noon + 600_000]);
    expect(certificate.spki).toEqual(spkiOf(keys));
    expect(certificate.publicKey()).toBe(certificate.publicKey());
    expect(certificate.publicKey().object.equals(keys.publicKey)).toBe(true);
    expect(certificate.signatureAlgorithm).toEqual({ scheme: 'ecdsa', hash: 'sha256' });
    expect(certificate.isCa).toBe(false);
    expect(certificate.pathLength).toBeUndefined();
    expect(certificate.keyUsage).toEqual({ digitalSignature: true, keyCertSign: false });
    expect(certificate.extendedKeyUsage).toEqual([codeSigning]);
    expect(certificate.extendedKeyUsageCritical).toBe(false);
    expect(certificate.authorityKeyId).toEqual(root.certificate.subjectKeyId);
    expect(certificate.names).toEqual([
      { type: 'uri', value: 'https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main' },
      { type: 'email', value: 'me@acme.example' },
    ]);
    expect([...certificate.extensions]).toEqual([
      ['1.3.6.1.4.1.57264.1.8', { critical: false, value: utf8('https://issuer.example') }],
    ]);
    expect(root.certificate).toMatchObject({ isCa: true, pathLength: 1, keyUsage: { keyCertSign: true } });
  });

  test('without extensions has none of what they say', () => {
    const { certificate } = makeCertificate({ keyUsage: null, keyIds: false });
    expect(certificate).toMatchObject({ isCa: false, names: [], extendedKeyUsageCritical: false });
    expect(certificate).not.toHaveProperty('keyUsage');
    expect(certificate).not.toHaveProperty('extendedKeyUsage');
    expect(certificate.extensions.size).toBe(0);
  });

  test.each([
    ['P-384', 'sha384', undefined, { scheme: 'ecdsa', hash: 'sha384' }],
    ['P-521', 'sha512', undefined, { scheme: 'ecdsa', hash: 'sha512' }],
    ['rsa', 'sha256', undefined, { scheme: 'rsa-pkcs1', hash: 'sha256' }],
    ['rsa', 'sha384', true, { scheme: 'rsa-pss', hash: 'sha384' }],
    ['ed25519', 'sha256', undefined, { scheme: 'ed25519', hash: 'sha512' }],
  ] as const)('may be signed by %s with %s', (kind, hash, pss, algorithm) => {
    const { certificate } = makeCertificate({ keys: makeKeys(kind), hash, ...(pss === undefined ? {} : { pss }) });
    expect(certificate.signatureAlgorithm).toEqual(algorithm);
  });

  test("bears Fulcio's user name", () => {
    const names = [otherName(userName, utf8('me!acme'))];
    const { certificate } = makeCertificate({ extendedKeyUsage: [codeSigning], names });
    expect(certificate.names).toEqual([{ type: 'other', value: 'me!acme' }]);
  });

  test('may write out that it is no authority and that an extension is not critical', () => {
    const id = '1.2.3.4';
    const plain = makeCertificate({ extensions: [{ oid: '2.5.29.19', value: sequence(bool(false)) }] });
    expect(plain.certificate.isCa).toBe(false);
    const list = sequence(oid(id), bool(false), octets(nothing));
    const { certificate } = makeCertificate({ extensions: [] });
    const rewritten = withExtensions(certificate.tbs, sequence(list));
    expect(parseCertificate(rewritten).extensions.get(id)).toEqual({ critical: false, value: nothing });
  });

  test('keeps a critical extension that is not understood', () => {
    const { certificate } = makeCertificate({ extensions: [{ oid: '1.2.3.4', critical: true, value: nothing }] });
    expect(certificate.extensions.get('1.2.3.4')).toEqual({ critical: true, value: nothing });
  });

  const names = (value: Buffer): CertificateShape => ({ extensions: [{ oid: '2.5.29.17', value }] });
  const twice = [1, 2].map(() => ({ oid: '1.2.3.4', value: nothing }));
  const uniqueId = implicitly(1, Buffer.from([0, 1]));

  test.each<[string, CertificateShape, string, string]>([
    ['version 1', { version: 1 }, 'unsupported', 'its version is not 3'],
    ['version 2', { version: 2 }, 'unsupported', 'its version is not 3'],
    ['version 4', { version: 4 }, 'unsupported', 'its version is not 3'],
    [
      'another algorithm outside than inside',
      { outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) },
      'malformed',
      'its signature algorithms inside and outside differ',
    ],
    [
      'a serial number of 22 octets',
      { serial: Buffer.alloc(22, 1) },
      'malformed',
      'its serial number is negative or too long',
    ],
    [
      'an end before its beginning',
      { notBefore: noon, notAfter: noon - 1000 },
      'malformed',
      'it ends before it begins',
    ],
    ['a repeated extension', { extensions: twice }, 'malformed', 'the extension 1.2.3.4 is there twice'],
    [
      'a repeated known extension',
      { extensions: [{ oid: '2.5.29.15', value: bits(Buffer.from([0x80]), 7) }] },
      'malformed',
      'the extension 2.5.29.15 is there twice',
    ],
    [
      'a path length and no authority',
      { extensions: [{ oid: '2.5.29.19', value: sequence(integer(1)) }] },
      'malformed',
      'a path length without being a certificate authority',
    ],
    ['no purpose in the list of them', { extendedKeyUsage: [] }, 'malformed', 'the extended key usage is empty'],
    ['no name in the list of them', names(sequence()), 'malformed', 'the subject alternative names are empty'],
    [
      'an empty name',
      names(sequence(implicitly(6, Buffer.alloc(0)))),
      'malformed',
      'a subject alternative name is empty',
    ],
    [
      'a line break in a name',
      names(sequence(implicitly(6, Buffer.from('https://a\nb')))),
      'malformed',
      'DER: a string holds control characters',
    ],
    [
      'a name beyond ASCII',
      names(sequence(implicitly(1, Buffer.from('ü@acme.example')))),
      'malformed',
      'DER: an IA5String is not ASCII',
    ],
    [
      'bytes behind the value of an extension',
      names(Buffer.concat([sequence(implicitly(6, Buffer.from('a'))), nothing])),
      'malformed',
      'DER: bytes after the end of the element',
    ],
    [
      'SHA-1',
      {
        innerAlgorithm: sequence(oid('1.2.840.113549.1.1.5'), nothing),
        outerAlgorithm: sequence(oid('1.2.840.113549.1.1.5'), nothing),
      },
      'unsupported',
      'the signature algorithm RSA with SHA-1 is not supported',
    ],
    [
      'a salt that does not go with the hash',
      { innerAlgorithm: pssAlgorithm('sha256', 20), outerAlgorithm: pssAlgorithm('sha256', 20) },
      'unsupported',
      'the RSASSA-PSS parameters are not those that go with the hash',
    ],
    [
      'a mask of another hash',
      { innerAlgorithm: pssAlgorithm('sha256', 32, 'sha512'), outerAlgorithm: pssAlgorithm('sha256', 32, 'sha512') },
      'unsupported',
      'the RSASSA-PSS parameters are not those that go with the hash',
    ],
    [
      'parameters where there are none',
      {
        innerAlgorithm: sequence(oid('1.2.840.10045.4.3.2'), nothing),
        outerAlgorithm: sequence(oid('1.2.840.10045.4.3.2'), nothing),
      },
      'malformed',
      'DER: unexpected null at the end of a sequence',
    ],
  ])('with %s is refused', (_, shape, code, message) => {
    expect(() => parseCertificate(makeDer(shape).der)).toThrow(refusal(code, message));
  });

  test('with a serial number below zero, a unique identifier or anything behind is refused', () => {
    const { certificate } = makeCertificate();
    const serial = element(0x02, certificate.serial);
    const negative = replace(
      certificate.der,
      serial,
      element(0x02, Buffer.concat([Buffer.from([0x81]), certificate.serial.subarray(1)])),
    );
    expect(() => parseCertificate(negative)).toThrow(refusal('malformed', 'its serial number is negative or too long'));
    const identified = withFields(certificate.tbs, [uniqueId]);
    expect(() => parseCertificate(identified)).toThrow(refusal('unsupported', 'it has unique identifiers'));
    const longer = withFields(certificate.tbs, [], [nothing]);
    expect(() => parseCertificate(longer)).toThrow(
      refusal('malformed', 'DER: unexpected null at the end of a sequence'),
    );
    const behind = Buffer.concat([certificate.der, Buffer.from([0])]);
    expect(() => parseCertificate(behind)).toThrow(refusal('malformed', 'DER: bytes after the end of the element'));
  });

  test('longer than 64 KiB is refused', () => {
    const value = Buffer.alloc(1 << 16);
    expect(() => parseCertificate(makeDer({ extensions: [{ oid: '1.2.3.4', value }] }).der)).toThrow(
      refusal('malformed', 'it is longer than 65536 octets'),
    );
  });

  test.each([
    ['an address', implicitly(7, Buffer.from([127, 0, 0, 1]))],
    ['a directory name', explicitly(4, name('someone else'))],
    ['an other name of another kind', otherName('1.3.6.1.4.1.57264.1.99', utf8('x'))],
  ])('for code signing must not hide %s beside its name', (_, second) => {
    const shape = { uris: ['https://a'], names: [second] };
    const signing = makeDer({ ...shape, extendedKeyUsage: [codeSigning] });
    expect(() => parseCertificate(signing.der)).toThrow(
      refusal('unsupported', 'a subject alternative name is of an unknown kind'),
    );
    const { certificate } = makeCertificate({ ...shape, extendedKeyUsage: [timeStamping] });
    expect(certificate.names).toEqual([]);
    expect(certificate.extensions.get('2.5.29.17')?.critical).toBe(true);
  });

  test('with a key of an unsupported kind is read, and the key refused when it is asked for', () => {
    const { certificate } = makeCertificate();
    const other = sequence(sequence(oid('1.2.3')), bits(Buffer.alloc(32)));
    const changed = parseCertificate(replace(certificate.der, certificate.spki, other));
    expect(() => changed.publicKey()).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test('of any bytes, or changed in one byte, is read or refused', () => {
    const { der } = makeCertificate({
      extendedKeyUsage: [codeSigning],
      uris: ['https://a'],
      names: [otherName(userName, utf8('x'))],
    });
    const parses = (bytes: Buffer): void => {
      try {
        parseCertificate(bytes).publicKey();
      } catch (error) {
        expect(error).toBeInstanceOf(VerifyError);
      }
    };
    for (const bit of [1, 0x80, 0xff]) {
      for (const at of der.keys()) {
        const copy = Buffer.from(der);
        copy[at]! ^= bit;
        parses(copy);
      }
    }
    for (const at of der.keys()) parses(der.subarray(0, at));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parses(Buffer.from(bytes))));
  });
});

describe('certificates in PEM', () => {
  const pem = (der: Buffer, label = 'CERTIFICATE'): string =>
    `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

  test('are read in their order', () => {
    const [first, second] = [makeCertificate({ subject: 'one' }), makeCertificate({ subject: 'two' })];
    const read = parsePemCertificates(`${pem(first.der)}\n${pem(second.der)}`);
    expect(read.map(({ der }) => der)).toEqual([first.der, second.der]);
  });

  test('beside something else are refused', () => {
    const { der } = makeCertificate();
    const refused = (text: string, message: string): void => {
      expect(() => parsePemCertificates(text)).toThrow(expect.objectContaining({ code: 'malformed', message }));
    };
    refused(pem(der, 'PUBLIC KEY'), 'PEM: expected a certificate, got "PUBLIC KEY"');
    refused(`subject=me\n${pem(der)}`, 'PEM: there is text outside of a block');
    refused(pem(der).replace('END CERTIFICATE', 'END X'), 'PEM: the block "CERTIFICATE" does not end');
    refused(pem(der).repeat(65), 'PEM: more than 64 blocks');
    refused('', 'PEM: there is no block');
  });
});

describe('a name', () => {
  test('is shown as text', () => {
    const part = (id: string, text: Buffer): Buffer => setOf(sequence(oid(id), text));
    expect(formatName(sequence(part('2.5.4.10', utf8('sigstore.dev')), part('2.5.4.3', utf8('sigstore'))))).toBe(
      'O=sigstore.dev, CN=sigstore',
    );
    expect(formatName(sequence(part('1.2.3', octets(Buffer.from([1, 2])))))).toBe('1.2.3=#0102');
    expect(formatName(sequence())).toBe('(no name)');
  });

  test('that cannot be read is shown in hexadecimal', () => {
    expect(formatName(sequence(nothing))).toBe('30020500');
    expect(formatName(Buffer.from('zz'))).toBe('7a7a');
  });
});

describeData('real certificates', (dir) => {
  const files = readdirSync(path.join(dir, 'sigstore'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?:^|\/)(?:bundle\.sigstore\.json|[^/]*root[^/]*\.jsonl?|[a-z-]+\.json)$/.test(file))
    .filter((file) => !file.includes('tuf-public-good/tuf-'));
  const found = new Map<string, Buffer>();
  for (const file of files) {
    const text = readData(`sigstore/${file}`).toString();
    for (const line of file.endsWith('.jsonl') ? text.trim().split('\n') : [text]) {
      for (const base64 of text.includes('{') ? certificatesIn(line) : [])
        found.set(base64, Buffer.from(base64, 'base64'));
    }
  }

  test('of every bundle and trusted root are read, with their keys', () => {
    expect(found.size).toBeGreaterThanOrEqual(60);
    for (const der of found.values()) {
      const certificate = parseCertificate(der);
      expect(certificate.publicKey().kind).toMatch(/^P-|^rsa$|^ed25519$/);
      expect([...certificate.extensions.values()].filter(({ critical }) => critical)).toEqual([]);
    }
  });

  test('are read as OpenSSL reads them', () => {
    for (const der of found.values()) {
      const ours = parseCertificate(der);
      const theirs = new X509Certificate(der);
      expect(ours.notBefore).toBe(Date.parse(theirs.validFrom));
      expect(ours.notAfter).toBe(Date.parse(theirs.validTo));
      expect(ours.isCa).toBe(theirs.ca);
      expect(ours.extendedKeyUsage).toEqual(theirs.keyUsage);
      expect(ours.serial.toString('hex').toUpperCase().replace(/^00/, '')).toBe(theirs.serialNumber);
      expect(ours.publicKey().object.equals(theirs.publicKey)).toBe(true);
      const uris = ours.names.filter(({ type }) => type === 'uri').map(({ value }) => `URI:${value}`);
      if (uris.length > 0) expect(theirs.subjectAltName).toBe(uris.join(', '));
    }
  });

  test('changed in one byte are read or refused', () => {
    const some = [...found.values()].filter((_, index) => index % 5 === 0);
    const bytes = fc.tuple(fc.constantFrom(...some), fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(bytes, ([der, at, bit]) => {
        const copy = Buffer.from(der);
        copy[at % copy.length]! ^= bit;
        try {
          parseCertificate(copy).publicKey();
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

/** Values of `rawBytes` that are certificates: below `certificates` and `certificate`. */
function certificatesIn(text: string): string[] {
  const found: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    const list = key === 'certificates' ? value : key === 'certificate' ? [value] : [];
    for (const each of list as { rawBytes?: string }[])
      if (typeof each?.rawBytes === 'string') found.push(each.rawBytes);
    return value;
  });
  return found;
}

/** `der` with one part exchanged for another; the lengths around it are those of a certificate's outer and signed part. */
function replace(der: Buffer, part: Buffer, other: Buffer): Buffer {
  const { tbs } = parseCertificate(der);
  const at = tbs.indexOf(part);
  const body = Buffer.concat([tbs.subarray(0, at), other, tbs.subarray(at + part.length)]);
  return wrap(sequence(body.subarray(headerLength(tbs))));
}

/** The signed part with its extensions exchanged. */
function withExtensions(tbs: Buffer, list: Buffer): Buffer {
  return wrap(sequence(beforeExtensions(tbs), explicitly(3, list)));
}

/** The signed part with more fields, before the extensions and behind them. */
function withFields(tbs: Buffer, before: readonly Buffer[], behind: readonly Buffer[] = []): Buffer {
  const front = beforeExtensions(tbs);
  const extensions = tbs.subarray(headerLength(tbs) + front.length);
  return wrap(sequence(front, ...before, extensions, ...behind));
}

function beforeExtensions(tbs: Buffer): Buffer {
  const first = parseCertificate(wrap(tbs)).spki;
  return tbs.subarray(headerLength(tbs), tbs.indexOf(first) + first.length);
}

/** With an algorithm and a signature that nobody checks here. */
function wrap(tbs: Buffer): Buffer {
  return sequence(tbs, sequence(oid('1.2.840.10045.4.3.2')), bits(Buffer.alloc(70)));
}

function headerLength(element: Buffer): number {
  return element[1]! < 0x80 ? 2 : 2 + (element[1]! & 0x7f);
}
