/**
 * What is attached to one digest, wherever manifests come from. An image does not know what is attached to it: attachments
 * are found under tags made of its digest, as children of an index, or as manifests whose `subject` it is.
 *
 * Whoever can write beside the image can attach anything. So nothing found here is believed, nothing that is found is left
 * out, and what cannot be read is an attachment with a problem: an unreadable signature is not the same as none.
 */
import { OperationalError, printable, quoted } from '../diag/index.ts';
import type { AttachedGap, Attachment, AttachmentKind, AttachmentProblem } from './attached.ts';
import { kindOf, type Origin, type Paper, parsePaper, statedPredicate, textMap } from './attached-manifest.ts';
import type { Digest } from './digest.ts';
import { type Descriptor, maxManifestBytes } from './manifest.ts';

/** Where manifests and blobs come from: a layout, and whatever else can answer this. */
export interface ManifestStore {
  /** The bytes that a descriptor names, digest and size compared. Throws OperationalError. */
  read(descriptor: Descriptor, max: number): Promise<Buffer>;
  /** What is tagged as attached to the digest. */
  tagged(digest: Digest): Promise<readonly Tagged[]>;
  /** Manifests that may name the digest as their subject: each is looked at again. */
  referrers(digest: Digest): Promise<readonly Found[]>;
}

export interface Found {
  /** How it was found, for people; untrusted text in it is quoted. */
  readonly via: string;
  readonly descriptor: Descriptor;
}

export interface Tagged extends Found {
  /** `index`: the fallback tag of the distribution specification, an index of referrers. */
  readonly role: 'sig' | 'att' | 'sbom' | 'index';
}

/** A child of an index that says which of its siblings it is about. */
export interface IndexPaper extends Found {
  readonly attachedTo: string;
}

export interface Collector {
  readonly attachments: Attachment[];
  readonly gaps: AttachedGap[];
  /** What has been read, by manifest and by what it is attached to: it may be found in several ways. */
  readonly seen: Set<string>;
  /** Shared by all collectors of one image. */
  readonly room: { attachments: number; bytes: number };
}

const maxAttachments = 1000;
const maxAttachmentBytes = 16 * 1024 * 1024;
const maxTotalBytes = 256 * 1024 * 1024;

export function collector(other?: Collector): Collector {
  const room = other?.room ?? { attachments: maxAttachments, bytes: maxTotalBytes };
  return { attachments: [], gaps: [], seen: new Set(), room };
}

/** Never throws OperationalError for what is attached: see `problem` and the collector's gaps. */
export async function findAttached(
  store: ManifestStore,
  digest: Digest,
  papers: readonly IndexPaper[],
  into: Collector,
): Promise<void> {
  const search: Search = { store, digest, into };
  for (const tagged of await store.tagged(digest)) {
    if (tagged.role === 'index') await readFallback(search, tagged);
    else await readManifest(search, tagged, tagged.role);
  }
  for (const found of papers) if (found.attachedTo === digest) await readManifest(search, found, 'buildkit');
  for (const found of await store.referrers(digest)) await readManifest(search, found, 'referrer');
}

interface Search {
  readonly store: ManifestStore;
  readonly digest: Digest;
  readonly into: Collector;
}

/** Distribution specification, "Referrers Tag Schema". */
async function readFallback(search: Search, found: Tagged): Promise<void> {
  const { digest, into } = search;
  if (found.descriptor.digest === digest) return;
  let index: Paper;
  try {
    index = await readPaper(search, found.descriptor);
  } catch (error) {
    addProblem(search, found, 'referrer', problemOf(error));
    return;
  }
  if (index.manifests === undefined) {
    into.gaps.push({ place: found.via, reason: 'is the tag of an index of referrers, and names no index' });
    return;
  }
  for (const descriptor of index.manifests) await readManifest(search, { via: found.via, descriptor }, 'referrer');
}

async function readPaper({ store, into }: Search, descriptor: Descriptor): Promise<Paper> {
  const bytes = await store.read(descriptor, Math.min(maxManifestBytes, into.room.bytes));
  into.room.bytes -= bytes.length;
  return parsePaper(bytes, 'its manifest', descriptor.mediaType);
}

async function readManifest(search: Search, found: Found, origin: Origin): Promise<void> {
  const { digest, into } = search;
  const key = `${digest} ${found.descriptor.digest}`;
  if (into.seen.has(key)) return;
  let paper: Paper;
  try {
    paper = await readPaper(search, found.descriptor);
  } catch (error) {
    addProblem(search, found, origin, problemOf(error));
    return;
  }
  // Only the right bytes count as seen: a wrong size in one list must not hide what another list has right.
  into.seen.add(key);
  if (origin === 'referrer' && paper.subject?.digest !== digest) {
    if (!takeRoom(search)) return;
    const other = paper.subject === undefined ? 'nothing' : paper.subject.digest;
    const reason = `lists ${found.descriptor.digest} as attached to ${digest}, and that is attached to ${other}`;
    into.gaps.push({ place: found.via, reason });
    return;
  }
  if (paper.layers.length === 0) {
    const empty = paper.manifests === undefined ? 'has nothing in it' : 'is an index where a manifest belongs';
    addProblem(search, found, origin, { code: 'malformed', message: `its manifest ${empty}` }, paper);
  }
  for (const at of paper.layers.keys()) {
    if (!(await readLayer(search, found, origin, paper, at))) return;
  }
}

