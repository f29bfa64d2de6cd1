/**
 * What was attested, and what landed. Each attack in a real repository, beside a twin without it.
 *
 *   T4   squash, rebase, amend      'T4: …': identity, replay, residual, unverifiable; merge queues
 *   T7   stale-tree revert          'T7: …'
 *   T9   patch-id by whitespace     'T9: …'
 */
import { describe, expect, it } from 'vitest';
import { aShop, denied, identOf, passes, people, type Shop } from '../kit/change.ts';
import { type Files, runGit } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { signSsh } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const notWhatLanded = denied('landing-residual', 'provenance-missing');
const squashMessage = 'change (#1)\n\nCo-authored-by: Claude <noreply@anthropic.com>\n';

const mainGoesOn: Files = { 'docs/a.md': 'main\n' };

/** An agent's two commits on `feature` with their provenance, and a base that went on meanwhile. */
function attested({ moved = true, base = mainGoesOn }: { readonly moved?: boolean; readonly base?: Files } = {}) {
  const shop = aShop(temporary, { files: { 'lib/x.py': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n' } });
  const one = shop.agentCommit({ files: { 'lib/x.py': 'ONE\ntwo\nthree\nfour\nfive\nsix\nseven\n' } });
  const two = shop.agentCommit({ files: { 'lib/y.py': 'y\n' } });
  const evidence = [shop.attest({ base: shop.base, head: two })];
  if (moved) shop.advance(base);
  return { shop, one, two, evidence };
}

/** A commit on `main` as a forge writes it: upon its tip, with this tree. */
function land(shop: Shop, tree: string, more: object = {}): string {
  return shop.repo.commit({
    tree,
    message: squashMessage,
    author: identOf('alice'),
    committer: 'GitHub <noreply@github.com>',
    ...more,
  });
}

function replay(shop: Shop, onto: string, head: string): string {
  return shop.repo.git('merge-tree', '--write-tree', onto, head).split('\n')[0] ?? '';
}

describe('T4: what landed is not the commit that was attested', () => {
  it('fast-forward, merge commit: the attested commit itself', async () => {
    const forward = attested({ moved: false });
    forward.shop.repo.ref('refs/heads/main', forward.two);
    const range = `${forward.shop.base}..main`;
    const verdict = await forward.shop.judge(range, forward);
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.evidence.counted[0]).toMatchObject({ landing: 'identity', covers: 2 });
    const merged = attested();
    merged.shop.merge(merged.shop.tip('main'), merged.two, { branch: 'main' });
    expect(await merged.shop.judge('main~1..main', merged)).toMatchObject(passes);
    expect(await merged.shop.judge('main~1..main')).toMatchObject(denied('provenance-missing'));
  });

  it.each([false, true])('a squash is what replaying the attested commit makes (base moved: %s)', async (moved) => {
    const { shop, two, evidence } = attested({ moved });
    land(shop, replay(shop, shop.tip('main'), two));
    const verdict = await shop.judge('main~1..main', { evidence });
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.evidence.counted[0]).toMatchObject({ landing: 'replay', covers: 1 });
    expect(await shop.judge('main~1..main')).toMatchObject(denied('provenance-missing'));
  });

  it('a squash that holds more than was attested is not it', async () => {
    const { shop, two, evidence } = attested();
    const tree = replay(shop, shop.tip('main'), two);
    const more = shop.repo.commit({ tree, branch: null });
    const evil = shop.repo.commit({ parents: [more], files: { 'src/app.py': 'steal()\n' }, branch: null });
    land(shop, shop.repo.treeOf(evil));
    const verdict = await shop.judge('main~1..main', { evidence });
    expect(verdict).toMatchObject(notWhatLanded);
    const finding = verdict.report.findings.find(({ rule }) => rule === 'landing-residual');
    expect(finding).toMatchObject({ expected: shop.repo.treeOf(evil), got: tree });
  });

  it('commits that were rebased are each what was attested, up to it', async () => {
    const { shop, one, two, evidence } = attested();
    const onto = shop.tip('main');
    land(shop, replay(shop, onto, one));
    land(shop, replay(shop, onto, two));
    const verdict = await shop.judge('main~2..main', { evidence });
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.evidence.counted[0]).toMatchObject({ landing: 'replay', covers: 2 });
  });

  it('commits that were rebased with one more between them, and taken back, are not', async () => {
    const { shop, one, two, evidence } = attested();
    const onto = shop.tip('main');
    land(shop, replay(shop, onto, one));
    const added = shop.repo.commit({ files: { 'src/app.py': 'steal()\n' }, author: 'Claude <noreply@anthropic.com>' });
    land(shop, replay(shop, onto, two));
    const verdict = await shop.judge('main~3..main', { evidence });
    expect(verdict).toMatchObject(denied('range-gap'));
    expect(verdict.report.findings[0]?.commits).toEqual([added]);
  });

  it('a branch that was rebased, went on with the base, and is still open', async () => {
    const { shop, one, two, evidence } = attested();
    const onto = shop.tip('main');
    const again = { branch: 'feature', author: 'Claude <noreply@anthropic.com>' };
    const first = shop.repo.commit({ ...again, parents: [onto], tree: replay(shop, onto, one) });
    const second = shop.repo.commit({ ...again, parents: [first], tree: replay(shop, onto, two) });
    shop.merge(second, shop.advance({ 'docs/b.md': 'b\n' }));
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
    shop.agentCommit({ files: { z: 'z' } });
    expect((await shop.judge('main..feature', { evidence })).outcome).toBe('denied');
  });

  it('a conflict that somebody resolved is a change that nobody attested', async () => {
    const conflict = { base: { 'lib/x.py': 'UNO\ntwo\nthree\nfour\nfive\nsix\nseven\n' } };
    const { shop, evidence } = attested(conflict);
    shop.repo.commit({ files: { 'lib/x.py': 'ONE UNO\n', 'lib/y.py': 'y\n' }, message: squashMessage });
    expect(await shop.judge('main~1..main', { evidence })).toMatchObject(notWhatLanded);
    const twin = attested(conflict);
    const files = { 'lib/x.py': 'ONE UNO\n', 'lib/y.py': 'y\n' };
    twin.shop.repo.commit({ files, author: identOf('alice'), sign: (payload) => signSsh(people.alice, payload) });
    expect(await twin.shop.judge('main~1..main', twin)).toMatchObject(passes);
  });

  it('where the attested commit is gone, nothing can be replayed', async () => {
    const { shop, two } = attested();
    land(shop, replay(shop, shop.tip('main'), two));
    const evidence = [shop.attest({ base: shop.base, head: two, commit: '12'.repeat(20) })];
    expect(await shop.judge('main~1..main', { evidence })).toMatchObject(
      denied('provenance-missing', 'subject-mismatch'),
    );
  });

  it('a chain of statements that was squashed counts as a chain, and not without its first part', async () => {
    const { shop, one, two } = attested();
    const parts = [shop.attest({ base: shop.base, head: one }), shop.attest({ base: one, head: two })];
    land(shop, replay(shop, shop.tip('main'), two));
    expect(await shop.judge('main~1..main', { evidence: parts })).toMatchObject(passes);
    expect((await shop.judge('main~1..main', { evidence: parts.slice(1) })).outcome).toBe('denied');
    expect((await shop.judge('main~1..main', { evidence: parts.slice(0, 1) })).outcome).toBe('denied');
  });

  it('two changes of a merge queue are judged one by one, and each needs its own provenance', async () => {
    const { shop, two, evidence } = attested();
    const other = shop.agentCommit({ branch: 'second', parents: [shop.base], files: { 'lib/z.py': 'z\n' } });
    const its = [shop.attest({ base: shop.base, head: other })];
    land(shop, replay(shop, shop.tip('main'), two));
    land(shop, replay(shop, shop.tip('main'), other));
    const before = shop.tip('main');
    expect(await shop.judge('main~2..main~1', { evidence })).toMatchObject(passes);
    expect(await shop.judge('main~1..main', { evidence: its })).toMatchObject(passes);
    expect((await shop.judge('main~1..main', { evidence })).outcome).toBe('denied');
    expect((await shop.judge('main~2..main~1', { evidence: its })).outcome).toBe('denied');
    expect((await shop.judge('main~2..main', { evidence })).outcome).toBe('denied');
    expect(shop.tip('main')).toBe(before);
  });
});

