import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { identityOf } from '../../src/sigstore/identity-fields.ts';
import { type CertificatePin, comparePin, cosignPin, keyPin, missingFields, type Pin } from '../../src/sigstore/pin.ts';
import { checkRequirement, matchPins, type Requirement, wrongIdentity } from '../../src/sigstore/requirement.ts';
import type { CertificateIdentity } from '../../src/sigstore/types.ts';
import { certificate, gitHub, gitHubRun, mail, newKey, signedBy, signedWith, uri, workflow } from './identities.ts';

const release: CertificatePin = {
  kind: 'certificate',
  name: 'release',
  trust: 'public-good',
  issuer: gitHub,
  subject: `${workflow}@refs/heads/main`,
  signer: { workflow, ref: 'refs/heads/main', digest: 'b'.repeat(40) },
  source: {
    repository: 'https://github.com/acme/shop',
    id: '123456',
    ownerId: '42',
    ref: 'refs/heads/main',
    digest: 'a'.repeat(40),
  },
  trigger: 'push',
  runner: 'github-hosted',
  visibility: 'public',
  deploymentEnvironment: 'production',
};

const person = (address: string, name = address): CertificatePin => ({
  kind: 'certificate',
  name,
  trust: 'public-good',
  issuer: 'https://accounts.google.com',
  subject: address,
});

