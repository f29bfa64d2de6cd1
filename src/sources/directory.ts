/** A directory as a source (an unpacked root file system or a source tree), or one file. Links are never followed. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { decodePath, encodePath, type Limits } from '../archive/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk, DiskFile } from '../io/index.ts';
import { finish } from './digest.ts';
import { Budget, overLimit } from './layer.ts';
import { Tree } from './tree.ts';
import type { FileContent, LayerEntry, Scanned, Source, SourceGap, SubjectInfo, Visitor, Wanted } from './types.ts';

export interface DirectoryOptions {
  readonly requested: string;
  readonly limits: Limits;
  readonly disk: Disk;
  /** In a source tree, what package managers put there is not looked into unless asked for. */
  readonly everything: boolean;
}

export async function directorySource(directory: string, options: DirectoryOptions): Promise<Source> {
  const { disk, requested } = options;
  const root = await disk.realPath(directory);
  const kind = isRootFileSystem(disk, root) ? 'rootfs' : 'source';
  const skip = new Set(kind === 'source' ? ['.git', ...(options.everything ? [] : ['node_modules'])] : []);
  const subject: SubjectInfo = { requested, kind, name: path.basename(root) || '/', layers: [] };
  const absolute = (entry: LayerEntry) => Buffer.concat([Buffer.from(`${root}/`), encodePath(entry.path)]);
  return {
    subject,
    claims: { annotations: {}, labels: {} },
    extent: { layers: 0, storedBytes: 0 },
    scan: (visitor) => walk({ root, skip, options, visitor }),
    reread: (wanted) => readAgain(disk, wanted, absolute),
    close: async () => {},
  };
}

export async function fileSource(file: string, options: DirectoryOptions): Promise<Source> {
  const { disk, requested, limits } = options;
  const opened = await disk.open(file);
  const name = path.basename(await disk.realPath(file));
  const mode = (await disk.stat(file))?.mode ?? 0;
  if (opened.size > limits.bytes) throw overLimit('the file is larger than', 'bytes', 'bytes', limits);
  const hash = createHash('sha256');
  for await (const bytes of opened.stream()) hash.update(bytes);
  return {
    subject: { requested, kind: 'file', name, layers: [], digest: finish(hash, 'sha256') },
    claims: { annotations: {}, labels: {} },
    extent: { layers: 0, storedBytes: 0 },
    scan: async (visitor) => {
      const gaps: SourceGap[] = [];
      const tree = new Tree(gaps);
      for (const path of possiblePaths(file)) {
        const entry: LayerEntry = { kind: 'file', path, size: opened.size, mode, link: '', layer: 0, ordinal: 0 };
        if (!(await deliver(opened, visitor.file(entry)))) continue;
        tree.add(entry);
        break;
      }
      return { tree, layers: [], gaps };
    },
    reread: async (wanted) => {
      for (const content of wanted.values()) await deliver(opened, content);
    },
    close: opened.close,
  };
}

/**
 * Under which path a single file may be recognised: by its name alone, else with as few of its directories as it takes
 * (`var/lib/dpkg/status`, `six.dist-info/METADATA`). No more of the local path than that ends up in a document.
 */
function possiblePaths(file: string): readonly string[] {
  const segments = path.resolve(file).split('/').filter(Boolean);
  return segments.map((_, at) => segments.slice(-1 - at).join('/')).slice(0, 6);
}

/** Whether anybody wanted the content. */
async function deliver(file: DiskFile, content: FileContent | undefined): Promise<boolean> {
  if (content === undefined) return false;
  for await (const bytes of file.stream()) {
    if (content.idle) return false;
    content.chunk(bytes);
  }
  content.end();
  return !content.idle;
}

/** What makes a directory a root file system. */
const rootMarks = [
  'etc/os-release',
  'usr/lib/os-release',
  'var/lib/dpkg',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  'var/lib/rpm',
  'usr/lib/sysimage/rpm',
  'var/lib/rpmmanifest',
  'usr/lib/opkg',
  'etc/alpine-release',
  'etc/debian_version',
  'etc/redhat-release',
];

