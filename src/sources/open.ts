/** From a target to its sources: one for each platform that was asked for. */
import path from 'node:path';
import type { Limits } from '../archive/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { archiveBlobs, type Blobs, directoryBlobs, looksLikeTar } from './blobs.ts';
import { parseDigest } from './digest.ts';
import { directorySource, fileSource } from './directory.ts';
import { readDockerArchive } from './docker-archive.ts';
import { otherContents, unlistedImages } from './docker-twin.ts';
import { type ImageParts, imageSource, type LayerProgress } from './image.ts';
import { readLayout } from './layout.ts';
import type { LayoutReference } from './layout-index.ts';
import type { PlatformChoice } from './platform.ts';
import { parseTarget, pinOf, type Target } from './target.ts';
import type { Source } from './types.ts';

export interface OpenOptions {
  readonly disk: Disk;
  readonly limits: Limits;
  readonly platform: PlatformChoice;
  readonly everything: boolean;
  readonly parallel: number;
  readonly progress: LayerProgress;
}

/** Throws OperationalError. The caller closes what it gets. */
export async function openSources(requested: string, options: OpenOptions): Promise<readonly Source[]> {
  const target = parseTarget(requested);
  const place = await findImage(target, options);
  if (place !== undefined) return openImages(place, target, options);
  const isDirectory = target.kind === 'dir' || (await options.disk.stat(target.rest))?.kind === 'directory';
  if (target.kind !== 'file' && isDirectory) return [await directorySource(target.rest, { ...options, requested })];
  return [await fileSource(target.rest, { ...options, requested })];
}

/** Where an image lies, and which of those that lie there is meant. */
export interface ImagePlace {
  readonly form: 'layout' | 'oci-archive' | 'docker-archive';
  /** A directory for a layout, else a file. */
  readonly place: string;
  /** What followed the place: a tag or `sha256:…`. */
  readonly tag?: string;
  readonly digest?: string;
}

type OnDisk = Pick<OpenOptions, 'disk' | 'limits'>;

/** Undefined when the target is a directory tree or a file and no image; throws OperationalError when it is neither. */
export async function findImage(target: Target, options: OnDisk): Promise<ImagePlace | undefined> {
  switch (target.kind) {
    case 'path':
      return findPath(target, options);
    case 'dir':
    case 'file':
      return undefined;
    case 'oci':
      return { form: 'layout', ...(await findReference(target, options, 'directory')) };
    case 'oci-archive':
    case 'docker-archive':
      return { form: target.kind, ...(await findReference(target, options, 'file')) };
    default:
      throw notYet(target);
  }
}

function notYet(target: Target): OperationalError {
  const what = target.kind === 'registry' ? `the registry reference ${quoted(target.rest)}` : quoted(target.requested);
  return new OperationalError('usage', `${what} cannot be scanned: tidewaiter reads images and files on disk`, {
    hints: [
      'save the image first, for example: skopeo copy docker://NAME oci:DIR',
      'a file or directory here is written with ./ before it, or as dir:PATH or file:PATH',
    ],
  });
}

const checkPath = ['check the path: relative ones start at the current directory'];

type Reference = Omit<ImagePlace, 'form'>;

/** The longest name that exists on disk is the place; what follows it is a tag. A digest never is part of the place. */
async function findReference(target: Target, options: OnDisk, kind: 'directory' | 'file'): Promise<Reference> {
  for (const reference of readings(target.rest)) {
    const there = await options.disk.stat(reference.place);
    if (there === undefined) continue;
    if (there.kind !== kind) throw wrongKind(target, reference.place, kind);
    return reference;
  }
  throw new OperationalError('not-found', `there is no ${kind} ${quoted(target.rest)}`, { hints: checkPath });
}

function wrongKind(target: Target, place: string, kind: string): OperationalError {
  return new OperationalError('usage', `${target.kind}: needs a ${kind}, and ${quoted(place)} is none`, {
    hints: [`give ${quoted(place.startsWith('/') ? place : `./${place}`)} alone and its kind is recognised`],
  });
}

function readings(text: string): readonly Reference[] {
  const pin = pinOf(text);
  if (pin !== undefined) return [pin];
  const found: Reference[] = [{ place: text }];
  const at = text.lastIndexOf('@');
  if (at > 0) found.push({ place: text.slice(0, at), digest: text.slice(at + 1) });
  // The tag of a docker archive may hold colons and slashes of its own: every colon is tried, the last one first.
  for (let colon = text.lastIndexOf(':'); colon > 0; colon = text.lastIndexOf(':', colon - 1)) {
    found.push({ place: text.slice(0, colon), tag: text.slice(colon + 1) });
  }
  return found;
}

