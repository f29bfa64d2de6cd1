/** One entry of a lockfile, of any format, and what its readers share. See lock-entries.ts. */
import type { Hash, ReportGap } from '../types.ts';
import { parseIntegrity } from './integrity.ts';
import { asText, type JsonObject } from './json.ts';
import { isPackageName } from './names.ts';
import { parseSource } from './source.ts';

/** A directory that may have a node_modules. */
export interface Folder {
  readonly parent: Folder | undefined;
  readonly depth: number;
  /** By directory name, which is how `require` names them; it differs from the package's name for an alias. */
  readonly modules: Map<string, LockEntry>;
}

export interface LockEntry {
  readonly name: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly hashes: readonly Hash[];
  readonly scope?: 'dev' | 'optional';
  readonly bundled: boolean;
  /** What it cannot do without: names as keys, ranges as values. */
  readonly needs: JsonObject;
  /** The entry as it stands, for licences and weaker dependencies. */
  readonly json: JsonObject;
  readonly folder: Folder;
  /** Where a link leads, when that is listed too. */
  target?: LockEntry;
}

/** No real tree is deeper; a hostile one makes every look-up climb it. */
export const maxDepth = 100;

/** Several times what the largest projects have; each becomes a package, and a directory of modules. */
export const maxEntries = 100_000;

export interface Stated {
  readonly name: string;
  readonly needs: JsonObject;
  readonly version?: string;
  readonly resolved?: string;
}

/** Undefined, and counted, when no package can have this name. `where` names the entry in gaps. */
export function lockEntry(
  { name, needs, version, resolved }: Stated,
  where: string,
  json: JsonObject,
  folder: Folder,
  refused: Refusals,
): LockEntry | undefined {
  if (!isPackageName(name)) {
    refused.add('an entry has no name that a package can have', where);
    return undefined;
  }
  const integrity = textField(json, 'integrity');
  const hashes = integrity === undefined ? [] : parseIntegrity(integrity);
  if (hashes === undefined) refused.add('the integrity of an entry is not a digest', where);
  const scope = parseScope(json);
  return {
    name,
    ...(version !== undefined && { version }),
    ...(resolved !== undefined && { resolved }),
    hashes: hashes ?? [],
    ...(scope !== undefined && { scope }),
    bundled: json['inBundle'] === true || json['bundled'] === true,
    needs,
    json,
    folder,
  };
}

/** The version in a registry's address for this package: `https://…/@s/b/-/b-1.3.1.tgz`. */
export function archiveVersion(name: string, resolved: string): string | undefined {
  const source = parseSource(resolved);
  if (source.kind !== 'archive') return undefined;
  const prefix = `/-/${name.slice(name.indexOf('/') + 1)}-`;
  const at = source.url.lastIndexOf(prefix);
  return at < 0 ? undefined : /^(\d[\w.+-]*)\.tgz$/.exec(source.url.slice(at + prefix.length))?.[1];
}

export function textField(json: JsonObject, field: string): string | undefined {
  return asText(json[field], 4096);
}

/** Parts that could not be read, told once per kind: a hostile file could hold a million. */
export interface Refusals {
  add(what: string, where: string): void;
  report(gap: ReportGap): void;
}

export function refusals(): Refusals {
  const counted = new Map<string, { first: string; count: number }>();
  return {
    add: (what, where) => {
      const known = counted.get(what);
      if (known === undefined) counted.set(what, { first: where.slice(0, 200), count: 1 });
      else known.count++;
    },
    report: (gap) => {
      for (const [what, { first, count }] of counted) {
        gap(`${what}: ${first}${count > 1 ? ` and ${count - 1} more` : ''}`);
      }
    },
  };
}

/** `dev` alone, `optional` alone, `devOptional`: dev for some, optional for others, so never needed to run. */
function parseScope(json: JsonObject): 'dev' | 'optional' | undefined {
  if (json['dev'] === true) return 'dev';
  return json['optional'] === true || json['devOptional'] === true ? 'optional' : undefined;
}
