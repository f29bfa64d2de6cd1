/**
 * Manifests of what is attached to images: OCI image manifests and indexes with a `subject` (image specification 1.1,
 * manifest.md), and the artifact manifests that came before them, with `blobs` in place of `layers`.
 *
 *   { "schemaVersion": 2, "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json", "subject": { "digest": … },
 *     "config": { "mediaType": "application/vnd.oci.empty.v1+json", … }, "layers": [ … ] }
 *
 * Refused: a document that is two of these at once, or another one than its descriptor promised.
 */
import { z } from 'zod';
import { OperationalError, quoted } from '../diag/index.ts';
import type { AttachmentKind } from './attached.ts';
import { check, type Descriptor, descriptor, maxDescriptors, parseJson, text, texts } from './manifest.ts';

export interface Paper {
  readonly artifactType: string;
  readonly subject?: Descriptor;
  readonly annotations: ReadonlyMap<string, string>;
  readonly config?: Descriptor;
  /** Layers, or blobs of an artifact manifest; none in an index. */
  readonly layers: readonly Descriptor[];
  /** In an index alone. */
  readonly manifests?: readonly Descriptor[];
}

/** How a manifest was found, as far as it says what is in it. */
export type Origin = 'sig' | 'att' | 'sbom' | 'buildkit' | 'referrer';

const many = z.array(descriptor).max(maxDescriptors).nullish();
const paper = z.object({
  schemaVersion: z.literal(2).optional(),
  mediaType: text.optional(),
  artifactType: text.optional(),
  config: descriptor.extend({ artifactType: text.optional() }).optional(),
  layers: many,
  blobs: many,
  manifests: many,
  subject: descriptor.nullish(),
  annotations: texts,
});

/** `mediaType` is what the descriptor promised, where there is one. Throws OperationalError. */
export function parsePaper(bytes: Buffer, what: string, mediaType: string | undefined): Paper {
  const parsed = check(paper, parseJson(bytes, what), what);
  const lists = [parsed.layers, parsed.blobs, parsed.manifests].filter((each) => each !== undefined && each !== null);
  const [list] = lists;
  if (list === undefined || lists.length > 1 || (list === parsed.manifests && parsed.config !== undefined)) {
    throw new OperationalError('malformed', `${what} is no manifest, or several at once`);
  }
  if (parsed.mediaType !== undefined && mediaType !== undefined && parsed.mediaType !== mediaType) {
    const message = `${what} says that it is ${quoted(parsed.mediaType)}, but is listed as ${quoted(mediaType)}`;
    throw new OperationalError('malformed', message);
  }
  const { artifactType, config, subject, manifests } = parsed;
  return {
    artifactType: artifactType ?? config?.artifactType ?? config?.mediaType ?? '',
    ...(subject === undefined || subject === null ? {} : { subject }),
    annotations: textMap(parsed.annotations),
    ...(config === undefined ? {} : { config }),
    layers: list === manifests ? [] : list,
    ...(list === manifests ? { manifests: list } : {}),
  };
}

export function textMap(record: Readonly<Record<string, string>> | null | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(record ?? {}));
}

const sbomType = /^(?:text\/spdx|application\/(?:spdx|vnd\.cyclonedx|vnd\.syft))(?:\+[a-z]+)?$/;
const bundlePrefix = 'application/vnd.dev.sigstore.bundle';

/** What a layer is, by its media type first: how it was found is a weaker word. */
export function kindOf(layer: Descriptor | undefined, found: Paper | undefined, origin: Origin): AttachmentKind {
  const mediaType = layer?.mediaType ?? '';
  const artifactType = found?.artifactType ?? '';
  if (mediaType.startsWith(bundlePrefix)) return 'bundle';
  if (mediaType === 'application/vnd.dev.cosign.simplesigning.v1+json') return 'cosign-signature';
  if (mediaType === 'application/vnd.dsse.envelope.v1+json') {
    return origin === 'att' || origin === 'sig' ? 'cosign-attestation' : 'dsse';
  }
  if (artifactType === 'application/vnd.cncf.notary.signature') return 'notation';
  if (origin === 'buildkit' || artifactType === 'application/vnd.docker.attestation.manifest.v1+json')
    return 'buildkit';
  if (origin === 'sbom' || sbomType.test(mediaType)) return 'sbom';
  if (artifactType.startsWith(bundlePrefix)) return 'bundle';
  if (sbomType.test(artifactType)) return 'sbom';
  if (layer === undefined && origin === 'sig') return 'cosign-signature';
  if (layer === undefined && origin === 'att') return 'cosign-attestation';
  return 'unknown';
}

/** The type of statement inside, as cosign, bundles and BuildKit write it beside them. */
export function statedPredicate(layer: ReadonlyMap<string, string>, found: Paper | undefined): string | undefined {
  return (
    layer.get('in-toto.io/predicate-type') ??
    layer.get('predicateType') ??
    found?.annotations.get('dev.sigstore.bundle.predicateType')
  );
}
