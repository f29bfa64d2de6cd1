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

/** Parents of commits, once they were read and hashed: several walks go over the same history. */
export interface Links {
  /** Of all of these, in their order. Throws as the store and `parentsOf` do. */
  read(ids: readonly ObjectId[]): Promise<ReadonlyMap<ObjectId, readonly ObjectId[]>>;
  /** Undefined where it was not read, or is forgotten. */
  known(id: ObjectId): readonly ObjectId[] | undefined;
}

export function openLinks(objects: ObjectStore): Links {
  const kept = new Map<ObjectId, readonly ObjectId[]>();
  const readOne = async (id: ObjectId): Promise<readonly ObjectId[]> => {
    const parents = parentsOf(await objects.read(id, 'commit'), objects.format);
    if (kept.size >= maxKept) kept.clear();
    kept.set(id, parents);
    return parents;
  };
  return {
    known: (id) => kept.get(id),
    read: async (ids) => {
      const found = new Map<ObjectId, readonly ObjectId[]>();
      for (let at = 0; at < ids.length; at += portion) {
        const some = ids.slice(at, at + portion);
        const read = await Promise.all(some.map((id) => kept.get(id) ?? readOne(id)));
        for (const [index, id] of some.entries()) found.set(id, read[index]!);
      }
      return found;
    },
  };
}

/** Commits in memory at once. */
const portion = 1024;
/** Some 20 MiB. */
const maxKept = 100_000;

function broken(object: GitObject, why: string): GitRefusal {
  return new GitRefusal('schema-invalid', `the ${object.type} ${object.id} is malformed: ${why}`, [
    'look at it with git cat-file -p, and find out what made it',
  ]);
}
