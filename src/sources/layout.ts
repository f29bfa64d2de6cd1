/**
 * OCI image layout (image-layout.md): `index.json` lists manifests, `blobs/ALGORITHM/HEX` holds everything by digest.
 * From it to one image for each platform that was asked for. Every document is checked against its digest before it is
 * parsed, and a descriptor's `urls` are never followed.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, blobName, type Digest, digestOf, mismatch, parseDigest } from './digest.ts';
import type { ImageParts } from './image.ts';
import { holdsImage } from './layout-content.ts';
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
  const candidates = (await expand(blobs, chosen)).filter(mayRun);
  const { images: meant, passedOver } = await choosePlatforms(blobs, candidates, choice);
  const images: ImageParts[] = [];
  for (const candidate of meant) images.push({ ...(await readImage(blobs, candidate)), doubts: passedOver });
  return images;
}

/**
 * Runtimes choose among the children of an index by their platform and by nothing else: a child is a paper only where it says
 * that no machine is meant. Any other label costs whoever writes the index nothing. What index.json lists is chosen by name.
 */
export function mayRun({ descriptor: { platform }, index }: Candidate): boolean {
  return index === undefined || !(platform?.os === 'unknown' && platform.architecture === 'unknown');
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
  const images: Candidate[] = [];
  for (const each of listed) {
    const isMarked = isAttachment(each.descriptor) || paperTag.test(each.tag ?? '');
    if (!isMarked || (await holdsImage(blobs, each.descriptor))) images.push(each);
  }
  return onlyImage(images.length > 0 ? images : listed.filter((each) => !isAttachment(each.descriptor)));
}

/** The image that is meant when none was named. */
export function onlyImage(images: readonly Candidate[]): readonly Candidate[] {
  if (areSeveral(images)) throw isAmbiguous('the layout holds several images and none was named', images);
  return images;
}

/** What cosign and registries without referrers name the papers of an image: `sha256-HEX`, `sha256-HEX.sig` and so on. */
const paperTag = /(?:^|[^0-9a-z])sha(?:256|512)-[0-9a-f]{64,128}(?:\.(?:sig|att|sbom))?$/;

/**
 * Different images, and not one for several platforms or one with several names. Of two under one name every tool takes
 * another one: they pass for one image only as long as each says for which platform it is, and no two say the same.
 */
function areSeveral(images: readonly Candidate[]): boolean {
  const unique = [...new Map(images.map((each) => [each.descriptor.digest, each])).values()];
  if (unique.length < 2) return false;
  if (new Set(images.map((each) => `${each.tag} ${each.descriptor.annotations?.[fullName]}`)).size > 1) return true;
  // Without any name the platforms in the configs tell them apart, or do not.
  if (images.every(({ tag }) => tag === undefined)) return false;
  const platforms = unique.map(({ descriptor }) => {
    const platform = isIndexType(descriptor.mediaType) ? undefined : listedPlatform(descriptor);
    return platform === undefined ? '' : formatPlatform(normalizePlatform(platform));
  });
  return (
    platforms.some((each) => each === '' || each.includes('unknown')) || new Set(platforms).size < platforms.length
  );
}

/** Nothing is listed, or nothing that could be meant. */
export function holdsNone(): OperationalError {
  return new OperationalError('not-found', 'the layout holds no image', {
    hints: ['copy one into it, for example: skopeo copy docker://NAME oci:DIR:TAG'],
  });
}

function noSuch(message: string, listed: readonly Candidate[]): OperationalError {
  return new OperationalError('not-found', message, { hints: namesOf(listed) });
}

/** Wrong usage: the images are there, and which one is meant was not said. */
function isAmbiguous(message: string, listed: readonly Candidate[]): OperationalError {
  return new OperationalError('usage', message, { hints: namesOf(listed) });
}

