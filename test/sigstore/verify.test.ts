/** What verification as a whole must refuse; the parts have tests of their own. */
import { constants, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inTotoPayload, pae } from '../../src/sigstore/dsse.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import type { Artifact, ProvedTime, SignedEntity, TrustRoot } from '../../src/sigstore/types.ts';
import { mostTelling, outcomeOf, type VerifyOptions, verifyEntity } from '../../src/sigstore/verify.ts';
import { type Keys, makeAuthority, makeCertificate, makeKeys, spkiOf, timeStamping } from '../kit/certificate.ts';
import {
  artifactOf,
  bytes,
  certificatePem,
  certified,
  digest,
  digestsOnly,
  issuer,
  keyed,
  keyPem,
  leafShape,
  logged,
  makeInstance,
  signMessage,
  signStatement,
  statementAbout,
  who,
} from './instance.ts';
import { signedAt, testLog } from './log.ts';
import { expectRefusal } from './refusal.ts';

const instance = makeInstance();
const { root, leaf, log } = instance;
const signer = leaf();
const statement = statementAbout(bytes);
const good = certified(instance, signer, signStatement(signer, statement));
const goodMessage = certified(instance, signer, signMessage(signer, bytes));

const verify = (
  entity: SignedEntity,
  artifact: Artifact = artifactOf(bytes),
  trust: readonly TrustRoot[] = [root],
  options: VerifyOptions = {},
) => verifyEntity(entity, trust, artifact, options);
const keyOf = (keys: Parameters<typeof spkiOf>[0]) => publicKeyFromSpki(spkiOf(keys));

