/**
 * The lists of installed files. `RECORD` of a wheel is CSV, relative to the directory of the packages; a name with a comma
 * or a quote in it is quoted:
 *
 *     requests/utils.py,sha256=LtPJ1db6mJff2TJSJWKi7rBpzjPS3mSOrjC9zRhoD3A,30049
 *     ../../../bin/pygmentize,sha256=dDhv_U2jiCpmFQwIRHpFRLAHUO4R1jIJPEvT_QYTFp8,220
 *
 * `installed-files.txt` of an egg has one name a line, relative to the egg-info directory.
 * Refused, and counted: lines of another form (merge conflicts, remains of an archive).
 * https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
 */
import { decodePath, normalizePath } from '../../archive/path.ts';

export interface FileList {
  /** As they stand there, separated by newlines: one string, since an image may have a million of them. */
  readonly names: string;
  /** Lines that could not be read. */
  readonly refused: number;
}

export function parseRecord(bytes: Buffer): FileList {
  return parseLines(bytes, (line) => {
    const quoted = /^"((?:[^"]|"")*)",/.exec(line);
    const name = quoted === null ? line.slice(0, line.indexOf(',')) : quoted[1]?.replaceAll('""', '"');
    // Path, digest and size are always there, if empty.
    const rest = quoted === null ? line.slice(line.indexOf(',')) : line.slice(quoted[0].length - 1);
    return line.includes(',') && /^,[^,]*,[^,]*$/.test(rest) ? name : undefined;
  });
}

export function parseInstalledFiles(bytes: Buffer): FileList {
  return parseLines(bytes, (line) => line);
}

/** Paths from the root. A name that climbs above the root stays there; it cannot own anything outside. */
export function* ownedPaths({ names }: FileList, directory: string): Generator<string> {
  if (names === '') return;
  let start = 0;
  while (start <= names.length) {
    const newline = names.indexOf('\n', start);
    const end = newline < 0 ? names.length : newline;
    const name = names.slice(start, end);
    const path = normalizePath(name.startsWith('/') ? name : `${directory}/${name}`);
    if (path !== '') yield path;
    start = end + 1;
  }
}

// Longer than any path that Linux accepts, with its digest.
const maxLine = 5000;

function parseLines(bytes: Buffer, parse: (line: string) => string | undefined): FileList {
  const names: string[] = [];
  let refused = 0;
  for (const raw of decodePath(bytes).split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') continue;
    const name = line.length > maxLine || /[\0-\x1f]/.test(line) ? undefined : parse(line);
    if (name === undefined || name === '') refused++;
    else names.push(name);
  }
  return { names: names.join('\n'), refused };
}
