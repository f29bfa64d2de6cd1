/** What has to be asked of the repository about the commits that evidence names, before the judge, who asks nobody. */
import type { Landing, PathlessRange, Relations, VerifiedEvidence } from '../change/types.ts';
import { changeDigest } from '../git/change-digest.ts';
import { parseCommit } from '../git/commit.ts';
import { checkMergeInputs } from '../git/merge-inputs.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { ObjectId, Repository } from '../git/types.ts';

export async function relationsOf(
  evidence: readonly VerifiedEvidence[],
  range: PathlessRange,
  inRange: ReadonlySet<ObjectId>,
  repository: Repository,
): Promise<Relations> {
  const pairs = evidence.flatMap((each) => namedPairs(each, range));
  const ids = new Set(pairs.flatMap(({ base, head }) => [base, head].filter((each) => each !== undefined)));
  const trees = new Map<ObjectId, ObjectId>();
  const inBase = new Set<ObjectId>();
  const landings = new Map<ObjectId, Landing>();
  for (const id of ids) {
    const tree = await treeOf(id, repository);
    if (tree === undefined) continue;
    trees.set(id, tree);
    if (await repository.isAncestor(id, range.policyBase.id)) inBase.add(id);
    landings.set(id, await landingOf(id, { range, inRange, inBase, repository }));
  }
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
  return {
    inBase: (id) => inBase.has(id),
    isAncestor: (ancestor, of) => ancestors.has(`${ancestor} ${of}`),
    treeOf: (id) => trees.get(id),
    landingOf: (id) => landings.get(id) ?? { kind: 'unverifiable' },
    changeDigest: (base, head) => digests.get(`${base} ${head}`),
  };
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
  if ((await repository.objects.look(id))?.type !== 'commit') return undefined;
  return parseCommit(await repository.objects.read(id, 'commit')).tree;
}

interface LandingContext {
  readonly range: PathlessRange;
  readonly inRange: ReadonlySet<ObjectId>;
  readonly inBase: ReadonlySet<ObjectId>;
  readonly repository: Repository;
}

/**
 * Merged onto mergeBase, it has to make exactly the tree of head. Equal trees alone are not enough: the attested tree, landed
 * word for word after the base moved on, takes back what the base has changed. Nor is an equal patch id, which does not see
 * indentation.
 */
async function landingOf(id: ObjectId, { range, inRange, inBase, repository }: LandingContext): Promise<Landing> {
  if (inRange.has(id)) return { kind: 'identity' };
  // What is in the base already can be no part of the change, even of one that changes nothing.
  if (inBase.has(id)) return { kind: 'residual', clean: true };
  const [base] = await repository.mergeBases(range.mergeBase.id, id);
  const theirs = await treeOf(id, repository);
  const before = base === undefined ? undefined : await treeOf(base, repository);
  if (before === undefined || theirs === undefined) return { kind: 'residual', clean: false };
  // Git merges blobs without looking whether they are what their names say.
  await checkMergeInputs(repository.objects, before, range.mergeBase.tree, theirs);
  const { clean, tree } = await repository.mergeTree(range.mergeBase.id, id);
  return clean && tree === range.head.tree ? { kind: 'replay' } : { kind: 'residual', clean, tree };
}
