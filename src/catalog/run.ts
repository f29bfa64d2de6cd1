/**
 * From a source to its packages: a first pass over all layers, the merge, a second pass for what only the merged tree
 * shows (a database behind a link, a hard link's other name, a binary too large to hold), then the assembly.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Matcher } from '../pattern/index.ts';
import type { LayerEntry, LayerInfo, Source, SourceGap, Tree } from '../sources/index.ts';
import { type CollectLimits, Collector, gatherFor, type Outcome } from './collect.ts';
import { catalogers, chooseDistro, osRelease } from './list.ts';
import { type AssembleContext, type Cataloger, type Distro, type Found, type Package, Unreadable } from './types.ts';
import { installedInSource, isSystemCataloger, missingDatabase } from './uncounted.ts';

export interface CatalogOptions {
  readonly limits: CollectLimits;
  /** Both what is installed and what is declared. */
  readonly everything: boolean;
  readonly exclude: readonly Matcher[];
}

export interface CatalogGap {
  readonly rule: string;
  readonly path: string;
  readonly layer?: number;
  readonly cataloger?: string;
  readonly reason: string;
}

export interface CatalogResult {
  readonly layers: readonly LayerInfo[];
  readonly tree: Tree;
  readonly distro: Distro | undefined;
  readonly packages: ReadonlyArray<{ readonly cataloger: Cataloger; readonly packages: readonly Package[] }>;
  readonly gaps: readonly CatalogGap[];
  /** Files read, by cataloger. */
  readonly read: ReadonlyMap<Cataloger, number>;
  /** Files in the merged tree, and how many of them were excluded. */
  readonly files: number;
  readonly excluded: number;
}

/** Throws OperationalError when the source cannot be read or verified. */
export async function catalogSource(source: Source, options: CatalogOptions): Promise<CatalogResult> {
  const active = catalogers.filter((each) => counts(each, source, options));
  const excluded = (path: string) => options.exclude.some((matches) => matches(path));
  const collector = new Collector(active, options.limits, excluded);
  const scanned = await source.scan(collector);
  const survey = surveyTree(scanned.tree, active, collector, excluded);
  await secondPass(source, survey, options.limits);
  const gaps: CatalogGap[] = [...scanned.gaps.map(sourceGap), ...survey.gaps];
  const distro = chooseDistro(foundBy(survey, osRelease));
  const packages = [];
  for (const cataloger of active) {
    const found = foundBy(survey, cataloger);
    const context = contextOf(source, scanned.tree, distro, cataloger, gaps);
    packages.push({ cataloger, packages: await assemble(cataloger, found, context) });
  }
  const { kind } = source.subject;
  if (kind === 'source' && !options.everything) gaps.push(...installedInSource(scanned.tree, collector, excluded));
  const isSystem = kind === 'image' || kind === 'rootfs';
  if (isSystem && distro !== undefined && knowsNoSystemPackage(packages, gaps, excluded)) {
    gaps.push(...present(missingDatabase(distro)));
  }
  return {
    layers: scanned.layers,
    tree: scanned.tree,
    distro,
    packages,
    gaps,
    read: new Map(active.map((each) => [each, foundBy(survey, each).length])),
    files: survey.files,
    excluded: survey.excluded,
  };
}

