/** Files that hold signatures: read, recognised by their content, and turned into evidence one by one. */
import { isUtf8 } from 'node:buffer';
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { Disk } from '../io/index.ts';
import { parseEvidence } from '../sigstore/evidence.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
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

/** The evidence in files that the user named. A file that is not there is an error; what is wrong inside is evidence. */
export async function* evidenceInFiles(files: readonly NamedFile[], disk: Disk): AsyncGenerator<Evidence> {
  for (const { file, size } of files) {
    const bytes = readListed(file, size, disk);
    yield* bytes === undefined ? await evidenceFromFile(file, disk) : evidenceFromBytes(bytes, file);
  }
}

/** As `evidenceInFiles`, all of it. */
export async function evidenceFromFiles(files: readonly NamedFile[], disk: Disk): Promise<readonly Evidence[]> {
  const found: Evidence[] = [];
  for await (const each of evidenceInFiles(files, disk)) found.push(each);
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
async function evidenceFromFile(file: string, disk: Disk): Promise<readonly Evidence[]> {
  const there = await disk.stat(file);
  if (there?.kind === 'directory') {
    throw new OperationalError('usage', `${quoted(file)} is a directory, and --bundle takes a file`, {
      hints: [`write --bundles ${quoted(file)} for all bundles in it`],
    });
  }
  const listed = readListed(file, there?.kind === 'file' ? there.size : undefined, disk);
  if (listed !== undefined) return evidenceFromBytes(listed, file);
  let bytes: Buffer;
  try {
    bytes = await readWhole(disk, file, maxEvidenceBytes);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code === 'not-found' || error.code === 'usage') throw error;
    return [failedFile(file, new VerifyError('unreachable', error.message, { cause: error }))];
  }
  return evidenceFromBytes(bytes, file);
}

/** What is in one file; at least one piece. */
function evidenceFromBytes(bytes: Buffer, file: string): readonly Evidence[] {
  const other = whatElse(bytes);
  if (other !== undefined) {
    const error = malformed(`it is ${other.what}, and no bundle or attestation`);
    return [failedFile(file, error, [other.hint])];
  }
  return parseEvidence(bytes.toString('utf8')).map(({ place, entity }) => {
    const where = place === '' ? file : `${file}, ${place}`;
    if (!entity.ok) return { ...failedFile(file, entity.failure), place: where };
    return { place: where, file, format: entity.value.format, content: { kind: 'entity', entity: entity.value } };
  });
}

interface Mistaken {
  readonly what: string;
  readonly hint: string;
}

/** What people give by mistake, in their words, and what to do with it. */
function whatElse(bytes: Buffer): Mistaken | undefined {
  if (bytes.length === 0) return { what: 'an empty file', hint: 'fetch it again: nothing of it has arrived' };
  const head = bytes.toString('latin1', 0, 64).trimStart();
  const pem = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(head)?.[1];
  if (pem !== undefined) return { what: `a PEM file (${pem.toLowerCase()})`, hint: pemHint(pem) };
  if (/^(?:ssh-|ecdsa-sha2-)/.test(head)) return { what: 'an OpenSSH public key', hint: keyHint };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return { what: 'a gzip file', hint: 'unpack it (gunzip), and give the bundle in it' };
  }
  if (!isUtf8(bytes)) {
    if (bytes[0] !== 0x30) return { what: 'binary data', hint: bundleHint };
    return { what: 'binary data (a certificate or a raw signature?)', hint: rawHint };
  }
  if (/^[0-9a-f]{64,128}\s/.test(bytes.toString('latin1', 0, 130))) {
    const hint = 'give it as the target, with the bundle that signs it: tidewaiter verify ./SHA256SUMS --bundle FILE';
    return { what: 'a list of checksums', hint };
  }
  if (/^[A-Za-z0-9+/=\s]{16,}$/.test(head)) return { what: 'base64 text (a raw signature?)', hint: rawHint };
  return undefined;
}

const bundleHint = 'give the bundle: JSON, usually named *.sigstore.json, *.bundle or *.intoto.jsonl';
const keyHint = 'that is a key: give it with --key FILE, and the bundle with --bundle';
const rawHint =
  'ask its maker for the bundle (cosign sign-blob --bundle writes it): a raw signature lacks who made it, and when';

function pemHint(label: string): string {
  if (label.endsWith('PRIVATE KEY')) return 'keep a private key to its owner: give the bundle that was made with it';
  if (label.endsWith('PUBLIC KEY')) return keyHint;
  if (label === 'PGP SIGNATURE') return 'verify it with gpg --verify, or ask its maker for a Sigstore bundle';
  return label === 'CERTIFICATE' ? rawHint : bundleHint;
}

function failedFile(file: string, error: VerifyError, hints: readonly string[] = []): Evidence {
  return { place: file, file, format: 'unknown', content: { kind: 'failed', error, hints } };
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
