/**
 * Packages installed by dpkg: Debian, Ubuntu and their derivatives, and distroless images made from their packages.
 *
 *     var/lib/dpkg/status            all packages, a stanza each (control.ts, record.ts)
 *     var/lib/dpkg/updates/0001      stanzas that replace those of status, left by a dpkg that was stopped
 *     var/lib/dpkg/status.d/libc6    one package each, in images assembled without dpkg; with libc6.md5sums
 *     var/lib/dpkg/info/bash.list    what the package put on the disk; libc6:amd64.list where architectures may coexist
 *     usr/share/doc/bash/copyright   licences (copyright.ts)
 *
 * When a status file states a package twice, the last stanza counts, as for dpkg, and a gap says so. Lists without a
 * stanza mean that a database was cut: their packages cannot be told from nothing and are named in a gap.
 */
import { baseOf, parentOf } from '../../archive/path.ts';
import { quoted } from '../../diag/index.ts';
import { distroAt, isNestedRelease, pathsInSystem, readNestedRelease } from '../os-release/index.ts';
import type { AssembleContext, Cataloger, Distro, FileBytes, Found, Package, ReportGap } from '../types.ts';
import { parseCopyright } from './copyright.ts';
import { identityOf, type ListFact, orphanReason, type ReadingsFact, readStanzas } from './database.ts';
import { listedPaths } from './file-list.ts';
import { boundedGaps } from './gaps.ts';
import { type Located, locateDpkg } from './layout.ts';
import type { PackageRecord, Reading } from './record.ts';
import { packagesOf, type Sighted } from './system.ts';

export type DpkgFact =
  | ReadingsFact
  | ListFact
  | { readonly kind: 'licenses'; readonly names: readonly string[] }
  | { readonly kind: 'release'; readonly distro: Distro };

const maxDatabase = 48 * 2 ** 20;
const maxPart = 16 * 2 ** 20;
const maxCopyright = 4 * 2 ** 20;

export const dpkg: Cataloger<DpkgFact> = {
  id: 'dpkg/status',
  kind: 'installed',
  anchors: ['var/lib/dpkg/status', 'var/lib/dpkg/status.d', 'var/lib/dpkg/info', 'var/lib/dpkg/updates'],
  maxBytes: (path) => {
    const role = locateDpkg(path)?.role;
    return role === 'status' || role === 'journal' ? maxDatabase : role === 'copyright' ? maxCopyright : maxPart;
  },
  wants: ({ path }) => locateDpkg(path) !== undefined || isNestedRelease(path),
  read,
  assemble,
};

function read({ path, bytes }: FileBytes, gap: ReportGap): DpkgFact | undefined {
  const located = locateDpkg(path);
  if (located === undefined) {
    const distro = readNestedRelease(path, bytes);
    return distro && { kind: 'release', distro };
  }
  switch (located.role) {
    case 'status':
    case 'journal':
      return { kind: 'readings', readings: readStanzas(bytes, true, gap) };
    case 'status.d':
      return readStatusD(path, bytes, gap);
    case 'copyright':
      return { kind: 'licenses', names: parseCopyright(bytes) };
    default:
      return { kind: 'list', format: 'dpkg', bytes };
  }
}

/**
 * What a file in status.d is follows from its content: one that has a Package field is a package whatever its name ends
 * in, or a package could hide behind the name of a list.
 */
function readStatusD(path: string, bytes: Buffer, gap: ReportGap): DpkgFact | undefined {
  const isPackage = /^package[ \t]*:/im.test(bytes.toString('latin1'));
  if (isPackage) return { kind: 'readings', readings: readStanzas(bytes, false, gap) };
  if (path.endsWith('.md5sums')) return { kind: 'list', format: 'md5sums', bytes };
  if (path.endsWith('.list')) return { kind: 'list', format: 'dpkg', bytes };
  if (!path.includes('/.', path.lastIndexOf('/'))) gap('states no package, where one is expected');
  return undefined;
}

function assemble(found: readonly Found<DpkgFact>[], context: AssembleContext): readonly Package[] {
  const releases = new Map<string, Found<Distro>>();
  const licenses = new Map<string, readonly string[]>();
  const systems = new Map<string, Part[]>();
  // By path, so that nothing depends on the order in which the files came.
  for (const from of [...found].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { fact } = from;
    const located = locateDpkg(from.path);
    if (fact.kind === 'release') releases.set(from.path, { ...from, fact: fact.distro });
    else if (fact.kind === 'licenses') licenses.set(from.path, fact.names);
    else if (located !== undefined) {
      const parts = systems.get(located.root) ?? [];
      systems.set(located.root, parts);
      parts.push({ located, from, fact });
    }
  }
  return [...systems].flatMap(([root, parts]) => {
    const lists = listsOf(parts);
    nameOrphans(parts, context);
    return packagesOf({
      root,
      kind: 'dpkg',
      distro: root === '' ? context.distro : distroAt(root, releases),
      sighted: [...installedByDpkg(parts, context), ...installedByCopy(parts)],
      licensesOf: ({ name }) => licensesOf(name, root, licenses, context),
      filesOf: (sighted) => {
        const list = listFor(sighted, lists);
        return list && (() => pathsInSystem(root, listedPaths(list.bytes, list.format), context.tree));
      },
    });
  });
}

