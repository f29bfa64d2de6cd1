/** What is to be judged: one target, or every file of a directory of bundles, each with all that speaks for it. */
import path from 'node:path';
import { OperationalError, plural, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Failure } from '../report/verification.ts';
import type { PlatformChoice } from '../sources/platform.ts';
import { inAdvance, type Prepare } from './verify-ahead.ts';
import { digestArtifact, readArtifact } from './verify-artifact.ts';
import type { Evidence, TargetArtifact } from './verify-check.ts';
import type { SubjectDigest } from './verify-decide.ts';
import {
  type BundleFile,
  evidenceFromFiles,
  evidenceInFiles,
  findSidecars,
  listBundles,
  type NamedFile,
  sidecars,
} from './verify-evidence.ts';
import { openTarget, parseDigestTarget, type VerifyTarget } from './verify-target.ts';

export interface SubjectRequest {
  /** Absent: every bundle of `directory` is about the file beside it. */
  readonly target?: string;
  readonly bundles: readonly string[];
  readonly directory?: string;
  readonly platform: PlatformChoice;
}

/** One thing to be judged, with all that speaks for it. */
export interface Subject {
  readonly requested: string;
  readonly name: string;
  readonly kind: 'file' | 'digest' | 'image';
  readonly digests: readonly SubjectDigest[];
  readonly artifacts: readonly TargetArtifact[];
  /** To be gone through once. */
  readonly evidence: readonly Evidence[] | AsyncIterable<Evidence>;
  readonly gaps: readonly string[];
  /** What to say when there is no evidence. */
  readonly absent: Failure;
  /** The subject itself could not be read. */
  readonly failure?: Failure;
}

/** What the request is about. Remarks go to `notes`. Throws OperationalError. */
export async function* readSubjects(
  request: SubjectRequest,
  world: World,
  notes: string[],
  prepare: Prepare,
): AsyncGenerator<Subject> {
  const { target, directory } = request;
  if (target === undefined) return yield* readBatch(directory ?? '', world, prepare);
  const opened = await openTarget(target, world.disk);
  if (opened.kind !== 'image' && request.platform !== 'all') {
    throw new OperationalError('usage', `--platform chooses among images, and ${quoted(target)} is none`, {
      hints: ['leave --platform out, or give the image as oci:DIR or oci-archive:FILE'],
    });
  }
  if (directory !== undefined) await requireDirectory(directory, world);
  const files = [...request.bundles.map((file) => ({ file })), ...inDirectory(directory, world, notes)];
  switch (opened.kind) {
    case 'digest':
      if (files.length === 0) throw needsBundle(opened.requested);
      yield digestSubject(opened, evidenceOfMany(files, world, prepare));
      break;
    case 'file':
      yield await fileSubject(opened, files, world, notes);
      break;
    case 'image':
      yield await imageSubject(opened.requested, files, request.platform, world);
  }
}

/** For a few, other threads take longer to begin than the work takes. */
const manyFiles = 8;

function evidenceOfMany(files: readonly NamedFile[], world: World, prepare: Prepare): AsyncIterable<Evidence> {
  const evidence = evidenceInFiles(files, world.disk);
  return files.length < manyFiles ? evidence : inAdvance(evidence, (each) => prepare([each]), world);
}

function inDirectory(directory: string | undefined, world: World, notes: string[]): readonly NamedFile[] {
  if (directory === undefined) return [];
  const { bundles, files } = listBundles(directory, world.disk);
  if (files.length > 0) notes.push(`${plural(files.length, 'file')} in ${directory} not taken for a bundle by name`);
  if (bundles.length === 0) throw noBundles(directory);
  return bundles;
}

function needsBundle(digest: string): OperationalError {
  return new OperationalError('usage', `a digest alone has nothing beside it: where are the signatures of ${digest}?`, {
    hints: ['name them with --bundle FILE (may be repeated), or a directory of them with --bundles DIR'],
  });
}

function digestSubject(target: VerifyTarget & { readonly kind: 'digest' }, evidence: Subject['evidence']): Subject {
  const { requested, algorithm, value } = target;
  return {
    requested,
    name: requested,
    kind: 'digest',
    digests: [{ digest: requested, role: 'stated', under: [] }],
    artifacts: [{ digest: requested, artifact: digestArtifact(requested, algorithm, value) }],
    evidence,
    gaps: [],
    absent: absent('no signature was given'),
  };
}

async function fileSubject(
  { requested, file }: { readonly requested: string; readonly file: string },
  named: readonly NamedFile[],
  world: World,
  notes: string[],
): Promise<Subject> {
  const beside = named.length > 0 ? [] : await findSidecars(file, world.disk);
  if (beside.length > 0) {
    notes.push(`no --bundle was given, so what lies beside the file was taken: ${beside.join(', ')}`);
  }
  const files = named.length > 0 ? named : beside.map((each) => ({ file: each }));
  return subjectOfFile(requested, file, await evidenceFromFiles(files, world.disk), world);
}

async function subjectOfFile(
  requested: string,
  file: string,
  evidence: readonly Evidence[],
  world: World,
): Promise<SignedSubject> {
  const entities = evidence.flatMap(({ content }) => (content.kind === 'entity' ? [content.entity] : []));
  const artifact = await readArtifact(file, world.disk, entities);
  const digest = `sha256:${artifact.digests.get('sha256')}`;
  return {
    requested,
    name: file,
    kind: 'file',
    digests: [{ digest, role: 'file', under: [] }],
    artifacts: [{ digest, artifact }],
    evidence,
    gaps: [],
    absent: absent(
      'no signature was given, and none lies beside the file',
      `name it with --bundle FILE; looked for ${sidecars.map((each) => `*${each}`).join(', ')} beside the file`,
    ),
  };
}

