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
import { gitFailure, patienceSeconds, runCommand, type StartGit } from './command.ts';
import { isId } from './refs.ts';
import type { ObjectFormat, ObjectId } from './types.ts';

export interface Merged {
  readonly clean: boolean;
  readonly tree: ObjectId;
}

export type Merge = (ours: ObjectId, theirs: ObjectId) => Promise<Merged>;

/** `settings`: `-c` options of git. */
export function openMerges(start: StartGit, format: ObjectFormat, settings: readonly string[] = []): Merge {
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
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      // Behind one that git dies of, the others were not looked at.
      waiting = [...(await runBatch(start, args, format, batch)), ...waiting];
    }
    running = false;
  };
  return (ours, theirs) =>
    new Promise((resolve, reject) => {
      if (!isId(ours, format) || !isId(theirs, format)) return reject(noCommit(ours, theirs));
      waiting.push({ line: `${ours} ${theirs}\n`, resolve, reject });
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
  readonly line: string;
  resolve(merged: Merged): void;
  reject(error: unknown): void;
}

const maxBatch = 1000;

function noCommit(ours: string, theirs: string): OperationalError {
  return new OperationalError('malformed', `${quoted(ours)} and ${quoted(theirs)} are no two ids of commits`);
}

/** Answers what git answers, rejects the one that it dies of; gives those that are still to be asked for. */
async function runBatch(
  start: StartGit,
  args: readonly string[],
  format: ObjectFormat,
  batch: readonly WaitingMerge[],
): Promise<readonly WaitingMerge[]> {
  let answered = 0;
  let process: GitProcess | undefined;
  try {
    process = await start(args);
    process.write(batch.map(({ line }) => line).join(''));
    process.end();
    const words = wordsOf(process);
    for (const { resolve } of batch) {
      const merged = await readMerged(words, format);
      if (merged === undefined) break;
      answered += 1;
      resolve(merged);
    }
    if (answered === batch.length) return [];
    const { stderr } = await process.ended;
    batch[answered]!.reject(gitFailure(args, stderr));
  } catch (error) {
    batch[answered]!.reject(error);
  } finally {
    process?.kill();
  }
  return batch.slice(answered + 1);
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
async function* wordsOf(process: GitProcess): AsyncGenerator<string> {
  let rest = '';
  for (;;) {
    const piece = await process.read(patienceSeconds);
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