describe('a certificate', () => {
  it('verifies with its identity, times, log and statement', () => {
    const time: ProvedTime = { at: signedAt, source: 'log', by: 'https://log.example' };
    expect(verify(good)).toMatchObject({
      format: 'bundle v0.3',
      signer: { kind: 'certificate', trust: 'test', identity: { issuer, subject: { type: 'uri', value: who } } },
      times: [time],
      log: { by: 'https://log.example', index: 1000 },
      statement: { predicateType: 'https://example.com/predicate' },
    });
    expect(verify(goodMessage).statement).toBeUndefined();
  });

  it('is refused when its statement is about something else', () => {
    expectRefusal(() => verify(good, artifactOf(Buffer.from('other'))), 'wrong-subject', /about something else/);
    expectRefusal(() => verify(good, digestsOnly(Buffer.from('other'))), 'wrong-subject', /about something else/);
    // We hold nothing that the statement states.
    expectRefusal(() => verify(good, digestsOnly(bytes, 'sha512')), 'wrong-subject', /about something else/);
  });

  it('is refused when its message is another file', () => {
    expectRefusal(
      () => verify(goodMessage, artifactOf(Buffer.from('other'))),
      'invalid',
      /does not hold over "artifact"/,
    );
  });

  it('is refused when the payload is signed as another type', () => {
    for (const type of ['application/vnd.in-toto+json; x=1', 'text/plain', '', 'application/VND.in-toto+json']) {
      const entity = certified(instance, signer, signStatement(signer, statement, type));
      expectRefusal(() => verify(entity), 'unsupported', /no in-toto statement/);
    }
  });

  it('is refused when the payload type was changed after signing', () => {
    const content = signStatement(signer, statement, 'text/plain');
    const relabelled = { ...content, payloadType: 'application/vnd.in-toto+json' } as typeof content;
    expectRefusal(() => verify(certified(instance, signer, relabelled)), 'invalid', /does not hold over the statement/);
  });

  it.each([
    ['timestamps', [timeStamping]],
    ['servers', ['1.3.6.1.5.5.7.3.1']],
  ])('is refused when it is made for %s', (_, extendedKeyUsage) => {
    const other = leaf({ extendedKeyUsage });
    expectRefusal(() => verify(certified(instance, other, signStatement(other, statement))), 'invalid', /code signing/);
  });

  it('is refused when it does not say what it is made for', () => {
    const { extendedKeyUsage: _, ...shape } = leafShape;
    const other = makeCertificate({ ...shape, issuer: instance.intermediate });
    expectRefusal(() => verify(certified(instance, other, signStatement(other, statement))), 'invalid', /code signing/);
  });

  it('is refused with two names, of which a pin could hold either', () => {
    const other = leaf({ uris: [who, 'https://ci.example/evil'] });
    expectRefusal(
      () => verify(certified(instance, other, signStatement(other, statement))),
      'malformed',
      /2 alternative names/,
    );
  });

  it('is refused by a root that does not know it, or when there is none', () => {
    expectRefusal(
      () => verify(good, artifactOf(bytes), [makeInstance().root]),
      'untrusted',
      /log that the trusted root does not list/,
    );
    expectRefusal(() => verify(good, artifactOf(bytes), []), 'untrusted', /no trusted root/);
  });

  it('is found in the one root of several that knows it', () => {
    const other = makeInstance('other').root;
    expect(verify(good, artifactOf(bytes), [other, root]).signer).toMatchObject({ trust: 'test' });
  });

  it('is refused when one root knows its authority and another one its log', () => {
    const authorities = { ...root, tlogs: makeInstance().root.tlogs };
    const logs = { ...root, certificateAuthorities: makeInstance().root.certificateAuthorities };
    expectRefusal(() => verify(good, artifactOf(bytes), [authorities, logs]), 'untrusted', /./);
    expectRefusal(() => verify(good, artifactOf(bytes), [logs, authorities]), 'untrusted', /./);
  });

  it('is refused by a root whose authority was closed before it signed', () => {
    const closed = { ...instance.authority, validFor: { start: 0, end: signedAt - 1 } };
    const open = { ...instance.authority, validFor: { start: 0, end: signedAt } };
    expectRefusal(
      () => verify(good, artifactOf(bytes), [{ ...root, certificateAuthorities: [closed] }]),
      'invalid',
      /./,
    );
    expect(() => verify(good, artifactOf(bytes), [{ ...root, certificateAuthorities: [open] }])).not.toThrow();
  });

  it('is refused with a chain that leads to a root of its own', () => {
    const mine = makeAuthority();
    const forged = makeCertificate({ ...leafShape, issuer: mine.intermediate });
    const chain = [mine.intermediate.der, mine.root.der];
    const entity = certified(instance, forged, signStatement(forged, statement), {
      material: { kind: 'certificate', leaf: forged.der, chain },
    });
    expectRefusal(() => verify(entity), 'untrusted', /./);
  });

  it('may bring a root at the end of its chain, and is refused with one inside', () => {
    const [intermediate, anchor] = instance.authority.chain.map(({ der }) => der) as [Buffer, Buffer];
    const chained = (...chain: readonly Buffer[]) =>
      verify({ ...good, material: { kind: 'certificate', leaf: signer.der, chain } });
    expect(() => chained(intermediate, anchor)).not.toThrow();
    expect(() => chained(intermediate)).not.toThrow();
    expectRefusal(() => chained(anchor, intermediate), 'malformed', /root certificate stands inside/);
  });

  it('is unproved without any log entry where the root has logs', () => {
    expectRefusal(() => verify({ ...good, entries: [] }), 'unproved', /no transparency log entry/);
  });

  it('is unproved when nothing trusted says when it signed', () => {
    const [{ promise: _, integratedTime: _time, ...entry }] = good.entries as [(typeof good.entries)[0]];
    expectRefusal(
      () => verify({ ...good, entries: [{ ...entry, logIndex: entry.proof!.logIndex }] }),
      'unproved',
      /nothing that is trusted says when/,
    );
  });

  it('does not believe the time beside an entry that has a proof and no promise', () => {
    const [{ promise: _, ...entry }] = good.entries as [(typeof good.entries)[0]];
    expectRefusal(() => verify({ ...good, entries: [entry] }), 'unproved', /nothing that is trusted says when/);
  });

  it('is refused when it was not valid at every one of the proved times', () => {
    const [entry] = good.entries as [(typeof good.entries)[0]];
    const late = signedAt / 1000 + 3600;
    const second = { ...entry, logIndex: 1001, integratedTime: late, promise: log.promise(entry.body, late, 1001) };
    expectRefusal(() => verify({ ...good, entries: [entry, second] }), 'invalid', /valid from/);
    expectRefusal(() => verify({ ...good, entries: [second, entry] }), 'invalid', /valid from/);
  });

  it('is not helped by an entry of an unknown log, nor harmed by one beside a good one', () => {
    const stranger = logged(testLog(), good.content, certificatePem(signer.der));
    expectRefusal(() => verify({ ...good, entries: [stranger] }), 'untrusted', /does not list/);
    const { times, log } = verify(good);
    for (const entries of [
      [...good.entries, stranger],
      [stranger, ...good.entries],
    ]) {
      expect(verify({ ...good, entries })).toMatchObject({ times, log });
    }
  });

  it('is refused when an entry of an unknown log is about something else', () => {
    const stranger = logged(testLog(), goodMessage.content, certificatePem(signer.der));
    expect(outcomeOf(() => verify({ ...good, entries: [...good.entries, stranger] })).ok).toBe(false);
  });

  it('is refused when the log entry names another certificate with the same key', () => {
    const twin = leaf({ keys: signer });
    const entity = { ...good, entries: [logged(log, good.content, certificatePem(twin.der))] };
    expectRefusal(() => verify(entity), 'invalid', /another key or certificate/);
  });

  it('is refused when the log entry names a plain key', () => {
    const entity = { ...good, entries: [logged(log, good.content, keyPem(signer))] };
    expectRefusal(() => verify(entity), 'invalid', /another key or certificate/);
  });

  it('is refused when the log entry is about another signature by the same signer', () => {
    const again = signStatement(signer, statement);
    const entity = { ...good, entries: [logged(log, again, certificatePem(signer.der))] };
    expectRefusal(() => verify(entity), 'invalid', /another signature/);
  });

  it('is refused without a logged issuance where the root has certificate transparency logs', () => {
    const withCt = { ...root, ctlogs: [testLog().key] };
    expectRefusal(() => verify(good, artifactOf(bytes), [withCt]), 'unproved', /./);
  });
});

