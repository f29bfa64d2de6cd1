import { describe, expect, it } from 'vitest';
import { defaultLimits, encodePath } from '../../src/archive/index.ts';
import { catalogSource } from '../../src/catalog/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import { compilePattern } from '../../src/pattern/index.ts';
import { openSources } from '../../src/sources/index.ts';
import { anImage, anIndex, blobPath, described, type Image, layout } from '../kit/image.ts';
import { type OpenChanges, openOptions } from '../kit/scanned.ts';
import { directory, file, hardlink, opaque, symlink, whiteout } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { zip } from '../kit/zip.ts';
import { buildElf } from './executable/build.ts';
import { inlineBlob } from './golang/blob.ts';

const temporary = temporaryDirectory();

interface Options {
  readonly exclude?: readonly string[];
  readonly everything?: boolean;
  readonly fileBytes?: number;
  readonly open?: OpenChanges;
}

interface Cataloged {
  /** `name@version`, sorted. */
  readonly packages: readonly string[];
  /** Where they were seen. */
  readonly places: readonly string[];
  readonly gaps: readonly string[];
}

async function catalog(target: string, options: Options = {}): Promise<Cataloged> {
  const [source] = await openSources(target, openOptions(options.open));
  const result = await catalogSource(source!, {
    limits: { ...defaultLimits, fileBytes: options.fileBytes ?? defaultLimits.fileBytes },
    everything: options.everything ?? false,
    exclude: (options.exclude ?? []).map(compilePattern),
  });
  await source!.close();
  const packages = result.packages.flatMap((each) => each.packages);
  const label = (name: string, version: string | undefined) => `${name}@${version ?? '?'}`;
  return {
    packages: packages.map(({ name, version }) => label(name, version)).sort(),
    places: [...new Set(packages.flatMap((each) => each.places.map(({ path, layer }) => `${path} ${layer}`)))].sort(),
    gaps: result.gaps.map(({ rule, path, reason }) => `${rule} ${path}: ${reason}`),
  };
}

function catalogImage(image: Image, options?: Options): Promise<Cataloged> {
  return catalog(`oci:${writeTree(temporary, layout([image.built()]))}`, options);
}

