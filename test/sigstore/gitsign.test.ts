import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gitsignClaim, verifyGitsign } from '../../src/sigstore/gitsign.ts';
import type { TrustRoot } from '../../src/sigstore/types.ts';
import { makeAuthority, makeCertificate, makeKeys, timeStamping } from '../kit/certificate.ts';
import { element, explicitly, integer, octets, oid, sequence, utf8 } from '../kit/der.ts';
import {
  armour,
  type CommitShape,
  entryBody,
  entryOid,
  payload,
  signCommit,
  wireBytes,
  wireNumber,
} from './gitsign-commit.ts';
import { issuer, leafShape, makeInstance, who } from './instance.ts';
import { signedAt, testLog } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';
import { attribute, makeTimestamp } from './tsa.ts';

const instance = makeInstance();
const leaf = instance.leaf();
const other = makeInstance('other');
const tokenOid = '1.2.840.113549.1.9.16.2.14';

function commit(shape: Partial<CommitShape> = {}) {
  return signCommit(instance, { leaf, ...shape });
}

function verify(shape: Partial<CommitShape> = {}, roots: readonly TrustRoot[] = [instance.root], content = payload) {
  return verifyGitsign(commit(shape).armored, content, roots);
}

describe('a commit signature by certificate', () => {
  it('names its signer, the trusted root and the time of its log', () => {
    const { identity, trust, times } = verify();
    expect([identity.issuer, identity.subject]).toEqual([issuer, { type: 'uri', value: who }]);
    expect(trust).toBe('test');
    expect(times).toEqual([{ at: signedAt, source: 'log', by: 'https://log.example' }]);
  });

  it.each<readonly [string, Partial<CommitShape>]>([
    ['labelled CMS', { label: 'CMS' }],
    ['labelled PKCS7', { label: 'PKCS7' }],
    ['of version 3', { version: 3 }],
    ['by key id', { keyId: leaf.certificate.subjectKeyId!, version: 3 }],
    ['with a digest by SHA-512', { digest: 'sha512' }],
    ['with its chain, in any order', { certificates: [...instance.authority.chain.map(({ der }) => der), leaf.der] }],
    ['with a certificate that cannot be read', { certificates: [sequence(integer(1)), leaf.der] }],
    ['with the body of the entry', { withBody: true }],
    ['with the promise alone', { entry: () => ({ proof: undefined as never }) }],
    ['with other unsigned attributes', { unsigned: (entry) => [entry, attribute('1.2.3', integer(1), integer(2))] }],
    ['with more signed attributes', { signed: (usual) => [...usual, attribute('1.2.3', integer(1))] }],
  ])('may come %s', (_, shape) => {
    expect(verify(shape).times).toHaveLength(1);
  });

  it('may be timed by an authority as well, and by it alone where the root has no log', () => {
    const authority = timestampAuthority();
    const stamped: TrustRoot = { ...instance.root, timestampAuthorities: [authority.authority] };
    const { signature } = commit();
    const token = attribute(tokenOid, authority.stamp(signature));
    const both = verify({ signature, unsigned: (entry) => [entry, token] }, [stamped]);
    expect(both.times.map(({ source }) => source)).toEqual(['log', 'timestamp-authority']);
    const alone = verify({ signature, unsigned: () => [token] }, [{ ...stamped, tlogs: [] }]);
    expect(alone.times.map(({ source }) => source)).toEqual(['timestamp-authority']);
    const shape = { signature, unsigned: () => [token] };
    expectRefusal(() => verify(shape, [stamped]), 'unproved', /no transparency log entry/);
  });

  it('is refused where a timestamp of a listed authority is over another signature', () => {
    const authority = timestampAuthority();
    const root = { ...instance.root, timestampAuthorities: [authority.authority] };
    const token = attribute(tokenOid, authority.stamp(Buffer.from('another')));
    expectRefusal(() => verify({ unsigned: (entry) => [entry, token] }, [root]), 'invalid', /another signature/);
  });

  it('is not hurt by a timestamp of an authority that is not listed', () => {
    const { signature } = commit();
    const token = attribute(tokenOid, timestampAuthority().stamp(signature));
    expect(verify({ signature, unsigned: (entry) => [entry, token] }).times).toHaveLength(1);
  });

  it('is refused when the commit was changed', () => {
    const changed = Buffer.from(payload.toString().replace('add', 'odd'));
    expectRefusal(() => verify({}, [instance.root], changed), 'invalid', /about other content/);
  });

  it('is refused when the signature does not hold', () => {
    const { signature } = signCommit(instance, { leaf: instance.leaf() });
    expectRefusal(() => verify({ signature }), 'invalid', /signature does not hold/);
  });

  it('is refused by roots that do not know its issuer, and never by a mix of two', () => {
    expectRefusal(() => verify({}, [other.root]), 'untrusted', /issuer/);
    expectRefusal(() => verify({}, []), 'untrusted', /issuer/);
    const mixed = { ...instance.root, tlogs: other.root.tlogs };
    expectRefusal(() => verify({}, [mixed, other.root]), 'untrusted', /log/);
  });

  it('is found under the second of two roots', () => {
    expect(verify({}, [other.root, instance.root]).trust).toBe('test');
  });

  it('is refused when the log saw it after its certificate had expired', () => {
    const short = instance.leaf({ notAfter: signedAt - 1000 });
    expectRefusal(() => verify({ leaf: short }), 'invalid', /certificate of .* is valid/);
  });

  it('is refused by a certificate that is not for code signing, or has no name of a signer', () => {
    const mail = instance.leaf({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] });
    expectRefusal(() => verify({ leaf: mail }), 'invalid', /not for code signing/);
    expectRefusal(() => verify({ leaf: instance.leaf({ uris: [] }) }), 'malformed', /no alternative name/);
  });

  it('is refused where the root has certificate transparency logs and the certificate no timestamp of one', () => {
    const root = { ...instance.root, ctlogs: [testLog().key] };
    expectRefusal(() => verify({}, [root]), 'unproved', /certificate transparency/);
    expectRefusal(() => verify({ unsigned: null }, [root]), 'unproved', /certificate transparency/);
  });

  it('is refused when a certificate only names a listed issuer, whose key did not sign it', () => {
    const { intermediate } = instance;
    const posing = { ...makeAuthority().intermediate, certificate: intermediate.certificate };
    const forged = makeCertificate({ ...leafShape, issuer: posing, keyIds: false });
    expectRefusal(() => verify({ leaf: forged }), 'invalid', /was not signed by/);
    expectRefusal(() => verify({ leaf: forged, unsigned: null }), 'invalid', /was not signed by/);
  });

  it('names whom the certificate claims, proved or not', () => {
    expect(gitsignClaim(commit({ unsigned: null }).armored)).toBe(`${who} (${issuer})`);
    expect(gitsignClaim(commit({ leaf: makeCertificate({ subject: 'mail' }) }).armored)).toMatch(/mail/);
    expect(gitsignClaim('no signature')).toBeUndefined();
  });
});

