/**
 * A read-only SQLite table reader over bytes in memory: enough to list the rows of one ordinary table.
 *
 * A file is a row of equal pages, numbered from 1; page 1 starts with a 100-byte header. Page 1 is also the root of the
 * schema table, whose rows (type, name, tbl_name, rootpage, sql) say where every other table starts. A table is a
 * b-tree: interior pages (type 5) point at pages, leaf pages (type 13) hold the rows, and what does not fit goes on
 * through a chain of overflow pages:
 *
 *   leaf cell = varint payload size, varint rowid, payload…, [u32 first overflow page]
 *   payload   = varint header size, one varint per column (its type and length), then the values
 *
 * Refused: other text encodings than UTF-8, tables WITHOUT ROWID, views. A page serves one purpose only: cycles,
 * shared subtrees and shared overflow chains are damage, and so the work is linear in the size of the file.
 *
 * Format: https://www.sqlite.org/fileformat2.html, sections 1.3 (header), 1.6 (b-trees), 2.1 (records).
 */
import { type ReportGap, Unreadable } from '../types.ts';
import type { Wal } from './sqlite-wal.ts';

export type SqliteValue = null | number | string | Buffer;

export interface SqliteRow {
  readonly rowid: number;
  /** Column values as stored; a Buffer may share memory with the file. */
  readonly values: readonly SqliteValue[];
}

export interface SqliteFile {
  /** As claimed: of the pages that a log adds, some may be missing. */
  readonly pageCount: number;
  /** Bytes of a page that b-trees may use. */
  readonly usable: number;
  /** Throws Unreadable when there is no such page. */
  page(number: number): Buffer;
}

export function isSqlite(head: Buffer): boolean {
  return head.length >= 16 && head.toString('latin1', 0, 16) === 'SQLite format 3\0';
}

/** True when the file was last written in write-ahead-log mode, so that the newest rows may be in a file beside it. */
export function usesWal(file: Buffer): boolean {
  return isSqlite(file) && file[18] === 2;
}

/** Throws Unreadable. `gap` is told when pages at the end are missing. */
export function openSqlite(file: Buffer, wal: Wal | undefined, gap: ReportGap): SqliteFile {
  const header = wal?.pages.get(1) ?? file;
  if (header.length < 100 || !isSqlite(header)) throw new Unreadable('not a SQLite database');
  const stated = header.readUInt16BE(16);
  const pageSize = stated === 1 ? 65_536 : stated;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) throw new Unreadable(`impossible page size ${stated}`);
  if (wal !== undefined && wal.pageSize !== pageSize) {
    throw new Unreadable('the write-ahead log has another page size than the database');
  }
  const usable = pageSize - header[20]!;
  if (usable < 480) throw new Unreadable('too many reserved bytes in each page');
  const encoding = header.readUInt32BE(56);
  if (encoding > 1) throw new Unreadable('its text encoding is not UTF-8');
  const stored = Math.floor(file.length / pageSize);
  const pageCount = wal === undefined ? countPages(header, stored, gap) : wal.pageCount;
  return {
    pageCount,
    usable,
    page(number) {
      if (number < 1 || number > pageCount) throw new Unreadable(`page ${number} does not exist`);
      const newer = wal?.pages.get(number);
      if (newer !== undefined) return newer;
      if (number > stored) throw new Unreadable(`page ${number} is missing, the file is cut short`);
      return file.subarray((number - 1) * pageSize, number * pageSize);
    },
  };
}

/** Rows of a table in rowid order. Damaged parts become gaps; throws Unreadable when the table cannot be found. */
export function* readTable(file: SqliteFile, table: string, gap: ReportGap): Generator<SqliteRow> {
  const used = new Set<number>();
  let root: SqliteValue | undefined;
  for (const { values } of walkTable(file, 1, used, gap)) {
    const [type, name, , rootPage] = values;
    if (type === 'table' && typeof name === 'string' && name.toLowerCase() === table.toLowerCase()) root = rootPage;
  }
  if (typeof root !== 'number') throw new Unreadable(`it has no table ${table}`);
  yield* walkTable(file, root, used, gap);
}

/** The count in the header is only to be believed when the writer that set it was the last one to write. */
function countPages(header: Buffer, stored: number, gap: ReportGap): number {
  const stated = header.readUInt32BE(28);
  if (stated === 0 || header.readUInt32BE(24) !== header.readUInt32BE(92)) return stored;
  if (stated > stored) gap(`the file is cut short: ${stored} of ${stated} pages`);
  return Math.min(stated, stored);
}

// SQLite itself gives up below 20 levels.
const maxDepth = 20;

