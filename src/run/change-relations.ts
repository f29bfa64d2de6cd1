/** What has to be asked of the repository about the commits that evidence names, before the judge, who asks nobody. */
import type { CommitSigners } from '../change/commit-signature.ts';
import type { CommitFacts, Landing, PathlessRange, Relations, VerifiedEvidence } from '../change/types.ts';
import { changeDigest } from '../git/change-digest.ts';
import { parseCommit } from '../git/commit.ts';
import { findCommit } from '../git/find-commit.ts';
import { checkMergeInputs } from '../git/merge-inputs.ts';
import { pathKey } from '../git/path-text.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { Commit, ObjectId, Repository } from '../git/types.ts';
import { readCommits } from './change-commits.ts';

export async function relationsOf(
  evidence: readonly VerifiedEvidence[],
  range: PathlessRange,
  inRange: ReadonlySet<ObjectId>,
  repository: Repository,
  signers: CommitSigners,
): Promise<Relations> {
  const pairs = evidence.flatMap((each) => namedPairs(each, range));
  const ids = new Set(pairs.flatMap(({ base, head }) => [base, head].filter((each) => each !== undefined)));
  const trees = new Map<ObjectId, ObjectId>();
  const inBase = new Set<ObjectId>();
  const landings = new Map<ObjectId, Landing>();
  const rewritten = new Map<ObjectId, readonly ObjectId[]>();
  for (const id of ids) {
    const tree = await treeOf(id, repository);
    if (tree === undefined) continue;
    trees.set(id, tree);
    if (await repository.isAncestor(id, range.policyBase.id)) inBase.add(id);
    landings.set(id, await landingOf(id, { range, inRange, inBase, rewritten, repository }));
  }
  await markParts(landings, inBase, repository);
  const ancestors = new Set<string>();
  const digests = new Map<string, string>();
  for (const { base, head, needsDigest } of pairs) {
    if (base === undefined || head === undefined || !trees.has(base) || !trees.has(head)) continue;
    if (await repository.isAncestor(base, head)) ancestors.add(`${base} ${head}`);
    const key = `${base} ${head}`;
    if (!needsDigest || digests.has(key)) continue;
    const changes = await diffTrees(repository.objects, trees.get(base), trees.get(head)!);
    digests.set(key, await changeDigest(repository.objects, changes));
  }
  const approved = await approvedPaths(evidence, range, repository);
  const facts = await readRewritten(rewritten, repository, signers);
  return {
    inBase: (id) => inBase.has(id),
    isAncestor: (ancestor, of) => ancestors.has(`${ancestor} ${of}`),
    treeOf: (id) => trees.get(id),
    landingOf: (id) => landings.get(id) ?? { kind: 'unverifiable' },
    changeDigest: (base, head) => digests.get(`${base} ${head}`),
    approvedPaths: (head) => approved.get(head),
    rewritten: facts,
  };
}

/** What came before the last of several statements was squashed with it, and cannot be replayed to the end alone. */
async function markParts(
  landings: Map<ObjectId, Landing>,
  inBase: ReadonlySet<ObjectId>,
  repository: Repository,
): Promise<void> {
  const ends = [...landings].flatMap(([id, { kind }]) => (kind === 'replay' ? [id] : []));
  for (const [id, { kind }] of [...landings]) {
    if (kind !== 'residual' || inBase.has(id)) continue;
    for (const end of ends) {
      if (!(await repository.isAncestor(id, end))) continue;
      landings.set(id, { kind: 'before' });
      break;
    }
  }
}

interface NamedPair {
  readonly base: ObjectId | undefined;
  readonly head: ObjectId | undefined;
  readonly needsDigest: boolean;
}

function namedPairs({ statement }: VerifiedEvidence, range: PathlessRange): readonly NamedPair[] {
  switch (statement.kind) {
    case 'agent-change': {
      const { subject, baseCommit, changeDigest: stated } = statement;
      const head = subject.commit ?? range.head.id;
      return [{ base: baseCommit, head, needsDigest: subject.kind === 'change' || stated !== undefined }];
    }
    case 'approval':
      return [{ base: statement.mergeBase, head: statement.head, needsDigest: false }];
    case 'review-coverage':
      return [{ base: statement.baseAtMerge, head: statement.reviewedHead ?? statement.commit, needsDigest: false }];
    case 'policy-decision':
      return [{ base: undefined, head: statement.commit, needsDigest: false }];
    default:
      return [];
  }
}

/** A commit that the repository does not have, or that is none, has no tree. */
async function treeOf(id: ObjectId, repository: Repository): Promise<ObjectId | undefined> {
  return (await findCommit(repository.objects, id))?.tree;
}

interface LandingContext {
  readonly range: PathlessRange;
  /** Parents before children. */
  readonly inRange: ReadonlySet<ObjectId>;
  readonly inBase: ReadonlySet<ObjectId>;
  /** To the end of what was squashed or rebased: its commits, parents before children. */
  readonly rewritten: Map<ObjectId, readonly ObjectId[]>;
  readonly repository: Repository;
}

/**
 * Merged onto mergeBase, it has to make exactly the tree of head. Equal trees alone are not enough: the attested tree, landed
 * word for word after the base moved on, takes back what the base has changed. Nor is an equal patch id, which does not see
 * indentation.
 */
