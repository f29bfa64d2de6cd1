/**
 * Who agreed to what. Each attack in a real repository, beside a twin without it. The change is one to a path of high risk.
 *
 *   T10  self-approval, approval by agents     'T10: …'
 *   T11  approvals of something else           'T11: …'
 *   T12  approvals lost by a merge of main     'T12: …'
 */
import { describe, expect, it } from 'vitest';
import { judgeApprovals } from '../../src/change/approvals.ts';
import { rangeGraph } from '../../src/change/graph.ts';
import type { Approval } from '../../src/change/types.ts';
import { readPolicy } from '../../src/policy/read.ts';
import {
  type Approved,
  approvalStatement,
  aShop,
  claude,
  coAuthor,
  identOf,
  now,
  type PersonName,
  type PolicyShape,
  passes,
  people,
  platforms,
  policyText,
  type Shop,
  shopAddress,
  unapproved,
} from '../kit/change.ts';
import type { CommitSpec } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const files = { 'infra/main.tf': 'region = "us"\n' };
const missing = (rule?: string) => unapproved('high-risk-path', ...(rule === undefined ? [] : [rule]));

/** An agent's attested commit, with approvals of it by these people. */
async function approved(
  by: readonly (PersonName | Partial<Approved>)[],
  { policy = {}, commit = {} }: { readonly policy?: PolicyShape; readonly commit?: CommitSpec } = {},
) {
  const shop = aShop(temporary, { policy });
  const head = shop.agentCommit({ files, ...commit });
  const approvals = by.map((each) =>
    shop.approve({ by: 'bob', base: shop.base, head, ...(typeof each === 'string' ? { by: each } : each) }),
  );
  return shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head }), ...approvals] });
}

const twoNeeded = { highRisk: { approvals: '2' } };
const carol = { carol: '{ keys: [keys/carol.pub] }' };

