/**
 * Paths from archives and directories. A path is bytes: nothing is case-folded or normalised (two files that differ only
 * in case or in Unicode form are two files). As strings they travel as UTF-8; a byte that is not UTF-8 becomes
 * U+DC80..U+DCFF (the "surrogateescape" convention), so that different bytes stay different strings.
 */
import { isUtf8 } from 'node:buffer';

export function decodePath(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeMixed(bytes);
}

export function encodePath(path: string): Buffer {
  return /[\udc80-\udcff]/.test(path) ? encodeMixed(path) : Buffer.from(path, 'utf8');
}

/**
 * The path inside the root that an archive's name stands for: no leading slash, no `.`, no empty segment. `..` is
 * clamped at the root the way container runtimes do it; nothing is ever written, so a clamped name can only be a lie
 * about where a file is. The root itself is the empty string.
 */
export function normalizePath(stored: string): string {
  let name = stored;
  // Most archives write `./path` or `path`, and a slash after a directory.
  const start = name.startsWith('./') ? 2 : 0;
  const end = name.endsWith('/') ? name.length - 1 : name.length;
  if (start > 0 || end < name.length) name = name.slice(start, Math.max(start, end));
  if (!needsWork.test(name)) return name;
  const segments: string[] = [];
  for (const segment of name.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  return segments.join('/');
}

export function climbs(name: string): boolean {
  return name.includes('..') && name.split('/').includes('..');
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const needsWork = /^\/|\/\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)/;

/** Valid UTF-8 sequences are kept; every other byte is escaped on its own. */
function decodeMixed(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : bytes.subarray(at, at + length).toString('utf8');
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the valid UTF-8 sequence that begins here, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}

function encodeMixed(path: string): Buffer {
  const pieces: Buffer[] = [];
  for (const piece of path.split(/([\udc80-\udcff])/)) {
    const code = piece.length === 1 ? piece.charCodeAt(0) : 0;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(piece, 'utf8'));
  }
  return Buffer.concat(pieces);
}
