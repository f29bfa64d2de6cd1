/**
 * The write-ahead log beside a SQLite database: pages that were written, but not yet copied into the database.
 *
 *   header = magic 377f0682 or 377f0683, version, page size, sequence, salt 1, salt 2, checksum 1, checksum 2
 *   frame  = page number, pages in the database if this frame commits (else 0), salts, checksums, the page
 *
 * All numbers are u32, big-endian. The last bit of the magic says in which byte order the checksums add up. They run
 * on from the header through all frames, so the first frame whose salts or checksums differ ends the log: behind it lie
 * leftovers of an earlier log or a torn write, and SQLite ignores them too. Only frames up to the last commit count,
 * and of several frames for one page the last.
 *
 * Format: https://www.sqlite.org/fileformat2.html, section 4.
 */
import { Unreadable } from '../types.ts';

export interface Wal {
  readonly pageSize: number;
  /** Pages in the database after the last commit; 0 when nothing was committed. */
  readonly pageCount: number;
  /** The newest committed content by page number; slices of the log. */
  readonly pages: ReadonlyMap<number, Buffer>;
}

const headerSize = 32;
const frameHeaderSize = 24;

/** Undefined for a log that holds nothing: no bytes, or a header of zeros. Throws Unreadable. */
export function parseWal(bytes: Buffer): Wal | undefined {
  if (bytes.length < headerSize) {
    if (bytes.every((byte) => byte === 0)) return undefined;
    throw new Unreadable('the write-ahead log is cut short');
  }
  if (bytes.subarray(0, headerSize).every((byte) => byte === 0)) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) throw new Unreadable('not a write-ahead log');
  if (bytes.readUInt32BE(4) !== 3_007_000) throw new Unreadable('unknown version of the write-ahead log');
  const pageSize = bytes.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw new Unreadable(`impossible page size ${pageSize} in the write-ahead log`);
  }
  const bigEndian = magic === 0x377f0683;
  const sum = addChecksum({ first: 0, second: 0 }, bytes.subarray(0, 24), bigEndian);
  if (!matches(sum, bytes, 24)) throw new Unreadable('the header of the write-ahead log fails its checksum');
  return readFrames(bytes, pageSize, sum, bigEndian);
}

interface Checksum {
  readonly first: number;
  readonly second: number;
}

function readFrames(bytes: Buffer, pageSize: number, seed: Checksum, bigEndian: boolean): Wal {
  const pages = new Map<number, Buffer>();
  let uncommitted: [number, Buffer][] = [];
  let pageCount = 0;
  let sum = seed;
  const frameSize = frameHeaderSize + pageSize;
  for (let at = headerSize; at + frameSize <= bytes.length; at += frameSize) {
    const page = bytes.subarray(at + frameHeaderSize, at + frameSize);
    if (bytes.compare(bytes, 16, 24, at + 8, at + 16) !== 0) break;
    sum = addChecksum(addChecksum(sum, bytes.subarray(at, at + 8), bigEndian), page, bigEndian);
    if (!matches(sum, bytes, at + 16)) break;
    const number = bytes.readUInt32BE(at);
    if (number === 0) break;
    uncommitted.push([number, page]);
    const committed = bytes.readUInt32BE(at + 4);
    if (committed === 0) continue;
    pageCount = committed;
    for (const [each, content] of uncommitted) pages.set(each, content);
    uncommitted = [];
  }
  return { pageSize, pageCount, pages };
}

function matches(sum: Checksum, bytes: Buffer, at: number): boolean {
  return sum.first === bytes.readUInt32BE(at) && sum.second === bytes.readUInt32BE(at + 4);
}

/** Two running sums over pairs of u32; the length is a multiple of eight. */
function addChecksum(seed: Checksum, bytes: Buffer, bigEndian: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let { first, second } = seed;
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + view.getUint32(at, !bigEndian) + second) >>> 0;
    second = (second + view.getUint32(at + 4, !bigEndian) + first) >>> 0;
  }
  return { first, second };
}
