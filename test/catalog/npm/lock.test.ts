import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { npmLock } from '../../../src/catalog/npm/index.ts';
import { parseLockEntries } from '../../../src/catalog/npm/lock-entries.ts';
import type { Package } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { dataDir, describeData, packageCases, readData } from '../../kit/data.ts';

async function packagesOf(lock: unknown, more: Readonly<Record<string, string>> = {}) {
  const content = typeof lock === 'string' ? lock : JSON.stringify(lock);
  return catalogFiles(npmLock, { 'app/package-lock.json': content, ...more });
}

const labels = (packages: readonly Package[]) =>
  [...new Set(packages.map(({ name, version }) => (version === undefined ? name : `${name}@${version}`)))].sort();

/** `name@version` to the `name@version` of what it requires. */
function edgesOf(packages: readonly Package[]): Readonly<Record<string, readonly string[]>> {
  const byKey = new Map(packages.map((each) => [each.key, `${each.name}@${each.version}`]));
  return Object.fromEntries(
    packages.map((each) => [
      byKey.get(each.key),
      (each.requires ?? []).map((key) => byKey.get(key) ?? `no ${key}`).sort(),
    ]),
  );
}

describeData('lockfiles of other scanners’ tests', () => {
  for (const { file, kind, judge, case: title, expected } of packageCases('npm-lock')) {
    test(`finds what is expected of ${file} (${title})`, async () => {
      const directory = path.join(dataDir ?? '', 'packages', file);
      const files =
        kind === 'directory'
          ? Object.fromEntries(
              readdirSync(directory, { recursive: true, withFileTypes: true })
                .filter((entry) => entry.isFile())
                .map((entry) => path.join(entry.parentPath, entry.name))
                .map((each) => [path.relative(directory, each), readFileSync(each)]),
            )
          : {
              [/npm-shrinkwrap/.test(file) ? 'npm-shrinkwrap.json' : 'package-lock.json']: readData(`packages/${file}`),
            };
      const { packages, gaps } = await catalogFiles(npmLock, files);
      // syft leaves out what is needed for development only; we report it, marked.
      const judged = judge === 'syft' ? packages.filter(({ scope }) => scope !== 'dev') : packages;
      // syft counts the project itself; what it is called says nothing about what it depends on.
      const right = expected.filter(
        ({ name }) => !(name === 'tmp' && file.endsWith('array-license-package-lock.json')),
      );
      expect(labels(judged)).toEqual([...new Set(right.map(({ name, version }) => `${name}@${version}`))].sort());
      expect(gaps).toEqual([]);
    });
  }

  test('the other lockfiles beside them are read as well', async () => {
    const folder = 'packages/syft/syft/pkg/cataloger/javascript/testdata/pkg-lock';
    const alias = ['@bundled-es-modules/chai@4.2.2', 'case@1.6.2', 'case@1.6.3'];
    for (const name of ['alias-package-lock-1.json', 'alias-package-lock-2.json']) {
      expect(labels((await packagesOf(readData(`${folder}/${name}`).toString())).packages)).toEqual(alias);
    }
    const nested = await packagesOf(readData(`${folder}/nested-package-lock-1.json`).toString());
    expect(labels(nested.packages)).toContain('shared@0.5.0');
    expect(nested.gaps).toEqual([
      { path: 'app/package-lock.json', reason: 'the integrity of an entry is not a digest: parent and 6 more' },
    ]);
  });
});

const modern = {
  lockfileVersion: 3,
  packages: {
    '': {
      name: 'app',
      dependencies: { a: '^1', tar: 'https://example.org/t.tgz', w: '*' },
      devDependencies: { d: '1' },
    },
    'node_modules/a': {
      version: '1.0.0',
      resolved: 'https://user:pw@r.example.org/a/-/a-1.0.0.tgz',
      integrity: `sha1-${Buffer.alloc(20, 2).toString('base64')} sha512-${Buffer.alloc(64, 1).toString('base64')}?x=y`,
      license: ['MIT', { type: 'ISC' }],
      dependencies: { b: '1', gone: '1' },
      optionalDependencies: { fsevents: '2' },
      peerDependencies: { p: '1', unmet: '1' },
    },
    'node_modules/a/node_modules/b': { version: '1.0.0', dependencies: { c: '*' } },
    'node_modules/b': { version: '2.0.0', dev: true },
    'node_modules/c': { version: '1.0.0', devOptional: true },
    'node_modules/d': { version: '1.0.0', dev: true, dependencies: { b: '2' } },
    'node_modules/fsevents': { version: '2.0.0', optional: true },
    'node_modules/p': { version: '1.0.0', peer: true },
    'node_modules/alias': { name: '@real/it', version: '3.0.0', inBundle: true },
    'node_modules/tar': { version: '1.1.0', resolved: 'https://example.org/t.tgz' },
    'node_modules/git': { version: '0.1.0', resolved: 'git+ssh://git@github.com/ann/git.git#3b1bb80b' },
    'node_modules/local': { version: '0.2.0', resolved: 'file:local.tgz' },
    'node_modules/w': { resolved: 'packages/w', link: true },
    'packages/w': { version: '0.0.1', dependencies: { c: '*' }, devDependencies: { d: '1' } },
    'packages/w/node_modules/c': { version: '0.9.0' },
    'node_modules/out': { resolved: '../out', link: true },
  },
};

