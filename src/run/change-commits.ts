/** The commits of a range as facts: parsed and hashed again, signatures checked, merges replayed, trees compared. */
import { type CommitSigners, verifyCommitSignature } from '../change/commit-signature.ts';
import { findSigns, signOfKey } from '../change/signs/index.ts';
import type { CommitFacts, MergeFacts, Sign } from '../change/types.ts';
import { parseCommit } from '../git/commit.ts';
import { GitRefusal } from '../git/refusal.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { ObjectId, PathChange, Repository } from '../git/types.ts';
import { findUnrelated } from './change-unrelated.ts';

export interface ReadCommits {
  /** Parents before children. */
  readonly facts: readonly CommitFacts[];
  readonly signedOffByAgent: ReadonlyMap<ObjectId, Sign>;
}

export async function readCommits(
  ids: readonly ObjectId[],
  repository: Repository,
  signers: CommitSigners,
): Promise<ReadCommits> {
  const signedOffByAgent = new Map<ObjectId, Sign>();
  const read = await mapInOrder(ids, manyAtOnce, async (id): Promise<Omit<CommitFacts, 'changes'>> => {
    const parsed = parseCommit(await repository.objects.read(id, 'commit'));
    const { signature: _, ...commit } = parsed;
    const { signs, bot, signedOffByAgent: signoff } = findSigns(commit);
    if (signoff !== undefined) signedOffByAgent.set(id, signoff);
    const signature = await verifyCommitSignature(parsed, signers);
    const key =
      signature.state === 'good' && signature.signer.kind === 'ssh'
        ? signOfKey(signature.signer.fingerprint)
        : undefined;
    return { commit, signs: key === undefined ? signs : [key, ...signs], ...(bot !== undefined && { bot }), signature };
  });
  const commits = read.map(({ commit }) => commit);
  const trees = new Map(commits.map(({ id, tree }) => [id, tree]));
  const treeOf = async (id: ObjectId): Promise<ObjectId> =>
    trees.get(id) ?? parseCommit(await repository.objects.read(id, 'commit')).tree;
  const merges = startReplays(commits, repository);
  const unrelated = await findUnrelated(commits, repository);
  const facts = await mapInOrder(read, manyAtOnce, async (known): Promise<CommitFacts> => {
    const { commit } = known;
    const merge = await merges.get(commit.id);
    const apart = unrelated.get(commit.id);
    return {
      ...known,
      ...(merge !== undefined && { merge }),
      ...(apart !== undefined && { unrelated: apart }),
      changes: await changesOf(commit, merge, repository, treeOf),
    };
  });
  checkConnected(facts, new Set(ids));
  return { facts, signedOffByAgent };
}

/** Objects are asked for in one stream: enough at once that it never runs dry, few enough to hold. */
const manyAtOnce = 64;

/** Each takes processes of git; the most that anybody is known to have merged at once is 66. */
const maxParents = 100;

/** All of them before anything is waited for, so that one git makes many. */
function startReplays(
  commits: readonly CommitFacts['commit'][],
  repository: Repository,
): ReadonlyMap<ObjectId, Promise<MergeFacts>> {
  const merges = commits.filter(({ parents }) => parents.length > 1);
  return new Map(
    merges.map((commit) => {
      const replayed = replay(commit, repository);
      // Whoever awaits it sees why it failed; where something else failed before, nobody does.
      replayed.catch(() => {});
      return [commit.id, replayed];
    }),
  );
}

/** Never `--first-parent`: what a merge brings beyond its parents shows in no ordinary diff. */
async function replay(commit: CommitFacts['commit'], repository: Repository): Promise<MergeFacts> {
  const [one, other, ...more] = commit.parents;
  if (commit.parents.length > maxParents) {
    throw new GitRefusal(
      'unsupported-repository',
      `the commit ${commit.id} merges ${commit.parents.length} parents, and at most ${maxParents} are replayed`,
      ['merge them in several steps'],
    );
  }
  const made = await nameCommit(commit.id, () =>
    more.length === 0 ? repository.mergeTree(one!, other!) : repository.mergeTreeOf(commit.parents),
  );
  if (!made.clean) return { replay: 'conflict', expectedTree: made.tree };
  return { replay: made.tree === commit.tree ? 'clean' : 'residual', expectedTree: made.tree };
}

/** Git's refusal of a merge knows its parents, which nobody looks for. */
async function nameCommit<Result>(id: ObjectId, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    throw new GitRefusal(error.rule, `the merge ${id} cannot be replayed: ${error.message}`, error.hints, error);
  }
}

async function changesOf(
  commit: CommitFacts['commit'],
  merge: MergeFacts | undefined,
  repository: Repository,
  treeOf: (id: ObjectId) => Promise<ObjectId>,
): Promise<readonly PathChange[]> {
  if (merge?.replay === 'clean') return [];
  if (merge !== undefined) return diffTrees(repository.objects, merge.expectedTree, commit.tree);
  const [parent] = commit.parents;
  const before = parent === undefined ? undefined : await treeOf(parent);
  return diffTrees(repository.objects, before, commit.tree);
}

/**
 * git said which commits these are; that they hang together is seen from objects that were hashed again. Every one but the
 * last is a parent of another one.
 */
function checkConnected(facts: readonly CommitFacts[], inRange: ReadonlySet<ObjectId>): void {
  const named = new Set(facts.flatMap(({ commit }) => commit.parents));
  const loose = facts.slice(0, -1).find(({ commit }) => !named.has(commit.id));
  if (loose === undefined && inRange.size === facts.length) return;
  throw new GitRefusal('object-mismatch', 'the commits that git lists for the range do not hang together', [
    'do not use this repository: clone it anew, and run git fsck',
  ]);
}

/** The results in the order of the items, with at most `width` under way. The first that fails ends it. */
export async function mapInOrder<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
