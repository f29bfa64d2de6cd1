/**
 * Groups of well-known libraries, facts of Maven Central, for archives without Maven's own descriptor: those built by
 * Gradle, Ant, sbt and Bazel, whose manifest often misleads (`spring.boot`, `com.sun.jna`, the vendor `org.hibernate`).
 *
 *   names      guava -> com.google.guava       spring-security-* -> org.springframework.security
 *   moves      hibernate-core -> org.hibernate, since version 6 org.hibernate.orm
 *   packages   classes below com.sun.jna -> net.java.dev.jna
 *
 * A name is listed only where nobody else uses it, or (with a star) is weighed against what else the archive says. The
 * longest name or package that fits counts. An entry must be certain: a wrong group is worse than none.
 */
import { names, packages, sameAsPackage } from './known-groups-data.ts';

/** The group of a well-known artifact, or undefined. `version` decides where a library moved. */
export function knownGroup(artifact: string, version: string | undefined): string | undefined {
  return groupAt(exact.get(artifact), version);
}

/** The group of a family that the artifact belongs to by its name. Others may use the name: weigh it with the rest. */
export function familyGroup(artifact: string, version: string | undefined): string | undefined {
  return groupAt(families.find(([prefix]) => artifact.startsWith(prefix))?.[1], version);
}

/** The group that publishes the classes of a package (`com.sun.jna.ptr`), or undefined. */
export function packageGroup(name: string): string | undefined {
  for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
    const group = byPackage.get(name.slice(0, end));
    if (group !== undefined) return group;
  }
  return undefined;
}

/** `org.hibernate 6 org.hibernate.orm` at 6.5 -> `org.hibernate.orm`; without a version the last. */
function groupAt(groups: string | undefined, version: string | undefined): string | undefined {
  const [first, ...later] = (groups ?? '').split(' ');
  let group = first === '' ? undefined : first;
  for (let at = 0; at < later.length; at += 2) {
    if (version === undefined || majorMinor(version) >= majorMinor(later[at]!)) group = later[at + 1];
  }
  return group;
}

/** As one number: 3.9 comes before 3.13. What is no number is old. */
function majorMinor(version: string): number {
  const [, major = '0', minor = '0'] = /^v?(\d{1,6})(?:\.(\d{1,6}))?/i.exec(version) ?? [];
  return Number(major) * 1_000_000 + Number(minor);
}

const listed = names.flatMap(([group, artifacts]) =>
  artifacts.split(' ').map((artifact): [string, string] => [artifact, group === '=' ? artifact : group]),
);

const exact: ReadonlyMap<string, string> = new Map(listed.filter(([name]) => !name.endsWith('*')));

const families: readonly (readonly [string, string])[] = listed
  .filter(([name]) => name.endsWith('*'))
  .map(([name, group]) => [name.slice(0, -1), group] as const)
  .toSorted(([a], [b]) => b.length - a.length);

const byPackage: ReadonlyMap<string, string> = new Map([
  ...sameAsPackage.flatMap((line) => line.split(' ')).map((name): [string, string] => [name, name]),
  ...packages.flatMap(([group, below]) => below.split(' ').map((name): [string, string] => [name, group])),
]);
