import fc from 'fast-check';
import { expect, test } from 'vitest';
import { npmInstalled } from '../../../src/catalog/npm/index.ts';
import { Unreadable } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, packageCases, readData } from '../../kit/data.ts';

const manifest = (name: string, version = '1.0.0', more: object = {}) => JSON.stringify({ name, version, ...more });

async function namesIn(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { packages } = await catalogFiles(npmInstalled, files);
  return packages.map(({ name, version }) => `${name}@${version}`).sort();
}

async function only(files: Readonly<Record<string, string>>, path: string) {
  const { packages } = await catalogFiles(npmInstalled, files);
  return packages.find((each) => each.places[0]?.path === path);
}

describeData('package.json of other scanners’ tests', () => {
  for (const { file, case: title, expected } of packageCases('package.json')) {
    test(`finds what is expected of ${file} (${title})`, async () => {
      const isDependency = file.includes('/deps/');
      const directory = isDependency ? `node_modules/${file.split('/').at(-2)}` : 'srv/it';
      const found = await namesIn({ [`${directory}/package.json`]: readData(`packages/${file}`).toString() });
      // A dependency named in a manifest is a wish; osv-scalibr counts it as a package, but nothing says it is installed.
      const right = expected.filter(({ name }) => name !== 'my-dep');
      expect(found).toEqual(right.map(({ name, version }) => `${name}@${version}`).sort());
    });
  }
});

test.each([
  ['app/node_modules/a/package.json'],
  ['app/node_modules/@s/a/package.json'],
  ['node_modules/a/package.json'],
  ['app/node_modules/x/node_modules/a/package.json'],
  ['app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json'],
  ['app/node_modules/.registry.example/test/1.0.0/node_modules/a/package.json'],
  ['app/node_modules/.store/a-npm-1.0.0-0123456789/package/package.json'],
  ['app/.yarn/unplugged/a-npm-1.0.0-0123456789/node_modules/a/package.json'],
  ['usr/share/nodejs/a/package.json'],
  ['usr/share/nodejs/x/node_modules/a/package.json'],
  ['usr/lib/x86_64-linux-gnu/nodejs/a/package.json'],
  ['usr/local/lib/node_modules/a/package.json'],
  ['opt/it/resources/app/node_modules/a/package.json'],
  ['opt/nodejs/node_modules/a/package.json'],
  ['home/test/node_modules/a/package.json'],
  ['app/node_modules/test/package.json'],
  ['app/node_modules/x/dist/compiled/a/package.json'],
  ['package.json'],
  ['opt/yarn-v1.22.22/package.json'],
  ['home/test/app/package.json'],
  ['srv/fixtures/package.json'],
  ['app/node_modules/x/node_modules/y/examples/node_modules/a/package.json'],
  ['app/node_modules/x/docs/node_modules/a/package.json'],
  ['app/node_modules/x/benchmark/node_modules/a/package.json'],
  ['app/node_modules/x/template/node_modules/a/package.json'],
])('%s is a package', async (path) => {
  expect(await namesIn({ [path]: manifest('a') })).toEqual(['a@1.0.0']);
});

test.each([
  ['app/node_modules/x/test/package.json'],
  ['app/node_modules/x/test/node_modules/a/package.json'],
  ['app/node_modules/@s/x/fixtures/deep/node_modules/a/package.json'],
  ['app/node_modules/create-x/template-vue/package.json'],
  ['app/node_modules/x/docs/package.json'],
  ['app/node_modules/x/__mocks__/node_modules/a/package.json'],
  ['app/node_modules/package.json'],
  ['app/node_modules/@s/package.json'],
  ['app/node_modules/.cache/a/package.json'],
  ['usr/lib/go/src/__tests__/a/package.json'],
  ['srv/{{cookiecutter.name}}/package.json'],
  ['usr/share/doc/x/examples/package.json'],
])('%s is none', async (path) => {
  const { packages, gaps } = await catalogFiles(npmInstalled, { [path]: manifest('a') });
  expect({ packages, gaps }).toEqual({ packages: [], gaps: [] });
});

test('a manifest without a name or a version configures a directory', async () => {
  const files = {
    'app/node_modules/x/package.json': manifest('x'),
    'app/node_modules/x/dist/esm/package.json': '{"type":"module"}',
    'app/node_modules/y/package.json': '{"main":"y.js"}',
    'app/node_modules/x/lib/package.json': '{"name":"lib"}',
    'srv/package.json': '{"private":true}',
  };
  expect(await namesIn(files)).toEqual(['x@1.0.0']);
  expect((await catalogFiles(npmInstalled, files)).gaps).toEqual([]);
});

