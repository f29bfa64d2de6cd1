/**
 * Opens a repository so that reading it runs nothing of it and changes nothing in it. Refs, HEAD and the configuration's few
 * facts are read by us; objects come from git in a private directory (private-directory.ts). One thing is not ours to
 * prevent: where a replayed merge makes an object that is there already, git renews the time stamp of its file.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import type { GitProcess, World } from '../io/index.ts';
import { openObjects } from './cat-file.ts';
import { runCommand, type StartGit } from './command.ts';
import { findGitDirectory } from './git-directory.ts';
import { openLinks } from './links.ts';
import { mergeBudget, mergeMany, openMerges } from './merge-tree.ts';
import { findObjectFolders } from './object-folders.ts';
import { readObjectFormat, refuseCut, refuseReplaced } from './preflight.ts';
import { makePrivateDirectory } from './private-directory.ts';
import { findGit, gitEnvironment, parseGitVersion } from './program.ts';
import { isAncestor, mergeBases, proveRange, shareAncestor } from './range.ts';
import { isId, readRefs } from './refs.ts';
import type { ObjectId, Repository } from './types.ts';

/**
 * The repository that holds this folder. Throws GitRefusal for one that cannot be judged, OperationalError for none. Whoever
 * opens it closes it.
 */
export async function openRepository(
  path: string,
  world: World,
  limits: RepositoryLimits = {},
): Promise<OpenedRepository> {
  const place = await findGitDirectory(path, world);
  const format = await readObjectFormat(place, world);
  const objectFolders = await findObjectFolders(place.common, world);
  await refuseCut(place, objectFolders, world);
  const refs = await readRefs(place, format, world);
  await refuseReplaced(place, [...refs.refs.keys(), ...refs.brokenRefs.keys()], world);
  const git = await findGit(world, [place.top, place.own, place.common]);
  const folder = await makePrivateDirectory(objectFolders, format, world);
  const processes = processesIn(folder, (args) =>
    world.git.start({
      program: git.program,
      args,
      folder,
      env: gitEnvironment(git, folder, world, limits.maxObjectBytes),
    }),
  );
  const close = async () => {
    await processes.end();
    await world.git.removeFolder(folder);
  };
  try {
    const gitVersion = parseGitVersion((await runCommand(processes.start, ['version'])).stdout);
    const access = openAccess(processes.start, format, limits);
    const closeAll = () => {
      access.closeObjects();
      return close();
    };
    return { path, gitVersion, format, ...refs, ...access, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface RepositoryLimits {
  /** Cap on one object, instead of the usual ones. */
  readonly maxObjectBytes?: number;
}

export interface OpenedRepository extends Repository {
  /** Ids of commits that begin with these digits, by git's word. */
  findCommits(prefix: string): Promise<readonly ObjectId[]>;
}

function openAccess(start: StartGit, format: Repository['format'], { maxObjectBytes }: RepositoryLimits) {
  const objects = openObjects(start, format, maxObjectBytes);
  const budget = mergeBudget();
  const merge = openMerges(start, format, budget);
  const mergePlain = openMerges(start, format, budget, ['-c', 'merge.renames=false', '-c', 'diff.renames=false']);
  const walker = { start, format, links: openLinks(objects) };
  const proved = rememberLast(mostProved, async (base: ObjectId, head: ObjectId) =>
    proveRange(walker, checked(base, format), checked(head, format)),
  );
  return {
    objects,
    closeObjects: objects.close,
    mergeBases: async (one: ObjectId, other: ObjectId) => {
      const [left, right] = [checked(one, format), checked(other, format)];
      return mergeBases(walker, proved(left, right), left, right);
    },
    isAncestor: async (ancestor: ObjectId, of: ObjectId) =>
      isAncestor(walker, checked(ancestor, format), checked(of, format)),
    shareAncestor: async (ids: readonly ObjectId[]) =>
      shareAncestor(
        walker,
        ids.map((id) => checked(id, format)),
      ),
    listRange: async (base: ObjectId, head: ObjectId) => (await proved(base, head)).ids,
    mergeTree: merge,
    mergeTreeOf: (parents: readonly ObjectId[]) =>
      parents.length === 2 ? merge(parents[0]!, parents[1]!) : mergeMany(mergePlain, start, parents),
    findCommits: async (prefix: string) => {
      const { stdout } = await runCommand(start, ['rev-parse', `--disambiguate=${prefix}`]);
      const ids = stdout.split('\n').filter((line) => line !== '');
      const looked = await Promise.all(ids.map(async (id) => ({ id, type: (await objects.look(id))?.type })));
      return looked.filter(({ type }) => type === 'commit').map(({ id }) => id);
    },
  };
}

/** Merge bases and the list of a range, one way and the other, are asked for one after the other. */
const mostProved = 2;

function rememberLast<Result>(most: number, make: (one: string, other: string) => Promise<Result>) {
  const made = new Map<string, Promise<Result>>();
  return (one: string, other: string): Promise<Result> => {
    const key = `${one} ${other}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const oldest = made.keys().next().value;
    if (made.size >= most && oldest !== undefined) made.delete(oldest);
    const result = make(one, other);
    made.set(key, result);
    return result;
  };
}

/** What becomes an argument of git must not become one of its options. */
function checked(id: ObjectId, format: Repository['format']): ObjectId {
  if (isId(id, format)) return id;
  throw new OperationalError('malformed', `${quoted(id)} is no id of a commit`);
}

/** Keeps an eye on what was started, so that closing ends it. */
function processesIn(folder: string, startOne: StartGit): { readonly start: StartGit; end(): Promise<void> } {
  const alive = new Set<GitProcess>();
  let closed = false;
  return {
    start: async (args) => {
      if (closed) throw new OperationalError('io', `the repository was closed (${folder})`);
      const process = await startOne(args);
      if (closed) process.kill();
      alive.add(process);
      void process.ended.then(() => alive.delete(process));
      return process;
    },
    end: async () => {
      closed = true;
      for (const process of alive) process.kill();
      // What still writes would stand in the way of removing the folder.
      await Promise.all([...alive].map(({ ended }) => ended));
    },
  };
}
