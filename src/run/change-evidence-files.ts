/**
 * Files that the user names as evidence, and those in folders: read one at a time, in the order of their names, none larger
 * than it may be. What is named has to be there; a folder may hold other things as well.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { readWhole } from './read-whole.ts';

export interface EvidenceFile {
  readonly file: string;
  readonly bytes: Buffer;
  /** The user named it, and not a folder that it lies in. */
  readonly named: boolean;
}

/** Something in a folder that was not read, and why. */
export interface SkippedFile {
  readonly file: string;
  readonly skipped: string;
}

/** Throws OperationalError: not-found, io, limit, unsupported. */
export async function* evidenceFiles(paths: readonly string[], disk: Disk): AsyncGenerator<EvidenceFile | SkippedFile> {
  const budget = { files: maxFiles };
  for (const each of paths) {
    const there = await disk.stat(each);
    if (there === undefined) {
      throw new OperationalError('not-found', `there is no file or folder ${quoted(each)}`, {
        hints: ['check the path given with --evidence: relative ones start at the current directory'],
      });
    }
    if (there.kind === 'directory') yield* filesInFolder(each, disk, budget);
    else yield { file: each, bytes: await readWhole(disk, each, maxFileBytes), named: true };
  }
}

const maxFiles = 10_000;
const maxDepth = 32;
const maxFileBytes = 32 * 1024 * 1024;

/** Links in a folder are not followed: they lead to wherever its maker likes. */
async function* filesInFolder(
  folder: string,
  disk: Disk,
  budget: { files: number },
): AsyncGenerator<EvidenceFile | SkippedFile> {
  const waiting = [{ name: folder, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { name, depth } = next;
    const entries = [...disk.list(Buffer.from(name))].sort((one, other) => one.name.compare(other.name));
    const inner: { readonly name: string; readonly depth: number }[] = [];
    for (const entry of entries) {
      const text = entry.name.toString('utf8');
      const file = path.join(name, text);
      if (--budget.files < 0) throw tooMany(folder);
      if (!Buffer.from(text).equals(entry.name)) yield { file, skipped: 'its name is not UTF-8' };
      else if (entry.stat.kind === 'directory') {
        if (depth === maxDepth) yield { file, skipped: `it lies more than ${maxDepth} folders deep` };
        else inner.push({ name: file, depth: depth + 1 });
      } else if (entry.stat.kind !== 'file') yield { file, skipped: `it is no regular file (${entry.stat.kind})` };
      else yield await readEntry(file, entry.stat.size, disk);
    }
    waiting.push(...inner.reverse());
  }
}

async function readEntry(file: string, size: number, disk: Disk): Promise<EvidenceFile | SkippedFile> {
  if (size > maxFileBytes) return { file, skipped: `it has ${size} bytes, more than the ${maxFileBytes} allowed` };
  try {
    const opened = await disk.open(file, { noFollow: true });
    try {
      return { file, bytes: await opened.read(0, Math.min(opened.size, maxFileBytes)), named: false };
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof OperationalError) return { file, skipped: error.message };
    throw error;
  }
}

function tooMany(folder: string): OperationalError {
  return new OperationalError('limit', `${quoted(folder)} holds more than ${maxFiles} files and folders`, {
    hints: ['give a folder that holds the evidence for this change and nothing else'],
  });
}