/** False when there is no room for more. */
async function readLayer(search: Search, found: Found, origin: Origin, paper: Paper, at: number): Promise<boolean> {
  const layer = paper.layers[at]!;
  if (!takeRoom(search)) return false;
  const annotations = textMap(layer.annotations);
  const predicateType = statedPredicate(annotations, paper);
  const stated = kindOf(layer, paper, origin);
  const { kind, ...content } = await readContent(search, layer, stated);
  search.into.attachments.push({
    place: placeOf(found, paper.layers.length > 1 ? at : undefined),
    manifest: found.descriptor.digest,
    layer: layer.digest,
    attachedTo: search.digest,
    kind,
    mediaType: layer.mediaType ?? '',
    annotations,
    ...(predicateType === undefined ? {} : { predicateType }),
    ...content,
  });
  return true;
}

type Content = Pick<Attachment, 'kind' | 'bytes' | 'problem'>;

async function readContent({ store, into }: Search, layer: Descriptor, kind: AttachmentKind): Promise<Content> {
  const type = quoted(layer.mediaType ?? '');
  const statement = kind === 'unknown' && layer.mediaType === 'application/vnd.in-toto+json';
  if (kind === 'notation')
    return { kind, ...without('unsupported', 'it is a Notation signature, which is not verified') };
  if (kind === 'unknown' && !statement)
    return { kind, ...without('unsupported', `${type} is no kind of evidence that is known`) };
  if (layer.size > maxAttachmentBytes || layer.size > into.room.bytes) {
    const most = Math.min(maxAttachmentBytes, into.room.bytes);
    return { kind, ...without('unsupported', `it has ${layer.size} bytes, more than the ${most} that are read`) };
  }
  try {
    into.room.bytes -= layer.size;
    const bytes = await store.read(layer, maxAttachmentBytes);
    if (!statement) return { kind, bytes };
    if (looksLikeEnvelope(bytes)) return { kind: 'dsse', bytes };
    return { kind, ...without('unsupported', 'it is an in-toto statement that nobody signed') };
  } catch (error) {
    return { kind, bytes: Buffer.alloc(0), problem: problemOf(error) };
  }
}

function without(code: AttachmentProblem['code'], message: string): Pick<Attachment, 'bytes' | 'problem'> {
  return { bytes: Buffer.alloc(0), problem: { code, message } };
}

/** Statements are attached under one media type, signed and bare. Whoever reads it as an envelope reads it strictly. */
function looksLikeEnvelope(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'payloadType');
  } catch {
    return false;
  }
}

function addProblem(search: Search, found: Found, origin: Origin, problem: AttachmentProblem, paper?: Paper): void {
  if (!takeRoom(search)) return;
  search.into.attachments.push({
    place: placeOf(found, undefined),
    manifest: found.descriptor.digest,
    attachedTo: search.digest,
    kind: kindOf(undefined, paper ?? claimed(found.descriptor), origin),
    mediaType: found.descriptor.mediaType ?? '',
    annotations: new Map(),
    bytes: Buffer.alloc(0),
    problem,
  });
}

/** What the list says of a manifest that could not be read. */
function claimed({ artifactType, annotations }: Descriptor): Paper {
  return { artifactType: artifactType ?? '', annotations: textMap(annotations), layers: [] };
}

function takeRoom({ into, digest }: Search): boolean {
  if (into.room.attachments > 0) {
    into.room.attachments -= 1;
    return true;
  }
  if (into.gaps.some(({ reason }) => reason === tooMany)) return false;
  into.gaps.push({ place: digest, reason: tooMany });
  return false;
}

const tooMany = `has more than ${maxAttachments} things attached to it, and the others are not read`;

function placeOf({ via, descriptor }: Found, layer: number | undefined): string {
  return `${via}, manifest ${descriptor.digest}${layer === undefined ? '' : `, layer ${layer + 1}`}`;
}

function problemOf(error: unknown): AttachmentProblem {
  if (!(error instanceof OperationalError)) throw error;
  const message = printable(error.message);
  switch (error.code) {
    case 'not-found':
    case 'io':
      return { code: 'unreachable', message };
    case 'limit':
    case 'unsupported':
      return { code: 'unsupported', message };
    default:
      return { code: 'malformed', message };
  }
}
