import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizePath } from '../../src/archive/index.ts';
import { Tree } from '../../src/sources/tree.ts';
import type { LayerEntry, SourceGap } from '../../src/sources/types.ts';

/** An entry as a word: `f path`, `d path`, `l path -> target` (symlink), `h path -> target` (hard link), `w path`, `o dir`. */
type Word = string;

interface Merged {
  readonly tree: Tree;
  readonly gaps: readonly SourceGap[];
  /** Path to the layer and ordinal of the entry whose content is there: `0.2`. */
  readonly files: Readonly<Record<string, string>>;
}

function merge(...layers: readonly (readonly Word[])[]): Merged {
  const gaps: SourceGap[] = [];
  const tree = new Tree(gaps);
  for (const [layer, words] of layers.entries()) {
    for (const [ordinal, word] of words.entries()) tree.apply(entryOf(word, layer, ordinal));
  }
  return { tree, gaps, files: filesOf(tree) };
}

function filesOf(tree: Tree): Record<string, string> {
  return Object.fromEntries([...tree.files()].map(({ path, entry }) => [path, `${entry.layer}.${entry.ordinal}`]));
}

const kinds: Readonly<Record<string, LayerEntry['kind']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  h: 'hardlink',
  x: 'other',
};

function entryOf(word: Word, layer: number, ordinal: number): LayerEntry {
  const [, letter = '', name = '', target = ''] = /^(\w) (.*?)(?: -> (.*))?$/.exec(word) ?? [];
  const slash = name.lastIndexOf('/') + 1;
  const special = letter === 'w' ? `${name.slice(0, slash)}.wh.${name.slice(slash)}` : `${name}/.wh..wh..opq`;
  const path = letter === 'w' || letter === 'o' ? special : name;
  return {
    kind: kinds[letter] ?? 'file',
    path: normalizePath(path),
    size: 0,
    mode: 0o644,
    link: letter === 'h' ? normalizePath(target) : target,
    layer,
    ordinal,
  };
}

