/**
 * Depends and Provides (Debian Policy 7): which installed packages does a package need?
 *
 *     Depends: libc6 (>= 2.34), default-mta | mail-transport-agent, python3:any
 *     Provides: mail-transport-agent, libapt-pkg (= 2.6.1)
 *
 * Commas join what is all needed, bars separate alternatives. Of alternatives the first that is installed is taken: their
 * order is the maintainer's preference. A name is first looked up among packages, then among what packages provide; where
 * several installed packages provide it, all are taken, since any of them may be the one in use. A package that itself
 * provides what it needs adds nothing. Version restrictions are not compared: the package manager did that when it
 * installed, and a database that contradicts itself still shows which package was meant. Among packages of one name the
 * one of the same architecture comes first, then `all`, then any other; `name:i386` asks for exactly that one.
 */

/** What an installed package shows to the others. */
export interface Relating {
  readonly name: string;
  readonly architecture?: string;
  readonly depends: readonly string[];
  readonly provides?: string;
}

export interface Needs<P> {
  readonly packages: ReadonlySet<P>;
  /** False when something that is needed is not installed here. */
  readonly complete: boolean;
}

/** Answers for the packages of one system. */
export function relationsOf<P extends Relating>(packages: readonly P[]): (of: P) => Needs<P> {
  const byName = new Map<string, Map<string, P>>();
  const providers = new Map<string, P[]>();
  let budget = maxRelations;
  for (const each of packages) {
    const named = byName.get(each.name) ?? new Map<string, P>();
    byName.set(each.name, named.set(each.architecture ?? '', each));
    const provides = budget > 0 ? parseRelations(each.provides ?? '').flat() : [];
    budget -= provides.length;
    for (const { name } of provides) {
      const known = providers.get(name);
      if (known === undefined) providers.set(name, [each]);
      else if (known.length <= maxProviders && known.at(-1) !== each) known.push(each);
    }
  }

  const satisfying = (relation: Relation, of: P): readonly P[] => {
    const named = byName.get(relation.name);
    if (named === undefined) return providers.get(relation.name) ?? [];
    const met =
      relation.architecture === undefined ? preferred(named, of.architecture ?? '') : named.get(relation.architecture);
    return met === undefined ? [] : [met];
  };

  return (of) => {
    const needed = new Set<P>();
    let complete = true;
    const groups = budget > 0 ? of.depends.flatMap(parseRelations) : [];
    budget -= groups.length;
    // What was left unread here, or of what others provide, shows as something that is not installed.
    if (budget <= 0) complete = false;
    for (const alternatives of groups) {
      const met = alternatives.map((relation) => satisfying(relation, of)).find((found) => found.length > 0);
      if (met === undefined || met.length > maxProviders) complete = false;
      if (met === undefined || met.includes(of)) continue;
      for (const each of met.slice(0, maxProviders)) needed.add(each);
    }
    return { packages: needed, complete };
  };
}

export interface Relation {
  readonly name: string;
  /** The architecture that is asked for; absent for "the same", and for `:any`. */
  readonly architecture?: string;
}

/** All of the outer list are needed, one of each inner list. */
export function parseRelations(text: string): Relation[][] {
  return text
    .split(',')
    .map((group) => group.split('|').flatMap((alternative) => parseRelation(alternative) ?? []))
    .filter((group) => group.length > 0);
}

/**
 * How many packages may provide one name; the real record is a few. Without a bound, n packages that all provide and
 * need the same name would make n² edges.
 */
const maxProviders = 32;

/** For a whole system; a Debian with everything in it states 500,000. */
const maxRelations = 2_000_000;

/** `name:arch (>= version) [architectures] <profiles>`. */
function parseRelation(text: string): Relation | undefined {
  const named = /^\s*([^\s:([<]+)(?::([^\s([<]+))?/.exec(text);
  if (named === null) return undefined;
  const architecture = named[2];
  return architecture === undefined || architecture === 'any' || architecture === 'native'
    ? { name: named[1]! }
    : { name: named[1]!, architecture };
}

function preferred<P>(named: ReadonlyMap<string, P>, architecture: string): P | undefined {
  const [first] = named.values();
  return named.get(architecture) ?? named.get('all') ?? first;
}