function* walkTable(file: SqliteFile, root: number, used: Set<number>, gap: ReportGap): Generator<SqliteRow> {
  const pending = [{ number: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { number, depth } = next;
    try {
      if (depth > maxDepth) throw new Unreadable(`page ${number} lies too deep`);
      const page = takePage(file, number, used);
      const start = number === 1 ? 100 : 0;
      const type = page[start];
      if (type === 13) {
        yield* readLeaf(file, page, start, number, used, gap);
      } else if (type === 5) {
        // Pushed from the right, so that the leftmost child comes next.
        const children = readChildren(file, page, start, number, gap);
        for (const child of children.reverse()) pending.push({ number: child, depth: depth + 1 });
      } else {
        throw new Unreadable(`page ${number} is no table page`);
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(error.message);
    }
  }
}

function takePage(file: SqliteFile, number: number, used: Set<number>): Buffer {
  const page = file.page(number);
  if (used.has(number)) throw new Unreadable(`page ${number} is used twice`);
  used.add(number);
  return page;
}

function readChildren(file: SqliteFile, page: Buffer, start: number, number: number, gap: ReportGap): number[] {
  const children: number[] = [];
  for (const cell of cellOffsets(file, page, start, 12, number, gap)) {
    if (cell + 4 > file.usable) gap(`page ${number} points outside of itself`);
    else children.push(page.readUInt32BE(cell));
  }
  children.push(page.readUInt32BE(start + 8));
  return children;
}

function* readLeaf(
  file: SqliteFile,
  page: Buffer,
  start: number,
  number: number,
  used: Set<number>,
  gap: ReportGap,
): Generator<SqliteRow> {
  // Overlapping cells would let a small page stand for a huge amount of work.
  let room = file.usable;
  for (const offset of cellOffsets(file, page, start, 8, number, gap)) {
    try {
      const cell = readCell(file, page, offset, used);
      room -= cell.end - offset;
      if (room < 0) throw new Unreadable('its rows overlap');
      yield { rowid: cell.rowid, values: parseRecord(cell.payload) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(`a row on page ${number} cannot be read: ${error.message}`);
      if (room < 0) return;
    }
  }
}

function cellOffsets(
  file: SqliteFile,
  page: Buffer,
  start: number,
  headerSize: number,
  number: number,
  gap: ReportGap,
): number[] {
  const stated = page.readUInt16BE(start + 3);
  const first = start + headerSize;
  const count = Math.min(stated, Math.floor((file.usable - first) / 2));
  if (count < stated) gap(`page ${number} claims ${stated} cells`);
  const offsets: number[] = [];
  for (let index = 0; index < count; index++) {
    const offset = page.readUInt16BE(first + 2 * index);
    if (offset < first + 2 * count || offset >= file.usable) gap(`page ${number} points outside of itself`);
    else offsets.push(offset);
  }
  return offsets;
}

function readCell(
  file: SqliteFile,
  page: Buffer,
  offset: number,
  used: Set<number>,
): { rowid: number; payload: Buffer; end: number } {
  const area = page.subarray(0, file.usable);
  const size = readVarint(area, offset);
  const rowid = readVarint(area, size.next);
  const local = localSize(size.value, file.usable);
  const end = rowid.next + local;
  if (end > area.length) throw new Unreadable('it runs over the end of the page');
  const head = area.subarray(rowid.next, end);
  if (local === size.value) return { rowid: rowid.value, payload: head, end };
  if (end + 4 > area.length) throw new Unreadable('it runs over the end of the page');
  const chunks = [head, ...overflow(file, area.readUInt32BE(end), size.value - local, used)];
  return { rowid: rowid.value, payload: Buffer.concat(chunks, size.value), end: end + 4 };
}

/** How much of a payload is on the leaf page itself (section 1.6 of the format). */
function localSize(size: number, usable: number): number {
  const most = usable - 35;
  if (size <= most) return size;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitted = least + ((size - least) % (usable - 4));
  return fitted <= most ? fitted : least;
}

/** The pages are gathered before anything is allocated for them: the size is a claim, the pages are not. */
function overflow(file: SqliteFile, first: number, size: number, used: Set<number>): Buffer[] {
  const chunks: Buffer[] = [];
  const room = file.usable - 4;
  if (Math.ceil(size / room) > file.pageCount) throw new Unreadable('it claims more bytes than the file has');
  for (let number = first, missing = size; missing > 0; missing -= room) {
    const page = takePage(file, number, used);
    chunks.push(page.subarray(4, 4 + Math.min(missing, room)));
    number = page.readUInt32BE(0);
  }
  return chunks;
}

// The most that SQLite can be built for.
const maxColumns = 32_767;
/** Texts are names and statements of the schema; the large values of rpm are blobs. */
const maxText = 16 * 1024 * 1024;

function parseRecord(payload: Buffer): SqliteValue[] {
  const header = readVarint(payload, 0);
  if (header.value > payload.length) throw new Unreadable('its header is longer than the row');
  const values: SqliteValue[] = [];
  const types = payload.subarray(0, header.value);
  let offset = header.value;
  for (let at = header.next; at < types.length; ) {
    const type = readVarint(types, at);
    at = type.next;
    if (values.length === maxColumns) throw new Unreadable('it has too many columns');
    const size = valueSize(type.value);
    if (offset + size > payload.length) throw new Unreadable('a value runs over the end of the row');
    values.push(decodeValue(type.value, payload.subarray(offset, offset + size)));
    offset += size;
  }
  return values;
}

function valueSize(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  const size = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (size === undefined) throw new Unreadable(`unknown value type ${type}`);
  return size;
}

function decodeValue(type: number, bytes: Buffer): SqliteValue {
  if (type >= 12 && type % 2 === 0) return bytes;
  if (type >= 12 && bytes.length > maxText) throw new Unreadable('it has too long a text');
  if (type >= 12) return bytes.toString('utf8');
  if (type === 0) return null;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type >= 8) return type - 8;
  return bytes.length === 8 ? Number(bytes.readBigInt64BE(0)) : bytes.readIntBE(0, bytes.length);
}

/** Big-endian groups of seven bits, at most nine bytes. A value over 2^53 loses its low bits; no size is that large. */
function readVarint(bytes: Buffer, offset: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new Unreadable('it ends in the middle of a number');
    if (index === 8) return { value: value * 256 + byte, next: offset + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: offset + index + 1 };
  }
  throw new Unreadable('a number has no end');
}
