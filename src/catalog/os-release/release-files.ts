/** Where a system says which distribution it is, and which of these places counts. */
import { type Cataloger, type Distro, type FileInfo, type Found, type ReportGap, Unreadable } from '../types.ts';
import { parseOsRelease } from './identity.ts';
import { busyboxIdentity, olderReleases } from './older-releases.ts';

const osReleasePaths = ['etc/os-release', 'usr/lib/os-release'];
const releaseOrder: readonly string[] = [...osReleasePaths, ...olderReleases.keys()];
const releaseSet: ReadonlySet<string> = new Set(releaseOrder);
const busyboxPaths = ['bin/busybox', 'usr/bin/busybox'];
const maxBytes = 1024 * 1024;

/**
 * Reads the distribution of the image. Facts are chosen from with chooseDistro; `path` and `layer` of a fact are filled
 * in there.
 */
export const osRelease: Cataloger<Distro> = {
  id: 'os/os-release',
  kind: 'installed',
  anchors: releaseOrder,
  wants: (file) => isReleaseFile(file) || isBusybox(file),
  read: (file, gap) => (isBusybox(file) ? readBusybox(file.bytes) : readRelease(file.path, file.bytes, gap)),
  assemble: () => [],
};

/**
 * The distribution of the system whose root directory is `root`. `etc/os-release` beats `usr/lib/os-release`, as the
 * manual wants it; the files of older systems follow, and a BusyBox program is the last thing that may name one. What
 * lies below another root (`opt/chroot/etc/os-release`) never names this one: packages of the outer system must not be
 * matched against the advisories of the inner.
 */
export function chooseDistro(found: readonly Found<Distro>[], root = ''): Distro | undefined {
  return distroAt(root, new Map(found.map((each) => [each.path, each])));
}

/** As chooseDistro, over facts that are already in order by path. */
export function distroAt(root: string, releases: ReadonlyMap<string, Found<Distro>>): Distro | undefined {
  for (const path of [...releaseOrder, ...busyboxPaths]) {
    const release = releases.get(root === '' ? path : `${root}/${path}`);
    if (release === undefined) continue;
    const { fact, layer } = release;
    return { ...fact, ...(isVersioned(fact) ? {} : versionBeside(fact.id, root, releases)), path: release.path, layer };
  }
  return undefined;
}

/** Rolling distributions have a build or only a codename. */
function isVersioned({ versionId, buildId, codename }: Distro): boolean {
  return versionId !== undefined || buildId !== undefined || codename !== undefined;
}

/**
 * Images assembled by hand have an os-release without a version, and the file of older systems beside it that has one.
 * Without it no package can be matched with the advisories of its release. Only the same distribution may speak.
 */
function versionBeside(
  id: string,
  root: string,
  releases: ReadonlyMap<string, Found<Distro>>,
): Pick<Distro, 'versionId' | 'version' | 'codename'> {
  for (const path of releaseOrder) {
    const fact = releases.get(root === '' ? path : `${root}/${path}`)?.fact;
    if (fact === undefined || fact.id !== id || !isVersioned(fact)) continue;
    const { versionId, version, codename } = fact;
    return {
      ...(versionId !== undefined && { versionId }),
      ...(version !== undefined && { version }),
      ...(codename !== undefined && { codename }),
    };
  }
  return {};
}

/** A release file of a system inside the image: for catalogers whose databases may belong to such a system. */
export function isNestedRelease(path: string): boolean {
  if (!/release|version/.test(path)) return false;
  const tail = releaseTail(path);
  return tail !== undefined && tail !== path;
}

/** As the cataloger reads it, except that a file which says nothing usable is no fact and no gap. */
export function readNestedRelease(path: string, bytes: Buffer): Distro | undefined {
  try {
    return readRelease(releaseTail(path) ?? path, bytes, () => {});
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function isReleaseFile(file: FileInfo): boolean {
  return releaseSet.has(file.path);
}

function isBusybox(file: FileInfo): boolean {
  return busyboxPaths.includes(file.path) && file.size <= 16 * maxBytes;
}

/** `etc/os-release` of `opt/chroot/etc/os-release`. */
function releaseTail(path: string): string | undefined {
  const segments = path.split('/');
  return [2, 3, 4].map((count) => segments.slice(-count).join('/')).find((tail) => releaseSet.has(tail));
}

function readRelease(path: string, bytes: Buffer, gap: ReportGap): Distro | undefined {
  if (bytes.length > maxBytes) throw new Unreadable('larger than 1 MiB, which no release file is');
  const text = bytes.toString('utf8');
  const identity = osReleasePaths.includes(path) ? parseOsRelease(text, gap) : olderReleases.get(path)?.(text);
  return identity && { ...identity, path, layer: 0 };
}

function readBusybox(bytes: Buffer): Distro | undefined {
  const identity = busyboxIdentity(bytes);
  return identity && { ...identity, path: '', layer: 0 };
}
