/**
 * Packages installed by apk. The database is database.ts; what a package needs is stated in `D` by name, by library
 * (`so:libc.musl-x86_64.so.1`), by command (`cmd:sh`), by pkg-config module (`pc:zlib`) or by path (`/bin/sh`), and is
 * looked up among package names first and then in what the installed packages state in `p`. Where several provide it, all
 * are taken. Versions are not compared, apk did that when it installed. `!name` is a conflict and no need.
 *
 * The checksum in `C` covers the control part of the archive, not the archive, so it is a property and no hash.
 */
import { parseMaintainer } from '../dpkg/maintainer.ts';
import {
  distroAt,
  isNestedRelease,
  pathsInSystem,
  readNestedRelease,
  type Vendor,
  vendorOf,
} from '../os-release/index.ts';
import type { AssembleContext, Cataloger, Distro, FileBytes, Found, Package, Place, ReportGap } from '../types.ts';
import { type ApkRecord, installedPaths, parseInstalled } from './database.ts';
import { needsOf } from './needs.ts';

export type ApkFact =
  | { readonly kind: 'records'; readonly records: readonly ApkRecord[] }
  | { readonly kind: 'release'; readonly distro: Distro };

const maxDatabase = 48 * 2 ** 20;
const maxPart = 16 * 2 ** 20;

export const apk: Cataloger<ApkFact> = {
  id: 'apk/installed',
  kind: 'installed',
  anchors: ['lib/apk/db/installed', 'usr/lib/apk/db/installed'],
  maxBytes: (path) => (rootOf(path) === undefined ? maxPart : maxDatabase),
  wants: ({ path }) => rootOf(path) !== undefined || isNestedRelease(path),
  read,
  assemble,
};

function read({ path, bytes }: FileBytes, gap: ReportGap): ApkFact | undefined {
  if (rootOf(path) !== undefined) return { kind: 'records', records: parseInstalled(bytes, gap) };
  const distro = readNestedRelease(path, bytes);
  return distro && { kind: 'release', distro };
}

/** Root directory of the system whose database this is: what stands before the well-known place. */
function rootOf(path: string): string | undefined {
  if (!path.endsWith('lib/apk/db/installed')) return undefined;
  const match = /^(?:(.+?)\/)??(?:usr\/)?lib\/apk\/db\/installed$/s.exec(path);
  return match === null ? undefined : (match[1] ?? '');
}

interface Entry {
  readonly key: string;
  readonly record: ApkRecord;
  readonly places: Place[];
}

function assemble(found: readonly Found<ApkFact>[], context: AssembleContext): readonly Package[] {
  const releases = new Map<string, Found<Distro>>();
  const systems = new Map<string, Map<string, Entry>>();
  // By path, so that nothing depends on the order in which the files came.
  for (const from of [...found].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (from.fact.kind === 'release') {
      releases.set(from.path, { ...from, fact: from.fact.distro });
      continue;
    }
    const root = rootOf(from.path) ?? '';
    const entries = systems.get(root) ?? new Map<string, Entry>();
    systems.set(root, entries);
    for (const record of from.fact.records) addRecord(entries, root, record, { path: from.path, layer: from.layer });
  }
  return [...systems].flatMap(([root, entries]) => {
    const distro = root === '' ? context.distro : distroAt(root, releases);
    return packagesOf([...entries.values()], root, vendorOf('apk', distro), context);
  });
}

/** Equal records of two databases (one may be reached by both well-known paths) are one package in two places. */
function addRecord(entries: Map<string, Entry>, root: string, record: ApkRecord, place: Place): void {
  const plain = root === '' ? record.name : `${root}/${record.name}`;
  const known = entries.get(plain);
  const key = known === undefined || known.record.version === record.version ? plain : `${plain}@${record.version}`;
  const entry = entries.get(key);
  if (entry === undefined) entries.set(key, { key, record, places: [place] });
  else if (!entry.places.some(({ path }) => path === place.path)) entry.places.push(place);
}

function packagesOf(entries: readonly Entry[], root: string, vendor: Vendor, context: AssembleContext): Package[] {
  const needs = needsOf(entries.map(({ record }) => record));
  const keyOf = new Map(entries.map(({ key, record }) => [record, key]));
  return entries.map(({ key, record, places }) => {
    const { packages, complete } = needs(record);
    return {
      key,
      ...describe(record, vendor),
      places,
      requires: [...packages].map((each) => keyOf.get(each)!),
      ...(!complete && { requiresIncomplete: true }),
      owns: () => pathsInSystem(root, installedPaths(record.bytes), context.tree),
    };
  });
}

function describe(record: ApkRecord, vendor: Vendor): Omit<Package, 'key' | 'places'> {
  const { name, version } = record;
  const license = stated(record, 'L');
  const supplier = parseMaintainer(stated(record, 'm'));
  const description = stated(record, 'T');
  const homepage = stated(record, 'U');
  return {
    purl: purlOf(record, vendor),
    name,
    version,
    ...(license !== undefined && { licenses: [license] }),
    ...(supplier !== undefined && { supplier }),
    ...(description !== undefined && { description }),
    ...(homepage !== undefined && { homepage }),
    technique: 'manifest-analysis',
    confidence: 1,
    properties: propertiesOf(record, vendor),
  };
}

function purlOf(record: ApkRecord, vendor: Vendor): Package['purl'] {
  const arch = stated(record, 'A');
  const origin = stated(record, 'o');
  const qualifiers = {
    ...(arch !== undefined && { arch }),
    ...(vendor.distro !== undefined && { distro: vendor.distro }),
    // Advisories go by the source package.
    ...(origin !== undefined && origin !== record.name && { upstream: origin }),
  };
  return {
    type: 'apk',
    ...(vendor.namespace !== undefined && { namespace: vendor.namespace }),
    name: record.name,
    version: record.version,
    ...(Object.keys(qualifiers).length > 0 && { qualifiers }),
  };
}

function propertiesOf(record: ApkRecord, vendor: Vendor): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const [name, field] of propertyFields) {
    const value = stated(record, field);
    if (value !== undefined) properties[`apk:${name}`] = value;
  }
  // Says that the namespace of the purl is a default and no statement of the system.
  if (vendor.assumed) properties['apk:vendor'] = 'assumed';
  return properties;
}

const propertyFields: ReadonlyArray<readonly [name: string, field: string]> = [
  ['origin', 'o'],
  ['checksum', 'C'],
  ['commit', 'c'],
  ['build-time', 't'],
  ['size', 'S'],
  ['installed-size', 'I'],
  ['broken', 'f'],
];

function stated(record: ApkRecord, field: string): string | undefined {
  const value = record.fields.get(field);
  return value === '' ? undefined : value;
}
