/**
 * Which installed packages does an installed package need? rpm states needs as capabilities, and so do packages what
 * they provide: names (`bash`, `libc.so.6(GLIBC_2.34)(64bit)`, `pkgconfig(zlib)`) or paths (`/bin/sh`), which are met
 * by a package that provides the path or lists the file.
 *
 * Every package that provides a name is taken, since any of them may be the one in use. When a version is asked for
 * exactly (`= 1.2-3`, the way packages of one source refer to each other) and a provider has it, only such providers
 * are taken. Other comparisons are left alone: the package manager made them when it installed.
 * Left out: `rpmlib(…)`, which rpm itself provides, weak needs, and what a package provides for itself.
 */
import { baseOf, normalizePath, parentOf } from '../../archive/path.ts';
import type { TreeView } from '../types.ts';
import { findNames, maxPath } from './files.ts';
import { decodeStrings } from './header.ts';
import type { RpmRecord } from './record.ts';
import { type Outcome, resolveRich } from './rich.ts';

export interface Needs {
  /** Indexes of records, in order. */
  readonly records: readonly number[];
  /** False when something that is needed is not installed here, or is not known. */
  readonly complete: boolean;
}

/** One answer for each record, in order. `root` is the root directory of the system that the records belong to. */
export function resolveRequires(records: readonly RpmRecord[], root: string, tree: TreeView): Needs[] {
  const wanted = boundRich(records.map((record) => readRequirements(record)));
  const names = new Set(wanted.flatMap((each) => each.flatMap(namesIn)));
  const providers = findProviders(records, names, root, tree);
  let edges = 0;
  return records.map((record, index) => {
    if (record.requires === undefined || edges > maxEdges) return { records: [], complete: false };
    const needs = resolveOne(index, wanted[index]!, providers);
    edges += needs.records.length;
    return needs;
  });
}

interface Requirement {
  readonly name: string;
  /** Set when exactly this version is asked for. */
  readonly exactly?: string;
}

interface Provider {
  readonly record: number;
  readonly version: string;
}

/**
 * How many packages may provide one name; the real record is about a dozen. Without a bound, n packages that all
 * provide and need the same name would make n² edges.
 */
const maxProviders = 32;
/** Of one system; five thousand packages have about a hundred thousand. */
const maxEdges = 1_000_000;
/** Characters of the rich dependencies of one system: each name in them may stand for many packages. */
const maxRich = 4 * 1024 * 1024;

// Bits of the flags that go with a requirement (rpmds.h).
const sense = { comparison: 0b1110, equal: 0b1000, missingOk: 1 << 19, rpmlib: 1 << 24 } as const;

function readRequirements({ requires }: RpmRecord): Requirement[] {
  if (requires === undefined) return [];
  const versions = requires.versions && decodeStrings(requires.versions);
  const found = new Map<string, Requirement>();
  for (const [index, name] of decodeStrings(requires.names).entries()) {
    const flags = requires.flags?.[index] ?? 0;
    if (name === '' || name.startsWith('rpmlib(') || (flags & (sense.rpmlib | sense.missingOk)) !== 0) continue;
    const version = versions?.[index] ?? '';
    const exact = version !== '' && (flags & sense.comparison) === sense.equal;
    found.set(`${name} ${exact ? version : ''}`, exact ? { name, exactly: version } : { name });
  }
  return [...found.values()];
}

/** Those beyond the bound become one that cannot be read, and so counts as not met. */
function boundRich(wanted: readonly Requirement[][]): readonly Requirement[][] {
  let length = 0;
  return wanted.map((requirements) =>
    requirements.map((each) => {
      if (!isRich(each)) return each;
      length += each.name.length;
      return length > maxRich ? { name: '()' } : each;
    }),
  );
}

function isRich({ name }: Requirement): boolean {
  return name.startsWith('(');
}

