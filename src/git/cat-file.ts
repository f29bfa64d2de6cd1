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
import { hash } from 'node:crypto';
import { OperationalError, quoted } from '../diag/index.ts';
import type { GitProcess } from '../io/index.ts';
import { gitFailure, isOutOfMemory, type StartGit } from './command.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { GitObject, ObjectFormat, ObjectId, ObjectStore, ObjectType } from './types.ts';

export interface OpenedObjects extends ObjectStore {
  close(): void;
}

/** `maxObjectBytes`: instead of the usual caps, where a reader states none of its own. */
export function openObjects(start: StartGit, format: ObjectFormat, maxObjectBytes?: number): OpenedObjects {
  const line = questions(start, format);
  // Apart: a walk over all commits comes before the diffs, and trees would have driven them out by then.
  const caches = { commit: recentlyRead(maxKept.commit), tree: recentlyRead(maxKept.tree) };
  const cacheOf = (type: ObjectType) => (type === 'commit' || type === 'tree' ? caches[type] : undefined);
  const underway = new Map<ObjectId, Underway>();
  /** What several ask for at the same time is read once. */
  const ask = (id: ObjectId, maxBytes: number): Promise<Answer | undefined> => {
    const other = underway.get(id);
    if (other?.maxBytes === maxBytes) return other.answer;
    const answer = line.ask({ command: 'contents', id, maxBytes }, () => {
      if (underway.get(id)?.answer === answer) underway.delete(id);
    });
    underway.set(id, { maxBytes, answer });
    return answer;
  };
  const missing = (id: ObjectId) =>
    new GitRefusal('missing-object', `there is no object ${quoted(id)} in the repository`, [
      'fetch the whole repository again: git fetch --refetch',
    ]);
  const take = (id: ObjectId, type: ObjectType, maxBytes: number, answer: Answer | undefined): GitObject => {
    if (answer === undefined) throw missing(id);
    const { object } = answer;
    if (object === undefined || answer.size > maxBytes) throw tooLarge(id, answer.type, answer.size, maxBytes);
    if (answer.name !== id) throw mismatch(id, answer.name);
    if (answer.type !== type) throw misnamed(id, answer.type, type);
    cacheOf(type)?.keep(object);
    return object;
  };
  return {
    format,
    kept: (id, type) => cacheOf(type)?.find(id),
    read: async (id, type, maxBytes = maxObjectBytes ?? usualCaps[type]) => {
      const known = cacheOf(type)?.find(id);
      if (known !== undefined) {
        if (known.bytes.length > maxBytes) throw tooLarge(id, type, known.bytes.length, maxBytes);
        return known;
      }
      // An id from elsewhere must not become another line of git's input.
      if (!isId(id, format)) throw missing(id);
      return take(id, type, maxBytes, await ask(id, maxBytes));
    },
    look: async (id) => {
      if (!isId(id, format)) return undefined;
      const found = await line.ask({ command: 'info', id, maxBytes: 0 }, () => {});
      return found === undefined ? undefined : { type: found.type, size: found.size };
    },
    close: line.close,
  };
}

const mebibyte = 1024 * 1024;

/** Bytes, of each type that is kept. Commits of some ten thousand: a range is proved first and read afterwards. */
const maxKept = { commit: 16 * mebibyte, tree: 4 * mebibyte };

const usualCaps: Readonly<Record<ObjectType, number>> = {
  blob: 64 * mebibyte,
  tree: 16 * mebibyte,
  commit: 16 * mebibyte,
  tag: 16 * mebibyte,
};

function mismatch(id: ObjectId, name: string): GitRefusal {
  return new GitRefusal(
    'object-mismatch',
    `the object ${id} is not what its name says: its bytes have the name ${name}`,
    ['do not use this repository: clone it anew, and run git fsck in this one to see what is wrong'],
  );
}

/** It is whole, and whoever named it wrote nonsense: anybody may who can push a ref. */
function misnamed(id: ObjectId, found: ObjectType, type: ObjectType): GitRefusal {
  return new GitRefusal('schema-invalid', `the object ${id} is a ${found}, and should be a ${type}`, [
    'git fsck shows what names it',
  ]);
}

function tooLarge(id: ObjectId, type: ObjectType, size: number, max: number): GitRefusal {
  return new GitRefusal('object-too-large', `the ${type} ${id} has ${size} bytes, and the cap is ${max}`, [
    'raise the cap with --max-object-bytes if the object is expected',
  ]);
}

function noMemory(id: ObjectId): GitRefusal {
  return new GitRefusal('object-too-large', `the object ${id} is larger than git may hold in memory`, [
    'raise the cap with --max-object-bytes if the object is expected',
  ]);
}