export function layoutReference({ tag, digest }: Reference): LayoutReference {
  if (digest !== undefined) return { digest: parseDigest(digest) };
  return tag === undefined ? {} : { tag };
}

export async function openBlobs({ form, place }: ImagePlace, { disk, limits }: OnDisk): Promise<Blobs> {
  return form === 'layout' ? directoryBlobs(disk, place) : archiveBlobs(disk, place, limits);
}

/** A name for people, where the image has none of its own. */
export function placeName({ place }: ImagePlace): string {
  return path.basename(path.resolve(place)).replace(/\.(?:tar|tgz|tar\.gz|tar\.zst)$/, '');
}

async function openImages(place: ImagePlace, target: Target, options: OpenOptions): Promise<readonly Source[]> {
  const blobs = await openBlobs(place, options);
  try {
    const images = await readImages(blobs, place, options.platform);
    const shared = { ...options, requested: target.requested, name: placeName(place), close: blobs.close };
    return images.map((parts) => imageSource(parts, shared));
  } catch (error) {
    await blobs.close();
    throw error;
  }
}

async function readImages(blobs: Blobs, place: ImagePlace, choice: PlatformChoice): Promise<readonly ImageParts[]> {
  if (place.form === 'docker-archive') {
    if (place.digest !== undefined) throw noManifest();
    return withDoubts(await readDockerArchive(blobs, place.tag, choice), await unlistedImages(blobs));
  }
  const images = await readLayout(blobs, layoutReference(place), choice);
  return withDoubts(images, await otherContents(blobs, images));
}

function noManifest(): OperationalError {
  return new OperationalError(
    'usage',
    'a docker archive does not keep the manifest, so no digest names an image in it',
    {
      hints: ['name it by its tag, or give an archive that is an OCI layout as well as oci-archive:FILE@DIGEST'],
    },
  );
}

function withDoubts(images: readonly ImageParts[], doubts: readonly string[]): readonly ImageParts[] {
  if (doubts.length === 0) return images;
  return images.map((each) => ({ ...each, doubts: [...(each.doubts ?? []), ...doubts] }));
}

/** A path without a prefix: a layout, an archive, a tree or a file, by what is in it. */
async function findPath(target: Target, options: OnDisk): Promise<ImagePlace | undefined> {
  const { disk } = options;
  const place = target.rest;
  const there = pinOf(place) === undefined ? await disk.stat(place) : undefined;
  if (there === undefined) return findPathWithReference(target, options);
  if (there.kind === 'directory') {
    const layout = await disk.stat(path.join(place, 'oci-layout'));
    const index = await disk.stat(path.join(place, 'index.json'));
    return layout?.kind === 'file' && index?.kind === 'file' ? { form: 'layout', place } : undefined;
  }
  const form = await archiveForm(place, options);
  return form === undefined ? undefined : { form, place };
}

/** `./layout:tag` and `./layout@sha256:…`, where the path alone does not exist. */
async function findPathWithReference(target: Target, options: OnDisk): Promise<ImagePlace> {
  for (const reference of readings(target.rest).filter(({ place }) => place !== target.rest)) {
    const there = await options.disk.stat(reference.place);
    if (there?.kind === 'directory') return { form: 'layout', ...reference };
    const form = there?.kind === 'file' ? await archiveForm(reference.place, options) : undefined;
    if (form !== undefined) return { form, ...reference };
  }
  throw new OperationalError('not-found', `there is no file or directory ${quoted(target.rest)}`, { hints: checkPath });
}

/** Newer docker archives are OCI layouts too, and those state the digests that registries know. */
async function archiveForm(file: string, options: OnDisk): Promise<'oci-archive' | 'docker-archive' | undefined> {
  const opened = await options.disk.open(file);
  const head = await opened.read(0, 512);
  await opened.close();
  const packed = /^(?:\x1f\x8b|\x28\xb5\x2f\xfd)/.test(head.toString('latin1', 0, 4));
  if (!looksLikeTar(head) && !(packed && /\.(?:tar|tgz|tzst|tar\.[a-z0-9]+)$/i.test(file))) return undefined;
  const blobs = await archiveBlobs(options.disk, file, options.limits);
  try {
    if ((await blobs.size('index.json')) !== undefined && (await blobs.size('oci-layout')) !== undefined) {
      return 'oci-archive';
    }
    if ((await blobs.size('manifest.json')) !== undefined) return 'docker-archive';
  } finally {
    await blobs.close();
  }
  throw new OperationalError(
    'unsupported',
    `the archive ${quoted(file)} is neither an OCI layout nor a docker archive`,
    {
      hints: ['unpack it and give the directory as dir:PATH if it is a root file system or a source tree'],
    },
  );
}
