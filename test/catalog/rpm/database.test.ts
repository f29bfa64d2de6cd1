import { describe, expect, it } from 'vitest';
import { rpmDatabase, rpmManifest } from '../../../src/catalog/rpm/index.ts';
import type { Cataloger, Distro } from '../../../src/catalog/types.ts';
import { formatPurl } from '../../../src/purl/index.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import {
  buildBerkeley,
  buildHeader,
  buildNdb,
  buildPackage,
  buildRpmSqlite,
  buildSqlite,
  fillPackages,
  tag,
  u32be,
} from './build.ts';

const database = rpmDatabase as Cataloger;

function distro(id: string, versionId?: string): Distro {
  return { id, idLike: [], path: 'etc/os-release', layer: 0, ...(versionId !== undefined && { versionId }) };
}

async function summary(files: Parameters<typeof catalogFiles>[1]) {
  const { packages, gaps } = await catalogFiles(database, files);
  return { names: packages.map(({ name }) => name), gaps: gaps.map(({ path, reason }) => `${path}: ${reason}`) };
}

const [one, two, three] = ['one', 'two', 'three'].map((name) => buildPackage(name)) as [Buffer, Buffer, Buffer];

describe('the rpm database', () => {
  it('is looked for in three directories, of the image and of systems inside the image', () => {
    const wants = (path: string) => rpmDatabase.wants({ path, size: 512, mode: 0o644, head: one.subarray(0, 512) });
    for (const directory of ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm']) {
      for (const name of ['Packages', 'Packages.db', 'rpmdb.sqlite', 'rpmdb.sqlite-wal', 'rpmdb.sqlite-journal']) {
        expect(wants(`${directory}/${name}`)).toBe(true);
        expect(wants(`rootfs/${directory}/${name}`)).toBe(name !== 'Packages');
      }
    }
    for (const path of ['var/lib/rpm/Name', 'home/test/rpm/rpmdb.sqlite', 'Packages', 'xvar/lib/rpm/rpmdb.sqlite']) {
      expect(wants(path)).toBe(false);
    }
  });

  it('inside the image is known by its first bytes where its name is not enough', async () => {
    const home = 'rootfs/var/lib/rpm/Packages';
    for (const bytes of [buildNdb([one]), buildBerkeley([one]), buildRpmSqlite([one])]) {
      expect(await summary({ [home]: bytes })).toEqual({ names: ['one'], gaps: [] });
    }
    expect(await summary({ [home]: 'a list of packages' })).toEqual({ names: [], gaps: [] });
    const hidden = { path: home, size: 5, mode: 0o644, head: Buffer.alloc(0) };
    expect(rpmDatabase.wants(hidden)).toBe(true);
    expect(rpmDatabase.read({ ...hidden, bytes: Buffer.from('hello') }, () => expect.fail())).toBeUndefined();
  });

  it('is read by what it is, not by what it is called', async () => {
    for (const bytes of [buildNdb([one, two]), buildBerkeley([one, two]), buildRpmSqlite([one, two])]) {
      expect(await summary({ 'var/lib/rpm/Packages': bytes })).toEqual({ names: ['one', 'two'], gaps: [] });
    }
  });

  it('of an unknown format is a gap', async () => {
    const { names, gaps } = await summary({ 'var/lib/rpm/Packages': 'hello' });
    expect(names).toEqual([]);
    expect(gaps).toEqual(['var/lib/rpm/Packages: neither a SQLite, nor an ndb, nor a Berkeley DB file']);
  });

  it('that is an empty file is a gap, unless it lies beside a full one', async () => {
    const gap = 'var/lib/rpm/Packages: the database is an empty file';
    expect(await summary({ 'var/lib/rpm/Packages': '' })).toEqual({ names: [], gaps: [gap] });
    const files = { 'var/lib/rpm/Packages': '', 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([one]) };
    expect(await summary(files)).toEqual({ names: ['one'], gaps: [] });
  });

  it('without packages is no gap', async () => {
    expect(await summary({ 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([]) })).toEqual({ names: [], gaps: [] });
  });

  it('with a damaged entry gives the others and names the entry', async () => {
    const bad = [one, Buffer.from('no header at all'), three];
    expect(await summary({ 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite(bad) })).toEqual({
      names: ['one', 'three'],
      gaps: ['var/lib/rpm/rpmdb.sqlite: package 2 cannot be read: its header has an impossible size'],
    });
  });

  it('with very many damaged entries counts them instead of naming them all', async () => {
    const bad = Array.from({ length: 500 }, () => Buffer.from('no header at all'));
    const { gaps } = await summary({ 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([...bad, one]) });
    expect(gaps).toHaveLength(21);
    expect(gaps.at(-1)).toBe('var/lib/rpm/rpmdb.sqlite: 480 further parts cannot be read');
  });

  it('lists imported keys as rpm does, and marks them', async () => {
    const key = buildHeader({ [tag.name]: 'gpg-pubkey', [tag.version]: 'f4a80eb5', [tag.release]: '53a7ff4b' });
    const files = { 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([key, buildPackage('gpg-pubkey-tools')]) };
    const { packages } = await catalogFiles(rpmDatabase, files);
    const marks = packages.map(({ name, properties }) => [name, properties?.['rpm:public-key']]);
    expect(marks.sort()).toEqual([
      ['gpg-pubkey', 'true'],
      ['gpg-pubkey-tools', undefined],
    ]);
  });
});

