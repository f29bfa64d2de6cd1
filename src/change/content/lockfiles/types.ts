/** A lockfile as far as it says where packages come from and what they are. Readers are tolerant of content, not of form. */
export interface Lock {
  readonly entries: readonly LockEntry[];
  /** Registries that it declares for all, where it does. */
  readonly registries?: readonly string[];
}

export interface LockEntry {
  /** As the project calls it. */
  readonly name: string;
  /** With the revision, where a repository of sources is pinned: the same version of another revision is another one. */
  readonly version: string;
  /** Where it is from. None where the lockfile leaves that to settings. */
  readonly origin?: Origin;
  /** Digests by algorithm, or by the file that they are of. */
  readonly integrity: ReadonlyMap<string, ReadonlySet<string>>;
  /** The name that its source has, where it is another one. */
  readonly alias?: string;
  /** Its place is of another package, and nothing says that this is meant. */
  readonly misplaced?: string;
  /** From 1, where it is known. */
  readonly line?: number;
}

export interface Origin {
  readonly kind: 'registry' | 'git' | 'url' | 'local';
  /** What must not change by itself: the registry, or the repository, or the address of the one file. */
  readonly place: string;
  /** The whole address. */
  readonly address: string;
}

/** The reason why a lockfile was not read. */
export interface UnreadLock {
  readonly unread: string;
}

/** Beyond any real lockfile: what has more is not read. */
export const mostEntries = 250_000;

export type LockReader = (bytes: Buffer) => Lock | UnreadLock;

/** Names and values of a map of digests, where there are any. */
export function digestsOf(pairs: Iterable<readonly [string, string]>): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map<string, Set<string>>();
  for (const [label, digest] of pairs) {
    const digests = all.get(label);
    if (digests === undefined) all.set(label, new Set([digest]));
    else digests.add(digest);
  }
  return all;
}
