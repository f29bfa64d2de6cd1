/**
 * The command line over attacked repositories: exit codes and their order, every format of output, hostile text in all of
 * them, and a machine that fails. Rows T1 to T32 have their verdicts in the other files; here it is seen that the process says the
 * same.
 *
 *   exit codes 0 to 4, precedence   'exit codes: …'        hostile text      'hostile text: …'
 *   outputs                         'outputs: …'           a bad machine     'the machine: …'
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../kit/built.ts';
import { aShop, type Shop } from '../kit/change.ts';
import { root } from '../kit/data.ts';
import { hashFolder } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const env = { PATH: process.env['PATH'] ?? '' };
const change = (shop: Shop, range: string, ...more: readonly string[]) =>
  run(['change', range, '--repository', shop.repo.path, ...more], { env });

/** One repository with a change for each outcome, each upon `main` as it is. */
const shop = aShop(temporary);
const passing = shop.agentCommit({ branch: 'passing', files: { 'src/app.py': 'good()\n' } });
const risky = shop.agentCommit({ branch: 'risky', files: { 'infra/main.tf': 'region = "us"\n' } });
const both = shop.agentCommit({ branch: 'both', parents: [risky], files: { 'src/app.py': 'evil()\n' } });
const attested = (head: string) => ['--evidence', shop.attest({ base: shop.base, head })];
const approved = (head: string) => ['--evidence', shop.approve({ by: 'bob', base: shop.base, head })];
const cases = {
  pass: ['main..passing', ...attested(passing)],
  denied: ['main..passing'],
  undecided: ['main..main'],
  approval: ['main..risky', ...attested(risky)],
} as const;
const codes = { pass: 0, denied: 1, undecided: 3, approval: 4 } as const;
const outcomes = Object.keys(cases) as (keyof typeof cases)[];

const somebodyElse = { uid: 65_534, gid: 65_534 };

describe('exit codes', () => {
  it.each<[string, number, readonly string[]]>([
    ['nothing speaks against it', 0, cases.pass],
    ['provenance is missing', 1, cases.denied],
    ['provenance is missing and so is an approval: denied comes first', 1, ['main..both', ...attested(risky)]],
    ['provenance is missing, the approval is there', 1, ['main..both', ...approved(both)]],
    ['no such option', 2, ['main..passing', '--no-such-option']],
    ['no such format', 2, ['main..passing', '-o', 'xml']],
    ['three dots', 2, ['main...passing']],
    ['a policy that the change chose', 2, ['main..passing', '--policy', 'git:passing']],
    ['an empty range', 3, cases.undecided],
    ['evidence that is not there', 3, ['main..passing', '--evidence', './nowhere']],
    ['a branch that is not there', 3, ['main..nowhere']],
    ['another branch than that of the policy', 3, ['passing..risky', ...attested(risky)]],
    ['an approval is missing and nothing else', 4, cases.approval],
    ['the same with the approval', 0, [...cases.approval, ...approved(risky)]],
  ])('%s: %i', async (_, code, [range = '', ...more]) => {
    const ran = await change(shop, range, ...more);
    expect(ran.code, ran.stderr + ran.stdout).toBe(code);
    if (code === 2) expect(ran.stdout).toBe('');
    if (ran.stdout === '') expect(ran.stderr).toMatch(/^error/);
  });

  it('no policy on the base is 2, with the way to begin, and no verdict', async () => {
    const bare = aShop(temporary, { files: { 'tidewaiter.policy.yaml': null } });
    bare.agentCommit({ files: { 'src/app.py': 'evil()\n' } });
    const { code, stdout, stderr } = await change(bare, 'main..feature');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('not configured');
  });

  it('a repository that cannot be judged is 3 even where the change would be denied', async () => {
    const attacked = aShop(temporary);
    attacked.agentCommit({ files: { 'src/app.py': 'evil()\n' } });
    expect((await change(attacked, 'main..feature')).code).toBe(1);
    attacked.repo.git('replace', attacked.tip('feature'), attacked.base);
    expect((await change(attacked, 'main..feature')).code).toBe(3);
  });
});

