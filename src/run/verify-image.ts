/** An image on disk as a target: its digests, and everything attached to them as evidence. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { defaultLimits } from '../archive/limits.ts';
import type { World } from '../io/index.ts';
import { parseBundle } from '../sigstore/bundle.ts';
import { parseCosignLayer } from '../sigstore/cosign.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
import { matchSimpleSigning, simpleSigningSubject } from '../sigstore/simple-signing.ts';
import type { Artifact } from '../sigstore/types.ts';
import { outcomeOf } from '../sigstore/verify.ts';
import { type Attachment, openAttached } from '../sources/attached.ts';
import { formatPlatform, type PlatformChoice } from '../sources/platform.ts';
import { digestArtifact } from './verify-artifact.ts';
import type { Binding, Evidence, TargetArtifact } from './verify-check.ts';
import type { SubjectDigest } from './verify-decide.ts';

export interface ImageTarget {
  readonly name: string;
  readonly subjects: readonly SubjectDigest[];
  readonly artifacts: readonly TargetArtifact[];
  readonly evidence: readonly Evidence[];
  /** What may have hidden a signature. */
  readonly gaps: readonly string[];
}

/** Throws OperationalError when the image itself cannot be read. */
export async function readImageTarget(requested: string, world: World, platform: PlatformChoice): Promise<ImageTarget> {
  const image = await openAttached(requested, { disk: world.disk, limits: defaultLimits, platform });
  try {
    const subjects = image.digests.map(({ digest, role, platform: made, listedBy }): SubjectDigest => {
      return { digest, role, ...(made === undefined ? {} : { platform: formatPlatform(made) }), under: listedBy };
    });
    return {
      name: image.name,
      subjects,
      artifacts: subjects.map(({ digest }) => ({ digest, artifact: artifactOf(image.name, digest) })),
      evidence: [...image.attachments.map(evidenceOf), ...image.onPapers.map(paperEvidence)],
      gaps: image.gaps.map(({ place, reason }) => `${place} ${reason}`),
    };
  } finally {
    await image.close();
  }
}

function artifactOf(name: string, digest: string): Artifact {
  const colon = digest.indexOf(':');
  return digestArtifact(name, digest.slice(0, colon), digest.slice(colon + 1));
}

const formats: Readonly<Record<Attachment['kind'], string>> = {
  bundle: 'bundle',
  'cosign-signature': 'cosign signature',
  'cosign-attestation': 'cosign attestation',
  dsse: 'DSSE envelope',
  notation: 'Notation signature',
  buildkit: 'BuildKit attestation',
  sbom: 'SBOM',
  unknown: 'unknown',
};

function evidenceOf(attachment: Attachment): Evidence {
  const { place, attachedTo, kind, problem } = attachment;
  const about = { place, attachedTo, format: formats[kind] };
  if (kind === 'buildkit' || kind === 'sbom') {
    return { ...about, content: { kind: 'listed', verdict: 'unsigned', note: 'nobody signed it' } };
  }
  if (problem !== undefined) {
    return { ...about, content: { kind: 'failed', error: new VerifyError(problem.code, problem.message) } };
  }
  const outcome = outcomeOf(() => contentOf(attachment));
  if (!outcome.ok) return { ...about, content: { kind: 'failed', error: outcome.failure } };
  const format = outcome.value.kind === 'entity' ? outcome.value.entity.format : about.format;
  return { ...about, format, content: outcome.value };
}

/** Throws VerifyError. */
function contentOf({ kind, bytes, annotations, mediaType }: Attachment): Evidence['content'] {
  if (kind === 'bundle') {
    if (!isUtf8(bytes)) throw malformed('the bundle is not UTF-8');
    return { kind: 'entity', entity: parseBundle(bytes.toString('utf8')) };
  }
  const entity = parseCosignLayer({ bytes, annotations, mediaType });
  if (kind !== 'cosign-signature') return { kind: 'entity', entity };
  return { kind: 'entity', entity, binding: bindingOf(bytes) };
}

/** The signature is over the payload, and the payload names the image. */
function bindingOf(bytes: Buffer): Binding {
  const digests = new Map([['sha256', createHash('sha256').update(bytes).digest('hex')]]);
  return {
    payload: { name: 'the signed payload', digests, bytes },
    match: (digest) => {
      matchSimpleSigning(bytes, [digest]);
    },
    reference: () => simpleSigningSubject(bytes).reference,
  };
}

/** A signature on an SBOM or on BuildKit's provenance says nothing of the image that they hang on. */
function paperEvidence({ place, attachedTo, kind }: Attachment): Evidence {
  const note = 'it is about a document that is attached to the image, and not about the image';
  return { place, attachedTo, format: formats[kind], content: { kind: 'listed', verdict: 'not-counted', note } };
}
