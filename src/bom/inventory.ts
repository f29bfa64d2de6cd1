/**
 * From what the catalogers found to the inventory: one component for each package however often it was seen, language
 * packages marked as owned by the OS package that installed them, and a graph in which everything hangs on the root.
 */
import { createHash } from 'node:crypto';
import type { CatalogResult, Package } from '../catalog/index.ts';
import { formatPurl, PurlError } from '../purl/index.ts';
import type { Source } from '../sources/index.ts';
import { byText } from './names.ts';
import { ownersOf } from './ownership.ts';
import type { CatalogerStatus, Component, Gap, Inventory, Sighting } from './types.ts';

/** The source's subject with the layers as they were measured, and all that the catalogers found in it. */
export function buildInventory(source: Source, result: CatalogResult): Inventory {
  const gaps: Gap[] = result.layers.length > 0 ? [...result.gaps] : result.gaps.map(({ layer: _, ...gap }) => gap);
  const sighted = nameAll(result, gaps);
  const owners = ownersOf(sighted, result.tree);
  const components = [...Map.groupBy(sighted, (each) => each.ref)]
    .map(([ref, same]) => join(ref, same, owners.get(ref)))
    .sort((a, b) => byText(a.ref, b.ref));
  const { distro } = result;
  const subject = { ...source.subject, layers: result.layers };
  return {
    subject,
    claims: source.claims,
    ...(distro === undefined ? {} : { distro }),
    roots: rootsOf(components, sighted),
    components,
    coverage: {
      catalogers: statusOf(result, sighted, gaps),
      gaps: gaps.sort(compareGaps),
      files: result.files,
      excluded: result.excluded,
    },
  };
}

/** One package as one cataloger saw it, under the name that all outputs give it. */
export interface Sighted {
  readonly ref: string;
  readonly cataloger: string;
  readonly package: Package;
  /** Refs of what it needs. */
  readonly requires: readonly string[];
}

function nameAll(result: CatalogResult, gaps: Gap[]): readonly Sighted[] {
  return result.packages.flatMap(({ cataloger, packages }) => {
    const refs = new Map(packages.map((each) => [each.key, refOf(each, cataloger.id, gaps)]));
    return packages.map((each) => ({
      ref: refs.get(each.key)!,
      cataloger: cataloger.id,
      package: each,
      requires: (each.requires ?? []).flatMap((key) => refs.get(key) ?? []),
    }));
  });
}

/** A package whose metadata makes no valid purl is still a package: it is named generically, and the reason is said. */
function refOf(found: Package, cataloger: string, gaps: Gap[]): string {
  try {
    return formatPurl(found.purl);
  } catch (error) {
    if (!(error instanceof PurlError)) throw error;
    const place = found.places[0];
    gaps.push({
      rule: 'unreadable-record',
      path: place?.path ?? '',
      ...(place === undefined ? {} : { layer: place.layer }),
      cataloger,
      reason: `the package ${found.name.slice(0, 200) || '(without a name)'} cannot be named as pkg:${found.purl.type}: ${error.message}`,
    });
    const name = found.name.trim() === '' ? 'unnamed' : speakable(found.name);
    const version = found.version === undefined ? {} : { version: speakable(found.version) };
    return formatPurl({ type: 'generic', name, ...version });
  }
}

const speakableLength = 500;

/** Whatever an author wrote as something that every purl can hold, and different texts as different ones. */
function speakable(text: string): string {
  if (text.isWellFormed() && text.length <= speakableLength) return text;
  const digest = createHash('sha256').update(text, 'utf16le').digest('hex');
  return `${text.slice(0, speakableLength).toWellFormed()}~${digest.slice(0, 32)}`;
}