describe('outputs', () => {
  it.each(outcomes)('all formats say the same of a change that is: %s', async (outcome) => {
    const [range, ...more] = cases[outcome];
    const folder = mkdtempSync(path.join(temporary, 'out-'));
    const files = ['table', 'json', 'sarif', 'github', 'summary'].map(
      (name) => [name, path.join(folder, name)] as const,
    );
    const { code, stdout } = await change(
      shop,
      range,
      ...more,
      ...files.flatMap(([name, file]) => ['-o', `${name}=${file}`]),
    );
    expect([code, stdout]).toEqual([codes[outcome], '']);
    const text = Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file, 'utf8')]));
    const words = { pass: 'passed', denied: 'denied', undecided: 'not decided', approval: 'approval needed' };
    expect(text['table']).toMatch(new RegExp(`^${words[outcome]}: ${range.replaceAll('.', '\\.')}: `));
    expect(JSON.parse(text['json']!)).toMatchObject({ schema: 'tidewaiter.change/v1', outcome, requested: range });
    const [first] = (JSON.parse(text['sarif']!) as Sarif).runs;
    expect(first.invocations[0]).toMatchObject({
      exitCode: codes[outcome],
      executionSuccessful: outcome !== 'undecided',
    });
    expect(first.results.some(({ level }) => level === 'error')).toBe(outcome === 'denied' || outcome === 'undecided');
    if (outcome !== 'pass') expect(first.results.length).toBeGreaterThan(0);
    const kind = { pass: 'notice', denied: 'error', undecided: 'error', approval: 'warning' }[outcome];
    expect(text['github']).toContain(`::${kind} title=tidewaiter%3A ${words[outcome]}::${range}`);
    expect(
      text['github']!.split('\n').filter((line) => line !== '' && !/^::(error|warning|notice) /.test(line)),
    ).toEqual([]);
    expect(text['summary']).toMatch(new RegExp(`^## tidewaiter: ${words[outcome]}\n`));
  });

  it('a denial names the command that repairs it', async () => {
    const { stdout } = await change(shop, ...cases.denied);
    expect(stdout).toContain('provenance-missing');
    expect(stdout).toMatch(/tidewaiter attest git:/);
    expect((await change(shop, ...cases.approval)).stdout).toMatch(/tidewaiter approve git:.* --operation merge/);
  });
});

interface Sarif {
  readonly runs: readonly [
    { readonly invocations: readonly object[]; readonly results: readonly { readonly level: string }[] },
  ];
}

