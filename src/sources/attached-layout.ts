/**
 * What is attached to an image in an OCI layout, in each of the ways that tools write it into one:
 *
 *   index.json   tags `sha256-HEX.sig`, `.att`, `.sbom` and `sha256-HEX`, bare or behind a repository or a prefix;
 *                manifests with a `subject`, tagged or not; cosign's own `kind` annotations:
 *                  {"digest": …, "annotations": {"kind": "dev.cosignproject.cosign/image"}}    (or imageIndex)
 *                  {"digest": …, "annotations": {"kind": "dev.cosignproject.cosign/sigs"}}     (or atts)
 *   blobs/       manifests with a `subject` that nothing lists: `cosign save` overwrites the index.json that listed them
 */
import { OperationalError, quoted } from '../diag/index.ts';
import type { AttachedGap } from './attached.ts';
import type { ManifestStore, Tagged } from './attached-find.ts';
import { readExact, type Survey, surveyListed, surveyUnlisted } from './attached-survey.ts';
import type { Blobs } from './blobs.ts';
import { algorithmOf, type Digest, hexOf } from './digest.ts';
import { holdsImage } from './layout-content.ts';
import { fullName, isAttachment, refName } from './layout-index.ts';
import { type Descriptor, maxManifestBytes, parseIndex } from './manifest.ts';

export interface LayoutStore extends ManifestStore {
  readonly blobs: Blobs;
  /** What index.json lists. */
  readonly listed: readonly Descriptor[];
  /** Digests of the indexes that list a manifest or index; empty for what only index.json lists. */
  parents(digest: string): readonly Digest[];
  /** What an index lists; undefined for what is no index, or could not be read. */
  children(digest: string): readonly Descriptor[] | undefined;
  /** What index.json lists and is no image, but there because of one; 'artifact' for what may stand alone as well. */
  paperKind(descriptor: Descriptor): 'paper' | 'artifact' | undefined;
  readonly gaps: readonly AttachedGap[];
}

/** Throws OperationalError when index.json cannot be read; the rest becomes gaps. */
export async function layoutStore(blobs: Blobs): Promise<LayoutStore> {
  if ((await blobs.size('index.json')) === undefined) {
    throw new OperationalError('not-found', 'this is not an OCI image layout: it has no index.json', {
      hints: ['copy the image again, or give the directory that holds oci-layout, index.json and blobs'],
    });
  }
  const { manifests: listed } = parseIndex(await readIndexJson(blobs), 'index.json');
  const survey = await surveyListed(blobs, listed, (each) => isAttachedByName(each) || savedKind(each) !== '');
  const byTag = groupByTag(listed);
  const saved = new Set(listed.filter((each) => savedImage.test(savedKind(each))).map(({ digest }) => digest));
  const companions = savedPapers(listed);
  const labelOf = (descriptor: Descriptor) => {
    const kind = savedKind(descriptor);
    const isToldPaper =
      kind === '' ? isAttachedByName(descriptor) || refers(survey, descriptor) : !savedImage.test(kind);
    return isToldPaper ? 'paper' : isAttachment(descriptor) ? 'artifact' : undefined;
  };
  const images = new Set<string>();
  for (const each of listed) {
    if (labelOf(each) !== undefined && (await holdsImage(blobs, each))) images.add(each.digest);
  }
  let unlisted: Promise<void> | undefined;
  return {
    blobs,
    listed,
    gaps: survey.gaps,
    read: (descriptor, max) => readExact(blobs, descriptor, max),
    tagged: async (digest) => [...taggedFor(byTag, digest), ...(saved.has(digest) ? companions : [])],
    referrers: async (digest) => {
      unlisted ??= surveyUnlisted(survey);
      await unlisted;
      const broken = survey.broken.filter(({ descriptor, mentions }) => {
        return mentions.has(digest) && !survey.contents.has(descriptor.digest);
      });
      return [...(survey.referrers.get(digest) ?? []), ...broken];
    },
    parents: (digest) => [...(survey.parents.get(digest) ?? [])],
    children: (digest) => survey.papers.get(digest)?.manifests,
    paperKind: (descriptor) => (images.has(descriptor.digest) ? undefined : labelOf(descriptor)),
  };
}

function refers(survey: Survey, { digest }: Descriptor): boolean {
  return survey.papers.get(digest)?.subject !== undefined;
}

async function readIndexJson(blobs: Blobs): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of blobs.stream('index.json')) {
    size += piece.length;
    if (size > maxManifestBytes) {
      throw new OperationalError('limit', `index.json has more than the ${maxManifestBytes} bytes allowed`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function namesOf({ annotations }: Descriptor): readonly string[] {
  return [annotations?.[refName], annotations?.[fullName]].filter((name) => name !== undefined);
}

function isAttachedByName(descriptor: Descriptor): boolean {
  return namesOf(descriptor).some((name) => attachmentTag.test(name));
}

/** Whatever stands before it: a registry with a repository, or a prefix of somebody's own. */
const attachmentTag = /(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{64}(?:[0-9a-f]{64})?)(?:\.(sig|att|sbom))?$/;

/** By the part of the tag that stands for the digest. */
function groupByTag(listed: readonly Descriptor[]): ReadonlyMap<string, readonly Tagged[]> {
  const found = new Map<string, Tagged[]>();
  for (const descriptor of listed) {
    for (const name of new Set(namesOf(descriptor))) {
      const [, base, suffix] = attachmentTag.exec(name) ?? [];
      if (base === undefined) continue;
      const role = (['sig', 'att', 'sbom'] as const).find((each) => each === suffix) ?? 'index';
      const others = found.get(base) ?? [];
      others.push({ via: `tag ${quoted(name)}`, descriptor, role });
      found.set(base, others);
    }
  }
  return found;
}

/** cosign, pkg/oci/remote: `sha256-HEX.sig`. Distribution specification, "Referrers Tag Schema": no more than 64 digits. */
function taggedFor(byTag: ReadonlyMap<string, readonly Tagged[]>, digest: Digest): readonly Tagged[] {
  const whole = `${algorithmOf(digest)}-${hexOf(digest)}`;
  const cut = `${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`;
  const found = byTag.get(whole) ?? [];
  return cut === whole ? found : [...found, ...(byTag.get(cut) ?? []).filter(({ role }) => role === 'index')];
}

/**
 * What `cosign save` wrote beside the image. Nothing in it says which image: with several in one index.json, a signature is
 * held against each, and what it signs says which one was meant.
 */
function savedPapers(listed: readonly Descriptor[]): readonly Tagged[] {
  return listed.flatMap((descriptor): Tagged[] => {
    const kind = savedKind(descriptor);
    const role = kind === `${cosign}sigs` ? 'sig' : kind === `${cosign}atts` ? 'att' : undefined;
    return role === undefined ? [] : [{ via: `saved by cosign as ${role}s`, descriptor, role }];
  });
}

const cosign = 'dev.cosignproject.cosign/';
const savedImage = /\/image(?:Index)?$/;

function savedKind({ annotations }: Descriptor): string {
  const kind = annotations?.['kind'] ?? '';
  return kind.startsWith(cosign) ? kind : '';
}