describe('a plain key', () => {
  const keys = makeKeys();
  const key = keyOf(keys);
  const entity = keyed(signStatement(keys, statement));

  it('verifies with nothing but itself', () => {
    expect(verify(entity, artifactOf(bytes), [], { key })).toMatchObject({
      signer: { kind: 'key', fingerprint: key.fingerprint },
      times: [],
    });
  });

  it('is refused when none is pinned, and when another one is', () => {
    expectRefusal(() => verify(entity), 'untrusted', /no key is pinned/);
    expectRefusal(() => verify(entity, artifactOf(bytes), [], { key: keyOf(makeKeys()) }), 'invalid', /does not hold/);
  });

  it('is refused over another subject', () => {
    expectRefusal(() => verify(entity, artifactOf(Buffer.from('x')), [], { key }), 'wrong-subject', /something else/);
  });

  it('does not make a certificate count', () => {
    expect(verify(good, artifactOf(bytes), [root], { key }).signer.kind).toBe('certificate');
  });

  it('proves the entry of a log that is known', () => {
    const entry = logged(log, entity.content, keyPem(keys));
    expect(verify({ ...entity, entries: [entry] }, artifactOf(bytes), [root], { key }).times).toHaveLength(1);
    const promise = Buffer.from(entry.promise!);
    promise[promise.length - 1]! ^= 1;
    const broken = { ...entity, entries: [{ ...entry, promise }] };
    expectRefusal(() => verify(broken, artifactOf(bytes), [root], { key }), 'invalid', /promise/);
    // Nobody here knows the log: the pinned key is enough, and the time is nobody's.
    expect(verify(broken, artifactOf(bytes), [], { key }).times).toEqual([]);
  });

  it('is refused with the entry of any log that is about something else', () => {
    const entry = logged(testLog(), signStatement(keys, statement), keyPem(keys));
    expectRefusal(
      () => verify({ ...entity, entries: [entry] }, artifactOf(bytes), [root], { key }),
      'invalid',
      /another signature/,
    );
    const foreign = logged(testLog(), entity.content, keyPem(makeKeys()));
    expectRefusal(
      () => verify({ ...entity, entries: [foreign] }, artifactOf(bytes), [root], { key }),
      'invalid',
      /another key/,
    );
  });

  it('counts only within its validity, and only with a proved time', () => {
    const withLog = { ...entity, entries: [logged(log, entity.content, keyPem(keys))] };
    const during = (start: number, end: number) => ({ key, keyValidFor: { start, end } });
    expect(() => verify(withLog, artifactOf(bytes), [root], during(signedAt, signedAt))).not.toThrow();
    expectRefusal(
      () => verify(withLog, artifactOf(bytes), [root], during(0, signedAt - 1)),
      'invalid',
      /was not valid/,
    );
    expectRefusal(
      () => verify(withLog, artifactOf(bytes), [root], during(signedAt + 1, signedAt + 2)),
      'invalid',
      /was not valid/,
    );
    expectRefusal(
      () => verify(entity, artifactOf(bytes), [root], during(0, signedAt)),
      'unproved',
      /nothing trusted says when/,
    );
  });
});

