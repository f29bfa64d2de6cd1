/**
 * From the bytes of a database to records, within bounds: of a file of a gigabyte that was made to hurt, neither the
 * number of packages, nor what is kept of them, nor the number of damaged parts may follow from the file alone.
 * Whatever is left out because of a bound is named in a gap.
 */
import type { ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { isBerkeley, readBerkeley } from './berkeley.ts';
import { type HeaderBlob, maxBlobs, parseHeader } from './header.ts';
import { isNdb, readNdb } from './ndb.ts';
import { listCost, type RpmRecord, readRecord, textCost, withoutLists } from './record.ts';
import { isSqlite, openSqlite, readTable } from './sqlite.ts';
import type { Wal } from './sqlite-wal.ts';

export interface ReadOptions {
  readonly wal?: Wal | undefined;
  /** A database that cannot be read at all is a gap like any other. Otherwise it throws Unreadable. */
  readonly forgiving?: boolean;
}

export function readDatabase(bytes: Buffer, gap: ReportGap, { wal, forgiving = false }: ReadOptions = {}): RpmRecord[] {
  const bounded = boundGaps(gap);
  const keeper = keepRecords(bounded.gap);
  try {
    for (const blob of readBlobs(bytes, wal, bounded.gap)) if (!keeper.add(blob)) break;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (bounded.isExhausted()) gap(error.message);
    else if (forgiving) bounded.gap(error.message);
    else throw error;
  }
  bounded.end();
  keeper.end(gap);
  return keeper.records;
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

// A large server has five thousand packages, with a megabyte of texts and fifty megabytes of lists, as counted here.
const maxTextCost = 64 * 1024 * 1024;
const maxListCost = 256 * 1024 * 1024;
/** Packages whose lists did not fit, until lists are not even looked at: only a small one would fit now and then. */
const maxBare = 100;

interface Keeper {
  readonly records: RpmRecord[];
  /** False when no more are wanted. */
  add(blob: HeaderBlob): boolean;
  end(gap: ReportGap): void;
}

function keepRecords(gap: ReportGap): Keeper {
  const records: RpmRecord[] = [];
  let [blobs, texts, lists, bare] = [0, 0, 0, 0];
  let full: string | undefined;
  const keep = (record: RpmRecord) => {
    texts += textCost(record);
    const cost = listCost(record);
    const fits = bare < maxBare && lists + cost <= maxListCost;
    if (fits) lists += cost;
    else bare++;
    records.push(fits ? record : withoutLists(record));
  };
  return {
    records,
    add({ where, bytes }) {
      if (++blobs > maxBlobs) full = `more than ${maxBlobs} packages`;
      else if (texts > maxTextCost) full = 'too much text about its packages';
      if (full !== undefined) return false;
      try {
        keep(readRecord(parseHeader(bytes), (reason) => gap(`${where}, ${reason}`), bare < maxBare));
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        gap(`${where} cannot be read: ${error.message}`);
      }
      return true;
    },
    end(tell) {
      if (full !== undefined) tell(`it has ${full}; those after the first ${records.length} are not counted`);
      if (bare > 0) tell(`packages whose files and requirements are too many to be kept: ${bare}`);
    },
  };
}

/** A file of damage could otherwise name a gap every few bytes, and take hours to do so. */
const maxGaps = 20;
const maxDamage = 20_000;

interface BoundedGaps {
  /** Throws Unreadable when there is too much damage, again each time, so that it ends whatever is being read. */
  readonly gap: ReportGap;
  isExhausted(): boolean;
  end(): void;
}

function boundGaps(gap: ReportGap): BoundedGaps {
  let count = 0;
  return {
    gap(reason) {
      if (count >= maxDamage) throw new Unreadable('it is damaged in too many parts; the rest is not read');
      if (++count <= maxGaps) gap(reason);
    },
    isExhausted: () => count >= maxDamage,
    end() {
      if (count > maxGaps) gap(`${count - maxGaps} further parts cannot be read`);
    },
  };
}
