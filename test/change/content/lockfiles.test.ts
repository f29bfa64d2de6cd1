import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLockKind, judgeLock } from '../../../src/change/content/lockfiles/index.ts';
import { describeData, packageCases } from '../../kit/data.ts';
import { inspectShort, messages } from './inspected.ts';

const [good, evil, other] = ['A'.repeat(86), 'B'.repeat(86), 'C'.repeat(86)];
const hex = (digit: string): string => digit.repeat(64);

/** Each kind as its program writes it, with one package whose parts can be chosen. */
interface Shape {
  readonly name?: string;
  readonly version?: string;
  readonly host?: string;
  readonly digest?: 'good' | 'evil' | 'none';
}

interface Sample {
  readonly file: string;
  readonly manifest: string;
  /** Nothing that says where it comes from stands in it. */
  readonly noHost?: true;
  write(shape: Shape): string;
}

const sha512 = ({ digest = 'good' }: Shape): string => `sha512-${digest === 'good' ? good : evil}==`;
const sha256 = ({ digest = 'good' }: Shape): string => hex(digest === 'good' ? 'a' : 'b');
const npmUrl = ({ name = 'left-pad', version = '1.3.0', host = 'registry.npmjs.org' }: Shape): string =>
  `https://${host}/${name}/-/${name}-${version}.tgz`;

