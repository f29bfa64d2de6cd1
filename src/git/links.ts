/**
 * Where commits and tags lead: just the header lines that a walk needs, so that a walk through old history does not stop at
 * a commit whose author line nobody would write today.
 *
 *     tree 9bedf67800b2923982bdf60c89c57ce6fd2d9a1c        object 2ab8…
 *     parent 2ab8…                                         type commit
 *     author …                                             tag v1
 */

import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { GitObject, ObjectFormat, ObjectId, ObjectStore, ObjectType } from './types.ts';

/** Parents in their order; the tree first is checked and not given. */
export function parentsOf(object: GitObject, format: ObjectFormat): readonly ObjectId[] {
  const digits = format === 'sha1' ? 40 : 64;
  const line = (word: string, at: number): ObjectId | undefined => {
    const end = at + word.length + 1 + digits;
    const text = object.bytes.toString('latin1', at, end + 1);
    const id = text.slice(word.length + 1, -1);
    return text.startsWith(`${word} `) && text.endsWith('\n') && isId(id, format) ? id : undefined;
  };
  if (line('tree', 0) === undefined) throw broken(object, 'it does not begin with a tree');
  const parents: ObjectId[] = [];
  let at = 'tree \n'.length + digits;
  for (let id = line('parent', at); id !== undefined; id = line('parent', at)) {
    parents.push(id);
    at += 'parent \n'.length + digits;
  }
  // A parent line that is not in its place would be one to another reader.
  if (object.bytes.toString('latin1', at, at + 'author '.length) !== 'author ') {
    throw broken(object, 'there is no author behind its parents');
  }
  return parents;
}

/** What a tag is of. */
export function targetOf(
  object: GitObject,
  format: ObjectFormat,
): { readonly id: ObjectId; readonly type: ObjectType } {
  const [first = '', second = ''] = object.bytes.toString('latin1', 0, 200).split('\n');
  const id = first.startsWith('object ') ? first.slice('object '.length) : '';
  const type = /^type (commit|tree|blob|tag)$/.exec(second)?.[1];
  if (!isId(id, format) || type === undefined) throw broken(object, 'it does not say what it is of');
  return { id, type: type as ObjectType };
}

/** Parents of many commits, read side by side. */
export async function readParents(
  objects: ObjectStore,
  ids: readonly ObjectId[],
): Promise<Map<ObjectId, readonly ObjectId[]>> {
  const found = new Map<ObjectId, readonly ObjectId[]>();
  for (let at = 0; at < ids.length; at += portion) {
    const read = await Promise.all(ids.slice(at, at + portion).map((id) => objects.read(id, 'commit')));
    for (const object of read) found.set(object.id, parentsOf(object, objects.format));
  }
  return found;
}

/** Commits in memory at once. */
const portion = 1024;

function broken(object: GitObject, why: string): GitRefusal {
  return new GitRefusal('schema-invalid', `the ${object.type} ${object.id} is malformed: ${why}`, [
    'look at it with git cat-file -p, and find out what made it',
  ]);
}
