import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { GitRefusal } from '../../src/git/refusal.ts';
import { readTreeFile } from '../../src/git/tree-file.ts';
import type { World } from '../../src/io/index.ts';
import { policyDigest } from '../../src/policy/digest.ts';
import { type ChangePolicy, maxPolicyFileBytes, readChangePolicy } from '../../src/run/change-policy.ts';
import { shippedText } from '../../src/sigstore/shipped.ts';
import { open, worldWith } from '../git/open.ts';
import { type FileSpec, makeRepository, type TestRepository } from '../kit/repository.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { gitHub, workflow } from '../sigstore/identities.ts';

const folder = temporaryDirectory();
const noon = Date.UTC(2026, 8, 1, 12);
const world: World = {
  ...worldWith({ TMPDIR: folder, TIDEWAITER_CACHE_DIR: path.join(folder, 'none') }),
  now: () => noon,
};

const newKey = (): KeyObject => generateKeyPairSync('ed25519').publicKey;
const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const raw = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(-32);
const line = (type: string, ...parts: readonly (string | Buffer)[]): string =>
  `${type} ${Buffer.concat([type, ...parts].map(text)).toString('base64')} me\n`;
const ssh = (key: KeyObject): string => line('ssh-ed25519', raw(key));
const securityKey = (key = newKey()): string => line('sk-ssh-ed25519@openssh.com', raw(key), 'ssh:');

const [alice, bob] = [newKey(), newKey()];
const target = 'changes:\n  repository: https://github.com/acme/shop\n  baseRef: refs/heads/main\n';
const simple = `version: 1\npeople: { alice: { keys: [keys/alice.pub] } }\n${target}`;
const files: Readonly<Record<string, FileSpec>> = { 'tidewaiter.policy.yaml': simple, 'keys/alice.pub': ssh(alice) };

interface Made {
  readonly repository: TestRepository;
  readonly base: string;
  readonly head: string;
}

/** A base with these files, and one commit upon it that changes one. */
function make(base: Readonly<Record<string, FileSpec>> = files, head: Readonly<Record<string, FileSpec>> = {}): Made {
  const repository = makeRepository(folder);
  const first = repository.commit({ files: { 'a.ts': 'a\n', ...base } });
  return {
    repository,
    base: first,
    head: repository.commit({ files: { 'a.ts': 'b\n', ...head }, branch: 'topic', parents: [first] }),
  };
}

async function read(
  { repository, base, head }: Made,
  source?: string,
  changes: Partial<World> = {},
): Promise<ChangePolicy> {
  const opened = await open(repository.path, { TMPDIR: folder });
  const request = {
    ...(source !== undefined && { source }),
    repository: opened,
    policyBase: { id: base, tree: repository.treeOf(base) },
    head: { id: head },
  };
  return readChangePolicy(request, (file, tree) => readTreeFile(opened.objects, tree, file, maxPolicyFileBytes), {
    ...world,
    ...changes,
  });
}

async function errorOf(attempt: Promise<unknown>): Promise<OperationalError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OperationalError) return error;
  throw error ?? new Error('nothing was refused');
}

const withPeople = (people: string, keys: Readonly<Record<string, FileSpec>>, more = '', changes = ''): Made =>
  make({ 'tidewaiter.policy.yaml': `version: 1\n${more}people: ${people}\n${target}${changes}`, ...keys });

