import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { findImageRules, keyFiles, keyPathsOf, readPolicy, requirementOf, rootFiles } from '../../src/policy/index.ts';
import { matchPins } from '../../src/sigstore/requirement.ts';
import { root } from '../kit/data.ts';
import { gitHub, gitHubRun, mail, newKey, signedBy, signedWith, workflow } from '../sigstore/identities.ts';

const page = readFileSync(path.join(root, 'docs/formats/policy.md'), 'utf8');
const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** A policy with these lines behind its version. */
const policy = (...lines: readonly string[]): string => ['version: 1', ...lines, ''].join('\n');

const release = [
  'identities:',
  '  release:',
  `    issuer: ${gitHub}`,
  `    signer: { workflow: ${workflow}, ref: refs/heads/main }`,
  '    source: { repository: https://github.com/acme/shop }',
];

/** One identity of GitHub with a field more or another. */
const gitHubPin = (...fields: readonly string[]): string =>
  policy('identities:', '  release:', `    issuer: ${gitHub}`, ...fields.map((each) => `    ${each}`));

const signer = `signer: { workflow: ${workflow} }`;
const source = 'source: { repository: https://github.com/acme/shop }';
const images = (signed: string, ...lines: readonly string[]): string =>
  policy(...release, ...lines, 'images:', '  - match: registry.example/acme/**', `    signed: ${signed}`);

