/** What a range of commits touches and hides: the same for whoever judges it and for whoever approves it. */
import { inspectChange } from '../change/content/index.ts';
import { findRiskyPaths } from '../change/risk.ts';
import { findLinks, findRisksBehind, type TreeLink } from '../change/risk-links.ts';
import type { CommitFacts, ContentFinding, PathlessRange, RiskyPath } from '../change/types.ts';
import { pathKey } from '../git/path-text.ts';
import type { ObjectStore, PathChange } from '../git/types.ts';
import type { ChangePolicy } from './change-policy.ts';

export interface RangeContent {
  readonly content: readonly ContentFinding[];
  readonly risky: readonly RiskyPath[];
}

/** `net`: between mergeBase and head. Throws GitRefusal and OperationalError `limit`. */
export async function inspectRange(
  { landing, head }: Pick<PathlessRange, 'landing' | 'head'>,
  net: readonly PathChange[],
  commits: readonly CommitFacts[],
  policy: ChangePolicy,
  objects: ObjectStore,
): Promise<RangeContent> {
  // What the base has meanwhile lies beside it: names may meet there that never met in the change.
  const newTree = landing.clean ? landing.tree : head.tree;
  return {
    content: await inspectChange(objects, net, { newTree }),
    risky: riskyPaths(
      [...net, ...commits.flatMap(({ changes }) => changes)],
      await findLinks(objects, newTree),
      policy,
    ),
  };
}

/** What lands, and what a commit on the way touches: an edit that a later one takes back was there all the same. */
function riskyPaths(
  changes: readonly PathChange[],
  links: readonly TreeLink[],
  { rule, paths }: ChangePolicy,
): readonly RiskyPath[] {
  // What a path was and became decides as well as its name: a link leads elsewhere.
  const kindOf = (change: PathChange) => `${change.old?.mode} ${change.new?.mode} ${pathKey(change.path)}`;
  const different = [...new Map(changes.map((each) => [kindOf(each), each])).values()];
  const sorted = different.sort((one, other) => one.path.compare(other.path));
  const doors = links.map(({ path, id }): PathChange => ({ path, new: { mode: '120000', id } }));
  const behind = findRisksBehind(sorted, links, findRiskyPaths(doors, rule.highRisk, paths));
  // By its own name where both are so.
  const byPath = new Map(
    [...behind, ...findRiskyPaths(sorted, rule.highRisk, paths)].map((each) => [pathKey(each.path), each]),
  );
  return [...byPath.values()].sort((one, other) => one.path.compare(other.path));
}
