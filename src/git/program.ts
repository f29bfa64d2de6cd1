/**
 * Which git is run, and in what environment: one made from nothing. The user's variables could name a configuration, an
 * editor, a helper that asks for passwords, another object store; none of them reaches git.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { isInside } from './git-directory.ts';
import { GitRefusal } from './refusal.ts';

export interface GitProgram {
  /** Absolute path. */
  readonly program: string;
  /** `PATH` of absolute folders only, none of them in the repository. */
  readonly searchPath: string;
}

/** The first git of PATH that is not a part of what is judged. */
export async function findGit(world: World, forbidden: readonly string[]): Promise<GitProgram> {
  const git = await findProgram('git', world, forbidden);
  if (git !== undefined) return git;
  throw new OperationalError('not-found', 'there is no git in PATH', {
    hints: [
      'install git 2.38 or newer',
      'a git in the repository itself, or in a relative folder of PATH, is not used',
    ],
  });
}

/**
 * The first of that name in PATH that does not lie in one of the forbidden folders (absolute, links resolved): an author could
 * have put one there, and package runners put folders of the work tree into PATH.
 */
export async function findProgram(
  called: string,
  world: World,
  forbidden: readonly string[],
): Promise<GitProgram | undefined> {
  const listed = (world.env['PATH'] ?? world.env['Path'] ?? '').split(path.delimiter);
  const folders: string[] = [];
  for (const folder of listed.filter((each) => path.isAbsolute(each))) {
    if ((await statOrNothing(world, folder))?.kind !== 'directory') continue;
    const real = await world.disk.realPath(folder);
    if (!forbidden.some((top) => isInside(real, top) || isInside(folder, top))) folders.push(folder);
  }
  const name = path.sep === '\\' ? `${called}.exe` : called;
  for (const folder of folders) {
    const program = path.join(folder, name);
    const stat = await statOrNothing(world, program);
    if (stat?.kind !== 'file' || (path.sep === '/' && (stat.mode & 0o111) === 0)) continue;
    const real = await world.disk.realPath(program);
    if (forbidden.some((top) => isInside(real, top))) continue;
    return { program, searchPath: folders.join(path.delimiter) };
  }
  return undefined;
}

/** A folder that this user may not enter is passed over, as shells do: PATH often names some of another user. */
async function statOrNothing({ disk }: World, place: string): ReturnType<World['disk']['stat']> {
  try {
    return await disk.stat(place);
  } catch (error) {
    if (error instanceof OperationalError) return undefined;
    throw error;
  }
}

const mebibyte = 1024 * 1024;
/** Git itself deltifies nothing larger (core.bigFileThreshold), and passes on in pieces what is no delta. */
const mostAllocated = 512 * mebibyte;

/**
 * `maxObjectBytes`: the largest object that will be asked for. A pack of some kilobytes can hold deltas that grow to gigabytes,
 * and git reads a commit whole before we see its size, so no single piece of its memory may be larger than the limit. The packs
 * themselves are mapped, which does not count.
 */
export function gitEnvironment(
  git: GitProgram,
  folder: string,
  world: World,
  maxObjectBytes = 0,
): Readonly<Record<string, string>> {
  const windows = world.env['SystemRoot'] ?? world.env['SYSTEMROOT'];
  return {
    PATH: git.searchPath,
    // Programs do not start without it there.
    ...(path.sep === '\\' && windows !== undefined ? { SystemRoot: windows } : {}),
    HOME: folder,
    LC_ALL: 'C',
    GIT_DIR: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // No such file: where there is one, even empty, advice about it stands before whatever git says of an error.
    GIT_GRAFT_FILE: path.join(folder, 'no-grafts'),
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOC_LIMIT: `${Math.max(mostAllocated, maxObjectBytes + mebibyte)}`,
    // Of the commits in between that a merge of more than two needs: the same ids whoever runs it, and whenever.
    GIT_AUTHOR_NAME: 'tidewaiter',
    GIT_AUTHOR_EMAIL: 'tidewaiter@localhost',
    GIT_AUTHOR_DATE: '@0 +0000',
    GIT_COMMITTER_NAME: 'tidewaiter',
    GIT_COMMITTER_EMAIL: 'tidewaiter@localhost',
    GIT_COMMITTER_DATE: '@0 +0000',
  };
}

/** `2.39.5` of `git version 2.39.5 (Apple Git-154)`. Refuses what is older than 2.38: it cannot replay merges. */
export function parseGitVersion(text: string): string {
  const [, version, major, minor] = /^git version ((\d{1,4})\.(\d{1,4})[^\s]{0,60})/.exec(text) ?? [];
  if (version === undefined) {
    throw new OperationalError('unsupported', `git says that it is ${quoted(text.trim())}, and no version`, {
      hints: ['install git 2.38 or newer'],
    });
  }
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return version;
  throw new GitRefusal('unsupported-repository', `git ${version} is too old to read a repository safely`, [
    'install git 2.38 or newer',
  ]);
}
