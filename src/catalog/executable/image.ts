/**
 * What ELF, PE and Mach-O have in common: named sections, and segments that say which bytes of the file appear at which
 * address when the program runs. Only that is read; nothing is disassembled or relocated.
 *
 * Every offset, size and count in these files comes from whoever made them. Numbers beyond 2^53, tables and bytes beyond
 * the end of the file and absurd counts are refused with Unreadable.
 */
import { Unreadable } from '../types.ts';

/** A named run of bytes in the file. `offset` and `size` are as stated; see `sectionBytes`. */
export interface Section {
  readonly name: string;
  readonly offset: number;
  /** Bytes in the file. Sections that have none there (zero-filled memory) are not listed. */
  readonly size: number;
  /** In a compression of the format's own, which nothing that we look for uses. */
  readonly compressed?: boolean;
}

/** Bytes of the file that appear in memory; empty ones are not listed. */
export interface Segment {
  readonly address: number;
  readonly offset: number;
  /** Bytes in the file, as stated; what lies beyond its end does not exist. */
  readonly size: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface Executable {
  /** The whole program; in a universal Mach-O file, one architecture of it. Offsets count from its start. */
  readonly bytes: Buffer;
  readonly sections: readonly Section[];
  /** Why the section table could not be read, if so: a program runs without one, so this alone is no reason to give up. */
  readonly sectionFault?: string;
  readonly segments: readonly Segment[];
}

/** Far above what linkers write (tens of segments, thousands of sections), low enough to hold in memory. */
export const maxSections = 65_536;
export const maxSegments = 4_096;

/** The bytes of a section. Throws Unreadable when they are not all in the file or are compressed. */
export function sectionBytes({ bytes }: Executable, { name, offset, size, compressed }: Section): Buffer {
  if (compressed === true) throw new Unreadable(`section ${name} is compressed`);
  if (offset + size > bytes.length) throw new Unreadable(`section ${name} lies beyond the end of the file`);
  return bytes.subarray(offset, offset + size);
}

/** What the program would see from an address to the end of its segment, undefined where no byte of the file is. */
export function mappedBytes({ bytes, segments }: Executable, address: number): Buffer | undefined {
  const segment = segments.find((each) => each.address <= address && address - each.address < each.size);
  if (segment === undefined) return undefined;
  const start = segment.offset + (address - segment.address);
  const end = segment.offset + segment.size;
  return start < bytes.length ? bytes.subarray(start, Math.min(end, bytes.length)) : undefined;
}

/** The address at which the program sees this byte of the file, if it sees it. */
export function addressOf({ segments }: Executable, offset: number): number | undefined {
  const segment = segments.find((each) => each.offset <= offset && offset - each.offset < each.size);
  return segment === undefined ? undefined : segment.address + (offset - segment.offset);
}

export interface NumberReader {
  u16(at: number): number;
  u32(at: number): number;
  /** Refuses what a JavaScript number cannot hold exactly. */
  u64(at: number): number;
}

/** Reads numbers at offsets; each throws Unreadable beyond the end. */
export function numberReader(bytes: Buffer, littleEndian: boolean): NumberReader {
  const check = (at: number, size: number) => {
    if (at + size > bytes.length)
      throw new Unreadable('it is cut off or damaged: a table lies beyond the end of the file');
  };
  return {
    u16(at) {
      check(at, 2);
      return littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
    },
    u32(at) {
      check(at, 4);
      return littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    },
    u64(at) {
      check(at, 8);
      const value = littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
      if (value > Number.MAX_SAFE_INTEGER) throw new Unreadable('it is damaged: an offset is beyond all sizes');
      return Number(value);
    },
  };
}

/** Text up to the first NUL, of at most `max` bytes. Names are compared, not shown, so bytes map to U+0000..U+00FF. */
export function fixedText(bytes: Buffer, at: number, max: number): string {
  const field = bytes.subarray(at, at + max);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}
