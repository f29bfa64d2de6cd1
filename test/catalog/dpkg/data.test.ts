import { expect, test } from 'vitest';
import { dpkg, opkg } from '../../../src/catalog/dpkg/index.ts';
import type { Distro, Package } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, type PackageCase, packageCases, readData } from '../../kit/data.ts';

const debian: Distro = { id: 'debian', idLike: [], versionId: '12', path: 'etc/os-release', layer: 0 };

/** The tests of the judge give each file under the name that it has in an image. */
function placeOf(file: string): string {
  if (file.includes('/opkg/')) return 'usr/lib/opkg/status';
  const copied = file.split('/status.d/')[1];
  return copied === undefined ? 'var/lib/dpkg/status' : `var/lib/dpkg/status.d/${copied}`;
}

const pairs = (packages: readonly { name: string; version?: string }[]): string[] =>
  packages.map(({ name, version }) => `${name}@${version}`).sort();

/**
 * Where the judge counts otherwise: it takes only the state "installed". An unpacked package has all its files on the
 * disk, so its programs can be run, and to leave it out would be a silent miss.
 */
const unpackedToo: Readonly<Record<string, readonly string[]>> = { statusfield: ['wantinstall_unpacked@1.0'] };

/** Records that look like packages and are none: each is named. */
const gaps: Readonly<Record<string, readonly string[]>> = {
  'packages with no version set are skipped': ['has no Version'],
  'packages with no name set are skipped': ['without a Package field'],
  statusfield: ['has no Status'],
};

describeData('dpkg and opkg databases with known packages', () => {
  test.each(packageCases('dpkg').map((each) => [each.file, each] as const))('%s', async (file, each: PackageCase) => {
    const path = placeOf(file);
    const cataloger = path.includes('opkg') ? opkg : dpkg;
    const found = await catalogFiles(cataloger, { [path]: readData(`packages/${file}`) }, debian);
    expect(pairs(found.packages)).toEqual([...pairs(each.expected), ...(unpackedToo[each.case ?? ''] ?? [])].sort());
    const reasons = gaps[each.case ?? ''] ?? (path.endsWith('foo.md5sums') ? ['no record of the package'] : []);
    expect(found.gaps.map(({ reason }) => reason)).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
  });
});

describeData('the status file of a Debian 12 system', () => {
  const file = 'host/debian12-dpkg-status.gz';
  const expected = packageCases('dpkg').find((each) => each.file === file)?.expected ?? [];
  const catalog = (): Promise<{ packages: readonly Package[] }> =>
    catalogFiles(dpkg, { 'var/lib/dpkg/status': readData(`packages/${file}`) }, debian);

  test('has the architectures and sources that dpkg-query tells', async () => {
    const { packages } = await catalog();
    expect(packages).toHaveLength(756);
    const told = packages.map(({ name, version, purl, properties }) => ({
      ...{ name, version, arch: purl.qualifiers?.['arch'] },
      source: properties?.['dpkg:source'],
      sourceVersion: properties?.['dpkg:source-version'],
    }));
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(told.sort(byName)).toEqual([...expected].sort(byName));
  });

  test('resolves every dependency, since apt installed nothing without', async () => {
    const { packages } = await catalog();
    const keys = new Set(packages.map(({ key }) => key));
    expect(keys.size).toBe(756);
    expect(packages.filter(({ requiresIncomplete }) => requiresIncomplete).map(({ name }) => name)).toEqual([]);
    expect(packages.flatMap(({ requires = [] }) => requires).every((key) => keys.has(key))).toBe(true);
    const apt = packages.find(({ name }) => name === 'apt');
    expect(apt?.requires).toContain('libc6:amd64');
    expect(apt?.requires).toContain('adduser:all');
  });
});
