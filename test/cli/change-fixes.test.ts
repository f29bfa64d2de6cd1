/** What `change` tells people to do: commands that can be pasted, people who can help, and nothing that is not so. */
import { expect, it } from 'vitest';
import type { ChangeReport } from '../../src/report/change.ts';
import { aShop, now, policyText, type ShopSpec } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const env = { PATH: process.env['PATH'] ?? '' };

function made(spec: ShopSpec = {}) {
  const shop = aShop(temporary, spec);
  const judge = async (range: string, ...args: readonly string[]) => {
    const argv = ['change', range, '--repository', shop.repo.path, ...args, '-o', 'json'];
    const { stdout } = await run(argv, { env, now: () => now });
    return JSON.parse(stdout) as ChangeReport;
  };
  const todo = async (rule: string, range: string, ...args: readonly string[]) => {
    const { findings } = await judge(range, ...args);
    return findings.filter((each) => each.rule === rule).flatMap(({ hints }) => hints);
  };
  return { shop, judge, todo };
}

const risky = { files: { 'infra/main.tf': 'x\n' } };

it('asks nobody for an approval who made the change or has approved it already', async () => {
  const both = made();
  both.shop.agentCommit(risky);
  const [ask, again] = await both.todo('approval-missing', 'main..feature');
  expect(ask).toMatch(/^have alice or bob look at 1 changed path and run: tidewaiter approve git:main\.\.feature /);
  expect(ask).toContain(
    ` --operation merge --ssh-key ~/.ssh/id_ed25519 -o bundle=approval.json --repository ${both.shop.repo.path}`,
  );
  expect(again).toContain('tidewaiter change main..feature --evidence approval.json --repository ');
  expect((await both.judge('main..feature')).findings.map(({ message }) => message)).toContain(
    'a change of high risk needs 1 approval; it has none',
  );

  const byAlice = made();
  byAlice.shop.humanCommit(risky);
  expect((await byAlice.todo('approval-missing', 'main..feature'))[0]).toMatch(/^have bob look/);

  const two = made({ policy: { highRisk: { approvals: '2' } } });
  const head = two.shop.agentCommit(risky);
  const approval = two.shop.approve({ by: 'bob', base: two.shop.base, head });
  expect((await two.todo('approval-missing', 'main..feature', '--evidence', approval))[0]).toMatch(/^have alice look/);
});

it('says that nobody may approve, where so it is, and where another person would be named', async () => {
  const alone = made({ policy: { highRisk: { by: '[alice]' } } });
  alone.shop.humanCommit(risky);
  expect(await alone.todo('approval-missing', 'main..feature')).toEqual([
    'nobody else may approve it: add a person under changes.highRisk.by, on the branch of the base',
  ]);
  const few = made({ policy: { highRisk: { approvals: '2' } } });
  few.shop.humanCommit(risky);
  const hints = await few.todo('approval-missing', 'main..feature');
  expect(hints[0]).toMatch(/^have bob look/);
  expect(hints.at(-1)).toBe('nobody else may approve it: add a person under people, on the branch of the base');
});

it('says of an approval that is of another head how the policy could carry it over, and of an expired one when', async () => {
  const { shop, judge, todo } = made();
  const seen = shop.agentCommit(risky);
  const old = shop.approve({ by: 'bob', base: shop.base, head: seen });
  const over = shop.approve({ by: 'bob', base: shop.base, head: seen, expires: '2026-01-31T23:59:59Z' });
  expect(await todo('approval-stale', 'main..feature', '--evidence', over)).toEqual([
    'approve it anew: --expires says until when',
  ]);
  const expired = (await judge('main..feature', '--evidence', over)).findings.find(
    ({ rule }) => rule === 'approval-stale',
  );
  expect(expired).toMatchObject({ expected: 'after 2026-02-01T00:00:00.000Z', got: '2026-01-31T23:59:59.000Z' });
  shop.agentCommit({ files: { 'src/more.py': 'x\n' } });
  const carry =
    'or, where nothing but the base changed since, the policy may say so: changes.highRisk.carryOver: replay';
  expect(await todo('approval-stale', 'main..feature', '--evidence', old)).toEqual([
    'approve the change as it is now',
    carry,
  ]);
  const carried = made({ policy: { highRisk: { carryOver: 'replay' } } });
  const first = carried.shop.agentCommit(risky);
  const approval = carried.shop.approve({ by: 'bob', base: carried.shop.base, head: first });
  carried.shop.agentCommit({ files: { 'src/more.py': 'x\n' } });
  expect(await carried.todo('approval-stale', 'main..feature', '--evidence', approval)).toEqual([
    'approve the change as it is now',
  ]);
});