describe('a commit signature without a time', () => {
  it('is unproved, and says why', () => {
    expectRefusal(() => verify({ unsigned: null }), 'unproved', /rekorMode=offline/);
    expectRefusal(() => verify({ unsigned: () => [] }), 'unproved', /logged the id of the commit/);
  });

  it('is first checked as far as it can be', () => {
    const unsigned = null;
    const changed = Buffer.from('tree 0');
    expectRefusal(() => verify({ unsigned }, [instance.root], changed), 'invalid', /other content/);
    expectRefusal(() => verify({ unsigned }, [other.root]), 'untrusted', /issuer/);
    const mail = instance.leaf({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] });
    expectRefusal(() => verify({ unsigned, leaf: mail }), 'invalid', /not for code signing/);
  });

  it('is not timed by the time that its signer states', () => {
    const { message } = refusalOf(() => verify({ entry: () => ({ promise: undefined as never }) }));
    expect(message).toMatch(/needs a time/);
  });
});

describe('the log entry inside a commit signature', () => {
  it.each<readonly [string, (usual: Buffer) => Buffer]>([
    ['another commit', (usual) => swapDigest(usual, Buffer.from('other attributes'))],
    ['the commit id, as gitsign logs it online', (usual) => swapDigest(usual, Buffer.alloc(40, 'a'))],
    ['another signature', swapSignature],
    ['another certificate', swapCertificate],
  ])('must not be about %s', (_, body) => {
    expectRefusal(() => verify({ body }), 'invalid', /promise|proof|root hash/);
    const refusal = refusalOf(() => verify({ body, withBody: true }));
    expect(['invalid', 'wrong-subject']).toContain(refusal.code);
    expect(refusal.message).toMatch(/^the log entry is about/);
  });

  it('must be of a log that the root lists', () => {
    const strange = signCommit({ log: other.log }, { leaf });
    const refused = () => verifyGitsign(strange.armored, payload, [instance.root]);
    expectRefusal(refused, 'untrusted', /log that the trusted root does not list/);
  });

  it.each<readonly [string, NonNullable<CommitShape['entry']>, RegExp]>([
    ['another time', ({ integratedTime }) => ({ integratedTime: integratedTime! + 1 }), /promise/],
    ['another index', ({ logIndex }) => ({ logIndex: logIndex + 1 }), /promise/],
    ['no time', () => ({ integratedTime: 0 }), /no time/],
    ['another root hash', ({ proof }) => ({ proof: { ...proof!, rootHash: Buffer.alloc(32, 1) } }), /./],
    [
      'another checkpoint',
      ({ proof }) => ({ proof: { ...proof!, checkpoint: other.log.checkpoint(3, proof!.rootHash) } }),
      /./,
    ],
  ])('must not have %s', (_, entry, message) => {
    const refusal = refusalOf(() => verify({ entry }));
    expect(['invalid', 'malformed', 'untrusted']).toContain(refusal.code);
    expect(refusal.message).toMatch(message);
  });

  it('needs promise or proof', () => {
    const entry = () => ({ promise: undefined as never, proof: undefined as never });
    expectRefusal(() => verify({ entry }), 'unproved', /neither promise nor proof/);
  });

  it('without a body must be of the kind whose body is known', () => {
    const entry = () => ({ kind: { kind: 'hashedrekord', version: '0.0.2' } });
    expectRefusal(() => verify({ entry }), 'unsupported', /no body/);
    expectRefusal(() => verify({ entry, withBody: true }), 'invalid', /another kind/);
  });

  it.each<readonly [string, (whole: Buffer) => Buffer, RegExp]>([
    ['an unknown field', (whole) => Buffer.concat([whole, wireBytes(9, Buffer.from('x'))]), /unknown field 9/],
    ['a field twice', (whole) => Buffer.concat([whole, wireNumber(4, 5)]), /integratedTime stands twice/],
    [
      'a field of another type',
      (whole) => Buffer.concat([wireBytes(1, Buffer.from('x')), whole]),
      /logIndex is of a wrong type/,
    ],
    ['a fixed-width field', (whole) => Buffer.concat([Buffer.of(1 * 8 + 1), Buffer.alloc(8), whole]), /wrong type/],
    [
      'a negative number',
      (whole) => Buffer.concat([Buffer.of(32), Buffer.alloc(9, 0xff), Buffer.of(1), whole]),
      /2\^53/,
    ],
    ['a padded number', (whole) => Buffer.concat([Buffer.of(32, 0x80, 0x00), whole]), /padded/],
    ['a length beyond its end', (whole) => Buffer.concat([whole, Buffer.of(7 * 8 + 2, 0xff, 0x7f, 0)]), /cut off/],
    ['a key that is cut off', (whole) => Buffer.concat([whole, Buffer.of(0x80)]), /cut off/],
    ['nothing', () => Buffer.alloc(0), /has no kind/],
  ])('is refused with %s', (_, change, message) => {
    const unsigned = (_entry: Buffer, whole: Buffer) => [attribute(entryOid, octets(change(whole)))];
    expectRefusal(() => verify({ unsigned }), 'malformed', message);
  });

  it('is refused with hashes without end, or of another length', () => {
    const hashes = Array.from({ length: 65 }, () => Buffer.alloc(32));
    expectRefusal(() => verify({ entry: ({ proof }) => ({ proof: { ...proof!, hashes } }) }), 'malformed', /too often/);
    const short = [Buffer.alloc(31)];
    expectRefusal(() => verify({ entry: ({ proof }) => ({ proof: { ...proof!, hashes: short } }) }), 'malformed', /32/);
  });

  it('is refused without a checkpoint, and where several are embedded', () => {
    expectRefusal(
      () => verify({ entry: ({ proof }) => ({ proof: { ...proof!, checkpoint: '' } }) }),
      'malformed',
      /envelope/,
    );
    const twice = (_entry: Buffer, whole: Buffer) => [attribute(entryOid, octets(whole), octets(whole))];
    expectRefusal(() => verify({ unsigned: twice }), 'malformed', /exactly one value/);
    expectRefusal(() => verify({ unsigned: (entry) => [entry, entry] }), 'malformed', /stands twice/);
  });

  it('may be spread over attributes of their own, as in January 2023', () => {
    const { signature, attributes } = commit();
    const body = entryBody(attributes, signature, leaf.der);
    const entry = instance.log.entry(body);
    const hex = (bytes: Buffer) => element(0x13, Buffer.from(bytes.toString('hex')));
    const list = (time: number, checkpoint = entry.proof.checkpoint) => [
      oldField(0, integer(time)),
      oldField(1, hex(entry.logId)),
      oldField(2, integer(entry.logIndex)),
      oldField(3, octets(entry.promise)),
      oldField(4, utf8(checkpoint)),
      oldField(5, sequence(...entry.proof.hashes.map(hex))),
      oldField(6, hex(entry.proof.rootHash)),
      oldField(7, integer(entry.proof.treeSize)),
      oldField(8, integer(entry.proof.logIndex)),
    ];
    const good = list(signedAt / 1000);
    expect(verify({ signature, unsigned: () => good }).times[0]?.at).toBe(signedAt);
    const wrong = { signature, unsigned: () => list(signedAt / 1000 + 1) };
    expectRefusal(() => verify(wrong), 'invalid', /promise/);
    for (const left of good.keys()) {
      if (left === 1) continue;
      const shape = { signature, unsigned: () => good.filter((_, at) => at !== left) };
      expectRefusal(() => verify(shape), 'malformed', new RegExp(`no attribute \\.${left}`));
    }
    const upper = [...good];
    upper[1] = oldField(1, element(0x13, Buffer.from(entry.logId.toString('hex').toUpperCase())));
    expectRefusal(() => verify({ signature, unsigned: () => upper }), 'malformed', /hex/);
  });
});

