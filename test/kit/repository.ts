/**
 * Git repositories for tests. Objects are written by us, as loose files, so that a commit costs no process, may hold anything
 * (a signature, a malformed header, a name that git would refuse), and is the same on every machine; everything else is
 * plain git with an environment of its own, no network, fixed dates.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';

export interface TestRepository {
  /** The folder: the work tree, or the git directory of a bare one. */
  readonly path: string;
  readonly gitDir: string;
  readonly format: 'sha1' | 'sha256';
  /** Runs git in the folder; what it prints, without the last line end. Throws where git fails. */
  git(...args: readonly string[]): string;
  /** A commit upon the tip of `branch` (or upon `parents`), which moves the branch. Gives its id. */
  commit(spec?: CommitSpec): string;
  /** A commit of what git's own merge makes of the two. Throws where they conflict. */
  merge(ours: string, theirs: string, spec?: CommitSpec): string;
  /** Writes any bytes under the name that they have. */
  object(type: 'blob' | 'tree' | 'commit' | 'tag', bytes: Buffer | string): string;
  /** Writes the tree of these files. */
  tree(files: Files): string;
  /** Writes an annotated tag object and `refs/tags/NAME` for it; gives the id of the tag object. */
  tag(name: string, target: string, type?: 'commit' | 'tag' | 'tree' | 'blob'): string;
  /** Sets a ref to an id, or to nothing. No check of any kind: the loose file is written or removed. */
  ref(name: string, id: string | undefined): void;
  /** The work tree becomes the commit's; HEAD becomes the branch that is named. */
  checkout(name: string): void;
  /** The tree of a commit. */
  treeOf(commit: string): string;
}

export interface CommitSpec {
  /** What changes against the first parent (or stands in the first commit); null removes. */
  readonly files?: Files;
  /** All of it: the parent's files are not kept. */
  readonly only?: boolean;
  /** A tree by its id, instead of files. */
  readonly tree?: string;
  /** Ids; by default the tip of `branch`, none where it has none. */
  readonly parents?: readonly string[];
  /** Short name; by default `main`. Null: no ref is touched. */
  readonly branch?: string | null;
  readonly message?: string;
  /** `Name <email>`; with a time and zone behind it if these matter. */
  readonly author?: string;
  readonly committer?: string;
  /** Seconds since the epoch; by default a minute after the commit made before. */
  readonly time?: number;
  /** Header lines behind the committer, each with its line end: `encoding latin1\n`. */
  readonly headers?: string;
  /** The armoured signature over what would be the commit without it; becomes the header `gpgsig` (`gpgsig-sha256`). */
  readonly sign?: (payload: Buffer) => string;
}

/** Paths as text, or as bytes in pairs. */
export type Files =
  | Readonly<Record<string, FileSpec | null>>
  | readonly (readonly [path: string | Buffer, file: FileSpec | null])[];

export type FileSpec =
  | string
  | Buffer
  | { readonly mode: '100644' | '100755' | '120000' | '100664'; readonly content: string | Buffer }
  | { readonly mode: string; readonly id: string };

export interface RepositoryOptions {
  readonly format?: 'sha1' | 'sha256';
  readonly bare?: boolean;
  /** Name of the folder, below a new one in `parent`. */
  readonly name?: string;
}

export const testAuthor = 'Ada Example <ada@example.com>';

/** A new, empty repository below `parent`, its HEAD on `main`. */
export function makeRepository(parent: string, options: RepositoryOptions = {}): TestRepository {
  const format = options.format ?? 'sha1';
  const folder = path.join(mkdtempSync(path.join(parent, 'repo-')), options.name ?? 'work');
  mkdirSync(folder);
  const flags = ['--quiet', `--object-format=${format}`, '--initial-branch=main', ...(options.bare ? ['--bare'] : [])];
  runGit(folder, ['init', ...flags, '.']);
  return openTestRepository(folder, format);
}