it('counts a statement that it warns of, and does not refuse it as well', async () => {
  const { shop, judge } = made({ policy: { agents: { tier: null, hosted: null } } });
  const head = shop.agentCommit({ files: { 'src/a.py': 'a\n' } });
  const { outcome, evidence, findings } = await judge(
    'main..feature',
    '--evidence',
    shop.attest({ base: shop.base, head }),
  );
  expect([outcome, evidence.counted.length, evidence.refused]).toEqual(['pass', 1, []]);
  const warning = findings.find(({ rule }) => rule === 'tier-too-low');
  expect(warning?.weight).toBe('warning');
  expect(warning?.hints.join()).toContain('changes.agents.tier: local-key');
});

it('does as it says: the tier that the hint names ends the warning', async () => {
  const { shop, judge } = made({ policy: { agents: { tier: 'local-key', hosted: null } } });
  const head = shop.agentCommit({ files: { 'src/a.py': 'a\n' } });
  const { outcome, findings } = await judge('main..feature', '--evidence', shop.attest({ base: shop.base, head }));
  expect([outcome, findings]).toEqual(['pass', []]);
});

it('turns a range that was written the other way round, and suggests what landed only for branches', async () => {
  const { shop, todo } = made();
  const first = shop.agentCommit({ files: { 'src/a.py': 'a\n' } });
  shop.agentCommit({ files: { 'src/b.py': 'b\n' } });
  const turned = await todo('range-empty', 'feature..main');
  expect(turned).toContain('or is it the other way round? main..feature');
  expect(turned).toContain('after a merge, judge what landed: feature~1..feature');
  expect((await todo('range-empty', 'main..main')).join()).not.toContain('other way');
  for (const range of [`${first}..main`, 'feature~1..main', 'HEAD..main']) {
    expect((await todo('range-empty', range)).join()).not.toContain('what landed');
  }
});

it('names the head as it was written where BASE is another branch', async () => {
  const { shop, todo } = made();
  shop.agentCommit({ files: { 'src/a.py': 'a\n' } });
  shop.repo.ref('refs/heads/develop', shop.base);
  expect(await todo('base-ref-mismatch', 'develop..feature')).toContain(
    'judge against the branch that the policy is for: refs/heads/main..feature',
  );
  const aside = shop.agentCommit({ branch: 'aside', files: { 'src/c.py': 'c\n' } });
  const upon = shop.agentCommit({ branch: 'upon', parents: [aside], files: { 'src/d.py': 'd\n' } });
  expect(await todo('base-ref-mismatch', `${aside}..${upon}`)).toContain(
    `name the branch instead: main..${upon} or origin/main..${upon}`,
  );
});

it('never sends whoever has the whole history to fetch it', async () => {
  const { shop, todo } = made();
  shop.agentCommit({ branch: 'alien', parents: [], only: true, files: { 'alien.py': 'x\n' } });
  const hints = await todo('unrelated-histories', 'main..alien');
  expect(hints).toHaveLength(1);
  expect(hints.join()).not.toContain('fetch');
});

it('says of a policy that is a link how it has to be committed', async () => {
  const link = { mode: '120000', content: 'real.yaml' } as const;
  const { shop, todo } = made({ files: { 'tidewaiter.policy.yaml': link, 'real.yaml': policyText() } });
  shop.agentCommit({ files: { 'src/a.py': 'a\n' } });
  expect(await todo('path-trick', 'main..feature')).toEqual([
    'commit it as a regular file, on the branch that it is read from',
  ]);
});

it('is behind by nothing where the change starts at the base, whatever the dates of its commits are', async () => {
  const { shop, judge } = made();
  for (let at = 0; at < 20; at += 1) shop.agentCommit({ files: { 'src/a.py': `${at}\n` }, time: at });
  const { range, commits } = await judge('main..feature');
  expect([range?.mergeBase.commit, range?.behind, commits.length]).toEqual([shop.base, 0, 20]);
});
