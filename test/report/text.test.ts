import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutEnd, cutStart, displayWidth, pad, shown } from '../../src/report/text.ts';

describe('shown text', () => {
  test.each([
    ['an escape sequence', 'a\u001b[2Jb', 'a\\x1b[2Jb'],
    ['a line break', 'a\r\nb', 'a\\x0d\\x0ab'],
    ['a change of direction', 'a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['a byte that is no UTF-8', 'caf\udce9', 'caf\\xe9'],
    ['a workflow command', '::set-env name=A::b', '\\x3a:set-env name=A::b'],
    ['an indented workflow command', ' \u3000::error::no', ' \u3000\\x3a:error::no'],
    ['an older workflow command', 'a ##[add-mask]x', 'a \\x23#[add-mask]x'],
    ['an Azure logging command', '##vso[task.setvariable variable=a]b', '\\x23#vso[task.setvariable variable=a]b'],
    ['a TeamCity service message', "##teamcity[buildStatus text='ok']", "\\x23#teamcity[buildStatus text='ok']"],
  ])('escapes %s', (_name, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('leaves names of real packages alone', () => {
    for (const name of ['@babel/core', 'libstdc++6', 'Perl::Critic', 'c#', '## title', 'größe', '日本語', '😀']) {
      expect(shown(name)).toBe(name);
    }
  });

  test('never holds anything that a terminal or a build log obeys', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('#', ':', '[', 'vso', '\u001b', '\n', ' ', '\u202e', 'a', '\ud800')),
        (parts) => {
          const text = shown(parts.join(''));
          expect(text).not.toMatch(/^\s*::|##\w*\[|\p{Cc}|\p{Surrogate}/u);
        },
      ),
    );
  });
});

describe('display width', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['größe', 5],
    ['日本', 4],
    ['한글', 4],
    ['カタ', 4],
    ['ｶﾀ', 2],
    ['ＡＢ', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['a…b', 3],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('of a cut text is at most what was asked for, and the text is kept when it fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        for (const cut of [cutEnd, cutStart]) {
          expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width);
          if (displayWidth(text) <= width) expect(cut(text, width)).toBe(text);
        }
        expect(displayWidth(pad(text, width))).toBe(Math.max(width, displayWidth(text)));
      }),
    );
  });

  test('decides where a text is cut', () => {
    expect(cutEnd('日本語', 5)).toBe('日本…');
    expect(cutEnd('日本語', 4)).toBe('日…');
    expect(cutStart('usr/lib/python3', 8)).toBe('…python3');
  });
});
