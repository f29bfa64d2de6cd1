/**
 * The floor: the least that any program on this Node has to do before it may believe a byte of an image. Every layer blob
 * is read, hashed as stored, inflated and hashed again, layers side by side, and both digests are compared.
 *
 *   node bench/floor.ts LAYOUT_DIR
 *
 * It is written to be hard to beat: large pieces, and the hashing of one piece on this thread while the thread pool
 * inflates the next one.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Descriptor } from './layout.ts';

const pieceBytes = 512 * 1024;

async function main(directory: string): Promise<void> {
  const read = async (digest: string) => JSON.parse(await readFile(blobPath(directory, digest), 'utf8')) as unknown;
  const index = JSON.parse(await readFile(`${directory}/index.json`, 'utf8')) as { manifests: Descriptor[] };
  const manifest = (await read(index.manifests[0]!.digest)) as { config: Descriptor; layers: Descriptor[] };
  const config = (await read(manifest.config.digest)) as { rootfs: { diff_ids: string[] } };
  await Promise.all(
    manifest.layers.map(async (layer, at) => {
      const found = await inflate(blobPath(directory, layer.digest), layer.mediaType.endsWith('+zstd'));
      if (found.stored !== layer.digest) throw new Error(`layer ${at} is stored as ${found.stored}`);
      if (found.plain !== config.rootfs.diff_ids[at]) throw new Error(`layer ${at} inflates to ${found.plain}`);
    }),
  );
}

/** One blob, read once; gives both digests. */
async function inflate(file: string, zstd: boolean): Promise<{ stored: string; plain: string }> {
  const stored = createHash('sha256');
  const plain = createHash('sha256');
  const options = { chunkSize: pieceBytes };
  const decoder = zstd ? createZstdDecompress(options) : createGunzip(options);
  const ended = Promise.withResolvers<void>();
  // In a later turn: by then the decoder has been handed its next piece, and the two work at the same time.
  decoder.on('data', (bytes: Buffer) => setImmediate(() => plain.update(bytes)));
  decoder.on('end', () => setImmediate(ended.resolve));
  decoder.on('error', ended.reject);
  const handle = await open(file);
  try {
    for await (const bytes of handle.createReadStream({ highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
      stored.update(bytes);
      if (!decoder.write(bytes)) await new Promise((resume) => decoder.once('drain', resume));
    }
  } finally {
    await handle.close();
  }
  decoder.end();
  await ended.promise;
  return { stored: `sha256:${stored.digest('hex')}`, plain: `sha256:${plain.digest('hex')}` };
}

function blobPath(directory: string, digest: string): string {
  return `${directory}/blobs/${digest.replace(':', '/')}`;
}

await main(process.argv[2] ?? '.');
