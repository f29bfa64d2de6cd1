import { describe, expect, test } from 'vitest';
import { goBinary } from '../../../src/catalog/golang/binary.ts';
import type { Package } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { buildElf, buildMachO, buildUniversal } from '../executable/build.ts';
import { inlineBlob } from './blob.ts';

function program(version: string, modules: string | Buffer): Buffer {
  return buildElf([{ name: '.go.buildinfo', bytes: inlineBlob(version, modules), writable: true }]);
}

async function packagesOf(modules: string, version = 'go1.22.3'): Promise<readonly Package[]> {
  const { packages, gaps } = await catalogFiles(goBinary, { 'usr/bin/shop': program(version, modules) });
  expect(gaps).toEqual([]);
  return packages;
}

function named(packages: readonly Package[], name: string): Package {
  const found = packages.filter((each) => each.name === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a program', () => {
  const modules = [
    'path\texample.com/shop/cmd/shop',
    'mod\texample.com/shop\tv1.4.0\th1:main=',
    'dep\tgithub.com/BurntSushi/toml\tv1.4.0\th1:toml=',
    'dep\tgopkg.in/yaml.v3\tv3.0.1\th1:yaml=',
    'dep\tgithub.com/docker/docker\tv26.1.0+incompatible\th1:docker=',
    'build\tGOARCH=amd64',
    'build\tGOOS=linux',
    'build\tvcs=git',
    'build\tvcs.revision=0123456789abcdef',
    'build\tvcs.time=2026-01-02T03:04:05Z',
    'build\tvcs.modified=true',
    'build\t-ldflags="-s -w -X main.version=1.4.0-rc1"',
    '',
  ].join('\n');

  test('is an application with its module, its build and everything that it needs', async () => {
    const packages = await packagesOf(modules);
    expect(packages).toHaveLength(5);
    const others = packages.filter(({ name }) => name !== 'example.com/shop');
    expect(named(packages, 'example.com/shop')).toMatchObject({
      version: 'v1.4.0',
      purl: { type: 'golang', namespace: 'example.com', name: 'shop', version: 'v1.4.0' },
      kind: 'application',
      places: [{ path: 'usr/bin/shop', layer: 0 }],
      requires: others.map(({ key }) => key),
      technique: 'binary-analysis',
      properties: {
        'go:package-path': 'example.com/shop/cmd/shop',
        'go:h1': 'h1:main=',
        'go:arch': 'amd64',
        'go:os': 'linux',
        'go:vcs': 'git',
        'go:vcs-revision': '0123456789abcdef',
        'go:vcs-time': '2026-01-02T03:04:05Z',
        'go:vcs-modified': 'true',
        'go:ldflags-version': '1.4.0-rc1',
      },
    });
    expect(named(packages, 'example.com/shop').requiresIncomplete).toBeUndefined();
  });

  test('has libraries whose own needs are unknown', async () => {
    expect(named(await packagesOf(modules), 'gopkg.in/yaml.v3')).toMatchObject({
      version: 'v3.0.1',
      purl: { type: 'golang', namespace: 'gopkg.in', name: 'yaml.v3', version: 'v3.0.1' },
      kind: 'library',
      requiresIncomplete: true,
      properties: { 'go:h1': 'h1:yaml=' },
    });
  });

  test('keeps the letter case of module paths', async () => {
    const { purl, name } = named(await packagesOf(modules), 'github.com/BurntSushi/toml');
    expect({ purl, name }).toEqual({
      name: 'github.com/BurntSushi/toml',
      purl: { type: 'golang', namespace: 'github.com/BurntSushi', name: 'toml', version: 'v1.4.0' },
    });
  });

  test('has unique keys, also beside others', async () => {
    const { packages } = await catalogFiles(goBinary, {
      'bin/a': program('go1.22.3', modules),
      'bin/b': program('go1.22.3', modules),
    });
    expect(packages).toHaveLength(10);
    expect(new Set(packages.map(({ key }) => key)).size).toBe(10);
  });
});

