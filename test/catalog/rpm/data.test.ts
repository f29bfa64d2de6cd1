import { expect, it } from 'vitest';
import { rpmDatabase, rpmManifest } from '../../../src/catalog/rpm/index.ts';
import type { Cataloger, Distro, Package } from '../../../src/catalog/types.ts';
import { formatPurl } from '../../../src/purl/index.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, type Expected, packageCases, readData } from '../../kit/data.ts';
import { swapBerkeley } from './build.ts';

const homes = {
  'rpmdb-bdb': 'var/lib/rpm/Packages',
  'rpmdb-ndb': 'usr/lib/sysimage/rpm/Packages.db',
  'rpmdb-sqlite': 'usr/share/rpm/rpmdb.sqlite',
  rpmmanifest: 'var/lib/rpmmanifest/container-manifest-2',
} as const;

/** One of the judges leaves the epoch out of the version. */
function withoutEpoch(packages: readonly Package[]): readonly Expected[] {
  return packages.map(({ name, purl }) => ({ name, version: purl.version ?? '' }));
}

function lines(packages: readonly { readonly name: string; readonly version?: string }[]): string[] {
  return packages.map(({ name, version }) => `${name} ${version}`).sort();
}

describeData('real rpm databases', () => {
  for (const each of packageCases(...Object.keys(homes))) {
    const home = homes[each.ecosystem as keyof typeof homes];
    const cataloger: Cataloger = each.ecosystem === 'rpmmanifest' ? rpmManifest : (rpmDatabase as Cataloger);

    it(`gives every package of ${each.file}`, async () => {
      const { packages, gaps } = await catalogFiles(cataloger, { [home]: readData(`packages/${each.file}`) });
      expect(gaps).toEqual([]);
      expect(lines(each.judge === 'osv-scalibr' ? withoutEpoch(packages) : packages)).toEqual(lines(each.expected));
      expect(new Set(packages.map(({ key }) => key)).size).toBe(packages.length);
      const details = new Map(packages.map((found) => [`${found.name} ${found.version}`, found]));
      for (const wanted of each.expected as readonly (Expected & Detail)[]) {
        const found = details.get(`${wanted.name} ${wanted.version}`);
        if (found === undefined) continue;
        if (wanted.arch !== undefined) expect(found.purl.qualifiers?.['arch']).toBe(wanted.arch);
        if (wanted.sourceRpm !== undefined) expect(found.purl.qualifiers?.['upstream']).toBe(wanted.sourceRpm);
        if (wanted.license !== undefined) expect(found.licenses).toEqual([wanted.license]);
        if (wanted.vendor !== undefined) expect(found.properties?.['rpm:vendor']).toBe(wanted.vendor);
        if (wanted.epoch !== undefined) expect(found.purl.qualifiers?.['epoch']).toBe(String(wanted.epoch));
      }
    });
  }

  it('reads a big-endian Berkeley DB file like its little-endian twin', async () => {
    const little = readData('packages/go-rpmdb/centos5-plain/Packages.gz');
    const expected = await catalogFiles(rpmDatabase as Cataloger, { [homes['rpmdb-bdb']]: little });
    const swapped = await catalogFiles(rpmDatabase as Cataloger, { [homes['rpmdb-bdb']]: swapBerkeley(little) });
    expect(swapped.gaps).toEqual([]);
    expect(JSON.stringify(swapped.packages)).toBe(JSON.stringify(expected.packages));
    expect(swapped.packages).toHaveLength(110);
  });

  it('draws edges between packages that need each other, and knows whose file is whose', async () => {
    const distro: Distro = { id: 'mariner', idLike: [], versionId: '2.0', path: 'etc/os-release', layer: 0 };
    const database = readData('packages/go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite.gz');
    const files = { 'var/lib/rpm/rpmdb.sqlite': database };
    const { packages } = await catalogFiles(rpmDatabase as Cataloger, files, distro);
    const bash = packages.find(({ name }) => name === 'bash')!;
    expect(formatPurl(bash.purl)).toBe(
      'pkg:rpm/mariner/bash@5.1.8-1.cm2?arch=x86_64&distro=mariner-2.0&upstream=bash-5.1.8-1.cm2.src.rpm',
    );
    expect(bash.requires).toEqual([
      'glibc-2.34-2.cm2.x86_64',
      'readline-8.1-1.cm2.x86_64',
      'coreutils-8.32-1.cm2.x86_64',
      'grep-3.7-1.cm2.x86_64',
    ]);
    expect([...bash.owns!()]).toContain('bin/bash');
    expect([...bash.owns!()]).not.toContain('etc/skel');
    expect(packages.filter(({ requiresIncomplete }) => requiresIncomplete)).toEqual([]);
  });
});

interface Detail {
  readonly arch?: string;
  readonly sourceRpm?: string;
  readonly license?: string;
  readonly vendor?: string;
  readonly epoch?: number;
}