function namesOf(listed: readonly Candidate[]): readonly string[] {
  const names = listed.slice(0, 10).map(({ tag, descriptor }) => {
    const name = nameOf({ tag, descriptor });
    const isTold = name !== undefined && listed.every((each) => sameDigest(each, descriptor) || nameOf(each) !== name);
    return isTold ? `:${name}` : `@${descriptor.digest}`;
  });
  return names.length === 0 ? [] : [`add one of these to the target: ${names.map((name) => quoted(name)).join(', ')}`];
}

function nameOf({ tag, descriptor }: Candidate): string | undefined {
  return descriptor.annotations?.[fullName] ?? tag;
}

function sameDigest({ descriptor }: Candidate, { digest }: Descriptor): boolean {
  return descriptor.digest === digest;
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

/** Says of itself that it is no image but about one. That is a hint and no proof: see holdsImage and mayRun. */
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

interface Chosen {
  readonly images: readonly Candidate[];
  /** What a runtime might take instead, or what nobody can tell: in a sentence each. */
  readonly passedOver: readonly string[];
}

/** For each platform that was asked for the image that a runtime would take. */
async function choosePlatforms(blobs: Blobs, all: readonly Candidate[], choice: PlatformChoice): Promise<Chosen> {
  const unique = uniqueDigests(all);
  if (unique.length === 0) throw holdsNone();
  if (unique.length === 1 && (choice === 'all' || !choice.explicit)) return { images: unique, passedOver: [] };
  const found = await withPlatforms(blobs, all);
  const strays = new Set(found.filter(({ isImage }) => !isImage).map(({ candidate }) => candidate.descriptor.digest));
  const images = found.filter(({ isImage }) => isImage);
  const passedOver = [...strays].map(
    (digest) => `the index also lists ${digest}, which names no platform and is no container image: it was not read`,
  );
  if (choice === 'all') {
    await refuseAbsent(blobs, images, images);
    const everything = uniqueDigests(images.map(({ candidate }) => candidate));
    return { images: everything.length > 0 ? everything : unique, passedOver };
  }
  const matching = byPreference(images, choice.platform);
  const [best] = matching;
  if (best === undefined) throw noPlatform(choice.platform, found);
  await refuseAbsent(blobs, [best], images);
  const wanted = formatPlatform(normalizePlatform(best.platform));
  const twins = matching.filter(
    (each) => !each.isListed || formatPlatform(normalizePlatform(each.platform)) === wanted,
  );
  const others = uniqueDigests(twins.map(({ candidate }) => candidate)).filter(
    ({ descriptor }) => descriptor.digest !== best.candidate.descriptor.digest,
  );
  // Within an index the first one is meant; side by side in a layout they are two images.
  if (others.length > 0 && twins.every(({ candidate }) => candidate.index === undefined)) {
    throw isAmbiguous(`the layout holds several images for ${wanted} and none was named`, [best.candidate, ...others]);
  }
  return {
    images: [best.candidate],
    passedOver: [
      ...others.map(
        ({ descriptor }) =>
          `the index also lists ${descriptor.digest} for ${wanted}: a runtime may take that one, and it was not read`,
      ),
      ...passedOver,
    ],
  };
}

/** Everything that a runtime may take for the platform. Throws OperationalError when that is nothing. */
export async function matchingPlatforms(
  blobs: Blobs,
  all: readonly Candidate[],
  choice: PlatformChoice,
): Promise<readonly Candidate[]> {
  if (all.length === 0) throw holdsNone();
  const unique = uniqueDigests(all);
  if (choice === 'all' || (unique.length === 1 && !choice.explicit)) return unique;
  const found = await withPlatforms(blobs, all);
  const matching = found.filter(({ platform }) => matchesPlatform(choice.platform, platform));
  if (matching.length === 0) throw noPlatform(choice.platform, found);
  return uniqueDigests(matching.map(({ candidate }) => candidate));
}

/** The first of each. */
function uniqueDigests(candidates: readonly Candidate[]): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const each of candidates) if (!found.has(each.descriptor.digest)) found.set(each.descriptor.digest, each);
  return [...found.values()];
}

