import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveCommand } from '../../src/cli/approve.ts';
import { Exit, type ExitCode, exitForError, OperationalError } from '../../src/diag/index.ts';
import type { GitProcess, World } from '../../src/io/index.ts';
import { realGit } from '../../src/io/real.ts';
import { formatError } from '../../src/report/index.ts';
import { judgeChange } from '../../src/run/change.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { formatSealedKey } from '../../src/sigstore/signing-key.ts';
import { worldWith } from '../git/open.ts';
import { hashFolder, runGit } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { broken, capture, type Ran } from '../kit/world.ts';
import { type Instance, identityToken, startInstance, stopServices } from '../sigstore/signing-services.ts';
import { armorSsh, makeSshKey, signSshBlob, type TestKey } from '../sigstore/ssh.ts';
import { filesIn, makeShop, newKey, pem, publicPem, type Shop } from './shop.ts';

const temporary = temporaryDirectory();
const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;
const [alice, bob, platform, bot, stranger] = [newKey(), newKey(), newKey(), newKey(), newKey()];
const file = filesIn(temporary, {
  'alice.key': pem(alice),
  'bob.key': pem(bob),
  'platform.key': pem(platform),
  'bot.key': pem(bot),
  'stranger.key': pem(stranger),
});
const keys = {
  'keys/alice.pub': publicPem(alice),
  'keys/bob.pub': publicPem(bob),
  'keys/platform.pub': publicPem(platform),
  'keys/bot.pub': publicPem(bot),
};
const identities = 'platform: { key: keys/platform.pub }\nbot: { key: keys/bot.pub }\n';
const people = 'alice: { keys: [keys/alice.pub], emails: [alice@acme.example] }\nbob: { keys: [keys/bob.pub] }\n';
const changes =
  'bots: [bot]\nagents: { provenance: { any: [platform] } }\nhighRisk: { approvals: 1, by: [alice, bob] }\n';
const noon = Date.UTC(2026, 0, 2, 12);

let shop: Shop;
beforeAll(() => {
  shop = makeShop(temporary, { identities, people, changes, files: keys });
});

