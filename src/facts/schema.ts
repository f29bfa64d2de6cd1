/** The shape of a facts document, for reading one back. Loaded only then: zod takes longer to load than a small scan. */
import { z } from 'zod';
import { type Facts, factsSchema } from './types.ts';

const text = z.string().refine((value) => value.isWellFormed(), 'must not hold a lone surrogate');
const filled = text.min(1);
const count = z.int().nonnegative();
const digest = z
  .string()
  .regex(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, 'must be sha256: or sha512: and lower-case hex');
const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and lower-case hex');
const time = z.string().refine(isTime, 'must be like 2026-01-02T03:04:05Z');
const nameValues = z.array(z.strictObject({ name: text, value: text }));
const technique = z.enum(['manifest-analysis', 'binary-analysis', 'filename']);

const layer = z.strictObject({
  index: count,
  digest: digest.exactOptional(),
  diffId: digest,
  size: count,
  plainSize: count,
  createdBy: text.exactOptional(),
});

const platform = z.strictObject({
  os: text,
  architecture: text,
  variant: text.exactOptional(),
  osVersion: text.exactOptional(),
});

const subject = z.strictObject({
  requested: text,
  kind: z.enum(['image', 'rootfs', 'source', 'file']),
  name: text,
  version: filled.exactOptional(),
  index: digest.exactOptional(),
  manifest: digest.exactOptional(),
  config: digest.exactOptional(),
  digest: digest.exactOptional(),
  platform: platform.exactOptional(),
  layers: z.array(layer),
});

const distro = z.strictObject({
  id: filled,
  idLike: z.array(text),
  versionId: text.exactOptional(),
  name: text.exactOptional(),
  prettyName: text.exactOptional(),
  version: text.exactOptional(),
  codename: text.exactOptional(),
  variantId: text.exactOptional(),
  buildId: text.exactOptional(),
  imageId: text.exactOptional(),
  imageVersion: text.exactOptional(),
  cpe: text.exactOptional(),
  homeUrl: text.exactOptional(),
  supportEnd: text.exactOptional(),
  path: text,
  layer: count,
});

const party = z.strictObject({ name: text, email: text.exactOptional(), url: text.exactOptional() });

const hash = z.strictObject({
  alg: z.enum(['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']),
  content: z.string().regex(/^[0-9a-f]+$/, 'must be lower-case hex'),
});

const sighting = z.strictObject({
  cataloger: filled,
  technique,
  confidence: z.number().min(0).max(1),
  places: z.array(z.strictObject({ path: text, layer: count })),
});

const component = z.strictObject({
  ref: filled,
  purl: filled,
  ecosystem: filled,
  group: text.exactOptional(),
  name: filled,
  version: filled.exactOptional(),
  kind: z.enum(['library', 'application', 'framework', 'operating-system']),
  scope: z.enum(['required', 'optional', 'excluded']),
  licenses: z.array(text),
  hashes: z.array(hash),
  supplier: party.exactOptional(),
  authors: z.array(party),
  description: text.exactOptional(),
  homepage: text.exactOptional(),
  vcs: text.exactOptional(),
  distribution: text.exactOptional(),
  cpes: z.array(text),
  sightings: z.array(sighting),
  ownedBy: filled.exactOptional(),
  requires: z.array(filled),
  requiresKnown: z.enum(['complete', 'incomplete', 'unknown']),
  properties: nameValues,
});

const verified = z.strictObject({
  predicateType: filled,
  statement: sha256,
  evidence: sha256,
  identity: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('certificate'), issuer: filled, subject: filled }),
    z.strictObject({ kind: z.literal('key'), fingerprint: filled }),
  ]),
});

const coverage = z.strictObject({
  files: count,
  excluded: count,
  catalogers: z.array(z.strictObject({ cataloger: filled, files: count, packages: count, gaps: count })),
  gaps: z.array(
    z.strictObject({
      rule: filled,
      path: text,
      layer: count.exactOptional(),
      cataloger: filled.exactOptional(),
      reason: text,
    }),
  ),
});

export const facts: z.ZodType<Facts> = z.strictObject({
  schema: z.literal(factsSchema),
  tool: z.strictObject({ name: filled, version: filled }),
  time,
  replayed: z.boolean(),
  subject,
  observed: z.strictObject({
    distro: distro.exactOptional(),
    roots: z.array(filled),
    components: z.array(component),
  }),
  verified: z.array(verified),
  claims: z.strictObject({
    created: text.exactOptional(),
    author: text.exactOptional(),
    annotations: nameValues,
    labels: nameValues,
  }),
  coverage,
});

function isTime(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return false;
  const date = new Date(value);
  // 30 February parses, as 2 March.
  return !Number.isNaN(date.getTime()) && date.toISOString() === value.replace('Z', '.000Z');
}
