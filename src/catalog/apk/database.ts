/**
 * The database of installed packages of apk (Alpine, Wolfi, Chainguard, OpenWrt), `lib/apk/db/installed`, apk(5): records
 * of lines, each a letter, a colon and a value, with an empty line after each record.
 *
 *     C:Q1pcfTfDNEbNKQc2s1tia7da05M8Q=     checksum of the control part of the archive
 *     P:busybox-binsh                      package, V: version, A: architecture, L: licence, o: origin
 *     D:busybox=1.36.1-r15                 what it needs, p: what it provides
 *     F:bin                                a directory, and after it
 *     R:sh                                 a file in it, with a: its mode and Z: its checksum
 *
 * A record without P or V is no package that could be named or matched: it is reported. Letters that are not known
 * are passed over, as apk does with those it may ignore; a line without a letter and a colon is counted as broken. Where
 * a record states a letter of a package twice, the first counts and the repetition is reported.
 */

import { decodePath } from '../../archive/path.ts';
import { quoted } from '../../diag/index.ts';
import { boundedGaps } from '../dpkg/gaps.ts';
import { endOfLine, trimmedEnd } from '../lines.ts';
import { type ReportGap, Unreadable } from '../types.ts';

export interface ApkRecord {
  readonly name: string;
  readonly version: string;
  /** Values by letter: those that describe the package, not its files. */
  readonly fields: ReadonlyMap<string, string>;
  /** The record as it stands in the file; its files are decoded when somebody asks for them. */
  readonly bytes: Buffer;
}

/** Throws Unreadable when nothing in the file is a record. The records keep `bytes` alive. */
export function parseInstalled(bytes: Buffer, gap: ReportGap): readonly ApkRecord[] {
  const records: ApkRecord[] = [];
  let broken = 0;
  let seen = 0;
  const problems = boundedGaps(gap);
  for (const block of blocksOf(bytes)) {
    if (seen === maxRecords) {
      gap(`has more than ${maxRecords} records; the rest was not read`);
      break;
    }
    const { fields, lines, repeated, stray, oversized } = fieldsOf(block);
    broken += stray;
    if (lines === 0) continue;
    seen++;
    const name = fields.get('P') ?? '';
    const version = fields.get('V') ?? '';
    if (name === '') problems.add('a record without a package name (P)');
    else if (version === '') problems.add(`package ${quoted(name)} has no version (V)`);
    else records.push({ name, version, fields, bytes: block });
    if (repeated.length > 0) problems.add(`package ${quoted(name)} states ${repeated.join(', ')} more than once`);
    if (oversized) problems.add(`package ${quoted(name)} has a field too long to be read`);
  }
  problems.end();
  if (seen === 0 && broken > 0) throw new Unreadable('not an apk database: no field in it');
  if (broken > 0) gap(`${broken} of its lines are no field`);
  return records;
}

/** Paths, without a leading slash, of the files that a record states in its F and R lines. */
export function* installedPaths(record: Buffer): Generator<string> {
  let directory = '';
  for (let start = 0, next = 0; start < record.length; start = next) {
    const feed = endOfLine(record, start);
    const end = trimmedEnd(record, start, feed);
    next = feed + 1;
    if (record[start + 1] !== colon || end - start > maxPath) continue;
    if (record[start] === letter.F) directory = decodePath(record.subarray(start + 2, end));
    else if (record[start] === letter.R) yield `${directory}/${decodePath(record.subarray(start + 2, end))}`;
  }
}

// The largest repositories have 30,000 packages. Without a bound, six bytes of the attacker's make one of our records.
const maxRecords = 200_000;
/** Bytes of one field; the longest that is known has some thousand. */
const maxValue = 2 ** 20;
/** The longest path that Linux takes, and the letter. */
const maxPath = 4098;

const colon = 0x3a;
const letter = { F: 0x46, R: 0x52 } as const;

/** Letters of directories and files, which are most of the lines and are left as they are. */
const fileLetters: ReadonlySet<number> = new Set([...'FRMaZ'].map((each) => each.charCodeAt(0)));

/** What is stated twice of these could mislead. */
const stateOnce: readonly string[] = ['P', 'V', 'A', 'D', 'p'];

interface Fields {
  readonly fields: ReadonlyMap<string, string>;
  /** Lines that are a field, those of files included: a record of nothing but files lost its name. */
  readonly lines: number;
  readonly repeated: readonly string[];
  readonly stray: number;
  /** True when a field was longer than `maxValue`, and left out. */
  readonly oversized: boolean;
}

/** Fields may stand in any order, so a name below the files counts like one above. */
function fieldsOf(record: Buffer): Fields {
  const fields = new Map<string, string>();
  const repeated: string[] = [];
  let lines = 0;
  let stray = 0;
  let oversized = false;
  eachLine(record, (start, end) => {
    if (end - start < 2 || record[start + 1] !== colon) {
      if (end > start) stray++;
      return;
    }
    lines++;
    if (fileLetters.has(record[start]!)) return;
    const name = String.fromCharCode(record[start]!);
    if (fields.has(name)) {
      if (stateOnce.includes(name) && !repeated.includes(name)) repeated.push(name);
    } else if (end - start > maxValue) oversized = true;
    else fields.set(name, record.toString('utf8', start + 2, end).trim());
  });
  return { fields, lines, repeated, stray, oversized };
}

/** The records, one by one: a line of fewer than two bytes ends one. */
function* blocksOf(bytes: Buffer): Generator<Buffer> {
  let first = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = endOfLine(bytes, start);
    if (trimmedEnd(bytes, start, end) - start < 2) {
      if (start > first) yield bytes.subarray(first, start);
      first = start;
    }
    start = end + 1;
  }
  if (first < bytes.length) yield bytes.subarray(first);
}

/** Where the lines are, without their endings. Most lines are of files: nothing is made of them that nobody reads. */
function eachLine(bytes: Buffer, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length; ) {
    const end = endOfLine(bytes, start);
    visit(start, trimmedEnd(bytes, start, end));
    start = end + 1;
  }
}
