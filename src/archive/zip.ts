/**
 * A zip reader over bytes in memory: nothing is unpacked to disk, an entry is inflated only when asked for.
 *
 *   local header "PK\3\4" name extra | data | … | central directory: "PK\1\2" … name … | end record "PK\5\6"
 *
 * PKWARE APPNOTE.TXT 6.3.10. The central directory (zip-directory.ts) decides what the archive holds, as it does for
 * the Java runtime, so sizes that follow the data (data descriptors) need no care. Read: stored and deflated entries,
 * zip64, a prefix such as a launch script, a comment, trailing bytes.
 *
 * Refused, entry by entry: encryption, other methods, a local header of another name (readers that go by local headers
 * would see another file), data that overlaps another entry (the densest zip bombs), sizes or checksums that are not as
 * stated, more than the caps allow. Names are only names here: what `..`, a leading slash or the same name twice means
 * is for the caller to say. Two entries of one name: the Java runtime takes the last.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { quoted } from '../diag/index.ts';
import { readZipDirectory, type ZipDirectory, type ZipEntry, ZipError } from './zip-directory.ts';

export { type ZipEntry, ZipError };

export interface ZipLimits {
  /** Entries of one archive. */
  readonly entries: number;
  /** Uncompressed bytes of one entry. */
  readonly entryBytes: number;
  /** Uncompressed bytes for each stored byte, for entries beyond 1 MiB. */
  readonly ratio: number;
  /** Bytes that may still be read. Archives inside archives share one budget by sharing this object. */
  readonly budget: { left: number };
}

export interface ZipArchive {
  /** In the order of the central directory. */
  readonly entries: readonly ZipEntry[];
  /** What is wrong with the archive as a whole without making it unreadable. */
  readonly problems: readonly string[];
  /** The checked content of an entry of this archive; may be a view of the archive's bytes. Throws ZipError. */
  read(entry: ZipEntry, maxBytes: number): Buffer;
}

/** Limits with a budget of their own. */
export function zipLimits(given: Partial<Omit<ZipLimits, 'budget'>> & { readonly bytes?: number } = {}): ZipLimits {
  return {
    entries: given.entries ?? 200_000,
    entryBytes: given.entryBytes ?? 1024 ** 3,
    ratio: given.ratio ?? 200,
    budget: { left: given.bytes ?? 4 * 1024 ** 3 },
  };
}

/** True when the first bytes are those of a zip archive that has nothing in front of it. */
export function startsZip(head: Buffer): boolean {
  if (head.length < 4 || head[0] !== 0x50 || head[1] !== 0x4b) return false;
  const kind = head.readUInt16BE(2);
  return kind === 0x0304 || kind === 0x0506 || kind === 0x0708;
}

/** Throws ZipError when the bytes hold no central directory, or one beyond the limits. */
export function openZip(bytes: Buffer, limits: ZipLimits): ZipArchive {
  const directory = readZipDirectory(bytes, limits.entries);
  const { ends, overlapping } = layOut(directory);
  const problems = [...directory.problems];
  if (overlapping.size > 0) problems.push(`${overlapping.size} entries overlap others`);
  return {
    entries: directory.entries,
    problems,
    read(entry, maxBytes) {
      const end = ends.get(entry);
      if (end === undefined) throw new Error('an entry of another archive');
      if (overlapping.has(entry)) throw new ZipError('its data overlaps another entry');
      refuseEntry(entry, Math.min(maxBytes, limits.entryBytes), limits);
      const data = entryData(bytes, entry, end);
      limits.budget.left -= entry.size;
      return unpack(data, entry);
    },
  };
}

const localSignature = 0x04034b50;
const localBytes = 30;
const encrypted = 1;
const ratioFloor = 1024 * 1024;
const methodNames: Readonly<Record<number, string>> = {
  6: 'imploded',
  9: 'deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'zstd',
  95: 'xz',
};

/**
 * Where the data of each entry has to end: at the next local header, or at the central directory. A small archive can
 * state terabytes only by letting entries share data, and no honest writer does that.
 */
function layOut(directory: ZipDirectory): { ends: Map<ZipEntry, number>; overlapping: Set<ZipEntry> } {
  const ends = new Map<ZipEntry, number>();
  const overlapping = new Set<ZipEntry>();
  const ordered = [...directory.entries];
  if (!isOrdered(ordered)) ordered.sort((a, b) => a.offset - b.offset);
  let end = directory.start;
  let next: ZipEntry | undefined;
  for (let index = ordered.length - 1; index >= 0; index--) {
    const entry = ordered[index]!;
    ends.set(entry, end);
    // The least that it takes; extra fields of the local header are counted when it is read.
    if (entry.offset + localBytes + entry.raw.length + entry.compressedSize > end) {
      overlapping.add(entry);
      if (next !== undefined) overlapping.add(next);
    }
    end = Math.min(end, entry.offset);
    next = entry;
  }
  return { ends, overlapping };
}

function isOrdered(entries: readonly ZipEntry[]): boolean {
  for (let index = 1; index < entries.length; index++) {
    if (entries[index - 1]!.offset > entries[index]!.offset) return false;
  }
  return true;
}

function refuseEntry(entry: ZipEntry, maxBytes: number, limits: ZipLimits): void {
  const { method, size, compressedSize } = entry;
  if ((entry.flags & encrypted) !== 0) throw new ZipError('it is encrypted');
  if (method !== 0 && method !== 8) {
    throw new ZipError(`compressed by a method that is not read (${methodNames[method] ?? method})`);
  }
  if (size > maxBytes) throw new ZipError(`larger than ${maxBytes} bytes`);
  if (size > ratioFloor && size > compressedSize * limits.ratio) {
    throw new ZipError(`more than ${limits.ratio} times larger than its compressed form`);
  }
  if (size > limits.budget.left) throw new ZipError('more content than the limit for one file');
}

/** The stored bytes of an entry, after a look at its local header. */
function entryData(bytes: Buffer, entry: ZipEntry, end: number): Buffer {
  const { offset, raw } = entry;
  if (offset + localBytes > end || bytes.readUInt32LE(offset) !== localSignature) {
    throw new ZipError('its local header is missing');
  }
  const nameEnd = offset + localBytes + bytes.readUInt16LE(offset + 26);
  const name = bytes.subarray(offset + localBytes, Math.min(nameEnd, end));
  if (!name.equals(raw)) throw new ZipError(`its local header has another name, ${quoted(name.toString('utf8'))}`);
  const start = nameEnd + bytes.readUInt16LE(offset + 28);
  if (start + entry.compressedSize > end) throw new ZipError('its data overlaps another entry');
  return bytes.subarray(start, start + entry.compressedSize);
}

function unpack(data: Buffer, entry: ZipEntry): Buffer {
  const content = entry.method === 0 ? data : inflate(data, entry.size);
  if (content.length !== entry.size) throw new ZipError('its size is not as stated');
  if (crc32(content) !== entry.crc) throw new ZipError('its checksum does not match');
  return content;
}

function inflate(data: Buffer, size: number): Buffer {
  try {
    // One output chunk for most entries: zlib hands out content in chunks, and joining them copies.
    const chunkSize = Math.min(Math.max(size, 64), 1024 * 1024);
    return inflateRawSync(data, { maxOutputLength: Math.max(size, 1), chunkSize });
  } catch (error) {
    // The stated size is the cap: data that inflates to more says so here, before it fills memory.
    const larger = error instanceof RangeError;
    throw new ZipError(larger ? 'its size is not as stated' : 'its compressed data is damaged');
  }
}
