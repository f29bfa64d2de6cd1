/**
 * Git replays a merge from blobs that it does not compare with their names: under the name of one, a forged file would
 * change what the merge is expected to make. This hashes every blob whose content can decide: where both sides changed a
 * path, and where a side removed and added files, which git may take for renames.
 */
import { bytesText } from './path-text.ts';
import { diffTrees } from './tree-diff.ts';
import type { FileVersion, ObjectId, ObjectStore, PathChange } from './types.ts';

/** Trees; `base` of the best common ancestor, undefined where there is none. Throws what reading an object throws. */
export async function checkMergeInputs(
  objects: ObjectStore,
  base: ObjectId | undefined,
  ours: ObjectId,
  theirs: ObjectId,
): Promise<void> {
  const sides = await Promise.all([diffTrees(objects, base, ours), diffTrees(objects, base, theirs)]);
  const [left, right] = sides.map((changes) => new Set(changes.map(({ path }) => bytesText(path))));
  const deciding = new Set<ObjectId>();
  for (const changes of sides) {
    const renames = changes.some(isRemoved) && changes.some(isAdded);
    for (const change of changes) {
      const name = bytesText(change.path);
      const onBoth = left?.has(name) === true && right?.has(name) === true;
      if (!onBoth && !(renames && (isRemoved(change) || isAdded(change)))) continue;
      for (const file of [change.old, change.new]) if (isBlob(file)) deciding.add(file.id);
    }
  }
  const ids = [...deciding];
  for (let at = 0; at < ids.length; at += portion) {
    await Promise.all(ids.slice(at, at + portion).map((id) => objects.read(id, 'blob')));
  }
}

/** Blobs in memory at once. */
const portion = 32;

function isRemoved(change: PathChange): boolean {
  return change.new === undefined;
}

function isAdded(change: PathChange): boolean {
  return change.old === undefined;
}

function isBlob(file: FileVersion | undefined): file is FileVersion {
  return file !== undefined && file.mode !== '160000';
}
