/**
 * What differs between two trees, read by ourselves: git's own diff obeys attributes and settings of whoever made the
 * change. No renames: one is a removal and an addition. Equal trees below are not read.
 */
import { OperationalError } from '../diag/index.ts';
import { entryAt, indexTree, modeAt, nameAt } from './tree.ts';
import type { FileVersion, ObjectId, ObjectStore, PathChange, TreeEntry, TreeTable } from './types.ts';

export interface TreeDiffOptions {
  /** 200,000 when absent. */
  readonly maxChanges?: number;
}

/**
 * Sorted by the bytes of the path; every path once (a file that became a directory is a removal and additions below). All is
 * new where there is no old tree. Throws OperationalError `limit`, and GitRefusal as the store and `parseTree` do.
 */
export async function diffTrees(
  store: ObjectStore,
  oldTree: ObjectId | undefined,
  newTree: ObjectId,
  { maxChanges = 200_000 }: TreeDiffOptions = {},
): Promise<readonly PathChange[]> {
  const walk: Walk = { changes: [], pending: [], maxChanges, trees: 0, pathBytes: 0 };
  if (oldTree !== newTree) push(walk, { path: Buffer.alloc(0), depth: 0, old: oldTree, new: newTree });
  while (walk.pending.length > 0) {
    const unread = walk.pending.splice(-width).filter((pair) => !compareKept(store, walk, pair));
    if (unread.length === 0) continue;
    const tables = await Promise.all(unread.flatMap((pair) => [readTree(store, pair.old), readTree(store, pair.new)]));
    for (const [index, pair] of unread.entries()) compare(walk, pair, tables[2 * index], tables[2 * index + 1]);
  }
  return walk.changes.sort((one, other) => Buffer.compare(one.path, other.path));
}

/** Pairs of trees that are asked for at once. */
const width = 64;
const maxDepth = 4096;
/** A few small trees can name each other so that they stand for billions of paths. */
const maxTrees = 400_000;
const maxPathBytes = 64 * 1024 * 1024;

interface Pair {
  /** Empty, or with a slash at its end. */
  readonly path: Buffer;
  readonly depth: number;
  readonly old: ObjectId | undefined;
  readonly new: ObjectId | undefined;
}

interface Walk {
  readonly changes: PathChange[];
  readonly pending: Pair[];
  readonly maxChanges: number;
  trees: number;
  pathBytes: number;
}

/** Neighbouring commits have most of their trees in common. False where one of the two has to be read. */
function compareKept(store: ObjectStore, walk: Walk, pair: Pair): boolean {
  const before = pair.old === undefined ? undefined : store.kept(pair.old, 'tree');
  const after = pair.new === undefined ? undefined : store.kept(pair.new, 'tree');
  if ((pair.old !== undefined && before === undefined) || (pair.new !== undefined && after === undefined)) return false;
  compare(walk, pair, before && indexTree(before), after && indexTree(after));
  return true;
}

async function readTree(store: ObjectStore, id: ObjectId | undefined): Promise<TreeTable | undefined> {
  return id === undefined ? undefined : indexTree(await store.read(id, 'tree'));
}

function compare(walk: Walk, pair: Pair, before: TreeTable | undefined, after: TreeTable | undefined): void {
  const both = before !== undefined && after !== undefined;
  let at = both ? equalAtStart(before, after) : 0;
  let of = at;
  const equal = both ? equalAtEnd(before, after, at) : 0;
  const beforeEnd = (before?.count ?? 0) - equal;
  const afterEnd = (after?.count ?? 0) - equal;
  while (at < beforeEnd || of < afterEnd) {
    if (at < beforeEnd && of < afterEnd && isEqual(before!, at, after!, of)) {
      at++;
      of++;
      continue;
    }
    const order = at < beforeEnd ? (of < afterEnd ? orderOf(before!, at, after!, of) : -1) : 1;
    const one = order <= 0 ? entryAt(before!, at++) : undefined;
    const other = order >= 0 ? entryAt(after!, of++) : undefined;
    // One mode can be written in several ways.
    if (one?.id !== other?.id || one?.mode !== other?.mode) differ(walk, pair, one, other);
  }
}

