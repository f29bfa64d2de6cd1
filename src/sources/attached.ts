/**
 * Everything that is attached to an image: signatures, attestations, SBOMs, in every form that the field has written them.
 * Nothing is verified here but digests and sizes; what is found is said, and so is what could not be read.
 */
import type { Limits } from '../archive/index.ts';
import { OperationalError } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { collector, findAttached } from './attached-find.ts';
import { layoutStore } from './attached-layout.ts';
import { type ResolvedDigest, resolveTarget } from './attached-target.ts';
import type { Blobs } from './blobs.ts';
import type { Digest } from './digest.ts';
import { requireSameImages } from './docker-twin.ts';
import type { LayoutReference } from './layout-index.ts';
import { findImage, type ImagePlace, layoutReference, openBlobs, placeName } from './open.ts';
import type { PlatformChoice } from './platform.ts';
import { parseTarget } from './target.ts';

export type AttachmentKind =
  /** A Sigstore bundle. */
  | 'bundle'
  /** A simple-signing payload; signature, certificate and log entry are in its annotations. */
  | 'cosign-signature'
  /** A DSSE envelope where cosign keeps attestations; certificate and log entry are in its annotations. */
  | 'cosign-attestation'
  /** A DSSE envelope that refers to the image. */
  | 'dsse'
  /** Not verified here. */
  | 'notation'
  /** An in-toto statement that nobody signed, from BuildKit. */
  | 'buildkit'
  /** An SBOM that nobody signed. */
  | 'sbom'
  | 'unknown';

export interface Attachment {
  /** For people, on one line: how it was found and where it lies. */
  readonly place: string;
  /** Digest of the manifest that holds it, and of its blob; absent where there is none. */
  readonly manifest: string;
  readonly layer?: string;
  /** The digest that it claims to be about. That is a claim like any other until its content says the same. */
  readonly attachedTo: Digest;
  readonly kind: AttachmentKind;
  readonly mediaType: string;
  /** Of the layer alone: cosign keeps signatures there, and what a manifest says of itself is no signature. */
  readonly annotations: ReadonlyMap<string, string>;
  /** As the annotations claim it. */
  readonly predicateType?: string;
  /** Digest and size are right. Empty where `problem` says why. */
  readonly bytes: Buffer;
  readonly problem?: AttachmentProblem;
}

export interface AttachmentProblem {
  readonly code: 'malformed' | 'unreachable' | 'unsupported';
  readonly message: string;
}

/** Something that may have hidden an attachment from us. */
export interface AttachedGap {
  readonly place: string;
  readonly reason: string;
}

export interface AttachedImage {
  readonly requested: string;
  /** As it was parsed: a digest in it is what the target was pinned to. */
  readonly reference: LayoutReference;
  readonly name: string;
  /** What the target denotes: indexes first, outermost before inner, then the manifests of the chosen platforms. */
  readonly digests: readonly ResolvedDigest[];
  readonly attachments: readonly Attachment[];
  /** Attached to papers and not to the image: a signature on a BuildKit attestation, on an SBOM. Never about the image. */
  readonly onPapers: readonly Attachment[];
  readonly gaps: readonly AttachedGap[];
  close(): Promise<void>;
}

export interface AttachedOptions {
  readonly disk: Disk;
  readonly limits: Limits;
  readonly platform: PlatformChoice;
}

/** Throws OperationalError when the target itself cannot be read, or its digests are not what they claim to be. */
export async function openAttached(requested: string, options: AttachedOptions): Promise<AttachedImage> {
  const place = await findImage(parseTarget(requested), options);
  if (place === undefined) {
    throw new OperationalError('usage', 'a directory tree or a file is no image: nothing can be attached to it', {
      hints: ['give an OCI image layout as oci:DIR, or an archive of one as oci-archive:FILE'],
    });
  }
  const blobs = await openBlobs(place, options);
  try {
    if (place.form === 'docker-archive') await refuseDockerArchive(blobs);
    return await readAttached(requested, place, blobs, options.platform);
  } catch (error) {
    await blobs.close();
    throw error;
  }
}

/** A registry signs manifests, and this archive leaves them out; newer ones are layouts as well. */
async function refuseDockerArchive(blobs: Blobs): Promise<void> {
  if ((await blobs.size('manifest.json')) === undefined) {
    throw new OperationalError('not-found', 'this is not a docker archive: it has no manifest.json', {
      hints: ['give an archive of an OCI layout as oci-archive:FILE'],
    });
  }
  if ((await blobs.size('index.json')) !== undefined && (await blobs.size('oci-layout')) !== undefined) return;
  const message = 'a docker archive does not keep the manifest of the image, which is what signatures are made over';
  throw new OperationalError('unsupported', message, {
    hints: ['save the image with its signatures as an OCI layout, for example: cosign save --dir DIR NAME'],
  });
}

async function readAttached(
  requested: string,
  place: ImagePlace,
  blobs: Blobs,
  choice: PlatformChoice,
): Promise<AttachedImage> {
  const store = await layoutStore(blobs);
  const reference = layoutReference(place);
  const target = await resolveTarget(store, reference, choice);
  await requireSameImages(blobs, target.manifests);
  const found = collector();
  for (const { digest } of target.digests) await findAttached(store, digest, target.papers, found);
  const further = collector(found);
  const papers = new Set(found.attachments.filter(isPaper).map(({ manifest }) => manifest as Digest));
  for (const digest of papers) await findAttached(store, digest, [], further);
  return {
    requested,
    reference,
    name: target.name ?? placeName(place),
    digests: target.digests,
    attachments: found.attachments,
    onPapers: further.attachments,
    gaps: [...store.gaps, ...found.gaps, ...further.gaps],
    close: blobs.close,
  };
}

/** Nobody signs a signature; a document that has none of its own may be signed where it hangs. */
function isPaper({ kind, manifest }: Attachment): boolean {
  return manifest !== '' && (kind === 'buildkit' || kind === 'sbom' || kind === 'unknown');
}
