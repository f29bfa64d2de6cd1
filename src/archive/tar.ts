/**
 * A streaming tar reader: bytes are pushed in as they are inflated, entries come out, nothing is held but one header.
 *
 *   header block (512 bytes) | content, padded to 512 | header block | … | two blocks of zeros
 *
 * Read: V7, ustar (with prefix), star, GNU (long names `L` and `K`, base-256 numbers), PAX (`x`: path, linkpath, size).
 * POSIX.1-2017 "pax Interchange Format"; GNU tar manual, "Basic Tar Format". Where they leave room we see what Go's
 * archive/tar sees, because that is what container runtimes unpack with: entries that are only a header have no
 * content whatever their size field says, a GNU long name beats a PAX path, global PAX headers name nothing.
 *
 * Refused (malformed): a wrong checksum, numbers that are negative, not octal or beyond 2^53, NUL in a PAX path, PAX
 * records that do not add up, a lone zero block before another header, a cut in the middle of an entry.
 * Sparse members are recognised and their content is not: it is not the file's.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Limits, limitFlags } from './limits.ts';
import { decodePath } from './path.ts';

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'device' | 'fifo' | 'sparse' | 'unknown';

export interface TarEntry {
  /** As stored, decoded, not normalised. */
  readonly name: string;
  readonly type: TarType;
  /** Bytes of content that follow in the archive; 0 for all but files, sparse and unknown members. */
  readonly size: number;
  readonly mode: number;
  /** Target of a symlink or hard link, as stored. */
  readonly link: string;
  /** Where the content begins in the archive. */
  readonly offset: number;
}

/** Takes the content of one entry in pieces. The pieces are views: copy what is kept beyond the call. */
export interface TarContent {
  chunk(bytes: Buffer): void;
  end(): void;
}

export interface TarHandler {
  /** Says whether the content is wanted. */
  entry(entry: TarEntry): TarContent | undefined;
}

const block = 512;
const noContent: TarContent = { chunk() {}, end() {} };
/** Old GNU sparse maps continue in extra blocks before the content. */
const extensionFlag = 504;

interface Extended {
  path?: string;
  link?: string;
  size?: number;
  longName?: string;
  longLink?: string;
  sparse?: boolean;
}