/** Entries at the start that are the same: most of a tree did not change. */
function equalAtStart(one: TreeTable, other: TreeTable): number {
  const most = Math.min(one.bytes.length, other.bytes.length);
  let same = 0;
  while (same < most && one.bytes[same] === other.bytes[same]) same++;
  // In equal bytes the entries start at the same places.
  let low = 0;
  let high = Math.min(one.count, other.count);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (one.starts[middle]! <= same) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Entries at the end that are the same, beside `start` at the start. */
function equalAtEnd(one: TreeTable, other: TreeTable, start: number): number {
  const shift = other.bytes.length - one.bytes.length;
  const least = Math.max(one.starts[start]!, other.starts[start]! - shift);
  let at = one.bytes.length;
  while (at > least && one.bytes[at - 1] === other.bytes[at - 1 + shift]) at--;
  let equal = 0;
  for (const most = Math.min(one.count, other.count) - start; equal < most; equal++) {
    const begins = one.starts[one.count - equal - 1]!;
    if (begins < at || begins + shift !== other.starts[other.count - equal - 1]) break;
  }
  return equal;
}

function isEqual(one: TreeTable, at: number, other: TreeTable, of: number): boolean {
  const [from, to] = [one.starts[at]!, one.starts[at + 1]!];
  const [start, end] = [other.starts[of]!, other.starts[of + 1]!];
  return to - from === end - start && one.bytes.compare(other.bytes, start, end, from, to) === 0;
}

/**
 * Below 0: the old entry has no partner; above 0: the new one. By name alone, so that a file meets the directory that took
 * its name only where both stand at the same place; otherwise each goes by itself, which says the same.
 */
function orderOf(before: TreeTable, at: number, after: TreeTable, of: number): number {
  const one = nameAt(before, at);
  const other = nameAt(after, of);
  const order = one.compare(other);
  if (order === 0) return 0;
  const oneIsTree = modeAt(before, at) === '040000';
  const otherIsTree = modeAt(after, of) === '040000';
  if (!oneIsTree && !otherIsTree) return order;
  return Buffer.compare(oneIsTree ? withSlash(one) : one, otherIsTree ? withSlash(other) : other);
}

const slash = Buffer.from('/');

function withSlash(name: Buffer): Buffer {
  return Buffer.concat([name, slash]);
}

function differ(walk: Walk, pair: Pair, one: TreeEntry | undefined, other: TreeEntry | undefined): void {
  const name = (one ?? other)!.name;
  const oldTree = one?.mode === '040000' ? one.id : undefined;
  const newTree = other?.mode === '040000' ? other.id : undefined;
  walk.pathBytes += pair.path.length + name.length;
  if (walk.pathBytes > maxPathBytes) throw limit(`the paths that differ hold more than ${maxPathBytes} bytes`);
  const old = versionOf(one);
  const present = versionOf(other);
  if (old !== undefined || present !== undefined) {
    if (walk.changes.length >= walk.maxChanges) throw limit(`more than ${walk.maxChanges} paths differ`);
    const path = Buffer.concat([pair.path, name]);
    walk.changes.push({ path, ...(old !== undefined && { old }), ...(present !== undefined && { new: present }) });
  }
  if (oldTree === newTree) return;
  push(walk, { path: Buffer.concat([pair.path, name, slash]), depth: pair.depth + 1, old: oldTree, new: newTree });
}

function versionOf(entry: TreeEntry | undefined): FileVersion | undefined {
  if (entry === undefined || entry.mode === '040000') return undefined;
  return { mode: entry.mode, id: entry.id };
}

function push(walk: Walk, pair: Pair): void {
  if (++walk.trees > maxTrees) throw limit(`more than ${maxTrees} directories differ`);
  if (pair.depth > maxDepth) throw limit(`directories are nested deeper than ${maxDepth}`);
  walk.pending.push(pair);
}

function limit(why: string): OperationalError {
  return new OperationalError('limit', `the change is too large to be judged: ${why}`, {
    hints: ['split it into smaller changes'],
  });
}
