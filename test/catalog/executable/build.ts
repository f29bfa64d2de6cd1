/** Small but correct ELF, PE and Mach-O files around given sections, each section in a segment of its own. */

export interface Part {
  readonly name: string;
  readonly bytes: Buffer;
  /** Where it is mapped; by default at `base` plus its offset in the file. */
  readonly address?: number;
  readonly writable?: boolean;
  /** In the section table as memory without bytes. */
  readonly zeroFilled?: boolean;
  readonly compressed?: boolean;
  /** Not mapped. */
  readonly unmapped?: boolean;
}

export interface Layout {
  readonly is64?: boolean;
  readonly littleEndian?: boolean;
}

export const base = 0x400000;
/** Everything begins at a multiple of this, and files are at least this large. */
const page = 4096;

interface Placed extends Part {
  readonly offset: number;
  readonly address: number;
}

function place(parts: readonly Part[]): Placed[] {
  let offset = page;
  return parts.map((part) => {
    const placed = { ...part, offset, address: part.address ?? base + offset };
    offset += Math.ceil((part.bytes.length + 1) / 16) * 16;
    return placed;
  });
}

/** Numbers in one byte order; addresses and sizes in the width of the machine. */
export function writer(bytes: Buffer, { is64 = true, littleEndian = true }: Layout) {
  const u16 = (value: number, at: number) => {
    littleEndian ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  };
  const u32 = (value: number, at: number) => {
    littleEndian ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  };
  const u64 = (value: number | bigint, at: number) => {
    littleEndian ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeBigUInt64BE(BigInt(value), at);
  };
  return { u16, u32, u64, word: (value: number, at: number) => (is64 ? u64(value, at) : u32(value, at)) };
}

function fileAround(placed: readonly Placed[], more: number): Buffer {
  const end = placed.reduce((size, { offset, bytes }) => Math.max(size, offset + bytes.length), page);
  const file = Buffer.alloc(Math.ceil(end / 16) * 16 + more);
  for (const { bytes, offset } of placed) bytes.copy(file, offset);
  return file;
}

export function buildElf(parts: readonly Part[], layout: Layout = {}): Buffer {
  const { is64 = true, littleEndian = true } = layout;
  const placed = place([
    ...parts,
    { name: '.shstrtab', bytes: stringTable(parts.map(({ name }) => name)), unmapped: true },
  ]);
  const names = placed.at(-1)!.bytes;
  const stride = is64 ? 64 : 40;
  const file = fileAround(placed, (placed.length + 1) * stride);
  const table = file.length - (placed.length + 1) * stride;
  const mapped = placed.filter(({ unmapped }) => unmapped !== true);
  const { u16, u32, word } = writer(file, layout);
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, littleEndian ? 1 : 2, 1]);
  u16(2, 16);
  u16(62, 18);
  word(is64 ? 64 : 52, is64 ? 32 : 28);
  word(table, is64 ? 40 : 32);
  [is64 ? 56 : 32, mapped.length, stride, placed.length + 1, placed.length].forEach((value, index) => {
    u16(value, (is64 ? 54 : 42) + index * 2);
  });
  mapped.forEach(({ offset, address, bytes, writable }, index) => {
    const at = is64 ? 64 + index * 56 : 52 + index * 32;
    u32(1, at);
    u32(writable === true ? 6 : 5, at + (is64 ? 4 : 24));
    word(offset, at + (is64 ? 8 : 4));
    word(address, at + (is64 ? 16 : 8));
    word(bytes.length, at + (is64 ? 32 : 16));
    word(bytes.length, at + (is64 ? 40 : 20));
  });
  placed.forEach(({ name, offset, address, bytes, zeroFilled, compressed }, index) => {
    const at = table + (index + 1) * stride;
    u32(names.indexOf(`${name}\0`), at);
    u32(zeroFilled === true ? 8 : 1, at + 4);
    word(compressed === true ? 0x800 : 2, at + 8);
    word(address, at + (is64 ? 16 : 12));
    word(offset, at + (is64 ? 24 : 16));
    word(bytes.length, at + (is64 ? 32 : 20));
  });
  return file;
}

function stringTable(names: readonly string[]): Buffer {
  return Buffer.from(`\0${[...names, '.shstrtab'].join('\0')}\0`);
}

