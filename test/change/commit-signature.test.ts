import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as openpgp from 'openpgp';
import { describe, expect, test } from 'vitest';
import { type CommitSigners, type ListedKey, verifyCommitSignature } from '../../src/change/commit-signature.ts';
import { findForgeKey, isForgeKey } from '../../src/change/forge-keys.ts';
import type { SignatureFacts } from '../../src/change/types.ts';
import type { Commit } from '../../src/git/types.ts';
import { type PersonKey, parsePersonKey } from '../../src/sigstore/person-key.ts';
import { shippedRoot } from '../../src/sigstore/shipped.ts';
import { commitOf, dataCommits } from '../kit/commits.ts';
import { describeData, readData } from '../kit/data.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { makeSshKey, type Shape, signSsh, type TestKey } from '../sigstore/ssh.ts';

const now = Date.UTC(2026, 11, 1);
const head =
  'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@acme.example> 1700000000 +0000\ncommitter A <a@acme.example> 1700000000 +0000\n';
const payload = Buffer.from(`${head}\nmessage\n`);

const withSignature = (armored: string, message = 'message\n'): Commit =>
  commitOf(Buffer.from(`${head}gpgsig ${armored.trimEnd().replaceAll('\n', '\n ')}\n\n${message}`));
const signed = (key: TestKey, shape: Shape = {}): Commit => withSignature(signSsh(key, payload, shape));

const keysOf = (file: string): Promise<readonly PersonKey[]> => parsePersonKey(Buffer.from(file), 'keys/a');
const person = async (name: string, file: string, more: Partial<ListedKey> = {}): Promise<readonly ListedKey[]> =>
  (await keysOf(file)).map((key) => ({ name, person: name, key, ...more }));

const check = (commit: Commit, ...keys: readonly (readonly ListedKey[])[]): Promise<SignatureFacts> =>
  verifyCommitSignature(commit, { keys: keys.flat(), certificates: [], roots: [], now });

const alice = makeSshKey('ssh-ed25519');
const token = makeSshKey('sk-ssh-ed25519@openssh.com');

describe('the signature in a commit', () => {
  test('may not be there', async () => {
    expect(await check(commitOf(payload))).toEqual({ state: 'none' });
  });

  test('of a kind that is not known is not supported', async () => {
    const commit = withSignature('-----BEGIN CONTRACT-----\nAAAA\n-----END CONTRACT-----');
    expect(await check(commit)).toEqual({ state: 'unsupported', why: expect.stringMatching(/not known/) });
  });

  test('by SSH is of whoever is listed with that key', async () => {
    const facts = await check(
      signed(alice),
      await person('bob', makeSshKey('ssh-ed25519').line),
      await person('alice', alice.line),
    );
    expect(facts).toEqual({
      state: 'good',
      format: 'ssh',
      signer: { kind: 'ssh', fingerprint: expect.stringMatching(/^SHA256:/) },
      matched: ['alice'],
      person: 'alice',
    });
  });

  test('by SSH is of whoever is listed with the same key in PEM', async () => {
    for (const type of ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'] as const) {
      const key = makeSshKey(type);
      const pem = key.publicKey.export({ format: 'pem', type: 'spki' }) as string;
      expect(await check(signed(key), await person('alice', pem))).toMatchObject({
        matched: ['alice'],
        person: 'alice',
      });
    }
    const inner = token.publicKey.export({ format: 'pem', type: 'spki' }) as string;
    expect(await check(signed(token), await person('alice', inner))).toMatchObject({ state: 'good', matched: [] });
  });

  test('by nobody listed is good and matches nobody', async () => {
    expect(await check(signed(alice))).toMatchObject({ state: 'good', matched: [] });
    expect(await check(signed(alice))).not.toHaveProperty('person');
  });

  test('of two people with one key proves neither', async () => {
    const facts = await check(signed(alice), await person('alice', alice.line), await person('bob', alice.line));
    expect(facts).toMatchObject({ matched: ['alice', 'bob'], note: expect.stringMatching(/several people/) });
    expect(facts).not.toHaveProperty('person');
  });

  test('over another commit is bad', async () => {
    const facts = await check(withSignature(signSsh(alice, payload), 'another\n'), await person('alice', alice.line));
    expect(facts).toEqual({ state: 'bad', format: 'ssh', why: 'the SSH signature does not hold' });
  });

  test('for another use than git is bad', async () => {
    const facts = await check(signed(alice, { namespace: 'file' }), await person('alice', alice.line));
    expect(facts).toMatchObject({ state: 'bad', why: expect.stringMatching(/another use/) });
  });

  test('that breaks its format is bad, and one of an unknown version is not supported', async () => {
    const broken = withSignature('-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----');
    expect(await check(broken)).toMatchObject({ state: 'bad' });
    expect(await check(signed(alice, { version: 2 }))).toMatchObject({ state: 'unsupported' });
  });

  test('of who has to touch a key counts when it was touched', async () => {
    const required = await person('alice', token.line, { presence: 'required' });
    expect(await check(signed(token, { flags: 1 }), required)).toMatchObject({
      matched: ['alice'],
      person: 'alice',
      touched: true,
    });
    const untouched = await check(signed(token, { flags: 4 }), required);
    expect(untouched).toMatchObject({
      state: 'good',
      matched: [],
      touched: false,
      note: expect.stringMatching(/touched/),
    });
    expect(untouched).not.toHaveProperty('person');
    const plain = await check(signed(alice), await person('alice', alice.line, { presence: 'required' }));
    expect(plain).toMatchObject({ state: 'good', matched: [], note: expect.stringMatching(/touched/) });
    expect(await check(signed(token, { flags: 0 }), await person('alice', token.line))).toMatchObject({
      person: 'alice',
    });
  });

  test('by a key for other uses matches nobody, and by one of a time that has passed is unproved', async () => {
    const listed = (options: string) => person('alice', `alice ${options} ${alice.line}`);
    expect(await check(signed(alice), await listed('namespaces="git"'))).toMatchObject({ person: 'alice' });
    expect(await check(signed(alice), await listed('namespaces="file"'))).toMatchObject({
      state: 'good',
      matched: [],
      note: expect.stringMatching(/may not sign for "git"/),
    });
    expect(await check(signed(alice), await listed('valid-before="20270101Z"'))).toMatchObject({ person: 'alice' });
    for (const options of ['valid-before="20260101Z"', 'valid-after="20200101Z"']) {
      const facts = await check(signed(alice), await listed(options));
      expect(facts).toMatchObject({ state: 'unproved', claimed: expect.stringMatching(/^SHA256:/) });
      expect(await check(signed(alice), await listed(options), await person('alice', alice.line))).toMatchObject({
        person: 'alice',
      });
    }
  });
});

