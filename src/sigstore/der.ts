/**
 * DER, the one encoding of ASN.1 in which every value has a single spelling: tag octet, length octets, content.
 *
 *     30 06            SEQUENCE of 6 octets
 *        02 01 05         INTEGER 5
 *        01 01 ff         BOOLEAN true
 *
 * Refused: indefinite and non-minimal lengths, tag numbers above 30, strings in pieces (constructed), sequences that
 * are primitive, bytes after the element, padded integers and object identifiers, more than 48 levels. A reader that
 * lets any of these pass sees something else than the next reader does, and a signature over one is then read as
 * another. ITU-T X.690 §8 and §10–11.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { malformed } from './failure.ts';

/** One element, as a place in the input. */
export interface Der {
  /** The identifier octet: class, constructed bit and number. */
  readonly tag: number;
  readonly source: Buffer;
  /** Offsets into `source`: of the header, of the content, and behind both. */
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  /** The whole element, header included: a view of the input, made when asked for. */
  readonly bytes: Buffer;
  /** As `bytes`, without the header. */
  readonly content: Buffer;
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[number]` around other elements (explicit, or an implicit SEQUENCE or SET). */
export function contextTag(number: number): number {
  return 0xa0 + number;
}

/** `[number] IMPLICIT` over something primitive. */
export function primitiveContextTag(number: number): number {
  return 0x80 + number;
}

const deepest = 48;

/** Exactly one element, checked down to its leaves. Throws `malformed` as every function here. */
export function readDer(bytes: Buffer): Der {
  const end = contentEnd(bytes, 0, bytes.length);
  if (end !== bytes.length) throw malformed('DER: bytes after the end of the element');
  checkTree(bytes);
  return new Element(bytes, 0, end);
}

/** The elements inside a constructed one. */
export function children(der: Der | undefined, tag: number = Tag.sequence): Der[] {
  const { source, contentStart, end: limit } = expectTag(der, tag);
  const found: Der[] = [];
  for (let at = contentStart; at < limit; ) {
    const end = contentEnd(source, at, limit);
    found.push(new Element(source, at, end));
    at = end;
  }
  return found;
}

/** Walks the fields of a SEQUENCE in order; what is left at `end` is refused. */
export interface Fields {
  /** The next field, whatever its tag. */
  any(): Der;
  next(tag: number): Der;
  optional(tag: number): Der | undefined;
  end(): void;
}

export function fields(der: Der | undefined, tag: number = Tag.sequence): Fields {
  const all = children(der, tag);
  let at = 0;
  const any = (): Der => expectTag(all[at++], undefined);
  return {
    any,
    next: (wanted) => expectTag(any(), wanted),
    optional: (wanted) => (all[at]?.tag === wanted ? any() : undefined),
    end: () => {
      if (at < all.length) throw malformed(`DER: unexpected ${nameOf(all[at]!.tag)} at the end of a sequence`);
    },
  };
}

/** The single element inside `[number] EXPLICIT`. */
export function explicit(der: Der | undefined, number: number): Der {
  const inside = children(der, contextTag(number));
  if (inside.length !== 1) throw malformed(`DER: [${number}] must hold exactly one element`);
  return inside[0]!;
}

/** Gives the element back when it has this tag; without a tag it only has to exist. */
export function expectTag(der: Der | undefined, tag: number | undefined): Der {
  if (der === undefined) throw malformed(`DER: ${tag === undefined ? 'an element' : nameOf(tag)} is missing`);
  if (tag !== undefined && der.tag !== tag) throw malformed(`DER: expected ${nameOf(tag)}, got ${nameOf(der.tag)}`);
  return der;
}

export function boolean(der: Der | undefined): boolean {
  const { source, contentStart, end } = expectTag(der, Tag.boolean);
  const value = source[contentStart];
  if (end - contentStart !== 1 || (value !== 0 && value !== 0xff)) throw malformed('DER: a BOOLEAN is 00 or ff');
  return value === 0xff;
}

/** The octets of an INTEGER in two's complement, as short as they can be. */
export function integer(der: Der | undefined): Buffer {
  const { content } = expectTag(der, Tag.integer);
  const [first, second] = content;
  if (first === undefined) throw malformed('DER: an INTEGER has no octets');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed('DER: an INTEGER is padded');
  }
  return content;
}

/** The octets of an INTEGER of zero or more, without a sign octet. Zero is one octet. */
export function unsignedInteger(der: Der | undefined): Buffer {
  const octets = integer(der);
  if (octets[0]! >= 0x80) throw malformed('DER: an INTEGER is negative');
  return octets[0] === 0 && octets.length > 1 ? octets.subarray(1) : octets;
}

/** An INTEGER from 0 to 2^48-1. */
export function smallInteger(der: Der | undefined): number {
  const octets = unsignedInteger(der);
  if (octets.length > 6) throw malformed('DER: an INTEGER is too large');
  return octets.readUIntBE(0, octets.length);
}

/** Whole octets: keys and signatures. */
export function bitString(der: Der | undefined): Buffer {
  const { unused, octets } = namedBits(der);
  if (unused !== 0) throw malformed('DER: a BIT STRING does not end at an octet');
  return octets;
}

/** Bit 0 is the highest bit of the first octet. */
export function namedBits(der: Der | undefined): { readonly unused: number; readonly octets: Buffer } {
  const { content } = expectTag(der, Tag.bitString);
  const unused = content[0];
  if (unused === undefined || unused > 7 || (unused > 0 && content.length === 1)) {
    throw malformed('DER: a BIT STRING has a wrong count of unused bits');
  }
  if ((content[content.length - 1]! & ((1 << unused) - 1)) !== 0 && unused > 0) {
    throw malformed('DER: unused bits of a BIT STRING are set');
  }
  return { unused, octets: content.subarray(1) };
}

export function octetString(der: Der | undefined, tag: number = Tag.octetString): Buffer {
  return expectTag(der, tag).content;
}

/** Text without control characters, as every name that is compared or shown must be. */
export function utf8String(der: Der | undefined): string {
  const { content } = expectTag(der, Tag.utf8String);
  if (!isUtf8(content)) throw malformed('DER: a UTF8String is not UTF-8');
  return withoutControls(content.toString('utf8'));
}

/** ASCII without control characters. */
export function ia5String(der: Der | undefined, tag: number): string {
  const { content } = expectTag(der, tag);
  if (!isAscii(content)) throw malformed('DER: an IA5String is not ASCII');
  return withoutControls(content.toString('latin1'));
}

/** Dotted decimal. */
export function oid(der: Der | undefined): string {
  const { source, contentStart: start, end } = expectTag(der, Tag.oid);
  if (start === end || end - start > 64) throw malformed('DER: an OBJECT IDENTIFIER has a wrong length');
  if (source[end - 1]! >= 0x80) throw malformed('DER: an OBJECT IDENTIFIER is cut off');
  let dotted = '';
  for (let at = start; at < end; ) {
    if (source[at] === 0x80) throw malformed('DER: an OBJECT IDENTIFIER is padded');
    const first = at;
    while (source[at]! >= 0x80) at++;
    const arc = arcOf(source, first, ++at);
    dotted += first === start ? firstArcs(arc) : `.${arc}`;
  }
  return dotted;
}

/** UTCTime or GeneralizedTime to the second, as certificates have it. Milliseconds since the epoch. */
export function time(der: Der | undefined): number {
  if (der?.tag === Tag.utcTime) {
    const [digits] = timeParts(der, 12);
    const century = Number(digits.slice(0, 2)) >= 50 ? '19' : '20';
    return instant(century + digits);
  }
  const [digits, fraction] = timeParts(expectTag(der, Tag.generalizedTime), 14);
  if (fraction !== '') throw malformed('DER: a time has a fraction of a second');
  return instant(digits);
}

/** GeneralizedTime, which may have a fraction of a second (RFC 3161 §2.4.2). Milliseconds, rounded down. */
export function timeWithFraction(der: Der | undefined): number {
  const [digits, fraction] = timeParts(expectTag(der, Tag.generalizedTime), 14);
  return instant(digits) + (fraction === '' ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0')));
}

/** Where the element at `at` ends; every length is checked here and nowhere else. */
function contentEnd(bytes: Buffer, at: number, limit: number): number {
  if (limit - at < 2) throw malformed('DER: the element is cut off');
  if ((bytes[at]! & 0x1f) === 0x1f) throw malformed('DER: a tag number above 30');
  const first = bytes[at + 1]!;
  if (first < 0x80) {
    if (first > limit - at - 2) throw malformed('DER: the element is cut off');
    return at + 2 + first;
  }
  const octets = first & 0x7f;
  if (octets === 0) throw malformed('DER: a length is indefinite (BER)');
  if (octets > 4 || octets > limit - at - 2) throw malformed('DER: the element is cut off');
  const length = bytes.readUIntBE(at + 2, octets);
  if (length < 0x80 || bytes[at + 2] === 0) throw malformed('DER: a length is not minimal');
  if (length > limit - at - 2 - octets) throw malformed('DER: the element is cut off');
  return at + 2 + octets + length;
}

/** `contentEnd` has accepted the header at this place. */
function contentStart(bytes: Buffer, at: number): number {
  const first = bytes[at + 1]!;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

/**
 * A class for the sake of speed: most views of a certificate's elements are never looked at, and they cost more than
 * the parsing.
 */
class Element implements Der {
  readonly tag: number;
  readonly source: Buffer;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;

  constructor(source: Buffer, start: number, end: number) {
    this.tag = source[start]!;
    this.source = source;
    this.start = start;
    this.contentStart = contentStart(source, start);
    this.end = end;
  }

  get bytes(): Buffer {
    return this.source.subarray(this.start, this.end);
  }

  get content(): Buffer {
    return this.source.subarray(this.contentStart, this.end);
  }
}

/** No recursion: depth is chosen by whoever made the input. */
function checkTree(bytes: Buffer): void {
  const ends = [bytes.length];
  for (let at = 0; ends.length > 0; ) {
    const limit = ends[ends.length - 1]!;
    if (at === limit) {
      ends.pop();
      continue;
    }
    const end = contentEnd(bytes, at, limit);
    const tag = bytes[at]!;
    checkForm(tag);
    if ((tag & 0x20) === 0) {
      at = end;
      continue;
    }
    if (ends.length > deepest) throw malformed(`DER: nested deeper than ${deepest} levels`);
    ends.push(end);
    at = contentStart(bytes, at);
  }
}

/** Of the universal types, EXTERNAL, EMBEDDED PDV, SEQUENCE and SET are constructed, and nothing else is. */
function checkForm(tag: number): void {
  if (tag >= 0x40) return;
  const number = tag & 0x1f;
  const constructed = number === 8 || number === 11 || number === 16 || number === 17;
  if (number === 0) throw malformed('DER: an end-of-contents mark (BER)');
  if (constructed !== ((tag & 0x20) !== 0)) throw malformed(`DER: tag 0x${tag.toString(16)} has the wrong form (BER)`);
}

function withoutControls(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw malformed('DER: a string holds control characters');
  return text;
}

/** Arcs of a UUID below 2.25 do not fit a number. */
function arcOf(content: Buffer, start: number, end: number): bigint | number {
  if (end - start <= 7) {
    let arc = 0;
    for (let at = start; at < end; at++) arc = arc * 128 + (content[at]! & 0x7f);
    return arc;
  }
  let arc = 0n;
  for (let at = start; at < end; at++) arc = arc * 128n + BigInt(content[at]! & 0x7f);
  return arc;
}

function firstArcs(arc: bigint | number): string {
  if (arc < 40) return `0.${arc}`;
  if (arc < 80) return `1.${Number(arc) - 40}`;
  return `2.${typeof arc === 'bigint' ? arc - 80n : arc - 80}`;
}

/** The digits before the `Z` and those after the point. */
function timeParts(der: Der, digits: number): readonly [string, string] {
  const text = der.content.toString('latin1');
  const match = /^([0-9]{12}|[0-9]{14})(?:\.([0-9]{0,17}[1-9]))?Z$/.exec(text);
  if (match === null || match[1]!.length !== digits) throw malformed('DER: a time is not of the form YYYYMMDDhhmmssZ');
  return [match[1]!, match[2] ?? ''];
}

function instant(digits: string): number {
  const part = (from: number, to: number): number => Number(digits.slice(from, to));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const back = new Date(at);
  // Date.UTC carries a 31st of February over into March, and takes years before 100 for 19xx.
  const exists = back.getUTCFullYear() === year && back.getUTCMonth() === month - 1 && back.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) throw malformed('DER: a time that does not exist');
  return at;
}

function nameOf(tag: number): string {
  const known = Object.entries(Tag).find(([, value]) => value === tag);
  if (known !== undefined) return known[0];
  return tag >= 0x80 && tag < 0xc0 ? `[${tag & 0x1f}]` : `tag 0x${tag.toString(16).padStart(2, '0')}`;
}
