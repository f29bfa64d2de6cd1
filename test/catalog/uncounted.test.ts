import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/archive/index.ts';
import { catalogSource } from '../../src/catalog/index.ts';
import { compilePattern } from '../../src/pattern/index.ts';
import { openSources } from '../../src/sources/index.ts';
import { anImage, layout } from '../kit/image.ts';
import { openOptions } from '../kit/scanned.ts';
import { file, type Part, symlink } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { zip } from '../kit/zip.ts';

const temporary = temporaryDirectory();

async function gapsOf(target: string, options: { everything?: boolean; exclude?: readonly string[] } = {}) {
  const { everything = false, exclude = [] } = options;
  const [source] = await openSources(target, openOptions({ everything }));
  const result = await catalogSource(source!, {
    limits: defaultLimits,
    everything,
    exclude: exclude.map(compilePattern),
  });
  await source!.close();
  return result.gaps.map(({ rule, path, reason }) => `${rule} ${path}: ${reason}`);
}

function ofImage(parts: readonly Part[], exclude: readonly string[] = []) {
  const image = anImage().layer(...parts);
  return gapsOf(`oci:${writeTree(temporary, layout([image.built()]))}`, { exclude });
}

const release = (text: string) => file('etc/os-release', text);
const debian = release('ID=debian\nVERSION_ID=12\n');
const status = 'Package: a\nStatus: install ok installed\nVersion: 1\n';

describe('a system without a database of its packages is named', () => {
  it.each<[string, readonly Part[], string]>([
    ['when it was removed', [debian], 'debian 12, and no database of dpkg'],
    ['when it is empty', [debian, file('var/lib/dpkg/status', '')], 'debian 12, and no database of dpkg'],
    [
      'when only settings say where it is',
      [debian, file('etc/dpkg/dpkg.cfg', 'admindir=/srv/db\n'), file('srv/db/status', status)],
      'debian 12, and no database of dpkg',
    ],
    [
      'of a kind that is like a known one',
      [release('ID=acme\nID_LIKE="rhel fedora"\n')],
      'acme, and no database of rpm',
    ],
    ['of a distribution with apk', [release('ID=wolfi\n')], 'wolfi, and no database of apk'],
  ])('%s', async (_, parts, words) => {
    expect(await ofImage(parts)).toEqual([
      expect.stringContaining(`unread-packages etc/os-release: the system is ${words}`),
    ]);
  });

  it.each<[string, readonly Part[], (readonly string[])?]>([
    ['with a database', [debian, file('var/lib/dpkg/status', status)]],
    ['with one behind a link', [debian, symlink('var/lib/dpkg', '/srv/db'), file('srv/db/status', status)]],
    ['assembled from packages', [debian, file('var/lib/dpkg/status.d/a', status)]],
    ['when the user left it out', [debian, file('var/lib/dpkg/status', status)], ['var/lib/**']],
    ['of a distribution without packages', [release('ID=flatcar\nID_LIKE=coreos\n')]],
    ['of an unknown distribution', [release('ID=acme\n')]],
    ['without a distribution', [file('bin/a', '')]],
  ])('and is not %s', async (_, parts, exclude) => {
    expect(await ofImage(parts, exclude)).toEqual([]);
  });

  it('and once, when its database cannot be read', async () => {
    const gaps = await ofImage([debian, file('var/lib/dpkg/info/a.list', '/.\n')]);
    expect(gaps).toEqual([expect.stringContaining('but no record of the package')]);
  });
});

describe('what is installed in a source tree with a lockfile', () => {
  const lock = JSON.stringify({ name: 'x', lockfileVersion: 3, packages: { '': { name: 'x' } } });
  const tree = {
    'package-lock.json': lock,
    'lib/log.jar': zip([
      { name: 'META-INF/maven/g/log/pom.properties', content: 'groupId=g\nartifactId=log\nversion=1\n' },
    ]),
    'venv/lib/python3/site-packages/a-1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: a\nVersion: 1\n',
    'venv/lib/python3/site-packages/b-1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: b\nVersion: 1\n',
    'conda-meta/c.json': '{}',
    'docker/etc/os-release': 'ID=debian\n',
    'docker/usr/share/doc/a/copyright': '',
    'src/package.json': '{"name":"y","version":"1"}',
  };
  const written = () => {
    const files = Object.entries(tree).map(([name, text]): [string, Buffer] => [name, Buffer.from(text)]);
    return `dir:${writeTree(temporary, new Map(files))}`;
  };
  const only = 'and in a source tree only what lockfiles declare is counted: --all counts both';

  it('is named, once for each kind', async () => {
    expect(await gapsOf(written())).toEqual([
      'unread-packages conda-meta/c.json: 1 file of what is installed, of kinds that tidewaiter does not read yet',
      `unread-packages lib/log.jar: 1 file of what is installed, ${only}`,
      `unread-packages venv/lib/python3/site-packages/a-1.dist-info/METADATA: 2 files of what is installed, ${only}`,
    ]);
  });

  it('is no gap when it is counted, or left out', async () => {
    expect(await gapsOf(written(), { everything: true })).toEqual([expect.stringContaining('conda-meta/c.json')]);
    expect(await gapsOf(written(), { exclude: ['lib/**', 'venv/**', 'conda-meta/**'] })).toEqual([]);
  });
});
