/**
 * A Berkeley DB hash file: `Packages` of rpm before 4.16 (RHEL and CentOS up to 8, Amazon Linux 2, old SUSE and Fedora).
 *
 * Equal pages, numbered from 0, in the byte order of the machine that wrote them. Page 0 is the meta page:
 *
 *   12 magic 00061561 · 16 version · 20 page size · 24 encryption · 26 flags · 32 last page
 *
 * Other pages: 8 own number · 16 next page · 20 count of entries · 22 bytes used (overflow pages) · 25 type · 26 data.
 * A hash page (type 2 or 13) has u16 offsets at 26, keys and values in turn, filled from the end of the page:
 *
 *   01 bytes…                            a value on the page
 *   03 xx xx xx, u32 page, u32 length    a value in a chain of overflow pages (type 7)
 *
 * Keys are numbers of packages (u32), values are rpm headers; key 0 holds a counter. All hash pages are read, not only
 * those that the bucket table leads to: freed pages lose their type, so the others all hold live entries.
 * Refused: other access methods (btree), encryption, page checksums, duplicates. A page serves one value only: cycles
 * and shared chains are damage, and so the work is linear in the size of the file.
 *
 * There is no specification beside the code of Berkeley DB, src/dbinc/db_page.h.
 */
import { type ReportGap, Unreadable } from '../types.ts';
import type { HeaderBlob } from './header.ts';

const magic = 0x00061561;
const btreeMagic = 0x00053162;
const pageHeaderSize = 26;

/** Free, hash (2 and 13), overflow, meta: a page of another type may be a damaged one of packages. */
const pageTypes = new Set([0, 2, 7, 8, 13]);

export function isBerkeley(head: Buffer): boolean {
  if (head.length < 16) return false;
  return [head.readUInt32LE(12), head.readUInt32BE(12)].some((each) => each === magic || each === btreeMagic);
}

/** The header blobs in page order. Throws Unreadable when there is no database; damaged entries become gaps. */
export function* readBerkeley(file: Buffer, gap: ReportGap): Generator<HeaderBlob> {
  const database = openBerkeley(file, gap);
  for (let number = 1; number < database.pageCount; number++) {
    const page = database.page(number);
    const type = page[25];
    if (type === undefined || !pageTypes.has(type)) gap(`page ${number} is of the unknown type ${type}`);
    if (type !== 2 && type !== 13) continue;
    if (database.u32(page, 8) !== number) gap(`page ${number} claims to be another one`);
    yield* readHashPage(database, page, number, gap);
  }
}

interface Database {
  readonly pageSize: number;
  readonly pageCount: number;
  /** 1 for each overflow page that has served a value. */
  readonly used: Uint8Array;
  page(number: number): Buffer;
  u16(bytes: Buffer, offset: number): number;
  u32(bytes: Buffer, offset: number): number;
}

function openBerkeley(file: Buffer, gap: ReportGap): Database {
  if (file.length < 512 || !isBerkeley(file)) throw new Unreadable('not a Berkeley DB file');
  const little = file.readUInt32LE(12) === magic || file.readUInt32LE(12) === btreeMagic;
  const u16 = (bytes: Buffer, at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (bytes: Buffer, at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (u32(file, 12) !== magic) throw new Unreadable('a Berkeley DB btree; rpm keeps packages in a hash');
  const version = u32(file, 16);
  if (version < 8 || version > 10) throw new Unreadable(`unknown version ${version} of a Berkeley DB hash`);
  const pageSize = u32(file, 20);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw new Unreadable(`impossible page size ${pageSize}`);
  }
  if (file[24] !== 0) throw new Unreadable('the Berkeley DB file is encrypted');
  // Bit 1: a checksum in every page, which moves everything behind it.
  if ((file[26]! & 1) !== 0) throw new Unreadable('Berkeley DB with page checksums is not supported');
  const stated = u32(file, 32) + 1;
  const pageCount = Math.floor(file.length / pageSize);
  if (stated > pageCount) gap(`the file is cut short: ${pageCount} of ${stated} pages`);
  const page = (number: number) => file.subarray(number * pageSize, (number + 1) * pageSize);
  return { pageSize, pageCount, used: new Uint8Array(pageCount), page, u16, u32 };
}

function* readHashPage(database: Database, page: Buffer, number: number, gap: ReportGap): Generator<HeaderBlob> {
  const stated = database.u16(page, 20);
  const count = Math.min(stated, Math.floor((database.pageSize - pageHeaderSize) / 2));
  if (count < stated || count % 2 !== 0) gap(`page ${number} claims ${stated} entries`);
  let end = database.pageSize;
  for (let index = 0; index + 1 < count; index += 2) {
    const keyAt = database.u16(page, pageHeaderSize + 2 * index);
    const valueAt = database.u16(page, pageHeaderSize + 2 * index + 2);
    // Items must lie below one another, or a few bytes could stand for thousands of entries.
    if (keyAt >= end || valueAt >= keyAt || valueAt < pageHeaderSize + 2 * count) {
      gap(`page ${number} is damaged from entry ${index / 2 + 1} on`);
      return;
    }
    const key = page.subarray(keyAt, end);
    const value = page.subarray(valueAt, keyAt);
    end = valueAt;
    const where = describeKey(database, key);
    // Key 0 is a counter and no package.
    if (where === undefined) continue;
    try {
      yield { where, bytes: readValue(database, value) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(`${where} cannot be read: ${error.message}`);
    }
  }
}

function describeKey(database: Database, item: Buffer): string | undefined {
  if (item[0] !== 1 || item.length !== 5) return 'an entry with a strange key';
  const key = database.u32(item, 1);
  return key === 0 ? undefined : `package ${key}`;
}

function readValue(database: Database, item: Buffer): Buffer {
  if (item[0] === 1) return item.subarray(1);
  if (item[0] !== 3) throw new Unreadable(`it is of the unknown kind ${item[0]}`);
  if (item.length < 12) throw new Unreadable('it is cut short');
  return readChain(database, database.u32(item, 4), database.u32(item, 8));
}

/** The pages are gathered before anything is allocated for them: the size is a claim, the pages are not. */
function readChain(database: Database, first: number, size: number): Buffer {
  const chunks: Buffer[] = [];
  let missing = size;
  for (let number = first; missing > 0; ) {
    if (number < 1 || number >= database.pageCount) throw new Unreadable(`page ${number} does not exist`);
    if (database.used[number] !== 0) throw new Unreadable(`page ${number} is used twice`);
    database.used[number] = 1;
    const page = database.page(number);
    if (page[25] !== 7) throw new Unreadable(`page ${number} is no overflow page`);
    const length = database.u16(page, 22);
    if (length === 0 || length > missing || pageHeaderSize + length > page.length) {
      throw new Unreadable(`page ${number} is damaged`);
    }
    chunks.push(page.subarray(pageHeaderSize, pageHeaderSize + length));
    missing -= length;
    number = database.u32(page, 16);
  }
  return Buffer.concat(chunks, size);
}
