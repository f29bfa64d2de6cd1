/**
 * ELF, the executables and shared libraries of Linux and the BSDs, 32 and 64 bits, both byte orders.
 *
 *   7f 45 4c 46 | class (1: 32 bits, 2: 64) | data (1: little-endian, 2: big) | … | type | machine | … offsets and
 *   counts of two tables: program headers (PT_LOAD maps bytes of the file to addresses) and section headers (names)
 *
 * Counts that do not fit 16 bits stand in section header 0. Section headers may be missing or broken in a program that
 * runs well; program headers may not. Refused: other types than executable and shared object, no loadable segment.
 *
 * System V ABI, chapters 4 and 5, https://gabi.xinuos.com/
 */
import { Unreadable } from '../types.ts';
import {
  type Executable,
  fixedText,
  maxSections,
  maxSegments,
  type NumberReader,
  numberReader,
  type Section,
  type Segment,
} from './image.ts';

const typeRelocatable = 1;
const typeExecutable = 2;
const typeShared = 3;
const typeCore = 4;

export function looksLikeElf(head: Buffer): boolean {
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return false;
  // Objects for the linker, kernel modules (both relocatable) and memory dumps are not programs. Other types are wanted
  // and refused when read: the kernel looks at less of the header than we do, so a broken header must not hide a program.
  const type = head[5] === 2 ? head.readUInt16BE(16) : head.readUInt16LE(16);
  return type !== typeRelocatable && type !== typeCore;
}

export function parseElf(bytes: Buffer): Executable {
  const is64 = choice(bytes[4], 'class') === 2;
  const number = numberReader(bytes, choice(bytes[5], 'byte order') === 1);
  const type = number.u16(16);
  if (type !== typeExecutable && type !== typeShared) throw new Unreadable('its ELF header is damaged: unknown type');
  const elf: Elf = { bytes, is64, number, word: is64 ? number.u64 : number.u32 };
  const segments = parseSegments(elf);
  try {
    return { bytes, segments, sections: parseSections(elf) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { bytes, segments, sections: [], sectionFault: error.message };
  }
}

interface Elf {
  readonly bytes: Buffer;
  readonly is64: boolean;
  readonly number: NumberReader;
  /** Reads an address, offset or size. */
  word(at: number): number;
}

function choice(value: number | undefined, what: string): 1 | 2 {
  if (value !== 1 && value !== 2) throw new Unreadable(`its ELF header is damaged: unknown ${what}`);
  return value;
}

const extendedCount = 0xffff;

function parseSegments(elf: Elf): Segment[] {
  const { is64, number, word } = elf;
  const start = word(is64 ? 32 : 28);
  const stride = number.u16(is64 ? 54 : 42);
  const stated = number.u16(is64 ? 56 : 44);
  const count = stated === extendedCount ? number.u32(sectionTable(elf) + (is64 ? 44 : 28)) : stated;
  if (count > maxSegments) throw new Unreadable(`it has more than ${maxSegments} segments`);
  // The kernel refuses any other size, and so a table that overlaps itself.
  if (count > 0 && stride !== (is64 ? 56 : 32)) throw new Unreadable('its ELF program headers have an unknown size');
  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * stride;
    const loaded = number.u32(at) === 1;
    const size = loaded ? word(at + (is64 ? 32 : 16)) : 0;
    if (size === 0) continue;
    const flags = number.u32(at + (is64 ? 4 : 24));
    segments.push({
      address: word(at + (is64 ? 16 : 8)),
      offset: word(at + (is64 ? 8 : 4)),
      size,
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    });
  }
  if (segments.length === 0) throw new Unreadable('its ELF header is damaged: nothing in it would be loaded');
  return segments;
}

function sectionTable({ is64, word }: Elf): number {
  return word(is64 ? 40 : 32);
}

const sectionWithoutBytes = 8;

function parseSections(elf: Elf): Section[] {
  const { bytes, is64, number, word } = elf;
  const start = sectionTable(elf);
  if (start === 0) return [];
  const stride = number.u16(is64 ? 58 : 46);
  if (stride < (is64 ? 64 : 40)) throw new Unreadable('its ELF section headers have an unknown size');
  const count = number.u16(is64 ? 60 : 48) || word(start + (is64 ? 32 : 20));
  if (count > maxSections) throw new Unreadable(`it has more than ${maxSections} sections`);
  const stated = number.u16(is64 ? 62 : 50);
  const namesIndex = stated === extendedCount ? number.u32(start + (is64 ? 40 : 24)) : stated;
  if (namesIndex >= count) throw new Unreadable('its ELF sections have no names');
  const namesStart = word(start + namesIndex * stride + (is64 ? 24 : 16));
  const namesEnd = namesStart + word(start + namesIndex * stride + (is64 ? 32 : 20));
  const names = bytes.subarray(namesStart, Math.min(namesEnd, bytes.length));
  // Flags are a word; the half that matters comes second in 64-bit big-endian files.
  const flagsLow = is64 && bytes[5] === 2 ? 12 : 8;
  const sections: Section[] = [];
  for (let index = 1; index < count; index++) {
    const at = start + index * stride;
    const type = number.u32(at + 4);
    if (type === 0 || type === sectionWithoutBytes) continue;
    // The names that matter are short; a longer one is cut, so that a name table without NULs costs nothing.
    const name = fixedText(names, number.u32(at), 64);
    const compressed = (number.u32(at + flagsLow) & 0x800) !== 0;
    sections.push({ name, offset: word(at + (is64 ? 24 : 16)), size: word(at + (is64 ? 32 : 20)), compressed });
  }
  return sections;
}
