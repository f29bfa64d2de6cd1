/**
 * What a squash or a rebase leaves out of the range: who made the commits before it, and which paths an approval has seen. Each
 * attack in a real repository, beside a twin without it.
 */
import { describe, expect, it } from 'vitest';
import type { PersonName, PolicyShape } from '../kit/change.ts';
import { aShop, claude, coAuthor, identOf, passes, platforms, type Shop, unapproved } from '../kit/change.ts';
import type { CommitSpec } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const files = { 'infra/main.tf': 'region = "us"\n' };
const self = unapproved('approval-self', 'high-risk-path');
const stale = unapproved('approval-stale', 'high-risk-path');
const carry: PolicyShape = { highRisk: { carryOver: 'replay' } };
const byAgent = `change\n\n${coAuthor}\n`;

/** What was attested, and its tree again in one commit that names nobody. */
function squashed(shop: Shop, attested: string): string {
  return shop.repo.commit({ branch: 'squash', parents: [shop.base], tree: shop.repo.treeOf(attested), author: claude });
}

describe('whoever made the commits before a squash', () => {
  const made: readonly (readonly [how: string, commit: (shop: Shop) => string])[] = [
    ['signed one', (shop) => shop.humanCommit({ by: 'alice', files, message: byAgent })],
    ['is its author', (shop) => shop.agentCommit({ files, author: identOf('alice'), message: byAgent })],
    ['is its committer', (shop) => shop.agentCommit({ files, committer: identOf('alice') })],
    [
      'gave the agent its task',
      (shop) => shop.agentCommit({ files, message: 'x\n\nCo-authored-by: A <alice@acme.example>\n' }),
    ],
    [
      'signed the first of several',
      (shop) => {
        shop.humanCommit({ by: 'alice', files: { a: 'a' }, message: byAgent });
        return shop.agentCommit({ files });
      },
    ],
  ];

  it.each(made)('and %s does not approve what came of it', async (_, commit) => {
    const shop = aShop(temporary);
    const attested = commit(shop);
    const head = squashed(shop, attested);
    const provenance = shop.attest({ base: shop.base, head: attested });
    const judged = (by: PersonName) =>
      shop.judge('main..squash', { evidence: [provenance, shop.approve({ by, base: shop.base, head })] });
    const verdict = await judged('alice');
    expect(verdict).toMatchObject(self);
    expect(verdict.report.approvals.authors).toEqual(['alice']);
    expect(await judged('bob')).toMatchObject(passes);
  });

  it.each(made)('and %s does not carry an approval over to it', async (_, commit) => {
    const shop = aShop(temporary, { policy: carry });
    const attested = commit(shop);
    squashed(shop, attested);
    const provenance = shop.attest({ base: shop.base, head: attested });
    const judged = (by: PersonName) =>
      shop.judge('main..squash', { evidence: [provenance, shop.approve({ by, base: shop.base, head: attested })] });
    expect(await judged('alice')).toMatchObject(self);
    expect(await judged('bob')).toMatchObject(passes);
  });

  it('does not approve where the approval alone leads to those commits', async () => {
    const shop = aShop(temporary, { policy: carry });
    const seen = shop.humanCommit({ by: 'alice', files });
    const head = shop.humanCommit({ branch: 'squash', by: 'bob', parents: [shop.base], files, message: 'again\n' });
    const judged = (by: PersonName, at: string) =>
      shop.judge('main..squash', { evidence: [shop.approve({ by, base: shop.base, head: at })] });
    expect(await judged('alice', seen)).toMatchObject(self);
    // Signed by bob, and nothing here says that alice had a hand in it.
    expect(await judged('alice', head)).toMatchObject(passes);
  });

  it('is not among those who merged the base into it', async () => {
    const shop = aShop(temporary, { policy: carry });
    const one = shop.agentCommit({ files });
    const attested = shop.merge(one, shop.advance({ 'docs/a.md': 'main\n' }), { author: identOf('bob') });
    const main = shop.tip('main');
    const tree = shop.repo.treeOf(attested);
    const head = shop.repo.commit({ branch: 'squash', parents: [main], tree, author: claude });
    const evidence = [shop.attest({ base: shop.base, head: attested }), shop.approve({ by: 'bob', base: main, head })];
    const verdict = await shop.judge('main..squash', { evidence });
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.approvals.authors).toEqual([]);
  });
});

