import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { unreadDeclared } from '../../../src/catalog/unread/index.ts';
import { manifests, npmLocks } from '../../../src/catalog/unread/manifests.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { describeData, packageCases, readData } from '../../kit/data.ts';

const known: ReadonlyArray<readonly [what: string, path: string]> = [
  ['Yarn', 'yarn.lock'],
  ['pnpm', 'pnpm-lock.yaml'],
  ['Bun', 'bun.lock'],
  ['Bun', 'bun.lockb'],
  ['Deno', 'deno.lock'],
  ['pip requirements', 'requirements.txt'],
  ['pip requirements', 'api/dev-requirements.txt'],
  ['pip requirements', 'requirements_test.txt'],
  ['pip requirements', 'api/Requirements.TXT'],
  ['pip requirements', 'api/requirements/base.txt'],
  ['Poetry', 'poetry.lock'],
  ['Pipenv', 'Pipfile.lock'],
  ['PDM', 'pdm.lock'],
  ['uv', 'uv.lock'],
  ['uv', 'script.py.lock'],
  ['pylock', 'pylock.toml'],
  ['pylock', 'pylock.dev.toml'],
  ['conda', 'conda-lock.yml'],
  ['Pixi', 'pixi.lock'],
  ['Go modules', 'cmd/go.mod'],
  ['Go dep', 'Gopkg.lock'],
  ['Cargo', 'Cargo.lock'],
  ['Bundler', 'Gemfile.lock'],
  ['Bundler', 'Gemfile.next.lock'],
  ['Bundler', 'gems.locked'],
  ['Composer', 'composer.lock'],
  ['Maven', 'core/pom.xml'],
  ['Gradle', 'gradle.lockfile'],
  ['Gradle', 'buildscript-gradle.lockfile'],
  ['Gradle', 'gradle/verification-metadata.xml'],
  ['Gradle', 'gradle/libs.versions.toml'],
  ['sbt', 'build.sbt.lock'],
  ['Bazel', 'MODULE.bazel.lock'],
  ['Bazel', 'maven_install.json'],
  ['NuGet', 'src/packages.lock.json'],
  ['NuGet', 'src/packages.config'],
  ['NuGet', 'src/obj/project.assets.json'],
  ['NuGet', 'Directory.Packages.props'],
  ['Paket', 'paket.lock'],
  ['Conan', 'conan.lock'],
  ['Conan', 'conanfile.txt'],
  ['vcpkg', 'vcpkg.json'],
  ['CocoaPods', 'Podfile.lock'],
  ['Swift packages', 'Package.resolved'],
  ['Carthage', 'Cartfile.resolved'],
  ['Mix', 'mix.lock'],
  ['Rebar', 'rebar.lock'],
  ['Dart pub', 'pubspec.lock'],
  ['Stack', 'stack.yaml.lock'],
  ['Cabal', 'cabal.project.freeze'],
  ['Julia', 'Manifest.toml'],
  ['Julia', 'Manifest-v1.11.toml'],
  ['renv', 'renv.lock'],
  ['Packrat', 'packrat/packrat.lock'],
  ['LuaRocks', 'luarocks.lock'],
  ['Nimble', 'nimble.lock'],
  ['Terraform', 'infra/.terraform.lock.hcl'],
  ['Nix flakes', 'flake.lock'],
];

test.each(known)('%s is known by %s', async (what, path) => {
  const { packages, gaps } = await catalogFiles(unreadDeclared, { [path]: 'x' });
  expect(packages).toEqual([]);
  expect(gaps).toEqual([{ path, reason: `1 file of ${what}, which tidewaiter does not read yet` }]);
});

test.each([
  'yarn.lock.bak',
  'my-yarn.lock',
  'pnpm-workspace.yaml',
  'docs/notes.txt',
  'requirements.md',
  'requirements/nested/base.txt',
  'go.sum',
  'src/pom.xml.erb',
  'Gemfile.lockfile.d',
  'dist/verification-metadata.xml',
  'src/package.json5',
  'tsconfig.json',
  'build.gradle',
  'app.csproj',
  'cargo.lock.orig',
])('%s is none', (path) => {
  expect(unreadDeclared.wants({ path, size: 1, mode: 0o644, head: Buffer.alloc(0) })).toBe(false);
});

