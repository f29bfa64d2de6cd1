import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dpkg } from '../../../src/catalog/dpkg/index.ts';
import type { Distro, TreeView } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';

const debian: Distro = { id: 'debian', idLike: [], versionId: '12', path: 'etc/os-release', layer: 0 };

const stanza = (name: string, more = '', status = 'install ok installed'): string =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: 1.0\n${more}\n`;

const status = 'var/lib/dpkg/status';

describe('the dpkg status file', () => {
  test('tells what a package is', async () => {
    const bash =
      'Package: bash\nEssential: yes\nStatus: install ok installed\nPriority: required\nSection: shells\n' +
      'Installed-Size: 7164\nMaintainer: Matthias Klose <doko@debian.org>\nArchitecture: amd64\nMulti-Arch: foreign\n' +
      'Source: bash (5.2.15-2)\nVersion: 5.2.15-2+b8\nDescription: GNU Bourne Again SHell\n Bash is a shell.\n' +
      'Homepage: http://tiswww.case.edu/php/chet/bash/bashtop.html\n';
    const { packages, gaps } = await catalogFiles(dpkg, { [status]: bash }, debian);
    expect(gaps).toEqual([]);
    expect(packages).toEqual([
      {
        key: 'bash:amd64',
        purl: {
          ...{ type: 'deb', namespace: 'debian', name: 'bash', version: '5.2.15-2+b8' },
          qualifiers: { arch: 'amd64', distro: 'debian-12', upstream: 'bash@5.2.15-2' },
        },
        ...{ name: 'bash', version: '5.2.15-2+b8', description: 'GNU Bourne Again SHell' },
        supplier: { name: 'Matthias Klose', email: 'doko@debian.org' },
        homepage: 'http://tiswww.case.edu/php/chet/bash/bashtop.html',
        places: [{ path: status, layer: 0 }],
        requires: [],
        ...{ technique: 'manifest-analysis', confidence: 1 },
        properties: {
          ...{ 'dpkg:source': 'bash', 'dpkg:source-version': '5.2.15-2', 'dpkg:section': 'shells' },
          ...{ 'dpkg:priority': 'required', 'dpkg:essential': 'yes', 'dpkg:multi-arch': 'foreign' },
          'dpkg:installed-size': '7164',
        },
      },
    ]);
  });

  test.each([
    ['install ok installed', true],
    ['hold ok installed', true],
    ['deinstall ok installed', true],
    ['purge ok installed', true],
    ['install reinstreq half-installed', true],
    ['install ok unpacked', true],
    ['install ok half-configured', true],
    ['install ok triggers-awaited', true],
    ['install ok triggers-pending', true],
    ['Install OK Installed', true],
    ['deinstall ok config-files', false],
    ['purge ok not-installed', false],
    ['unknown ok not-installed', false],
  ])('a package whose status is "%s" is there: %s', async (line, there) => {
    const { packages, gaps } = await catalogFiles(dpkg, { [status]: stanza('x', '', line) }, debian);
    expect(packages.map(({ name }) => name)).toEqual(there ? ['x'] : []);
    expect(gaps).toEqual([]);
    const plain = !there || line.toLowerCase() === 'install ok installed';
    expect(packages[0]?.properties?.['dpkg:status']).toBe(plain ? undefined : line);
  });

  test('a state that nobody knows is counted and named; no Status is named and not counted', async () => {
    const files = { [status]: `${stanza('odd', '', 'install ok haunted')}\nPackage: bare\nVersion: 1\n` };
    const { packages, gaps } = await catalogFiles(dpkg, files, debian);
    expect(packages.map(({ name }) => name)).toEqual(['odd']);
    expect(gaps.map(({ reason }) => reason)).toEqual([
      'package "odd" is in a state that is not known',
      'package "bare" has no Status, so nothing says that it is installed',
    ]);
  });

  test('two architectures of one name are two packages, each with its own list', async () => {
    const other = stanza('libc6').replace('amd64', 'i386');
    const { packages } = await catalogFiles(dpkg, {
      [status]: `${stanza('libc6')}\n${other}`,
      'var/lib/dpkg/info/libc6:amd64.list': '/.\n/usr\n/usr/lib/a.so\n',
      'var/lib/dpkg/info/libc6:i386.list': '/usr/lib/b.so\n',
    });
    expect(packages.map(({ key, owns }) => [key, [...owns!()]])).toEqual([
      ['libc6:amd64', ['usr/lib/a.so']],
      ['libc6:i386', ['usr/lib/b.so']],
    ]);
  });

  test('of two records of one package the last counts, and a gap says so', async () => {
    const files = { [status]: `${stanza('x')}\n${stanza('x').replace('1.0', '2.0')}` };
    const { packages, gaps } = await catalogFiles(dpkg, files, debian);
    expect(packages.map(({ version }) => version)).toEqual(['2.0']);
    expect(gaps).toEqual([{ path: status, reason: 'package "x" stands there more than once; the last record counts' }]);
  });

  test('a field stated twice is named', async () => {
    const { packages, gaps } = await catalogFiles(dpkg, { [status]: stanza('x', 'version: 9\n') }, debian);
    expect(packages.map(({ version }) => version)).toEqual(['1.0']);
    expect(gaps.map(({ reason }) => reason)).toEqual(['package "x" states version more than once']);
  });

  test('the journal of a dpkg that was stopped is applied', async () => {
    const { packages, gaps } = await catalogFiles(dpkg, {
      'var/lib/dpkg/updates/0001': stanza('new'),
      'var/lib/dpkg/updates/0000': stanza('old', '', 'deinstall ok config-files'),
      [status]: stanza('old'),
      'var/lib/dpkg/info/new.list': '/bin/new\n',
    });
    expect(packages.map(({ name, owns }) => [name, [...owns!()]])).toEqual([['new', ['bin/new']]]);
    expect(gaps).toEqual([]);
  });

  test('something else under that name is unreadable; backups of the database are no databases', async () => {
    expect((await catalogFiles(dpkg, { [status]: '\u007fELF\n' })).gaps.map(({ reason }) => reason)).toEqual([
      'not a package database: no field in it',
    ]);
    for (const path of ['var/lib/dpkg/status-old', 'var/lib/dpkg/available', 'usr/share/dpkg/status']) {
      expect((await catalogFiles(dpkg, { [path]: stanza('x') })).packages).toEqual([]);
    }
  });

  test('lists of files without a record say that the database was cut', async () => {
    const files = {
      [status]: stanza('a'),
      'var/lib/dpkg/info/b.list': '/b\n',
      'var/lib/dpkg/info/a:amd64.list': '/a\n',
    };
    const gap = { path: 'var/lib/dpkg/info', reason: 'lists of installed files, but no record of the package: "b"' };
    expect((await catalogFiles(dpkg, files)).gaps).toEqual([gap]);
    expect((await catalogFiles(dpkg, { 'var/lib/dpkg/info/b.list': '/b\n' })).gaps).toEqual([gap]);
  });

  test('without a distribution the vendor is Debian, and said to be assumed', async () => {
    const [found] = (await catalogFiles(dpkg, { [status]: stanza('x') })).packages;
    expect(found?.purl).toEqual({
      type: 'deb',
      namespace: 'debian',
      name: 'x',
      version: '1.0',
      qualifiers: { arch: 'amd64' },
    });
    expect(found?.properties?.['dpkg:vendor']).toBe('assumed');
  });
});

describe('status.d', () => {
  test('has one package for each file, whatever the file is called', async () => {
    const { packages, gaps } = await catalogFiles(dpkg, {
      'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\nMaintainer: x\n',
      'var/lib/dpkg/status.d/base.md5sums': '07d31e7e63800ab1b7966980709c51eb  usr/lib/os-release\nnot a sum\n',
      'var/lib/dpkg/status.d/hidden.md5sums': 'Package: hidden\nVersion: 1\n',
      'var/lib/dpkg/status.d/netbase': 'nothing\n',
      'var/lib/dpkg/status.d/.keep': '',
    });
    expect(packages.map(({ name, owns }) => [name, owns && [...owns()]])).toEqual([
      ['base-files', ['usr/lib/os-release']],
      ['hidden', undefined],
    ]);
    expect(gaps).toEqual([
      { path: 'var/lib/dpkg/status.d/netbase', reason: 'states no package, where one is expected' },
    ]);
  });

  test('the same package in status and status.d is one in two places, another version is another package', async () => {
    const { packages } = await catalogFiles(dpkg, {
      [status]: `${stanza('same')}\n${stanza('other')}`,
      'var/lib/dpkg/status.d/same': stanza('same'),
      'var/lib/dpkg/status.d/other': stanza('other').replace('1.0', '2.0'),
    });
    expect(packages.map(({ key, places }) => [key, places.length])).toEqual([
      ['same:amd64', 2],
      ['other:amd64', 1],
      ['other:amd64@2.0', 1],
    ]);
  });
});

describe('a system inside the image', () => {
  test('has packages, relations, files and a name of its own', async () => {
    const { packages } = await catalogFiles(
      dpkg,
      {
        [status]: `${stanza('libc6')}\n${stanza('a', 'Depends: libc6\n')}`,
        [`opt/chroot/${status}`]: `${stanza('libc6')}\n${stanza('b', 'Depends: libc6, a\n')}`,
        'opt/chroot/var/lib/dpkg/info/b.list': '/../../etc/b\n',
        'opt/chroot/usr/lib/os-release': 'ID=ubuntu\nVERSION_ID=24.04\n',
        [`srv/${status}`]: stanza('c'),
      },
      debian,
    );
    expect(
      packages.map(({ key, requires, purl }) => [key, requires, purl.namespace, purl.qualifiers?.['distro']]),
    ).toEqual([
      ['opt/chroot/libc6:amd64', [], 'ubuntu', 'ubuntu-24.04'],
      ['opt/chroot/b:amd64', ['opt/chroot/libc6:amd64'], 'ubuntu', 'ubuntu-24.04'],
      ['srv/c:amd64', [], 'debian', undefined],
      ['libc6:amd64', [], 'debian', 'debian-12'],
      ['a:amd64', ['libc6:amd64'], 'debian', 'debian-12'],
    ]);
    const b = packages.find(({ name }) => name === 'b')!;
    expect(b.requiresIncomplete).toBe(true);
    expect([...b.owns!()]).toEqual(['opt/chroot/etc/b']);
  });
});

describe('what lies beside the database', () => {
  const linked: TreeView = {
    resolve: (path) => path.replace(/^lib/, 'usr/lib').replace('doc/cpp/', 'doc/gcc-base/'),
    list: () => [],
    read: () => Promise.reject(new Error('not asked for')),
  };

  test('licences are found through linked folders, and owned files where the directories really are', async () => {
    const found = Object.entries({
      [status]: `${stanza('cpp')}\n${stanza('../etc')}`,
      'usr/share/doc/gcc-base/copyright': 'See /usr/share/common-licenses/GPL-3.\n',
      'var/lib/dpkg/info/cpp.list': '/lib\n/lib/cpp\n/bin/caf\u00e9\n',
    }).map(([path, text]) => {
      const bytes = Buffer.from(text);
      const file = { path, size: bytes.length, mode: 0o644, head: bytes, bytes };
      expect(dpkg.wants(file)).toBe(true);
      return { path, layer: 0, size: 0, fact: dpkg.read(file, () => {})! };
    });
    const packages = await dpkg.assemble(found, { tree: linked, distro: debian, gap: () => {} });
    expect(packages.map(({ licenses }) => licenses)).toEqual([['GPL-3'], undefined]);
    expect([...packages[0]!.owns!()]).toEqual(['usr/lib/cpp', 'bin/caf\u00e9']);
  });

  test('a path that is not UTF-8 keeps its bytes', async () => {
    const list = Buffer.from([0x2f, 0x62, 0xff, 0x0d, 0x0a]);
    const { packages } = await catalogFiles(dpkg, { [status]: stanza('x'), 'var/lib/dpkg/info/x.list': list });
    expect([...packages[0]!.owns!()]).toEqual(['b\udcff']);
  });
});

test('ends with packages, gaps or Unreadable on any bytes, and keys are unique', async () => {
  const line = fc.constantFrom(
    ...[
      'Package: a',
      'Package: b',
      'Package:',
      'Version: 1',
      'Version: 2',
      'Status: install ok installed',
      'Status: x',
    ],
    ...[
      'Depends: a | b, c:any',
      'Provides: a, c',
      'Source: (',
      'Architecture: amd64',
      ' more',
      '\t',
      '',
      '\u0000',
      ':',
      '\r',
    ],
  );
  const text = fc.oneof(
    fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n')),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(text, text, text, async (first, second, third) => {
      const { packages } = await catalogFiles(dpkg, {
        [status]: first,
        'var/lib/dpkg/status.d/x': second,
        'var/lib/dpkg/info/a.list': third,
        'usr/share/doc/a/copyright': third,
      });
      const keys = packages.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { owns, requires = [] } of packages) {
        if (owns !== undefined) for (const path of owns()) expect(path.startsWith('/')).toBe(false);
        for (const key of requires) expect(keys).toContain(key);
      }
    }),
  );
});

test('a hostile database is cut, and its gaps are counted instead of told one by one', async () => {
  const record = (at: number) => `Package: p${at}\nStatus: install ok installed\n\n`;
  const status = Array.from({ length: 200_010 }, (_, at) => record(at)).join('');
  const { packages, gaps } = await catalogFiles(dpkg, { 'var/lib/dpkg/status': status });
  expect(packages).toEqual([]);
  expect(gaps).toHaveLength(102);
  expect(gaps.slice(100).map(({ reason }) => reason)).toEqual([
    'has more than 200000 records; the rest was not read',
    '199900 more of its records have problems like these',
  ]);
});

test.each([
  ['var/lib/dpkg/status', 48],
  ['var/lib/dpkg/updates/0001', 48],
  ['var/lib/dpkg/info/a.list', 16],
  ['var/lib/dpkg/status.d/a', 16],
  ['usr/share/doc/a/copyright', 4],
])('%s may have %i MiB', (path, size) => {
  expect(dpkg.maxBytes?.(path)).toBe(size * 2 ** 20);
});