describe('T10: approvals by those who made the change', () => {
  it('a person who has nothing to do with the change approves it; nobody else does', async () => {
    expect(await approved(['bob'])).toMatchObject(passes);
    expect(await approved([])).toMatchObject(missing());
    for (const stranger of ['mallory', 'carol'] as const) {
      const verdict = await approved([stranger]);
      expect(verdict).toMatchObject(missing());
      expect(verdict.said).toContain('identity-mismatch');
    }
    expect(await approved(['bob'], { policy: { highRisk: { by: '[alice]' } } })).toMatchObject(
      missing('approval-not-human'),
    );
  });

  it('whoever signed a commit of it does not', async () => {
    for (const by of ['alice', 'bob'] as const) {
      const shop = aShop(temporary);
      const head = shop.humanCommit({ files });
      const evidence = [shop.approve({ by, base: shop.base, head })];
      const verdict = await shop.judge('main..feature', { evidence });
      expect(verdict).toMatchObject(by === 'bob' ? passes : missing('approval-self'));
      expect(verdict.report.approvals.authors).toEqual(['alice']);
    }
  });

  it('whoever signed any commit of it does not, even one of many', async () => {
    const shop = aShop(temporary);
    shop.humanCommit({ files: { a: 'a' }, by: 'bob' });
    const head = shop.humanCommit({ files, by: 'alice' });
    const evidence = [shop.approve({ by: 'bob', base: shop.base, head })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(missing('approval-self'));
  });

  const names: readonly (readonly [what: string, commit: CommitSpec])[] = [
    ['author', { author: identOf('bob'), message: `x\n\n${coAuthor}\n` }],
    ['author, in other letters', { author: 'Bob <BOB@Acme.Example>', message: `x\n\n${coAuthor}\n` }],
    ['committer', { author: claude, committer: identOf('bob') }],
    ['co-author, as who gave the agent its task', { message: 'x\n\nCo-authored-by: bob <bob@acme.example>\n' }],
    ['co-author in a squashed message', { message: 'x\n\n* y\n\n  Co-Authored-By: Bob <Bob@acme.example>\n\n* z\n' }],
    ['account on GitHub', { message: 'x\n\nCo-authored-by: B <123+bob@users.noreply.github.com>\n' }],
  ];
  it.each(names)('whom a commit names as %s does not', async (_, commit) => {
    expect(await approved(['bob'], { commit })).toMatchObject(missing('approval-self'));
    expect(await approved(['alice'], { commit })).toMatchObject(passes);
  });

  it('whoever vouched for an agent by signing its commit does not', async () => {
    const shop = aShop(temporary);
    const head = shop.humanCommit({ files, by: 'bob', author: claude });
    const [base, range] = [shop.base, 'main..feature'];
    const attested = shop.attest({ base, head });
    const by = (person: PersonName) => [attested, shop.approve({ by: person, base, head })];
    expect(await shop.judge(range, { evidence: by('bob') })).toMatchObject(missing('approval-self'));
    expect(await shop.judge(range, { evidence: by('alice') })).toMatchObject(passes);
  });

  it('the platform of the agent does not, nor a bot', async () => {
    const bot = { policy: { changes: { bots: '[release-key]' } } };
    for (const key of ['platform', 'release-key'] as const) {
      const shop = aShop(temporary, bot);
      const head = shop.agentCommit({ files });
      const tree = shop.repo.treeOf(head);
      const change = () => approvalStatement({ base: shop.base, head, tree });
      const evidence = [
        shop.attest({ base: shop.base, head }),
        shop.attest({ base: shop.base, head, by: platforms[key], change }),
      ];
      expect(await shop.judge('main..feature', { evidence }), key).toMatchObject(missing('approval-not-human'));
    }
  });

  it('one person counts once, with however many keys and statements', async () => {
    const both = '{ keys: [keys/bob.pub, keys/carol.pub] }';
    expect(await approved(['bob', 'carol'], { policy: { ...twoNeeded, people: { bob: both } } })).toMatchObject(
      missing(),
    );
    const again = { by: 'bob', expires: '2026-02-27T00:00:00Z' } as const;
    expect(await approved(['bob', again], { policy: twoNeeded })).toMatchObject(missing());
    expect(await approved(['bob', 'carol'], { policy: { ...twoNeeded, people: carol } })).toMatchObject(passes);
  });

  it('where nobody proves who made the change, one more has to agree', async () => {
    const shop = aShop(temporary, { policy: { people: carol, changes: { unknown: 'treat-as-human' } } });
    const head = shop.unsignedCommit({ files, author: 'Someone <someone@elsewhere.example>' });
    const by = (...who: PersonName[]) => who.map((each) => shop.approve({ by: each, base: shop.base, head }));
    expect(await shop.judge('main..feature', { evidence: by('bob') })).toMatchObject(missing());
    expect(await shop.judge('main..feature', { evidence: by('bob', 'carol') })).toMatchObject(passes);
  });

  it('a review on the forge counts by a human account that the policy gives to a person, and for this head', async () => {
    const shop = aShop(temporary);
    const old = shop.agentCommit({ files });
    const head = shop.agentCommit({
      files: { 'infra/b.tf': 'b' },
      message: 'b\n\nCo-authored-by: alice <alice@acme.example>\n',
    });
    const evidence = [shop.attest({ base: shop.base, head })];
    const review = (login: string, more: object = {}) => {
      const user = { login, type: 'User', ...more };
      const [state, commit_id, submitted_at] = ['APPROVED', head, '2026-01-20T00:00:00Z'];
      const reviews = [
        shop.file('reviews.json', JSON.stringify([{ id: 1, user, state, commit_id, submitted_at, ...more }])),
      ];
      return shop.judge('main..feature', { evidence, reviews });
    };
    expect(await review('Bob')).toMatchObject(passes);
    expect(await review('bob', { commit_id: old })).toMatchObject(missing('approval-stale'));
    expect(await review('bob', { type: 'Bot' })).toMatchObject(missing('approval-not-human'));
    expect(await review('bob', { state: 'COMMENTED' })).toMatchObject(missing());
    expect(await review('alice')).toMatchObject(missing('approval-self'));
    expect(await review('copilot-pull-request-reviewer[bot]', { type: 'Bot' })).toMatchObject(
      missing('approval-not-human'),
    );
    expect(await review('stranger')).toMatchObject(missing('approval-not-human'));
  });
});

describe('T10: approvals signed with keys that are nobody’s', () => {
  const vendorKey = 'SHA256:32dP45eSMmVSt/G/CGvcxl/P+MO3Nwj9xeTh/GSA2wc';
  const [id, tree, zeros] = ['1'.repeat(40), '2'.repeat(40), '0'.repeat(40)];
  const statement: Approval = {
    ...{ kind: 'approval', operation: 'merge', repository: shopAddress, baseRef: 'refs/heads/main' },
    ...{ mergeBase: zeros, head: id, tree, expires: now + 1000 },
  };
  const policy = readPolicy(policyText(), 'policy');
  const judged = (fingerprint: string) => {
    const signer = { matched: ['bob'], person: 'bob', kind: 'ssh', shown: `key ${fingerprint}`, fingerprint } as const;
    const evidence = { place: 'x', digest: '', statementDigest: '', format: '', statement, signer, times: [] };
    const base = { id: zeros, tree: zeros };
    const landing = { clean: true, tree };
    return judgeApprovals({
      policy,
      rule: policy.changes!,
      range: { policyBase: base, mergeBase: base, head: { id, tree }, landing, changeDigest: '' },
      graph: rangeGraph([]),
      relations: {
        inBase: () => true,
        isAncestor: () => true,
        treeOf: () => tree,
        landingOf: () => ({ kind: 'identity' }),
        changeDigest: () => undefined,
        approvedPaths: () => undefined,
        rewritten: [],
      },
      commits: [],
      changedPaths: [],
      risky: [],
      content: [],
      evidence: [evidence],
      reviews: [],
      now,
    });
  };

  it("a vendor's key does not approve, even where the policy calls it a person's", () => {
    const { counted, refused } = judged(vendorKey);
    expect(counted).toEqual([]);
    expect(refused).toMatchObject([{ rule: 'approval-not-human', got: vendorKey }]);
    expect(judged(`SHA256:${'A'.repeat(43)}`).counted).toMatchObject([{ person: 'bob' }]);
  });
});

describe('T11: approvals of something else', () => {
  const zeros = '0'.repeat(40);
  const attacks: readonly (readonly [what: string, change: Partial<Approved>, rule: string])[] = [
    ['an operation', { operation: 'release' }, 'replayed'],
    ['a repository', { repository: 'https://github.com/acme/other' }, 'repo-mismatch'],
    ['a branch', { baseRef: 'refs/heads/next' }, 'repo-mismatch'],
    ['a base', { base: zeros }, 'approval-stale'],
    ['a tree', { tree: zeros }, 'tree-mismatch'],
    ['a head', { head: zeros, tree: zeros }, 'subject-mismatch'],
    ['a time', { expires: '2026-01-31T23:59:59Z' }, 'approval-stale'],
    ['a time that ends now', { expires: '2026-02-01T00:00:00Z' }, 'approval-stale'],
  ];
  it.each(attacks)('an approval of %s that is not this one does not count', async (_, change, rule) => {
    const verdict = await approved([change]);
    expect(verdict).toMatchObject({ outcome: 'approval', code: 4 });
    expect(verdict.said).toContain(rule);
    expect(verdict.report.approvals.counted).toEqual([]);
    expect(await approved([change, 'bob'])).toMatchObject(passes);
  });

  it('an approval does not reach what was pushed after it, nor what was taken back', async () => {
    const build = (push: (shop: Shop) => void) => {
      const shop = aShop(temporary, { policy: { highRisk: { carryOver: 'replay' } } });
      const seen = shop.agentCommit({ files });
      const approval = shop.approve({ by: 'bob', base: shop.base, head: seen });
      push(shop);
      const head = shop.tip('feature');
      return shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head }), approval] });
    };
    expect(await build(() => {})).toMatchObject(passes);
    expect(await build((shop) => shop.agentCommit({ files: { a: 'a' } }))).toMatchObject(missing('approval-stale'));
    expect(await build((shop) => shop.agentCommit())).toMatchObject(missing('approval-stale'));
    const back = (shop: Shop) => {
      shop.agentCommit({ files: { 'infra/main.tf': 'region = "evil"\n' } });
      shop.agentCommit({ files });
    };
    expect(await build(back)).toMatchObject(missing('approval-stale'));
    const rewritten = (shop: Shop) => {
      shop.agentCommit({ files, parents: [shop.base], message: 'again\n' });
      back(shop);
    };
    expect(await build(rewritten)).toMatchObject(missing('approval-stale'));
  });

  it('an approval of a state before is none of the state after, nor the other way round', async () => {
    const shop = aShop(temporary);
    const before = shop.agentCommit({ files });
    const after = shop.agentCommit({ files: { a: 'a' } });
    const judged = (head: string, other: string) =>
      shop.judge(`main..${head}`, {
        evidence: [shop.attest({ base: shop.base, head }), shop.approve({ by: 'bob', base: shop.base, head: other })],
      });
    expect(await judged(after, before)).toMatchObject(missing('approval-stale'));
    expect(await judged(before, after)).toMatchObject(missing('approval-stale'));
    expect(await judged(after, after)).toMatchObject(passes);
  });
});