function errorOf(text: string): unknown {
  try {
    readPolicy(text, 'p.yaml');
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a policy', () => {
  it('is read as its page shows it', () => {
    const read = readPolicy(example, 'tidewaiter.policy.yaml');
    expect([...read.identities.keys()]).toEqual(['release', 'maintainer', 'corp-build', 'ci-key', 'vendor']);
    expect(read.identities.get('release')).toMatchObject({
      kind: 'certificate',
      pin: {
        name: 'release',
        trust: 'public-good',
        issuer: gitHub,
        signer: { workflow, ref: 'refs/heads/main' },
        source: { repository: 'https://github.com/acme/shop', id: '123456', ref: 'refs/heads/main' },
        trigger: 'push',
        runner: 'github-hosted',
      },
    });
    expect(read.identities.get('maintainer')).toMatchObject({
      pin: { person: 'alice', subject: 'alice@acme.example' },
    });
    expect(read.identities.get('ci-key')).toMatchObject({ kind: 'key', file: 'keys/ci.pub' });
    expect(read.identities.get('vendor')).toMatchObject({ kind: 'openpgp', file: 'keys/azurelinux.asc' });
    expect(keyFiles(read).map(({ path: file, by }) => [file, by])).toEqual([
      ['keys/ci.pub', 'identities.ci-key.key'],
      ['keys/alice.pub', 'people.alice.keys[0]'],
      ['keys/alice-yubikey.pub', 'people.alice.keys[1]'],
      ['keys/bob.pub', 'people.bob.keys[0]'],
    ]);
    expect(rootFiles(read).map(({ name, path: file }) => [name, file])).toEqual([['corp', 'trust/corp.json']]);
    expect(read.trust.get('public-good')?.maxAge).toBe(90 * 24 * 3600 * 1000);
    expect(
      read.images.map(({ match, pinned, signed }) => [match, pinned, signed?.kind, signed?.of, signed?.count]),
    ).toEqual([
      ['registry.example/acme/**', true, 'any', ['release', 'ci-key'], 1],
      ['registry.example/acme/payments', false, 'threshold', ['alice', 'bob', 'release'], 2],
    ]);
  });

  it('names every part that does not decide on images', () => {
    const text = policy(
      'changes: { repository: https://github.com/acme/shop, baseRef: refs/heads/main }',
      'platform: platform.yaml',
      'exceptions: []',
      'ledger:',
      'people: { alice: { keys: [a.pub], presence: required } }',
      'images:',
      '  - match: registry.example/a',
      '    provenance: { maxAge: 30d }',
      '    sbom: { required: true }',
      '    packages: { unowned: [] }',
    );
    expect(readPolicy(text, 'p.yaml').unjudged.map((each) => [each.path, each.place.line])).toEqual([
      ['changes', 2],
      ['platform', 3],
      ['exceptions', 4],
      ['ledger', 5],
      ['people.alice.presence', 6],
      ['images[0].provenance', 9],
      ['images[0].sbom', 10],
      ['images[0].packages', 11],
    ]);
  });

  it('may be written with anchors', () => {
    const text = policy(
      ...release,
      'images:',
      '  - { match: a.example/x, signed: &by { any: [release] } }',
      '  - { match: a.example/y, signed: *by }',
    );
    expect(readPolicy(text, 'p.yaml').images.map((each) => each.signed?.of)).toEqual([['release'], ['release']]);
  });

  it('lets a root of its own speak for the issuers that are listed beside it', () => {
    const text = policy(
      'trust: { corp: { root: corp.json, issuers: [https://oidc.corp.example] } }',
      'identities:',
      '  build: { trust: corp, issuer: https://oidc.corp.example, subject: spiffe://corp.example/build }',
    );
    expect(readPolicy(text, 'p.yaml').identities.get('build')).toMatchObject({ pin: { trust: 'corp' } });
  });

  it('compiles patterns that match the whole value and nothing beside it', () => {
    const text = gitHubPin(
      'signer: { workflow: { pattern: "https://github.com/acme/*/.github/workflows/release-*.yml" }, ref: { pattern: "refs/tags/v*" } }',
      'source: { repository: { pattern: "https://github.com/acme/*" } }',
    );
    const identity = readPolicy(text, 'p.yaml').identities.get('release');
    const pin = identity?.kind === 'certificate' ? identity.pin : undefined;
    const requirement = { kind: 'any', of: [{ name: 'release', pins: pin === undefined ? [] : [pin] }] } as const;
    const matches = (file: string, ref: string, repository: string): boolean =>
      matchPins([signedBy(gitHubRun({ 9: `${file}@${ref}`, 12: repository }))], requirement).satisfied;
    const file = 'https://github.com/acme/shop/.github/workflows/release-1.yml';
    const shop = 'https://github.com/acme/shop';
    expect(matches(file, 'refs/tags/v1.2', shop)).toBe(true);
    expect(matches(file, 'refs/tags/v1/2', shop)).toBe(false);
    expect(matches(file, 'refs/tags/1', shop)).toBe(false);
    expect(matches(file, 'refs/heads/x@refs/tags/v1', shop)).toBe(false);
    expect(matches(file, 'refs/tags/v1', 'https://github.com/acme-evil/shop')).toBe(false);
    expect(matches(file, 'refs/tags/v1', 'https://github.com/acme/shop/x')).toBe(false);
    expect(matches(`https://github.com/evil/x/${file}`, 'refs/tags/v1', shop)).toBe(false);
    expect(matches(`${file}/x.yml`, 'refs/tags/v1', shop)).toBe(false);
  });

  it('gives a requirement once its keys are there', () => {
    const text = policy(
      'identities:',
      '  maintainer: { issuer: https://accounts.google.com, subject: alice@acme.example }',
      '  old-key: { key: old.pub }',
      '  archive: { openpgp: archive.asc }',
      'people:',
      '  alice: { keys: [a.pub, b.pub], identities: [maintainer, old-key, archive] }',
      '  bob: { keys: [bob.pub] }',
      'images:',
      '  - match: registry.example/acme/**',
      '    signed: { threshold: { of: [alice, maintainer, bob], count: 2 } }',
    );
    const read = readPolicy(text, 'p.yaml');
    const [rule] = findImageRules(read, 'registry.example/acme/shop:1');
    const signed = rule?.signed;
    if (signed === undefined) throw new Error('no rule');
    const keys = new Map(['a.pub', 'b.pub', 'old.pub', 'bob.pub'].map((file) => [file, newKey()]));
    expect(keyPathsOf(read, signed)).toEqual(['a.pub', 'b.pub', 'old.pub', 'bob.pub']);
    const requirement = requirementOf(read, signed, keys);
    const by = (file: string) => signedWith(keys.get(file)!);
    const alice = [by('a.pub'), by('b.pub'), by('old.pub'), signedBy(mail('alice@acme.example'))];
    expect(matchPins(alice, requirement)).toMatchObject({ satisfied: false, counted: 1 });
    expect(matchPins([...alice, by('bob.pub')], requirement)).toMatchObject({ satisfied: true, counted: 2 });
  });

  it.each([
    ['threshold: { of: [ci, robot], count: 2 }', 'a threshold of 2'],
    ['all: [ci, robot]', 'all 2'],
  ])('is refused when its keys show that it can never be met: %s', (signed, what) => {
    const text = policy(
      'identities: { ci: { key: a.pub }, robot: { key: b.pub } }',
      'images:',
      '  - match: registry.example/a',
      `    signed: { ${signed} }`,
    );
    const read = readPolicy(text, 'p.yaml');
    const key = newKey();
    const keys = new Map([
      ['a.pub', key],
      ['b.pub', key],
    ]);
    expect(() => requirementOf(read, read.images[0]!.signed!, keys)).toThrow(
      `p.yaml:5:5: ${what} can never be met: its names come down to 1 (ci and robot are one)`,
    );
    keys.set('b.pub', newKey());
    expect(matchPins([signedWith(key)], requirementOf(read, read.images[0]!.signed!, keys)).satisfied).toBe(false);
  });

  it.each<[string, string, readonly string[], string]>([
    [
      'two people in two files',
      'any: [alice, bob]',
      ['people:', '  alice: { keys: [a.pub] }', '  bob: { keys: [b.pub] }'],
      'p.yaml:4:3: people.bob.keys[0] is the same key as people.alice.keys[0] (line 3): it would make alice and bob one signer',
    ],
    [
      'a person and an identity of another',
      'all: [alice, bob]',
      ['identities: { ci: { key: a.pub } }', 'people:', '  alice: { identities: [ci] }', '  bob: { keys: [b.pub] }'],
      'p.yaml:5:3: people.bob.keys[0] is the same key as identities.ci.key (line 2): it would make alice and bob one signer',
    ],
    [
      'identities of two people',
      'any: [ci, robot]',
      [
        'identities: { ci: { key: a.pub }, robot: { key: b.pub } }',
        'people: { alice: { identities: [ci] }, bob: { identities: [robot] } }',
      ],
      'p.yaml:2:35: identities.robot.key is the same key as identities.ci.key (line 2): it would make alice and bob one signer',
    ],
    [
      'a person and an identity of another in one file',
      'any: [ci, bob]',
      ['identities: { ci: { key: a.pub } }', 'people: { alice: { identities: [ci] }, bob: { keys: [a.pub] } }'],
      'p.yaml:3:40: people.bob.keys[0] is the same key as identities.ci.key (line 2): it would make alice and bob one signer',
    ],
  ])('is refused when a key is that of %s', (_, signed, lines, message) => {
    const text = policy(...lines, 'images:', '  - match: registry.example/a', `    signed: { ${signed} }`);
    const read = readPolicy(text, 'p.yaml');
    const same = newKey();
    const rule = read.images[0]!.signed!;
    const load = (key: (file: string) => ReturnType<typeof newKey>) =>
      new Map(keyPathsOf(read, rule).map((file) => [file, key(file)]));
    expect(() =>
      requirementOf(
        read,
        rule,
        load(() => same),
      ),
    ).toThrow(expect.objectContaining({ code: 'configuration', message }));
    if (keyPathsOf(read, rule).length > 1) expect(() => requirementOf(read, rule, load(newKey))).not.toThrow();
  });

  it('may name one key of a person in two ways', () => {
    const text = policy(
      'identities: { ci: { key: a.pub } }',
      'people: { alice: { identities: [ci], keys: [./a.pub, copy-of-a.pub] } }',
      'images:',
      '  - match: registry.example/a',
      '    signed: { any: [alice] }',
    );
    const read = readPolicy(text, 'p.yaml');
    const key = newKey();
    const keys = new Map(keyPathsOf(read, read.images[0]!.signed!).map((file) => [file, key]));
    expect(matchPins([signedWith(key)], requirementOf(read, read.images[0]!.signed!, keys)).satisfied).toBe(true);
  });

  it.each<[string, string, string]>([
    ['nothing', '', '1:1: the file is empty; begin with: version: 1'],
    ['a comment', '# soon\n', '1:1: the file is empty; begin with: version: 1'],
    [
      'a list',
      '- a\n',
      '1:1: must be a mapping with: version, trust, identities, people, images, changes, exceptions, ledger, platform',
    ],
    ['no version', 'images: []\n', '1:1: version is missing; write: version: 1'],
    [
      'another version',
      'version: 2\n',
      '1:1: version is newer than this tidewaiter reads, which is 1; install a newer tidewaiter',
    ],
    ['a version in quotes', 'version: "1"\n', '1:1: version must be the number 1; write: version: 1'],
    [
      'an unknown part',
      policy('identites: {}'),
      '2:1: identites is not known here; known are: version, trust, identities, people, images, changes, exceptions, ledger, platform',
    ],
    [
      'an unknown field',
      gitHubPin('workflow: x'),
      '5:5: identities.release.workflow is not known here; known are: trust, issuer, subject, signer, source, trigger, runner, visibility, deploymentEnvironment, key, openpgp',
    ],
    [
      'an unknown field deep down',
      gitHubPin('source: { repo: x }'),
      '5:15: identities.release.source.repo is not known here; known are: repository, id, ownerId, ref, digest',
    ],
    ['a key twice', policy('images: []', 'images: []'), '3:1: the key "images" stands twice; keep one of them'],
    [
      'a field twice',
      gitHubPin('trigger: push', 'trigger: pull_request'),
      '6:5: the key "trigger" stands twice; keep one of them',
    ],
    ['two documents', 'version: 1\n---\nversion: 1\n', '2:1: a second document begins here; keep one in a file'],
    ['a tag', policy('images: !!set { a }'), '2:15: the tag "tag:yaml.org,2002:set" is not read'],
    ['a tag of its own', 'version: !one 1\n', '1:10: Unresolved tag: !one'],
    ['another YAML', '%YAML 1.1\n---\nversion: 1\n', '1:1: a % directive is not read; remove it'],
    ['tags of its own', '%TAG !e! tag:e.example,2026:\n---\nversion: 1\n', '1:1: a % directive is not read; remove it'],
    ['a key that is a number', policy('people: { 1: { keys: [a] } }'), '2:11: a key has to be text; put it in quotes'],
    ['a key that is a list', policy('people: { [a]: { keys: [a] } }'), '2:11: a key has to be text; put it in quotes'],
    ['a key of the language', policy('people: { __proto__: { keys: [a] } }'), '2:11: "__proto__" cannot be a key'],
    [
      'a merge',
      policy('people: { a: &a { keys: [a] }, b: { <<: *a } }'),
      '2:37: people.b.<< is not known here; known are: keys, identities, emails, accounts, presence',
    ],
    ['an alias of nothing', policy('images: *nobody'), '2:9: nothing before this has the anchor "nobody"'],
    ['an alias of itself', policy('changes: &a { b: *a }'), '2:18: too much, or aliases that unfold into too much'],
    ['bad indentation', policy('people:', ' a: {}', '  b: {}'), '4:1: All mapping items must start at the same column'],
    ['a tab', policy('people:', '\ta: {}'), '3:1: Tabs are not allowed as indentation'],
    ['an open quote', policy('platform: "x'), '3:1: Missing closing "quote'],
    [
      'a name with a space',
      policy('people: { "a b": { keys: [a] } }'),
      '2:11: people.a b is no name: use letters, digits, dot, dash and underscore, at most 64',
    ],
    [
      'a number for text',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop, id: 123456 }'),
      '6:57: identities.release.source.id must be text; put it in quotes',
    ],
    ['a list for text', gitHubPin('trigger: [push]'), '5:5: identities.release.trigger must be text'],
    ['nothing for text', gitHubPin('trigger:'), '5:5: identities.release.trigger must be text'],
    ['empty text', gitHubPin('trigger: ""'), '5:5: identities.release.trigger must not be empty'],
    ['a list for a mapping', policy('identities: []'), '2:1: identities must be a mapping from names'],
    [
      'text for a mapping',
      gitHubPin('signer: release.yml'),
      '5:5: identities.release.signer must be a mapping with: workflow, ref, digest',
    ],
    [
      'a misspelt pattern',
      gitHubPin('signer: { workflow: { glob: x } }'),
      '5:15: identities.release.signer.workflow must be text, or { pattern: TEXT } to compare by a pattern',
    ],

    [
      'an identity of nothing',
      policy('identities: { a: { trigger: push } }'),
      '2:15: identities.a must have exactly one of issuer, key and openpgp',
    ],
    [
      'an identity of two kinds',
      policy('identities: { a: { key: a, issuer: https://x } }'),
      '2:15: identities.a must have exactly one of issuer, key and openpgp',
    ],
    [
      'a key with a trigger',
      policy('identities: { a: { key: a, trigger: push } }'),
      '2:28: identities.a.trigger says nothing of a key; remove it, or name an issuer',
    ],
    [
      'an issuer that is no URL',
      policy('identities: { a: { issuer: github, subject: a } }'),
      '2:20: identities.a.issuer must be a URL such as https://token.actions.githubusercontent.com',
    ],
    [
      'an issuer with a star',
      policy('identities: { a: { issuer: https://*.example, subject: a } }'),
      '2:20: identities.a.issuer is compared whole and cannot be a pattern; write it out',
    ],
    [
      'an issuer alone',
      gitHubPin(),
      '3:3: identities.release pins too little: this issuer speaks for many; add signer.workflow and source.repository',
    ],
    [
      'an issuer and a repository alone',
      gitHubPin(source),
      '3:3: identities.release pins too little: this issuer speaks for many; add signer.workflow',
    ],
    [
      'a workflow alone',
      gitHubPin(signer),
      '3:3: identities.release pins too little: this issuer speaks for many; add source.repository',
    ],
    [
      'an issuer of people alone',
      policy('identities: { a: { issuer: https://accounts.google.com } }'),
      '2:15: identities.a pins too little: this issuer speaks for many; add subject',
    ],
    [
      'a person that is a URI',
      policy('identities: { a: { issuer: https://accounts.google.com, subject: https://x/a } }'),
      '2:57: identities.a.subject must be an e-mail address: that is what this issuer vouches for',
    ],
    [
      'a workflow with its ref',
      gitHubPin(`signer: { workflow: ${workflow}@refs/heads/main }`, source),
      '5:15: identities.release.signer.workflow must be without @REF; write the ref beside it, as signer.ref',
    ],
    [
      'a workflow without its host',
      gitHubPin('signer: { workflow: .github/workflows/release.yml }', source),
      '5:15: identities.release.signer.workflow must be a whole URI, like https://github.com/acme/shop/.github/workflows/release.yml',
    ],
    [
      'a repository without its host',
      gitHubPin(signer, 'source: { repository: acme/shop }'),
      '6:15: identities.release.source.repository must be a whole URI without .git or / at the end, like https://github.com/acme/shop',
    ],
    [
      'a repository to clone from',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop.git }'),
      '6:15: identities.release.source.repository must be a whole URI without .git or / at the end, like https://github.com/acme/shop',
    ],
    [
      'a repository with a slash behind',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop/ }'),
      '6:15: identities.release.source.repository must be a whole URI without .git or / at the end, like https://github.com/acme/shop',
    ],
    [
      'an owner for a repository',
      gitHubPin(signer, 'source: { repository: https://github.com/acme }'),
      '6:15: identities.release.source.repository must be a whole URI without .git or / at the end, like https://github.com/acme/shop',
    ],
    [
      'the name of a branch for a ref',
      gitHubPin(`signer: { workflow: ${workflow}, ref: main }`, source),
      '5:85: identities.release.signer.ref must be a full ref, like refs/heads/main or refs/tags/v1, or a commit in hex',
    ],
    [
      'the name of a branch for a source ref',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop, ref: main }'),
      '6:57: identities.release.source.ref must be a full ref, like refs/heads/main or refs/tags/v1',
    ],
    [
      'a short commit',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop, digest: 0123abc }'),
      '6:57: identities.release.source.digest must be a commit: 40 or 64 lower-case hex digits',
    ],
    [
      'a short commit of the workflow',
      gitHubPin(`signer: { workflow: ${workflow}, digest: 0123abc }`, source),
      '5:85: identities.release.signer.digest must be a commit: 40 or 64 lower-case hex digits',
    ],
    [
      'a name for a number',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop, id: shop }'),
      '6:57: identities.release.source.id must be the number of the repository',
    ],
    [
      'a name for the number of an owner',
      gitHubPin(signer, 'source: { repository: https://github.com/acme/shop, ownerId: acme }'),
      '6:57: identities.release.source.ownerId must be the number of the owner',
    ],
    [
      'a workflow as the subject that is no URI',
      gitHubPin('subject: release.yml', source),
      '5:5: identities.release.subject must be a whole URI with its ref, like https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main',
    ],

    [
      'a star without a pattern',
      gitHubPin(`signer: { workflow: ${workflow}, ref: refs/tags/v* }`, source),
      '5:85: identities.release.signer.ref is compared letter by letter, "*" included; write { pattern: "refs/tags/v*" }',
    ],
    [
      'a pattern without a star',
      gitHubPin(`signer: { workflow: { pattern: ${workflow} } }`, source),
      '5:27: identities.release.signer.workflow.pattern holds no "*"; write it as plain text, without "pattern:"',
    ],
    [
      'a pattern for everything',
      gitHubPin('signer: { workflow: { pattern: "**" } }', source),
      '5:27: identities.release.signer.workflow.pattern must name the host and the owner in full, like https://github.com/acme/*',
    ],
    [
      'a pattern for every owner',
      gitHubPin(signer, 'source: { repository: { pattern: "https://github.com/*/shop" } }'),
      '6:29: identities.release.source.repository.pattern must name the host and the owner in full, like https://github.com/acme/*',
    ],
    [
      'a pattern for owners that begin alike',
      gitHubPin(signer, 'source: { repository: { pattern: "https://github.com/acme*/shop" } }'),
      '6:29: identities.release.source.repository.pattern must name the host and the owner in full, like https://github.com/acme/*',
    ],
    [
      'a pattern for hosts that begin alike',
      gitHubPin(signer, 'source: { repository: { pattern: "https://github.com*/acme/shop" } }'),
      '6:29: identities.release.source.repository.pattern must name the host and the owner in full, like https://github.com/acme/*',
    ],
    [
      'a regular expression',
      gitHubPin(signer, 'source: { repository: { pattern: "^https://github.com/acme/.*$" } }'),
      '6:29: identities.release.source.repository.pattern must name the host and the owner in full, like https://github.com/acme/*',
    ],
    [
      'a pattern for every workflow',
      gitHubPin('signer: { workflow: { pattern: "https://github.com/acme/shop/.github/workflows/*" } }', source),
      '5:27: identities.release.signer.workflow.pattern matches every workflow; name the file, like https://github.com/acme/shop/.github/workflows/release-*.yml',
    ],
    [
      'a pattern for every ref',
      gitHubPin(`signer: { workflow: ${workflow}, ref: { pattern: "**" } }`, source),
      '5:92: identities.release.signer.ref.pattern must begin with refs/heads/ or refs/tags/, like refs/tags/v*',
    ],
    [
      'a pattern for branches and tags',
      gitHubPin(`signer: { workflow: ${workflow}, ref: { pattern: "refs/*/v1" } }`, source),
      '5:92: identities.release.signer.ref.pattern must begin with refs/heads/ or refs/tags/, like refs/tags/v*',
    ],
    [
      'stars within a segment',
      gitHubPin(signer, 'source: { repository: { pattern: "https://github.com/acme/a**" } }'),
      '6:29: identities.release.source.repository.pattern has "**" inside a segment; it has to stand alone between slashes',
    ],
    [
      'a pattern of a thousand',
      gitHubPin(signer, `source: { repository: { pattern: "https://github.com/acme/*${'a'.repeat(1000)}" } }`),
      '6:29: identities.release.source.repository.pattern is longer than 1000 characters',
    ],
    [
      'a pattern for addresses anywhere',
      policy('identities: { a: { issuer: https://accounts.google.com, subject: { pattern: "alice@*" } } }'),
      '2:68: identities.a.subject.pattern must end in a whole domain, like *@acme.example',
    ],
    [
      'a pattern for domains that end alike',
      policy('identities: { a: { issuer: https://accounts.google.com, subject: { pattern: "*acme.example" } } }'),
      '2:68: identities.a.subject.pattern must end in a whole domain, like *@acme.example',
    ],
    [
      'a pattern for every service of a cluster',
      policy(
        'identities: { a: { issuer: https://k.example, subject: { pattern: "https://kubernetes.io/namespaces/*/serviceaccounts/x" } } }',
      ),
      '2:58: identities.a.subject.pattern must name the namespace in full, like https://kubernetes.io/namespaces/prod/serviceaccounts/*',
    ],
    [
      'a pattern for the workflow as subject',
      gitHubPin('subject: { pattern: "https://github.com/acme/*" }', source),
      '3:3: identities.release pins too little: this issuer speaks for many; add signer.workflow',
    ],

    [
      'an unknown trusted root',
      gitHubPin('trust: corp', signer, source),
      '5:5: identities.release.trust names no trusted root: "corp" is not among public-good, github, staging; add it under trust: with its root',
    ],
    [
      'a private root that speaks for GitHub',
      policy(
        'trust: { corp: { root: c.json, issuers: [https://oidc.corp.example] } }',
        ...release.slice(0, 2),
        '    trust: corp',
        ...release.slice(2),
      ),
      `5:5: identities.release.trust may not speak for "${gitHub}"; if it should, add that to trust.corp.issuers`,
    ],
    [
      "GitHub's own root for a person",
      policy('identities: { a: { trust: github, issuer: https://accounts.google.com, subject: a@b.example } }'),
      '2:20: identities.a.trust is GitHub itself, which speaks for no issuer but GitHub Actions; write public-good',
    ],
    [
      'a root for a name that ships',
      policy('trust: { public-good: { root: mine.json } }'),
      '2:25: trust.public-good.root cannot be set: public-good ships with tidewaiter; give a root of your own another name',
    ],
    [
      'issuers for a name that ships',
      policy('trust: { github: { issuers: [https://x] } }'),
      '2:20: trust.github.issuers cannot be set: github ships with tidewaiter; give a root of your own another name',
    ],
    [
      'nothing about a name that ships',
      policy('trust: { staging: {} }'),
      '2:10: trust.staging says nothing; add maxAge, like 90d, or remove it',
    ],
    [
      'a root without issuers',
      policy('trust: { corp: { root: c.json } }'),
      '2:10: trust.corp must have root (a trusted_root.json) and issuers (whom it may speak for), or be one of public-good, github, staging',
    ],
    [
      'issuers without a root',
      policy('trust: { corp: { issuers: [https://x] } }'),
      '2:10: trust.corp must have root (a trusted_root.json) and issuers (whom it may speak for), or be one of public-good, github, staging',
    ],
    [
      'an age with another unit',
      policy('trust: { public-good: { maxAge: 90h } }'),
      '2:25: trust.public-good.maxAge must be a number of days like 90d, not "90h"',
    ],
    [
      'no age',
      policy('trust: { public-good: { maxAge: 0d } }'),
      '2:25: trust.public-good.maxAge must be a number of days like 90d, not "0d"',
    ],

    [
      'a person of nothing',
      policy('people: { a: {} }'),
      '2:11: people.a has nothing to be recognised by; add keys, identities, emails or accounts',
    ],
    [
      'a person called like an identity',
      policy(...release, 'people: { release: { keys: [a] } }'),
      '7:11: people.release has the name of an identity; a name must say which of the two is meant',
    ],
    [
      'a person with an unknown identity',
      policy('people: { a: { identities: [b] } }'),
      '2:29: people.a.identities[0] names no identity: "b" is not under identities:',
    ],
    [
      'a key of two people',
      policy('people: { a: { keys: [k] }, b: { keys: [k] } }'),
      '2:41: people.b.keys[0] is listed already, under people.a; it can belong to one person only',
    ],
    [
      'a key of two people by two paths',
      policy('people: { a: { keys: [k] }, b: { keys: [./x/../k] } }'),
      '2:41: people.b.keys[0] is listed already, under people.a; it can belong to one person only',
    ],
    [
      'a key twice',
      policy('people: { a: { keys: [k, k] } }'),
      '2:26: people.a.keys[1] is listed already, under people.a; it can belong to one person only',
    ],
    [
      'an identity of two people',
      policy(...release, 'people: { a: { identities: [release] }, b: { identities: [release] } }'),
      '7:59: people.b.identities[0] is listed already, under people.a; it can belong to one person only',
    ],
    ['an empty list of keys', policy('people: { a: { keys: [] } }'), '2:16: people.a.keys must not be empty'],
    [
      'another presence',
      policy('people: { a: { keys: [k], presence: optional } }'),
      '2:27: people.a.presence must be "required", or be left out',
    ],

    ['an image without a match', policy('images: [ { pinned: true } ]'), '2:11: images[0].match is missing'],
    ['an empty list of images', policy('images: []'), '2:1: images must not be empty'],
    [
      'a pin that is no yes or no',
      policy('images: [ { match: a.example/x, pinned: yes } ]'),
      '2:33: images[0].pinned must be true or false',
    ],
    [
      'a match with a tag',
      policy('images: [ { match: "a.example/x:1" } ]'),
      '2:13: images[0].match must be without tag and digest: it names repositories',
    ],
    [
      'a match with a digest',
      policy(`images: [ { match: "a.example/x@sha256:${'0'.repeat(64)}" } ]`),
      '2:13: images[0].match must be without tag and digest: it names repositories',
    ],
    [
      'a match with a slash behind',
      policy('images: [ { match: a.example/x/ } ]'),
      '2:13: images[0].match has an empty segment: no slash at an end, none twice',
    ],
    [
      'a match in upper case',
      policy('images: [ { match: a.example/X } ]'),
      '2:13: images[0].match must be in lower case, as image names are',
    ],
    [
      'a match without a registry',
      policy('images: [ { match: acme/** } ]'),
      '2:13: images[0].match must begin with a registry, like docker.io/acme/**',
    ],
    [
      'a match of a registry alone',
      policy('images: [ { match: a.example } ]'),
      '2:13: images[0].match names a registry and no repository; add /** for all that it has',
    ],
    ...['443', '80'].map((port): [string, string, string] => [
      `a match with the port ${port}`,
      policy(`images: [ { match: "registry.example:${port}/x" } ]`),
      `2:13: images[0].match must be without :${port}, which goes without saying`,
    ]),
    ...['registry.example:0443', 'registry.example:65536', '127.1', 'registry.example.'].map(
      (host): [string, string, string] => [
        `a match of ${host}, which no image is called by`,
        policy(`images: [ { match: "${host}/x" } ]`),
        `2:13: images[0].match matches nothing: "${host}" is no registry`,
      ],
    ),
    [
      'a match by another name of Docker Hub',
      policy('images: [ { match: index.docker.io/acme/x } ]'),
      '2:13: images[0].match must call Docker Hub docker.io',
    ],
    [
      'a match that is short on Docker Hub',
      policy('images: [ { match: docker.io/alpine } ]'),
      '2:13: images[0].match matches nothing: that image is docker.io/library/alpine in full',
    ],
    [
      'a match with stars within a segment',
      policy('images: [ { match: a.example/x** } ]'),
      '2:13: images[0].match has "**" inside a segment; it has to stand alone between slashes',
    ],

    ['nobody who signs', images('{}'), '9:5: images[0].signed must have exactly one of any, all and threshold'],
    [
      'two ways to sign',
      images('{ any: [release], all: [release] }'),
      '9:5: images[0].signed must have exactly one of any, all and threshold',
    ],
    ['an empty list of signers', images('{ any: [] }'), '9:15: images[0].signed.any must not be empty'],
    [
      'one name for a list',
      images('{ any: release }'),
      '9:15: images[0].signed.any must be a list of names, like [release]',
    ],
    [
      'a signer that nobody knows',
      images('{ any: [releases] }', 'people: { alice: { keys: [a] } }'),
      '10:21: images[0].signed.any[0] names nobody: "releases" is not among release, alice',
    ],
    [
      'a signer where nobody is named',
      policy('images: [ { match: a.example/x, signed: { any: [a] } } ]'),
      '2:49: images[0].signed.any[0] names nobody: "a" is not among identities: and people:, which are empty',
    ],
    ['a signer named twice', images('{ all: [release, release] }'), '9:30: images[0].signed.all[1] is named twice'],
    [
      'an OpenPGP key as signer',
      images('{ any: [vendor] }', '  vendor: { openpgp: v.asc }'),
      '10:21: images[0].signed.any[0] is an OpenPGP key, which signs packages and not images; name a Sigstore identity or a key',
    ],
    [
      'a person with an address alone as signer',
      images('{ any: [alice] }', 'people: { alice: { emails: [a@acme.example] } }'),
      '10:21: images[0].signed.any[0] has no key and no Sigstore identity to sign images with; add one under people.alice',
    ],
    [
      'a person with an OpenPGP key alone as signer',
      images('{ any: [alice] }', '  vendor: { openpgp: v.asc }', 'people: { alice: { identities: [vendor] } }'),
      '11:21: images[0].signed.any[0] has no key and no Sigstore identity to sign images with; add one under people.alice',
    ],
    [
      'more signers than are named',
      images('{ threshold: { of: [release], count: 2 } }'),
      '9:43: images[0].signed.threshold.count can never be met: only 1 are named; lower it or name more',
    ],
    [
      'no signers',
      images('{ threshold: { of: [release], count: 0 } }'),
      '9:43: images[0].signed.threshold.count must be at least 1',
    ],
    [
      'half a signer',
      images('{ threshold: { of: [release], count: 0.5 } }'),
      '9:43: images[0].signed.threshold.count must be a whole number',
    ],
    [
      'signers without a count',
      images('{ threshold: { of: [release] } }'),
      '9:15: images[0].signed.threshold.count must be a whole number',
    ],
    [
      'a count without signers',
      images('{ threshold: { count: 1 } }'),
      '9:15: images[0].signed.threshold.of is missing',
    ],
    ['too much text', `version: 1\n${'#'.repeat(1024 * 1024)}`, '1:1: longer than 262144 characters'],
    [
      'too many words',
      policy(`changes: [${'a,'.repeat(60_000)}]`),
      '2:66669: more than 100000 words and signs before this',
    ],
    ['too many levels', policy(`changes: ${'['.repeat(40)}${']'.repeat(40)}`), '2:41: nested deeper than 32 levels'],
    ['very many levels', policy(`changes: ${'['.repeat(200_000)}`), '2:41: nested deeper than 32 levels'],
  ])('is refused with %s', (_, text, message) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(OperationalError);
    expect(error).toMatchObject({ code: 'configuration', message: `p.yaml:${message}` });
  });

  it('is refused when aliases unfold without end', () => {
    const lines = ['a: &a0 [x, x, x, x, x, x, x, x]'];
    for (let at = 1; at < 9; at++)
      lines.push(
        `b${at}: &a${at} [${Array(8)
          .fill(`*a${at - 1}`)
          .join(', ')}]`,
      );
    expect(errorOf(policy('changes:', ...lines.map((each) => `  ${each}`)))).toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(/^p\.yaml:\d+:\d+: too much, or aliases that unfold into too much$/),
    });
  });

  it('ends in a policy or in an error that tells the place, whatever is written', () => {
    const lines = example.split('\n');
    const piece = fc.constantFrom(
      ...lines,
      '- a',
      '? [a]',
      '&a',
      '*a',
      '<<: *a',
      '{',
      ']',
      '!!int x',
      '%YAML 1.1',
      '---',
      '\t',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 12 }).map((each) => each.join('\n')),
        ),
        (text) => {
          const error = errorOf(text);
          if (error === undefined) return;
          expect(error).toMatchObject({
            code: 'configuration',
            message: expect.stringMatching(/^p\.yaml:[1-9]\d*:[1-9]\d*: ./),
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});
