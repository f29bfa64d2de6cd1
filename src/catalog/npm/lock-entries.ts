/**
 * The packages that a package-lock.json or npm-shrinkwrap.json lists, as a tree of directories that have node_modules.
 *
 * Formats 2 and 3 list them by location, format 1 (npm before 7, and shrinkwrap files without a number) nests them:
 *
 *     {"lockfileVersion": 3, "packages": {
 *       "": {"dependencies": {"a": "^1.0.0"}},
 *       "node_modules/a": {"version": "1.2.0", "resolved": "https://…", "integrity": "sha512-…", "dependencies": {"b": "1"}},
 *       "node_modules/a/node_modules/b": {"version": "1.0.0", "dev": true},
 *       "node_modules/w": {"resolved": "packages/w", "link": true}, "packages/w": {"version": "0.1.0"}}}
 *     {"lockfileVersion": 1, "requires": true, "dependencies": {
 *       "a": {"version": "1.2.0", "requires": {"b": "1"}, "dependencies": {"b": {"version": "1.0.0"}}},
 *       "c": {"version": "npm:@real/c@2.0.0"}, "d": {"version": "git+https://example.org/d.git#3b1bb80b"}}}
 *
 * A format 2 file has both and says the same twice; npm 7 and later read `packages`, npm 6 reads `dependencies`. A package
 * that only `dependencies` names is counted and is a gap: one release of npm installs it and another does not, and whoever
 * edits a lockfile by hand could hide it from every reader of the other part. Gaps also: entries that are no objects, names
 * that cannot be a package's, nesting deeper than 100, integrity that is no digest.
 * https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 */
import type { ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { asObject, type JsonObject } from './json.ts';
import { type Folder, type LockEntry, maxEntries, refusals, textField } from './lock-entry.ts';
import { locatedEntries } from './lock-located.ts';
import { nestedEntries } from './lock-nested.ts';

export interface LockEntries {
  readonly entries: readonly LockEntry[];
  /** The same by their path below the directory of the lockfile; empty for format 1. */
  readonly located: ReadonlyMap<string, LockEntry>;
  readonly root: Folder;
  /** The project's own entry, which states its direct dependencies; format 1 has none. */
  readonly project?: JsonObject;
  /** False for the oldest files, which say nothing of who needs whom. */
  readonly statesRequires: boolean;
}

/** An object may bring a `toString` of its own, which conversion would call: only plain values are converted. */
function formatOf(stated: unknown): number | undefined {
  if (stated === undefined) return undefined;
  return typeof stated === 'number' || typeof stated === 'string' ? Number(stated) : Number.NaN;
}

/** Throws Unreadable when it is no lockfile. */
export function parseLockEntries(json: JsonObject, gap: ReportGap): LockEntries {
  const format = formatOf(json['lockfileVersion']);
  const packages = objectField(json, 'packages');
  const dependencies = objectField(json, 'dependencies');
  if (packages === undefined && dependencies === undefined && format !== 1) {
    throw new Unreadable('not a lockfile of npm: it has neither packages nor dependencies');
  }
  if (format !== undefined && !(format >= 1 && format <= 3)) {
    gap('its lockfileVersion is not 1, 2 or 3: read as the newest known');
  }
  const root: Folder = { parent: undefined, depth: 0, modules: new Map() };
  const refused = refusals();
  const located = packages && locatedEntries(packages, root, refused);
  const entries: LockEntry[] =
    located === undefined ? [...nestedEntries(dependencies ?? {}, root, refused)] : [...located.values()];
  refused.report(gap);
  if (packages !== undefined && dependencies !== undefined) {
    entries.push(...onlyNested(dependencies, packages, entries, root, gap));
  }
  const project = asObject(packages?.['']);
  return {
    entries,
    located: located ?? new Map(),
    root,
    ...(project !== undefined && { project }),
    statesRequires: packages !== undefined || format !== undefined || json['requires'] !== undefined,
  };
}

/** What `dependencies` names and `packages` does not. */
function onlyNested(
  dependencies: JsonObject,
  packages: JsonObject,
  located: readonly LockEntry[],
  root: Folder,
  gap: ReportGap,
): readonly LockEntry[] {
  // A folder tree of their own, unless there is nothing in the other that it could be mixed with.
  const folder: Folder = located.length === 0 ? root : { parent: undefined, depth: 0, modules: new Map() };
  const refused = refusals();
  const nested = nestedEntries(dependencies, folder, refused);
  const isKnown = knownIn(located, packages);
  const missing = nested.filter((entry) => !isKnown(entry));
  const [first] = missing;
  if (first === undefined) return [];
  const room = maxEntries - located.length;
  for (const { name } of missing.slice(room)) refused.add(`an entry beyond the ${maxEntries}th was not read`, name);
  refused.report(gap);
  const label = first.version === undefined ? first.name : `${first.name}@${first.version}`;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  gap(`its dependencies name what its packages do not, and releases of npm differ in which they read: ${label}${more}`);
  return located.length === 0 ? nested : missing.slice(0, room);
}

/** Whether the other list has exactly this: the same name with other content is what an attacker would write. */
function knownIn(located: readonly LockEntry[], packages: JsonObject): (entry: LockEntry) => boolean {
  const byVersion = Map.groupBy(located, ({ name, version }) => `${name}@${version}`);
  const byName = Map.groupBy(located, ({ name }) => name);
  // A link stands in `dependencies` under its own name, whatever the directory that it leads to is called.
  const links = new Set<string>();
  for (const [location, value] of Object.entries(packages)) {
    const json = asObject(value);
    if (json?.['link'] !== true) continue;
    links.add(`${location.split('node_modules/').at(-1)} file:${textField(json, 'resolved')}`);
  }
  return (entry) => {
    const { name, version, resolved = '' } = entry;
    if (version !== undefined) return byVersion.get(`${name}@${version}`)?.some((each) => isSame(entry, each)) === true;
    if (links.has(`${name} ${resolved}`)) return true;
    return byName.get(name)?.some((each) => isSameSource(resolved, each.resolved)) === true;
  };
}

function isSame(one: LockEntry, other: LockEntry): boolean {
  const [left, right] = [one, other].map(({ json }) => textField(json, 'integrity'));
  if (left !== undefined && right !== undefined) return left === right;
  return one.resolved === undefined || other.resolved === undefined || one.resolved === other.resolved;
}

/** Of a repository by its commit: npm writes the address of one in several ways. */
function isSameSource(one: string, other: string | undefined): boolean {
  const commitOf = (text: string) => /#([0-9a-f]{40})$/.exec(text)?.[1];
  if (other === undefined) return false;
  return one === other || (commitOf(one) !== undefined && commitOf(one) === commitOf(other));
}

function objectField(json: JsonObject, field: string): JsonObject | undefined {
  const object = asObject(json[field]);
  if (object === undefined && json[field] !== undefined) throw new Unreadable(`its ${field} are not an object`);
  return object;
}
