/** Which images of an index are for a platform: by what the index says of each, or else by the config of the image. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Blobs } from './blobs.ts';
import { blobName, parseDigest } from './digest.ts';
import { holdsNone, isAmbiguous } from './layout-choice.ts';
import { isImageConfig, readConfig, readManifest } from './layout-documents.ts';
import { type Candidate, listedPlatform } from './layout-index.ts';
import { formatPlatform, matchesPlatform, normalizePlatform, type PlatformChoice } from './platform.ts';
import type { Platform } from './types.ts';

interface Chosen {
  readonly images: readonly Candidate[];
  /** What a runtime might take instead, or what nobody can tell: in a sentence each. */
  readonly passedOver: readonly string[];
}

/** For each platform that was asked for the image that a runtime would take. */
export async function choosePlatforms(
  blobs: Blobs,
  all: readonly Candidate[],
  choice: PlatformChoice,
): Promise<Chosen> {
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
