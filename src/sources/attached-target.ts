/** Which digests a target denotes: the manifests that would be run, and the indexes that list them. */
import { OperationalError } from '../diag/index.ts';
import type { IndexPaper } from './attached-find.ts';
import type { LayoutStore } from './attached-layout.ts';
import { type Digest, parseDigest } from './digest.ts';
import { chooseReference, holdsNone, onlyImage } from './layout-choice.ts';
import {
  type Candidate,
  expand,
  isIndexType,
  type LayoutReference,
  listedPlatform,
  mayRun,
  tagOf,
} from './layout-index.ts';
import { matchingPlatforms } from './layout-platforms.ts';
import { maxManifestBytes } from './manifest.ts';
import { normalizePlatform, type PlatformChoice } from './platform.ts';
import type { Platform } from './types.ts';

export interface ResolvedDigest {
  /** Recomputed from bytes. */
  readonly digest: Digest;
  readonly role: 'index' | 'manifest';
  /** As an index lists it; manifests alone say nothing of their platform. */
  readonly platform?: Platform;
  /** Indexes among the digests that list it, directly or through another: who signs one of those signs its children. */
  readonly listedBy: readonly Digest[];
}

interface ResolvedTarget {
  readonly name?: string;
  /** Their bytes. */
  readonly manifests: readonly Buffer[];
  readonly digests: readonly ResolvedDigest[];
  /** Children of these indexes that are about others of their children. */
  readonly papers: readonly IndexPaper[];
}

/** Throws OperationalError: no such image, several of them, or one whose bytes are not what they claim to be. */
export async function resolveTarget(
  store: LayoutStore,
  reference: LayoutReference,
  choice: PlatformChoice,
): Promise<ResolvedTarget> {
  const { blobs } = store;
  const chosen = await chooseListed(store, reference);
  const candidates = await images(store, chosen);
  const matching = await matchingPlatforms(blobs, candidates, choice);
  // Whoever takes an entry of index.json by its name asks for no platform: of several all have to be good.
  const beside = candidates.filter(({ index }) => index === undefined);
  const manifests = beside.length > 1 ? [...matching, ...beside] : matching;
  const digests = new Map<Digest, ResolvedDigest>();
  const bytes: Buffer[] = [];
  for (const { descriptor } of manifests) {
    if (digests.has(parseDigest(descriptor.digest))) continue;
    bytes.push(await store.read(descriptor, maxManifestBytes));
    const digest = parseDigest(descriptor.digest);
    const platform = listedPlatform(descriptor);
    digests.set(digest, {
      digest,
      role: 'manifest',
      ...(platform === undefined ? {} : { platform: normalizePlatform(platform) }),
      listedBy: ancestors(store, digest),
    });
  }
  const indexes = new Set([...digests.values()].flatMap(({ listedBy }) => listedBy));
  const resolved = [...indexes].map((digest): ResolvedDigest => {
    return { digest, role: 'index', listedBy: ancestors(store, digest) };
  });
  resolved.sort((one, other) => one.listedBy.length - other.listedBy.length);
  const name = reference.tag ?? tagOf(chosen[0]!.descriptor);
  return {
    ...(name === undefined ? {} : { name }),
    manifests: bytes,
    digests: [...resolved, ...digests.values()],
    papers: [...indexes].flatMap((digest) => indexPapers(store, digest)),
  };
}

/** Papers stand beside images in index.json; only somebody who names one can mean it. */
export async function chooseListed(store: LayoutStore, reference: LayoutReference): Promise<readonly Candidate[]> {
  const listed = store.listed.map((descriptor) => ({ descriptor, tag: tagOf(descriptor) }));
  if (reference.tag !== undefined || reference.digest !== undefined) {
    return chooseReference(store.blobs, listed, reference);
  }
  const images = listed.filter(({ descriptor }) => store.paperKind(descriptor) === undefined);
  if (images.length > 0) return onlyImage(images);
  const artifacts = listed.filter(({ descriptor }) => store.paperKind(descriptor) === 'artifact');
  if (new Set(artifacts.map((each) => each.descriptor.digest)).size === 1) return artifacts;
  if (listed.length === 0) throw holdsNone();
  throw new OperationalError('not-found', 'the layout lists no image, or nothing but what is attached to others', {
    hints: ['name what is meant: oci:DIR:TAG or oci:DIR@DIGEST'],
  });
}

/** Everything that a runtime may take for the platform. */
export async function chooseMatching(
  store: LayoutStore,
  reference: LayoutReference,
  choice: PlatformChoice,
): Promise<readonly Candidate[]> {
  return matchingPlatforms(store.blobs, await images(store, await chooseListed(store, reference)), choice);
}

async function images(store: LayoutStore, chosen: readonly Candidate[]): Promise<readonly Candidate[]> {
  const found = (await expand(store.blobs, chosen)).filter(mayRun);
  if (found.length > 0) return found;
  // Anything may be signed: a chart, a model, a policy. What is named is meant, whatever it is.
  const artifacts = chosen.filter((each) => !isIndexType(each.descriptor.mediaType));
  if (artifacts.length > 0) return artifacts;
  throw new OperationalError('not-found', 'the index that was named lists no image');
}

/** Nearest first; each once, whatever lists what. */
function ancestors(store: LayoutStore, digest: Digest): readonly Digest[] {
  const found = new Set<Digest>();
  const pending = [...store.parents(digest)];
  for (let at = 0; at < pending.length; at++) {
    const parent = pending[at]!;
    if (found.has(parent) || parent === digest) continue;
    found.add(parent);
    pending.push(...store.parents(parent));
  }
  return [...found];
}

/** BuildKit, docs/attestations/attestation-storage.md. */
function indexPapers(store: LayoutStore, index: Digest): readonly IndexPaper[] {
  return (store.children(index) ?? []).flatMap((descriptor) => {
    const attachedTo = descriptor.annotations?.['vnd.docker.reference.digest'];
    return attachedTo === undefined ? [] : [{ via: `child of index ${index}`, descriptor, attachedTo }];
  });
}