/** A mark behind a link counts for nothing: `etc -> /etc` would make any project look like this machine's system. */
function isRootFileSystem(disk: Disk, root: string): boolean {
  return rootMarks.some((mark) => {
    const names = mark.split('/');
    const kinds = names.map((_, at) => disk.kindOf(Buffer.from(`${root}/${names.slice(0, at + 1).join('/')}`)));
    return kinds.at(-1) !== undefined && kinds.slice(0, -1).every((kind) => kind === 'directory');
  });
}

interface Walk {
  readonly root: string;
  /** Names of directories that are not entered. */
  readonly skip: ReadonlySet<string>;
  readonly options: DirectoryOptions;
  readonly visitor: Visitor;
}

/** What the kernel shows as files is not content of a disk, and reading some of it never ends. */
const kernelDirectories = new Set(['proc', 'sys', 'dev']);

async function walk({ root, skip, options, visitor }: Walk): Promise<Scanned> {
  const { disk, limits } = options;
  const budget = new Budget(limits);
  const gaps: SourceGap[] = [];
  const tree = new Tree(gaps);
  const pending: string[] = [''];
  let ordinal = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const { name, stat } of list(disk, root, directory, gaps)) {
      budget.entry();
      const base = decodePath(name);
      const at = directory === '' ? base : `${directory}/${base}`;
      const file = Buffer.concat([Buffer.from(`${root}/`), encodePath(at)]);
      if (stat.kind === 'directory') {
        if (skip.has(base) || (root === '/' && directory === '' && kernelDirectories.has(base))) continue;
        if (at.split('/').length > limits.pathDepth) {
          throw overLimit(`the path ${quoted(at, 60)} is deeper than`, 'segments', 'pathDepth', limits);
        }
        pending.push(at);
      }
      try {
        const link = stat.kind === 'symlink' ? decodePath(disk.readLink(file)) : '';
        const entry: LayerEntry = { ...stat, path: at, link, layer: 0, ordinal: ordinal++ };
        tree.add(entry);
        if (stat.kind === 'file') await visit(entry, visitor.file(entry), disk, file);
      } catch (error) {
        if (!(error instanceof OperationalError) || error.code === 'limit') throw error;
        gaps.push({ rule: 'unreadable-file', path: at, layer: 0, reason: error.message });
      }
    }
  }
  return { tree, layers: [], gaps };
}

function list(disk: Disk, root: string, directory: string, gaps: SourceGap[]) {
  try {
    const entries = disk.list(Buffer.concat([Buffer.from(`${root}/`), encodePath(directory)]));
    return [...entries].sort((a, b) => a.name.compare(b.name));
  } catch (error) {
    if (!(error instanceof OperationalError) || directory === '') throw error;
    gaps.push({ rule: 'unreadable-file', path: directory, layer: 0, reason: error.message });
    return [];
  }
}

const startBytes = 64 * 1024;

async function visit(entry: LayerEntry, content: FileContent | undefined, disk: Disk, file: Buffer): Promise<void> {
  if (content === undefined) return;
  const start = disk.readStart(file, Math.min(startBytes, entry.size));
  if (start === undefined) return;
  if (start.length > 0) content.chunk(start);
  if (content.idle) return;
  if (start.length < entry.size) await readRest(disk, file, start.length, content);
  content.end();
}

async function readRest(disk: Disk, file: Buffer, from: number, content: FileContent): Promise<void> {
  const opened = await disk.open(file, { noFollow: true });
  try {
    for await (const bytes of opened.stream(from)) {
      if (content.idle) return;
      content.chunk(bytes);
    }
  } finally {
    await opened.close();
  }
}

async function readAgain(disk: Disk, wanted: Wanted, absolute: (entry: LayerEntry) => Buffer): Promise<void> {
  for (const [entry, content] of wanted) await visit(entry, content, disk, absolute(entry));
}
