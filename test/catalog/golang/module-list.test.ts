import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseModuleList } from '../../../src/catalog/golang/module-list.ts';

test('a module list has a main module, dependencies, replacements and settings', () => {
  const list = parseModuleList(
    [
      'path\texample.com/shop/cmd/shop',
      'mod\texample.com/shop\tv1.4.0\th1:main=',
      'dep\tgithub.com/BurntSushi/toml\tv1.4.0\th1:toml=',
      'dep\tgolang.org/x/text\tv0.19.0',
      '=>\tgithub.com/acme/text\tv0.19.1\th1:text=',
      'dep\tk8s.io/api\tv0.0.0',
      '=>\t./staging/api\t(devel)\t',
      'build\tGOARCH=amd64',
      'build\t-ldflags="-X main.version=1.4.0"',
      'build\tCGO_CFLAGS=',
      '',
    ].join('\n'),
  );
  expect({ ...list, settings: [...list.settings] }).toEqual({
    packagePath: 'example.com/shop/cmd/shop',
    main: { path: 'example.com/shop', version: 'v1.4.0', sum: 'h1:main=' },
    dependencies: [
      { path: 'github.com/BurntSushi/toml', version: 'v1.4.0', sum: 'h1:toml=' },
      {
        path: 'golang.org/x/text',
        version: 'v0.19.0',
        replacement: { path: 'github.com/acme/text', version: 'v0.19.1', sum: 'h1:text=' },
      },
      { path: 'k8s.io/api', version: 'v0.0.0', replacement: { path: './staging/api', version: '(devel)' } },
    ],
    settings: [
      ['GOARCH', 'amd64'],
      ['-ldflags', '-X main.version=1.4.0'],
      ['CGO_CFLAGS', ''],
    ],
    damagedLines: 0,
  });
});

test('the main module can be replaced', () => {
  const { main } = parseModuleList('mod\ta.example/b\tv1.0.0\t\n=>\ta.example/c\tv2.0.0\t\n');
  expect(main?.replacement).toEqual({ path: 'a.example/c', version: 'v2.0.0' });
});

test('lines of kinds that are not known yet are passed over', () => {
  expect(parseModuleList('tool\ta\tb\nsomething\n\ndep\ta\tv1\n')).toMatchObject({
    dependencies: [{ path: 'a', version: 'v1' }],
    damagedLines: 0,
  });
});

test.each([
  ['a dependency without a version', 'dep\ta.example/b'],
  ['a dependency without a name', 'dep\t\tv1.0.0\t'],
  ['a dependency with too many columns', 'dep\ta.example/b\tv1.0.0\th1:x=\tmore'],
  ['a main module without a version', 'mod\ta.example/b'],
  ['a dependency with an empty segment', 'dep\ta.example//b\tv1.0.0\t'],
  ['a dependency with an end that is none', 'dep\ta.example/\tv1.0.0\t'],
  ['a dependency with a relative segment', 'dep\ta.example/../b\tv1.0.0\t'],
  ['a dependency with a space', 'dep\ta.example/b c\tv1.0.0\t'],
  ['a dependency with a space in its version', 'dep\ta.example/b\tv1 0\t'],
  ['a replacement that is neither module nor directory', '=>\ta.example//b\tv1.0.0\t'],
  ['a replacement without a version', '=>\ta.example/b'],
  ['a setting without a value', 'build\tGOARCH'],
  ['a setting without a name', 'build\t=amd64'],
  ['a setting with a broken literal', 'build\t-ldflags="-X'],
  ['a setting with something behind the literal', 'build\t-ldflags="-X" more'],
  ['a setting with an unknown escape', 'build\t-ldflags="\\q"'],
  ['a setting with an impossible character', 'build\t-ldflags="\\U00110000"'],
])('%s is counted as damaged and takes nothing else with it', (_, line) => {
  const { dependencies, damagedLines } = parseModuleList(`dep\ta\tv1\t\n${line}\ndep\tb\tv2\t\n`);
  expect(dependencies).toEqual([
    { path: 'a', version: 'v1' },
    { path: 'b', version: 'v2' },
  ]);
  expect(damagedLines).toBe(1);
});

test('a replacement belongs to the line before it only', () => {
  expect(parseModuleList('dep\ta\tv1\nbuild\tx=y\n')).toMatchObject({ damagedLines: 0 });
  expect(parseModuleList('dep\ta\tv1\n=>\tb\tv2\t\n=>\tc\tv3\t\n')).toMatchObject({
    dependencies: [{ path: 'a', replacement: { path: 'b' } }],
    damagedLines: 1,
  });
  expect(parseModuleList('dep\ta\tv1\ndep\tbroken\n=>\tc\tv3\t\n')).toMatchObject({
    dependencies: [{ path: 'a' }],
    damagedLines: 2,
  });
});

describe('a quoted setting', () => {
  test.each([
    ['"a b"', 'a b'],
    ['`a "b" \\n`', 'a "b" \\n'],
    ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\u0007\b\f\n\r\t\v\\"'],
    ['"\\x41\\102\\u00e9\\U0001f600"', 'AB\u00e9\u{1f600}'],
    ['"\\xc3\\xa9 and \\303\\251"', '\u00e9 and \u00e9'],
    ['"gr\u00fc\u00dfe"', 'gr\u00fc\u00dfe'],
    ['""', ''],
  ])('%s is %j', (quoted, plain) => {
    expect(parseModuleList(`build\tkey=${quoted}\n`).settings.get('key')).toBe(plain);
  });

  test('may have a quoted name', () => {
    expect(parseModuleList('build\t"a = b"="c"\n').settings.get('a = b')).toBe('c');
  });
});

test('no more modules are kept than any program has', () => {
  const { dependencies, damagedLines } = parseModuleList('dep\ta\tv1\n'.repeat(50_003));
  expect([dependencies.length, damagedLines]).toEqual([50_000, 3]);
});

test('any text gives a list', () => {
  const word = fc.constantFrom(
    'dep',
    'mod',
    'build',
    'path',
    '=>',
    '\t',
    '\n',
    '"',
    '`',
    '\\',
    '\\x4',
    '=',
    'v1',
    '__proto__',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string())), (words) => {
      const text = words.join('');
      const { dependencies, damagedLines } = parseModuleList(text);
      expect(dependencies.length + damagedLines).toBeLessThanOrEqual(text.split('\n').length);
    }),
    { numRuns: 2_000 },
  );
});
