/** Zstandard and gzip streams as other tools write them: many members, many frames, frames to skip, nothing compressed. */
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';

/** Several gzip members, one after the other. */
export function gzipMembers(bytes: Buffer, count = 3): Buffer {
  return Buffer.concat(cut(bytes, count).map((piece) => gzipSync(piece)));
}

/** Several zstd frames with a frame to skip after each, as parallel compressors and chunked images have them. */
export function zstdFrames(bytes: Buffer, count = 3): Buffer {
  return Buffer.concat(
    cut(bytes, count).flatMap((piece) => [zstdCompressSync(piece), skippable(Buffer.from('table'))]),
  );
}

/** RFC 8878 §3.1.2: a frame that decoders pass over. */
export function skippable(content: Buffer, kind = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + kind, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

/**
 * A gzip member of stored blocks (RFC 1951 §3.2.4): the same bytes whatever zlib and processor, which compressed data
 * does not promise.
 */
export function gzipStored(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [Buffer.from('1f8b08000000000000ff', 'hex')];
  const step = 0xffff;
  for (let at = 0; at === 0 || at < bytes.length; at += step) {
    const piece = bytes.subarray(at, at + step);
    const header = Buffer.alloc(5);
    header[0] = at + step >= bytes.length ? 1 : 0;
    header.writeUInt16LE(piece.length, 1);
    header.writeUInt16LE(piece.length ^ 0xffff, 3);
    pieces.push(header, piece);
  }
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(bytes), 0);
  end.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([...pieces, end]);
}

function cut(bytes: Buffer, count: number): readonly Buffer[] {
  const step = Math.max(1, Math.ceil(bytes.length / count));
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * step, (at + 1) * step));
}
