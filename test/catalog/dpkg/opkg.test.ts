import { describe, expect, test } from 'vitest';
import { opkg } from '../../../src/catalog/dpkg/index.ts';
import type { Distro } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';

const openwrt: Distro = { id: 'openwrt', idLike: ['lede', 'openwrt'], versionId: '23.05.5', path: '', layer: 0 };

const status =
  'Package: libc\nVersion: 1.2.4-4\nStatus: install hold,user installed\nArchitecture: x86_64\n\n' +
  'Package: curl\nVersion: 8.7.1-r1\nDepends: libc, libcurl4\nStatus: install user installed\nArchitecture: x86_64\n\n' +
  'Package: libcurl\nVersion: 8.7.1-r1\nProvides: libcurl4\nDepends: libc\nStatus: install ok installed\nArchitecture: x86_64\n\n' +
  'Package: gone\nVersion: 1\nStatus: deinstall ok not-installed\nArchitecture: x86_64\n';

const control =
  'Package: curl\nVersion: 8.7.1-r1\nDepends: libc, libcurl4\nSource: feeds/packages/net/curl\nSourceName: curl-src\n' +
  'License: MIT\nSection: net\nURL: http://curl.se/\nCPE-ID: cpe:/a:haxx:libcurl\n' +
  'Maintainer: Stan Grishin <stangri@melmac.ca>\nArchitecture: x86_64\nInstalled-Size: 92187\n' +
  'Description:  A client-side URL transfer utility\n';

describe('opkg', () => {
  test('joins the status file with the control files and lists beside it', async () => {
    const { packages, gaps } = await catalogFiles(
      opkg,
      {
        'usr/lib/opkg/status': status,
        'usr/lib/opkg/info/curl.control': control,
        'usr/lib/opkg/info/curl.list': '/usr/bin/curl\t0100755\n',
      },
      openwrt,
    );
    expect(gaps).toEqual([]);
    expect(packages.map(({ key, requires }) => [key, requires])).toEqual([
      ['libc:x86_64', []],
      ['curl:x86_64', ['libc:x86_64', 'libcurl:x86_64']],
      ['libcurl:x86_64', ['libc:x86_64']],
    ]);
    const curl = packages[1]!;
    expect(curl).toMatchObject({
      purl: {
        ...{ type: 'opkg', namespace: 'openwrt', name: 'curl', version: '8.7.1-r1' },
        qualifiers: { arch: 'x86_64', distro: 'openwrt-23.05.5' },
      },
      ...{ licenses: ['MIT'], homepage: 'http://curl.se/', description: 'A client-side URL transfer utility' },
      supplier: { name: 'Stan Grishin', email: 'stangri@melmac.ca' },
      properties: { 'opkg:source': 'curl-src', 'opkg:cpe-id': 'cpe:/a:haxx:libcurl', 'opkg:section': 'net' },
    });
    expect([...curl.owns!()]).toEqual(['usr/bin/curl']);
  });

  test('counts a control file that the status file does not mention, but not one that it says is gone', async () => {
    const gone = 'Package: gone\nVersion: 1\n';
    const { packages } = await catalogFiles(opkg, {
      'var/lib/opkg/status': status,
      'var/lib/opkg/info/gone.control': gone,
      'var/lib/opkg/info/extra.control': 'Package: extra\nVersion: 2\n',
    });
    expect(packages.map(({ name }) => name)).toEqual(['libc', 'curl', 'libcurl', 'extra']);
    expect((await catalogFiles(opkg, { 'usr/lib/opkg/info/gone.control': gone })).packages).toHaveLength(1);
  });

  test('control data of another version adds nothing', async () => {
    const files = {
      'usr/lib/opkg/status': status,
      'usr/lib/opkg/info/curl.control': control.replace('8.7.1', '8.0.0'),
    };
    const { packages } = await catalogFiles(opkg, files, openwrt);
    expect(packages.find(({ name }) => name === 'curl')?.licenses).toBeUndefined();
  });

  test('Entware in /opt states paths of its host', async () => {
    const { packages } = await catalogFiles(opkg, {
      'opt/lib/opkg/status': 'Package: nano\nVersion: 7\nStatus: install user installed\n',
      'opt/lib/opkg/info/nano.list': '/opt/bin/nano\n',
    });
    expect([...packages[0]!.owns!()]).toEqual(['opt/bin/nano']);
    expect(packages[0]!.purl).toEqual({ type: 'opkg', name: 'nano', version: '7' });
  });

  test('names a control file without a package and a list without a record', async () => {
    const { gaps } = await catalogFiles(opkg, {
      'usr/lib/opkg/info/a.control': '',
      'usr/lib/opkg/info/b.list': '/b\n',
    });
    expect(gaps.map(({ reason }) => reason)).toEqual([
      'states no package, where one is expected',
      'lists of installed files, but no record of the package: "b"',
    ]);
  });
});
