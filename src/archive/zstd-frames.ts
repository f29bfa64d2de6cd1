/**
 * Splits a zstd stream at its frame ends (RFC 8878 §3.1).
 *
 *   magic 28 B5 2F FD | frame header | blocks, each with a 3-byte header | 4-byte checksum, if announced | next frame …
 *   magic 5? 2A 4D 18 | 4-byte length | that many bytes to skip
 *
 * Layers may hold many frames (parallel compressors and the "chunked" image format write one for each file), and
 * node:zlib's stream ends in silence after the first one when more follow in the same write: files would be missing.
 * Only the framing is read here; what the blocks hold, and whether the checksum is right, is the decoder's business.
 */
import { OperationalError } from '../diag/index.ts';

/** Gives every byte in order, cut at the frame ends, so that no piece holds bytes of two frames. */
export type TakePiece = (piece: Buffer) => void;

type Field = 'magic' | 'descriptor' | 'skipLength' | 'blockHeader';
const fieldLength: Readonly<Record<Field, number>> = { magic: 4, descriptor: 1, skipLength: 4, blockHeader: 3 };

export class ZstdFrames {
  #field: Field = 'magic';
  readonly #bytes = Buffer.alloc(4);
  #have = 0;
  /** Bytes before the next field. */
  #pass = 0;
  /** Nothing but `#pass` is left of this frame. */
  #closing = false;
  #checksum = false;

  push(input: Buffer, take: TakePiece): void {
    let start = 0;
    for (let at = 0; at < input.length; ) {
      if (this.#pass > 0) {
        const length = Math.min(this.#pass, input.length - at);
        at += length;
        this.#pass -= length;
      } else {
        this.#bytes[this.#have++] = input[at++]!;
        if (this.#have === fieldLength[this.#field]) this.#complete();
      }
      if (this.#closing && this.#pass === 0) {
        this.#closing = false;
        this.#field = 'magic';
        take(input.subarray(start, at));
        start = at;
      }
    }
    if (start < input.length) take(input.subarray(start));
  }

  /** The input is over. Throws when it ended inside a frame. */
  end(): void {
    if (this.#field !== 'magic' || this.#have > 0) throw malformed('it is cut short');
  }

  #complete(): void {
    this.#have = 0;
    switch (this.#field) {
      case 'magic':
        this.#field = frameKind(this.#bytes.readUInt32LE(0));
        return;
      case 'skipLength':
        this.#pass = this.#bytes.readUInt32LE(0);
        this.#closing = true;
        return;
      case 'descriptor': {
        const descriptor = this.#bytes[0]!;
        const single = (descriptor & 0x20) !== 0;
        const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
        const dictionary = [0, 1, 2, 4][descriptor & 3]!;
        this.#checksum = (descriptor & 4) !== 0;
        this.#pass = (single ? 0 : 1) + dictionary + contentSize;
        this.#field = 'blockHeader';
        return;
      }
      case 'blockHeader':
        this.#block(this.#bytes.readUIntLE(0, 3));
    }
  }

  #block(header: number): void {
    const type = (header >> 1) & 3;
    if (type === 3) throw malformed('a block is of the reserved type');
    this.#closing = (header & 1) === 1;
    // An RLE block states the length that it stands for, and is one byte itself.
    this.#pass = (type === 1 ? 1 : header >> 3) + (this.#closing && this.#checksum ? 4 : 0);
  }
}

function frameKind(magic: number): Field {
  if (magic === 0xfd2fb528) return 'descriptor';
  if (magic >>> 4 === 0x184d2a5) return 'skipLength';
  throw malformed('something that is not a frame stands between or after its frames');
}

function malformed(reason: string): OperationalError {
  return new OperationalError('malformed', `the zstd data is malformed: ${reason}`);
}
