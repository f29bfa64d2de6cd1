/**
 * The process's own word: each of T1 to T12 once more through the command line, attack and twin, with the exit code and the rule
 * in the document that pipelines read. What is attacked, and how, stands in the other files called threats-*.
 */
import { describe, expect, it } from 'vitest';
import { aShop, claude, coAuthor, identOf, now, type PolicyShape, people, type Shop } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';
import { signSsh } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const files = { 'src/app.py': 'def pay():\n    charge()\n' };
const risky = { 'infra/main.tf': 'region = "us"\n' };

interface Case {
  readonly row: string;
  readonly policy?: PolicyShape;
  readonly range?: string;
  readonly code: 1 | 3 | 4;
  readonly rule: string;
  /** Makes the change; gives evidence. */
  build(shop: Shop, attacked: boolean): readonly string[];
}

const carryOver = { highRisk: { carryOver: 'replay' } };
const attested = (shop: Shop, head: string) => shop.attest({ base: shop.base, head });

/** An agent's attested commit, then a base that went on, then a squash of it: of its replay, or of its tree word for word. */
function squashed(shop: Shop, tree: (replayed: string, head: string) => string): readonly string[] {
  const head = shop.agentCommit({ files: { a: 'a\n' } });
  const main = shop.advance({ 'docs/a.md': 'main\n' });
  const replayed = shop.repo.git('merge-tree', '--write-tree', main, head);
  shop.repo.commit({ tree: tree(replayed, head), message: `x\n\n${coAuthor}\n` });
  return [attested(shop, head)];
}

const cases: readonly Case[] = [
  {
    ...{ row: 'T1 stripped trailers', code: 1, rule: 'agent-undeclared' },
    build: (shop, attacked) => {
      if (attacked) shop.unsignedCommit({ files });
      else shop.humanCommit({ files });
      return [];
    },
  },
  {
    ...{ row: 'T2 a forged name of a bot', code: 1, rule: 'agent-undeclared' },
    build: (shop, attacked) => {
      const author = 'renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>';
      if (attacked) shop.unsignedCommit({ files, author });
      else shop.humanCommit({ files, author });
      return [];
    },
  },
  {
    ...{ row: 'T3 replace refs', code: 3, rule: 'replaced-objects' },
    build: (shop, attacked) => {
      const head = shop.humanCommit({ files });
      if (attacked) shop.repo.ref(`refs/replace/${head}`, shop.base);
      return [];
    },
  },
  {
    ...{ row: 'T4 a squash with more in it', code: 1, rule: 'landing-residual', range: 'main~1..main' },
    build: (shop, attacked) =>
      squashed(shop, (replayed) => {
        const clean = shop.repo.commit({ tree: replayed, branch: null });
        return attacked ? shop.repo.treeOf(shop.repo.commit({ parents: [clean], files, branch: null })) : replayed;
      }),
  },
  {
    ...{ row: 'T5 an evil merge', code: 1, rule: 'merge-residual', policy: { changes: { unknown: 'treat-as-human' } } },
    build: (shop, attacked) => {
      const mine = shop.humanCommit({ files: { a: 'a' } });
      const main = shop.advance({ b: 'b' });
      const merge = { parents: [mine, main], files: { b: 'b', ...(attacked ? files : {}) } };
      shop.unsignedCommit(merge);
      return [];
    },
  },
  {
    ...{ row: 'T6 provenance for another repository', code: 1, rule: 'repo-mismatch' },
    build: (shop, attacked) => {
      const head = shop.agentCommit({ files });
      const repository = attacked ? 'https://github.com/evil/shop' : 'https://github.com/acme/shop';
      return [shop.attest({ base: shop.base, head, repository })];
    },
  },
  {
    ...{ row: 'T7 a stale tree', code: 1, rule: 'landing-residual', range: 'main~1..main' },
    build: (shop, attacked) => squashed(shop, (replayed, head) => (attacked ? shop.repo.treeOf(head) : replayed)),
  },
  {
    ...{ row: 'T8 a force-push', code: 1, rule: 'landing-residual' },
    build: (shop, attacked) => {
      const evidence = [attested(shop, shop.agentCommit({ files: { a: 'a' } }))];
      if (attacked) shop.agentCommit({ files: { a: 'b' }, parents: [shop.base] });
      return evidence;
    },
  },
  {
    ...{ row: 'T9 an equal patch id', code: 1, rule: 'landing-residual', range: 'main~1..main' },
    build: (shop, attacked) => {
      const head = shop.agentCommit({ files: { a: 'if x:\n    y()\n' } });
      shop.repo.commit({ files: { a: attacked ? 'if x:\ny()\n' : 'if x:\n    y()\n' }, author: claude });
      return [attested(shop, head)];
    },
  },
  {
    ...{ row: 'T10 self-approval', code: 4, rule: 'approval-self' },
    build: (shop, attacked) => {
      const head = shop.humanCommit({ files: risky });
      return [shop.approve({ by: attacked ? 'alice' : 'bob', base: shop.base, head })];
    },
  },
  {
    ...{ row: 'T11 an approval of the state before', code: 4, rule: 'approval-stale', policy: carryOver },
    build: (shop, attacked) => {
      const before = shop.humanCommit({ files: risky });
      const head = shop.humanCommit({ files: { a: 'a' } });
      return [shop.approve({ by: 'bob', base: shop.base, head: attacked ? before : head })];
    },
  },
  {
    ...{
      row: 'T12 an approval, and more than the base came after',
      code: 4,
      rule: 'approval-stale',
      policy: carryOver,
    },
    build: (shop, attacked) => {
      const seen = shop.humanCommit({ files: risky });
      const main = shop.advance({ b: 'b' });
      const sign = (payload: Buffer) => signSsh(people.alice, payload);
      const extra = {
        parents: [seen, main],
        author: identOf('alice'),
        files: { b: 'b', c: 'c' },
        branch: 'feature',
        sign,
      };
      if (attacked) shop.repo.commit(extra);
      else shop.merge(seen, main);
      return [shop.approve({ by: 'bob', base: shop.base, head: seen })];
    },
  },
];

describe('the exit code of change', () => {
  it.each(cases)('$row: $code, and 0 for its twin', async ({ policy, range = 'main..feature', code, rule, build }) => {
    for (const attacked of [true, false]) {
      const shop = aShop(temporary, policy === undefined ? {} : { policy });
      const evidence = build(shop, attacked).flatMap((each) => ['--evidence', each]);
      const argv = ['change', range, '--repository', shop.repo.path, '--now', new Date(now).toISOString(), ...evidence];
      const ran = await run([...argv, '-o', 'json'], { env: { PATH: process.env['PATH'] ?? '' } });
      const report = JSON.parse(ran.stdout) as { findings: { rule: string; weight: string }[] };
      const heavy = report.findings.filter(({ weight }) => weight !== 'note' && weight !== 'warning');
      expect(ran.code, ran.stderr).toBe(attacked ? code : 0);
      if (attacked) expect(heavy.map((each) => each.rule)).toContain(rule);
      else expect(heavy).toEqual([]);
    }
  });
});
