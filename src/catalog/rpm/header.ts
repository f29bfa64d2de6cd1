/**
 * The rpm header: all that rpm knows of one package, as its databases store it. Numbers are big-endian.
 *
 *   u32 entries, u32 bytes of data, entries × (u32 tag, u32 type, i32 offset, u32 count), data
 *
 *   type 1 char, 2 int8, 3 int16, 4 int32, 5 int64, 6 string, 7 bytes, 8 array of strings, 9 translated strings
 *   (strings end in NUL; of translated strings the first is the untranslated one)
 *
 * The first entry, tag 61 to 63, marks the region of entries that were signed; entries behind the region were added at
 * installation and replace those of the same tag within it. As they come last, the last entry of a tag wins here.
 *
 * Refused: more than 65535 entries, 256 MiB of data, or a size that does not fit the blob. An entry is checked when it
 * is asked for, so that a damaged changelog does not hide a package; one of absurd size is refused.
 *
 * Format: https://rpm.org/docs/latest/manual/format_header.html
 */
import { isUtf8 } from 'node:buffer';
import { decodePath } from '../../archive/path.ts';
import { Unreadable } from '../types.ts';

/** Headers that are read of one database; a large server has five thousand. */
export const maxBlobs = 200_000;
/** The packages with the most files have some hundred thousand. */
const maxValues = 1_000_000;
const maxListBytes = 64 * 1024 * 1024;
/** The longest licences have a few kilobytes. */
const maxTextBytes = 64 * 1024;

/** A header as found in a database. */
export interface HeaderBlob {
  /** For messages: `package 12`. */
  readonly where: string;
  /** May share memory with the database. */
  readonly bytes: Buffer;
}

export interface Header {
  readonly entries: ReadonlyMap<number, HeaderEntry>;
  readonly data: Buffer;
}

interface HeaderEntry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** Strings one behind the other, each ended by NUL: compact, and decoded only when needed. */
export interface StringList {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Throws Unreadable. */
export function parseHeader(blob: Buffer): Header {
  if (blob.length < 8) throw new Unreadable('its header is cut short');
  const count = blob.readUInt32BE(0);
  const size = blob.readUInt32BE(4);
  if (count === 0 || count > 0xffff || size > 0x0fffffff) throw new Unreadable('its header has an impossible size');
  const start = 8 + 16 * count;
  if (start + size > blob.length) throw new Unreadable('its header is cut short');
  const entries = new Map<number, HeaderEntry>();
  for (let at = 8; at < start; at += 16) {
    const entry = {
      type: blob.readUInt32BE(at + 4),
      offset: blob.readUInt32BE(at + 8),
      count: blob.readUInt32BE(at + 12),
    };
    entries.set(blob.readUInt32BE(at), entry);
  }
  return { entries, data: blob.subarray(start, start + size) };
}

/** The strings of an entry, sharing memory with the header. Undefined when there is no such tag; throws Unreadable. */
export function readStrings(header: Header, tag: number): StringList | undefined {
  const entry = textEntry(header, tag);
  if (entry === undefined) return undefined;
  if (entry.count > maxValues) throw new Unreadable(`tag ${tag} has too many values`);
  const { data } = header;
  let end = Math.min(entry.offset, data.length);
  for (let missing = entry.count; missing > 0; end++) {
    if (end >= data.length) throw new Unreadable(`tag ${tag} runs over the end of the header`);
    if (data[end] === 0) missing--;
  }
  if (end - entry.offset > maxListBytes) throw new Unreadable(`tag ${tag} is too long`);
  return { bytes: data.subarray(entry.offset, end), count: entry.count };
}

/**
 * The first string of an entry. Undefined when there is none, and for the `(none)` that rpm prints for nothing. Those
 * behind it are not looked at: a header of one megabyte could ask for a million of them, tag by tag.
 */
export function readText(header: Header, tag: number): string | undefined {
  const entry = textEntry(header, tag);
  if (entry === undefined || entry.count === 0) return undefined;
  const { data } = header;
  // Each string takes a byte at least.
  const end = entry.count <= data.length - entry.offset ? data.indexOf(0, entry.offset) : -1;
  if (end < 0) throw new Unreadable(`tag ${tag} runs over the end of the header`);
  if (end - entry.offset > maxTextBytes) throw new Unreadable(`tag ${tag} is too long`);
  const bytes = data.subarray(entry.offset, end);
  // Old packages were written in the encoding of their maker, mostly Latin-1.
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1').trim();
  return text === '' || text === '(none)' ? undefined : text;
}

function textEntry(header: Header, tag: number): HeaderEntry | undefined {
  const entry = header.entries.get(tag);
  if (entry === undefined) return undefined;
  const isArray = entry.type === 8 || entry.type === 9;
  if (!isArray && (entry.type !== 6 || entry.count !== 1)) throw new Unreadable(`tag ${tag} is no text`);
  return entry;
}

const widths = new Map([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
]);

/** The unsigned numbers of an entry. */
export function readNumbers(header: Header, tag: number): Float64Array | undefined {
  const entry = header.entries.get(tag);
  if (entry === undefined) return undefined;
  const width = widths.get(entry.type);
  if (width === undefined) throw new Unreadable(`tag ${tag} is no number`);
  const bytes = slice(header, tag, entry.offset, entry.count * width);
  if (entry.count > maxValues) throw new Unreadable(`tag ${tag} has too many values`);
  const numbers = new Float64Array(entry.count);
  for (let index = 0, at = 0; index < entry.count; index++, at += width) {
    if (width === 4) numbers[index] = bytes.readUInt32BE(at);
    else if (width === 2) numbers[index] = bytes.readUInt16BE(at);
    else numbers[index] = width === 1 ? bytes[at]! : Number(bytes.readBigUInt64BE(at));
  }
  return numbers;
}

/** The bytes of an entry in lower-case hex. */
export function readHex(header: Header, tag: number): string | undefined {
  const entry = header.entries.get(tag);
  if (entry === undefined) return undefined;
  if (entry.type !== 7) throw new Unreadable(`tag ${tag} is no sequence of bytes`);
  if (entry.count > maxTextBytes) throw new Unreadable(`tag ${tag} is too long`);
  return slice(header, tag, entry.offset, entry.count).toString('hex');
}

/** A copy that does not keep the database in memory. */
export function copyStrings(list: StringList): StringList {
  return { bytes: Buffer.from(list.bytes), count: list.count };
}

/** Every string; bytes that are not UTF-8 as U+DC80..U+DCFF, as in the paths of a tree. */
export function decodeStrings({ bytes, count }: StringList): string[] {
  if (count === 0) return [];
  return decodePath(bytes.subarray(0, bytes.length - 1)).split('\0');
}

function slice(header: Header, tag: number, offset: number, size: number): Buffer {
  if (offset + size > header.data.length) throw new Unreadable(`tag ${tag} runs over the end of the header`);
  return header.data.subarray(offset, offset + size);
}