const status = (name: string, version = '1') =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: x <x@example.com>\nVersion: ${version}\nDescription: x\n\n`;
const installed = (name: string, version = '1') => `P:${name}\nV:${version}\nA:x86_64\n\n`;
const npm = (name: string, version: string) => JSON.stringify({ name, version });

describe('a package database cannot hide', () => {
  it.each<[string, Image, string]>([
    ['at its place', anImage().layer(file('var/lib/dpkg/status', status('a'))), 'var/lib/dpkg/status 0'],
    [
      'behind a link of its directory',
      anImage().layer(symlink('var/lib/dpkg', '/data/dpkg'), file('data/dpkg/status', status('a'))),
      'var/lib/dpkg/status 0',
    ],
    [
      'behind a link that a later layer makes',
      anImage()
        .layer(file('data/dpkg/status', status('a')))
        .layer(symlink('var/lib/dpkg', '../../data/dpkg')),
      'var/lib/dpkg/status 0',
    ],
    [
      'written through a link of a lower layer',
      anImage()
        .layer(symlink('var/lib/dpkg', '/data/dpkg'))
        .layer(file('var/lib/dpkg/status', status('a'))),
      'var/lib/dpkg/status 1',
    ],
    [
      'behind several links',
      anImage().layer(
        symlink('var', 'real'),
        symlink('real/lib', '/else'),
        symlink('else/dpkg', 'where'),
        file('else/where/status', status('a')),
      ),
      'var/lib/dpkg/status 0',
    ],
    [
      'behind a link of the file alone',
      anImage().layer(symlink('var/lib/dpkg/status', '/data/x'), file('data/x', status('a'))),
      'var/lib/dpkg/status 0',
    ],
    [
      'as a hard link',
      anImage().layer(file('data/x', status('a')), hardlink('var/lib/dpkg/status', 'data/x')),
      'var/lib/dpkg/status 0',
    ],
    [
      'as a hard link to a lower layer',
      anImage()
        .layer(file('data/x', status('a')))
        .layer(hardlink('var/lib/dpkg/status', 'data/x')),
      'var/lib/dpkg/status 0',
    ],
    [
      'as a hard link of which only this name is left',
      anImage()
        .layer(file('data/x', status('a')))
        .layer(hardlink('var/lib/dpkg/status', 'data/x'), whiteout('data')),
      'var/lib/dpkg/status 0',
    ],
    [
      'under a name that climbs',
      anImage().layer(file('../../var/lib/dpkg/status', status('a'))),
      'var/lib/dpkg/status 0',
    ],
    [
      'under a name with dots and slashes',
      anImage().layer(file('./var//lib/./dpkg/status', status('a'))),
      'var/lib/dpkg/status 0',
    ],
    [
      'beside an old directory that it replaces',
      anImage()
        .layer(file('var/lib/dpkg/status/x', 'x'))
        .layer(file('var/lib/dpkg/status', status('a'))),
      'var/lib/dpkg/status 1',
    ],
    [
      'in a directory that only looks hidden',
      anImage().layer(file('opt/.wh.x/var/lib/dpkg/status', status('a'))),
      'opt/.wh.x/var/lib/dpkg/status 0',
    ],
    [
      'after it was hidden and came back',
      anImage()
        .layer(file('var/lib/dpkg/status', status('b')))
        .layer(whiteout('var'))
        .layer(file('var/lib/dpkg/status', status('a'))),
      'var/lib/dpkg/status 2',
    ],
  ])('%s', async (_, image, place) => {
    const { packages, places } = await catalogImage(image);
    expect(packages).toEqual(['a@1']);
    expect(places.filter((each) => each.includes('status'))).toContain(place);
  });

  it.each<[string, Image]>([
    [
      'lib is a link',
      anImage()
        .layer(directory('usr/lib'), symlink('lib', 'usr/lib'))
        .layer(file('lib/apk/db/installed', installed('a'))),
    ],
    [
      'lib is an absolute link',
      anImage()
        .layer(symlink('lib', '/usr/lib'))
        .layer(file('lib/apk/db/installed', installed('a'))),
    ],
    [
      'lib becomes a link later',
      anImage()
        .layer(file('usr/lib/apk/db/installed', installed('a')))
        .layer(symlink('lib', 'usr/lib')),
    ],
    [
      'the database stands there three times',
      anImage().layer(
        file('lib/apk/db/installed', installed('b')),
        file('lib//apk/db/installed', installed('c')),
        file('./lib//apk/./db/installed', installed('a')),
      ),
    ],
  ])('%s', async (_, image) => {
    expect((await catalogImage(image)).packages).toEqual(['a@1']);
  });

  it.each(['\n', '\r', '\u2028', '\u001b', ' ', '\udcff'])('the name of its directory holds %j', async (odd) => {
    const place = `opt/a${odd}b`;
    const name = (below: string) => encodePath(`${place}/${below}`);
    const image = anImage().layer(
      file(name('var/lib/dpkg/status'), status('deb')),
      file(name('lib/apk/db/installed'), installed('apk')),
      file(name('usr/lib/opkg/status'), status('opkg')),
      file(name('node_modules/npm/package.json'), npm('npm', '1')),
      file(
        name('lib/python3.12/site-packages/py-1.dist-info/METADATA'),
        'Metadata-Version: 2.1\nName: py\nVersion: 1\n\n',
      ),
      file(name('jar-1.jar'), zip({ 'META-INF/maven/g/jar/pom.properties': 'groupId=g\nartifactId=jar\nversion=1\n' })),
    );
    expect((await catalogImage(image)).packages).toEqual(['apk@1', 'deb@1', 'g:jar@1', 'npm@1', 'opkg@1', 'py@1']);
  });

  it('a Java archive under a name that only a hard link gives it', async () => {
    const jar = zip({
      'META-INF/maven/org.example/tool/pom.properties': 'groupId=org.example\nartifactId=tool\nversion=1.2\n',
    });
    const image = anImage().layer(file('data/blob', jar)).layer(hardlink('opt/tool.jar', 'data/blob'));
    expect((await catalogImage(image)).packages).toEqual(['org.example:tool@1.2']);
  });

  it('links in circles and into the root hide nothing and stop nothing', async () => {
    const image = anImage()
      .layer(symlink('var/lib/dpkg', '/'), symlink('var/lib/rpm', 'rpm'), symlink('a', 'b'), symlink('b', 'a'))
      .layer(file('status', status('a')), file('lib/apk/db/installed', installed('b')));
    expect((await catalogImage(image)).packages).toEqual(['a@1', 'b@1']);
  });
});

describe('what is not there any more', () => {
  it('is not reported: the layers of sbom tools that get it wrong', async () => {
    const modules = 'opt/app/node_modules';
    const image = anImage()
      .layer(
        file('etc/os-release', 'ID=alpine\nVERSION_ID=3.20.0\n'),
        file('lib/apk/db/installed', installed('musl', '1.2.5-r0')),
        ...['aaa-deleted', 'bbb-kept', 'ccc-opaque', 'eee-readded'].map((name) =>
          file(
            `${name === 'bbb-kept' ? 'srv' : modules}/${name === 'bbb-kept' ? 'node_modules/bbb-kept' : name}/package.json`,
            npm(name, '1.0.0'),
          ),
        ),
      )
      .layer(
        whiteout(`${modules}/aaa-deleted`),
        opaque(modules),
        file(`${modules}/ddd-new/package.json`, npm('ddd-new', '1.0.0')),
        file(`${modules}/eee-readded/package.json`, npm('eee-readded', '2.0.0')),
      );
    expect((await catalogImage(image)).packages).toEqual([
      'bbb-kept@1.0.0',
      'ddd-new@1.0.0',
      'eee-readded@2.0.0',
      'musl@1.2.5-r0',
    ]);
  });

  it('is not reported from a lower layer that a link replaced', async () => {
    const image = anImage()
      .layer(
        file('app/node_modules/old/package.json', npm('old', '1.0.0')),
        file('new/x/package.json', npm('x', '1.0.0')),
      )
      .layer(symlink('app/node_modules', '/new'));
    const { packages } = await catalogImage(image);
    expect(packages.filter((each) => each.startsWith('old'))).toEqual([]);
  });

  it('leaves no gap behind either', async () => {
    const image = anImage().layer(file('var/lib/rpm/rpmdb.sqlite', 'broken')).layer(whiteout('var/lib/rpm'));
    expect(await catalogImage(image)).toEqual({ packages: [], places: [], gaps: [] });
  });
});

describe('what is left out by request', () => {
  const image = anImage()
    .layer(symlink('lib', 'usr/lib'), file('lib/apk/db/installed', installed('a')))
    .layer(file('app/node_modules/x/package.json', npm('x', '1.0.0')), file('data/y.json', npm('y', '1.0.0')))
    .layer(hardlink('app/node_modules/y/package.json', 'data/y.json'));

  it.each([
    [[], ['a@1', 'x@1.0.0', 'y@1.0.0']],
    [['app/**'], ['a@1']],
    [['**/node_modules/x/**'], ['a@1', 'y@1.0.0']],
    [['usr/lib/apk/**'], ['x@1.0.0', 'y@1.0.0']],
    [['data/**'], ['a@1', 'x@1.0.0', 'y@1.0.0']],
    [['**'], []],
  ])('%j', async (exclude, packages) => {
    expect((await catalogImage(image, { exclude })).packages).toEqual(packages);
  });
});

describe('what counts', () => {
  const lock = JSON.stringify({
    name: 'p',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: { '': { name: 'p', version: '1.0.0' }, 'node_modules/declared': { version: '2.0.0' } },
  });
  const image = anImage().layer(
    file('app/package-lock.json', lock),
    file('app/node_modules/installed/package.json', npm('installed', '1.0.0')),
  );

  it('in an image is what is installed, unless everything is asked for', async () => {
    expect((await catalogImage(image)).packages).toEqual(['installed@1.0.0']);
    expect((await catalogImage(image, { everything: true })).packages).toEqual(
      expect.arrayContaining(['declared@2.0.0', 'installed@1.0.0']),
    );
  });

  it('in a source tree is what is declared, unless everything is asked for', async () => {
    const place = writeTree(temporary, {
      'package-lock.json': lock,
      'node_modules/installed/package.json': npm('installed', '1.0.0'),
    });
    const declared = await catalog(`dir:${place}`);
    expect(declared.packages).toContain('declared@2.0.0');
    expect(declared.packages).not.toContain('installed@1.0.0');
    const all = await catalog(`dir:${place}`, { everything: true, open: { everything: true } });
    expect(all.packages).toEqual(expect.arrayContaining(['declared@2.0.0', 'installed@1.0.0']));
  });

  it('in one file is whatever the file is', async () => {
    const place = writeTree(temporary, {
      'package-lock.json': lock,
      'tool-1.0.jar': zip({ 'META-INF/MANIFEST.MF': 'Implementation-Title: tool\nImplementation-Version: 1.0\n' }),
    });
    expect((await catalog(`file:${place}/package-lock.json`)).packages).toContain('declared@2.0.0');
    expect((await catalog(`file:${place}/tool-1.0.jar`)).packages).toHaveLength(1);
  });
});

describe('a database over the cap', () => {
  it('is a gap that names the cap', async () => {
    const large = `${status('a')}${status('b')}`.repeat(20);
    for (const image of [
      anImage().layer(file('var/lib/dpkg/status', large)),
      anImage().layer(symlink('var/lib/dpkg', '/data'), file('data/status', large)),
    ]) {
      const { packages, gaps } = await catalogImage(image, { fileBytes: 1000 });
      expect(packages).toEqual([]);
      expect(gaps).toEqual([
        `too-large var/lib/dpkg/status: has ${large.length} bytes, more than the 1000 that one file may have (--max-file-bytes)`,
      ]);
    }
  });
});

describe('a program too large to be held on suspicion', () => {
  // What tells it lies behind the first 32 MiB: it is searched as it passes, and read again for what it says.
  const program = buildElf([
    { name: '.text', bytes: Buffer.alloc(34 * 1024 * 1024, 0x90) },
    {
      name: '.go.buildinfo',
      bytes: inlineBlob('go1.22.3', 'path\tx.org/a\nmod\tx.org/a\tv1.0.0\t\ndep\tx.org/b\tv2.0.0\t\n'),
      writable: true,
    },
  ]);
  const expected = expect.arrayContaining(['x.org/a@v1.0.0', 'x.org/b@v2.0.0']);

  it('is read in a second pass, from a layer and from a directory', async () => {
    expect((await catalogImage(anImage().layer(file('usr/bin/a', program, 0o755)))).packages).toEqual(expected);
    const place = writeTree(temporary, { 'etc/os-release': 'ID=x\n', 'usr/bin/a': program });
    expect((await catalog(`dir:${place}`)).packages).toEqual(expected);
    expect((await catalog(`file:${place}/usr/bin/a`)).packages).toEqual(expected);
  });

  it('is read under the name that a hard link gives it, and once where it has several', async () => {
    const image = anImage()
      .layer(file('data/blob', program, 0o755))
      .layer(hardlink('usr/bin/a', 'data/blob'), whiteout('data'));
    const { packages, places } = await catalogImage(image);
    expect(packages).toEqual(expected);
    expect(places).toEqual(['usr/bin/a 0']);
  });
});

describe('a second reading', () => {
  it('is verified again: a layer that has changed since the first is refused', async () => {
    const honest = anImage()
      .layer(symlink('var/lib/dpkg', '/data'), file('data/status', status('a')))
      .built();
    const evil = anImage()
      .layer(symlink('var/lib/dpkg', '/data'), file('data/status', status('evil')))
      .built();
    const place = writeTree(temporary, layout([honest]));
    const other = writeTree(temporary, layout([evil]));
    const digest = honest.layers[0]!.digest;
    let opened = 0;
    const disk = {
      ...realDisk,
      open: (name: string | Buffer, options?: { noFollow?: boolean }) => {
        const isLayer = name.toString().endsWith(blobPath(digest));
        opened += isLayer ? 1 : 0;
        return realDisk.open(isLayer && opened > 1 ? `${other}/${blobPath(evil.layers[0]!.digest)}` : name, options);
      },
    };
    await expect(catalog(`oci:${place}`, { open: { disk } })).rejects.toThrow(/layer 1 is not what it claims to be/);
    expect(opened).toBe(2);
  });
});

describe('a file that has another name through a link', () => {
  const metadata = 'Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n';

  it.each<[string, Image, string, string]>([
    [
      'is read under the name that makes it a package',
      anImage().layer(file('cas/1', metadata), symlink('site-packages/six-1.16.0.dist-info/METADATA', '/cas/1')),
      'six@1.16.0',
      'site-packages/six-1.16.0.dist-info/METADATA 0',
    ],
    [
      'is read when its directory is the link',
      anImage().layer(file('cas/1/METADATA', metadata), symlink('site-packages/six-1.16.0.dist-info', '/cas/1')),
      'six@1.16.0',
      'site-packages/six-1.16.0.dist-info/METADATA 0',
    ],
    [
      'is read as what it is called when the name it was read under is gone',
      anImage()
        .layer(file('build/evil-9.jar', zip({ 'A.class': 'code' })), hardlink('app/shop-1.2.jar', 'build/evil-9.jar'))
        .layer(whiteout('build')),
      'shop:shop@1.2',
      'app/shop-1.2.jar 0',
    ],
  ])('%s', async (_, image, name, place) => {
    const { packages, places, gaps } = await catalogImage(image);
    expect([packages, places, gaps]).toEqual([[name], [place], []]);
  });

  it('counts once when it is found under its own name already', async () => {
    const image = anImage().layer(
      file('usr/lib/os-release', 'ID=debian\n'),
      symlink('etc/os-release', '../usr/lib/os-release'),
      file('opt/app/node_modules/ms/package.json', npm('ms', '2.1.3')),
      symlink('opt/other/node_modules/ms', '../../app/node_modules/ms'),
    );
    const { packages, places } = await catalogImage(image);
    expect([packages, places]).toEqual([['ms@2.1.3'], ['opt/app/node_modules/ms/package.json 0']]);
  });

  it.each([
    ['leads nowhere', symlink('var/lib/dpkg/status', '/mnt/x')],
    ['leads to itself', symlink('var/lib/dpkg/status', 'status')],
    ['is a well-known directory that is not there', symlink('var/lib/dpkg/info', '/mnt/x')],
  ])('is a gap where it would be a package database and %s', async (_, link) => {
    const { packages, gaps } = await catalogImage(anImage().layer(link));
    expect(packages).toEqual([]);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatch(/^unreadable-file var\/lib\/dpkg\/(?:status|info): is a link to ".*", where nothing is$/);
  });
});

describe('a text file beyond what its kind may have', () => {
  it('is a gap that does not blame a flag, and costs nothing to read', async () => {
    const large = Buffer.alloc(6 * 1024 * 1024, 'x\n');
    const { gaps } = await catalogImage(
      anImage().layer(file('var/lib/dpkg/status', status('a')), file('usr/share/doc/a/copyright', large)),
    );
    expect(gaps).toEqual([
      `too-large usr/share/doc/a/copyright: has ${large.length} bytes, more than the 4194304 that a file of this kind may have`,
    ]);
  });
});

describe('an image that the index lists for another platform than its config says', () => {
  it('is read, and the contradiction is named', async () => {
    const image = described(anImage().on('linux', 'arm64').layer(file('a', 'x')).built(), {
      platform: { os: 'linux', architecture: 'amd64' },
    });
    const { gaps } = await catalog(`oci:${writeTree(temporary, layout([anIndex([image])]))}`);
    expect(gaps).toEqual(['suspicious-entry (image): the index lists it for linux/amd64, its config says linux/arm64']);
  });
});

describe('many names behind links', () => {
  it('are all looked at, thousands in one directory too', async () => {
    const crowd = Array.from({ length: 3000 }, (_, at) => file(`data/d/a${String(at).padStart(4, '0')}`, ''));
    const behind = anImage().layer(...crowd, file('data/d/status', status('a')), symlink('var/lib/dpkg', '/data/d'));
    expect((await catalogImage(behind)).places).toEqual(['var/lib/dpkg/status 0']);
  });

  it('are a named gap beyond the cap, never silence', async () => {
    const crowd = Array.from({ length: 400 }, (_, at) => file(`data/f${at}`, ''));
    const links = Array.from({ length: 300 }, (_, at) => symlink(`links/${String(at).padStart(3, '0')}`, '/data'));
    const { gaps } = await catalogImage(anImage().layer(...crowd, ...links));
    expect(gaps).toEqual([
      'suspicious-entry links/250: links lead to more than 100000 names; those behind this link and later ones were not looked at',
    ]);
  });
});
