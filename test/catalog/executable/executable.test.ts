import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressOf,
  type Executable,
  looksExecutable,
  mappedBytes,
  readExecutables,
  sectionBytes,
} from '../../../src/catalog/executable/index.ts';
import { Unreadable } from '../../../src/catalog/types.ts';
import { base, buildElf, buildMachO, buildPe, buildUniversal, everyFormat, type Part, writer } from './build.ts';

const parts: readonly Part[] = [
  { name: '.text', bytes: Buffer.from('instructions') },
  { name: '.note', bytes: Buffer.from('something to find') },
  { name: '.data', bytes: Buffer.from('data'), writable: true },
];

function wanted(file: Buffer): boolean {
  return looksExecutable({ path: 'bin/x', size: file.length, mode: 0o644, head: file.subarray(0, 512) });
}

function readOne(file: Buffer): Executable {
  const [program] = readExecutables(file, failOnGap, (each) => each);
  return program!;
}

function failOnGap(reason: string): void {
  throw new Error(`unexpected gap: ${reason}`);
}

function contents(program: Executable): Record<string, string> {
  return Object.fromEntries(
    program.sections.map((each) => [each.name, sectionBytes(program, each).toString('latin1')]),
  );
}

describe.each(everyFormat)('%s', (_, build) => {
  test('is wanted, with its sections and what is mapped where', () => {
    const file = build(parts);
    expect(wanted(file)).toBe(true);
    const program = readOne(file);
    expect(program.sectionFault).toBeUndefined();
    expect(contents(program)).toMatchObject({ '.text': 'instructions', '.note': 'something to find', '.data': 'data' });
    const offset = file.indexOf('to find');
    expect(addressOf(program, offset)).toBe(base + offset);
    expect(mappedBytes(program, base + offset)?.toString()).toBe('to find');
    expect(mappedBytes(program, base - 1)).toBeUndefined();
    expect(program.segments.filter(({ writable }) => writable)).toHaveLength(1);
  });

  test('lists no section that has no bytes in the file', () => {
    const program = readOne(build([{ name: '.bss', bytes: Buffer.alloc(8), zeroFilled: true }, ...parts]));
    expect(contents(program)).not.toHaveProperty('.bss');
  });

  test('cut off anywhere, is read or refused and nothing else', () => {
    const file = build(parts);
    for (let size = 0; size <= file.length; size++) expectReadOrRefused(file.subarray(0, size));
  });

  test('with any bytes changed, is read or refused and nothing else', () => {
    const file = build(parts);
    const headers = fc.oneof(fc.nat(511), fc.integer({ min: file.length - 512, max: file.length - 1 }));
    const change = fc.tuple(headers, fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const changed = Buffer.from(file);
        for (const [at, value] of changes) changed[at] = value;
        expectReadOrRefused(changed);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Reads all that can be read, so that every number in the file is used. */
function expectReadOrRefused(file: Buffer): void {
  wanted(file);
  try {
    readExecutables(
      file,
      () => {},
      (program) => {
        for (const section of program.sections.slice(0, 50)) {
          try {
            sectionBytes(program, section);
          } catch (error) {
            expect(error).toBeInstanceOf(Unreadable);
          }
        }
        for (const { address } of program.segments) mappedBytes(program, address);
        return addressOf(program, 4096) ?? 0;
      },
    );
  } catch (error) {
    expect(error).toBeInstanceOf(Unreadable);
  }
}

describe('what is wanted', () => {
  const edited = (file: Buffer, edit: (file: Buffer) => void) => {
    edit(file);
    return file;
  };
  test.each<[string, Buffer, boolean]>([
    ['a shared library', edited(buildElf(parts), (file) => file.writeUInt16LE(3, 16)), true],
    ['an ELF file whose type is nonsense', edited(buildElf(parts), (file) => file.writeUInt16LE(77, 16)), true],
    ['an object for the linker', edited(buildElf(parts), (file) => file.writeUInt16LE(1, 16)), false],
    ['a big-endian object', edited(buildElf(parts, { littleEndian: false }), (f) => f.writeUInt16BE(1, 16)), false],
    ['a memory dump', edited(buildElf(parts), (file) => file.writeUInt16LE(4, 16)), false],
    ['a Mach-O object', edited(buildMachO(parts), (file) => file.writeUInt32LE(1, 12)), false],
    ['a Mach-O library', edited(buildMachO(parts), (file) => file.writeUInt32LE(6, 12)), true],
    ['a Windows program with a long DOS stub', edited(buildPe(parts), (file) => file.writeUInt32LE(700, 0x3c)), true],
    ['a DOS program', edited(buildPe(parts), (file) => file.write('NE', 0x80)), false],
    [
      'a DOS program with nonsense for a header offset',
      edited(buildPe(parts), (f) => f.writeUInt32LE(2 ** 31, 0x3c)),
      false,
    ],
    ['a universal file', buildUniversal([buildMachO(parts)]), true],
    ['a universal file with 64-bit offsets', buildUniversal([buildMachO(parts)], true), true],
    ['a Java class', Buffer.concat([Buffer.from('cafebabe00000034', 'hex'), Buffer.alloc(8192, 7)]), false],
    [
      'a Java class of a future version 15',
      Buffer.concat([Buffer.from('cafebabe0000000f', 'hex'), Buffer.alloc(8192)]),
      false,
    ],
    ['a small file', buildElf(parts).subarray(0, 4095), false],
    ['a script', Buffer.from(`#!/bin/sh\n${'true\n'.repeat(2000)}`), false],
    ['zeros', Buffer.alloc(8192), false],
  ])('%s: %#', (_, file, want) => {
    expect(wanted(file)).toBe(want);
  });
});

describe('ELF', () => {
  test('takes counts that do not fit 16 bits from section header 0', () => {
    const file = buildElf(parts);
    const table = Number(file.readBigUInt64LE(40));
    const { u16, u32, u64 } = writer(file, {});
    const [segments, sections, names] = [56, 60, 62].map((at) => file.readUInt16LE(at));
    u16(0xffff, 56);
    u32(segments!, table + 44);
    u16(0, 60);
    u64(sections!, table + 32);
    u16(0xffff, 62);
    u32(names!, table + 40);
    expect(contents(readOne(file))).toMatchObject({ '.note': 'something to find' });
  });

  test('is read without its section table, which then is at fault or not there', () => {
    const beyond = buildElf(parts);
    beyond.writeBigUInt64LE(BigInt(beyond.length), 40);
    expect(readOne(beyond)).toMatchObject({ sections: [], sectionFault: expect.stringContaining('cut off') });
    expect(readOne(beyond).segments).toHaveLength(3);
    const removed = buildElf(parts);
    removed.writeBigUInt64LE(0n, 40);
    expect(readOne(removed).sections).toEqual([]);
    expect(readOne(removed).sectionFault).toBeUndefined();
  });

  test.each<[string, (file: Buffer) => void]>([
    ['an unknown class', (file) => file.writeUInt8(3, 4)],
    ['an unknown byte order', (file) => file.writeUInt8(0, 5)],
    ['an unknown type', (file) => file.writeUInt16LE(9, 16)],
    ['no segment', (file) => file.writeUInt16LE(0, 56)],
    ['segment headers of another size', (file) => file.writeUInt16LE(1, 54)],
    ['a segment table beyond the end', (file) => file.writeBigUInt64LE(BigInt(file.length - 8), 32)],
    ['an offset beyond 2^53', (file) => file.writeBigUInt64LE(2n ** 53n, 64 + 8)],
    ['more segments than any program', (file) => file.writeUInt16LE(5000, 56)],
  ])('with %s is refused', (_, edit) => {
    const file = buildElf(parts);
    edit(file);
    expect(() => readOne(file)).toThrow(Unreadable);
  });

  test('refuses more sections than any program has, without making them', () => {
    const file = buildElf(parts);
    file.writeUInt16LE(0, 60);
    file.writeBigUInt64LE(2n ** 40n, Number(file.readBigUInt64LE(40)) + 32);
    expect(readOne(file).sectionFault).toContain('65536');
  });

  test('refuses a section that is compressed or beyond the end, when it is asked for', () => {
    const program = readOne(buildElf([{ name: '.zip', bytes: Buffer.from('x'), compressed: true }, ...parts]));
    expect(() => contents(program)).toThrow('compressed');
    const cut = { name: '.cut', offset: program.bytes.length - 1, size: 2 };
    expect(() => sectionBytes(program, cut)).toThrow('beyond the end');
  });

  test('finds flags of big-endian sections', () => {
    const zipped = { name: '.zip', bytes: Buffer.from('x'), compressed: true };
    const program = readOne(buildElf([zipped, ...parts], { littleEndian: false }));
    expect(() => contents(program)).toThrow('compressed');
  });
});

describe('PE', () => {
  test('has section names longer than eight bytes', () => {
    const program = readOne(buildPe([{ name: '.a_very_long_name', bytes: Buffer.from('found') }, ...parts]));
    expect(contents(program)).toMatchObject({ '.a_very_long_name': 'found' });
  });

  test('keeps a reference to a name that is not there', () => {
    const file = buildPe(parts);
    file.write('/9999999', file.indexOf('.note\0'));
    expect(contents(readOne(file))).toHaveProperty('/9999999');
  });

  test('takes the stored size of a section whose size in memory is 0', () => {
    const file = buildPe(parts);
    file.writeUInt32LE(0, file.indexOf('.note\0') + 8);
    expect(contents(readOne(file))['.note']).toBe('something to find'.padEnd(32, '\0'));
  });

  test.each<[string, (file: Buffer) => void]>([
    ['no PE header', (file) => file.write('LE', 0x80)],
    ['an optional header of an unknown kind', (file) => file.writeUInt16LE(0x107, 0x98)],
    ['a header beyond the end', (file) => file.writeUInt32LE(0xffffffff, 0x3c)],
    ['a section table beyond the end', (file) => file.writeUInt16LE(0xffff, 0x86)],
    ['an image base beyond 2^53', (file) => file.writeBigUInt64LE(2n ** 63n, 0x98 + 24)],
  ])('with %s is refused', (_, edit) => {
    const file = buildPe(parts);
    edit(file);
    expect(() => readOne(file)).toThrow(Unreadable);
  });
});

describe('Mach-O', () => {
  test.each<[string, (file: Buffer) => void]>([
    ['a load command of size 0', (file) => file.writeUInt32LE(0, 36)],
    ['a load command larger than the table', (file) => file.writeUInt32LE(0x7fffffff, 36)],
    ['more load commands than fit', (file) => file.writeUInt32LE(60_000, 16)],
    ['more load commands than any program', (file) => file.writeUInt32LE(0xffffffff, 16)],
    ['more sections than fit their command', (file) => file.writeUInt32LE(3, 32 + 64)],
    ['a segment beyond 2^53', (file) => file.writeBigUInt64LE(2n ** 60n, 32 + 40)],
  ])('with %s is refused', (_, edit) => {
    const file = buildMachO(parts);
    edit(file);
    expect(() => readOne(file)).toThrow(Unreadable);
  });
});

describe('a universal file', () => {
  const names = (file: Buffer, gap: (reason: string) => void = failOnGap) =>
    readExecutables(file, gap, (program) => contents(program)['.note']);

  test.each([false, true])('gives every architecture (64-bit offsets: %s)', (wide) => {
    const other = buildMachO([{ name: '.note', bytes: Buffer.from('another') }]);
    expect(names(buildUniversal([buildMachO(parts), other], wide))).toEqual(['something to find', 'another']);
  });

  test('gives what can be read and names what cannot', () => {
    const broken = buildMachO(parts);
    broken.writeUInt32LE(0, 36);
    const gaps: string[] = [];
    expect(names(buildUniversal([broken, buildMachO(parts)]), (reason) => gaps.push(reason))).toEqual([
      'something to find',
    ]);
    expect(gaps).toEqual(['one architecture of it: its load commands are damaged']);
  });

  test('passes over libraries of objects and objects', () => {
    const object = buildMachO(parts);
    object.writeUInt32LE(1, 12);
    const library = Buffer.from('!<arch>\n'.padEnd(5000));
    expect(names(buildUniversal([library, object, buildMachO(parts)]))).toEqual(['something to find']);
  });

  test('does not open universal files inside it, and says so', () => {
    const gaps: string[] = [];
    const nested = buildUniversal([buildUniversal([buildMachO(parts)])]);
    expect(names(nested, (reason) => gaps.push(reason))).toEqual([]);
    expect(gaps).toEqual(['one architecture of it: it is no Mach-O file']);
  });

  test('is refused when architectures overlap or lie beyond the end', () => {
    const overlapping = buildUniversal([buildMachO(parts), buildMachO(parts)]);
    overlapping.writeUInt32BE(4097, 8 + 20 + 8);
    expect(() => names(overlapping)).toThrow('overlap');
    const beyond = buildUniversal([buildMachO(parts)]);
    beyond.writeUInt32BE(0xffffffff, 8 + 12);
    expect(() => names(beyond)).toThrow('beyond the end');
  });
});