describe('T11: approvals that a pipeline recorded', () => {
  const recorder = {
    identities: { recorder: '{ key: keys/release.pub }', 'release-key': null },
    highRisk: { records: '[recorder]' },
  };
  /** A change that bob reviewed, squashed onto a base that had moved on: as the reviewed tree, or as its replay. */
  const landed = (policy: PolicyShape) => {
    const shop = aShop(temporary, { policy: { ...recorder, ...policy } });
    const seen = shop.agentCommit({ files });
    const main = shop.advance({ 'docs/a.md': 'main\n' });
    const attested = shop.attest({ base: shop.base, head: seen });
    const replayed = shop.repo.git('merge-tree', '--write-tree', main, seen);
    return { shop, seen, main, attested, replayed };
  };
  type Landed = ReturnType<typeof landed>;
  const record = ({ shop, seen, main }: Landed, about: string, more: object = {}, ref = 'refs/heads/main') => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: ref, digest: { gitCommit: about, gitTree: shop.repo.treeOf(about) } }],
      predicateType: 'https://drvelvetfog.github.io/source-review-coverage/v0.1',
      predicate: {
        reviewCoverage: { result: 'replay' },
        approvals: [{ approver: 'bob', overTree: { digest: { gitTree: shop.repo.treeOf(seen) } } }],
        mergeTransform: {
          reviewedHead: { digest: { gitCommit: seen } },
          baseAtMerge: { digest: { gitCommit: main } },
          ...more,
        },
      },
    };
    return shop.attest({ base: shop.base, head: seen, by: platforms['release-key'], change: () => statement });
  };
  const land = ({ shop }: Landed, tree: string) => shop.repo.commit({ tree, author: claude, message: 'x (#1)\n' });

  it('they count for what replay makes of the reviewed head, if the policy says so', async () => {
    const carry = { highRisk: { ...recorder.highRisk, carryOver: 'replay' } };
    const twin = landed(carry);
    const about = land(twin, twin.replayed);
    const evidence = [twin.attested, record(twin, about)];
    expect(await twin.shop.judge('main~1..main', { evidence })).toMatchObject(passes);
    const strict = landed({});
    const its = land(strict, strict.replayed);
    const recorded = [strict.attested, record(strict, its)];
    expect(await strict.shop.judge('main~1..main', { evidence: recorded })).toMatchObject(missing('approval-stale'));
  });

  it('not for the reviewed tree that landed word for word and took back what the base did', async () => {
    for (const carryOver of ['replay', 'never']) {
      const attacked = landed({ highRisk: { ...recorder.highRisk, carryOver } });
      const about = land(attacked, attacked.shop.repo.treeOf(attacked.seen));
      // The tree is covered by provenance of its own, so that the approval alone decides.
      const own = attacked.shop.attest({ base: attacked.main, head: about });
      const evidence = [own, record(attacked, about)];
      expect(await attacked.shop.judge('main~1..main', { evidence })).toMatchObject(missing('approval-stale'));
    }
  });

  it('before it lands they count for this head, this branch and this base, and by the one who records them', async () => {
    const open = landed({});
    const [range, base] = ['main..feature', { digest: { gitCommit: open.shop.base } }];
    const judged = (statement: string) => open.shop.judge(range, { evidence: [open.attested, statement] });
    expect(await judged(record(open, open.seen, { baseAtMerge: base }))).toMatchObject(passes);
    const nowhere = { digest: { gitCommit: '1'.repeat(40) } };
    expect(await judged(record(open, open.seen, { baseAtMerge: nowhere }))).toMatchObject(missing('approval-stale'));
    const elsewhere = record(open, open.seen, { baseAtMerge: base }, 'refs/heads/next');
    expect(await judged(elsewhere)).toMatchObject(missing('repo-mismatch'));
    const other = record({ ...open, seen: open.shop.base }, open.shop.base);
    expect(await judged(other)).toMatchObject(missing('approval-stale'));
  });
});

