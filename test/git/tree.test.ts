import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GitRefusal } from '../../src/git/refusal.ts';
import { parseTree } from '../../src/git/tree.ts';
import type { GitObject } from '../../src/git/types.ts';
import { treeBytes } from './memory-store.ts';

const id = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

function tree(bytes: Buffer, ids = id): GitObject {
  return { id: ids, type: 'tree', bytes };
}

function namesIn(...entries: readonly (readonly [string, string | Buffer])[]): string[] {
  const bytes = treeBytes(entries.map(([mode, name]) => [mode, name, id] as const));
  return parseTree(tree(bytes)).map(({ mode, name }) => `${mode} ${name}`);
}

describe('a tree object', () => {
  it('gives modes, names and ids', () => {
    expect(namesIn(['100644', 'a'], ['100755', 'b'], ['120000', 'c'], ['40000', 'd'], ['160000', 'e'])).toEqual([
      '100644 a',
      '100755 b',
      '120000 c',
      '040000 d',
      '160000 e',
    ]);
  });

  it('may be empty', () => {
    expect(parseTree(tree(Buffer.alloc(0)))).toEqual([]);
  });

  it('has longer ids in a repository of SHA-256', () => {
    const long = id.padEnd(64, '1');
    const [entry] = parseTree(tree(treeBytes([['100644', 'a', long]]), long));
    expect(entry?.id).toBe(long);
  });

  it('keeps odd modes of old versions as git reads them', () => {
    expect(namesIn(['100664', 'a'], ['100600', 'b'], ['100775', 'c'], ['040000', 'd'])).toEqual([
      '100664 a',
      '100644 b',
      '100755 c',
      '040000 d',
    ]);
  });

  it('orders a directory as if its name ended in a slash', () => {
    expect(namesIn(['100644', 'a.b'], ['40000', 'a'], ['100644', 'a0'])).toHaveLength(3);
    expect(() => namesIn(['40000', 'a'], ['100644', 'a.b'])).toThrow('is not in order');
  });

  it.each([['.git', '.GIT', '.gitmodules']])('reads %s, %s and %s as they stand', (...names) => {
    const sorted = names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect(namesIn(...sorted.map((name) => ['100644', name] as const))).toHaveLength(3);
  });

  it.each([
    ['an empty name', [['100644', '']]],
    ['a slash in a name', [['100644', 'a/b']]],
    ['a dot', [['40000', '.']]],
    ['two dots', [['40000', '..']]],
    [
      'a name twice',
      [
        ['100644', 'a'],
        ['100644', 'a'],
      ],
    ],
    [
      'a file and a directory of one name',
      [
        ['100644', 'a'],
        ['40000', 'a'],
      ],
    ],
    [
      'a file and a directory of one name with others between',
      [
        ['100644', 'a'],
        ['100644', 'a-'],
        ['100644', 'a.b'],
        ['40000', 'a'],
      ],
    ],
    [
      'names out of order',
      [
        ['100644', 'b'],
        ['100644', 'a'],
      ],
    ],
    ['a mode that git does not write', [['140000', 'a']]],
    ['a directory with permissions', [['40755', 'a']]],
    ['a mode that is no number', [['10064x', 'a']]],
    ['no mode', [['', 'a']]],
    ['a long mode', [['000100644', 'a']]],
  ] as const)('is refused with %s', (_, entries) => {
    expect(() => namesIn(...(entries as readonly (readonly [string, string])[]))).toThrow(GitRefusal);
  });

  it('is refused when an entry is cut off, wherever', () => {
    const bytes = treeBytes([['100644', 'name', id]]);
    for (let end = 1; end < bytes.length; end++) {
      expect(() => parseTree(tree(bytes.subarray(0, end)))).toThrow(GitRefusal);
    }
  });

  it('ends in entries or a refusal, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.array(fc.constantFrom('100644 a\0', '40000 b\0', 'c'.repeat(20))),
        (noise, parts) => {
          try {
            parseTree(tree(Buffer.concat([Buffer.from(parts.join('')), Buffer.from(noise)])));
          } catch (error) {
            expect(error).toBeInstanceOf(GitRefusal);
          }
        },
      ),
    );
  });
});