test('reads scopes, digests, origins, licences and edges by location', async () => {
  const { packages, gaps } = await packagesOf(modern);
  expect(gaps).toEqual([]);
  const byName = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
  expect(byName.get('a@1.0.0')).toMatchObject({
    distribution: 'https://r.example.org/a/-/a-1.0.0.tgz',
    hashes: [
      { alg: 'SHA-1', content: '02'.repeat(20) },
      { alg: 'SHA-512', content: '01'.repeat(64) },
    ],
    licenses: ['MIT', 'ISC'],
    requiresIncomplete: true,
    properties: { 'npm:direct': 'true' },
  });
  expect(packages.filter(({ scope }) => scope === 'dev').map(({ name }) => name)).toEqual(['b', 'd']);
  expect(packages.filter(({ scope }) => scope === 'optional').map(({ name }) => name)).toEqual(['c', 'fsevents']);
  expect(byName.get('@real/it@3.0.0')?.properties).toEqual({ 'npm:bundled': 'true' });
  expect(byName.get('tar@1.1.0')?.purl.qualifiers).toEqual({ download_url: 'https://example.org/t.tgz' });
  expect(byName.get('git@0.1.0')).toMatchObject({
    purl: { qualifiers: { vcs_url: 'git+ssh://git@github.com/ann/git.git@3b1bb80b' } },
    vcs: 'git+ssh://git@github.com/ann/git.git',
  });
  expect(byName.get('local@0.2.0')?.properties).toEqual({ 'npm:resolved': 'file:local.tgz' });
  expect(byName.get('w@0.0.1')?.properties).toEqual({ 'npm:direct': 'true' });
  expect(packages.find(({ name }) => name === 'out')).not.toHaveProperty('version');
  expect(edgesOf(packages)).toMatchObject({
    'a@1.0.0': ['b@1.0.0', 'fsevents@2.0.0', 'p@1.0.0'],
    'b@1.0.0': ['c@1.0.0'],
    'd@1.0.0': ['b@2.0.0'],
    'w@0.0.1': ['c@0.9.0', 'd@1.0.0'],
  });
  expect(packages.map(({ name }) => name)).not.toContain('app');
});

test('one package at two places is one, needed to run when either is', async () => {
  const { packages } = await packagesOf({
    lockfileVersion: 2,
    packages: {
      'node_modules/x': { version: '1.0.0', dev: true },
      'node_modules/y': { version: '1.0.0', dependencies: { x: '1' } },
      'node_modules/y/node_modules/x': { version: '1.0.0', dependencies: { z: '1' } },
      'node_modules/z': { version: '1.0.0' },
    },
  });
  expect(packages.map(({ name, scope }) => [name, scope])).toEqual([
    ['x', undefined],
    ['y', undefined],
    ['z', undefined],
  ]);
  expect(edgesOf(packages)).toEqual({ 'x@1.0.0': ['z@1.0.0'], 'y@1.0.0': ['x@1.0.0'], 'z@1.0.0': [] });
});

