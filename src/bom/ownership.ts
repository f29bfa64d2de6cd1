/**
 * Which OS package installed the files that a language package was recognised by. Debian's python3-six holds the files
 * of the Python package six: it is one thing, seen twice, and must not count as two.
 */
import type { Tree } from '../sources/index.ts';
import type { Sighted } from './inventory.ts';

/** Ref of the owned package to ref of its owner. A package also found somewhere that nobody owns is not owned. */
export function ownersOf(sighted: readonly Sighted[], tree: Tree): ReadonlyMap<string, string> {
  const canonical = canonicalPaths(tree);
  const candidates = sighted.filter((each) => !isSystem(each));
  if (candidates.length === 0) return new Map();
  const wanted = new Set(
    candidates.flatMap((each) => each.package.places.map((place) => canonical(outermost(place.path)))),
  );
  const owners = new Map<string, string>();
  for (const each of sighted) {
    if (!isSystem(each)) continue;
    for (const path of each.package.owns?.() ?? []) {
      const real = canonical(path);
      if (wanted.has(real)) owners.set(real, each.ref);
    }
  }
  const owned = new Map<string, string>();
  for (const [ref, same] of Map.groupBy(candidates, (each) => each.ref)) {
    const all = same.flatMap((each) =>
      each.package.places.map((place) => owners.get(canonical(outermost(place.path)))),
    );
    const owner = all[0];
    if (owner !== undefined && owner !== ref && all.every((other) => other !== undefined)) owned.set(ref, owner);
  }
  return owned;
}

const systems = new Set(['deb', 'apk', 'rpm', 'alpm', 'opkg']);

function isSystem(each: Sighted): boolean {
  return systems.has(each.package.purl.type);
}

/** What is found inside an archive belongs to whoever owns the archive. */
function outermost(path: string): string {
  const inner = path.indexOf('!/');
  return inner < 0 ? path : path.slice(0, inner);
}

/** A database says /lib/x where the tree, with merged directories, has usr/lib/x. */
function canonicalPaths(tree: Tree): (path: string) => string {
  const directories = new Map<string, string>();
  return (path) => {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return path;
    const directory = path.slice(0, slash);
    let real = directories.get(directory);
    if (real === undefined) {
      real = tree.resolve(directory) ?? directory;
      directories.set(directory, real);
    }
    return real === '' ? path.slice(slash + 1) : `${real}${path.slice(slash)}`;
  };
}