describe('the policy of a change', () => {
  it('is the one of the base, with the files that it names, whatever the change writes', async () => {
    const weaker = simple.replace('https://github.com/acme/shop', 'https://github.com/acme/other');
    const made = make(files, { 'tidewaiter.policy.yaml': weaker, 'keys/alice.pub': ssh(bob) });
    const policy = await read(made);
    expect(policy.from).toBe(`git:${made.base}:tidewaiter.policy.yaml`);
    expect(policy.rule.repository).toBe('https://github.com/acme/shop');
    expect(policy.files.map((each) => [each.path, each.bytes.toString()])).toEqual([
      ['tidewaiter.policy.yaml', simple],
      ['keys/alice.pub', ssh(alice)],
    ]);
    expect(policy.paths).toEqual(['tidewaiter.policy.yaml', 'keys/alice.pub']);
    expect(policy.digest).toBe(
      policyDigest([{ bytes: Buffer.from(simple) }, { name: 'keys/alice.pub', bytes: Buffer.from(ssh(alice)) }]),
    );
    expect(policy.signers.keys).toMatchObject([
      { name: 'alice', person: 'alice', key: { kind: 'ssh', securityKey: false } },
    ]);
    expect(policy.signers.pins.get('alice')).toMatchObject([
      { kind: 'key', name: 'alice (keys/alice.pub)', person: 'alice' },
    ]);
    expect(policy.signers.roots.map(({ name }) => name)).toEqual(['public-good']);
    expect(policy.signers.notes).toEqual([]);
  });

  it('is not read from the tree of the work, which may be another', async () => {
    const made = make();
    writeFileSync(path.join(made.repository.path, 'tidewaiter.policy.yaml'), 'version: 2\n');
    expect((await read(made)).rule.baseRef).toBe('refs/heads/main');
  });

  it('says how to begin where there is none, and where it says nothing of changes', async () => {
    const none = await errorOf(read(make({})));
    expect([none.code, none.message]).toEqual([
      'configuration',
      expect.stringMatching(
        /^not configured: there is no "tidewaiter.policy.yaml" in [0-9a-f]{40}, the tip of the protected branch$/,
      ),
    ]);
    expect(none.hints.join('\n')).toContain(
      'changes: { repository: https://github.com/acme/shop, baseRef: refs/heads/main',
    );
    const mute = await errorOf(read(make({ ...files, 'tidewaiter.policy.yaml': 'version: 1\n' })));
    expect([mute.code, mute.message]).toEqual([
      'configuration',
      expect.stringMatching(/^not configured: "git:[0-9a-f]{40}:tidewaiter.policy.yaml" says nothing of changes$/),
    ]);
  });

  it('is not one that only the change brings', async () => {
    expect((await errorOf(read(make({}, files)))).message).toContain('not configured');
  });

  it('may lie elsewhere in another commit, with its files beside it', async () => {
    const made = make({});
    const other = made.repository.commit({
      files: { 'own/policy.yaml': simple.replace('keys/alice', './x/../keys/alice'), 'own/keys/alice.pub': pem(alice) },
      branch: 'policies',
      parents: [],
      only: true,
    });
    for (const revision of ['policies', 'refs/heads/policies', other]) {
      const policy = await read(made, `git:${revision}:own/policy.yaml`);
      expect(policy.from).toBe(`git:${other}:own/policy.yaml`);
      expect(policy.paths).toEqual(['own/policy.yaml', 'own/keys/alice.pub']);
      expect(policy.signers.keys).toMatchObject([{ name: 'alice', key: { kind: 'key' } }]);
    }
  });

  it('may come from an older commit of the base, and never from one that has a part of the change in it', async () => {
    const made = make();
    const { repository } = made;
    const later = repository.commit({ files: { 'b.ts': 'b\n' } });
    const behind = { ...made, base: later };
    expect((await read(behind, `git:${made.base}`)).from).toBe(`git:${made.base}:tidewaiter.policy.yaml`);
    const merged = repository.merge(later, made.head, { branch: 'merged' });
    const upon = repository.commit({ branch: 'upon', parents: [made.head], files: { 'c.ts': 'c\n' } });
    const last = repository.commit({ branch: 'topic', files: { 'd.ts': 'd\n' } });
    for (const commit of [made.head, merged, upon]) {
      const error = await errorOf(read({ ...behind, head: last }, `git:${commit}`));
      expect([error.code, error.message]).toEqual([
        'usage',
        expect.stringContaining('has commits of the change in it'),
      ]);
    }
  });

  it.each([
    ['git:', 'is not git:REV:PATH'],
    ['git::x.yaml', 'is not git:REV:PATH'],
    ['git:main:', 'is not git:REV:PATH'],
    ['git:main:/x.yaml', 'is not git:REV:PATH'],
    ['git:main:../x.yaml', 'is not git:REV:PATH'],
    ['git:main:a//x.yaml', 'is not git:REV:PATH'],
    [`registry.example/policy@sha256:${'0'.repeat(64)}`, 'policies are not read from registries yet'],
    ['oci:policy', 'policies are not read from registries yet'],
    ['-', 'is no file'],
    ['', 'is no file'],
  ])('is wrong usage as %j', async (source, message) => {
    const error = await errorOf(read(make(), source));
    expect([error.code, error.message]).toEqual(['usage', expect.stringContaining(message)]);
  });

  it('may be a file outside of the repository, with its files beside it', async () => {
    const outside = writeTree(folder, { 'p.yaml': simple, 'keys/alice.pub': pem(alice) });
    const policy = await read(make({}), path.join(outside, 'p.yaml'));
    expect([policy.from, policy.paths]).toEqual([path.join(outside, 'p.yaml'), []]);
    expect(policy.files.map((each) => each.path)).toEqual(
      ['p.yaml', 'keys/alice.pub'].map((each) => path.join(outside, each)),
    );
    const none = await errorOf(read(make({}), path.join(outside, 'q.yaml')));
    expect([none.code, none.message]).toEqual([
      'configuration',
      expect.stringContaining('not configured: there is no '),
    ]);
    const inTree = await read(make({ 'tidewaiter.policy.yaml': simple, 'keys/alice.pub': pem(alice) }));
    expect(policy.digest).toBe(inTree.digest);
  });

  it('is no file of the work tree, in which the change is checked out, by whatever way', async () => {
    const made = make();
    const work = made.repository.path;
    mkdirSync(path.join(work, 'keys'), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(work, name), String(content));
    const outside = writeTree(folder, { 'p.yaml': simple, 'keys/alice.pub': ssh(alice) });
    symlinkSync(path.join(work, 'tidewaiter.policy.yaml'), path.join(outside, 'link.yaml'));
    symlinkSync(work, path.join(outside, 'folder'));
    for (const file of ['link.yaml', 'folder/tidewaiter.policy.yaml'].map((each) => path.join(outside, each))) {
      expect((await errorOf(read(made, file))).message).toContain('lies in the work tree');
    }
    expect((await errorOf(read(made, path.join(work, 'tidewaiter.policy.yaml')))).message).toContain(
      'lies in the work tree',
    );
    writeFileSync(path.join(outside, 'p.yaml'), simple.replace('keys/alice.pub', 'folder/keys/alice.pub'));
    const error = await errorOf(read(made, path.join(outside, 'p.yaml')));
    expect([error.code, error.message]).toEqual(['configuration', expect.stringContaining('lies in the work tree')]);
    expect(error.hints.join()).toContain('git:REV:PATH');
  });

  it.each<[string, string, Readonly<Record<string, FileSpec>>]>([
    [
      'a link in its place',
      '"keys/alice.pub" is a symbolic link',
      { 'keys/alice.pub': { mode: '120000', content: '../a.ts' } },
    ],
    ['a link in the place of its folder', '"keys" is a symbolic link', { keys: { mode: '120000', content: 'other' } }],
    ['nothing', 'names a file that is not there: "keys/alice.pub"', { 'keys/bob.pub': ssh(bob) }],
    ['a folder', '"keys/alice.pub" is a directory', { 'keys/alice.pub/x': 'x' }],
    [
      'a private key',
      'cannot be used as a public key',
      { 'keys/alice.pub': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' },
    ],
    ['something else', 'cannot be used as a public key', { 'keys/alice.pub': 'hello\n' }],
  ])('names the line when a key is %s', async (_, message, keys) => {
    const error = await errorOf(read(make({ 'tidewaiter.policy.yaml': simple, ...keys })));
    expect([error.code, error.message]).toEqual([
      'configuration',
      expect.stringMatching(/^git:[0-9a-f]{40}:tidewaiter.policy.yaml:2:11: people.alice.keys\[0\] /),
    ]);
    expect(error.message).toContain(message);
  });

  it('is refused by name as a link', async () => {
    const policy: FileSpec = { mode: '120000', content: 'other.yaml' };
    const error = await errorOf(read(make({ 'tidewaiter.policy.yaml': policy, 'other.yaml': simple })));
    expect(error).toBeInstanceOf(GitRefusal);
    expect(error.message).toContain('"tidewaiter.policy.yaml" is a symbolic link');
  });

  it.each(['../alice.pub', '/alice.pub', 'keys/../../alice.pub', '..'])(
    'names no file outside of the repository: %s',
    async (file) => {
      const error = await errorOf(
        read(make({ ...files, 'tidewaiter.policy.yaml': simple.replace('keys/alice.pub', file) })),
      );
      expect([error.code, error.message]).toEqual([
        'configuration',
        expect.stringContaining('is no file of the repository'),
      ]);
    },
  );

  it('is refused where it is no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(simple), Buffer.from([0x23, 0xff, 0x0a])]);
    expect((await errorOf(read(make({ ...files, 'tidewaiter.policy.yaml': bytes })))).message).toContain(
      'is not UTF-8',
    );
  });

  it('needs no key that no change can need, and its digest tells that one is missing', async () => {
    const more =
      'identities: { ci: { key: keys/ci.pub }, vendor: { openpgp: keys/vendor.asc } }\nplatform: platform.yaml\n';
    const people = '{ alice: { keys: [keys/alice.pub] } }';
    const without = await read(withPeople(people, { 'keys/alice.pub': ssh(alice) }, more));
    expect(without.files.map((each) => each.path)).toEqual(['tidewaiter.policy.yaml', 'keys/alice.pub']);
    expect(without.paths).toEqual([
      'tidewaiter.policy.yaml',
      'keys/ci.pub',
      'keys/alice.pub',
      'keys/vendor.asc',
      'platform.yaml',
    ]);
    expect([...without.signers.pins.keys()]).toEqual(['alice']);
    expect(without.signers.notes).toEqual(['the policy also has platform, which change does not judge']);
    const broken = await read(withPeople(people, { 'keys/alice.pub': ssh(alice), 'keys/ci.pub': 'no key' }, more));
    expect(broken.files.map((each) => each.path)).toContain('keys/ci.pub');
    expect(broken.digest).not.toBe(without.digest);
    const link: FileSpec = { mode: '120000', content: 'alice.pub' };
    expect((await read(withPeople(people, { 'keys/alice.pub': ssh(alice), 'keys/ci.pub': link }, more))).digest).toBe(
      without.digest,
    );
  });

  it('tells what of a policy it does not judge, and not what verify judges', async () => {
    const more = 'exceptions: []\nimages: [ { match: registry.example/a, sbom: {} } ]\n';
    const { signers } = await read(withPeople('{ alice: { keys: [k] } }', { k: ssh(alice) }, more));
    expect(signers.notes).toEqual(['the policy also has exceptions, which change does not judge']);
  });
});

