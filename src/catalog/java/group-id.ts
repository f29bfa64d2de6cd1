/**
 * The Maven group of an archive that does not carry Maven's own descriptor. Nothing in it was made to say it, so the
 * order goes from what build tools fill with the group to what merely resembles it:
 *
 *   Group-Id (Jenkins) | well-known names | `jakarta.servlet-api` and its kind |
 *   families of names, and the package of the classes, unless the manifest is of somebody else |
 *   Implementation-Vendor-Id (Maven) | Bundle-SymbolicName (OSGi) | Automatic-Module-Name | the artifact's own name |
 *   Extension-Name, vendor headers | a package that is called like the artifact
 */
import { asId, isReversedDomain } from './coordinates.ts';
import { familyGroup, knownGroup, packageGroup } from './known-groups.ts';
import type { Manifest } from './manifest.ts';

export interface Clues {
  readonly manifest?: Manifest | undefined;
  readonly version?: string | undefined;
  /** The package of nearly all classes, `org.apache.kafka.raft`. */
  readonly mainPackage?: string | undefined;
}

/** The group, or undefined when nothing gives it away. */
export function findGroup(artifact: string, { manifest, version, mainPackage }: Clues): string | undefined {
  const header = (name: string) => asId(manifest?.main.get(name)?.split(';')[0]);
  // New Relic's instrumentation archives are named like the library that they weave into, and are not that library.
  if (manifest?.main.has('weave-classes') === true) return header('group-id');
  const told = header('group-id') ?? knownGroup(artifact, version) ?? groupOfStandard(artifact);
  if (told !== undefined) return told;
  const guess = guessGroup(artifact, header);
  const published = mainPackage === undefined ? undefined : packageGroup(mainPackage);
  const family = familyGroup(artifact, version);
  const owners = [guess, published ?? ownerOf(mainPackage)].filter((owner) => owner !== undefined);
  // Where a name is all there is, `grpc-server-spring-boot-starter` may be anybody's.
  const isNamesake = owners.length === 0 && artifact.includes('-spring-boot-');
  if (family !== undefined && !isNamesake && owners.every((owner) => sameOwner(family, owner))) return family;
  if (published !== undefined && (guess === undefined || sameOwner(published, guess))) return published;
  return guess ?? groupOfPackage(mainPackage, artifact);
}

/**
 * The group inside an OSGi or module name that was made of group and artifact, the way the Maven bundle plugin makes it:
 * `com.acme` + `tool` -> `com.acme.tool`, and what both share only once: `com.acme` + `acme-tool` -> `com.acme.tool`.
 */
export function groupOfSymbolicName(symbolic: string, artifact: string): string | undefined {
  const dot = symbolic.lastIndexOf('.');
  if (dot < 0) return undefined;
  // `org.apache.geronimo.specs.geronimo-jta_1.1_spec`: some artifact ids have dots of their own.
  const end = symbolic.length - artifact.length - 1;
  if (artifact.includes('.') && symbolic[end] === '.' && isSame(symbolic.slice(end + 1), artifact)) {
    return symbolic.slice(0, end);
  }
  // `jakarta.servlet-api` and its kind have the group `jakarta.servlet`, `javax.inject` has its own name.
  if (/^(?:javax|jakarta)\./.test(symbolic)) return symbolic === artifact ? symbolic.replace(/-api$/, '') : symbolic;
  const front = symbolic.slice(0, dot);
  if (!front.includes('.')) return symbolic;
  const shared = front.slice(front.lastIndexOf('.') + 1);
  const rest = symbolic.slice(dot + 1);
  const made = [symbolic, rest, `${shared}-${rest}`, `${shared}.${rest}`];
  const isMade = made.some((name) => isSame(name, artifact)) || symbolic.endsWith(`.${artifact}`);
  if (isMade || artifact.endsWith(`-${rest}`)) return front;
  const dash = rest.indexOf('-');
  if (dash <= 0) return symbolic;
  // Groups hold no dashes: `org.apache.tomcat-catalina` is of `org.apache.tomcat`, `com.acme.core.acme-x` of its front.
  return front.split('.').length <= 2 ? `${front}.${rest.slice(0, dash)}` : front;
}

