import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileValue, patternFault } from '../../src/policy/patterns.ts';

describe('a pattern for a field', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'https://github.com/acme/*',
      ['https://github.com/acme/shop', 'https://github.com/acme/'],
      [
        'https://github.com/acme',
        'https://github.com/acme/a/b',
        'https:/github.com/acme/a',
        'http://github.com/acme/a',
      ],
    ],
    [
      'https://gitlab.com/acme/**',
      ['https://gitlab.com/acme', 'https://gitlab.com/acme/a/b//.gitlab-ci.yml'],
      ['https://gitlab.com/acmes/a', 'xhttps://gitlab.com/acme/a'],
    ],
    [
      'https://gitlab.com/acme/*//.gitlab-ci.yml',
      ['https://gitlab.com/acme/shop//.gitlab-ci.yml'],
      ['https://gitlab.com/acme/shop/.gitlab-ci.yml', 'https://gitlab.com/acme/a/b//.gitlab-ci.yml'],
    ],
    [
      'refs/tags/v*',
      ['refs/tags/v1', 'refs/tags/v'],
      ['refs/tags/v1/2', 'refs/tags/V1', 'refs/heads/v1', 'x/refs/tags/v1'],
    ],
    [
      '*@acme.example',
      ['a@acme.example', '@acme.example'],
      ['a@acme.example.evil', 'a@evil/b@acme.example', 'a@acmeXexample'],
    ],
    ['refs/heads/=*', ['refs/heads/=a'], ['refs/heads/a']],
  ])('%s matches whole values', (pattern, yes, no) => {
    const matches = compileValue(pattern);
    expect(yes.filter((value) => !matches(value))).toEqual([]);
    expect(no.filter(matches)).toEqual([]);
  });

  it('without a star matches itself and nothing else', () => {
    const text = fc.string().filter((each) => !each.includes('*'));
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        const matches = compileValue(pattern);
        expect(matches(pattern)).toBe(true);
        expect(matches(value)).toBe(pattern === value);
      }),
    );
  });

  it('that is let through never matches another owner, nor another domain', () => {
    const tail = fc.array(fc.constantFrom('*', '**', 'a', 'b*', '/'), { maxLength: 6 }).map((each) => each.join(''));
    const value = fc
      .array(fc.constantFrom('a', 'b', '/', '@', '.', 'evil', 'acme'), { maxLength: 8 })
      .map((each) => each.join(''));
    fc.assert(
      fc.property(tail, value, (end, other) => {
        const pattern = `https://github.com/acme${end}`;
        if (patternFault('repository', pattern) === undefined) {
          const matches = compileValue(pattern);
          expect(matches(`https://github.com/evil/${other}`)).toBe(false);
          expect(matches(`https://github.com/acme-evil/${other}`)).toBe(false);
          expect(matches(`https://evil.example/${other}`)).toBe(false);
        }
        if (patternFault('subject', `${end}@acme.example`) === undefined) {
          expect(compileValue(`${end}@acme.example`)(`${other}@evil.example`)).toBe(false);
        }
      }),
    );
  });
});
