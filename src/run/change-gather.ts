/** Everything that a range of commits is judged, or approved, by: the same facts, gathered in one place. */
import type { CommitFacts, PathlessRange, Sign } from '../change/types.ts';
import { changeDigest } from '../git/change-digest.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { ObjectId, PathChange, Repository } from '../git/types.ts';
import { readCommits } from './change-commits.ts';
import { inspectRange, type RangeContent } from './change-content.ts';
import type { ChangePolicy } from './change-policy.ts';
import type { FoundRange } from './change-range.ts';
import { type GatheredSigns, gatherSigns } from './change-signs.ts';

export interface GatheredRange extends RangeContent {
  readonly range: PathlessRange;
  /** Between mergeBase and head. */
  readonly net: readonly PathChange[];
  /** Parents before children. */
  readonly commits: readonly CommitFacts[];
  readonly signedOffByAgent: ReadonlyMap<ObjectId, Sign>;
  readonly signs: GatheredSigns;
}

/** `headRef`: the branch of the change, where it has a name. `now`: milliseconds. Throws OperationalError and GitRefusal. */
export async function gatherRange(
  found: FoundRange,
  policy: ChangePolicy,
  headRef: string | undefined,
  now: number,
  repository: Repository,
): Promise<GatheredRange> {
  const net = await diffTrees(repository.objects, found.mergeBase.tree, found.head.tree);
  const range: PathlessRange = { ...found, changeDigest: await changeDigest(repository.objects, net) };
  const { facts: commits, signedOffByAgent } = await readCommits(found.ids, repository, { ...policy.signers, now });
  const signs = await gatherSigns(commits, range, headRef, repository);
  const inspected = await inspectRange(range, net, commits, policy, repository.objects);
  return { range, net, commits, signedOffByAgent, signs, ...inspected };
}