describe('layers over layers', () => {
  it.each<[string, readonly (readonly Word[])[], Record<string, string>]>([
    ['nothing', [], {}],
    ['a later entry takes the place of an earlier one', [['f a', 'f a']], { a: '0.1' }],
    ['an upper layer takes the place of a lower one', [['f a'], ['f a']], { a: '1.0' }],
    [
      'the same path in other words',
      [['f lib/apk/db', 'f ./lib//apk/./db', 'f /lib/apk/../apk/db']],
      { 'lib/apk/db': '0.2' },
    ],
    [
      'a directory over a directory keeps what is in it',
      [
        ['d d', 'f d/a'],
        ['d d', 'f d/b'],
      ],
      { 'd/a': '0.1', 'd/b': '1.1' },
    ],
    ['directories that no entry names', [['f a/b/c']], { 'a/b/c': '0.0' }],

    ['a whiteout hides a file', [['f a', 'f b'], ['w a']], { b: '0.1' }],
    ['a whiteout hides a directory and all below', [['f d/e/a', 'f b'], ['w d']], { b: '0.1' }],
    ['a whiteout of the parent of a parent', [['f d/e/a', 'f d/b'], ['w d/e']], { 'd/b': '0.1' }],
    ['a whiteout of nothing', [['f a'], ['w b', 'w c/d']], { a: '0.0' }],
    ['a whiteout hides a link, not what it leads to', [['f a', 'l l -> a'], ['w l']], { a: '0.0' }],
    ['a whiteout below a link', [['f d/a', 'l l -> d'], ['w l/a']], {}],
    ['a whiteout is for lower layers: before', [['f a'], ['w a', 'f a']], { a: '1.1' }],
    ['a whiteout is for lower layers: after', [['f a'], ['f a', 'w a']], { a: '1.0' }],
    ['a whiteout of a directory to which its layer adds: before', [['f d/a'], ['w d', 'f d/b']], { 'd/b': '1.1' }],
    ['a whiteout of a directory to which its layer adds: after', [['f d/a'], ['f d/b', 'w d']], { 'd/b': '1.0' }],
    ['what was hidden may come back', [['f a'], ['w a'], ['f a']], { a: '2.0' }],
    ['a whiteout hides once, not for ever', [['f d/a'], ['w d'], ['f d/b']], { 'd/b': '2.0' }],
    ['a whiteout with a content is a whiteout', [['f a'], ['d .wh.a']], {}],
    [
      'names that only look like whiteouts',
      [['f a'], ['f .who.a', 'f x.wh.a', 'f .w']],
      { a: '0.0', '.who.a': '1.0', 'x.wh.a': '1.1', '.w': '1.2' },
    ],
    [
      'a file below a directory that is named like a whiteout',
      [['f a'], ['f .wh.a/b']],
      { a: '0.0', '.wh.a/b': '1.0' },
    ],
    ['a whiteout of a whiteout', [['f a'], ['f .wh..wh.a']], { a: '0.0' }],

    ['an opaque directory', [['f d/a', 'f d/e/b', 'f c'], ['o d']], { c: '0.2' }],
    ['an opaque directory, then its own files', [['f d/a'], ['o d', 'f d/b']], { 'd/b': '1.1' }],
    ['its own files, then an opaque directory', [['f d/a'], ['f d/b', 'o d']], { 'd/b': '1.0' }],
    ['the same file again in an opaque directory', [['f d/a'], ['f d/a', 'o d']], { 'd/a': '1.0' }],
    [
      'an opaque root',
      [
        ['f a', 'f d/b'],
        ['f c', 'o .'],
      ],
      { c: '1.0' },
    ],
    ['an opaque directory that is not there', [['f a'], ['o d']], { a: '0.0' }],
    [
      'an opaque directory behind a link',
      [
        ['f d/a', 'l l -> d'],
        ['o l', 'f l/b'],
      ],
      { 'd/b': '1.1' },
    ],
    ['opaque twice, and a third layer again', [['f d/a'], ['o d', 'f d/b', 'o d'], ['f d/c', 'o d']], { 'd/c': '2.0' }],

    ['a file takes the place of a directory', [['f d/a', 'f d/b'], ['f d']], { d: '1.0' }],
    ['a directory takes the place of a file', [['f d'], ['d d', 'f d/a']], { 'd/a': '1.1' }],
    ['and back, in one layer', [['f d/a', 'f d', 'd d', 'f d/b']], { 'd/b': '0.3' }],
    ['a path below what was a file', [['f d'], ['f d/a']], { 'd/a': '1.0' }],
    ['a device takes the place of a file', [['f a'], ['x a']], {}],

    ['a link to a file shows the file once', [['f a', 'l l -> a']], { a: '0.0' }],
    ['a link takes the place of a directory', [['f d/a', 'f e/b'], ['l d -> e']], { 'e/b': '0.1' }],
    [
      'a link takes the place of a directory and is written through',
      [
        ['f d/a', 'd e'],
        ['l d -> e', 'f d/b'],
      ],
      { 'e/b': '1.1' },
    ],
    ['an absolute link is written through', [['d data', 'l var/lib -> /data'], ['f var/lib/a']], { 'data/a': '1.0' }],
    ['a link that leads nowhere is written through', [['l lib -> usr/lib', 'f lib/a']], { 'usr/lib/a': '0.1' }],
    [
      'a merged /usr',
      [['d usr/lib', 'l lib -> usr/lib'], ['f lib/apk/db/installed']],
      { 'usr/lib/apk/db/installed': '1.0' },
    ],
    [
      'a directory takes the place of a link',
      [
        ['f d/a', 'l l -> d'],
        ['d l', 'f l/b'],
      ],
      { 'd/a': '0.0', 'l/b': '1.1' },
    ],
    [
      'a file takes the place of a link, not of what it leads to',
      [['f a', 'l l -> a'], ['f l']],
      { a: '0.0', l: '1.0' },
    ],
    ['links out of the root stay in it', [['l l -> ../../../etc', 'f l/a']], { 'etc/a': '0.1' }],
    ['.. goes up from where a link leads', [['d a/b', 'l l -> a/b', 'l m -> l/../c', 'f m/x']], { 'a/c/x': '0.3' }],
    ['a link to the root', [['l l -> /', 'f l/a']], { a: '0.1' }],
    ['a link to itself', [['l a -> a', 'f b']], { b: '0.1' }],
    ['a link to its own directory', [['f d/a', 'l d/d -> .']], { 'd/a': '0.0' }],

    ['a hard link', [['f a', 'h b -> a']], { a: '0.0', b: '0.0' }],
    ['a hard link to a lower layer', [['f a'], ['h b -> a']], { a: '0.0', b: '0.0' }],
    ['a chain of hard links', [['f a', 'h b -> a', 'h c -> b']], { a: '0.0', b: '0.0', c: '0.0' }],
    ['a hard link outlives its target', [['f a'], ['h b -> a'], ['w a']], { b: '0.0' }],
    ['a hard link keeps the content that its target had', [['f a'], ['h b -> a', 'f a']], { a: '1.1', b: '0.0' }],
    [
      'a hard link belongs to its own layer: the whiteout beside it spares it',
      [
        ['f a', 'f b'],
        ['h b -> a', 'w b'],
      ],
      { a: '0.0', b: '0.0' },
    ],
    [
      'a hard link to a link is that link',
      [['f d/a', 'l l -> d', 'h m -> l', 'f m/b']],
      { 'd/a': '0.0', 'd/b': '0.3' },
    ],
    [
      'a hard link through linked directories',
      [['f usr/lib/a', 'l lib -> usr/lib', 'h b -> lib/a']],
      { 'usr/lib/a': '0.0', b: '0.0' },
    ],
    [
      'a hard link below a link',
      [['f a', 'd usr/lib', 'l lib -> usr/lib', 'h lib/b -> a']],
      { a: '0.0', 'usr/lib/b': '0.0' },
    ],
    ['a hard link that climbs out stays inside', [['f a', 'h b -> ../../a']], { a: '0.0', b: '0.0' }],
    ['a hard link to what a whiteout removed', [['f a'], ['w a', 'h b -> a']], {}],
    ['a hard link to nothing', [['f b'], ['h b -> a']], { b: '0.0' }],
    ['a hard link to a directory', [['f d/a', 'h b -> d']], { 'd/a': '0.0' }],

    ['the hard links of aufs', [['f .wh..wh.plnk/12.34', 'h a -> .wh..wh.plnk/12.34']], { a: '0.0' }],
    ['what aufs kept for itself', [['f .wh..wh.aufs', 'd .wh..wh.orph', 'f .wh..wh.plnk/5']], {}],
    ['a directory that only looks like one of aufs', [['f opt/.wh..wh.x/a']], { 'opt/.wh..wh.x/a': '0.0' }],
  ])('%s', (_, layers, expected) => {
    expect(merge(...layers).files).toEqual(expected);
  });
});