/** One command line, as the program runs it. */
async function approve(of: Shop, args: readonly string[], changed: Partial<World> = {}): Promise<Ran> {
  const [stdout, stderr] = [capture(), capture()];
  const env = { PATH: process.env['PATH'], TMPDIR: temporary, ...changed.env };
  const world: World = { ...worldWith(), stdout, stderr, now: () => noon, ...changed, env };
  let code: ExitCode = Exit.undecided;
  const earn = (earned: ExitCode) => {
    code = earned;
  };
  const words = args.some((each) => each.startsWith('git:')) ? args : ['git:main..agent/topic', ...args];
  try {
    await approveCommand(world, earn, '0').parseAsync(['--repository', of.repository.path, ...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    code = exitForError(error.code);
    await world.stderr.write(formatError(error, { color: false })).catch(() => {});
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

const merge = ['--operation', 'merge'];
const with_ = (name: string) => [...merge, '--key', file(name)];

/** Whose approvals count for `change`. */
async function counted(of: Shop, approval: string): Promise<readonly string[]> {
  const place = filesIn(temporary, { 'approval.json': approval })('approval.json');
  const report = await judgeChange(
    {
      range: 'main..agent/topic',
      repository: of.repository.path,
      evidence: [place],
      notes: [],
      reviews: [],
      now: noon,
      tool: { name: 'tidewaiter', version: '0' },
    },
    worldWith({ TMPDIR: temporary }),
  );
  return report.approvals.counted.map(({ person }) => person);
}

interface Said {
  readonly subject: readonly [{ readonly digest: object }];
  readonly predicate: Record<string, string>;
}

function saidIn(signed: string): Said {
  const value = JSON.parse(signed) as { payload?: string; dsseEnvelope?: { payload: string } };
  const payload = value.payload ?? value.dsseEnvelope?.payload ?? '';
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as Said;
}

describe('an approval', () => {
  it('is of exactly this change, by this person, until a time', async () => {
    const before = hashFolder(shop.repository.gitDir);
    const { code, stdout, stderr } = await approve(shop, [
      ...with_('alice.key'),
      '--expires',
      '72h',
      '--reason',
      'looked',
    ]);
    expect([code, stderr.includes('denied')]).toEqual([0, false]);
    const { subject, predicate } = saidIn(stdout);
    expect(subject[0].digest).toEqual({ gitCommit: shop.head, gitTree: shop.repository.treeOf(shop.head) });
    expect(predicate).toEqual({
      operation: 'merge',
      repository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      mergeBase: shop.base,
      expires: '2026-01-05T12:00:00.000Z',
      reason: 'looked',
    });
    expect(parseBundle(stdout).format).toBe('bundle v0.3');
    expect(await counted(shop, stdout)).toEqual(['alice']);
    expect(hashFolder(shop.repository.gitDir)).toBe(before);
  });

  it('shows what is approved, and by whom it was made, before it is signed', async () => {
    const { stderr } = await approve(shop, with_('alice.key'));
    expect(stderr).toMatch(/^approving merge of 1 commit into refs\/heads\/main of https:\/\/github.com\/acme\/shop\n/);
    for (const part of [
      `  to      ${shop.head}  refs/heads/agent/topic\n`,
      '  until   2026-01-09T12:00:00Z\n',
      'agent (Claude Code: ',
      '2 paths changed, 1 of high risk\n  .github/workflows/ci.yml  (workflow)\n',
    ]) {
      expect(stderr).toContain(part);
    }
  });

  it('shows nothing that a terminal or a log would obey', async () => {
    const odd = makeShop(temporary, {
      identities,
      people,
      changes,
      files: keys,
      message: '\u001b[2J::error::x \u202etxt\n',
      author: '\u001b]0;x\u0007 <a@b>',
    });
    odd.repository.commit({
      branch: 'agent/topic',
      files: [[Buffer.from('.github/workflows/\u001b[31m\u202e.yml'), 'a\u202eb\n']],
    });
    const { code, stderr } = await approve(odd, with_('alice.key'));
    expect(code).toBe(0);
    expect(stderr).toContain('what the diff may not show\n');
    expect([...stderr].filter((each) => each < ' ' && each !== '\n')).toEqual([]);
    expect(stderr).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|^\s*::/mu);
  });

  it('is not signed where it cannot be shown', async () => {
    const { code, stdout } = await approve(shop, with_('alice.key'), {
      stderr: broken(new OperationalError('io', 'closed')),
    });
    expect([code, stdout]).toEqual([3, '']);
  });

  it('of another operation says that it will not count for "change"', async () => {
    const { code, stdout, stderr } = await approve(shop, ['--operation', 'deploy', '--key', file('bob.key')]);
    expect([code, saidIn(stdout).predicate['operation']]).toEqual([0, 'deploy']);
    expect(stderr).toContain('the policy asks for approvals of merge: this one, of deploy, will not count');
    expect(await counted(shop, stdout)).toEqual([]);
  });

  it('goes into a file that is named', async () => {
    const out = file('out.json');
    const { code, stdout, stderr } = await approve(shop, [...with_('bob.key'), '-o', `bundle=${out}`]);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`note: wrote the bundle to ${out}\n`);
    expect(await counted(shop, readFileSync(out, 'utf8'))).toEqual(['bob']);
  });

  it('ends with commands that bring it to who judges, from wherever they are pasted', async () => {
    const parent = filesIn(temporary, { "it's here/x": '' })("it's here");
    const [server, ci] = [path.join(parent, 'server.git'), path.join(parent, 'ci')];
    runGit(parent, ['init', '-q', '--bare', server]);
    const pushed = makeShop(temporary, {
      identities,
      people,
      changes: changes.replace('approvals: 1', 'approvals: 2'),
      files: keys,
    });
    pushed.repository.git('push', '-q', server, 'main', 'agent/topic');
    const author = {
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    };
    const env = { PATH: process.env['PATH'], HOME: parent, GIT_CONFIG_NOSYSTEM: '1', ...author };
    const paste = (lines: readonly string[]) =>
      spawnSync('/bin/sh', ['-e'], { cwd: '/', input: `${lines.join('\n')}\n`, env }).status;
    const range = 'git:origin/main..origin/agent/topic';
    const hints: { readonly commands: readonly string[]; readonly others: string }[] = [];
    for (const name of ['alice', 'bob']) {
      const clone = path.join(parent, `${name}'s`);
      runGit(parent, ['clone', '-q', server, clone]);
      const out = path.join(parent, `${name}.json`);
      const args = ['--repository', clone, range, ...with_(`${name}.key`), '-o', `bundle=${out}`];
      const { code, stderr } = await approve(pushed, args);
      const commands = stderr.split('\n').filter((line) => line.startsWith('  git '));
      const [, others = ''] = /^note: where that push is refused, .*: (git .*)$/m.exec(stderr) ?? [];
      expect([code, commands.length]).toEqual([0, 2]);
      hints.push({ commands, others });
    }
    const [first, second] = hints;
    expect(paste(first!.commands)).toBe(0);
    // Bob's clone knows nothing of what Alice pushed.
    expect(paste(second!.commands)).not.toBe(0);
    expect(paste([second!.others, second!.commands[1]!])).toBe(0);
    runGit(parent, ['clone', '-q', server, ci]);
    runGit(ci, ['fetch', '-q', 'origin', '+refs/notes/*:refs/notes/*']);
    const report = await judgeChange(
      {
        range: 'origin/main..origin/agent/topic',
        repository: ci,
        evidence: [],
        notes: ['refs/notes/approvals'],
        reviews: [],
        now: noon,
        tool: { name: 'tidewaiter', version: '0' },
      },
      worldWith({ TMPDIR: temporary }),
    );
    expect(report.approvals.counted.map(({ person }) => person).sort()).toEqual(['alice', 'bob']);
  });

  it('on standard output says the same, of a file that has no name yet', async () => {
    const { stderr } = await approve(shop, with_('alice.key'));
    expect(stderr).toContain(` notes --ref=refs/notes/approvals append -F FILE ${shop.head}\n`);
    expect(stderr).toMatch(/ push origin refs\/notes\/approvals\nnote: where that push is refused/);
  });

  it("takes cosign's encrypted key with its password, and no other password", async () => {
    const sealed = filesIn(temporary, { 'cosign.key': await formatSealedKey(alice, 'horse') })('cosign.key');
    const args = [...merge, '--key', sealed];
    expect((await approve(shop, args, { env: { COSIGN_PASSWORD: 'horse' } })).code).toBe(0);
    const wrong = await approve(shop, args, { env: { COSIGN_PASSWORD: 'cow' } });
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  });
});

describe('whoever is no person of the policy', () => {
  const denied = (ran: Ran, rule: string) => {
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toMatch(new RegExp(`denied\\[${rule}\\]: .*; nothing was written\n`));
  };

  it('is refused: a stranger', async () => {
    const out = file('never.json');
    const ran = await approve(shop, [...with_('stranger.key'), '-o', `bundle=${out}`]);
    denied(ran, 'provenance-signature');
    expect(existsSync(out)).toBe(false);
  });

  it('is refused: who vouches for agents', async () => {
    const ran = await approve(shop, with_('platform.key'));
    denied(ran, 'approval-not-human');
    expect(ran.stderr).toContain('signed by platform');
  });

  it('is refused: a bot', async () => {
    denied(await approve(shop, with_('bot.key')), 'approval-not-human');
  });

  it('is refused for another operation, too', async () => {
    const args = ['--operation', 'deploy', '--key', file('platform.key')];
    denied(await approve(shop, args), 'approval-not-human');
  });

  it('is refused: a person whom only the change itself makes one', async () => {
    const later = makeShop(temporary, { identities, people, changes, files: keys });
    const policy = later.repository.git('show', 'main:tidewaiter.policy.yaml');
    const text = policy
      .replace('people:\n', 'people:\n  eve: { keys: [keys/eve.pub] }\n')
      .replace('[alice, bob]', '[eve]');
    later.repository.commit({
      branch: 'agent/topic',
      files: { 'tidewaiter.policy.yaml': text, 'keys/eve.pub': publicPem(stranger) },
    });
    const ran = await approve(later, with_('stranger.key'));
    denied(ran, 'provenance-signature');
    expect(ran.stderr).toContain('tidewaiter.policy.yaml  (policy)');
  });

  it('is refused: a person who may not approve this', async () => {
    const narrow = changes.replace('by: [alice, bob]', 'by: [bob]');
    const of = makeShop(temporary, { identities, people, changes: narrow, files: keys });
    denied(await approve(of, with_('alice.key')), 'approval-not-human');
    expect((await approve(of, with_('bob.key'))).code).toBe(0);
  });

  it('is refused: who made the change, by the name on a commit', async () => {
    const own = makeShop(temporary, {
      identities,
      people,
      changes,
      files: keys,
      author: 'Somebody <Alice@acme.example>',
    });
    const ran = await approve(own, with_('alice.key'));
    denied(ran, 'approval-self');
    expect(ran.stderr).toContain('ask somebody else');
    expect((await approve(own, with_('bob.key'))).code).toBe(0);
  });

  it('is refused: who made the change, by the signature on a commit', async () => {
    const laptop = makeSshKey('ssh-ed25519');
    const own = makeShop(temporary, {
      identities,
      people: people.replace('keys/alice.pub]', 'keys/alice.pub, keys/laptop.pub]'),
      changes,
      files: { ...keys, 'keys/laptop.pub': `${laptop.line}\n` },
      sign: (payload) => armorSsh(signSshBlob(laptop, payload)),
    });
    denied(await approve(own, with_('alice.key')), 'approval-self');
  });
});

describe('where no human sits', () => {
  it.each([
    ['CLAUDECODE', '1', "an agent's session (Claude Code"],
    ['CURSOR_AGENT', '1', "an agent's session (Cursor"],
    ['GEMINI_CLI', '1', "an agent's session (Gemini CLI"],
    ['CODEX_SANDBOX', 'seatbelt', "an agent's session (Codex"],
    ['AI_AGENT', 'anything', "an agent's session (an agent"],
    ['GITHUB_ACTIONS', 'true', 'a CI job (GitHub Actions'],
    ['GITLAB_CI', 'true', 'a CI job (GitLab CI'],
    ['CI', 'true', 'a CI job (a CI job'],
  ])('that is said, since a key does not say in whose hands it is: %s', async (name, value, where) => {
    const { code, stderr } = await approve(shop, with_('alice.key'), { env: { [name]: value } });
    expect(code).toBe(0);
    expect(stderr).toContain(`note: this runs in ${where}, by the variable ${name})`);
  });

  it.each([
    ['CLAUDECODE', ''],
    ['CI', 'false'],
    ['CI', '0'],
  ])('is not said by %s=%s', async (name, value) => {
    const { code, stderr } = await approve(shop, with_('alice.key'), { env: { [name]: value } });
    expect(code).toBe(0);
    expect(stderr).not.toContain('this runs in');
  });
});

describe('a key', () => {
  it.each([
    ['alice.key', 'alice.pub'],
    ['alice.key', 'alice.key.pub'],
    ['alice.key', './alice.key'],
    ['bob.key', 'bob.key-cert.pub'],
  ])('%s is not replaced by its approval: %s', async (key, output) => {
    const folder = filesIn(temporary, { 'alice.key': pem(alice), 'bob.key': pem(bob) })('');
    const target = `${folder}${output}`;
    const args = [...merge, '--key', `${folder}${key}`, '-o', `bundle=${target}`];
    const before = existsSync(target) ? readFileSync(target, 'utf8') : undefined;
    const { code, stdout, stderr } = await approve(shop, args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/would (?:be replaced|replace a key)/);
    expect(existsSync(target) ? readFileSync(target, 'utf8') : undefined).toBe(before);
  });

  it('behind a link is not replaced either', async () => {
    const folder = filesIn(temporary, { 'alice.key': pem(alice), 'alice.pub': 'public' })('');
    symlinkSync(path.join(folder, 'alice.pub'), path.join(folder, 'out.json'));
    const out = path.join(folder, 'out.json');
    const { code } = await approve(shop, [...merge, '--key', path.join(folder, 'alice.key'), '-o', `bundle=${out}`]);
    expect([code, readFileSync(path.join(folder, 'alice.pub'), 'utf8')]).toEqual([2, 'public']);
  });

  it.each([
    ['--key', []],
    ['--ssh-key', []],
    ['--identity-token', []],
    ['--key-password-file', ['--key', file('alice.key')]],
  ])('or password that is not there is a matter of the command line: %s', async (flag, more) => {
    const { code, stdout, stderr } = await approve(shop, [...merge, flag, file('gone'), ...more]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('there is no file');
  });

  it('and an output that cannot be written are told apart', async () => {
    const { code, stdout } = await approve(shop, [...with_('alice.key'), '-o', `bundle=${file('no/such/folder')}`]);
    expect([code, stdout]).toEqual([3, '']);
  });

  it('that the policy names for something else is told so', async () => {
    const of = makeShop(temporary, {
      identities: `${identities}release: { key: keys/release.pub }\n`,
      people,
      changes,
      files: { ...keys, 'keys/release.pub': publicPem(stranger) },
    });
    const { code, stdout, stderr } = await approve(of, with_('stranger.key'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      'denied[identity-mismatch]: it is signed with the key of release, which the policy names, but for nothing under changes',
    );
  });
});

/** A world whose ssh-keygen signs with a key of the test's own: security keys cannot be plugged in here. */
function withKeygen(key: TestKey, shape: Parameters<typeof signSshBlob>[2]): Partial<World> {
  const folder = filesIn(temporary, { 'ssh-keygen': '#!/bin/false\n' })('');
  chmodSync(path.join(folder, 'ssh-keygen'), 0o755);
  return {
    env: { PATH: `${folder}${path.delimiter}${process.env['PATH']}` },
    git: {
      ...realGit,
      start: async (command) => {
        if (!command.program.endsWith('ssh-keygen')) return realGit.start(command);
        const message = command.args.at(-1)!;
        const namespace = command.args[command.args.indexOf('-n') + 1]!;
        writeFileSync(`${message}.sig`, armorSsh(signSshBlob(key, readFileSync(message), { namespace, ...shape })));
        command.attended?.('Confirm user presence for key\n');
        const done: Partial<GitProcess> = { ended: Promise.resolve({ code: 0, stderr: '' }), kill: () => {} };
        return done as GitProcess;
      },
    },
  };
}

describe('a security key', () => {
  const token = makeSshKey('sk-ssh-ed25519@openssh.com');
  const keyFile = filesIn(temporary, { sk: `${token.line}\n` })('sk');
  const withToken = () =>
    makeShop(temporary, {
      identities,
      people: people.replace('keys/alice.pub]', 'keys/alice.pub, keys/sk.pub], presence: required'),
      changes,
      files: { ...keys, 'keys/sk.pub': `${token.line}\n` },
    });
  const args = [...merge, '--ssh-key', keyFile];

  it('that was touched approves for a person who has to be present', async () => {
    const of = withToken();
    const { code, stdout, stderr } = await approve(of, args, withKeygen(token, { flags: 1 }));
    expect([code, await counted(of, stdout)]).toEqual([0, ['alice']]);
    expect(stderr).toContain('Confirm user presence for key\n');
  });

  it('that was not touched does not, and nor does a plain key', async () => {
    const of = withToken();
    for (const ran of [
      await approve(of, args, withKeygen(token, { flags: 0 })),
      await approve(of, with_('alice.key')),
    ]) {
      expect([ran.code, ran.stdout]).toEqual([1, '']);
      expect(ran.stderr).toMatch(/denied\[/);
    }
  });

  it('whose signature is for another use is refused', async () => {
    const { code, stdout, stderr } = await approve(
      withToken(),
      args,
      withKeygen(token, { flags: 1, namespace: 'git' }),
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('is for another use');
  });
});

describe.skipIf(!hasKeygen)(`ssh-keygen${hasKeygen ? '' : ' (needs ssh-keygen)'}`, () => {
  let of: Shop;
  let folder: string;
  beforeAll(() => {
    folder = filesIn(temporary, { empty: '' })('');
    const make = (name: string, password: string, type = 'ed25519') =>
      spawnSync('ssh-keygen', ['-q', '-t', type, '-N', password, '-f', path.join(folder, name)]);
    make('plain', '');
    make('sealed', 'horse');
    make('rsa', '', 'rsa');
    make('other', '');
    const pub = (name: string) => readFileSync(path.join(folder, `${name}.pub`), 'utf8');
    of = makeShop(temporary, {
      identities,
      people: 'alice: { keys: [keys/a.pub, keys/b.pub, keys/c.pub] }\nbob: { keys: [keys/bob.pub] }\n',
      changes,
      files: { ...keys, 'keys/a.pub': pub('plain'), 'keys/b.pub': pub('sealed'), 'keys/c.pub': pub('rsa') },
    });
  });
  const at = (name: string) => path.join(folder, name);
  const ssh = (name: string) => [...merge, '--ssh-key', at(name)];
  /** Never asks on the terminal that the tests were started from. */
  const noDialog = { SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' };

  it.each(['plain', 'rsa'])('signs an envelope that counts, with a key (%s)', async (name) => {
    const { code, stdout, stderr } = await approve(of, ssh(name));
    expect([code, await counted(of, stdout)]).toEqual([0, ['alice']]);
    const { payloadType, signatures } = JSON.parse(stdout) as {
      payloadType: string;
      signatures: [{ keyid: string; sig: string }];
    };
    expect([payloadType, signatures[0].keyid]).toEqual([
      'application/vnd.in-toto+json',
      expect.stringMatching(/^SHA256:[\w+/]{43}$/),
    ]);
    // ssh-keygen says where it wrote, which is gone.
    expect(stderr).not.toContain('tidewaiter-git-');
  });

  it('asks for the password of a key, and says so where there is none', async () => {
    const dialog = filesIn(temporary, { ask: '#!/bin/sh\necho horse\n' })('ask');
    chmodSync(dialog, 0o755);
    const asked = await approve(of, ssh('sealed'), { env: { SSH_ASKPASS: dialog, SSH_ASKPASS_REQUIRE: 'force' } });
    expect([asked.code, await counted(of, asked.stdout)]).toEqual([0, ['alice']]);
    const { code, stdout, stderr } = await approve(of, ssh('sealed'), { env: noDialog });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /ssh-keygen did not sign with ".*sealed": the password is wrong, or there was nobody to ask/,
    );
    expect(stderr).toMatch(/hint: run it in a terminal and type the password again\n/);
    expect(stderr).not.toContain('security key');
  });

  it('says of a public key, of one that others may read, and of PEM, what to do', async () => {
    const shared = path.join(folder, 'shared');
    writeFileSync(shared, readFileSync(at('plain')));
    chmodSync(shared, 0o644);
    const alone = filesIn(temporary, { 'alone.pub': readFileSync(at('plain.pub'), 'utf8') })('alone.pub');
    for (const [key, why, hint] of [
      [alone, 'no agent holds its private half', 'ssh-add FILE'],
      [shared, 'others may read the file', 'chmod 600 FILE'],
      [file('alice.key'), 'it is a key in PEM', 'give it with --key FILE'],
    ] as const) {
      const { code, stdout, stderr } = await approve(of, [...merge, '--ssh-key', key], { env: noDialog });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(new RegExp(`did not sign with "[^"]*": .*${why}`));
      expect(stderr).toContain(hint);
    }
  });

  it('replaces no half of its key', async () => {
    const before = readFileSync(at('plain.pub'), 'utf8');
    const over = await approve(of, [...ssh('plain'), '-o', `bundle=${at('plain.pub')}`]);
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('would replace a key')]);
    const back = await approve(of, [...merge, '--ssh-key', at('plain.pub'), '-o', `bundle=${at('plain')}`]);
    expect([back.code, back.stderr]).toEqual([2, expect.stringContaining('would replace a key')]);
    expect(readFileSync(at('plain.pub'), 'utf8')).toBe(before);
    expect(readFileSync(at('plain'), 'utf8')).toContain('OPENSSH PRIVATE KEY');
  });

  it('refuses a key that is nobody’s, and writes nothing', async () => {
    const { code, stdout, stderr } = await approve(of, ssh('other'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/denied\[identity-mismatch\]: nobody listed has the SSH key SHA256:/);
  });

  it('is given a key that is there, of SSH, and no output', async () => {
    const gone = await approve(of, ssh('gone'));
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('there is no file')]);
    const same = await approve(of, [...ssh('plain'), '-o', `bundle=${at('plain')}`]);
    expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('is also an input')]);
    expect(readFileSync(at('plain'), 'utf8')).toContain('OPENSSH PRIVATE KEY');
    const text = await approve(of, [...merge, '--ssh-key', at('empty')], { env: noDialog });
    expect([text.code, text.stdout]).toEqual([2, '']);
  });

  it('is not taken from the repository, and is missed where there is none', async () => {
    const git = (process.env['PATH'] ?? '')
      .split(path.delimiter)
      .map((each) => path.join(each, 'git'))
      .find((each) => existsSync(each))!;
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(git, path.join(bin, 'git'));
    const evil = path.join(of.repository.path, 'bin');
    mkdirSync(evil);
    const mark = path.join(folder, 'it-ran');
    writeFileSync(path.join(evil, 'ssh-keygen'), `#!/bin/sh\n/bin/touch ${mark}\n`, { mode: 0o755 });
    const env = { PATH: `${evil}${path.delimiter}${bin}` };
    const { code, stdout, stderr } = await approve(of, ssh('plain'), { env });
    expect([code, stdout, existsSync(mark)]).toEqual([3, '', false]);
    expect(stderr).toContain('there is no ssh-keygen in PATH');
  });

  it('is what a key of SSH needs that was given as another one', async () => {
    const { code, stderr } = await approve(of, [...merge, '--key', at('plain')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('give it with --ssh-key FILE')]);
    const sealed = filesIn(temporary, { 'cosign.key': await formatSealedKey(alice, 'horse') })('cosign.key');
    const swapped = await approve(of, [...merge, '--ssh-key', sealed]);
    expect([swapped.code, swapped.stderr]).toEqual([2, expect.stringContaining('give it with --key FILE')]);
  });
});

describe('without a key', () => {
  const corp = 'https://oidc.corp.example';
  const subject = 'https://corp.example/users/alice';
  let acme: Instance;
  let of: Shop;
  let place: (name: string) => string;
  beforeAll(async () => {
    acme = await startInstance({ name: 'corp' });
    place = filesIn(temporary, {
      root: acme.trustedRoot,
      config: acme.signingConfig(2),
      alice: identityToken({ iss: corp, sub: subject }),
      mallory: identityToken({ iss: corp, sub: 'https://corp.example/users/mallory' }),
      job: identityToken(),
      robot: identityToken({
        iss: 'https://accounts.google.com',
        email: 'x@p.iam.gserviceaccount.com',
        email_verified: true,
      }),
      nonsense: 'hello',
    });
    of = makeShop(temporary, {
      policy: `trust: { corp: { root: root.json, issuers: ["${corp}"] } }\n`,
      identities: `${identities}alice-sso: { trust: corp, issuer: "${corp}", subject: "${subject}" }\n`,
      people: people.replace('keys/alice.pub]', 'keys/alice.pub], identities: [alice-sso]'),
      changes,
      files: { ...keys, 'root.json': acme.trustedRoot },
    });
  });
  afterAll(stopServices);
  const now = () => Date.now();
  const services = () => ['--signing-config', place('config'), '--trusted-root', place('root')];
  /** Where nobody listens: what is refused before is never sent. */
  const nowhere = () => ['--trusted-root', place('root'), '--fulcio-url', 'http://127.0.0.1:9'];

  it('a person signs with a token that names them', async () => {
    const args = [...merge, ...services(), '--identity-token', place('alice')];
    const { code, stdout, stderr } = await approve(of, args, { now });
    expect([code, stderr.includes('denied')]).toEqual([0, false]);
    expect(parseBundle(stdout).material.kind).toBe('certificate');
  });

  it.each([
    ['job', 'approval-not-human'],
    ['robot', 'approval-not-human'],
    ['mallory', 'identity-unpinned'],
  ])('nothing is published with the token of a %s', async (name, rule) => {
    const args = [...merge, ...nowhere(), '--identity-token', place(name)];
    const { code, stdout, stderr } = await approve(of, args, { now });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`denied[${rule}]`);
  });

  it('nothing is published for who made the change', async () => {
    const own = makeShop(temporary, {
      policy: `trust: { corp: { root: root.json, issuers: ["${corp}"] } }\n`,
      identities: `${identities}alice-sso: { trust: corp, issuer: "${corp}", subject: "${subject}" }\n`,
      people: people.replace('keys/alice.pub]', 'keys/alice.pub], identities: [alice-sso]'),
      changes,
      files: { ...keys, 'root.json': acme.trustedRoot },
      author: 'A <alice@acme.example>',
    });
    const args = [...merge, ...nowhere(), '--identity-token', place('alice')];
    const { code, stderr } = await approve(own, args, { now });
    expect([code, stderr]).toEqual([1, expect.stringContaining('denied[approval-self]')]);
  });

  it('the token of the CI job is never used', async () => {
    const env = { SIGSTORE_ID_TOKEN: identityToken({ iss: corp, sub: subject }) };
    const { code, stdout, stderr } = await approve(of, [...merge, ...services()], { now, env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('the token of a CI job is not used');
  });

  it('what is no token is refused and not shown', async () => {
    const args = [...merge, ...nowhere(), '--identity-token', place('nonsense')];
    const { code, stderr } = await approve(of, args, { now });
    expect([code, stderr]).toEqual([2, expect.stringContaining('it is no JSON Web Token')]);
    expect(stderr).not.toContain('hello');
  });
});

describe('what is no approval', () => {
  it.each([
    [['--key', 'x'], /--operation is missing/],
    [['--operation', 'Merge', '--key', 'x'], /is no name of an operation/],
    [['--operation', `m${'x'.repeat(64)}`, '--key', 'x'], /is no name of an operation/],
    [[...merge, '--key', 'x', '--expires', '0h'], /not in the future/],
    [[...merge, '--key', 'x', '--expires', '2025-01-01T00:00:00Z'], /not in the future/],
    [[...merge, '--key', 'x', '--expires', '400d'], /more than 366 days/],
    [[...merge, '--key', 'x', '--expires', 'soon'], /is no time/],
    [[...merge, '--key', 'x', '--expires', '2026-02-30T00:00:00Z'], /is not a time/],
    [[...merge, '--key', 'x', '--ssh-key', 'y'], /do not go together/],
    [[...merge, '--ssh-key', 'y', '--identity-token', 'z'], /do not go together/],
    [[...merge, '--key', 'x', '--policy', ''], /--policy is empty/],
    [[...merge, '--key', 'x', '--unlisted'], /--unlisted is no option here/],
    [[...merge], /nothing says who approves/],
  ])('%s', async (args, message) => {
    const { code, stdout, stderr } = await approve(shop, args as readonly string[]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message as RegExp);
  });

  it.each([
    ['git:main..main', 3, /both are the same commit/],
    ['git:main..nowhere', 3, /there is no "nowhere"/],
    ['git:main', 2, /no range of commits/],
    ['git:agent/topic~1..agent/topic', 0, /approving merge/],
    ['git:agent/topic..main', 3, /has all of/],
  ])('a range: %s', async (range, code, message) => {
    const { code: got, stderr } = await approve(shop, [range, ...with_('alice.key')]);
    expect([got, stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  it('a change to a branch without a policy', async () => {
    const of = makeShop(temporary, { people, files: keys });
    of.repository.commit({ files: { 'tidewaiter.policy.yaml': null } });
    const { code, stderr } = await approve(of, with_('alice.key'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('not configured')]);
  });

  it('a key that is not one', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weak = filesIn(temporary, { weak: pem(privateKey), text: 'hello' });
    for (const name of ['weak', 'text']) {
      const { code, stdout } = await approve(shop, [...merge, '--key', weak(name)]);
      expect([code, stdout]).toEqual([2, '']);
    }
  });
});

const places = ['/opt/peers/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)];
const cosign = places.map((each) => path.join(each, 'cosign')).find((each) => existsSync(each));

describe.skipIf(cosign === undefined)(`cosign${cosign === undefined ? ' (needs cosign)' : ''}`, () => {
  it('verifies an approval by a key', async () => {
    const out = file('cosign.json');
    await approve(shop, [...with_('alice.key'), '-o', `bundle=${out}`]);
    const pub = filesIn(temporary, { pub: publicPem(alice) })('pub');
    const { status } = spawnSync(
      cosign ?? '',
      [
        ...['verify-blob-attestation', '--bundle', out, '--key', pub, '--type', 'https://tidewaiter.dev/approval/v1'],
        ...['--insecure-ignore-tlog=true', '--digest', shop.head, '--digestAlg', 'gitCommit'],
      ],
      { env: { HOME: temporary, HTTPS_PROXY: 'http://127.0.0.1:9' }, encoding: 'utf8', timeout: 60_000 },
    );
    expect(status).toBe(0);
  });
});