export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: Pick<Limits, 'headerBytes'>;
  /** A header block that arrives in pieces. */
  readonly #partial = Buffer.alloc(block);
  #partialLength = 0;
  #remaining = 0;
  #padding = 0;
  #content: TarContent | undefined;
  #extended: Extended = {};
  #zeroBlocks = 0;
  #sparseHeaders: (() => void) | undefined;
  #ended = false;
  #trailing = false;
  /** Bytes before the ones being pushed, and bytes up to the end of the header being read. */
  #pushed = 0;
  #headerEnd = 0;

  constructor(handler: TarHandler, limits: Pick<Limits, 'headerBytes'>) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** True once the end marker has been read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when something other than zeros followed the end marker: readers ignore it, people should know of it. */
  get trailingData(): boolean {
    return this.#trailing;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#ended) {
        this.#trailing ||= !isZero(bytes.subarray(at));
        break;
      }
      if (this.#content !== undefined) at = this.#takeContent(bytes, at);
      else if (this.#padding > 0) at = this.#takePadding(bytes, at);
      else at = this.#takeHeader(bytes, at);
    }
    this.#pushed += bytes.length;
  }

  /** Bytes of content ahead that nobody wants: a reader with random access may leap over them. */
  get skippable(): number {
    return this.#content === noContent ? this.#remaining : 0;
  }

  /** Leaps over `skippable` bytes; gives their number. */
  skip(): number {
    const length = this.skippable;
    if (length > 0) {
      this.#content = undefined;
      this.#remaining = 0;
      this.#pushed += length;
    }
    return length;
  }

  /** The input is over. Throws when it was cut. */
  end(): void {
    if (this.#ended) return;
    const midHeader = this.#partialLength > 0 || this.#sparseHeaders !== undefined;
    const orphan = Object.keys(this.#extended).length > 0;
    // Padding that is missing at the very end is no loss, and no reader asks for it.
    if (this.#content !== undefined || midHeader || orphan) throw malformed('it is cut short');
  }

  #takeContent(bytes: Buffer, at: number): number {
    const length = Math.min(this.#remaining, bytes.length - at);
    if (length > 0 && this.#content !== noContent) this.#content!.chunk(bytes.subarray(at, at + length));
    this.#remaining -= length;
    if (this.#remaining === 0) this.#endContent();
    return at + length;
  }

  #endContent(): void {
    const content = this.#content!;
    this.#content = undefined;
    content.end();
  }

  #takePadding(bytes: Buffer, at: number): number {
    const length = Math.min(this.#padding, bytes.length - at);
    this.#padding -= length;
    return at + length;
  }

  #takeHeader(bytes: Buffer, at: number): number {
    if (this.#partialLength === 0 && bytes.length - at >= block) {
      this.#headerEnd = this.#pushed + at + block;
      this.#header(bytes.subarray(at, at + block));
      return at + block;
    }
    const length = Math.min(block - this.#partialLength, bytes.length - at);
    bytes.copy(this.#partial, this.#partialLength, at, at + length);
    this.#partialLength += length;
    if (this.#partialLength === block) {
      this.#partialLength = 0;
      this.#headerEnd = this.#pushed + at + length;
      this.#header(this.#partial);
    }
    return at + length;
  }

  #header(header: Buffer): void {
    if (this.#sparseHeaders !== undefined) {
      if (header[extensionFlag] === 0) this.#sparseHeaders();
      return;
    }
    if (isZero(header)) {
      this.#zeroBlocks += 1;
      this.#ended = this.#zeroBlocks === 2;
      return;
    }
    if (this.#zeroBlocks === 1) throw malformed('a block of zeros stands between two entries');
    checkSum(header);
    const flag = String.fromCharCode(header[156]!);
    const size = readNumber(header, 124, 12, 'size');
    if (flag === 'x' || flag === 'g') this.#collect(size, (text) => this.#pax(text, flag));
    else if (flag === 'L') this.#collect(size, (text) => this.#longName(text, 'longName'));
    else if (flag === 'K') this.#collect(size, (text) => this.#longName(text, 'longLink'));
    else this.#member(header, flag, size);
  }

  /** Reads an extended header whole. Its size is the author's claim: checked before a byte is held. */
  #collect(size: number, use: (bytes: Buffer) => void): void {
    if (size > this.#limits.headerBytes) {
      throw new OperationalError(
        'limit',
        `a tar header of ${size} bytes is over the limit of ${this.#limits.headerBytes}`,
        {
          hints: [`raise it with ${limitFlags.headerBytes} if this is expected`],
        },
      );
    }
    const pieces: Buffer[] = [];
    this.#begin(size, { chunk: (bytes) => pieces.push(Buffer.from(bytes)), end: () => use(Buffer.concat(pieces)) });
  }

  #begin(size: number, content: TarContent): void {
    this.#remaining = size;
    this.#padding = (block - (size % block)) % block;
    this.#content = content;
    if (size === 0) this.#endContent();
  }

  #longName(bytes: Buffer, which: 'longName' | 'longLink'): void {
    const end = bytes.indexOf(0);
    this.#extended[which] = decodePath(end < 0 ? bytes : bytes.subarray(0, end));
  }

  #pax(bytes: Buffer, flag: 'x' | 'g'): void {
    const records = parsePax(bytes);
    // As Go does: the next PAX header takes the place of the one before, a global one stands for a member of its own.
    const { longName, longLink } = this.#extended;
    this.#extended = {};
    if (flag === 'g') return;
    if (longName !== undefined) this.#extended.longName = longName;
    if (longLink !== undefined) this.#extended.longLink = longLink;
    for (const [key, value] of records) {
      if (key === 'path') this.#extended.path = decodePath(value);
      else if (key === 'linkpath') this.#extended.link = decodePath(value);
      else if (key === 'size' && value.length > 0) this.#extended.size = paxSize(value);
    }
    // Set in any case: "a header was here", and a cut right after it must not pass as the end.
    this.#extended.sparse = saysSparse(records);
    const real = records.get('GNU.sparse.name');
    if (this.#extended.sparse && real !== undefined && real.length > 0) this.#extended.path = decodePath(real);
  }

  #member(header: Buffer, flag: string, headerSize: number): void {
    const extended = this.#extended;
    this.#extended = {};
    const name = extended.longName || extended.path || headerName(header);
    const type = extended.sparse === true ? 'sparse' : memberType(flag, name);
    const hasContent = type === 'file' || type === 'sparse' || type === 'unknown';
    const entry: TarEntry = {
      name,
      type,
      size: hasContent ? (extended.size ?? headerSize) : 0,
      mode: readNumber(header, 100, 8, 'mode') & 0o7777,
      link: extended.longLink || extended.link || decodePath(untilNul(header, 157, 100)),
      offset: this.#headerEnd,
    };
    const start = () => {
      this.#sparseHeaders = undefined;
      this.#begin(entry.size, this.#handler.entry(entry) ?? noContent);
    };
    if (flag === 'S' && header[482] !== 0) this.#sparseHeaders = start;
    else start();
  }
}

function memberType(flag: string, name: string): TarType {
  switch (flag) {
    case '\0':
      return name.endsWith('/') ? 'directory' : 'file';
    case '0':
    case '7':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
      return 'device';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    case 'S':
      return 'sparse';
    default:
      return 'unknown';
  }
}

function headerName(header: Buffer): string {
  const name = untilNul(header, 0, 100);
  const prefix = headerPrefix(header);
  return decodePath(prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]));
}

