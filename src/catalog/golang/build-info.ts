/**
 * The build information that the Go linker leaves in every program: the version of Go and the module list.
 *
 *   ff 20 47 6f 20 62 75 69 6c 64 69 6e 66 3a | pointer size | flags | 16 bytes | …      ("\xff Go buildinf:")
 *
 * It starts at an address divisible by 16. With flag 2 (Go 1.18 and later) two strings follow the 32 bytes, each after
 * its length as a varint. Without it, the 16 bytes hold two pointers to Go strings (pointer and length, in the program's
 * pointer size; flag 1 for big-endian). The module list is framed by 16 bytes on each side, which are cut off.
 *
 * The place: section `.go.buildinfo` (ELF) or `__go_buildinfo` (Mach-O), else the first writable segment. A program whose
 * section table was removed after linking with a C linker has it anywhere; there we look last, and believe less. Programs
 * about Go contain the same 14 bytes as a constant: what follows tells them apart.
 *
 * Refused: strings that are not in the program, or of absurd length. Package debug/buildinfo of Go defines the format.
 */
import { addressOf, type Executable, mappedBytes } from '../executable/index.ts';
import { Unreadable } from '../types.ts';

export const buildInfoMagic = Buffer.from('\xff Go buildinf:', 'latin1');

/**
 * In the name of a section that every Go program has, stripped or not: also those from before Go wrote build information
 * (1.12), and those from which it was removed.
 */
export const functionTable = Buffer.from('gopclntab');

export function hasFunctionTable({ sections }: Executable): boolean {
  return sections.some(({ name }) => /^(?:\.(?:data\.rel\.ro\.)?|__)gopclntab$/.test(name));
}

export interface BuildInfoText {
  /** `go1.22.3`, `go1.26.8 X:jsonv2`, `devel go1.23-…`. Never empty. */
  readonly goVersion: string;
  /** The module list; empty in a program that was built without modules, undefined when its frame is damaged. */
  readonly modules: string | undefined;
  /** False when it stood at a place where no linker puts it. */
  readonly atItsPlace: boolean;
}

/** Throws Unreadable when it is there and damaged. */
export function findBuildInfo(program: Executable): BuildInfoText | undefined {
  let damaged = false;
  for (const { start, end } of usualPlaces(program)) {
    for (const offset of occurrences(program.bytes, start, end)) {
      const found = readBlob(program, offset);
      if (found === 'damaged') damaged = true;
      else if (found !== undefined) return { ...found, atItsPlace: true };
    }
  }
  if (damaged) throw new Unreadable('its Go build information is damaged');
  for (const offset of occurrences(program.bytes, 0, program.bytes.length)) {
    const found = readBlob(program, offset);
    if (found === undefined || found === 'damaged' || !/^(?:go\d|devel )/.test(found.goVersion)) continue;
    return { ...found, atItsPlace: false };
  }
  if (program.sectionFault !== undefined) throw new Unreadable(program.sectionFault);
  return undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function usualPlaces({ sections, segments }: Executable): Range[] {
  // A linker writes one such section; a file with thousands would only have us read it thousands of times.
  const named = sections.filter(({ name }) => name === '.go.buildinfo' || name === '__go_buildinfo').slice(0, 4);
  const data = segments.find(({ writable, executable }) => writable && !executable);
  return [...named, ...(data === undefined ? [] : [data])].map(({ offset, size }) => ({
    start: offset,
    end: offset + size,
  }));
}

/** Each occurrence costs a look at up to thousands of segments; a program about Go has a handful. */
const maxOccurrences = 1_000;

function* occurrences(bytes: Buffer, start: number, end: number): Generator<number> {
  const range = bytes.subarray(0, Math.min(end, bytes.length));
  let at = range.indexOf(buildInfoMagic, Math.min(start, range.length));
  for (let count = 0; at >= 0; count++) {
    if (count === maxOccurrences) throw new Unreadable('it has too many marks of Go build information');
    yield at;
    at = range.indexOf(buildInfoMagic, at + buildInfoMagic.length);
  }
}

const alignment = 16;
const headerSize = 32;
const maxVersionSize = 4_096;
const maxModulesSize = 8 * 1024 * 1024;

type Strings = Omit<BuildInfoText, 'atItsPlace'>;

/** Undefined when it is not build information at all, but the same bytes by accident or as a constant. */
function readBlob(program: Executable, offset: number): Strings | 'damaged' | undefined {
  const address = addressOf(program, offset);
  if (address === undefined || address % alignment !== 0) return undefined;
  const blob = mappedBytes(program, address);
  if (blob === undefined || blob.length < headerSize) return undefined;
  const flags = blob[15]!;
  const strings = (flags & 2) === 2 ? inlineStrings(blob) : pointedStrings(program, blob, blob[14]!, (flags & 1) === 1);
  if (strings === undefined) return undefined;
  const [version, modules] = strings;
  if (version === undefined || modules === undefined || version.length === 0) return 'damaged';
  if (version.length > maxVersionSize || modules.length > maxModulesSize) return 'damaged';
  return { goVersion: version.toString('utf8'), modules: withoutFrame(modules) };
}

type TwoStrings = readonly [Buffer | undefined, Buffer | undefined];

function inlineStrings(blob: Buffer): TwoStrings {
  const version = lengthPrefixed(blob, headerSize);
  const modules = version === undefined ? undefined : lengthPrefixed(blob, version.end);
  return [version?.bytes, modules?.bytes];
}

function lengthPrefixed(blob: Buffer, at: number): { bytes: Buffer; end: number } | undefined {
  let length = 0;
  // Seven bits per byte, the lowest first; five bytes reach past every cap.
  for (let index = 0; index < 5; index++) {
    const byte = blob[at + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    const start = at + index + 1;
    const end = start + length;
    return end <= blob.length ? { bytes: blob.subarray(start, end), end } : undefined;
  }
  return undefined;
}

function pointedStrings(
  program: Executable,
  blob: Buffer,
  pointerSize: number,
  bigEndian: boolean,
): TwoStrings | undefined {
  if (pointerSize !== 4 && pointerSize !== 8) return undefined;
  const pointer = (bytes: Buffer, index: number): number | undefined => {
    const at = index * pointerSize;
    if (at + pointerSize > bytes.length) return undefined;
    if (pointerSize === 4) return bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const value = bigEndian ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at);
    return value > Number.MAX_SAFE_INTEGER ? undefined : Number(value);
  };
  const mapped = (address: number | undefined) => (address === undefined ? undefined : mappedBytes(program, address));
  const goString = (index: number): Buffer | undefined => {
    const address = pointer(blob.subarray(16, headerSize), index);
    if (address === 0) return Buffer.alloc(0);
    const header = mapped(address);
    const length = header === undefined ? undefined : pointer(header, 1);
    if (header === undefined || length === undefined) return undefined;
    if (length === 0) return Buffer.alloc(0);
    const bytes = mapped(pointer(header, 0));
    return bytes === undefined || bytes.length < length ? undefined : bytes.subarray(0, length);
  };
  return [goString(0), goString(1)];
}

function withoutFrame(modules: Buffer): string | undefined {
  if (modules.length === 0) return '';
  const framed = modules.length >= 33 && modules[modules.length - 17] === 0x0a;
  return framed ? modules.toString('utf8', 16, modules.length - 16) : undefined;
}
