/**
 * The files of a package, kept as compactly as rpm keeps them: names without directories, the directories once each, and
 * for each name the number of its directory. A large image lists hundreds of thousands of files, of which few are ever
 * asked for, so paths are made when someone wants them.
 */
import { Unreadable } from '../types.ts';
import { copyStrings, decodeStrings, type Header, readNumbers, readStrings, type StringList } from './header.ts';

export interface FileList {
  readonly names: StringList;
  /** With the slash at the end: `/usr/bin/`. */
  readonly directories: StringList;
  /** For each name an index into directories. */
  readonly directoryOf: Uint32Array;
  /** For each name 1 when the package put a file there, 0 for directories, ghosts and what was left out. */
  readonly installed: Uint8Array;
}

const tags = {
  states: 1029,
  modes: 1030,
  flags: 1037,
  directoryIndexes: 1116,
  names: 1117,
  directories: 1118,
} as const;

/** A file that the package only lays claim to, such as a log: it was not delivered. */
const ghost = 1 << 6;

/** No path is longer on Linux. Without a limit one long directory name could be asked for by a million files. */
export const maxPath = 4096;

/** Undefined for a package without files. Throws Unreadable. */
export function readFiles(header: Header): FileList | undefined {
  const names = readStrings(header, tags.names);
  if (names === undefined) return undefined;
  const directories = readStrings(header, tags.directories);
  const indexes = readNumbers(header, tags.directoryIndexes);
  if (directories === undefined || indexes?.length !== names.count) throw new Unreadable('its file list is damaged');
  if (indexes.some((index) => index >= directories.count)) throw new Unreadable('its file list is damaged');
  return {
    names: copyStrings(names),
    directories: copyStrings(directories),
    directoryOf: Uint32Array.from(indexes),
    installed: findInstalled(header, names.count),
  };
}

/** Paths of the files that the package put on disk, as the package spells them. */
export function* installedPaths(files: FileList): Generator<string> {
  const directories = decodeStrings(files.directories);
  const names = decodeStrings(files.names);
  for (const [index, name] of names.entries()) {
    const directory = directories[files.directoryOf[index]!]!;
    if (files.installed[index] === 1 && directory.length + name.length <= maxPath) yield directory + name;
  }
}

/** Which of the wanted names, by directory, does the list have? Directories and ghosts are had, too. */
export function* findNames(
  files: FileList,
  wanted: (directory: string) => ReadonlySet<string> | undefined,
): Generator<{ directory: string; name: string }> {
  const directories = decodeStrings(files.directories);
  const sets = directories.map((each) => (each.length <= maxPath ? wanted(each) : undefined));
  if (sets.every((set) => set === undefined)) return;
  for (const [index, name] of decodeStrings(files.names).entries()) {
    const at = files.directoryOf[index]!;
    if (sets[at]?.has(name) === true) yield { directory: directories[at]!, name };
  }
}

/** A state other than 0 means left out (documentation, another architecture) or replaced by another package. */
function findInstalled(header: Header, count: number): Uint8Array {
  const states = readNumbers(header, tags.states);
  const modes = readNumbers(header, tags.modes);
  const flags = readNumbers(header, tags.flags);
  return Uint8Array.from({ length: count }, (_, index) => {
    const isDirectory = ((modes?.[index] ?? 0) & 0o170000) === 0o040000;
    const isGhost = ((flags?.[index] ?? 0) & ghost) !== 0;
    return (states?.[index] ?? 0) === 0 && !isDirectory && !isGhost ? 1 : 0;
  });
}
