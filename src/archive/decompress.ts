/**
 * Inflates one stream of unknown compression, recognised by its first bytes and never by its name.
 *
 * The decoder works on the thread pool. What it gives is queued and handed on in a later turn of the event loop, so that
 * the pool inflates the next piece while this thread hashes and reads the one before: the two costs overlap.
 */
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { OperationalError } from '../diag/index.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

export interface Taker {
  /** Compressed bytes as they were read. */
  stored(bytes: Buffer): void;
  /** Inflated bytes; a view that is valid during the call and may be kept, but keeps the whole piece alive. */
  plain(bytes: Buffer): void;
}

/** Bytes that a decoder gives at a time. */
const pieceBytes = 512 * 1024;
/** Bytes that are taken in one turn: between two turns the decoder gets its next piece of work, however long a turn is. */
const sliceBytes = 64 * 1024;
/** Inflated bytes that may wait to be taken. */
const queueBytes = 2 * 1024 * 1024;

export function sniffCompression(first: Buffer): Compression {
  const magic = first.length >= 4 ? first.readUInt32LE(0) : 0;
  if (first.length >= 2 && first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  if (magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5) return 'zstd';
  const text = first.toString('latin1', 0, sniffBytes);
  const name = unread.find(([, pattern]) => pattern.test(text))?.[0];
  if (name !== undefined) {
    throw new OperationalError('unsupported', `the data is compressed with ${name}, which is not read`, {
      hints: ['store it with gzip or zstd, as the image specification asks'],
    });
  }
  return 'none';
}

/** Throws what `taker` throws, what reading throws, and OperationalError for damaged or unsupported data. */
export async function decompress(input: AsyncIterable<Buffer>, taker: Taker): Promise<Compression> {
  let feed: Feed | undefined;
  let compression: Compression = 'none';
  let first: Buffer = Buffer.alloc(0);
  const open = (bytes: Buffer): Feed => {
    compression = sniffCompression(bytes);
    feed = openFeed(compression, taker);
    return feed;
  };
  try {
    for await (const bytes of input) {
      taker.stored(bytes);
      if (feed !== undefined) await feed.write(bytes);
      else {
        // The first piece may be too short to tell by.
        first = first.length === 0 ? bytes : Buffer.concat([first, bytes]);
        if (first.length >= sniffBytes) await open(first).write(first);
      }
    }
    if (feed === undefined && first.length > 0) await open(first).write(first);
    await feed?.end();
  } catch (error) {
    feed?.destroy();
    throw error;
  }
  return compression;
}

const sniffBytes = 10;

/** Long enough not to be the name of a tar archive's first file. */
const unread: ReadonlyArray<readonly [name: string, magic: RegExp]> = [
  ['xz', /^\xfd7zXZ\0/],
  ['bzip2', /^BZh[1-9]1AY&SY/],
  ['lz4', /^\x04\x22\x4d\x18/],
  ['7-zip', /^7z\xbc\xaf\x27\x1c/],
];

interface Feed {
  write(bytes: Buffer): Promise<void>;
  end(): Promise<void>;
  destroy(): void;
}

function openFeed(compression: Compression, taker: Taker): Feed {
  if (compression === 'none') {
    return {
      write: async (bytes) => taker.plain(bytes),
      end: async () => {},
      destroy: () => {},
    };
  }
  const decoder = decoderFeed(compression, taker);
  if (compression === 'gzip') return decoder;
  const frames = new ZstdFrames();
  return {
    write: async (bytes) => {
      const pieces: Buffer[] = [];
      frames.push(bytes, (piece) => pieces.push(piece));
      for (const piece of pieces) await decoder.write(piece);
    },
    end: async () => {
      frames.end();
      await decoder.end();
    },
    destroy: decoder.destroy,
  };
}

function decoderFeed(compression: 'gzip' | 'zstd', taker: Taker): Feed {
  const options = { chunkSize: pieceBytes };
  const decoder = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let scheduled = false;
  let failure: unknown;
  let fed = 0;
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const fail = (error: unknown) => {
    failure ??= error;
    decoder.destroy();
    ended.reject(failure);
  };
  const drain = () => {
    scheduled = false;
    const bytes = waiting.shift();
    try {
      if (bytes !== undefined) takeSlice(bytes);
    } catch (error) {
      fail(error);
      return;
    }
    if (decoder.isPaused() && waitingBytes <= queueBytes) decoder.resume();
    if (waiting.length > 0) schedule();
    else if (decoder.readableEnded) ended.resolve();
  };
  const takeSlice = (bytes: Buffer) => {
    const slice = bytes.subarray(0, sliceBytes);
    if (slice.length < bytes.length) waiting.unshift(bytes.subarray(sliceBytes));
    waitingBytes -= slice.length;
    taker.plain(slice);
  };
  const schedule = () => {
    if (!scheduled) setImmediate(drain);
    scheduled = true;
  };
  decoder.on('data', (bytes: Buffer) => {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes > queueBytes) decoder.pause();
    schedule();
  });
  decoder.on('end', schedule);
  decoder.on('error', (error) => fail(failure ?? damaged(compression, error)));
  return {
    write: async (bytes) => {
      if (failure !== undefined) throw failure;
      fed += bytes.length;
      if (decoder.readableEnded) throw leftOver(compression);
      if (decoder.write(bytes)) return;
      // An end or an error would otherwise leave us waiting for a drain that never comes.
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const event of ['drain', 'close', 'end']) decoder.once(event, resolve);
      await promise;
      for (const event of ['drain', 'close', 'end']) decoder.removeListener(event, resolve);
      if (failure !== undefined) throw failure;
    },
    end: async () => {
      decoder.end();
      await ended.promise;
      // node:zlib stops at zero bytes after the last member; a container runtime refuses such a layer.
      if (decoder.bytesWritten !== fed) throw leftOver(compression);
    },
    destroy: () => {
      failure ??= new Error('stopped');
      decoder.destroy();
    },
  };
}

function leftOver(compression: Compression): OperationalError {
  return new OperationalError(
    'malformed',
    `the ${compression} data is followed by something that is not ${compression}`,
  );
}

function damaged(compression: Compression, error: Error): OperationalError {
  const reason = error.message === 'unexpected end of file' ? 'it is cut short' : error.message;
  return new OperationalError('malformed', `the ${compression} data is malformed: ${reason}`, { cause: error });
}
