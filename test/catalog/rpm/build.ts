import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Tag number to value: strings are strings, arrays of strings are arrays, numbers are int32, buffers are bytes. */
export type Tags = Readonly<Record<number, string | number | readonly string[] | readonly number[] | Buffer>>;

export const tag = {
  sigmd5: 261,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  arch: 1022,
  modes: 1030,
  flags: 1037,
  sourceRpm: 1044,
  states: 1029,
  provideName: 1047,
  requireFlags: 1048,
  requireName: 1049,
  requireVersion: 1050,
  provideVersion: 1113,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
} as const;

const int32 = 4;
const string = 6;
const bytes = 7;
const stringArray = 8;

/** An rpm header with these tags, all of them outside of a region unless given as `region`. */
export function buildHeader(tags: Tags, added: Tags = {}): Buffer {
  const index: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const [number, value] of [...Object.entries(tags), ...Object.entries(added)]) {
    const { type, count, content } = encode(value);
    const padding = type === int32 ? (4 - (offset % 4)) % 4 : 0;
    data.push(Buffer.alloc(padding), content);
    index.push(u32be(Number(number), type, offset + padding, count));
    offset += padding + content.length;
  }
  return Buffer.concat([u32be(index.length, offset), ...index, ...data]);
}

/** A package with a name, and whatever else is given. */
export function buildPackage(name: string, more: Tags = {}): Buffer {
  const basics = { [tag.name]: name, [tag.version]: '1.0', [tag.release]: '1.el9', [tag.arch]: 'x86_64' };
  return buildHeader({ ...basics, [tag.provideName]: [name], [tag.provideVersion]: ['1.0-1.el9'], ...more });
}

export function u32be(...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) buffer.writeUInt32BE(number, 4 * index);
  return buffer;
}

export function u32le(...numbers: number[]): Buffer {
  return u32be(...numbers).swap32();
}

function encode(value: Tags[number]): { type: number; count: number; content: Buffer } {
  if (Buffer.isBuffer(value)) return { type: bytes, count: value.length, content: value };
  if (typeof value === 'string') return { type: string, count: 1, content: Buffer.from(`${value}\0`) };
  if (typeof value === 'number') return { type: int32, count: 1, content: u32be(value) };
  if (value.every((each) => typeof each === 'number')) {
    return { type: int32, count: value.length, content: u32be(...value) };
  }
  return { type: stringArray, count: value.length, content: Buffer.from(value.map((each) => `${each}\0`).join('')) };
}

export function buildNdb(headers: readonly Buffer[]): Buffer {
  const slots = Buffer.alloc(4096);
  slots.write('RpmP');
  slots.writeUInt32LE(1, 12);
  for (let at = 32; at < slots.length; at += 16) slots.write('Slot', at);
  const blobs = headers.map((header, index) => buildNdbBlob(header, index + 1));
  let block = slots.length / 16;
  for (const [index, blob] of blobs.entries()) {
    u32le(index + 1, block, blob.length / 16).copy(slots, 32 + 16 * index + 4);
    block += blob.length / 16;
  }
  return Buffer.concat([slots, ...blobs]);
}

function buildNdbBlob(header: Buffer, index: number): Buffer {
  const padding = Buffer.alloc((16 - ((28 + header.length) % 16)) % 16);
  const body = Buffer.concat([Buffer.from('BlbS'), u32le(index, 0, header.length), header, padding]);
  return Buffer.concat([body, u32le(adler32(body), header.length), Buffer.from('BlbE')]);
}

