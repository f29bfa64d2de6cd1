/**
 * Writes an image as an OCI layout (image-spec, image-layout.md) and as the archive that `docker save` makes of it.
 *
 *   oci-layout | index.json -> blobs/sha256/MANIFEST -> blobs/sha256/CONFIG, blobs/sha256/LAYER …
 *
 * Blobs are hard links into the folder of layers, so that images share what they share.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** A layer as it lies in a blob: stored digest and size, digest and size of the plain tar. */
export interface Layer extends Descriptor {
  /** For people: stands in the history of the image. */
  readonly name: string;
  readonly file: string;
  readonly diffId: string;
  readonly plainSize: number;
}

export function blobPath(directory: string, digest: string): string {
  return `${directory}/blobs/${digest.replace(':', '/')}`;
}

/** Packs a tar stream with gzip into `file`, and counts and hashes both sides of it. */
export async function packLayer(name: string, tar: Readable, file: string, level: number): Promise<Layer> {
  const plain = meter(tar);
  const packer = createGzip({ level, chunkSize: 256 * 1024 });
  const stored = meter(packer);
  await pipeline(tar, packer, createWriteStream(`${file}.partial`));
  renameSync(`${file}.partial`, file);
  return {
    name,
    file,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: stored.digest(),
    size: stored.size(),
    diffId: plain.digest(),
    plainSize: plain.size(),
  };
}

export function writeLayout(directory: string, layers: readonly Layer[]): void {
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(`${partial}/blobs/sha256`, { recursive: true });
  for (const layer of layers) linkSync(layer.file, blobPath(partial, layer.digest));
  const config = writeJson(partial, 'application/vnd.oci.image.config.v1+json', {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created: '2026-01-31T12:00:00Z', created_by: `bench ${layer.name}` })),
  });
  const manifest = writeJson(partial, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  });
  writeFileSync(`${partial}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(`${partial}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  renameSync(partial, directory);
}

/** What `docker save` writes since version 25: the layout in a tar file, with a `manifest.json` beside it. */
export function writeDockerArchive(layout: string, file: string): void {
  const { config, layers } = readManifest(layout);
  const beside = `${file}.manifest`;
  mkdirSync(beside, { recursive: true });
  const member = (blob: Descriptor) => blobPath('.', blob.digest).slice(2);
  const entry = { Config: member(config), RepoTags: ['bench:latest'], Layers: layers.map(member) };
  writeFileSync(`${beside}/manifest.json`, JSON.stringify([entry]));
  const parts = ['-C', beside, 'manifest.json', '-C', layout, 'oci-layout', 'index.json', 'blobs'];
  execFileSync('tar', ['-cf', `${file}.partial`, ...parts]);
  rmSync(beside, { recursive: true });
  renameSync(`${file}.partial`, file);
}

export function readManifest(layout: string): { readonly config: Descriptor; readonly layers: readonly Descriptor[] } {
  const index = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as { manifests: Descriptor[] };
  const manifest = readFileSync(blobPath(layout, index.manifests[0]!.digest), 'utf8');
  return JSON.parse(manifest) as { config: Descriptor; layers: Descriptor[] };
}

function writeJson(directory: string, mediaType: string, value: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  writeFileSync(blobPath(directory, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}

/** Looks on as the bytes of a stream pass. */
function meter(stream: Readable): { digest(): string; size(): number } {
  const hash = createHash('sha256');
  let size = 0;
  stream.on('data', (bytes: Buffer) => {
    size += bytes.length;
    hash.update(bytes);
  });
  return { digest: () => `sha256:${hash.digest('hex')}`, size: () => size };
}
