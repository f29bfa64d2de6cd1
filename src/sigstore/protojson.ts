/**
 * Protocol Buffers' JSON mapping, as far as Sigstore's messages need it.
 *
 *     {"logIndex": "123", "logId": {"keyId": "wNI9…RgB0="}, "inclusionProof": null}
 *
 * Names are lowerCamelCase, the original snake_case is allowed; `null` and an absent field are the same, and so are an
 * absent number and 0 (writers leave defaults out: the first entry of a log has no logIndex). int64 is a decimal string
 * or a number, bytes are base64. Refused: a name that the message does not have, both spellings of one name, base64 in
 * any but its one canonical spelling, numbers that are no whole number from 0 to 2^53 - 1.
 * https://protobuf.dev/programming-guides/json/
 */
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json } from './json.ts';

/** Fields of one message by their camelCase names, without nulls. */
export interface Message {
  /** Where it stands, for people: `bundle.verificationMaterial`. */
  readonly where: string;
  readonly fields: ReadonlyMap<string, Json>;
}

/** Every field that the message may have must be named. */
export function readMessage(value: Json | undefined, where: string, names: readonly string[]): Message {
  if (!isJsonObject(value)) throw malformed(`${where} is not an object`);
  const fields = new Map<string, Json>();
  for (const written of Object.keys(value)) {
    const name = written.includes('_')
      ? written.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      : written;
    if (!names.includes(name)) throw malformed(`${where} has an unknown field ${quoted(written, 60)}`);
    const field = value[written];
    if (field === null || field === undefined) continue;
    if (fields.has(name)) throw malformed(`${where} has field ${quoted(name)} in two spellings`);
    fields.set(name, field);
  }
  return { where, fields };
}

export function has(message: Message, name: string): boolean {
  return message.fields.has(name);
}

export function child(message: Message, name: string, names: readonly string[]): Message {
  return readMessage(need(message, name), `${message.where}.${name}`, names);
}

export function optionalChild(message: Message, name: string, names: readonly string[]): Message | undefined {
  return has(message, name) ? child(message, name, names) : undefined;
}

/** The elements of a repeated field, none when it is absent. */
export function items<T>(message: Message, name: string, max: number, read: (value: Json, where: string) => T): T[] {
  const value = message.fields.get(name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(`${message.where}.${name} is not a list`);
  if (value.length > max) throw malformed(`${message.where}.${name} has more than ${max} elements`);
  return value.map((each: Json, index) => read(each, `${message.where}.${name}[${index}]`));
}

/** Exactly one of the names is there. */
export function oneOf<N extends string>(message: Message, names: readonly N[]): N {
  const there = names.filter((name) => has(message, name));
  const [first] = there;
  if (first === undefined || there.length > 1) {
    throw malformed(`${message.where} has ${there.length === 0 ? 'none' : 'more than one'} of ${names.join(', ')}`);
  }
  return first;
}

export function text(message: Message, name: string): string {
  return readText(need(message, name), `${message.where}.${name}`);
}

export function optionalText(message: Message, name: string): string | undefined {
  return has(message, name) ? text(message, name) : undefined;
}

/** At least one byte, at most `max`. */
export function bytes(message: Message, name: string, max: number): Buffer {
  return readBytes(need(message, name), `${message.where}.${name}`, max);
}

/** int64; 0 when absent. */
export function count(message: Message, name: string): number {
  const value = message.fields.get(name) ?? 0;
  const number = typeof value === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw malformed(`${message.where}.${name} is not a whole number from 0 to 2^53 - 1`);
  }
  return number;
}

/** An enum's name, whether written by name or by number. */
export function enumName(message: Message, name: string, known: ReadonlyMap<number, string>): string | undefined {
  const value = message.fields.get(name);
  if (value === undefined) return undefined;
  const found = typeof value === 'number' ? known.get(value) : value;
  if (typeof found !== 'string') throw malformed(`${message.where}.${name} is not one of its names`);
  return found;
}

export function readText(value: Json, where: string): string {
  if (typeof value !== 'string') throw malformed(`${where} is not a string`);
  return value;
}

export function readBytes(value: Json, where: string, max: number): Buffer {
  const base64 = readText(value, where);
  if (base64.length > Math.ceil(max / 3) * 4) throw malformed(`${where} is larger than ${max} bytes`);
  return decodeBase64(base64, where);
}

/** RFC 4648 §4, padded, no line breaks, unused bits zero: each value has one spelling. */
export function decodeBase64(base64: string, where: string): Buffer {
  const decoded = Buffer.from(base64, 'base64');
  if (decoded.length === 0) throw malformed(`${where} is empty`);
  // Buffer.from skips whatever is no base64; only the one canonical spelling comes out as it went in.
  if (decoded.toString('base64') !== base64) throw malformed(`${where} is not base64`);
  return decoded;
}

/** A Timestamp: RFC 3339 in UTC or with an offset, in milliseconds; what is below a millisecond is cut off. */
export function readTimestamp(value: Json, where: string): { ms: number; cut: boolean } {
  const written = readText(value, where);
  const match = timestampForm.exec(written);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${(match[2] ?? '').slice(0, 4)}${match[3]}`);
  if (match === null || !Number.isFinite(ms) || !isRealDate(match[1] ?? '')) {
    throw malformed(`${where} is not a time`, new VerifyError('malformed', quoted(written)));
  }
  return { ms, cut: /[1-9]/.test((match[2] ?? '').slice(4)) };
}

const timestampForm =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$/;

// Date.parse takes 30 February for 1 March, and 24:00 for midnight.
function isRealDate(written: string): boolean {
  const ms = Date.parse(`${written}Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(written);
}

function need(message: Message, name: string): Json {
  const value = message.fields.get(name);
  if (value === undefined) throw malformed(`${message.where} has no ${name}`);
  return value;
}
