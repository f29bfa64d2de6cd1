/**
 * Commits between two others, and what they have in common. Git walks, and is not believed: it reads commits without looking
 * whether they are what their names say, and one forged commit behind the base could make a whole range disappear. So
 * what it lists is only a proposal of what to read. Read and hashed again, the commits must bear it out:
 *
 *  - every parent of a commit in the range is in the range, before it, or is one of the border;
 *  - every commit of the border is reached from the base through commits that were hashed.
 *
 * Then whatever head has and base has not is in the range.
 */
import { OperationalError } from '../diag/index.ts';
import { runCommand, type StartGit, streamCommand } from './command.ts';
import { readParents } from './links.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectId, ObjectStore } from './types.ts';

export interface ProvedRange {
  /** Parents before children. */
  readonly ids: readonly ObjectId[];
  /** Commits that base has too, where the range begins. Empty: the histories are unrelated. */
  readonly border: ReadonlySet<ObjectId>;
}

export async function proveRange(
  start: StartGit,
  objects: ObjectStore,
  base: ObjectId,
  head: ObjectId,
): Promise<ProvedRange> {
  const ids = await revList(start, objects, [head], base);
  const border = new Set<ObjectId>();
  const before = new Set<ObjectId>();
  const parents = await readParents(objects, ids);
  for (const id of ids) {
    for (const parent of parents.get(id) ?? []) {
      if (before.has(parent)) continue;
      if (parents.has(parent)) throw liar('it lists a commit before its parent');
      border.add(parent);
    }
    before.add(id);
  }
  if (!before.has(head)) {
    if (ids.length > 0) throw liar('it lists a range without its head');
    border.add(head);
  }
  await proveReached(start, objects, [base], border);
  return { ids, border };
}

export async function mergeBases(
  start: StartGit,
  objects: ObjectStore,
  { border }: ProvedRange,
  one: ObjectId,
  other: ObjectId,
): Promise<readonly ObjectId[]> {
  const { stdout } = await runCommand(start, ['merge-base', '--all', one, other], [0, 1]);
  const bases = stdout.split('\n').filter((line) => line !== '');
  // Common ancestors are the border and what lies behind it: the best ones stand in the border, and reach all of it.
  if (!bases.every((id) => border.has(id))) throw liar('it names a common ancestor that is none');
  await proveReached(start, objects, bases, border);
  return bases;
}

export async function isAncestor(
  start: StartGit,
  objects: ObjectStore,
  ancestor: ObjectId,
  of: ObjectId,
): Promise<boolean> {
  const { code } = await runCommand(start, ['merge-base', '--is-ancestor', ancestor, of], [0, 1]);
  // A no is not proved: nothing is granted for it.
  if (code === 0) await proveReached(start, objects, [of], new Set([ancestor]));
  return code === 0;
}

/** Whether one commit is an ancestor of all of these, or is one of them. A no is not proved: nothing is granted for it. */
export async function shareAncestor(start: StartGit, objects: ObjectStore, ids: readonly ObjectId[]): Promise<boolean> {
  let common = ids[0];
  for (let at = 1; at < ids.length && common !== undefined; at += mostArguments) {
    const args = ['merge-base', '--octopus', common, ...ids.slice(at, at + mostArguments)];
    const { stdout } = await runCommand(start, args, [0, 1]);
    common = stdout.split('\n').find((line) => line !== '');
  }
  if (common === undefined || !isId(common, objects.format)) return ids.length === 0;
  const later = await revList(start, objects, ids, common);
  const parents = await readParents(objects, later);
  const reaching = new Set([common]);
  // Parents before children.
  for (const id of later) if (parents.get(id)?.some((parent) => reaching.has(parent)) === true) reaching.add(id);
  if (!ids.every((id) => reaching.has(id))) throw liar('it names a common ancestor that is none');
  return true;
}

const mostArguments = 1000;

/**
 * That each target is reached from one of the tips through parents that were hashed. Git lists the newest commits first,
 * each behind one of its children; we read along until all targets were met, which is soon.
 */
async function proveReached(
  start: StartGit,
  objects: ObjectStore,
  tips: readonly ObjectId[],
  targets: ReadonlySet<ObjectId>,
): Promise<void> {
  const left = new Set(targets);
  const reached = new Set(tips);
  for (const tip of tips) left.delete(tip);
  if (left.size === 0) return;
  const read = async (ids: readonly ObjectId[]) => {
    const parents = await readParents(objects, ids);
    for (const id of ids) {
      if (!reached.has(id)) throw liar(`it lists ${id} behind commits of which it is no parent`);
      for (const parent of parents.get(id) ?? []) {
        reached.add(parent);
        left.delete(parent);
      }
    }
  };
  const lists = listed(start, objects, ['rev-list', '--stdin'], tips.map((id) => `${id}\n`).join(''));
  for await (const ids of lists) {
    for (let at = 0; at < ids.length; at += portion) {
      await read(ids.slice(at, at + portion));
      if (left.size === 0) return;
    }
  }
  throw liar(`it takes ${[...left][0]} for an ancestor, and no parents lead there`);
}

/** Few at first: most bases are a few commits ahead. */
const portion = 128;

function liar(why: string): GitRefusal {
  return new GitRefusal('object-mismatch', `git and the objects of the repository do not agree: ${why}`, [
    'do not use this repository: clone it anew, and run git fsck in this one to see what is wrong',
  ]);
}

const maxCommits = 2_000_000;

async function revList(
  start: StartGit,
  objects: ObjectStore,
  heads: readonly ObjectId[],
  base: ObjectId,
): Promise<readonly ObjectId[]> {
  const args = ['rev-list', '--topo-order', '--reverse', '--stdin'];
  const pieces: (readonly ObjectId[])[] = [];
  let count = 0;
  for await (const ids of listed(start, objects, args, `${heads.join('\n')}\n^${base}\n`)) {
    pieces.push(ids);
    count += ids.length;
    if (count <= maxCommits) continue;
    throw new OperationalError('limit', `there are more than ${maxCommits} commits to judge`, {
      hints: ['judge a smaller range'],
    });
  }
  return pieces.flat();
}

/** Ids as git prints them, piece by piece. Whoever stops early ends git. */
async function* listed(
  start: StartGit,
  objects: ObjectStore,
  args: readonly string[],
  input: string,
): AsyncGenerator<readonly ObjectId[]> {
  let rest = '';
  for await (const piece of streamCommand(start, args, input)) {
    const lines = `${rest}${piece.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > 100 || !lines.every((line) => isId(line, objects.format))) {
      throw liar('it lists something that is no commit');
    }
    yield lines;
  }
  if (rest !== '') throw liar('its list breaks off');
}
