/** One gap for each kind and tree: a Ruby with 300 gems is one thing that is not read, not 300. */
import type { AssembleContext } from '../types.ts';

export interface UnreadFile {
  readonly path: string;
  readonly what: string;
  /** Directory, empty or with a slash at its end. */
  readonly tree: string;
}

/** A tree inside another of the same kind is a part of it. */
export function sayUnread(files: readonly UnreadFile[], context: AssembleContext): void {
  const byKind = Map.groupBy(files, ({ what }) => what);
  for (const [what, all] of [...byKind].sort(([a], [b]) => compare(a, b))) {
    for (const group of outermostTrees(all)) {
      const count = group.length === 1 ? '1 file' : `${group.length} files`;
      context.gap(group[0]!.path, `${count} of ${what}, which tidewaiter does not read yet`);
    }
  }
}

/** In this order a tree comes directly before all that lies in it. */
function outermostTrees(files: readonly UnreadFile[]): UnreadFile[][] {
  const groups: UnreadFile[][] = [];
  let tree: string | undefined;
  for (const file of [...files].sort((a, b) => compare(a.tree, b.tree) || compare(a.path, b.path))) {
    if (tree === undefined || !file.tree.startsWith(tree)) {
      tree = file.tree;
      groups.push([]);
    }
    groups.at(-1)!.push(file);
  }
  return groups;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
