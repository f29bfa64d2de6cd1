import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Exit,
  exitForError,
  findRule,
  printable,
  printableJson,
  quoted,
  rules,
  worstExit,
} from '../../src/diag/index.ts';

describe('exit codes', () => {
  it('of several outcomes take usage first, then undecided, denied, approval and pass', () => {
    expect(worstExit([0, 4, 1, 3, 2])).toBe(2);
    expect(worstExit([0, 4, 1, 3])).toBe(3);
    expect(worstExit([0, 4, 1])).toBe(1);
    expect(worstExit([0, 4])).toBe(4);
    expect(worstExit([0, 0])).toBe(0);
  });

  it('of no outcome at all is undecided, never a pass', () => {
    expect(worstExit([])).toBe(Exit.undecided);
  });

  it('are 2 for what the user has to put right and 3 for everything else', () => {
    expect([exitForError('usage'), exitForError('configuration')]).toEqual([2, 2]);
    for (const code of [
      'not-found',
      'malformed',
      'unsupported',
      'digest-mismatch',
      'limit',
      'io',
      'incomplete',
    ] as const) {
      expect(exitForError(code)).toBe(3);
    }
  });
});

describe('untrusted text', () => {
  it('keeps what people write and escapes what a terminal would obey', () => {
    expect(printable('größe 日本 a/b:c')).toBe('größe 日本 a/b:c');
    expect(printable('a\x1b[31mb\r\n\x07')).toBe('a\\x1b[31mb\\x0d\\x0a\\x07');
    expect(printable('\u202egnp.exe\u200b\ufeff')).toBe('\\u{202e}gnp.exe\\u{200b}\\u{feff}');
    expect(printable('\u009b31m')).toBe('\\x9b31m');
  });

  it('shows a raw path byte as that byte, and any other lone surrogate as its code', () => {
    expect(printable('caf\udce9')).toBe('caf\\xe9');
    expect(printable('\ud800')).toBe('\\u{d800}');
  });

  it('never holds a control character, a line break or half a character after escaping', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text);
        expect(shown).toMatch(/^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u);
      }),
    );
  });

  it('in JSON is escaped as JSON does it, and reads back as what it was', () => {
    expect(printableJson(JSON.stringify({ a: 'é\u009b\u202e\u2028\u{e0041}\n' }, undefined, 1))).toBe(
      '{\n "a": "é\\u009b\\u202e\\u2028\\udb40\\udc41\\n"\n}',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson(JSON.stringify([text]));
        expect(json).toMatch(/^[^\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]*$/u);
        expect(JSON.parse(json)).toEqual([text]);
      }),
    );
  });

  it('in a message stands in quotes and is cut where nobody would read on', () => {
    expect(quoted('x\n')).toBe('"x\\x0a"');
    expect(quoted('a'.repeat(300))).toBe(`"${'a'.repeat(200)}…"`);
  });
});

describe('rules', () => {
  it('are found by their id, each of which is kebab-case and there once', () => {
    expect(findRule('too-large')?.title).toMatch(/larger than the cap/);
    expect(findRule('no-such-rule')).toBeUndefined();
    expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
    for (const { id } of rules) expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
  });
});
