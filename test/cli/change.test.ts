/** The command line of `change`: what is asked of the use case, where the outputs go, and what is said to whoever asks wrongly. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChangeReport } from '../../src/report/change.ts';
import { aShop, now, type Shop } from '../kit/change.ts';
import { hashFolder } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { capture, run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const outside = mkdtempSync(path.join(temporary, 'out-'));
const out = (name: string) => path.join(outside, name);

let shop: Shop;
let evidence: string;
let head: string;

const change = (args: readonly string[], world: Parameters<typeof run>[1] = {}) =>
  run(['change', ...args], { env: { PATH: process.env['PATH'] ?? '' }, now: () => now, ...world });
const judge = (...args: readonly string[]) => change(['main..feature', '--repository', shop.repo.path, ...args]);
const inJson = async (...args: readonly string[]) => {
  const { stdout, code } = await judge(...args, '-o', 'json');
  return { code, report: JSON.parse(stdout) as ChangeReport };
};

beforeAll(() => {
  shop = aShop(temporary);
  shop.agentCommit({
    files: { 'src/search.py': 'def search(): pass\n' },
    message: 'add the search\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n',
  });
  head = shop.agentCommit({ files: { 'src/more.py': 'more\n' } });
  evidence = shop.attest({ base: shop.base, head });
  shop.repo.commit({
    branch: 'risky',
    parents: [head],
    files: { 'infra/main.tf': 'x\n' },
    author: 'Claude <noreply@anthropic.com>',
  });
});

describe('the exit code, and the outputs', () => {
  it('is 0 with evidence that counts, and the table says so', async () => {
    const ran = await judge('--evidence', evidence);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(/^passed: main\.\.feature: 2 commits: 2 by agents, with provenance that counts\n/);
    expect(ran.stdout).toContain('    made by   agent Claude Code');
  });

  it('is 1 without it, with the command that fixes it', async () => {
    const ran = await judge();
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^denied: main\.\.feature: 2 commits made by agents/);
    expect(ran.stdout).toContain('tidewaiter attest git:main..feature --model ');
  });

  it('is 4 where nothing but an approval is missing', async () => {
    const risky = shop.tip('risky');
    const bundle = shop.attest({ base: shop.base, head: risky });
    const ran = await change(['main..risky', '--repository', shop.repo.path, '--evidence', bundle]);
    expect([ran.code, ran.stdout.split(':')[0]]).toEqual([4, 'approval needed']);
    expect(ran.stdout).toContain('tidewaiter approve git:main..risky --operation merge');
  });

  it('is 3 for an empty range, in every form', async () => {
    for (const [format, said] of [
      ['table', /^not decided: main\.\.main: there is no commit in the range/],
      ['json', /"outcome": "undecided"/],
      ['sarif', /"executionSuccessful": false/],
      ['github', /^::error title=tidewaiter%3A not decided::/],
      ['summary', /^## tidewaiter: not decided\n/],
    ] as const) {
      const ran = await change(['main..main', '--repository', shop.repo.path, '-o', format]);
      expect([ran.code, ran.stderr]).toEqual([3, '']);
      expect(ran.stdout).toMatch(said);
    }
  });

  it('is the same for every format, and each goes where it was told', async () => {
    const formats = ['table', 'json', 'sarif', 'github', 'summary'];
    for (const [args, code] of [
      [['--evidence', evidence], 0],
      [[], 1],
    ] as const) {
      const files = formats.map((format) => out(`${code}.${format}`));
      const ran = await judge(...args, ...formats.flatMap((format, at) => ['-o', `${format}=${files[at]}`]));
      expect([ran.code, ran.stdout]).toEqual([code, '']);
      const [table, json, sarif, github, summary] = files.map((file) => readFileSync(file, 'utf8'));
      const { outcome } = JSON.parse(json!) as ChangeReport;
      expect(outcome).toBe(code === 0 ? 'pass' : 'denied');
      expect(table).toMatch(code === 0 ? /^passed/ : /^denied/);
      expect(JSON.parse(sarif!).runs[0].invocations[0]).toMatchObject({ executionSuccessful: true, exitCode: code });
      expect(github).toMatch(code === 0 ? /^::notice / : /^::error /);
      expect(summary).toMatch(/^## tidewaiter: /);
    }
  });

  it('leaves a document that nothing was decided where something cannot be opened', async () => {
    for (const [rule, ...args] of [
      ['range-unreadable', 'main..nowhere', '--repository', shop.repo.path],
      ['range-unreadable', 'main..feature', '--repository', path.join(temporary, 'none')],
      ['range-unreadable', 'main..feature', '--repository', outside],
      ['evidence-unreachable', 'main..feature', '--repository', shop.repo.path, '--evidence', out('none.json')],
      ['schema-invalid', 'main..feature', '--repository', shop.repo.path, '--reviews', evidence],
    ]) {
      writeFileSync(out('old.json'), '{"outcome":"pass"}');
      const ran = await change([...args, '-o', `json=${out('old.json')}`, '-o', 'sarif']);
      expect([args, ran.code]).toEqual([args, 3]);
      expect(ran.stderr).toMatch(/^error\[/);
      const { outcome, findings } = JSON.parse(readFileSync(out('old.json'), 'utf8')) as ChangeReport;
      expect([outcome, findings.map((each) => each.rule)]).toEqual(['undecided', [rule]]);
      expect(JSON.parse(ran.stdout).runs[0].results).toHaveLength(1);
      // On a screen the error itself says it.
      expect((await change([...args])).stdout).toBe('');
    }
  });

  it('writes nothing into the repository', async () => {
    const before = hashFolder(shop.repo.gitDir);
    await judge('--evidence', evidence);
    expect(hashFolder(shop.repo.gitDir)).toBe(before);
  });

  it('colours a terminal only', async () => {
    const stdout = capture(true, 70);
    await change(['main..feature', '--repository', shop.repo.path], { stdout });
    expect(stdout.text()).toContain('\u001b[31mdenied\u001b[0m');
    expect((await judge()).stdout).not.toContain('\u001b');
  });
});

describe('what is asked for', () => {
  it('may be written git:BASE..HEAD', async () => {
    const ran = await change(['git:main..feature', '--repository', shop.repo.path, '--evidence', evidence]);
    expect([ran.code, ran.stdout.split('\n')[0]]).toEqual([
      0,
      'passed: main..feature: 2 commits: 2 by agents, with provenance that counts',
    ]);
  });

  it('is judged as of --now, and marked so', async () => {
    const { report } = await inJson('--now', '2026-03-01T00:00:00+01:00', '--evidence', evidence);
    expect([report.time, report.replayedTime]).toEqual(['2026-02-28T23:00:00Z', true]);
    expect((await inJson('--evidence', evidence)).report.replayedTime).toBe(false);
    expect((await judge('--now', '2026-03-01T00:00:00Z')).stdout).toContain('2026-03-01T00:00:00Z, as --now says');
  });

  it('takes the branch in short, where BASE is a bare commit', async () => {
    const bare = [`${shop.base}..${head}`, '--repository', shop.repo.path, '--evidence', evidence];
    for (const name of ['main', 'refs/heads/main']) {
      expect((await change([...bare, '--base-ref', name])).code).toBe(0);
    }
    const other = await change([...bare, '--base-ref', 'release']);
    expect(other.code).toBe(3);
    expect(other.stdout).toContain('base-ref-mismatch');
  });

  it('finds the sign of an agent in the name of the branch that is stated', async () => {
    const { report } = await inJson('--head-ref', 'cursor/fix-login-1a2b');
    const places = report.commits.flatMap(({ signs }) => signs.map(({ place }) => place));
    expect(places.some((place) => place.includes('cursor/fix-login-1a2b'))).toBe(true);
  });

  it('explains one commit in the place of the table, with the same exit code', async () => {
    const ran = await judge('--explain', head.slice(0, 9));
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(new RegExp(`^${head} `));
    expect(ran.stdout).toContain('what would change this:');
    expect((await judge('--explain', 'feature')).stdout).toBe(ran.stdout);
    expect((await judge('--explain', 'refs/heads/feature')).stdout).toBe(ran.stdout);
    expect((await judge('--explain', 'risky~1')).stdout).toBe(ran.stdout);
    expect((await judge('--explain', 'feature~1')).stdout).toMatch(/^[0-9a-f]{40} add the search\n/);
    shop.repo.git('symbolic-ref', 'HEAD', 'refs/heads/feature');
    expect((await judge('--explain', 'HEAD')).stdout).toBe(ran.stdout);
    shop.repo.git('symbolic-ref', 'HEAD', 'refs/heads/main');
    expect((await judge('--explain', 'HEAD')).stderr).toContain('"HEAD" is no commit of "main..feature"');
    // There is no commit to explain: the table says why.
    const empty = await change(['main..main', '--repository', shop.repo.path, '--explain', 'abcd']);
    expect([empty.code, empty.stdout.split(':')[0]]).toEqual([3, 'not decided']);
  });

  it('says on standard error what changes nothing', async () => {
    const ran = await judge('--evidence', evidence, '--evidence', temporary);
    for (const line of ran.stderr.trimEnd().split('\n')) expect(line).toMatch(/^note: /);
    expect(ran.stderr).not.toBe('');
  });
});

describe('whoever asks wrongly is told what to write', () => {
  it.each<[readonly string[], RegExp]>([
    [[], /missing required argument 'BASE\.\.HEAD'/],
    [[''], /the range is empty/],
    [['git:'], /the range is empty/],
    [['main'], /"main" is no range of commits\n {2}hint: write BASE\.\.HEAD/],
    [['main...feature'], /has three dots/],
    [['main..feature', 'x'], /too many arguments: "x" .*\n {2}hint: write one range: BASE\.\.HEAD/],
    [['main', 'feature'], /too many arguments: .*\n {2}hint: write main\.\.feature\n/],
    [['main', '..', 'feature'], /too many arguments: .*\n {2}hint: write main\.\.feature\n/],
    [['main..feature', '--now', '2026-01-01T24:00:00Z'], /is not a time as RFC 3339 writes it/],
    [['main..feature', '--now', '1969-12-31T23:59:59Z'], /--now "1969-12-31T23:59:59Z" is before 1970/],
    [['--base', 'main', '--head', 'feature'], /--base is no option here\n {2}hint: write both as one range/],
    [['--head=feature'], /--head is no option here\n {2}hint: write both as one range/],
    [
      ['main..feature', '--policy-from', 'base'],
      /--policy-from is no option here\n {2}hint: leave it out: the policy is always/,
    ],
    [['main..feature', '--bundle', 'x'], /--bundle is no option here\n {2}hint: .*--evidence PATH/],
    [['main..feature', '--first-parent'], /--first-parent is no option here/],
    [['main..feature', '--no-merges'], /--no-merges is no option here/],
    [['main..feature', '-C', 'x'], /-C is no option here\n {2}hint: name the repository with --repository PATH/],
    [['main..feature', '--repository', ''], /--repository is empty/],
    [['main..feature', '--policy', ''], /--policy is empty/],
    [['main..feature', '--evidence', ''], /--evidence is empty/],
    [['main..feature', '--evidence', 'a', '--reviews', ''], /--reviews is empty/],
    [['main..feature', '--explain', ''], /--explain is empty/],
    [['main..feature', '--base-ref', ''], /--base-ref "" is no branch/],
    [['main..feature', '--base-ref', 'refs/tags/v1'], /--base-ref "refs\/tags\/v1" is no branch/],
    [['main..feature', '--head-ref', ''], /--head-ref "" is no name of a ref/],
    [['main..feature', '--head-ref', 'a b'], /--head-ref "a b" is no name/],
    [['main..feature', '--head-ref', 'a', '--head-ref', 'b'], /--head-ref is given twice/],
    [['main..feature', '--policy', 'a', '--policy', 'b'], /--policy is given twice/],
    [['main..feature', '--notes', 'a..b'], /--notes "a\.\.b" is no name/],
    [['main..feature', '--now', 'yesterday'], /--now "yesterday" is not a time as RFC 3339 writes it/],
    [['main..feature', '--now', '2026-02-30T00:00:00Z'], /is not a time/],
    [['main..feature', '--max-object-bytes', '0'], /--max-object-bytes needs a whole number above 0, not "0"/],
    [['main..feature', '--max-object-bytes', '1e9'], /--max-object-bytes needs a whole number/],
    [
      ['main..feature', '-o', 'yaml'],
      /"yaml" is no output format\n {2}hint: choose one of table, json, sarif, github, summary/,
    ],
    [['main..feature', '-o', 'json', '-o', 'github'], /two outputs go to "standard output"/],
  ])('%j', async (args, said) => {
    const ran = await change(args);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(said);
  });

  it('of a commit that is not of the range, and of digits that are of several', async () => {
    const ran = await judge('--explain', shop.base, '-o', `json=${out('never.json')}`);
    expect([ran.code, ran.stdout, existsSync(out('never.json'))]).toEqual([2, '', false]);
    expect(ran.stderr).toContain(`is no commit of "main..feature": it is ${shop.base}`);
    for (const [text, said] of [
      ['e61', /is too short for an id\n {2}hint: give at least four digits/],
      ['nowhere', /"nowhere" names no commit: there is no "nowhere"/],
      ['0'.repeat(40), /names no commit/],
      ['feature:src', /names no commit: .*not name a commit/],
    ] as const) {
      const other = await judge('--explain', text);
      expect([other.code, other.stdout]).toEqual([2, '']);
      expect(other.stderr).toMatch(said);
    }
  });

  it('of an output that is an input', async () => {
    const before = readFileSync(evidence);
    const ran = await judge('--evidence', evidence, '-o', `json=${evidence}`);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('is also an input');
    expect(readFileSync(evidence)).toEqual(before);
  });

  it('and the help has the exit codes and examples', async () => {
    const ran = await change(['--help']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(/Exit codes of change:[\s\S]* 4 {2}nothing but an approval is missing[\s\S]*Examples:/);
    for (const hidden of ['--policy-from', '--no-merges', '--first-parent']) expect(ran.stdout).not.toContain(hidden);
  });
});