describe('a pin', () => {
  it('matches when every field is as pinned', () => {
    expect(comparePin(release, signedBy(gitHubRun()))).toEqual([]);
  });

  // The number of the extension, another value for it, and what is then told.
  it.each<[string, Record<number, string | undefined>, string, string | undefined]>([
    [
      'source.repository',
      { 12: 'https://github.com/acme/shop2' },
      'https://github.com/acme/shop',
      'https://github.com/acme/shop2',
    ],
    ['source.id', { 15: '1234567' }, '123456', '1234567'],
    ['source.ownerId', { 17: '4' }, '42', '4'],
    ['source.ref', { 14: 'refs/heads/main2' }, 'refs/heads/main', 'refs/heads/main2'],
    ['source.digest', { 13: 'c'.repeat(40) }, 'a'.repeat(40), 'c'.repeat(40)],
    ['signer.digest', { 10: 'c'.repeat(40) }, 'b'.repeat(40), 'c'.repeat(40)],
    ['trigger', { 20: 'pull_request' }, 'push', 'pull_request'],
    ['runner', { 11: 'self-hosted' }, 'github-hosted', 'self-hosted'],
    ['visibility', { 22: 'private' }, 'public', 'private'],
    ['deploymentEnvironment', { 23: 'staging' }, 'production', 'staging'],
    ['source.id', { 15: undefined }, '123456', undefined],
    ['source.repository', { 12: undefined, 5: undefined }, 'https://github.com/acme/shop', undefined],
    ['signer.digest', { 10: undefined }, 'b'.repeat(40), undefined],
    ['runner', { 11: undefined }, 'github-hosted', undefined],
    ['visibility', { 22: undefined }, 'public', undefined],
    ['deploymentEnvironment', { 23: '' }, 'production', ''],
  ])('does not match when %s is another or missing', (field, changes, expected, got) => {
    expect(comparePin(release, signedBy(gitHubRun(changes)))).toEqual([
      expect.objectContaining({ field, expected, ...(got !== undefined && { got }) }),
    ]);
  });

  it('tells what the certificate does not state', () => {
    expect(comparePin(release, signedBy(gitHubRun({ 15: undefined })))).toEqual([
      { field: 'source.id', expected: '123456', note: 'the certificate does not state it' },
    ]);
  });

  it('does not match the same words under another issuer or another trusted root', () => {
    const slug = `${gitHub}/acme`;
    expect(comparePin(release, signedBy(gitHubRun({ 1: slug, 8: slug })))).toEqual([
      {
        field: 'issuer',
        expected: gitHub,
        got: slug,
        note: 'it goes on where the pin ends: a pin is compared whole',
      },
    ]);
    expect(comparePin(release, signedBy(gitHubRun(), 'corp.json'))).toEqual([
      { field: 'trust', expected: 'public-good', got: 'corp.json' },
    ]);
  });

  it('tells a workflow on another ref, whoever named the branch', () => {
    const lure = `${workflow}@refs/heads/x@refs/heads/main`;
    const pin: CertificatePin = { ...release, subject: lure };
    expect(comparePin(pin, signedBy(gitHubRun({ 9: lure })))).toEqual([
      expect.objectContaining({ field: 'signer.ref', got: 'refs/heads/x@refs/heads/main' }),
    ]);
  });

  it('is not met by the caller where it pins the reusable workflow, nor the other way round', () => {
    const builder = 'https://github.com/acme/builder/.github/workflows/build.yml';
    const reused = gitHubRun({ 9: `${builder}@refs/tags/v1` });
    const { subject: _, ...fields } = release;
    expect(comparePin({ ...fields, signer: { workflow: builder, ref: 'refs/tags/v1' } }, signedBy(reused))).toEqual([]);
    expect(comparePin({ ...fields, signer: { workflow } }, signedBy(reused))).toMatchObject([
      { field: 'signer.workflow', got: builder },
    ]);
    expect(
      comparePin(
        { ...fields, signer: { workflow: builder }, source: { repository: 'https://github.com/acme/builder' } },
        signedBy(reused),
      ),
    ).toMatchObject([{ field: 'source.repository' }]);
  });

  it('is met by certificates from before the current extensions', () => {
    const old = gitHubRun(
      { 9: undefined, 10: undefined, 12: undefined, 13: undefined, 14: undefined, 20: undefined },
      `${workflow}@refs/heads/main`,
    );
    const { digest: _, ...signer } = release.signer ?? {};
    expect(comparePin({ ...release, signer }, signedBy(old))).toEqual([]);
    expect(comparePin({ ...release, signer, trigger: 'schedule' }, signedBy(old))).toMatchObject([
      { field: 'trigger' },
    ]);
  });

  it('asks a pattern only where it was given one', () => {
    const pin: CertificatePin = {
      ...release,
      source: {
        repository: {
          pattern: 'https://github.com/acme/*',
          matches: (value) => value === 'https://github.com/acme/shop',
        },
      },
    };
    expect(comparePin(pin, signedBy(gitHubRun()))).toEqual([]);
    expect(comparePin(pin, signedBy(gitHubRun({ 12: 'https://github.com/evil/shop' })))).toEqual([
      {
        field: 'source.repository',
        expected: 'pattern https://github.com/acme/*',
        got: 'https://github.com/evil/shop',
      },
    ]);
    expect(comparePin({ ...release, trigger: 'p*' }, signedBy(gitHubRun()))).toMatchObject([{ field: 'trigger' }]);
    expect(comparePin({ ...release, trigger: '.*' }, signedBy(gitHubRun()))).toMatchObject([{ field: 'trigger' }]);
  });

  it('of an e-mail address is not met by a URI spelled like it, nor the other way round', () => {
    const google = 'https://accounts.google.com';
    const address = identityOf(certificate([{ type: 'email', value: 'https://a@acme.example' }], { 8: google }));
    const link = identityOf(certificate([uri('a@acme.example')], { 8: google }));
    expect(comparePin(person('https://a@acme.example'), signedBy(address))).toEqual([
      { field: 'subject', expected: 'a URI: https://a@acme.example', got: 'email: https://a@acme.example' },
    ]);
    expect(comparePin(person('a@acme.example'), signedBy(link))).toEqual([
      { field: 'subject', expected: 'a@acme.example', got: 'uri: a@acme.example' },
    ]);
  });

  it('explains a miss by upper case or by a missing end', () => {
    const notes = (address: string) => comparePin(person('alice@acme.example'), signedBy(mail(address)))[0]?.note;
    expect(notes('Alice@acme.example')).toBe('they differ in upper and lower case only');
    expect(notes('alice@acme.example.evil')).toBe('it goes on where the pin ends: a pin is compared whole');
    expect(notes('alice@acme')).toBe('it ends before the pin does: a pin is compared whole');
    expect(notes('bob@acme.example')).toBeUndefined();
  });

  it('is met by no change of a single character, anywhere', () => {
    const whole = `${workflow}@refs/heads/main`;
    const change = fc.tuple(fc.nat(whole.length - 1), fc.constantFrom('', 'x', '/', '.', '@', 'о', '\u200b', ' '));
    const { signer: _, ...fields } = release;
    fc.assert(
      fc.property(change, ([at, character]) => {
        const changed = whole.slice(0, at) + character + whole.slice(at + 1);
        fc.pre(changed !== whole);
        expect(comparePin(fields, signedBy(gitHubRun({ 9: changed })))).not.toEqual([]);
      }),
    );
  });
});