interface Part {
  readonly located: Located;
  readonly from: Found<DpkgFact>;
  readonly fact: ReadingsFact | ListFact;
}

/** What the status files of a system say, each with its journal. */
function installedByDpkg(parts: readonly Part[], context: AssembleContext): readonly Sighted[] {
  const databases = new Map<string, Map<string, Reading & { readonly from: Found<DpkgFact> }>>();
  for (const role of ['status', 'journal'] as const) {
    for (const { located, from, fact } of parts) {
      if (located.role !== role || fact.kind !== 'readings') continue;
      const directory = role === 'status' ? parentOf(from.path) : parentOf(parentOf(from.path));
      const database = databases.get(directory) ?? new Map<string, Reading & { readonly from: Found<DpkgFact> }>();
      databases.set(directory, database);
      const repetitions = boundedGaps((reason) => context.gap(from.path, reason));
      for (const reading of fact.readings) {
        const identity = identityOf(reading);
        if (database.get(identity)?.from === from && reading.name !== '') {
          repetitions.add(`package ${quoted(reading.name)} stands there more than once; the last record counts`);
        }
        database.set(identity, { ...reading, from });
      }
      repetitions.end();
    }
  }
  return [...databases.values()].flatMap((database) =>
    [...database.values()].flatMap(({ record, from }) => sighted(record, from)),
  );
}

/** Every stanza of status.d, where there is no dpkg to prefer one. */
function installedByCopy(parts: readonly Part[]): readonly Sighted[] {
  return parts.flatMap(({ located, from, fact }) =>
    located.role === 'status.d' && fact.kind === 'readings'
      ? fact.readings.flatMap(({ record }) => sighted(record, from))
      : [],
  );
}

function sighted(record: PackageRecord | undefined, { path, layer }: Found<DpkgFact>): Sighted[] {
  return record === undefined ? [] : [{ record, place: { path, layer } }];
}

function listsOf(parts: readonly Part[]): ReadonlyMap<string, ListFact> {
  return new Map(parts.flatMap(({ from, fact }) => (fact.kind === 'list' ? [[from.path, fact] as const] : [])));
}

/** The list that belongs to a record lies beside the file that the record stands in. */
function listFor({ record, place }: Sighted, lists: ReadonlyMap<string, ListFact>): ListFact | undefined {
  const directory = parentOf(place.path);
  if (baseOf(directory) === 'status.d') return lists.get(`${place.path}.md5sums`) ?? lists.get(`${place.path}.list`);
  const info = `${baseOf(directory) === 'updates' ? parentOf(directory) : directory}/info`;
  return (
    lists.get(`${info}/${record.name}:${record.architecture ?? ''}.list`) ?? lists.get(`${info}/${record.name}.list`)
  );
}

/** Lists that no record goes with, by folder. In info a list goes with a package, in status.d with the file beside it. */
function nameOrphans(parts: readonly Part[], context: AssembleContext): void {
  const readings = parts.flatMap(({ fact }) => (fact.kind === 'readings' ? fact.readings : []));
  const names = new Set(readings.map(({ name }) => name));
  const files = new Set(parts.flatMap(({ from, fact }) => (fact.kind === 'readings' ? [from.path] : [])));
  const orphans = new Map<string, string[]>();
  for (const { located, from, fact } of parts) {
    const directory = parentOf(from.path);
    const known =
      located.role === 'status.d' ? files.has(`${directory}/${located.stem}`) : names.has(located.stem.split(':')[0]!);
    if (fact.kind !== 'list' || known) continue;
    const stems = orphans.get(directory) ?? [];
    orphans.set(directory, stems);
    stems.push(located.stem);
  }
  for (const [directory, stems] of orphans) context.gap(directory, orphanReason(stems));
}

/** The folder below usr/share/doc may be a link to that of another package of the same source. */
function licensesOf(
  name: string,
  root: string,
  licenses: ReadonlyMap<string, readonly string[]>,
  context: AssembleContext,
): readonly string[] {
  // A name with a slash would point out of the folder.
  if (name.includes('/')) return [];
  const stated = `${root === '' ? '' : `${root}/`}usr/share/doc/${name}/copyright`;
  return licenses.get(context.tree.resolve(stated) ?? stated) ?? [];
}