test('an entry point inside a package is not a package, a copy of another one is', async () => {
  const files = {
    'node_modules/next/package.json': manifest('next', '15.0.0'),
    'node_modules/next/dist/compiled/react/package.json': manifest('react', '19.0.0'),
    'node_modules/next/build/esm/package.json': manifest('next', '15.0.0'),
    'node_modules/next/hooks/package.json': manifest('next-hooks', '0.1.0', { private: true }),
  };
  expect(await namesIn(files)).toEqual(['next@15.0.0', 'react@19.0.0']);
  const copy = await only(files, 'node_modules/next/dist/compiled/react/package.json');
  expect(copy).toMatchObject({ confidence: 0.7, properties: { 'npm:copied-in': 'node_modules/next' } });
});

test('the tests of an application are its test data, its node_modules everywhere are installed', async () => {
  const files = {
    'app/package.json': '{"private":true}',
    'app/test/project/package.json': manifest('fake'),
    'app/test/broken/package.json': '{{ name }}',
    'app/packages/one/package.json': manifest('one'),
    'app/test/node_modules/used/package.json': manifest('used'),
  };
  const { packages, gaps } = await catalogFiles(npmInstalled, files);
  expect(packages.map(({ name }) => name).sort()).toEqual(['one', 'used']);
  expect(gaps).toEqual([]);
});

test('an editor extension is no npm package, a library for editor extensions is', async () => {
  const engines = { engines: { vscode: '^1.82.0' } };
  expect(
    await namesIn({
      'root/.vscode/extensions/one/package.json': manifest('one', '1.0.0', engines),
      'root/.vscode/extensions/one/node_modules/vscode-languageclient/package.json': manifest(
        'vscode-languageclient',
        '9.0.1',
        engines,
      ),
    }),
  ).toEqual(['vscode-languageclient@9.0.1']);
});

test('the name field decides, not the directory', async () => {
  const found = await only(
    { 'node_modules/alias/package.json': manifest('@real/name', 'v2.0.0') },
    'node_modules/alias/package.json',
  );
  expect(found).toMatchObject({
    name: '@real/name',
    version: '2.0.0',
    purl: { type: 'npm', namespace: '@real', name: 'name', version: '2.0.0' },
  });
});

test.each([
  ['{"license":"MIT"}', ['MIT']],
  ['{"license":{"type":"BSD-3-Clause","url":"https://example.org"}}', ['BSD-3-Clause']],
  ['{"license":["MIT","Apache2"]}', ['MIT', 'Apache2']],
  ['{"licenses":[{"type":"MIT"},{"url":"https://example.org/GPL"}]}', ['MIT', 'https://example.org/GPL']],
  ['{"license":"(MIT OR Apache-2.0)","licenses":[]}', ['(MIT OR Apache-2.0)']],
  ['{"license":7}', undefined],
])('reads the licences of %s', async (fields, licenses) => {
  const path = 'node_modules/a/package.json';
  expect((await only({ [path]: manifest('a', '1.0.0', JSON.parse(fields)) }, path))?.licenses).toEqual(licenses);
});

test('reads people, links and where npm 6 took it from, without credentials', async () => {
  const path = 'node_modules/a/package.json';
  const found = await only(
    {
      [path]: manifest('a', '1.0.0', {
        author: 'Ann <ann@example.org> (https://ann.example.org)',
        contributors: ['<bob@example.org>', { name: 'Cy', web: 'https://cy.example.org' }, null, 3],
        repository: 'ann/a',
        homepage: 'https://user:secret@example.org/a',
        _resolved: 'https://token@registry.example.org/a/-/a-1.0.0.tgz',
        _integrity: 'sha1-tSQ9jz7BqjXxNkYFvA0QNuMKtp8=',
      }),
    },
    path,
  );
  expect(found).toMatchObject({
    authors: [
      { name: 'Ann', email: 'ann@example.org', url: 'https://ann.example.org' },
      { name: 'bob@example.org', email: 'bob@example.org' },
      { name: 'Cy', url: 'https://cy.example.org' },
    ],
    vcs: 'git+https://github.com/ann/a.git',
    homepage: 'https://example.org/a',
    distribution: 'https://registry.example.org/a/-/a-1.0.0.tgz',
    hashes: [{ alg: 'SHA-1', content: 'b5243d8f3ec1aa35f1364605bc0d1036e30ab69f' }],
  });
});

