/** Signing: find what the statement is about, make and sign it, verify the result, and only then hand it out. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { defaultLimits } from '../archive/index.ts';
import { Exit, type ExitCode, OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { inTotoPayload } from '../sigstore/dsse.ts';
import { isJsonObject, type JsonObject, parseStrictJsonBytes } from '../sigstore/json.ts';
import type { Artifact } from '../sigstore/types.ts';
import { outcomeOf } from '../sigstore/verify.ts';
import { bundleMediaType, type Unsigned } from '../sigstore/write-bundle.ts';
import { formatStatement } from '../sigstore/write-statement.ts';
import type { AttachTarget } from '../sources/attach.ts';
import { algorithmOf, hexOf } from '../sources/digest.ts';
import { parseTarget } from '../sources/target.ts';
import type { Platform } from '../sources/types.ts';
import { readWhole } from './read-whole.ts';
import { type SignerChoice, signAsChosen } from './sign.ts';
import { note, writeSigned } from './signed-output.ts';
import { guardSigner } from './signer-files.ts';
import { openTarget } from './verify-target.ts';

export interface AttestOptions {
  readonly target: string;
  /** File with the predicate. */
  readonly predicate: string;
  /** URI. */
  readonly predicateType: string;
  readonly platform?: Platform;
  readonly signer: SignerChoice;
  /** Where bundles go; undefined is standard output. */
  readonly files: readonly (string | undefined)[];
  readonly attach: boolean;
  /** Time of the annotation, RFC 3339. */
  readonly created: string;
}

export async function attest(options: AttestOptions, outside: World): Promise<ExitCode> {
  const { signer } = options;
  const world = guardSigner(outside, options.files, signer.kind === 'key' ? signer.file : undefined);
  const predicate = await readPredicate(options.predicate, world);
  const subject = await openSubject(options, world);
  if (options.attach && subject.attachTo === undefined) throw nothingToAttachTo(subject);
  const payload = formatStatement(subject.artifact, options.predicateType, predicate);
  const unsigned: Unsigned = { kind: 'dsse', payloadType: inTotoPayload, payload };
  const bundle = await signAsChosen(unsigned, subject.artifact, signer, world);
  if (options.attach && subject.attachTo !== undefined) await attachBundle(bundle, subject.attachTo, options, world);
  await writeSigned(bundle, 'bundle', options.files, world);
  return Exit.pass;
}

interface SubjectFound {
  readonly artifact: Artifact;
  readonly what: 'file' | 'digest' | 'image' | 'archive';
  readonly attachTo?: AttachTarget;
}

/** SBOMs of large images; what is bound into one statement has to be held in memory whole. */
const maxPredicateBytes = 32 * 1024 * 1024;

async function readPredicate(file: string, world: World): Promise<JsonObject> {
  const bytes = await readWhole(world.disk, file, maxPredicateBytes);
  const parsed = outcomeOf(() => parseStrictJsonBytes(bytes, quoted(file)));
  if (!parsed.ok) {
    throw new OperationalError('malformed', `the predicate cannot be read: ${parsed.failure.message}`, {
      hints: ['give the predicate alone, as JSON: tidewaiter makes the statement around it'],
    });
  }
  const predicate = parsed.value;
  if (!isJsonObject(predicate))
    throw new OperationalError('malformed', `the predicate ${quoted(file)} is no JSON object`, {
      hints: ['give one object, { … }: a list of them is several statements, each signed by itself'],
    });
  const wrapped =
    predicate['_type'] !== undefined && predicate['predicateType'] !== undefined
      ? 'a whole statement'
      : predicate['payloadType'] !== undefined && predicate['signatures'] !== undefined
        ? 'a signed envelope'
        : predicate['dsseEnvelope'] !== undefined
          ? 'a signed bundle'
          : undefined;
  if (wrapped !== undefined) {
    throw new OperationalError('malformed', `${quoted(file)} is ${wrapped} and no predicate`, {
      hints: ['give only what stands under "predicate" in it'],
    });
  }
  return predicate;
}

async function openSubject(options: AttestOptions, world: World): Promise<SubjectFound> {
  refuseElsewhere(options.target);
  const target = await openTarget(options.target, world.disk, 'attest');
  if (target.kind !== 'image' && options.platform !== undefined) {
    throw new OperationalError('usage', '--platform chooses among the images of an index, and the target is none', {
      hints: ['leave --platform out, or give the image as oci:DIR'],
    });
  }
  if (target.kind === 'digest') {
    return { what: 'digest', artifact: { name: '', digests: new Map([[target.algorithm, target.value]]) } };
  }
  if (target.kind === 'file') {
    return {
      what: 'file',
      artifact: { name: path.basename(target.file), digests: await hashFile(target.file, world) },
    };
  }
  const { openImageSubject } = await import('../sources/image-subject.ts');
  const { disk } = world;
  const { platform } = options;
  const image = await openImageSubject(options.target, {
    disk,
    limits: defaultLimits,
    ...(platform === undefined ? {} : { platform }),
  });
  const { descriptor, directory, name } = image;
  const digests = new Map([[algorithmOf(descriptor.digest), hexOf(descriptor.digest)]]);
  if (image.role === 'index') {
    await note(
      world,
      `the statement is about the index ${descriptor.digest}, all its platforms; --platform chooses one`,
    );
  }
  return {
    artifact: { name, digests },
    ...(directory === undefined
      ? { what: 'archive' as const }
      : { what: 'image' as const, attachTo: { directory, subject: descriptor } }),
  };
}

function refuseElsewhere(requested: string): void {
  const { kind, rest } = parseTarget(requested);
  if (kind === 'dir') {
    throw new OperationalError(
      'usage',
      `the directory ${quoted(rest)} has no digest, so nothing can be said about it`,
      {
        hints: ['pack it into one file, or give an image in an OCI layout as oci:DIR'],
      },
    );
  }
  if (kind !== 'docker' && kind !== 'podman') return;
  throw new OperationalError(
    'usage',
    `${quoted(requested)} is not on disk, and statements about what another tool keeps cannot be made yet`,
    { hints: ['give its digest as sha256:HEX, or save it first: skopeo copy docker-daemon:NAME oci:DIR:TAG'] },
  );
}

/** Both, so that whoever knows only one of them can find the file: package registries state SHA-512. */
async function hashFile(file: string, world: World): Promise<ReadonlyMap<string, string>> {
  const hashes = { sha256: createHash('sha256'), sha512: createHash('sha512') };
  const opened = await world.disk.open(file);
  try {
    for await (const piece of opened.stream()) for (const hash of Object.values(hashes)) hash.update(piece);
  } finally {
    await opened.close();
  }
  return new Map(Object.entries(hashes).map(([name, hash]) => [name, hash.digest('hex')]));
}

function nothingToAttachTo({ what }: SubjectFound): OperationalError {
  const why = { file: 'a file', digest: 'a bare digest', archive: 'an image archive', image: 'this' }[what];
  return new OperationalError('usage', `--attach needs an image in an OCI layout, and the target is ${why}`, {
    hints: ['give the layout as oci:DIR:TAG, or write the bundle to a file with -o bundle=FILE'],
  });
}

async function attachBundle(bundle: string, target: AttachTarget, options: AttestOptions, world: World): Promise<void> {
  const { attach } = await import('../sources/attach.ts');
  const digest = await attach(world.disk, target, {
    mediaType: bundleMediaType,
    content: bundle,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': options.predicateType,
      'org.opencontainers.image.created': options.created,
    },
  });
  await note(world, `attached ${digest} to ${target.subject.digest}`);
}
