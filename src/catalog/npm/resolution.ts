/**
 * Node's way from a `require` to a directory: `node_modules/NAME` in the directory of the package, then in the one above,
 * up to the root, then the system-wide directories of Debian. Links are followed, as pnpm and workspaces need.
 * https://nodejs.org/api/modules.html#loading-from-node_modules-folders
 */
import { parentOf } from '../../archive/path.ts';
import type { TreeView } from '../types.ts';
import { isModuleRoot } from './places.ts';

/** The directory (with links followed) of the package that a name means; undefined when there is none. */
export type Resolve = (name: string) => string | undefined;

/** Resolution from a directory. `isPackage`: is there a known package in this very directory? */
export function nodeResolution(
  tree: TreeView,
  isPackage: (directory: string) => boolean,
): (directory: string) => Resolve {
  // A scan asks for the same few thousand directories hundreds of thousands of times.
  const listings = new Map<string, ReadonlySet<string>>();
  const namesIn = (modules: string): ReadonlySet<string> => {
    const names = listings.get(modules) ?? new Set(tree.list(modules));
    listings.set(modules, names);
    return names;
  };
  const findIn = (modules: string, name: string): string | undefined => {
    if (!namesIn(modules).has(firstSegment(name))) return undefined;
    const directory = `${modules}/${name}`;
    if (isPackage(directory)) return directory;
    const real = tree.resolve(directory);
    return real !== undefined && isPackage(real) ? real : undefined;
  };
  const chainFrom = searchChains(systemModules(tree), (modules) => namesIn(modules).size > 0);
  return (directory) => (name) => {
    for (let chain = chainFrom(directory); chain !== undefined; chain = chain.next) {
      const found = findIn(chain.modules, name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The module directories that are searched, nearest first. */
interface Chain {
  readonly modules: string;
  readonly next: Chain | undefined;
}

/** Each directory's chain is that of the one above with at most one link in front: made once, shared by all below. */
function searchChains(
  system: readonly string[],
  exists: (modules: string) => boolean,
): (directory: string) => Chain | undefined {
  let top: Chain | undefined;
  for (const modules of ['node_modules', ...system].reverse()) {
    if (exists(modules)) top = { modules, next: top };
  }
  const chains = new Map([['', top]]);
  return (directory) => {
    const missing: string[] = [];
    let at = directory;
    for (; !chains.has(at); at = parentOf(at)) missing.push(at);
    let chain = chains.get(at);
    for (const each of missing.reverse()) {
      const modules = modulesOf(each);
      if (exists(modules)) chain = { modules, next: chain };
      chains.set(each, chain);
    }
    return chain;
  };
}

/** A package in usr/share/nodejs sees its neighbours although the directory is not called node_modules. */
function modulesOf(directory: string): string {
  return isModuleRoot(directory) ? directory : `${directory}/node_modules`;
}

/** Where Debian's and Alpine's Node finds packages from everywhere. */
function systemModules(tree: TreeView): readonly string[] {
  const architectures = tree.list('usr/lib').filter((name) => name.includes('-linux-'));
  return [
    'usr/share/nodejs',
    'usr/lib/nodejs',
    ...architectures.map((name) => `usr/lib/${name}/nodejs`),
    'usr/share/node_modules',
    'usr/lib/node_modules',
  ];
}

function firstSegment(name: string): string {
  const slash = name.indexOf('/');
  return slash < 0 ? name : name.slice(0, slash);
}
