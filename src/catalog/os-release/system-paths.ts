/**
 * Paths that a package database states, as paths of the tree. A database speaks of `/lib/x` where the system has merged
 * `/lib` into `/usr/lib`: the directory is followed, the last name is not, because a link that a package installed is
 * the package's own.
 */
import { normalizePath, parentOf } from '../../archive/path.ts';
import type { TreeView } from '../types.ts';

/** `root` is the root directory of the system that the database belongs to; `..` never leads out of it. */
export function* pathsInSystem(root: string, stated: Iterable<string>, tree: TreeView): Generator<string> {
  // A list goes directory by directory, so the last answer is nearly always the next one too.
  let directory: string | undefined;
  let canonical = '';
  for (const path of stated) {
    const inside = normalizePath(path);
    if (inside === '') continue;
    const whole = root === '' ? inside : `${root}/${inside}`;
    const parent = parentOf(whole);
    if (parent !== directory) {
      directory = parent;
      canonical = tree.resolve(parent) ?? parent;
    }
    const base = whole.slice(parent === '' ? 0 : parent.length + 1);
    yield canonical === '' ? base : `${canonical}/${base}`;
  }
}
