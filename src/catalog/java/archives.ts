/**
 * One file with all the archives inside it, as facts: `app.war` holds `WEB-INF/lib/a.jar`, which may hold others.
 *
 * Every level costs memory and time that the author of the file chooses, so the depth is capped, and all levels share
 * one budget of bytes and of archives. An archive that is not read, for whatever reason, is a gap with its full name.
 *
 * Each archive has its SHA-256 and no other digest: hashing is the largest part of the work, and SHA-1 proves nothing.
 */
import { createHash } from 'node:crypto';
import { openZip, startsZip, type ZipArchive, ZipError, type ZipLimits, zipLimits } from '../../archive/zip.ts';
import { printable } from '../../diag/index.ts';
import type { Hash, Party, ReportGap } from '../types.ts';
import { type Contents, readContents } from './contents.ts';
import { asText, type Coordinates } from './coordinates.ts';
import { type FileName, parseFileName } from './file-name.ts';
import { type Descriptor, type Identity, identify } from './identity.ts';
import { declaredLicenses } from './licenses.ts';
import type { Manifest } from './manifest.ts';
import type { PomXml } from './pom-xml.ts';
import { archiveSuffix } from './suffixes.ts';

/** A package that an archive is or holds. */
export interface JavaFact extends Coordinates {
  readonly classifier?: string;
  readonly source: Identity['source'];
  readonly confidence: number;
  /** The entry that describes it, for packages that were copied into an archive. */
  readonly entry?: string;
  readonly licenses: readonly string[];
  readonly supplier?: Party;
  readonly homepage?: string;
  readonly vcs?: string;
  /** Of the archive, for the package that the archive is. */
  readonly hashes?: readonly Hash[];
  readonly isApplication?: boolean;
}

export interface ArchiveFact {
  /** Full name: `opt/app.war!/WEB-INF/lib/a.jar`. */
  readonly path: string;
  /** Undefined for an archive that nothing is known of and that holds no code. */
  readonly own?: JavaFact;
  /** Packages whose classes were copied into this archive. */
  readonly bundled: readonly JavaFact[];
  readonly nested: readonly ArchiveFact[];
}

/** How deep archives may be nested: the file itself is at depth 0. */
export const maxArchiveDepth = 16;
/** Of one file with everything inside it. */
const maxArchives = 20_000;
const maxEntries = 1_000_000;
const maxReads = 50_000;
const maxGaps = 100;

/** Archives hold what is compressed already: even several levels of them come out at a few times the file's size. */
function limitsFor(fileBytes: number): ZipLimits {
  return zipLimits({ bytes: 256 * 1024 * 1024 + 20 * fileBytes });
}

/** Throws ZipError when the file itself is no archive that can be read. */
export function readArchives(
  path: string,
  bytes: Buffer,
  gap: ReportGap,
  limits: ZipLimits = limitsFor(bytes.length),
): ArchiveFact {
  let gaps = 0;
  const budget: Budget = {
    limits,
    archives: maxArchives,
    entries: maxEntries,
    reads: maxReads,
    gap: (place, reason) => {
      gaps++;
      if (gaps <= maxGaps) gap(`${printable(place)}: ${reason}`);
    },
  };
  const fact = readArchive(path, bytes, 0, budget);
  if (gaps > maxGaps) gap(`${gaps - maxGaps} more parts could not be read`);
  return fact;
}

interface Budget {
  readonly limits: ZipLimits;
  archives: number;
  entries: number;
  reads: number;
  readonly gap: (place: string, reason: string) => void;
}

