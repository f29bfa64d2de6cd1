/**
 * Every manifest of an OCI layout, read once to learn what it refers to and which indexes list it: a layout has no referrers
 * API. First what index.json lists, down through indexes; then, when it is asked for, the blobs that nothing lists.
 *
 * Whoever can write into the layout decides how much there is: documents, entries and bytes are counted, and what is left
 * unread is a gap.
 */
import { OperationalError } from '../diag/index.ts';
import type { AttachedGap } from './attached.ts';
import type { Found } from './attached-find.ts';
import { type Paper, parsePaper } from './attached-manifest.ts';
import type { Blobs } from './blobs.ts';
import { blobName, type Digest, isDigest, mismatch, parseDigest } from './digest.ts';
import { readVerified } from './layout-documents.ts';
import { maxIndexDepth } from './layout-index.ts';
import { type Descriptor, maxManifestBytes } from './manifest.ts';

export interface Survey {
  readonly blobs: Blobs;
  /** Manifests and indexes that were read, by digest. */
  readonly papers: Map<string, Paper>;
  /** Indexes that list a manifest or an index. */
  readonly parents: Map<string, Set<Digest>>;
  /** By subject. */
  readonly referrers: Map<string, Found[]>;
  /** Configs and layers of what was read. */
  readonly contents: Set<string>;
  /** Unlisted, and no manifests as they are, with the digests that they mention. */
  readonly broken: Broken[];
  readonly gaps: AttachedGap[];
  /** What may still be read: documents with what they list, and bytes. */
  left: { readonly entries: number; readonly bytes: number };
}

interface Broken extends Found {
  readonly mentions: ReadonlySet<string>;
}

const most = { entries: 200_000, bytes: 512 * 1024 * 1024 };
const maxBroken = 1000;
const maxMentions = 200;

/** `isTold`: an entry of index.json whose place already says what it is attached to; it is no gap when it is unreadable. */
export async function surveyListed(
  blobs: Blobs,
  listed: readonly Descriptor[],
  isTold: (descriptor: Descriptor) => boolean,
): Promise<Survey> {
  const survey: Survey = {
    blobs,
    papers: new Map(),
    parents: new Map(),
    referrers: new Map(),
    contents: new Set(),
    broken: [],
    gaps: [],
    left: most,
  };
  let level: Entry[] = listed.map((descriptor) => ({ descriptor }));
  for (let depth = 0; level.length > 0; depth++) {
    // Images are not looked for any deeper either.
    if (depth > maxIndexDepth + 1) {
      survey.gaps.push({ place: 'the layout', reason: 'has indexes that are nested too deeply to be looked through' });
      break;
    }
    const below: Entry[] = [];
    for (const entry of level) below.push(...(await surveyEntry(survey, entry, isTold)));
    level = below;
  }
  return survey;
}

interface Entry {
  readonly descriptor: Descriptor;
  /** Absent in index.json. */
  readonly parent?: Digest;
}

/** What the entry lists in turn. */
async function surveyEntry(
  survey: Survey,
  { descriptor, parent }: Entry,
  isTold: (descriptor: Descriptor) => boolean,
): Promise<Entry[]> {
  const digest = parseDigest(descriptor.digest);
  if (parent !== undefined) addParent(survey, digest, parent);
  if (survey.papers.has(digest) || !take(survey, 1, descriptor.size)) return [];
  const what = `manifest ${digest}`;
  try {
    const bytes = await readExact(survey.blobs, descriptor, maxManifestBytes);
    const paper = parsePaper(bytes, what, descriptor.mediaType);
    addPaper(survey, paper, { via: parent === undefined ? 'in index.json' : `in index ${parent}`, descriptor });
    survey.papers.set(digest, paper);
    const children = paper.manifests ?? [];
    return take(survey, children.length, 0) ? children.map((child) => ({ descriptor: child, parent: digest })) : [];
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    // Layouts often leave out the manifests of other platforms. What index.json itself lists may have been a referrer.
    const isGap = parent === undefined && !isTold(descriptor);
    if (isGap) survey.gaps.push({ place: what, reason: `${mayHide}: ${error.message}` });
    return [];
  }
}

const mayHide = 'cannot be read, and may be attached to the image';

