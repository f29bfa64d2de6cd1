/** The tree after the change, looked at in a few places. Text keys are Latin-1, one character for each byte. */
import { OperationalError } from '../../diag/index.ts';
import { pathKey } from '../../git/path-text.ts';
import { parseTree } from '../../git/tree.ts';
import type { ObjectId, ObjectStore, TreeEntry } from '../../git/types.ts';
import { foldName } from './names.ts';

export interface TreeView {
  /** Undefined where there is nothing of that path, or where the way to it is no directory. `''` is no entry. */
  find(path: string): Promise<TreeEntry | undefined>;
  /** Names in a folder by what they are called where case and invisible ways do not count. */
  twins(folder: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What a link holds; undefined where it is longer than a path can be. */
  linkTarget(link: ObjectId): Promise<string | undefined>;
  /** Counts what links lead through, all of them together. Throws OperationalError `limit`. */
  countSteps(steps: number): void;
}

export const maxTarget = 4096;
/** Beyond what links of any real tree do; thousands that each lead through many others would take hours. */
const mostSteps = 2_000_000;
/** Characters of targets that are kept: links lead to links, and each asks for those behind it again. */
const mostKept = 64 * 1024 * 1024;

export function viewTree(store: ObjectStore, root: ObjectId): TreeView {
  const folders = new Map<string, Promise<Folder | undefined>>();
  const open = (path: string): Promise<Folder | undefined> => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const folder = path === '' ? load(store, root) : find(path).then((entry) => openEntry(store, entry));
    folders.set(path, folder);
    // Changes come sorted: what was used first is not used again.
    if (folders.size > mostFolders) folders.delete(folders.keys().next().value!);
    return folder;
  };
  const find = async (path: string): Promise<TreeEntry | undefined> => {
    const cut = path.lastIndexOf('/');
    const folder = await open(cut < 0 ? '' : path.slice(0, cut));
    return folder?.entries.get(path.slice(cut + 1));
  };
  const twins = async (path: string): Promise<ReadonlyMap<string, readonly string[]>> => {
    const folder = await open(path);
    if (folder === undefined) return new Map();
    folder.twins ??= findTwins(folder.entries.values());
    return folder.twins;
  };
  const targets = new Map<ObjectId, Promise<string | undefined>>();
  let [kept, steps] = [0, 0];
  const linkTarget = (link: ObjectId): Promise<string | undefined> => {
    const known = targets.get(link);
    if (known !== undefined) return known;
    const read = store.read(link, 'blob', 1024 * 1024).then(({ bytes }) => {
      kept += Math.min(bytes.length, maxTarget);
      return bytes.length > maxTarget ? undefined : pathKey(bytes);
    });
    if (kept < mostKept) targets.set(link, read);
    return read;
  };
  const countSteps = (more: number): void => {
    steps += more;
    if (steps <= mostSteps) return;
    throw new OperationalError(
      'limit',
      'the change is too large to be judged: its symbolic links lead through too many others',
      {
        hints: ['split it into smaller changes'],
      },
    );
  };
  return { find, twins, linkTarget, countSteps };
}

const mostFolders = 1024;

interface Folder {
  readonly entries: ReadonlyMap<string, TreeEntry>;
  twins?: ReadonlyMap<string, readonly string[]>;
}

async function load(store: ObjectStore, id: ObjectId): Promise<Folder> {
  const entries = parseTree(await store.read(id, 'tree'));
  return { entries: new Map(entries.map((entry) => [entry.name.toString('latin1'), entry])) };
}

async function openEntry(store: ObjectStore, entry: TreeEntry | undefined): Promise<Folder | undefined> {
  return entry?.mode === '040000' ? load(store, entry.id) : undefined;
}

function findTwins(entries: Iterable<TreeEntry>): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const { name } of entries) {
    const key = foldName(name);
    const names = all.get(key);
    if (names === undefined) all.set(key, [name.toString('latin1')]);
    else names.push(name.toString('latin1'));
  }
  return new Map([...all].filter(([, names]) => names.length > 1));
}