describe('what is not as it should be is named', () => {
  it.each<[string, readonly (readonly Word[])[], string, RegExp]>([
    ['a hard link to nothing', [['h b -> a']], 'b', /not there/],
    ['a hard link to a directory', [['d a', 'h b -> a']], 'b', /directory/],
    ['a hard link into a loop', [['l a -> a', 'h b -> a/c']], 'b', /not there/],
    [
      'a hard link to the aufs file of another layer',
      [['f .wh..wh.plnk/1'], ['h b -> .wh..wh.plnk/1']],
      'b',
      /not there/,
    ],
    ['a whiteout without a name', [['f d/.wh.']], 'd/.wh.', /names nothing/],
    ['a whiteout of its own directory', [['f d/a'], ['f d/.wh..']], 'd/.wh..', /names nothing/],
    ['a whiteout of its parent', [['f d/a'], ['f d/.wh...']], 'd/.wh...', /names nothing/],
    ['a file behind a loop', [['l a -> b', 'l b -> a', 'f a/c']], 'a/c', /40 links/],
    ['a file where runtimes hide files', [['f .wh..wh.x/package.json']], '.wh..wh.x/package.json', /not shown/],
  ])('%s', (_, layers, path, reason) => {
    const { gaps } = merge(...layers);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ path, layer: layers.length - 1 });
    expect(gaps[0]!.reason).toMatch(reason);
  });

  it('and a whiteout that names nothing hides nothing', () => {
    expect(merge(['f d/a'], ['f d/.wh..', 'f d/.wh...', 'f d/.wh.', 'f .wh...']).files).toEqual({ 'd/a': '0.0' });
  });
});