describe('an OpenPGP signature in a commit', async () => {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'ecc',
    userIDs: [{ email: 'a@acme.example' }],
    date: new Date(now - 86_400_000),
    format: 'object',
  });
  const made = await openpgp.sign({
    message: await openpgp.createMessage({ binary: payload }),
    signingKeys: privateKey,
    detached: true,
    date: new Date(now - 3_600_000),
  });
  const armored = String(made).replaceAll('\r', '');
  const fingerprint = publicKey.getFingerprint().toUpperCase();

  test('is of whoever is listed with that key', async () => {
    const facts = await check(withSignature(armored), await person('alice', publicKey.armor()));
    expect(facts).toEqual({
      state: 'good',
      format: 'openpgp',
      signer: { kind: 'openpgp', fingerprint },
      matched: ['alice'],
      person: 'alice',
    });
    const required = await person('alice', publicKey.armor(), { presence: 'required' });
    expect(await check(withSignature(armored), required)).toMatchObject({
      matched: [],
      note: expect.stringMatching(/touched/),
    });
  });

  test('by a key that is not listed cannot be checked, and is claimed by that key', async () => {
    const facts = await check(withSignature(armored), await person('alice', alice.line));
    expect(facts).toEqual({
      state: 'unknown-key',
      format: 'openpgp',
      claimed: fingerprint,
      why: expect.stringContaining(fingerprint),
    });
  });

  test('over another commit is bad, by an expired key unproved, of another kind not supported', async () => {
    const listed = await person('alice', publicKey.armor());
    expect(await check(withSignature(armored, 'another\n'), listed)).toMatchObject({
      state: 'bad',
      claimed: fingerprint,
    });
    const context: CommitSigners = { keys: listed, certificates: [], roots: [], now: now - 2 * 86_400_000 };
    expect(await verifyCommitSignature(withSignature(armored), context)).toMatchObject({ state: 'unproved' });
    expect(await check(withSignature(armored.replaceAll('PGP SIGNATURE', 'PGP MESSAGE')), listed)).toMatchObject({
      state: 'unsupported',
    });
  });
});

describe("a forge's own key", () => {
  test.each([
    '968479A1AFF927E37D1A566BB5690EEEBB952194',
    '5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23',
    'B5690EEEBB952194',
    '4aee18f83afdeb23',
  ])('of GitHub is known by %s', (name) => {
    expect(findForgeKey(name)?.forge).toBe('GitHub');
  });

  test('is known whole', () => {
    expect(['', '4', 'BB952194', '0B5690EEEBB952194', '968479A1AFF927E37D1A566B'].filter(isForgeKey)).toEqual([]);
  });

  const gitlab = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIADOCCUoN3Q1UPQqUvp845fKy7haJH17qsSkVXzWXilW';

  test('of GitLab.com is the one in its documentation', async () => {
    const [key] = await keysOf(gitlab);
    expect(key?.kind === 'ssh' && findForgeKey(key.fingerprint)?.forge).toBe('GitLab.com');
  });
});