describe('the flags of cosign', () => {
  const flags = { identity: `${workflow}@refs/heads/main`, issuer: gitHub, trust: 'public-good' };

  it('pin the whole name and the issuer', () => {
    expect(comparePin(cosignPin(flags), signedBy(gitHubRun()))).toEqual([]);
    expect(comparePin(cosignPin({ ...flags, identity: flags.identity.slice(0, -1) }), signedBy(gitHubRun()))).toEqual([
      {
        field: 'subject',
        expected: `${workflow}@refs/heads/mai`,
        got: `${workflow}@refs/heads/main`,
        note: 'it goes on where the pin ends: a pin is compared whole',
      },
    ]);
    for (const identity of ['.*', 'https://github.com/acme', `${flags.identity}\n`]) {
      expect(comparePin(cosignPin({ ...flags, identity }), signedBy(gitHubRun()))).toHaveLength(1);
    }
  });

  it('must both say something', () => {
    const hints = ['give both --certificate-identity and --certificate-oidc-issuer, each in full'];
    expect(() => cosignPin({ ...flags, identity: '' })).toThrow(
      new OperationalError('usage', '--certificate-identity is empty', { hints }),
    );
    expect(() => cosignPin({ ...flags, issuer: '' })).toThrow(
      new OperationalError('usage', '--certificate-oidc-issuer is empty', { hints }),
    );
  });
});

describe('a key', () => {
  it('is met by its own signatures and by nothing else', () => {
    const [own, other] = [newKey(), newKey()];
    expect(comparePin(keyPin(own), signedWith(own))).toEqual([]);
    expect(comparePin(keyPin(own), signedWith(other))).toEqual([
      { field: 'key', expected: `key ${own.fingerprint}`, got: `key ${other.fingerprint}` },
    ]);
    expect(comparePin(keyPin(own), signedBy(gitHubRun()))).toEqual([
      { field: 'signer', expected: `key ${own.fingerprint}`, got: `a certificate of ${gitHub}` },
    ]);
    expect(comparePin(release, signedWith(own))).toEqual([
      { field: 'signer', expected: `a certificate of ${gitHub}`, got: `key ${own.fingerprint}` },
    ]);
  });
});

describe('the least that must be pinned', () => {
  const at = (issuer: string, fields: Partial<CertificatePin> = {}): readonly string[] =>
    missingFields({ kind: 'certificate', name: 'x', trust: 'public-good', issuer, ...fields });
  const repository = { repository: 'https://github.com/acme/shop' };

  it.each([
    gitHub,
    `${gitHub}/acme`,
    'https://token.actions.acme.ghe.com',
    'https://git.acme.example/_services/token',
    'https://gitlab.com',
    'https://gitlab.archlinux.org',
    'https://dev.gitlab.org',
    'https://ops.gitlab.net',
  ])('is the workflow and the repository for %s', (issuer) => {
    expect(at(issuer)).toEqual(['signer.workflow', 'source.repository']);
    expect(at(issuer, { source: repository })).toEqual(['signer.workflow']);
    expect(at(issuer, { signer: { workflow } })).toEqual(['source.repository']);
    expect(at(issuer, { signer: { ref: 'refs/heads/main' }, source: repository })).toEqual(['signer.workflow']);
    expect(at(issuer, { signer: { workflow }, source: repository })).toEqual([]);
    expect(at(issuer, { subject: `${workflow}@refs/heads/main`, source: repository })).toEqual([]);
    expect(at(issuer, { subject: { pattern: '*', matches: () => true }, source: repository })).toEqual([
      'signer.workflow',
    ]);
  });

  it.each([
    'https://accounts.google.com',
    'https://github.com/login/oauth',
    'https://login.microsoftonline.com',
    'https://agent.buildkite.com',
    'https://oidc.circleci.com/org/0f',
    'https://oidc.codefresh.io',
    'https://oidc.buddyusercontent.com',
    'https://issuer.enforce.dev',
    'https://container.googleapis.com/v1/projects/p/locations/l/clusters/c',
    'https://oidc.eks.eu-west-1.amazonaws.com/id/0F',
    'https://nobody-knows.example',
    'https://token.actions.githubusercontent.com.evil.example',
    'https://token.actions.githubusercontent.com/acme/shop',
  ])('is the whole name for %s', (issuer) => {
    expect(at(issuer)).toEqual(['subject']);
    expect(at(issuer, { signer: { workflow }, source: repository })).toEqual(['subject']);
    expect(at(issuer, { subject: 'a@acme.example' })).toEqual([]);
  });
});