describe('looking things up', () => {
  const chain = (length: number) => [
    'f d/file',
    ...Array.from({ length }, (_, at) => `l link${at} -> ${at === 0 ? 'd' : `link${at - 1}`}`),
  ];

  it('follows 40 links and no more', () => {
    expect(merge(chain(50)).tree.resolve('link39/file')).toBe('d/file');
    expect(merge(chain(50)).tree.resolve('link40/file')).toBeUndefined();
  });

  it('ends at loops, self links and directories that lie in themselves', () => {
    const { tree } = merge(['l a -> b', 'l b -> a', 'l self -> self', 'd d', 'l d/again -> .', 'l deep -> deep/x']);
    expect(['a', 'a/x', 'self', 'deep'].map((path) => tree.resolve(path))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(tree.resolve('d/again/again/again')).toBe('d');
    expect(tree.resolve(`d/${'again/'.repeat(41)}`)).toBeUndefined();
  });

  it('never leaves the root', () => {
    const { tree } = merge([
      'f etc/passwd',
      'l up -> ../../../../etc',
      'l abs -> /etc',
      'l x/y/z -> ../../../../../etc/passwd',
    ]);
    expect(tree.resolve('up/passwd')).toBe('etc/passwd');
    expect(tree.resolve('abs/passwd')).toBe('etc/passwd');
    expect(tree.resolve('../../etc/passwd')).toBe('etc/passwd');
    expect(tree.file('x/y/z')?.path).toBe('etc/passwd');
  });

  it('does not resolve .. through a file or through nothing', () => {
    const { tree } = merge(['f d/file', 'f other']);
    expect(tree.resolve('nothing/../other')).toBeUndefined();
    expect(tree.resolve('d/../other')).toBe('other');
    expect(tree.resolve('d/file/../../other')).toBeUndefined();
  });

  it('lists a directory in order, through links, and nothing where there is none', () => {
    const { tree } = merge(['f d/b', 'f d/a', 'd d/c', 'l l -> d', 'f file']);
    expect(tree.list('l')).toEqual(['a', 'b', 'c']);
    expect(tree.list('')).toEqual(['d', 'file', 'l']);
    expect([tree.list('file'), tree.list('none')]).toEqual([[], []]);
  });

  it('knows the kind of what stands at a path, its last link not followed', () => {
    const { tree } = merge(['f d/a', 'l l -> d', 'x dev/null']);
    expect(['d', 'd/a', 'l', 'l/a', 'dev/null', 'none'].map((path) => tree.kindOf(path))).toEqual([
      'directory',
      'file',
      'symlink',
      'file',
      'other',
      undefined,
    ]);
    expect([tree.isDirectory('l'), tree.isDirectory('d/a'), tree.isDirectory('none')]).toEqual([true, false, false]);
  });

  it('gives the files below one directory, links followed', () => {
    const { tree } = merge(['f d/a', 'f d/e/b', 'f dd/c', 'l l -> d']);
    expect([...tree.files('l')].map(({ path }) => path)).toEqual(['d/a', 'd/e/b']);
    expect([...tree.files('none')]).toEqual([]);
    expect([...tree.files('d/a')]).toEqual([]);
  });

  it('takes names for names, whatever they are in JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '0'];
    const { tree, files } = merge(names.map((name) => `f ${name}/${name}`));
    expect(
      Object.entries(files)
        .map(([path]) => path)
        .sort(),
    ).toEqual(names.map((name) => `${name}/${name}`).sort());
    expect(tree.list('')).toEqual([...names].sort());
    expect(tree.resolve('valueOf')).toBeUndefined();
  });
});