describe('who can sign for a change', () => {
  const identities = [
    'identities:',
    `  platform: { issuer: ${gitHub}, signer: { workflow: ${workflow} }, source: { repository: https://github.com/acme/shop } }`,
    '  mine: { issuer: https://accounts.google.com, subject: alice@acme.example }',
    '  robot: { key: robot.pub }',
    '',
  ].join('\n');

  it('are the people with all their keys and identities, and those whom changes names', async () => {
    const robot = newKey();
    const { signers } = await read(
      withPeople(
        '{ alice: { keys: [a.pub, all.signers], identities: [mine], emails: [alice@acme.example] }, bob: { emails: [b@acme.example] } }',
        {
          'a.pub': pem(alice),
          'all.signers': `bob@acme.example ${ssh(bob)}alice@acme.example namespaces="git" ${ssh(newKey())}`,
          'robot.pub': pem(robot),
        },
        identities,
        '  bots: [robot]\n  agents: { provenance: { any: [platform] } }\n',
      ),
    );
    expect(signers.keys.map(({ name, person, key }) => [name, person, key.kind])).toEqual([
      ['robot', undefined, 'key'],
      ['alice', 'alice', 'key'],
      ['alice', 'alice', 'ssh'],
    ]);
    expect(signers.certificates.map(({ name, person }) => [name, person])).toEqual([
      ['platform', undefined],
      ['mine', 'alice'],
    ]);
    // What may sign for git alone is no plain key that signs anything.
    expect(
      [...signers.pins].map(([name, pins]) => [name, pins.map((pin) => [pin.kind, pin.name, pin.person])]),
    ).toEqual([
      ['robot', [['key', 'robot', undefined]]],
      [
        'alice',
        [
          ['key', 'alice (a.pub)', 'alice'],
          ['certificate', 'mine', 'alice'],
        ],
      ],
      ['platform', [['certificate', 'platform', undefined]]],
      ['mine', [['certificate', 'mine', 'alice']]],
      ['bob', []],
    ]);
  });

  it('sign with a touched security key alone where their presence is asked for', async () => {
    const people = '{ alice: { keys: [a.pub, sk.pub], identities: [mine], presence: required } }';
    const keys = { 'a.pub': pem(alice), 'sk.pub': securityKey(), 'robot.pub': pem(bob) };
    const { signers } = await read(withPeople(people, keys, identities));
    expect(signers.keys.map(({ presence, key }) => [presence, key.kind])).toEqual([
      ['required', 'key'],
      ['required', 'ssh'],
    ]);
    expect([signers.certificates, signers.pins.get('alice'), signers.pins.get('mine')]).toEqual([[], [], undefined]);
    expect(signers.notes).toEqual([]);
    const none = await read(withPeople(people.replace(', sk.pub', ''), keys, identities));
    expect(none.signers.notes).toEqual([
      'people.alice asks for presence and has no security key (sk-…): no signature of theirs can count',
    ]);
    const role = '  agents: { provenance: { any: [mine] } }\n';
    const asRole = (await read(withPeople(people, keys, identities, role))).signers;
    expect([asRole.certificates, asRole.pins.get('alice'), asRole.pins.get('mine')?.length]).toEqual([[], [], 1]);
  });

  it.each<[string, string, Readonly<Record<string, FileSpec>>, string, string]>([
    [
      'two people, in PEM and in SSH',
      '{ alice: { keys: [a] }, bob: { keys: [b] } }',
      { a: pem(alice), b: ssh(alice) },
      '',
      'people.bob.keys[0] ("b") is the same key as people.alice.keys[0] (line 6): it would make alice and bob one signer',
    ],
    [
      'two people, on one security key',
      '{ alice: { keys: [a] }, bob: { keys: [b] } }',
      { a: securityKey(alice), b: securityKey(alice) },
      '',
      'people.bob.keys[0] ("b") is the same key as people.alice.keys[0] (line 6)',
    ],
    [
      'two people, in a file of several',
      '{ alice: { keys: [a] }, bob: { keys: [b] } }',
      { a: ssh(alice), b: `${ssh(bob)}${ssh(alice)}` },
      '',
      'people.bob.keys[0] ("b") is the same key as people.alice.keys[0] (line 6)',
    ],
    [
      'a person and a program',
      '{ alice: { keys: [a] } }',
      { a: ssh(alice), 'robot.pub': pem(alice) },
      '  bots: [robot]\n',
      'people.alice.keys[0] ("a") is the same key as identities.robot.key (line 5): it would make robot and alice one signer',
    ],
  ])('are refused when a key is that of %s', async (_, people, keys, changes, message) => {
    const error = await errorOf(read(withPeople(people, keys, identities, changes)));
    expect([error.code, error.message]).toEqual(['configuration', expect.stringContaining(message)]);
  });

  it('may have one key in two ways', async () => {
    const people = '{ alice: { keys: [a, b], identities: [robot] } }';
    const { signers } = await read(
      withPeople(people, { a: pem(alice), b: ssh(alice), 'robot.pub': pem(alice) }, identities),
    );
    expect(signers.keys.map(({ name, person }) => [name, person])).toEqual([
      ['robot', 'alice'],
      ['alice', 'alice'],
      ['alice', 'alice'],
    ]);
  });

  it('can never meet a threshold with one key under two names', async () => {
    const two = 'identities: { ci: { key: a }, old: { key: b } }\n';
    const made = withPeople(
      '{ alice: { keys: [k] } }',
      { a: pem(bob), b: ssh(bob), k: ssh(alice) },
      two,
      '  agents: { provenance: { all: [ci, old] } }\n',
    );
    const error = await errorOf(read(made));
    expect([error.code, error.message]).toEqual([
      'configuration',
      expect.stringMatching(
        /tidewaiter.policy.yaml:7:13: all 2 can never be met: its names come down to 1 \(ci and old are one\)$/,
      ),
    ]);
  });

  const gpg = spawnSync('gpg', ['--version']).status === 0;
  it.skipIf(!gpg)('may sign commits with OpenPGP, and neither vouch nor approve with it (needs gpg)', async () => {
    const home = path.join(folder, `gpg-${randomBytes(4).toString('hex')}`);
    mkdirSync(home, { mode: 0o700 });
    const run = (...args: readonly string[]) =>
      execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    run('--passphrase', '', '--quick-gen-key', 'Alice <alice@acme.example>', 'ed25519', 'sign', 'never');
    const key = run('--export', '--armor').toString();
    const openpgp = 'identities: { vendor: { openpgp: v.asc }, wrong: { key: v.asc }, off: { openpgp: p.pub } }\n';
    const people = '{ alice: { keys: [a.asc] } }';
    const keys = { 'a.asc': key, 'v.asc': key, 'p.pub': pem(bob) };
    const { signers } = await read(withPeople(people, keys, openpgp));
    expect(signers.keys).toMatchObject([{ name: 'alice', person: 'alice', key: { kind: 'openpgp' } }]);
    expect(signers.pins.get('alice')).toEqual([]);
    const messageOf = async (changes: string) =>
      (await errorOf(read(withPeople(people, keys, openpgp, changes)))).message;
    expect(await messageOf('  highRisk: { by: [alice] }\n')).toContain(
      'alice has OpenPGP keys alone, which sign commits and no statements',
    );
    expect(await messageOf('  agents: { provenance: { any: [alice] } }\n')).toContain('alice has OpenPGP keys alone');
    expect(await messageOf('  bots: [vendor]\n')).toContain(
      'people.alice.keys[0] ("a.asc") is the same key as identities.vendor.openpgp',
    );
    expect(await messageOf('  bots: [wrong]\n')).toContain('identities.wrong.key ("v.asc") is an OpenPGP key');
    expect(await messageOf('  bots: [off]\n')).toContain('identities.off.openpgp ("p.pub") is no OpenPGP key');
  });
});

