import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findHiddenLines, mayHide } from '../../../src/change/content/hidden-text.ts';
import { inspect, inspectShort } from './inspected.ts';

function weights(text: string, prose = false, before?: string): string[] {
  const found = [...findHiddenLines(before, text, prose)].map(({ line, weight }) => `${line} ${weight}`);
  if (before === undefined && found.length > 0) expect(mayHide(text)).toBe(true);
  return found;
}

const codePoint = (code: number): string => String.fromCodePoint(code);

describe('characters that nobody sees', () => {
  it.each([
    0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x3164, 0xffa0, 0x115f, 0x1160, 0xe0001,
    0xe0041, 0xe007f, 0xe0100, 0xe01ef, 0xfe0f,
  ])('U+%x is an error in code and in prose', (code) => {
    for (const prose of [false, true]) expect(weights(`a\nif (x) ${codePoint(code)} y`, prose)).toEqual(['2 error']);
  });

  it.each([
    0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xfeff, 0xad, 0x61c, 0x180e, 0x34f,
    0xe0fff,
  ])('U+%x is an error in an identifier, and a risk elsewhere', (code) => {
    expect(weights(`const is${codePoint(code)}Admin = 1`)).toEqual(['1 error']);
    expect(weights(`const isAdmin${codePoint(code)} = 1`)).toEqual(['1 error']);
    expect(weights(`x = "" + ${codePoint(code)} y`)).toEqual(['1 risk']);
    expect(weights(`a word${codePoint(code)}word of prose`, true)).toEqual(['1 risk']);
  });

  it.each([0x00, 0x01, 0x08, 0x0b, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x2028, 0x2029])('U+%x is a risk', (code) => {
    expect(weights(`a${codePoint(code)}b`)).toEqual(['1 risk']);
  });

  it('are not tab, line feed, form feed and the mark at the start of a file', () => {
    expect(weights('\ufeffa\tb\r\n\fc\r\r\nd\r')).toEqual([]);
    expect(mayHide('\ufeffa\tb\r\n\fc\n')).toBe(false);
  });

  it('are a carriage return within a line', () => {
    expect(weights('rm -rf /\recho hello\nx')).toEqual(['1 risk']);
  });

  it('are not what emoji are made of', () => {
    for (const emoji of [
      '👩‍💻',
      '❤️',
      '👨‍👩‍👧‍👦',
      '🏳️‍🌈',
      '👁️‍🗨️',
      '1️⃣',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      '👩🏽‍🚀',
      '©️',
      '☑︎',
    ]) {
      expect(weights(`text ${emoji} text`)).toEqual([]);
    }
  });

  it('are not what scripts need', () => {
    expect(weights('می‌خواهم نمی‌دانم')).toEqual([]);
    expect(weights('क्‍ष  ශ්‍රී')).toEqual([]);
    expect(weights('שלום\u200f!')).toEqual([]);
    expect(weights('ภาษา\u200bไทย')).toEqual([]);
    expect(weights('葛\u{e0100}城')).toEqual([]);
    expect(weights('⠓⠑⠇⠇⠕⠀⠺')).toEqual([]);
  });

  it('are an error in rows, which spell text for machines', () => {
    expect(weights('a 😀\ufe0f\u{e0101}\u{e0102}', true)).toEqual(['1 error']);
    expect(weights('نم\u200c\u200d\u200c', true)).toEqual(['1 error']);
    expect(weights(`x ${'\u200b\u200c'.repeat(8)}`, true)).toEqual(['1 error']);
    expect(weights(`🏴\u{e0061}\u{e0062}`, true)).toEqual(['1 error']);
  });

  it('are named with their line, each once', async () => {
    const [finding] = await inspect({}, { 'a.ts': 'x\ny\u202e\u202e\u2066\n' });
    expect(finding).toMatchObject({ line: 2, weight: 'error', rule: 'hidden-text' });
    expect(finding?.message).toContain('U+202E (bidirectional control), U+2066 (bidirectional control)');
    expect(finding?.message).not.toMatch(/[\u202e\u2066]/);
  });
});

