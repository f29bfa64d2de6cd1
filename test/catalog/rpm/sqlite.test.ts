import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqlite, readTable, type SqliteRow } from '../../../src/catalog/rpm/sqlite.ts';
import { parseWal, type Wal } from '../../../src/catalog/rpm/sqlite-wal.ts';
import { Unreadable } from '../../../src/catalog/types.ts';
import { describeData, readData } from '../../kit/data.ts';
import { buildSqlite, u32be } from './build.ts';

function rowsOf(file: Buffer, table: string, wal?: Wal): { rows: SqliteRow[]; gaps: string[] } {
  const gaps: string[] = [];
  const gap = (reason: string) => void gaps.push(reason);
  return { rows: [...readTable(openSqlite(file, wal, gap), table, gap)], gaps };
}

/** As SQLite itself reads the table t (id INTEGER PRIMARY KEY, …); the id is stored as NULL. */
function judge(database: DatabaseSync): SqliteRow[] {
  const rows = database.prepare('SELECT * FROM t ORDER BY id').all() as Record<string, unknown>[];
  return rows.map(({ id, ...rest }) => {
    const values = Object.values(rest).map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
    return { rowid: Number(id), values: [null, ...values] } as SqliteRow;
  });
}

const sizes = [0, 1, 30, 400, 476, 477, 478, 1000, 4061, 4062, 4063, 4096, 20_000, 70_000, 200_000];

describe('a SQLite file', () => {
  for (const pageSize of [512, 1024, 4096, 32_768, 65_536]) {
    it(`with pages of ${pageSize} bytes gives the rows that SQLite gives`, () => {
      let expected: SqliteRow[] = [];
      const { database } = buildSqlite((sqlite) => {
        sqlite.exec(
          `PRAGMA page_size = ${pageSize}; CREATE TABLE other (x); CREATE TABLE t (id INTEGER PRIMARY KEY, b)`,
        );
        const insert = sqlite.prepare('INSERT INTO t (b) VALUES (?)');
        for (let round = 0; round < 20; round++) for (const size of sizes) insert.run(randomBytes(size));
        sqlite.exec('DELETE FROM t WHERE id % 3 = 0');
        for (const size of sizes) insert.run(randomBytes(size));
        expected = judge(sqlite);
      });
      const { rows, gaps } = rowsOf(database, 't');
      expect(gaps).toEqual([]);
      expect(rows).toEqual(expected);
    });
  }

  it('gives values of every type', () => {
    const { database } = buildSqlite((sqlite) => {
      sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i, j, k)');
      sqlite.exec(
        "INSERT INTO t VALUES (-5, 0, 1, -2, 300, -70000, 2000000000, 5000000000, 1e300, 'ü', x'00ff', NULL)",
      );
    });
    const values = [null, 0, 1, -2, 300, -70_000, 2_000_000_000, 5_000_000_000, 1e300, 'ü', Buffer.of(0, 255), null];
    expect(rowsOf(database, 'T').rows.map((row) => row.values)).toEqual([values]);
  });

  it('that does not have the table, or keeps it without rowids, is refused', () => {
    const { database } = buildSqlite((sqlite) => sqlite.exec('CREATE TABLE a (b); CREATE VIEW v AS SELECT * FROM a'));
    expect(() => rowsOf(database, 't')).toThrow(Unreadable);
    expect(() => rowsOf(database, 'v')).toThrow(Unreadable);
    const other = buildSqlite((sqlite) => {
      sqlite.exec('CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES (1, 2)');
    }).database;
    expect(rowsOf(other, 't')).toEqual({ rows: [], gaps: ['page 2 is no table page'] });
  });

  it('in UTF-16 is refused', () => {
    const { database } = buildSqlite((sqlite) => sqlite.exec("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (b)"));
    expect(() => rowsOf(database, 't')).toThrow('its text encoding is not UTF-8');
  });

  it('that is cut short gives the rows that are left and says what is missing', () => {
    const { database } = buildSqlite((sqlite) => {
      sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, b)');
      const insert = sqlite.prepare('INSERT INTO t (b) VALUES (?)');
      for (let count = 0; count < 200; count++) insert.run(randomBytes(1000));
    });
    const { rows, gaps } = rowsOf(database.subarray(0, database.length / 2), 't');
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.length).toBeLessThan(200);
    expect(gaps[0]).toMatch(/^the file is cut short: \d+ of \d+ pages$/);
    expect(gaps.length).toBeGreaterThan(1);
  });

  it('whose pages point at each other in a circle ends with a gap', () => {
    const { database } = buildSqlite((sqlite) => {
      sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, b)');
      const insert = sqlite.prepare('INSERT INTO t (b) VALUES (?)');
      for (let count = 0; count < 50; count++) insert.run(randomBytes(1000));
    });
    // Page 2 is the root, an interior page: its rightmost child becomes itself.
    expect(database[4096]).toBe(5);
    database.writeUInt32BE(2, 4096 + 8);
    expect(rowsOf(database, 't').gaps).toContain('page 2 is used twice');
  });

  it('whose rows share an overflow chain gives the first and names the others', () => {
    const { database } = buildSqlite((sqlite) => {
      sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, b)');
      const insert = sqlite.prepare('INSERT INTO t (b) VALUES (?)');
      insert.run(Buffer.alloc(6000, 1));
      insert.run(Buffer.alloc(6000, 2));
    });
    const leaf = database.subarray(4096, 8192);
    // Cell pointers: both at the first row.
    leaf.copyWithin(10, 8, 10);
    const { rows, gaps } = rowsOf(database, 't');
    expect(rows).toHaveLength(1);
    expect(gaps).toEqual([expect.stringMatching(/^a row on page 2 cannot be read: page \d+ is used twice$/)]);
  });
});

