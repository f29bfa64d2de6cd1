/**
 * Protocol Buffers' wire format, as far as a message that stands inside a signature needs it: fields in any order, each a key
 * (number * 8 + type) and a value.
 *
 *     08 96 01               field 1, type 0: the number 150, seven bits in an octet, the lowest first
 *     12 03 61 62 63         field 2, type 2: three bytes; text and messages inside are written so too
 *
 * A field that is not there has its default: 0, no bytes. Refused, where readers of the format would pass over it or pick one
 * of two meanings: fields that the message does not have, a field twice that may stand once, fixed-width types and groups,
 * numbers that are padded or beyond 2^53 - 1 (a negative one takes ten octets), lengths beyond the end.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { isUtf8 } from 'node:buffer';
import { malformed } from './failure.ts';

/** What a field of a message is: its name, and whether it is a number, bytes, or bytes any number of times. */
export type WireShape = ReadonlyMap<number, { readonly name: string; readonly type: 'number' | 'bytes' | 'many' }>;

export interface WireMessage {
  /** Where it stands, for people. */
  readonly where: string;
  readonly numbers: ReadonlyMap<string, number>;
  readonly bytes: ReadonlyMap<string, readonly Buffer[]>;
}

/** Every field that the message may have must be in `shape`. Throws VerifyError `malformed`. */
export function readWire(message: Buffer, where: string, shape: WireShape): WireMessage {
  const numbers = new Map<string, number>();
  const bytes = new Map<string, Buffer[]>();
  const reader = { message, where, at: 0 };
  while (reader.at < message.length) {
    const key = readNumber(reader);
    const field = shape.get(Math.floor(key / 8));
    if (field === undefined) throw malformed(`${where} has an unknown field ${Math.floor(key / 8)}`);
    const { name, type } = field;
    if (key % 8 !== (type === 'number' ? 0 : 2)) throw malformed(`${where}.${name} is of a wrong type`);
    const known = type === 'number' ? numbers.has(name) : bytes.has(name);
    if (known && type !== 'many') throw malformed(`${where}.${name} stands twice`);
    if (type === 'number') numbers.set(name, readNumber(reader));
    else bytes.set(name, [...(bytes.get(name) ?? []), readBytes(reader, name)]);
    if ((bytes.get(name)?.length ?? 0) > mostRepeats) throw malformed(`${where}.${name} stands too often`);
  }
  return { where, numbers, bytes };
}

/** 0 where it is not there. */
export function wireNumber({ numbers }: WireMessage, name: string): number {
  return numbers.get(name) ?? 0;
}

/** Undefined where it is not there, or empty: for the format both are the same. */
export function wireBytes({ bytes }: WireMessage, name: string): Buffer | undefined {
  const value = bytes.get(name)?.[0];
  return value === undefined || value.length === 0 ? undefined : value;
}

export function wireText(message: WireMessage, name: string): string {
  const value = wireBytes(message, name);
  if (value === undefined) throw malformed(`${message.where} has no ${name}`);
  if (!isUtf8(value)) throw malformed(`${message.where}.${name} is not UTF-8`);
  return value.toString('utf8');
}

const mostRepeats = 64;

interface Reader {
  readonly message: Buffer;
  readonly where: string;
  at: number;
}

function readNumber(reader: Reader): number {
  const { message, where } = reader;
  let value = 0;
  for (let weight = 1; weight <= 2 ** 49; weight *= 128) {
    const octet = message[reader.at++];
    if (octet === undefined) throw malformed(`${where} is cut off`);
    value += (octet & 0x7f) * weight;
    if (octet >= 0x80) continue;
    if (octet === 0 && weight > 1) throw malformed(`${where}: a number is padded`);
    if (!Number.isSafeInteger(value)) break;
    return value;
  }
  throw malformed(`${where}: a number is not from 0 to 2^53 - 1`);
}

function readBytes(reader: Reader, name: string): Buffer {
  const { message, where } = reader;
  const length = readNumber(reader);
  if (length > message.length - reader.at) throw malformed(`${where}.${name} is cut off`);
  const start = reader.at;
  reader.at += length;
  return message.subarray(start, reader.at);
}
