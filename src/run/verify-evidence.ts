/** Files that hold signatures: read, recognised by their content, and turned into evidence one by one. */
import { isUtf8 } from 'node:buffer';
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { parseEvidence } from '../sigstore/evidence.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
import type { SignedEntity } from '../sigstore/types.ts';
import { readWhole } from './read-whole.ts';
import type { Evidence } from './verify-check.ts';

/** An SBOM of a large image may stand whole in a statement. */
const maxEvidenceBytes = 96 * 1024 * 1024;

/** What people put beside a file, in the order in which it is looked for. */
export const sidecars: readonly string[] = [
  '.sigstore.json',
  '.sigstore',
  '.bundle',
  '.bundle.json',
  '.intoto.jsonl',
  '.attestation',
  '.publish.attestation',
  '.provenance',
];

/** Called with each signature as soon as it is read: what can be done ahead of its verification begins then. */
export type Prepare = (entity: SignedEntity) => Promise<void>;

/** The evidence in files that the user named. A file that is not there is an error; what is wrong inside is evidence. */
export async function evidenceFromFiles(
  files: readonly NamedFile[],
  disk: Disk,
  prepare?: Prepare,
): Promise<readonly Evidence[]> {
  const found: Evidence[] = [];
  for (const { file, size } of files) {
    const bytes = readListed(file, size, disk);
    found.push(
      ...(bytes === undefined ? await evidenceFromFile(file, disk, prepare) : evidenceFromBytes(bytes, file, prepare)),
    );
  }
  return found;
}

export interface NamedFile {
  readonly file: string;
  /** Bytes of a regular file, where it was just listed. */
  readonly size?: number;
}

/** At once, without the detour over other threads; undefined when it is not as it was listed. */
function readListed(file: string, size: number | undefined, disk: Disk): Buffer | undefined {
  if (size === undefined || size > maxEvidenceBytes) return undefined;
  try {
    const bytes = disk.readStart(Buffer.from(file), size + 1);
    return bytes?.length === size ? bytes : undefined;
  } catch (error) {
    if (error instanceof OperationalError) return undefined;
    throw error;
  }
}

/** Throws OperationalError only where the file cannot be found. */
async function evidenceFromFile(file: string, disk: Disk, prepare?: Prepare): Promise<readonly Evidence[]> {
  const there = await disk.stat(file);
  if (there?.kind === 'directory') {
    throw new OperationalError('usage', `${quoted(file)} is a directory, and --bundle takes a file`, {
      hints: [`write --bundles ${quoted(file)} for all bundles in it`],
    });
  }
  let bytes: Buffer;
  try {
    bytes = await readWhole(disk, file, maxEvidenceBytes);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code === 'not-found') throw error;
    return [failedFile(file, new VerifyError('unreachable', error.message, { cause: error }))];
  }
  return evidenceFromBytes(bytes, file, prepare);
}

/** What is in one file; at least one piece. */
function evidenceFromBytes(bytes: Buffer, file: string, prepare?: Prepare): readonly Evidence[] {
  const other = whatElse(bytes);
  if (other !== undefined) return [failedFile(file, malformed(`it is ${other}, and no bundle or attestation`))];
  return parseEvidence(bytes.toString('utf8')).map(({ place, entity }) => {
    const where = place === '' ? file : `${file}, ${place}`;
    if (!entity.ok) return { ...failedFile(file, entity.failure), place: where };
    const ready = prepare === undefined ? {} : { ready: prepare(entity.value) };
    return {
      place: where,
      file,
      format: entity.value.format,
      ...ready,
      content: { kind: 'entity', entity: entity.value },
    };
  });
}

/** What people give by mistake, in their words. */
function whatElse(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'an empty file';
  const head = bytes.toString('latin1', 0, 64).trimStart();
  const pem = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(head)?.[1];
  if (pem !== undefined) return `a PEM file (${pem.toLowerCase()})`;
  if (!isUtf8(bytes)) return bytes[0] === 0x30 ? 'binary data (a certificate or a raw signature?)' : 'binary data';
  if (/^[A-Za-z0-9+/=\s]{16,}$/.test(head) && !/^[0-9]/.test(head)) return 'base64 text (a raw signature?)';
  if (/^[0-9a-f]{64,128}\s/.test(bytes.toString('latin1', 0, 130))) return 'a list of checksums';
  return undefined;
}

function failedFile(file: string, error: VerifyError): Evidence {
  return { place: file, file, format: 'unknown', content: { kind: 'failed', error } };
}

/** The bundles beside a file. */
export async function findSidecars(file: string, disk: Disk): Promise<readonly string[]> {
  const found: string[] = [];
  for (const suffix of sidecars) {
    const there = await disk.stat(file + suffix);
    if (there?.kind === 'file') found.push(file + suffix);
  }
  return found;
}

export interface BundleFile extends NamedFile {
  /** What it is about by its name: `app.tgz`, or `sha256:…` as attestations are named that were fetched by digest. */
  readonly about: string;
}

export interface BundleList {
  /** By name. */
  readonly bundles: readonly BundleFile[];
  /** Names of the other files. */
  readonly files: readonly string[];
  /** Names of directories, pipes and the like. */
  readonly others: readonly string[];
}

/** What lies in a directory, told apart by the names. Throws OperationalError. */
export function listBundles(directory: string, disk: Disk): BundleList {
  const bundles: BundleFile[] = [];
  const files: string[] = [];
  const others: string[] = [];
  for (const { name, stat } of disk.list(Buffer.from(directory))) {
    const text = name.toString('utf8');
    if (stat.kind !== 'file' && stat.kind !== 'symlink') {
      others.push(text);
      continue;
    }
    const about = Buffer.from(text).equals(name) ? aboutOf(text) : undefined;
    if (about === undefined) files.push(text);
    else bundles.push({ file: path.join(directory, text), about, ...(stat.kind === 'file' && { size: stat.size }) });
  }
  return {
    bundles: bundles.sort((one, other) => (one.file < other.file ? -1 : 1)),
    files: files.sort(),
    others: others.sort(),
  };
}

function aboutOf(name: string): string | undefined {
  const byDigest = /^(sha256|sha512)[:-]([0-9a-f]+)\.(?:jsonl?|sigstore\.json)$/.exec(name);
  if (byDigest !== null) return `${byDigest[1]}:${byDigest[2]}`;
  // The longest ending first: what is before it is the name of the file.
  const ending = [...sidecars]
    .sort((one, other) => other.length - one.length)
    .find((each) => name.length > each.length && name.endsWith(each));
  return ending === undefined ? undefined : name.slice(0, -ending.length);
}
