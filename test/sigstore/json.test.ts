import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parseStrictJson, parseStrictJsonBytes } from '../../src/sigstore/json.ts';

describe('strict JSON', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, withoutLargeNumbers, indent);
        expect(JSON.stringify(parseStrictJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and throws nothing but VerifyError', () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:\\',
      'true',
      'null',
      '1',
      '-',
      '.5',
      'e9',
      '\\u00',
      'a',
      ' ',
      '\n',
      '\u2028',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
        const text = parts.join('');
        const ours = attempt(() => parseStrictJson(text));
        const theirs = attempt(() => JSON.parse(text));
        if (!ours.ok) expect(ours.error).toBeInstanceOf(VerifyError);
        if (ours.ok) expect(theirs.ok).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a member that stands twice', '{"a":1,"b":2,"a":1}', 'member "a" stands twice, at character 13'],
    ['a member that stands twice, spelt in two ways', '{"a":1,"\\u0061":1}', 'member "a" stands twice'],
    ['a member that stands twice far down', '[{"x":[{"y":0,"y":0}]}]', 'member "y" stands twice'],
    ['a byte order mark', '\ufeff{}', 'a value is expected, at character 0'],
    ['something after the value', '{} {}', 'something follows the value, at character 3'],
    ['half a surrogate pair, escaped', '"\\ud800"', 'half a surrogate pair'],
    ['half a surrogate pair, raw', '"\ud800"', 'half a surrogate pair'],
    ['half a surrogate pair in a name', '{"\\udc00":1}', 'half a surrogate pair'],
    ['a whole number beyond 2^53', '9007199254740992', 'too large to be read exactly'],
    ['a number beyond all doubles', '1e999', 'too large to be read exactly'],
    ['a leading zero', '01', 'something follows the value'],
    ['a plus sign', '+1', 'a value is expected'],
    ['a raw line break in a string', '"a\nb"', 'control character'],
    ['a wrong escape', '"\\x41"', 'wrong escape'],
    ['a string without end', '"a\\"', 'a string has no end'],
    ['a comma too many in a list', '[1,]', 'a value is expected'],
    ['a comma too many in an object', '{"a":1,}', 'the name of a member is expected'],
    ['a comma too few', '[1 2]', 'a comma or "]" is expected'],
    ['a missing colon', '{"a" 1}', 'a colon is expected'],
    ['NaN', 'NaN', 'a value is expected'],
    ['nothing', '', 'a value is expected'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseStrictJson(text)).toThrow(message);
    expect(() => parseStrictJson(text)).toThrow(VerifyError);
  });

  it('reads 64 levels and refuses the 65th, however many follow', () => {
    expect(() => parseStrictJson('['.repeat(64) + ']'.repeat(64))).not.toThrow();
    expect(() => parseStrictJson('['.repeat(65) + ']'.repeat(65))).toThrow('nested deeper than 64');
    expect(() => parseStrictJson('{"a":'.repeat(1_000_000))).toThrow('nested deeper than 64');
  });

  it('takes __proto__ and constructor for names like any other', () => {
    const value = parseStrictJson('{"__proto__":{"isAdmin":true},"constructor":1}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(value['isAdmin']).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(() => parseStrictJson('{"__proto__":1,"__proto__":2}')).toThrow('stands twice');
  });

  it('reads a string of backslashes and quotes in linear time', () => {
    const long = JSON.stringify('\\"'.repeat(500_000));
    expect(parseStrictJson(long)).toHaveLength(1_000_000);
    expect(() => parseStrictJson(`"${'\\'.repeat(1_000_001)}"`)).toThrow('a string has no end');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJsonBytes(Buffer.from([0x22, 0xff, 0x22]))).toThrow('is not UTF-8');
    expect(parseStrictJsonBytes(Buffer.from('"ä"'))).toBe('ä');
  });
});

// Whole numbers that a double cannot hold are refused, and have a test of their own.
function withoutLargeNumbers(_: string, value: unknown): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
}

function attempt<T>(run: () => T): { ok: true; value: T } | { ok: false; error: unknown } {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error };
  }
}
