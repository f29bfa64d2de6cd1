/** The commits of a range as a graph. */
import type { ObjectId } from '../git/types.ts';
import type { CommitFacts } from './types.ts';

export interface RangeGraph {
  has(id: ObjectId): boolean;
  /** The commit and everything before it that the range has; empty for one outside. */
  ancestors(id: ObjectId): ReadonlySet<ObjectId>;
  /** Those of `head` that `base` does not have, both ends as in `base..head`. */
  between(base: ObjectId, head: ObjectId): ReadonlySet<ObjectId>;
}

export function rangeGraph(commits: readonly CommitFacts[]): RangeGraph {
  const parents = new Map(commits.map(({ commit }) => [commit.id, commit.parents] as const));
  const known = new Map<ObjectId, ReadonlySet<ObjectId>>();
  const ancestors = (id: ObjectId): ReadonlySet<ObjectId> => {
    const cached = known.get(id);
    if (cached !== undefined) return cached;
    const found = new Set<ObjectId>();
    const waiting = [id];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const above = parents.get(next);
      if (above === undefined || found.has(next)) continue;
      found.add(next);
      waiting.push(...above);
    }
    known.set(id, found);
    return found;
  };
  return {
    has: (id) => parents.has(id),
    ancestors,
    between: (base, head) => {
      const before = ancestors(base);
      return before.size === 0 ? ancestors(head) : new Set([...ancestors(head)].filter((id) => !before.has(id)));
    },
  };
}
