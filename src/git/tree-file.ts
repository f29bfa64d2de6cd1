/** One file of a tree by its path: read object by object, each of them hashed again. */
import { quoted } from '../diag/index.ts';
import { GitRefusal } from './refusal.ts';
import { parseTree } from './tree.ts';
import type { ObjectId, ObjectStore, TreeEntry } from './types.ts';

/** Undefined where there is nothing of that name. Links are not followed: they are entries like any other. */
export async function findEntry(store: ObjectStore, tree: ObjectId, path: string): Promise<TreeEntry | undefined> {
  let folder = tree;
  const segments = path.split('/');
  for (const [at, segment] of segments.entries()) {
    const name = Buffer.from(segment);
    const entry = parseTree(await store.read(folder, 'tree')).find((each) => each.name.equals(name));
    if (entry === undefined || at === segments.length - 1) return entry;
    if (entry.mode !== '040000') return undefined;
    folder = entry.id;
  }
  return undefined;
}

/** The content of a regular file. Throws GitRefusal `path-trick` for anything else of that name. */
export async function readTreeFile(
  store: ObjectStore,
  tree: ObjectId,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const entry = await findEntry(store, tree, path);
  if (entry === undefined) return undefined;
  if (entry.mode === '100644' || entry.mode === '100755' || entry.mode === '100664') {
    return (await store.read(entry.id, 'blob', maxBytes)).bytes;
  }
  const what = { '120000': 'a symbolic link', '160000': 'a submodule', '040000': 'a directory' }[entry.mode];
  throw new GitRefusal('path-trick', `${quoted(path)} is ${what} in the tree that is read, and has to be a file`, [
    'commit it as a regular file, on the branch that it is read from',
  ]);
}
