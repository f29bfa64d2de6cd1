/**
 * Which commits are judged. Three are kept apart: policyBase, the tip of the protected branch, whose policy applies;
 * mergeBase, where the range starts; and head. The base usually moves on while a change waits.
 */

import type { NamedCommit, PathlessRange } from '../change/types.ts';
import { plural, quoted } from '../diag/index.ts';
import { parseCommit } from '../git/commit.ts';
import { GitRefusal, type OpenedRepository, parseRangeText, type Revision, resolveRevision } from '../git/index.ts';
import { checkMergeInputs } from '../git/merge-inputs.ts';
import type { ObjectId, Repository } from '../git/types.ts';

export interface FoundRange extends Omit<PathlessRange, 'changeDigest'> {
  readonly base: Revision;
  /** Both as they were written. */
  readonly named: { readonly base: string; readonly head: string };
  /** Parents before children; at least one. */
  readonly ids: readonly ObjectId[];
  /** Commits of policyBase that the change does not have. */
  readonly behind: number;
}

/** Throws GitRefusal for what cannot be judged, and OperationalError. */
export async function findRange(text: string, repository: OpenedRepository): Promise<FoundRange> {
  const named = parseRangeText(text);
  const base = await resolveRevision(repository, named.base);
  const head = await resolveRevision(repository, named.head);
  const [mergeBase, ...others] = await repository.mergeBases(base.id, head.id);
  if (mergeBase === undefined) {
    throw new GitRefusal(
      'unrelated-histories',
      `${quoted(named.base)} and ${quoted(named.head)} have no common ancestor`,
      ['check that both are of one repository: a change starts from a commit of its base'],
    );
  }
  if (others.length > 0) {
    throw new GitRefusal(
      'range-ambiguous',
      `${quoted(named.base)} and ${quoted(named.head)} have ${plural(others.length + 1, 'best common ancestor')}, so where the change starts cannot be said`,
      [`merge or rebase the change onto ${named.base}, and judge the result`],
    );
  }
  const ids = await repository.listRange(base.id, head.id);
  if (ids.length === 0) throw emptyRange(named, base, head);
  const start = await namedCommit({ id: mergeBase }, repository);
  const policyBase = await namedCommit(base, repository);
  const end = await namedCommit(head, repository);
  const land = async () => {
    // Git merges blobs without looking whether they are what their names say.
    await checkMergeInputs(repository.objects, start.tree, policyBase.tree, end.tree);
    return repository.mergeTree(base.id, head.id);
  };
  // Git walks by the dates of commits, and lists the base itself where theirs lie before its own.
  const beyond = mergeBase === base.id ? [] : repository.listRange(head.id, base.id);
  const [landing, behind] = await Promise.all([land(), beyond]);
  return {
    base,
    named,
    policyBase,
    mergeBase: start,
    head: end,
    landing,
    ids,
    behind: behind.length,
  };
}

function emptyRange(named: FoundRange['named'], base: Revision, head: Revision): GitRefusal {
  const isSame = base.id === head.id;
  const why = isSame ? 'both are the same commit' : `${quoted(named.base)} has all of ${quoted(named.head)} already`;
  const isBranch = /^refs\/(?:heads|remotes)\//.test(base.ref ?? '') && !/^(?:HEAD|@)$/.test(named.base);
  return new GitRefusal('range-empty', `there is no commit in the range: ${why}`, [
    'name the branch of the change behind the two dots: BASE..HEAD is what HEAD has and BASE has not',
    ...(isSame ? [] : [`or is it the other way round? ${named.head}..${named.base}`]),
    ...(isBranch ? [`after a merge, judge what landed: ${named.base}~1..${named.base}`] : []),
  ]);
}

async function namedCommit({ id, ref }: Pick<Revision, 'id' | 'ref'>, repository: Repository): Promise<NamedCommit> {
  const { tree } = parseCommit(await repository.objects.read(id, 'commit'));
  return { id, tree, ...(ref !== undefined && { ref }) };
}

/**
 * The branch that is judged has to be the one that the policy is for: a change that waits for one branch says nothing about
 * another, and a tag or a bare commit is no branch. Returns a remark where BASE is not its tip.
 */
export async function checkBaseRef(
  { base, named }: Pick<FoundRange, 'base' | 'named'>,
  repository: Repository,
  wanted: string,
  stated: string | undefined,
): Promise<readonly string[]> {
  if (stated !== undefined && stated !== wanted) throw mismatch(`--base-ref ${stated}`, wanted, named.head);
  const { ref, id } = base;
  if (ref !== undefined) {
    if (branchOf(ref) !== wanted) throw mismatch(ref, wanted, named.head);
    return [];
  }
  if (stated !== undefined) return [];
  const short = wanted.replace(/^refs\/heads\//, '');
  const tips = tipsOf(repository, wanted);
  const same = tips.find(([, tip]) => tip === id);
  if (same !== undefined) return [];
  for (const [name, tip] of tips) {
    if (await repository.isAncestor(id, tip)) {
      const ahead = (await repository.listRange(id, tip)).length;
      return [
        `BASE is ${plural(ahead, 'commit')} behind ${name}: the change is judged by the policy as it was at BASE`,
      ];
    }
  }
  throw new GitRefusal(
    'base-ref-mismatch',
    `nothing says that the commit ${id} is of ${wanted}, the branch that the policy is for`,
    [
      `name the branch instead: ${short}..${named.head} or origin/${short}..${named.head}`,
      `or vouch for it: --base-ref ${wanted}`,
    ],
  );
}

/** `refs/remotes/origin/main` is what the branch was when it was fetched. */
export function branchOf(ref: string): string {
  const remote = /^refs\/remotes\/[^/]+\/(.+)$/.exec(ref)?.[1];
  return remote === undefined ? ref : `refs/heads/${remote}`;
}

/** The branch here, and as one remote has it. Of several remotes it is `origin`: another may be anybody's fork. */
function tipsOf({ refs }: Repository, wanted: string): readonly (readonly [ref: string, tip: ObjectId])[] {
  const all = [...refs].filter(([name]) => branchOf(name) === wanted);
  const remote = all.filter(([name]) => name !== wanted);
  const origin = remote.filter(([name]) => name.startsWith('refs/remotes/origin/'));
  return [...all.filter(([name]) => name === wanted), ...(remote.length > 1 ? origin : remote)];
}

function mismatch(got: string, wanted: string, head: string): GitRefusal {
  return new GitRefusal('base-ref-mismatch', `the policy is for ${wanted}, and what is judged is ${got}`, [
    `judge against the branch that the policy is for: ${wanted}..${head}`,
    'or correct changes.baseRef in the policy on its branch',
  ]);
}
