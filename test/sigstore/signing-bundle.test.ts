import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { inTotoPayload } from '../../src/sigstore/dsse.ts';
import type { JsonObject } from '../../src/sigstore/json.ts';
import { predicateTypes, predicateTypeUri } from '../../src/sigstore/predicate-types.ts';
import { parseSigningKey } from '../../src/sigstore/signing-key.ts';
import { parseStatement } from '../../src/sigstore/statement.ts';
import type { Artifact, LogEntry, SignedEntity } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import {
  checkedBundle,
  digestsOf,
  formatBundle,
  keyHint,
  signWithKey,
  type Unsigned,
} from '../../src/sigstore/write-bundle.ts';
import { formatStatement } from '../../src/sigstore/write-statement.ts';

const bytes = Buffer.from('the artifact');
const artifact: Artifact = { name: 'app', digests: digestsOf(bytes), bytes };
const other: Artifact = { name: 'other', digests: digestsOf(Buffer.from('other')), bytes: Buffer.from('other') };
const statement = formatStatement(artifact, 'https://example.com/x/v1', { b: 1, a: [true, null] } as JsonObject);
const dsse: Unsigned = { kind: 'dsse', payloadType: inTotoPayload, payload: statement };
const message: Unsigned = { kind: 'message', artifact: bytes };

const newKey = (kind: string) => {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
};
const signingKey = (kind: string) =>
  parseSigningKey(newKey(kind).export({ type: 'pkcs8', format: 'pem' }).toString(), undefined, 'key');

describe.each(['P-256', 'P-384', 'P-521', 'rsa', 'ed25519'])('what a key of the kind %s signs', (kind) => {
  it.each([
    ['a statement', dsse],
    ['a file', message],
  ] as const)('is verified as %s, by this key and about this artifact only', async (_, unsigned) => {
    const [key, stranger] = [await signingKey(kind), await signingKey(kind)];
    const text = checkedBundle(signWithKey(unsigned, key), artifact, [], key.publicKey);
    const entity = parseBundle(text);
    const { signer, times } = verifyEntity(entity, [], artifact, { key: key.publicKey });
    expect([signer, times]).toEqual([{ kind: 'key', fingerprint: key.publicKey.fingerprint }, []]);
    expect(() => verifyEntity(entity, [], artifact, { key: stranger.publicKey })).toThrow(/does not hold/);
    expect(() => verifyEntity(entity, [], other, { key: key.publicKey })).toThrow(/something else/);
    expect(() => verifyEntity(entity, [], artifact)).toThrow(/no key is pinned/);
  });
});

