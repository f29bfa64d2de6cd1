/**
 * OCI image layout (image-layout.md): `index.json` lists manifests, `blobs/ALGORITHM/HEX` holds everything by digest.
 * From it to one image for each platform that was asked for. Every document is checked against its digest before it is
 * parsed, and a descriptor's `urls` are never followed.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, type Digest, digestOf, hexOf, mismatch, parseDigest } from './digest.ts';
import type { ImageParts } from './image.ts';
import {
  type Descriptor,
  type ImageManifest,
  layerHistory,
  maxManifestBytes,
  parseConfig,
  parseIndex,
  parseIndexOrManifest,
} from './manifest.ts';
import { formatPlatform, matchesPlatform, normalizePlatform, type PlatformChoice } from './platform.ts';
import type { Platform } from './types.ts';

/** Which of the layout's images: a tag, a digest, or whatever is the only one. */
export interface LayoutReference {
  readonly tag?: string;
  readonly digest?: Digest;
}

export interface Candidate {
  readonly descriptor: Descriptor;
  /** Digest of the index that lists it; absent for `index.json` itself, which has no digest of its own. */
  readonly index?: string;
  readonly tag: string | undefined;
}

export const refName = 'org.opencontainers.image.ref.name';
export const fullName = 'io.containerd.image.name';
export const maxIndexDepth = 4;
const maxCandidates = 10_000;

export async function readLayout(
  blobs: Blobs,
  reference: LayoutReference,
  choice: PlatformChoice,
): Promise<readonly ImageParts[]> {
  if ((await blobs.size('index.json')) === undefined) {
    throw new OperationalError('not-found', 'this is not an OCI image layout: it has no index.json', {
      hints: ['give a directory tree as dir:PATH, and what docker save wrote as docker-archive:FILE'],
    });
  }
  const index = parseIndex(await readBlob(blobs, 'index.json', maxManifestBytes), 'index.json');
  const listed = index.manifests.map((descriptor) => ({ descriptor, tag: tagOf(descriptor) }));
  const chosen = await chooseReference(blobs, listed, reference);
  const candidates = (await expand(blobs, chosen)).filter((each) => !isAttachment(each.descriptor));
  const images: ImageParts[] = [];
  for (const candidate of await choosePlatforms(blobs, candidates, choice))
    images.push(await readImage(blobs, candidate));
  return images;
}

export function tagOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[refName] ?? descriptor.annotations?.[fullName];
}

export async function chooseReference(
  blobs: Blobs,
  listed: readonly Candidate[],
  reference: LayoutReference,
): Promise<readonly Candidate[]> {
  const { tag, digest } = reference;
  if (tag !== undefined) {
    const named = listed.filter((each) => each.tag === tag || each.descriptor.annotations?.[fullName] === tag);
    if (named.length === 0) throw noSuch(`the layout has no image ${quoted(tag)}`, listed);
    if (areSeveral(named)) throw noSuch(`several images of the layout are called ${quoted(tag)}`, named);
    return named;
  }
  if (digest !== undefined) {
    const all = [...listed, ...(await expand(blobs, listed))];
    const named = all.find((each) => each.descriptor.digest === digest);
    if (named === undefined) throw noSuch(`the layout has no image with the digest ${digest}`, listed);
    return [named];
  }
  const cargo = listed.filter((each) => !isAttachment(each.descriptor));
  const unmarked = cargo.filter((each) => !paperTag.test(each.tag ?? ''));
  const images = unmarked.length > 0 ? unmarked : cargo;
  if (areSeveral(images)) throw noSuch('the layout holds several images and none was named', images);
  return images;
}

/** What cosign and registries without referrers name the papers of an image: `sha256-HEX`, `sha256-HEX.sig` and so on. */
const paperTag = /(?:^|[^0-9a-z])sha(?:256|512)-[0-9a-f]{64,128}(?:\.(?:sig|att|sbom))?$/;

/** Different images under different names, and not one for several platforms or one with several names. */
function areSeveral(images: readonly Candidate[]): boolean {
  const names = new Set(images.map((each) => `${each.tag} ${each.descriptor.annotations?.[fullName]}`));
  return names.size > 1 && new Set(images.map((each) => each.descriptor.digest)).size > 1;
}

