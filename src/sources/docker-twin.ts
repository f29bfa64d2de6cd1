/**
 * Archives that are an OCI layout and what `docker save` writes at once: two tables of contents, `index.json` and
 * `manifest.json`, and each tool believes one of them. `docker load` takes
 *
 *     [{"Config": "blobs/sha256/…", "RepoTags": ["app:1"], "Layers": ["blobs/sha256/…", …]}]
 *
 * while signatures are made over the manifests that `index.json` lists. They have to mean the same images: what is verified
 * would not be what is loaded. The config is compared by its bytes and binds what is in the layers.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, blobName, digestOf, parseDigest } from './digest.ts';
import type { ImageParts } from './image.ts';
import { type Candidate, expand } from './layout-index.ts';
import {
  type Descriptor,
  type DockerArchiveManifest,
  type ImageManifest,
  maxManifestBytes,
  parseDockerArchiveManifest,
  parseIndex,
  parseIndexOrManifest,
} from './manifest.ts';

/** Config and layers, by digest. */
interface Contents {
  readonly config: string;
  readonly layers: readonly string[];
}

/** For verification. Throws OperationalError unless every image of manifest.json, if there is one, has one of these manifests. */
export async function requireSameImages(blobs: Blobs, manifests: readonly Buffer[]): Promise<void> {
  const listed = await readListed(blobs);
  if (listed === undefined) return;
  const verified = manifests.flatMap((bytes) => contentsOf(bytes) ?? []);
  for (const each of listed) {
    if (await isAmong(blobs, each, verified)) continue;
    const message = `manifest.json, which docker load reads, holds ${nameOf(each)}, which is not what index.json lists for the target`;
    throw new OperationalError('unsupported', message, {
      hints: ['save the image alone, or give a layout without manifest.json: skopeo copy SOURCE oci:DIR:TAG'],
    });
  }
  if (listed.length > 0) return;
  throw new OperationalError('unsupported', 'manifest.json, which docker load reads, lists no image');
}

/** For a scan that read index.json: what docker load would load instead, in a sentence each. */
export async function otherContents(blobs: Blobs, images: readonly ImageParts[]): Promise<readonly string[]> {
  let listed: DockerArchiveManifest | undefined;
  try {
    listed = await readListed(blobs);
  } catch (error) {
    if (error instanceof OperationalError) return [`what docker load would read is unknown: ${error.message}`];
    throw error;
  }
  if (listed === undefined) return [];
  const scanned = images.map(({ configDigest, layers }): Contents => {
    return { config: configDigest, layers: layers.map(({ digest = '' }) => digest) };
  });
  const found = [...(await unlistedImages(blobs))];
  let isThere = false;
  for (const each of listed) isThere ||= await isAmong(blobs, each, scanned);
  if (!isThere) found.push('manifest.json, which docker load reads, does not list this image');
  return found;
}

/** What manifest.json lists and index.json does not, where there are both, in a sentence each. */
export async function unlistedImages(blobs: Blobs): Promise<readonly string[]> {
  const listed = await readListed(blobs);
  if (listed === undefined || (await blobs.size('index.json')) === undefined) return [];
  const known = await layoutContents(blobs);
  const found: string[] = [];
  for (const each of listed) {
    if (await isAmong(blobs, each, known)) continue;
    found.push(`manifest.json, which docker load reads, holds ${nameOf(each)}, which index.json does not list`);
  }
  return found;
}

type Listed = DockerArchiveManifest[number];

async function readListed(blobs: Blobs): Promise<DockerArchiveManifest | undefined> {
  if ((await blobs.size('manifest.json')) === undefined) return undefined;
  return parseDockerArchiveManifest(await readBlob(blobs, 'manifest.json', maxManifestBytes));
}

async function isAmong(blobs: Blobs, { Config, Layers }: Listed, known: readonly Contents[]): Promise<boolean> {
  const sameLayers = known.filter(({ layers }) => {
    return layers.length === Layers.length && layers.every((digest, at) => pathOf(digest) === Layers[at]);
  });
  if (sameLayers.length === 0 || (await blobs.size(Config)) === undefined) return false;
  const bytes = await readBlob(blobs, Config, maxManifestBytes);
  return sameLayers.some(({ config }) => digestOf(bytes, algorithmOf(parseDigest(config))) === config);
}

function pathOf(digest: string): string {
  return digest === '' ? '' : blobName(parseDigest(digest));
}

async function layoutContents(blobs: Blobs): Promise<readonly Contents[]> {
  const { manifests } = parseIndex(await readBlob(blobs, 'index.json', maxManifestBytes), 'index.json');
  const found: Contents[] = [];
  for (const { descriptor } of await reachable(blobs, manifests)) {
    const name = blobName(parseDigest(descriptor.digest));
    const size = await blobs.size(name);
    if (size === undefined || size > maxManifestBytes) continue;
    found.push(...(contentsOf(await readBlob(blobs, name, maxManifestBytes)) ?? []));
  }
  return found;
}

/** An index that is not there holds nothing that is known. */
async function reachable(blobs: Blobs, listed: readonly Descriptor[]): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const descriptor of listed) {
    try {
      found.push(...(await expand(blobs, [{ descriptor, tag: undefined }])));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
    }
  }
  return found;
}

/** Undefined for what is no manifest of an image. */
function contentsOf(bytes: Buffer): readonly Contents[] | undefined {
  const manifest = tryManifest(bytes);
  if (manifest === undefined) return undefined;
  return [{ config: manifest.config.digest, layers: manifest.layers.map(({ digest }) => digest) }];
}

function tryManifest(bytes: Buffer): ImageManifest | undefined {
  try {
    const parsed = parseIndexOrManifest(bytes, 'manifest', undefined);
    return 'manifest' in parsed ? parsed.manifest : undefined;
  } catch (error) {
    if (error instanceof OperationalError) return undefined;
    throw error;
  }
}

function nameOf({ RepoTags, Config }: Listed): string {
  const [tag] = RepoTags ?? [];
  return tag === undefined ? `an image with the config ${quoted(Config)}` : quoted(tag);
}
