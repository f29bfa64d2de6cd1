/**
 * ndb, the package database of SUSE: `Packages.db`. All numbers are u32, little-endian.
 *
 *   file = header (32 bytes), slots up to the end of the last slot page, blobs
 *   header = "RpmP", version 0, generation, count of 4096-byte slot pages, next package index, padding
 *   slot   = "Slot", package index, first block, count of blocks; a block is 16 bytes, first block 0 = free slot
 *   blob   = "BlbS", package index, time, length, the rpm header, padding, Adler-32, length, "BlbE"
 *
 * Refused: another version, blobs that overlap (each byte is read once, so the work is linear in the size). A blob that
 * only fails its checksum is given all the same and named: rpm reads it without looking at the checksum.
 *
 * There is no specification beside the code of rpm, lib/backend/ndb/rpmpkg.c.
 */
import { type ReportGap, Unreadable } from '../types.ts';
import { type HeaderBlob, maxBlobs } from './header.ts';

const pageSize = 4096;
const blockSize = 16;
const headSize = 16;
const tailSize = 12;

export function isNdb(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'RpmP';
}

/** The header blobs in file order. Throws Unreadable when there is no database; damaged blobs become gaps. */
export function* readNdb(file: Buffer, gap: ReportGap): Generator<HeaderBlob> {
  if (file.length < 32 || !isNdb(file)) throw new Unreadable('not an ndb database');
  if (file.readUInt32LE(4) !== 0) throw new Unreadable(`unknown ndb version ${file.readUInt32LE(4)}`);
  const slotsEnd = file.readUInt32LE(12) * pageSize;
  if (slotsEnd === 0) throw new Unreadable('the ndb database has no slots');
  if (slotsEnd > file.length) gap('the file is cut short within its slots');
  let taken = slotsEnd;
  for (const slot of readSlots(file, slotsEnd, gap)) {
    const where = `package ${slot.index}`;
    try {
      if (slot.offset < taken) throw new Unreadable('it overlaps another entry');
      const blob = readBlob(file, slot, where, gap);
      taken = slot.offset + slot.size;
      yield { where, bytes: blob };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gap(`${where} cannot be read: ${error.message}`);
    }
  }
}

interface Slot {
  readonly index: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

function readSlots(file: Buffer, end: number, gap: ReportGap): Slot[] {
  const slots: Slot[] = [];
  for (let at = 32; at + 16 <= Math.min(end, file.length); at += 16) {
    if (file.toString('latin1', at, at + 4) !== 'Slot') {
      gap(`the slot at byte ${at} is damaged`);
      continue;
    }
    const block = file.readUInt32LE(at + 8);
    if (block === 0) continue;
    // Slots are cheap to claim: sixteen bytes each, and the same blob for all of them.
    if (slots.length > maxBlobs) {
      gap(`it has more than ${maxBlobs} slots in use; the others are not read`);
      break;
    }
    const size = file.readUInt32LE(at + 12) * blockSize;
    slots.push({ index: file.readUInt32LE(at + 4), offset: block * blockSize, size });
  }
  return slots.sort((a, b) => a.offset - b.offset);
}

function readBlob(file: Buffer, { index, offset, size }: Slot, where: string, gap: ReportGap): Buffer {
  const end = offset + size;
  if (size < headSize + tailSize || end > file.length) throw new Unreadable('it lies outside of the file');
  if (file.toString('latin1', offset, offset + 4) !== 'BlbS') throw new Unreadable('its start is damaged');
  if (file.toString('latin1', end - 4, end) !== 'BlbE') throw new Unreadable('its end is damaged');
  if (file.readUInt32LE(offset + 4) !== index) throw new Unreadable('it belongs to another package');
  const length = file.readUInt32LE(offset + 12);
  const blocks = Math.ceil((headSize + length + tailSize) / blockSize);
  if (blocks * blockSize !== size || file.readUInt32LE(end - 8) !== length) {
    throw new Unreadable('its length is stated in two ways');
  }
  if (adler32(file.subarray(offset, end - tailSize)) !== file.readUInt32LE(end - tailSize)) {
    gap(`${where} fails its checksum`);
  }
  return file.subarray(offset + headSize, offset + headSize + length);
}

/** RFC 1950, section 8.2. */
function adler32(bytes: Buffer): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += 5552) {
    // 5552 is the longest run that cannot overflow 32 bits, so that the remainder is needed only here.
    const end = Math.min(start + 5552, bytes.length);
    for (let at = start; at < end; at++) {
      low += bytes[at]!;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return high * 65_536 + low;
}