function noSuch(message: string, listed: readonly Candidate[]): OperationalError {
  const names = listed.slice(0, 10).map(({ tag, descriptor }) => {
    const name = descriptor.annotations?.[fullName] ?? tag;
    return name === undefined ? `@${descriptor.digest}` : `:${name}`;
  });
  const hints =
    names.length === 0 ? [] : [`add one of these to the target: ${names.map((name) => quoted(name)).join(', ')}`];
  return new OperationalError('not-found', message, { hints });
}

/**
 * Replaces indexes by what they list, down to the manifests. Each index counts once: a few that list each other many
 * times over would otherwise stand for more images than anyone can count.
 */
export async function expand(
  blobs: Blobs,
  listed: readonly Candidate[],
  depth = 0,
  seen: Set<string> = new Set(),
): Promise<readonly Candidate[]> {
  if (depth > maxIndexDepth) {
    throw new OperationalError('limit', `image indexes are nested more than ${maxIndexDepth} deep`);
  }
  const found: Candidate[] = [];
  for (const each of listed) {
    const { digest, mediaType } = each.descriptor;
    if (!isIndexType(mediaType)) found.push(each);
    else if (!seen.has(digest)) {
      seen.add(digest);
      const parsed = await readDocument(blobs, each.descriptor, `index ${digest}`);
      if (!('index' in parsed)) throw new OperationalError('malformed', `${digest} is listed as an index, but is not`);
      const inner = parsed.index.manifests.map((descriptor) => ({ descriptor, index: digest, tag: each.tag }));
      found.push(...(await expand(blobs, inner, depth + 1, seen)));
    }
    if (found.length > maxCandidates) throw new OperationalError('limit', `it lists more than ${maxCandidates} images`);
  }
  return found;
}

export function isIndexType(mediaType: string | undefined): boolean {
  return (
    mediaType === 'application/vnd.oci.image.index.v1+json' ||
    mediaType === 'application/vnd.docker.distribution.manifest.list.v2+json'
  );
}

/** Attestations and signatures that stand beside images in an index: papers, not cargo. */
export function isAttachment(descriptor: Descriptor): boolean {
  const { annotations, artifactType, platform } = descriptor;
  const unknown = platform?.os === 'unknown' && platform.architecture === 'unknown';
  const docker = annotations?.['vnd.docker.reference.type'] !== undefined;
  const cosign = annotations?.['kind']?.startsWith('dev.cosignproject.cosign/') === true;
  const isImage =
    annotations?.['kind'] === 'dev.cosignproject.cosign/image' || annotations?.['kind'] === imageIndexKind;
  // The artifact type of an image is that of its config.
  const artifact = artifactType !== undefined && !configTypes.includes(artifactType);
  return unknown || docker || (cosign && !isImage) || artifact;
}

const imageIndexKind = 'dev.cosignproject.cosign/imageIndex';

export async function choosePlatforms(
  blobs: Blobs,
  candidates: readonly Candidate[],
  choice: PlatformChoice,
): Promise<readonly Candidate[]> {
  const unique = [...new Map(candidates.map((each) => [each.descriptor.digest, each])).values()];
  if (unique.length === 0) throw new OperationalError('not-found', 'the layout holds no image');
  if (choice === 'all') return unique;
  if (unique.length === 1 && !choice.explicit) return unique;
  const platforms = new Map<Candidate, Platform>();
  for (const each of unique) platforms.set(each, await platformOf(blobs, each));
  const matching = unique.filter((each) => matchesPlatform(choice.platform, platforms.get(each)!));
  const exact = matching.find((each) => sameVariant(choice.platform, platforms.get(each)!)) ?? matching[0];
  if (exact !== undefined) {
    const wanted = formatPlatform(normalizePlatform(platforms.get(exact)!));
    const twins = matching.filter((each) => formatPlatform(normalizePlatform(platforms.get(each)!)) === wanted);
    // Within an index the first one is meant; side by side in a layout they are two images.
    if (twins.length > 1 && twins.every((each) => each.index === undefined)) {
      throw noSuch(`the layout holds several images for ${wanted} and none was named`, twins);
    }
    return [exact];
  }
  const offered = [...platforms.values()].slice(0, 20).map((platform) => formatPlatform(normalizePlatform(platform)));
  throw new OperationalError('not-found', `the image has nothing for the platform ${formatPlatform(choice.platform)}`, {
    hints: [`choose with --platform: ${offered.map((each) => quoted(each)).join(', ')}, or all`],
  });
}

function sameVariant(wanted: Platform, found: Platform): boolean {
  return normalizePlatform(wanted).variant === normalizePlatform(found).variant;
}