async function landingOf(id: ObjectId, context: LandingContext): Promise<Landing> {
  const { range, inRange, inBase, rewritten, repository } = context;
  if (inRange.has(id)) return { kind: 'identity' };
  // What is in the base already can be no part of the change, even of one that changes nothing.
  if (inBase.has(id)) return { kind: 'residual', clean: true };
  if (!(await areMergeable(range.mergeBase, id, repository))) return { kind: 'residual', clean: false };
  const { clean, tree } = await repository.mergeTree(range.mergeBase.id, id);
  if (!clean || tree !== range.head.tree) return { kind: 'residual', clean, tree };
  const attested = await repository.listRange(range.policyBase.id, id);
  const known = [...rewritten.values()].reduce((sum, { length }) => sum + length, 0);
  if (known + attested.length > maxRewritten) {
    const why = `${id} and other commits that evidence names have more than ${maxRewritten} commits before them that are not in the base, and who made all of them is not looked up`;
    return { kind: 'residual', clean, tree, why };
  }
  rewritten.set(id, attested);
  return { kind: 'replay', commits: await replayedCommits(attested, context) };
}

/** Git merges blobs without looking whether they are what their names say. False where there is nothing to merge. */
async function areMergeable(
  ours: { readonly id: ObjectId; readonly tree: ObjectId },
  theirs: ObjectId,
  repository: Repository,
): Promise<boolean> {
  const [common] = await repository.mergeBases(ours.id, theirs);
  const [before, tree] = [
    common === undefined ? undefined : await treeOf(common, repository),
    await treeOf(theirs, repository),
  ];
  if (before === undefined || tree === undefined) return false;
  await checkMergeInputs(repository.objects, before, ours.tree, tree);
  return true;
}

const maxReplays = 5000;

/** Behind everything that evidence names. */
const maxRewritten = 10_000;

/**
 * Whoever made a commit made the change, also where a squash does not say so. They are read as those of the range are: what
 * counts of them is who signed them, and whose addresses they bear.
 */
async function readRewritten(
  rewritten: ReadonlyMap<ObjectId, readonly ObjectId[]>,
  repository: Repository,
  signers: CommitSigners,
): Promise<readonly CommitFacts[]> {
  const found = new Map<ObjectId, CommitFacts>();
  for (const [end, ids] of rewritten) {
    if (found.has(end)) continue;
    for (const facts of (await readCommits(ids, repository, signers)).facts) found.set(facts.commit.id, facts);
  }
  return [...found.values()];
}

/** From what they have in common with the base, which their author did not choose. */
async function approvedPaths(
  evidence: readonly VerifiedEvidence[],
  { policyBase, head: current }: PathlessRange,
  repository: Repository,
): Promise<ReadonlyMap<ObjectId, ReadonlySet<string>>> {
  const found = new Map<ObjectId, ReadonlySet<string>>();
  for (const head of new Set(evidence.flatMap(approvedHead))) {
    const tree = head === current.id ? undefined : await treeOf(head, repository);
    if (tree === undefined) continue;
    const [common, ...others] = await repository.mergeBases(policyBase.id, head);
    const base = common === undefined || others.length > 0 ? undefined : await treeOf(common, repository);
    if (base === undefined) continue;
    const changes = await diffTrees(repository.objects, base, tree);
    found.set(head, new Set(changes.map(({ path }) => pathKey(path))));
  }
  return found;
}

function approvedHead({ statement }: VerifiedEvidence): readonly ObjectId[] {
  if (statement.kind === 'approval') return [statement.head];
  const reviewed = statement.kind === 'review-coverage' ? (statement.reviewedHead ?? statement.commit) : undefined;
  return reviewed === undefined ? [] : [reviewed];
}

/**
 * Rewritten, the last tree says nothing of what was added on the way and taken back: each commit of the range has to be what one
 * of the attested commits makes on the base that this commit has.
 */
async function replayedCommits(attested: readonly ObjectId[], context: LandingContext): Promise<ReadonlySet<ObjectId>> {
  const { range, inRange, repository } = context;
  const replayed = new Set([range.head.id]);
  if (inRange.size === 1) return replayed;
  const trees = new Map<ObjectId, ReadonlyMap<ObjectId, ObjectId>>();
  for (const { commit, base } of await basesOf(context)) {
    if (!trees.has(base) && (trees.size + 1) * attested.length > maxReplays) continue;
    const made = trees.get(base) ?? (await treesOn(base, attested, repository));
    trees.set(base, made);
    const from = made.get(commit.tree);
    const tree = from === undefined ? undefined : await treeOf(base, repository);
    if (from === undefined || tree === undefined) continue;
    if (await areMergeable({ id: base, tree }, from, repository)) replayed.add(commit.id);
  }
  return replayed;
}

/** Each commit of the range with the newest commit of the base that it has; without those for which that is not one. */
async function basesOf({
  range,
  inRange,
  repository,
}: LandingContext): Promise<readonly { readonly commit: Commit; readonly base: ObjectId }[]> {
  const found = new Map<ObjectId, { readonly commit: Commit; readonly base: ObjectId }>();
  // Parents before children.
  for (const id of inRange) {
    const commit = parseCommit(await repository.objects.read(id, 'commit'));
    const [parent, ...others] = commit.parents;
    const bases =
      others.length > 0
        ? await repository.mergeBases(id, range.policyBase.id)
        : [parent !== undefined && inRange.has(parent) ? found.get(parent)?.base : parent];
    const [base, ...more] = bases;
    if (base !== undefined && more.length === 0) found.set(id, { commit, base });
  }
  return [...found.values()];
}

/** What merging each of the commits onto the base makes, to the commit. */
async function treesOn(
  base: ObjectId,
  commits: readonly ObjectId[],
  repository: Repository,
): Promise<ReadonlyMap<ObjectId, ObjectId>> {
  const merged = await Promise.all(commits.map(async (id) => ({ id, ...(await repository.mergeTree(base, id)) })));
  return new Map(merged.flatMap(({ id, clean, tree }) => (clean ? [[tree, id] as const] : [])));
}
