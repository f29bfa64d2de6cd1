/**
 * Commits that nothing ties to the base. A root, or a merge of two histories without a common ancestor, brings a whole other
 * repository in: git merges it without a conflict, and what a person signed there was never meant for this one.
 */
import type { CommitFacts } from '../change/types.ts';
import type { Commit, ObjectId, Repository } from '../git/types.ts';

type Unrelated = NonNullable<CommitFacts['unrelated']>;

/** `commits`: of a whole range, parents before children. */
export async function findUnrelated(
  commits: readonly Pick<Commit, 'id' | 'parents'>[],
  repository: Repository,
): Promise<ReadonlyMap<ObjectId, Unrelated>> {
  const inRange = new Set(commits.map(({ id }) => id));
  const found = new Map<ObjectId, Unrelated>();
  const border = new Set<ObjectId>();
  // Those that have a commit of the base in their history.
  const tied = new Set<ObjectId>();
  for (const { id, parents } of commits) {
    for (const parent of parents) if (!inRange.has(parent)) border.add(parent);
    const ties = parents.filter((parent) => !inRange.has(parent) || tied.has(parent)).length;
    if (ties > 0) tied.add(id);
    if (parents.length === 0) found.set(id, 'root');
    else if (ties > 0 && ties < parents.length) found.set(id, 'merge');
  }
  const merges = commits.filter(({ id, parents }) => parents.length > 1 && tied.has(id) && !found.has(id));
  if (merges.length === 0 || (await repository.shareAncestor([...border]))) return found;
  // A base of several roots: each merge by itself, and what is too much to ask for is not taken for the better case.
  for (const [at, { id, parents }] of merges.entries()) {
    if (at >= maxAsked || !(await areRelated(parents, repository))) found.set(id, 'merge');
  }
  return found;
}

const maxAsked = 200;

async function areRelated([first, ...others]: readonly ObjectId[], repository: Repository): Promise<boolean> {
  for (const other of others) {
    if ((await repository.mergeBases(first!, other)).length === 0) return false;
  }
  return true;
}
