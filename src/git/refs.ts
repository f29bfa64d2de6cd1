/**
 * Refs as files. A loose one holds an id, or the name of another ref:
 *
 *     .git/HEAD               ref: refs/heads/main
 *     .git/refs/heads/main    e69de29bb2d1d6434b8b29ae775ad8c2e48c5391
 *     .git/packed-refs        # pack-refs with: peeled fully-peeled sorted
 *                             e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 refs/tags/v1
 *                             ^2ab8…  (what the tag above leads to: not believed, not used)
 *
 * gitrepository-layout, "HEAD", "refs", "packed-refs". A loose ref hides a packed one. A packed-refs file that git would
 * not have written is refused whole; a loose file that holds neither is a broken ref: it is kept by its name, so that the
 * name never silently means something else.
 */
import path from 'node:path';
import { quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { GitDirectory } from './git-directory.ts';
import { readSmall, strictText } from './read-file.ts';
import { isRefName } from './ref-name.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectFormat, ObjectId, Repository } from './types.ts';

export type Refs = Pick<Repository, 'refs' | 'symbolicRefs' | 'brokenRefs' | 'head'>;

export async function readRefs(place: GitDirectory, format: ObjectFormat, world: World): Promise<Refs> {
  const packed = await readSmall(world, path.join(place.common, 'packed-refs'), maxPackedBytes);
  const raw: RawRefs = packed === undefined ? new Map() : parsePackedRefs(packed, format);
  const linked = place.own !== place.common;
  await readLoose(place.common, 'refs', raw, { format, world, skip: linked ? ownRefs : [] });
  if (linked) {
    // Those of the other work tree are not ours, even where they are packed.
    for (const name of raw.keys()) if (ownRefs.some((each) => name.startsWith(`${each}/`))) raw.delete(name);
    for (const name of ownRefs) await readLoose(place.own, name, raw, { format, world, skip: [] });
  }
  const head = await readHead(place, format, world);
  return { ...resolveAll(raw), ...headOf(head, raw) };
}

/** What a ref says: an id, another ref, or nothing that it should. */
export type RawRef = { readonly id: ObjectId } | { readonly to: string } | { readonly broken: string };
type RawRefs = Map<string, RawRef>;

const maxPackedBytes = 256 * 1024 * 1024;
const maxLoose = 1_000_000;
const maxDepth = 64;
/** Kept for each work tree. */
const ownRefs = ['refs/bisect', 'refs/worktree', 'refs/rewritten'];

export function parsePackedRefs(bytes: Buffer, format: ObjectFormat): Map<string, RawRef> {
  const text = bytes.toString('latin1');
  const digits = format === 'sha1' ? 40 : 64;
  const refs: RawRefs = new Map();
  let mayPeel = false;
  for (let at = 0, line = 1; at < text.length; line += 1) {
    const end = text.indexOf('\n', at);
    if (end === -1) throw brokenPacked(line);
    const id = text.slice(at, at + digits);
    if (text[at] === '#' && line === 1) mayPeel = false;
    else if (text[at] === '^') {
      if (!mayPeel || end !== at + 1 + digits || !isId(text.slice(at + 1, end), format)) throw brokenPacked(line);
      mayPeel = false;
    } else {
      if (text[at + digits] !== ' ' || end <= at + digits || !isId(id, format)) throw brokenPacked(line);
      const name = bytes.toString('utf8', at + digits + 1, end);
      if (refs.has(name)) throw brokenPacked(line);
      refs.set(name, nameFault(name) ?? { id });
      mayPeel = true;
    }
    at = end + 1;
  }
  return refs;
}

/** The content of a loose ref. */
export function parseRef(bytes: Buffer, format: ObjectFormat): RawRef {
  const text = strictText(bytes);
  if (text === undefined) return { broken: 'it is no text' };
  const to = /^ref:\s*(\S+)\s*$/.exec(text)?.[1];
  if (to !== undefined) {
    return isRefName(to) ? { to } : { broken: `it stands for ${quoted(to)}, which is no name of a ref` };
  }
  const id = /^([0-9a-f]{40,64})(?:\s|$)/.exec(text)?.[1];
  return id !== undefined && isId(id, format)
    ? { id }
    : { broken: text === '' ? 'its file is empty' : 'it holds no id' };
}

export function isId(text: string, format: ObjectFormat): boolean {
  return (format === 'sha1' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(text);
}

function nameFault(name: string): RawRef | undefined {
  if (name.includes('\ufffd')) return { broken: 'its name is no UTF-8' };
  return isRefName(name) ? undefined : { broken: 'git allows no such name' };
}

function brokenPacked(line: number): GitRefusal {
  return new GitRefusal('unsupported-repository', `line ${line} of packed-refs is not what git writes`, [
    'let git write the file again: git pack-refs --all',
  ]);
}

interface LooseOptions {
  readonly format: ObjectFormat;
  readonly world: World;
  /** Folders by their ref prefix. */
  readonly skip: readonly string[];
}

/** Reads everything below one folder of refs. Its own link is followed (some tools link whole folders), none below it. */
async function readLoose(base: string, prefix: string, refs: RawRefs, options: LooseOptions): Promise<void> {
  const { disk } = options.world;
  if ((await disk.stat(path.join(base, prefix)))?.kind !== 'directory') return;
  const waiting = [prefix];
  let count = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (options.skip.includes(folder)) continue;
    for (const { name: bytes, stat } of disk.list(Buffer.from(path.join(base, folder)))) {
      count += 1;
      const name = `${folder}/${bytes.toString('utf8')}`;
      if (count > maxLoose || name.split('/').length > maxDepth) {
        throw new GitRefusal('unsupported-repository', 'the repository has too many loose refs, or too deep ones', [
          'pack them: git pack-refs --all',
        ]);
      }
      if (stat.kind === 'directory') waiting.push(name);
      // What git writes while it changes a ref, and what desktops leave in folders.
      else if (!(name.endsWith('.lock') || name.includes('/.'))) refs.set(name, await readOne(base, name, options));
    }
  }
}

async function readOne(base: string, name: string, { format, world }: LooseOptions): Promise<RawRef> {
  const fault = nameFault(name);
  if (fault !== undefined) return fault;
  const file = path.join(base, name);
  return world.disk.kindOf(Buffer.from(file)) === 'symlink'
    ? linkedRef(file, world)
    : parseRef((await readSmall(world, file, 64 * 1024)) ?? Buffer.alloc(0), format);
}

/** Before there were symbolic refs, a link stood for another ref. Any other link could lead out of the repository. */
function linkedRef(file: string, world: World): RawRef {
  const to = strictText(world.disk.readLink(Buffer.from(file)));
  if (to !== undefined && isRefName(to)) return { to };
  throw new GitRefusal('unsupported-repository', `the ref ${quoted(file)} is a link to somewhere else`, [
    'remove the link, and set the ref with git update-ref',
  ]);
}

async function readHead(place: GitDirectory, format: ObjectFormat, world: World): Promise<RawRef> {
  const file = path.join(place.own, 'HEAD');
  if (world.disk.kindOf(Buffer.from(file)) === 'symlink') return linkedRef(file, world);
  const head = parseRef((await readSmall(world, file, 64 * 1024)) ?? Buffer.alloc(0), format);
  if ('broken' in head) {
    throw new GitRefusal('unsupported-repository', `HEAD of the repository cannot be read: ${head.broken}`, [
      'name the branch that is meant: git symbolic-ref HEAD refs/heads/main',
    ]);
  }
  return head;
}

/** As many as git follows. */
const maxChain = 5;

function follow(start: RawRef, raw: ReadonlyMap<string, RawRef>): { readonly name?: string; readonly end: RawRef } {
  let end = start;
  let name: string | undefined;
  for (let step = 0; 'to' in end; step += 1) {
    if (step === maxChain) return { end: { broken: 'it stands for a ref that stands for another, and so on' } };
    name = end.to;
    end = raw.get(name) ?? { broken: `it stands for ${quoted(name)}, which is not there` };
  }
  return { ...(name === undefined ? {} : { name }), end };
}

function resolveAll(raw: ReadonlyMap<string, RawRef>): Omit<Refs, 'head'> {
  const [refs, symbolicRefs, brokenRefs] = [
    new Map<string, ObjectId>(),
    new Map<string, string>(),
    new Map<string, string>(),
  ];
  for (const [given, ref] of raw) {
    const { name, end } = follow(ref, raw);
    if ('id' in end) refs.set(given, end.id);
    else brokenRefs.set(given, 'broken' in end ? end.broken : '');
    if (name !== undefined && 'id' in end) symbolicRefs.set(given, name);
  }
  return { refs, symbolicRefs, brokenRefs };
}

/** A branch that has no commit yet is no HEAD; one whose ref is broken is refused. */
function headOf(head: RawRef, raw: ReadonlyMap<string, RawRef>): Pick<Refs, 'head'> {
  const { name, end } = follow(head, raw);
  if ('id' in end) return { head: { id: end.id, ...(name === undefined ? {} : { ref: name }) } };
  if (name === undefined || !raw.has(name)) return {};
  throw new GitRefusal('unsupported-repository', `HEAD stands for ${quoted(name)}, and that is broken`, [
    'look at the branch: git for-each-ref, git fsck',
  ]);
}
