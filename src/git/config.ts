/**
 * The repository's configuration file, for the few facts that decide how its objects are to be read. Git itself never sees
 * this file: it can name programs to run.
 *
 *     [extensions]
 *         objectFormat = sha256        # a comment
 *     [remote "origin"]
 *         promisor                     ; no value: true
 *
 * git-config, "Syntax". Includes are not followed, as git does not for these facts. A line that git would refuse is refused.
 */
import { GitRefusal } from './refusal.ts';

export interface Setting {
  /** As git spells it: `remote.origin.promisor`; section and key in lower case. */
  readonly name: string;
  /** Undefined where there is none. One character per byte. */
  readonly value: string | undefined;
}

export function parseConfig(bytes: Buffer): readonly Setting[] {
  const text = bytes
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .replaceAll('\r\n', '\n');
  const settings: Setting[] = [];
  let section: string | undefined;
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (/\s/.test(character)) at += 1;
    else if (character === '#' || character === ';') at = lineEnd(text, at);
    else if (character === '[') [section, at] = parseSection(text, at);
    else {
      if (section === undefined) throw broken(text, at);
      const [key, value, next] = parseSetting(text, at);
      settings.push({ name: `${section}.${key}`, value });
      at = next;
    }
  }
  return settings;
}

/** As git reads a yes or no; undefined for what is neither. */
export function parseBoolean(value: string | undefined): boolean | undefined {
  if (value === undefined) return true;
  const text = value.toLowerCase();
  if (['true', 'yes', 'on'].includes(text)) return true;
  if (['', 'false', 'no', 'off'].includes(text)) return false;
  return /^-?\d{1,9}$/.test(text) ? Number(text) !== 0 : undefined;
}

const sectionHead = /\[([A-Za-z0-9.-]+)[ \t]*(?:"((?:[^"\\\n]|\\[^\n])*)")?\]/y;

function parseSection(text: string, at: number): [string, number] {
  sectionHead.lastIndex = at;
  const found = sectionHead.exec(text);
  if (found === null) throw broken(text, at);
  const [whole, name = '', inner] = found;
  const lower = name.toLowerCase();
  return [inner === undefined ? lower : `${lower}.${inner.replace(/\\(.)/g, '$1')}`, at + whole.length];
}

const keyName = /([A-Za-z][A-Za-z0-9-]*)[ \t]*(=|\n|$)/y;

function parseSetting(text: string, at: number): [string, string | undefined, number] {
  keyName.lastIndex = at;
  const found = keyName.exec(text);
  if (found === null) throw broken(text, at);
  const [whole, key = '', sign] = found;
  const name = key.toLowerCase();
  if (sign !== '=') return [name, undefined, at + whole.length];
  const [value, next] = parseValue(text, at + whole.length);
  return [name, value, next];
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['b', '\b'],
  ['n', '\n'],
  ['\\', '\\'],
  ['"', '"'],
  ['\n', ''],
]);

/** Up to the end of the line: quotes keep spaces and comment signs, a backslash at the end goes on with the next line. */
function parseValue(text: string, start: number): [string, number] {
  let value = '';
  // What is kept when the line ends: spaces behind it count only when something follows.
  let kept = 0;
  let inQuotes = false;
  let at = start;
  for (; at < text.length && text[at] !== '\n'; at += 1) {
    const character = text[at] ?? '';
    if (!inQuotes && (character === '#' || character === ';')) {
      at = lineEnd(text, at);
      break;
    }
    if (character === '"') {
      inQuotes = !inQuotes;
      kept = value.length;
      continue;
    }
    if (!inQuotes && (character === ' ' || character === '\t')) {
      if (value !== '') value += character;
      continue;
    }
    if (character === '\\') {
      at += 1;
      // Git ends every file with a line end.
      const meant = escapes.get(text[at] ?? '\n');
      if (meant === undefined) throw broken(text, at);
      value += meant;
    } else value += character;
    kept = value.length;
  }
  if (inQuotes) throw broken(text, at);
  return [value.slice(0, kept), at];
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function broken(text: string, at: number): GitRefusal {
  const line = text.slice(0, at).split('\n').length;
  return new GitRefusal('unsupported-repository', `line ${line} of the repository's configuration cannot be read`, [
    'correct the file .git/config: git config --list shows what git has against it',
  ]);
}