/** Not one, and nothing that says why: neither a gap of those who read them nor a wish of the user. */
function knowsNoSystemPackage(
  packages: CatalogResult['packages'],
  gaps: readonly CatalogGap[],
  excluded: (path: string) => boolean,
): boolean {
  const systems = packages.filter(({ cataloger }) => isSystemCataloger(cataloger));
  return systems.every(({ cataloger, packages: own }) => {
    const hasGap = gaps.some((gap) => gap.cataloger === cataloger.id);
    return own.length === 0 && !hasGap && cataloger.anchors?.some(excluded) !== true;
  });
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

/** In an image what is installed counts, in a source tree what is declared; a file is whatever it turns out to be. */
function counts(cataloger: Cataloger, source: Source, options: CatalogOptions): boolean {
  const { kind } = source.subject;
  if (options.everything || kind === 'file' || cataloger.kind === 'always') return true;
  return cataloger.kind === (kind === 'source' ? 'declared' : 'installed');
}

interface Survey {
  readonly found: Map<Cataloger, Found<unknown>[]>;
  readonly gaps: CatalogGap[];
  /** Content that has to be read again, and as what. */
  readonly pending: Array<{ readonly entry: LayerEntry; readonly path: string; readonly cataloger: Cataloger }>;
  files: number;
  excluded: number;
}

/** Which of what was read is still there, under which path, and what has not been read yet. */
function surveyTree(
  tree: Tree,
  active: readonly Cataloger[],
  collector: Collector,
  excluded: (path: string) => boolean,
): Survey {
  const survey: Survey = { found: new Map(), gaps: [], pending: [], files: 0, excluded: 0 };
  const seen = new Map<Cataloger, Set<LayerEntry>>(active.map((each) => [each, new Set()]));
  const settle = (cataloger: Cataloger, path: string, entry: LayerEntry, outcome: Outcome) => {
    seen.get(cataloger)!.add(entry);
    take(survey, cataloger, path, entry, outcome);
  };
  for (const { path, entry } of tree.files()) {
    survey.files += 1;
    if (excluded(path)) {
      survey.excluded += 1;
      continue;
    }
    const outcomes = collector.outcomes(entry);
    if (path === entry.path) {
      for (const [cataloger, outcome] of outcomes ?? []) settle(cataloger, path, entry, outcome);
      continue;
    }
    for (const cataloger of active) {
      if (!collector.wantsAt(cataloger, entry, path)) continue;
      // What was searched for depends on content alone. Everything else is read as what it is called here: it may be
      // another name of a file that was something else, or of one that is gone.
      const outcome = cataloger.needles === undefined ? undefined : outcomes?.get(cataloger);
      if (outcome !== undefined) settle(cataloger, path, entry, outcome);
      else if (!collector.hasSearched(cataloger, entry)) settle(cataloger, path, entry, { deferred: true });
    }
  }
  const { linked, dangling, cut } = followLinks(tree);
  const asked = new Map<Cataloger, Set<string>>(active.map((each) => [each, new Set()]));
  const ask = (cataloger: Cataloger, { path, real, entry }: Linked) => {
    if (asked.get(cataloger)!.has(path) || seen.get(cataloger)!.has(entry)) return;
    asked.get(cataloger)!.add(path);
    if (collector.hasSearched(cataloger, entry) || [path, real, entry.path].some(excluded)) return;
    survey.pending.push({ entry, path, cataloger });
  };
  for (const cataloger of active) {
    for (const each of behindAnchors(tree, cataloger)) {
      if (collector.wantsAt(cataloger, each.entry, each.path)) ask(cataloger, each);
    }
  }
  for (const each of linked) {
    for (const cataloger of collector.wanting(active, each.entry, each.path)) ask(cataloger, each);
  }
  for (const link of dangling) if (!excluded(link.path)) nameDangling(survey, active, collector, link);
  if (cut !== undefined) {
    const reason = `links lead to more than ${maxLinkedNames} names; those behind this link and later ones were not looked at`;
    survey.gaps.push({ rule: 'suspicious-entry', path: cut.path, layer: cut.entry.layer, reason });
  }
  return survey;
}

/** A link that leads nowhere is a gap where a cataloger would have read what it should lead to. */
function nameDangling(
  survey: Survey,
  active: readonly Cataloger[],
  collector: Collector,
  { path, entry }: { readonly path: string; readonly entry: LayerEntry },
): void {
  const missing = (each: Cataloger) => each.anchors?.includes(path) === true || collector.wantsNamed(each, path);
  const cataloger = active.find((each) => each.needles === undefined && missing(each));
  if (cataloger === undefined) return;
  const reason = `is a link to ${quoted(entry.link)}, where nothing is`;
  survey.gaps.push({ rule: 'unreadable-file', path, layer: entry.layer, cataloger: cataloger.id, reason });
}

interface Linked {
  /** Through the link. */
  readonly path: string;
  /** Where it leads. */
  readonly real: string;
  readonly entry: LayerEntry;
}

/** Everything that a cataloger's well-known places lead to through links: a moved database must not hide. */
function* behindAnchors(tree: Tree, cataloger: Cataloger): Generator<Linked> {
  for (const anchor of cataloger.anchors ?? []) {
    const real = tree.resolve(anchor);
    if (real === undefined || real === anchor) continue;
    const file = tree.file(real);
    if (file !== undefined) yield { path: anchor, real, entry: file.entry };
    else {
      for (const each of tree.files(real)) {
        const below = real === '' ? each.path : each.path.slice(real.length + 1);
        yield { path: `${anchor}/${below}`, real: each.path, entry: each.entry };
      }
    }
  }
}

/** Names behind all links together that are looked at; a merged /usr has some thousands. */
const maxLinkedNames = 100_000;

interface FollowedLinks {
  /** Files that have another name through a link, to themselves or to the directory they lie in. */
  readonly linked: readonly Linked[];
  /** Links that lead nowhere. */
  readonly dangling: ReadonlyArray<{ readonly path: string; readonly entry: LayerEntry }>;
  /** The first link whose names were too many to be looked at. */
  readonly cut?: { readonly path: string; readonly entry: LayerEntry };
}

/** Walks all links once, for all catalogers. */
function followLinks(tree: Tree): FollowedLinks {
  const linked: Linked[] = [];
  const dangling: { path: string; entry: LayerEntry }[] = [];
  for (const { path, entry } of tree.links()) {
    const real = tree.resolve(path);
    if (real === undefined) {
      dangling.push({ path, entry });
      continue;
    }
    const file = tree.file(real);
    if (file !== undefined) linked.push({ path, real, entry: file.entry });
    const names = tree.list(real);
    if (linked.length + names.length > maxLinkedNames) return { linked, dangling, cut: { path, entry } };
    for (const name of names) {
      const below = tree.file(real === '' ? name : `${real}/${name}`);
      if (below !== undefined) linked.push({ path: `${path}/${name}`, real: below.path, entry: below.entry });
    }
  }
  return { linked, dangling };
}

function take(survey: Survey, cataloger: Cataloger, path: string, entry: LayerEntry, outcome: Outcome): void {
  if ('deferred' in outcome) {
    survey.pending.push({ entry, path, cataloger });
    return;
  }
  const place = { path, layer: entry.layer, cataloger: cataloger.id };
  if ('failure' in outcome) {
    survey.gaps.push({ rule: outcome.rule, ...place, reason: outcome.failure });
    return;
  }
  for (const reason of outcome.gaps) survey.gaps.push({ rule: 'unreadable-record', ...place, reason });
  if (outcome.fact === undefined) return;
  const found = survey.found.get(cataloger) ?? [];
  found.push({ path, layer: entry.layer, size: entry.size, fact: outcome.fact });
  survey.found.set(cataloger, found);
}

async function secondPass(source: Source, survey: Survey, limits: CollectLimits): Promise<void> {
  const byEntry = Map.groupBy(survey.pending, (each) => each.entry);
  if (byEntry.size === 0) return;
  const wanted = new Map(
    [...byEntry].map(([entry, all]) => {
      const takers = all.map(({ path, cataloger }) =>
        gatherFor(entry, path, cataloger, limits, (outcome) => {
          if (outcome !== undefined) take(survey, cataloger, path, entry, outcome);
        }),
      );
      return [entry, together(takers)];
    }),
  );
  await source.reread(wanted);
}

type Taker = ReturnType<typeof gatherFor>;

function together(takers: readonly Taker[]): Taker {
  return {
    idle: false,
    chunk: (bytes) => {
      for (const each of takers) each.chunk(bytes);
    },
    end: () => {
      for (const each of takers) each.end();
    },
  };
}

function foundBy<Fact>(survey: Survey, cataloger: Cataloger<Fact>): readonly Found<Fact>[] {
  const found = (survey.found.get(cataloger as Cataloger) ?? []) as Found<Fact>[];
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.layer - b.layer));
}

