/**
 * The lists of files beside a database, each kept as its bytes and decoded when somebody asks:
 *
 *     /bin/bash                                       info/bash.list of dpkg
 *     /bin/busybox<TAB>0100755                        info/busybox.list of newer opkg, with mode and link target
 *     07d31e7e63800ab1b7966980709c51eb  bin/bash      status.d/bash.md5sums
 *
 * dpkg lists directories too, and before what is in them; a path that the next line continues is one of those.
 */
import { decodePath } from '../../archive/path.ts';

export type ListFormat = 'dpkg' | 'opkg' | 'md5sums';

/** Stated paths; a byte that is not UTF-8 as U+DC80..U+DCFF. */
export function* listedPaths(bytes: Buffer, format: ListFormat): Generator<string> {
  let previous = '';
  for (const line of linesOf(bytes)) {
    const path = decodePath(pathIn[format](line));
    if (previous !== '' && !isDirectoryOf(previous, path)) yield previous;
    previous = path;
  }
  if (previous !== '') yield previous;
}

const pathIn: Readonly<Record<ListFormat, (line: Buffer) => Buffer>> = {
  dpkg: (line) => line,
  opkg: beforeTab,
  md5sums: afterSum,
};

function isDirectoryOf(directory: string, path: string): boolean {
  return (
    directory === '/.' ||
    (path.length > directory.length && path[directory.length] === '/' && path.startsWith(directory))
  );
}

/** The longest path that Linux takes, with a sum or a link's target beside it; nothing on disk answers to a longer one. */
const maxLine = 16 * 1024;

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    let end = start;
    while (end < bytes.length && bytes[end] !== 0x0a) end++;
    const trimmed = end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
    if (trimmed > start && trimmed - start <= maxLine) yield bytes.subarray(start, trimmed);
    start = end + 1;
  }
}

function beforeTab(line: Buffer): Buffer {
  const tab = line.indexOf(0x09);
  return tab < 0 ? line : line.subarray(0, tab);
}

/** A sum of 32 digits, a blank, a blank or an asterisk, and the path; nothing for any other line. */
function afterSum(line: Buffer): Buffer {
  return /^[0-9a-f]{32} [ *]/.test(line.toString('latin1', 0, 34)) ? line.subarray(34) : Buffer.alloc(0);
}