/** containerd's order: what lists no platform comes last, else the first in the list. */
function byPreference(found: readonly WithPlatform[], wanted: Platform): readonly WithPlatform[] {
  const variant = normalizePlatform(wanted).variant;
  const rank = ({ isListed, platform }: WithPlatform) => {
    if (!isListed) return 2;
    return normalizePlatform(platform).variant === variant ? 0 : 1;
  };
  return found
    .filter(({ platform }) => matchesPlatform(wanted, platform))
    .sort((one, other) => rank(one) - rank(other));
}

function noPlatform(wanted: Platform, found: readonly WithPlatform[]): OperationalError {
  return new OperationalError('not-found', `the image has nothing for the platform ${formatPlatform(wanted)}`, {
    hints: [`choose with --platform: ${platformNames(found)}, or all`],
  });
}

/** What containerd exports of one platform keeps the whole index, which then lists images that were left behind. */
async function refuseAbsent(
  blobs: Blobs,
  meant: readonly WithPlatform[],
  listed: readonly WithPlatform[],
): Promise<void> {
  const isHere = async ({ candidate }: WithPlatform) =>
    (await blobs.size(blobName(parseDigest(candidate.descriptor.digest)))) !== undefined;
  const absent: WithPlatform[] = [];
  for (const each of meant) if (!(await isHere(each))) absent.push(each);
  if (absent.length === 0) return;
  const here: WithPlatform[] = [];
  for (const each of listed) if (await isHere(each)) here.push(each);
  throw new OperationalError(
    'not-found',
    `the index lists images that were not copied here: ${platformNames(absent)}`,
    {
      hints: [
        ...(here.length > 0 ? [`choose what is here with --platform: ${platformNames(here)}`] : []),
        'copy the image again with all of its platforms',
      ],
    },
  );
}

function platformNames(found: readonly WithPlatform[]): string {
  const names = new Set(found.map(({ platform }) => formatPlatform(normalizePlatform(platform))));
  return [...names]
    .slice(0, 20)
    .map((each) => quoted(each))
    .join(', ');
}

export function listedPlatform({ platform }: Descriptor): Platform | undefined {
  if (platform === undefined || platform === null) return undefined;
  const { os, architecture, variant } = platform;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

interface WithPlatform {
  readonly candidate: Candidate;
  /** Empty texts where nothing is said. */
  readonly platform: Platform;
  /** Said in the index and not just in the config. */
  readonly isListed: boolean;
  /** False for what neither the index nor its config calls an image. */
  readonly isImage: boolean;
}

async function withPlatforms(blobs: Blobs, candidates: readonly Candidate[]): Promise<readonly WithPlatform[]> {
  const found: WithPlatform[] = [];
  for (const candidate of candidates) found.push(await withPlatform(blobs, candidate));
  return found;
}

async function withPlatform(blobs: Blobs, candidate: Candidate): Promise<WithPlatform> {
  const listed = listedPlatform(candidate.descriptor);
  if (listed !== undefined) return { candidate, platform: listed, isListed: true, isImage: true };
  const manifest = await readManifest(blobs, candidate.descriptor);
  if (!isImageConfig(manifest.config.mediaType)) {
    return { candidate, platform: { os: '', architecture: '' }, isListed: false, isImage: false };
  }
  const { os = '', architecture = '', variant } = await readConfig(blobs, manifest);
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { candidate, platform, isListed: false, isImage: true };
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
  if (!isImageConfig(mediaType)) {
    throw new OperationalError(
      'unsupported',
      `this is not a container image: its config is ${quoted(mediaType ?? '')}`,
    );
  }
  const what = `config ${digest}`;
  return parseConfig(await readVerified(blobs, manifest.config, what), what);
}

function isImageConfig(mediaType: string | undefined): boolean {
  return mediaType === undefined || configTypes.includes(mediaType);
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
