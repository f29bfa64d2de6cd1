import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { diffTrees } from '../../src/git/tree-diff.ts';
import type { ObjectType, PathChange } from '../../src/git/types.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { type FakeContent, memoryStore, treeBytes } from './memory-store.ts';

type Files = Readonly<Record<string, FakeContent>>;

function shown(changes: readonly PathChange[]): string[] {
  return changes.map(({ path, old, new: present }) => `${path} ${old?.mode ?? '-'} ${present?.mode ?? '-'}`);
}

async function diff(before: Files | undefined, after: Files): Promise<string[]> {
  const store = memoryStore();
  const old = before === undefined ? undefined : store.putTree(before);
  return shown(await diffTrees(store, old, store.putTree(after)));
}

describe('the difference of two trees', () => {
  it('names what was added, removed and changed, sorted by path', async () => {
    expect(await diff({ 'b/x': '1', a: '1', same: '1' }, { 'b/x': '2', 'b/y': '1', same: '1', c: '1' })).toEqual([
      'a 100644 -',
      'b/x 100644 100644',
      'b/y - 100644',
      'c - 100644',
    ]);
  });

  it('is everything where there is no old tree, and nothing between equal trees', async () => {
    expect(await diff(undefined, { 'a/b/c': '1', d: '1' })).toEqual(['a/b/c - 100644', 'd - 100644']);
    expect(await diff({ a: '1' }, { a: '1' })).toEqual([]);
  });

  it('sees a mode that changed, and nothing else', async () => {
    expect(await diff({ a: '1' }, { a: { mode: '100755', content: '1' } })).toEqual(['a 100644 100755']);
  });

  it('takes a file that became a directory for a removal and additions, and the reverse', async () => {
    const [file, folder] = [
      { a: '1', 'a.b': '1', 'a-': '1' },
      { 'a/x': '1', 'a.b': '1', 'a-': '1' },
    ];
    expect(await diff(file, folder)).toEqual(['a 100644 -', 'a/x - 100644']);
    expect(await diff(folder, file)).toEqual(['a - 100644', 'a/x 100644 -']);
    expect(await diff({ a: '1' }, { 'a/x': '1' })).toEqual(['a 100644 -', 'a/x - 100644']);
  });

  it('sees submodules and links', async () => {
    const id = (digit: string) => digit.repeat(40);
    const before = { s: { mode: '160000', content: id('1') }, l: { mode: '120000', content: 'x' } };
    const after = { s: { mode: '160000', content: id('2') }, l: 'x' };
    expect(await diff(before, after)).toEqual(['l 120000 100644', 's 160000 160000']);
  });

  it('does not read what is equal below', async () => {
    const store = memoryStore();
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`d${at}/e/f`, 'x']));
    const [old, present] = [store.putTree(many), store.putTree({ ...many, 'd7/e/f': 'y' })];
    store.reads.count = 0;
    expect(shown(await diffTrees(store, old, present))).toEqual(['d7/e/f 100644 100644']);
    expect(store.reads.count).toBe(6);
  });

  it('goes thousands of directories deep, and no further', async () => {
    const store = memoryStore();
    const deep = (levels: number): string => {
      let id = store.put('tree', treeBytes([['100644', 'f', store.put('blob', 'x')]]));
      for (let level = 0; level < levels; level++) id = store.put('tree', treeBytes([['40000', 'd', id]]));
      return id;
    };
    expect(await diffTrees(store, undefined, deep(4000))).toHaveLength(1);
    await expect(diffTrees(store, undefined, deep(5000))).rejects.toMatchObject({ code: 'limit' });
  });

  it('stops where trees of few bytes stand for billions of paths', async () => {
    const store = memoryStore();
    let id = store.put('tree', '');
    for (let level = 0; level < 12; level++) {
      id = store.put('tree', treeBytes(Array.from('0123456789', (name) => ['40000', name, id] as const)));
    }
    await expect(diffTrees(store, undefined, id)).rejects.toBeInstanceOf(OperationalError);
  });

  it('stops at the cap on changes', async () => {
    const store = memoryStore();
    const tree = store.putTree({ a: '1', b: '1', c: '1' });
    await expect(diffTrees(store, undefined, tree, { maxChanges: 2 })).rejects.toMatchObject({ code: 'limit' });
    expect(await diffTrees(store, undefined, tree, { maxChanges: 3 })).toHaveLength(3);
  });

  it('is what a comparison of all files finds', async () => {
    const name = fc.constantFrom('a', 'a-', 'a.', 'a0', 'b', 'ab');
    const file = fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.constantFrom('1', '2'));
    const files = fc.array(file, { maxLength: 12 }).map((all) => {
      const kept = new Map<string, string>();
      for (const [segments, content] of all) {
        const path = segments.join('/');
        const clash = [...kept.keys()].some(
          (each) => `${path}/`.startsWith(`${each}/`) || `${each}/`.startsWith(`${path}/`),
        );
        if (!clash) kept.set(path, content);
      }
      return Object.fromEntries(kept);
    });
    await fc.assert(
      fc.asyncProperty(files, files, async (before, after) => {
        const store = memoryStore();
        const found = shown(await diffTrees(store, store.putTree(before), store.putTree(after)));
        const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
        const mode = (content: string | undefined) => (content === undefined ? '-' : '100644');
        const expected = paths
          .filter((path) => before[path] !== after[path])
          .map((path) => `${path} ${mode(before[path])} ${mode(after[path])}`);
        expect(found).toEqual(expected);
      }),
    );
  });
});

describe('the difference of two trees of git', () => {
  const directory = temporaryDirectory();

  it('is what git diff-tree says', async () => {
    const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
    const git = (args: readonly string[], input?: string | Buffer): Buffer =>
      execFileSync('git', args, { cwd: directory, env, ...(input !== undefined && { input }) });
    git(['init', '-q', '.']);
    const store = memoryStore();
    const put = (files: Files): string => {
      const id = store.putTree(files);
      return id;
    };
    const before = put({
      'src/a.ts': '1',
      'src/b.ts': '1',
      'x/y': '1',
      link: { mode: '120000', content: 'x' },
      'é ü': '1',
    });
    const after = put({ 'src/a.ts': '2', 'src/b.ts': { mode: '100755', content: '1' }, x: '1', link: '1', 'é ü': '2' });
    const write = async (id: string, type: ObjectType): Promise<void> => {
      const { bytes } = await store.read(id, type);
      git(['hash-object', '-w', '-t', type, '--literally', '--stdin'], bytes);
      expect(createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex')).toBe(id);
      if (type !== 'tree') return;
      const { parseTree } = await import('../../src/git/tree.ts');
      for (const entry of parseTree(await store.read(id, 'tree')))
        await write(entry.id, entry.mode === '040000' ? 'tree' : 'blob');
    };
    await write(before, 'tree');
    await write(after, 'tree');
    const raw = git(['diff-tree', '-r', '-z', '--no-renames', '--no-abbrev', before, after]).toString().split('\0');
    const expected: string[] = [];
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const [from = '', to = ''] = raw[at]!.slice(1).split(' ');
      expected.push(`${raw[at + 1]} ${from === '000000' ? '-' : from} ${to === '000000' ? '-' : to}`);
    }
    const found = shown(await diffTrees(store, before, after));
    expect(found.toSorted()).toEqual(expected.toSorted());
    expect(found).toHaveLength(6);
  });
});