// ---------------------------------------------------------------------------------------------------------------------

interface Question {
  readonly command: 'contents' | 'info';
  readonly id: ObjectId;
  readonly maxBytes: number;
}

interface Answer {
  readonly type: ObjectType;
  readonly size: number;
  /** The name that the bytes have. Empty without an object. */
  readonly name: string;
  /** Undefined for `info`, and for what is larger than was asked for. Its id is the one that was asked for. */
  readonly object?: GitObject;
}

interface Underway {
  readonly maxBytes: number;
  readonly answer: Promise<Answer | undefined>;
}

interface Waiting extends Question {
  settled(): void;
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

/** Questions under way at most: what lies in git's input and output stays some hundred KiB. */
const window = 512;
/** Questions that are sent at once while git has others to answer: a write takes longer than several answers. */
const portion = 128;

interface Questions {
  /** Undefined where there is no such object. `settled` is called before anybody who waits goes on. */
  ask(question: Question, settled: () => void): Promise<Answer | undefined>;
  close(): void;
}

function questions(start: StartGit, format: ObjectFormat): Questions {
  let waiting: Waiting[] = [];
  // Those before `head` are answered; those before `sent` are with git.
  let [head, sent] = [0, 0];
  let running = false;
  let failed: unknown;
  let process: GitProcess | undefined;
  let reader: AnswerReader | undefined;

  const send = (to: GitProcess) => {
    const left = waiting.length - sent;
    if (left === 0 || (sent > head && (left < portion || sent - head > window - portion))) return;
    let text = '';
    for (; sent < waiting.length && sent - head < window; sent += 1) {
      text += `${waiting[sent]!.command} ${waiting[sent]!.id}\n`;
    }
    to.write(`${text}flush\n`);
  };
  /** Ends a git that is about to print what nobody wants; the next one gets the questions that are left. */
  const startOver = () => {
    process?.kill();
    process = undefined;
    sent = head;
  };
  /** One after the other out of what git printed, as far as that reaches. */
  const answerFrom = (piece: Buffer) => {
    reader!.add(piece);
    while (head < sent) {
      const question = waiting[head]!;
      const answer = reader!.next(question);
      if (answer === 'more') return;
      head += 1;
      if (answer !== undefined && question.command === 'contents' && answer.size > question.maxBytes) startOver();
      question.settled();
      question.resolve(answer);
    }
    if (process !== undefined) reader!.checkEmpty();
  };
  const forgetAnswered = () => {
    if (head < 4096) return;
    waiting = waiting.slice(head);
    sent -= head;
    head = 0;
  };
  /** What git printed before its end was read: it dies of the question that comes next. */
  const giveUpOne = (stderr: string) => {
    const question = waiting[head];
    const failure = gitFailure(batchArgs, stderr);
    if (!isOutOfMemory(stderr) || question === undefined) throw failure;
    head += 1;
    startOver();
    question.settled();
    question.reject(noMemory(question.id));
  };
  const answerSome = async () => {
    if (process === undefined) {
      process = await start(batchArgs);
      if (failed !== undefined) return process.kill();
      reader = answerReader(format);
    }
    send(process);
    const piece = await process.read(patienceSeconds);
    if (failed !== undefined) return;
    if (piece === undefined) return giveUpOne((await process.ended).stderr);
    answerFrom(piece);
    forgetAnswered();
  };
  const stop = (error: unknown) => {
    failed ??= error;
    process?.kill();
    for (const { settled, reject } of waiting.slice(head)) {
      settled();
      reject(failed);
    }
    waiting = [];
    [head, sent] = [0, 0];
  };
  const run = async () => {
    running = true;
    try {
      do {
        // Whoever got an answer asks for more at once: what is asked for in one go is sent in one go.
        await new Promise(setImmediate);
        if (head < waiting.length) await answerSome();
      } while (head < waiting.length);
    } catch (error) {
      stop(error);
    } finally {
      running = false;
    }
  };
  return {
    ask: ({ command, id, maxBytes }, settled) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) return reject(failed);
        waiting.push({ command, id, maxBytes, settled, resolve, reject });
        if (!running) void run();
      }),
    close: () => stop(new OperationalError('io', 'the repository was closed')),
  };
}

/** Git answers from what it has mapped: where it says nothing at all, it waits for a pipe or for a disk that is gone. */
const patienceSeconds = 30;

// Large blobs pass through git in pieces instead of standing in its memory.
const batchArgs = ['-c', 'core.bigFileThreshold=16m', 'cat-file', '--batch-command', '--buffer'];

