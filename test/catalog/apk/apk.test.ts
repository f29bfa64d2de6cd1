import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apk } from '../../../src/catalog/apk/index.ts';
import type { Distro } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, packageCases, readData } from '../../kit/data.ts';

const installed = 'lib/apk/db/installed';
const alpine: Distro = { id: 'alpine', idLike: [], versionId: '3.20.2', path: 'etc/os-release', layer: 0 };

const binsh =
  'C:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=\nP:busybox-binsh\nV:1.36.1-r15\nA:x86_64\nS:1543\nI:8192\nT:busybox ash /bin/sh\n' +
  'U:https://busybox.net/\nL:GPL-2.0-only\no:busybox\nm:S\u00f6ren Tempel <soeren@example.org>\nt:1699383189\n' +
  'c:d1b6f274f29076967826e0ecf6ebcaa5d360272f\nD:busybox=1.36.1-r15 !busybox-ash\np:/bin/sh cmd:sh=1.36.1-r15\n' +
  'F:\nR:top\nF:bin\nM:0:0:755\nR:sh\na:0:0:777\nZ:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=\n';
const busybox = 'P:busybox\nV:1.36.1-r15\nD:so:libc.musl-x86_64.so.1 so:gone.so\n';
const musl = 'P:musl\nV:1.2.4-r4\np:so:libc.musl-x86_64.so.1=1\n';
const bash = 'P:bash\nV:5\nD:/bin/sh musl>=1.2 cmd:bash\np:cmd:bash=5\n';
const all = [binsh, busybox, musl, bash].join('\n');

describe('the database of apk', () => {
  test('tells what a package is', async () => {
    const { packages, gaps } = await catalogFiles(apk, { [installed]: binsh }, alpine);
    expect(gaps).toEqual([]);
    const { owns, ...told } = packages[0]!;
    expect(told).toEqual({
      key: 'busybox-binsh',
      purl: {
        ...{ type: 'apk', namespace: 'alpine', name: 'busybox-binsh', version: '1.36.1-r15' },
        qualifiers: { arch: 'x86_64', distro: 'alpine-3.20.2', upstream: 'busybox' },
      },
      ...{ name: 'busybox-binsh', version: '1.36.1-r15', licenses: ['GPL-2.0-only'] },
      supplier: { name: 'S\u00f6ren Tempel', email: 'soeren@example.org' },
      ...{ description: 'busybox ash /bin/sh', homepage: 'https://busybox.net/' },
      places: [{ path: installed, layer: 0 }],
      ...{ requires: [], requiresIncomplete: true, technique: 'manifest-analysis', confidence: 1 },
      properties: {
        ...{ 'apk:origin': 'busybox', 'apk:checksum': 'Q1pcfTfDNEbNKQc2s1tia7da05M8Q=', 'apk:size': '1543' },
        ...{ 'apk:commit': 'd1b6f274f29076967826e0ecf6ebcaa5d360272f', 'apk:build-time': '1699383189' },
        'apk:installed-size': '8192',
      },
    });
    expect([...owns!()]).toEqual(['top', 'bin/sh']);
  });

  test('resolves needs by name, library, command and path, and says what is missing', async () => {
    const { packages } = await catalogFiles(apk, { [installed]: all }, alpine);
    expect(packages.map(({ key, requires, requiresIncomplete }) => [key, requires, requiresIncomplete])).toEqual([
      ['busybox-binsh', ['busybox'], undefined],
      ['busybox', ['musl'], true],
      ['musl', [], undefined],
      ['bash', ['busybox-binsh', 'musl'], undefined],
    ]);
  });

  test('names records without a name or a version, repeated fields and broken lines', async () => {
    const text = 'V:1\n\nP:x\n\nP:y\nV:1\nV:2\n\nF:bin\nR:orphan\n\nP:z\nV:1\nrubbish\n';
    const { packages, gaps } = await catalogFiles(apk, { [installed]: text }, alpine);
    expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual(['y 1', 'z 1']);
    expect(gaps.map(({ reason }) => reason)).toEqual([
      'a record without a package name (P)',
      'package "x" has no version (V)',
      'package "y" states V more than once',
      'a record without a package name (P)',
      '1 of its lines are no field',
    ]);
  });

  test('a name below the files counts, and CRLF is tolerated', async () => {
    const { packages } = await catalogFiles(
      apk,
      { [installed]: 'F:bin\r\nR:sh\r\nP:x\r\nV:1\r\n\r\nP:y\r\nV:2' },
      alpine,
    );
    expect(packages.map(({ name, version, owns }) => [name, version, [...owns!()]])).toEqual([
      ['x', '1', ['bin/sh']],
      ['y', '2', []],
    ]);
  });

  test('something else under that name is unreadable, an empty one is empty', async () => {
    expect((await catalogFiles(apk, { [installed]: 'SQLite' })).gaps).toEqual([
      { path: installed, reason: 'not an apk database: no field in it' },
    ]);
    expect(await catalogFiles(apk, { [installed]: '' })).toEqual({ packages: [], gaps: [] });
  });

  test('both places of the database are read; equal packages are one in two places', async () => {
    const { packages } = await catalogFiles(apk, { [installed]: musl, [`usr/${installed}`]: `${musl}\nP:musl\nV:9\n` });
    expect(packages.map(({ key, places }) => [key, places.length])).toEqual([
      ['musl', 2],
      ['musl@9', 1],
    ]);
  });

  test('a system inside the image has needs and a name of its own', async () => {
    const { packages } = await catalogFiles(
      apk,
      { [installed]: musl, [`opt/r/${installed}`]: bash, 'opt/r/etc/os-release': 'ID=wolfi\nVERSION_ID=20230201\n' },
      alpine,
    );
    expect(packages.map(({ key, purl, requires }) => [key, purl.qualifiers?.['distro'], requires])).toEqual([
      ['musl', 'alpine-3.20.2', []],
      ['opt/r/bash', 'wolfi-20230201', []],
    ]);
  });

  test('without a distribution the vendor is Alpine, and said to be assumed', async () => {
    const [found] = (await catalogFiles(apk, { [installed]: musl })).packages;
    expect(found?.purl).toEqual({ type: 'apk', namespace: 'alpine', name: 'musl', version: '1.2.4-r4' });
    expect(found?.properties).toEqual({ 'apk:vendor': 'assumed' });
  });

  test('bounds how many providers of one name are taken', async () => {
    const crowd = Array.from({ length: 100 }, (_, index) => `P:p${index}\nV:1\nD:v\np:v\n`).join('\n');
    const { packages } = await catalogFiles(apk, { [installed]: `${crowd}\nP:x\nV:1\nD:v\n` });
    expect(packages.at(-1)).toMatchObject({ name: 'x', requiresIncomplete: true });
    expect(packages.at(-1)?.requires).toHaveLength(32);
  });

  test('ends with packages, gaps or Unreadable on any bytes, and keys are unique', async () => {
    const line = fc.constantFrom(
      'P:a',
      'P:b',
      'P:',
      'V:1',
      'V:2',
      'D:a b',
      'p:b=1',
      'F:x',
      'R:y',
      'F:',
      '',
      'x',
      '\r',
      ':',
    );
    const text = fc.oneof(
      fc.array(line, { maxLength: 30 }).map((lines) => Buffer.from(lines.join('\n'))),
      fc.uint8Array(),
    );
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        const { packages } = await catalogFiles(apk, { [installed]: Buffer.from(bytes) });
        const keys = packages.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { owns, requires = [] } of packages) {
          for (const path of owns!()) expect(path.startsWith('/')).toBe(false);
          for (const key of requires) expect(keys).toContain(key);
        }
      }),
    );
  });
});