describe('added lines', () => {
  it('are those that the old file has not, however often', () => {
    const old = 'a\u202e\nb\nc\u202e\n';
    expect(weights('c\u202e\nb\na\u202e\n', false, old)).toEqual([]);
    expect(weights('c\u202e\nb\na\u202e\na\u202e\n', false, old)).toEqual(['4 error']);
    expect(weights('a\u202ex\nb\n', false, old)).toEqual(['1 error']);
  });

  it('are all lines of a file that was binary, a link, or not there', async () => {
    expect(await inspectShort({ a: '\0\u202e' }, { a: '\u202e' }, 'hidden-text')).toEqual(['a:1 hidden-text error']);
    expect(await inspectShort({ a: { mode: '120000', content: '\u202e' } }, { a: '\u202e' }, 'hidden-text')).toEqual([
      'a:1 hidden-text error',
    ]);
  });

  it('are not looked at in files that were removed or changed their mode only', async () => {
    expect(
      await inspectShort({ a: '\u202e', b: '\u202e' }, { b: { mode: '100755', content: '\u202e' } }, 'hidden-text'),
    ).toEqual([]);
  });
});

describe('encodings', () => {
  it('UTF-16 with a mark is read, and is a risk by itself', async () => {
    const text = '\ufeffx\n\u202ey';
    const little = Buffer.from(text, 'utf16le');
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      expect(await inspectShort({}, { 'a.rc': bytes })).toEqual([
        'a.rc:2 hidden-text error',
        'a.rc opaque-content risk',
      ]);
    }
  });

  it('one byte that is no UTF-8 hides nothing', async () => {
    const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from('\n\u202e\n')]);
    expect(await inspectShort({}, { a: bytes })).toEqual(['a:2 hidden-text error', 'a hidden-text note']);
  });

  it('Latin-1 is said once, and not again where the old file had it', async () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1');
    expect(await inspectShort({ a: 'x' }, { a: bytes('café \x93') })).toEqual(['a hidden-text note']);
    expect(await inspectShort({ a: bytes('café') }, { a: bytes('café, thé') })).toEqual([]);
  });

  it.each([[[0xc0, 0xaf]], [[0xc1, 0x81]], [[0xe0, 0x80, 0xaf]], [[0xf0, 0x80, 0x80, 0xaf]]])(
    'an overlong sequence %j is an error',
    async (bytes) => {
      expect(await inspectShort({}, { a: Buffer.from([0x61, ...bytes, 0x0a]) })).toEqual(['a hidden-text error']);
    },
  );
});

describe('how prose is told from orders', () => {
  it('a zero width space in a word is a risk in a page, and an error in what agents obey', async () => {
    const word = 'wo\u200brd\n';
    const files = { 'docs/page.md': word, 'AGENTS.md': word, '.claude/x.md': word, 'a.ts': word };
    expect(await inspectShort({}, files, 'hidden-text')).toEqual([
      '.claude/x.md:1 hidden-text error',
      'AGENTS.md:1 hidden-text error',
      'a.ts:1 hidden-text error',
      'docs/page.md:1 hidden-text risk',
    ]);
  });
});

it('a file of hidden lines gives twenty findings and the number of the others', async () => {
  const findings = await inspect({}, { a: 'x\u202e\n'.repeat(50_000) });
  expect(findings).toHaveLength(21);
  expect(findings.at(-1)).toMatchObject({ weight: 'error', message: 'and 981 findings more of this kind' });
});

it('any text ends in lines that exist, from first to last', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.constantFrom('\n', '\r', '\u202e', '\u200d', '\ufe0f', 'a', '😀', '\ufeff', '🏴', '\u{e0067}'),
          fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
        ),
      }),
      (text) => {
        const lines = [...findHiddenLines(undefined, text, false)].map(({ line }) => line);
        expect(lines).toEqual([...new Set(lines)].sort((one, other) => one - other));
        expect(lines.every((line) => line >= 1 && line <= text.split('\n').length)).toBe(true);
        expect([...findHiddenLines(text, text, false)]).toEqual([]);
      },
    ),
  );
});