describe('what it may cost', () => {
  it('a path as deep as any is walked without recursion', () => {
    const deep = 'd/'.repeat(1000);
    const { tree, files } = merge([`f ${deep}file`], ['o d', 'f d/x']);
    expect(files).toEqual({ 'd/x': '1.1' });
    expect(tree.resolve('d/x')).toBe('d/x');
  });

  it('links that make each other longer are refused, not followed to the end', () => {
    const doubling = Array.from({ length: 30 }, (_, at) => `l l${at + 1} -> ${at === 0 ? 'd/..' : `l${at}/../l${at}`}`);
    const { tree } = merge(['d d', ...doubling]);
    expect(tree.resolve('l30')).toBeUndefined();
  });

  it('writing through links ever deeper into a directory is refused', () => {
    const words = ['d a', 'l l -> a'];
    for (let turn = 0; turn < 12; turn++) words.push(`d ${'l/'.repeat(1)}${'x/'.repeat(2 ** turn)}`);
    expect(() => merge([...words, `d ${'a/'.repeat(2100)}`])).toThrow(/2048 directories deep/);
  });

  it('the same whiteout a hundred thousand times over a large directory', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `f d/${at}`);
    const repeated = Array.from({ length: 100_000 }, () => 'o d');
    expect(Object.keys(merge(many, ['f d/kept', ...repeated]).files)).toEqual(['d/kept']);
  });
});

/**
 * The oracle: no links, only files, directories and whiteouts, on a map from path to content. A layer is applied as the
 * specification says it: first its whiteouts to what lies below, then its files.
 */
function naive(layers: readonly (readonly Word[])[]): Record<string, string> {
  let files = new Map<string, string>();
  for (const [layer, words] of layers.entries()) {
    const hidden = (path: string) =>
      words.some((word) => {
        const name = word.slice(2);
        if (word.startsWith('w ')) return path === name || path.startsWith(`${name}/`);
        return word.startsWith('o ') && path.startsWith(`${name}/`);
      });
    files = new Map([...files].filter(([path]) => !hidden(path)));
    for (const [ordinal, word] of words.entries()) {
      const path = word.slice(2);
      if (word.startsWith('w ') || word.startsWith('o ')) continue;
      const ancestors = path.split('/').map((_, at, all) => all.slice(0, at).join('/'));
      for (const ancestor of ancestors) files.delete(ancestor);
      if (word.startsWith('d ')) files.delete(path);
      else {
        for (const other of [...files.keys()]) if (other.startsWith(`${path}/`)) files.delete(other);
        files.set(path, `${layer}.${ordinal}`);
      }
    }
  }
  return Object.fromEntries(files);
}

describe('any layers', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const plain = fc.tuple(fc.constantFrom('f', 'f', 'd', 'w', 'o'), path).map(([kind, at]) => `${kind} ${at}`);
  const linked = fc
    .tuple(
      fc.constantFrom('l', 'h'),
      path,
      fc.oneof(
        path,
        path.map((at) => `/${at}`),
        path.map((at) => `../${at}`),
        fc.constant('.'),
      ),
    )
    .map(([kind, at, to]) => `${kind} ${at} -> ${to}`);

  it('without links show what the specification says', () => {
    fc.assert(
      fc.property(fc.array(fc.array(plain, { maxLength: 6 }), { maxLength: 4 }), (layers) => {
        expect(merge(...layers).files).toEqual(naive(layers));
      }),
      { numRuns: 2000 },
    );
  });

  it('with links end, and every file is found where it is said to be', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.oneof(plain, linked), { maxLength: 8 }), { maxLength: 4 }), (layers) => {
        const { tree, files } = merge(...layers);
        for (const [at, content] of Object.entries(files)) {
          expect(tree.resolve(at)).toBe(at);
          const found = tree.file(at);
          expect(`${found?.entry.layer}.${found?.entry.ordinal}`).toBe(content);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
