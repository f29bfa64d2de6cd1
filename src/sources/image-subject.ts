/** The one manifest or index that a target names, to say something about it. */
import { OperationalError, quoted } from '../diag/index.ts';
import { layoutStore } from './attached-layout.ts';
import { chooseListed, chooseMatching } from './attached-target.ts';
import type { Blobs } from './blobs.ts';
import { type Digest, parseDigest } from './digest.ts';
import { fullName, isIndexType, refName } from './layout-index.ts';
import { type Descriptor, maxManifestBytes } from './manifest.ts';
import { findImage, type ImagePlace, layoutReference, type OpenOptions, openBlobs, placeName } from './open.ts';
import { parseTarget } from './target.ts';
import type { Platform } from './types.ts';

export interface ImageSubject {
  /** What people call it: the reference stored with it, else the name of the place with its tag. */
  readonly name: string;
  readonly role: 'index' | 'manifest';
  /** As it is listed, the digest recomputed. */
  readonly descriptor: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  /** The OCI layout on disk; undefined for an archive. */
  readonly directory?: string;
}

/**
 * Without a platform it is what the name stands for, an index with all its platforms or a lone manifest: what registries
 * give out under that name. Throws OperationalError when that is not exactly one.
 */
export async function openImageSubject(
  requested: string,
  options: Pick<OpenOptions, 'disk' | 'limits'> & { readonly platform?: Platform },
): Promise<ImageSubject> {
  const place = await findImage(parseTarget(requested), options);
  if (place === undefined) throw new OperationalError('usage', `${quoted(requested)} is no image`);
  const blobs = await openBlobs(place, options);
  try {
    return await readSubject(blobs, place, options.platform);
  } finally {
    await blobs.close();
  }
}

async function readSubject(blobs: Blobs, place: ImagePlace, platform: Platform | undefined): Promise<ImageSubject> {
  if ((await blobs.size('index.json')) === undefined) {
    const message = `${quoted(place.place)} does not keep the manifest of the image, so it has no digest`;
    throw new OperationalError('unsupported', message, {
      hints: ['copy it into an OCI layout first: skopeo copy docker-archive:FILE oci:DIR:TAG'],
    });
  }
  const store = await layoutStore(blobs);
  const reference = layoutReference(place);
  const meant =
    platform === undefined
      ? await chooseListed(store, reference)
      : await chooseMatching(store, reference, { platform, explicit: true });
  const found = new Map(meant.map(({ descriptor }) => [descriptor.digest, descriptor]));
  const [descriptor] = found.values();
  if (descriptor === undefined) throw new OperationalError('not-found', 'the layout holds no image');
  if (found.size > 1) throw several(found.values());
  const bytes = await store.read(descriptor, maxManifestBytes);
  const role = isIndexType(descriptor.mediaType) ? 'index' : 'manifest';
  return {
    name: nameOf(descriptor, store.listed, place),
    role,
    descriptor: {
      mediaType: descriptor.mediaType ?? `application/vnd.oci.image.${role}.v1+json`,
      digest: parseDigest(descriptor.digest),
      size: bytes.length,
    },
    ...(place.form === 'layout' ? { directory: place.place } : {}),
  };
}

function several(found: Iterable<Descriptor>): OperationalError {
  const names = [...found].slice(0, 10).map(({ digest }) => `@${digest}`);
  return new OperationalError('usage', 'the target stands for several images, and a statement is about one', {
    hints: [`add one of these to the target: ${names.join(', ')}`, 'or choose one with --platform OS/ARCH'],
  });
}

/** Tags alone name nothing: `latest` of what? Some tools write the whole reference into the same place. */
function nameOf(descriptor: Descriptor, listed: readonly Descriptor[], place: ImagePlace): string {
  const own = descriptor.annotations ?? listed.find(({ digest }) => digest === descriptor.digest)?.annotations ?? {};
  const full = own[fullName];
  if (full !== undefined && full !== '') return full;
  const tag = own[refName] ?? place.tag;
  if (tag === undefined || tag === '') return placeName(place);
  return /[/:]/.test(tag) ? tag : `${placeName(place)}:${tag}`;
}