const samples: readonly Sample[] = [
  {
    file: 'package-lock.json',
    manifest: 'package.json',
    write: (shape) => {
      const { name = 'left-pad', version = '1.3.0', digest } = shape;
      const entry = { version, resolved: npmUrl(shape), ...(digest !== 'none' && { integrity: sha512(shape) }) };
      const a = { version: '1.0.0', resolved: npmUrl({ name: 'a', version: '1.0.0' }), integrity: `sha512-${other}==` };
      return JSON.stringify({
        lockfileVersion: 3,
        packages: { '': {}, 'node_modules/a': a, [`node_modules/${name}`]: entry },
      });
    },
  },
  {
    file: 'npm-shrinkwrap.json',
    manifest: 'package.json',
    write: (shape) => {
      const { name = 'left-pad', version = '1.3.0', digest } = shape;
      const entry = { version, resolved: npmUrl(shape), ...(digest !== 'none' && { integrity: sha512(shape) }) };
      const a = { version: '1.0.0', resolved: npmUrl({ name: 'a', version: '1.0.0' }), integrity: `sha512-${other}==` };
      return JSON.stringify({ lockfileVersion: 1, dependencies: { a: { ...a, dependencies: { [name]: entry } } } });
    },
  },
  {
    file: 'yarn.lock',
    manifest: 'package.json',
    write: (shape) => {
      const { name = 'left-pad', version = '1.3.0', digest } = shape;
      const integrity = digest === 'none' ? '' : `  integrity ${sha512(shape)}\n`;
      const a = `a@^1.0.0:\n  version "1.0.0"\n  resolved "${npmUrl({ name: 'a', version: '1.0.0' })}#${'1'.repeat(40)}"\n  integrity sha512-${other}==\n`;
      return `# yarn lockfile v1\n\n\n${a}\n${name}@^1.0.0, ${name}@^1.3.0:\n  version "${version}"\n  resolved "${npmUrl(shape)}"\n${integrity}  dependencies:\n    a "^1.0.0"\n`;
    },
  },
  {
    file: 'pnpm-lock.yaml',
    manifest: 'package.json',
    write: (shape) => {
      const { name = 'left-pad', version = '1.3.0', host, digest } = shape;
      const integrity = digest === 'none' ? '' : `integrity: ${sha512(shape)}`;
      const tarball = host === undefined ? '' : `tarball: ${npmUrl(shape)}`;
      const resolution = [integrity, tarball].filter((each) => each !== '').join(', ');
      return `lockfileVersion: '9.0'\n\npackages:\n\n  a@1.0.0:\n    resolution: {integrity: sha512-${other}==}\n\n  ${name}@${version}:\n    resolution: {${resolution}}\n    engines: {node: '>=4'}\n\nsnapshots:\n\n  a@1.0.0: {}\n`;
    },
  },
  {
    file: 'Cargo.lock',
    manifest: 'Cargo.toml',
    write: (shape) => {
      const { name = 'serde', version = '1.0.0', host = 'github.com/rust-lang/crates.io-index', digest } = shape;
      const checksum = digest === 'none' ? '' : `checksum = "${sha256(shape)}"\n`;
      const a = `[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "${hex('c')}"\n`;
      return `version = 4\n\n${a}\n[[package]]\nname = "${name}"\nversion = "${version}"\nsource = "registry+https://${host}"\n${checksum}dependencies = [\n "a",\n]\n`;
    },
  },
  {
    file: 'poetry.lock',
    manifest: 'pyproject.toml',
    write: (shape) => {
      const { name = 'requests', version = '2.0', host, digest } = shape;
      const files =
        digest === 'none' ? '' : `    {file = "${name}-${version}.whl", hash = "sha256:${sha256(shape)}"},\n`;
      const source =
        host === undefined
          ? ''
          : `\n[package.source]\ntype = "legacy"\nurl = "https://${host}/simple"\nreference = "x"\n`;
      const a = `[[package]]\nname = "a"\nversion = "1.0"\nfiles = [\n    {file = "a-1.0.whl", hash = "sha256:${hex('c')}"},\n]\n`;
      return `${a}\n[[package]]\nname = "${name}"\nversion = "${version}"\ndescription = "x [y] \\"z\\""\nfiles = [\n${files}]\n${source}\n[package.dependencies]\na = {version = ">=1", markers = "x == \\"y\\""}\n\n[metadata]\nlock-version = "2.0"\n`;
    },
  },
  {
    file: 'uv.lock',
    manifest: 'pyproject.toml',
    write: (shape) => {
      const { name = 'requests', version = '2.0', host = 'files.pythonhosted.org', digest } = shape;
      const hash = digest === 'none' ? '' : `, hash = "sha256:${sha256(shape)}"`;
      const wheel = (which: string, at: string, rest: string): string =>
        `    { url = "https://${at}/${which}.whl"${rest}, size = 1 },\n`;
      const a = `[[package]]\nname = "a"\nversion = "1.0"\nsource = { registry = "https://pypi.org/simple" }\nwheels = [\n${wheel('a-1.0', 'files.pythonhosted.org', `, hash = "sha256:${hex('c')}"`)}]\n`;
      return `version = 1\n\n${a}\n[[package]]\nname = "${name}"\nversion = "${version}"\nsource = { registry = "https://pypi.org/simple" }\nwheels = [\n${wheel(`${name}-${version}`, host, hash)}]\n`;
    },
  },
  {
    file: 'Pipfile.lock',
    manifest: 'Pipfile',
    write: (shape) => {
      const { name = 'requests', version = '2.0', host, digest } = shape;
      const hashes = digest === 'none' ? [] : [`sha256:${sha256(shape)}`];
      const index = host === undefined ? 'pypi' : 'other';
      const sources = [
        { name: 'pypi', url: 'https://pypi.org/simple' },
        ...(host === undefined ? [] : [{ name: 'other', url: `https://${host}/simple` }]),
      ];
      const entry = { version: `==${version}`, hashes, index };
      return JSON.stringify({
        _meta: { sources },
        default: { a: { version: '==1.0', hashes: [hex('c')], index: 'pypi' }, [name]: entry },
        develop: {},
      });
    },
  },
  {
    file: 'Gemfile.lock',
    manifest: 'Gemfile',
    write: (shape) => {
      const { name = 'rake', version = '13.0', host, digest } = shape;
      const checksum = digest === 'none' ? '' : `  ${name} (${version}) sha256=${sha256(shape)}\n`;
      const gem = `    ${name} (${version})\n      a (>= 1)\n`;
      const block = host === undefined ? gem : `\nGEM\n  remote: https://${host}/\n  specs:\n${gem}`;
      return `GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n${block}\nPLATFORMS\n  ruby\n\nCHECKSUMS\n  a (1.0) sha256=${hex('c')}\n${checksum}\nBUNDLED WITH\n   2.6.0\n`;
    },
  },
  {
    file: 'composer.lock',
    manifest: 'composer.json',
    write: (shape) => {
      const { name = 'x/y', version = '1.0.0', host = 'github.com', digest = 'good' } = shape;
      const reference = digest === 'good' ? '1'.repeat(40) : '2'.repeat(40);
      const entry = {
        name,
        version,
        ...(digest !== 'none' && { source: { type: 'git', url: `https://${host}/${name}.git`, reference } }),
      };
      const a = {
        name: 'a/a',
        version: '1.0',
        source: { type: 'git', url: 'https://github.com/a/a.git', reference: '3'.repeat(40) },
      };
      return JSON.stringify({ packages: [a, entry], 'packages-dev': [] });
    },
  },
  {
    file: 'go.sum',
    manifest: 'go.mod',
    noHost: true,
    write: (shape) => {
      const { name = 'example.com/x', version = 'v1.0.0', digest } = shape;
      const line = digest === 'none' ? '' : `${name} ${version} h1:${digest === 'evil' ? evil : good}=\n`;
      return `example.com/a v1.0.0 h1:${other}=\n${line}${name} ${version}/go.mod h1:${other}=\n`;
    },
  },
];

