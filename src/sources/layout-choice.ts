/** Which of the images of an OCI image layout is meant: by a tag, by a digest, or because there is no other. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Blobs } from './blobs.ts';
import { holdsImage } from './layout-content.ts';
import {
  type Candidate,
  expand,
  fullName,
  isAttachment,
  isIndexType,
  type LayoutReference,
  listedPlatform,
} from './layout-index.ts';
import type { Descriptor } from './manifest.ts';
import { formatPlatform, normalizePlatform } from './platform.ts';

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
export function isAmbiguous(message: string, listed: readonly Candidate[]): OperationalError {
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
