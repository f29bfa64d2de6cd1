/**
 * Container images for tests, honest or not.
 *
 *     layout([anImage().layer(file('etc/os-release', 'ID=x\n')).layer(whiteout('srv/old')).packed('zstd').built()])
 *
 * A layout is a map from path to bytes: write it with writeTree(), or make an archive of it with ociArchive().
 */
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { entry, file, type Part, symlink, tar } from './tar.ts';
import { gzipMembers, gzipStored, zstdFrames } from './zstd.ts';

export type Files = ReadonlyMap<string, Buffer>;
export type Json = Record<string, unknown>;
export type Packing = 'plain' | 'gzip' | 'gzip-members' | 'gzip-stored' | 'zstd' | 'zstd-frames';

/** Something that an index can list. */
export interface Item {
  readonly descriptor: Json;
  readonly blobs: Files;
}

export interface BuiltLayer {
  readonly plain: Buffer;
  readonly stored: Buffer;
  readonly digest: string;
  readonly diffId: string;
}

export interface Built extends Item {
  readonly digest: string;
  readonly config: Buffer;
  readonly layers: readonly BuiltLayer[];
}

/** What is said of a layer instead of the truth. */
export interface LayerLies {
  readonly digest?: string;
  readonly size?: number;
  readonly diffId?: string;
  readonly mediaType?: string;
  /** Written under the digest of the true bytes; nothing at all when null. */
  readonly stored?: Buffer | null;
  readonly descriptor?: Json;
}

/** Changes a document before its digest is made. */
export type Edit = (document: Json) => Json | Buffer | string;

export interface Image {
  /** One more layer on top, gzip unless packed() says otherwise. */
  layer(...parts: readonly Part[]): Image;
  /** A layer of these uncompressed bytes, an archive or not. */
  rawLayer(plain: Buffer): Image;
  /** A layer of these stored bytes, whatever they hold; its diffID is a claim. */
  storedLayer(stored: Buffer, diffId?: string): Image;
  /** How the layer before is stored. */
  packed(packing: Packing): Image;
  /** Lies about the layer before. */
  lying(lies: LayerLies): Image;
  on(os: string, architecture: string, variant?: string): Image;
  labelled(labels: Readonly<Record<string, string>>): Image;
  editConfig(edit: Edit): Image;
  editManifest(edit: Edit): Image;
  built(): Built;
}

interface LayerShape {
  readonly plain: Buffer;
  /** Instead of `plain`, packed. */
  readonly stored?: Buffer;
  readonly packing: Packing;
  readonly lies: LayerLies;
}

interface Shape {
  readonly layers: readonly LayerShape[];
  readonly platform: Json;
  readonly labels: Readonly<Record<string, string>>;
  readonly editConfig: Edit;
  readonly editManifest: Edit;
}

export function anImage(): Image {
  return imageOf({
    layers: [],
    platform: { os: 'linux', architecture: 'amd64' },
    labels: {},
    editConfig: (document) => document,
    editManifest: (document) => document,
  });
}

function imageOf(shape: Shape): Image {
  const add = (plain: Buffer) => imageOf({ ...shape, layers: [...shape.layers, { plain, packing: 'gzip', lies: {} }] });
  const change = (changes: Partial<LayerShape>) => {
    const last = shape.layers.at(-1);
    if (last === undefined) throw new Error('there is no layer yet');
    return imageOf({ ...shape, layers: [...shape.layers.slice(0, -1), { ...last, ...changes }] });
  };
  return {
    layer: (...parts) => add(tar(parts)),
    rawLayer: add,
    storedLayer: (stored, diffId = sha256(stored)) =>
      imageOf({ ...shape, layers: [...shape.layers, { plain: stored, stored, packing: 'gzip', lies: { diffId } }] }),
    packed: (packing) => change({ packing }),
    lying: (lies) => change({ lies }),
    on: (os, architecture, variant) =>
      imageOf({ ...shape, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
    labelled: (labels) => imageOf({ ...shape, labels }),
    editConfig: (editConfig) => imageOf({ ...shape, editConfig }),
    editManifest: (editManifest) => imageOf({ ...shape, editManifest }),
    built: () => build(shape),
  };
}

function build(shape: Shape): Built {
  const blobs = new Map<string, Buffer>();
  const layers: BuiltLayer[] = [];
  const descriptors: Json[] = [];
  const diffIds: string[] = [];
  for (const { plain, packing, lies, stored = pack(plain, packing) } of shape.layers) {
    const digest = lies.digest ?? sha256(stored);
    if (lies.stored !== null) blobs.set(blobPath(sha256(stored)), lies.stored ?? stored);
    const suffix = packing === 'plain' ? '' : packing.startsWith('zstd') ? '+zstd' : '+gzip';
    const mediaType = lies.mediaType ?? `application/vnd.oci.image.layer.v1.tar${suffix}`;
    descriptors.push({ mediaType, digest, size: lies.size ?? stored.length, ...lies.descriptor });
    diffIds.push(lies.diffId ?? sha256(plain));
    layers.push({ plain, stored, digest: sha256(stored), diffId: sha256(plain) });
  }
  const config = render(
    shape.editConfig({
      created: '2026-01-01T00:00:00Z',
      ...shape.platform,
      config: { Labels: shape.labels },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map((_, at) => ({ created_by: `step ${at + 1}` })),
    }),
  );
  blobs.set(blobPath(sha256(config)), config);
  const manifest = render(
    shape.editManifest({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe(configType, config),
      layers: descriptors,
    }),
  );
  blobs.set(blobPath(sha256(manifest)), manifest);
  const descriptor = { ...describe(manifestType, manifest), platform: shape.platform };
  return { descriptor, blobs, digest: sha256(manifest), config, layers };
}

/** An index of several items; a descriptor without a platform, as indexes inside indexes have it. */
export function anIndex(items: readonly Item[], edit: Edit = (document) => document): Item {
  const bytes = render(edit(indexDocument(items)));
  const blobs = new Map(items.flatMap((each) => [...each.blobs]));
  blobs.set(blobPath(sha256(bytes)), bytes);
  return { descriptor: describe(indexType, bytes), blobs };
}

/** The item with something else in its descriptor. */
export function described<T extends Item>(item: T, changes: Json): T {
  return { ...item, descriptor: { ...item.descriptor, ...changes } };
}

export function tagged<T extends Item>(item: T, tag: string): T {
  return described(item, { annotations: { 'org.opencontainers.image.ref.name': tag } });
}

/** An OCI image layout: path to bytes. */
export function layout(items: readonly Item[], edit: Edit = (document) => document): Files {
  return new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', render(edit(indexDocument(items)))],
    ...items.flatMap((each) => [...each.blobs]),
  ]);
}

