/** Documents of an OCI image layout: each is checked against its digest and size before it is parsed. */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, blobName, digestOf, mismatch, parseDigest } from './digest.ts';
import {
  type Descriptor,
  type ImageManifest,
  maxManifestBytes,
  parseConfig,
  parseIndexOrManifest,
} from './manifest.ts';

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

export async function readDocument(blobs: Blobs, descriptor: Descriptor, what: string) {
  const bytes = await readVerified(blobs, descriptor, what);
  return parseIndexOrManifest(bytes, what, descriptor.mediaType);
}

export async function readManifest(blobs: Blobs, descriptor: Descriptor): Promise<ImageManifest> {
  const what = `manifest ${descriptor.digest}`;
  const parsed = await readDocument(blobs, descriptor, what);
  if ('index' in parsed) throw new OperationalError('malformed', `${what} is an index, but is not listed as one`);
  return parsed.manifest;
}

export async function readConfig(blobs: Blobs, manifest: ImageManifest) {
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

export function isImageConfig(mediaType: string | undefined): boolean {
  return mediaType === undefined || configTypes.includes(mediaType);
}

export const configTypes = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];
