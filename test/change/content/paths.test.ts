import { describe, expect, it } from 'vitest';
import { inspectChange } from '../../../src/change/content/index.ts';
import { diffTrees } from '../../../src/git/tree-diff.ts';
import { memoryStore, treeBytes } from '../../git/memory-store.ts';
import { inspect, inspectShort, messages } from './inspected.ts';

async function weightOf(name: string): Promise<string> {
  const found = await inspectShort({}, { [name]: 'x' }, 'path-trick');
  return found.map((each) => each.split(' ').at(-1)).join(' ');
}

describe('names that could be taken for others', () => {
  it.each([
    '.git',
    '.GIT',
    '.Git ',
    '.git.',
    '.git . .',
    '.g\u200cit',
    '.gi\u202et',
    '\ufeff.git',
    'git~1',
    'GIT~1',
    'git~2',
    '.git::$INDEX_ALLOCATION',
    '.git:stream',
    '.git\\config',
    'a\\.git\\hooks',
    '..\\x',
    '.ｇｉｔ',
    '.GITMODULES',
    '.gitmodules ',
    'gitmod~1',
    'gi7eba~1',
    'gi7e~123',
    '.gitAttributes',
    'gi7d29~1',
    '.gitignore.',
    'a\u202egpj.exe',
  ])('%j is an error', async (name) => {
    expect(await weightOf(name)).toBe('error');
    expect(await weightOf(`deep/er/${name}`)).toBe('error');
  });

  it.each([
    '.GITHUB',
    'AGENTS.MD',
    'Package.json',
    'codeowners',
    'Tidewaiter.Policy.yaml',
    'x.',
    'x ',
    ' x',
    'a\\b',
    'a\nb',
    'a\tb',
    'a\x1b[2J',
    'nul',
    'CON.txt',
    'Com1.log',
    'pаckage.js',
    'a\u00adb',
    'a\u200bb',
  ])('%j is a risk', async (name) => {
    expect(await weightOf(name)).toMatch(/^risk( risk)*$/);
  });

  it('a name in another normal form is a note', async () => {
    expect(await weightOf('cafe\u0301.txt')).toBe('note');
  });

  it.each([
    '.gitignore',
    '.gitmodules',
    '.gitattributes',
    '.mailmap',
    '.gitkeep',
    '.github',
    'digit',
    'git',
    'x.git',
    'CODEOWNERS',
    'AGENTS.md',
    'a b.txt',
    'café.txt',
    '日本語.md',
    'Привет.txt',
    '👩‍💻.md',
    'consul',
    'nullable.ts',
    'Foo::Bar.3pm',
    'kΩ.txt',
    'git~x',
  ])('%j is a name like others', async (name) => {
    expect(await weightOf(name)).toBe('');
  });

  it('are judged once for a folder, and of an old path only what can never be meant', async () => {
    const rules = ['path-trick'];
    expect(await inspectShort({}, { 'x./a': '1', 'x./b': '1' }, ...rules)).toEqual(['x./a path-trick risk']);
    expect(await inspectShort({ 'x.': '1' }, { 'x.': '2' }, ...rules)).toEqual([]);
    expect(await inspectShort({ '.GIT': '1' }, { '.GIT': '2' }, ...rules)).toEqual(['.GIT path-trick error']);
    expect(await inspectShort({ '.GIT': '1' }, {}, ...rules)).toEqual([]);
  });

  it('are found among names that are no UTF-8', async () => {
    const store = memoryStore();
    const id = store.put('blob', 'x');
    const newTree = store.put(
      'tree',
      treeBytes([
        ['100644', Buffer.from('.git\xe9', 'latin1'), id],
        ['100644', Buffer.from('git~1:\xff', 'latin1'), id],
      ]),
    );
    const found = await inspectChange(store, await diffTrees(store, undefined, newTree), { newTree });
    expect(found.map(({ weight, message }) => `${weight} ${message}`)).toEqual([
      'risk the name ".gité" is no UTF-8',
      'error the name "git~1:ÿ" is taken for .git by some file systems',
      'risk the name "git~1:ÿ" is no UTF-8',
    ]);
  });
});