test('reads the nested format, its aliases and packages without a version', async () => {
  const commit = '3b1bb80b302c2e552685dc8a029797ec832ea7c9';
  const lock = {
    lockfileVersion: 1,
    requires: true,
    dependencies: {
      a: {
        version: '1.0.0',
        requires: { b: '^1', gone: '1' },
        dependencies: { b: { version: '1.0.0', bundled: true } },
      },
      b: { version: '2.0.0', dev: true },
      alias: { version: 'npm:@real/it@3.0.0', requires: { b: '2' } },
      git: { version: `git+https://token@example.org/git.git#${commit}`, from: 'git+https://example.org/git.git' },
      short: { version: `github:ann/short#${commit}` },
      file: { version: 'file:../file' },
      url: { version: 'https://example.org/x.tgz' },
      '@s/known': { version: 'https://r.example.org/@s/known/-/known-1.3.1.tgz' },
    },
  };
  const { packages, gaps } = await packagesOf(lock, {
    'app/package.json': '{"dependencies":{"a":"1"},"devDependencies":{"alias":"npm:@real/it@3"}}',
  });
  expect(gaps).toEqual([]);
  expect(labels(packages)).toEqual(
    ['@real/it@3.0.0', '@s/known@1.3.1', 'a@1.0.0', 'b@1.0.0', 'b@2.0.0', 'file', 'git', 'short', 'url'].sort(),
  );
  const qualifiers = new Map(packages.map(({ name, purl }) => [name, purl.qualifiers]));
  expect(qualifiers.get('git')).toEqual({ vcs_url: `git+https://example.org/git.git@${commit}` });
  expect(qualifiers.get('short')).toEqual({ vcs_url: `git+https://github.com/ann/short.git@${commit}` });
  expect(qualifiers.get('url')).toEqual({ download_url: 'https://example.org/x.tgz' });
  expect(edgesOf(packages)).toMatchObject({ 'a@1.0.0': ['b@1.0.0'], '@real/it@3.0.0': ['b@2.0.0'] });
  expect(packages.filter(({ requiresIncomplete }) => requiresIncomplete).map(({ name }) => name)).toEqual(['a']);
  expect(packages.filter(({ properties }) => properties?.['npm:direct']).map(({ name }) => name)).toEqual([
    'a',
    '@real/it',
  ]);
});

test('the oldest shrinkwrap says nothing of edges, and so do we', async () => {
  const { packages } = await catalogFiles(npmLock, {
    'npm-shrinkwrap.json':
      '{"name":"x","dependencies":{"a":{"version":"1.0.0","from":"a@1","resolved":"https://r/a/-/a.tgz"}}}',
  });
  expect(packages).toMatchObject([{ name: 'a', version: '1.0.0', distribution: 'https://r/a/-/a.tgz' }]);
  expect(packages[0]).not.toHaveProperty('requires');
});

test('a shrinkwrap beside a package-lock is the one that counts', async () => {
  const lock = (name: string) => JSON.stringify({ lockfileVersion: 1, dependencies: { [name]: { version: '1.0.0' } } });
  const { packages } = await catalogFiles(npmLock, {
    'app/package-lock.json': lock('ignored'),
    'app/npm-shrinkwrap.json': lock('wrapped'),
    'other/package-lock.json': lock('other'),
    'app/node_modules/x/npm-shrinkwrap.json': lock('inner'),
  });
  expect(labels(packages)).toEqual(['other@1.0.0', 'wrapped@1.0.0']);
});

test.each([
  ['', 'empty'],
  ['{"lockfileVersion":3,"packages":{', 'cut short'],
  ['[]', 'not an object'],
  ['{}', 'not a lockfile of npm'],
  ['{"lockfileVersion":3}', 'not a lockfile of npm'],
  ['{"lockfileVersion":3,"packages":[]}', 'its packages are not an object'],
  ['{"lockfileVersion":1,"dependencies":"x"}', 'its dependencies are not an object'],
])('refuses %s', async (content, reason) => {
  const { packages, gaps } = await packagesOf(content);
  expect(packages).toEqual([]);
  expect(gaps).toEqual([{ path: 'app/package-lock.json', reason: expect.stringContaining(reason) }]);
});

test('names what it could not read and reads the rest', async () => {
  const { packages, gaps } = await packagesOf({
    lockfileVersion: 4,
    packages: {
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-short' },
      'node_modules/b': 'x',
      'node_modules/c': null,
      'node_modules/{{d}}': { version: '1.0.0' },
      ['node_modules/e/'.repeat(150).slice(0, -1)]: { version: '1.0.0' },
    },
  });
  expect(labels(packages)).toEqual(['a@1.0.0']);
  expect(gaps.map(({ reason }) => reason.slice(0, 60))).toEqual([
    'its lockfileVersion is not 1, 2 or 3: read as the newest kno',
    'the integrity of an entry is not a digest: node_modules/a',
    'an entry is not an object: node_modules/b and 1 more',
    'an entry has no name that a package can have: node_modules/{',
    'an entry lies deeper than 100 directories: node_modules/e/no',
  ]);
});

