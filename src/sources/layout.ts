/**
 * OCI image layout (image-layout.md): `index.json` lists manifests, `blobs/ALGORITHM/HEX` holds everything by digest.
 * From it to one image for each platform that was asked for. Every document is checked against its digest before it is
 * parsed, and a descriptor's `urls` are never followed.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { blobName, type Digest, mismatch, parseDigest } from './digest.ts';
import type { ImageParts } from './image.ts';
import { chooseReference } from './layout-choice.ts';
import { readConfig, readManifest } from './layout-documents.ts';
import { type Candidate, expand, type LayoutReference, listedPlatform, mayRun, tagOf } from './layout-index.ts';
import { choosePlatforms } from './layout-platforms.ts';
import { type Descriptor, layerHistory, maxManifestBytes, parseIndex } from './manifest.ts';
import type { PlatformChoice } from './platform.ts';

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
