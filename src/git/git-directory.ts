/**
 * Where a repository is: from a folder up to the first `.git`, which is a folder, or a file of one line
 *
 *     gitdir: ../.git/worktrees/feature
 *
 * in linked work trees and submodules; or the folder itself where it is a bare repository. The git directory of a linked
 * work tree holds a file `commondir` with the way to the one that it shares objects, refs and configuration with
 * (gitrepository-layout). Nothing is ever asked of git here: it would read the configuration of what it finds.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { readSmall, strictText } from './read-file.ts';
import { GitRefusal } from './refusal.ts';

/** Absolute paths, links resolved. */
export interface GitDirectory {
  /** HEAD and refs/bisect, refs/worktree, refs/rewritten. */
  readonly own: string;
  /** Everything else. The same as `own` but in a linked work tree. */
  readonly common: string;
  /** The folder that holds `.git`; the git directory itself where it is bare. */
  readonly top: string;
}

export async function findGitDirectory(folder: string, world: World): Promise<GitDirectory> {
  const stat = await world.disk.stat(folder);
  if (stat === undefined) throw new OperationalError('not-found', `there is no folder ${quoted(folder)}`);
  if (stat.kind !== 'directory') throw new OperationalError('not-found', `${quoted(folder)} is not a folder`);
  const start = await world.disk.realPath(folder);
  const around = await findAround(start, world);
  if (await isGitDirectory(start, world)) {
    await refuseEmbedded(start, around, world);
    return checked({ git: start, top: start }, world);
  }
  if (around !== undefined) return checked(around, world);
  throw new OperationalError('not-found', `${quoted(folder)} is not in a git repository`, {
    hints: ['run tidewaiter in the repository, or name its folder: --repository PATH'],
  });
}

interface Found {
  readonly git: string;
  readonly top: string;
}

/** The nearest `.git` in the folder or above it. */
async function findAround(start: string, world: World): Promise<Found | undefined> {
  for (let top = start; ; top = path.dirname(top)) {
    const place = path.join(top, '.git');
    const stat = await world.disk.stat(place);
    if (stat !== undefined) {
      const git = stat.kind === 'directory' ? place : await readGitFile(place, world);
      return { git: await world.disk.realPath(git), top };
    }
    if (path.dirname(top) === top) return undefined;
  }
}

async function readGitFile(file: string, world: World): Promise<string> {
  const text = strictText((await readSmall(world, file, 64 * 1024)) ?? Buffer.alloc(0));
  const target = /^gitdir: ([^\0]+?)[\r\n]*$/s.exec(text ?? '')?.[1];
  if (target === undefined) {
    throw new GitRefusal('unsupported-repository', `${quoted(file)} does not say where the repository is`);
  }
  const git = path.resolve(path.dirname(file), target);
  if ((await world.disk.stat(git))?.kind === 'directory') return git;
  throw new OperationalError('not-found', `${quoted(file)} points to ${quoted(git)}, and there is no such folder`, {
    hints: ['repair the link: git worktree repair, or git submodule update --init'],
  });
}

async function isGitDirectory(folder: string, world: World): Promise<boolean> {
  const [head, common, objects, refs] = await Promise.all(
    ['HEAD', 'commondir', 'objects', 'refs'].map((name) => world.disk.stat(path.join(folder, name))),
  );
  if (head === undefined && world.disk.kindOf(Buffer.from(path.join(folder, 'HEAD'))) !== 'symlink') return false;
  return common?.kind === 'file' || (objects?.kind === 'directory' && refs?.kind === 'directory');
}

/**
 * Files of a change can make any folder look like a bare repository (HEAD, objects/, refs/ are ordinary names), but none can
 * be called `.git`. So one inside somebody's work tree counts only where its name says that it was meant.
 */
async function refuseEmbedded(start: string, around: Found | undefined, world: World): Promise<void> {
  if (around === undefined || isInside(start, around.git) || start.endsWith('.git')) return;
  const common = await commonOf(around.git, world);
  if (isInside(start, common)) return;
  throw new GitRefusal(
    'unsupported-repository',
    `${quoted(start)} looks like a bare repository, but is a part of the work tree ${quoted(around.top)}`,
    ['name the folder of the repository that is meant', 'give a bare repository a name that ends in .git'],
  );
}

/** True where the one path is the other, or below it. Both absolute. */
export function isInside(inner: string, outer: string): boolean {
  const way = path.relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way));
}

async function commonOf(own: string, world: World): Promise<string> {
  const file = path.join(own, 'commondir');
  const bytes = await readSmall(world, file, 64 * 1024);
  if (bytes === undefined) return own;
  const text = strictText(bytes)?.replace(/[\r\n]+$/, '');
  if (text === undefined || text === '' || text.includes('\0')) {
    throw new GitRefusal('unsupported-repository', `${quoted(file)} does not say where the repository is`);
  }
  const common = path.resolve(own, text);
  if ((await world.disk.stat(common))?.kind === 'directory') return world.disk.realPath(common);
  throw new OperationalError('not-found', `${quoted(file)} points to ${quoted(common)}, and there is no such folder`, {
    hints: ['repair the work tree: git worktree repair'],
  });
}

async function checked({ git, top }: Found, world: World): Promise<GitDirectory> {
  const common = await commonOf(git, world);
  if ((await isGitDirectory(git, world)) && (await isGitDirectory(common, world))) return { own: git, common, top };
  throw new OperationalError('not-found', `${quoted(git)} is not a whole git repository`, {
    hints: ['it needs HEAD, objects and refs: clone it anew'],
  });
}