describe('a requirement', () => {
  const [alice, bob, carol] = [newKey(), newKey(), newKey()];
  const party = (name: string, ...pins: readonly Pin[]) => ({ name, pins });
  const keyOf = (name: string, key = newKey()): Pin => ({ kind: 'key', name, key });
  const threshold = (count: number, ...of: Requirement['of']): Requirement => ({ kind: 'threshold', of, count });

  it('of any is met by one of them', () => {
    const any: Requirement = { kind: 'any', of: [party('alice', keyPin(alice)), party('bob', keyPin(bob))] };
    expect(matchPins([signedWith(bob)], any)).toEqual({
      satisfied: true,
      counted: 1,
      needed: 1,
      parties: [
        { name: 'alice', by: [] },
        { name: 'bob', by: [0] },
      ],
      signatures: [{ matched: ['bob'] }],
    });
    expect(matchPins([signedWith(carol)], any)).toMatchObject({ satisfied: false, counted: 0 });
    expect(matchPins([], any)).toMatchObject({ satisfied: false, counted: 0, signatures: [] });
  });

  it('of all is met by every one of them', () => {
    const all: Requirement = { kind: 'all', of: [party('alice', keyPin(alice)), party('bob', keyPin(bob))] };
    expect(matchPins([signedWith(alice), signedWith(alice)], all)).toMatchObject({
      satisfied: false,
      counted: 1,
      needed: 2,
    });
    expect(matchPins([signedWith(alice), signedWith(carol), signedWith(bob)], all)).toMatchObject({
      satisfied: true,
      counted: 2,
      parties: [{ by: [0] }, { by: [2] }],
    });
  });

  it('of a threshold is met by so many different ones', () => {
    const two = threshold(2, party('alice', keyPin(alice)), party('bob', keyPin(bob)), party('carol', keyPin(carol)));
    expect(matchPins([signedWith(alice), signedWith(alice)], two)).toMatchObject({
      satisfied: false,
      counted: 1,
      needed: 2,
    });
    expect(matchPins([signedWith(alice), signedWith(carol)], two)).toMatchObject({ satisfied: true, counted: 2 });
  });

  it('counts a person with two keys once', () => {
    const two = threshold(2, party('alice', keyPin(alice), keyPin(bob)), party('carol', keyPin(carol)));
    expect(matchPins([signedWith(alice), signedWith(bob)], two)).toMatchObject({ satisfied: false, counted: 1 });
    expect(matchPins([signedWith(alice), signedWith(bob), signedWith(carol)], two)).toMatchObject({ satisfied: true });
  });

  it('counts a person under two names once', () => {
    const laptop: Pin = { ...keyOf('laptop', alice), person: 'alice' };
    const login: Pin = { ...person('alice@acme.example'), person: 'alice' };
    const two = threshold(2, party('laptop', laptop), party('login', login), party('carol', keyPin(carol)));
    expect(matchPins([signedWith(alice), signedBy(mail('alice@acme.example'))], two)).toMatchObject({
      satisfied: false,
      counted: 1,
    });
  });

  it('counts a key under two names once', () => {
    const two = threshold(
      2,
      party('ci', keyOf('ci', alice)),
      party('robot', keyOf('robot', alice)),
      party('bob', keyPin(bob)),
    );
    expect(matchPins([signedWith(alice), signedWith(alice)], two)).toMatchObject({ satisfied: false, counted: 1 });
  });

  it('lets nobody join two names through a third that shares something with each', () => {
    const of = [
      party('one', keyOf('one', alice)),
      party('two', keyOf('two', bob)),
      party('both', { ...keyOf('three', alice) }, { ...keyOf('four', bob) }),
      party('carol', keyPin(carol)),
    ];
    expect(matchPins([signedWith(alice), signedWith(bob)], threshold(2, ...of))).toMatchObject({
      satisfied: false,
      counted: 1,
    });
  });

  it('lets one signer stand for one party, even where two pins match', () => {
    const { subject: _, ...fields } = release;
    const onMain: Pin = { ...fields, name: 'on-main', signer: { workflow } };
    const hosted: Pin = { ...fields, name: 'hosted', source: { repository: 'https://github.com/acme/shop' } };
    const two = threshold(2, party('on-main', onMain), party('hosted', hosted));
    expect(matchPins([signedBy(gitHubRun()), signedBy(gitHubRun())], two)).toMatchObject({
      satisfied: false,
      counted: 1,
      parties: [{ by: [0, 1] }, { by: [0, 1] }],
    });
    // One signature that two identities match is not what all of them have signed.
    const all: Requirement = { kind: 'all', of: two.of };
    expect(matchPins([signedBy(gitHubRun())], all)).toMatchObject({ satisfied: false, counted: 1, needed: 2 });
    expect(matchPins([signedBy(gitHubRun()), signedBy(gitHubRun())], all)).toMatchObject({ satisfied: false });
  });

  it('finds who can stand for whom', () => {
    const anyOf = (name: string, ...addresses: readonly string[]): Pin => ({
      ...person('*@acme.example', name),
      subject: { pattern: '*@acme.example', matches: (value) => addresses.includes(value) },
    });
    const two = threshold(
      2,
      party('staff', anyOf('staff', 'a@acme.example', 'b@acme.example')),
      party('lead', anyOf('lead', 'a@acme.example')),
    );
    const [a, b] = [signedBy(mail('a@acme.example')), signedBy(mail('b@acme.example'))];
    expect(matchPins([a, b], two)).toMatchObject({ satisfied: true, counted: 2 });
    expect(matchPins([b, a], two)).toMatchObject({ satisfied: true, counted: 2 });
    expect(matchPins([b, b], two)).toMatchObject({ satisfied: false, counted: 1 });
    expect(matchPins([a, a], two)).toMatchObject({ satisfied: false, counted: 1 });
  });

  it('counts no more parties than there are signers or parties, in whatever order', () => {
    const keys = [alice, bob, carol];
    const parties = fc.array(fc.subarray([0, 1, 2], { minLength: 1 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parties, fc.array(fc.nat(2), { maxLength: 5 }), (owners, signers) => {
        const of = owners.map((each, at) => party(`p${at}`, ...each.map((key) => keyOf(`p${at}-${key}`, keys[key]))));
        const requirement = threshold(1, ...of);
        const signatures = signers.map((each) => signedWith(keys[each]!));
        const { counted } = matchPins(signatures, requirement);
        expect(counted).toBeLessThanOrEqual(Math.min(of.length, new Set(signers).size));
        expect(matchPins(signatures.toReversed(), requirement).counted).toBe(counted);
      }),
    );
  });

  it('names the nearest pin of a signature that nobody owns, with each field that differs', () => {
    const elsewhere: Pin = { ...release, name: 'elsewhere', issuer: 'https://gitlab.com', trust: 'github' };
    const any: Requirement = { kind: 'any', of: [party('ci', keyPin(alice), elsewhere), party('release', release)] };
    const evil = gitHubRun({ 11: 'self-hosted', 20: undefined, 2: undefined });
    const { satisfied, signatures } = matchPins([signedBy(evil)], any);
    expect(satisfied).toBe(false);
    expect(signatures).toEqual([
      {
        matched: [],
        nearest: {
          party: 'release',
          pin: 'release',
          differences: [
            { field: 'trigger', expected: 'push', note: 'the certificate does not state it' },
            { field: 'runner', expected: 'github-hosted', got: 'self-hosted' },
          ],
        },
      },
    ]);
    expect(wrongIdentity(signatures[0]!.nearest!)).toMatchObject({
      code: 'wrong-identity',
      message: 'signed by someone else; nearest is release, which differs in trigger, runner',
      expected: 'trigger: push; runner: github-hosted',
      got: 'trigger: (the certificate does not state it); runner: self-hosted',
    });
  });

  it('compares a key with keys where there are any', () => {
    const any: Requirement = { kind: 'any', of: [party('release', release), party('bob', keyPin(bob))] };
    expect(matchPins([signedWith(alice)], any).signatures).toMatchObject([{ nearest: { party: 'bob' } }]);
  });

  it.each<[string, Requirement, string]>([
    ['nobody', { kind: 'any', of: [] }, 'nobody is named who has to have signed'],
    ['nobody at all', { kind: 'all', of: [] }, 'nobody is named who has to have signed'],
    [
      'a party without pins',
      { kind: 'any', of: [party('alice')] },
      'alice has neither a key nor an identity to recognise it by',
    ],
    [
      'an issuer alone',
      { kind: 'any', of: [party('x', { kind: 'certificate', name: 'x', trust: 'public-good', issuer: gitHub })] },
      'x names neither a subject nor a workflow, and an issuer speaks for everybody who can log in there',
    ],
    [
      'an issuer and a repository alone',
      {
        kind: 'any',
        of: [
          party('x', {
            kind: 'certificate',
            name: 'x',
            trust: 'public-good',
            issuer: gitHub,
            source: { repository: 'https://github.com/acme/shop' },
          }),
        ],
      },
      'x names neither a subject nor a workflow, and an issuer speaks for everybody who can log in there',
    ],
    [
      'none of some',
      threshold(0, party('alice', keyPin(alice))),
      'a threshold must be a whole number from 1 on, not 0',
    ],
    [
      'less than none',
      threshold(-1, party('alice', keyPin(alice))),
      'a threshold must be a whole number from 1 on, not -1',
    ],
    [
      'half of one',
      threshold(0.5, party('alice', keyPin(alice))),
      'a threshold must be a whole number from 1 on, not 0.5',
    ],
    [
      'no number',
      threshold(Number.NaN, party('alice', keyPin(alice))),
      'a threshold must be a whole number from 1 on, not NaN',
    ],
    [
      'more than there are',
      threshold(2, party('a', keyOf('a', alice)), party('b', keyOf('b', alice))),
      'a threshold of 2 can never be met: its names come down to 1 (a and b are one)',
    ],
    [
      'all of some who are one by their key',
      { kind: 'all', of: [party('a', keyOf('a', alice)), party('b', keyOf('b', alice)), party('c', keyPin(carol))] },
      'all 3 can never be met: its names come down to 2 (a and b are one)',
    ],
    [
      'all of some who are one person',
      {
        kind: 'all',
        of: [
          party('laptop', { ...keyOf('laptop', alice), person: 'alice' }),
          party('login', { ...person('alice@acme.example'), person: 'alice' }),
        ],
      },
      'all 2 can never be met: its names come down to 1 (laptop and login are one)',
    ],
  ])('is refused when it asks for %s', (_, requirement, message) => {
    const hints = ['name who has to have signed, by key or by identity'];
    const error = new OperationalError('configuration', message, { hints });
    expect(() => checkRequirement(requirement)).toThrow(error);
    expect(() => matchPins([signedWith(alice)], requirement)).toThrow(error);
  });
});

describe('two runs', () => {
  const { subject: _, ...fields } = release;
  const pinOf = (name: string, ref: string): Pin => ({
    ...fields,
    name,
    signer: { workflow, ref },
    source: { repository: 'https://github.com/acme/shop' },
  });
  const run = (ref: string, changes: Record<number, string> = {}): CertificateIdentity =>
    gitHubRun({ 9: `${workflow}@${ref}`, 14: ref, ...changes });

  it('of one workflow on two branches are one signer', () => {
    const two: Requirement = {
      kind: 'threshold',
      count: 2,
      of: [
        { name: 'main', pins: [pinOf('main', 'refs/heads/main')] },
        { name: 'next', pins: [pinOf('next', 'refs/heads/next')] },
      ],
    };
    const signatures = [signedBy(run('refs/heads/main')), signedBy(run('refs/heads/next'))];
    expect(matchPins(signatures, two)).toMatchObject({ satisfied: false, counted: 1 });
    expect(matchPins(signatures, { kind: 'all', of: two.of })).toMatchObject({ satisfied: false, counted: 1 });
  });
});