describe('a write-ahead log', () => {
  const written = buildLogged();

  it('adds what was committed, and of each page the newest', () => {
    expect(rowsOf(written.database, 't').rows).toHaveLength(1);
    const { rows, gaps } = rowsOf(written.database, 't', parseWal(written.log));
    expect(gaps).toEqual([]);
    expect(rows).toEqual(written.expected);
    expect(rows.length).toBeGreaterThan(30);
  });

  it('counts only up to its last commit', () => {
    for (let end = 0; end <= written.log.length; end += 1500) {
      const wal = end < 32 ? undefined : parseWal(written.log.subarray(0, end));
      const rows = rowsOf(written.database, 't', wal?.pageCount ? wal : undefined).rows;
      // Every commit adds a row, so any prefix of the log holds the first rows and nothing torn.
      expect(rows.map(({ rowid }) => rowid)).toEqual(rows.map((_, index) => index + 1));
      expect(rows.at(-1)).toEqual(prefixRow(written, rows.length));
    }
  });

  it('with checksums of the other byte order is read the same way', () => {
    const swapped = resumLog(written.log);
    expect(swapped.equals(written.log)).toBe(false);
    expect(rowsOf(written.database, 't', parseWal(swapped)).rows).toEqual(written.expected);
  });

  it('ends at the first frame whose checksum or salt differs', () => {
    const frames = (written.log.length - 32) / (24 + 4096);
    for (const at of [8, 16, 24 + 100]) {
      const log = Buffer.from(written.log);
      const middle = 32 + Math.floor(frames / 2) * (24 + 4096);
      log[middle + at]! ^= 1;
      const wal = parseWal(log)!;
      expect(wal.pageCount).toBeGreaterThan(0);
      const { rows, gaps } = rowsOf(written.database, 't', wal);
      expect(gaps).toEqual([]);
      expect(rows.length).toBeLessThan(written.expected.length);
    }
  });

  it('that holds nothing is no log, and one with a damaged header is refused', () => {
    expect(parseWal(Buffer.alloc(0))).toBeUndefined();
    expect(parseWal(Buffer.alloc(5000))).toBeUndefined();
    expect(() => parseWal(written.log.subarray(0, 20))).toThrow(Unreadable);
    for (const at of [0, 4, 8, 16, 24]) {
      const log = Buffer.from(written.log);
      log[at]! ^= 0x40;
      expect(() => parseWal(log)).toThrow(Unreadable);
    }
  });

  it('that claims billions of pages costs nothing', () => {
    const log = Buffer.concat([written.log.subarray(0, 32 + 24 + 4096)]);
    log.writeUInt32BE(0xffff_ffff, 32);
    log.writeUInt32BE(0xffff_ffff, 36);
    const wal = parseWal(resumLog(log))!;
    expect(wal.pageCount).toBe(0xffff_ffff);
    expect(rowsOf(written.database, 't', wal).rows).toHaveLength(1);
  });
});

describe('hostile SQLite files', () => {
  const { database, log } = buildLogged();

  it('end with rows, gaps or a refusal, whatever bytes are changed', () => {
    const change = fc.record({ at: fc.nat(database.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), fc.boolean(), (changes, withLog) => {
        const damaged = Buffer.from(database);
        for (const { at, byte } of changes) damaged[at] = byte;
        expectUnreadable(() => rowsOf(damaged, 't', withLog ? parseWal(log) : undefined));
      }),
      { numRuns: 300 },
    );
  });

  it('end with rows, gaps or a refusal, wherever they are cut', () => {
    for (let end = 0; end < database.length; end += 97) expectUnreadable(() => rowsOf(database.subarray(0, end), 't'));
  });
});

describeData('the real SQLite database', () => {
  it('survives damage in its first pages', () => {
    const file = readData('packages/go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite.gz');
    for (let at = 16; at < 6000; at += 61) {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 0xff;
      expectUnreadable(() => rowsOf(damaged, 'Packages'));
    }
  });
});

function expectUnreadable(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(Unreadable);
  }
}

interface Logged {
  readonly database: Buffer;
  readonly log: Buffer;
  readonly expected: readonly SqliteRow[];
}

/** A database with one row, and a log that adds a row per commit. */
function buildLogged(): Logged {
  let expected: SqliteRow[] = [];
  const files = buildSqlite((sqlite) => {
    sqlite.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, b); PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    const insert = sqlite.prepare('INSERT INTO t (b) VALUES (?)');
    insert.run(Buffer.from('first'));
    sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (let count = 0; count < 40; count++) insert.run(Buffer.alloc(count * 300, count));
    expected = judge(sqlite);
  });
  return { ...files, expected };
}

function prefixRow({ expected }: Logged, length: number): SqliteRow | undefined {
  return expected[length - 1];
}

/** The same log with checksums that add up big-endian words. */
function resumLog(log: Buffer): Buffer {
  const copy = Buffer.from(log);
  copy.writeUInt32BE(0x377f0683, 0);
  let sum: [number, number] = [0, 0];
  const add = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 8) {
      const first = (sum[0] + bytes.readUInt32BE(at) + sum[1]) >>> 0;
      sum = [first, (sum[1] + bytes.readUInt32BE(at + 4) + first) >>> 0];
    }
  };
  add(copy.subarray(0, 24));
  u32be(...sum).copy(copy, 24);
  for (let at = 32; at < copy.length; at += 24 + 4096) {
    add(copy.subarray(at, at + 8));
    add(copy.subarray(at + 24, at + 24 + 4096));
    u32be(...sum).copy(copy, at + 16);
  }
  return copy;
}
