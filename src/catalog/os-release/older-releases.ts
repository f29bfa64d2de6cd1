/**
 * Which distribution it is, where os-release is missing: systems older than it (CentOS 6, SLES 11), and images trimmed
 * to almost nothing. Each file has its own shape:
 *
 *     etc/alpine-release   3.20.2
 *     etc/debian_version   12.5            (or trixie/sid, on a system that is not released yet)
 *     etc/redhat-release   CentOS release 6.10 (Final)
 *     etc/lsb-release      DISTRIB_ID=Ubuntu, DISTRIB_RELEASE=10.04
 *     etc/arch-release     (empty; that it exists is the statement)
 *
 * A text that names no distribution known here says nothing: these files are only asked when os-release is silent.
 */
import { parseAssignments } from './assignments.ts';
import type { Identity } from './identity.ts';

export type ReadRelease = (text: string) => Identity | undefined;

/** In the order of asking: files of one distribution before the ones that derivatives share with their parents. */
export const olderReleases: ReadonlyMap<string, ReadRelease> = new Map<string, ReadRelease>([
  ['usr/share/flatcar/release', (text) => assigned(text, 'FLATCAR_RELEASE_VERSION', 'flatcar')],
  ['etc/openwrt_release', lsbRelease],
  ['etc/lsb-release', lsbRelease],
  ['etc/alpine-release', alpineRelease],
  ['etc/mariner-release', releaseLine],
  ['etc/azurelinux-release', releaseLine],
  ['etc/photon-release', releaseLine],
  ['etc/oracle-release', releaseLine],
  ['etc/rocky-release', releaseLine],
  ['etc/almalinux-release', releaseLine],
  ['etc/centos-release', releaseLine],
  ['etc/centos-stream-release', releaseLine],
  ['etc/sl-release', releaseLine],
  ['etc/fedora-release', releaseLine],
  ['etc/SuSE-release', suseRelease],
  ['etc/gentoo-release', releaseLine],
  ['etc/slackware-version', releaseLine],
  ['etc/arch-release', () => ({ id: 'arch', idLike: [], name: 'Arch Linux' })],
  ['etc/system-release', releaseLine],
  ['etc/redhat-release', releaseLine],
  ['etc/debian_version', debianVersion],
]);

/** The version that a BusyBox program carries in its text (`BusyBox v1.36.1 (2023-05-18 …) multi-call binary`). */
export function busyboxIdentity(program: Buffer): Identity | undefined {
  const at = program.indexOf('BusyBox v');
  if (at < 0) return undefined;
  const version = /^BusyBox v(\d[\w.-]*)/.exec(program.toString('latin1', at, at + 64))?.[1];
  return version === undefined ? undefined : { id: 'busybox', idLike: [], name: 'BusyBox', versionId: version };
}

/** Names as they open a release line, with the ID that os-release of the same distribution has. */
const names: ReadonlyArray<readonly [name: string, id: string]> = [
  // Its versions are those of OpenShift: CoreOS 4.12 is made of RHEL 8 and has nothing to do with RHEL 4.
  ['red hat enterprise linux coreos', 'rhcos'],
  ['red hat enterprise linux', 'rhel'],
  ['enterprise linux enterprise linux', 'ol'],
  ['oracle linux', 'ol'],
  ['centos', 'centos'],
  ['fedora', 'fedora'],
  ['rocky linux', 'rocky'],
  ['almalinux', 'almalinux'],
  ['scientific linux', 'scientific'],
  ['amazon linux', 'amzn'],
  ['cbl-mariner', 'mariner'],
  ['microsoft azure linux', 'azurelinux'],
  ['azure linux', 'azurelinux'],
  ['vmware photon', 'photon'],
  ['suse linux enterprise server', 'sles'],
  ['suse linux enterprise desktop', 'sled'],
  ['opensuse', 'opensuse'],
  ['gentoo', 'gentoo'],
  ['slackware', 'slackware'],
  ['ubuntu', 'ubuntu'],
  ['debian', 'debian'],
  ['openwrt', 'openwrt'],
  ['arch', 'arch'],
  ['linuxmint', 'linuxmint'],
];

function idOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  return names.find(([start]) => lower.startsWith(start))?.[1];
}

/** `CentOS release 6.10 (Final)`, `CBL-Mariner 2.0.20220226`. */
function releaseLine(text: string): Identity | undefined {
  const line = firstLine(text);
  const id = idOf(line);
  if (id === undefined) return undefined;
  const version = /(?:^|\s)v?(\d[\w.]*)/.exec(line)?.[1];
  const codename = /\(([^()]*)\)\s*$/.exec(line)?.[1];
  return {
    id,
    idLike: [],
    ...(version !== undefined && { versionId: majorMinorOnly.has(id) ? majorMinor(version) : version }),
    prettyName: line,
    ...(codename !== undefined && codename !== '' && { codename }),
  };
}

/** Their os-release has `VERSION_ID="2.0"` where the release line has the build too: `2.0.20220226`. */
const majorMinorOnly: ReadonlySet<string> = new Set(['mariner', 'azurelinux', 'photon']);

function majorMinor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** A name line, then `VERSION = 11` and `PATCHLEVEL = 4`. */
function suseRelease(text: string): Identity | undefined {
  const line = firstLine(text);
  const id = idOf(line);
  if (id === undefined) return undefined;
  const version = /^VERSION\s*=\s*([\w.]+)/m.exec(text)?.[1];
  const patch = /^PATCHLEVEL\s*=\s*(\d+)/m.exec(text)?.[1];
  const versionId = patch === undefined || patch === '0' ? version : `${version ?? ''}.${patch}`;
  return { id, idLike: ['suse'], ...(versionId !== undefined && { versionId }), prettyName: line };
}

function lsbRelease(text: string): Identity | undefined {
  const { values } = parseAssignments(text);
  const name = values.get('DISTRIB_ID') ?? '';
  const id = idOf(name);
  if (id === undefined) return undefined;
  const versionId = values.get('DISTRIB_RELEASE');
  const codename = values.get('DISTRIB_CODENAME');
  const prettyName = values.get('DISTRIB_DESCRIPTION');
  return {
    id,
    idLike: [],
    name,
    ...(versionId && { versionId }),
    ...(codename && { codename }),
    ...(prettyName && { prettyName }),
  };
}

function assigned(text: string, key: string, id: string): Identity | undefined {
  const versionId = parseAssignments(text).values.get(key);
  return versionId ? { id, idLike: [], versionId } : undefined;
}

function alpineRelease(text: string): Identity | undefined {
  const versionId = /^\d[\w.]*/.exec(firstLine(text))?.[0];
  return versionId === undefined ? undefined : { id: 'alpine', idLike: [], name: 'Alpine Linux', versionId };
}

/** `12.5` is what os-release calls 12; `trixie/sid` is what will be trixie and has no number yet. */
function debianVersion(text: string): Identity | undefined {
  const line = firstLine(text);
  const major = /^\d+/.exec(line)?.[0];
  const codename = /^([a-z]+)\/sid$/.exec(line)?.[1];
  if (major === undefined && codename === undefined) return undefined;
  return {
    id: 'debian',
    idLike: [],
    name: 'Debian GNU/Linux',
    ...(major !== undefined && { versionId: major, version: line }),
    ...(codename !== undefined && { codename }),
  };
}

function firstLine(text: string): string {
  return text.slice(0, 1024).split('\n', 1)[0]!.trim();
}
