import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pythonInstalled } from '../../../src/catalog/python/index.ts';
import { normalizedName } from '../../../src/catalog/python/requirement.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { dataDir, describeData, packageCases } from '../../kit/data.ts';

const site = 'usr/lib/python3.12/site-packages';
const metadata = (name: string, version = '1.0', ...more: readonly string[]) =>
  ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`, ...more, '', 'Name: not-me'].join('\n');

async function only(files: Readonly<Record<string, Buffer | string>>) {
  const { packages, gaps } = await catalogFiles(pythonInstalled, files);
  expect(packages).toHaveLength(1);
  return { ...packages[0], gaps };
}

/** Names to the names of what they require. */
async function edgesOf(files: Readonly<Record<string, string>>) {
  const { packages } = await catalogFiles(pythonInstalled, files);
  const names = new Map(packages.map(({ key, name }) => [key, name]));
  return Object.fromEntries(
    packages.map((each) => [each.name, (each.requires ?? ['unknown']).map((key) => names.get(key) ?? key).sort()]),
  );
}

describeData('installed packages of other scanners’ tests', () => {
  for (const { file, kind, case: title, expected } of packageCases('python-installed')) {
    test(`finds what is expected of ${file} (${title})`, async () => {
      const source = path.join(dataDir ?? '', 'packages', file);
      const files =
        kind === 'directory'
          ? readdirSync(source, { recursive: true, withFileTypes: true })
              .filter((entry) => entry.isFile())
              .map((entry) => path.join(entry.parentPath, entry.name))
          : [];
      // A directory case may itself be the dist-info directory: its name counts.
      const contents = files.map((each) => [path.relative(path.dirname(source), each), readFileSync(each)]);
      const single = [
        [/pkginfo|special|mixed/.test(file) ? `${site}/x.egg-info/PKG-INFO` : `${site}/x.dist-info/METADATA`, source],
      ];
      const { packages } = await catalogFiles(
        pythonInstalled,
        Object.fromEntries(
          kind === 'directory' ? contents : single.map(([name, from]) => [name, readFileSync(from ?? '')]),
        ),
      );
      // syft normalises names, osv-scalibr does not: one spelling for both.
      const label = (name: string, version = '', vcs = '') => `${normalizedName(name)}@${version} ${vcs}`;
      const found = packages.map(({ name, version, purl }) => label(name, version, purl.qualifiers?.['vcs_url']));
      const right = expected.map(({ name, version, purl }) =>
        label(name, version, new URLSearchParams(purl?.split('?')[1] ?? '').get('vcs_url') ?? ''),
      );
      expect(found.sort()).toEqual(right.sort());
    });
  }
});

test.each([
  [`${site}/a-1.0.dist-info/METADATA`],
  [`${site}/a-1.0.DIST-INFO/metadata`],
  [`${site}/a-1.0-py3.12.egg-info/PKG-INFO`],
  ['usr/lib/python3/dist-packages/a-1.0.egg-info'],
  [`${site}/a-1.0-py3.8.egg/EGG-INFO/PKG-INFO`],
  [`${site}/setuptools/_vendor/a-1.0.dist-info/METADATA`],
  ['src/a/a.egg-info/PKG-INFO'],
])('%s is a package', async (file) => {
  expect(await only({ [file]: metadata('a') })).toMatchObject({ name: 'a', version: '1.0', key: file, gaps: [] });
});

test.each([
  ['src/a/PKG-INFO'],
  [`${site}/a/METADATA`],
  [`${site}/a-1.0.dist-info/WHEEL`],
  [`${site}/egg-info/x/PKG-INFO`],
])('%s is none', async (file) => {
  expect((await catalogFiles(pythonInstalled, { [file]: metadata('a') })).packages).toEqual([]);
});

test('reads the headers and nothing of the description', async () => {
  const found = await only({
    [`${site}/Foo_Bar-2.0.dist-info/METADATA`]: [
      '\ufeffMetadata-Version: 2.4\r',
      'name: Foo.Bar\r',
      'VERSION: 2.0\r',
      'Version: 3.0\r',
      'Summary: does things\r',
      'broken over lines without indentation\r',
      'Author: Ann',
      'Author-email: ann@example.org',
      'Maintainer-email: "Bob B." <bob@example.org>, Cy <cy@example.org>',
      'License: Some long text',
      '        over several lines',
      'Classifier: License :: OSI Approved :: MIT License',
      'Classifier: Topic :: Utilities',
      'Home-page: UNKNOWN',
      'Project-URL: Docs, https://example.org/',
      'Project-URL: Home Page, https://foo.example.org/',
      'Project-URL: Source Code, https://example.org/foo.git',
      '',
      'License-Expression: GPL-3.0-only',
    ].join('\n'),
  });
  expect(found).toMatchObject({
    name: 'Foo.Bar',
    version: '2.0',
    purl: { type: 'pypi', name: 'Foo.Bar', version: '2.0' },
    description: 'does things',
    licenses: ['MIT License'],
    authors: [
      { name: 'Ann', email: 'ann@example.org' },
      { name: 'Bob B.', email: 'bob@example.org' },
      { name: 'Cy', email: 'cy@example.org' },
    ],
    homepage: 'https://foo.example.org/',
    vcs: 'https://example.org/foo.git',
    gaps: [],
  });
});

test.each([
  [['License: MIT'], ['MIT']],
  [['License: MIT', 'Classifier: License :: OSI Approved :: BSD License'], ['MIT']],
  [['License: BSD', 'License-Expression: BSD-3-Clause OR MIT'], ['BSD-3-Clause OR MIT']],
  [['License: UNKNOWN'], undefined],
  [
    ['Classifier: License :: A', 'Classifier: License :: B'],
    ['A', 'B'],
  ],
  [['License: The text', '  of a licence'], ['The text']],
])('takes the licence from %j', async (headers, licenses) => {
  expect((await only({ [`${site}/a-1.0.dist-info/METADATA`]: metadata('a', '1.0', ...headers) })).licenses).toEqual(
    licenses,
  );
});

test.each([
  ['a-1.0.dist-info/METADATA', 'Name: a', '1.0'],
  ['a_b-1.0-1-py3.11.egg-info', 'Name: A.b', '1.0-1'],
  ['other-1.0.dist-info/METADATA', 'Name: a', undefined],
  ['no-version-py3.8.egg-info', 'Name: no-version', undefined],
])('where %s states no version the name of the directory does', async (file, content, version) => {
  expect((await only({ [`${site}/${file}`]: content })).version).toBe(version);
});

test('a package whose metadata was removed is known by its directory', async () => {
  const found = await only({ [`${site}/a_b-1.0.dist-info/RECORD`]: 'a_b.py,,\n' });
  expect(found).toMatchObject({ name: 'a_b', version: '1.0', technique: 'filename', confidence: 0.6 });
  expect(found).not.toHaveProperty('requires');
});

test('metadata without a name is named by its directory and said to be so, or refused', async () => {
  const named = await only({ [`${site}/a-1.0.dist-info/METADATA`]: 'garbage' });
  expect(named).toMatchObject({ name: 'a', version: '1.0', gaps: [{ reason: expect.stringContaining('no name') }] });
  const file = 'x/dist-info/METADATA';
  expect(await catalogFiles(pythonInstalled, { [file]: '\n\n' })).toEqual({
    packages: [],
    gaps: [{ path: file, reason: 'it states no name' }],
  });
});

test('two metadata files that differ in case are two packages', async () => {
  const { packages } = await catalogFiles(pythonInstalled, {
    [`${site}/a-1.0.dist-info/METADATA`]: metadata('evil'),
    [`${site}/a-1.0.dist-info/metadata`]: metadata('good'),
  });
  expect(packages.map(({ name }) => name)).toEqual(['evil', 'good']);
});

test('owns what RECORD lists, from the root, and names the lines that it cannot read', async () => {
  const home = `${site}/a-1.0.dist-info`;
  const found = await only({
    [`${home}/METADATA`]: metadata('a'),
    [`${home}/RECORD`]: [
      'a/__init__.py,sha256=x,12\r',
      '../../../bin/a,,',
      '"odd, ""name"".py",sha256=x,1',
      '<<<<<<< HEAD',
      'with,comma.py,sha256=x,1',
      '/etc/absolute,,',
      '../../../../../../outside,,',
      'nul\0,,',
      'a-1.0.dist-info/RECORD,,',
    ].join('\n'),
  });
  expect([...(found.owns?.() ?? [])]).toEqual([
    `${site}/a/__init__.py`,
    'usr/bin/a',
    `${site}/odd, "name".py`,
    'etc/absolute',
    'outside',
    `${home}/RECORD`,
  ]);
  expect(found.gaps).toEqual([{ path: `${home}/RECORD`, reason: '3 lines name no file in the form of the list' }]);
});

test('installed-files.txt counts from the directory that it lies in', async () => {
  const home = `${site}/a-1.0.egg-info`;
  const found = await only({
    [`${home}/PKG-INFO`]: metadata('a'),
    [`${home}/installed-files.txt`]: '../a.py\nPKG-INFO\n',
  });
  expect([...(found.owns?.() ?? [])]).toEqual([`${site}/a.py`, `${home}/PKG-INFO`]);
});

test('who installed it, at whose wish and from where', async () => {
  const home = `${site}/a-1.0.dist-info`;
  const base = { [`${home}/METADATA`]: metadata('a'), [`${home}/INSTALLER`]: 'uv\n', [`${home}/REQUESTED`]: '' };
  const digest = 'ab'.repeat(32);
  const from = async (url: object) => only({ ...base, [`${home}/direct_url.json`]: JSON.stringify(url) });
  expect(
    await from({ url: 'https://u:p@example.org/a.git', vcs_info: { vcs: 'git', commit_id: 'c0ffee' } }),
  ).toMatchObject({
    properties: { 'python:installer': 'uv', 'python:direct': 'true' },
    purl: { qualifiers: { vcs_url: 'git+https://example.org/a.git@c0ffee' } },
    vcs: 'https://example.org/a.git',
  });
  for (const info of [{ hashes: { sha256: digest } }, { hash: `sha256=${digest}` }]) {
    expect(await from({ url: 'https://example.org/a.zip', archive_info: info })).toMatchObject({
      purl: { qualifiers: { download_url: 'https://example.org/a.zip' } },
      distribution: 'https://example.org/a.zip',
      hashes: [{ alg: 'SHA-256', content: digest }],
    });
  }
  const editable = await from({ url: 'file:///src/a', dir_info: { editable: true } });
  expect(editable.properties).toMatchObject({ 'python:editable': 'true' });
  expect(editable.purl).not.toHaveProperty('qualifiers');
  const { gaps, ...broken } = await only({ ...base, [`${home}/direct_url.json`]: '{"url":1}' });
  expect([broken.name, gaps[0]?.reason]).toEqual(['a', 'not a JSON object with a url']);
});

test('requirements lead to packages in sight, extras to none, conditions to those that are there', async () => {
  const files = {
    [`${site}/app-1.0.dist-info/METADATA`]: metadata(
      'app',
      '1.0',
      'Requires-Dist: Zope.Interface (>1.2)',
      'Requires-Dist: colorama ; platform_system == "Windows"',
      'Requires-Dist: tomli>=1; python_version < "3.11"',
      "Requires-Dist: lxml ; extra == 'xml'",
      'Requires-Dist: pip @ https://example.org/pip.zip',
      'Requires-Dist: local[all]~=2.0',
    ),
    [`${site}/zope_interface-5.0.dist-info/METADATA`]: metadata('zope-interface'),
    [`${site}/tomli-2.0.dist-info/METADATA`]: metadata('tomli'),
    [`${site}/lxml-5.0.dist-info/METADATA`]: metadata('lxml'),
    'usr/lib64/python3.12/site-packages/pip-1.0.dist-info/METADATA': metadata('pip'),
    'usr/local/lib/python3.12/site-packages/local-2.0.dist-info/METADATA': metadata('local'),
  };
  expect((await edgesOf(files))['app']).toEqual(['local', 'pip', 'tomli', 'zope-interface']);
  const { packages } = await catalogFiles(pythonInstalled, files);
  expect(packages.some(({ requiresIncomplete }) => requiresIncomplete)).toBe(false);
});

test('a virtual environment and another version of Python see none of each other', async () => {
  const need = metadata('app', '1.0', 'Requires-Dist: dep');
  const files = {
    'opt/venv/lib/python3.12/site-packages/app-1.0.dist-info/METADATA': need,
    [`${site}/dep-1.0.dist-info/METADATA`]: metadata('dep'),
    'usr/lib/python3.9/site-packages/app-1.0.dist-info/METADATA': need,
  };
  const { packages } = await catalogFiles(pythonInstalled, files);
  const apps = packages.filter(({ name }) => name === 'app');
  expect(apps.map(({ requires, requiresIncomplete }) => [requires, requiresIncomplete])).toEqual([
    [[], true],
    [[], true],
  ]);
});

test('a vendored copy sees its neighbours first, then the packages around it', async () => {
  const vendor = `${site}/setuptools/_vendor`;
  const { packages } = await catalogFiles(pythonInstalled, {
    [`${vendor}/a-1.0.dist-info/METADATA`]: metadata('a', '1.0', 'Requires-Dist: b', 'Requires-Dist: c'),
    [`${vendor}/b-1.0.dist-info/METADATA`]: metadata('b'),
    [`${site}/b-2.0.dist-info/METADATA`]: metadata('b', '2.0'),
    [`${site}/c-1.0.dist-info/METADATA`]: metadata('c'),
  });
  expect(packages[0]?.requires).toEqual([`${vendor}/b-1.0.dist-info/METADATA`, `${site}/c-1.0.dist-info/METADATA`]);
});

test('an egg states its needs in requires.txt, distutils none at all', async () => {
  const files = {
    [`${site}/egg-1.0.egg-info/PKG-INFO`]: metadata('egg'),
    [`${site}/egg-1.0.egg-info/requires.txt`]: 'six>=1\n\n[:python_version < "3"]\nfutures\n\n[test]\npytest\n',
    [`${site}/six-1.0.egg-info`]: metadata('six'),
    [`${site}/pytest-1.0.dist-info/METADATA`]: metadata('pytest'),
  };
  expect(await edgesOf(files)).toEqual({ egg: ['six'], six: ['unknown'], pytest: [] });
  const { packages } = await catalogFiles(pythonInstalled, files);
  expect(packages.find(({ name }) => name === 'egg')).not.toHaveProperty('requiresIncomplete');
});

test('any bytes in any part are read or refused with a reason', async () => {
  const home = `${site}/a-1.0.dist-info`;
  const line = fc.oneof(
    fc.constantFrom(
      'Name: a',
      'Version:',
      'Requires-Dist: b;',
      'License: x',
      ' more',
      '',
      'a,b,c',
      '"a,,',
      '{"url":"x"}',
    ),
    fc.string({ unit: 'binary' }),
  );
  const content = fc.oneof(
    fc.array(line).map((lines) => Buffer.from(lines.join('\n'))),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(content, content, content, async (main, record, url) => {
      const { packages } = await catalogFiles(pythonInstalled, {
        [`${home}/METADATA`]: main,
        [`${home}/RECORD`]: record,
        [`${home}/direct_url.json`]: url,
        [`${site}/b.egg-info/requires.txt`]: main,
      });
      for (const { name, version, owns } of packages) {
        expect([name, version]).not.toContain('');
        for (const owned of owns?.() ?? []) expect(owned).toMatch(/^[^/]/);
      }
    }),
  );
});

test.each([
  ['site-packages/six-1.16.0.dist-info/PKG-INFO'],
  ['site-packages/six-1.16.0.egg-info/METADATA'],
  ['site-packages/six-1.16.0.dist-info'],
  ['site-packages/six-1.16.0.egg-info'],
  ['site-packages/foo.egg/EGG-INFO/METADATA'],
])('%s is metadata, as it is for importlib', async (path) => {
  const { packages, gaps } = await catalogFiles(pythonInstalled, { [path]: 'Name: six\nVersion: 1.16.0\n\n' });
  expect(packages.map(({ name, version, places }) => [name, version, places[0]?.path])).toEqual([
    ['six', '1.16.0', path],
  ]);
  expect(gaps).toEqual([]);
});

test('METADATA and PKG-INFO in one directory are one package unless they disagree', async () => {
  const both = (second: string) => ({
    's/six-1.16.0.dist-info/METADATA': 'Name: six\nVersion: 1.16.0\n',
    's/six-1.16.0.dist-info/PKG-INFO': second,
  });
  const namesOf = async (second: string) =>
    (await catalogFiles(pythonInstalled, both(second))).packages.map(({ name, version }) => `${name} ${version}`);
  expect(await namesOf('Name: six\nVersion: 1.16.0\n')).toEqual(['six 1.16.0']);
  expect(await namesOf('Name: evil\nVersion: 6.6.6\n')).toEqual(['six 1.16.0', 'evil 6.6.6']);
});

test('a list of more than a million files is cut, and says so', async () => {
  const { packages, gaps } = await catalogFiles(pythonInstalled, {
    's/a-1.egg-info/PKG-INFO': 'Name: a\nVersion: 1\n',
    's/a-1.egg-info/installed-files.txt': 'a\n'.repeat(1_000_001),
  });
  expect([...(packages[0]?.owns?.() ?? [])]).toHaveLength(1_000_000);
  expect(gaps.map(({ reason }) => reason)).toEqual(['lists more than a million files; the rest was not read']);
});

test('names in lists of files keep quotes, commas and bytes that are not UTF-8', async () => {
  const record = Buffer.concat([
    Buffer.from('"a,""b"".py",sha256=x,1\r\nplain.py,,\n"open,,\nno comma\na,b,c,d\n'),
    Buffer.from([0xff, 0x2c, 0x2c]),
  ]);
  const { packages, gaps } = await catalogFiles(pythonInstalled, {
    's/a-1.dist-info/METADATA': 'Name: a\nVersion: 1\n',
    's/a-1.dist-info/RECORD': record,
  });
  expect([...(packages[0]?.owns?.() ?? [])]).toEqual(['s/a,"b".py', 's/plain.py', 's/\udcff']);
  expect(gaps.map(({ reason }) => reason)).toEqual(['3 lines name no file in the form of the list']);
});

test.each([
  ['s/a-1.dist-info/METADATA', 8],
  ['s/a-1.dist-info/RECORD', 16],
  ['s/a-1.egg-info/installed-files.txt', 16],
  ['s/a-1.dist-info/direct_url.json', 1],
])('%s may have %i MiB', (path, size) => {
  expect(pythonInstalled.maxBytes?.(path)).toBe(size * 2 ** 20);
});
