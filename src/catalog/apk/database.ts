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
  for (const block of blocksOf(bytes)) {
    const { fields, lines, repeated, stray } = fieldsOf(block);
    broken += stray;
    if (lines === 0) continue;
    seen++;
    const name = fields.get('P') ?? '';
    const version = fields.get('V') ?? '';
    if (name === '') gap('a record without a package name (P)');
    else if (version === '') gap(`package ${quoted(name)} has no version (V)`);
    else records.push({ name, version, fields, bytes: block });
    if (repeated.length > 0) gap(`package ${quoted(name)} states ${repeated.join(', ')} more than once`);
  }
  if (seen === 0 && broken > 0) throw new Unreadable('not an apk database: no field in it');
  if (broken > 0) gap(`${broken} of its lines are no field`);
  return records;
}

/** Paths, without a leading slash, of the files that a record states in its F and R lines. */
export function installedPaths(record: Buffer): readonly string[] {
  const paths: string[] = [];
  let directory = '';
  eachLine(record, (start, end) => {
    if (record[start + 1] !== colon) return;
    if (record[start] === letter.F) directory = decodePath(record.subarray(start + 2, end));
    else if (record[start] === letter.R) paths.push(`${directory}/${decodePath(record.subarray(start + 2, end))}`);
  });
  return paths;
}

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
}

/** Fields may stand in any order, so a name below the files counts like one above. */
function fieldsOf(record: Buffer): Fields {
  const fields = new Map<string, string>();
  const repeated: string[] = [];
  let lines = 0;
  let stray = 0;
  eachLine(record, (start, end) => {
    if (end - start < 2 || record[start + 1] !== colon) {
      if (end > start) stray++;
      return;
    }
    lines++;
    if (fileLetters.has(record[start]!)) return;
    const name = String.fromCharCode(record[start]!);
    if (!fields.has(name)) fields.set(name, record.toString('utf8', start + 2, end).trim());
    else if (stateOnce.includes(name) && !repeated.includes(name)) repeated.push(name);
  });
  return { fields, lines, repeated, stray };
}

/** The records: a line of fewer than two bytes ends one. */
function blocksOf(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let first = 0;
  eachLine(bytes, (start, end) => {
    if (end - start >= 2) return;
    if (start > first) blocks.push(bytes.subarray(first, start));
    first = start;
  });
  if (first < bytes.length) blocks.push(bytes.subarray(first));
  return blocks;
}

/** Where the lines are, without their endings. Most lines are of files: nothing is made of them that nobody reads. */
function eachLine(bytes: Buffer, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed;
    visit(start, end > start && bytes[end - 1] === 0x0d ? end - 1 : end);
    start = end + 1;
  }
}