test('what only one of the two lists of a file names is counted, and the difference is a gap', async () => {
  const old = { version: '1.0.0', dependencies: { hidden: { version: '6.6.6' } } };
  const packages = {
    '': { dependencies: { a: '1', w: '*', git: 'example/git' } },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/w': { resolved: 'packages/other', link: true },
    'packages/other': { name: '@s/other', version: '2.0.0' },
    'node_modules/git': { version: '3.0.0', resolved: 'git+https://example.org/git.git#abc' },
  };
  const same = {
    a: { version: '1.0.0' },
    w: { version: 'file:packages/other' },
    git: { version: 'git+https://example.org/git.git#abc', from: 'git@example/git' },
  };
  const equal = await packagesOf({ lockfileVersion: 2, packages, dependencies: same });
  expect(labels(equal.packages)).toEqual(['@s/other@2.0.0', 'a@1.0.0', 'git@3.0.0']);
  expect(equal.gaps).toEqual([]);

  const unequal = await packagesOf({ lockfileVersion: 2, packages, dependencies: { ...same, a: old } });
  expect(labels(unequal.packages)).toEqual(['@s/other@2.0.0', 'a@1.0.0', 'git@3.0.0', 'hidden@6.6.6']);
  expect(unequal.gaps.map(({ reason }) => reason)).toEqual([
    'its dependencies name what its packages do not, and releases of npm differ in which they read: hidden@6.6.6',
  ]);
});

test.each<[what: string, packages: object, dependencies: object, hidden: string]>([
  [
    'under the place of another',
    { 'node_modules/evil@6.6.6': { name: 'lodash', version: '4.17.21' } },
    { evil: { version: '6.6.6' } },
    'evil@6.6.6',
  ],
  [
    'from a repository',
    { 'node_modules/lodash': { version: '4.17.21', resolved: 'https://r.example.org/lodash/-/lodash-4.17.21.tgz' } },
    { lodash: { version: 'git+https://evil.example/l.git#0123456789012345678901234567890123456789' } },
    'lodash',
  ],
  [
    'of the same version with other content',
    { 'node_modules/lodash': { version: '4.17.21', integrity: 'sha512-AAAA' } },
    { lodash: { version: '4.17.21', integrity: 'sha512-BBBB' } },
    'lodash@4.17.21',
  ],
  [
    'from a file under the name of a link',
    { 'node_modules/w': { resolved: 'packages/w', link: true }, 'packages/w': { name: 'other', version: '1.0.0' } },
    { w: { version: 'file:evil.tgz' } },
    'w',
  ],
])('what only the older list names is a gap %s', async (_, packages, dependencies, hidden) => {
  const { gaps } = await packagesOf({ lockfileVersion: 2, packages: { '': {}, ...packages }, dependencies });
  expect(gaps.map(({ reason }) => reason)).toContain(
    `its dependencies name what its packages do not, and releases of npm differ in which they read: ${hidden}`,
  );
});

test('a version that only the address of a registry states is read from it', async () => {
  const { packages } = await packagesOf({
    lockfileVersion: 2,
    packages: {
      'node_modules/@s/a': { resolved: 'https://r.example.org/@s/a/-/a-1.1.1.tgz' },
      'node_modules/b': { resolved: 'https://r.example.org/other/-/other-2.0.0.tgz' },
      'node_modules/c': { resolved: 'packages/c-3.0.0.tgz', link: true },
    },
    dependencies: { '@s/a': { version: '1.1.1' } },
  });
  expect(labels(packages)).toEqual(['@s/a@1.1.1', 'b', 'c']);
});

test('a file of format 1 with packages that hold only the project is read by its dependencies', async () => {
  const { packages, gaps } = await packagesOf({
    lockfileVersion: 1,
    requires: true,
    packages: { '': { name: 'app', dependencies: { promise: '8' } } },
    dependencies: { promise: { version: '8.0.3', requires: { asap: '2' } }, asap: { version: '2.0.7' } },
  });
  expect(edgesOf(packages)).toEqual({ 'asap@2.0.7': [], 'promise@8.0.3': ['asap@2.0.7'] });
  expect(packages.find(({ name }) => name === 'promise')?.properties).toEqual({ 'npm:direct': 'true' });
  expect(gaps.map(({ reason }) => reason.split(': ')[1])).toEqual(['promise@8.0.3 and 1 more']);
});

test('a nesting that no tree on a disk has is cut and named', async () => {
  const depth = 5000;
  const nested = `{"lockfileVersion":1,"dependencies":${'{"a":{"version":"1.0.0","dependencies":'.repeat(depth)}{}${'}}'.repeat(depth)}}`;
  const { packages, gaps } = await packagesOf(nested);
  expect(labels(packages)).toEqual(['a@1.0.0']);
  expect(gaps[0]?.reason).toContain('deeper than 100');
});

