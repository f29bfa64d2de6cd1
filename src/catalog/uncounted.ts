/**
 * What an inventory leaves out although no file of it failed to be read. An inventory without these packages and without a
 * word reads like a complete one, so each is a gap.
 */
import type { Tree } from '../sources/index.ts';
import type { Collector } from './collect.ts';
import { catalogers } from './list.ts';
import { npmInstalled } from './npm/index.ts';
import { isNestedRelease, systemFormatOf } from './os-release/index.ts';
import type { CatalogGap } from './run.ts';
import type { Cataloger, Distro } from './types.ts';

/** Each distribution's package manager; what it is called to people. */
const managers = { deb: 'dpkg', apk: 'apk', rpm: 'rpm', opkg: 'opkg' } as const;

export function isSystemCataloger({ id }: Cataloger): boolean {
  return Object.values(managers).some((name) => id.startsWith(`${name}/`));
}

/**
 * A Debian without any package of dpkg is no Debian: the database was removed to make the image smaller, or moved to where only
 * the settings of the package manager say. Distributions whose systems have no database are not named in `systemFormatOf`.
 */
export function missingDatabase(distro: Distro): CatalogGap | undefined {
  const format = systemFormatOf(distro);
  if (format === undefined) return undefined;
  const name = [distro.id, distro.versionId].filter(Boolean).join(' ');
  const reason = `the system is ${name}, and no database of ${managers[format]} with a package in it was found: what it installed is not known`;
  return { rule: 'unread-packages', path: distro.path, layer: distro.layer, reason };
}

/**
 * Of a source tree what lockfiles declare counts. What its files say to be installed, a jar or the packages of a virtual
 * environment, is not in any of them. Told by path alone: nothing is opened for it.
 */
export function installedInSource(
  tree: Tree,
  collector: Collector,
  excluded: (path: string) => boolean,
): readonly CatalogGap[] {
  const told = catalogers.filter((each) => each.kind === 'installed' && each !== npmInstalled && !each.needles);
  const found = new Map<Cataloger, { readonly first: string; count: number }>();
  for (const { path } of tree.files()) {
    if (isAbout(path) || excluded(path)) continue;
    const cataloger = told.find((each) => collector.wantsNamed(each, path));
    if (cataloger === undefined) continue;
    const known = found.get(cataloger);
    if (known === undefined) found.set(cataloger, { first: path, count: 1 });
    else known.count += 1;
  }
  return [...found].map(([{ id, unread }, { first, count }]) => {
    const files = count === 1 ? '1 file of what is installed' : `${count} files of what is installed`;
    const why = unread
      ? 'of kinds that tidewaiter does not read yet'
      : 'and in a source tree only what lockfiles declare is counted: --all counts both';
    return { rule: 'unread-packages', path: first, cataloger: id, reason: `${files}, ${why}` };
  });
}

/** Wanted beside a package, and no sign of one: the release of a system, the licences of a package. */
function isAbout(path: string): boolean {
  return isNestedRelease(path) || path.endsWith('/copyright');
}
