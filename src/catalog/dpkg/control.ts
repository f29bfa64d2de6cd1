/**
 * Control data, the format of dpkg's and opkg's databases (deb-control(5), Debian Policy 5.1): stanzas of fields.
 *
 *     Package: acl
 *     Status: install ok installed
 *     Conffiles:
 *      /etc/acl.conf 11a06baf8245fd8d690b99024d228c1f
 *
 *     Package: attr
 *
 * An empty line ends a stanza, a line that begins with a blank continues the field above. Field names are matched
 * without regard to case. CRLF is tolerated. Text need not be UTF-8: a line that is not is read as Latin-1, which old
 * maintainer names are. dpkg refuses a database in which a stanza states a field twice; here the first statement counts
 * and the repetition is reported, so that no reader's preference can be used to hide the other one. Lines that are
 * neither field nor continuation are counted.
 */
import { isUtf8 } from 'node:buffer';

export interface Stanza {
  /** Field names in lower case; continuation lines are joined with a line feed, their leading blank kept. */
  readonly fields: ReadonlyMap<string, string>;
  /** Names, in lower case, of fields that stand there more than once. */
  readonly repeated: readonly string[];
}

export interface ControlData {
  readonly stanzas: readonly Stanza[];
  /** Lines that could not be read. */
  readonly stray: number;
}

export function parseControl(bytes: Buffer): ControlData {
  const stanzas: Stanza[] = [];
  let stray = 0;
  let fields = new Map<string, string>();
  let repeated: string[] = [];
  const endStanza = (): void => {
    if (fields.size === 0) return;
    stanzas.push({ fields, repeated });
    fields = new Map();
    repeated = [];
  };

  const lines = linesOf(bytes);
  const lowered = new Map<string, string>();
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    if (line === '') {
      endStanza();
      at++;
      continue;
    }
    const next = endOfField(lines, at);
    const colon = line.indexOf(':');
    const name = fieldName(line, colon, lowered);
    if (name === undefined) stray += next - at;
    else if (fields.has(name)) repeated.push(name);
    else {
      const first = line.slice(colon + 1).trim();
      fields.set(name, next === at + 1 ? first : first + '\n' + lines.slice(at + 1, next).join('\n'));
    }
    at = next;
  }
  endStanza();
  return { stanzas, stray };
}

/** The value of a one-line field; absent when empty. */
export function fieldOf(stanza: Stanza, name: string): string | undefined {
  const value = stanza.fields.get(name);
  if (value === undefined) return undefined;
  const end = value.indexOf('\n');
  const line = end < 0 ? value : value.slice(0, end).trimEnd();
  return line === '' ? undefined : line;
}

/** In lower case, or undefined when the line is no field. The few names of a file come back thousands of times. */
function fieldName(line: string, colon: number, lowered: Map<string, string>): string | undefined {
  if (colon <= 0) return undefined;
  const stated = line.slice(0, colon);
  const known = lowered.get(stated);
  if (known !== undefined) return known;
  const name = stated.trimEnd().toLowerCase();
  if (name === '' || /\s/.test(name)) return undefined;
  lowered.set(stated, name);
  return name;
}

/** Index of the first line after this one that does not continue it. */
function endOfField(lines: readonly string[], start: number): number {
  let end = start + 1;
  while (end < lines.length && isContinuation(lines[end]!)) end++;
  return end;
}

function isContinuation(line: string): boolean {
  const first = line.charCodeAt(0);
  return first === 0x20 || first === 0x09;
}

function linesOf(bytes: Buffer): string[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').replaceAll('\r\n', '\n').split('\n');
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed;
    const line = bytes.subarray(start, end);
    const text = line.toString(isUtf8(line) ? 'utf8' : 'latin1');
    lines.push(text.endsWith('\r') ? text.slice(0, -1) : text);
    start = end + 1;
  }
  return lines;
}