describe('the CMS of a commit signature', () => {
  it.each<readonly [string, Partial<CommitShape>, RegExp]>([
    ['two signers', { signers: 2 }, /exactly one signer/],
    ['no signer', { signers: 0 }, /exactly one signer/],
    ['no signed attributes', { signed: null }, /./],
    ['content of its own', { content: payload }, /not detached/],
    ['a signed attribute twice', { signed: (usual) => [...usual, usual[1]!] }, /stands twice/],
    ['no digest', { signed: (usual) => usual.slice(0, 2) }, /./],
    ['no content type', { signed: (usual) => usual.slice(1) }, /./],
    ['two certificates of one name', { certificates: [leaf.der, twinOf()] }, /two certificates/],
    ['an unknown label', { label: 'PGP MESSAGE' }, /armour/],
    [
      'timestamps without end',
      { unsigned: () => [attribute(tokenOid, ...Array<Buffer>(9).fill(sequence()))] },
      /timestamps/,
    ],
  ])('is refused with %s', (_, shape, message) => {
    expectRefusal(() => verify(shape), 'malformed', message);
  });

  it('is refused with content of another type, or another version', () => {
    expectRefusal(() => verify({ contentType: '1.2.840.113549.1.9.16.1.4' }), 'unsupported', /content of the type/);
    expectRefusal(() => verify({ version: 2 }), 'unsupported', /version is not 1 or 3/);
  });

  it('is refused with a digest of the commit under another content type', () => {
    const signed = ([, time, digest]: readonly Buffer[]) => [
      attribute('1.2.840.113549.1.9.3', oid('1.2.840.113549.1.7.5')),
      time!,
      digest!,
    ];
    expectRefusal(() => verify({ signed }), 'invalid', /another type/);
  });

  it('is refused when the signature covers another spelling of the algorithm', () => {
    const signatureAlgorithm = sequence(oid('1.2.840.10045.4.3.4'));
    expectRefusal(() => verify({ signatureAlgorithm }), 'invalid', /does not hold/);
    const sha1 = sequence(oid('1.2.840.10045.4.1'));
    expectRefusal(() => verify({ signatureAlgorithm: sha1 }), 'unsupported', /SHA-1/);
  });

  it('is refused without the certificate of the signer', () => {
    const certificates = [instance.leaf().der];
    expectRefusal(() => verify({ certificates }), 'untrusted', /not in the signature/);
  });

  it('is refused as one block too many, as no PEM, and as BER', () => {
    const { armored, der } = commit();
    const refused = (text: string) => () => verifyGitsign(text, payload, [instance.root]);
    expectRefusal(refused(armored + armored), 'malformed', /one block/);
    expectRefusal(refused(`x\n${armored}`), 'malformed', /outside/);
    expectRefusal(refused(armored.replace('M', '!')), 'malformed', /./);
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(4), Buffer.of(0, 0)]);
    expectRefusal(refused(armour(indefinite)), 'unsupported', /BER, as gpgsm/);
    expectRefusal(refused(armour(Buffer.concat([der, Buffer.of(0)]))), 'malformed', /after the end/);
  });

  it('works with the keys that an authority may certify', () => {
    const strong = instance.leaf({ keys: makeKeys('rsa') });
    const signatureAlgorithm = sequence(oid('1.2.840.113549.1.1.1'), element(0x05));
    expect(verify({ leaf: strong, signatureAlgorithm }).times).toHaveLength(1);
  });
});

