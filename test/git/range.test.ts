import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkMergeInputs } from '../../src/git/index.ts';
import { makeRepository, runGit, writeLooseAs } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal } from './open.ts';

const parent = temporaryDirectory();

describe('a range', () => {
  it('is what git lists, through every parent, parents first', async () => {
    const made = makeRepository(parent);
    const root = made.commit({ files: { a: '0' } });
    let old = made.commit({ branch: 'old', parents: [root], files: { old: '1' } });
    for (let at = 0; at < 20; at += 1) made.commit({ files: { a: String(at) } });
    const fork = made.git('rev-parse', 'main');
    old = made.commit({ branch: 'old', files: { old: '2' } });
    let topic = made.commit({ branch: 'topic', parents: [fork], files: { t: '1' } });
    topic = made.merge(topic, old, { branch: 'topic' });
    for (let at = 0; at < 5; at += 1) made.commit({ files: { a: `more ${at}` } });
    const base = made.git('rev-parse', 'main');
    const repository = await open(made.path);
    const ids = await repository.listRange(base, topic);
    expect(ids).toEqual(made.git('rev-list', '--topo-order', '--reverse', `${base}..${topic}`).split('\n'));
    expect(ids).toHaveLength(4);
    expect(await repository.mergeBases(base, topic)).toEqual([fork]);
    expect(await repository.mergeBases(topic, base)).toEqual([fork]);
    expect(await repository.isAncestor(fork, base)).toBe(true);
    expect(await repository.isAncestor(topic, base)).toBe(false);
    expect(await repository.isAncestor(base, base)).toBe(true);
    expect(await repository.listRange(base, fork)).toEqual([]);
    expect(await repository.mergeBases(base, fork)).toEqual([fork]);
    expect(await repository.listRange(base, base)).toEqual([]);
    expect(await repository.mergeBases(base, base)).toEqual([base]);
  });

  it('has every best common ancestor where histories cross, and none where they are unrelated', async () => {
    const made = makeRepository(parent);
    const root = made.commit({ files: { a: '0' } });
    const one = made.commit({ branch: 'one', parents: [root], files: { b: '1' } });
    const two = made.commit({ branch: 'two', parents: [root], files: { c: '1' } });
    const left = made.merge(one, two, { branch: 'one' });
    const right = made.merge(two, one, { branch: 'two' });
    const alone = made.commit({ branch: 'alone', parents: [], files: { z: '1' } });
    const repository = await open(made.path);
    expect([...(await repository.mergeBases(left, right))].sort()).toEqual([one, two].sort());
    expect(await repository.mergeBases(left, alone)).toEqual([]);
    expect(await repository.listRange(left, alone)).toEqual([alone]);
    expect(await repository.isAncestor(alone, left)).toBe(false);
  });

  it('of thousands of commits comes from few processes', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '0' } });
    const tree = made.treeOf(base);
    let tip = base;
    for (let at = 0; at < 3000; at += 1) tip = made.commit({ branch: null, parents: [tip], tree });
    const repository = await open(made.path);
    const ids = await repository.listRange(base, tip);
    expect(ids).toHaveLength(3000);
    expect(ids.at(-1)).toBe(tip);
    expect(await repository.mergeBases(base, tip)).toEqual([base]);
  });

  it('without an object that it needs is refused', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '0' } });
    const lost = made.commit({ files: { a: '1' } });
    const tip = made.commit({ files: { a: '2' } });
    runGit(made.path, ['-c', `alias.x=!rm -f .git/objects/${lost.slice(0, 2)}/${lost.slice(2)}`, 'x']);
    const repository = await open(made.path);
    expect(await refusal(repository.listRange(base, tip))).toMatchObject({ rule: 'missing-object' });
    expect(await refusal(repository.mergeBases(base, tip))).toMatchObject({ rule: 'missing-object' });
    expect(await refusal(repository.listRange(base, '1'.repeat(40)))).toMatchObject({ rule: 'missing-object' });
    expect(await refusal(repository.listRange('--all', tip))).toMatchObject({ rule: 'malformed' });
    expect(await refusal(repository.isAncestor('--all', tip))).toMatchObject({ rule: 'malformed' });
  });

  it('that a forged commit behind the base would make disappear is refused', async () => {
    const made = makeRepository(parent);
    const root = made.commit({ files: { a: '0' } });
    const old = made.commit({ files: { a: '1' } });
    const base = made.commit({ files: { a: '2' } });
    const evil = made.commit({ branch: 'topic', parents: [root], files: { evil: '1' } });
    const head = made.commit({ branch: 'topic', files: { b: '1' } });
    const honest = await open(made.path);
    expect(await honest.listRange(base, head)).toEqual([evil, head]);
    // Under the name of an old commit of the base branch: one that has the evil commit for a parent.
    const text = runGit(made.path, ['cat-file', 'commit', old]).toString();
    const forged = text.replace(`parent ${root}\n`, `parent ${root}\nparent ${evil}\n`);
    runGit(made.path, ['-c', `alias.x=!rm -f .git/objects/${old.slice(0, 2)}/${old.slice(2)}`, 'x']);
    writeLooseAs(made.gitDir, old, 'commit', Buffer.from(forged));
    expect(made.git('rev-list', `${base}..${head}`)).toBe(head);
    const repository = await open(made.path);
    expect((await refusal(repository.listRange(base, head))).rule).toBe('object-mismatch');
    expect((await refusal(repository.mergeBases(base, head))).rule).toBe('object-mismatch');
    expect((await refusal(repository.isAncestor(evil, base))).rule).toBe('object-mismatch');
  });
});