test('needs lead to the nearest package of that name, as in Node', async () => {
  const files = {
    'app/package.json': manifest('app', '1.0.0', { dependencies: { a: '1' } }),
    'app/node_modules/a/package.json': manifest('a', '1.0.0', {
      dependencies: { b: '^1', missing: '*', opt: '*' },
      optionalDependencies: { opt: '*', fsevents: '*' },
      peerDependencies: { '@s/c': '*', absent: '*' },
    }),
    'app/node_modules/a/node_modules/b/package.json': manifest('b', '1.0.0'),
    'app/node_modules/b/package.json': manifest('b', '2.0.0', { dependencies: { deb: '*' } }),
    'app/node_modules/@s/c/package.json': manifest('@s/c'),
    'usr/share/nodejs/deb/package.json': manifest('deb', '1.0.0', { dependencies: { neighbour: '*' } }),
    'usr/share/nodejs/neighbour/package.json': manifest('neighbour'),
  };
  expect((await only(files, 'app/package.json'))?.requires).toEqual(['app/node_modules/a/package.json']);
  const a = await only(files, 'app/node_modules/a/package.json');
  expect(a?.requires).toEqual(['app/node_modules/a/node_modules/b/package.json', 'app/node_modules/@s/c/package.json']);
  expect(a?.requiresIncomplete).toBe(true);
  const b = await only(files, 'app/node_modules/b/package.json');
  expect(b?.requires).toEqual(['usr/share/nodejs/deb/package.json']);
  expect(b?.requiresIncomplete).toBeUndefined();
  const deb = await only(files, 'usr/share/nodejs/deb/package.json');
  expect(deb?.requires).toEqual(['usr/share/nodejs/neighbour/package.json']);
});

test('a directory called nodejs is one like any other, but for those of Debian', async () => {
  const files = {
    'opt/nodejs/package.json': manifest('app', '1.0.0', { dependencies: { a: '1', native: '1' } }),
    'opt/nodejs/node_modules/a/package.json': manifest('a'),
    'usr/lib/x86_64-linux-gnu/nodejs/native/package.json': manifest('native'),
  };
  expect((await only(files, 'opt/nodejs/package.json'))?.requires).toEqual([
    'opt/nodejs/node_modules/a/package.json',
    'usr/lib/x86_64-linux-gnu/nodejs/native/package.json',
  ]);
});

test('links of pnpm lead to the package behind them', async () => {
  const store = 'app/node_modules/.pnpm';
  const real = `${store}/b@1.0.0/node_modules/b`;
  const found = [`${store}/a@1.0.0/node_modules/a/package.json`, `${real}/package.json`].map((path) => {
    const bytes = Buffer.from(manifest(path.includes('/a@') ? 'a' : 'b', '1.0.0', { dependencies: { b: '1' } }));
    const file = { path, bytes, head: bytes, size: bytes.length, mode: 0o644 };
    return { path, layer: 0, size: 1, fact: npmInstalled.read(file, () => undefined)! };
  });
  const link = `${store}/a@1.0.0/node_modules/b`;
  const packages = await npmInstalled.assemble(found, {
    distro: undefined,
    gap: () => undefined,
    tree: {
      resolve: (path) => (path === link ? real : undefined),
      list: (path) => (path === `${store}/a@1.0.0/node_modules` ? ['a', 'b'] : []),
      read: () => Promise.reject(new Unreadable('not needed')),
    },
  });
  expect(packages[0]?.requires).toEqual([`${real}/package.json`]);
});

test('npm’s record of an installation adds origin, digest and scope to the version that it is of', async () => {
  const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
  const record = {
    lockfileVersion: 3,
    packages: {
      'node_modules/a': { version: '1.0.0', resolved: 'https://r.example.org/a/-/a-1.0.0.tgz', integrity, dev: true },
      'node_modules/b': { version: '9.9.9', resolved: 'https://r.example.org/b/-/b-9.9.9.tgz', integrity },
      'node_modules/g': { version: '1.0.0', resolved: 'git+ssh://git@github.com/ann/g.git#3b1bb80b' },
    },
  };
  const files = {
    'app/node_modules/.package-lock.json': JSON.stringify(record),
    'app/node_modules/a/package.json': manifest('a'),
    'app/node_modules/b/package.json': manifest('b'),
    'app/node_modules/g/package.json': manifest('g'),
  };
  expect(await only(files, 'app/node_modules/a/package.json')).toMatchObject({
    scope: 'dev',
    distribution: 'https://r.example.org/a/-/a-1.0.0.tgz',
    hashes: [{ alg: 'SHA-512', content: '01'.repeat(64) }],
  });
  expect(await only(files, 'app/node_modules/b/package.json')).not.toHaveProperty('hashes');
  expect(await only(files, 'app/node_modules/g/package.json')).toMatchObject({
    purl: { qualifiers: { vcs_url: 'git+ssh://git@github.com/ann/g.git@3b1bb80b' } },
  });
});

test.each([
  ['', 'empty, not JSON'],
  ['{"name":"a","version":', 'not JSON, or cut short'],
  ['\ufffe{', 'not JSON'],
  ['[]', 'JSON, but not an object'],
  ['{"name":"<%= name %>","version":"1.0.0"}', 'its name is not one of an npm package'],
])('a broken manifest in node_modules is named: %j', async (content, reason) => {
  const path = 'node_modules/a/package.json';
  const { packages, gaps } = await catalogFiles(npmInstalled, { [path]: content });
  expect(packages).toEqual([]);
  expect(gaps).toEqual([{ path, reason: expect.stringContaining(reason) }]);
});

