/** The disk, as much of it as we need. Reading never follows a link that `noFollow` forbids and never waits on a pipe. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  // Not node:fs/promises: that loads more than a command may need, before it is used.
  promises,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  readonly mode: number;
}

export interface DiskFile {
  readonly path: string;
  readonly size: number;
  /** At most `length` bytes from `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  /** The bytes from `start` up to `end` (exclusive), in large pieces. */
  stream(start?: number, end?: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export interface DirectoryEntry {
  /** Raw bytes. */
  readonly name: Buffer;
  readonly stat: FileStat;
}

export interface Disk {
  /** Links followed; undefined when there is nothing. */
  stat(path: string): Promise<FileStat | undefined>;
  realPath(path: string): Promise<string>;
  /** Equal for two paths of one regular file, links followed, whatever their spelling; undefined for anything else. */
  identityOf(path: string | Buffer): string | undefined;
  /** What stands at exactly this path, its last link not followed. */
  kindOf(path: Buffer): FileKind | undefined;
  /** What a directory holds, links not followed, unsorted. Synchronous: a walk does nothing else meanwhile. */
  list(path: Buffer): readonly DirectoryEntry[];
  readLink(path: Buffer): Buffer;
  /** The first bytes of a regular file that is not a link; undefined when it is something else by now. */
  readStart(path: Buffer, max: number): Buffer | undefined;
  /** A regular file; anything else is refused. */
  open(path: string | Buffer, options?: { noFollow?: boolean }): Promise<DiskFile>;
  /** All or nothing for regular files; devices and pipes are written through. */
  write(path: string, text: string): Promise<void>;
}

const pieceBytes = 512 * 1024;

export const realDisk: Disk = {
  stat: async (file) => describe(file),
  realPath: async (file) => {
    try {
      return await promises.realpath(file);
    } catch (error) {
      throw ioError(`cannot resolve ${quoted(file)}`, error);
    }
  },
  identityOf: (file) => {
    try {
      const stats = statSync(file, { bigint: true });
      return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
    } catch {
      return undefined;
    }
  },
  kindOf: (file) => {
    try {
      return kindOf(lstatSync(file));
    } catch (error) {
      if (nothingThere.includes(codeOf(error))) return undefined;
      throw ioError(`cannot look at ${quoted(file.toString())}`, error);
    }
  },
  list: (directory) => {
    try {
      return readdirSync(directory, { encoding: 'buffer' }).flatMap((name) => {
        const stats = lstatSync(Buffer.concat([directory, slash, name]), { throwIfNoEntry: false });
        return stats === undefined ? [] : [{ name, stat: statOf(stats) }];
      });
    } catch (error) {
      throw ioError(`cannot list the directory ${quoted(directory.toString())}`, error);
    }
  },
  readLink: (file) => {
    try {
      return readlinkSync(file, { encoding: 'buffer' });
    } catch (error) {
      throw ioError(`cannot read the link ${quoted(file.toString())}`, error);
    }
  },
  readStart,
  open: openFile,
  write: writeWhole,
};

const slash = Buffer.from('/');
const nothingThere = ['ENOENT', 'ENOTDIR', 'ELOOP'];

function describe(file: string): FileStat | undefined {
  try {
    return statOf(statSync(file));
  } catch (error) {
    if (nothingThere.includes(codeOf(error))) return undefined;
    throw ioError(`cannot look at ${quoted(file)}`, error);
  }
}

function statOf(stats: Stats): FileStat {
  return { kind: kindOf(stats), size: stats.size, mode: stats.mode & 0o7777 };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

// Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK;

function readStart(file: Buffer, max: number): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, readFlags | constants.O_NOFOLLOW);
    if (!fstatSync(descriptor).isFile()) return undefined;
    const buffer = Buffer.allocUnsafe(max);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, max, 0));
  } catch (error) {
    throw ioError(`cannot read ${quoted(file.toString())}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

async function openFile(file: string | Buffer, options: { noFollow?: boolean } = {}): Promise<DiskFile> {
  const name = file.toString();
  const flags = readFlags | (options.noFollow === true ? constants.O_NOFOLLOW : 0);
  let handle: FileHandle;
  try {
    handle = await promises.open(file, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new OperationalError('not-found', `there is no file ${quoted(name)}`, {
        hints: ['check the path: relative ones start at the current directory'],
      });
    throw ioError(`cannot open ${quoted(name)}`, error);
  }
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw new OperationalError('unsupported', `${quoted(name)} is not a regular file`, {
      hints: ['give a plain file: a directory, pipe or device cannot be read as one'],
    });
  }
  return openedFile(name, handle, stats.size);
}

function openedFile(name: string, handle: FileHandle, size: number): DiskFile {
  const read = async (position: number, length: number) => {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - position)));
    let have = 0;
    try {
      while (have < buffer.length) {
        const { bytesRead } = await handle.read(buffer, have, buffer.length - have, position + have);
        if (bytesRead === 0) break;
        have += bytesRead;
      }
    } catch (error) {
      throw ioError(`cannot read ${quoted(name)}`, error);
    }
    return buffer.subarray(0, have);
  };
  return {
    path: name,
    size,
    read,
    stream: async function* (start = 0, end = size) {
      // One piece is read ahead while the one before is worked on.
      let next = read(start, Math.min(pieceBytes, end - start));
      for (let at = start; at < end; ) {
        const bytes = await next;
        if (bytes.length === 0) return;
        at += bytes.length;
        next = read(at, Math.min(pieceBytes, end - at));
        next.catch(() => {});
        yield bytes;
      }
    },
    close: () => handle.close(),
  };
}

async function writeWhole(file: string, text: string): Promise<void> {
  const target = await promises.realpath(file).catch(() => file);
  const there = await realDisk.stat(target);
  try {
    // Replacing a device such as /dev/null by a file would be a disaster; a pipe has its reader already.
    if (there !== undefined && there.kind !== 'file') {
      await promises.writeFile(target, text);
      return;
    }
    // Only different from others' names: one that exists already is never written through (`wx`).
    const unlike = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${unlike}.tmp`);
    try {
      await promises.writeFile(temporary, text, { flag: 'wx', flush: true, mode: there?.mode ?? 0o666 });
      await promises.rename(temporary, target);
    } catch (error) {
      await promises.rm(temporary, { force: true });
      throw error;
    }
  } catch (error) {
    throw ioError(`cannot write ${quoted(file)}`, error, writeHints);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a symbolic link',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EEXIST: 'a temporary file is in the way',
  EMFILE: 'too many open files',
  EIO: 'the device reports an error',
};

const permission = 'give this user the permission, or run as a user who has it';

const hints: Readonly<Record<string, string>> = {
  EACCES: permission,
  EPERM: permission,
  ELOOP: 'give the path of the file itself',
  EMFILE: 'raise the limit of open files: ulimit -n 4096',
};

const writeHints: Readonly<Record<string, string>> = {
  ...hints,
  EACCES: 'name a file in a directory that this user may write to',
  EPERM: 'name a file in a directory that this user may write to',
  ENOENT: 'make the directory first: only the file in it is written',
  ENOTDIR: 'check the path: only its last part is made',
  EISDIR: 'name a file in it',
  ENOSPC: 'make room, or name a file on another disk',
  EDQUOT: 'make room, or name a file on another disk',
  EROFS: 'name a file on another disk',
};

function ioError(what: string, error: unknown, hintFor = hints): OperationalError {
  if (error instanceof OperationalError) return error;
  const code = codeOf(error);
  const hint = hintFor[code];
  return new OperationalError('io', `${what}: ${reasons[code] ?? (code || 'unknown error')}`, {
    cause: error,
    ...(hint === undefined ? {} : { hints: [hint] }),
  });
}
