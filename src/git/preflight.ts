/**
 * What makes a repository one that cannot be judged, before any object is read: history cut off (shallow), objects left
 * out (partial clones: git would fetch them, by running what the configuration names), objects or parents replaced by
 * others, and kinds of storage that we do not read. Each is refused by name, with the command that repairs it.
 */
import path from 'node:path';
import { plural, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { parseBoolean, parseConfig, type Setting } from './config.ts';
import type { GitDirectory } from './git-directory.ts';
import { readSmall } from './read-file.ts';
import { GitRefusal } from './refusal.ts';
import type { ObjectFormat } from './types.ts';

/** Refuses by the configuration; gives the one fact that is needed of it. Comes first: it says whether refs are files. */
export async function readObjectFormat(place: GitDirectory, world: World): Promise<ObjectFormat> {
  const files = [path.join(place.common, 'config'), path.join(place.own, 'config.worktree')];
  const read = await Promise.all(files.map((file) => readSmall(world, file, maxConfigBytes)));
  const settings = read.flatMap((bytes) => (bytes === undefined ? [] : parseConfig(bytes)));
  refuseVersion(settings);
  refuseFiltered(settings);
  let format: ObjectFormat = 'sha1';
  for (const { name, value } of settings) {
    if (!name.startsWith('extensions.')) continue;
    const extension = name.slice('extensions.'.length);
    const text = (value ?? '').toLowerCase();
    if (extension === 'objectformat' && (text === 'sha1' || text === 'sha256')) format = text;
    else if (extension === 'refstorage' && text === 'files') continue;
    else if (!harmless.has(extension)) throw unknownExtension(extension, value);
  }
  return format;
}

const maxConfigBytes = 16 * 1024 * 1024;

/** They change nothing about which objects and refs there are, or where. `partialclone` was judged before. */
const harmless: ReadonlySet<string> = new Set([
  'noop',
  'noop-v1',
  'preciousobjects',
  'worktreeconfig',
  'relativeworktrees',
  'submodulepathconfig',
  'partialclone',
]);

function refuseVersion(settings: readonly Setting[]): void {
  const version = settings.findLast(({ name }) => name === 'core.repositoryformatversion')?.value ?? '0';
  if (version === '0' || version === '1') return;
  throw new GitRefusal('unsupported-repository', `the repository is of format version ${quoted(version)}`, [
    'clone it with a git that writes version 0 or 1',
  ]);
}

function unknownExtension(extension: string, value: string | undefined): GitRefusal {
  const stated = value === undefined ? '' : ` = ${quoted(value)}`;
  const hint =
    extension === 'refstorage'
      ? 'keep its refs in files: git refs migrate --ref-format=files'
      : 'clone it anew, without this extension';
  return new GitRefusal('unsupported-repository', `the repository uses extensions.${extension}${stated}`, [hint]);
}

/** A filter or promise in the configuration makes git fetch what is missing, and never say that it was. */
function refuseFiltered(settings: readonly Setting[]): void {
  const sign = settings.find(({ name, value }) => {
    if (name === 'extensions.partialclone') return true;
    if (!name.startsWith('remote.')) return false;
    if (name.endsWith('.promisor')) return parseBoolean(value) !== false;
    return name.endsWith('.partialclonefilter') && value !== '';
  });
  if (sign !== undefined) throw partialClone(`its configuration sets ${quoted(sign.name)}`);
}

export async function refuseCut(place: GitDirectory, objects: readonly string[], world: World): Promise<void> {
  // A repository that lends objects and is cut off itself lacks what lies behind the cut.
  const lenders = objects.slice(1).map((folder) => path.dirname(folder));
  for (const folder of new Set([place.common, place.own, ...lenders])) {
    const stat = await world.disk.stat(path.join(folder, 'shallow'));
    if (stat === undefined || (stat.kind === 'file' && stat.size === 0)) continue;
    throw new GitRefusal('shallow', `the repository is a shallow clone: ${quoted(path.join(folder, 'shallow'))}`, [
      'fetch its history: git fetch --unshallow',
      'in GitHub Actions give actions/checkout fetch-depth: 0; in GitLab CI set GIT_DEPTH: "0"',
    ]);
  }
  for (const folder of objects) {
    const packs = path.join(folder, 'pack');
    if ((await world.disk.stat(packs))?.kind !== 'directory') continue;
    const files = world.disk.list(Buffer.from(packs));
    // Opened by git, a pipe would never be opened. Links are followed: some tools share packs by them.
    for (const { name, stat } of files) {
      const place = path.join(packs, name.toString());
      const { kind } = stat.kind === 'symlink' ? ((await world.disk.stat(place)) ?? stat) : stat;
      if (kind === 'other') throw notAFile(place);
    }
    const promised = files.find(({ name }) => name.toString('latin1').endsWith('.promisor'));
    if (promised !== undefined) throw partialClone(`there is ${quoted(path.join(packs, promised.name.toString()))}`);
  }
}

function notAFile(place: string): GitRefusal {
  return new GitRefusal('unsupported-repository', `${quoted(place)} is a pipe, a socket or a device, and no file`, [
    'remove it: git would wait for it for ever',
  ]);
}

function partialClone(why: string): GitRefusal {
  return new GitRefusal('partial-clone', `the repository is a partial clone: ${why}`, [
    'clone it anew without --filter: git clone URL',
    'or make it whole: git fetch --refetch --no-filter --no-auto-maintenance && git config --unset remote.origin.promisor; git config --unset remote.origin.partialclonefilter; rm -f "$(git rev-parse --git-common-dir)"/objects/pack/*.promisor',
    'in GitHub Actions give actions/checkout neither filter nor sparse-checkout',
  ]);
}

export async function refuseReplaced(place: GitDirectory, refNames: Iterable<string>, world: World): Promise<void> {
  const replaced = [...refNames].filter((name) => name.startsWith('refs/replace/'));
  if (replaced.length > 0) {
    const ids = replaced.map((name) => name.slice('refs/replace/'.length));
    const shown = ids
      .slice(0, 3)
      .map((id) => quoted(id))
      .join(', ');
    throw new GitRefusal('replaced-objects', `the repository replaces ${plural(ids.length, 'object')}: ${shown}`, [
      'remove the replacements: git replace --list | xargs git replace --delete',
    ]);
  }
  for (const folder of new Set([place.common, place.own])) {
    const file = path.join(folder, 'info/grafts');
    const text = (await readSmall(world, file, maxConfigBytes))?.toString('latin1') ?? '';
    if (text.split('\n').every((line) => /^\s*(?:#|$)/.test(line))) continue;
    throw new GitRefusal('replaced-objects', `the repository replaces parents of commits: ${quoted(file)}`, [
      'remove the file: rm "$(git rev-parse --git-common-dir)/info/grafts"',
    ]);
  }
}
