/**
 * A small zip writer for tests: honest archives by default, and on request the lies that a reader has to notice.
 * APPNOTE.TXT 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (ends).
 */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string | Buffer;
  readonly content?: Buffer | string;
  /** Stored instead of deflated. */
  readonly stored?: boolean;
  /** Sizes and places in zip64 fields, whatever they are. */
  readonly zip64?: boolean;
  /** Sizes and checksum after the data, zeros in the local header. */
  readonly descriptor?: boolean;
  /** Bytes of the local header's extra field. */
  readonly localExtra?: Buffer;
  /** Lies: what the headers say instead of the truth. */
  readonly localName?: string;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  /** The directory entry points at the local header of an earlier member, by index, and this one has no data. */
  readonly sharesDataOf?: number;
}

export interface ZipShape {
  readonly prefix?: Buffer;
  /** Offsets count from the start of the file, as `zip -A` makes them, and not from the end of the prefix. */
  readonly adjusted?: boolean;
  readonly comment?: Buffer;
  readonly zip64?: boolean;
  /** The number of entries that the end record states. */
  readonly count?: number;
}

/** Members by name, or in full where the order or a lie matters. */
export function zip(
  members: readonly ZipMember[] | Readonly<Record<string, Buffer | string>>,
  shape: ZipShape = {},
): Buffer {
  const list: readonly ZipMember[] = isList(members)
    ? members
    : Object.entries(members).map(([name, content]) => ({ name, content }));
  const prefix = shape.prefix ?? Buffer.alloc(0);
  const base = shape.adjusted === true ? prefix.length : 0;
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = base;
  for (const member of list) {
    const packed = pack(member);
    const shared = member.sharesDataOf === undefined ? undefined : offsets[member.sharesDataOf]!;
    offsets.push(shared ?? offset);
    directory.push(directoryEntry(packed, shared ?? offset));
    if (shared !== undefined) continue;
    const local = localEntry(packed);
    locals.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = endRecords(list.length, listing.length, offset, shape);
  return Buffer.concat([prefix, ...locals, listing, end]);
}

function isList(members: readonly ZipMember[] | object): members is readonly ZipMember[] {
  return Array.isArray(members);
}

interface Packed {
  readonly member: ZipMember;
  readonly name: Buffer;
  readonly data: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
}

function pack(member: ZipMember): Packed {
  const content = Buffer.from(member.content ?? '');
  const data = member.stored === true ? content : deflateRawSync(content);
  return {
    member,
    name: Buffer.from(member.name),
    data,
    flags: member.flags ?? (member.descriptor === true ? 0x0808 : 0x0800),
    method: member.method ?? (member.stored === true ? 0 : 8),
    crc: member.crc ?? crc32(content),
    size: member.size ?? content.length,
    compressedSize: member.compressedSize ?? data.length,
  };
}

function localEntry(packed: Packed): Buffer {
  const { member, data } = packed;
  const name = member.localName === undefined ? packed.name : Buffer.from(member.localName);
  const extra = member.localExtra ?? Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(packed.flags, 6);
  header.writeUInt16LE(packed.method, 8);
  const later = member.descriptor === true;
  header.writeUInt32LE(later ? 0 : packed.crc, 14);
  header.writeUInt32LE(later ? 0 : packed.compressedSize, 18);
  header.writeUInt32LE(later ? 0 : packed.size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  const descriptor = Buffer.alloc(later ? 16 : 0);
  if (later) {
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(packed.crc, 4);
    descriptor.writeUInt32LE(packed.compressedSize, 8);
    descriptor.writeUInt32LE(packed.size, 12);
  }
  return Buffer.concat([header, name, extra, data, descriptor]);
}

function directoryEntry(packed: Packed, offset: number): Buffer {
  const zip64 = packed.member.zip64 === true;
  const extra = zip64 ? zip64Extra(packed.size, packed.compressedSize, offset) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(packed.flags, 8);
  header.writeUInt16LE(packed.method, 10);
  header.writeUInt32LE(packed.crc, 16);
  header.writeUInt32LE(zip64 ? 0xffffffff : packed.compressedSize, 20);
  header.writeUInt32LE(zip64 ? 0xffffffff : packed.size, 24);
  header.writeUInt16LE(packed.name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
  return Buffer.concat([header, packed.name, extra]);
}

function zip64Extra(...values: number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return extra;
}

function endRecords(entries: number, size: number, offset: number, shape: ZipShape): Buffer {
  const comment = shape.comment ?? Buffer.alloc(0);
  const count = shape.count ?? entries;
  const zip64 = shape.zip64 === true;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count % 0x10000, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count % 0x10000, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : size, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!zip64) return Buffer.concat([end, comment]);
  const end64 = Buffer.alloc(56 + 20);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  end64.writeUInt32LE(0x07064b50, 56);
  end64.writeBigUInt64LE(BigInt(offset + size), 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([end64, end, comment]);
}