const needy = '{"name":"a","dependencies":{"left-pad":"^1.3.0"}}';
const npm = (count: string) => `${count} of npm without a lockfile, which tidewaiter does not read yet`;

describe('a package.json', () => {
  it.each(['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'])(
    'with %s and no lockfile is a gap',
    async (field) => {
      const { gaps } = await catalogFiles(unreadDeclared, { 'app/package.json': `{"${field}":{"a":"1"}}` });
      expect(gaps).toEqual([{ path: 'app/package.json', reason: npm('1 file') }]);
    },
  );

  it('that needs nothing is none', async () => {
    const files = { 'package.json': '{"name":"a","dependencies":{}}', 'b/package.json': '{"type":"module"}' };
    expect((await catalogFiles(unreadDeclared, files)).gaps).toEqual([]);
  });

  it.each(['package-lock.json', 'npm-shrinkwrap.json'])('beside %s is covered', async (lock) => {
    const files = { 'app/package.json': needy, [`app/${lock}`]: '{"lockfileVersion":1}' };
    expect((await catalogFiles(unreadDeclared, files)).gaps).toEqual([]);
  });

  it.each(['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb', 'deno.lock'])(
    'below %s is covered by it, which is the gap itself',
    async (lock) => {
      const files = { 'app/packages/a/package.json': needy, 'app/package.json': needy, [`app/${lock}`]: '' };
      expect((await catalogFiles(unreadDeclared, files)).gaps.map(({ path }) => path)).toEqual([`app/${lock}`]);
    },
  );

  it('below package-lock.json is covered when it is a workspace there, and only then', async () => {
    const lock = { lockfileVersion: 3, packages: { '': {}, 'packages/a': {}, 'node_modules/a': { link: true } } };
    const files = {
      'app/package-lock.json': JSON.stringify(lock),
      'app/package.json': needy,
      'app/packages/a/package.json': needy,
      'app/examples/b/package.json': needy,
      'application/package.json': needy,
    };
    const { gaps } = await catalogFiles(unreadDeclared, files);
    expect(gaps.map(({ path }) => path)).toEqual(['app/examples/b/package.json', 'application/package.json']);
  });

  it('is covered by a lockfile beside it that is broken: its own cataloger says so', async () => {
    const files = { 'package.json': needy, 'package-lock.json': '{', 'b/package.json': needy };
    expect((await catalogFiles(unreadDeclared, files)).gaps.map(({ path }) => path)).toEqual(['b/package.json']);
  });

  it('that is no JSON is named', async () => {
    const { gaps } = await catalogFiles(unreadDeclared, { 'package.json': '{{ template }}' });
    expect(gaps).toEqual([{ path: 'package.json', reason: 'not JSON, or cut short' }]);
  });
});

describe('other manifests', () => {
  it.each([
    ['Python projects', 'pyproject.toml', '[project]\ndependencies = ["requests"]\n', '[tool.black]\n', 'uv.lock'],
    ['Python projects', 'setup.py', 'setup(install_requires=["a"])', 'setup()', 'poetry.lock'],
    ['Python projects', 'Pipfile', '[packages]\nrequests = "*"\n', '[requires]\n', 'Pipfile.lock'],
    ['conda', 'environment.yml', 'name: a\ndependencies:\n  - numpy\n', 'production: true\n', 'conda-lock.yml'],
    ['Cargo', 'Cargo.toml', '[dependencies]\nserde = "1"\n', '[package]\n', 'Cargo.lock'],
    ['Bundler', 'Gemfile', 'gem "rails"\n', 'source "x"\n', 'Gemfile.lock'],
    ['Composer', 'composer.json', '{"require":{"a/b":"1"}}', '{"name":"a/b"}', 'composer.lock'],
    ['Dart pub', 'pubspec.yaml', 'dependencies:\n  http: any\n', 'name: a\n', 'pubspec.lock'],
    ['Mix', 'mix.exs', 'deps: deps()', 'app: :a', 'mix.lock'],
    ['CocoaPods', 'Podfile', "pod 'A'\n", "platform :ios, '9.0'\n", 'Podfile.lock'],
    ['Swift packages', 'Package.swift', '.package(url: "x")', 'let a = 1', 'Package.resolved'],
  ])('%s: %s is a gap when it states dependencies and nothing locks them', async (what, name, needs, plain, lock) => {
    const gapsOf = async (files: Record<string, string>) =>
      (await catalogFiles(unreadDeclared, files)).gaps.map(({ reason }) => reason.slice(0, reason.indexOf(',')));
    expect(await gapsOf({ [`a/${name}`]: needs })).toEqual([`1 file of ${what} without a lockfile`]);
    expect(await gapsOf({ [`a/${name}`]: plain })).toEqual([]);
    expect(await gapsOf({ [`a/${name}`]: needs, [lock]: '' })).not.toContain(`1 file of ${what} without a lockfile`);
  });

  it('are covered only by files that are wanted themselves, so that nothing is hidden by one that nobody names', () => {
    for (const lock of manifests.flatMap(({ locks }) => locks)) {
      expect([lock, unreadDeclared.wants({ path: lock, size: 0, mode: 0o644, head: Buffer.alloc(0) })]).toEqual([
        lock,
        true,
      ]);
    }
  });
});