/** A repository that is there already: a clone, a worktree. */
export function openTestRepository(folder: string, format: 'sha1' | 'sha256' = 'sha1'): TestRepository {
  const git = (...args: readonly string[]) => runGit(folder, args).toString().replace(/\n$/, '');
  const gitDir = path.resolve(folder, git('rev-parse', '--git-common-dir'));
  const known = new Map<string, FileTable>();
  let clock = Date.UTC(2026, 0, 1) / 1000;
  const object = (type: string, bytes: Buffer | string) => writeLoose(gitDir, format, type, Buffer.from(bytes));
  const ref = (name: string, id: string | undefined) => {
    const file = path.join(gitDir, name);
    if (id === undefined) {
      git('update-ref', '-d', name);
      return;
    }
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${id}\n`);
  };
  const filesOf = (commit: string) => known.get(commit) ?? listFiles(git('ls-tree', '-r', '-z', '--full-tree', commit));
  const treeOf = (commit: string) => git('rev-parse', `${commit}^{tree}`);
  const tip = (branch: string) => {
    const file = path.join(gitDir, 'refs/heads', branch);
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
    return git('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`) || undefined;
  };
  const commit = (spec: CommitSpec = {}) => {
    const branch = spec.branch === undefined ? 'main' : spec.branch;
    const parents = spec.parents ?? [branch === null ? undefined : tip(branch)].filter((id) => id !== undefined);
    clock = spec.time ?? clock + 60;
    let tree = spec.tree;
    let files: FileTable | undefined;
    if (tree === undefined) {
      files = new Map(spec.only === true || parents[0] === undefined ? [] : filesOf(parents[0]));
      change(files, spec.files ?? {}, object);
      tree = writeTree(files, object);
    }
    const id = object('commit', commitBytes(spec, tree, parents, clock, format));
    if (files !== undefined) remember(known, id, files);
    if (branch !== null) ref(`refs/heads/${branch}`, id);
    return id;
  };
  return {
    path: folder,
    gitDir,
    format,
    git,
    commit,
    merge: (ours, theirs, spec = {}) => {
      const tree = git('merge-tree', '--write-tree', ours, theirs).split('\n')[0] ?? '';
      return commit({ message: `Merge ${theirs}\n`, ...spec, tree, parents: [ours, theirs] });
    },
    object,
    tree: (files) => {
      const table: FileTable = new Map();
      change(table, files, object);
      return writeTree(table, object);
    },
    tag: (name, target, type = 'commit') => {
      const tagger = `${testAuthor} ${clock} +0000`;
      const id = object('tag', `object ${target}\ntype ${type}\ntag ${name}\ntagger ${tagger}\n\n${name}\n`);
      ref(`refs/tags/${name}`, id);
      return id;
    },
    ref,
    checkout: (name) => void git('checkout', '--quiet', '--force', name),
    treeOf,
  };
}

/** Git with an environment of its own: no configuration but the repository's, no network, fixed idents and dates. */
export function runGit(folder: string, args: readonly string[], input?: string | Buffer): Buffer {
  const date = '2026-01-01T00:00:00Z';
  return execFileSync('git', args, {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'Ada Example',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: 'Ada Example',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
      GIT_COMMITTER_DATE: date,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'protocol.file.allow',
      GIT_CONFIG_VALUE_0: 'always',
    },
  });
}

/** One hash over everything below a folder: names, kinds, modes and content. Equal before and after: nothing was written. */
export function hashFolder(folder: string): string {
  const hash = createHash('sha256');
  const visit = (directory: string) => {
    for (const name of readdirSync(directory).sort()) {
      const place = path.join(directory, name);
      const stats = lstatSync(place);
      hash.update(`${path.relative(folder, place)}\0${stats.mode}\0`);
      if (stats.isDirectory()) visit(place);
      else if (stats.isSymbolicLink()) hash.update(`${readlinkSync(place)}\0`);
      else if (stats.isFile()) hash.update(createHash('sha256').update(readFileSync(place)).digest());
    }
  };
  visit(folder);
  return hash.digest('hex');
}

/** The name that git gives to these bytes. */
export function objectName(format: 'sha1' | 'sha256', type: string, bytes: Buffer): string {
  return createHash(format).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Writes a loose object under a name that need not be its own. */
export function writeLooseAs(gitDir: string, id: string, type: string, bytes: Buffer): void {
  const file = path.join(gitDir, 'objects', id.slice(0, 2), id.slice(2));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, deflateSync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes]), { level: 1 }));
}

