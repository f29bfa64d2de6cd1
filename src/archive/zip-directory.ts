/**
 * The central directory of a zip archive: where it is and what it lists. The format is told in zip.ts.
 *
 *   [anything] | local header + data | … | central directory | [zip64 end + locator] | end record (22 bytes) + comment
 *
 * The end record is looked for from the end of the file, as the Java runtime does, because a comment of up to 65,535
 * bytes may follow it and a launch script may stand before the archive. Its offsets then count from the start of the
 * archive, not of the file: the directory ends where its end record begins, and that tells how much stands before.
 * APPNOTE.TXT 4.3.12 (directory), 4.3.14 and 4.3.15 (zip64), 4.3.16 (end), 4.5.3 (zip64 extra field).
 */
import { decodePath } from './path.ts';

/** Thrown for an archive or an entry that cannot be read. The message says why, in plain words. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

export interface ZipEntry {
  /** As stored, decoded like every path (see path.ts), neither normalised nor trusted. */
  readonly name: string;
  /** The bytes of the name. */
  readonly raw: Buffer;
  readonly flags: number;
  /** 0 stored, 8 deflated; others are not read. */
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  /** Bytes after decompression, as stated. */
  readonly size: number;
  /** Where the local header begins, from the start of the file. */
  readonly offset: number;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** The first byte after the entries. */
  readonly start: number;
  /** What is wrong with it without making it unreadable. */
  readonly problems: readonly string[];
}

interface End {
  /** Where the directory begins, from the start of the file. */
  readonly start: number;
  readonly size: number;
  readonly count: number;
  readonly zip64: boolean;
  /** Bytes before the archive: what has to be added to every offset. */
  readonly base: number;
  /** The first byte after the comment. */
  readonly after: number;
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const endBytes = 22;
const maxComment = 0xffff;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const end64Bytes = 56;
const fileSignature = 0x02014b50;
const fileBytes = 46;
const zip64Field = 1;
const localSignature = 0x04034b50;

/** Throws ZipError when there is no directory or it lists more than `maxEntries`. */
export function readZipDirectory(bytes: Buffer, maxEntries: number): ZipDirectory {
  const end = findEnd(bytes);
  const entries: ZipEntry[] = [];
  const problems = strangers(bytes, end);
  const stop = end.start + end.size;
  let at = end.start;
  let broken = false;
  while (at < stop) {
    const next = at + fileBytes > stop ? Number.POSITIVE_INFINITY : entryEnd(bytes, at);
    if (next > stop || bytes.readUInt32LE(at) !== fileSignature) {
      problems.push(`the list of files breaks off after ${entries.length} entries`);
      broken = true;
      break;
    }
    if (entries.length === maxEntries) throw new ZipError(`more than ${maxEntries} entries`);
    entries.push(readEntry(bytes, at, next, end.base));
    at = next;
  }
  const stated = end.zip64 ? end.count : end.count % 0x10000;
  const counted = end.zip64 ? entries.length : entries.length % 0x10000;
  // Readers that trust the count see another archive than readers that trust the length.
  if (stated !== counted && !broken) {
    problems.push(`states ${end.count} entries and lists ${entries.length}`);
  }
  return { entries, start: end.start, problems };
}

/**
 * What is in the file and not in the archive. An archive that was cut behind a stored inner archive ends with the inner
 * one's end record, and reads as if it were that one: then there is an archive before it, or something after it.
 */
function strangers(bytes: Buffer, end: End): string[] {
  const problems: string[] = [];
  if (end.base > 0 && bytes.readUInt32LE(0) === localSignature) problems.push('another archive stands before it');
  const trailing = bytes.subarray(end.after);
  if (trailing.some((byte) => byte !== 0)) problems.push(`${trailing.length} bytes follow its end`);
  return problems;
}

function findEnd(bytes: Buffer): End {
  const lowest = Math.max(0, bytes.length - endBytes - maxComment);
  let at = bytes.length - endBytes;
  let reason: string | undefined;
  while (at >= lowest) {
    at = bytes.lastIndexOf(endSignature, at);
    if (at < lowest) break;
    const end = readEnd(bytes, at);
    if (typeof end !== 'string') return end;
    reason ??= end;
    at--;
  }
  throw new ZipError(reason ?? 'not a zip archive, or its end is missing');
}

/** The end record at a place where its signature stands, or why it is none: the signature may be part of a comment. */
function readEnd(bytes: Buffer, at: number): End | string {
  const after = at + endBytes + bytes.readUInt16LE(at + 20);
  if (after > bytes.length) return 'its end is cut';
  const disk = bytes.readUInt16LE(at + 4);
  const count = bytes.readUInt16LE(at + 10);
  const size = bytes.readUInt32LE(at + 12);
  const offset = bytes.readUInt32LE(at + 16);
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const end = readEnd64(bytes, at, after);
    if (end !== undefined) return end;
  }
  if (disk !== 0) return 'one part of an archive in several parts';
  return locate(bytes, { before: at, size, offset, count, zip64: false, after });
}