async function compare({ file, manifest, write }: Sample, before: Shape | undefined, after: Shape): Promise<string[]> {
  const old = before === undefined ? {} : { [`d/${file}`]: write(before), [`d/${manifest}`]: '1' };
  const found = await inspectShort(old, { [`d/${file}`]: write(after), [`d/${manifest}`]: '2' }, 'lockfile-source');
  return found.map((each) => each.split(' ').at(-1)!);
}

describe.each(samples.map((sample) => [sample.file, sample] as const))('%s', (_, sample) => {
  it('may change versions together with its manifest, and be added', async () => {
    expect(await compare(sample, {}, { version: sample.file === 'go.sum' ? 'v1.0.1' : '2.1' })).toEqual([]);
    expect(
      await compare(sample, {}, { name: sample.file === 'composer.lock' ? 'n/n' : 'newcomer', version: '9.9' }),
    ).toEqual([]);
    expect(await compare(sample, undefined, {})).toEqual([]);
  });

  it('with another digest for the same version is an error', async () => {
    expect(await compare(sample, {}, { digest: 'evil' })).toContain('error');
  });

  it.skipIf(sample.noHost)('with a digest that is gone is no pass', async () => {
    expect(await compare(sample, {}, { digest: 'none' })).not.toEqual([]);
  });

  it.skipIf(sample.noHost)('with another source for the same version is an error', async () => {
    expect(await compare(sample, {}, { host: 'evil.example' })).toContain('error');
  });

  it.skipIf(sample.noHost)('with a new package from a place where no other is from is an error', async () => {
    const name = sample.file === 'composer.lock' ? 'n/n' : 'newcomer';
    expect(await compare(sample, {}, { name, version: '9.9', host: 'evil.example' })).toContain('error');
  });

  it('that changes without its manifest is a risk', async () => {
    const { file, manifest, write } = sample;
    const change = async (manifestPath: string) =>
      inspectShort(
        { [`d/${file}`]: write({}) },
        { [`d/${file}`]: write({ version: sample.file === 'go.sum' ? 'v2.0.0' : '8.8' }), [manifestPath]: '1' },
        'lockfile-source',
      );
    expect(await change('unrelated')).toEqual([`d/${file} lockfile-source risk`]);
    expect(await change(`e/${manifest}`)).toEqual([`d/${file} lockfile-source risk`]);
    expect(await change(`d/packages/x/${manifest}`)).toEqual([]);
  });

  it('that cannot be read is a risk that says so', async () => {
    const { file, manifest, write } = sample;
    for (const broken of [
      '<<<<<<< HEAD\n',
      write({})
        .slice(0, write({}).length / 2)
        .replace(/\n$/, '') + '\n\x01 {{{',
    ]) {
      const found = await messages({ [file]: write({}), [manifest]: '1' }, { [file]: broken, [manifest]: '2' });
      expect(found.join('\n')).toMatch(/^risk: the lockfile could not be read, and was not compared: /m);
    }
  });

  it('ends in findings, whatever its text', () => {
    const kind = findLockKind(sample.file)!;
    const text = sample.write({});
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 6, unit: 'binary' }), (at, gone, noise) => {
        const bytes = Buffer.from(text.slice(0, at) + noise + text.slice(at + gone));
        for (const { rule } of judgeLock(kind, Buffer.from(text), bytes)) expect(rule).toBe('lockfile-source');
      }),
      { numRuns: 60 },
    );
  });
});