/** True when two names differ only in what tools exchange: case, dots, dashes, underscores. */
export function isSame(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

export function fold(name: string): string {
  return name.toLowerCase().replace(/[._]/g, '-');
}

/** `jakarta.xml.bind-api` -> `jakarta.xml.bind`: the interfaces of Java EE and Jakarta EE are all published so. */
function groupOfStandard(artifact: string): string | undefined {
  const group = /^((?:javax|jakarta)\.[\w.]+)-api$/.exec(artifact)?.[1];
  // Jetty puts the group in front of the file name: `jakarta.el.jakarta.el-api`.
  const half = group?.slice(0, (group.length - 1) / 2);
  return group === `${half}.${half}` ? half : group;
}

function guessGroup(artifact: string, header: (name: string) => string | undefined): string | undefined {
  const vendor = header('implementation-vendor-id');
  if (vendor !== undefined && (isGroup(vendor) || vendor === artifact)) return vendor;
  for (const name of ['bundle-symbolicname', 'automatic-module-name']) {
    const group = groupOfSymbolicName(header(name) ?? '', artifact);
    if (group !== undefined && isGroup(group)) return group;
  }
  if (/^[a-z]+\.\w/.test(artifact)) {
    const group = groupOfSymbolicName(artifact, artifact);
    if (group !== undefined && isGroup(group)) return group;
  }
  return ['extension-name', 'implementation-vendor', 'specification-vendor']
    .map(header)
    .find((value) => value !== undefined && isGroup(value));
}

/** Half of the projects of a foundation or company gave only its name, and many a module name leaves out the domain. */
function isGroup(id: string): boolean {
  return !umbrellas.has(id) && isReversedDomain(id);
}

/** Owners that publish nothing under their bare name. */
const umbrellas: ReadonlySet<string> = new Set(
  (
    'com.github com.google com.googlecode com.ibm com.microsoft com.oracle com.sun io.github io.micronaut net.java ' +
    'net.sf net.sourceforge org.apache org.codehaus org.eclipse org.jboss'
  ).split(' '),
);

/**
 * The group in a package that is called like the artifact, `org.apache.kafka.raft` + `kafka-raft` -> `org.apache.kafka`:
 * projects name their group after themselves. A single artifact of somebody (`com.acme.config` + `config`) may be
 * published under either name.
 */
function groupOfPackage(mainPackage: string | undefined, artifact: string): string | undefined {
  if (mainPackage === undefined || !isReversedDomain(mainPackage)) return undefined;
  const labels = mainPackage.split('.');
  const [project, ...part] = fold(artifact).split('-');
  const at = labels.findIndex((label, index) => index > 0 && label.toLowerCase() === project);
  const owner = labels.slice(0, at).join('.');
  const group = labels.slice(0, at + 1).join('.');
  const isProject = part.length > 0 || !owner.includes('.') || umbrellas.has(owner);
  return at > 0 && isProject && !umbrellas.has(group) ? group : undefined;
}

/** A package as somebody's name; those of the Java standards are everybody's. */
function ownerOf(mainPackage: string | undefined): string | undefined {
  if (mainPackage === undefined || /^(?:javax|jakarta)\./.test(mainPackage)) return undefined;
  return isReversedDomain(mainPackage) ? mainPackage : undefined;
}

/** True when two groups begin with the same two labels: `org.apache`, `io.netty`. */
function sameOwner(a: string, b: string): boolean {
  const [first, second = ''] = a.split('.');
  return `${b}.`.startsWith(`${first}.${second}.`) || b.startsWith(`${first}.${second}-`);
}
