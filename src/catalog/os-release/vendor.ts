/**
 * The vendor part of a package URL. The definitions of `deb` and `apk` require a namespace, the vendor, and the vendor
 * of a package is the distribution that it was built for. That is the distribution of the system the database belongs
 * to, unless this distribution is known to be made of another kind of package: dpkg can be run on Fedora, and a package
 * that it installs there is not one of Fedora's. Then, and where no distribution is named, the namespace is the one that
 * the package format comes from (`debian`, `alpine`) and no `distro` qualifier is claimed.
 */
import type { Distro } from '../types.ts';

type SystemFormat = 'deb' | 'apk' | 'rpm' | 'opkg';

export interface Vendor {
  /** Absent where no distribution is named and the format has no single origin: rpm and opkg. */
  readonly namespace?: string;
  /** For the qualifier `distro`: `debian-12`, `arch-rolling`. */
  readonly distro?: string;
  /** The namespace is a default and no statement of the system. */
  readonly assumed: boolean;
}

export function vendorOf(format: SystemFormat, distro: Distro | undefined): Vendor {
  if (distro !== undefined && fits(format, distro)) {
    return { namespace: distro.id, distro: distroQualifier(distro), assumed: false };
  }
  const namespace = formatOrigin[format];
  return namespace === undefined ? { assumed: true } : { namespace, assumed: true };
}

/** `id-version`; rolling distributions have a build or only a codename. */
function distroQualifier(distro: Distro): string {
  const version = distro.versionId ?? distro.buildId ?? distro.codename;
  return version === undefined ? distro.id : `${distro.id}-${version}`;
}

const formatOrigin: Partial<Record<SystemFormat, string>> = { deb: 'debian', apk: 'alpine' };

/** Distributions by what they are made of, as far as a mix-up is to be expected; `none` have no packages of their own. */
const madeOf: ReadonlyArray<readonly [format: SystemFormat | 'none', ids: readonly string[]]> = [
  ['deb', ['debian', 'ubuntu']],
  ['apk', ['alpine', 'wolfi', 'chainguard', 'postmarketos', 'chimera', 'adelie']],
  [
    'rpm',
    [
      ...[
        'fedora',
        'rhel',
        'centos',
        'rocky',
        'almalinux',
        'ol',
        'amzn',
        'scientific',
        'mariner',
        'azurelinux',
        'photon',
      ],
      ...['sles', 'sled', 'suse', 'opensuse', 'opensuse-leap', 'opensuse-tumbleweed', 'mageia', 'openeuler'],
    ],
  ],
  ['none', ['arch', 'gentoo', 'flatcar', 'slackware', 'nixos', 'busybox', 'linux']],
];

const formatById: ReadonlyMap<string, SystemFormat | 'none'> = new Map(
  madeOf.flatMap(([format, ids]) => ids.map((id) => [id, format] as const)),
);

/** Whose packages a system is surely made of; undefined for unknown distributions, and for those that have none. */
export function systemFormatOf(distro: Distro): SystemFormat | undefined {
  for (const id of [distro.id, ...distro.idLike]) {
    const made = formatById.get(id);
    if (made !== undefined) return made === 'none' ? undefined : made;
  }
  return undefined;
}

/** Unknown distributions are believed. */
function fits(format: SystemFormat, distro: Distro): boolean {
  for (const id of [distro.id, ...distro.idLike]) {
    const made = formatById.get(id);
    if (made !== undefined) return made === format;
  }
  return true;
}