function namesIn(requirement: Requirement): string[] {
  if (!isRich(requirement)) return [requirement.name];
  const names: string[] = [];
  resolveRich(requirement.name, (name) => {
    names.push(name);
    return { met: true, providers: new Set() };
  });
  return names;
}

function resolveOne(
  index: number,
  requirements: readonly Requirement[],
  providers: ReadonlyMap<string, readonly Provider[]>,
): Needs {
  const needed = new Set<number>();
  let complete = true;
  const resolveName = (name: string, exactly?: string): Outcome => {
    const all = providers.get(name) ?? [];
    // One more than the bound is kept to tell.
    if (all.length > maxProviders) complete = false;
    const exact = exactly === undefined ? [] : all.filter(({ version }) => isVersion(version, exactly));
    const taken = (exact.length > 0 ? exact : all).slice(0, maxProviders);
    return { met: all.length > 0, providers: new Set(taken.map(({ record }) => record)) };
  };
  for (const requirement of requirements) {
    const outcome = isRich(requirement)
      ? resolveRich(requirement.name, (name) => resolveName(name))
      : resolveName(requirement.name, requirement.exactly);
    if (outcome === undefined || !outcome.met) complete = false;
    // What a package provides for itself, it needs of nobody else.
    else if (!outcome.providers.has(index)) for (const each of outcome.providers) needed.add(each);
  }
  return { records: [...needed].sort((a, b) => a - b), complete };
}

/** A version without a release stands for all its releases. */
function isVersion(provided: string, asked: string): boolean {
  return provided === asked || provided.startsWith(`${asked}-`);
}

function findProviders(
  records: readonly RpmRecord[],
  names: ReadonlySet<string>,
  root: string,
  tree: TreeView,
): ReadonlyMap<string, readonly Provider[]> {
  const providers = new Map<string, Provider[]>();
  for (const [index, { provides }] of records.entries()) {
    if (provides === undefined) continue;
    const versions = provides.versions && decodeStrings(provides.versions);
    for (const [at, name] of decodeStrings(provides.names).entries()) {
      if (names.has(name)) addProvider(providers, name, { record: index, version: versions?.[at] ?? '' });
    }
  }
  addFiles(records, names, providers, root, tree);
  return providers;
}

/**
 * Paths that no package provides by name, searched among the files. Directories are compared with links followed:
 * `/bin/sh` is met by a package that lists `/usr/bin/sh`, and the reverse.
 */
function addFiles(
  records: readonly RpmRecord[],
  names: ReadonlySet<string>,
  providers: Map<string, Provider[]>,
  root: string,
  tree: TreeView,
): void {
  const follow = remember((directory: string) => {
    const plain = normalizePath(directory);
    const whole = root === '' ? plain : `${root}/${plain}`;
    return tree.resolve(whole) ?? whole;
  });
  const wanted = new Map<string, Set<string>>();
  const paths: { name: string; directory: string; base: string }[] = [];
  for (const name of names) {
    if (!name.startsWith('/') || name.length > maxPath || providers.has(name)) continue;
    const directory = follow(`${parentOf(name)}/`);
    const base = baseOf(name);
    wanted.set(directory, (wanted.get(directory) ?? new Set()).add(base));
    paths.push({ name, directory, base });
  }
  const owners = new Map<string, Provider[]>();
  for (const [index, { files }] of records.entries()) {
    if (files === undefined) continue;
    for (const { directory, name } of findNames(files, (each) => wanted.get(follow(each)))) {
      addProvider(owners, `${follow(directory)}/${name}`, { record: index, version: '' });
    }
  }
  for (const { name, directory, base } of paths) {
    const found = owners.get(`${directory}/${base}`);
    if (found !== undefined) providers.set(name, found);
  }
}

function addProvider(providers: Map<string, Provider[]>, name: string, provider: Provider): void {
  const known = providers.get(name);
  if (known === undefined) providers.set(name, [provider]);
  else if (known.length <= maxProviders) known.push(provider);
}

function remember(compute: (key: string) => string): (key: string) => string {
  const known = new Map<string, string>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}
