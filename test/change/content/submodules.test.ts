import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGitConfig } from '../../../src/change/content/git-config.ts';
import { inspectShort, messages } from './inspected.ts';

const module = (...lines: string[]): string => `[submodule "lib"]\n${lines.map((line) => `\t${line}\n`).join('')}`;
const sound = module('path = lib', 'url = https://example.com/lib.git');

describe('submodules', () => {
  const at = (digit: string) => ({ mode: '160000', content: digit.repeat(40) });

  it('that are added, moved or removed are a risk', async () => {
    expect(await inspectShort({ m: at('1'), o: at('1') }, { m: at('2'), n: at('1') })).toEqual([
      'm submodule-changed risk',
      'n submodule-changed risk',
      'o submodule-changed risk',
    ]);
  });
});

describe('.gitmodules', () => {
  it.each([
    ['url = -u./payload', 'error'],
    ['url = --upload-pack=x', 'error'],
    ['path = -x', 'error'],
    ['branch = --x', 'error'],
    ['url = ext::sh -c x', 'error'],
    ['url = "fd::17"', 'error'],
    ['url = ssh://-oProxyCommand=x/y', 'error'],
    ['url = https://a@-b/c', 'error'],
    ['url = https://example.com/%0ahost=x', 'error'],
    ['url = "https://example.com\\nhost"', 'error'],
    ['path = ../x', 'error'],
    ['path = a/../../x', 'error'],
    ['path = /x', 'error'],
    ['path = .git/hooks', 'error'],
    ['path = a\\\\..\\\\..', 'error'],
    ['path = "lib\r"', 'error'],
    ['update = !sh x', 'error'],
    ['update = weird', 'error'],
    ['url = ../lib.git', 'risk'],
    ['url = file:///x', 'risk'],
    ['url = /srv/x', 'risk'],
    ['url = http://example.com/x', 'risk'],
    ['url = git://example.com/x', 'risk'],
    ['url = git@example.com:x/y.git', ''],
    ['update = rebase', ''],
    ['path = a/b', ''],
  ])('%j: %s', async (line, weight) => {
    const found = await inspectShort({}, { '.gitmodules': module(line) }, 'submodule-changed');
    expect(found).toEqual(weight === '' ? [] : [`.gitmodules:2 submodule-changed ${weight}`]);
  });

  it('names that lead elsewhere are an error', async () => {
    for (const name of ['../../x', 'a/../b', '', '.git/x', 'a\\\\..']) {
      const text = `[submodule "${name}"]\n\tpath = x\n`;
      expect(await inspectShort({}, { '.gitmodules': text }, 'submodule-changed')).toEqual([
        '.gitmodules:2 submodule-changed error',
      ]);
    }
  });

  it('that git would not read is a risk', async () => {
    for (const text of [
      '[submodule "x]\n',
      'path = x\n',
      '[submodule "x"]\npath "x"\n',
      '[submodule "x"]\npath = "x\n',
    ]) {
      expect((await messages({}, { '.gitmodules': text })).join()).toContain('breaks the format');
    }
  });

  it('is not blamed for what stood there before', async () => {
    const old = module('path = lib', 'url = ../lib.git');
    expect(
      await messages({ '.gitmodules': old }, { '.gitmodules': `${old}${sound.replaceAll('lib', 'two')}` }),
    ).toEqual([]);
    expect(await messages({ '.gitmodules': sound }, { '.gitmodules': old })).toHaveLength(1);
  });
});

describe('settings of git', () => {
  it('are read as git reads them', () => {
    const text =
      '\ufeff[A] x = 1 ; c\n[a "B\\"c"]\n  Key-1 = "a ; b" c # d\n  flag\n  long = a \\\n  b\r\n[sub.Name]k= " x "  \n';
    expect(parseGitConfig(Buffer.from(text))).toEqual([
      { section: 'a', key: 'x', value: '1', line: 1 },
      { section: 'a', subsection: 'B"c', key: 'key-1', value: 'a ; b c', line: 3 },
      { section: 'a', subsection: 'B"c', key: 'flag', value: 'true', line: 4 },
      { section: 'a', subsection: 'B"c', key: 'long', value: 'a   b', line: 5 },
      { section: 'sub', subsection: 'name', key: 'k', value: ' x ', line: 7 },
    ]);
  });

  it('end, whatever the bytes', () => {
    const piece = fc.constantFrom('[', ']', '"', '\\', '\n', '\r', '=', ' ', '#', 'submodule', 'path', '\0', '\t');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 40 }), (parts) => {
        const found = parseGitConfig(Buffer.from(parts.join('')));
        expect(found === undefined || Array.isArray(found)).toBe(true);
      }),
    );
  });
});
