/**
 * Names of commits, as people write them: a ref in full or in short, HEAD or @, an id in full or its first digits; behind
 * it `~3`, `^`, `^2`, `^{commit}`. gitrevisions, "Specifying Revisions"; everything else of that page is refused by name.
 * Git takes the first thing that a name could mean. Here a name that could mean two things means none: a tag must not pose as
 * a branch, nor a branch as a commit.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { parentsOf, targetOf } from './links.ts';
import { isNamePart } from './ref-name.ts';
import { isId } from './refs.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectId, ObjectStore, Repository } from './types.ts';

export interface Revision {
  /** Of a commit, its bytes hashed. */
  readonly id: ObjectId;
  /** Full name, where the commit was named by a ref and nothing was counted back from it. */
  readonly ref?: string;
  readonly isTag?: boolean;
}

/** `BASE..HEAD`; what is left out is HEAD. */
export function parseRangeText(text: string): { readonly base: string; readonly head: string } {
  if (text.includes('...')) {
    throw new OperationalError('usage', `${quoted(text)} has three dots`, {
      hints: ['write two: BASE..HEAD. The range starts at the merge base anyway'],
    });
  }
  const [base, head, ...more] = text.split('..');
  if (base === undefined || head === undefined || more.length > 0 || (base === '' && head === '')) {
    throw new OperationalError('usage', `${quoted(text)} is no range of commits`, {
      hints: ['write BASE..HEAD, for example origin/main..HEAD'],
    });
  }
  return { base: base || 'HEAD', head: head || 'HEAD' };
}

export async function resolveRevision(repository: NamedObjects, text: string): Promise<Revision> {
  const { name, steps } = parseRevision(text);
  const found = await findNamed(repository, name);
  const objects = repository.objects;
  let id = await peelToCommit(objects, found.id, text);
  let moved = false;
  for (const step of steps) {
    const parents = parentsOf(await objects.read(id, 'commit'), objects.format);
    const parent = parents[step - 1];
    if (parent === undefined) {
      throw new OperationalError('not-found', `there is no ${quoted(text)}: ${id} has ${parents.length} parents`);
    }
    id = parent;
    moved = true;
  }
  // What steps arrived at must be there, too.
  if (moved) await objects.read(id, 'commit');
  if (moved || found.ref === undefined) return { id };
  return { id, ref: found.ref, ...(found.isTag ? { isTag: true } : {}) };
}

/** As much of a repository as names need. */
export type NamedObjects = Pick<Repository, 'refs' | 'symbolicRefs' | 'brokenRefs' | 'head' | 'objects'> & {
  /** Ids of commits that begin with these digits. */
  findCommits(prefix: string): Promise<readonly ObjectId[]>;
};

const maxSteps = 1_000_000;

/** The name, and which parent to go to in each step. */
export function parseRevision(text: string): { readonly name: string; readonly steps: readonly number[] } {
  const [, name = '', suffixes = ''] = /^([^~^]*)(.*)$/s.exec(text) ?? [];
  const steps: number[] = [];
  let length = 0;
  for (const [suffix, sign, digits] of suffixes.matchAll(/(~|\^)(\d{0,7})(?!\d)(?:\{(?:commit)?\})?/g)) {
    length += suffix.length;
    const braced = suffix.endsWith('}');
    if (braced && (sign === '~' || digits !== '')) throw notAccepted(text);
    const count = digits === '' ? 1 : Number(digits);
    // ^{commit}, ^{} and ^0 ask for the commit itself.
    if (braced || count === 0) continue;
    if (sign === '^') steps.push(count);
    else if (steps.length + count > maxSteps) throw notAccepted(text);
    else for (let each = 0; each < count; each += 1) steps.push(1);
    if (steps.length > maxSteps) throw notAccepted(text);
  }
  if (length !== suffixes.length || !(name === '@' || isNamePart(name)) || name.startsWith('-'))
    throw notAccepted(text);
  return { name, steps };
}

function notAccepted(text: string): OperationalError {
  return new OperationalError('usage', `${quoted(text)} does not name a commit in a way that is read`, {
    hints: [
      'name a branch or tag (main, origin/main, refs/heads/main), HEAD, or an id of 7 digits or more; behind it ~N, ^N and ^{commit} may stand',
      'for everything else give the id: git rev-parse prints it',
    ],
  });
}

interface Named {
  readonly id: ObjectId;
  readonly ref?: string;
  readonly isTag?: boolean;
}

async function findNamed(repository: NamedObjects, name: string): Promise<Named> {
  const found = possibleRefs(name).filter((ref) => repository.refs.has(ref) || repository.brokenRefs.has(ref));
  if (name === '@') return headOf(repository);
  const ids = await possibleIds(repository, name);
  const meanings = [...found, ...ids.map((id) => `the commit ${id}`), ...(name === 'HEAD' ? ['HEAD'] : [])];
  if (meanings.length > 1) throw ambiguous(name, meanings);
  if (name === 'HEAD') return headOf(repository);
  const [ref, id] = [found[0], ids[0]];
  if (ref !== undefined) return named(repository, ref);
  if (id !== undefined) return { id };
  throw notFound(repository, name);
}

