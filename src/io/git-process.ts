/**
 * Processes of git, and the private folder that they run in. Nothing of this process's environment reaches them but what the
 * caller gives; no shell is involved. Killed with signal 9, this process leaves its private folders behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { OperationalError, quoted } from '../diag/index.ts';

export interface GitHost {
  /**
   * Makes a folder that only this user may enter, below `parent` (the system's folder for temporary files where undefined),
   * with these folders and files by relative path. Gives its path.
   */
  makeFolder(
    parent: string | undefined,
    folders: readonly string[],
    files: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Removes what `makeFolder` made; what is left when this process ends is removed then. */
  removeFolder(folder: string): Promise<void>;
  start(command: GitCommand): Promise<GitProcess>;
}

export interface GitCommand {
  /** Absolute path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Somebody sits before it and may be asked for something: its standard input is that of this process, and what it says on
   * standard error is handed on as it comes.
   */
  readonly attended?: (said: string) => void;
}

export interface GitProcess {
  /** To its standard input, which is never waited for: callers bound what they write ahead. After its end: nothing. */
  write(text: string): void;
  /** Closes its standard input. */
  end(): void;
  /**
   * The next piece of its standard output; undefined at the end. One call at a time. A process that prints nothing for
   * `seconds` is killed, and an OperationalError thrown.
   */
  read(seconds: number): Promise<Buffer | undefined>;
  /** Whether `read` ended it because it printed nothing. */
  wasSilent(): boolean;
  /** How long ago it was started, in seconds. */
  age(): number;
  /** How it ended; standard error is cut after 16 KiB. Resolves once, never rejects. */
  readonly ended: Promise<GitEnd>;
  kill(): void;
}

export interface GitEnd {
  /** Undefined where a signal ended it or it did not start. */
  readonly code?: number;
  readonly stderr: string;
}

export async function makeFolder(
  parent: string | undefined,
  folders: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const below = path.resolve(parent === undefined || parent === '' ? tmpdir() : parent);
  let folder: string;
  try {
    // mkdtemp makes it with mode 0700 and refuses a name that is there.
    folder = mkdtempSync(path.join(below, 'tidewaiter-git-'));
  } catch (cause) {
    const hints = ['name a folder for temporary files with TMPDIR'];
    throw new OperationalError('io', `cannot make a folder in ${quoted(below)}`, { cause, hints });
  }
  keep(folder);
  try {
    for (const each of folders) mkdirSync(path.join(folder, each), { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text, { flag: 'wx' });
  } catch (cause) {
    await removeFolder(folder);
    throw new OperationalError('io', `cannot write to ${quoted(folder)}`, { cause });
  }
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  if (!folders.delete(folder)) return;
  if (folders.size === 0) for (const each of endings) process.removeListener(each, removeAndEnd);
  removeQuietly(folder);
}

export async function start(command: GitCommand): Promise<GitProcess> {
  const child = spawn(command.program, command.args, {
    cwd: command.folder,
    env: command.env,
    stdio: [command.attended === undefined ? 'pipe' : 'inherit', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const begun = performance.now();
  const { stdin, stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('a process without its pipes');
  // A pipe that breaks is seen as the end of the process.
  stdin?.on('error', () => {});
  stdout.on('error', () => {});
  const ended = endOf(child, stderr, command.attended);
  alive.add(child);
  void ended.then(() => alive.delete(child));
  const output: AsyncIterator<Buffer> = stdout.iterator({ destroyOnReturn: false });
  const kill = () => void child.kill('SIGKILL');
  let silent = false;
  return {
    write: (text) => {
      if (stdin?.writable === true) stdin.write(text);
    },
    end: () => void stdin?.end(),
    read: async (seconds) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        kill();
      }, seconds * 1000);
      try {
        // A program that did not start, or was killed, has no proper end of output.
        const value: Buffer | undefined = await output.next().then(
          (next) => (next.done === true ? undefined : next.value),
          () => undefined,
        );
        // What was printed before the end stands; the end of a process that we killed for its silence does not.
        if (value !== undefined || !isLate) return value;
        silent = true;
        throw silence(command, seconds);
      } finally {
        clearTimeout(timer);
      }
    },
    wasSilent: () => silent,
    age: () => (performance.now() - begun) / 1000,
    ended,
    kill,
  };
}

function silence(command: GitCommand, seconds: number): OperationalError {
  const name = command.args.find((each) => /^[a-z]+(?:-[a-z]+)*$/.test(each)) ?? '';
  return new OperationalError('io', `git ${name} has said nothing for ${seconds} s and was ended`, {
    hints: [
      'check that the disk that holds the repository answers, and that all below .git/objects are ordinary files and folders: git waits for ever for a pipe',
    ],
  });
}

const maxErrorText = 16 * 1024;

function endOf(child: ChildProcess, stderr: Readable, attended: GitCommand['attended']): Promise<GitEnd> {
  const pieces: Buffer[] = [];
  let length = 0;
  stderr.on('error', () => {});
  stderr.on('data', (piece: Buffer) => {
    attended?.(piece.toString());
    if (length >= maxErrorText) return;
    pieces.push(piece.subarray(0, maxErrorText - length));
    length += piece.length;
  });
  const said = () => Buffer.concat(pieces).toString();
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ stderr: `${said()}${error.message}` }));
    // Not `close`: that waits for an output which nobody may be reading any more.
    child.once('exit', (code) => {
      const done = () => resolve({ stderr: said(), ...(code === null ? {} : { code }) });
      if (stderr.readableEnded) done();
      else stderr.once('close', done);
    });
  });
}

/** Private folders that are there. */
const folders = new Set<string>();
/** Processes that have not ended. One that waits for a pipe would stay for ever: it does not see that we are gone. */
const alive = new Set<ChildProcess>();
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function keep(folder: string): void {
  if (folders.size === 0) for (const each of endings) process.on(each, removeAndEnd);
  if (!watched) process.once('exit', removeAll);
  watched = true;
  folders.add(folder);
}

let watched = false;

/** Ends the processes, removes the folders, then lets the signal do what it does without us. */
function removeAndEnd(signal: NodeJS.Signals): void {
  removeAll();
  for (const each of endings) process.removeListener(each, removeAndEnd);
  process.kill(process.pid, signal);
}

function removeAll(): void {
  for (const child of alive) child.kill('SIGKILL');
  for (const folder of folders) removeQuietly(folder);
  folders.clear();
}

/** A folder that stays is no reason for another verdict. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {}
}