function headerPrefix(header: Buffer): Buffer {
  const magic = header.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0')) {
    const star = header.toString('latin1', 508, 512) === 'tar\0';
    return untilNul(header, 345, star ? 131 : 155);
  }
  // GNU keeps two times there. Go once wrote a prefix all the same and still reads it where they are no times: a file
  // that runtimes unpack into a directory must not look to us as if it lay in the root.
  if (magic !== 'ustar  \0' || (isTime(header, 345) && isTime(header, 357))) return empty;
  const prefix = untilNul(header, 345, 155);
  return prefix.every((byte) => byte < 0x80) ? prefix : empty;
}

function isTime(header: Buffer, start: number): boolean {
  const first = header[start]!;
  return first === 0 || (first & 0x80) !== 0 || /^[0-7]*$/.test(octalText(header, start, 12));
}

const empty = Buffer.alloc(0);

function untilNul(header: Buffer, start: number, length: number): Buffer {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal text, or base-256 when the first bit is set. Sizes decide where the next header is: never guessed. */
function readNumber(header: Buffer, start: number, length: number, what: string): number {
  const first = header[start]!;
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) !== 0) throw malformed(`the ${what} of an entry is negative`);
    let value = first & 0x3f;
    for (let at = start + 1; at < start + length; at++) value = value * 256 + header[at]!;
    if (!Number.isSafeInteger(value)) throw malformed(`the ${what} of an entry is beyond 2^53`);
    return value;
  }
  const plain = plainOctal(header, start, length);
  if (plain >= 0) return plain;
  const text = octalText(header, start, length);
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw malformed(`the ${what} of an entry is not a number: ${quoted(text)}`);
  return Number.parseInt(text, 8);
}

/** Nothing but digits and then a space or NUL, as nearly every writer has it; -1 for what needs a closer look. */
function plainOctal(header: Buffer, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at++) {
    const digit = header[at]! - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else if (at > start && (header[at] === 0 || header[at] === 0x20) && at >= start + length - 2) return value;
    else return -1;
  }
  return value;
}

/** Spaces and NULs around it are padding; what stands behind a NUL within is nobody's. */
function octalText(header: Buffer, start: number, length: number): string {
  const field = header.toString('latin1', start, start + length).replace(/^[ \0]+|[ \0]+$/g, '');
  return field.split('\0', 1)[0]!;
}

function checkSum(header: Buffer): void {
  const stated = readNumber(header, 148, 8, 'checksum');
  header.copy(summed);
  // The checksum counts its own field as spaces.
  summed.fill(0x20, 148, 156);
  // Four bytes at a time: two sums of 16 bits each take 256 bytes of at most 255 without running over.
  let even = 0;
  let odd = 0;
  for (let at = 0; at < summedWords.length; at++) {
    const word = summedWords[at]!;
    even += word & 0xff00ff;
    odd += (word >>> 8) & 0xff00ff;
  }
  const unsigned = (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  if (stated === unsigned) return;
  // Some old writers summed signed bytes; both are accepted everywhere.
  const high = summed.reduce((count, byte) => count + (byte >> 7), 0);
  if (stated !== unsigned - 256 * high) throw malformed('a header has a wrong checksum');
}

const summed = Buffer.alloc(block);
const summedWords = new Uint32Array(summed.buffer, summed.byteOffset, block / 4);

/** PAX records: `LENGTH KEY=VALUE\n`, the length counting the whole record. Into a Map: keys are the author's. */
function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 15 ? '' : bytes.toString('latin1', at, space);
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw malformed('a PAX record does not add up');
    }
    const key = bytes.toString('utf8', space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    if (textKeys.has(key) ? value.includes(0) : key.includes('\0')) throw malformed('a PAX record contains NUL');
    records.set(key, value);
    at = end;
  }
  return records;
}

/**
 * By the records that make Go take a member for sparse: a known version, or a map without any. Of other records with such names
 * runtimes take no notice, and read the member as the plain file that it is.
 */
function saysSparse(records: ReadonlyMap<string, Buffer>): boolean {
  const text = (key: string) => records.get(`GNU.sparse.${key}`)?.toString('latin1') ?? '';
  const [major, minor] = [text('major'), text('minor')];
  if (major !== '' || minor !== '') return ['0.0', '0.1', '1.0'].includes(`${major}.${minor}`);
  return text('map') !== '' || text('offset') !== '' || text('numbytes') !== '';
}

const textKeys = new Set(['path', 'linkpath', 'uname', 'gname']);

function paxSize(value: Buffer): number {
  const text = value.toString('latin1');
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(Number(text))) throw malformed('a PAX size is not a number');
  return Number(text);
}

const zeros = Buffer.alloc(64 * 1024);

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length);
    if (piece.compare(zeros, 0, piece.length) !== 0) return false;
  }
  return true;
}

function malformed(reason: string): OperationalError {
  return new OperationalError('malformed', `the tar archive is malformed: ${reason}`);
}
