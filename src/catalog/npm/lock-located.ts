/** Formats 2 and 3 of the lockfile: `packages`, by location. See lock-entries.ts. */
import { asObject, type JsonObject } from './json.ts';
import {
  archiveVersion,
  type Folder,
  type LockEntry,
  lockEntry,
  maxDepth,
  maxEntries,
  type Refusals,
  type Stated,
  textField,
} from './lock-entry.ts';

// A path longer than this cannot exist on Linux; what splitting a longer one costs is the attacker's choice.
const maxLocation = 4096;

// A location of a few letters can name a hundred directories that nobody listed.
const maxFolders = 2 * maxEntries;

/** By location; a link whose target is listed too is only in the folder that it lies in. */
export function locatedEntries(packages: JsonObject, root: Folder, refused: Refusals): ReadonlyMap<string, LockEntry> {
  const folders = new Map([['', root]]);
  const byLocation = new Map<string, LockEntry>();
  for (const [location, value] of Object.entries(packages)) {
    if (location === '') continue;
    if (byLocation.size >= maxEntries || folders.size >= maxFolders) {
      refused.add(`an entry beyond the ${byLocation.size}th was not read`, location);
      continue;
    }
    const json = asObject(value);
    const folder = json === undefined || isTooDeep(location) ? undefined : folderAt(location, folders);
    if (json === undefined) refused.add('an entry is not an object', location);
    else if (folder === undefined) refused.add(`an entry lies deeper than ${maxDepth} directories`, location);
    else {
      const { owner, name } = splitLocation(location);
      const entry = lockEntry(statedPackage(json, name ?? lastDirectory(location)), location, json, folder, refused);
      if (entry === undefined) continue;
      byLocation.set(location, entry);
      if (name !== undefined) folders.get(owner)?.modules.set(name, entry);
    }
  }
  for (const [location, entry] of byLocation) {
    const target = entry.json['link'] === true ? byLocation.get(entry.resolved ?? '') : undefined;
    if (target === undefined || target === entry) continue;
    entry.target = target;
    byLocation.delete(location);
  }
  return byLocation;
}

function statedPackage(json: JsonObject, directoryName: string): Stated {
  const name = textField(json, 'name') ?? directoryName;
  const resolved = textField(json, 'resolved');
  // The first releases of npm 7 left out a version that the address says already.
  const version = textField(json, 'version') ?? (resolved === undefined ? undefined : archiveVersion(name, resolved));
  return {
    name,
    needs: asObject(json['dependencies']) ?? {},
    ...(version !== undefined && { version }),
    ...(resolved !== undefined && { resolved }),
  };
}

function isTooDeep(location: string): boolean {
  // One level is three segments at most: node_modules/@scope/name.
  return location.length > maxLocation || location.split('/').length > 3 * maxDepth;
}

/** The folder of a location, made with all above it; undefined beyond the depth that anything real has. */
function folderAt(location: string, folders: Map<string, Folder>): Folder | undefined {
  const missing: string[] = [];
  let at = location;
  for (; !folders.has(at) && missing.length <= maxDepth; at = splitLocation(at).owner) missing.push(at);
  let folder = folders.get(at);
  for (const path of missing.reverse()) {
    if (folder === undefined || folder.depth >= maxDepth) return undefined;
    folder = { parent: folder, depth: folder.depth + 1, modules: new Map() };
    folders.set(path, folder);
  }
  return folder;
}

/** `packages/a/node_modules/@s/b` is `@s/b` in `packages/a`; `packages/a` is no module and lies in `packages`. */
function splitLocation(location: string): { readonly owner: string; readonly name?: string } {
  const at = `/${location}`.lastIndexOf('/node_modules/');
  const name = location.slice(at + 'node_modules/'.length);
  if (at >= 0 && name.split('/').length === (name.startsWith('@') ? 2 : 1)) {
    return { owner: location.slice(0, Math.max(0, at - 1)), name };
  }
  return { owner: location.slice(0, Math.max(0, location.lastIndexOf('/'))) };
}

/** A workspace without a name is called after its directory, as npm does it. */
function lastDirectory(location: string): string {
  const segments = location.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1) ?? '';
  const scope = segments.at(-2);
  return scope?.startsWith('@') ? `${scope}/${last}` : last;
}