describe('several databases', () => {
  it('of different formats in one place: the newest format counts, what only another knows is a gap', async () => {
    const files = {
      'var/lib/rpm/Packages': buildBerkeley([one, three]),
      'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([one, two]),
    };
    expect(await summary(files)).toEqual({
      names: ['one', 'two'],
      gaps: ['var/lib/rpm/Packages: packages that stand only here, not in rpmdb.sqlite, are not counted: 1'],
    });
  });

  it('of which the newest is empty or unreadable: the next one counts', async () => {
    const old = { 'var/lib/rpm/Packages': buildBerkeley([one]) };
    expect((await summary({ ...old, 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([]) })).names).toEqual(['one']);
    const broken = await summary({ ...old, 'var/lib/rpm/Packages.db': 'RpmP' });
    expect(broken).toEqual({ names: ['one'], gaps: ['var/lib/rpm/Packages.db: not an ndb database'] });
  });

  it('in different places all count, and a package in both is one package', async () => {
    const { packages, gaps } = await catalogFiles(database, {
      'usr/share/rpm/rpmdb.sqlite': buildRpmSqlite([one, two]),
      'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([one, three]),
    });
    expect(gaps).toEqual([]);
    expect(packages.map(({ name }) => name).sort()).toEqual(['one', 'three', 'two']);
    const places = packages.find(({ name }) => name === 'one')?.places.map(({ path }) => path);
    expect(places).toEqual(['var/lib/rpm/rpmdb.sqlite', 'usr/share/rpm/rpmdb.sqlite']);
  });
});