test('keys named __proto__ are names like any other', async () => {
  const { packages } = await packagesOf(
    '{"lockfileVersion":1,"requires":true,"dependencies":{"__proto__":{"version":"1.0.0"},"a":{"version":"2.0.0","requires":{"__proto__":"1","constructor":"1"}}}}',
  );
  expect(edgesOf(packages)).toEqual({ ['__proto__@1.0.0']: [], 'a@2.0.0': ['__proto__@1.0.0'] });
  expect({}).not.toHaveProperty('version');
});

test('links in a circle end', async () => {
  const { packages } = await packagesOf({
    lockfileVersion: 3,
    packages: {
      'node_modules/a': { resolved: 'node_modules/b', link: true },
      'node_modules/b': { resolved: 'node_modules/a', link: true },
      'node_modules/c': { version: '1.0.0', dependencies: { a: '1', b: '1', c: '1' } },
    },
  });
  expect(labels(packages)).toContain('c@1.0.0');
});

test('any JSON in any entry is read or refused, and every edge leads to a package', async () => {
  const field = fc.oneof(
    fc.constantFrom('1.0.0', 'npm:a@1', 'https://e.org/a.tgz', 'git+ssh://git@e.org/a#1'),
    fc.jsonValue(),
  );
  const ranges = fc.oneof(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constant('1')), fc.jsonValue());
  const entry = fc.record({
    version: field,
    resolved: field,
    link: fc.boolean(),
    dependencies: ranges,
    requires: ranges,
  });
  const location = fc.oneof(
    fc.constantFrom('', 'node_modules/a', 'node_modules/a/node_modules/b', 'packages/a', 'node_modules/', '/', '..'),
    fc.string(),
  );
  const lock = fc.record(
    {
      lockfileVersion: fc.oneof(fc.constantFrom(1, 2, 3), fc.jsonValue()),
      packages: fc.oneof(fc.dictionary(location, fc.oneof(entry, fc.jsonValue())), fc.jsonValue()),
      dependencies: fc.oneof(fc.dictionary(location, fc.oneof(entry, fc.jsonValue())), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(lock, async (json) => {
      const { packages } = await packagesOf(json);
      const keys = new Set(packages.map(({ key }) => key));
      expect(keys.size).toBe(packages.length);
      for (const key of packages.flatMap(({ requires }) => requires ?? [])) expect(keys).toContain(key);
    }),
  );
});

test('entries beyond the 100,000th and directories of thousands of levels are gaps', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 100_002 }, (_, at) => [`node_modules/a${at}`, { version: '1' }]),
  );
  const deep = Object.fromEntries(
    Array.from({ length: 2500 }, (_, at) => [`d${at}${'/x'.repeat(98)}`, { version: '1' }]),
  );
  const { packages, gaps } = await catalogFiles(npmLock, {
    'a/package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: many }),
    'b/package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: deep }),
    'c/package-lock.json': JSON.stringify({
      lockfileVersion: 1,
      dependencies: Object.fromEntries(Array.from({ length: 100_001 }, (_, at) => [`a${at}`, { version: '1.0.0' }])),
    }),
  });
  const inFile = (name: string) => packages.filter(({ places }) => places[0]?.path.startsWith(name)).length;
  expect([inFile('a/'), inFile('c/')]).toEqual([100_000, 100_000]);
  expect(gaps.map(({ path, reason }) => [path[0], /beyond the (\d+)th was not read/.test(reason)])).toEqual([
    ['a', true],
    ['b', true],
    ['c', true],
  ]);
});

test('both lists together have one bound', () => {
  const numbered = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, { version: '1.0.0' }]));
  const gaps: string[] = [];
  const { entries } = parseLockEntries(
    { lockfileVersion: 2, packages: numbered('node_modules/a', 99_999), dependencies: numbered('b', 3) },
    (reason) => gaps.push(reason),
  );
  expect(entries.length).toBe(100_000);
  expect(gaps).toEqual([
    'an entry beyond the 100000th was not read: b1 and 1 more',
    'its dependencies name what its packages do not, and releases of npm differ in which they read: b0@1.0.0 and 2 more',
  ]);
});

test('a lockfileVersion that is an object with a toString of its own is an unknown version, not an error', async () => {
  const { packages, gaps } = await packagesOf({ lockfileVersion: { toString: '' }, packages: {} });
  expect(packages).toEqual([]);
  expect(gaps.map((gap) => gap.reason)).toEqual(['its lockfileVersion is not 1, 2 or 3: read as the newest known']);
});