export function listedPlatform({ platform }: Descriptor): Platform | undefined {
  if (platform === undefined || platform === null) return undefined;
  const { os, architecture, variant } = platform;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

async function platformOf(blobs: Blobs, candidate: Candidate): Promise<Platform> {
  const listed = listedPlatform(candidate.descriptor);
  if (listed !== undefined) return listed;
  const manifest = await readManifest(blobs, candidate.descriptor);
  const config = await readConfig(blobs, manifest);
  return { os: config.os ?? 'unknown', architecture: config.architecture ?? 'unknown' };
}

async function readDocument(blobs: Blobs, descriptor: Descriptor, what: string) {
  const bytes = await readVerified(blobs, descriptor, what);
  return parseIndexOrManifest(bytes, what, descriptor.mediaType);
}

async function readManifest(blobs: Blobs, descriptor: Descriptor): Promise<ImageManifest> {
  const what = `manifest ${descriptor.digest}`;
  const parsed = await readDocument(blobs, descriptor, what);
  if ('index' in parsed) throw new OperationalError('malformed', `${what} is an index, but is not listed as one`);
  return parsed.manifest;
}

async function readConfig(blobs: Blobs, manifest: ImageManifest) {
  const { mediaType, digest } = manifest.config;
  if (mediaType !== undefined && !configTypes.includes(mediaType)) {
    throw new OperationalError('unsupported', `this is not a container image: its config is ${quoted(mediaType)}`);
  }
  const what = `config ${digest}`;
  return parseConfig(await readVerified(blobs, manifest.config, what), what);
}

const configTypes = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];

/** The bytes under a digest; nobody sees them before size and digest are right. */
export async function readVerified(
  blobs: Blobs,
  descriptor: Descriptor,
  what: string,
  max = maxManifestBytes,
): Promise<Buffer> {
  const digest = parseDigest(descriptor.digest);
  const bytes = await readBlob(blobs, blobName(digest), max);
  const found = digestOf(bytes, algorithmOf(digest));
  if (found !== digest) throw mismatch(what, digest, found);
  if (bytes.length !== descriptor.size) {
    throw mismatch(`the size of ${what}`, `${descriptor.size} bytes`, `${bytes.length} bytes`);
  }
  return bytes;
}

export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

async function readImage(blobs: Blobs, candidate: Candidate): Promise<ImageParts> {
  const { descriptor, index, tag } = candidate;
  const manifest = await readManifest(blobs, descriptor);
  const config = await readConfig(blobs, manifest);
  const listedFor = listedPlatform(descriptor);
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length) {
    const message = `the manifest lists ${manifest.layers.length} layers, its config ${diffIds.length}`;
    throw new OperationalError('malformed', message);
  }
  const layers: ImageParts['layers'][number][] = [];
  for (const [at, layer] of manifest.layers.entries()) {
    layers.push(await layerBlob(blobs, layer, at, parseDigest(diffIds[at]!)));
  }
  return {
    ...(tag === undefined ? {} : { tag }),
    ...(index === undefined ? {} : { index }),
    manifest: descriptor.digest,
    configDigest: manifest.config.digest,
    ...(listedFor === undefined ? {} : { listedFor }),
    config,
    annotations: { ...descriptor.annotations, ...manifest.annotations },
    layers,
    history: layerHistory(config),
  };
}

async function layerBlob(blobs: Blobs, layer: Descriptor, index: number, diffId: Digest) {
  const digest = parseDigest(layer.digest);
  const mediaType = layer.mediaType ?? '';
  if (mediaType.endsWith('+encrypted')) {
    throw new OperationalError('unsupported', `layer ${index + 1} is encrypted`, {
      hints: ['decrypt the image first, for example while copying it with a tool that has the key'],
    });
  }
  if (!/^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./.test(mediaType)) {
    throw new OperationalError('unsupported', `layer ${index + 1} is not a file system layer: ${quoted(mediaType)}`);
  }
  const name = blobName(digest);
  const size = await blobs.size(name);
  if (size === undefined) {
    const foreign = /nondistributable|foreign/.test(mediaType);
    const why = foreign ? ' (it is kept elsewhere by its maker, and such addresses are never followed)' : '';
    throw new OperationalError('not-found', `the image lacks the blob of layer ${index + 1}, ${digest}${why}`);
  }
  if (size !== layer.size) throw mismatch(`the size of layer ${index + 1}`, `${layer.size} bytes`, `${size} bytes`);
  return { index, digest, diffId, size, stream: () => blobs.stream(name) };
}