describe('systems inside the image', () => {
  const libc = buildPackage('libc', {
    [tag.requireName]: ['rpmlib(x)'],
    [tag.baseNames]: ['sh'],
    [tag.directoryNames]: ['/usr/bin/'],
    [tag.directoryIndexes]: [0],
  });
  const app = buildPackage('app', { [tag.requireName]: ['libc', '/usr/bin/sh', 'extra'] });
  const extra = buildPackage('extra', { [tag.requireName]: ['rpmlib(x)'] });
  const deployment = 'sysroot/ostree/deploy/os/deploy/0a1b.0';

  it('have packages, edges, files and a distribution of their own', async () => {
    const database = buildRpmSqlite([libc, app]);
    const files = {
      'usr/share/rpm/rpmdb.sqlite': buildRpmSqlite([libc, app, extra]),
      [`${deployment}/usr/share/rpm/rpmdb.sqlite`]: database,
      [`${deployment}/usr/lib/os-release`]: 'ID=centos\nVERSION_ID=9\n',
      'rootfs/var/lib/rpm/rpmdb.sqlite': database,
    };
    const { packages, gaps } = await catalogFiles(rpmDatabase as Cataloger, files, distro('fedora', '41'));
    expect(gaps).toEqual([]);
    const described = packages.map(({ key, purl, requires, requiresIncomplete, owns }) => {
      const { namespace, qualifiers } = purl;
      return [key, namespace, qualifiers?.['distro'], requires, requiresIncomplete === true, [...owns!()]];
    });
    const v = '-1.0-1.el9.x86_64';
    const ostree = `${deployment}/`;
    expect(described).toEqual([
      [`rootfs/libc${v}`, 'unknown', undefined, [], false, ['rootfs/usr/bin/sh']],
      [`rootfs/app${v}`, 'unknown', undefined, [`rootfs/libc${v}`], true, []],
      [`${ostree}libc${v}`, 'centos', 'centos-9', [], false, [`${ostree}usr/bin/sh`]],
      [`${ostree}app${v}`, 'centos', 'centos-9', [`${ostree}libc${v}`], true, []],
      [`libc${v}`, 'fedora', 'fedora-41', [], false, ['usr/bin/sh']],
      [`app${v}`, 'fedora', 'fedora-41', [`libc${v}`, `extra${v}`], false, []],
      [`extra${v}`, 'fedora', 'fedora-41', [], false, []],
    ]);
  });

  it('with one database under two names have each package and each edge once', async () => {
    const database = buildRpmSqlite([libc, app]);
    const { packages, gaps } = await catalogFiles(rpmDatabase as Cataloger, {
      'rootfs/usr/share/rpm/rpmdb.sqlite': database,
      'rootfs/usr/lib/sysimage/rpm/rpmdb.sqlite': database,
    });
    expect(gaps).toEqual([]);
    expect(packages.map(({ name, requires, places }) => [name, requires?.length, places.length])).toEqual([
      ['libc', 0, 2],
      ['app', 1, 2],
    ]);
  });

  it('have a write-ahead log of their own', async () => {
    const home = 'rootfs/var/lib/rpm/rpmdb.sqlite';
    const logged = buildSqlite((sqlite) => {
      fillPackages(sqlite, [one]);
      sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
      fillPackages(sqlite, [two]);
    });
    const files = { [home]: logged.database, 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([three]) };
    expect((await summary({ ...files, [`${home}-wal`]: logged.log })).names).toEqual(['one', 'two', 'three']);
    const elsewhere = await summary({ [home]: logged.database, 'var/lib/rpm/rpmdb.sqlite-wal': logged.log });
    expect(elsewhere.names).toEqual(['one']);
    expect(elsewhere.gaps).toEqual([
      'var/lib/rpm/rpmdb.sqlite-wal: the newest package changes, stated here, are not counted',
    ]);
  });
});

describe('a database that was made to hurt', () => {
  it('of more packages than any system has is read up to a bound, and says so', async () => {
    const slots = 200_100;
    const pages = Math.ceil((32 + 16 * slots) / 4096);
    const bytes = Buffer.alloc(4096 * pages, 'Slot');
    bytes.fill(0, 0, 32);
    bytes.write('RpmP');
    bytes.writeUInt32LE(pages, 12);
    for (let at = 32; at + 16 <= bytes.length; at += 16) bytes.writeUInt32LE(1, at + 8);
    const { names, gaps } = await summary({ 'var/lib/rpm/Packages.db': bytes });
    expect(names).toEqual([]);
    expect(gaps[20]).toContain('it is damaged in too many parts; the rest is not read');
    expect(gaps).toHaveLength(22);
  });

  it('with more names than are kept still gives every package, and says so', async () => {
    const needs = Array.from({ length: 300_000 }, (_, index) => `n${index}`);
    const greedy = buildPackage('greedy', { [tag.requireName]: needs });
    const { names, gaps } = await summary({
      'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([...Array.from({ length: 8 }, () => greedy), one]),
    });
    expect(names).toEqual(['greedy', 'one']);
    expect(gaps).toEqual([
      expect.stringMatching(/: packages whose files and requirements are too many to be kept: [1-7]$/),
    ]);
  });

  it('with texts of absurd length stops, and says so', async () => {
    const long = 'x'.repeat(60_000);
    const tags = { [tag.vendor]: long, [tag.sourceRpm]: long, [tag.release]: long };
    const verbose = Array.from({ length: 400 }, (_, index) => buildPackage(`p${index}`, tags));
    const { names, gaps } = await summary({ 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite(verbose) });
    expect(names.length).toBeGreaterThan(300);
    expect(names.length).toBeLessThan(400);
    expect(gaps).toEqual([
      `var/lib/rpm/rpmdb.sqlite: it has too much text about its packages; those after the first ${names.length} are not counted`,
    ]);
  });
});

