/**
 * Which package an archive is itself, among all that it says.
 *
 * Maven's descriptors (pom.properties, pom.xml) name packages exactly, but an archive may hold several: those of
 * libraries whose classes were copied in ("shaded"). The archive's own is the one that its file name or its manifest
 * names. All others are packages inside it. Without an own descriptor the manifest and the file name have to do, and
 * what stays unknown stays unknown: an archive with code in it is a package even if only its file name is left.
 */
import { asId, asText, asVersion, type Coordinates } from './coordinates.ts';
import type { FileName } from './file-name.ts';
import { findGroup, fold, groupOfSymbolicName, isSame } from './group-id.ts';
import type { Manifest } from './manifest.ts';
import type { PomXml } from './pom-xml.ts';

/** One `META-INF/maven/<group>/<artifact>/` or a stray pom.properties. */
export interface Descriptor extends Coordinates {
  readonly group: string;
  /** The zip entry that it was read from. */
  readonly entry: string;
  readonly pom?: PomXml;
  /** False for one inside `WEB-INF/classes` and the like: libraries that were unpacked there. */
  readonly top: boolean;
}

export interface Identity extends Coordinates {
  readonly classifier?: string;
  /** Undefined when the file name and the manifest had to do. */
  readonly descriptor?: Descriptor;
  readonly source: 'descriptor' | 'manifest' | 'file name';
  readonly confidence: number;
}

export interface Evidence {
  readonly file: FileName;
  readonly manifest: Manifest | undefined;
  readonly descriptors: readonly Descriptor[];
  /** Something in it can be run, loaded or is an archive itself. */
  readonly holdsCode: boolean;
  /** The package of nearly all its classes. */
  readonly mainPackage: string | undefined;
}

/** Undefined when nothing says what it is and there is nothing in it that could be run. */
export function identify(evidence: Evidence): Identity | undefined {
  const { file, manifest, descriptors, holdsCode, mainPackage } = evidence;
  const own = ownDescriptor(evidence);
  if (own !== undefined) return fromDescriptor(own.descriptor, own.match, evidence);
  const stated = fromManifestAlone(file, manifest) ?? fromManifest(evidence);
  if (stated !== undefined) return stated;
  const artifact = file.name === '' ? 'unnamed' : file.name;
  if (file.version === undefined && !holdsCode && descriptors.length === 0) return undefined;
  const group = findGroup(artifact, { manifest, version: file.version, mainPackage });
  return {
    ...(group !== undefined && { group }),
    artifact,
    ...(file.version !== undefined && { version: file.version }),
    ...(file.classifier !== undefined && { classifier: file.classifier }),
    source: 'file name',
    confidence: file.version === undefined ? 0.2 : 0.4,
  };
}

/** How sure it is that a descriptor is the archive's own, from 0 to 6. */
type Match = 0 | 1 | 2 | 3 | 4 | 5 | 6;

function ownDescriptor(evidence: Evidence): { descriptor: Descriptor; match: Match } | undefined {
  const { file, manifest, descriptors } = evidence;
  let best: { descriptor: Descriptor; match: Match; tie: number } | undefined;
  let weak = 0;
  for (const descriptor of descriptors) {
    const match = matchOf(descriptor, file, manifest);
    if (match === 1) weak++;
    const tie = (descriptor.top ? 2000 : 0) + (descriptor.pom === undefined ? 0 : 1000) + descriptor.artifact.length;
    if (match > 0 && (best === undefined || match > best.match || (match === best.match && tie > best.tie))) {
      best = { descriptor, match, tie };
    }
  }
  // Several modules of `ehcache-3.10.8.jar` have a part of its name and its version: it is none of them.
  if (best !== undefined && (best.match > 1 || weak === 1)) return best;
  // `COPY target/*.jar app.jar`: the only descriptor is the archive's own, unless the manifest is about another package
  // of the name of the file.
  const top = descriptors.filter((descriptor) => descriptor.top);
  const only = top.length === 1 ? top[0] : undefined;
  if (only === undefined || file.version !== undefined) return undefined;
  const isOther = speaksFor(manifest, file.name) && statedVersion(manifest) !== only.version;
  return isOther ? undefined : { descriptor: only, match: 1 };
}

function matchOf(descriptor: Descriptor, file: FileName, manifest: Manifest | undefined): Match {
  const { group, artifact, version } = descriptor;
  const stem = fold(file.stem);
  const names = [artifact, `${group}.${artifact}`].map(fold);
  if (version !== undefined) {
    const full = names.map((name) => `${name}-${fold(version)}`);
    if (full.includes(stem)) return 6;
    if (full.some((name) => stem.startsWith(`${name}-`))) return 5;
  }
  if (names.includes(stem)) return 4;
  if (names.includes(fold(file.name))) return 3;
  if (namedBy(manifest, descriptor)) return 2;
  const name = fold(file.name);
  return version !== undefined && version === file.version && isPart(name, names[0]!) ? 1 : 0;
}

/** True when one of two names is the beginning or the end of the other. */
function isPart(a: string, b: string): boolean {
  if (a === '' || b === '') return false;
  return a.startsWith(b) || a.endsWith(b) || b.startsWith(a) || b.endsWith(a);
}

/** True when the manifest is about the package of a descriptor. */
function namedBy(manifest: Manifest | undefined, { group, artifact, version }: Descriptor): boolean {
  if (manifest === undefined) return false;
  const stated = statedVersion(manifest);
  const title = manifest.main.get('implementation-title') ?? '';
  if ([artifact, `${group}:${artifact}`, `${group}#${artifact};${version}`].includes(title)) {
    return stated === undefined || stated === version;
  }
  // Maven fills the title with the project's name, which is often the artifact in words: `Maven Core`.
  if (isSame(title.trim().replaceAll(' ', '-'), artifact) && stated === version) return true;
  const symbolic = symbolicName(manifest);
  // A bundle named like a group is about the artifact of that name, not about every artifact of the group.
  if (symbolic === group) return isSame(artifact, group.slice(group.lastIndexOf('.') + 1));
  return isSame(symbolic, `${group}.${artifact}`) || groupOfSymbolicName(symbolic, artifact) === group;
}

