/**
 * Image indexes, manifests and configs: OCI image specification 1.1 (image-index.md, manifest.md, config.md) and Docker's
 * image manifest version 2 schema 2. They come from whoever made the image: sizes and shapes are checked here, digests
 * where the bytes are read. Fields that we do not use are let through.
 */
import { z } from 'zod';
import { OperationalError, quoted } from '../diag/index.ts';
import { isDigest } from './digest.ts';

/** The image specification's own ceiling for manifests. */
export const maxManifestBytes = 4 * 1024 * 1024;
export const maxDescriptors = 10_000;

const digest = z.string().refine(isDigest, 'is not a sha256 or sha512 digest');
export const text = z.string().max(64 * 1024);
/** Names to texts. zod's own records leave out the name `__proto__`: nothing that an image says may hide by its name. */
export const texts = z.custom<Record<string, string> | null>(isTexts, 'is not a map of texts').optional();

const platform = z.object({
  architecture: text,
  os: text,
  variant: text.optional(),
  'os.version': text.optional(),
});

export const descriptor = z.object({
  mediaType: text.optional(),
  digest,
  size: z.number().int().nonnegative(),
  annotations: texts,
  artifactType: text.optional(),
  platform: platform.nullish(),
});

const index = z.object({
  schemaVersion: z.literal(2),
  mediaType: text.optional(),
  // `umoci init` writes null for an empty list.
  manifests: z
    .array(descriptor)
    .max(maxDescriptors)
    .nullable()
    .transform((list) => list ?? []),
  annotations: texts,
});

const manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: text.optional(),
  artifactType: text.optional(),
  config: descriptor,
  layers: z.array(descriptor).max(maxDescriptors),
  annotations: texts,
});

const config = z.object({
  architecture: text.optional(),
  os: text.optional(),
  variant: text.optional(),
  'os.version': text.optional(),
  created: text.nullish(),
  author: text.nullish(),
  config: z.object({ Labels: texts }).nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest).max(maxDescriptors).nullable() }),
  history: z.array(z.object({ created_by: text.optional(), empty_layer: z.boolean().optional() })).nullish(),
});

const dockerArchive = z
  .array(
    z.object({
      Config: text,
      RepoTags: z.array(text).nullish(),
      Layers: z.array(text).max(maxDescriptors),
    }),
  )
  .max(maxDescriptors);

export type Descriptor = z.infer<typeof descriptor>;
export type ImageIndex = z.infer<typeof index>;
export type ImageManifest = z.infer<typeof manifest>;
export type ImageConfig = z.infer<typeof config>;
export type DockerArchiveManifest = z.infer<typeof dockerArchive>;

export type IndexOrManifest = { index: ImageIndex } | { manifest: ImageManifest };

/** `mediaType` is what the descriptor promised; a document that says otherwise is refused (CVE-2021-41190). */
export function parseIndexOrManifest(bytes: Buffer, what: string, mediaType: string | undefined): IndexOrManifest {
  const value = parseJson(bytes, what);
  const has = (key: string) => typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  if (has('manifests') && (has('layers') || has('config'))) {
    throw new OperationalError('malformed', `${what} claims to be an index and an image at once`);
  }
  if (has('fsLayers') || (has('schemaVersion') && (value as { schemaVersion: unknown }).schemaVersion === 1)) {
    throw new OperationalError('unsupported', `${what} is a Docker schema 1 manifest, which is not read`, {
      hints: ['copy the image with a current tool, which converts it to an OCI image'],
    });
  }
  const parsed = has('manifests') ? { index: check(index, value, what) } : { manifest: check(manifest, value, what) };
  const stated = 'index' in parsed ? parsed.index.mediaType : parsed.manifest.mediaType;
  if (stated !== undefined && mediaType !== undefined && stated !== mediaType) {
    const message = `${what} says that it is ${quoted(stated)}, but is listed as ${quoted(mediaType)}`;
    throw new OperationalError('malformed', message);
  }
  return parsed;
}

export function parseIndex(bytes: Buffer, what: string): ImageIndex {
  const parsed = parseIndexOrManifest(bytes, what, undefined);
  if ('index' in parsed) return parsed.index;
  throw new OperationalError('malformed', `${what} is an image manifest where an index belongs`);
}

export function parseConfig(bytes: Buffer, what: string): ImageConfig {
  return check(config, parseJson(bytes, what), what);
}

export function parseDockerArchiveManifest(bytes: Buffer): DockerArchiveManifest {
  return check(dockerArchive, parseJson(bytes, 'manifest.json'), 'manifest.json');
}

/** `created_by` of each layer, in order; history entries without a layer are passed over. */
export function layerHistory(image: ImageConfig): readonly (string | undefined)[] {
  return (image.history ?? []).filter((each) => each.empty_layer !== true).map((each) => each.created_by);
}

function isTexts(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  return Object.values(value).every((each) => text.safeParse(each).success);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseJson(bytes: Buffer, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const reason = error instanceof RangeError ? 'it is nested too deeply' : 'it is not JSON in UTF-8';
    throw new OperationalError('malformed', `${what} is malformed: ${reason}`, { cause: error, hints: [copyAgain] });
  }
  const twin = twinKey(value);
  if (twin === undefined) return value;
  throw new OperationalError('malformed', `${what} is malformed: it has ${quoted(twin)} twice, in other letters`);
}

const copyAgain = 'copy the image again, for example with skopeo copy: what cannot be read cannot be judged';

/** The library's words for a wrong type, in ours. */
function plainly(message: string): string {
  const [, wanted, got] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (wanted === undefined || got === undefined) return message;
  return got === 'undefined' ? 'it is missing' : `it is ${got} where a value of the type ${wanted} belongs`;
}

/** Names that mean something in these documents, folded. */
const meaningful = new Set([
  ...['schemaversion', 'mediatype', 'artifacttype', 'manifests', 'config', 'layers', 'digest', 'size', 'platform'],
  ...[
    'architecture',
    'os',
    'variant',
    'os.version',
    'rootfs',
    'type',
    'diff_ids',
    'history',
    'created_by',
    'empty_layer',
  ],
  ...['repotags', 'annotations', 'labels'],
]);
/** Objects whose keys are anybody's choice. */
const free = new Set(['annotations', 'Labels']);

/**
 * Container runtimes read JSON without regard to case, the last key wins: of `"layers"` and `"Layers"` in one manifest we
 * would look at the first and they would run the second.
 */
function twinKey(document: unknown): string | undefined {
  const pending = [document];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const seen = new Set<string>();
    for (const [key, below] of Object.entries(value)) {
      const folded = key.toLowerCase().replaceAll('\u017f', 's');
      if (meaningful.has(folded) && seen.has(folded)) return folded;
      seen.add(folded);
      if (typeof below === 'object' && !free.has(key)) pending.push(below);
    }
  }
  return undefined;
}

export function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${quoted(issue.path.join('.'))}`;
  const message = `${what} is malformed${where}: ${plainly(issue?.message ?? 'unknown reason')}`;
  throw new OperationalError('malformed', message, { hints: [copyAgain] });
}
