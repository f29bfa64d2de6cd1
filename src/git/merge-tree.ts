/**
 * Replays merges with `git merge-tree --stdin -z --name-only --no-messages`, one line `OURS THEIRS` for each, which prints
 *
 *     1 NUL TREE NUL NUL                      clean
 *     0 NUL TREE NUL a.txt NUL b NUL NUL      conflicts, with the paths
 *
 * git-merge-tree, "OUTPUT". It prints nothing before its output is full or its input ends, so one process answers what was
 * asked for while the one before was busy. Ids only: names of refs would stand in conflict markers.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import type { GitProcess } from '../io/index.ts';
import { gitFailure, runCommand, type StartGit } from './command.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectFormat, ObjectId } from './types.ts';

export interface Merged {
  readonly clean: boolean;
  readonly tree: ObjectId;
}

export type Merge = (ours: ObjectId, theirs: ObjectId) => Promise<Merged>;

/**
 * Time that git may still take for all merges of a repository together. Where merges cross, git merges their bases first, and
 * the bases of those: some dozens of tiny commits keep it busy for years.
 */
export interface MergeBudget {
  seconds: number;
}

export function mergeBudget(): MergeBudget {
  return { seconds: 120 };
}

/** For one batch without an answer. One merge takes some milliseconds, in the largest repositories a second. */
const patienceSeconds = 30;

/** `settings`: `-c` options of git. */
export function openMerges(
  start: StartGit,
  format: ObjectFormat,
  budget: MergeBudget = mergeBudget(),
  settings: readonly string[] = [],
): Merge {
  const args = [
    ...settings,
    'merge-tree',
    '--stdin',
    '-z',
    '--name-only',
    '--no-messages',
    '--allow-unrelated-histories',
  ];
  let waiting: WaitingMerge[] = [];
  let running = false;
  const run = async () => {
    running = true;
    await Promise.resolve();
    const size = batchSizes();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, size.now());
      waiting = waiting.slice(batch.length);
      const { left, seconds } = await runBatch({ start, args, format, budget }, batch);
      size.learn(seconds, left.length > 0);
      waiting = [...left, ...waiting];
    }
    running = false;
  };
  return (ours, theirs) =>
    new Promise((resolve, reject) => {
      if (!isId(ours, format) || !isId(theirs, format)) return reject(noCommit(ours, theirs));
      waiting.push({ ours, theirs, resolve, reject });
      if (!running) void run();
    });
}

/**
 * More than two: folded from the left, each result a commit in the private directory. After a conflict git's octopus gives
 * up; so does this. An octopus knows no renames; before git 2.50 merge-tree always does, so that one which needed them
 * away counts as unexplained there.
 */
export async function mergeMany(merge: Merge, start: StartGit, parents: readonly ObjectId[]): Promise<Merged> {
  const [first = '', ...others] = parents;
  let [ours, result]: [ObjectId, Merged | undefined] = [first, undefined];
  for (const [index, theirs] of others.entries()) {
    result = await merge(ours, theirs);
    if (!result.clean || index === others.length - 1) return result;
    const args = ['commit-tree', result.tree, '-p', ours, '-p', theirs, '-m', 'merge'];
    ours = (await runCommand(start, args)).stdout.trim();
  }
  throw new OperationalError('usage', 'a merge has at least two parents');
}

interface WaitingMerge {
  readonly ours: ObjectId;
  readonly theirs: ObjectId;
  resolve(merged: Merged): void;
  reject(error: unknown): void;
}

/** Since git hands its answers over late, quick merges are asked for in large batches, and slow ones in small ones. */
function batchSizes() {
  let [size, most] = [16, 1024];
  return {
    now: () => size,
    learn: (seconds: number, isCut: boolean) => {
      if (isCut) most = Math.max(1, Math.floor(size / 16));
      size = Math.min(most, seconds < 2 ? size * 8 : seconds > 10 ? Math.ceil(size / 4) : size);
    },
  };
}

function noCommit(ours: string, theirs: string): OperationalError {
  return new OperationalError('malformed', `${quoted(ours)} and ${quoted(theirs)} are no two ids of commits`);
}

interface Batches {
  readonly start: StartGit;
  readonly args: readonly string[];
  readonly format: ObjectFormat;
  readonly budget: MergeBudget;
}

interface BatchEnd {
  /** Those that are still to be asked for: behind one that git dies of, it looked at no others. */
  readonly left: readonly WaitingMerge[];
  readonly seconds: number;
}

/** Answers what git answers, rejects the one that it dies of. Of several, the one that keeps it busy is asked for again alone. */
async function runBatch({ start, args, format, budget }: Batches, batch: readonly WaitingMerge[]): Promise<BatchEnd> {
  let answered = 0;
  let process: GitProcess | undefined;
  try {
    if (budget.seconds <= 0)
      throw tooSlow(batch[0]!, 'all merges together take git too long, and it is one of those left');
    process = await start(args);
    process.write(batch.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join(''));
    process.end();
    const words = wordsOf(process, budget.seconds);
    for (const { resolve } of batch) {
      const merged = await readMerged(words, format);
      if (merged === undefined) break;
      answered += 1;
      resolve(merged);
    }
    if (answered < batch.length) batch[answered]!.reject(gitFailure(args, (await process.ended).stderr));
  } catch (error) {
    const isSilent = process?.wasSilent() === true;
    if (isSilent && batch.length > 1) answered -= 1;
    else batch[answered]!.reject(isSilent ? tooSlow(batch[answered]!, 'it alone takes git too long') : error);
  } finally {
    process?.kill();
  }
  const seconds = process?.age() ?? 0;
  budget.seconds -= seconds;
  return { left: batch.slice(answered + 1), seconds };
}

function tooSlow({ ours, theirs }: WaitingMerge, why: string): GitRefusal {
  return new GitRefusal('unsupported-repository', `git cannot redo the merge of ${ours} and ${theirs}: ${why}`, [
    'rebase the change onto the branch of the base: merges that cross each other again and again take git without end',
  ]);
}

/** Undefined where git's output ends instead. */
async function readMerged(words: AsyncIterator<string>, format: ObjectFormat): Promise<Merged | undefined> {
  const next = async () => (await words.next()).value as string | undefined;
  const state = await next();
  if (state === undefined) return undefined;
  const tree = await next();
  if ((state !== '0' && state !== '1') || tree === undefined || !isId(tree, format)) throw nonsense(state);
  for (let path = await next(); path !== ''; path = await next()) {
    if (path === undefined) return undefined;
    if (state === '1') throw nonsense(path);
  }
  return { clean: state === '1', tree };
}

const maxWord = 1024 * 1024;

/** What stands before each NUL. */
async function* wordsOf(process: GitProcess, mostSeconds: number): AsyncGenerator<string> {
  let rest = '';
  for (;;) {
    const left = Math.max(mostSeconds - process.age(), 0.001);
    const piece = await process.read(Math.min(patienceSeconds, left));
    if (piece === undefined) return;
    const words = `${rest}${piece.toString('latin1')}`.split('\0');
    rest = words.pop() ?? '';
    if (rest.length > maxWord) throw nonsense(rest);
    yield* words;
  }
}

function nonsense(text: string): OperationalError {
  return new OperationalError('io', `git merge-tree printed what it should not: ${quoted(text)}`, {
    hints: ['run git fsck in the repository, then try again'],
  });
}