describe('a message', () => {
  it.each(['P-256', 'P-384', 'P-521', 'rsa'] as const)('by %s over SHA-256 verifies by bytes and by digest', (kind) => {
    const keys = makeKeys(kind);
    const options = { key: keyOf(keys) };
    const entity = keyed(signMessage(keys, bytes, 'sha256'));
    expect(() => verify(entity, artifactOf(bytes), [], options)).not.toThrow();
    expectRefusal(() => verify(entity, artifactOf(Buffer.from('x')), [], options), 'invalid', /does not hold/);
    expect(() => verify(entity, digestsOnly(bytes, 'sha256', 'sha384', 'sha512'), [], options)).not.toThrow();
    const others = digestsOnly(Buffer.from('x'), 'sha256', 'sha384', 'sha512');
    expectRefusal(() => verify(entity, others, [], options), 'invalid', /does not hold/);
  });

  it.each([
    ['P-384', 'sha384'],
    ['P-521', 'sha512'],
  ] as const)('by %s over its own hash is unproved by SHA-256 alone', (kind, hash) => {
    const keys = makeKeys(kind);
    const options = { key: keyOf(keys) };
    const entity = keyed(signMessage(keys, bytes, hash));
    expect(() => verify(entity, artifactOf(bytes), [], options)).not.toThrow();
    expect(() => verify(entity, digestsOnly(bytes, 'sha256', hash), [], options)).not.toThrow();
    expectRefusal(() => verify(entity, digestsOnly(bytes, 'sha256'), [], options), 'unproved', /the file is needed/);
  });

  it('by Ed25519 verifies by bytes and is unproved by digest', () => {
    const keys = makeKeys('ed25519');
    const options = { key: keyOf(keys) };
    const entity = keyed(signMessage(keys, bytes));
    expect(() => verify(entity, artifactOf(bytes), [], options)).not.toThrow();
    expectRefusal(() => verify(entity, digestsOnly(bytes), [], options), 'unproved', /Ed25519/);
  });

  it('is refused when the digest beside it is another one, whatever the signature', () => {
    const keys = makeKeys();
    const content = signMessage(keys, bytes);
    const hinted = (value: string) =>
      keyed({ ...content, digest: { algorithm: 'sha256', value: Buffer.from(value, 'hex') } } as typeof content);
    expect(() => verify(hinted(digest('sha256', bytes)), artifactOf(bytes), [], { key: keyOf(keys) })).not.toThrow();
    expectRefusal(
      () => verify(hinted('00'.repeat(32)), artifactOf(bytes), [], { key: keyOf(keys) }),
      'wrong-subject',
      /said to be over/,
    );
  });
});

