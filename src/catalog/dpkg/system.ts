/**
 * The packages of one system (one root directory) out of the records of its databases, with what the files beside the
 * databases add. dpkg and opkg differ in where the files lie and in a few names; this is what they share.
 */
import { type Vendor, vendorOf } from '../os-release/index.ts';
import type { Distro, Package, Place } from '../types.ts';
import type { PackageRecord } from './record.ts';
import { relationsOf } from './relations.ts';

/** A record and the database file that it stands in. */
export interface Sighted {
  readonly record: PackageRecord;
  readonly place: Place;
}

export interface System {
  /** Root directory of the system, empty for the outermost. */
  readonly root: string;
  readonly kind: 'dpkg' | 'opkg';
  readonly distro: Distro | undefined;
  readonly sighted: readonly Sighted[];
  licensesOf(record: PackageRecord): readonly string[];
  /** Paths in the tree, or undefined where no list of files is there. */
  filesOf(sighted: Sighted): (() => Iterable<string>) | undefined;
}

export function packagesOf(system: System): Package[] {
  const entries = distinct(system.sighted);
  const needs = relationsOf(entries.map((entry) => entry.record));
  const keyOf = new Map(entries.map((entry) => [entry.record, entryKey(system.root, entry)]));
  const vendor = vendorOf(system.kind === 'dpkg' ? 'deb' : 'opkg', system.distro);
  return entries.map((entry) => {
    const { packages, complete } = needs(entry.record);
    return {
      ...describe(system, entry, vendor),
      key: keyOf.get(entry.record)!,
      requires: [...packages].map((each) => keyOf.get(each)!),
      ...(!complete && { requiresIncomplete: true }),
    };
  });
}

interface Entry {
  /** `bash:amd64`; with the version where another database of the system states another one. */
  readonly id: string;
  readonly record: PackageRecord;
  readonly sighted: Sighted[];
}

/** One entry for each name, architecture and version; the places of equal ones are joined. */
function distinct(sighted: readonly Sighted[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const each of sighted) {
    const id = `${each.record.name}:${each.record.architecture ?? ''}`;
    const known = entries.get(id);
    const unequal = known !== undefined && known.record.version !== each.record.version;
    const key = unequal ? `${id}@${each.record.version}` : id;
    const entry = entries.get(key);
    if (entry === undefined) entries.set(key, { id: key, record: each.record, sighted: [each] });
    else entry.sighted.push(each);
  }
  return [...entries.values()];
}

function entryKey(root: string, entry: Entry): string {
  return root === '' ? entry.id : `${root}/${entry.id}`;
}

function describe(system: System, entry: Entry, vendor: Vendor): Omit<Package, 'key'> {
  const { record } = entry;
  const owns = firstDefined(entry.sighted, (each) => system.filesOf(each));
  const licenses = system.licensesOf(record);
  const properties = propertiesOf(system.kind, record, vendor);
  return {
    purl: purlOf(system.kind, record, vendor),
    name: record.name,
    version: record.version,
    ...(licenses.length > 0 && { licenses }),
    ...(record.maintainer !== undefined && { supplier: record.maintainer }),
    ...(record.description !== undefined && { description: record.description }),
    ...(record.homepage !== undefined && { homepage: record.homepage }),
    places: placesOf(entry),
    ...(owns !== undefined && { owns }),
    technique: 'manifest-analysis',
    confidence: 1,
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}

/** A file is one place, however often it states the package. */
function placesOf(entry: Entry): Place[] {
  return [...new Map(entry.sighted.map(({ place }) => [place.path, place])).values()];
}

function firstDefined<T, R>(values: readonly T[], of: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const result = of(value);
    if (result !== undefined) return result;
  }
  return undefined;
}

function purlOf(kind: System['kind'], record: PackageRecord, vendor: Vendor): Package['purl'] {
  const upstream = kind === 'dpkg' ? upstreamOf(record) : undefined;
  const qualifiers = {
    ...(record.architecture !== undefined && { arch: record.architecture }),
    ...(vendor.distro !== undefined && { distro: vendor.distro }),
    ...(upstream !== undefined && { upstream }),
  };
  return {
    type: kind === 'dpkg' ? 'deb' : 'opkg',
    ...(vendor.namespace !== undefined && { namespace: vendor.namespace }),
    name: record.name,
    version: record.version,
    ...(Object.keys(qualifiers).length > 0 && { qualifiers }),
  };
}

/** The source package, by which most advisories go, where it is not simply the package itself. */
function upstreamOf({ name, source, sourceVersion }: PackageRecord): string | undefined {
  if (sourceVersion !== undefined) return `${source ?? name}@${sourceVersion}`;
  return source === name ? undefined : source;
}

function propertiesOf(kind: System['kind'], record: PackageRecord, vendor: Vendor): Record<string, string> {
  const values: ReadonlyArray<readonly [string, string | undefined]> = [
    ['source', record.source ?? (kind === 'dpkg' ? record.name : undefined)],
    ['source-version', record.sourceVersion ?? (kind === 'dpkg' ? record.version : undefined)],
    ['status', record.status],
    ['section', record.section],
    ['priority', record.priority],
    ['essential', record.essential ? 'yes' : undefined],
    ['multi-arch', record.multiArch],
    ['installed-size', record.installedSize],
    ['cpe-id', record.cpeId],
    // Says that the namespace of the purl is a default and no statement of the system.
    ['vendor', vendor.assumed && vendor.namespace !== undefined ? 'assumed' : undefined],
  ];
  const properties: Record<string, string> = {};
  for (const [name, value] of values) if (value !== undefined) properties[`${kind}:${name}`] = value;
  return properties;
}