export function ociArchive(files: Files): Buffer {
  return tar([...files].map(([name, content]) => file(name, content)));
}

export interface Named {
  readonly image: Built;
  readonly tags: readonly string[];
}

/**
 * What `docker save` writes. The old form has a directory for each layer, and stores a layer that repeats as a link to
 * the first; the new one is an OCI layout with a manifest.json beside it.
 */
export function dockerArchive(images: readonly Named[], form: 'old' | 'new'): Buffer {
  return form === 'old' ? oldDockerArchive(images) : newDockerArchive(images);
}

function oldDockerArchive(images: readonly Named[]): Buffer {
  const parts: Part[] = [];
  const first = new Map<string, string>();
  const listed = images.map(({ image, tags }) => {
    const config = `${hex(sha256(image.config))}.json`;
    parts.push(file(config, image.config));
    const layers = image.layers.map(({ plain, diffId }, at) => {
      const directory = hex(sha256(Buffer.from(`${config} ${at}`)));
      const name = `${directory}/layer.tar`;
      const known = first.get(diffId);
      parts.push(entry({ name: `${directory}/`, type: '5' }));
      parts.push(known === undefined ? file(name, plain) : symlink(name, `../${known}`));
      if (known === undefined) first.set(diffId, name);
      return name;
    });
    return { Config: config, RepoTags: tags.length === 0 ? null : tags, Layers: layers };
  });
  parts.push(file('manifest.json', render(listed)));
  return tar(parts);
}

function newDockerArchive(images: readonly Named[]): Buffer {
  const listed = images.map(({ image, tags }) => ({
    Config: blobPath(sha256(image.config)),
    RepoTags: tags,
    Layers: image.layers.map(({ digest }) => blobPath(digest)),
  }));
  const items = images.map(({ image, tags }) => {
    const name = tags[0];
    if (name === undefined) return image;
    const annotations = {
      'io.containerd.image.name': `docker.io/library/${name}`,
      'org.opencontainers.image.ref.name': name.slice(name.indexOf(':') + 1),
    };
    return described(image, { annotations });
  });
  return ociArchive(new Map([...layout(items), ['manifest.json', render(listed)]]));
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';
export const configType = 'application/vnd.oci.image.config.v1+json';

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

export function describe(mediaType: string, bytes: Buffer): Json {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function indexDocument(items: readonly Item[]): Json {
  return { schemaVersion: 2, mediaType: indexType, manifests: items.map((each) => each.descriptor) };
}

function hex(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function render(document: unknown): Buffer {
  if (Buffer.isBuffer(document)) return document;
  return Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
}

function pack(plain: Buffer, packing: Packing): Buffer {
  switch (packing) {
    case 'plain':
      return plain;
    case 'gzip':
      return gzipSync(plain);
    case 'gzip-members':
      return gzipMembers(plain);
    case 'gzip-stored':
      return gzipStored(plain);
    case 'zstd':
      return zstdCompressSync(plain);
    case 'zstd-frames':
      return zstdFrames(plain);
  }
}