describe('beside the SQLite database', () => {
  const files = buildSqlite((sqlite) => {
    fillPackages(sqlite, [one]);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    fillPackages(sqlite, [two, three]);
    sqlite.exec('DELETE FROM Packages WHERE hnum = 1');
  });
  const home = 'var/lib/rpm/rpmdb.sqlite';

  it('a write-ahead log is applied', async () => {
    expect((await summary({ [home]: files.database })).names).toEqual(['one']);
    const both = { [home]: files.database, [`${home}-wal`]: files.log };
    expect(await summary(both)).toEqual({ names: ['two', 'three'], gaps: [] });
  });

  it('a log brings the very first packages, too', async () => {
    const young = buildSqlite((sqlite) => {
      sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
      fillPackages(sqlite, [one]);
    });
    const alone = await summary({ [home]: young.database });
    expect(alone).toEqual({ names: [], gaps: [`${home}: it has no table Packages`] });
    const both = await summary({ [home]: young.database, [`${home}-wal`]: young.log });
    expect(both).toEqual({ names: ['one'], gaps: [] });
  });

  it('an empty log changes nothing', async () => {
    expect(await summary({ [home]: files.database, [`${home}-wal`]: '' })).toEqual({ names: ['one'], gaps: [] });
  });

  it('a log that cannot be read is a gap, and so is one without its database', async () => {
    const broken = await summary({ [home]: files.database, [`${home}-wal`]: 'x'.repeat(100) });
    expect(broken).toEqual({ names: ['one'], gaps: [`${home}-wal: not a write-ahead log`] });
    const orphan = await summary({ [`${home}-wal`]: files.log });
    expect(orphan.gaps).toEqual([`${home}-wal: the newest package changes, stated here, are not counted`]);
  });

  it('a log of another page size is a gap', async () => {
    const other = buildSqlite((sqlite) => {
      sqlite.exec('PRAGMA page_size = 1024');
      fillPackages(sqlite, [one]);
    }).database;
    const { names, gaps } = await summary({ [home]: other, [`${home}-wal`]: files.log });
    expect(names).toEqual(['one']);
    expect(gaps[0]).toContain('the database cannot be read with its log');
  });

  it('a rollback journal of a cut-off transaction is a gap, one that is done with is not', async () => {
    const hot = Buffer.concat([u32be(0xd9d505f9, 0x20a163d7, 1), Buffer.alloc(500)]);
    const { gaps } = await summary({ [home]: buildRpmSqlite([one]), [`${home}-journal`]: hot });
    expect(gaps).toEqual([`${home}-journal: a transaction on the package database was cut off, so it may be wrong`]);
    const unused = Buffer.concat([u32be(0xd9d505f9, 0x20a163d7, 0), Buffer.alloc(500)]);
    for (const journal of [Buffer.alloc(0), Buffer.alloc(512), unused]) {
      const done = await summary({ [home]: buildRpmSqlite([one]), [`${home}-journal`]: journal });
      expect(done).toEqual({ names: ['one'], gaps: [] });
    }
  });
});

