/**
 * Mach-O, the executables and libraries of Apple's systems, 32 and 64 bits, both byte orders, and universal ("fat") files
 * that hold one Mach-O file per architecture.
 *
 *   fe ed fa ce (or cf for 64 bits; reversed when little-endian) | cpu | file type | load commands, of which
 *   LC_SEGMENT and LC_SEGMENT_64 map bytes of the file to addresses and list the sections in them
 *   ca fe ba be (or bf with 64-bit offsets), big-endian | count | count times: cpu, offset, size
 *
 * A Java class file begins with `ca fe ba be` too; there the count would be the class version, 45 or more. Refused: load
 * commands that do not fit their table, architectures beyond the end of the file, universal files inside universal files.
 *
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h and fat.h beside it
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

/** False for an object for the linker and other companions of programs, undefined when it is no Mach-O file at all. */
export function isMachOProgram(head: Buffer): boolean | undefined {
  const littleEndian = byteOrder(head);
  if (littleEndian === undefined || head.length < 28) return undefined;
  const objectOrDump = [1, 4];
  const stubOrDebuggingCompanion = [9, 10];
  return ![...objectOrDump, ...stubOrDebuggingCompanion].includes(numberReader(head, littleEndian).u32(12));
}

export function looksLikeUniversal(head: Buffer, size: number): boolean {
  const wide = universalKind(head);
  if (wide === undefined || head.length < 48) return false;
  const count = head.readUInt32BE(4);
  const offset = wide ? Number(head.readBigUInt64BE(16)) : head.readUInt32BE(16);
  return count > 0 && count <= maxArchitectures && isCpu(head.readUInt32BE(8)) && offset < size;
}

/** The files inside a universal file, one per architecture, in the order of their offsets. */
export function universalParts(bytes: Buffer): Buffer[] {
  const wide = universalKind(bytes) === true;
  const number = numberReader(bytes, false);
  const count = number.u32(4);
  if (count > maxArchitectures) throw new Unreadable(`it has more than ${maxArchitectures} architectures`);
  const parts = Array.from({ length: count }, (_, index) => {
    const at = 8 + index * (wide ? 32 : 20);
    const start = wide ? number.u64(at + 8) : number.u32(at + 8);
    return { start, end: start + (wide ? number.u64(at + 16) : number.u32(at + 12)) };
  });
  parts.sort((a, b) => a.start - b.start);
  let end = 8;
  for (const part of parts) {
    // Architectures on top of each other would have us read the same bytes many times.
    if (part.start < end) throw new Unreadable('architectures in it overlap');
    end = part.end;
  }
  if (end > bytes.length) throw new Unreadable('an architecture in it lies beyond the end of the file');
  return parts.map((part) => bytes.subarray(part.start, part.end));
}

export function parseMachO(bytes: Buffer): Executable {
  const littleEndian = byteOrder(bytes);
  if (littleEndian === undefined) throw new Unreadable('it is no Mach-O file');
  const number = numberReader(bytes, littleEndian);
  const is64 = (number.u32(0) & 1) === 1;
  const sections: Section[] = [];
  const segments: Segment[] = [];
  const count = number.u32(16);
  if (count > maxCommands) throw new Unreadable(`it has more than ${maxCommands} load commands`);
  let at = is64 ? 32 : 28;
  const end = at + number.u32(20);
  for (let index = 0; index < count; index++) {
    const size = number.u32(at + 4);
    // A size of 0 would never end, and one that leaves the table would read other things as commands.
    if (size < 8 || at + size > end) throw new Unreadable('its load commands are damaged');
    const isSegment = number.u32(at) === (is64 ? 0x19 : 0x1);
    if (isSegment) parseSegment({ bytes, is64, number, word: is64 ? number.u64 : number.u32 }, at, sections, segments);
    if (sections.length > maxSections) throw new Unreadable(`it has more than ${maxSections} sections`);
    if (segments.length > maxSegments) throw new Unreadable(`it has more than ${maxSegments} segments`);
    at += size;
  }
  return { bytes, sections, segments };
}

interface MachO {
  readonly bytes: Buffer;
  readonly is64: boolean;
  readonly number: NumberReader;
  word(at: number): number;
}

function parseSegment(
  { bytes, is64, number, word }: MachO,
  at: number,
  sections: Section[],
  segments: Segment[],
): void {
  const size = word(at + (is64 ? 48 : 36));
  const protection = number.u32(at + (is64 ? 60 : 44));
  if (size > 0) {
    segments.push({
      address: word(at + 24),
      offset: word(at + (is64 ? 40 : 32)),
      size,
      writable: (protection & 2) !== 0,
      executable: (protection & 4) !== 0,
    });
  }
  const count = number.u32(at + (is64 ? 64 : 48));
  const first = at + (is64 ? 72 : 56);
  const stride = is64 ? 80 : 68;
  if (first + count * stride > at + number.u32(at + 4)) throw new Unreadable('its load commands are damaged');
  if (count > maxSections) throw new Unreadable(`it has more than ${maxSections} sections`);
  for (let index = 0; index < count; index++) {
    const section = first + index * stride;
    const kind = number.u32(section + (is64 ? 64 : 56)) & 0xff;
    if (zeroFilled.has(kind)) continue;
    sections.push({
      name: fixedText(bytes, section, 16),
      offset: number.u32(section + (is64 ? 48 : 40)),
      size: word(section + (is64 ? 40 : 36)),
    });
  }
}

/** S_ZEROFILL, S_GB_ZEROFILL and S_THREAD_LOCAL_ZEROFILL: memory without bytes in the file. */
const zeroFilled: ReadonlySet<number> = new Set([0x1, 0xc, 0x12]);

const maxArchitectures = 30;
const maxCommands = 65_536;

/** True for little-endian, false for big-endian, undefined when it is no Mach-O file. */
function byteOrder(bytes: Buffer): boolean | undefined {
  if (bytes.length < 4) return undefined;
  if ((bytes.readUInt32LE(0) & ~1) >>> 0 === 0xfeedface) return true;
  return (bytes.readUInt32BE(0) & ~1) >>> 0 === 0xfeedface ? false : undefined;
}

/** True for 64-bit offsets, false for 32-bit ones, undefined when it is no universal file. */
function universalKind(bytes: Buffer): boolean | undefined {
  if (bytes.length < 4) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0xcafebabf) return true;
  return magic === 0xcafebabe ? false : undefined;
}

/** MC680x0, x86, ARM, SPARC, PowerPC; the high byte tells 64 bits and other variants. */
function isCpu(cpu: number): boolean {
  return [6, 7, 12, 14, 18].includes(cpu & 0xffffff);
}
