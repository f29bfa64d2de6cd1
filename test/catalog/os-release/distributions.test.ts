import { describe, expect, test } from 'vitest';
import { chooseDistro, osRelease, vendorOf } from '../../../src/catalog/os-release/index.ts';
import { type Distro, type Found, Unreadable } from '../../../src/catalog/types.ts';

function readAll(files: Readonly<Record<string, string>>): { found: Found<Distro>[]; gaps: string[] } {
  const found: Found<Distro>[] = [];
  const gaps: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const bytes = Buffer.from(text);
    const file = { path, size: bytes.length, mode: 0o644, head: bytes.subarray(0, 512), bytes };
    if (!osRelease.wants(file)) continue;
    try {
      const fact = osRelease.read(file, (reason) => gaps.push(reason));
      if (fact !== undefined) found.push({ path, layer: 3, size: bytes.length, fact });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gaps.push(error.message);
    }
  }
  return { found, gaps };
}

const distroOf = (files: Readonly<Record<string, string>>): Distro | undefined => chooseDistro(readAll(files).found);

/** Texts as the distributions ship them, without links and colours. */
const shipped: ReadonlyArray<readonly [name: string, text: string, id: string, versionId: string | undefined]> = [
  [
    'Debian',
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
    'debian',
    '12',
  ],
  [
    'distroless',
    'PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="12"\nVERSION="Debian GNU/Linux 12 (bookworm)"\n',
    'debian',
    '12',
  ],
  [
    'Ubuntu',
    'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n',
    'ubuntu',
    '24.04',
  ],
  [
    'Alpine',
    'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.2\nPRETTY_NAME="Alpine Linux v3.20"\n',
    'alpine',
    '3.20.2',
  ],
  [
    'Wolfi',
    'ID=wolfi\nNAME="Wolfi"\nPRETTY_NAME="Wolfi"\nVERSION_ID="20230201"\nHOME_URL="https://wolfi.dev"\n',
    'wolfi',
    '20230201',
  ],
  [
    'Chainguard',
    'ID=chainguard\nNAME="Chainguard"\nPRETTY_NAME="Chainguard"\nVERSION_ID="20230214"\n',
    'chainguard',
    '20230214',
  ],
  [
    'Azure Linux',
    'NAME="Microsoft Azure Linux"\nVERSION="3.0.20240727"\nID=azurelinux\nVERSION_ID="3.0"\nPRETTY_NAME="Microsoft Azure Linux 3.0"\n',
    'azurelinux',
    '3.0',
  ],
  [
    'Azure Container Linux',
    'NAME="Microsoft Azure Linux"\nVERSION="3.0.20240609"\nID=azurelinux\nVERSION_ID="3.0"\nVARIANT_ID=azurecontainerlinux\n',
    'azurelinux',
    '3.0',
  ],
  [
    'CBL-Mariner',
    'NAME="Common Base Linux Mariner"\nVERSION="2.0.20240123"\nID=mariner\nVERSION_ID="2.0"\nPRETTY_NAME="CBL-Mariner/Linux"\n',
    'mariner',
    '2.0',
  ],
  [
    'Flatcar',
    'NAME="Flatcar Container Linux by Kinvolk"\nID=flatcar\nID_LIKE=coreos\nVERSION=3227.2.2\nVERSION_ID=3227.2.2\nBUILD_ID=2022-08-29-1855\nSYSEXT_LEVEL=1.0\n',
    'flatcar',
    '3227.2.2',
  ],
  [
    'Fedora',
    'NAME="Fedora Linux"\nVERSION="40 (Container Image)"\nID=fedora\nVERSION_ID=40\nPLATFORM_ID="platform:f40"\nSUPPORT_END=2025-05-13\nVARIANT_ID=container\n',
    'fedora',
    '40',
  ],
  [
    'RHEL',
    'NAME="Red Hat Enterprise Linux"\nVERSION="9.4 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\nCPE_NAME="cpe:/o:redhat:enterprise_linux:9::baseos"\n',
    'rhel',
    '9.4',
  ],
  [
    'Rocky',
    'NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n',
    'rocky',
    '9.3',
  ],
  [
    'AlmaLinux',
    'NAME="AlmaLinux"\nVERSION="9.2 (Turquoise Kodkod)"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.2"\n',
    'almalinux',
    '9.2',
  ],
  [
    'Amazon',
    'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nCPE_NAME="cpe:2.3:o:amazon:amazon_linux:2023"\n',
    'amzn',
    '2023',
  ],
  [
    'Oracle',
    'NAME="Oracle Linux Server"\nVERSION="9.4"\nID="ol"\nID_LIKE="fedora"\nVARIANT_ID="server"\nVERSION_ID="9.4"\n',
    'ol',
    '9.4',
  ],
  [
    'SLES',
    'NAME="SLES"\nVERSION="15-SP5"\nVERSION_ID="15.5"\nID="sles"\nID_LIKE="suse"\nCPE_NAME="cpe:/o:suse:sles:15:sp5"\n',
    'sles',
    '15.5',
  ],
  [
    'openSUSE Leap',
    'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"\n',
    'opensuse-leap',
    '15.5',
  ],
  [
    'openSUSE Tumbleweed',
    'NAME="openSUSE Tumbleweed"\n# VERSION="20240101"\nID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20240101"\n',
    'opensuse-tumbleweed',
    '20240101',
  ],
  [
    'Photon',
    'NAME="VMware Photon OS"\nVERSION="5.0"\nID=photon\nVERSION_ID=5.0\nPRETTY_NAME="VMware Photon OS/Linux"\n',
    'photon',
    '5.0',
  ],
  ['Arch', 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n', 'arch', undefined],
];

describe('os-release', () => {
  test.each(shipped)('%s keeps its own name and version', (_name, text, id, versionId) => {
    const { found, gaps } = readAll({ 'usr/lib/os-release': text });
    const chosen = chooseDistro(found);
    expect(chosen).toMatchObject({ id, path: 'usr/lib/os-release', layer: 3 });
    expect(chosen?.versionId).toBe(versionId);
    expect(gaps).toEqual([]);
  });

  test('Azure Container Linux is told from Azure Linux by its variant', () => {
    const text = shipped.find(([name]) => name === 'Azure Container Linux')![1];
    expect(distroOf({ 'etc/os-release': text })?.variantId).toBe('azurecontainerlinux');
  });

  test('reads everything that it states', () => {
    const text =
      'ID=x\nID_LIKE="A b"\nVERSION_ID=1\nNAME=n\nPRETTY_NAME=p\nVERSION=v\nVERSION_CODENAME=c\nVARIANT_ID=va\nBUILD_ID=b\n' +
      'IMAGE_ID=i\nIMAGE_VERSION=iv\nCPE_NAME=cpe\nHOME_URL=h\nSUPPORT_END=2030-01-01\n';
    expect(distroOf({ 'etc/os-release': text })).toEqual({
      ...{ id: 'x', idLike: ['a', 'b'], versionId: '1', name: 'n', prettyName: 'p', version: 'v', codename: 'c' },
      ...{ variantId: 'va', buildId: 'b', imageId: 'i', imageVersion: 'iv', cpe: 'cpe', homeUrl: 'h' },
      ...{ supportEnd: '2030-01-01', path: 'etc/os-release', layer: 3 },
    });
  });

  test('etc/os-release beats usr/lib/os-release, and both beat the files of older systems', () => {
    const files = {
      'etc/debian_version': '12.5\n',
      'usr/lib/os-release': 'ID=debian\n',
      'etc/os-release': 'ID=kali\n',
    };
    expect(distroOf(files)?.id).toBe('kali');
    expect(distroOf({ ...files, 'etc/os-release': '' })?.path).toBe('usr/lib/os-release');
  });

  test('without a version it takes the one that a file of older systems has, if that speaks of the same distribution', () => {
    const debian = { 'etc/os-release': 'ID="debian"\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Distroless"\n' };
    expect(distroOf({ ...debian, 'etc/debian_version': '10.8\n' })).toEqual({
      ...{ id: 'debian', idLike: [], name: 'Debian GNU/Linux', prettyName: 'Distroless' },
      ...{ versionId: '10', version: '10.8', path: 'etc/os-release', layer: 3 },
    });
    expect(distroOf({ ...debian, 'etc/alpine-release': '3.20.2\n' })?.versionId).toBeUndefined();
    expect(distroOf({ 'etc/os-release': 'ID=kali\n', 'etc/debian_version': '12.5\n' })?.versionId).toBeUndefined();
    const testing = { 'etc/os-release': 'ID=debian\nVERSION_CODENAME=forky\n', 'etc/debian_version': '13.1\n' };
    expect(distroOf(testing)).toMatchObject({ codename: 'forky' });
    expect(distroOf(testing)?.versionId).toBeUndefined();
  });

  test('a file without an assignment is unreadable, one with a broken line is read with a gap', () => {
    expect(readAll({ 'etc/os-release': '\n' }).gaps).toEqual(['no assignment in it, so it names no distribution']);
    expect(readAll({ 'etc/os-release': 'ID=x\nrubbish\n' }).gaps).toEqual([
      '1 of its lines are no well-formed assignment',
    ]);
  });

  test('without ID it is linux, as the manual says; an upper-case ID is lowered', () => {
    expect(distroOf({ 'etc/os-release': 'NAME=x\n' })?.id).toBe('linux');
    expect(distroOf({ 'etc/os-release': 'ID=Debian\n' })?.id).toBe('debian');
  });

  test('a system inside the image never names the image, but has a name of its own', () => {
    const nested = { path: 'opt/chroot/etc/os-release', layer: 1, size: 9 };
    const found = [{ ...nested, fact: { id: 'alpine', idLike: [], path: '', layer: 0 } }];
    expect(chooseDistro(found)).toBeUndefined();
    expect(chooseDistro(found, 'opt/chroot')).toMatchObject({ id: 'alpine', path: nested.path, layer: 1 });
  });
});

describe('systems without os-release', () => {
  test.each([
    ['etc/debian_version', '12.5\n', { id: 'debian', versionId: '12', version: '12.5' }],
    ['etc/debian_version', 'trixie/sid\n', { id: 'debian', codename: 'trixie' }],
    ['etc/alpine-release', '3.20.2\n', { id: 'alpine', versionId: '3.20.2' }],
    ['etc/redhat-release', 'CentOS release 6.10 (Final)\n', { id: 'centos', versionId: '6.10', codename: 'Final' }],
    ['etc/centos-release', 'CentOS Linux release 7.9.2009 (Core)\n', { id: 'centos', versionId: '7.9.2009' }],
    [
      'etc/redhat-release',
      'Red Hat Enterprise Linux Server release 6.10 (Santiago)\n',
      { id: 'rhel', versionId: '6.10' },
    ],
    ['etc/redhat-release', 'Red Hat Enterprise Linux CoreOS release 4.12\n', { id: 'rhcos', versionId: '4.12' }],
    ['etc/centos-stream-release', 'CentOS Stream release 9\n', { id: 'centos', versionId: '9' }],
    ['etc/sl-release', 'Scientific Linux release 7.9 (Nitrogen)\n', { id: 'scientific', versionId: '7.9' }],
    ['etc/fedora-release', 'Fedora release 20 (Heisenbug)\n', { id: 'fedora', versionId: '20' }],
    ['etc/oracle-release', 'Oracle Linux Server release 6.10\n', { id: 'ol', versionId: '6.10' }],
    ['etc/system-release', 'Amazon Linux AMI release 2018.03\n', { id: 'amzn', versionId: '2018.03' }],
    [
      'etc/mariner-release',
      'CBL-Mariner 2.0.20220226\nMARINER_BUILD_NUMBER=b1ba8fb\n',
      { id: 'mariner', versionId: '2.0' },
    ],
    ['etc/photon-release', 'VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=526e30fdb\n', { id: 'photon', versionId: '4.0' }],
    [
      'etc/SuSE-release',
      'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n',
      { id: 'sles', versionId: '11.4' },
    ],
    [
      'etc/lsb-release',
      'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n',
      { id: 'ubuntu', versionId: '10.04' },
    ],
    [
      'etc/openwrt_release',
      "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='23.05.5'\n",
      { id: 'openwrt', versionId: '23.05.5' },
    ],
    ['etc/arch-release', '', { id: 'arch' }],
    [
      'usr/share/flatcar/release',
      'FLATCAR_RELEASE_VERSION=3340.0.0\nFLATCAR_RELEASE_BOARD=amd64-usr\n',
      { id: 'flatcar', versionId: '3340.0.0' },
    ],
    ['bin/busybox', '\u007fELF...BusyBox v1.36.1 (2023-05-18 22:34:17 UTC)\n', { id: 'busybox', versionId: '1.36.1' }],
  ])('%s %j', (path, text, expected) => {
    expect(distroOf({ [path]: text })).toMatchObject(expected);
  });

  test('what the distribution itself ships beats what derivatives share, and BusyBox comes last', () => {
    expect(
      distroOf({
        'etc/debian_version': 'lenny/sid\n',
        'etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=8.04\n',
        'bin/busybox': 'BusyBox v1.10.2 ',
      })?.id,
    ).toBe('ubuntu');
  });

  test('a text that names nothing known says nothing', () => {
    expect(readAll({ 'etc/redhat-release': 'Frobnix 7\n', 'etc/debian_version': '???' })).toEqual({
      found: [],
      gaps: [],
    });
  });
});

describe('the vendor of a package', () => {
  const distro = (id: string, more: Partial<Distro> = {}): Distro => ({ id, idLike: [], path: '', layer: 0, ...more });

  test('is the distribution, with its version', () => {
    expect(vendorOf('deb', distro('ubuntu', { versionId: '24.04' }))).toEqual({
      ...{ namespace: 'ubuntu', distro: 'ubuntu-24.04', assumed: false },
    });
    expect(vendorOf('deb', distro('frobnix', { codename: 'sid' })).distro).toBe('frobnix-sid');
    expect(vendorOf('opkg', distro('openwrt')).distro).toBe('openwrt');
  });

  test('is the origin of the format where no distribution is named, or one that is made of other packages', () => {
    const assumed = { namespace: 'debian', assumed: true };
    expect(vendorOf('deb', undefined)).toEqual(assumed);
    expect(vendorOf('deb', distro('fedora', { versionId: '40' }))).toEqual(assumed);
    expect(vendorOf('deb', distro('eurolinux', { idLike: ['rhel'] }))).toEqual(assumed);
    expect(vendorOf('apk', distro('debian'))).toEqual({ namespace: 'alpine', assumed: true });
    expect(vendorOf('opkg', undefined)).toEqual({ assumed: true });
  });
});