describe('gaps', () => {
  it('join the directories below the first of their kind, and no others', async () => {
    const paths = ['a/go.mod', 'a/b/go.mod', 'a/b/c/go.mod', 'ab/go.mod', 'a-b/go.mod', 'a/yarn.lock'];
    const { gaps } = await catalogFiles(unreadDeclared, Object.fromEntries(paths.map((path) => [path, ''])));
    expect(gaps.map(({ path, reason }) => [path, reason.slice(0, reason.indexOf(','))])).toEqual([
      ['a-b/go.mod', '1 file of Go modules'],
      ['a/go.mod', '3 files of Go modules'],
      ['ab/go.mod', '1 file of Go modules'],
      ['a/yarn.lock', '1 file of Yarn'],
    ]);
  });

  it('count every file once, in any order of the files', async () => {
    const directory = fc.array(fc.constantFrom('a', 'b', 'a-b'), { maxLength: 3 }).map((all) => all.join('/'));
    const name = fc.constantFrom('go.mod', 'yarn.lock', 'requirements.txt', 'requirements/base.txt');
    const paths = fc.uniqueArray(fc.tuple(directory, name).map((all) => all.join('/').replace(/^\//, '')));
    await fc.assert(
      fc.asyncProperty(paths, async (all) => {
        const { gaps } = await catalogFiles(unreadDeclared, Object.fromEntries(all.map((path) => [path, ''])));
        const reversed = all.toReversed().map((path): [string, string] => [path, '']);
        expect((await catalogFiles(unreadDeclared, Object.fromEntries(reversed))).gaps).toEqual(gaps);
        expect(gaps.reduce((sum, { reason }) => sum + Number.parseInt(reason, 10), 0)).toBe(all.length);
      }),
      { numRuns: 50 },
    );
  });
});

test('manifests of any content end in a gap or in none', async () => {
  const names = ['package.json', 'package-lock.json', 'pyproject.toml', 'Gemfile', 'composer.json'];
  const content = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom('[]', 'null', '{"packages":[]}', '{"packages":null}', '{"dependencies":"x"}', '{"__proto__":{}}'),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), content), async (files) => {
      const { packages, gaps } = await catalogFiles(unreadDeclared, files);
      expect(packages).toEqual([]);
      expect(gaps.length).toBeLessThanOrEqual(Object.keys(files).length);
    }),
  );
});

test('a manifest has a lower limit than a lockfile', () => {
  expect(unreadDeclared.maxBytes?.('a/package.json')).toBe(16 * 2 ** 20);
  for (const lock of [...npmLocks, 'yarn.lock']) expect(unreadDeclared.maxBytes?.(lock)).toBe(64 * 2 ** 20);
});

describeData('real package.json files', () => {
  const cases = packageCases('package.json').filter(({ file }) => file.endsWith('package.json'));
  it.each(cases.map((each) => [each.file] as const))('%s ends in at most one gap', async (file) => {
    const bytes = readData(`packages/${file}`);
    const { gaps } = await catalogFiles(unreadDeclared, { 'package.json': bytes });
    expect(gaps.length).toBe(/"(?:dev|optional|peer)?dependencies"\s*:\s*\{\s*"/i.test(bytes.toString()) ? 1 : 0);
  });
});
