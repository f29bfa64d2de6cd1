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
 * without regard to case. CRLF is tolerated. Text need not be UTF-8: what is not is read as Latin-1, which old
 * maintainer names are. dpkg refuses a database in which a stanza states a field twice; here the first statement counts
 * and the repetition is reported, so that no reader's preference can be used to hide the other one. Lines that are
 * neither field nor continuation are counted, and so are fields beyond the 200th of a stanza. Values of more than
 * 1 MiB and stanzas beyond the 200,000th are not read, and named.
 */

import { isUtf8 } from 'node:buffer';
import { endOfLine, trimmedEnd } from '../lines.ts';

export interface Stanza {
  /** Field names in lower case; continuation lines are joined with a line feed, their leading blank kept. */
  readonly fields: ReadonlyMap<string, string>;
  /** Names, in lower case, of fields that stand there more than once. */
  readonly repeated: ReadonlySet<string>;
  /** Names of fields that are longer than `maxValue` and were not read. */
  readonly oversized: ReadonlySet<string>;
}

export interface ControlSummary {
  readonly stanzas: number;
  /** Lines that could not be read. */
  readonly stray: number;
  /** True when there are more than `maxStanzas`: the rest was not read. */
  readonly isCut: boolean;
}

// A Debian with everything in it has 70,000 packages. Without a bound, five bytes of the attacker's make one of our records.
export const maxStanzas = 200_000;
// Repeated ones included; real records have some thirty.
const maxFields = 200;
/** Bytes; the longest that is known, a list of provided crates, has 60,000. */
const maxValue = 2 ** 20;

/** Shows the stanzas one by one: kept all together they take many times the size of the file. */
export function eachStanza(bytes: Buffer, visit: (stanza: Stanza) => void): ControlSummary {
  const decode = decoderOf(bytes);
  const nameOf = fieldNames(bytes);
  let stanzas = 0;
  let stray = 0;
  let stanza = newStanza();
  let inStanza = 0;
  const endStanza = (): void => {
    inStanza = 0;
    if (stanza.fields.size === 0) return;
    stanzas++;
    visit(stanza);
    stanza = newStanza();
  };

  let start = 0;
  while (start < bytes.length && stanzas < maxStanzas) {
    const end = endOfLine(bytes, start);
    if (trimmedEnd(bytes, start, end) === start) {
      endStanza();
      start = end + 1;
      continue;
    }
    const field = fieldAt(bytes, start, end);
    const isTooMany = inStanza++ >= maxFields;
    const name = field.colon < 0 || isTooMany ? undefined : nameOf(start, field.colon);
    if (name === undefined) stray += field.lines;
    else addField(stanza, name, field, decode);
    start = field.next;
  }
  endStanza();
  return { stanzas, stray, isCut: start < bytes.length };
}

/** The value of a one-line field; absent when empty. */
export function fieldOf(stanza: Stanza, name: string): string | undefined {
  const value = stanza.fields.get(name);
  if (value === undefined) return undefined;
  const end = value.indexOf('\n');
  const line = end < 0 ? value : value.slice(0, end).trimEnd();
  return line === '' ? undefined : line;
}

interface OpenStanza extends Stanza {
  readonly fields: Map<string, string>;
  readonly repeated: Set<string>;
  readonly oversized: Set<string>;
}

function newStanza(): OpenStanza {
  return { fields: new Map(), repeated: new Set(), oversized: new Set() };
}

function addField(stanza: OpenStanza, name: string, { colon, end, next }: FieldPlace, decode: Decode): void {
  if (stanza.fields.has(name)) {
    stanza.repeated.add(name);
    return;
  }
  if (next - colon > maxValue) {
    stanza.oversized.add(name);
    stanza.fields.set(name, '');
    return;
  }
  // The first line apart from those below: one may be Latin-1 and the other UTF-8.
  const first = decode(colon + 1, end).trim();
  const below =
    next > end + 1
      ? decode(end + 1, next)
          .replaceAll('\r\n', '\n')
          .trimEnd()
      : '';
  stanza.fields.set(name, below === '' ? first : `${first}\n${below}`);
}

interface FieldPlace {
  /** -1 where the line is no field. */
  readonly colon: number;
  /** Of its first line, the line feed not included. */
  readonly end: number;
  /** Where the line after its last one starts. */
  readonly next: number;
  readonly lines: number;
}

/** The field that starts here, or the line that is none, with the lines that continue it. */
function fieldAt(bytes: Buffer, start: number, end: number): FieldPlace {
  const colon = bytes[start] === 0x3a ? -1 : colonIn(bytes, start, Math.min(end, start + maxName));
  let lines = 1;
  let next = end + 1;
  while (bytes[next] === 0x20 || bytes[next] === 0x09) {
    next = endOfLine(bytes, next) + 1;
    lines++;
  }
  return { colon, end, next: Math.min(next, bytes.length), lines };
}

const maxName = 256;

function colonIn(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === 0x3a) return at;
  return -1;
}

type Decode = (start: number, end: number) => string;

function decoderOf(bytes: Buffer): Decode {
  if (isUtf8(bytes)) return (start, end) => bytes.toString('utf8', start, end);
  return (start, end) => bytes.toString(isUtf8(bytes.subarray(start, end)) ? 'utf8' : 'latin1', start, end);
}

/** In lower case, or undefined when the line is no field. The few names of a file come back thousands of times. */
function fieldNames(bytes: Buffer): (start: number, colon: number) => string | undefined {
  const lowered = new Map<string, string>();
  return (start, colon) => {
    const stated = bytes.toString('latin1', start, colon);
    const known = lowered.get(stated);
    if (known !== undefined) return known;
    const name = stated.trimEnd().toLowerCase();
    if (name === '' || /\s/.test(name)) return undefined;
    if (lowered.size < maxFields) lowered.set(stated, name);
    return name;
  };
}