function join(ref: string, same: readonly Sighted[], ownedBy: string | undefined): Component {
  const packages = same.map((each) => each.package);
  const first = packages[0]!;
  const pick = <T>(get: (each: Package) => T | undefined): T | undefined =>
    packages.map(get).find((value) => value !== undefined);
  const optional = {
    group: ref.startsWith('pkg:generic/') ? undefined : groupOf(first),
    version: pick((each) => each.version),
    supplier: pick((each) => each.supplier),
    description: pick((each) => each.description),
    homepage: pick((each) => each.homepage),
    vcs: pick((each) => each.vcs),
    distribution: pick((each) => each.distribution),
    ownedBy,
  };
  return {
    ref,
    purl: ref,
    ecosystem: ref.slice('pkg:'.length, ref.indexOf('/')),
    name: nameOf(first, optional.group),
    kind: pick((each) => each.kind) ?? 'library',
    scope: scopeOf(packages),
    licenses: unique(packages.flatMap((each) => each.licenses ?? [])),
    hashes: uniqueBy(
      packages.flatMap((each) => each.hashes ?? []),
      (each) => `${each.alg} ${each.content}`,
    ),
    authors: uniqueBy(
      pick((each) => each.authors) ?? [],
      (each) => `${each.name} ${each.email ?? ''} ${each.url ?? ''}`,
    ),
    cpes: unique(packages.flatMap((each) => each.cpes ?? [])).sort(),
    sightings: sightingsOf(same),
    requires: unique(same.flatMap((each) => each.requires))
      .filter((other) => other !== ref)
      .sort(),
    requiresKnown: knownOf(packages),
    properties: uniqueBy(
      packages.flatMap((each) => Object.entries(each.properties ?? {})),
      ([name, value]) => `${name} ${value}`,
    ).sort((a, b) => byText(a[0], b[0]) || byText(a[1], b[1])),
    ...defined(optional),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>;
}

/** What stands before the name: an npm scope, a Maven group, the path of a Go module. Distributions are not groups. */
function groupOf(found: Package): string | undefined {
  const { type, namespace } = found.purl;
  return namespace === undefined || osTypes.has(type) ? undefined : namespace;
}

const osTypes = new Set(['deb', 'apk', 'rpm', 'alpm', 'opkg', 'generic']);

function nameOf(found: Package, group: string | undefined): string {
  return group === undefined ? found.name || 'unnamed' : found.purl.name;
}

function scopeOf(packages: readonly Package[]): Component['scope'] {
  if (packages.some((each) => each.scope === undefined)) return 'required';
  return packages.some((each) => each.scope === 'optional') ? 'optional' : 'excluded';
}

function knownOf(packages: readonly Package[]): Component['requiresKnown'] {
  if (packages.every((each) => each.requires === undefined)) return 'unknown';
  const all = packages.every((each) => each.requires !== undefined && each.requiresIncomplete !== true);
  return all ? 'complete' : 'incomplete';
}

function sightingsOf(same: readonly Sighted[]): readonly Sighting[] {
  const groups = Map.groupBy(same, (each) => `${each.cataloger} ${each.package.technique} ${each.package.confidence}`);
  return [...groups.values()]
    .map((group) => ({
      cataloger: group[0]!.cataloger,
      technique: group[0]!.package.technique,
      confidence: group[0]!.package.confidence,
      places: uniqueBy(
        group.flatMap((each) => each.package.places),
        (place) => `${place.layer} ${place.path}`,
      ).sort((a, b) => byText(a.path, b.path) || a.layer - b.layer),
    }))
    .sort(
      (a, b) => byText(a.cataloger, b.cataloger) || byText(a.technique, b.technique) || b.confidence - a.confidence,
    );
}

/**
 * What hangs on the root itself: what the project names directly, what nothing else needs, and one entry into every
 * circle that would otherwise float free.
 */
function rootsOf(components: readonly Component[], sighted: readonly Sighted[]): readonly string[] {
  const needed = new Map<string, readonly string[]>();
  for (const each of components) needed.set(each.ref, each.requires);
  for (const { ref, ownedBy } of components) {
    if (ownedBy !== undefined) needed.set(ownedBy, [...(needed.get(ownedBy) ?? []), ref]);
  }
  const targets = new Set([...needed.values()].flat());
  const direct = sighted.filter((each) => isDirect(each.package)).map((each) => each.ref);
  const roots = new Set([...direct, ...components.map((each) => each.ref).filter((ref) => !targets.has(ref))]);
  const reached = new Set<string>();
  const reach = (start: string) => {
    const pending = [start];
    for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
      if (reached.has(ref)) continue;
      reached.add(ref);
      for (const next of needed.get(ref) ?? []) pending.push(next);
    }
  };
  for (const ref of roots) reach(ref);
  for (const { ref } of components) {
    if (reached.has(ref)) continue;
    roots.add(ref);
    reach(ref);
  }
  return [...roots].sort();
}

function isDirect(found: Package): boolean {
  return Object.entries(found.properties ?? {}).some(([name, value]) => name.endsWith(':direct') && value === 'true');
}

function statusOf(
  result: CatalogResult,
  sighted: readonly Sighted[],
  gaps: readonly Gap[],
): readonly CatalogerStatus[] {
  return result.packages
    .map(({ cataloger: { id }, packages }) => ({
      cataloger: id,
      files: [...result.read].find(([each]) => each.id === id)?.[1] ?? 0,
      packages:
        packages.length === 0
          ? 0
          : new Set(sighted.filter((each) => each.cataloger === id).map((each) => each.ref)).size,
      gaps: gaps.filter((each) => each.cataloger === id).length,
    }))
    .sort((a, b) => byText(a.cataloger, b.cataloger));
}

function compareGaps(a: Gap, b: Gap): number {
  return (
    byText(a.path, b.path) ||
    (a.layer ?? -1) - (b.layer ?? -1) ||
    byText(a.cataloger ?? '', b.cataloger ?? '') ||
    byText(a.reason, b.reason)
  );
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function uniqueBy<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
