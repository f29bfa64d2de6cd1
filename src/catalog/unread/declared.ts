/**
 * Declared packages of ecosystems that are not read yet, and manifests without a lockfile. None of it is in the inventory,
 * and "no packages found" for a project with a yarn.lock would be a lie: so each is named as a gap.
 */
import { baseOf, parentOf } from '../../archive/path.ts';
import { asObject, parseJsonObject } from '../npm/json.ts';
import { type Cataloger, type Found, Unreadable } from '../types.ts';
import { declaredKinds } from './declared-kinds.ts';
import { kindFinder } from './kinds.ts';
import { type Manifest, manifests, maxManifest, npmLocks } from './manifests.ts';
import { sayUnread, type UnreadFile } from './say.ts';

type Fact =
  | { readonly role: 'unread'; readonly kind: number; readonly tree: string }
  /** One that states dependencies. */
  | { readonly role: 'manifest'; readonly manifest: Manifest }
  /** npm's lockfile, which is read elsewhere: the directories, relative to its own, whose dependencies it resolves. */
  | { readonly role: 'npm-lock'; readonly members: ReadonlySet<string> };

const locateKind = kindFinder(declaredKinds);
const locateManifest = kindFinder(manifests);

/** Of the others only the path matters, but a wanted file is held while it passes; a larger one is named by the core. */
const maxHeld = 64 * 2 ** 20;

export const unreadDeclared: Cataloger<Fact> = {
  id: 'unread/declared',
  kind: 'declared',
  unread: true,
  maxBytes: (path) => (locateManifest(path) === undefined ? maxHeld : maxManifest),
  wants: ({ path }) =>
    locateKind(path) !== undefined || locateManifest(path) !== undefined || npmLocks.includes(baseOf(path)),
  read: ({ path, bytes }) => {
    const located = locateKind(path);
    if (located !== undefined) return { role: 'unread', ...located };
    if (npmLocks.includes(baseOf(path))) return { role: 'npm-lock', members: membersOf(bytes) };
    const manifest = manifests[locateManifest(path)?.kind ?? -1];
    return manifest?.statesDependencies(bytes) ? { role: 'manifest', manifest } : undefined;
  },
  assemble: (found, context) => {
    const locks = new Map(found.filter(({ fact }) => fact.role !== 'manifest').map((each) => [each.path, each]));
    sayUnread(
      found.flatMap((each) => unreadFile(each, locks)),
      context,
    );
    return [];
  },
};

function unreadFile({ path, fact }: Found<Fact>, locks: ReadonlyMap<string, Found<Fact>>): readonly UnreadFile[] {
  if (fact.role === 'npm-lock') return [];
  if (fact.role === 'unread') return [{ path, tree: fact.tree, what: declaredKinds[fact.kind]!.what }];
  if (isLocked(path, fact.manifest, locks)) return [];
  return [{ path, tree: directoryOf(path), what: fact.manifest.what }];
}

/**
 * By a lockfile beside it or above it. One that is not read is a gap itself, so nothing is lost by believing that it covers
 * all below; npm's is read and is no gap, so a directory that it does not list has nobody else to speak for it.
 */
function isLocked(path: string, { locks: names }: Manifest, locks: ReadonlyMap<string, Found<Fact>>): boolean {
  const own = parentOf(path);
  for (let directory = own; ; directory = parentOf(directory)) {
    for (const name of names) {
      const lock = locks.get(directory === '' ? name : `${directory}/${name}`);
      if (lock === undefined) continue;
      if (lock.fact.role !== 'npm-lock' || directory === own) return true;
      if (lock.fact.members.has(own.slice(directory === '' ? 0 : directory.length + 1))) return true;
    }
    if (directory === '') return false;
  }
}

/** Workspaces and linked directories: the keys of `packages` outside node_modules. Format 1 knows none. */
function membersOf(bytes: Buffer): ReadonlySet<string> {
  try {
    const packages = asObject(parseJsonObject(bytes, maxHeld)['packages']) ?? {};
    return new Set(Object.keys(packages).filter((key) => !/(?:^|\/)node_modules\//.test(key)));
  } catch (error) {
    // The cataloger of this lockfile names what is wrong with it.
    if (error instanceof Unreadable) return new Set();
    throw error;
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
