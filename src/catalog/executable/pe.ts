/**
 * PE, the executables and libraries of Windows (and of UEFI), 32 and 64 bits, always little-endian.
 *
 *   4d 5a … at 3c: offset of  50 45 00 00 | COFF header | optional header (image base) | section headers of 40 bytes
 *
 * A section is a segment at the same time. Names longer than 8 bytes, which MinGW writes, stand in the COFF string table
 * and are referred to as `/123`. Refused: optional headers of unknown kind, tables beyond the end of the file.
 *
 * https://learn.microsoft.com/windows/win32/debug/pe-format
 */
import { Unreadable } from '../types.ts';
import { type Executable, fixedText, type NumberReader, numberReader, type Section, type Segment } from './image.ts';

export function looksLikePe(head: Buffer, size: number): boolean {
  if (head.length < 64 || head.readUInt16BE(0) !== 0x4d5a) return false;
  const at = head.readUInt32LE(0x3c);
  // The DOS stub may be longer than the head: then only reading can tell.
  if (at + 4 > head.length) return at + 24 <= size;
  return head.readUInt32BE(at) === 0x50450000;
}

export function parsePe(bytes: Buffer): Executable {
  const number = numberReader(bytes, true);
  const coff = number.u32(0x3c) + 4;
  if (number.u32(coff - 4) !== 0x4550) throw new Unreadable('it has no PE header');
  const sectionCount = number.u16(coff + 2);
  const optional = coff + 20;
  const base = imageBase(number, optional);
  const table = optional + number.u16(coff + 16);
  const strings = number.u32(coff + 8) === 0 ? undefined : number.u32(coff + 8) + number.u32(coff + 12) * 18;
  const sections: Section[] = [];
  const segments: Segment[] = [];
  for (let index = 0; index < sectionCount; index++) {
    const at = table + index * 40;
    const memorySize = number.u32(at + 8);
    const storedSize = number.u32(at + 16);
    // Stored sizes are rounded up with zeros; the size in memory is exact, but some linkers leave it 0.
    const size = memorySize === 0 ? storedSize : Math.min(memorySize, storedSize);
    if (size === 0) continue;
    const offset = number.u32(at + 20);
    const flags = number.u32(at + 36);
    sections.push({ name: sectionName(bytes, at, strings), offset, size });
    segments.push({
      address: base + number.u32(at + 12),
      offset,
      size,
      writable: (flags & 0x80000000) !== 0,
      executable: (flags & 0x20000000) !== 0,
    });
  }
  return { bytes, sections, segments };
}

function imageBase(number: NumberReader, optional: number): number {
  const magic = number.u16(optional);
  if (magic === 0x10b) return number.u32(optional + 28);
  if (magic === 0x20b) return number.u64(optional + 24);
  throw new Unreadable('its PE header is of an unknown kind');
}

function sectionName(bytes: Buffer, at: number, strings: number | undefined): string {
  const name = fixedText(bytes, at, 8);
  const reference = /^\/(\d{1,7})$/.exec(name);
  if (reference === null || strings === undefined) return name;
  const long = fixedText(bytes, strings + Number(reference[1]), 64);
  return long === '' ? name : long;
}