describe.skipIf(spawnSync('ssh-keygen', ['-?']).error !== undefined)('a commit that git signs with ssh-keygen', () => {
  const work = temporaryDirectory();

  test.each(['ed25519', 'ecdsa', 'rsa'])('with %s is of whoever is listed with that key', async (type) => {
    const folder = mkdtempSync(path.join(work, 'git-'));
    const key = path.join(folder, 'key');
    const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    const run = (command: string, ...args: string[]): Buffer => {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env });
      if (status !== 0) throw new Error(stderr.toString());
      return stdout;
    };
    run('ssh-keygen', '-q', '-t', type, '-N', '', '-f', key);
    run('git', 'init', '--quiet');
    const settings = ['user.name=A', 'user.email=a@acme.example', 'gpg.format=ssh', `user.signingkey=${key}`];
    writeFileSync(path.join(folder, 'message'), 'naïve\r\n\r\ntext  \n');
    run(
      'git',
      ...settings.flatMap((each) => ['-c', each]),
      'commit',
      '--quiet',
      '--allow-empty',
      '-S',
      '--cleanup=verbatim',
      '-F',
      'message',
    );
    const commit = commitOf(run('git', 'cat-file', 'commit', 'HEAD'));
    expect(await check(commit, await person('alice', run('cat', `${key}.pub`).toString()))).toMatchObject({
      state: 'good',
      person: 'alice',
    });
  });
});

describeData('in the real commits', (data) => {
  const context = (more: Partial<CommitSigners> = {}): CommitSigners => ({
    keys: [],
    certificates: [],
    roots: [],
    now,
    ...more,
  });
  const states = async (folder: string, given: CommitSigners): Promise<Readonly<Record<string, number>>> => {
    const counts: Record<string, number> = {};
    for (const [, commit] of dataCommits(data, folder)) {
      const { state } = await verifyCommitSignature(commit, given);
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  };

  test('SSH signatures are good, OpenPGP keys unknown', async () => {
    expect(await states('ssh', context())).toEqual({ good: 19 });
    expect(await states('agent-ssh-stripped', context())).toEqual({ good: 23 });
    expect(await states('pgp', context())).toEqual({ 'unknown-key': 28 });
  });

  test("GitHub's own signatures are told from those of unknown people", async () => {
    const whys = await Promise.all(
      dataCommits(data, 'pgp').map(async ([, commit]) => verifyCommitSignature(commit, context())),
    );
    expect(whys.filter((facts) => 'why' in facts && facts.why.includes("GitHub's own key")).length).toBe(17);
  });

  test("an agent's key that stayed is the vendor's", async () => {
    const { keys } = JSON.parse(readData('agents/agent_ssh_keys.json').toString()) as { keys: Record<string, string> };
    for (const [name, commit] of dataCommits(data, 'agent-ssh-stripped')) {
      const facts = await verifyCommitSignature(commit, context());
      const fingerprint = facts.state === 'good' && facts.signer.kind === 'ssh' ? facts.signer.fingerprint : '';
      expect(keys, name).toHaveProperty([fingerprint]);
    }
  });

  test('gitsign is of whose pin matches, with the embedded entry alone', async () => {
    const roots = [shippedRoot('public-good')];
    const pin = (subject: string) =>
      ({
        kind: 'certificate',
        name: 'billy',
        trust: 'public-good',
        issuer: 'https://github.com/login/oauth',
        subject,
      }) as const;
    const [, commit] = dataCommits(data, 'x509').find(([name]) => name.startsWith('sigstore+gitsign-e704581d'))!;
    const facts = await verifyCommitSignature(commit, context({ roots }));
    expect(facts).toMatchObject({ state: 'good', format: 'x509', matched: [] });
    const signer = facts.state === 'good' && facts.signer.kind === 'certificate' ? facts.signer : undefined;
    const right = { ...pin(signer!.subject), issuer: signer!.issuer };
    const by = (pinned: typeof right, more = {}) =>
      verifyCommitSignature(
        commit,
        context({ roots, certificates: [{ name: 'billy', person: 'billy', pin: pinned, ...more }] }),
      );
    expect(await by(right)).toMatchObject({ matched: ['billy'], person: 'billy' });
    expect(await by({ ...right, subject: `${right.subject}x` })).toMatchObject({ state: 'good', matched: [] });
    expect(await by({ ...right, issuer: 'https://other.example' })).toMatchObject({ state: 'good', matched: [] });
    expect(await by(right, { presence: 'required' })).toMatchObject({
      matched: [],
      note: expect.stringMatching(/touched/),
    });
    expect(await verifyCommitSignature(commit, context())).not.toMatchObject({ state: 'good' });
    const { good, ...others } = await states('x509', context({ roots }));
    expect(good).toBeGreaterThan(0);
    expect(Object.keys(others).sort()).toEqual(['unknown-key', 'unproved']);
  });
});