async function imageSubject(
  requested: string,
  files: readonly NamedFile[],
  platform: PlatformChoice,
  world: World,
): Promise<Subject> {
  const { readImageTarget } = await import('./verify-image.ts');
  const image = await readImageTarget(requested, world, platform);
  return {
    requested,
    name: image.name,
    kind: 'image',
    digests: image.subjects,
    artifacts: image.artifacts,
    evidence: [...image.evidence, ...(await evidenceFromFiles(files, world.disk))],
    gaps: image.gaps,
    absent: absent(
      'nothing that is signed is attached to the image',
      'copy the image together with its signatures, for example: cosign save --dir DIR NAME',
      'or name a bundle with --bundle FILE',
    ),
  };
}

/** Bundles of one file are judged together: two people may have signed it. */
async function* readBatch(directory: string, world: World, prepare: Prepare): AsyncGenerator<Subject> {
  await requireDirectory(directory, world);
  const { bundles, files, others } = listBundles(directory, world.disk);
  if (bundles.length === 0) throw noBundles(directory);
  const groups = Map.groupBy(bundles, ({ about }) => about);
  const signed = signedSubjects([...groups], directory, world);
  yield* inAdvance(signed, ({ evidence }) => prepare(evidence), world);
  const unsigned = files.filter((name) => !groups.has(name));
  yield* unsigned.map((name) => unsignedSubject(path.join(directory, name), 'no bundle lies beside it'));
  yield* others.map((name) => unsignedSubject(path.join(directory, name), 'it is no file, and is not looked into'));
}

type SignedSubject = Subject & { readonly evidence: readonly Evidence[] };

async function* signedSubjects(
  groups: readonly (readonly [string, readonly BundleFile[]])[],
  directory: string,
  world: World,
): AsyncGenerator<SignedSubject> {
  for (let at = 0; at < groups.length; at += readTogether) {
    const next = groups.slice(at, at + readTogether);
    yield* await Promise.all(next.map(([about, members]) => batchSubject(about, members, directory, world)));
  }
}

/** Files that are open at the same time. */
const readTogether = 16;

/** Whoever can write into the directory could rename a bundle: a file that nothing speaks for must not pass in silence. */
function unsignedSubject(file: string, message: string): Subject {
  return {
    requested: file,
    name: file,
    kind: 'file',
    digests: [],
    artifacts: [],
    evidence: [],
    gaps: [],
    absent: absent(message),
    failure: absent(message, 'sign it, or take it out of the directory: every file there has to be signed'),
  };
}

async function batchSubject(
  about: string,
  members: readonly BundleFile[],
  directory: string,
  world: World,
): Promise<SignedSubject> {
  const evidence = await evidenceFromFiles(members, world.disk);
  const digest = digestName(about);
  if (digest !== undefined) return { ...digestSubject(digest, evidence), evidence };
  const file = path.join(directory, about);
  const there = await world.disk.stat(file);
  if (there?.kind !== 'file') {
    return unreadSubject(file, evidence, `there is no file ${quoted(about)} beside its bundle`);
  }
  try {
    return await subjectOfFile(file, file, evidence, world);
  } catch (error) {
    // One file that cannot be read must not keep the others from being judged.
    if (error instanceof OperationalError && error.code !== 'usage')
      return unreadSubject(file, evidence, error.message);
    throw error;
  }
}

function unreadSubject(file: string, evidence: readonly Evidence[], message: string): SignedSubject {
  return {
    requested: file,
    name: file,
    kind: 'file',
    digests: [],
    artifacts: [],
    evidence: evidence.map(({ place, format }) => ({
      place,
      format,
      content: { kind: 'listed', verdict: 'not-counted', note: message },
    })),
    gaps: [],
    absent: absent(message),
    failure: {
      rule: 'evidence-unreachable',
      code: 'unreachable',
      message,
      hints: ['put the file there, or name what the bundle is about: tidewaiter verify FILE --bundle BUNDLE'],
    },
  };
}

/** A wrong digest in a file name is a file name like any other. */
function digestName(about: string): (VerifyTarget & { readonly kind: 'digest' }) | undefined {
  try {
    const target = parseDigestTarget(about);
    return target?.kind === 'digest' ? target : undefined;
  } catch (error) {
    if (error instanceof OperationalError) return undefined;
    throw error;
  }
}

function absent(message: string, ...hints: string[]): Failure {
  return { rule: 'signature-absent', code: 'absent', message, hints };
}

async function requireDirectory(directory: string, world: World): Promise<void> {
  const there = await world.disk.stat(directory);
  if (there?.kind === 'directory') return;
  if (there === undefined) {
    throw new OperationalError('not-found', `there is no directory ${quoted(directory)}`, {
      hints: ['check the path: relative ones start at the current directory'],
    });
  }
  throw new OperationalError('usage', `${quoted(directory)} is no directory`, {
    hints: ['write --bundle for a single file'],
  });
}

function noBundles(directory: string): OperationalError {
  return new OperationalError('not-found', `${quoted(directory)} holds no bundle`, {
    hints: [
      `bundles are recognised by their names: ${sidecars.map((each) => `*${each}`).join(', ')}, sha256:HEX.jsonl`,
    ],
  });
}
