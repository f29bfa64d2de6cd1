import type { Layout } from '../executable/build.ts';
import { writer } from '../executable/build.ts';

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const frame = Buffer.alloc(16, 0xf9);

/** A module list between the sixteen bytes that stand on each side of it. */
export function framed(modules: string): Buffer {
  return modules === '' ? Buffer.alloc(0) : Buffer.concat([frame, Buffer.from(modules), frame]);
}

/** Build information as Go 1.18 and later write it. */
export function inlineBlob(version: string, modules: string | Buffer): Buffer {
  const header = Buffer.alloc(32);
  magic.copy(header);
  header[14] = 8;
  header[15] = 2;
  const list = typeof modules === 'string' ? framed(modules) : modules;
  return Buffer.concat([header, varint(version.length), Buffer.from(version), varint(list.length), list]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Build information as Go before 1.18 wrote it, with its strings behind it, for one address. */
export function pointerBlob(version: string, modules: string, address: number, layout: Layout): Buffer {
  const { is64 = true, littleEndian = true } = layout;
  const size = is64 ? 8 : 4;
  const list = framed(modules);
  const headersAt = 32;
  const versionAt = headersAt + 4 * size;
  const bytes = Buffer.alloc(versionAt + version.length + list.length);
  const { word } = writer(bytes, layout);
  magic.copy(bytes);
  bytes[14] = size;
  bytes[15] = littleEndian ? 0 : 1;
  word(address + headersAt, 16);
  // Go before 1.18 points to no string at all where there are no modules.
  word(list.length === 0 ? 0 : address + headersAt + 2 * size, 16 + size);
  word(address + versionAt, headersAt);
  word(version.length, headersAt + size);
  word(address + versionAt + version.length, headersAt + 2 * size);
  word(list.length, headersAt + 3 * size);
  bytes.write(version, versionAt);
  list.copy(bytes, versionAt + version.length);
  return bytes;
}
