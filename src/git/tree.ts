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
import type { FileMode, GitObject, ObjectId, TreeEntry, TreeTable } from './types.ts';

/** Throws GitRefusal `schema-invalid`. */
export function parseTree(object: GitObject): readonly TreeEntry[] {
  const table = indexTree(object);
  return Array.from({ length: table.count }, (_, index) => entryAt(table, index));
}

/** Throws GitRefusal `schema-invalid`. */
export function indexTree(object: GitObject): TreeTable {
  if (object.table !== undefined) return object.table;
  const { id, bytes } = object;
  const idLength = id.length / 2;
  const starts: number[] = [0];
  const order = orderOfEntries(id, bytes);
  for (let at = 0; at < bytes.length; ) {
    const name = endOfMode(bytes, at) + 1;
    const end = name === 0 ? -1 : endOfName(bytes, name);
    if (end < 0 || end + 1 + idLength > bytes.length) throw refused(id, 'has an entry that is cut off');
    const isTree = readMode(id, bytes, at, name - 1) === '040000';
    checkName(id, bytes, name, end);
    order.check(name, end, isTree);
    at = end + 1 + idLength;
    starts.push(at);
  }
  const table = { bytes, count: starts.length - 1, starts, idLength };
  object.table = table;
  return table;
}

/** Where the space behind the mode stands; -1 where there is none within seven digits. */
function endOfMode(bytes: Buffer, start: number): number {
  const most = Math.min(start + 8, bytes.length);
  for (let at = start; at < most; at++) if (bytes[at] === 0x20) return at;
  return -1;
}

export function entryAt(table: TreeTable, index: number): TreeEntry {
  return { name: nameAt(table, index), mode: modeAt(table, index), id: idAt(table, index) };
}

export function nameAt({ bytes, starts, idLength }: TreeTable, index: number): Buffer {
  return bytes.subarray(endOfMode(bytes, starts[index]!) + 1, starts[index + 1]! - idLength - 1);
}

export function modeAt({ bytes, starts }: TreeTable, index: number): FileMode {
  return readMode('', bytes, starts[index]!, endOfMode(bytes, starts[index]!));
}

function idAt({ bytes, starts, idLength }: TreeTable, index: number): ObjectId {
  const end = starts[index + 1]!;
  return bytes.toString('hex', end - idLength, end);
}

/** Where the NUL behind it stands; -1 where there is none. Names are short: a call into native code takes longer. */
function endOfName(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) if (bytes[at] === 0) return at;
  return -1;
}

function readMode(id: ObjectId, bytes: Buffer, start: number, end: number): FileMode {
  let mode = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 7) throw refused(id, 'has a mode that is no octal number');
    mode = mode * 8 + digit;
  }
  if (mode === 0o100644) return '100644';
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

/**
 * A file `a` and a directory `a` are both in order with `a.b` between them. `files` holds the lengths of all files' names with
 * which the last name starts, its own included: only they could be twins of the present one.
 */
function orderOfEntries(id: ObjectId, bytes: Buffer) {
  const files: number[] = [];
  let [last, lastEnd, lastIsTree] = [0, -1, false];
  const check = (name: number, end: number, isTree: boolean): void => {
    if (lastEnd >= 0) {
      let [one, other] = [last, name];
      while (one < lastEnd && other < end && bytes[one] === bytes[other]) {
        one++;
        other++;
      }
      if (follower(bytes, one, lastEnd, lastIsTree) >= follower(bytes, other, end, isTree)) {
        throw refused(id, one === lastEnd && other === end ? 'has a name twice' : 'is not in order');
      }
      while (files.length > 0 && files.at(-1)! > other - name) files.pop();
    }
    if (!isTree) files.push(end - name);
    else if (files.at(-1) === end - name) throw refused(id, 'has a name twice');
    last = name;
    lastEnd = end;
    lastIsTree = isTree;
  };
  return { check };
}

/** What stands there for the order of entries; below all bytes of names where a file's name has ended. */
function follower(bytes: Buffer, at: number, end: number, isTree: boolean): number {
  if (at < end) return bytes[at]!;
  return isTree ? slash : 0;
}

function refused(id: ObjectId, why: string): GitRefusal {
  return new GitRefusal('schema-invalid', `tree ${id} ${why}`, [
    'git fsck shows more; a tree like this is not written by git itself',
  ]);
}