/** True when the manifest calls the archive by the name of its file. */
function speaksFor(manifest: Manifest | undefined, name: string): boolean {
  if (manifest === undefined) return false;
  const titles = ['bundle-name', 'implementation-title', 'specification-title', 'short-name', 'extension-name'];
  if (titles.some((title) => isSame(manifest.main.get(title) ?? '', name))) return true;
  return `.${symbolicName(manifest)}`.toLowerCase().endsWith(`.${name.toLowerCase()}`);
}

function fromDescriptor(descriptor: Descriptor, match: Match, { file, manifest }: Evidence): Identity {
  const { group, artifact } = descriptor;
  const stated = descriptor.version ?? file.version ?? statedVersion(manifest);
  const start = stated === undefined ? '' : fold(`${artifact}-${stated}`);
  const rest = start !== '' && fold(file.stem).startsWith(start) ? file.stem.slice(start.length) : '';
  // `mssql-jdbc-12.6.2.jre11.jar`: published in several versions, one for each Java version, of a single descriptor.
  const version = /^\.jre\d+$/.test(rest) ? `${stated}${rest}` : stated;
  const classifier = rest.startsWith('-') ? asId(rest.slice(1)) : undefined;
  return {
    group,
    artifact,
    ...(version !== undefined && { version }),
    ...(classifier !== undefined && { classifier }),
    descriptor,
    source: 'descriptor',
    confidence: match >= 3 ? 1 : 0.8,
  };
}

/** Archives of build tools that state exact coordinates in headers of their own. */
function fromManifestAlone(file: FileName, manifest: Manifest | undefined): Identity | undefined {
  const header = (name: string) => manifest?.main.get(name);
  const make = (group: string | undefined, artifact: string | undefined, version: string | undefined) =>
    artifact === undefined
      ? undefined
      : ({
          ...(group !== undefined && { group }),
          artifact,
          ...(version !== undefined && { version }),
          source: 'manifest',
          confidence: 0.9,
        } as const);
  // Apache NiFi.
  const nifi = make(asId(header('nar-group')), asId(header('nar-id')), asVersion(header('nar-version')));
  if (nifi !== undefined) return nifi;
  // Jenkins; a plugin without a group is one of the project's own.
  if (manifest?.main.has('plugin-version') === true) {
    const artifact = asId(header('short-name')) ?? asId(header('extension-name'));
    return make(asId(header('group-id')) ?? 'org.jenkins-ci.plugins', artifact, asVersion(header('plugin-version')));
  }
  // Ivy and Gradle's Nebula plugins: `org.elasticsearch#server;8.14.3`.
  const nebula = /^([\w.-]{1,200})#([\w.-]{1,200});(\S{1,200})$/.exec(header('implementation-title') ?? '');
  if (nebula === null) return undefined;
  const version = asVersion(nebula[3]);
  // The title has the name of the project in the build: `elasticsearch-8.14.3.jar` is published under that of the file.
  const published = version !== undefined && file.version === version ? asId(file.name) : undefined;
  return make(asId(nebula[1]), published ?? asId(nebula[2]), version);
}

/** The name from the file or the titles, version and group from the manifest; undefined when the manifest says nothing. */
function fromManifest({ file, manifest, mainPackage }: Evidence): Identity | undefined {
  if (manifest === undefined) return undefined;
  const title = file.version === undefined ? ownTitle(file, manifest) : undefined;
  const artifact = title ?? file.name;
  const version = file.version ?? statedVersion(manifest);
  const group = findGroup(artifact, { manifest, version, mainPackage });
  const says = statedVersion(manifest) !== undefined || title !== undefined || manifest.main.has('bundle-symbolicname');
  if (artifact === '' || !says) return undefined;
  return {
    ...(group !== undefined && { group }),
    artifact,
    ...(version !== undefined && { version }),
    ...(file.classifier !== undefined && { classifier: file.classifier }),
    source: 'manifest',
    confidence: group === undefined || version === undefined ? 0.5 : 0.7,
  };
}

/** The title that could be an artifact id, for a file whose name holds no version and may be any name. */
function ownTitle(file: FileName, manifest: Manifest): string | undefined {
  const titles = ['implementation-title', 'bundle-name', 'specification-title'].map((name) => manifest.main.get(name));
  if (file.name !== '' && speaksFor(manifest, file.name)) return file.name;
  const title = titles.map(asText).find((each) => each !== undefined && /^[A-Za-z][\w-]{0,100}$/.test(each));
  if (title !== undefined) return title;
  // A dash can only come from an artifact id: `org.apache.tomcat-catalina` in a file called `catalina.jar`.
  const last = asId(/[^.]*$/.exec(symbolicName(manifest))![0]);
  return last?.includes('-') === true ? last : undefined;
}

function symbolicName(manifest: Manifest): string {
  return (manifest.main.get('bundle-symbolicname') ?? '').slice(0, 500).split(';')[0]!.trim();
}

function statedVersion(manifest: Manifest | undefined): string | undefined {
  if (manifest === undefined) return undefined;
  const headers = ['implementation-version', 'bundle-version', 'plugin-version', 'specification-version'];
  const stated = headers.map((name) => asVersion(manifest.main.get(name))).find((version) => version !== undefined);
  return stated ?? asVersion(manifest.sectionVersion);
}
