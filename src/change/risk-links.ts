/**
 * What lies behind links at paths of high risk. `CLAUDE.md` may be a link to `docs/agents.md`: whoever edits that file edits
 * what the next agent obeys, at a path that looks harmless. So the file, the folder, and every link on the way to it are of
 * high risk too, as the tree has them that lands.
 *
 * Text keys are Latin-1, one character for each byte.
 */
import { OperationalError } from '../diag/index.ts';
import { pathKey } from '../git/path-text.ts';
import { parseTree } from '../git/tree.ts';
import type { ObjectId, ObjectStore, PathChange } from '../git/types.ts';
import { foldPath } from './risk.ts';
import type { RiskyPath } from './types.ts';

/** A link of a tree, by its path. */
export interface TreeLink {
  readonly path: Buffer;
  readonly id: ObjectId;
  readonly target: Buffer;
}

/** Every link of a tree that could be checked out. Throws GitRefusal as the store does, and OperationalError `limit`. */
export async function findLinks(store: ObjectStore, root: ObjectId): Promise<readonly TreeLink[]> {
  const folders = await readFolders(store, root);
  const places = placesOf(folders, root);
  const targets = new Map<ObjectId, Buffer>();
  const ids = [...new Set(places.map(({ id }) => id))];
  for (let at = 0; at < ids.length; at += width) {
    const some = ids.slice(at, at + width);
    const blobs = await Promise.all(some.map(async (id) => targetOf(store, id)));
    some.forEach((id, index) => void targets.set(id, blobs[index]!));
  }
  return places.map(({ path, id }) => ({ path: Buffer.from(path, 'latin1'), id, target: targets.get(id)! }));
}

/** `risky`: those of the links that stand at a path of high risk. Gives the changes that reach what they lead to. */
export function findRisksBehind(
  changes: readonly PathChange[],
  links: readonly TreeLink[],
  risky: readonly RiskyPath[],
): readonly RiskyPath[] {
  const byPath = new Map(links.map(({ path, target }) => [pathKey(path), pathKey(target)]));
  const behind = new Map<string, string>();
  const budget = { steps: mostSteps };
  // Links that lead to links share the most of their ways.
  const known = new Set<string>();
  for (const { path, reason } of risky) {
    const why = `${reason}, behind the link ${path.toString()}`;
    for (const place of placesBehind(pathKey(path), byPath, budget)) {
      if (known.has(place)) continue;
      known.add(place);
      const key = foldPath(Buffer.from(place, 'latin1'));
      if (!behind.has(key)) behind.set(key, why);
    }
  }
  if (behind.size === 0) return [];
  return changes.flatMap(({ path }) => {
    const reason = reasonFor(foldPath(path), behind);
    return reason === undefined ? [] : [{ path, reason }];
  });
}

/** Trees and links that are asked for at once. */
const width = 64;
const maxLinks = 100_000;
const maxPath = 4096;
/** As Linux does. */
const maxHops = 40;
/** Names that all links together lead through: far beyond any real tree, and some seconds. */
const mostSteps = 5_000_000;

interface Folder {
  readonly links: readonly { readonly name: string; readonly id: ObjectId }[];
  readonly folders: readonly { readonly name: string; readonly id: ObjectId }[];
}

/** Each tree once, however often it stands in others: few trees can stand for billions of paths. */
async function readFolders(store: ObjectStore, root: ObjectId): Promise<ReadonlyMap<ObjectId, Folder>> {
  const found = new Map<ObjectId, Folder>();
  const seen = new Set([root]);
  const waiting = [root];
  while (waiting.length > 0) {
    const ids = waiting.splice(-width);
    const trees = await Promise.all(ids.map(async (id) => parseTree(await store.read(id, 'tree'))));
    for (const [index, id] of ids.entries()) {
      const named = (mode: string) =>
        trees[index]!.filter((entry) => entry.mode === mode).map((entry) => ({
          name: pathKey(entry.name),
          id: entry.id,
        }));
      const folder = { links: named('120000'), folders: named('040000') };
      found.set(id, folder);
      for (const inner of folder.folders) if (!seen.has(inner.id)) waiting.push(inner.id);
      for (const inner of folder.folders) seen.add(inner.id);
    }
  }
  return found;
}

/** Goes only where there are links below. */
function placesOf(
  folders: ReadonlyMap<ObjectId, Folder>,
  root: ObjectId,
): readonly { readonly path: string; readonly id: ObjectId }[] {
  const linked = withLinks(folders);
  const places: { readonly path: string; readonly id: ObjectId }[] = [];
  const waiting = [{ path: '', id: root }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { links, folders: inner } = folders.get(next.id)!;
    for (const { name, id } of links) places.push({ path: `${next.path}${name}`, id });
    for (const { name, id } of inner) {
      const path = `${next.path}${name}/`;
      // Nobody can check out what is longer.
      if (linked.has(id) && path.length <= maxPath) waiting.push({ path, id });
    }
    if (places.length + waiting.length <= maxLinks) continue;
    throw new OperationalError('limit', `the tree that would land holds more than ${maxLinks} symbolic links`);
  }
  return places;
}

function withLinks(folders: ReadonlyMap<ObjectId, Folder>): ReadonlySet<ObjectId> {
  const above = new Map<ObjectId, ObjectId[]>();
  for (const [id, { folders: inner }] of folders) {
    for (const each of inner) above.set(each.id, [...(above.get(each.id) ?? []), id]);
  }
  const linked = new Set<ObjectId>();
  const waiting = [...folders].filter(([, { links }]) => links.length > 0).map(([id]) => id);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (linked.has(next)) continue;
    linked.add(next);
    waiting.push(...(above.get(next) ?? []));
  }
  return linked;
}

/** Empty for what is no target that a system would follow. */
async function targetOf(store: ObjectStore, id: ObjectId): Promise<Buffer> {
  const found = await store.look(id);
  return found !== undefined && found.size > maxPath ? Buffer.alloc(0) : (await store.read(id, 'blob')).bytes;
}

/** Where a link leads, with every other link on the way; nothing where it leaves the tree. */
function placesBehind(link: string, links: ReadonlyMap<string, string>, budget: { steps: number }): readonly string[] {
  const places: string[] = [];
  const place: string[] = [];
  const rest = link.split('/').reverse();
  let hops = 0;
  for (let segment = rest.pop(); segment !== undefined; segment = rest.pop()) {
    if (--budget.steps < 0) throw tooFar();
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (place.length === 0) return places;
      place.pop();
      continue;
    }
    const path = [...place, segment].join('/');
    const target = links.get(path);
    if (target === undefined) {
      place.push(segment);
      continue;
    }
    if (path !== link) places.push(path);
    if (target === '' || target.startsWith('/') || ++hops > maxHops || rest.length > maxPath) return places;
    rest.push(...target.split('/').reverse());
  }
  return [...places, place.join('/')];
}

function tooFar(): OperationalError {
  return new OperationalError('limit', 'symbolic links at paths of high risk lead through too many others', {
    hints: ['look at the links of the tree that would land: git ls-tree -r HEAD | grep ^120000'],
  });
}

/** For the path or a folder above it; under the empty name is what a link to the whole tree leads to. */
function reasonFor(path: string, behind: ReadonlyMap<string, string>): string | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const reason = behind.get(path.slice(0, end));
    if (reason !== undefined) return reason;
  }
  return behind.get('');
}
