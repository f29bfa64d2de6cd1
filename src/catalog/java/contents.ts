/**
 * The entries of a Java archive that say what it is, found by name and read.
 *
 *   META-INF/MANIFEST.MF
 *   META-INF/maven/<group>/<artifact>/pom.properties and pom.xml      (one pair for each library copied in)
 *   WEB-INF/lib/*.jar, BOOT-INF/lib/*.jar, *.war …                    (any archive anywhere)
 *
 * Names are only names: nothing is written anywhere. One that climbs out of the archive (`../x.jar`) is refused, since
 * no runtime finds it there and an unpacking tool may put it anywhere. Of two entries of one name the last counts, as
 * for the Java runtime, and that there were two is said unless they are equal.
 */
import { climbs, normalizePath } from '../../archive/path.ts';
import { type ZipArchive, type ZipEntry, ZipError } from '../../archive/zip.ts';
import { Unreadable } from '../types.ts';
import { findMainPackage } from './class-packages.ts';
import { asId } from './coordinates.ts';
import type { Descriptor } from './identity.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { parsePomProperties } from './pom-properties.ts';
import { type PomXml, parsePomXml } from './pom-xml.ts';
import { archiveSuffix, isCode } from './suffixes.ts';

export interface Contents {
  readonly manifest: Manifest | undefined;
  readonly descriptors: readonly Descriptor[];
  /** Archives inside, by normalised name. */
  readonly archives: ReadonlyMap<string, ZipEntry>;
  /** Whether anything in it can be loaded or run. */
  readonly holdsCode: boolean;
  /** The package of nearly all its classes; undefined where libraries are copied in, since most may be theirs. */
  readonly mainPackage: string | undefined;
}

/** Names a gap; `entry` is the normalised name of the entry that it is about. */
export type EntryGap = (entry: string, reason: string) => void;

/** As long as a path may be: names inside of names add up. */
const maxName = 4096;
const maxManifest = 32 * 1024 * 1024;
const maxPomProperties = 1024 * 1024;
const maxPomXml = 8 * 1024 * 1024;
const mavenEntry = /^((?:[^/]+\/)*?)META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.(?:properties|xml)$/;

/** `quota.reads` is how many entries may still be read in all archives of one file; it is counted down. */
export function readContents(archive: ZipArchive, quota: { reads: number }, gap: EntryGap): Contents {
  const index = indexEntries(archive, gap);
  const read = (name: string, entry: ZipEntry, maxBytes: number) =>
    guarded(name, gap, () => {
      if (quota.reads-- <= 0) throw new Unreadable('more descriptions than the limit for one file');
      return archive.read(entry, maxBytes);
    });
  const manifest = [...index.manifests].map(([name, entry]) => read(name, entry, maxManifest)).at(-1);
  const poms = new Map<string, PomXml>();
  for (const [name, entry] of index.pomXmls) {
    const bytes = read(name, entry, maxPomXml);
    const pom = bytes === undefined ? undefined : guarded(name, gap, () => parsePomXml(bytes));
    if (pom !== undefined) poms.set(folderOf(name), pom);
  }
  const descriptors: Descriptor[] = [];
  for (const [name, entry] of index.pomProperties) {
    const bytes = read(name, entry, maxPomProperties);
    const stated = bytes === undefined ? {} : parsePomProperties(bytes);
    const descriptor = describe(name, stated, poms.get(folderOf(name)));
    if (descriptor !== undefined) descriptors.push(descriptor);
    else if (bytes !== undefined) gap(name, 'names no group, artifact or version');
    poms.delete(folderOf(name));
  }
  for (const [folder, pom] of poms) {
    const descriptor = describe(`${folder}pom.xml`, {}, pom);
    if (descriptor !== undefined) descriptors.push(descriptor);
  }
  return {
    manifest: manifest === undefined ? undefined : parseManifest(manifest),
    descriptors,
    archives: index.archives,
    holdsCode: index.holdsCode,
    mainPackage: descriptors.length === 0 ? findMainPackage(archive.entries) : undefined,
  };
}

interface Index {
  readonly manifests: Map<string, ZipEntry>;
  readonly pomProperties: Map<string, ZipEntry>;
  readonly pomXmls: Map<string, ZipEntry>;
  readonly archives: Map<string, ZipEntry>;
  holdsCode: boolean;
}

/** Sorts the entries by what they are for. One pass: archives have tens of thousands of them. */
function indexEntries(archive: ZipArchive, gap: EntryGap): Index {
  const index: Index = {
    manifests: new Map(),
    pomProperties: new Map(),
    pomXmls: new Map(),
    archives: new Map(),
    holdsCode: false,
  };
  for (const entry of archive.entries) {
    const kind = kindOf(entry.name);
    if (kind === 'code') index.holdsCode = true;
    if (kind === undefined || kind === 'code') continue;
    // Some writers on Windows separate by backslashes.
    const slashed = entry.name.replaceAll('\\', '/');
    const name = normalizePath(slashed);
    if (name.length > maxName) {
      gap(`${name.slice(0, 100)}…`, `its name is longer than ${maxName} characters`);
    } else if (climbs(slashed)) {
      gap(slashed, 'its name leads out of the archive');
    } else {
      const earlier = index[kind].get(name);
      const differs = earlier !== undefined && (earlier.crc !== entry.crc || earlier.size !== entry.size);
      if (differs) gap(name, 'exists twice with different content; the last one is read');
      index[kind].set(name, entry);
    }
  }
  return index;
}

function kindOf(name: string): 'manifests' | 'pomProperties' | 'pomXmls' | 'archives' | 'code' | undefined {
  if (name.endsWith('.class') || isCode(name)) return 'code';
  if (archiveSuffix(name) !== undefined) return 'archives';
  if (name.endsWith('pom.properties') && /(?:^|[/\\])pom\.properties$/.test(name)) return 'pomProperties';
  if (name.endsWith('pom.xml') && mavenEntry.test(normalizePath(name.replaceAll('\\', '/')))) return 'pomXmls';
  return /^(?:\.?[/\\])*META-INF[/\\]MANIFEST\.MF$/i.test(name) ? 'manifests' : undefined;
}

/** What a gap says, when the content cannot be had. */
function guarded<T>(name: string, gap: EntryGap, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ZipError || error instanceof Unreadable)) throw error;
    gap(name, error.message);
    return undefined;
  }
}

interface Stated {
  readonly group?: string;
  readonly artifact?: string;
  readonly version?: string;
}

/**
 * A descriptor from pom.properties, the pom.xml beside it, and their folder, which Maven names after group and
 * artifact. Elsewhere (a pom.properties at the root) only a complete one says that it describes a package.
 */
function describe(name: string, stated: Stated, pom: PomXml | undefined): Descriptor | undefined {
  const [, prefix, groupFolder, artifactFolder] = mavenEntry.exec(name) ?? [];
  const group = stated.group ?? asId(groupFolder) ?? pom?.group;
  const artifact = stated.artifact ?? asId(artifactFolder) ?? pom?.artifact;
  const version = stated.version ?? pom?.version;
  if (group === undefined || artifact === undefined || (version === undefined && prefix === undefined))
    return undefined;
  return {
    group,
    artifact,
    ...(version !== undefined && { version }),
    ...(pom !== undefined && { pom }),
    entry: name,
    top: prefix === '' || prefix === undefined,
  };
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}