describeData('apk databases with known packages', () => {
  test.each(packageCases('apk').map((each) => [each.case, each] as const))('%s', async (_name, each) => {
    const file = each.kind === 'directory' ? `${each.file}/${installed}` : each.file;
    const { packages } = await catalogFiles(apk, { [installed]: readData(`packages/${file}`) }, alpine);
    const pair = ({ name, version }: { name: string; version?: string }): string => `${name}@${version}`;
    expect(packages.map(pair).sort()).toEqual(each.expected.map(pair).sort());
  });

  test('of a real image with 31 packages, all needs are met', async () => {
    const bytes = readData('packages/osv-scalibr-apk/alpine-with-packages.layerdb3.installed');
    const { packages } = await catalogFiles(apk, { [installed]: bytes }, alpine);
    expect(packages.filter(({ requiresIncomplete }) => requiresIncomplete)).toEqual([]);
    expect(packages.find(({ name }) => name === 'bash')?.requires).toEqual(['busybox-binsh', 'musl', 'readline']);
    expect([...packages.find(({ name }) => name === 'musl')!.owns!()]).toEqual([
      ...['lib/ld-musl-x86_64.so.1', 'lib/libc.musl-x86_64.so.1'],
    ]);
  });
});

test('a hostile database is cut, and its gaps are counted instead of told one by one', async () => {
  const text = 'P:a\n\n'.repeat(200_010);
  const { packages, gaps } = await catalogFiles(apk, { 'lib/apk/db/installed': text });
  expect(packages).toEqual([]);
  expect(gaps).toHaveLength(102);
  expect(gaps.slice(100).map(({ reason }) => reason)).toEqual([
    'has more than 200000 records; the rest was not read',
    '199900 more of its records have problems like these',
  ]);
});

test('a path that no file system takes is nobody’s, and a field of mebibytes is named', async () => {
  const text = `P:a\nV:1\nD:${'x'.repeat(2 ** 20)}\nF:${'d'.repeat(5000)}\nF:bin\nR:sh\nR:${'r'.repeat(5000)}\n\n`;
  const { packages, gaps } = await catalogFiles(apk, { 'lib/apk/db/installed': text });
  expect(packages.map(({ owns }) => [...(owns?.() ?? [])])).toEqual([['bin/sh']]);
  expect(gaps.map(({ reason }) => reason)).toEqual(['package "a" has a field too long to be read']);
});

test('the database may have 48 MiB', () => {
  expect(apk.maxBytes?.('lib/apk/db/installed')).toBe(48 * 2 ** 20);
});