describe('a replayed merge', () => {
  it('gives the tree of git, one alone or hundreds at once', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { 'a.txt': '1\n2\n3\n4\n5\n', 'dir/b.txt': 'b\n' } });
    const ours = made.commit({ files: { 'a.txt': '1\n2\n3\n4\nfive\n' } });
    const sides = Array.from({ length: 300 }, (_, at) =>
      made.commit({
        branch: `side-${at}`,
        parents: [base],
        files: at % 3 === 0 ? { 'a.txt': '1\n2\n3\n4\nother\n', [`x\n${at}`]: 'x' } : { [`new-${at}`]: `${at}` },
      }),
    );
    const repository = await open(made.path);
    const alone = await repository.mergeTree(ours, sides[1]!);
    expect(alone).toEqual({ clean: true, tree: made.git('merge-tree', '--write-tree', ours, sides[1]!) });
    const merged = await Promise.all(sides.map((side) => repository.mergeTree(ours, side)));
    expect(merged.map(({ clean }) => clean)).toEqual(sides.map((_, at) => at % 3 !== 0));
    expect(merged[299]!.tree).toBe(made.git('merge-tree', '--write-tree', ours, sides[299]!));
    expect((await repository.objects.read(merged[298]!.tree, 'tree')).bytes.toString('latin1')).toContain('new-298');
  });

  it('that git cannot do fails alone', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '0', b: '0' } });
    const one = made.commit({ branch: 'one', parents: [base], files: { a: '1' } });
    const two = made.commit({ branch: 'two', parents: [base], files: { b: '1' } });
    const repository = await open(made.path);
    const good = [repository.mergeTree(one, two), repository.mergeTree(two, one)];
    const bad = refusal(repository.mergeTree(one, '1'.repeat(40)));
    const worse = refusal(repository.mergeTree('--help', one));
    good.push(repository.mergeTree(base, two));
    expect((await bad).rule).toBe('missing-object');
    expect((await worse).rule).toBe('malformed');
    expect((await Promise.all(good)).map(({ clean }) => clean)).toEqual([true, true, true]);
  });

  it('over a blob that is missing fails with what git says of it, and with no advice about grafts', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '1\n2\n3\n' } });
    const one = made.commit({ branch: 'one', parents: [base], files: { a: '0\n2\n3\n' } });
    const two = made.commit({ branch: 'two', parents: [base], files: { a: '1\n2\n4\n' } });
    const blob = made.git('rev-parse', `${two}:a`);
    rmSync(path.join(made.gitDir, 'objects', blob.slice(0, 2), blob.slice(2)));
    const why = await refusal((await open(made.path)).mergeTree(one, two));
    expect(why.rule).toBe('missing-object');
    expect(why.text).toContain(blob);
    expect(why.text).not.toMatch(/hint:|graft/);
  });

  it('from forged blobs is seen through when its inputs are hashed', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { 'a.txt': '1\n2\n3\n4\n5\n', b: '0' } });
    const ours = made.commit({ branch: 'ours', parents: [base], files: { 'a.txt': '1\n2\n3\n4\nfixed\n' } });
    const theirs = made.commit({ branch: 'theirs', parents: [base], files: { 'a.txt': 'new\n2\n3\n4\n5\n', b: '1' } });
    const trees = [base, ours, theirs].map((id) => made.treeOf(id));
    const honest = await open(made.path);
    await checkMergeInputs(honest.objects, trees[0], trees[1]!, trees[2]!);
    const expected = await honest.mergeTree(ours, theirs);
    // As if the fix had been there before: the merge undoes it, and replays as clean.
    const blob = made.git('rev-parse', `${base}:a.txt`);
    runGit(made.path, ['-c', `alias.x=!rm -f .git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`, 'x']);
    writeLooseAs(made.gitDir, blob, 'blob', Buffer.from('1\n2\n3\n4\nfixed\n'));
    const repository = await open(made.path);
    expect((await repository.mergeTree(ours, theirs)).tree).not.toBe(expected.tree);
    const why = await refusal(checkMergeInputs(repository.objects, trees[0], trees[1]!, trees[2]!));
    expect(why.rule).toBe('object-mismatch');
  });

  it('of unrelated histories is one over nothing in common', async () => {
    const made = makeRepository(parent);
    const one = made.commit({ files: { a: '1' } });
    const two = made.commit({ branch: 'two', parents: [], files: { b: '1' } });
    const repository = await open(made.path);
    expect(await repository.mergeTree(one, two)).toEqual({ clean: true, tree: made.tree({ a: '1', b: '1' }) });
  });

  it('of more than two parents is what an octopus makes', async () => {
    const made = makeRepository(parent);
    const base = made.commit({ files: { a: '0\n' } });
    const sides = ['p', 'q', 'r', 's'].map((name) =>
      made.commit({ branch: name, parents: [base], files: { [name]: '1' } }),
    );
    made.checkout('p');
    made.git('merge', '--quiet', '--no-edit', 'q', 'r', 's');
    const expected = made.git('rev-parse', 'HEAD^{tree}');
    expect(made.git('rev-list', '--parents', '--max-count=1', 'HEAD').split(' ')).toHaveLength(5);
    const repository = await open(made.path);
    expect(await repository.mergeTreeOf(sides)).toEqual({ clean: true, tree: expected });
    expect(await repository.mergeTreeOf(sides.slice(0, 2))).toMatchObject({ clean: true });
    expect((await refusal(repository.mergeTreeOf(sides.slice(0, 1)))).rule).toBe('usage');
    const clash = made.commit({ branch: 'clash', parents: [base], files: { p: 'other' } });
    expect((await repository.mergeTreeOf([...sides, clash])).clean).toBe(false);
  });
});
