/**
 * In which directories Python looks for what a package needs: its own, those above it (a vendored copy sees the packages
 * around it), then the other directories of the same interpreter.
 *
 *     usr/lib/python3/dist-packages  sees  usr/local/lib/python3.11/dist-packages     Debian
 *     usr/lib64/python3.9/site-packages  sees  usr/lib/python3.9/site-packages        Fedora, and venvs with lib64
 *     opt/venv/lib/python3.12/site-packages  sees nothing outside of opt/venv
 */
import { parentOf } from '../../archive/path.ts';

/** The keys of the packages that `name` (normalised) means in `site`; none when it is not installed. */
export type FindPackages = (name: string, site: string) => readonly string[];

interface Installed {
  readonly key: string;
  /** Normalised. */
  readonly name: string;
  readonly site: string;
}

export function packageFinder(installed: readonly Installed[]): FindPackages {
  const sites = new Map<string, Map<string, string[]>>();
  for (const { key, name, site } of installed) {
    const names = sites.get(site) ?? new Map<string, string[]>();
    sites.set(site, names);
    const keys = names.get(name);
    if (keys === undefined) names.set(name, [key]);
    else keys.push(key);
  }
  const neighbours = Map.groupBy([...sites.keys()].sort(), (site) => interpreterOf(site)?.prefix);
  const paths = new Map<string, readonly string[]>();
  return (name, site) => {
    const visible = paths.get(site) ?? visibleSites(site, sites, neighbours);
    paths.set(site, visible);
    for (const each of visible) {
      const keys = sites.get(each)?.get(name);
      if (keys !== undefined) return keys;
    }
    return [];
  };
}

// Far more than one interpreter has; a hostile image could offer a directory for each of its packages.
const maxVisible = 64;

function visibleSites(
  site: string,
  sites: ReadonlyMap<string, unknown>,
  neighbours: ReadonlyMap<string | undefined, readonly string[]>,
): readonly string[] {
  const visible: string[] = [];
  let own: Interpreter | undefined;
  for (let at = site; ; at = parentOf(at)) {
    own ??= interpreterOf(at);
    if (sites.has(at)) visible.push(at);
    if (at === '' || visible.length === maxVisible) break;
  }
  const shared = own && neighbours.get(own.prefix)?.filter((other) => isShared(own, interpreterOf(other)));
  return [...new Set([...visible, ...(shared ?? [])])].slice(0, maxVisible);
}

interface Interpreter {
  /** `usr` for all of the system's. */
  readonly prefix: string;
  /** `python3.11`, or `python3` for Debian's that all versions share. */
  readonly version: string;
}

function interpreterOf(site: string): Interpreter | undefined {
  const match = /^(?:(.*)\/)?lib(?:64|32)?\/((?:python|pypy)[\w.]*)\/(?:site|dist)-packages$/s.exec(site);
  if (match?.[2] === undefined) return undefined;
  const prefix = match[1] ?? '';
  return { prefix: prefix === 'usr/local' || prefix === '' ? 'usr' : prefix, version: match[2] };
}

function isShared(one: Interpreter | undefined, other: Interpreter | undefined): boolean {
  if (one === undefined || other === undefined || one.prefix !== other.prefix) return false;
  return one.version === other.version || [one.version, other.version].some((version) => /^[a-z]+\d?$/.test(version));
}