describe('whatever stands in a commit signature', () => {
  const { armored, der } = commit();

  it('with any byte changed is refused, or says the same', () => {
    const good = verifyGitsign(armored, payload, [instance.root]);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const spoiled = Buffer.from(der);
        spoiled[at]! ^= change;
        let got: unknown;
        try {
          got = verifyGitsign(armour(spoiled), payload, [instance.root]);
        } catch {
          refusalOf(() => verifyGitsign(armour(spoiled), payload, [instance.root]));
          return;
        }
        expect(got).toEqual(good);
      }),
      { numRuns: 400 },
    );
  });

  it('ends with a refusal for any bytes', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => armour(Buffer.from(bytes))),
      fc.string({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => {
        const unsigned = () => [attribute(entryOid, octets(Buffer.from(bytes)))];
        return commit({ unsigned }).armored;
      }),
      fc.uint8Array({ maxLength: 80 }).map((bytes) => armour(wrapped(Buffer.from(bytes)))),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(refusalOf(() => verifyGitsign(text, payload, [instance.root])).code).toMatch(/./);
      }),
      { numRuns: 300 },
    );
  });
});

function wrapped(bytes: Buffer): Buffer {
  return sequence(oid('1.2.840.113549.1.7.2'), explicitly(0, sequence(integer(1), element(0x31), sequence(bytes))));
}

