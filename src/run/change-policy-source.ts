/** Where the policy of a change is read from, and how the files beside it are: from a tree, or from disk. */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import { parseCommit } from '../git/commit.ts';
import type { OpenedRepository } from '../git/index.ts';
import { GitRefusal } from '../git/refusal.ts';
import { resolveRevision } from '../git/revision.ts';
import { findEntry } from '../git/tree-file.ts';
import type { ObjectId, Repository } from '../git/types.ts';
import type { World } from '../io/index.ts';
import { readWhole } from './read-whole.ts';

export interface PolicyRequest {
  /** As the user wrote it; undefined for the default. */
  readonly source?: string;
  readonly repository: OpenedRepository;
  /** Tip of the protected branch. */
  readonly policyBase: { readonly id: ObjectId; readonly tree: ObjectId };
  readonly head: { readonly id: ObjectId };
}

/** Reads a file of a tree by its path from the root; undefined where there is none. */
export type ReadTree = (path: string, tree: ObjectId) => Promise<Buffer | undefined>;

export interface PolicySource {
  /** For people: `git:COMMIT:PATH`, or the file. */
  readonly from: string;
  /** For people: the commit, or the folder. */
  readonly where: string;
  /** The policy file: from the root of the repository, or on disk. */
  readonly file: string;
  readonly inRepository: boolean;
  /** Path of a file that the policy names. Throws OperationalError `configuration` where it leaves the repository. */
  beside(name: string): string;
  read(file: string): Promise<Buffer | undefined>;
}

export const defaultPolicyPath = 'tidewaiter.policy.yaml';

/** Of one file: the policy, a key, a trusted root. */
export const maxPolicyFileBytes = 4 * 1024 * 1024;

/** Throws as `readChangePolicy`. */
export async function openPolicySource(request: PolicyRequest, read: ReadTree, world: World): Promise<PolicySource> {
  const { source, policyBase, repository } = request;
  if (source === undefined) {
    const where = `${policyBase.id}, the tip of the protected branch`;
    return fromTree({ ...policyBase, where, file: defaultPolicyPath }, repository, read);
  }
  if (source.startsWith('git:')) return fromRevision(source, request, read);
  if (/@sha(?:256|384|512):[0-9a-f]*$/.test(source) || /^(?:registry|oci|oci-archive|docker|podman):/.test(source)) {
    throw usage(`--policy ${quoted(source)} names an image, and policies are not read from registries yet`);
  }
  if (source === '' || source === '-') throw usage(`--policy ${quoted(source)} is no file`);
  return fromDisk(source, repository.path, world);
}

interface InTree {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly where: string;
  readonly file: string;
}

function fromTree({ id, tree, where, file }: InTree, { objects }: Repository, read: ReadTree): PolicySource {
  return {
    from: `git:${id}:${file}`,
    where,
    file,
    inRepository: true,
    beside: (name) => {
      const joined = path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
      const isInside = !name.startsWith('/') && !/^\.\.?(?:\/|$)/.test(joined) && !joined.endsWith('/');
      if (isInside) return joined;
      throw new OperationalError('configuration', `${quoted(name)} is no file of the repository`, {
        hints: ['keep what the policy names in the repository, on its protected branch'],
      });
    },
    read: async (name) => {
      const bytes = await read(name, tree);
      if (bytes !== undefined) return bytes;
      // Not there, as git sees it; a checkout may well have something behind a link on the way.
      const segments = name.split('/');
      for (let length = 1; length < segments.length; length++) {
        const folder = segments.slice(0, length).join('/');
        const entry = await findEntry(objects, tree, folder);
        if (entry === undefined || entry.mode === '040000') continue;
        const what = entry.mode === '120000' ? 'a symbolic link' : entry.mode === '160000' ? 'a submodule' : 'a file';
        throw new GitRefusal('path-trick', `${quoted(name)} is not read: ${quoted(folder)} is ${what}, and no folder`, [
          'commit it as a regular file in a folder of its own, on the branch that it is read from',
        ]);
      }
      return undefined;
    },
  };
}

async function fromRevision(source: string, request: PolicyRequest, read: ReadTree): Promise<PolicySource> {
  const { repository, policyBase, head } = request;
  const [, revision = '', file = defaultPolicyPath] = /^git:([^:]*)(?::(.*))?$/s.exec(source) ?? [];
  const isPath = file.length <= 4096 && file.split('/').every((each) => each !== '' && each !== '.' && each !== '..');
  if (revision === '' || !isPath) {
    throw usage(`--policy ${quoted(source)} is not git:REV:PATH, with a path from the root of the repository`);
  }
  const { id } = await resolveRevision(repository, revision);
  // Any commit that has a part of the change in its history may have its policy from there.
  for (const common of await repository.mergeBases(id, head.id)) {
    if (await repository.isAncestor(common, policyBase.id)) continue;
    throw usage(`--policy ${quoted(source)} has commits of the change in it, which may not choose its own policy`);
  }
  const { tree } = parseCommit(await repository.objects.read(id, 'commit'));
  return fromTree({ id, tree, where: id, file }, repository, read);
}

async function fromDisk(file: string, repository: string, world: World): Promise<PolicySource> {
  const folder = path.dirname(file);
  const workTree = await findWorkTree(repository, world);
  return {
    from: file,
    where: folder,
    file,
    inRepository: false,
    beside: (name) => (path.isAbsolute(name) ? name : path.join(folder, name)),
    read: async (name) => {
      const bytes = await readConfigured(name, world);
      if (bytes === undefined || workTree === undefined) return bytes;
      const real = await world.disk.realPath(name);
      if (!isBelow(real, workTree)) return bytes;
      throw new OperationalError(
        'configuration',
        `${quoted(name)} lies in the work tree of the repository, where the change could have written it`,
        {
          hints: [
            'leave --policy out, for the policy of the base branch',
            'or name a commit with --policy git:REV:PATH, or a file outside of the repository',
          ],
        },
      );
    },
  };
}

async function readConfigured(file: string, { disk }: World): Promise<Buffer | undefined> {
  try {
    return await readWhole(disk, file, maxPolicyFileBytes);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    if (error.code === 'not-found') return undefined;
    throw new OperationalError('configuration', `a file of the policy cannot be read: ${error.message}`, {
      hints: error.hints.length > 0 ? error.hints : ['give the path of a regular file that you may read'],
      cause: error,
    });
  }
}

/** The folder that has `.git` in it, from here upwards; none for a bare repository. */
async function findWorkTree(repository: string, { disk }: World): Promise<string | undefined> {
  if ((await disk.stat(repository)) === undefined) return undefined;
  let folder = await disk.realPath(repository);
  while (disk.kindOf(Buffer.from(path.join(folder, '.git'))) === undefined) {
    const parent = path.dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return folder;
}

function isBelow(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '' || (!path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..');
}

function usage(message: string): OperationalError {
  return new OperationalError('usage', message, {
    hints: [
      'leave --policy out, for tidewaiter.policy.yaml of the base branch',
      'or write --policy git:REV:PATH, or the path of a file outside of the repository',
    ],
  });
}
