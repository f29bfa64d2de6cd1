/**
 * The Maven group of an archive that does not carry Maven's own descriptor, from its manifest. None of these headers
 * was made to say it, so the order goes from what build tools fill with the group to what merely resembles it:
 *
 *   Group-Id (Jenkins) | well-known names | Implementation-Vendor-Id (Maven) | Bundle-SymbolicName (OSGi) |
 *   Automatic-Module-Name | the artifact's own name | Extension-Name, vendor headers
 */
import { asId, isDomainLike } from './coordinates.ts';
import { familyGroup, knownGroup } from './known-groups.ts';
import type { Manifest } from './manifest.ts';

/** The group, or undefined when nothing gives it away. */
export function findGroup(artifact: string, manifest: Manifest | undefined): string | undefined {
  const header = (name: string) => asId(manifest?.main.get(name)?.split(';')[0]);
  // New Relic's instrumentation archives are named like the library that they weave into, and are not that library.
  if (manifest?.main.has('weave-classes') === true) return header('group-id');
  const told = header('group-id') ?? knownGroup(artifact);
  if (told !== undefined) return told;
  const guess = guessGroup(artifact, header);
  const family = familyGroup(artifact);
  return family !== undefined && (guess === undefined || sameOwner(family, guess)) ? family : guess;
}

/**
 * The group inside an OSGi or module name that was made of group and artifact, the way the Maven bundle plugin makes it:
 * `com.acme` + `tool` -> `com.acme.tool`, and what both share only once: `com.acme` + `acme-tool` -> `com.acme.tool`.
 */
export function groupOfSymbolicName(symbolic: string, artifact: string): string | undefined {
  const dot = symbolic.lastIndexOf('.');
  if (dot < 0) return undefined;
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

function guessGroup(artifact: string, header: (name: string) => string | undefined): string | undefined {
  const vendor = header('implementation-vendor-id');
  // Half of the Apache projects once gave their foundation.
  const isGroup = vendor !== undefined && vendor !== 'org.apache' && (isDomainLike(vendor) || vendor === artifact);
  if (isGroup) return vendor;
  for (const name of ['bundle-symbolicname', 'automatic-module-name']) {
    const group = groupOfSymbolicName(header(name) ?? '', artifact);
    if (group !== undefined) return group;
  }
  if (/^[a-z]+\.\w/.test(artifact)) {
    const group = groupOfSymbolicName(artifact, artifact);
    if (group !== undefined) return group;
  }
  return ['extension-name', 'implementation-vendor', 'specification-vendor']
    .map(header)
    .find((value) => value !== undefined && isDomainLike(value));
}

/** True when two groups begin with the same two labels: `org.apache`, `io.netty`. */
function sameOwner(a: string, b: string): boolean {
  const [first, second = ''] = a.split('.');
  return `${b}.`.startsWith(`${first}.${second}.`) || b.startsWith(`${first}.${second}-`);
}
