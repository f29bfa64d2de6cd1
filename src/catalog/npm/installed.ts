/**
 * npm packages that lie on the disk: their package.json, wherever places.ts says that one is a package, completed by
 * `node_modules/.package-lock.json`, npm's own record of what it put there and from where.
 */
import { parentOf } from '../../archive/path.ts';
import type { AssembleContext, Cataloger, Found, Package, ReportGap } from '../types.ts';
import { Unreadable } from '../types.ts';
import { asText, parseJsonObject } from './json.ts';
import { parseLockEntries } from './lock-entries.ts';
import type { LockEntry } from './lock-entry.ts';
import { isForeign, type Manifest, manifestFields, parseManifest } from './manifest.ts';
import { isPackageName, npmPurl } from './names.ts';
import { isEditorFolder, type Place, placeOf, roleIn } from './places.ts';
import { nodeResolution, type Resolve } from './resolution.ts';
import { parseSource, sourceQualifiers } from './source.ts';

type Fact =
  /** `isForeign`: an application that says it belongs to another ecosystem. */
  | { readonly kind: 'package'; readonly place: Place; readonly manifest: Manifest; readonly isForeign: boolean }
  /** An application's package.json that names no package; `reason` when it cannot be read. */
  | { readonly kind: 'other'; readonly place: Place; readonly reason?: string }
  /** By location below the directory that holds node_modules. */
  | { readonly kind: 'record'; readonly entries: ReadonlyMap<string, Recorded> };

/** An entry without the JSON that it came from, which would keep the whole file in memory. */
type Recorded = Omit<LockEntry, 'json' | 'folder' | 'target'>;

interface Manifested {
  readonly path: string;
  readonly layer: number;
  readonly directory: string;
  readonly place: Place;
  readonly manifest: Manifest;
}

const maxManifest = 16 * 2 ** 20;
const maxRecord = 64 * 2 ** 20;
const recordName = 'node_modules/.package-lock.json';

export const npmInstalled: Cataloger<Fact> = {
  id: 'npm/installed',
  kind: 'installed',
  maxBytes: (path) => (isRecord(path) ? maxRecord : maxManifest),
  wants: ({ path }) => isRecord(path) || (isManifest(path) && placeOf(path) !== undefined),
  read: (file, gap) => {
    if (isRecord(file.path)) {
      const { located } = parseLockEntries(parseJsonObject(file.bytes, maxRecord), gap);
      return { kind: 'record', entries: new Map([...located].map(([at, entry]) => [at, compact(entry)])) };
    }
    const place = placeOf(file.path);
    return place === undefined ? undefined : readManifest(file.bytes, place, gap);
  },
  assemble: (found, context) => {
    const packages = selectPackages(found, context);
    const byDirectory = new Map(packages.map((each) => [each.directory, each.path]));
    const resolveFrom = nodeResolution(context.tree, (directory) => byDirectory.has(directory));
    const recordOf = recordLookup(found);
    return packages.map((each) => toPackage(each, recordOf(each), byDirectory, resolveFrom(each.directory)));
  },
};

function compact({ json: _json, folder: _folder, target: _target, ...recorded }: LockEntry): Recorded {
  return recorded;
}

function isManifest(path: string): boolean {
  return path === 'package.json' || path.endsWith('/package.json');
}

function isRecord(path: string): boolean {
  return path === recordName || path.endsWith(`/${recordName}`);
}

function readManifest(bytes: Buffer, place: Place, gap: ReportGap): Fact | undefined {
  const isApplication = place.kind === 'application';
  try {
    const json = parseJsonObject(bytes, maxManifest);
    const manifest = parseManifest(json);
    if (manifest !== undefined && isPackageName(manifest.name)) {
      return { kind: 'package', place, manifest, isForeign: isApplication && isForeign(json) };
    }
    if (manifest !== undefined && place.kind === 'installed') {
      throw new Unreadable('its name is not one of an npm package');
    }
    if (place.kind === 'installed' && isPackageName(asText(json['name']) ?? '')) gap('names no version');
    return isApplication ? { kind: 'other', place } : undefined;
  } catch (error) {
    // Whether a broken one outside of node_modules matters is known only when the applications are.
    if (!isApplication || !(error instanceof Unreadable)) throw error;
    return { kind: 'other', place, reason: error.message };
  }
}

