/**
 * Strict JSON (RFC 8259, I-JSON of RFC 7493): a text that two readers could understand in two ways is refused.
 *
 *     {"payloadType": "a", "payloadType": "b"}     ->  malformed: member "payloadType" stands twice, at character 21
 *
 * Signed documents pass through many hands. Where ours reads the last of two members and another reads the first, a
 * signature covers two meanings. Refused, with the position: members that stand twice (compared after unescaping),
 * nesting deeper than 64, lone surrogates, numbers that a double cannot hold (whole numbers beyond 2^53, 1e999), a byte
 * order mark, anything after the value. Objects have no prototype: a member named `__proto__` is a member.
 */
import { isUtf8 } from 'node:buffer';
import { quoted } from '../diag/index.ts';
import { malformed, type VerifyError } from './failure.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** Throws VerifyError `malformed`. `what` names the document in messages. */
export function parseStrictJson(text: string, what = 'JSON'): Json {
  if (!text.isWellFormed()) throw malformed(`${what} holds half a surrogate pair`);
  const reader: Reader = { text, what, at: 0 };
  skipSpace(reader);
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (reader.at !== text.length) throw broken(reader, 'something follows the value');
  return value;
}

/** As `parseStrictJson`, for bytes: they must be UTF-8. */
export function parseStrictJsonBytes(bytes: Buffer, what = 'JSON'): Json {
  if (!isUtf8(bytes)) throw malformed(`${what} is not UTF-8`);
  return parseStrictJson(bytes.toString('utf8'), what);
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const maxDepth = 64;

interface Reader {
  readonly text: string;
  readonly what: string;
  at: number;
}

function broken(reader: Reader, why: string): VerifyError {
  return malformed(`${reader.what} is not strict JSON: ${why}, at character ${reader.at}`);
}

function skipSpace(reader: Reader): void {
  const { text } = reader;
  let at = reader.at;
  for (let code = text.charCodeAt(at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; ) {
    code = text.charCodeAt(++at);
  }
  reader.at = at;
}

function readValue(reader: Reader, depth: number): Json {
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth + 1);
    case '[':
      return readArray(reader, depth + 1);
    case '"':
      return readString(reader);
    case 't':
      return readWord(reader, 'true', true);
    case 'f':
      return readWord(reader, 'false', false);
    case 'n':
      return readWord(reader, 'null', null);
    default:
      return readNumber(reader);
  }
}

function readObject(reader: Reader, depth: number): JsonObject {
  enter(reader, depth);
  const object: Record<string, Json> = Object.create(null);
  if (passed(reader, '}')) return object;
  for (;;) {
    const start = reader.at;
    if (reader.text[start] !== '"') throw broken(reader, 'the name of a member is expected');
    const name = readString(reader);
    if (name in object) {
      reader.at = start;
      throw broken(reader, `member ${quoted(name)} stands twice`);
    }
    skipSpace(reader);
    if (reader.text[reader.at] !== ':') throw broken(reader, 'a colon is expected');
    reader.at++;
    skipSpace(reader);
    object[name] = readValue(reader, depth);
    if (!another(reader, '}')) return object;
  }
}

function readArray(reader: Reader, depth: number): readonly Json[] {
  enter(reader, depth);
  const array: Json[] = [];
  if (passed(reader, ']')) return array;
  for (;;) {
    array.push(readValue(reader, depth));
    if (!another(reader, ']')) return array;
  }
}

// After the opening bracket.
function enter(reader: Reader, depth: number): void {
  if (depth > maxDepth) throw broken(reader, `it is nested deeper than ${maxDepth}`);
  reader.at++;
  skipSpace(reader);
}

function passed(reader: Reader, close: string): boolean {
  if (reader.text[reader.at] !== close) return false;
  reader.at++;
  return true;
}

function another(reader: Reader, close: string): boolean {
  skipSpace(reader);
  if (passed(reader, close)) return false;
  if (reader.text[reader.at] !== ',') throw broken(reader, `a comma or ${quoted(close)} is expected`);
  reader.at++;
  skipSpace(reader);
  return true;
}

const longString = 128;
const controlOrEscape = /[\u0000-\u001f\\]/;

function readString(reader: Reader): string {
  const { text, at: start } = reader;
  const end = endOfString(text, start);
  if (end === -1) throw broken(reader, 'a string has no end');
  const plain = text.slice(start + 1, end);
  reader.at = end + 1;
  // Over payloads and certificates in base64, JSON.parse is ten times as fast as the expression, and looks for the same.
  if (plain.length < longString && !controlOrEscape.test(plain)) return plain;
  let value: string;
  try {
    value = JSON.parse(text.slice(start, end + 1)) as string;
  } catch {
    reader.at = start;
    throw broken(reader, 'a string holds a control character or a wrong escape');
  }
  // Of the whole text it is known; escapes, which make it longer than its value, could still spell half a pair.
  if (value.length !== plain.length && !value.isWellFormed()) {
    reader.at = start;
    throw broken(reader, 'a string holds half a surrogate pair');
  }
  return value;
}

// The index of the closing quote, or -1. The backslashes before a quote are looked at once: no quote is among them.
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return -1;
}

function readWord<T extends Json>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw broken(reader, 'a value is expected');
  reader.at += word.length;
  return value;
}

const numberForm = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

function readNumber(reader: Reader): number {
  numberForm.lastIndex = reader.at;
  const match = numberForm.exec(reader.text);
  if (match === null) throw broken(reader, 'a value is expected');
  const value = Number(match[0]);
  const whole = match[1] === undefined && match[2] === undefined;
  if (!Number.isFinite(value) || (whole && !Number.isSafeInteger(value))) {
    throw broken(reader, 'a number is too large to be read exactly');
  }
  reader.at = numberForm.lastIndex;
  return value;
}
