/** Commits that somebody names who may be wrong: evidence, policies, other records. */
import { parseCommit } from './commit.ts';
import type { Commit, ObjectId, ObjectStore } from './types.ts';

/** Hashed again; undefined where the repository has nothing of that name, or no commit. */
export async function findCommit(objects: ObjectStore, id: ObjectId): Promise<Commit | undefined> {
  if ((await objects.look(id))?.type !== 'commit') return undefined;
  return parseCommit(await objects.read(id, 'commit'));
}