describe('the purl of an rpm package', () => {
  const rich = buildPackage('vim', {
    [tag.epoch]: 2,
    [tag.sourceRpm]: 'vim-1.0-1.el9.src.rpm',
    [tag.vendor]: 'SUSE LLC <https://www.suse.com/>',
  });

  async function purl(of: Distro | undefined) {
    const { packages } = await catalogFiles(database, { 'var/lib/rpm/rpmdb.sqlite': buildRpmSqlite([rich]) }, of);
    const [found] = packages;
    expect(found?.version).toBe('2:1.0-1.el9');
    return `${formatPurl(found!.purl)} ${found?.properties?.['rpm:namespace'] ?? ''}`.trim();
  }

  it('has the distribution as namespace, with the vendors that advisories use', async () => {
    const rest = 'epoch=2&upstream=vim-1.0-1.el9.src.rpm';
    expect(await purl(distro('fedora', '41'))).toBe(
      `pkg:rpm/fedora/vim@1.0-1.el9?arch=x86_64&distro=fedora-41&${rest}`,
    );
    expect(await purl(distro('rhel', '9.4'))).toBe(`pkg:rpm/redhat/vim@1.0-1.el9?arch=x86_64&distro=rhel-9.4&${rest}`);
    expect(await purl(distro('rhcos', '4.12'))).toBe(
      `pkg:rpm/redhat/vim@1.0-1.el9?arch=x86_64&distro=rhcos-4.12&${rest}`,
    );
    expect(await purl(distro('opensuse-leap', '15.6'))).toBe(
      `pkg:rpm/opensuse/vim@1.0-1.el9?arch=x86_64&distro=opensuse-leap-15.6&${rest}`,
    );
  });

  it('has an assumed namespace where no distribution is told', async () => {
    expect(await purl(undefined)).toBe(
      'pkg:rpm/suse/vim@1.0-1.el9?arch=x86_64&epoch=2&upstream=vim-1.0-1.el9.src.rpm assumed',
    );
  });
});

describe('a container manifest', () => {
  const home = 'var/lib/rpmmanifest/container-manifest-2';
  const line =
    'vim\t9.0-1.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t2\t45000\tx86_64\t2\tvim-9.0-1.cm2.src.rpm';

  it('gives a package for each line', async () => {
    const { packages, gaps } = await catalogFiles(
      rpmManifest as Cataloger,
      { [home]: `${line}\r\n` },
      distro('mariner'),
    );
    expect(gaps).toEqual([]);
    expect(packages).toMatchObject([
      {
        name: 'vim',
        version: '2:9.0-1.cm2',
        supplier: { name: 'Microsoft Corporation' },
        requiresIncomplete: true,
        properties: { 'rpm:installed-size': '45000', 'rpm:install-time': '2022-05-29T09:29:51Z' },
      },
    ]);
    expect(formatPurl(packages[0]!.purl)).toBe(
      'pkg:rpm/mariner/vim@9.0-1.cm2?arch=x86_64&distro=mariner&epoch=2&upstream=vim-9.0-1.cm2.src.rpm',
    );
  });

  it('names the lines that cannot be read', async () => {
    const text = `${line}\nbash\t5.1\nzlib\tno version\t1\t1\t-\t-\t1\tx\t0\t-\n\n`;
    const { packages, gaps } = await catalogFiles(rpmManifest as Cataloger, { [home]: text });
    expect(packages).toHaveLength(1);
    expect(gaps).toEqual([{ path: home, reason: 'lines that cannot be read: 2, the first is line 2' }]);
  });

  it('of a system inside the image speaks of that system only', async () => {
    const { packages, gaps } = await catalogFiles(
      rpmManifest as Cataloger,
      { [home]: line, [`rootfs/${home}`]: line, 'rootfs/etc/os-release': 'ID=azurelinux\nVERSION_ID="3.0"\n' },
      distro('mariner', '2.0'),
    );
    expect(gaps).toEqual([]);
    expect(packages.map(({ key, purl }) => [key, purl.qualifiers?.['distro']])).toEqual([
      ['rootfs/vim-2:9.0-1.cm2.x86_64', 'azurelinux-3.0'],
      ['vim-2:9.0-1.cm2.x86_64', 'mariner-2.0'],
    ]);
  });

  it('has bounds on its size, its lines and its packages', async () => {
    expect(rpmManifest.maxBytes?.(home)).toBe(16 * 1024 * 1024);
    const wide = `${line}\n${line}\t${'x'.repeat(20_000)}\n`;
    const cut = await catalogFiles(rpmManifest as Cataloger, { [home]: wide });
    expect(cut.packages).toHaveLength(1);
    expect(cut.gaps).toEqual([{ path: home, reason: 'lines that cannot be read: 1, the first is line 2' }]);
    const many = await catalogFiles(rpmManifest as Cataloger, { [home]: `${line}\n`.repeat(50_001) });
    expect(many.packages).toHaveLength(1);
    expect(many.gaps).toEqual([
      { path: home, reason: 'it has more than 50000 packages; those from line 50001 on are not counted' },
    ]);
  });
});