describe('T12: an approval after the base was merged in', () => {
  const build = (carryOver: 'replay' | 'never', update: (shop: Shop, seen: string, main: string) => void) => {
    const shop = aShop(temporary, { policy: { highRisk: { carryOver } } });
    const seen = shop.agentCommit({ files });
    const evidence = [
      shop.attest({ base: shop.base, head: seen }),
      shop.approve({ by: 'bob', base: shop.base, head: seen }),
    ];
    update(shop, seen, shop.advance({ 'docs/a.md': 'main\n' }));
    return shop.judge('main..feature', { evidence });
  };
  const merged = (shop: Shop, seen: string, main: string) => void shop.merge(seen, main);

  it('stays where nothing else came, if the policy says so', async () => {
    const verdict = await build('replay', merged);
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.approvals.counted).toMatchObject([{ person: 'bob', carriedOver: true }]);
    expect(await build('never', merged)).toMatchObject(missing('approval-stale'));
    const untouched = await build('never', () => {});
    expect(untouched).toMatchObject(passes);
  });

  it('stays after a rebase of exactly that, if the policy says so', async () => {
    const rebased = (shop: Shop, seen: string, main: string) => {
      const tree = shop.repo.git('merge-tree', '--write-tree', main, seen);
      shop.repo.commit({ branch: 'feature', parents: [main], tree, author: claude });
    };
    expect(await build('replay', rebased)).toMatchObject(passes);
    expect(await build('never', rebased)).toMatchObject(missing('approval-stale'));
  });

  it('does not stay where the merge adds something', async () => {
    const evil = (shop: Shop, seen: string, main: string) =>
      void shop.humanCommit({
        parents: [seen, main],
        files: { 'docs/a.md': 'main\n', 'infra/c.tf': 'c' },
        by: 'alice',
      });
    expect(await build('replay', evil)).toMatchObject(missing('approval-stale'));
  });

  it('does not stay where a person’s commit came with it', async () => {
    const more = (shop: Shop, seen: string, main: string) => {
      shop.merge(seen, main);
      shop.humanCommit({ files: { a: 'a' }, by: 'alice' });
    };
    expect(await build('replay', more)).toMatchObject(missing('approval-stale'));
  });

  it('does not stay where another branch than the base was merged in', async () => {
    const other = (shop: Shop, seen: string) => {
      const aside = shop.humanCommit({
        branch: 'aside',
        parents: [shop.base],
        files: { a: 'a' },
        by: 'alice',
        key: people.alice,
      });
      shop.merge(seen, aside);
    };
    expect(await build('replay', other)).toMatchObject(missing('approval-stale'));
  });
});
