import { describe, expect, it } from 'vitest';
import { inspectChange } from '../../../src/change/content/index.ts';
import { diffTrees } from '../../../src/git/tree-diff.ts';
import { memoryStore } from '../../git/memory-store.ts';
import { inspectShort, messages } from './inspected.ts';

const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
const oid = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;

describe('binary files', () => {
  it('are a risk, and media with the name and bytes of such a note', async () => {
    const files = {
      'a.png': png,
      'a.js': png,
      'b.png': 'x\0y',
      'b.bin': 'x\0y',
      'c.bin': `${'x'.repeat(7999)}\0`,
      'a.gif': Buffer.from('GIF89a\x01\0\x01\0\x80\0\0', 'latin1'),
    };
    expect(await inspectShort({}, files)).toEqual([
      'a.gif opaque-content note',
      'a.js opaque-content risk',
      'a.png opaque-content note',
      'b.bin opaque-content risk',
      'b.png opaque-content risk',
      'c.bin opaque-content risk',
    ]);
  });

  it('are not text that begins like a medium: that is searched like any other', async () => {
    const hidden = 'x = "\u202e";\n';
    const files = { 'a.gif': `GIF89a=1;${hidden}`, 'b.ttf': `true\n${hidden}`, 'c.webp': `1234567:WEBP${hidden}` };
    expect(await inspectShort({}, files)).toEqual([
      'a.gif:1 hidden-text error',
      'b.ttf:2 hidden-text error',
      'c.webp:1 hidden-text error',
    ]);
    expect(await inspectShort({}, { 'a.gif': 'GIF89a=1;\n', 'b.ttf': 'true\n' })).toEqual([]);
    expect(await inspectShort({}, { 'a.gif': 'GIF89a=1;\0\n', 'b.ttf': 'true\0\n' })).toEqual([
      'a.gif opaque-content risk',
      'b.ttf opaque-content risk',
    ]);
  });

  it('begin to be text where git thinks so, and a NUL in them is hidden text', async () => {
    expect(await inspectShort({}, { a: `${'x'.repeat(8000)}\0` })).toEqual(['a:1 hidden-text risk']);
  });

  it('that are removed or move by mode alone are not opaque', async () => {
    expect(await inspectShort({ a: 'x\0y' }, {})).toEqual([]);
    expect(await inspectShort({ a: 'x\0y' }, { a: { mode: '100755', content: 'x\0y' } }, 'opaque-content')).toEqual([]);
  });
});

describe('pointers of git-lfs', () => {
  it('are a risk with digest and size', async () => {
    expect(await messages({}, { 'a.bin': pointer })).toEqual([
      `risk: the content is kept by git-lfs, out of this repository: sha256:${oid}, 12345 bytes`,
    ]);
  });

  it.each([
    pointer.replace('git-lfs.github.com', 'hawser.github.com'),
    pointer.replace('\noid', `\next-0-x sha256:${oid}\noid`),
  ])('%j is one too', async (text) => {
    expect((await messages({}, { a: text })).join()).toContain('is kept by git-lfs');
  });

  it.each([
    pointer.replace('https:', 'http:'),
    pointer.replace('spec/v1', 'spec/v9'),
    pointer.replace(oid, oid.slice(1)),
    pointer.replace('size 12345', 'size -1'),
    pointer.replace('size 12345\n', ''),
    pointer.replace('size 12345\n', 'size 12345'),
    `\n${pointer}`,
    `${pointer}extra line\n`,
    pointer.replace(/(oid.*\n)(size.*\n)/, '$2$1'),
    pointer + 'x'.repeat(2000),
  ])('%j is one whose form is off', async (text) => {
    expect((await messages({}, { a: text })).join()).toMatch(
      /^risk: a git-lfs pointer that is not as git-lfs writes it/,
    );
  });

  it('are not what only mentions them', async () => {
    expect(await messages({}, { 'a.md': '# git-lfs\nversion https://git-lfs.github.com/spec/v1\n' })).toEqual([]);
  });
});

describe('files beyond the cap', () => {
  it('are a risk by name, and the rest is inspected', async () => {
    const store = memoryStore();
    const newTree = store.putTree({
      big: 'x'.repeat(17 * 1024 * 1024),
      'yarn.lock': 'y'.repeat(17 * 1024 * 1024),
      z: '\u202e',
    });
    const found = await inspectChange(store, await diffTrees(store, undefined, newTree), { newTree });
    expect(found.map(({ path, rule, weight }) => `${path} ${rule} ${weight}`)).toEqual([
      'big opaque-content risk',
      'yarn.lock lockfile-source risk',
      'yarn.lock opaque-content risk',
      'z hidden-text error',
    ]);
  });
});

it('an object that is missing or broken is refused, and is no finding', async () => {
  const store = memoryStore();
  const newTree = store.putTree({ a: 'x' });
  const change = { path: Buffer.from('b'), new: { mode: '100644', id: '1'.repeat(40) } } as const;
  await expect(inspectChange(store, [change], { newTree })).rejects.toMatchObject({ rule: 'missing-object' });
});

it('any number of notes leaves room for an error', async () => {
  const files = Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`a${at}.png`, png]));
  const found = await inspectShort({}, { ...files, z: '\u202e' });
  expect(found).toHaveLength(1000 + 1 + 1);
  expect(found).toContain('z:1 hidden-text error');
});