async function assemble(
  cataloger: Cataloger,
  found: readonly Found<unknown>[],
  context: AssembleContext,
): Promise<readonly Package[]> {
  // Those who only name what is not read look into the tree, too: some kinds have no file that is typical of them.
  if (found.length === 0 && cataloger.unread !== true) return [];
  try {
    return await cataloger.assemble(found, context);
  } catch (error) {
    // A source that has changed or broken since the first pass is no gap: nothing that was seen counts then.
    if (error instanceof OperationalError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const why = error instanceof Unreadable ? reason : `an error in tidewaiter: ${reason}`;
    for (const { path } of found) context.gap(path, `was read, but nothing could be made of it: ${why}`);
    return [];
  }
}

function contextOf(
  source: Source,
  tree: Tree,
  distro: Distro | undefined,
  cataloger: Cataloger,
  gaps: CatalogGap[],
): AssembleContext {
  return {
    distro,
    gap: (path, reason) => {
      const rule = cataloger.unread === true ? 'unread-packages' : 'unreadable-record';
      gaps.push({ rule, path, cataloger: cataloger.id, reason });
    },
    tree: {
      resolve: (path) => tree.resolve(path),
      list: (path) => tree.list(path),
      read: (path, max) => readAgain(source, tree, path, max),
    },
  };
}

async function readAgain(source: Source, tree: Tree, path: string, max: number): Promise<Buffer> {
  const file = tree.file(path);
  if (file === undefined) throw new Unreadable('there is no such file');
  if (file.entry.size > max) throw new Unreadable(`has ${file.entry.size} bytes, more than the ${max} allowed`);
  const pieces: Buffer[] = [];
  const taker: Taker = { idle: false, chunk: (bytes) => pieces.push(bytes), end: () => {} };
  await source.reread(new Map([[file.entry, taker]]));
  return Buffer.concat(pieces);
}

function sourceGap({ rule, path, layer, reason }: SourceGap): CatalogGap {
  return { rule, path, layer, reason };
}
