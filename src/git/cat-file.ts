/**
 * Reads objects through one long-lived `git cat-file --batch-command --buffer`:
 *
 *     contents e69de29bb2d1d6434b8b29ae775ad8c2e48c5391     ->  e69de29b… blob 0\n\n
 *     info e69de29bb2d1d6434b8b29ae775ad8c2e48c5391         ->  e69de29b… blob 0\n
 *     flush                                                      e69de29b… missing\n
 *
 * git-cat-file, "BATCH OUTPUT". Answers come in the order of the questions, of which some hundreds are under way at once.
 * What git hands over is hashed again: it does not compare a loose object with its name, and its index could say anything.
 */
import { createHash } from 'node:crypto';
import { OperationalError, quoted } from '../diag/index.ts';
import type { GitProcess } from '../io/index.ts';
import { gitFailure, patienceSeconds, type StartGit } from './command.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectFormat, ObjectId, ObjectStore, ObjectType } from './types.ts';

export interface OpenedObjects extends ObjectStore {
  close(): void;
}

/** `maxObjectBytes`: instead of the usual caps, where a reader states none of its own. */
export function openObjects(start: StartGit, format: ObjectFormat, maxObjectBytes?: number): OpenedObjects {
  const line = questions(start);
  const cache = recentlyRead();
  const missing = (id: ObjectId) =>
    new GitRefusal('missing-object', `there is no object ${quoted(id)} in the repository`, [
      'fetch the whole repository again: git fetch --refetch',
    ]);
  return {
    format,
    read: async (id, type, maxBytes = maxObjectBytes ?? usualCaps[type]) => {
      // An id from elsewhere must not become another line of git's input.
      if (!isId(id, format)) throw missing(id);
      const known = cache.find(id);
      const object = known ?? (await line.ask({ command: 'contents', id, maxBytes }));
      if (object === undefined) throw missing(id);
      if (object.size > maxBytes) throw tooLarge(id, object.type, object.size, maxBytes);
      if (object.type !== type) throw mismatch(id, `it is a ${object.type}, and should be a ${type}`);
      if (known === undefined) {
        checkHash(id, object, format);
        if (type === 'tree' || type === 'commit') cache.keep(id, object);
      }
      return { id, type, bytes: object.bytes };
    },
    look: async (id) => {
      if (!isId(id, format)) return undefined;
      const found = await line.ask({ command: 'info', id, maxBytes: 0 });
      return found === undefined ? undefined : { type: found.type, size: found.size };
    },
    close: line.close,
  };
}

const mebibyte = 1024 * 1024;

const usualCaps: Readonly<Record<ObjectType, number>> = {
  blob: 64 * mebibyte,
  tree: 16 * mebibyte,
  commit: 16 * mebibyte,
  tag: 16 * mebibyte,
};

function checkHash(id: ObjectId, { type, bytes }: Answer, format: ObjectFormat): void {
  const name = createHash(format).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
  if (name !== id) throw mismatch(id, `its bytes have the name ${name}`);
}

function mismatch(id: ObjectId, why: string): GitRefusal {
  return new GitRefusal('object-mismatch', `the object ${id} is not what its name says: ${why}`, [
    'do not use this repository: clone it anew, and run git fsck in this one to see what is wrong',
  ]);
}

function tooLarge(id: ObjectId, type: ObjectType, size: number, max: number): GitRefusal {
  return new GitRefusal('object-too-large', `the ${type} ${id} has ${size} bytes, and the cap is ${max}`, [
    'raise the cap with --max-object-bytes if the object is expected',
  ]);
}

// ---------------------------------------------------------------------------------------------------------------------

interface Question {
  readonly command: 'contents' | 'info';
  readonly id: ObjectId;
  readonly maxBytes: number;
}

/** `bytes` is empty for `info`, and for what is larger than was asked for. */
interface Answer {
  readonly type: ObjectType;
  readonly size: number;
  readonly bytes: Buffer;
}

