/**
 * Packages installed by rpm: its database in one of three formats, at one of three places.
 *
 *   {var/lib,usr/lib/sysimage,usr/share}/rpm/rpmdb.sqlite   rpm 4.16 and later (sqlite.ts), with rpmdb.sqlite-wal
 *                                            Packages.db    SUSE (ndb.ts)
 *                                            Packages       before 4.16 (berkeley.ts)
 *
 * The same names elsewhere are somebody's data, not the system's. What a file is follows from its first bytes.
 *
 * - A write-ahead log that survived beside the database holds newer packages: both are then read again, together.
 * - A rollback journal that survived means that a transaction was cut off: a gap.
 * - Of several formats side by side the first of the list above that has packages counts, as a change of format leaves
 *   the old file behind; packages that only another one knows are a gap there. Databases at different places all count.
 * - Imported keys (gpg-pubkey) are listed as rpm itself lists them, with the property rpm:public-key.
 */
import { baseOf, parentOf } from '../../archive/path.ts';
import { pathsInSystem } from '../os-release/index.ts';
import type { AssembleContext, Cataloger, FileBytes, Found, Package, Place, ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { isBerkeley, readBerkeley } from './berkeley.ts';
import { installedPaths } from './files.ts';
import { type HeaderBlob, parseHeader } from './header.ts';
import { isNdb, readNdb } from './ndb.ts';
import { describeRecord } from './package.ts';
import { identify, type RpmRecord, readRecord } from './record.ts';
import { resolveRequires } from './requires.ts';
import { isSqlite, openSqlite, readTable, usesWal } from './sqlite.ts';
import { parseWal, type Wal } from './sqlite-wal.ts';

const roots = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'];
const databaseNames = ['rpmdb.sqlite', 'Packages.db', 'Packages'];
const logName = 'rpmdb.sqlite-wal';
const journalName = 'rpmdb.sqlite-journal';
const names = new Set([...databaseNames, logName, journalName]);

export type RpmFact =
  | {
      readonly kind: 'database';
      readonly records: readonly RpmRecord[];
      /** What was wrong, to be told unless what lies beside the database mends it. */
      readonly problems: readonly string[];
    }
  | { readonly kind: 'log'; readonly hasCommits: boolean }
  | { readonly kind: 'journal' };

type DatabaseFact = Extract<RpmFact, { kind: 'database' }>;

export const rpmDatabase: Cataloger<RpmFact> = {
  id: 'rpm/db',
  kind: 'installed',
  anchors: [...roots, ...roots.flatMap((root) => [...names].map((name) => `${root}/${name}`))],
  wants: ({ path }) => roots.includes(parentOf(path)) && names.has(baseOf(path)),
  read,
  assemble,
};

function read({ path, bytes }: FileBytes, gap: ReportGap): RpmFact | undefined {
  switch (baseOf(path)) {
    case logName:
      return { kind: 'log', hasCommits: (parseWal(bytes)?.pageCount ?? 0) > 0 };
    case journalName:
      return isHotJournal(bytes) ? { kind: 'journal' } : undefined;
    default: {
      if (bytes.length === 0) return { kind: 'database', records: [], problems: ['the database is an empty file'] };
      const problems: string[] = [];
      const tell = usesWal(bytes) ? (reason: string) => void problems.push(reason) : gap;
      return { kind: 'database', records: readDatabase(bytes, undefined, tell, usesWal(bytes)), problems };
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

/** With `forgiving`, a database that cannot be read at all is a problem like any other. Otherwise throws Unreadable. */
function readDatabase(bytes: Buffer, wal: Wal | undefined, gap: ReportGap, forgiving = false): RpmRecord[] {
  const records: RpmRecord[] = [];
  const bounded = boundGaps(gap);
  try {
    for (const blob of readBlobs(bytes, wal, bounded.gap)) addRecord(records, blob, bounded.gap);
  } catch (error) {
    if (!forgiving || !(error instanceof Unreadable)) throw error;
    bounded.gap(error.message);
  }
  bounded.end();
  return records;
}

function readBlobs(bytes: Buffer, wal: Wal | undefined, gap: ReportGap): Iterable<HeaderBlob> {
  if (isSqlite(bytes)) return readSqlite(bytes, wal, gap);
  if (isNdb(bytes)) return readNdb(bytes, gap);
  if (isBerkeley(bytes)) return readBerkeley(bytes, gap);
  throw new Unreadable('neither a SQLite, nor an ndb, nor a Berkeley DB file');
}

/** `Packages (hnum INTEGER PRIMARY KEY, blob BLOB)`: the header is the only blob of its row. */
function* readSqlite(bytes: Buffer, wal: Wal | undefined, gap: ReportGap): Generator<HeaderBlob> {
  for (const { rowid, values } of readTable(openSqlite(bytes, wal, gap), 'Packages', gap)) {
    const blob = values.find((value) => Buffer.isBuffer(value));
    if (Buffer.isBuffer(blob)) yield { where: `package ${rowid}`, bytes: blob };
    else gap(`package ${rowid} has no header`);
  }
}

function addRecord(records: RpmRecord[], { where, bytes }: HeaderBlob, gap: ReportGap): void {
  try {
    const record = readRecord(parseHeader(bytes), (reason) => gap(`${where}, ${reason}`));
    records.push(record);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    gap(`${where} cannot be read: ${error.message}`);
  }
}

// A file of damage could otherwise name a gap every few bytes.
const maxGaps = 20;

function boundGaps(gap: ReportGap): { gap: ReportGap; end: () => void } {
  let count = 0;
  return {
    gap(reason) {
      if (++count <= maxGaps) gap(reason);
    },
    end() {
      if (count > maxGaps) gap(`${count - maxGaps} further parts cannot be read`);
    },
  };
}

async function assemble(found: readonly Found<RpmFact>[], context: AssembleContext): Promise<readonly Package[]> {
  const counted: Found<DatabaseFact>[] = [];
  for (const root of roots) {
    const here = found.filter(({ path }) => parentOf(path) === root);
    counted.push(...choose(await settle(here, context), context));
  }
  return join(counted, context);
}

/** The databases of one directory as rpm would see them, with the log applied. */
async function settle(here: readonly Found<RpmFact>[], context: AssembleContext): Promise<Found<DatabaseFact>[]> {
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
  database: Found<RpmFact>,
  log: Found<RpmFact>,
  context: AssembleContext,
): Promise<RpmRecord[] | undefined> {
  // SQLite throws away the log of an empty database.
  if (database.size === 0) return undefined;
  const gaps: string[] = [];
  try {
    const bytes = await context.tree.read(database.path, database.size);
    const wal = parseWal(await context.tree.read(log.path, log.size));
    const records = readDatabase(bytes, wal, (reason) => gaps.push(reason));
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

interface Entry {
  readonly record: RpmRecord;
  /** The same package in all databases. */
  readonly records: RpmRecord[];
  readonly places: Place[];
}

function join(databases: readonly Found<DatabaseFact>[], context: AssembleContext): Package[] {
  const entries = new Map<string, Entry>();
  for (const { path, layer, fact } of databases) {
    for (const record of fact.records) {
      const key = identify(record);
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
    context.tree,
  );
  return list.map(({ record, records, places }, index) => ({
    ...describeRecord(record, context.distro),
    places,
    requires: needs[index]!.records.map((each) => keys[each]!),
    ...(!needs[index]!.complete && { requiresIncomplete: true }),
    owns: () => ownedPaths(records, context),
  }));
}

function* ownedPaths(records: readonly RpmRecord[], { tree }: AssembleContext): Generator<string> {
  for (const { files } of records) {
    if (files !== undefined) yield* pathsInSystem('', installedPaths(files), tree);
  }
}
