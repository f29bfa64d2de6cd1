/**
 * Kinds of package files that are known, and not read yet. A kind is told by the path alone: by the base name, and where
 * that says too little, by the directories above it.
 */
import { baseOf } from '../../archive/path.ts';

export interface Kind {
  /** The ecosystem, as it is named to people: `RubyGems`. */
  readonly what: string;
  /** The whole base name: starts with `^` and ends with `$`. */
  readonly name: RegExp;
  /**
   * The path, when the name alone could be anything. What stands before the match is the tree that the file belongs to:
   * the root of a system, a Ruby, a project. Absent: the tree is the directory.
   */
  readonly place?: RegExp;
  /** What stands near its start, when path and name could be anything; nothing else of the content matters. */
  readonly content?: RegExp;
}

const startBytes = 16 * 1024;

/** Whether the content is that of the kind, as far as the kind asks. */
export function isOfKind({ content }: Kind, bytes: Buffer): boolean {
  return content === undefined || content.test(bytes.toString('latin1', 0, startBytes));
}

export interface Located {
  /** Index in the table. */
  readonly kind: number;
  /** Directory, empty or with a slash at its end. */
  readonly tree: string;
}

/** Asked for every file of an image: nearly all of them end at the one test of their base name. */
export function kindFinder(kinds: readonly Kind[]): (path: string) => Located | undefined {
  // Some names are of any letter case: the one test lets more through than the single ones.
  const anyName = new RegExp(kinds.map(({ name }) => name.source).join('|'), 'i');
  return (path) => {
    const base = baseOf(path);
    if (!anyName.test(base)) return undefined;
    for (let kind = 0; kind < kinds.length; kind++) {
      const { name, place } = kinds[kind]!;
      if (!name.test(base)) continue;
      if (place === undefined) return { kind, tree: path.slice(0, path.length - base.length) };
      const match = place.exec(path);
      if (match !== null) return { kind, tree: treeBefore(path, match.index) };
    }
    return undefined;
  };
}

/** A match begins at a directory's name or at the slash before it. */
function treeBefore(path: string, index: number): string {
  return path.slice(0, path[index] === '/' ? index + 1 : index);
}