interface Waiting extends Question {
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

/** Questions under way at most: what lies in git's input and output stays some hundred KiB. */
const window = 512;

interface Questions {
  /** Undefined where there is no such object. */
  ask(question: Question): Promise<Answer | undefined>;
  close(): void;
}

function questions(start: StartGit): Questions {
  let waiting: Waiting[] = [];
  // Those before `head` are answered; those before `sent` are with git.
  let [head, sent] = [0, 0];
  let running = false;
  let failed: unknown;
  let process: GitProcess | undefined;
  let input: ReturnType<typeof pieces> | undefined;

  const send = (to: GitProcess) => {
    if (sent - head > window / 2) return;
    let text = '';
    for (; sent < waiting.length && sent - head < window; sent += 1) {
      text += `${waiting[sent]!.command} ${waiting[sent]!.id}\n`;
    }
    if (text !== '') to.write(`${text}flush\n`);
  };
  /** Ends a git that is about to print what nobody wants; the next one gets the questions that are left. */
  const startOver = () => {
    process?.kill();
    process = undefined;
    sent = head;
  };
  const answerNext = async () => {
    if (process === undefined) {
      process = await start(batchArgs);
      if (failed !== undefined) return process.kill();
      input = pieces(process);
    }
    send(process);
    const question = waiting[head]!;
    const answer = await readAnswer(input!, question);
    head += 1;
    if (answer !== undefined && question.command === 'contents' && answer.size > question.maxBytes) startOver();
    question.resolve(answer);
    if (head >= 4096) {
      waiting = waiting.slice(head);
      sent -= head;
      head = 0;
    }
  };
  const stop = (error: unknown) => {
    failed ??= error;
    process?.kill();
    for (const { reject } of waiting.slice(head)) reject(failed);
    waiting = [];
    [head, sent] = [0, 0];
  };
  const run = async () => {
    running = true;
    try {
      // What is asked for in one go is sent in one go.
      await Promise.resolve();
      while (head < waiting.length) await answerNext();
    } catch (error) {
      stop(error);
    } finally {
      running = false;
    }
  };
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) return reject(failed);
        waiting.push({ ...question, resolve, reject });
        if (!running) void run();
      }),
    close: () => stop(new OperationalError('io', 'the repository was closed')),
  };
}

// Large blobs pass through git in pieces instead of standing in its memory.
const batchArgs = ['-c', 'core.bigFileThreshold=16m', 'cat-file', '--batch-command', '--buffer'];

const header = /^([0-9a-f]{40,64}) (?:(missing)|(commit|tree|blob|tag) (\d{1,15}))$/;

async function readAnswer(input: Pieces, { command, id, maxBytes }: Question): Promise<Answer | undefined> {
  const line = await input.line();
  const [, name, missing, type, digits] = header.exec(line) ?? [];
  if (name !== id) throw nonsense(line);
  if (missing !== undefined) return undefined;
  const size = Number(digits);
  const fact = { type: type as ObjectType, size };
  if (command === 'info' || size > maxBytes) return { ...fact, bytes: Buffer.alloc(0) };
  const bytes = await input.take(size);
  if ((await input.take(1))[0] !== 0x0a) throw nonsense(line);
  return { ...fact, bytes };
}

function nonsense(line: string): OperationalError {
  return new OperationalError('io', `git cat-file printed what it should not: ${quoted(line)}`, {
    hints: ['run git fsck in the repository, then try again'],
  });
}

// ---------------------------------------------------------------------------------------------------------------------

interface Pieces {
  /** Up to the next line end, which is taken off; at most 200 bytes. */
  line(): Promise<string>;
  take(length: number): Promise<Buffer>;
}

/** The output of a process in the portions that are wanted. Its end before that is an error. */
function pieces(process: GitProcess): Pieces {
  let piece: Buffer = Buffer.alloc(0);
  const more = async () => {
    const next = await process.read(patienceSeconds);
    if (next !== undefined) return next;
    const { stderr } = await process.ended;
    throw gitFailure(batchArgs, stderr);
  };
  return {
    line: async () => {
      let end = piece.indexOf(0x0a);
      while (end === -1) {
        if (piece.length > 200) throw nonsense(piece.toString('latin1', 0, 200));
        piece = Buffer.concat([piece, await more()]);
        end = piece.indexOf(0x0a);
      }
      const line = piece.toString('latin1', 0, Math.min(end, 201));
      piece = piece.subarray(end + 1);
      return line;
    },
    take: async (length) => {
      // Bytes of their own: an object that is kept must not keep alive all that was read with it. Small ones share a few KiB.
      const bytes = Buffer.allocUnsafe(length);
      let have = 0;
      while (have < length) {
        if (piece.length === 0) piece = await more();
        const copied = piece.copy(bytes, have);
        piece = piece.subarray(copied);
        have += copied;
      }
      return bytes;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------------

const maxKept = 48 * mebibyte;
const maxKeptObject = 2 * mebibyte;
/** What an entry costs beside its bytes, roughly. */
const overhead = 256;

/**
 * Trees and commits read last: the diffs of neighbouring commits read the same trees, and so do walks the same commits. Two
 * generations: what nobody asked for while the younger one filled up is forgotten with the older.
 */
function recentlyRead() {
  let young = new Map<ObjectId, Answer>();
  let old = young;
  let total = 0;
  const keep = (id: ObjectId, object: Answer): void => {
    if (object.size > maxKeptObject || young.has(id)) return;
    young.set(id, object);
    total += object.size + overhead;
    if (total < maxKept / 2) return;
    old = young;
    young = new Map();
    total = 0;
  };
  const find = (id: ObjectId): Answer | undefined => {
    const found = young.get(id) ?? old.get(id);
    if (found !== undefined) keep(id, found);
    return found;
  };
  return { find, keep };
}