describe('lockfiles', () => {
  const change = async (file: string, before: string, after: string): Promise<string> =>
    [...judgeLock(findLockKind(file)!, Buffer.from(before), Buffer.from(after))]
      .map(({ weight, message }) => `${weight}: ${message}`)
      .join('\n');
  const npm = (packages: object): string => JSON.stringify({ lockfileVersion: 3, packages });
  const a = { version: '1.0.0', resolved: npmUrl({ name: 'a', version: '1.0.0' }), integrity: `sha512-${good}==` };

  it('of npm name a package that is fetched from the place of another one', async () => {
    const b = { version: '1.0.0', resolved: npmUrl({ name: 'evil', version: '1.0.0' }), integrity: `sha512-${evil}==` };
    const found = await change(
      'package-lock.json',
      npm({ 'node_modules/a': a }),
      npm({ 'node_modules/a': a, 'node_modules/b': b }),
    );
    expect(found).toBe('error: "b@1.0.0" is fetched from the place of another package, "evil"');
    const alias = { ...b, name: 'evil' };
    expect(
      await change(
        'package-lock.json',
        npm({ 'node_modules/a': a }),
        npm({ 'node_modules/a': a, 'node_modules/b': alias }),
      ),
    ).toBe('risk: "b@1.0.0" is really "evil"');
  });

  it('of npm with both lists are judged by both', async () => {
    const both = (dependencies: object): string =>
      JSON.stringify({ lockfileVersion: 2, packages: { 'node_modules/a': a }, dependencies });
    expect(
      await change('package-lock.json', both({ a }), both({ a: { ...a, integrity: `sha512-${evil}==` } })),
    ).toContain('error');
  });

  it('know a git dependency by its repository and revision', async () => {
    const git = (repository: string, revision: string) => ({
      version: '1.0.0',
      resolved: `git+ssh://git@github.com/${repository}.git#${revision}`,
    });
    const lock = (entry: object): string => npm({ 'node_modules/a': a, 'node_modules/g': entry });
    const old = lock(git('x/y', '1'.repeat(40)));
    expect(await change('package-lock.json', old, lock(git('x/y', '2'.repeat(40))))).toBe('');
    expect(await change('package-lock.json', old, lock(git('evil/y', '2'.repeat(40))))).toContain('error: ');
    expect(await change('package-lock.json', npm({ 'node_modules/a': a }), lock(git('x/y', '1'.repeat(40))))).toContain(
      'error: ',
    );
  });

  it('take the two names of the one public registry of npm for one', async () => {
    const yarn = { ...a, resolved: a.resolved.replace('registry.npmjs.org', 'registry.yarnpkg.com') };
    expect(await change('package-lock.json', npm({ 'node_modules/a': a }), npm({ 'node_modules/a': yarn }))).toBe('');
  });

  it('that lose encryption on the way are an error', async () => {
    const plain = { ...a, resolved: a.resolved.replace('https:', 'http:') };
    expect(await change('package-lock.json', npm({ 'node_modules/a': a }), npm({ 'node_modules/a': plain }))).toContain(
      'error: ',
    );
  });

  it('in JSON with a member twice are not read', async () => {
    const twice = `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1"},"node_modules/a":{"version":"2"}}}`;
    expect(await change('package-lock.json', npm({}), twice)).toMatch(
      /^risk: the lockfile could not be read.*stands twice/,
    );
  });

  it('of yarn from version 2 on are compared by checksum and by what they resolve to', async () => {
    const berry = (checksum: string, resolution = 'a@npm:1.0.0'): string =>
      `__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "${resolution}"\n  checksum: ${checksum}\n  languageName: node\n  linkType: hard\n`;
    expect(await change('yarn.lock', berry('10c0/aa'), berry('10c0/aa'))).toBe('');
    expect(await change('yarn.lock', berry('10c0/aa'), berry('10c0/bb'))).toContain(
      'error: "a@1.0.0" has another digest',
    );
    expect(await change('yarn.lock', berry('10c0/aa'), berry('11/bb'))).toContain('risk: ');
    expect(await change('yarn.lock', berry('10c0/aa'), berry('10c0/aa', 'evil@npm:1.0.0'))).toContain('error: ');
    expect(await change('yarn.lock', berry('10c0/aa'), berry('10c0/aa', 'a@https://evil.example/a.tgz'))).toContain(
      'error: ',
    );
  });

  it('in TOML of a form that no program writes are not read', async () => {
    const cargo = samples.find(({ file }) => file === 'Cargo.lock')!.write({});
    for (const text of [
      cargo.replace('[[package]]', '[[ package ]]'),
      cargo.replace('name = "a"', 'name = """a"""'),
      cargo.replace('name = "a"', 'name="a"'),
      cargo.replace('name = "a"', 'name = "a"\nname = "b"'),
    ]) {
      expect(await change('Cargo.lock', cargo, text)).toMatch(/^risk: the lockfile could not be read/);
    }
  });

  it('in YAML of a form that pnpm does not write are not read', async () => {
    const pnpm = samples.find(({ file }) => file === 'pnpm-lock.yaml')!.write({});
    for (const text of [
      pnpm.replace('packages:\n', 'packages: {}\npackages:\n'),
      pnpm.replace('  a@1.0.0:\n    resolution: {', '  a@1.0.0: &x\n    resolution: {'),
      pnpm.replace('resolution: {', 'resolution: *x {'),
      pnpm.replace('  a@1.0.0:\n', '  ? a@1.0.0\n'),
      pnpm.replace('    resolution', '\tresolution'),
    ]) {
      expect(text).not.toBe(pnpm);
      expect(await change('pnpm-lock.yaml', pnpm, text)).toMatch(/^risk: the lockfile could not be read/);
    }
  });

  it('of kinds that are not read are named', async () => {
    expect(await messages({ 'bun.lock': '1', 'package.json': '1' }, { 'bun.lock': '2', 'package.json': '2' })).toEqual([
      'risk: a lockfile of a kind that is not read: what it names was not compared',
    ]);
  });

  it('are known whatever the case of their names', () => {
    expect(findLockKind('PACKAGE-LOCK.JSON')?.name).toBe('package-lock.json');
    expect(findLockKind('package-lock.json.bak')).toBeUndefined();
  });
});

