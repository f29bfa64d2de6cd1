/**
 * os-release(5), the file in which a Linux distribution says what it is:
 *
 *     PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
 *     VERSION_ID="12"
 *     ID=debian
 *
 * `ID` is the machine-readable name and is taken as it stands: derivatives keep their own (`azurelinux`, `mariner`,
 * `flatcar`, `wolfi`), because advisories are published under it; `ID_LIKE` says whom they resemble. Flavours of one
 * distribution are told by `VARIANT_ID`: Azure Container Linux is `azurelinux` with `azurecontainerlinux`. A file without
 * `ID` stands for `linux`, as the manual says. Refused: a file with no assignment at all, and one larger than 1 MiB.
 */
import { type Distro, type ReportGap, Unreadable } from '../types.ts';
import { parseAssignments } from './assignments.ts';

/** A distribution without the place that it was read from. */
export type Identity = Omit<Distro, 'path' | 'layer'>;

/** Throws Unreadable. */
export function parseOsRelease(text: string, gap: ReportGap): Identity {
  const { values, broken } = parseAssignments(text);
  if (values.size === 0) throw new Unreadable('no assignment in it, so it names no distribution');
  if (broken > 0) gap(`${broken} of its lines are no well-formed assignment`);
  const identity: { -readonly [Key in keyof Identity]: Identity[Key] } = {
    id: plain(values.get('ID'))?.toLowerCase() ?? 'linux',
    idLike: (values.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(Boolean),
  };
  for (const [key, variable] of variables) {
    const value = plain(values.get(variable));
    if (value !== undefined) identity[key] = value;
  }
  return identity;
}

const variables = [
  ['versionId', 'VERSION_ID'],
  ['name', 'NAME'],
  ['prettyName', 'PRETTY_NAME'],
  ['version', 'VERSION'],
  ['codename', 'VERSION_CODENAME'],
  ['variantId', 'VARIANT_ID'],
  ['buildId', 'BUILD_ID'],
  ['imageId', 'IMAGE_ID'],
  ['imageVersion', 'IMAGE_VERSION'],
  ['cpe', 'CPE_NAME'],
  ['homeUrl', 'HOME_URL'],
  ['supportEnd', 'SUPPORT_END'],
] as const satisfies ReadonlyArray<readonly [keyof Identity, string]>;

function plain(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
}
