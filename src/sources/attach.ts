/**
 * Attaches a Sigstore bundle to an image in an OCI layout on disk, as a referrer (image specification 1.1, "Guidelines for
 * Artifact Usage"; the annotations are those of cosign's bundle specification):
 *
 *     {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
 *      "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
 *      "config": {"mediaType": "application/vnd.oci.empty.v1+json", …},
 *      "layers": [{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", …}],
 *      "subject": {…}, "annotations": {"dev.sigstore.bundle.content": "dsse-envelope", …}}
 *
 * `index.json` lists it, and so does the referrers tag `sha256-HEX`, an index for readers that know no `subject`.
 *
 * Blobs come first and index.json last, each whole or not at all: whatever fails in between, a full disk or a kill, leaves
 * blobs that nobody refers to, and the layout as it was. Nothing is written through a link: a layout that somebody else made
 * could lead every write to any file of ours.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { directoryBlobs, readBlob } from './blobs.ts';
import { algorithmOf, blobName, type Digest, digestOf, hexOf, parseDigest } from './digest.ts';
import { type Descriptor, maxManifestBytes, parseIndex } from './manifest.ts';

/** What a bundle can be attached to. */
export interface AttachTarget {
  /** The OCI layout. */
  readonly directory: string;
  /** Manifest or index, as the layout lists it. */
  readonly subject: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
}

export interface Attachment {
  readonly mediaType: string;
  readonly content: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The digest of the new manifest. Throws OperationalError; then the layout is as good as before. */
export async function attach(disk: Disk, target: AttachTarget, attachment: Attachment): Promise<Digest> {
  const { directory, subject } = target;
  refuseLinks(disk, directory);
  const write = (content: string, mediaType: string) => writeBlob(disk, directory, content, mediaType);
  // Read before anything is written: an index that cannot be extended is found out in time.
  const before = await readIndex(disk, directory);
  const config = await write('{}', emptyType);
  const layer = await write(attachment.content, attachment.mediaType);
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: attachment.mediaType,
    config,
    layers: [layer],
    subject,
    annotations: attachment.annotations,
  };
  const written = await write(JSON.stringify(manifest), manifestType);
  const referrer = { ...written, artifactType: attachment.mediaType, annotations: attachment.annotations };
  // Distribution specification, "Referrers Tag Schema": no more than 64 digits.
  const tag = `${algorithmOf(subject.digest)}-${hexOf(subject.digest).slice(0, 64)}`;
  const tagged = await extendReferrers(disk, directory, before, tag, referrer);
  const after = withEntries(before, tag, referrer, tagged);
  await replaceIndex(disk, directory, before, after);
  return written.digest;
}

interface Entry extends Record<string, unknown> {
  readonly digest: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A document that we extend: what it holds beyond that is kept as it is. */
interface RawIndex extends Record<string, unknown> {
  readonly manifests: readonly Entry[];
}

interface ReadIndex {
  readonly text: string;
  readonly document: RawIndex;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const emptyType = 'application/vnd.oci.empty.v1+json';
const refName = 'org.opencontainers.image.ref.name';

function refuseLinks(disk: Disk, directory: string): void {
  const wanted = new Map<string, 'file' | 'directory'>([
    ['index.json', 'file'],
    ['blobs', 'directory'],
    ['blobs/sha256', 'directory'],
  ]);
  for (const [name, kind] of wanted) {
    const found = disk.kindOf(Buffer.from(path.join(directory, name)));
    if (found === kind) continue;
    const what = found === undefined ? 'is not there' : found === 'symlink' ? 'is a link' : `is no ${kind}`;
    throw new OperationalError('unsupported', `nothing can be attached in ${quoted(directory)}: its ${name} ${what}`, {
      hints: ['copy the layout with plain files, for example with skopeo copy oci:FROM:TAG oci:TO:TAG'],
    });
  }
}

async function readIndex(disk: Disk, directory: string): Promise<ReadIndex> {
  const bytes = await readBlob(directoryBlobs(disk, directory), 'index.json', maxManifestBytes);
  parseIndex(bytes, 'index.json');
  const text = bytes.toString('utf8');
  return { text, document: JSON.parse(text) as RawIndex };
}

async function writeBlob(
  disk: Disk,
  directory: string,
  content: string,
  mediaType: string,
): Promise<{ mediaType: string; digest: Digest; size: number }> {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  const place = path.join(directory, blobName(digest));
  const there = disk.kindOf(Buffer.from(place));
  if (there !== undefined && there !== 'file') {
    throw new OperationalError('unsupported', `nothing can be attached: ${quoted(place)} is no plain file`);
  }
  const same = there === 'file' && (disk.readStart(Buffer.from(place), bytes.length + 1)?.equals(bytes) ?? false);
  if (!same) await disk.write(place, content);
  return { mediaType, digest, size: bytes.length };
}

/** The index behind the referrers tag, with one more referrer. */
async function extendReferrers(disk: Disk, directory: string, { document }: ReadIndex, tag: string, referrer: Entry) {
  const listed = document.manifests.find((each) => each.annotations?.[refName] === tag);
  const known = listed === undefined ? [] : await readReferrers(disk, directory, listed);
  const manifests = known.some(({ digest }) => digest === referrer.digest) ? known : [...known, referrer];
  const content = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  if (Buffer.byteLength(content) > maxManifestBytes) {
    throw new OperationalError(
      'limit',
      `the image has too many referrers: their list would be larger than ${maxManifestBytes} bytes`,
    );
  }
  return writeBlob(disk, directory, content, indexType);
}

async function readReferrers(disk: Disk, directory: string, listed: Entry): Promise<readonly Entry[]> {
  const digest = parseDigest(listed.digest);
  const bytes = await readBlob(directoryBlobs(disk, directory), blobName(digest), maxManifestBytes);
  // Taken over into a document of ours, it would look right from then on.
  const found = digestOf(bytes, algorithmOf(digest));
  if (found !== digest) {
    throw new OperationalError(
      'digest-mismatch',
      `the list of referrers is not what it claims to be: stated ${digest}, found ${found}`,
    );
  }
  parseIndex(bytes, `index ${digest}`);
  return (JSON.parse(bytes.toString('utf8')) as RawIndex).manifests;
}

function withEntries({ document }: ReadIndex, tag: string, referrer: Entry, tagged: Descriptor): RawIndex {
  const others = document.manifests.filter(
    (each) => each.annotations?.[refName] !== tag && each.digest !== referrer.digest,
  );
  const fallback = { ...tagged, digest: parseDigest(tagged.digest), annotations: { [refName]: tag } };
  return { ...document, manifests: [...others, referrer, fallback] };
}

async function replaceIndex(disk: Disk, directory: string, before: ReadIndex, after: RawIndex): Promise<void> {
  const content = JSON.stringify(after);
  if (Buffer.byteLength(content) > maxManifestBytes) {
    throw new OperationalError('limit', `index.json would be larger than ${maxManifestBytes} bytes`);
  }
  const now = await readIndex(disk, directory);
  if (now.text !== before.text) {
    throw new OperationalError('io', 'index.json was changed by someone else meanwhile, so nothing was attached', {
      hints: ['run the command again'],
    });
  }
  await disk.write(path.join(directory, 'index.json'), content);
}