describeData('real lockfiles', (data) => {
  const files = new Map<string, string>([
    ['npm-lock', 'package-lock.json'],
    ['yarn', 'yarn.lock'],
    ['pnpm', 'pnpm-lock.yaml'],
    ['cargo', 'Cargo.lock'],
    ['poetry', 'poetry.lock'],
    ['uv', 'uv.lock'],
    ['pipenv', 'Pipfile.lock'],
    ['gem', 'Gemfile.lock'],
    ['composer', 'composer.lock'],
  ]);
  /** Texts over several lines, which no program of theirs writes; a file without anything in it. */
  const unread = ['cargo_mixed.lock', 'names-outside-package-block.lock', 'empty.yaml'];
  const cases = packageCases(...files.keys()).filter(
    ({ file }) => /\.(?:lock|json|yaml)$/.test(file) || /lock/.test(path.basename(file)),
  );
  const distinct = [...new Map(cases.map((each) => [each.file, each])).values()].filter(
    ({ file }) => path.extname(file) !== '' && !/gemspec|installed|\.toml$/.test(file),
  );

  it('are there', () => {
    expect(distinct.length).toBeGreaterThan(60);
  });

  it.each(distinct.map((each) => [each.file, each] as const))('%s', (file, { ecosystem, expected }) => {
    const kind = findLockKind(files.get(ecosystem)!)!;
    const bytes = readFileSync(path.join(data, 'packages', file));
    const findings = [...judgeLock(kind, bytes, bytes)].map(({ message }) => message);
    if (unread.includes(path.basename(file))) expect(findings.join()).toContain('could not be read');
    else expect(findings).toEqual([]);
    expect(expected).toBeDefined();
  });
});
