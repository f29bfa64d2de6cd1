/** What a range of commits touches and hides: the same for whoever judges it and for whoever approves it. */
import { inspectChange } from '../change/content/index.ts';
import { findRiskyPaths } from '../change/risk.ts';
import { findLinks, findRisksBehind, type TreeLink } from '../change/risk-links.ts';
import type { CommitFacts, ContentFinding, PathlessRange, RiskyPath } from '../change/types.ts';
import { pathKey } from '../git/path-text.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { ObjectStore, PathChange } from '../git/types.ts';
import type { ChangePolicy } from './change-policy.ts';

export interface RangeContent {
  readonly content: readonly ContentFinding[];
  readonly risky: readonly RiskyPath[];
  /** What the base would get: between policyBase and what merging head into it makes, with git's marks where they conflict. */
  readonly landed: readonly PathChange[];
}

/** `net`: between mergeBase and head. Throws GitRefusal and OperationalError `limit`. */
export async function inspectRange(
  { policyBase, landing, head }: Pick<PathlessRange, 'policyBase' | 'landing' | 'head'>,
  net: readonly PathChange[],
  commits: readonly CommitFacts[],
  policy: ChangePolicy,
  objects: ObjectStore,
): Promise<RangeContent> {
  // What the base has meanwhile lies beside it: names may meet there that never met in the change.
  const newTree = landing.clean ? landing.tree : head.tree;
  // Git carries an edit to where the base has moved the file meanwhile: what was no workflow in the change lands in one.
  const landed = await diffTrees(objects, policyBase.tree, landing.tree);
  const elsewhere = changesBeside(net, landed);
  const content = await inspectChange(objects, net, { newTree });
  const landedContent = landing.clean ? await inspectChange(objects, elsewhere, { newTree, beside: landed }) : [];
  return {
    content: [...content, ...findingsBeside(content, landedContent)],
    risky: riskyPaths(
      [...net, ...elsewhere, ...commits.flatMap(({ changes }) => changes)],
      await findLinks(objects, newTree),
      policy,
    ),
    landed,
  };
}

/** Those of what lands that are not in the change word for word. */
function changesBeside(net: readonly PathChange[], landed: readonly PathChange[]): readonly PathChange[] {
  const keyOf = ({ path, old, new: now }: PathChange) =>
    `${old?.mode} ${old?.id} ${now?.mode} ${now?.id} ${pathKey(path)}`;
  const known = new Set(net.map(keyOf));
  return landed.filter((each) => !known.has(keyOf(each)));
}

/** The same said of the same path, by which the lines may have moved, is not said twice. */
function findingsBeside(said: readonly ContentFinding[], more: readonly ContentFinding[]): readonly ContentFinding[] {
  const keyOf = ({ rule, weight, path, message }: ContentFinding) => `${rule} ${weight} ${message} ${pathKey(path)}`;
  const known = new Set(said.map(keyOf));
  return more.filter((each) => !known.has(keyOf(each)));
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
