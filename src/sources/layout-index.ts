/** What the indexes of an OCI image layout list (image-index.md), and what its labels say: hints, and no proof. */
import { OperationalError } from '../diag/index.ts';
import type { Blobs } from './blobs.ts';
import type { Digest } from './digest.ts';
import { configTypes, readDocument } from './layout-documents.ts';
import type { Descriptor } from './manifest.ts';
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

export function tagOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[refName] ?? descriptor.annotations?.[fullName];
}

/**
 * Runtimes choose among the children of an index by their platform and by nothing else: a child is a paper only where it says
 * that no machine is meant. Any other label costs whoever writes the index nothing. What index.json lists is chosen by name.
 */
export function mayRun({ descriptor: { platform }, index }: Candidate): boolean {
  return index === undefined || !(platform?.os === 'unknown' && platform.architecture === 'unknown');
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

export function listedPlatform({ platform }: Descriptor): Platform | undefined {
  if (platform === undefined || platform === null) return undefined;
  const { os, architecture, variant } = platform;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
