/**
 * What merges bring in. Each attack in a real repository, beside a twin without it.
 *
 *   T5   evil merges                   'what no parent explains …', 'what the base did …', 'an octopus …'
 *   also combinations of histories     the base merged in, roots, criss-cross, two agents with a person between
 */
import { describe, expect, it } from 'vitest';
import { aShop, denied, identOf, passes, people, type Shop, unapproved, undecided } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { signSsh } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const lenient = { changes: { unknown: 'treat-as-human' } };
const mergeRule = ['merge-residual'];
const signed = (payload: Buffer) => signSsh(people.alice, payload);

/** A person's commit on `feature`, and one on `main` after it: what a merge of the base joins. */
function forked(policy = {}): { readonly shop: Shop; readonly mine: string; readonly main: string } {
  const shop = aShop(temporary, { policy });
  const mine = shop.humanCommit({ files: { 'src/new.py': 'new\n' } });
  const main = shop.advance({ 'docs/a.md': 'main\n' });
  return { shop, mine, main };
}

describe('T5: what a merge adds to its parents', () => {
  it('what no parent explains needs somebody who made it; what git makes by itself needs nobody', async () => {
    const attacked = forked(lenient);
    const { shop, mine, main } = attacked;
    const clean = shop.repo.git('merge-tree', '--write-tree', mine, main);
    const evil = shop.repo.commit({
      parents: [mine, main],
      files: { 'docs/a.md': 'main\n', 'src/app.py': 'steal()\n' },
      branch: 'feature',
    });
    expect(shop.repo.git('log', '-p', '-1', '--format=', evil)).toBe('');
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(denied('merge-residual'));
    expect(verdict.report.findings[0]).toMatchObject({ expected: clean, got: shop.repo.treeOf(evil), commits: [evil] });
    const twin = forked(lenient);
    twin.shop.merge(twin.mine, twin.main);
    expect(await twin.shop.judge('main..feature')).toMatchObject(passes);
  });

  it('an unsigned merge that git makes by itself is nobody’s even where unknown commits count as agents’', async () => {
    const twin = forked();
    twin.shop.merge(twin.mine, twin.main);
    expect(await twin.shop.judge('main..feature')).toMatchObject(passes);
    const attacked = forked();
    const { shop, mine, main } = attacked;
    shop.repo.commit({ parents: [mine, main], files: { 'docs/a.md': 'main\n', x: '' }, branch: 'feature' });
    expect(await shop.judge('main..feature')).toMatchObject(denied('agent-undeclared', ...mergeRule));
  });

  it('what the base did and a merge silently takes back is what no parent explains', async () => {
    const { shop, mine, main } = forked(lenient);
    shop.repo.commit({ parents: [mine, main], tree: shop.repo.treeOf(mine), branch: 'feature' });
    expect(await shop.judge('main..feature')).toMatchObject(denied(...mergeRule));
  });

  it('a person who signs the merge stands for what it adds, and an agent’s provenance for what the agent adds', async () => {
    const { shop, mine, main } = forked();
    shop.repo.commit({
      parents: [mine, main],
      files: { x: 'y' },
      branch: 'feature',
      author: identOf('alice'),
      sign: signed,
    });
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(passes);
    expect(verdict.said).toContain('merge-residual');
    const other = forked();
    const head = other.shop.agentCommit({ parents: [other.mine, other.main], files: { x: 'y' } });
    expect(await other.shop.judge('main..feature')).toMatchObject(denied('provenance-missing', ...mergeRule));
    const evidence = [other.shop.attest({ base: other.mine, head })];
    expect(await other.shop.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('an edit of a risky path inside a merge needs the approval that it needs anywhere', async () => {
    const { shop, mine, main } = forked();
    const merge = { parents: [mine, main], files: { 'docs/a.md': 'main\n', 'infra/main.tf': 'region = "us"\n' } };
    const head = shop.humanCommit(merge);
    expect(await shop.judge('main..feature')).toMatchObject(unapproved('high-risk-path'));
    const evidence = [shop.approve({ by: 'bob', base: main, head })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('a risky path that a merge changes and a later commit changes back was there all the same', async () => {
    const { shop, mine, main } = forked();
    shop.humanCommit({ parents: [mine, main], files: { 'docs/a.md': 'main\n', 'infra/main.tf': 'region = "us"\n' } });
    shop.humanCommit({ files: { 'infra/main.tf': 'region = "eu"\n' } });
    expect(await shop.judge('main..feature')).toMatchObject(unapproved('high-risk-path'));
  });

  it('how a conflict was resolved is somebody’s, too', async () => {
    const conflict = () => {
      const shop = aShop(temporary, { policy: lenient });
      const mine = shop.humanCommit({ files: { 'src/app.py': 'mine\n' } });
      const main = shop.advance({ 'src/app.py': 'theirs\n' });
      return { shop, parents: [mine, main], files: { 'src/app.py': 'both\n' } };
    };
    const attacked = conflict();
    attacked.shop.unsignedCommit(attacked);
    expect(await attacked.shop.judge('main..feature')).toMatchObject(denied(...mergeRule));
    const twin = conflict();
    twin.shop.humanCommit(twin);
    expect(await twin.shop.judge('main..feature')).toMatchObject(passes);
  });

  it('an octopus is replayed like any other merge', async () => {
    const octopus = () => {
      const shop = aShop(temporary, { policy: lenient });
      const arms = ['a', 'b', 'c'].map((name) =>
        shop.humanCommit({ files: { [name]: name }, branch: null, parents: [shop.base] }),
      );
      return { shop, parents: arms };
    };
    const twin = octopus();
    const all = { a: 'a', b: 'b', c: 'c' };
    twin.shop.unsignedCommit({ parents: twin.parents, files: all });
    expect(await twin.shop.judge('main..feature')).toMatchObject(passes);
    const attacked = octopus();
    attacked.shop.unsignedCommit({ parents: attacked.parents, files: { ...all, d: 'evil' } });
    expect(await attacked.shop.judge('main..feature')).toMatchObject(denied(...mergeRule));
  });

  it('a commit that names one parent twice hides nothing behind it', async () => {
    const shop = aShop(temporary, { policy: lenient });
    const mine = shop.humanCommit({ files: { a: 'a' } });
    shop.unsignedCommit({ parents: [mine, mine], files: { 'src/app.py': 'steal()\n' } });
    expect((await shop.judge('main..feature')).outcome).not.toBe('pass');
  });
});

describe('histories in which something could be lost', () => {
  it('a commit on any side of a merge is of the range', async () => {
    const build = (byAgent: boolean) => {
      const shop = aShop(temporary);
      const one = shop.humanCommit({ files: { a: 'a' } });
      const spec = { files: { b: 'b' }, branch: null, parents: [shop.base] };
      const other = byAgent ? shop.agentCommit(spec) : shop.humanCommit(spec);
      shop.merge(one, other);
      return shop;
    };
    expect(await build(true).judge('main..feature')).toMatchObject(denied('provenance-missing'));
    expect(await build(false).judge('main..feature')).toMatchObject(passes);
  });

  it('a history with a root of its own, merged in, is of the range from its root on, and needs an approval whoever signed it', async () => {
    const build = (byAgent: boolean) => {
      const shop = aShop(temporary);
      const one = shop.humanCommit({ files: { a: 'a' } });
      const spec = { files: { 'vendor/b': 'b' }, branch: null, parents: [], only: true };
      const root = byAgent ? shop.agentCommit(spec) : shop.humanCommit(spec);
      const tree = shop.repo.git('merge-tree', '--write-tree', '--allow-unrelated-histories', one, root);
      const head = shop.humanCommit({ parents: [one, root], tree });
      return { shop, root, head };
    };
    const attacked = build(true);
    const verdict = await attacked.shop.judge('main..feature');
    expect(verdict).toMatchObject(denied('provenance-missing', 'unrelated-histories'));
    expect(verdict.report.findings[0]?.commits).toEqual([attacked.root]);
    const { shop, root, head } = build(false);
    const unapproved = await shop.judge('main..feature');
    expect(unapproved).toMatchObject(denied('unrelated-histories'));
    expect(unapproved.report.findings.map(({ commits }) => commits)).toEqual([[root], [head]]);
    const evidence = [shop.approve({ by: 'bob', base: shop.base, head })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('what a person signed for another repository is not theirs in this one, merged in by whomever', async () => {
    const build = (isAlien: boolean) => {
      const shop = aShop(temporary);
      const first = shop.humanCommit({
        branch: 'other',
        ...(isAlien ? { parents: [], only: true } : { parents: [shop.base] }),
        files: { 'conftest.py': 'import os\n' },
      });
      const last = shop.humanCommit({ branch: 'other', files: { 'conftest.py': 'import os; os.system("id")\n' } });
      const main = shop.advance({ 'docs/a.md': 'main\n' });
      const tree = shop.repo.git('merge-tree', '--write-tree', '--allow-unrelated-histories', main, last);
      const head = shop.repo.commit({ branch: 'feature', parents: [main, last], tree, author: 'outsider <x@x.x>' });
      return { shop, first, head };
    };
    const { shop, first, head } = build(true);
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(denied('agent-undeclared', 'unrelated-histories'));
    const found = verdict.report.findings.filter(({ rule }) => rule === 'unrelated-histories');
    expect(found.map(({ commits }) => commits)).toEqual([[first], [head]]);
    expect(await build(false).shop.judge('main..feature')).toMatchObject(passes);
  });

  it('two commits of a base that had two roots are as unrelated in a merge as they were', async () => {
    const shop = aShop(temporary, { policy: lenient });
    const imported = shop.humanCommit({ branch: 'lib', parents: [], only: true, files: { 'lib/a': 'a' } });
    const tree = shop.repo.git('merge-tree', '--write-tree', '--allow-unrelated-histories', shop.base, imported);
    const joined = shop.repo.commit({ branch: 'main', parents: [shop.base, imported], tree });
    const again = shop.repo.commit({ branch: null, parents: [shop.base, imported], tree, author: identOf('alice') });
    shop.merge(joined, again);
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(denied('unrelated-histories'));
    expect(verdict.report.findings.map(({ commits }) => commits)).toEqual([[again]]);
    const twin = aShop(temporary, { policy: lenient });
    const mine = twin.humanCommit({ files: { a: 'a' } });
    const early = twin.advance({ 'docs/a.md': 'main\n' });
    const merged = twin.merge(mine, early);
    twin.merge(merged, twin.advance({ 'docs/b.md': 'main\n' }));
    expect(await twin.judge('main..feature')).toMatchObject(passes);
  });

  it('a history that shares nothing with the base is not judged', async () => {
    const shop = aShop(temporary);
    shop.humanCommit({ parents: [], only: true, files: { a: 'a' } });
    expect(await shop.judge('main..feature')).toMatchObject(undecided('unrelated-histories'));
  });

  it('a criss-cross has two places to start from, and none is chosen', async () => {
    const shop = aShop(temporary);
    const mine = shop.humanCommit({ files: { a: 'a' } });
    const main = shop.advance({ 'docs/a.md': 'main\n' });
    shop.merge(mine, main);
    expect(await shop.judge('main..feature')).toMatchObject(passes);
    shop.repo.merge(main, mine, { branch: 'main', author: identOf('alice') });
    shop.humanCommit({ files: { b: 'b' } });
    expect(await shop.judge('main..feature')).toMatchObject(undecided('range-ambiguous'));
  });

  it('two agents with a person between them each need provenance for their own part', async () => {
    const shop = aShop(temporary);
    const first = shop.agentCommit({ files: { a: 'a' } });
    const between = shop.humanCommit({ files: { b: 'b' } });
    const last = shop.agentCommit({
      files: { c: 'c' },
      author: 'Cursor Agent <cursoragent@cursor.com>',
      message: 'c\n',
    });
    const one = shop.attest({ base: shop.base, head: first });
    const other = shop.attest({ base: between, head: last });
    expect(await shop.judge('main..feature', { evidence: [one, other] })).toMatchObject(passes);
    expect(await shop.judge('main..feature', { evidence: [one] })).toMatchObject(denied('range-gap'));
    expect(await shop.judge('main..feature', { evidence: [other] })).toMatchObject(denied('range-gap'));
    const verdict = await shop.judge('main..feature', { evidence: [one] });
    expect(verdict.report.findings[0]?.commits).toEqual([last]);
  });

  it('the base merged in the middle of an agent’s work takes nothing out of the range', async () => {
    const shop = aShop(temporary);
    const first = shop.agentCommit({ files: { a: 'a' } });
    const main = shop.advance({ 'docs/a.md': 'main\n' });
    const merged = shop.merge(first, main);
    const head = shop.agentCommit({ files: { b: 'b' } });
    const before = shop.attest({ base: shop.base, head: first });
    const after = shop.attest({ base: merged, head });
    const whole = shop.attest({ base: shop.base, head });
    expect(await shop.judge('main..feature', { evidence: [after] })).toMatchObject(denied('range-gap'));
    expect(await shop.judge('main..feature', { evidence: [before] })).toMatchObject(denied('range-gap'));
    expect(await shop.judge('main..feature', { evidence: [before, after] })).toMatchObject(passes);
    expect(await shop.judge('main..feature', { evidence: [whole] })).toMatchObject(passes);
    // From the base as it was merged to the head is the whole range as well.
    const fromMain = shop.attest({ base: main, head });
    expect(await shop.judge('main..feature', { evidence: [fromMain] })).toMatchObject(passes);
  });

  it('provenance from one side of a merge does not cover the way to that side', async () => {
    const shop = aShop(temporary);
    const one = shop.agentCommit({ files: { a: 'a' } });
    const other = shop.agentCommit({ files: { b: 'b' }, branch: null, parents: [shop.base] });
    const joined = shop.merge(one, other);
    const across = shop.attest({ base: one, head: joined });
    const verdict = await shop.judge('main..feature', { evidence: [across] });
    expect(verdict).toMatchObject(denied('range-gap'));
    expect(verdict.report.findings[0]?.commits).toEqual([one]);
    const evidence = [across, shop.attest({ base: shop.base, head: one })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('a branch of that name in somebody’s fork does not stand for the protected one', async () => {
    const shop = aShop(temporary);
    const theirs = shop.agentCommit({ files: { a: 'a' } });
    shop.humanCommit({ files: { b: 'b' } });
    shop.repo.ref('refs/remotes/origin/main', shop.base);
    shop.repo.ref('refs/remotes/fork/main', theirs);
    expect(await shop.judge(`${theirs}..feature`)).toMatchObject(undecided('base-ref-mismatch'));
    expect(await shop.judge(`${shop.base}..feature`)).toMatchObject(denied('provenance-missing'));
    expect(await shop.judge('origin/main..feature')).toMatchObject(denied('provenance-missing'));
  });
});
