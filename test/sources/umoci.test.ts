/** What umoci unpacks is what we show: the same images, through the same layers. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anImage, layout, tagged } from '../kit/image.ts';
import { show } from '../kit/scanned.ts';
import { directory, file, hardlink, opaque, type Part, symlink, whiteout } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const hasUmoci = spawnSync('umoci', ['--version']).status === 0;

type Listing = Readonly<Record<string, string>>;

interface Both {
  readonly ours: Listing;
  /** Undefined where umoci refuses the image. */
  readonly umoci: Listing | undefined;
  readonly gaps: number;
}

async function both(layers: readonly (readonly Part[])[]): Promise<Both> {
  const image = layers.reduce((built, parts) => built.layer(...parts), anImage());
  const place = writeTree(temporary, layout([tagged(image.built(), 'x')]));
  const { files, gaps } = await show(`oci:${place}`);
  return { ours: files, umoci: unpack(place), gaps: gaps.length };
}

function unpack(place: string): Listing | undefined {
  const bundle = mkdtempSync(path.join(temporary, 'bundle-'));
  const done = spawnSync('umoci', ['unpack', '--rootless', '--image', `${place}:x`, path.join(bundle, 'b')]);
  return done.status === 0 ? listing(path.join(bundle, 'b/rootfs')) : undefined;
}

function listing(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(path.join(root, below))) {
    const at = path.join(below, name);
    const kind = lstatSync(path.join(root, at));
    if (kind.isDirectory()) Object.assign(found, listing(root, at));
    else if (kind.isFile()) found[at] = readFileSync(path.join(root, at), 'latin1');
  }
  return found;
}

describe.skipIf(!hasUmoci)('beside umoci (needs umoci)', () => {
  it.each<[string, readonly (readonly Part[])[]]>([
    [
      'a whiteout of a file and of a directory',
      [
        [file('a', '1'), file('d/e/b', '2')],
        [whiteout('a'), whiteout('d/e')],
      ],
    ],
    ['a whiteout of the whole parent', [[file('var/lib/dpkg/status', '1')], [whiteout('var/lib')]]],
    [
      'a whiteout and the same path again, either order',
      [
        [file('a', '1'), file('b', '1')],
        [whiteout('a'), file('a', '2'), file('b', '2'), whiteout('b')],
      ],
    ],
    [
      'opaque, then new files',
      [
        [file('d/a', '1'), file('d/e/b', '1')],
        [directory('d'), opaque('d'), file('d/c', '2')],
      ],
    ],
    [
      'new files, then opaque',
      [
        [file('d/a', '1'), file('d/e/b', '1')],
        [directory('d'), file('d/a', '2'), opaque('d')],
      ],
    ],
    [
      'a file instead of a directory, and back',
      [[file('d/a', '1')], [file('d', '2')], [directory('d'), file('d/b', '3')]],
    ],
    [
      'a link instead of a directory, written through',
      [
        [file('d/a', '1'), directory('e')],
        [symlink('d', 'e'), file('d/b', '2')],
      ],
    ],
    [
      'a directory instead of a link',
      [
        [directory('e'), symlink('d', 'e')],
        [directory('d'), file('d/b', '2')],
      ],
    ],
    ['a merged /usr', [[directory('usr/lib'), symlink('lib', 'usr/lib')], [file('lib/apk/db/installed', '2')]]],
    [
      'an absolute link, written through',
      [[directory('data'), directory('var/lib'), symlink('var/lib/dpkg', '/data')], [file('var/lib/dpkg/status', '2')]],
    ],
    ['a link that climbs out, written through', [[symlink('up', '../../../../x')], [file('up/a', '2')]]],
    [
      'hard links',
      [
        [file('a', '1'), hardlink('b', 'a'), hardlink('c', 'b')],
        [hardlink('d', 'a'), whiteout('a')],
      ],
    ],
    [
      'a hard link through a linked directory',
      [[directory('usr/lib'), symlink('lib', 'usr/lib'), file('usr/lib/a', '1')], [hardlink('b', 'lib/a')]],
    ],
    ['a hard link to a link', [[directory('d'), symlink('l', 'd'), hardlink('m', 'l')], [file('m/a', '2')]]],
    ['the same path in other words', [[file('lib/apk/db', '1'), file('./lib//apk/./db', '2')]]],
    ['a name that climbs', [[file('../../a', '1'), file('b/../../c', '2')]]],
    ['a name that begins like a whiteout', [[file('d/.who', '1')], [file('d/.wh.x/y', '2')]]],
    ['empty layers', [[], [file('a', '1')], []]],
  ])('%s', async (_, layers) => {
    const { ours, umoci, gaps } = await both(layers);
    expect(umoci).toBeDefined();
    expect(ours).toEqual(umoci);
    expect(gaps === 0 || _ === 'a name that climbs').toBe(true);
  });

  it('shows more than umoci where a whiteout lies behind a link of a lower layer, and says so', async () => {
    const layers = [[file('d/a', '1'), file('d/b', '1'), symlink('l', 'd')], [whiteout('l/a')]];
    expect(await both(layers)).toEqual({ ours: { 'd/a': '1', 'd/b': '1' }, umoci: { 'd/b': '1' }, gaps: 1 });
  });

  it('shows the same files for any layers that it unpacks', async () => {
    const at = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    const part = fc.oneof(
      fc
        .tuple(at, fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('x', 'y', 'z') }))
        .map(([name, text]) => file(name, text)),
      at.map((name) => directory(name)),
      at.map(whiteout),
      at.map(opaque),
      fc.tuple(at, at, fc.constantFrom('', '/', '../')).map(([name, to, how]) => symlink(name, how + to)),
      fc.tuple(at, at).map(([name, to]) => hardlink(name, to)),
    );
    const layers = fc.array(fc.array(part, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 3 });
    let unpacked = 0;
    for (const each of fc.sample(layers, { numRuns: 120, seed: 20_260_102 })) {
      const { ours, umoci } = await both(each);
      if (umoci === undefined) continue;
      expect(ours, Buffer.concat(each.flat()).toString('base64')).toEqual(umoci);
      unpacked += 1;
    }
    expect(unpacked).toBeGreaterThan(30);
  });
});
