/**
 * The archive that `docker save` writes (and skopeo's docker-archive): a tar file whose `manifest.json` names, for each
 * image, the config file and the layer files, bottom first.
 *
 *   [{"Config":"<hex>.json","RepoTags":["name:tag"],"Layers":["<hex>/layer.tar", …]}]
 *
 * Nothing in it states a digest of a stored layer; the config's diffIDs bind them, and the config's own name its digest.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, type Digest, digestOf, mismatch, parseDigest } from './digest.ts';
import type { ImageParts } from './image.ts';
import {
  type DockerArchiveManifest,
  layerHistory,
  maxManifestBytes,
  parseConfig,
  parseDockerArchiveManifest,
} from './manifest.ts';
import { formatPlatform, matchesPlatform, type PlatformChoice } from './platform.ts';

export async function readDockerArchive(
  blobs: Blobs,
  tag: string | undefined,
  choice: PlatformChoice,
): Promise<readonly ImageParts[]> {
  const listed = parseDockerArchiveManifest(await readBlob(blobs, 'manifest.json', maxManifestBytes));
  const images: ImageParts[] = [];
  for (const each of chooseImages(listed, tag)) images.push(await readImage(blobs, each, tag));
  if (choice === 'all' || !choice.explicit) return images;
  const matching = images.filter(({ config }) =>
    matchesPlatform(choice.platform, { os: config.os ?? 'linux', architecture: config.architecture ?? 'unknown' }),
  );
  if (matching.length > 0) return matching;
  throw new OperationalError(
    'not-found',
    `the archive has nothing for the platform ${formatPlatform(choice.platform)}`,
  );
}

type Listed = DockerArchiveManifest[number];

function chooseImages(listed: DockerArchiveManifest, tag: string | undefined): readonly Listed[] {
  const named = tag === undefined ? listed : listed.filter((each) => tagsOf(each).some((name) => isTag(name, tag)));
  if (named.length === 1) return named;
  const names = listed.flatMap((each) => tagsOf(each)).slice(0, 10);
  const hints =
    names.length === 0 ? [] : [`add one of these to the target: ${names.map((name) => quoted(`:${name}`)).join(', ')}`];
  if (listed.length === 0) throw new OperationalError('not-found', 'the archive holds no image');
  if (named.length === 0)
    throw new OperationalError('not-found', `the archive has no image ${quoted(tag ?? '')}`, { hints });
  throw new OperationalError('usage', 'the archive holds several images and none was named', { hints });
}

function tagsOf(listed: Listed): readonly string[] {
  return listed.RepoTags ?? [];
}

function isTag(name: string, wanted: string): boolean {
  return name === wanted || name === `${wanted}:latest`;
}

async function readImage(blobs: Blobs, listed: Listed, tag: string | undefined): Promise<ImageParts> {
  const bytes = await readBlob(blobs, listed.Config, maxManifestBytes);
  const configDigest = digestOf(bytes);
  const stated = configClaim(listed.Config);
  if (stated !== undefined && digestOf(bytes, algorithmOf(stated)) !== stated) {
    throw mismatch(`the config ${quoted(listed.Config)}`, stated, configDigest);
  }
  const config = parseConfig(bytes, `config ${quoted(listed.Config)}`);
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== listed.Layers.length) {
    const message = `manifest.json lists ${listed.Layers.length} layers, its config ${diffIds.length}`;
    throw new OperationalError('malformed', message);
  }
  const layers: ImageParts['layers'][number][] = [];
  for (const [index, name] of listed.Layers.entries()) {
    const size = await blobs.size(name);
    if (size === undefined)
      throw new OperationalError('not-found', `the archive lacks layer ${index + 1}, ${quoted(name)}`);
    const digest = layerClaim(name);
    const diffId = parseDigest(diffIds[index]!);
    layers.push({ index, diffId, size, stream: () => blobs.stream(name), ...(digest === undefined ? {} : { digest }) });
  }
  const name = tag ?? tagsOf(listed)[0];
  return {
    ...(name === undefined ? {} : { tag: name }),
    configDigest,
    config,
    annotations: {},
    layers,
    history: layerHistory(config),
  };
}

/** The digest that the config's file name claims: `<hex>.json`, or `blobs/sha256/<hex>` from newer versions. */
function configClaim(name: string): Digest | undefined {
  const hex = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
  return hex === undefined ? layerClaim(name) : parseDigest(`sha256:${hex}`);
}

function layerClaim(name: string): Digest | undefined {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? undefined : parseDigest(`sha256:${hex}`);
}
