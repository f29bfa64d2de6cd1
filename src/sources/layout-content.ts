/**
 * Whether an entry of `index.json` is an image that somebody could run, by what it holds and not by what is said of it. Nobody
 * signs `index.json`: a tag like `sha256-HEX.sig`, an artifact type, an annotation or a `subject` costs an attacker nothing,
 * and an image that passes for a paper is an image that nobody looks at.
 *
 * An image is what has file systems for layers, and a config:
 *
 *     {"config": {"digest": …}, "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", …}]}
 *
 * Signatures, attestations and SBOMs have layers of other types. Some tools attach plain files under the type of file systems;
 * their config is the empty object, and no runtime runs that. What we cannot read is taken for an image unless there is nothing
 * in it that could be one: runtimes read more leniently.
 */
import { OperationalError } from '../diag/index.ts';
import { type Paper, parsePaper } from './attached-manifest.ts';
import { type Blobs, readBlob } from './blobs.ts';
import { algorithmOf, blobName, digestOf, parseDigest } from './digest.ts';
import { type Descriptor, maxManifestBytes } from './manifest.ts';

export async function holdsImage(blobs: Blobs, entry: Descriptor): Promise<boolean> {
  const seen = new Set<string>();
  const pending = [entry];
  let bytes = 0;
  for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
    if (seen.has(each.digest)) continue;
    seen.add(each.digest);
    const name = blobName(parseDigest(each.digest));
    const size = await blobs.size(name);
    if (size === undefined) continue;
    bytes += size;
    if (size > maxManifestBytes || bytes > maxBytes || seen.size > maxDocuments) return true;
    const found = read(await readBlob(blobs, name, maxManifestBytes), each);
    if (found === undefined) continue;
    if (found === 'unclear' || isImage(found)) return true;
    pending.push(...(found.manifests ?? []));
  }
  return false;
}

const maxDocuments = 20_000;
const maxBytes = 256 * 1024 * 1024;

/** Undefined for what is nothing that could be run. */
function read(bytes: Buffer, { digest, mediaType }: Descriptor): Paper | 'unclear' | undefined {
  const expected = parseDigest(digest);
  try {
    if (digestOf(bytes, algorithmOf(expected)) === expected) return parsePaper(bytes, digest, mediaType);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
  }
  return namesFileSystem(bytes) ? 'unclear' : undefined;
}

function isImage({ config, layers }: Paper): boolean {
  if (config === undefined || emptyConfigs.includes(config.digest)) return false;
  return layers.some(({ mediaType }) => fileSystem.test(mediaType ?? ''));
}

const emptyConfigs: readonly string[] = [digestOf(Buffer.from('{}')), digestOf(Buffer.from('{}'), 'sha512')];
const fileSystem = /image\.(?:layer|rootfs)/i;

/** Whether some reader could find layers or manifests in it, whatever we make of it: JSON lets every letter be escaped. */
function namesFileSystem(bytes: Buffer): boolean {
  const text = bytes
    .toString('latin1')
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\u017f|\u00c5\u00bf/g, 's');
  return fileSystem.test(text) || /"manifests"\s*:\s*\[\s*[^\s\]]/i.test(text);
}
