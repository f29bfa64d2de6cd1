/**
 * Our tar reader against tar-stream and modern-tar, where those can be resolved (from here or from TIDEWAITER_PEERS), over
 * one layer in memory: every reader sees every entry and every byte of content, and keeps none.
 *
 *   node bench/tar.ts LAYOUT_DIR
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { defaultLimits, TarReader } from '../src/archive/index.ts';
import { blobPath, readManifest } from './layout.ts';
import { median } from './measure.ts';
import { alignRows, inMegabytes } from './rows.ts';

interface Seen {
  entries: number;
  bytes: number;
}

/** Takes the archive in pieces; gives what it saw. */
type Reader = (pieces: readonly Buffer[]) => Promise<Seen>;

const rounds = 7;
/** As large as the pieces that the scan inflates. */
const pieceBytes = 256 * 1024;

/** The layer is the first one of the image. Throws when the readers do not see the same. */
export async function compareTarReaders(layout: string): Promise<string> {
  const layer = readManifest(layout).layers[0]!;
  const stored = readFileSync(blobPath(layout, layer.digest));
  const plain = layer.mediaType.endsWith('+zstd') ? zstdDecompressSync(stored) : gunzipSync(stored);
  const pieces: Buffer[] = [];
  for (let at = 0; at < plain.length; at += pieceBytes) pieces.push(plain.subarray(at, at + pieceBytes));
  const readers: ReadonlyArray<readonly [string, Reader | undefined]> = [
    ['tidewaiter', ours],
    ['tar-stream', await tarStream()],
    ['modern-tar', await modernTar()],
  ];
  const speeds = await measure(readers, pieces, plain.length);
  const first = speeds.get('tidewaiter')!;
  const rows = readers.map(([name]) => {
    const speed = speeds.get(name);
    return speed === undefined
      ? [name, 'left out, not installed']
      : [name, `${inMegabytes(speed)}/s`, (speed / first).toFixed(2)];
  });
  return alignRows(rows);
}

/** Bytes a second of every reader that is there: medians over rounds in which each has its turn. */
async function measure(
  readers: ReadonlyArray<readonly [string, Reader | undefined]>,
  pieces: readonly Buffer[],
  bytes: number,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number[]>();
  const expected = await ours(pieces);
  for (let round = -1; round < rounds; round++) {
    for (const [name, read] of readers) {
      if (read === undefined) continue;
      const start = process.hrtime.bigint();
      const seen = await read(pieces);
      const took = Number(process.hrtime.bigint() - start) / 1e9;
      if (seen.entries !== expected.entries || seen.bytes !== expected.bytes) {
        throw new Error(`${name} sees ${JSON.stringify(seen)}, tidewaiter ${JSON.stringify(expected)}`);
      }
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), took]);
    }
  }
  return new Map([...times].map(([name, all]) => [name, bytes / median(all)]));
}

const ours: Reader = async (pieces) => {
  const seen: Seen = { entries: 0, bytes: 0 };
  const content = {
    chunk: (bytes: Buffer) => {
      seen.bytes += bytes.length;
    },
    end: () => {},
  };
  const entry = () => {
    seen.entries += 1;
    return content;
  };
  const reader = new TarReader({ entry }, defaultLimits);
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return seen;
};

interface TarStreamModule {
  extract(): Writable & AsyncIterable<AsyncIterable<Buffer>>;
}

async function tarStream(): Promise<Reader | undefined> {
  const loaded = (await load('tar-stream')) as { default: TarStreamModule } | undefined;
  if (loaded === undefined) return undefined;
  return async (pieces) => {
    const extract = loaded.default.extract();
    const seen: Seen = { entries: 0, bytes: 0 };
    const fed = feed(pieces, extract);
    for await (const entry of extract) {
      seen.entries += 1;
      for await (const bytes of entry) seen.bytes += bytes.length;
    }
    await fed;
    return seen;
  };
}

interface ModernTarModule {
  createTarDecoder(): TransformStream<Uint8Array, { readonly body: ReadableStream<Uint8Array> }>;
}

async function modernTar(): Promise<Reader | undefined> {
  const loaded = (await load('modern-tar')) as ModernTarModule | undefined;
  if (loaded === undefined) return undefined;
  return async (pieces) => {
    const seen: Seen = { entries: 0, bytes: 0 };
    for await (const { body } of ReadableStream.from<Uint8Array>(pieces).pipeThrough(loaded.createTarDecoder())) {
      seen.entries += 1;
      for await (const bytes of body) seen.bytes += bytes.length;
    }
    return seen;
  };
}

async function feed(pieces: readonly Buffer[], into: Writable): Promise<void> {
  for (const piece of pieces) {
    if (!into.write(piece)) await new Promise((resume) => into.once('drain', resume));
  }
  into.end();
}

async function load(name: string): Promise<unknown> {
  for (const folder of [import.meta.dirname, process.env['TIDEWAITER_PEERS'] ?? '']) {
    if (folder === '') continue;
    try {
      return await import(pathToFileURL(createRequire(path.join(folder, 'any.js')).resolve(name)).href);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
  }
  return undefined;
}

if (import.meta.main) console.log(await compareTarReaders(process.argv[2] ?? '.'));
