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
import type { Links } from './links.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectFormat, ObjectId } from './types.ts';

/** What a walk needs: git to propose, and hashed commits to bear it out. */
export interface Walker {
  readonly start: StartGit;
  readonly format: ObjectFormat;
  readonly links: Links;
}

export interface ProvedRange {
  /** Parents before children. */
  readonly ids: readonly ObjectId[];
  /** Commits that base has too, where the range begins. Empty: the histories are unrelated. */
  readonly border: ReadonlySet<ObjectId>;
}

export async function proveRange(walker: Walker, base: ObjectId, head: ObjectId): Promise<ProvedRange> {
  const ids = await revList(walker, [head], base);
  const border = new Set<ObjectId>();
  const before = new Set<ObjectId>();
  const parents = await walker.links.read(ids);
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
  await proveReached(walker, [base], border);
  return { ids, border };
}

/** `range`: between the two, one way or the other. It is proved while git looks for what they have in common. */
export async function mergeBases(
  walker: Walker,
  range: Promise<ProvedRange>,
  one: ObjectId,
  other: ObjectId,
): Promise<readonly ObjectId[]> {
  const [{ stdout }, { border }] = await Promise.all([
    runCommand(walker.start, ['merge-base', '--all', one, other], [0, 1]),
    range,
  ]);
  const bases = stdout.split('\n').filter((line) => line !== '');
  // Common ancestors are the border and what lies behind it: the best ones stand in the border, and reach all of it.
  if (!bases.every((id) => border.has(id))) throw liar('it names a common ancestor that is none');
  await proveReached(walker, bases, border);
  return bases;
}

export async function isAncestor(walker: Walker, ancestor: ObjectId, of: ObjectId): Promise<boolean> {
  if (reachKnown(walker.links, [of], new Set([ancestor])).size === 0) return true;
  const { code } = await runCommand(walker.start, ['merge-base', '--is-ancestor', ancestor, of], [0, 1]);
  // A no is not proved: nothing is granted for it.
  if (code === 0) await proveReached(walker, [of], new Set([ancestor]));
  return code === 0;
}

/** Whether one commit is an ancestor of all of these, or is one of them. A no is not proved: nothing is granted for it. */
export async function shareAncestor(walker: Walker, ids: readonly ObjectId[]): Promise<boolean> {
  const { start, format, links } = walker;
  let common = ids[0];
  for (let at = 1; at < ids.length && common !== undefined; at += mostArguments) {
    const args = ['merge-base', '--octopus', common, ...ids.slice(at, at + mostArguments)];
    const { stdout } = await runCommand(start, args, [0, 1]);
    common = stdout.split('\n').find((line) => line !== '');
  }
  if (common === undefined || !isId(common, format)) return ids.length === 0;
  const later = await revList(walker, ids, common);
  const parents = await links.read(later);
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
  { start, format, links }: Walker,
  tips: readonly ObjectId[],
  targets: ReadonlySet<ObjectId>,
): Promise<void> {
  const left = reachKnown(links, tips, targets);
  if (left.size === 0) return;
  const reached = new Set(tips);
  const read = async (ids: readonly ObjectId[]) => {
    const parents = await links.read(ids);
    for (const id of ids) {
      if (!reached.has(id)) throw liar(`it lists ${id} behind commits of which it is no parent`);
      for (const parent of parents.get(id) ?? []) {
        reached.add(parent);
        left.delete(parent);
      }
    }
  };
  const lists = listed(start, format, ['rev-list', '--stdin'], tips.map((id) => `${id}\n`).join(''));
  for await (const ids of lists) {
    for (let at = 0; at < ids.length; at += portion) {
      await read(ids.slice(at, at + portion));
      if (left.size === 0) return;
    }
  }
  throw liar(`it takes ${[...left][0]} for an ancestor, and no parents lead there`);
}

/** The targets that are not reached through what was read before. */
function reachKnown(links: Links, tips: readonly ObjectId[], targets: ReadonlySet<ObjectId>): Set<ObjectId> {
  const left = new Set(targets);
  const seen = new Set(tips);
  const waiting = [...tips];
  for (let id = waiting.pop(); id !== undefined && left.size > 0; id = waiting.pop()) {
    left.delete(id);
    for (const parent of links.known(id) ?? []) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      waiting.push(parent);
    }
  }
  return left;
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
  { start, format }: Walker,
  heads: readonly ObjectId[],
  base: ObjectId,
): Promise<readonly ObjectId[]> {
  const args = ['rev-list', '--topo-order', '--reverse', '--stdin'];
  const pieces: (readonly ObjectId[])[] = [];
  let count = 0;
  for await (const ids of listed(start, format, args, `${heads.join('\n')}\n^${base}\n`)) {
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
  format: ObjectFormat,
  args: readonly string[],
  input: string,
): AsyncGenerator<readonly ObjectId[]> {
  let rest = '';
  for await (const piece of streamCommand(start, args, input)) {
    const lines = `${rest}${piece.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > 100 || !lines.every((line) => isId(line, format))) {
      throw liar('it lists something that is no commit');
    }
    yield lines;
  }
  if (rest !== '') throw liar('its list breaks off');
}
