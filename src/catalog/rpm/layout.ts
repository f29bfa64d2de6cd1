/**
 * Where rpm keeps its database, and which system a file belongs to.
 *
 *   {var/lib,usr/lib/sysimage,usr/share}/rpm/rpmdb.sqlite   rpm 4.16 and later, with rpmdb.sqlite-wal
 *                                            Packages.db    SUSE
 *                                            Packages       before 4.16
 *   var/lib/rpmmanifest/container-manifest-2                distroless images without a database
 *
 * A database may be that of a system inside the image (`rootfs/var/lib/rpm`, or an ostree deployment): what stands before
 * the well-known place is the root directory of its system. Each system has packages and a distribution of its own.
 */
import { distroAt, isNestedRelease, readNestedRelease } from '../os-release/index.ts';
import type { Distro, FileBytes, FileInfo, Found } from '../types.ts';
import { isBerkeley } from './berkeley.ts';
import { isNdb } from './ndb.ts';
import { isSqlite } from './sqlite.ts';

/** In the order in which their packages are listed. */
export const directories = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'];
/** The newest format first. */
export const databaseNames = ['rpmdb.sqlite', 'Packages.db', 'Packages'];
export const logName = 'rpmdb.sqlite-wal';
export const journalName = 'rpmdb.sqlite-journal';
export const fileNames = [...databaseNames, logName, journalName];
export const manifestPath = 'var/lib/rpmmanifest/container-manifest-2';

export interface Located {
  /** Root directory of the system, empty for the outermost. */
  readonly root: string;
  /** Of the database: one of `directories`. */
  readonly directory: string;
  readonly name: string;
}

export function locateDatabase(path: string): Located | undefined {
  const match = path.includes('rpm/') ? databasePath.exec(path) : null;
  return match === null ? undefined : { root: match[1] ?? '', directory: match[2]!, name: match[3]! };
}

/** The root directory of the system that a container manifest at this path speaks of. */
export function manifestRoot(path: string): string | undefined {
  if (path === manifestPath) return '';
  return path.endsWith(`/${manifestPath}`) ? path.slice(0, -manifestPath.length - 1) : undefined;
}

/**
 * A database of the outermost system is one whatever its bytes say. Further in, `Packages` is a name that other things
 * have, too, and the first bytes decide; where they are not known, the answer is yes.
 */
export function isDatabaseFile({ path, size, head }: FileInfo): boolean {
  const located = locateDatabase(path);
  if (located === undefined) return false;
  if (located.root === '' || located.name !== 'Packages' || (head.length === 0 && size > 0)) return true;
  return isSqlite(head) || isNdb(head) || isBerkeley(head);
}

export interface ReleaseFact {
  readonly kind: 'release';
  readonly distro: Distro;
}

const maxReleaseBytes = 1024 * 1024;

export function isReleaseFile({ path, size }: FileInfo): boolean {
  return size <= maxReleaseBytes && isNestedRelease(path);
}

export function readRelease({ path, bytes }: FileBytes): ReleaseFact | undefined {
  const distro = readNestedRelease(path, bytes);
  return distro && { kind: 'release', distro };
}

export interface System<Fact> {
  readonly root: string;
  readonly distro: Distro | undefined;
  readonly found: readonly Found<Fact>[];
}

/** Facts by system, in the order of their paths; nothing depends on the order in which the files came. */
export function systemsOf<Fact extends { readonly kind: string }>(
  found: readonly Found<Fact | ReleaseFact>[],
  rootOf: (path: string) => string | undefined,
  outermost: Distro | undefined,
): System<Fact>[] {
  const releases = new Map<string, Found<Distro>>();
  const systems = new Map<string, Found<Fact>[]>();
  for (const each of [...found].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const root = rootOf(each.path);
    if (isRelease(each)) releases.set(each.path, { ...each, fact: each.fact.distro });
    else if (root !== undefined) {
      const facts = systems.get(root) ?? [];
      systems.set(root, facts);
      facts.push(each as Found<Fact>);
    }
  }
  return [...systems].map(([root, facts]) => {
    return { root, distro: root === '' ? outermost : distroAt(root, releases), found: facts };
  });
}

/** Unique in the image: two systems may well have the same package. */
export function keyIn(root: string, identity: string): string {
  return root === '' ? identity : `${root}/${identity}`;
}

function isRelease(found: Found<{ readonly kind: string }>): found is Found<ReleaseFact> {
  return found.fact.kind === 'release';
}

// The prefix is matched lazily, so that the root is the shortest one.
const databasePath =
  /^(?:(.+?)\/)??((?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm)\/(rpmdb\.sqlite(?:-wal|-journal)?|Packages(?:\.db)?)$/s;
