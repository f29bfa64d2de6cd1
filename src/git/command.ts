/** Runs git commands, and says in our words why one failed. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { GitProcess } from '../io/index.ts';
import { GitRefusal } from './refusal.ts';

/** Starts git with these arguments in the private directory. */
export type StartGit = (args: readonly string[]) => Promise<GitProcess>;

/** How long git may say nothing where it walks a whole history before it prints. */
const patienceSeconds = 120;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
}

/** The whole output of a command that ends with one of these codes; every other end is an error. */
export async function runCommand(
  start: StartGit,
  args: readonly string[],
  codes: readonly number[] = [0],
): Promise<CommandResult> {
  const pieces: Buffer[] = [];
  let length = 0;
  const output = streamCommand(start, args, '', codes);
  for (;;) {
    const { done, value } = await output.next();
    if (done === true) return { code: value, stdout: Buffer.concat(pieces).toString('latin1') };
    pieces.push(value);
    length += value.length;
    if (length <= maxOutput) continue;
    await output.return(0);
    throw new OperationalError('limit', `git printed more than ${maxOutput} bytes`);
  }
}

const maxOutput = 64 * 1024 * 1024;

/** The output piece by piece, then the code that git ended with. Whoever stops early ends git. */
export async function* streamCommand(
  start: StartGit,
  args: readonly string[],
  input: string,
  codes: readonly number[] = [0],
): AsyncGenerator<Buffer, number> {
  const process = await start(args);
  process.write(input);
  process.end();
  try {
    for (;;) {
      const piece = await process.read(patienceSeconds);
      if (piece === undefined) break;
      yield piece;
    }
    const { code, stderr } = await process.ended;
    if (code === undefined || !codes.includes(code)) throw gitFailure(args, stderr);
    return code;
  } finally {
    process.kill();
  }
}

/** What stopped git. Its words are for people; only the ones about objects have a rule of their own. */
export function gitFailure(args: readonly string[], stderr: string): OperationalError {
  const name = args.find((each) => /^[a-z]+(?:-[a-z]+)*$/.test(each)) ?? 'git';
  const said = stderr.trim() === '' ? 'it says nothing' : quoted(stderr.trim(), 600);
  const message = `git ${name} failed: ${said}`;
  if (isOutOfMemory(stderr)) {
    const line = stderr.split('\n').find(isOutOfMemory) ?? '';
    return new GitRefusal('object-too-large', `git ${name} needs more memory than it may have: ${quoted(line, 200)}`, [
      'find the object with: git cat-file --batch-all-objects --batch-check | sort -k3 -n | tail -n 3',
      'raise the cap with --max-object-bytes if the object is expected',
    ]);
  }
  if (/\bcorrupt|hash mismatch|inflate:|bad object header|garbage at end/.test(stderr)) {
    return new GitRefusal('object-mismatch', message, [
      'do not use this repository: clone it anew, and run git fsck in this one to see what is wrong',
    ]);
  }
  if (
    /could not read|unable to read|missing|not a valid|not something we can merge|bad object|unable to find/i.test(
      stderr,
    )
  ) {
    return new GitRefusal('missing-object', message, ['fetch the whole repository again: git fetch --refetch']);
  }
  return new OperationalError('io', message, { hints: ['run git fsck in the repository, then try again'] });
}

/** What git says of the limit in its environment (program.ts), and of a machine that has no more. */
export function isOutOfMemory(stderr: string): boolean {
  return /attempting to (?:allocate|mmap) \d+ over limit|out of memory/i.test(stderr);
}
