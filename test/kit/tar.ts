/**
 * A tar writer for tests: right archives by default, and on request every lie that a reader has to notice.
 *
 *     tar([file('etc/os-release', 'ID=x\n'), whiteout('srv/old'), entry({ name: 'dev/null', type: '3' })])
 */

/** One header block with what follows it, as bytes. Parts are joined by tar(). */
export type Part = Buffer;

export interface Header {
  readonly name: string | Buffer;
  /** The type flag; `0` for a regular file. */
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly mode?: number;
  readonly link?: string | Buffer;
  readonly prefix?: string | Buffer;
  /** Bytes at 257: POSIX unless stated. */
  readonly magic?: 'posix' | 'gnu' | 'v7' | 'star';
  /** What the size field says instead of the truth: a number, or raw bytes for the field. */
  readonly size?: number | Buffer;
  /** The mode field, raw. */
  readonly modeField?: Buffer;
  /** Raw checksum field instead of the right one. */
  readonly checksum?: Buffer;
  /** Bytes written over the header before the checksum is made. */
  readonly patch?: ReadonlyArray<readonly [offset: number, bytes: Buffer]>;
  /** No padding after the content. */
  readonly unpadded?: boolean;
}

const block = 512;

/** A member as its header says, whatever it says. Names beyond the fields are refused: use file() and its like. */
export function entry(header: Header): Part {
  const content = Buffer.from(header.content ?? '');
  const bytes = Buffer.alloc(block);
  put(bytes, header.name, 0, 100);
  (header.modeField ?? octal(header.mode ?? 0o644, 8)).copy(bytes, 100);
  octal(0, 8).copy(bytes, 108);
  octal(0, 8).copy(bytes, 116);
  const size = header.size ?? content.length;
  (Buffer.isBuffer(size) ? size : number(size)).copy(bytes, 124);
  octal(0, 12).copy(bytes, 136);
  bytes.write(header.type ?? '0', 156, 'latin1');
  put(bytes, header.link ?? '', 157, 100);
  const magics = { posix: 'ustar\x0000', gnu: 'ustar  \0', v7: '', star: 'ustar\x0000' };
  bytes.write(magics[header.magic ?? 'posix'], 257, 'latin1');
  put(bytes, header.prefix ?? '', 345, 155);
  if (header.magic === 'star') bytes.write('tar\0', 508, 'latin1');
  for (const [offset, patch] of header.patch ?? []) patch.copy(bytes, offset);
  (header.checksum ?? checksum(bytes)).copy(bytes, 148);
  return Buffer.concat([bytes, content, header.unpadded === true ? Buffer.alloc(0) : padding(content.length)]);
}

/** The whole archive: parts, then two blocks of zeros or what stands in `end`. */
export function tar(parts: readonly Part[], end: Buffer = Buffer.alloc(2 * block)): Buffer {
  return Buffer.concat([...parts, end]);
}

export function file(name: string | Buffer, content: Buffer | string = '', mode = 0o644): Part {
  return member({ name, content, mode });
}

export function directory(name: string | Buffer, mode = 0o755): Part {
  return member({ name, type: '5', mode });
}

export function symlink(name: string | Buffer, link: string | Buffer): Part {
  return member({ name, type: '2', link, mode: 0o777 });
}

export function hardlink(name: string | Buffer, link: string | Buffer): Part {
  return member({ name, type: '1', link });
}

/** Hides `path` of lower layers. */
export function whiteout(path: string): Part {
  const slash = path.lastIndexOf('/') + 1;
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`);
}

/** Hides all that lower layers have in the directory. */
export function opaque(directoryPath: string): Part {
  return file(directoryPath === '' ? '.wh..wh..opq' : `${directoryPath}/.wh..wh..opq`);
}

/** A PAX header for the next member (`x`) or for all (`g`). */
export function pax(
  records: ReadonlyArray<readonly [key: string, value: string | Buffer]>,
  type: 'x' | 'g' = 'x',
): Part {
  return rawPax(Buffer.concat(records.map(([key, value]) => paxRecord(key, value))), type);
}

export function rawPax(content: Buffer, type: 'x' | 'g' = 'x'): Part {
  return entry({ name: 'PaxHeaders/0', type, content });
}

/** `LENGTH KEY=VALUE\n`: the length counts its own digits. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** GNU's long name (`L`) or long link (`K`) for the next member. */
export function gnuLong(type: 'L' | 'K', text: string | Buffer): Part {
  return entry({
    name: '././@LongLink',
    type,
    magic: 'gnu',
    content: Buffer.concat([Buffer.from(text), Buffer.of(0)]),
  });
}

/** Base-256, as GNU writes numbers that do not fit; `first` are the flag bits of the first byte. */
export function base256(value: bigint, length: number, first = 0x80): Buffer {
  const bytes = Buffer.alloc(length);
  let rest = value;
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = bytes[0]! | first;
  return bytes;
}

/** An old GNU sparse member: `extensions` blocks of further map entries before the data. */
export function sparse(name: string, data: Buffer, extensions = 0): Part {
  const header = entry({
    name,
    type: 'S',
    magic: 'gnu',
    size: data.length,
    patch: [
      [386, octal(0, 12)],
      [398, octal(data.length, 12)],
      [482, Buffer.of(extensions > 0 ? 1 : 0)],
      [483, octal(1 << 20, 12)],
    ],
  });
  const maps = Array.from({ length: extensions }, (_, at) => {
    const map = Buffer.alloc(block);
    map[504] = at < extensions - 1 ? 1 : 0;
    return map;
  });
  return Buffer.concat([header, ...maps, data, padding(data.length)]);
}

/** Octal text, zero-padded, ended by NUL. */
export function octal(value: number, length: number): Buffer {
  return Buffer.from(`${value.toString(8).padStart(length - 1, '0')}\0`, 'latin1');
}

function member(header: Header): Part {
  const [name, link] = [Buffer.from(header.name), Buffer.from(header.link ?? '')];
  const records: [string, Buffer][] = [];
  if (name.length > 100) records.push(['path', name]);
  if (link.length > 100) records.push(['linkpath', link]);
  const short = entry({ ...header, name: name.subarray(0, 100), link: link.subarray(0, 100) });
  return records.length === 0 ? short : Buffer.concat([pax(records), short]);
}

function number(value: number): Buffer {
  return value < 8 ** 11 ? octal(value, 12) : base256(BigInt(value), 12);
}

function put(header: Buffer, text: string | Buffer, offset: number, length: number): void {
  const bytes = Buffer.from(text);
  if (bytes.length > length) throw new Error(`${bytes.length} bytes do not fit into ${length}`);
  bytes.copy(header, offset);
}

function checksum(header: Buffer): Buffer {
  let sum = 8 * 32;
  for (let at = 0; at < block; at++) if (at < 148 || at >= 156) sum += header[at]!;
  return Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `, 'latin1');
}

function padding(length: number): Buffer {
  return Buffer.alloc((block - (length % block)) % block);
}