function adler32(content: Buffer): number {
  let [low, high] = [1, 0];
  for (const byte of content) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/** Little-endian, 4096-byte pages; each header on one hash page of its own, small ones on the page itself. */
export function buildBerkeley(headers: readonly Buffer[]): Buffer {
  const pageSize = 4096;
  const pages = [Buffer.alloc(pageSize)];
  const counter = { key: u32le(0), value: Buffer.concat([Buffer.of(1), u32le(headers.length)]) };
  const chains: Buffer[][] = [];
  const entries = headers.map((header, index) => {
    const key = u32le(index + 1);
    if (header.length < 1000) return { key, value: Buffer.concat([Buffer.of(1), header]) };
    const room = pageSize - 26;
    const chunks = Array.from({ length: Math.ceil(header.length / room) }, (_, at) =>
      header.subarray(at * room, (at + 1) * room),
    );
    const first = 2 + headers.length + chains.flat().length;
    chains.push(chunks);
    return { key, value: Buffer.concat([Buffer.of(3, 0, 0, 0), u32le(first, header.length)]) };
  });
  for (const { key, value } of [counter, ...entries]) {
    const page = Buffer.alloc(pageSize);
    page.writeUInt32LE(pages.length, 8);
    page.writeUInt16LE(2, 20);
    page[25] = 13;
    const keyAt = pageSize - 5;
    page[keyAt] = 1;
    key.copy(page, keyAt + 1);
    value.copy(page, keyAt - value.length);
    page.writeUInt16LE(keyAt, 26);
    page.writeUInt16LE(keyAt - value.length, 28);
    pages.push(page);
  }
  for (const chunks of chains) {
    for (const [index, chunk] of chunks.entries()) {
      const page = Buffer.alloc(pageSize);
      page.writeUInt32LE(pages.length, 8);
      page.writeUInt32LE(index + 1 < chunks.length ? pages.length + 1 : 0, 16);
      page.writeUInt16LE(chunk.length, 22);
      page[25] = 7;
      chunk.copy(page, 26);
      pages.push(page);
    }
  }
  const meta = pages[0]!;
  for (const [at, value] of [
    [12, 0x00061561],
    [16, 9],
    [20, pageSize],
    [32, pages.length - 1],
  ] as const) {
    meta.writeUInt32LE(value, at);
  }
  meta[25] = 8;
  return Buffer.concat(pages);
}

/** The same Berkeley DB file as a machine of the other byte order would have written it. */
export function swapBerkeley(file: Buffer): Buffer {
  const swapped = Buffer.from(file);
  const pageSize = file.readUInt32LE(20);
  const swap16 = (at: number) => void swapped.subarray(at, at + 2).swap16();
  const swap32 = (at: number) => void swapped.subarray(at, at + 4).swap32();
  for (let at = 0; at < 24; at += 4) swap32(at);
  for (let at = 28; at < 224; at += 4) swap32(at);
  for (let start = pageSize; start + pageSize <= file.length; start += pageSize) {
    for (const field of [0, 4, 8, 12, 16]) swap32(start + field);
    swap16(start + 20);
    swap16(start + 22);
    const type = file[start + 25];
    if (type !== 2 && type !== 13) continue;
    const count = file.readUInt16LE(start + 20);
    for (let index = 0; index < count; index++) {
      const item = start + file.readUInt16LE(start + 26 + 2 * index);
      swap16(start + 26 + 2 * index);
      const isKey = index % 2 === 0;
      if (file[item] === 3) {
        swap32(item + 4);
        swap32(item + 8);
      } else if (isKey) swap32(item + 1);
    }
  }
  return swapped;
}

export interface SqliteFiles {
  readonly database: Buffer;
  readonly log: Buffer;
}

/** What lies on disk while `body` has the database open; the log is empty unless the body uses it. */
export function buildSqlite(body: (database: DatabaseSync) => void): SqliteFiles {
  const directory = mkdtempSync(path.join(tmpdir(), 'tidewaiter-'));
  try {
    const file = path.join(directory, 'rpmdb.sqlite');
    const database = new DatabaseSync(file);
    try {
      body(database);
      const journalMode = database.prepare('PRAGMA journal_mode').get() as { journal_mode: string };
      const log = journalMode.journal_mode === 'wal' ? readFileSync(`${file}-wal`) : Buffer.alloc(0);
      return { database: readFileSync(file), log };
    } finally {
      database.close();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function buildRpmSqlite(headers: readonly Buffer[]): Buffer {
  return buildSqlite((database) => fillPackages(database, headers)).database;
}

export function fillPackages(database: DatabaseSync, headers: readonly Buffer[]): void {
  database.exec('CREATE TABLE IF NOT EXISTS Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)');
  const insert = database.prepare('INSERT INTO Packages (blob) VALUES (?)');
  for (const header of headers) insert.run(header);
}
