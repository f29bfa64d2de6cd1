/**
 * Packages installed by opkg: OpenWrt, Yocto images, Entware.
 *
 *     usr/lib/opkg/status                a stanza for each package, as in dpkg's status file, but with few fields
 *     usr/lib/opkg/info/busybox.control  the package's own control stanza: source, licence, maintainer, description
 *     usr/lib/opkg/info/busybox.list     what it put on the disk
 *
 * The status file says what is installed; a control file adds what the status file lacks. A control file whose package
 * the status file does not mention is counted: opkg removes it with the package.
 */
import { parentOf } from '../../archive/path.ts';
import { distroAt, isNestedRelease, pathsInSystem, readNestedRelease } from '../os-release/index.ts';
import type { AssembleContext, Cataloger, Distro, FileBytes, Found, Package, ReportGap } from '../types.ts';
import { type ListFact, orphanReason, type ReadingsFact, readStanzas } from './database.ts';
import { listedPaths } from './file-list.ts';
import { type Located, locateOpkg } from './layout.ts';
import type { PackageRecord } from './record.ts';
import { packagesOf, type Sighted } from './system.ts';

export type OpkgFact = ReadingsFact | ListFact | { readonly kind: 'release'; readonly distro: Distro };

const maxDatabase = 48 * 2 ** 20;
const maxPart = 16 * 2 ** 20;

export const opkg: Cataloger<OpkgFact> = {
  id: 'opkg/status',
  kind: 'installed',
  anchors: ['usr/lib/opkg/status', 'usr/lib/opkg/info', 'var/lib/opkg/status', 'var/lib/opkg/info'],
  maxBytes: (path) => (locateOpkg(path)?.role === 'status' ? maxDatabase : maxPart),
  wants: ({ path }) => locateOpkg(path) !== undefined || isNestedRelease(path),
  read,
  assemble,
};

function read({ path, bytes }: FileBytes, gap: ReportGap): OpkgFact | undefined {
  const located = locateOpkg(path);
  if (located === undefined) {
    const distro = readNestedRelease(path, bytes);
    return distro && { kind: 'release', distro };
  }
  if (located.role === 'list') return { kind: 'list', format: 'opkg', bytes };
  const readings = readStanzas(bytes, located.role === 'status', gap);
  if (located.role === 'control' && readings.length === 0) gap('states no package, where one is expected');
  return { kind: 'readings', readings };
}

function assemble(found: readonly Found<OpkgFact>[], context: AssembleContext): readonly Package[] {
  const releases = new Map<string, Found<Distro>>();
  const systems = new Map<string, Part[]>();
  for (const from of [...found].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { fact } = from;
    const located = locateOpkg(from.path);
    if (fact.kind === 'release') releases.set(from.path, { ...from, fact: fact.distro });
    else if (located !== undefined) {
      const parts = systems.get(located.root) ?? [];
      systems.set(located.root, parts);
      parts.push({ located, from, fact });
    }
  }
  return [...systems].flatMap(([root, parts]) => {
    const lists = new Map(
      parts.flatMap(({ from, fact }) => (fact.kind === 'list' ? [[from.path, fact] as const] : [])),
    );
    nameOrphans(parts, context);
    return packagesOf({
      root,
      kind: 'opkg',
      distro: root === '' ? context.distro : distroAt(root, releases),
      sighted: installedByOpkg(parts),
      licensesOf: ({ license }) => (license === undefined ? [] : [license]),
      filesOf: ({ record, place }) => {
        const list = lists.get(`${infoBeside(place.path)}/${record.name}.list`);
        return list && (() => pathsInSystem(root, listedPaths(list.bytes, list.format), context.tree));
      },
    });
  });
}

interface Part {
  readonly located: Located;
  readonly from: Found<OpkgFact>;
  readonly fact: ReadingsFact | ListFact;
}

function installedByOpkg(parts: readonly Part[]): readonly Sighted[] {
  const read = parts.flatMap(({ located, from, fact }) =>
    fact.kind === 'readings' ? fact.readings.map((reading) => ({ ...reading, role: located.role, from })) : [],
  );
  const controls = new Map<string, PackageRecord>();
  for (const { role, record, from } of read) {
    if (role === 'control' && record !== undefined) controls.set(controlKey(record.name, from.path), record);
  }
  const listed = new Set<string>();
  const sighted: Sighted[] = [];
  for (const { role, name, record, from } of read) {
    if (role !== 'status') continue;
    listed.add(controlKey(name, from.path));
    if (record === undefined) continue;
    const control = controls.get(controlKey(name, from.path));
    sighted.push({ record: supplemented(record, control), place: { path: from.path, layer: from.layer } });
  }
  for (const { role, name, record, from } of read) {
    if (role !== 'control' || record === undefined || listed.has(controlKey(name, from.path))) continue;
    sighted.push({ record, place: { path: from.path, layer: from.layer } });
  }
  return sighted;
}

/** A package in one of opkg's directories: a system may have several, one for each destination. */
function controlKey(name: string, path: string): string {
  return `${infoBeside(path)}/${name}`;
}

function infoBeside(path: string): string {
  const directory = parentOf(path);
  return directory.endsWith('/info') ? directory : `${directory}/info`;
}

/** Control data of another version than the installed one says nothing about it. */
function supplemented(record: PackageRecord, control: PackageRecord | undefined): PackageRecord {
  if (control === undefined || control.version !== record.version) return record;
  return {
    ...control,
    ...record,
    depends: record.depends.length > 0 ? record.depends : control.depends,
    essential: record.essential || control.essential,
  };
}

function nameOrphans(parts: readonly Part[], context: AssembleContext): void {
  const known = new Set(
    parts.flatMap(({ fact }) => (fact.kind === 'readings' ? fact.readings : [])).map(({ name }) => name),
  );
  const orphans = parts.filter(({ located }) => located.role === 'list' && !known.has(located.stem));
  if (orphans.length === 0) return;
  context.gap(parentOf(orphans[0]!.from.path), orphanReason(orphans.map(({ located }) => located.stem)));
}
