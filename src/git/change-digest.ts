/**
 * The change digest (docs/formats/change-digest.md): one SHA-256 for what changed between two trees, independent of git's
 * settings and of the object format. Records sorted by the bytes of the path, behind a line that names the version:
 *
 *     tidewaiter.change-digest/v1\n
 *     100644 <sha256 of the old content> 100755 <sha256 of the new content> src/main.ts\0
 *     000000 - 100644 <sha256> src/new.ts\0
 *
 * A record cannot be read in two ways: what stands before the path holds exactly four spaces, and no path holds a NUL. The
 * content of a submodule is the id of its commit, as text.
 */
import { createHash } from 'node:crypto';
import { OperationalError, quoted } from '../diag/index.ts';
import { bytesText } from './path-text.ts';
import type { FileVersion, ObjectStore, PathChange } from './types.ts';

/**
 * 64 hex digits. Any order of changes gives the same; a path that stands twice is refused. Throws OperationalError
 * `malformed`, and GitRefusal as the store does: `object-too-large` beyond `maxBytes` for one file.
 */
export async function changeDigest(
  store: ObjectStore,
  changes: readonly PathChange[],
  maxBytes?: number,
): Promise<string> {
  const sorted = changes.toSorted((one, other) => Buffer.compare(one.path, other.path));
  const digests = contentDigests(store, maxBytes);
  const hash = createHash('sha256').update('tidewaiter.change-digest/v1\n', 'latin1');
  let last: Buffer | undefined;
  for (let start = 0; start < sorted.length; start += width) {
    const batch = sorted.slice(start, start + width);
    const sides = await Promise.all(batch.flatMap((change) => [digests(change.old), digests(change.new)] as const));
    for (const [index, { path }] of batch.entries()) {
      checkPath(path, last);
      hash
        .update(`${sides[2 * index]} ${sides[2 * index + 1]} `, 'latin1')
        .update(path)
        .update('\0', 'latin1');
      last = path;
    }
  }
  return hash.digest('hex');
}

/** Files that are asked for at once; each is hashed and let go as it comes. */
const width = 64;

type Digests = (version: FileVersion | undefined) => Promise<string>;

/** `100644 <sha256>`, or `000000 -` where there is no file. The same content is read once. */
function contentDigests(store: ObjectStore, maxBytes: number | undefined): Digests {
  const known = new Map<string, Promise<string>>();
  const read = async (id: string): Promise<string> => sha256((await store.read(id, 'blob', maxBytes)).bytes);
  return async (version) => {
    if (version === undefined) return '000000 -';
    const { mode, id } = version;
    if (mode === '160000') return `${mode} ${sha256(Buffer.from(id, 'latin1'))}`;
    const digest = known.get(id) ?? read(id);
    known.set(id, digest);
    return `${mode} ${await digest}`;
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function checkPath(path: Buffer, last: Buffer | undefined): void {
  const why = path.includes(0) ? 'holds a NUL byte' : last?.equals(path) === true ? 'stands twice' : undefined;
  if (why === undefined) return;
  throw new OperationalError('malformed', `the change has no digest: the path ${quoted(bytesText(path))} ${why}`);
}
