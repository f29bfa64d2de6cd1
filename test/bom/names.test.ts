import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/archive/index.ts';
import { buildInventory } from '../../src/bom/inventory.ts';
import { catalogSource } from '../../src/catalog/index.ts';
import { openSources } from '../../src/sources/index.ts';
import { anImage, layout } from '../kit/image.ts';
import { openOptions } from '../kit/scanned.ts';
import { file, type Part } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();

async function inventoryOf(parts: readonly Part[]) {
  const image = anImage().layer(...parts);
  const [source] = await openSources(`oci:${writeTree(temporary, layout([image.built()]))}`, openOptions());
  const result = await catalogSource(source!, { limits: defaultLimits, everything: false, exclude: [] });
  await source!.close();
  return buildInventory(source!, result);
}

const npm = (at: number, version: string) =>
  file(`app/node_modules/p${at}/package.json`, `{"name":"a","version":"${version}"}`);
const dpkg = (versions: readonly string[]) =>
  versions.map(
    (version) => `Package: a\nStatus: install ok installed\nArchitecture: ${version.length}\nVersion: ${version}\n`,
  );
const long = 'x'.repeat(70_000);

describe('packages whose metadata no purl can hold are still in the inventory, and are named as gaps', () => {
  it.each<[string, readonly Part[]]>([
    ['lone surrogates', [npm(1, '1-\\ud800'), npm(2, '1-\\udfff')]],
    [
      'a cut in the middle of a character',
      [npm(1, `x${'\u{1f600}'.repeat(400)}`), npm(2, `yyy${'\u{1f600}'.repeat(400)}`)],
    ],
    ['versions longer than any purl', [file('var/lib/dpkg/status', dpkg([`1${long}`, `1${long}x`]).join('\n'))]],
  ])('%s', async (_, parts) => {
    const { components, coverage } = await inventoryOf(parts);
    const refs = components.map(({ ref }) => ref);
    const short = expect.stringMatching(/^pkg:generic\/a@.{1,2500}$/);
    expect(refs).toEqual([short, short]);
    expect(refs[0]).not.toBe(refs[1]);
    const reason = expect.stringContaining('the package a cannot be named as pkg:');
    expect(coverage.gaps).toMatchObject([
      { rule: 'unreadable-record', reason },
      { rule: 'unreadable-record', reason },
    ]);
  });
});
