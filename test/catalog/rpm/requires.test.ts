import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rpmDatabase } from '../../../src/catalog/rpm/index.ts';
import { resolveRich } from '../../../src/catalog/rpm/rich.ts';
import type { Cataloger, Package } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { buildNdb, buildPackage, type Tags, tag } from './build.ts';

type Packages = Readonly<Record<string, Tags>>;

const home = 'usr/lib/sysimage/rpm/Packages.db';

/** Names that each package needs; a trailing `…` where there may be more. */
async function needs(packages: Packages, others: Readonly<Record<string, string>> = {}) {
  const headers = Object.entries(packages).map(([name, tags]) => buildPackage(name.replace(/#.*/, ''), tags));
  const result = await catalogFiles(rpmDatabase as Cataloger, { [home]: buildNdb(headers), ...others });
  expect(result.gaps).toEqual([]);
  return new Map(result.packages.map((each) => [each.name, describeNeeds(each, result.packages)]));
}

function describeNeeds({ requires = [], requiresIncomplete }: Package, all: readonly Package[]): string[] {
  const names = requires.map((key) => all.find((each) => each.key === key)!.name);
  return requiresIncomplete ? [...names, '…'] : names;
}

function requiring(...names: string[]): Tags {
  return { [tag.requireName]: names };
}

describe('requirements', () => {
  it('are met by whoever provides the name, but not by the package itself', async () => {
    const found = await needs({
      bash: requiring('libc.so.6(GLIBC_2.34)(64bit)', 'sh', 'config(bash)', 'rpmlib(CompressedFileNames)'),
      glibc: { ...requiring('basesystem'), [tag.provideName]: ['glibc', 'libc.so.6(GLIBC_2.34)(64bit)'] },
      basesystem: requiring('setup'),
    });
    expect(found.get('bash')).toEqual(['glibc', '…']);
    expect(found.get('glibc')).toEqual(['basesystem']);
    expect(found.get('basesystem')).toEqual(['…']);
    const self = { ...requiring('sh', 'bash'), [tag.provideName]: ['bash', 'sh'] };
    expect((await needs({ bash: self })).get('bash')).toEqual([]);
  });

  it('of a package that states none are not known', async () => {
    expect((await needs({ a: {} })).get('a')).toEqual(['…']);
  });

  it('for a path are met by a file of that name, also where a directory is a link', async () => {
    const sh = {
      ...requiring('rpmlib(x)'),
      [tag.baseNames]: ['sh', 'tool'],
      [tag.directoryNames]: ['/usr/bin/', '/opt/'],
      [tag.directoryIndexes]: [0, 1],
    };
    const found = await needs({ a: requiring('/usr/bin/sh', '/opt/tool'), b: requiring('/bin/sh'), sh });
    expect(found.get('a')).toEqual(['sh']);
    expect(found.get('b')).toEqual(['…']);
    const gaps: string[] = [];
    const { fact, path } = readDatabase({ a: requiring('/bin/sh'), sh });
    const packages = await rpmDatabase.assemble([{ path, layer: 0, size: 1, fact }], {
      tree: { resolve: (each) => (each === 'bin' ? 'usr/bin' : each), list: () => [], read: () => Promise.reject() },
      distro: undefined,
      gap: (_, reason) => gaps.push(reason),
    });
    expect(packages.find(({ name }) => name === 'a')?.requires).toEqual(['sh-1.0-1.el9.x86_64']);
  });

  it('for an exact version are met by the packages of that version only', async () => {
    const versioned = (version: string): Tags => ({
      ...requiring('rpmlib(x)'),
      [tag.version]: version,
      [tag.provideName]: ['kernel'],
      [tag.provideVersion]: [`${version}-1.el9`],
    });
    const exact = { ...requiring('kernel'), [tag.requireFlags]: [8], [tag.requireVersion]: ['2.0'] };
    const result = await catalogFiles(rpmDatabase as Cataloger, {
      [home]: buildNdb([
        buildPackage('modules', exact),
        buildPackage('kernel', versioned('1.0')),
        buildPackage('kernel', versioned('2.0')),
      ]),
    });
    expect(result.packages.map(({ requires }) => requires)).toEqual([['kernel-2.0-1.el9.x86_64'], [], []]);
  });

  it('that are weak are left out', async () => {
    const weak = { ...requiring('b', 'c'), [tag.requireFlags]: [1 << 19, 0] };
    expect((await needs({ a: weak, b: requiring('a'), c: requiring('a') })).get('a')).toEqual(['c']);
  });

  it('of many for what many provide stay few', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [
        `p${index}`,
        { ...requiring('everything'), [tag.provideName]: index > 0 ? ['everything'] : ['nothing'] },
      ]),
    );
    const found = await needs(many);
    expect(found.get('p0')).toHaveLength(33);
    expect(found.get('p0')?.at(-1)).toBe('…');
  });
});

describe('rich requirements', () => {
  const installed = new Map([
    ['a', 1],
    ['b', 2],
    ['lib(x)(64bit)', 3],
  ]);
  const resolve = (text: string) => {
    const outcome = resolveRich(text, (name) => {
      const found = installed.get(name);
      return { met: found !== undefined, providers: new Set(found === undefined ? [] : [found]) };
    });
    return outcome && `${outcome.met ? 'met' : 'not met'} ${[...outcome.providers].join(' ')}`.trim();
  };

  it.each([
    ['(a and b)', 'met 1 2'],
    ['(a and x)', 'not met 1'],
    ['(x or b)', 'met 2'],
    ['(x or y)', 'not met'],
    ['(a if b)', 'met 1'],
    ['(x if b)', 'not met'],
    ['(x if y)', 'met'],
    ['(x if y else a)', 'met 1'],
    ['(a unless b)', 'met'],
    ['(a unless x)', 'met 1'],
    ['(x unless b else a)', 'met 1'],
    ['(a with a)', 'met 1'],
    ['(a with b)', 'not met'],
    ['(a without b)', 'met 1'],
    ['(a >= 1:2.0-3 and lib(x)(64bit) < 4)', 'met 1 3'],
    ['((a or x) and (b if (x or a)))', 'met 1 2'],
    ['(lib(x)(64bit))', 'met 3'],
    ['(a with a with a)', 'met 1'],
    ['(x or y or b)', 'met 2'],
  ])('%s comes out as %s', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  it.each([
    '',
    '(',
    '()',
    '(a',
    '(a b)',
    '(a and)',
    'a',
    '(a) b',
    '(a >=)',
    '(a or b and a)',
    '(a if b if a)',
    '(a or b else a)',
    '(lib(x)',
    `${'('.repeat(50)}a${')'.repeat(50)}`,
  ])('%s cannot be read', (text) => {
    expect(resolve(text)).toBeUndefined();
  });

  it('end whatever they say', () => {
    const word = fc.constantFrom(
      '(',
      ')',
      ' ',
      'a',
      'and',
      'or',
      'if',
      'else',
      'unless',
      'with',
      '>=',
      '1.0',
      'lib(x)',
    );
    fc.assert(
      fc.property(fc.array(word), (words) => void resolve(`(${words.join(' ')})`)),
      { numRuns: 500 },
    );
    expect(resolve(`(${Array.from({ length: 100_000 }, () => 'a').join(' or ')})`)).toBe('met 1');
  });
});

function readDatabase(packages: Packages) {
  const bytes = buildNdb(Object.entries(packages).map(([name, tags]) => buildPackage(name, tags)));
  const file = { path: home, size: bytes.length, mode: 0o644, head: bytes.subarray(0, 512), bytes };
  return { path: home, fact: rpmDatabase.read(file, () => undefined)! };
}
