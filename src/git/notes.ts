/**
 * Notes (git-notes, git's notes.c): a commit whose tree names annotated objects, in hex, with any number of directories of
 * two digits in between as there are more of them. A note is a blob:
 *
 *     4b/825dc642cb6eb9a060e54bf8d69288fbee4904  ->  blob
 *     4b825dc642cb6eb9a060e54bf8d69288fbee4904   ->  blob, the same object: git reads both, one after the other
 *
 * Everything else in the tree is no note, for git as for us; it is counted. Whoever may write the ref may write and remove
 * any note: what stands in one is a claim until its own signature is checked.
 */
import { OperationalError } from '../diag/index.ts';
import { parseCommit } from './commit.ts';
import { parseTree } from './tree.ts';
import type { ObjectId, ObjectStore, TreeEntry } from './types.ts';

export interface Notes {
  /** Annotated object to its blobs: one, but where two places of the tree hold a note for it. */
  readonly notes: ReadonlyMap<ObjectId, readonly ObjectId[]>;
  /** Entries that are no notes. */
  readonly foreign: number;
}

/** All of them. Throws OperationalError `limit`, and GitRefusal as the store does. */
export function readNotes(store: ObjectStore, notesCommit: ObjectId): Promise<Notes> {
  return walkNotes(store, notesCommit, () => true);
}

/** Those of a few objects: only the directories on the way to them are read. `foreign` counts what was passed there. */
export function readNotesFor(store: ObjectStore, notesCommit: ObjectId, ids: Iterable<ObjectId>): Promise<Notes> {
  const wanted = new Set<string>();
  for (const id of ids) for (let end = 2; end <= id.length; end += 2) wanted.add(id.slice(0, end));
  return walkNotes(store, notesCommit, (prefix) => wanted.has(prefix));
}

const maxNotes = 2_000_000;
/** Trees that are asked for at once. */
const width = 64;

interface Folder {
  /** Hex digits that lead to it. */
  readonly prefix: string;
  readonly tree: ObjectId;
}

async function walkNotes(
  store: ObjectStore,
  notesCommit: ObjectId,
  wants: (prefix: string) => boolean,
): Promise<Notes> {
  const { tree } = parseCommit(await store.read(notesCommit, 'commit'));
  const notes = new Map<ObjectId, ObjectId[]>();
  const pending: Folder[] = [{ prefix: '', tree }];
  let [foreign, seen] = [0, 0];
  while (pending.length > 0) {
    const folders = pending.splice(-width);
    const trees = await Promise.all(folders.map((folder) => store.read(folder.tree, 'tree')));
    for (const [index, { prefix }] of folders.entries()) {
      for (const entry of parseTree(trees[index]!)) {
        // Folders lead to each other in as many ways as there are prefixes, so what was seen is counted, not what is there.
        if (++seen > maxNotes) throw limit(notesCommit);
        const name = nameOf(entry, prefix, notesCommit.length);
        if (name === undefined) foreign++;
        else if (!wants(name)) continue;
        else if (entry.mode === '040000') pending.push({ prefix: name, tree: entry.id });
        else add(notes, name, entry.id);
      }
    }
  }
  return { notes, foreign };
}

function add(notes: Map<ObjectId, ObjectId[]>, object: ObjectId, blob: ObjectId): void {
  const blobs = notes.get(object);
  if (blobs === undefined) notes.set(object, [blob]);
  else blobs.push(blob);
}

/** Hex digits up to and with this entry, or undefined for what is no note and leads to none. */
function nameOf({ name, mode }: TreeEntry, prefix: string, idLength: number): string | undefined {
  const rest = idLength - prefix.length;
  if (mode === '040000' ? name.length !== 2 || rest <= 2 : name.length !== rest) return undefined;
  if (mode === '120000' || mode === '160000') return undefined;
  const digits = name.toString('latin1');
  return /^[0-9a-fA-F]+$/.test(digits) ? prefix + digits.toLowerCase() : undefined;
}

function limit(commit: ObjectId): OperationalError {
  return new OperationalError('limit', `the notes of ${commit} are more than ${maxNotes}`);
}
