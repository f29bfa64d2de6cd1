/**
 * The packages of one lockfile and who needs whom. One package that lies in several directories is one package: it is
 * needed to run when any of its places is, and it needs what any of them needs.
 */
import type { Hash } from '../types.ts';
import { parseLicenses } from './fields.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import type { LockEntries } from './lock-entries.ts';
import type { Folder, LockEntry } from './lock-entry.ts';

export interface LockedPackage {
  readonly name: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly hashes: readonly Hash[];
  readonly licenses: readonly string[];
  scope?: 'dev' | 'optional' | undefined;
  /** It came inside the archive of the package that needs it. */
  bundled: boolean;
  /** The project, or one of its workspaces, asks for it by name. */
  direct: boolean;
  /** Someone asks for it by an address, not from a registry. */
  byAddress: boolean;
  /** Something that it cannot do without is not in the lockfile. */
  incomplete: boolean;
  readonly requires: Set<LockedPackage>;
}

export interface LockGraph {
  readonly packages: readonly LockedPackage[];
  /** By the name that the project would require them with. */
  readonly top: ReadonlyMap<string, LockedPackage>;
  /** Whether the file itself says which packages are direct. */
  readonly statesDirect: boolean;
  readonly statesRequires: boolean;
}

export function lockGraph({ entries, root, project, statesRequires }: LockEntries): LockGraph {
  const packages = new Map<string, LockedPackage>();
  const packageOf = new Map<LockEntry, LockedPackage>();
  for (const entry of entries) {
    const identity = JSON.stringify([entry.name, entry.version, entry.resolved]);
    const known = packages.get(identity);
    const locked = known === undefined ? newPackage(entry) : joined(known, entry);
    packages.set(identity, locked);
    packageOf.set(entry, locked);
  }
  const find = (name: string, folder: Folder) => {
    const entry = nearest(name, folder);
    return entry === undefined ? undefined : packageOf.get(entry);
  };
  for (const [entry, locked] of packageOf) connect(entry, locked, find);
  const top = new Map<string, LockedPackage>();
  for (const name of root.modules.keys()) {
    const locked = find(name, root);
    if (locked !== undefined) top.set(name, locked);
  }
  markDirect(root, project ?? {}, find);
  return { packages: [...packages.values()], top, statesDirect: project !== undefined, statesRequires };
}

type Find = (name: string, folder: Folder) => LockedPackage | undefined;

function nearest(name: string, from: Folder): LockEntry | undefined {
  for (let folder: Folder | undefined = from; folder !== undefined; folder = folder.parent) {
    let entry = folder.modules.get(name);
    while (entry?.target !== undefined) entry = entry.target;
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function newPackage(entry: LockEntry): LockedPackage {
  const { name, version, resolved, hashes, scope, bundled, json } = entry;
  return {
    name,
    ...(version !== undefined && { version }),
    ...(resolved !== undefined && { resolved }),
    hashes,
    licenses: parseLicenses(json),
    scope,
    bundled,
    direct: false,
    byAddress: false,
    incomplete: false,
    requires: new Set(),
  };
}

function joined(locked: LockedPackage, entry: LockEntry): LockedPackage {
  if (locked.scope !== entry.scope) locked.scope = locked.scope && entry.scope && 'optional';
  locked.bundled &&= entry.bundled;
  return locked;
}

/** Draws the edges of one place of a package. */
function connect({ json, needs, folder }: LockEntry, locked: LockedPackage, find: Find): void {
  const optional = asObject(json['optionalDependencies']) ?? {};
  const isOptional = new Set(Object.keys(optional));
  const link = (name: string, range: unknown, isNeeded: boolean) => {
    const found = find(name, folder);
    if (found === undefined) locked.incomplete ||= isNeeded && !isOptional.has(name);
    else if (found !== locked) locked.requires.add(found);
    if (found !== undefined && isAddress(range)) found.byAddress = true;
  };
  for (const [name, range] of Object.entries(needs)) link(name, range, true);
  // Only workspaces have devDependencies: what one is built with is as much in the lockfile as what it runs with.
  for (const weaker of [optional, asObject(json['peerDependencies']), asObject(json['devDependencies'])]) {
    for (const [name, range] of Object.entries(weaker ?? {})) link(name, range, false);
  }
}

function isAddress(range: unknown): boolean {
  return /^https?:/i.test(asText(range) ?? '');
}

/** What the project asks for, and its workspaces, which are linked from its node_modules. */
function markDirect(root: Folder, project: JsonObject, find: Find): void {
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    for (const [name, range] of Object.entries(asObject(project[field]) ?? {})) {
      const locked = find(name, root);
      if (locked === undefined) continue;
      locked.direct = true;
      locked.byAddress ||= isAddress(range);
    }
  }
  for (const [name, entry] of root.modules) {
    const workspace = entry.target === undefined ? undefined : find(name, root);
    if (workspace !== undefined) workspace.direct = true;
  }
}
