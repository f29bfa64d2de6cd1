import { describe, expect, it } from 'vitest';
import { anImage, layout } from '../kit/image.ts';
import { show } from '../kit/scanned.ts';
import { directory, file, opaque, type Part, symlink, whiteout } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();

async function merged(lower: readonly Part[], upper: readonly Part[]) {
  const image = anImage()
    .layer(...lower)
    .layer(...upper);
  const { files, gaps } = await show(`oci:${writeTree(temporary, layout([image.built()]))}`);
  return { files, gaps };
}

const database = file('var/lib/dpkg/status', 'all');
const link = symlink('opt/x', '../var/lib');

describe('what goes through a link of a lower layer, where runtimes disagree', () => {
  it.each<[string, readonly Part[], string]>([
    ['a whiteout', [whiteout('opt/x/dpkg')], 'opt/x/.wh.dpkg'],
    ['an opaque directory', [opaque('opt/x/dpkg')], 'opt/x/dpkg/.wh..wh..opq'],
    ['a whiteout behind a link of its own to that link', [symlink('l', 'opt/x'), whiteout('l/dpkg')], 'l/.wh.dpkg'],
  ])('%s hides nothing, and is named', async (_, upper, path) => {
    const { files, gaps } = await merged([database, link], upper);
    expect(files).toEqual({ 'var/lib/dpkg/status': 'all' });
    const reason = expect.stringContaining('a whiteout behind a link of a lower layer');
    expect(gaps).toEqual([{ rule: 'suspicious-entry', path, layer: 1, reason }]);
  });

  it('a file that takes the place of another is named', async () => {
    const { files, gaps } = await merged([database, link], [file('opt/x/dpkg/status', 'few')]);
    expect(files).toEqual({ 'var/lib/dpkg/status': 'few' });
    const reason = expect.stringContaining('many runtimes do not follow and still show');
    expect(gaps).toEqual([{ rule: 'suspicious-entry', path: 'opt/x/dpkg/status', layer: 1, reason }]);
  });

  it('a link that takes the place of a directory is named', async () => {
    const { gaps } = await merged([database, link, file('e/f', '')], [symlink('opt/x/dpkg', '/e')]);
    expect(gaps.map(({ path }) => path)).toEqual(['opt/x/dpkg']);
  });

  it('a thousand of them are one gap', async () => {
    const names = Array.from({ length: 1000 }, (_, at) => `dpkg/${at}`);
    const { files, gaps } = await merged(
      [link, ...names.map((name) => file(`var/lib/${name}`, ''))],
      names.map((name) => whiteout(`opt/x/${name}`)),
    );
    expect(Object.keys(files)).toHaveLength(1000);
    expect(gaps.map(({ reason }) => reason)).toEqual([expect.stringMatching(/\(and 999 more in this layer\)$/)]);
  });
});

describe('what goes through a link, where runtimes agree', () => {
  it.each<[string, readonly Part[], readonly Part[], Record<string, string>]>([
    ['a whiteout behind a link of its own layer', [database], [link, whiteout('opt/x/dpkg')], {}],
    ['a whiteout behind a link that its layer repeats', [database, link], [link, whiteout('opt/x/dpkg')], {}],
    ['a whiteout of the link itself', [database, link], [whiteout('opt/x')], { 'var/lib/dpkg/status': 'all' }],
    ['a whiteout of nothing', [database, link], [whiteout('opt/x/apt')], { 'var/lib/dpkg/status': 'all' }],
    [
      'a new file',
      [database, link],
      [file('opt/x/dpkg/info/a.list', ''), directory('opt/x/dpkg')],
      { 'var/lib/dpkg/status': 'all', 'var/lib/dpkg/info/a.list': '' },
    ],
    [
      'a whiteout beside a directory that took the place of the link',
      [database, link, file('opt/y', '')],
      [directory('opt/x'), whiteout('opt/x/dpkg'), whiteout('opt/y')],
      { 'var/lib/dpkg/status': 'all' },
    ],
  ])('%s is no gap', async (_, lower, upper, expected) => {
    expect(await merged(lower, upper)).toEqual({ files: expected, gaps: [] });
  });
});
