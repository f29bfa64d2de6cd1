/**
 * Allowed signers, the file in which git and ssh-keygen keep whose key is whose (ssh-keygen(1), ALLOWED SIGNERS):
 *
 *     # principals      options                                             key
 *     alice@acme.example,al@acme.example namespaces="git,file" ssh-ed25519 AAAAC3Nz… laptop
 *     "bob@acme.example"    valid-before="20270101Z"           ssh-rsa AAAAB3Nz…
 *
 * Principals are patterns with `*` and `?`, separated by commas; `!` before one takes away. Options restrict the key:
 * the uses it may sign for (`namespaces`, patterns too), and when (`valid-after`, `valid-before`, in UTC with `Z`).
 * `cert-authority` makes it the key of an authority.
 *
 * Refused: options that are not known or stand twice, empty lists, quotes that do not end, and times without `Z`: they
 * would mean another moment on every machine. Keys are read later (`keyText`), so that a line for somebody else may hold a
 * kind of key that is not supported.
 */
import { quoted } from '../diag/index.ts';
import { malformed } from './failure.ts';
import { isSshKeyType } from './ssh-key.ts';

export interface AllowedSigner {
  /** From 1. */
  readonly line: number;
  /** As it stands, without quotes. */
  readonly principals: string;
  readonly namespaces?: string;
  /** Milliseconds. */
  readonly validAfter?: number;
  readonly validBefore?: number;
  readonly certAuthority: boolean;
  /** `type base64 comment`. */
  readonly keyText: string;
}

const mostLines = 10_000;
const longestLine = 1 << 15;

/** Throws VerifyError `malformed`, naming the line. */
export function parseAllowedSigners(text: string): readonly AllowedSigner[] {
  const lines = text.split('\n');
  if (lines.length > mostLines) throw malformed(`the allowed signers are more than ${mostLines} lines`);
  return lines.flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === '' || trimmed.startsWith('#') ? [] : [parseLine(trimmed, index + 1)];
  });
}

/** Whether a list of patterns takes a value in: one of them matches, and none with a `!` does. Letter by letter. */
export function matchesPatterns(patterns: string, value: string): boolean {
  const list = patterns.split(',').map((each) => each.trim());
  const isNamed = (pattern: string): boolean => pattern !== '' && matchesPattern(pattern, value);
  if (list.some((each) => each.startsWith('!') && isNamed(each.slice(1)))) return false;
  return list.some((each) => !each.startsWith('!') && isNamed(each));
}

/** Two positions and one way back, to the last `*`: never more than length times length steps, both are bounded. */
function matchesPattern(pattern: string, value: string): boolean {
  let [p, v, star, mark] = [0, 0, -1, 0];
  while (v < value.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = v;
    } else if (pattern[p] === '?' || pattern[p] === value[v]) {
      p++;
      v++;
    } else if (star >= 0) {
      p = star + 1;
      v = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function parseLine(line: string, number: number): AllowedSigner {
  const where = `line ${number} of the allowed signers`;
  if (line.length > longestLine) throw malformed(`${where} is longer than ${longestLine} characters`);
  const quotedPrincipals = /^"([^"]*)"[ \t]/.exec(line);
  const bare = /^[^" \t]+(?=[ \t])/.exec(line);
  const principals = quotedPrincipals?.[1] ?? bare?.[0] ?? '';
  if (principals === '') throw malformed(`${where} does not begin with principals`);
  const rest = line.slice((quotedPrincipals ?? bare)![0].length).trim();
  if (isSshKeyType(firstWord(rest))) return { line: number, principals, certAuthority: false, keyText: rest };
  const options = endOfOptions(rest, where);
  return {
    line: number,
    principals,
    ...parseOptions(rest.slice(0, options), where),
    keyText: rest.slice(options).trim(),
  };
}

function firstWord(text: string): string {
  return /^[^ \t]*/.exec(text)![0];
}

/** Options end at the first space outside of quotes. */
function endOfOptions(text: string, where: string): number {
  let inside = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') inside = !inside;
    else if (!inside && (character === ' ' || character === '\t')) return at;
  }
  throw malformed(`${where} has ${inside ? 'a quote that does not end' : 'no key'}`);
}

type Options = Pick<AllowedSigner, 'namespaces' | 'validAfter' | 'validBefore' | 'certAuthority'>;

function parseOptions(text: string, where: string): Options {
  const values = new Map<string, string>();
  for (const option of splitOptions(text)) {
    const [, name = '', value] = /^([A-Za-z-]+)(?:="([^"]*)")?$/.exec(option) ?? [];
    const known = optionNames.get(name.toLowerCase());
    if (known === undefined || (value !== undefined) !== known.hasValue) {
      throw malformed(`${where} has an option that is not known: ${quoted(option, 60)}`);
    }
    if (values.has(name.toLowerCase())) throw malformed(`${where} has the option ${name} twice`);
    if (value === '') throw malformed(`${where} has the option ${name} without a value`);
    values.set(name.toLowerCase(), value ?? '');
  }
  const namespaces = values.get('namespaces');
  const validAfter = parseTime(values.get('valid-after'), where);
  const validBefore = parseTime(values.get('valid-before'), where);
  return {
    certAuthority: values.has('cert-authority'),
    ...(namespaces !== undefined && { namespaces }),
    ...(validAfter !== undefined && { validAfter }),
    ...(validBefore !== undefined && { validBefore }),
  };
}

const optionNames: ReadonlyMap<string, { readonly hasValue: boolean }> = new Map([
  ['cert-authority', { hasValue: false }],
  ['namespaces', { hasValue: true }],
  ['valid-after', { hasValue: true }],
  ['valid-before', { hasValue: true }],
]);

/** At commas outside of quotes. */
function splitOptions(text: string): readonly string[] {
  const found: string[] = [];
  let [start, inside] = [0, false];
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') inside = !inside;
    if (at < text.length && (inside || text[at] !== ',')) continue;
    found.push(text.slice(start, at));
    start = at + 1;
  }
  return found;
}

/** `YYYYMMDDZ`, `YYYYMMDDHHMMZ`, `YYYYMMDDHHMMSSZ`. */
function parseTime(text: string | undefined, where: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?(Z?)$/.exec(text);
  if (match === null) throw malformed(`${where} has a time in a wrong form: ${quoted(text, 60)}`);
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone] = match;
  if (zone === '') throw malformed(`${where} has a time without a zone: write ${text}Z for UTC`);
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const at = Date.parse(`${written}Z`);
  if (!Number.isFinite(at) || !new Date(at).toISOString().startsWith(written)) {
    throw malformed(`${where} has a time that does not exist: ${quoted(text, 60)}`);
  }
  return at;
}
