/**
 * Files of settings as git reads them (git-config, "Syntax"), here for `.gitmodules`:
 *
 *     [submodule "lib/zlib"]
 *         path = lib/zlib
 *         url = "https://github.com/madler/zlib"  ; comments behind # or ;
 *
 * Quotes may stand around any part of a value; a backslash escapes `n t b " \` or the end of the line, and everything else
 * is refused. Names of sections and keys do not count case, subsections do.
 */
export interface Setting {
  /** Lower case. */
  readonly section: string;
  readonly subsection?: string;
  /** Lower case. */
  readonly key: string;
  /** Latin-1, one character for each byte; `true` for a key without one. */
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** Undefined for what git would not read. */
export function parseGitConfig(bytes: Buffer): readonly Setting[] | undefined {
  const text = bytes.toString('latin1').replace(/^\xef\xbb\xbf/, '');
  const reader: Reader = { text, at: 0, line: 1, section: undefined };
  const found: Setting[] = [];
  while (reader.at < text.length) {
    const character = text[reader.at]!;
    if (character === '\n') next(reader);
    else if (/\s/.test(character)) reader.at++;
    else if (character === '#' || character === ';') skipLine(reader);
    else if (character === '[') {
      if (!readSection(reader)) return undefined;
    } else {
      const setting = readSetting(reader);
      if (setting === undefined) return undefined;
      found.push(setting);
    }
  }
  return found;
}

interface Reader {
  readonly text: string;
  at: number;
  line: number;
  section: { readonly name: string; readonly sub?: string } | undefined;
}

function next(reader: Reader): void {
  reader.at++;
  reader.line++;
}

function skipLine(reader: Reader): void {
  const end = reader.text.indexOf('\n', reader.at);
  reader.at = end < 0 ? reader.text.length : end;
}

function readSection(reader: Reader): boolean {
  const head = /\[([A-Za-z0-9.-]+)(?:\][^\S\n]*|[^\S\n]+"((?:[^"\\\n\0]|\\[^\n])*)"\])/y;
  head.lastIndex = reader.at;
  const match = head.exec(reader.text);
  if (match === null) return false;
  reader.at = head.lastIndex;
  const name = match[1]!.toLowerCase();
  const sub = match[2]?.replace(/\\(.)/g, '$1');
  // The old spelling, [submodule.name].
  const dot = sub === undefined ? name.indexOf('.') : -1;
  if (sub !== undefined) reader.section = { name, sub };
  else if (dot >= 0) reader.section = { name: name.slice(0, dot), sub: name.slice(dot + 1) };
  else reader.section = { name };
  return true;
}

function readSetting(reader: Reader): Setting | undefined {
  const { section, line } = reader;
  const name = /[A-Za-z][A-Za-z0-9-]*/y;
  name.lastIndex = reader.at;
  const key = name.exec(reader.text)?.[0].toLowerCase();
  if (key === undefined || section === undefined) return undefined;
  reader.at = name.lastIndex;
  while (reader.text[reader.at] === ' ' || reader.text[reader.at] === '\t') reader.at++;
  const value = readAssigned(reader);
  if (value === undefined) return undefined;
  const { name: sectionName, sub } = section;
  return { section: sectionName, ...(sub !== undefined && { subsection: sub }), key, value, line };
}

function readAssigned(reader: Reader): string | undefined {
  const sign = reader.text[reader.at];
  if (sign === undefined || sign === '\n' || sign === '#' || sign === ';') return 'true';
  if (sign === '\r' && reader.text[reader.at + 1] === '\n') return 'true';
  if (sign !== '=') return undefined;
  reader.at++;
  return readValue(reader);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', '"': '"', '\\': '\\' };

/** White space at both ends is dropped, unless it is quoted. A CR before the line feed is part of the end. */
function readValue(reader: Reader): string | undefined {
  const { text } = reader;
  let [value, kept, quoting] = ['', 0, false];
  for (;;) {
    const character = text[reader.at];
    const ends = character === undefined || character === '\n' || (character === '\r' && text[reader.at + 1] === '\n');
    if (ends) return quoting ? undefined : value.slice(0, kept);
    reader.at++;
    if (character === '\\') {
      const escaped = text[reader.at] === '\r' && text[reader.at + 1] === '\n' ? '\n' : text[reader.at];
      if (escaped === '\n') {
        if (text[reader.at] === '\r') reader.at++;
        next(reader);
        continue;
      }
      const meant = escaped === undefined ? undefined : escapes[escaped];
      if (meant === undefined) return undefined;
      reader.at++;
      value += meant;
      kept = value.length;
    } else if (character === '"') {
      quoting = !quoting;
      kept = Math.max(kept, value.length);
    } else if (!quoting && (character === '#' || character === ';')) {
      skipLine(reader);
      return value.slice(0, kept);
    } else if (!quoting && /[ \t\r\v\f]/.test(character)) {
      if (value !== '') value += character;
    } else {
      value += character;
      kept = value.length;
    }
  }
}
