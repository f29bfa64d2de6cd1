/**
 * Tree objects (gitformat-tree, git's tree-walk.c and fsck.c): entries without anything between them,
 *
 *     100644 README.md\0<20 octets>40000 src\0<20 octets>          32 octets in a repository of SHA-256
 *
 * in the order of their names as bytes, where a directory counts as if its name ended in `/`.
 *
 * Refused: a name that is empty, `.`, `..` or holds `/`, names out of order or twice (a file and a directory of one name
 * included: which of them a checkout has would be chance), modes that no git wrote, an entry that is cut off. Permissions
 * of regular files that old versions wrote (`100600`) are read as git reads them: executable or not. Only `100664` stays.
 * `.git` and all that looks like it is read as it stands: it is for whoever judges content.
 */
import { GitRefusal } from './refusal.ts';
import type { FileMode, GitObject, ObjectId, TreeEntry } from './types.ts';

/** Throws GitRefusal `schema-invalid`. */
export function parseTree(object: GitObject): readonly TreeEntry[] {
  const table = indexTree(object);
  return Array.from({ length: table.count }, (_, index) => entryAt(table, index));
}

/** A tree that was checked, with the places of its entries: a comparison of two trees makes objects of few of them. */
export interface TreeTable {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where each entry starts, and one more: the end. */
  readonly starts: Uint32Array;
  /** Where each name starts. */
  readonly names: Uint32Array;
  readonly idLength: number;
}

// For as long as the store keeps the object: neighbouring commits read the same trees.
const tables = new WeakMap<GitObject, TreeTable>();

/** Throws GitRefusal `schema-invalid`. */
export function indexTree(object: GitObject): TreeTable {
  const known = tables.get(object);
  if (known !== undefined) return known;
  const { id, bytes } = object;
  const idLength = id.length / 2;
  const starts: number[] = [0];
  const names: number[] = [];
  const before: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const name = bytes.indexOf(0x20, at) + 1;
    const end = name === 0 ? -1 : bytes.indexOf(0, name);
    if (end < 0 || name - at > 8 || end + 1 + idLength > bytes.length)
      throw refused(id, 'has an entry that is cut off');
    const mode = readMode(id, bytes, at, name - 1);
    checkName(id, bytes, name, end);
    checkOrder(id, bytes, { mode, name, end }, names, starts, before, idLength);
    names.push(name);
    at = end + 1 + idLength;
    starts.push(at);
  }
  const table = {
    bytes,
    count: names.length,
    starts: Uint32Array.from(starts),
    names: Uint32Array.from(names),
    idLength,
  };
  tables.set(object, table);
  return table;
}

export function entryAt(table: TreeTable, index: number): TreeEntry {
  return { name: nameAt(table, index), mode: modeAt(table, index), id: idAt(table, index) };
}

export function nameAt({ bytes, starts, names, idLength }: TreeTable, index: number): Buffer {
  return bytes.subarray(names[index]!, starts[index + 1]! - idLength - 1);
}

export function modeAt({ bytes, starts, names }: TreeTable, index: number): FileMode {
  return readMode('', bytes, starts[index]!, names[index]! - 1);
}

function idAt({ bytes, starts, idLength }: TreeTable, index: number): ObjectId {
  const end = starts[index + 1]!;
  return bytes.toString('hex', end - idLength, end);
}

function readMode(id: ObjectId, bytes: Buffer, start: number, end: number): FileMode {
  let mode = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 7) throw refused(id, 'has a mode that is no octal number');
    mode = mode * 8 + digit;
  }
  const exact = modes.get(mode);
  if (exact !== undefined) return exact;
  if (mode >> 12 !== 0o10) throw refused(id, `has an entry of the mode ${mode.toString(8)}, which git does not write`);
  return (mode & 0o100) === 0 ? '100644' : '100755';
}

const modes: ReadonlyMap<number, FileMode> = new Map([
  [0o100644, '100644'],
  [0o100664, '100664'],
  [0o100755, '100755'],
  [0o120000, '120000'],
  [0o160000, '160000'],
  [0o040000, '040000'],
]);

function checkName(id: ObjectId, bytes: Buffer, start: number, end: number): void {
  const length = end - start;
  if (length === 0) throw refused(id, 'has an entry without a name');
  const dots = bytes[start] === dot && (length === 1 || (length === 2 && bytes[start + 1] === dot));
  if (dots) throw refused(id, 'has an entry called "." or ".."');
  for (let at = start; at < end; at++) if (bytes[at] === slash) throw refused(id, 'has a name with a slash in it');
}

const dot = 0x2e;
const slash = 0x2f;

interface Place {
  readonly mode: FileMode;
  readonly name: number;
  readonly end: number;
}

/**
 * A file `a` and a directory `a` are both in order with `a.b` between them. `before` holds the files whose names the present
 * one starts with: only they could be its twins.
 */
function checkOrder(
  id: ObjectId,
  bytes: Buffer,
  { mode, name, end }: Place,
  names: readonly number[],
  starts: readonly number[],
  before: Buffer[],
  idLength: number,
): void {
  const present = bytes.subarray(name, end);
  if (names.length > 0) {
    const last = names.length - 1;
    const lastName = bytes.subarray(names[last], starts[last + 1]! - idLength - 1);
    const lastMode = readMode(id, bytes, starts[last]!, names[last]! - 1);
    if (compareNames(lastName, lastMode, present, mode) >= 0) {
      throw refused(id, lastName.equals(present) ? 'has a name twice' : 'is not in order');
    }
  }
  while (before.length > 0 && !startsWith(present, before.at(-1)!)) before.pop();
  if (mode !== '040000') before.push(present);
  else if (before.some((each) => each.length === present.length)) throw refused(id, 'has a name twice');
}

/** The order of entries in a tree. 0 only for two of the same name and the same sort. */
function compareNames(one: Buffer, oneMode: FileMode, other: Buffer, otherMode: FileMode): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return one[at]! - other[at]!;
  return follower(one, oneMode, length) - follower(other, otherMode, length);
}

function follower(name: Buffer, mode: FileMode, at: number): number {
  return name[at] ?? (mode === '040000' ? slash : 0);
}

function startsWith(name: Buffer, prefix: Buffer): boolean {
  return name.length >= prefix.length && name.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}

function refused(id: ObjectId, why: string): GitRefusal {
  return new GitRefusal('schema-invalid', `tree ${id} ${why}`, [
    'git fsck shows more; a tree like this is not written by git itself',
  ]);
}