/** Leaves out test data and the manifests that only repeat the package around them. */
function selectPackages(found: readonly Found<Fact>[], context: AssembleContext): readonly Manifested[] {
  const applications = new Set<string>();
  const installed = new Map<string, Manifest>();
  for (const { path, fact } of found) {
    if (fact.kind === 'package' && fact.place.kind === 'installed') installed.set(parentOf(path), fact.manifest);
    else if (fact.kind === 'other' || (fact.kind === 'package' && fact.place.kind === 'application')) {
      applications.add(parentOf(path));
    }
  }
  const packages: Manifested[] = [];
  for (const { path, layer, fact } of found) {
    const directory = parentOf(path);
    if (fact.kind === 'record' || (fact.kind === 'other' && fact.reason === undefined)) continue;
    if (fact.place.kind === 'application' && !isApplication(path, fact, applications, context)) continue;
    if (fact.kind === 'other') context.gap(path, fact.reason ?? '');
    else if (!isRepetition(fact, installed)) {
      packages.push({ path, layer, directory, place: fact.place, manifest: fact.manifest });
    }
  }
  return packages;
}

/** What nobody installs (test data, examples, editor extensions) is one only where node_modules beside it says so. */
function isApplication(
  path: string,
  fact: Exclude<Fact, { kind: 'record' }>,
  applications: ReadonlySet<string>,
  { tree }: AssembleContext,
): boolean {
  const role = roleBelow(path, applications);
  if (role === 'test') return false;
  const isForeignHere = fact.kind === 'package' && fact.isForeign;
  if (isForeignHere && isEditorFolder(path)) return false;
  const isDoubtful = fact.place.kind === 'application' && fact.place.isDoubtful;
  if (role === 'part' && !isDoubtful && !isForeignHere) return true;
  return tree.list(parentOf(path)).includes('node_modules');
}

function roleBelow(path: string, applications: ReadonlySet<string>): 'test' | 'sample' | 'part' {
  let role: 'sample' | 'part' = 'part';
  for (let directory = parentOf(path); directory !== ''; ) {
    directory = parentOf(directory);
    const here = applications.has(directory) ? roleIn(directory, path) : 'part';
    if (here === 'test') return here;
    if (here === 'sample') role = here;
  }
  return role;
}

function isRepetition(fact: { place: Place; manifest: Manifest }, installed: ReadonlyMap<string, Manifest>): boolean {
  if (fact.place.kind !== 'copied') return false;
  const around = installed.get(fact.place.around);
  const isSame = around?.name === fact.manifest.name && around.version === fact.manifest.version;
  return isSame || fact.manifest.private;
}

/** What npm recorded of a package, when it recorded this version of it. */
function recordLookup(found: readonly Found<Fact>[]): (one: Manifested) => Recorded | undefined {
  const records = new Map<string, ReadonlyMap<string, Recorded>>();
  for (const { path, fact } of found) {
    if (fact.kind === 'record') records.set(path.slice(0, -recordName.length), fact.entries);
  }
  return ({ directory, manifest }) => {
    for (let at = directory.indexOf('node_modules/'); at >= 0; at = directory.indexOf('node_modules/', at + 1)) {
      const entry = records.get(directory.slice(0, at))?.get(directory.slice(at));
      if (entry?.name === manifest.name && entry.version === manifest.version) return entry;
    }
    return undefined;
  };
}

function toPackage(
  { path, layer, place, manifest }: Manifested,
  record: Recorded | undefined,
  byDirectory: ReadonlyMap<string, string>,
  resolve: Resolve,
): Package {
  const keyOf = (name: string) => byDirectory.get(resolve(name) ?? '\0');
  const needs = manifest.needs.map(keyOf);
  const requires = new Set([...needs, ...manifest.takes.map(keyOf)].filter((key) => key !== undefined));
  requires.delete(path);
  const resolved = record?.resolved ?? manifest.resolved;
  const source = resolved === undefined ? undefined : parseSource(resolved);
  const hashes = record !== undefined && record.hashes.length > 0 ? record.hashes : manifest.hashes;
  const properties = {
    ...(manifest.private && { 'npm:private': 'true' }),
    ...(place.kind === 'copied' && { 'npm:copied-in': place.around }),
  };
  return {
    key: path,
    purl: npmPurl(manifest.name, manifest.version, source && sourceQualifiers(source, true)),
    name: manifest.name,
    version: manifest.version,
    kind: place.kind === 'application' ? 'application' : 'library',
    ...(record?.scope !== undefined && { scope: record.scope }),
    ...(source?.kind === 'git' && { vcs: source.repository }),
    ...manifestFields(manifest),
    ...(hashes.length > 0 && { hashes }),
    ...(source?.kind === 'archive' && { distribution: source.url }),
    places: [{ path, layer }],
    requires: [...requires],
    ...((manifest.isCut || needs.includes(undefined)) && { requiresIncomplete: true }),
    technique: 'manifest-analysis',
    confidence: place.kind === 'copied' ? 0.7 : 1,
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}