function readArchive(path: string, bytes: Buffer, depth: number, budget: Budget): ArchiveFact {
  const archive = openZip(bytes, budget.limits);
  for (const problem of archive.problems) budget.gap(path, problem);
  budget.entries -= archive.entries.length;
  if (budget.entries < 0) throw new ZipError(`more than ${maxEntries} entries in one file`);
  const contents = readContents(archive, budget, (entry, reason) => budget.gap(`${path}!/${entry}`, reason));
  const file = parseFileName(path);
  const identity = identify({
    file,
    manifest: contents.manifest,
    descriptors: contents.descriptors,
    mainPackage: contents.mainPackage,
    holdsCode: contents.holdsCode || contents.archives.size > 0,
  });
  const own = identity === undefined ? undefined : ownFact(identity, file, contents.manifest, bytes);
  const bundled = contents.descriptors
    .filter((descriptor) => identity === undefined || !samePackage(descriptor, identity))
    .map(bundledFact);
  const nested = readNested(path, archive, contents.archives, depth + 1, budget);
  return { path, ...(own !== undefined && { own }), bundled, nested };
}

function readNested(
  outer: string,
  archive: ZipArchive,
  entries: Contents['archives'],
  depth: number,
  budget: Budget,
): ArchiveFact[] {
  const facts: ArchiveFact[] = [];
  for (const [name, entry] of entries) {
    const path = `${outer}!/${name}`;
    if (entry.size === 0 && entry.compressedSize <= 2) continue;
    if (depth > maxArchiveDepth) {
      budget.gap(path, `archives nested more than ${maxArchiveDepth} deep are not read`);
      continue;
    }
    if (budget.archives-- <= 0) {
      budget.gap(path, `more than ${maxArchives} archives in one file`);
      break;
    }
    try {
      const bytes = archive.read(entry, Number.MAX_SAFE_INTEGER);
      if (archiveSuffix(name) === 'shared' && !startsZip(bytes)) continue;
      facts.push(readArchive(path, bytes, depth, budget));
    } catch (error) {
      if (!(error instanceof ZipError)) throw error;
      budget.gap(path, error.message);
    }
  }
  return facts;
}

function samePackage(descriptor: Descriptor, identity: Identity): boolean {
  const { group, artifact, version } = descriptor;
  return (
    descriptor === identity.descriptor ||
    (group === identity.group && artifact === identity.artifact && version === identity.version)
  );
}

function ownFact(identity: Identity, file: FileName, manifest: Manifest | undefined, bytes: Buffer): JavaFact {
  const { group, artifact, version, classifier, source, confidence, descriptor } = identity;
  const homepage = asText(manifest?.main.get('bundle-docurl')) ?? asText(manifest?.main.get('implementation-url'));
  const vendor = ['implementation-vendor', 'bundle-vendor', 'specification-vendor']
    .map((name) => asText(manifest?.main.get(name)))
    .find((text) => text !== undefined);
  return {
    ...(group !== undefined && { group }),
    artifact,
    ...(version !== undefined && { version }),
    ...(classifier !== undefined && { classifier }),
    source,
    confidence,
    licenses: declaredLicenses(descriptor?.pom, manifest),
    ...(homepage !== undefined && { homepage }),
    ...pomFacts(descriptor?.pom),
    ...(vendor !== undefined && { supplier: { name: vendor } }),
    hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bytes).digest('hex') }],
    isApplication: isApplication(file, manifest),
  };
}

function bundledFact(descriptor: Descriptor): JavaFact {
  const { group, artifact, version, pom, entry } = descriptor;
  return {
    group,
    artifact,
    ...(version !== undefined && { version }),
    source: 'descriptor',
    confidence: 0.9,
    entry,
    licenses: declaredLicenses(pom, undefined),
    ...pomFacts(pom),
  };
}

function pomFacts(pom: PomXml | undefined): Pick<JavaFact, 'homepage' | 'vcs' | 'supplier'> {
  return {
    ...(pom?.homepage !== undefined && { homepage: pom.homepage }),
    ...(pom?.vcs !== undefined && { vcs: pom.vcs }),
    ...(pom?.organization !== undefined && { supplier: { name: pom.organization } }),
  };
}

function isApplication(file: FileName, manifest: Manifest | undefined): boolean {
  // Spring Boot names the application's own class beside its launcher.
  return file.suffix === 'war' || file.suffix === 'ear' || manifest?.main.has('start-class') === true;
}
