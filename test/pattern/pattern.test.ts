import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/pattern/index.ts';

describe('a pattern', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['a/b', ['a/b'], ['a', 'a/b/c', 'x/a/b', 'a/B']],
    ['*', ['a', '.hidden', ''], ['a/b']],
    ['*.md', ['x.md', '.md'], ['x.mdx', 'd/x.md']],
    ['docs/*', ['docs/a', 'docs/.a'], ['docs', 'docs/a/b']],
    ['a*b*c', ['abc', 'aXbYc', 'abbbc', 'abcbc'], ['ab', 'abcd']],
    ['**', ['a', 'a/b', '.a/.b'], []],
    ['**/x', ['x', 'a/x', 'a/b/x'], ['xx', 'x/a']],
    ['a/**', ['a', 'a/b', 'a/b/c'], ['ab', 'b/a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/bb', 'ab']],
    ['**/node_modules/**', ['node_modules', 'a/node_modules/b', 'node_modules/b'], ['node_modulesx/a']],
    ['a**b', ['ab', 'aXb'], ['a/b']],
    ['/a/', ['a', 'a/b'], ['b']],
    ['a//b', ['a/b'], []],
    ['[a]?{b,c}+(d)', ['[a]?{b,c}+(d)'], ['axb']],
    ['\\*', ['\\a'], ['*']],
    ['日*', ['日本'], ['本日']],
  ])('%s matches what it says', (pattern, yes, no) => {
    const matches = compilePattern(pattern);
    expect(yes.filter((path) => !matches(path))).toEqual([]);
    expect(no.filter(matches)).toEqual([]);
  });

  it('agrees with the same pattern as a regular expression', () => {
    const segment = fc.constantFrom('a', 'b', '*', 'a*', '*b', '**', 'a*b');
    const pattern = fc.array(segment, { minLength: 1, maxLength: 5 });
    const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', '.a', 'aXb'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(pattern, path, (segments, names) => {
        const text = names.join('/');
        expect(compilePattern(segments.join('/'))(text)).toBe(expression(segments).test(`${text}/`));
      }),
      { numRuns: 2000 },
    );
  });

  it('is decided soon, however it is made to stumble', () => {
    const matches = compilePattern(`**/${'*a'.repeat(40)}*b/**/${'x/**/'.repeat(20)}y`);
    expect(matches(`${'a'.repeat(400)}/`.repeat(40))).toBe(false);
    expect(compilePattern(`${'*a'.repeat(500)}b`)('a'.repeat(4000))).toBe(false);
  });
});

/** For paths with a slash behind each segment. */
function expression(segments: readonly string[]): RegExp {
  const parts = segments.map((each) => (each === '**' ? '(?:[^/]*/)*' : `${each.replaceAll('*', '[^/]*')}/`));
  return new RegExp(`^${parts.join('')}$`);
}