describe('a signature that is written as in-toto and the key services of clouds write it', () => {
  it.each(['P-256', 'P-384', 'P-521'] as const)(
    'holds with r and s of %s side by side, and for nothing else',
    (kind) => {
      const keys = makeKeys(kind);
      const options = { key: keyOf(keys) };
      for (let round = 0; round < 8; round++) {
        const message = keyed({ kind: 'message', signature: fixed(keys, bytes) });
        expect(() => verify(message, artifactOf(bytes), [], options)).not.toThrow();
        expect(() => verify(message, digestsOnly(bytes, 'sha256', 'sha384', 'sha512'), [], options)).not.toThrow();
        expectRefusal(() => verify(message, artifactOf(Buffer.from('x')), [], options), 'invalid', /does not hold/);
        expect(() => verify(enveloped(fixed, keys), artifactOf(bytes), [], options)).not.toThrow();
      }
      expectRefusal(
        () => verify(enveloped(fixed, keys), artifactOf(bytes), [], { key: keyOf(makeKeys(kind)) }),
        'invalid',
        /does not hold over the statement/,
      );
      const wrong = [Buffer.alloc(64), Buffer.alloc(96, 0xff), Buffer.alloc(132), fixed(keys, bytes).subarray(1)];
      for (const signature of wrong) {
        expectRefusal(
          () => verify(keyed({ kind: 'message', signature }), artifactOf(bytes), [], options),
          'invalid',
          /does not hold/,
        );
      }
    },
  );

  it.each([
    ['as long as the hash', constants.RSA_PSS_SALTLEN_DIGEST],
    ['as long as it can be', constants.RSA_PSS_SALTLEN_MAX_SIGN],
  ])('holds over a statement by RSASSA-PSS with a salt %s', (_, saltLength) => {
    const keys = makeKeys('rsa');
    const pss = ({ privateKey }: Keys, data: Buffer) =>
      sign('sha256', data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    const entity = enveloped(pss, keys);
    expect(() => verify(entity, artifactOf(bytes), [], { key: keyOf(keys) })).not.toThrow();
    const others = [
      [entity, makeKeys('rsa')],
      [enveloped((signer) => pss(signer, Buffer.from('something else')), keys), keys],
    ] as const;
    for (const [each, signer] of others) {
      expectRefusal(() => verify(each, artifactOf(bytes), [], { key: keyOf(signer) }), 'invalid', /does not hold/);
    }
    expectRefusal(
      () => verify(entity, artifactOf(Buffer.from('x')), [], { key: keyOf(keys) }),
      'wrong-subject',
      /else/,
    );
  });

  function fixed({ privateKey }: Keys, data: Buffer): Buffer {
    return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  }

  function enveloped(by: (keys: Keys, data: Buffer) => Buffer, keys: Keys): SignedEntity {
    const payload = Buffer.from(JSON.stringify(statement));
    return keyed({
      kind: 'dsse',
      payloadType: inTotoPayload,
      payload,
      signature: by(keys, pae(inTotoPayload, payload)),
    });
  }
});

describe('failures', () => {
  it('are values at the door, and bugs are not', () => {
    expect(outcomeOf(() => 1)).toEqual({ ok: true, value: 1 });
    expect(outcomeOf(() => verify(good, artifactOf(bytes), []))).toMatchObject({
      ok: false,
      failure: { code: 'untrusted' },
    });
    expect(() =>
      outcomeOf(() => {
        throw new TypeError('bug');
      }),
    ).toThrow(TypeError);
  });

  it('are told by the one that says most', () => {
    const [untrusted, invalid] = [new VerifyError('untrusted', 'a'), new VerifyError('invalid', 'b')];
    expect(mostTelling([untrusted, invalid, untrusted])).toBe(invalid);
    expect(mostTelling([])).toBeUndefined();
  });
});
