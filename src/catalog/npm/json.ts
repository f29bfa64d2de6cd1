/**
 * JSON files as npm reads them: UTF-8 (bytes that are not become U+FFFD, as in Node), an optional byte order mark, the
 * last of duplicate keys wins. Nothing here or in the callers recurses on nesting, and keys that come from the input
 * (`__proto__`, `constructor`) are only ever enumerated or put in a Map, never used to index an object.
 */
import { Unreadable } from '../types.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that the file holds. Throws Unreadable for anything else and for more than `maxBytes`. */
export function parseJsonObject(bytes: Buffer, maxBytes: number): JsonObject {
  if (bytes.length > maxBytes) throw new Unreadable(`larger than ${maxBytes / 2 ** 20} MiB`);
  if (isTooDense(bytes)) throw new Unreadable(`more than ${maxObjects} objects and lists, or ${maxKeys} keys`);
  if (isUtf16(bytes)) throw new Unreadable('not JSON in UTF-8: it starts as UTF-16 text does');
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') throw new Unreadable('empty, not JSON');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable('not JSON, or cut short');
  }
  const object = asObject(value);
  if (object === undefined) throw new Unreadable('JSON, but not an object');
  return object;
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

// As values these take up to thirty times their bytes. The lockfile of a project with 50,000 packages has a fifth of this.
const maxObjects = 1_000_000;
const maxKeys = 2_000_000;

/** Counts those inside strings too, which are few. */
function isTooDense(bytes: Buffer): boolean {
  let objects = 0;
  let keys = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x7b || byte === 0x5b) objects++;
    else if (byte === 0x3a) keys++;
  }
  return objects > maxObjects || keys > maxKeys;
}

/** A string with something in it, trimmed, cut at `max` characters. */
export function asText(value: unknown, max = 1000): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim().slice(0, max);
  return text === '' ? undefined : text;
}

function isUtf16(bytes: Buffer): boolean {
  const [first, second] = bytes;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
