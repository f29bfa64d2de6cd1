import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPurl, type Purl, PurlError, parsePurl } from '../../src/purl/index.ts';
import vectors from './vectors.json' with { type: 'json' };

describe('vectors', () => {
  for (const { rule, input, output } of vectors.canonical) {
    test(`${rule}: ${input}`, () => expect(formatPurl(parsePurl(input))).toBe(output));
  }
  for (const { rule, input } of vectors.refused) {
    test(`refused: ${rule}: ${input}`, () => expect(() => parsePurl(input)).toThrow(PurlError));
  }
});

test('components come decoded, and absent ones are left out', () => {
  expect(parsePurl('pkg:npm/%40a/b@1%2B2?x=%26#y%20z')).toEqual({
    type: 'npm',
    namespace: '@a',
    name: 'b',
    version: '1+2',
    qualifiers: { x: '&' },
    subpath: 'y z',
  });
  expect(Object.keys(parsePurl('pkg:npm/b@?#'))).toEqual(['type', 'name']);
});

test('lenient reading takes upper-case qualifier keys, but not the same key twice', () => {
  expect(formatPurl(parsePurl('pkg:npm/a?Arch=X', { lenient: true }))).toBe('pkg:npm/a?arch=X');
  expect(() => parsePurl('pkg:npm/a?Arch=X&arch=Y', { lenient: true })).toThrow('given twice');
});

test('qualifiers named like object members are ordinary', () => {
  const { qualifiers } = parsePurl('pkg:npm/a?constructor=x&tostring=y');
  expect(Object.entries(qualifiers!)).toEqual([
    ['constructor', 'x'],
    ['tostring', 'y'],
  ]);
  expect(() => formatPurl({ type: 'npm', name: 'a', qualifiers: JSON.parse('{"__proto__":"x"}') })).toThrow(PurlError);
  expect(Reflect.get({}, 'x')).toBeUndefined();
});

test('a name may hold a slash, a path may not', () => {
  expect(formatPurl({ type: 'generic', name: 'a/b' })).toBe('pkg:generic/a%2Fb');
  expect(parsePurl('pkg:generic/a%2Fb').name).toBe('a/b');
  expect(formatPurl({ type: 'git', namespace: 'example.org/a', name: 'b' })).toBe('pkg:git/example.org/a/b');
  expect(parsePurl('pkg:git/example.org/a/b')).toEqual({ type: 'git', namespace: 'example.org', name: 'a/b' });
});

test('what cannot be a purl is not written', () => {
  expect(() => formatPurl({ type: 'npm', name: '//' })).toThrow(PurlError);
  expect(() => formatPurl({ type: 'rpm', name: 'bash' })).toThrow('needs a namespace');
  expect(() => formatPurl({ type: 'npm', name: 'a\udc80' })).toThrow('not Unicode');
  expect(() => parsePurl('pkg:npm/a\ud800')).toThrow('not Unicode');
  expect(() => formatPurl({ type: '', name: 'a' })).toThrow(PurlError);
});

test('messages show hostile text harmlessly and cut', () => {
  const message = messageOf(() => parsePurl(`\u001b[31m${'x'.repeat(1000)}`));
  expect(message).toContain('\\x1b');
  expect(message.length).toBeLessThan(300);
});

describe('size', () => {
  test('64 KiB is the longest purl, read or written', () => {
    const longest = `pkg:generic/${'a'.repeat(65_536 - 12)}`;
    expect(formatPurl(parsePurl(longest))).toBe(longest);
    expect(() => parsePurl(`${longest}a`)).toThrow('longer than 65536 characters');
    expect(() => formatPurl({ type: 'generic', name: '+'.repeat(30_000) })).toThrow('longer than 65536 characters');
  });

  for (const piece of ['%40', '@', '/', 'a=b&', '../', '?', '#', ':', '%', 'a/', '%2e%2e/', '&', '=', '\ud800']) {
    test(`many ${JSON.stringify(piece)} end in a purl or a PurlError`, () => {
      const many = piece.repeat(Math.floor(60_000 / piece.length));
      for (const text of [
        many,
        `pkg:${many}`,
        `pkg:npm/${many}x`,
        `pkg:git/a/${many}`,
        `pkg:npm/a?${many}`,
        `pkg:npm/a#${many}b`,
      ]) {
        purlOrRefusal(text);
      }
      expect(() => parsePurl(`pkg:npm/${piece.repeat(100_000)}`)).toThrow('longer than');
    });
  }
});

describe('properties', () => {
  const types = ['generic', 'npm', 'pypi', 'deb', 'git', 'golang', 'mlflow', 'pub', 'swid', 'cpan', 'otp', 'x-unknown'];
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'aZ09@/:+%&=?#._-~ ΣİK'), maxLength: 12 }),
  );
  const purls: fc.Arbitrary<Purl> = fc.record(
    {
      type: fc.constantFrom(...types),
      namespace: text,
      name: text,
      version: text,
      qualifiers: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9._-]{0,5}$/), text, { maxKeys: 4 }),
      subpath: text,
    },
    { requiredKeys: ['type', 'name'] },
  );

  test('reading what was written gives the canonical components, and writing them again gives the same text', () => {
    let written = 0;
    fc.assert(
      fc.property(purls, (purl) => {
        const formatted = formatOrRefuse(purl);
        if (formatted === undefined) return;
        written++;
        const parsed = parsePurl(formatted);
        expect(formatPurl(parsed)).toBe(formatted);
        expect(parsePurl(formatPurl(parsed))).toEqual(parsed);
        if (purl.type === 'generic') {
          expect(parsed.version ?? '').toBe(purl.version ?? '');
          expect(parsed.qualifiers?.['a'] ?? '').toBe(purl.qualifiers?.['a'] ?? '');
        }
      }),
      { numRuns: 3000 },
    );
    expect(written).toBeGreaterThan(500);
  });

  test('a canonical purl is plain ASCII of the permitted characters', () => {
    fc.assert(
      fc.property(purls, (purl) => {
        expect(formatOrRefuse(purl) ?? 'pkg:').toMatch(/^[A-Za-z0-9._~%:/@?=&#-]+$/);
      }),
    );
  });

  test('any text gives a purl that can be written, or a PurlError', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary' }), text);
    fc.assert(
      fc.property(
        fc.constantFrom('', 'pkg:', 'pkg:npm/', 'pkg:git/a/', 'pkg:x/y?', 'pkg:x/y@', 'pkg:x/y#'),
        anything,
        (start, rest) => purlOrRefusal(start + rest),
      ),
      { numRuns: 3000 },
    );
  });
});

function purlOrRefusal(text: string): void {
  for (const lenient of [false, true]) {
    let purl: Purl;
    try {
      purl = parsePurl(text, { lenient });
    } catch (error) {
      expect(error).toBeInstanceOf(PurlError);
      continue;
    }
    const formatted = formatOrRefuse(purl);
    // Only encoding can make a readable purl too long to write.
    if (formatted === undefined) expect(text.length).toBeGreaterThan(65_536 / 9);
    else expect(formatPurl(parsePurl(formatted))).toBe(formatted);
  }
}

function formatOrRefuse(purl: Purl): string | undefined {
  try {
    return formatPurl(purl);
  } catch (error) {
    expect(error).toBeInstanceOf(PurlError);
    return undefined;
  }
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof PurlError) return error.message;
  }
  throw new Error('no PurlError');
}