describe('a replaced module', () => {
  test('is what replaced it', async () => {
    const packages = await packagesOf('dep\tgolang.org/x/text\tv0.19.0\n=>\tgithub.com/acme/text\tv0.19.1\th1:text=\n');
    expect(packages.map(({ name }) => name)).toEqual(['stdlib', 'github.com/acme/text']);
    expect(packages[1]).toMatchObject({
      version: 'v0.19.1',
      purl: { namespace: 'github.com/acme', name: 'text', version: 'v0.19.1' },
      properties: { 'go:replaces': 'golang.org/x/text@v0.19.0', 'go:h1': 'h1:text=' },
    });
  });

  test.each(['./staging/api', '../api', '/src/api', '.', '..', '..\\api', 'C:\\src\\api'])(
    'by the directory %s keeps its name and has no version',
    async (directory) => {
      const packages = await packagesOf(`dep\tk8s.io/api\tv0.30.0\n=>\t${directory}\t(devel)\t\n`);
      const api = named(packages, 'k8s.io/api');
      expect(api.version).toBeUndefined();
      expect(api.purl).toEqual({ type: 'golang', namespace: 'k8s.io', name: 'api' });
      expect(api.properties).toEqual({
        'go:replaces': 'k8s.io/api@v0.30.0',
        'go:replaced-by': directory,
        'go:version-devel': 'true',
      });
    },
  );
});

describe('the main module', () => {
  const main = async (modules: string) => (await packagesOf(modules)).find(({ kind }) => kind === 'application');

  test('built from a directory has no version and says so', async () => {
    const application = await main('path\texample.com/shop\nmod\texample.com/shop\t(devel)\t\n');
    expect(application?.version).toBeUndefined();
    expect(application?.purl).not.toHaveProperty('version');
    expect(application?.properties).toEqual({ 'go:version-devel': 'true', 'go:package-path': 'example.com/shop' });
  });

  test('is not listed twice when it stands among the dependencies too', async () => {
    const packages = await packagesOf('mod\ta.example/b\tv1.0.0\t\ndep\ta.example/b\tv1.0.0\t\n');
    expect(packages.map(({ name }) => name)).toEqual(['a.example/b', 'stdlib']);
  });

  test('of a program built from a list of files is the one module from a directory', async () => {
    const packages = await packagesOf(
      'path\tcommand-line-arguments\ndep\ta.example/b\t(devel)\t\ndep\tc.example/d\tv1.0.0\t\n',
    );
    expect(packages.map(({ name, kind }) => [name, kind])).toEqual([
      ['a.example/b', 'application'],
      ['stdlib', 'library'],
      ['c.example/d', 'library'],
    ]);
    expect(packages[0]?.requires).toHaveLength(2);
  });

  test('of a program built from a list of files is unknown when several come from directories', async () => {
    const packages = await packagesOf('path\tcommand-line-arguments\ndep\ta\t(devel)\t\ndep\tb\t(devel)\t\n');
    expect(packages.map(({ name, kind }) => [name, kind])).toEqual([
      ['stdlib', 'library'],
      ['a', 'library'],
      ['b', 'library'],
    ]);
  });

  test('of a program built without modules is the import path of its main package', async () => {
    expect(await main('path\tcmd/go\nbuild\tGOOS=linux\n')).toMatchObject({
      name: 'cmd/go',
      purl: { type: 'golang', namespace: 'cmd', name: 'go' },
      properties: { 'go:os': 'linux', 'go:version-devel': 'true' },
    });
  });

  test('is unknown when its path cannot be one', async () => {
    expect(await main('path\t../shop\n')).toBeUndefined();
    expect(await main('path\tcommand-line-arguments\n')).toBeUndefined();
  });

  test.each([
    ['-X main.version=1.2.3', '1.2.3'],
    ["-s -X 'main.Version=v1.2.3' -w", 'v1.2.3'],
    ['-X=main.version=1.2.3', '1.2.3'],
    ['-X "main.version=1.2.3 built by hand"', '1.2.3'],
    ['-X example.com/shop/version.Version=1.2.3', undefined],
    ['-X main.versionDate=2026', undefined],
    ['-X domain.version=1.2.3', undefined],
    ['main.version=1.2.3', undefined],
  ])('linked with %s names the version %s', async (flags, version) => {
    const line = `build\t-ldflags=${JSON.stringify(flags)}\n`;
    const application = await main(`mod\ta.example/b\t(devel)\t\n${line}`);
    expect(application?.properties?.['go:ldflags-version']).toBe(version);
    expect(application?.version).toBeUndefined();
  });
});