/** Size first: what is stated is what may be spent on it. */
export async function readExact(blobs: Blobs, descriptor: Descriptor, max: number): Promise<Buffer> {
  const what = `blob ${descriptor.digest}`;
  const size = await blobs.size(blobName(parseDigest(descriptor.digest)));
  if (size !== undefined && size !== descriptor.size) {
    throw mismatch(`the size of ${what}`, `${descriptor.size} bytes`, `${size} bytes`);
  }
  return readVerified(blobs, descriptor, what, max);
}

/** False, and a gap, when too much has been read. */
function take(survey: Survey, entries: number, bytes: number): boolean {
  const left = { entries: survey.left.entries - entries, bytes: survey.left.bytes - bytes };
  if (left.entries >= 0 && left.bytes >= 0) {
    survey.left = left;
    return true;
  }
  if (!survey.gaps.includes(tooMuch)) survey.gaps.push(tooMuch);
  return false;
}

const tooMuch: AttachedGap = {
  place: 'the layout',
  reason: `has more than ${most.entries} manifests or ${most.bytes} bytes of them, and not all were looked through`,
};

function addParent(survey: Survey, digest: Digest, parent: Digest): void {
  const parents = survey.parents.get(digest) ?? new Set();
  survey.parents.set(digest, parents.add(parent));
}

function addPaper(survey: Survey, paper: Paper, found: Found): void {
  for (const { digest } of paper.layers) survey.contents.add(digest);
  if (paper.config !== undefined) survey.contents.add(paper.config.digest);
  if (paper.subject === undefined) return;
  const known = survey.referrers.get(paper.subject.digest);
  const referrer = { ...found, via: `referrer ${found.via}` };
  if (known === undefined) survey.referrers.set(paper.subject.digest, [referrer]);
  else known.push(referrer);
}

/** Blobs that nothing lists, and that could be manifests. */
export async function surveyUnlisted(survey: Survey): Promise<void> {
  for (const algorithm of ['sha256', 'sha512']) {
    for (const { name, size } of await survey.blobs.list(`blobs/${algorithm}`)) {
      const digest = `${algorithm}:${name}`;
      const isKnown = survey.papers.has(digest) || survey.contents.has(digest);
      if (!isDigest(digest) || isKnown || size > maxManifestBytes || size < 64) continue;
      if (!take(survey, 1, size)) return;
      await surveyBlob(survey, digest, `blobs/${algorithm}/${name}`);
    }
  }
}

/** A blob under a wrong digest stays what it claims to be: whoever reads it is told that its bytes are others. */
async function surveyBlob(survey: Survey, digest: Digest, name: string): Promise<void> {
  try {
    const bytes = await readJson(survey.blobs, name);
    if (bytes === undefined) return;
    const found: Found = { via: 'that nothing lists', descriptor: { digest, size: bytes.length } };
    const paper = tryPaper(bytes, name);
    if (paper !== undefined) addPaper(survey, paper, found);
    else if (survey.broken.length < maxBroken) {
      const mentions = mentionedIn(bytes);
      if (mentions.size > 0) survey.broken.push({ ...found, via: 'damaged referrer that nothing lists', mentions });
    }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    survey.gaps.push({ place: name, reason: `${mayHide}: ${error.message}` });
  }
}

function tryPaper(bytes: Buffer, what: string): Paper | undefined {
  try {
    return parsePaper(bytes, what, undefined);
  } catch (error) {
    if (error instanceof OperationalError) return undefined;
    throw error;
  }
}

/** A damaged manifest still names its subject by a digest with its algorithm; statements and most SBOMs do not. */
function mentionedIn(bytes: Buffer): ReadonlySet<string> {
  if (!['"layers"', '"blobs"', '"manifests"'].some((name) => bytes.includes(name))) return new Set();
  const found = bytes.toString('latin1').match(/"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})"/g) ?? [];
  return new Set(found.slice(0, maxMentions).map((each) => each.slice(1, -1)));
}

/** The bytes of what begins as a JSON object and speaks of a subject; undefined for anything else. */
async function readJson(blobs: Blobs, name: string): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  for await (const piece of blobs.stream(name)) {
    if (pieces.length === 0 && !/^\s*\{/.test(piece.toString('latin1', 0, 64))) return undefined;
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  return bytes.includes('"subject"') ? bytes : undefined;
}