describe('an approval that is carried over to where git takes an edit along', () => {
  const text = Array.from({ length: 8 }, (_, at) => `setting_${at} = ${at}\n`).join('');
  const edited = text.replace('= 7', '= "evil"');
  const build = (policy: PolicyShape, renamed: string, more: CommitSpec['files'] = files) => {
    const shop = aShop(temporary, { policy, files: { 'deploy/prod.tf': text } });
    const seen = shop.agentCommit({ files: { 'deploy/prod.tf': edited, ...(more as Record<string, string>) } });
    const main = shop.advance({ 'deploy/prod.tf': null, [renamed]: text });
    return { shop, seen, main, provenance: shop.attest({ base: shop.base, head: seen }) };
  };
  const record = ({ shop, seen, main }: ReturnType<typeof build>) => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'refs/heads/main', digest: { gitCommit: seen } }],
      predicateType: 'https://drvelvetfog.github.io/source-review-coverage/v0.1',
      predicate: {
        reviewCoverage: { result: 'replay' },
        approvals: [{ approver: 'bob', overTree: { digest: { gitTree: shop.repo.treeOf(seen) } } }],
        mergeTransform: {
          reviewedHead: { digest: { gitCommit: seen } },
          baseAtMerge: { digest: { gitCommit: main } },
        },
      },
    };
    return shop.attest({ base: shop.base, head: seen, by: platforms['release-key'], change: () => statement });
  };

  it('does not stay where a merge of the base moves it onto a path of high risk', async () => {
    for (const [renamed, expected] of [
      ['infra/prod.tf', stale],
      ['.github/workflows/prod.yml', stale],
      ['service/prod.tf', passes],
    ] as const) {
      const { shop, seen, main, provenance } = build(carry, renamed);
      shop.merge(seen, main);
      const approval = shop.approve({ by: 'bob', base: shop.base, head: seen });
      const verdict = await shop.judge('main..feature', { evidence: [provenance, approval] });
      expect(verdict, renamed).toMatchObject(expected);
      const told = verdict.report.findings.find(({ rule }) => rule === 'approval-stale');
      expect(told?.got).toBe(expected === stale ? renamed : undefined);
    }
  });

  it('does not stay after a squash or a rebase either, be it signed or recorded', async () => {
    const policy = { ...carry, highRisk: { ...carry.highRisk, records: '[release-key]' } };
    for (const [renamed, expected] of [
      ['infra/prod.tf', stale],
      ['service/prod.tf', passes],
    ] as const) {
      const made = build(policy, renamed);
      const { shop, seen, main, provenance } = made;
      const tree = shop.repo.git('merge-tree', '--write-tree', main, seen);
      shop.repo.commit({ branch: 'squash', parents: [main], tree, author: claude });
      for (const approval of [shop.approve({ by: 'bob', base: shop.base, head: seen }), record(made)]) {
        const verdict = await shop.judge('main..squash', { evidence: [provenance, approval] });
        expect(verdict, renamed).toMatchObject(expected);
      }
    }
  });

  it('stays for a path that a commit on the way touched and took back: that was to be seen', async () => {
    const shop = aShop(temporary, { policy: carry });
    shop.agentCommit({ files: { ...files, 'infra/b.tf': 'b\n' } });
    const seen = shop.agentCommit({ files: { 'infra/b.tf': null } });
    shop.merge(seen, shop.advance({ 'docs/a.md': 'main\n' }));
    const evidence = [
      shop.attest({ base: shop.base, head: seen }),
      shop.approve({ by: 'bob', base: shop.base, head: seen }),
    ];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('an approval of the change as it is now counts', async () => {
    const { shop, seen, main, provenance } = build(carry, 'infra/prod.tf');
    const head = shop.merge(seen, main);
    const approval = shop.approve({ by: 'bob', base: main, head });
    expect(await shop.judge('main..feature', { evidence: [provenance, approval] })).toMatchObject(passes);
  });
});