describe('the trusted roots of a change', () => {
  const corp = [
    'trust: { corp: { root: trust/corp.json, issuers: [https://oidc.corp.example] } }',
    'identities:',
    '  build: { trust: corp, issuer: https://oidc.corp.example, subject: spiffe://corp.example/build }',
    '',
  ].join('\n');
  const people = '{ alice: { keys: [k] } }';
  const agents = '  agents: { provenance: { any: [build] } }\n';

  it("are those of the pins that can count, the policy's own from the tree of the policy", async () => {
    const keys = { k: ssh(alice), 'trust/corp.json': shippedText('staging') };
    const { signers, files: read1, digest } = await read(withPeople(people, keys, corp, agents));
    expect(signers.roots.map(({ name }) => name)).toEqual(['corp']);
    expect(signers.trust).toMatchObject([{ name: 'corp', from: 'trust/corp.json' }]);
    expect(read1.map((each) => each.path)).toEqual(['tidewaiter.policy.yaml', 'k', 'trust/corp.json']);
    const unused = await read(withPeople(people, keys, corp));
    expect(unused.signers.roots.map(({ name }) => name)).toEqual(['public-good']);
    expect(unused.digest).not.toBe(digest);
  });

  it('are refused with the line when they are none, and when they are not there', async () => {
    const none = await errorOf(read(withPeople(people, { k: ssh(alice), 'trust/corp.json': '{}' }, corp, agents)));
    expect([none.code, none.message]).toEqual([
      'configuration',
      expect.stringMatching(/yaml:2:\d+: trust.corp.root \("trust\/corp.json"\) is no trusted root: /),
    ]);
    const gone = await errorOf(read(withPeople(people, { k: ssh(alice) }, corp, agents)));
    expect([gone.code, gone.message]).toEqual([
      'configuration',
      expect.stringContaining('trust.corp.root names a file that is not there'),
    ]);
  });

  it('leave the change undecided when they are older than the policy allows', async () => {
    const more = [
      'trust: { public-good: { maxAge: 30d } }',
      `identities: { build: { issuer: ${gitHub}, signer: { workflow: ${workflow} }, source: { repository: https://github.com/acme/shop } } }`,
      '',
    ].join('\n');
    const made = withPeople(people, { k: ssh(alice) }, more, agents);
    expect((await read(made)).signers.trust).toMatchObject([{ name: 'public-good', from: 'shipped', ageDays: 10 }]);
    const later = { now: () => noon + 40 * 24 * 3600 * 1000 };
    const error = await errorOf(read(made, undefined, later));
    expect(error).toMatchObject({
      rule: 'trusted-root-too-old',
      message: 'the trusted root "public-good" is 50 days old, and 30 are allowed',
    });
  });

  it('may be of any age where keys alone can count', async () => {
    const made = withPeople(people, { k: ssh(alice) }, 'trust: { public-good: { maxAge: 30d } }\n');
    const policy = await read(made, undefined, { now: () => noon + 40 * 24 * 3600 * 1000 });
    expect(policy.signers.trust).toMatchObject([{ name: 'public-good', ageDays: 50 }]);
  });
});

it('the minimal policy that is shown where there is none is one', async () => {
  const error = await errorOf(read(make({})));
  const lines = error.hints.flatMap((hint) => /: ((?:version|people|changes): .*)$/.exec(hint)?.[1] ?? []);
  expect(lines).toHaveLength(3);
  const made = make({ 'tidewaiter.policy.yaml': `${lines.join('\n')}\n`, 'keys/alice.pub': ssh(alice) });
  expect((await read(made)).rule.highRisk.by).toEqual(['alice']);
});
