/** Where the time of a signature comes from, for instances with a log, with an authority, with both, or with neither. */
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { parseTrustRoot, parseTrustRoots } from '../../src/sigstore/trust-root.ts';
import type { Authority, SignedEntity, TrustRoot } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { makeAuthority, makeCertificate, timeStamping, year } from '../kit/certificate.ts';
import { describeData, readData } from '../kit/data.ts';
import { artifactOf, bytes, certified, makeInstance, signStatement, statementAbout } from './instance.ts';
import { signedAt } from './log.ts';
import { expectRefusal } from './refusal.ts';
import { makeTimestamp } from './tsa.ts';

interface Stamper {
  readonly authority: Authority;
  stamp(signed: Buffer, at?: number): Buffer;
}

function makeStamper(validFor = { start: signedAt - year, end: signedAt + year }): Stamper {
  const made = makeAuthority({ purpose: timeStamping });
  const validity = { notBefore: signedAt - year, notAfter: signedAt + year };
  const usage = { extendedKeyUsage: [timeStamping], extendedKeyUsageCritical: true };
  const signer = makeCertificate({ subject: 'tsa', issuer: made.intermediate, ...validity, ...usage });
  const authority = {
    ...made.authority,
    uri: 'https://tsa.example',
    chain: [signer.certificate, ...made.authority.chain],
    validFor,
  };
  const written = (at: number) => `${new Date(at).toISOString().replace(/[-:T]|\..*$/g, '')}Z`;
  return { authority, stamp: (signed, at = signedAt) => makeTimestamp({ signer, signed, genTime: written(at) }) };
}

const instance = makeInstance('test');
const tsa = makeStamper();
const signer = instance.leaf();
const content = signStatement(signer, statementAbout(bytes));
const logged = certified(instance, signer, content);
const bare: SignedEntity = { ...logged, entries: [] };
/** As GitHub's own instance: authorities and nothing else. */
const withoutLog: TrustRoot = { ...instance.root, tlogs: [], timestampAuthorities: [tsa.authority] };
const both: TrustRoot = { ...instance.root, timestampAuthorities: [tsa.authority] };

const verify = (entity: SignedEntity, root: TrustRoot) => verifyEntity(entity, [root], artifactOf(bytes));
const stamped = (entity: SignedEntity, ...timestamps: readonly Buffer[]): SignedEntity => ({ ...entity, timestamps });

describe('an instance without a log', () => {
  it('is believed by the timestamps of its authority', () => {
    const { times, log } = verify(stamped(bare, tsa.stamp(content.signature)), withoutLog);
    expect(times).toEqual([{ at: signedAt, source: 'timestamp-authority', by: 'https://tsa.example' }]);
    expect(log).toBeUndefined();
  });

  it('is not believed without a timestamp, or with one by somebody else', () => {
    expectRefusal(() => verify(bare, withoutLog), 'unproved', /nothing that is trusted says when/);
    const other = makeStamper().stamp(content.signature);
    expectRefusal(() => verify(stamped(bare, other), withoutLog), 'unproved', /nothing that is trusted says when/);
  });

  it('is not believed with the entry of a log that it does not have', () => {
    expectRefusal(
      () => verify(stamped(logged, tsa.stamp(content.signature)), withoutLog),
      'untrusted',
      /does not list/,
    );
  });

  it('is not believed when the certificate had ended, or when the authority had', () => {
    const late = tsa.stamp(content.signature, signedAt + 3_600_000);
    expectRefusal(() => verify(stamped(bare, late), withoutLog), 'invalid', /valid from/);
    const closed = {
      ...withoutLog,
      timestampAuthorities: [{ ...tsa.authority, validFor: { start: 0, end: signedAt - 1000 } }],
    };
    expectRefusal(() => verify(stamped(bare, tsa.stamp(content.signature)), closed), 'invalid', /./);
  });
});

describe('timestamps beside a log', () => {
  it('add a time, and every time must fit the certificate', () => {
    const fitting = stamped(logged, tsa.stamp(content.signature, signedAt + 1000));
    expect(verify(fitting, both).times.map(({ source }) => source)).toEqual(['log', 'timestamp-authority']);
    expectRefusal(
      () => verify(stamped(logged, tsa.stamp(content.signature, signedAt + 3_600_000)), both),
      'invalid',
      /valid from/,
    );
  });

  it('by an authority that is not known are passed over', () => {
    const unknown = makeStamper().stamp(content.signature, signedAt + 3_600_000);
    expect(verify(stamped(logged, unknown), both).times).toHaveLength(1);
    expect(verify(stamped(logged, unknown, tsa.stamp(content.signature)), both).times).toHaveLength(2);
  });

  it('by a known authority over another signature are refused', () => {
    const other = tsa.stamp(Buffer.from('another signature'));
    expectRefusal(() => verify(stamped(logged, other), both), 'invalid', /another signature/);
    expectRefusal(
      () => verify(stamped(logged, tsa.stamp(content.signature), other), both),
      'invalid',
      /another signature/,
    );
  });

  it('give a time to an entry that has none, within the validity of its log', () => {
    const [{ promise: _, integratedTime: _time, ...entry }] = logged.entries as [(typeof logged.entries)[0]];
    const untimed = stamped(
      { ...logged, entries: [{ ...entry, logIndex: entry.proof!.logIndex }] },
      tsa.stamp(content.signature),
    );
    const logUntil = (end: number): TrustRoot => ({
      ...both,
      tlogs: [{ ...instance.log.key, validFor: { start: 0, end } }],
    });
    expect(verify(untimed, both).times).toHaveLength(1);
    expect(() => verify(untimed, logUntil(signedAt))).not.toThrow();
    expectRefusal(() => verify(untimed, logUntil(signedAt - 1)), 'untrusted', /does not list its log/);
  });
});

describeData('real timestamps', () => {
  const read = (file: string) => readData(`sigstore/${file}`).toString('utf8');
  const artifact = artifactOf(readData('sigstore/conformance/a.txt'));
  const happy = parseBundle(read('conformance/happy-path-v0.1/bundle.sigstore.json'));
  const staging = parseBundle(read('conformance/rekor2-checkpoint-origin-not-first/bundle.sigstore.json'));
  const publicGood = parseTrustRoot(read('trust/public-good.json'), 'public-good');

  it('by an unknown authority do not spoil a bundle that has a promise', () => {
    const entity = { ...happy, timestamps: staging.timestamps };
    expect(verifyEntity(entity, [publicGood], artifact).times.map(({ source }) => source)).toEqual(['log']);
  });

  it('by a known authority over another signature spoil it', () => {
    const stagingRoot = parseTrustRoot(read('trust/staging.json'), 'staging');
    const knowing = { ...publicGood, timestampAuthorities: stagingRoot.timestampAuthorities };
    const entity = { ...happy, timestamps: staging.timestamps };
    expectRefusal(() => verifyEntity(entity, [knowing], artifact), 'invalid', /another signature/);
  });

  it('prove nothing where no root of several knows all of the bundle', () => {
    const roots = parseTrustRoots(read('trust/gh-trusted-root.jsonl'), 'gh');
    expect(verifyEntity(happy, roots, artifact).signer).toMatchObject({ trust: 'gh' });
    expectRefusal(() => verifyEntity(staging, roots, artifact), 'untrusted', /./);
  });
});
