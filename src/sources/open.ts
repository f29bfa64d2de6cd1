/** From a target to its sources: one for each platform that was asked for. */
import path from 'node:path';
import type { Limits } from '../archive/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { archiveBlobs, type Blobs, directoryBlobs, looksLikeTar } from './blobs.ts';
import { parseDigest } from './digest.ts';
import { directorySource, fileSource } from './directory.ts';
import { readDockerArchive } from './docker-archive.ts';
import { type ImageParts, imageSource, type LayerProgress } from './image.ts';
import { type LayoutReference, readLayout } from './layout.ts';
import type { PlatformChoice } from './platform.ts';
import { parseTarget, type Target } from './target.ts';
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
  switch (target.kind) {
    case 'path':
      return openPath(target, options);
    case 'dir':
      return [await directorySource(target.rest, { ...options, requested })];
    case 'file':
      return [await fileSource(target.rest, { ...options, requested })];
    case 'oci':
      return openReference(target, options, 'directory', openLayout);
    case 'oci-archive':
      return openReference(target, options, 'file', openOciArchive);
    case 'docker-archive':
      return openReference(target, options, 'file', openDockerArchive);
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

interface Reference {
  readonly place: string;
  /** What followed the place: a tag or `sha256:…`. */
  readonly tag?: string;
  readonly digest?: string;
}

type Opener = (reference: Reference, target: Target, options: OpenOptions) => Promise<readonly Source[]>;

/** The longest name that exists on disk is the place; what follows it is a tag or a digest. */
async function openReference(
  target: Target,
  options: OpenOptions,
  kind: 'directory' | 'file',
  open: Opener,
): Promise<readonly Source[]> {
  for (const reference of readings(target.rest)) {
    const there = await options.disk.stat(reference.place);
    if (there === undefined) continue;
    if (there.kind !== kind) throw wrongKind(target, reference.place, kind);
    return open(reference, target, options);
  }
  throw new OperationalError('not-found', `there is no ${kind} ${quoted(target.rest)}`, { hints: checkPath });
}

function wrongKind(target: Target, place: string, kind: string): OperationalError {
  return new OperationalError('usage', `${target.kind}: needs a ${kind}, and ${quoted(place)} is none`, {
    hints: [`give ${quoted(place.startsWith('/') ? place : `./${place}`)} alone and its kind is recognised`],
  });
}

function readings(text: string): readonly Reference[] {
  const found: Reference[] = [{ place: text }];
  const at = text.lastIndexOf('@');
  if (at > 0) found.push({ place: text.slice(0, at), digest: text.slice(at + 1) });
  // The tag of a docker archive may hold colons and slashes of its own: every colon is tried, the last one first.
  for (let colon = text.lastIndexOf(':'); colon > 0; colon = text.lastIndexOf(':', colon - 1)) {
    found.push({ place: text.slice(0, colon), tag: text.slice(colon + 1) });
  }
  return found;
}

function layoutReference(reference: Reference): LayoutReference {
  if (reference.digest !== undefined) return { digest: parseDigest(reference.digest) };
  return reference.tag === undefined ? {} : { tag: reference.tag };
}

async function openLayout(reference: Reference, target: Target, options: OpenOptions): Promise<readonly Source[]> {
  const blobs = directoryBlobs(options.disk, reference.place);
  return fromBlobs(blobs, reference, target, options, () =>
    readLayout(blobs, layoutReference(reference), options.platform),
  );
}

async function openOciArchive(reference: Reference, target: Target, options: OpenOptions): Promise<readonly Source[]> {
  const blobs = await archiveBlobs(options.disk, reference.place, options.limits);
  return fromBlobs(blobs, reference, target, options, () =>
    readLayout(blobs, layoutReference(reference), options.platform),
  );
}

async function openDockerArchive(
  reference: Reference,
  target: Target,
  options: OpenOptions,
): Promise<readonly Source[]> {
  const blobs = await archiveBlobs(options.disk, reference.place, options.limits);
  return fromBlobs(blobs, reference, target, options, () => readDockerArchive(blobs, reference.tag, options.platform));
}

async function fromBlobs(
  blobs: Blobs,
  reference: Reference,
  target: Target,
  options: OpenOptions,
  read: () => Promise<readonly ImageParts[]>,
): Promise<readonly Source[]> {
  try {
    const images = await read();
    const name = path.basename(path.resolve(reference.place)).replace(/\.(?:tar|tgz|tar\.gz|tar\.zst)$/, '');
    return images.map((parts) =>
      imageSource(parts, { ...options, requested: target.requested, name, close: blobs.close }),
    );
  } catch (error) {
    await blobs.close();
    throw error;
  }
}

/** A path without a prefix: a layout, an archive, a tree or a file, by what is in it. */
async function openPath(target: Target, options: OpenOptions): Promise<readonly Source[]> {
  const { disk } = options;
  const reference: Reference = { place: target.rest };
  const there = await disk.stat(target.rest);
  if (there === undefined) return openPathWithReference(target, options);
  if (there.kind === 'directory') {
    const layout = await disk.stat(path.join(target.rest, 'oci-layout'));
    const index = await disk.stat(path.join(target.rest, 'index.json'));
    if (layout?.kind === 'file' && index?.kind === 'file') return openLayout(reference, target, options);
    return [await directorySource(target.rest, { ...options, requested: target.requested })];
  }
  const opener = await archiveKind(target.rest, options);
  if (opener !== undefined) return opener(reference, target, options);
  return [await fileSource(target.rest, { ...options, requested: target.requested })];
}

/** `./layout:tag` and `./layout@sha256:…`, where the path alone does not exist. */
async function openPathWithReference(target: Target, options: OpenOptions): Promise<readonly Source[]> {
  for (const reference of readings(target.rest).slice(1)) {
    const there = await options.disk.stat(reference.place);
    if (there?.kind === 'directory') return openLayout(reference, target, options);
    const opener = there?.kind === 'file' ? await archiveKind(reference.place, options) : undefined;
    if (opener !== undefined) return opener(reference, target, options);
  }
  throw new OperationalError('not-found', `there is no file or directory ${quoted(target.rest)}`, { hints: checkPath });
}

/** Newer docker archives are OCI layouts too, and those state the digests that registries know. */
async function archiveKind(file: string, options: OpenOptions): Promise<Opener | undefined> {
  const opened = await options.disk.open(file);
  const head = await opened.read(0, 512);
  await opened.close();
  const packed = /^(?:\x1f\x8b|\x28\xb5\x2f\xfd)/.test(head.toString('latin1', 0, 4));
  if (!looksLikeTar(head) && !(packed && /\.(?:tar|tgz|tzst|tar\.[a-z0-9]+)$/i.test(file))) return undefined;
  const blobs = await archiveBlobs(options.disk, file, options.limits);
  try {
    if ((await blobs.size('index.json')) !== undefined && (await blobs.size('oci-layout')) !== undefined) {
      return openOciArchive;
    }
    if ((await blobs.size('manifest.json')) !== undefined) return openDockerArchive;
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