test('a broken manifest of an application is named', async () => {
  const { gaps } = await catalogFiles(npmInstalled, { 'app/package.json': '{"name":' });
  expect(gaps).toEqual([{ path: 'app/package.json', reason: 'not JSON, or cut short' }]);
});

test('UTF-16 is refused, a byte order mark is not', async () => {
  const path = 'node_modules/a/package.json';
  const utf16 = await catalogFiles(npmInstalled, { [path]: Buffer.from(`\ufeff${manifest('a')}`, 'utf16le') });
  expect(utf16.gaps[0]?.reason).toContain('UTF-16');
  expect(await namesIn({ [path]: `\ufeff${manifest('a')}` })).toEqual(['a@1.0.0']);
});

test('keys named __proto__ and any depth do no harm', async () => {
  const path = 'node_modules/a/package.json';
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const content = `{"name":"a","version":"1.0.0","__proto__":{"polluted":1},"license":${deep},"author":${deep},"dependencies":{"__proto__":"1","constructor":"1"}}`;
  const { packages, gaps } = await catalogFiles(npmInstalled, { [path]: content });
  expect(packages).toMatchObject([{ name: 'a', requires: [], requiresIncomplete: true }]);
  expect(gaps).toEqual([]);
  expect({}).not.toHaveProperty('polluted');
});

test('any JSON value in any field is read or refused with a reason', async () => {
  const fields = fc.record(
    {
      name: fc.oneof(fc.constant('a'), fc.jsonValue()),
      version: fc.oneof(fc.constant('1.0.0'), fc.jsonValue()),
      license: fc.jsonValue(),
      licenses: fc.jsonValue(),
      author: fc.jsonValue(),
      contributors: fc.jsonValue(),
      repository: fc.oneof(fc.webUrl(), fc.jsonValue()),
      dependencies: fc.jsonValue(),
      optionalDependencies: fc.jsonValue(),
      peerDependencies: fc.jsonValue(),
      _resolved: fc.jsonValue(),
      _integrity: fc.jsonValue(),
    },
    { requiredKeys: ['name', 'version'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fields, fc.jsonValue()), fc.string(), async (json, tail) => {
      const { packages } = await catalogFiles(npmInstalled, {
        'node_modules/a/package.json': JSON.stringify(json) + (tail.length % 3 === 0 ? tail : ''),
      });
      for (const { name, version } of packages) expect([name, version]).not.toContain('');
    }),
  );
});

test('an installed package that names no version is a gap', async () => {
  const { packages, gaps } = await catalogFiles(npmInstalled, {
    'app/node_modules/y/package.json': '{"name":"y"}',
    'app/node_modules/y/lib/package.json': '{"name":"inside"}',
    'srv/package.json': '{"name":"application"}',
  });
  expect(packages).toEqual([]);
  expect(gaps).toEqual([{ path: 'app/node_modules/y/package.json', reason: 'names no version' }]);
});

test('node_modules beside it makes an application of an example, of an extension and of what lies in testdata', async () => {
  const extension = manifest('extension', '1.0.0', { engines: { vscode: '^1.82.0' } });
  const files = {
    'app/package.json': manifest('app'),
    'app/examples/one/package.json': manifest('example'),
    'srv/package.json': extension,
    'usr/src/testdata/two/package.json': manifest('data'),
  };
  expect(await namesIn(files)).toEqual(['app@1.0.0']);
  const installed = Object.keys(files).map((path) => [path.replace(/package.json$/, 'node_modules/.bin/x'), '']);
  expect(await namesIn({ ...files, ...Object.fromEntries(installed) })).toEqual([
    'app@1.0.0',
    'data@1.0.0',
    'example@1.0.0',
    'extension@1.0.0',
  ]);
});

test('a manifest or record that is dense with values is refused before it takes memory', async () => {
  const record = `{"packages":{${'"node_modules/a":{},'.repeat(1_000_000)}"":{}}}`;
  const { gaps } = await catalogFiles(npmInstalled, {
    'app/node_modules/.package-lock.json': record,
    'app/node_modules/x/package.json': `{"name":"x","version":"1","y":[${'"":'.repeat(2_000_001)}]}`,
  });
  const reason = 'more than 1000000 objects and lists, or 2000000 keys';
  expect(gaps.map((gap) => gap.reason)).toEqual([reason, reason]);
});

test('a record of packages that are not there adds nothing', async () => {
  const files = { 'app/node_modules/.package-lock.json': '{"packages":{"node_modules/a":{"version":"1.0.0"}}}' };
  expect(await catalogFiles(npmInstalled, files)).toEqual({ packages: [], gaps: [] });
});