/** The zip64 end record in front of an end record, or undefined when there is none. */
function readEnd64(bytes: Buffer, endAt: number, after: number): End | string | undefined {
  const locator = endAt - locatorBytes;
  if (locator < end64Bytes || bytes.readUInt32LE(locator) !== locatorSignature) return undefined;
  // Bytes before the archive make the stated place wrong; the record then stands directly before its locator.
  const stated = readUInt64(bytes, locator + 8);
  const at = [stated, locator - end64Bytes].find(
    (place) => place >= 0 && place + end64Bytes <= locator && bytes.readUInt32LE(place) === end64Signature,
  );
  if (at === undefined) return 'its zip64 end record is missing';
  return locate(bytes, {
    before: at,
    size: readUInt64(bytes, at + 40),
    offset: readUInt64(bytes, at + 48),
    count: readUInt64(bytes, at + 32),
    zip64: true,
    after,
  });
}

interface Stated {
  /** Where the record that states the rest begins. */
  readonly before: number;
  readonly size: number;
  readonly offset: number;
  readonly count: number;
  readonly zip64: boolean;
  readonly after: number;
}

function locate(bytes: Buffer, stated: Stated): End | string {
  const { before, size, offset, count, zip64, after } = stated;
  const start = before - size;
  const base = start - offset;
  if (base >= 0 && startsDirectory(bytes, start, size)) return { start, size, count, zip64, base, after };
  // Something stands between directory and end record: then the offset is all there is to go by.
  if (offset + size <= before && startsDirectory(bytes, offset, size)) {
    return { start: offset, size, count, zip64, base: 0, after };
  }
  return 'its end points at no list of files';
}

function startsDirectory(bytes: Buffer, at: number, size: number): boolean {
  return size === 0 ? at >= 0 : at >= 0 && size >= fileBytes && bytes.readUInt32LE(at) === fileSignature;
}

function entryEnd(bytes: Buffer, at: number): number {
  return at + fileBytes + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
}

/** One file header of the directory; the caller has checked that it lies inside. */
function readEntry(bytes: Buffer, at: number, next: number, base: number): ZipEntry {
  const nameEnd = at + fileBytes + bytes.readUInt16LE(at + 28);
  const raw = bytes.subarray(at + fileBytes, nameEnd);
  let compressedSize = bytes.readUInt32LE(at + 20);
  let size = bytes.readUInt32LE(at + 24);
  let offset = bytes.readUInt32LE(at + 42);
  if (size === 0xffffffff || compressedSize === 0xffffffff || offset === 0xffffffff) {
    const field = extraField(bytes, nameEnd, next - bytes.readUInt16LE(at + 32), zip64Field);
    // The field holds only those numbers that do not fit, in this order.
    const values = field === undefined ? [] : chunksOf8(field);
    if (size === 0xffffffff) size = values.shift() ?? size;
    if (compressedSize === 0xffffffff) compressedSize = values.shift() ?? compressedSize;
    if (offset === 0xffffffff) offset = values.shift() ?? offset;
  }
  return {
    name: decodePath(raw),
    raw,
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    compressedSize,
    size,
    offset: offset + base,
  };
}

function extraField(bytes: Buffer, from: number, to: number, id: number): Buffer | undefined {
  for (let at = from; at + 4 <= to; ) {
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > to) return undefined;
    if (bytes.readUInt16LE(at) === id) return bytes.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

function chunksOf8(field: Buffer): number[] {
  const values: number[] = [];
  for (let at = 0; at + 8 <= field.length; at += 8) values.push(readUInt64(field, at));
  return values;
}

/** Beyond 2^53 a number is inexact, and larger than any file: every check against a length refuses it. */
function readUInt64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}
