/**
 * Packages installed by rpm: its database in one of three formats (sqlite.ts, ndb.ts, berkeley.ts), at one of three
 * places (layout.ts), of the image's own system and of systems inside the image. What a file is follows from its first
 * bytes.
 *
 * - A write-ahead log that survived beside the database holds newer packages: both are then read again, together.
 * - A rollback journal that survived means that a transaction was cut off: a gap.
 * - Of several formats side by side the first of the list above that has packages counts, as a change of format leaves
 *   the old file behind; packages that only another one knows are a gap there. Databases at different places all count.
 * - Imported keys (gpg-pubkey) are listed as rpm itself lists them, with the property rpm:public-key.
 */
import { baseOf } from '../../archive/path.ts';
import { pathsInSystem } from '../os-release/index.ts';
import type { AssembleContext, Cataloger, FileBytes, Found, Package, Place, ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { installedPaths } from './files.ts';
import {
  databaseNames,
  directories,
  fileNames,
  isDatabaseFile,
  isReleaseFile,
  journalName,
  keyIn,
  locateDatabase,
  logName,
  type ReleaseFact,
  readRelease,
  type System,
  systemsOf,
} from './layout.ts';
import { describeRecord } from './package.ts';
import { readDatabase } from './read-database.ts';
import { identify, type RpmRecord } from './record.ts';
import { resolveRequires } from './requires.ts';
import { usesWal } from './sqlite.ts';
import { parseWal } from './sqlite-wal.ts';

export type RpmFact = DirectoryFact | ReleaseFact;

/** Of a file in a directory of rpm. */
type DirectoryFact =
  | {
      readonly kind: 'database';
      readonly records: readonly RpmRecord[];
      /** What was wrong, to be told unless what lies beside the database mends it. */
      readonly problems: readonly string[];
    }
  | { readonly kind: 'log'; readonly hasCommits: boolean }
  | { readonly kind: 'journal' };

type DatabaseFact = Extract<DirectoryFact, { kind: 'database' }>;

export const rpmDatabase: Cataloger<RpmFact> = {
  id: 'rpm/db',
  kind: 'installed',
  anchors: [...directories, ...directories.flatMap((directory) => fileNames.map((name) => `${directory}/${name}`))],
  wants: (file) => isDatabaseFile(file) || isReleaseFile(file),
  read,
  assemble,
};

function read(file: FileBytes, gap: ReportGap): RpmFact | undefined {
  const { path, bytes } = file;
  if (locateDatabase(path) === undefined) return readRelease(file);
  switch (baseOf(path)) {
    case logName:
      return { kind: 'log', hasCommits: (parseWal(bytes)?.pageCount ?? 0) > 0 };
    case journalName:
      return isHotJournal(bytes) ? { kind: 'journal' } : undefined;
    default: {
      if (!isDatabaseFile({ ...file, head: bytes })) return undefined;
      if (bytes.length === 0) return { kind: 'database', records: [], problems: ['the database is an empty file'] };
      const problems: string[] = [];
      const forgiving = usesWal(bytes);
      const tell = forgiving ? (reason: string) => void problems.push(reason) : gap;
      return { kind: 'database', records: readDatabase(bytes, tell, { forgiving }), problems };
    }
  }
}

/**
 * A journal that is done with is deleted, emptied, or its header is overwritten with zeros. The number of pages in it is
 * written before the database is touched; as long as it is 0 there is nothing to undo.
 */
function isHotJournal(bytes: Buffer): boolean {
  return bytes.length >= 12 && bytes.toString('hex', 0, 8) === 'd9d505f920a163d7' && bytes.readUInt32BE(8) !== 0;
}

async function assemble(found: readonly Found<RpmFact>[], context: AssembleContext): Promise<readonly Package[]> {
  const systems = systemsOf<DirectoryFact>(found, (path) => locateDatabase(path)?.root, context.distro);
  const packages: Package[][] = [];
  for (const system of systems) {
    const counted: Found<DatabaseFact>[] = [];
    for (const directory of directories) {
      const here = system.found.filter(({ path }) => locateDatabase(path)?.directory === directory);
      counted.push(...choose(await settle(here, context), context));
    }
    packages.push(join(counted, system, context));
  }
  return packages.flat();
}

/** The databases of one directory as rpm would see them, with the log applied. */
async function settle(here: readonly Found<DirectoryFact>[], context: AssembleContext): Promise<Found<DatabaseFact>[]> {
  const databases: Found<DatabaseFact>[] = [];
  const log = here.find(({ fact }) => fact.kind === 'log' && fact.hasCommits);
  const journal = here.find(({ fact }) => fact.kind === 'journal');
  if (journal !== undefined) {
    context.gap(journal.path, 'a transaction on the package database was cut off, so it may be wrong');
  }
  // An empty file beside a full database is a placeholder.
  const hasPackages = here.some(({ fact }) => fact.kind === 'database' && fact.records.length > 0);
  let applied = false;
  for (const each of here) {
    const { fact } = each;
    if (fact.kind !== 'database') continue;
    const mended = baseOf(each.path) === databaseNames[0] && log && (await applyLog(each, log, context));
    if (mended) applied = true;
    else if (each.size > 0 || !hasPackages) for (const problem of fact.problems) context.gap(each.path, problem);
    databases.push({ ...each, fact: mended ? { ...fact, records: mended } : fact });
  }
  if (log !== undefined && !applied) context.gap(log.path, 'the newest package changes, stated here, are not counted');
  return databases;
}

async function applyLog(
  database: Found<DirectoryFact>,
  log: Found<DirectoryFact>,
  context: AssembleContext,
): Promise<RpmRecord[] | undefined> {
  // SQLite throws away the log of an empty database.
  if (database.size === 0) return undefined;
  const gaps: string[] = [];
  try {
    const bytes = await context.tree.read(database.path, database.size);
    const wal = parseWal(await context.tree.read(log.path, log.size));
    const records = readDatabase(bytes, (reason) => gaps.push(reason), { wal });
    for (const reason of gaps) context.gap(database.path, reason);
    return records;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    context.gap(log.path, `the database cannot be read with its log: ${error.message}`);
    return undefined;
  }
}

function choose(databases: readonly Found<DatabaseFact>[], context: AssembleContext): Found<DatabaseFact>[] {
  const rank = ({ path }: Found<DatabaseFact>) => databaseNames.indexOf(baseOf(path));
  const [chosen, ...others] = databases.filter(({ fact }) => fact.records.length > 0).sort((a, b) => rank(a) - rank(b));
  if (chosen === undefined) return [];
  const known = new Set(chosen.fact.records.map(identify));
  for (const { path, fact } of others) {
    const missing = fact.records.filter((record) => !known.has(identify(record))).length;
    if (missing === 0) continue;
    context.gap(path, `packages that stand only here, not in ${baseOf(chosen.path)}, are not counted: ${missing}`);
  }
  return [chosen];
}

type Scope = Pick<System<unknown>, 'root' | 'distro'>;

interface Entry {
  readonly record: RpmRecord;
  /** The same package in all databases. */
  readonly records: RpmRecord[];
  readonly places: Place[];
}

function join(databases: readonly Found<DatabaseFact>[], system: Scope, context: AssembleContext): Package[] {
  const entries = new Map<string, Entry>();
  for (const { path, layer, fact } of databases) {
    for (const record of fact.records) {
      const key = keyIn(system.root, identify(record));
      const entry = entries.get(key) ?? { record, records: [], places: [] };
      entries.set(key, entry);
      entry.records.push(record);
      if (entry.places.at(-1)?.path !== path) entry.places.push({ path, layer });
    }
  }
  const list = [...entries.values()];
  const keys = [...entries.keys()];
  const needs = resolveRequires(
    list.map(({ record }) => record),
    system.root,
    context.tree,
  );
  return list.map(({ record, records, places }, index) => ({
    ...describeRecord(record, system.distro),
    key: keys[index]!,
    places,
    requires: needs[index]!.records.map((each) => keys[each]!),
    ...(!needs[index]!.complete && { requiresIncomplete: true }),
    owns: () => ownedPaths(records, system.root, context),
  }));
}

function* ownedPaths(records: readonly RpmRecord[], root: string, { tree }: AssembleContext): Generator<string> {
  for (const { files } of records) {
    if (files !== undefined) yield* pathsInSystem(root, installedPaths(files), tree);
  }
}
