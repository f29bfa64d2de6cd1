/**
 * The lists of installed files. `RECORD` of a wheel is CSV, relative to the directory of the packages; a name with a comma
 * or a quote in it is quoted:
 *
 *     requests/utils.py,sha256=LtPJ1db6mJff2TJSJWKi7rBpzjPS3mSOrjC9zRhoD3A,30049
 *     ../../../bin/pygmentize,sha256=dDhv_U2jiCpmFQwIRHpFRLAHUO4R1jIJPEvT_QYTFp8,220
 *
 * `installed-files.txt` of an egg has one name a line, relative to the egg-info directory.
 * Refused, and counted: lines of another form (merge conflicts, remains of an archive), and all beyond a million.
 * https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
 */
import { decodePath, encodePath, normalizePath } from '../../archive/path.ts';

export interface FileList {
  /** As they stand there, each with a newline: one block of bytes, since an image may have a million of them. */
  readonly names: Buffer;
  /** Lines that could not be read. */
  readonly refused: number;
  /** True when there are more than a million: the rest was not read. */
  readonly isCut: boolean;
}

export function parseRecord(bytes: Buffer): FileList {
  return parseLines(bytes, ({ start, end, comma, commas }) => {
    if (bytes[start] === quote) return quotedName(decodePath(bytes.subarray(start, end)));
    // Path, digest and size are always there, if empty.
    return commas === 2 ? bytes.subarray(start, comma) : undefined;
  });
}

export function parseInstalledFiles(bytes: Buffer): FileList {
  return parseLines(bytes, ({ start, end }) => bytes.subarray(start, end));
}

/** Paths from the root. A name that climbs above the root stays there; it cannot own anything outside. */
export function* ownedPaths({ names }: FileList, directory: string): Generator<string> {
  for (let start = 0; start < names.length; ) {
    const end = endOfLine(names, start);
    const name = decodePath(names.subarray(start, end));
    const path = normalizePath(name.startsWith('/') ? name : `${directory}/${name}`);
    if (path !== '') yield path;
    start = end + 1;
  }
}

// Longer than any path that Linux accepts, with its digest.
const maxLine = 5000;
const maxLines = 1_000_000;
const quote = 0x22;
const newline = 0x0a;
const carriageReturn = 0x0d;
const commaSign = 0x2c;

/** Where a line is, what it ends with left out. */
interface Line {
  readonly start: number;
  readonly end: number;
  /** Where the first comma is. */
  readonly comma: number;
  readonly commas: number;
  /** True when control characters are in it. */
  readonly hasControls: boolean;
}

/** Nothing is made of a line but a copy of its name: as strings in a list they would take twenty times the room. */
function parseLines(bytes: Buffer, parse: (line: Line) => Buffer | undefined): FileList {
  const names = Buffer.allocUnsafe(bytes.length + 1);
  let length = 0;
  let lines = 0;
  let refused = 0;
  let start = 0;
  while (start < bytes.length && lines < maxLines) {
    const feed = endOfLine(bytes, start);
    const line = lineAt(bytes, start, feed);
    start = feed + 1;
    if (line.end === line.start) continue;
    lines++;
    const name = line.hasControls || line.end - line.start > maxLine ? undefined : parse(line);
    if (name === undefined || name.length === 0) refused++;
    else {
      length += name.copy(names, length);
      names[length++] = newline;
    }
  }
  return { names: Buffer.from(names.subarray(0, length)), refused, isCut: start < bytes.length };
}

function lineAt(bytes: Buffer, start: number, feed: number): Line {
  const end = feed > start && bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
  let comma = end;
  let commas = 0;
  let hasControls = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20) hasControls = true;
    else if (byte === commaSign && commas++ === 0) comma = at;
  }
  return { start, end, comma, commas, hasControls };
}

function quotedName(line: string): Buffer | undefined {
  const match = /^"((?:[^"]|"")*)",[^,]*,[^,]*$/.exec(line);
  return match === null ? undefined : encodePath(match[1]!.replaceAll('""', '"'));
}

function endOfLine(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== newline) end++;
  return end;
}