/** Section names longer than 8 bytes go to the string table, as MinGW does it. */
export function buildPe(parts: readonly Part[], { is64 = true }: Layout = {}): Buffer {
  const placed = place(parts);
  const long = placed.filter(({ name }) => name.length > 8).map(({ name }) => name);
  const strings = Buffer.from(`SIZE${long.map((name) => `${name}\0`).join('')}`);
  const file = fileAround(placed, strings.length);
  const stringsAt = file.length - strings.length;
  strings.copy(file, stringsAt);
  const { u16, u32, word } = writer(file, { is64 });
  file.write('MZ');
  u32(0x80, 0x3c);
  file.write('PE\0\0', 0x80);
  u16(is64 ? 0x8664 : 0x14c, 0x84);
  u16(placed.length, 0x86);
  u32(stringsAt, 0x8c);
  const optionalSize = is64 ? 240 : 224;
  u16(optionalSize, 0x94);
  u16(is64 ? 0x20b : 0x10b, 0x98);
  word(base, 0x98 + (is64 ? 24 : 28));
  placed.forEach(({ name, offset, address, bytes, writable, zeroFilled }, index) => {
    const at = 0x98 + optionalSize + index * 40;
    file.write(name.length > 8 ? `/${strings.indexOf(`${name}\0`)}` : name, at);
    u32(bytes.length, at + 8);
    u32(address - base, at + 12);
    u32(zeroFilled === true ? 0 : Math.ceil(bytes.length / 16) * 16, at + 16);
    u32(offset, at + 20);
    u32(writable === true ? 0xc0000040 : 0x60000020, at + 36);
  });
  return file;
}

export function buildMachO(parts: readonly Part[], layout: Layout = {}): Buffer {
  const { is64 = true, littleEndian = true } = layout;
  const placed = place(parts);
  const file = fileAround(placed, 0);
  const { u32, word } = writer(file, layout);
  const commandSize = is64 ? 72 + 80 : 56 + 68;
  const headerSize = is64 ? 32 : 28;
  const number = is64 ? 0xfeedfacf : 0xfeedface;
  u32(number, 0);
  u32(littleEndian ? 0x01000007 : 18, 4);
  u32(2, 12);
  u32(placed.length + 1, 16);
  u32(placed.length * commandSize + 24, 20);
  placed.forEach(({ name, offset, address, bytes, writable, zeroFilled }, index) => {
    const at = headerSize + index * commandSize;
    u32(is64 ? 0x19 : 1, at);
    u32(commandSize, at + 4);
    file.write(writable === true ? '__DATA' : '__TEXT', at + 8);
    word(address, at + 24);
    word(bytes.length, at + (is64 ? 32 : 28));
    word(offset, at + (is64 ? 40 : 32));
    word(bytes.length, at + (is64 ? 48 : 36));
    u32(writable === true ? 3 : 5, at + (is64 ? 60 : 44));
    u32(1, at + (is64 ? 64 : 48));
    const section = at + (is64 ? 72 : 56);
    file.write(name, section);
    word(address, section + 32);
    word(bytes.length, section + (is64 ? 40 : 36));
    u32(offset, section + (is64 ? 48 : 40));
    u32(zeroFilled === true ? 1 : 0, section + (is64 ? 64 : 56));
  });
  // LC_UUID, a command that is of no interest.
  u32(0x1b, headerSize + placed.length * commandSize);
  u32(24, headerSize + placed.length * commandSize + 4);
  return file;
}

export function buildUniversal(files: readonly Buffer[], wide = false): Buffer {
  const header = Buffer.alloc(page);
  header.writeUInt32BE(wide ? 0xcafebabf : 0xcafebabe, 0);
  header.writeUInt32BE(files.length, 4);
  let offset = page;
  files.forEach((file, index) => {
    const at = 8 + index * (wide ? 32 : 20);
    header.writeUInt32BE(index === 0 ? 0x01000007 : 0x0100000c, at);
    if (wide) {
      header.writeBigUInt64BE(BigInt(offset), at + 8);
      header.writeBigUInt64BE(BigInt(file.length), at + 16);
    } else {
      header.writeUInt32BE(offset, at + 8);
      header.writeUInt32BE(file.length, at + 12);
    }
    offset += file.length;
  });
  return Buffer.concat([header, ...files]);
}

/** Every kind of file around the same sections. */
export const everyFormat: readonly (readonly [string, (parts: readonly Part[]) => Buffer, Layout])[] = [
  ...[true, false].flatMap((is64) =>
    [true, false].flatMap((littleEndian) => {
      const layout = { is64, littleEndian };
      const bits = `${is64 ? 64 : 32} bits, ${littleEndian ? 'little' : 'big'}-endian`;
      return [
        [`ELF, ${bits}`, (parts: readonly Part[]) => buildElf(parts, layout), layout] as const,
        [`Mach-O, ${bits}`, (parts: readonly Part[]) => buildMachO(parts, layout), layout] as const,
      ];
    }),
  ),
  ['PE, 64 bits', (parts) => buildPe(parts), {}],
  ['PE, 32 bits', (parts) => buildPe(parts, { is64: false }), { is64: false }],
];