function oldField(number: number, value: Buffer): Buffer {
  return attribute(`1.3.6.1.4.1.57264.3.${number}`, value);
}

interface Body {
  readonly spec: {
    readonly data: object;
    readonly signature: { readonly content: string; readonly publicKey: object };
  };
}

function swapDigest(usual: Buffer, signed: Buffer): Buffer {
  const { data } = parts(entryBody(signed, Buffer.alloc(0), leaf.der)).spec;
  const body = parts(usual);
  return written({ ...body, spec: { ...body.spec, data } });
}

function swapSignature(usual: Buffer): Buffer {
  const body = parts(usual);
  const content = commit().signature.toString('base64');
  return written({ ...body, spec: { ...body.spec, signature: { ...body.spec.signature, content } } });
}

function swapCertificate(usual: Buffer): Buffer {
  const { publicKey } = parts(entryBody(Buffer.alloc(0), Buffer.alloc(0), twinOf())).spec.signature;
  const body = parts(usual);
  return written({ ...body, spec: { ...body.spec, signature: { ...body.spec.signature, publicKey } } });
}

function parts(body: Buffer): Body {
  return JSON.parse(body.toString()) as Body;
}

function written(body: Body): Buffer {
  return Buffer.from(JSON.stringify(body));
}

/** Another certificate with the issuer and number of the signer's. */
function twinOf(): Buffer {
  return instance.leaf({ serial: leaf.certificate.serial }).der;
}

function timestampAuthority() {
  const made = makeAuthority({ purpose: timeStamping });
  const signer = makeCertificate({
    subject: 'stamps',
    issuer: made.intermediate,
    notBefore: signedAt - 3600_000,
    notAfter: signedAt + 3600_000,
    extendedKeyUsage: [timeStamping],
    extendedKeyUsageCritical: true,
  });
  const authority = { ...made.authority, chain: [signer.certificate, ...made.authority.chain] };
  const genTime = `${new Date(signedAt).toISOString().replace(/[-:T]|\..*$/g, '')}Z`;
  const stamp = (signed: Buffer) => makeTimestamp({ signer, signed, genTime, bare: true });
  return { authority, stamp };
}