describe('the standard library', () => {
  test.each([
    ['go1.22.3', '1.22.3'],
    ['go1.9', '1.9'],
    ['go1.23rc2', '1.23rc2'],
    ['go1.26.8 X:jsonv2,greenteagc', '1.26.8'],
    ['go1.21.13 (Red Hat 1.21.13-2.el9_4)', '1.21.13'],
    ['devel go1.23-d8392e6997 Thu Feb 1 00:00:00 2026 +0000', undefined],
    ['devel +a813be86df Thu Feb 1 00:00:00 2026 +0000', undefined],
  ])('of %s has the version %s', async (goVersion, version) => {
    const [stdlib, ...others] = await packagesOf('', goVersion);
    expect(others).toEqual([]);
    expect(stdlib).toMatchObject({ name: 'stdlib', kind: 'library', properties: { 'go:toolchain': goVersion } });
    expect(stdlib?.version).toBe(version);
    expect(stdlib?.purl).toEqual({ type: 'golang', name: 'stdlib', ...(version === undefined ? {} : { version }) });
    expect(stdlib?.requiresIncomplete).toBeUndefined();
  });
});

describe('files', () => {
  test('with several architectures give the packages of each', async () => {
    const part = (arch: string) =>
      buildMachO([
        {
          name: '__go_buildinfo',
          bytes: inlineBlob('go1.22.3', `mod\ta\tv1\t\nbuild\tGOARCH=${arch}\n`),
          writable: true,
        },
      ]);
    const { packages } = await catalogFiles(goBinary, { 'bin/a': buildUniversal([part('amd64'), part('arm64')]) });
    expect(packages.filter(({ name }) => name === 'a').map(({ properties }) => properties?.['go:arch'])).toEqual([
      'amd64',
      'arm64',
    ]);
    expect(new Set(packages.map(({ key }) => key)).size).toBe(4);
  });

  test('that are no programs of Go are nothing', async () => {
    const other = buildElf([{ name: '.text', bytes: Buffer.from('instructions') }]);
    expect(await catalogFiles(goBinary, { 'bin/a': other, 'bin/b': '#!/bin/sh\n' })).toEqual({
      packages: [],
      gaps: [],
    });
  });

  test('that cannot be read or hold damaged lines are named', async () => {
    const damaged = program('go1.22.3', 'mod\ta\tv1\t\n').fill(0xff, 4096 + 32);
    const { packages, gaps } = await catalogFiles(goBinary, {
      'bin/damaged': damaged,
      'bin/lines': program('go1.22.3', 'mod\ta\tv1\t\ndep\tb\n'),
      'bin/list': program('go1.22.3', Buffer.alloc(40, 1)),
    });
    expect(gaps).toEqual([
      { path: 'bin/damaged', reason: 'its Go build information is damaged' },
      { path: 'bin/lines', reason: 'damaged lines in its Go module list: 1' },
      { path: 'bin/list', reason: 'its Go module list is damaged' },
    ]);
    expect(packages.map(({ name }) => name)).toEqual(['a', 'stdlib', 'stdlib']);
  });
});

describe('a Go program without build information', () => {
  test.each(['.gopclntab', '.data.rel.ro.gopclntab'])('is named by its section %s', async (name) => {
    const bytes = buildElf([{ name, bytes: Buffer.alloc(4096) }]);
    expect(await catalogFiles(goBinary, { 'usr/bin/old': bytes })).toEqual({
      packages: [],
      gaps: [
        { path: 'usr/bin/old', reason: 'is a Go program without build information: what is in it cannot be told' },
      ],
    });
  });

  test('is none when it only speaks of such programs', async () => {
    const bytes = buildElf([
      { name: '.rodata', bytes: Buffer.concat([Buffer.from('.gopclntab\0'), Buffer.alloc(4096)]) },
    ]);
    expect(await catalogFiles(goBinary, { 'usr/bin/debugger': bytes })).toEqual({ packages: [], gaps: [] });
  });
});