describe('names beside each other', () => {
  it.each([
    ['README.md', 'readme.MD'],
    ['é', 'e\u0301'],
    ['straße', 'STRASSE'],
    ['ſrc', 'src'],
    ['K', 'k'],
    ['a', 'a.'],
    ['a', 'a\u200c'],
  ])('%j and %j collide', async (one, other) => {
    const found = (await inspect({ [one]: '1' }, { [one]: '1', [other]: '2' })).filter(({ message }) =>
      message.includes('is one with'),
    );
    expect(found).toMatchObject([{ rule: 'path-trick', weight: 'error', path: Buffer.from(other) }]);
    expect(found).toHaveLength(1);
  });

  it('collide as folders too, and are named once', async () => {
    const found = await messages({ 'src/a.ts': '1' }, { 'src/a.ts': '1', 'Src/a.ts': '2', 'Src/b.ts': '2' });
    expect(found).toEqual([
      'error: the name "Src" is one with "src" beside it where case and invisible ways do not count',
    ]);
    expect(await messages({ 'd/src/a': '1' }, { 'd/src/a': '1', 'd/SRC': '2' })).toHaveLength(1);
  });

  it('do not collide where one takes the place of the other', async () => {
    expect(await messages({ Makefile: '1' }, { makefile: '1' })).toEqual([]);
  });

  it('that collided before are not said again for a change within', async () => {
    expect(await messages({ A: '1', a: '1' }, { A: '2', a: '1' })).toEqual([]);
  });
});

describe('links', () => {
  const link = (content: string) => ({ mode: '120000', content });

  it.each([
    ['/etc/passwd', 'risk'],
    ['../x', 'risk'],
    ['a/../../x', 'risk'],
    ['C:\\Windows', 'risk'],
    ['..\\..\\x', 'risk'],
    ['~/x', 'risk'],
    ['.git/hooks', 'error'],
    ['./.GIT/config', 'error'],
    ['git~1/x', ''],
    ['', 'error'],
    ['x'.repeat(5000), 'error'],
    ['a', ''],
    ['./a/b/../c', ''],
    ['', 'error'],
  ])('at the root to %j: %s', async (target, expected) => {
    const found = await inspectShort({}, { l: link(target) });
    expect(found).toEqual(expected === '' ? [] : [`l path-trick ${expected}`]);
  });

  it('may go up as far as the root', async () => {
    expect(await inspectShort({}, { 'a/b/l': link('../../x') })).toEqual([]);
    expect(await inspectShort({}, { 'a/b/l': link('../../../x') })).toEqual(['a/b/l path-trick risk']);
    expect(await inspectShort({}, { 'a/b/l': link('../../.git/x') })).toEqual(['a/b/l path-trick error']);
  });

  it('are followed through links that are there already', async () => {
    const base = { out: link('../..'), 'd/in': link('..'), 'd/deep/f': 'x' };
    expect(await inspectShort(base, { ...base, l: link('out/x') })).toEqual(['l path-trick risk']);
    expect(await inspectShort(base, { ...base, l: link('d/in/d') })).toEqual([]);
    expect(await inspectShort(base, { ...base, l: link('d/in/../x') })).toEqual(['l path-trick risk']);
    expect(await inspectShort(base, { ...base, l: link('d/in/.git') })).toEqual(['l path-trick error']);
  });

  it('in a circle lead nowhere', async () => {
    expect(await inspectShort({}, { a: link('b'), b: link('a/x') })).toEqual([
      'a path-trick risk',
      'b path-trick risk',
    ]);
  });

  it('in place of what git reads are an error', async () => {
    expect(await inspectShort({}, { 'sub/.gitattributes': link('x') })).toEqual([
      'sub/.gitattributes path-trick error',
    ]);
  });
});

describe('modes', () => {
  it.each([
    [{ mode: '100644', content: 'x' }, { mode: '100755', content: 'x' }, ['a high-risk-path risk']],
    [{ mode: '100755', content: 'x' }, { mode: '100644', content: 'y' }, ['a high-risk-path risk']],
    [{ mode: '100664', content: 'x' }, { mode: '100644', content: 'x' }, []],
    [{ mode: '100644', content: 'x' }, { mode: '120000', content: 'x' }, ['a high-risk-path risk']],
    [{ mode: '120000', content: 'x' }, { mode: '100644', content: 'x' }, ['a high-risk-path risk']],
    [
      { mode: '100644', content: 'x' },
      { mode: '160000', content: '1'.repeat(40) },
      ['a submodule-changed risk', 'a high-risk-path risk'],
    ],
  ])('%j becomes %j', async (old, present, expected) => {
    expect((await inspectShort({ a: old }, { a: present })).toSorted()).toEqual(expected.toSorted());
  });

  it('a file that becomes a link is looked at as a link, though its bytes are the same', async () => {
    const found = await inspectShort({ a: '/etc/x' }, { a: { mode: '120000', content: '/etc/x' } });
    expect(found).toEqual(['a high-risk-path risk', 'a path-trick risk']);
  });
});