/** In git's order. A name that is written in full means that ref and nothing else. */
function possibleRefs(name: string): readonly string[] {
  if (name.startsWith('refs/')) return [name];
  const below = ['', 'tags/', 'heads/', 'remotes/'].map((kind) => `refs/${kind}${name}`);
  return [...below, `refs/remotes/${name}/HEAD`];
}

async function possibleIds(repository: NamedObjects, name: string): Promise<readonly ObjectId[]> {
  if (!/^[0-9a-f]{7,64}$/i.test(name)) return [];
  const digits = name.toLowerCase();
  if (!isId(digits, repository.objects.format)) return repository.findCommits(digits);
  return (await repository.objects.look(digits)) === undefined ? [] : [digits];
}

function headOf(repository: NamedObjects): Named {
  if (repository.head !== undefined) return repository.head;
  throw new OperationalError('not-found', 'HEAD is a branch that has no commit yet', {
    hints: ['check out the commit that is meant, or name it'],
  });
}

function named(repository: NamedObjects, given: string): Named {
  const broken = repository.brokenRefs.get(given);
  const id = repository.refs.get(given);
  if (id === undefined) {
    throw new GitRefusal('unsupported-repository', `the ref ${quoted(given)} is broken: ${broken}`, [
      'look at it: git for-each-ref, git fsck; then set it anew with git update-ref or git fetch',
    ]);
  }
  const ref = repository.symbolicRefs.get(given) ?? given;
  return { id, ref, isTag: ref.startsWith('refs/tags/') };
}

function ambiguous(name: string, meanings: readonly string[]): GitRefusal {
  const shown = meanings.slice(0, 5).map((each) => quoted(each));
  return new GitRefusal('ref-ambiguous', `${quoted(name)} could mean ${shown.join(' or ')}`, [
    name === 'HEAD'
      ? 'write @ for HEAD itself'
      : `write the one that is meant in full: ${meanings.map((each) => each.replace(/^the commit /, '')).join(' or ')}`,
  ]);
}

function notFound(repository: NamedObjects, name: string): OperationalError {
  const tried = possibleRefs(name).map((ref) => quoted(ref));
  const remotes = [...repository.refs.keys()].filter(
    (ref) => /^refs\/remotes\/[^/]+\//.test(ref) && ref.endsWith(`/${name}`),
  );
  const hints = remotes.slice(0, 3).map((ref) => `${quoted(ref)} is there: is that what is meant?`);
  if (/^(?:[A-Z]+_)+HEAD$/.test(name)) {
    // Files of git's own beside the refs: what they hold changes with every command, and is not always one id.
    throw new OperationalError('not-found', `${quoted(name)} is no ref, and is not read`, {
      hints: [`give the id that it has: $(git rev-parse ${name})`],
    });
  }
  return new OperationalError('not-found', `there is no ${quoted(name)}: tried ${tried.join(', ')}`, {
    hints: [
      ...hints,
      ...fetchHints(repository, name),
      'fetch it; a checkout in CI often has no local branches and only some remote ones: name origin/BRANCH, or the commit id',
    ],
  });
}

/** A clone of one branch fetches no other, `git fetch` or not: its refspec has to be written. */
function fetchHints({ refs }: NamedObjects, name: string): readonly string[] {
  const [, remote, branch] = /^(?:refs\/)?(?:remotes\/)?([\w.-]+)\/([\w./-]+)$/.exec(name) ?? [];
  if (remote === undefined || remote.startsWith('-') || branch === undefined) return [];
  const isKnown = [...refs.keys()].some((ref) => ref.startsWith(`refs/remotes/${remote}/`));
  if (remote !== 'origin' && !isKnown) return [];
  return [`git fetch ${remote} +refs/heads/${branch}:refs/remotes/${remote}/${branch}`];
}

/** As many tags of tags as anybody would make. */
const maxTags = 16;

async function peelToCommit(objects: ObjectStore, start: ObjectId, text: string): Promise<ObjectId> {
  let id = start;
  for (let step = 0; step < maxTags; step += 1) {
    const type = (await objects.look(id))?.type ?? 'commit';
    // Throws where it is missing, or is not what its name says; the type that was looked up counts for nothing yet.
    if (type === 'tree' || type === 'blob') {
      throw new OperationalError('usage', `${quoted(text)} is a ${type}, and not a commit`, {
        hints: ['name a commit, a branch or a tag of a commit'],
      });
    }
    const object = await objects.read(id, type);
    if (type === 'commit') return id;
    id = targetOf(object, objects.format).id;
  }
  throw new GitRefusal('unsupported-repository', `${quoted(text)} is a tag of a tag, and so on`, [
    'name the commit itself',
  ]);
}