// ---------------------------------------------------------------------------------------------------------------------

/** Takes git's output apart. Nothing in it waits: thousands of answers come in pieces of 64 KiB. */
interface AnswerReader {
  add(piece: Buffer): void;
  /** `more`: the answer is not all there yet. Ask with the same question until it is. */
  next(question: Question): Answer | 'more' | undefined;
  /** Throws where git printed more than it was asked for. */
  checkEmpty(): void;
}

/** An object that is being put together. */
interface Begun {
  readonly type: ObjectType;
  /** Where it starts in `bytes`, behind the header that is hashed with it. */
  readonly start: number;
  readonly bytes: Buffer;
  have: number;
}

const headerLine = /^([0-9a-f]{40,64}) (?:(missing)|(commit|tree|blob|tag) (\d{1,15}))$/;
const longestHeader = 200;

function answerReader(format: ObjectFormat): AnswerReader {
  let piece: Buffer = Buffer.alloc(0);
  let at = 0;
  let begun: Begun | undefined;
  const takeLine = (): string | undefined => {
    const end = piece.indexOf(0x0a, at);
    if ((end < 0 ? piece.length : end) - at > longestHeader) {
      throw nonsense(piece.toString('latin1', at, at + longestHeader));
    }
    if (end < 0) return undefined;
    const line = piece.toString('latin1', at, end);
    at = end + 1;
    return line;
  };
  const fill = (question: Question, object: Begun): Answer | 'more' => {
    const copied = piece.copy(object.bytes, object.have, at);
    at += copied;
    object.have += copied;
    if (object.have < object.bytes.length || at === piece.length) return 'more';
    if (piece[at] !== 0x0a) throw nonsense(piece.toString('latin1', at, at + 1));
    at += 1;
    begun = undefined;
    return finish(question.id, object, format);
  };
  return {
    add: (next) => {
      piece = at < piece.length ? Buffer.concat([piece.subarray(at), next]) : next;
      at = 0;
    },
    next: (question) => {
      if (begun !== undefined) return fill(question, begun);
      const line = takeLine();
      if (line === undefined) return 'more';
      const [, name, missing, type, digits] = headerLine.exec(line) ?? [];
      if (name !== question.id) throw nonsense(line);
      if (missing !== undefined) return undefined;
      const size = Number(digits);
      const fact = { type: type as ObjectType, size, name: '' };
      if (question.command === 'info' || size > question.maxBytes) return fact;
      begun = begin(fact.type, size);
      return fill(question, begun);
    },
    checkEmpty: () => {
      if (at < piece.length) throw nonsense(piece.toString('latin1', at, at + longestHeader));
    },
  };
}

/**
 * Bytes of their own, and not out of the pool for small buffers: an object that is kept must not keep alive what was read with
 * it, nor the path of a change, which is made meanwhile and stays to the end, the trees around it.
 */
function begin(type: ObjectType, size: number): Begun {
  const header = `${type} ${size}\0`;
  const bytes = Buffer.allocUnsafeSlow(header.length + size);
  return { type, start: header.length, bytes, have: bytes.write(header, 'latin1') };
}

function finish(id: ObjectId, { type, start, bytes }: Begun, format: ObjectFormat): Answer {
  const object = { id, type, bytes: bytes.subarray(start) };
  return { type, size: object.bytes.length, name: hash(format, bytes, 'hex'), object };
}

function nonsense(line: string): OperationalError {
  return new OperationalError('io', `git cat-file printed what it should not: ${quoted(line)}`, {
    hints: ['run git fsck in the repository, then try again'],
  });
}

// ---------------------------------------------------------------------------------------------------------------------

const maxKeptObject = mebibyte;
/** What an entry costs beside its bytes, roughly: for a tree, half as much again (tree.ts). */
const overhead = 512;

/**
 * Trees and commits read last: the diffs of neighbouring commits read the same trees, and so do walks the same commits. Two
 * generations: what nobody asked for while the younger one filled up is forgotten with the older.
 */
function recentlyRead(most: number) {
  let young = new Map<ObjectId, GitObject>();
  let old = young;
  let total = 0;
  const keep = (object: GitObject): void => {
    const size = object.bytes.length;
    if (size > maxKeptObject) return;
    young.set(object.id, object);
    total += size + overhead;
    if (total < most / 2) return;
    old = young;
    young = new Map();
    total = 0;
  };
  const find = (id: ObjectId): GitObject | undefined => {
    const found = young.get(id);
    if (found !== undefined || old === young) return found;
    const before = old.get(id);
    if (before !== undefined) keep(before);
    return before;
  };
  return { find, keep };
}
