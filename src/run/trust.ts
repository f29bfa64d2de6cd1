/**
 * The trusted roots of this machine: those inside tidewaiter, and newer ones that `trust update` brought.
 *
 * An updated root that is damaged, forged or of another name is refused by name, and the one inside is not taken in its
 * stead: an update may be there because the old root trusts a key that was stolen since, and whoever can spoil a file could
 * bring that key back without a word. An update that is older than what a newer tidewaiter carries is no damage: the newer
 * one counts.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import { cacheFolder } from '../io/cache-folder.ts';
import type { World } from '../io/index.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { findShipped, type ShippedName, shippedRoot, shippedTufRoot } from '../sigstore/shipped.ts';
import { parseTrustRoots } from '../sigstore/trust-root.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import { readWhole } from './read-whole.ts';

export interface LoadedRoot {
  readonly root: TrustRoot;
  readonly from: 'shipped' | 'updated' | 'file';
  /** Milliseconds; its age counts from here (`rootAge`). A file does not say when it was current. */
  readonly published?: number;
  /** Where it was read from; undefined for one that is inside tidewaiter. */
  readonly file?: string;
}

/** The newest there is of that name. Throws OperationalError `malformed` for an updated one that cannot be believed. */
export async function loadRoot(name: ShippedName, world: World): Promise<LoadedRoot> {
  const file = recordFile(name, world);
  if (file === undefined || (await isNothing(file, world))) return shippedOne(name);
  try {
    return (await loadRecord(name, file, world)) ?? shippedOne(name);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('malformed', `the updated trusted root ${quoted(file)} is refused: ${error.message}`, {
      cause: error,
      hints: [
        `replace it: tidewaiter trust update --root ${name}`,
        `or remove it, to go back to the one inside tidewaiter of ${day(findShipped(name).published)}`,
      ],
    });
  }
}

/**
 * Whether nothing lies there, which only a directory can say: a file or a broken link in the place of a folder hides what
 * was in it. Throws OperationalError.
 */
async function isNothing(file: string, { disk }: World): Promise<boolean> {
  let place = file;
  try {
    while (disk.kindOf(Buffer.from(place)) === undefined && place !== path.dirname(place)) place = path.dirname(place);
    if (place === file) return false;
    if ((await disk.stat(place))?.kind === 'directory') return true;
  } catch (error) {
    if (error instanceof OperationalError) throw hidden(`${quoted(place)}: ${error.message}`, error);
    throw error;
  }
  throw hidden(`${quoted(place)} is no directory`);
}

function hidden(why: string, cause?: unknown): OperationalError {
  return new OperationalError('io', `whether there are updated trusted roots cannot be seen: ${why}`, {
    hints: [
      'name a directory of your own with TIDEWAITER_CACHE_DIR; it need not exist',
      'or remove what is there, to go by the trusted roots inside tidewaiter',
    ],
    cause,
  });
}

/** All roots of a file that the user named. Throws OperationalError. */
export async function loadRootFile(file: string, world: World): Promise<readonly LoadedRoot[]> {
  const bytes = await readWhole(world.disk, file, maxFileBytes);
  try {
    const roots = parseTrustRoots(utf8(bytes), path.basename(file));
    return roots.map((root) => ({ root, from: 'file', file }));
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('configuration', `${quoted(file)} is no trusted root: ${error.message}`, {
      cause: error,
    });
  }
}

export const maxFileBytes = 4 * 1024 * 1024;

export function trustFolder(world: World): string | undefined {
  const folder = cacheFolder(world.env);
  return folder === undefined ? undefined : path.join(folder, 'trust');
}

export function recordFile(name: ShippedName, world: World): string | undefined {
  const folder = trustFolder(world);
  return folder === undefined ? undefined : path.join(folder, `${name}.json`);
}

function shippedOne(name: ShippedName): LoadedRoot {
  try {
    return { root: shippedRoot(name), from: 'shipped', published: findShipped(name).published };
  } catch (error) {
    throw spoiled(error);
  }
}

/** As `shippedTufRoot`, but throws OperationalError. */
export async function tufRootOf(name: ShippedName): Promise<string> {
  try {
    return await shippedTufRoot(name);
  } catch (error) {
    throw spoiled(error);
  }
}

function spoiled(error: unknown): unknown {
  if (!(error instanceof VerifyError)) return error;
  return new OperationalError('digest-mismatch', error.message, { cause: error, hints: ['install tidewaiter anew'] });
}

/** Undefined when tidewaiter carries something newer. Throws VerifyError. */
async function loadRecord(name: ShippedName, file: string, world: World): Promise<LoadedRoot | undefined> {
  const { maxRecordBytes, parseRecord, proveRecord } = await import('./trust-record.ts');
  const { tufRootVersion } = await import('../sigstore/tuf.ts');
  const shipped = findShipped(name);
  const tufRoot = await tufRootOf(name);
  const record = parseRecord(utf8(await readWhole(world.disk, file, maxRecordBytes)));
  if (record.name !== name) throw new VerifyError('malformed', `it is of ${quoted(record.name)}`);
  if (record.tufRoot < tufRootVersion(tufRoot) || record.updated < shipped.published) return undefined;
  const { root, proved } = proveRecord(record, tufRoot);
  if (proved.versions.targets < (shipped.targetsVersion ?? 0)) return undefined;
  return { root, from: 'updated', published: record.updated, file };
}

/** Throws VerifyError `malformed`. */
export function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VerifyError('malformed', 'it is not UTF-8', { cause });
  }
}

/** `2026-11-22`. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
