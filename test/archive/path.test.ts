import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseOf, climbs, decodePath, encodePath, normalizePath, parentOf } from '../../src/archive/index.ts';

describe('paths as bytes', () => {
  it('stay what they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodePath(decodePath(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('never meet when they differ', () => {
    const bytes = fc.array(fc.constantFrom(0x61, 0xc3, 0xa4, 0xed, 0xb2, 0x80, 0xff, 0xf0, 0x9f), { maxLength: 6 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        fc.pre(!Buffer.from(a).equals(Buffer.from(b)));
        expect(decodePath(Buffer.from(a))).not.toBe(decodePath(Buffer.from(b)));
      }),
    );
  });

  it('are neither folded nor composed', () => {
    const twins = ['\u00e9', 'e\u0301', '\u00c9', '\u00df', 'ss', '\ufb01', 'fi', 'K', '\u212a'];
    expect(new Set(twins.map((name) => decodePath(Buffer.from(name)))).size).toBe(twins.length);
    expect(twins.map(normalizePath)).toEqual(twins);
  });

  it.each<[string, number[], string]>([
    ['UTF-8', [0x61, 0xc3, 0xa4], 'aä'],
    ['a lone byte', [0x61, 0xff, 0x62], 'a\udcffb'],
    ['a cut sequence', [0xe2, 0x82], '\udce2\udc82'],
    ['an encoded surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
    ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['four bytes among bad ones', [0xff, 0xf0, 0x9f, 0x98, 0x80, 0xff], '\udcff😀\udcff'],
  ])('%s is shown as it is', (_, bytes, text) => {
    expect(decodePath(Buffer.from(bytes))).toBe(text);
  });
});

describe('names from archives', () => {
  it.each([
    ['a/b', 'a/b'],
    ['./a', 'a'],
    ['/a', 'a'],
    ['//a//b/', 'a/b'],
    ['a/./b/.', 'a/b'],
    ['../a', 'a'],
    ['../../../../etc/passwd', 'etc/passwd'],
    ['a/../../b', 'b'],
    ['a/b/..', 'a'],
    ['..', ''],
    ['.', ''],
    ['', ''],
    ['/', ''],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
    ['.../..', ''],
    ['a\\..\\b', 'a\\..\\b'],
    ['C:\\x', 'C:\\x'],
    ['C:/x', 'C:/x'],
    ['.wh.a', '.wh.a'],
    [' /. ', ' /. '],
  ])('%j is %j inside the root', (name, path) => {
    expect(normalizePath(name)).toBe(path);
  });

  it('are normal once normalised, and hold nothing that leads anywhere else', () => {
    const name = fc.array(fc.constantFrom('/', '.', '..', 'a', '', 'b.c', '...')).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(name, (text) => {
        const path = normalizePath(text);
        expect(normalizePath(path)).toBe(path);
        expect(path === '' || path.split('/').every((segment) => !['', '.', '..'].includes(segment))).toBe(true);
      }),
    );
  });

  it('are told when they climb', () => {
    expect(['..', 'a/..', '../a', 'a/../b'].map(climbs)).toEqual([true, true, true, true]);
    expect(['..a', 'a..', 'a/b', '...'].map(climbs)).toEqual([false, false, false, false]);
  });

  it('have a parent and a base', () => {
    expect([parentOf('a/b/c'), baseOf('a/b/c')]).toEqual(['a/b', 'c']);
    expect([parentOf('a'), baseOf('a')]).toEqual(['', 'a']);
    expect([parentOf(''), baseOf('')]).toEqual(['', '']);
  });
});
