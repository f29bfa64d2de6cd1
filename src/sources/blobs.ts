/** Named blobs: the files of an OCI layout or of a docker archive, on disk or inside a tar file, packed or not. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import {
  type Limits,
  normalizePath,
  parentOf,
  sniffCompression,
  type TarContent,
  type TarEntry,
  TarReader,
} from '../archive/index.ts';
import { ZstdFrames } from '../archive/zstd-frames.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk, DiskFile } from '../io/index.ts';
import { Budget, checkRatio, overLimit } from './layer.ts';

export interface Blobs {
  /** Bytes, or undefined when there is no such blob. */
  size(name: string): Promise<number | undefined>;
  stream(name: string): AsyncIterable<Buffer>;
  /** The blobs directly inside a directory, unsorted; none where there is no such directory. */
  list(directory: string): Promise<readonly ListedBlob[]>;
  close(): Promise<void>;
}

export interface ListedBlob {
  /** Without its directory. */
  readonly name: string;
  readonly size: number;
}

/** The whole blob; refused when it is larger than `max`. */
export async function readBlob(blobs: Blobs, name: string, max: number): Promise<Buffer> {
  const size = await blobs.size(name);
  if (size === undefined) throw new OperationalError('not-found', `the image has no ${quoted(name)}`);
  if (size > max)
    throw new OperationalError('limit', `${quoted(name)} has ${size} bytes, more than the ${max} allowed`);
  const pieces: Buffer[] = [];
  for await (const piece of blobs.stream(name)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** `directory` holds the blobs as plain files; links are followed, since build systems link blobs into place. */
export function directoryBlobs(disk: Disk, directory: string): Blobs {
  const place = (name: string) => path.join(directory, name);
  return {
    size: async (name) => {
      const stat = await disk.stat(place(name));
      return stat?.kind === 'file' ? stat.size : undefined;
    },
    stream: async function* (name) {
      const file = await disk.open(place(name));
      try {
        yield* file.stream();
      } finally {
        await file.close();
      }
    },
    list: async (below) => {
      const there = await disk.stat(place(below));
      if (there?.kind !== 'directory') return [];
      const found: ListedBlob[] = [];
      for (const { name: bytes, stat } of disk.list(Buffer.from(place(below)))) {
        const name = bytes.toString();
        const target = stat.kind === 'symlink' ? await disk.stat(place(`${below}/${name}`)) : stat;
        if (target?.kind === 'file') found.push({ name, size: target.size });
      }
      return found;
    },
    close: async () => {},
  };
}

/** The members of a tar file, which is opened once and read at random, or inflated anew for each blob when it is packed. */
export async function archiveBlobs(disk: Disk, file: string, limits: Limits): Promise<Blobs> {
  const opened = await disk.open(file);
  try {
    const packed = sniffCompression(await opened.read(0, 512)) !== 'none';
    // One budget for all passes: an archive of many small blobs is inflated from its start for each of them.
    const budget = new Budget(limits);
    const kept = keepSmall();
    const members = packed ? await indexPacked(opened, budget, kept) : await indexPlain(opened, limits);
    const read = packed ? (start: number, end: number) => slice(unpack(opened, budget), start, end) : opened.stream;
    const content = (member: TarEntry) => kept.stream(member) ?? read(member.offset, member.offset + member.size);
    const find = async (name: string) => {
      const { member, names } = findMember(members.last, name);
      for (const each of names) await refuseTwins(members, each, content);
      return member;
    };
    return {
      size: async (name) => (await find(name))?.size,
      stream: async function* (name) {
        const member = await find(name);
        if (member === undefined) throw new OperationalError('not-found', `the archive has no ${quoted(name)}`);
        yield* content(member);
      },
      list: async (directory) => listMembers(members.last, directory),
      close: opened.close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** True when the bytes are the beginning of a tar file: a header with a right checksum. */
export function looksLikeTar(head: Buffer): boolean {
  if (head.length < 512) return false;
  let found = false;
  const handler = {
    entry: () => {
      found = true;
      return undefined;
    },
  };
  try {
    const reader = new TarReader(handler, { headerBytes: 1024 * 1024 });
    reader.push(head.subarray(0, 512));
    return found || reader.skippable > 0 || /[xgLK]/.test(String.fromCharCode(head[156]!));
  } catch {
    return false;
  }
}

interface Members {
  /** By name: of several the last, as unpacking leaves it. */
  readonly last: ReadonlyMap<string, TarEntry>;
  /** The others of that name that have not been compared yet. */
  readonly earlier: Map<string, TarEntry[]>;
}

/** Old docker archives store a repeated layer as a link to the first one. The names are those on the way. */
function findMember(
  members: Members['last'],
  name: string,
): { member: TarEntry | undefined; names: readonly string[] } {
  const names = [normalizePath(name)];
  for (let at = names[0]; at !== undefined && names.length <= maxHops; at = names.at(-1)) {
    const member = members.get(at);
    if (member?.type === 'hardlink') names.push(normalizePath(member.link));
    else if (member?.type === 'symlink') names.push(normalizePath(`${parentOf(at)}/${member.link}`));
    else return { member: member?.type === 'file' ? member : undefined, names };
  }
  return { member: undefined, names };
}

/** As many as Linux follows. */
const maxHops = 40;

/** Of two members of one name some tools read the first and some the last: they may not differ. Throws OperationalError. */
async function refuseTwins(
  { last, earlier }: Members,
  name: string,
  content: (member: TarEntry) => AsyncIterable<Buffer>,
): Promise<void> {
  const member = last.get(name);
  const others = earlier.get(name);
  if (member === undefined || others === undefined) return;
  const wanted = await describeMember(member, content);
  for (const each of others) {
    if (each.type === member.type && each.size === member.size && (await describeMember(each, content)) === wanted)
      continue;
    throw new OperationalError('malformed', `the archive has ${quoted(name)} twice, with different content`, {
      hints: ['tools would not agree on which one counts: make the archive anew, without appending to it'],
    });
  }
  earlier.delete(name);
}

async function describeMember(member: TarEntry, content: (member: TarEntry) => AsyncIterable<Buffer>): Promise<string> {
  if (member.type !== 'file') return `${member.type} ${member.link}`;
  const hash = createHash('sha256');
  for await (const piece of content(member)) hash.update(piece);
  return hash.digest('hex');
}

function listMembers(members: Members['last'], directory: string): readonly ListedBlob[] {
  const found: ListedBlob[] = [];
  const prefix = `${directory}/`;
  for (const path of members.keys()) {
    if (!path.startsWith(prefix) || path.includes('/', prefix.length)) continue;
    const { member } = findMember(members, path);
    if (member !== undefined) found.push({ name: path.slice(prefix.length), size: member.size });
  }
  return found;
}

interface Kept {
  take(member: TarEntry): TarContent | undefined;
  /** Undefined for a member that was not kept. */
  stream(member: TarEntry): AsyncIterable<Buffer> | undefined;
}

/** Small members of a packed archive, kept from the pass that indexes it: each later look would inflate it all again. */
function keepSmall(): Kept {
  const contents = new Map<number, Buffer[]>();
  let room = 32 * 1024 * 1024;
  return {
    take: (member) => {
      if (member.type !== 'file' || member.size > 16 * 1024 || member.size > room) return undefined;
      room -= member.size;
      const pieces: Buffer[] = [];
      contents.set(member.offset, pieces);
      return { chunk: (bytes) => pieces.push(Buffer.from(bytes)), end: () => {} };
    },
    stream: (member) => {
      const pieces = contents.get(member.offset);
      return pieces === undefined ? undefined : Readable.from(pieces);
    },
  };
}

function collectMembers(
  limits: Limits,
  take: (member: TarEntry) => TarContent | undefined,
): { members: Members; reader: TarReader } {
  const last = new Map<string, TarEntry>();
  const earlier = new Map<string, TarEntry[]>();
  let count = 0;
  const entry = (each: TarEntry) => {
    count += 1;
    if (count > limits.entries) throw overLimit('the archive has more than', 'entries', 'entries', limits);
    const name = normalizePath(each.name);
    const before = last.get(name);
    if (before !== undefined && !(before.type === 'directory' && each.type === 'directory')) {
      const others = earlier.get(name);
      if (others === undefined) earlier.set(name, [before]);
      else others.push(before);
    }
    last.set(name, each);
    return take(each);
  };
  return { members: { last, earlier }, reader: new TarReader({ entry }, limits) };
}

async function indexPlain(file: DiskFile, limits: Limits): Promise<Members> {
  const { members, reader } = collectMembers(limits, () => undefined);
  const step = 4096;
  for (let at = 0; at < file.size; ) {
    const bytes = await file.read(at, step);
    if (bytes.length === 0) break;
    reader.push(bytes);
    if (reader.ended) break;
    at += bytes.length + reader.skip();
    if (at > file.size) throw new OperationalError('malformed', 'the archive is cut short');
  }
  reader.end();
  return members;
}

async function indexPacked(file: DiskFile, budget: Budget, kept: Kept): Promise<Members> {
  const { members, reader } = collectMembers(budget.limits, (member) => kept.take(member));
  for await (const bytes of unpack(file, budget)) reader.push(bytes);
  reader.end();
  return members;
}

async function* unpack(file: DiskFile, budget: Budget): AsyncGenerator<Buffer> {
  const packing = sniffCompression(await file.read(0, 512));
  const source = packing === 'zstd' ? cutFrames(file.stream()) : file.stream();
  const decoder = packing === 'zstd' ? createZstdDecompress() : createGunzip({ chunkSize: 256 * 1024 });
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => decoder.destroy(error));
  let size = 0;
  try {
    for await (const bytes of input.pipe(decoder)) {
      size += bytes.length;
      checkRatio(size, file.size, budget.limits);
      budget.bytes(bytes.length);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationalError('malformed', `the ${packing} data of the archive is malformed: ${reason}`, {
      cause: error,
    });
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

async function* cutFrames(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames();
  for await (const bytes of input) {
    const pieces: Buffer[] = [];
    frames.push(bytes, (piece) => pieces.push(piece));
    yield* pieces;
  }
  frames.end();
}

async function* slice(input: AsyncIterable<Buffer>, start: number, end: number): AsyncGenerator<Buffer> {
  let at = 0;
  if (end <= start) return;
  for await (const bytes of input) {
    const piece = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += bytes.length;
    if (piece.length > 0) yield piece;
    if (at >= end) return;
  }
}