describe('a bundle', () => {
  it('is one line of JSON in a fixed order, with the hint that cosign writes', async () => {
    const key = await signingKey('rsa');
    const text = formatBundle(signWithKey(dsse, key));
    const signature = key.sign(Buffer.from(`DSSEv1 28 ${inTotoPayload} ${statement.length} ${statement}`));
    const hint = createHash('sha256').update(key.publicKey.spki).digest('base64');
    expect(keyHint(key.publicKey)).toBe(hint);
    // PKCS#1 v1.5 is deterministic.
    expect(text).toBe(
      `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"${hint}"}},` +
        `"dsseEnvelope":{"payload":"${statement.toString('base64')}","payloadType":"${inTotoPayload}",` +
        `"signatures":[{"sig":"${signature.toString('base64')}"}]}}`,
    );
  });

  it('that does not verify is never handed out, whatever is wrong with it', async () => {
    const [key, stranger] = [await signingKey('P-256'), await signingKey('P-256')];
    const attempts: ReadonlyArray<() => unknown> = [
      () => checkedBundle(signWithKey(dsse, key), other, [], key.publicKey),
      () => checkedBundle(signWithKey(dsse, key), artifact, [], stranger.publicKey),
      () => checkedBundle(signWithKey(message, key), other, [], key.publicKey),
      () => checkedBundle(signWithKey(dsse, key), artifact, []),
      () => checkedBundle(signWithKey({ ...dsse, payloadType: 'text/plain' }, key), artifact, [], key.publicKey),
      () => checkedBundle(signWithKey({ ...dsse, payload: Buffer.from('{}') }, key), artifact, [], key.publicKey),
    ];
    for (const attempt of attempts) {
      expect(attempt).toThrow(OperationalError);
      expect(attempt).toThrow(/the new bundle does not verify, so it was not written: /);
    }
  });

  it('is read back as it was written, for any signature with any evidence', () => {
    const some = (max: number) => fc.uint8Array({ minLength: 1, maxLength: max }).map((each) => Buffer.from(each));
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => Buffer.from(each));
    const index = fc.oneof(fc.constant(0), fc.maxSafeNat());
    const entry: fc.Arbitrary<LogEntry> = fc
      .record({
        logIndex: index,
        logId: hash,
        kind: fc.record({ kind: fc.string(), version: fc.string() }),
        integratedTime: fc.integer({ min: 1 }),
        promise: fc.option(some(80), { nil: undefined }),
        proof: fc.record({
          logIndex: index,
          treeSize: index,
          rootHash: hash,
          hashes: fc.array(hash, { maxLength: 4 }),
          checkpoint: fc.string(),
        }),
        body: some(100),
      })
      .map(({ promise, ...rest }) => (promise === undefined ? rest : { ...rest, promise }));
    const content = fc.oneof(
      fc.record({
        kind: fc.constant('dsse' as const),
        payloadType: fc.string(),
        payload: some(50),
        signature: some(80),
      }),
      fc.record({
        kind: fc.constant('message' as const),
        signature: some(80),
        digest: fc.record({ algorithm: fc.constant('sha256' as const), value: hash }),
      }),
    );
    const material = fc.oneof(
      fc.record({ kind: fc.constant('certificate' as const), leaf: some(200), chain: fc.constant([]) }),
      fc.record({ kind: fc.constant('key' as const), hint: fc.string({ minLength: 1 }) }),
    );
    const entity: fc.Arbitrary<SignedEntity> = fc.record({
      format: fc.constant('bundle v0.3'),
      content,
      material,
      entries: fc.uniqueArray(entry, { maxLength: 3, selector: (each) => each.logIndex }),
      timestamps: fc.uniqueArray(some(40), { maxLength: 2, selector: (each) => each.toString('hex') }),
      requires: fc.constant('proof' as const),
    });
    const wellFormed = (each: SignedEntity) => JSON.stringify(each).isWellFormed();
    fc.assert(
      fc.property(entity.filter(wellFormed), (each) => {
        const text = formatBundle(each);
        expect(parseBundle(text)).toEqual(each);
        expect(formatBundle(parseBundle(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a statement', () => {
  it('has its members in one order, whatever the predicate is', () => {
    const subject = { name: 'app', digests: new Map([['sha256', 'ab'.repeat(32)]]) };
    expect(formatStatement(subject, 'https://example.com/x', { z: 1, a: 2 } as JsonObject).toString()).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"${'ab'.repeat(32)}"}}],` +
        '"predicateType":"https://example.com/x","predicate":{"z":1,"a":2}}',
    );
  });

  it('is read back by the verifier with the same subject and predicate', () => {
    const parsed = parseStatement(statement);
    expect(parsed.predicateType).toBe('https://example.com/x/v1');
    expect([...parsed.subjects[0]!.digest]).toEqual([...artifact.digests]);
    expect(JSON.stringify(parsed.predicate)).toBe('{"b":1,"a":[true,null]}');
  });

  it('about a bare digest has no name', () => {
    const subject = { name: '', digests: new Map([['gitCommit', 'ab'.repeat(20)]]) };
    const { subjects } = parseStatement(formatStatement(subject, 'https://example.com/x', {}));
    expect(subjects).toEqual([{ digest: new Map([['gitCommit', 'ab'.repeat(20)]]) }]);
  });
});

describe('the type of a predicate', () => {
  it('may be a short name or a URI', () => {
    for (const [name, uri] of predicateTypes) expect(predicateTypeUri(name)).toBe(uri);
    expect(predicateTypeUri('urn:example:x')).toBe('urn:example:x');
    expect(predicateTypeUri('https://acme.example/x?y=1#z')).toBe('https://acme.example/x?y=1#z');
  });

  it.each([
    '',
    'slsa',
    'SLSAProvenance',
    'constructor',
    'https:',
    'https://a b',
    'https://a\u202eb',
    '//x',
    'x'.repeat(3000),
  ])('is refused when it is %j', (text) => {
    expect(() => predicateTypeUri(text)).toThrow(/is neither a URI nor a known name/);
  });
});