describe('hostile text', () => {
  const evil = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r::error::owned\u202e##vso[task.complete]<script>|`@acme';
  const hostile = aShop(temporary, { policy: { highRisk: { paths: '["src/**"]' } } });
  hostile.agentCommit({
    branch: 'x',
    message: `${evil}\n::error file=a::owned\n\nCo-Authored-By: ${evil} <noreply@anthropic.com>\n`,
    author: `${evil.replace(/[\r<>]/g, '')} <noreply@anthropic.com>`,
    files: {
      [`src/${evil.replaceAll('/', '')}\n::error::owned`]: '\u202e\n',
      [`${evil.replaceAll('/', '')}`]: '\u2066\n',
    },
  });

  it.each(['table', 'github', 'summary', 'json', 'sarif'])('of a commit stays text in: %s', async (format) => {
    const { code, stdout, stderr } = await change(hostile, 'main..x', '-o', format);
    expect(code).toBe(1);
    for (const text of [stdout, stderr]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      expect(text).not.toMatch(/^::(?!(error|warning|notice) (file=|line=|title=))/m);
      if (format !== 'json' && format !== 'sarif') expect(text).not.toContain('##vso[');
    }
    if (format === 'github') expect(stdout).not.toMatch(/^::error (file=a)?::owned/m);
    if (format === 'summary') expect(stdout).not.toMatch(/<script>|@acme/);
  });

  it.each(['table', 'github', 'summary', 'json', 'sarif'])('of a statement stays text in: %s', async (format) => {
    const own = aShop(temporary);
    const head = own.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    const counts = own.attest({ base: own.base, head, model: ['anthropic', evil] });
    const refused = own.attest({ base: own.base, head, baseRef: `refs/heads/${evil}`, buildType: evil });
    const other = own.attest({ base: own.base, head, baseRef: `refs/heads/${evil}` });
    const { code, stdout, stderr } = await change(
      own,
      'main..feature',
      ...[counts, refused, other].flatMap((each) => ['--evidence', each]),
      ...['-o', format],
    );
    expect(code).toBe(0);
    for (const text of [stdout, stderr]) {
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      expect(text).not.toMatch(/^::(?!(error|warning|notice) (file=|line=|title=))/m);
      if (format === 'table') expect(text).not.toContain('##vso[');
      if (format === 'summary') expect(text).not.toMatch(/<script>|@acme/);
    }
  });

  it('of the command line and of a policy stays text in errors', async () => {
    const { code, stderr } = await change(hostile, `main..${evil}`);
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const broken = aShop(temporary, {
      files: {
        'tidewaiter.policy.yaml': `version: 1\n"${evil.replaceAll('\u001b', '\\e').replaceAll('\u0007', '\\a').replace('\r', '\\r')}": 1\n`,
      },
    });
    broken.agentCommit();
    const ran = await change(broken, 'main..feature');
    expect(ran.code).toBe(2);
    expect(ran.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

describe('the machine', () => {
  let program: Program;
  beforeAll(() => {
    // Somebody else has to get in.
    chmodSync(temporary, 0o755);
    program = buildProgram(path.join(temporary, 'program'));
  });

  const sound = () => {
    const own = aShop(temporary);
    const head = own.agentCommit({ files: { 'src/app.py': 'good()\n' } });
    return { own, args: ['main..feature', '--evidence', own.attest({ base: own.base, head })] as const };
  };
  const words = (own: Shop, args: readonly string[]) => ['change', ...args, '--repository', own.repo.path];
  const fakeGit = (body: string) => {
    const folder = mkdtempSync(path.join(temporary, 'bin-'));
    writeFileSync(path.join(folder, 'git'), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(folder, 'git'), 0o755);
    return folder;
  };

  it('the process ends with the code of the verdict', () => {
    for (const outcome of outcomes) {
      const { status } = program.run(words(shop, cases[outcome]), { env: { TMPDIR: temporary } });
      expect([outcome, status]).toEqual([outcome, codes[outcome]]);
    }
  });

  it('without git: 3, and says so', async () => {
    const { own, args } = sound();
    for (const PATH of ['', own.repo.path, '.']) {
      const { code, stderr } = await run(words(own, args), { env: { PATH } });
      expect(code).toBe(3);
      expect(stderr).toContain('there is no git in PATH');
    }
  });

  it.each([
    ['git version 2.30.2', 'git 2.30.2 is too old'],
    ['hello', 'and no version'],
    ['', 'and no version'],
  ])('with a git that says %j: 3, and what to install', async (says, message) => {
    const { own, args } = sound();
    const PATH = fakeGit(`echo '${says}'`);
    const { code, stdout, stderr } = await run(words(own, args), { env: { PATH } });
    expect(code).toBe(3);
    expect(stdout + stderr).toContain(message);
    expect(stdout + stderr).toContain('install git 2.38 or newer');
  });

  it.each(['rev-list', 'merge-tree', 'cat-file'])(
    'with a git whose %s fails: 3, whatever it answered before',
    async (command) => {
      const { own, args } = sound();
      const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
      const fails = `case " $* " in *" ${command} "*) echo 'fatal: no space left on device' >&2; exit 128;; esac`;
      const PATH = fakeGit(`${fails}\nexec ${real} "$@"`);
      const { code, stdout, stderr } = await run(words(own, args), { env: { PATH } });
      expect(code).toBe(3);
      expect(stdout + stderr).toContain('no space left on device');
    },
  );

  it('an output that cannot be written is 3, for a change that passes and for one that does not', () => {
    for (const outcome of ['pass', 'denied', 'approval'] as const) {
      const { status, stderr } = program.run([...words(shop, cases[outcome]), '-o', 'json=/dev/full']);
      expect([outcome, status]).toEqual([outcome, 3]);
      expect(stderr).toContain('no space is left on the device');
      const line = words(shop, cases[outcome]).join(' ');
      expect(program.shell(`$TIDEWAITER ${line} > /dev/full`).status).toBe(3);
    }
  });

  it('no room for the private folder is 3, and says where', () => {
    const { own, args } = sound();
    const missing = program.run(words(own, args), { env: { TMPDIR: path.join(temporary, 'nowhere') } });
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain(`cannot make a folder in "${path.join(temporary, 'nowhere')}"`);
  });

  it.skipIf(!canMount())('a full file system for temporary files is 3, and says so', () => {
    const own = aShop(temporary);
    const mine = own.agentCommit({ files: { 'src/new.py': 'new\n' } });
    const moved = own.advance({ 'docs/a.md': 'a\n' });
    const head = own.merge(mine, moved);
    const line = words(own, ['main..feature', '--evidence', own.attest({ base: own.base, head })]);
    const small = mkdtempSync(path.join(temporary, 'small-'));
    for (const [full, code] of [
      [true, 3],
      [false, 0],
    ] as const) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small]);
      try {
        if (full) spawnSync('sh', ['-c', `cat /dev/zero > ${small}/filler`], { stdio: 'ignore' });
        const { status, stderr } = program.run(line, { env: { TMPDIR: small } });
        expect([full, status, stderr]).toEqual([full, code, full ? expect.stringMatching(/^error\[io\]: /) : '']);
      } finally {
        execFileSync('umount', [small]);
      }
    }
  });

  it.skipIf(!canBeSomebodyElse())(
    'somebody who may only read a repository of somebody else gets the same verdict',
    () => {
      const { own, args } = sound();
      execFileSync('chmod', ['-R', 'go+rX', path.dirname(own.repo.path), temporary]);
      const before = hashFolder(own.repo.path);
      const tmp = mkdtempSync(path.join(temporary, 'tmp-'));
      chmodSync(tmp, 0o777);
      const as = { ...somebodyElse, env: { TMPDIR: tmp } };
      expect(program.run(words(own, args), as)).toMatchObject({ status: 0, stderr: '' });
      expect(program.run(words(own, ['main..feature']), as).status).toBe(1);
      chmodSync(path.join(own.repo.gitDir, 'objects'), 0o700);
      const locked = program.run(words(own, args), as);
      expect(locked.status).toBe(3);
      expect(locked.stderr + locked.stdout).toMatch(/permission|may not|cannot/i);
      chmodSync(path.join(own.repo.gitDir, 'objects'), 0o755);
      expect(hashFolder(own.repo.path)).toBe(before);
      expect(readdirSync(tmp)).toEqual([]);
    },
  );

  it('killed at any moment, it leaves the repository as it was', async () => {
    const own = aShop(temporary);
    let head = own.base;
    for (let at = 0; at < 60; at += 1) {
      head = own.agentCommit({ files: { [`src/${at}.py`]: 'x\n' } });
      head = own.merge(head, own.advance({ [`docs/${at}.md`]: 'x\n' }));
    }
    const tmp = mkdtempSync(path.join(temporary, 'killed-'));
    const line = words(own, ['main..feature', '--evidence', own.attest({ base: own.base, head })]);
    const before = hashFolder(own.repo.path);
    for (const delay of [60, 150, 250, 350, 450, 600]) {
      const child = spawn(process.execPath, [program.entry, ...line], {
        stdio: 'ignore',
        env: { ...env, TMPDIR: tmp },
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await wait(delay);
      child.kill('SIGKILL');
      await ended;
      expect(hashFolder(own.repo.path)).toBe(before);
    }
    const whole = program.run(line, { env: { TMPDIR: tmp } });
    expect([whole.status, whole.stderr]).toEqual([0, '']);
    expect(hashFolder(own.repo.path)).toBe(before);
  });
});

function canMount(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-mount-'));
  const can = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0;
  if (can) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return can;
}

/** As root only, and where a clone does not lie in a folder that nobody else may enter. */
function canBeSomebodyElse(): boolean {
  if (process.getuid?.() !== 0) return false;
  const script = `require('node:fs').accessSync(${JSON.stringify(path.join(root, 'package.json'))})`;
  return spawnSync(process.execPath, ['-e', script], somebodyElse).status === 0;
}