describe('T7: an attested tree that lands word for word after the base moved on', () => {
  it('takes back what the base did, and is not what was attested', async () => {
    const fix = { base: { 'src/app.py': 'def pay():\n    check_twice()\n    charge()\n' } };
    const attacked = attested(fix);
    const tree = attacked.shop.repo.treeOf(attacked.two);
    const landed = land(attacked.shop, tree);
    expect(attacked.shop.repo.treeOf(landed)).toBe(tree);
    expect(attacked.shop.repo.git('diff', '--name-only', 'main~1', 'main')).toContain('src/app.py');
    expect(await attacked.shop.judge('main~1..main', attacked)).toMatchObject(notWhatLanded);
    const twin = attested(fix);
    land(twin.shop, replay(twin.shop, twin.shop.tip('main'), twin.two));
    expect(await twin.shop.judge('main~1..main', twin)).toMatchObject(passes);
  });

  it('an open branch with the old tree upon the new base is not what was attested either', async () => {
    const { shop, two, evidence } = attested();
    const author = 'Claude <noreply@anthropic.com>';
    shop.repo.commit({ branch: 'feature', author, parents: [shop.tip('main')], tree: shop.repo.treeOf(two) });
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(notWhatLanded);
  });
});

describe('T9: changes that git gives the same patch id', () => {
  it('are two changes: one line moved out of an if is not what was attested', async () => {
    const build = (landed: string) => {
      const shop = aShop(temporary, { files: { 'lib/x.py': 'if a:\n    b()\n' } });
      const head = shop.agentCommit({ files: { 'lib/x.py': 'if a:\n    b()\n    c()\n' } });
      const evidence = [shop.attest({ base: shop.base, head })];
      const commit = shop.repo.commit({ files: { 'lib/x.py': landed }, message: squashMessage });
      return { shop, head, commit, evidence };
    };
    const attacked = build('if a:\n    b()\nc()\n');
    const patchId = (commit: string) => {
      const patch = attacked.shop.repo.git('diff-tree', '-p', attacked.shop.base, commit);
      return runGit(attacked.shop.repo.path, ['patch-id', '--stable'], `${patch}\n`).toString().slice(0, 40);
    };
    expect(patchId(attacked.commit)).toBe(patchId(attacked.head));
    expect(patchId(attacked.commit)).toMatch(/^[0-9a-f]{40}$/);
    expect(await attacked.shop.judge('main~1..main', attacked)).toMatchObject(notWhatLanded);
    const twin = build('if a:\n    b()\n    c()\n');
    expect(await twin.shop.judge('main~1..main', twin)).toMatchObject(passes);
  });
});