/** Path (one character per byte) to mode and id. */
type FileTable = Map<string, { readonly mode: string; readonly id: string }>;
type Write = (type: string, bytes: Buffer | string) => string;

function writeLoose(gitDir: string, format: 'sha1' | 'sha256', type: string, bytes: Buffer): string {
  const id = objectName(format, type, bytes);
  if (!existsSync(path.join(gitDir, 'objects', id.slice(0, 2), id.slice(2)))) writeLooseAs(gitDir, id, type, bytes);
  return id;
}

/** Of the last commits only: histories of thousands would fill the memory. */
function remember(known: Map<string, FileTable>, id: string, files: FileTable): void {
  known.set(id, files);
  const [oldest] = known.keys();
  if (known.size > 100 && oldest !== undefined) known.delete(oldest);
}

function change(table: FileTable, files: Files, write: Write): void {
  const pairs = Array.isArray(files) ? (files as Extract<Files, readonly unknown[]>) : Object.entries(files);
  for (const [name, file] of pairs) {
    const key = Buffer.from(name).toString('latin1');
    if (file === null) table.delete(key);
    else if (typeof file === 'string' || Buffer.isBuffer(file))
      table.set(key, { mode: '100644', id: write('blob', file) });
    else if ('id' in file) table.set(key, { mode: file.mode, id: file.id });
    else table.set(key, { mode: file.mode, id: write('blob', file.content) });
  }
}

/** Trees from the leaves up; entries in git's order, where a directory sorts as if it ended in a slash. */
function writeTree(table: FileTable, write: Write): string {
  const entries: { readonly sort: string; readonly name: string; readonly mode: string; readonly id: string }[] = [];
  const below = new Map<string, FileTable>();
  for (const [name, file] of table) {
    const slash = name.indexOf('/');
    if (slash === -1) {
      entries.push({ sort: name, name, ...file });
      continue;
    }
    const folder = name.slice(0, slash);
    const inner: FileTable = below.get(folder) ?? new Map();
    inner.set(name.slice(slash + 1), file);
    below.set(folder, inner);
  }
  for (const [name, inner] of below)
    entries.push({ sort: `${name}/`, name, mode: '40000', id: writeTree(inner, write) });
  entries.sort((one, other) => (one.sort < other.sort ? -1 : 1));
  const bytes = entries.flatMap(({ name, mode, id }) => [
    Buffer.from(`${mode} ${name}\0`, 'latin1'),
    Buffer.from(id, 'hex'),
  ]);
  return write('tree', Buffer.concat(bytes));
}

function commitBytes(
  spec: CommitSpec,
  tree: string,
  parents: readonly string[],
  time: number,
  format: 'sha1' | 'sha256',
): Buffer {
  const stamped = (ident: string) => (/> -?\d+ [+-]\d{4}$/.test(ident) ? ident : `${ident} ${time} +0000`);
  const author = stamped(spec.author ?? testAuthor);
  const head = [
    `tree ${tree}\n`,
    ...parents.map((id) => `parent ${id}\n`),
    `author ${author}\n`,
    `committer ${stamped(spec.committer ?? spec.author ?? testAuthor)}\n`,
    spec.headers ?? '',
  ].join('');
  const body = `\n${spec.message ?? 'change\n'}`;
  const payload = Buffer.from(`${head}${body}`);
  if (spec.sign === undefined) return payload;
  const header = format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256';
  const lines = spec.sign(payload).replace(/\n$/, '').split('\n').join('\n ');
  return Buffer.from(`${head}${header} ${lines}\n${body}`);
}

/** What `ls-tree -r -z` prints. Names that are no UTF-8 come out wrong: give these repositories `only`. */
function listFiles(listing: string): FileTable {
  const table: FileTable = new Map();
  for (const line of listing.split('\0')) {
    const [facts = '', name] = line.split('\t');
    if (name === undefined) continue;
    const [mode = '', , id = ''] = facts.split(' ');
    table.set(Buffer.from(name).toString('latin1'), { mode, id });
  }
  return table;
}
