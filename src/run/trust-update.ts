/**
 * `trust update`: the newest trusted root of an instance, over TUF. What tuf-js has proved is proved once more, by the code
 * that will prove it at each use, and only then written: an update that fails leaves everything as it was.
 */
import { hash } from 'node:crypto';
import path from 'node:path';
import { OperationalError, printable, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { fetchTuf } from '../io/tuf.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { findShipped, rootAge, type ShippedName } from '../sigstore/shipped.ts';
import { proveTarget, tufRootVersion } from '../sigstore/tuf.ts';
import { readWhole } from './read-whole.ts';
import { day, loadRoot, maxFileBytes, recordFile, trustFolder, tufRootOf, utf8 } from './trust.ts';
import {
  formatRecord,
  maxRecordBytes,
  parseRecord,
  proveRecord,
  type TrustRecord,
  trustTarget,
} from './trust-record.ts';

export interface Updated {
  readonly name: string;
  readonly url: string;
  readonly digest: string;
  /** Of the TUF repository. */
  readonly versions: { readonly root: number; readonly targets: number };
  readonly changed: boolean;
  readonly file: string;
}

export interface UpdateOptions {
  /** Of the TUF repository, where it is not the usual one: a mirror. */
  readonly url?: string;
  readonly timeoutSeconds: number;
  readonly userAgent: string;
}

/** Brings the newest root of a shipped name into the cache folder. Throws OperationalError. */
export async function updateRoot(name: ShippedName, options: UpdateOptions, world: World): Promise<Updated> {
  const shipped = findShipped(name);
  const file = recordFile(name, world);
  if (file === undefined) throw noCacheFolder();
  try {
    const tufRoot = await tufRootOf(name);
    const { record, versions, before } = await bring(
      { ...options, name, url: options.url ?? shipped.tuf.url, tufRoot, file },
      world,
    );
    if (versions.targets < (shipped.targetsVersion ?? 0)) {
      const [got, have] = [versions.targets, shipped.targetsVersion];
      throw new OperationalError(
        'malformed',
        `${quoted(record.url)} is not believed: it offers targets ${got}, older than targets ${have} inside tidewaiter`,
      );
    }
    await keep(record, file, world);
    const old = before?.digest ?? shipped.digest;
    return { name, url: record.url, digest: record.digest, versions, changed: old !== record.digest, file };
  } catch (error) {
    throw error instanceof OperationalError ? withHints(error, await whatRemains(name, world)) : error;
  }
}

export interface PrivateUpdate extends UpdateOptions {
  readonly url: string;
  /** TUF root that the user trusts, a file. */
  readonly tufRootFile: string;
  /** Where the trusted root is written. */
  readonly to: string;
}

/**
 * Brings the root of another instance into a file that a policy or flag then names. It never gets into the place of a
 * shipped one. What is remembered in the cache folder only serves to notice older metadata. Throws OperationalError.
 */
export async function updatePrivateRoot(options: PrivateUpdate, world: World): Promise<Updated> {
  const tufRoot = await readTufRoot(options.tufRootFile, world);
  const folder = trustFolder(world);
  if (folder === undefined) throw noCacheFolder();
  const name = `private-${hash('sha256', tufRoot).slice(0, 16)}`;
  const file = path.join(folder, `${name}.json`);
  try {
    const { record, versions, before } = await bring({ ...options, name, tufRoot, file }, world);
    await keep(record, file, world);
    await world.disk.write(options.to, record.document);
    const changed = before?.digest !== record.digest;
    return { name: options.to, url: record.url, digest: record.digest, versions, changed, file: options.to };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    throw withHints(error, [`${quoted(options.to)} was not touched: verification goes on offline with what it is`]);
  }
}

interface Bringing extends UpdateOptions {
  readonly name: string;
  readonly url: string;
  readonly tufRoot: string;
  /** Of an earlier update. */
  readonly file: string;
}

interface Brought {
  readonly record: TrustRecord;
  readonly versions: { readonly root: number; readonly targets: number };
  readonly before?: TrustRecord;
}

/** Downloads, proves with our own eyes what tuf-js has proved, and reads it. Writes nothing. */
async function bring(options: Bringing, world: World): Promise<Brought> {
  const { url, name, tufRoot, timeoutSeconds, userAgent } = options;
  checkUrl(url);
  const before = await earlier(options, world);
  const known = before === undefined ? {} : { known: before.metadata };
  const folder = path.dirname(options.file);
  const { document, ...metadata } = await fetchTuf({
    url,
    root: tufRoot,
    ...known,
    target: trustTarget,
    folder,
    timeoutSeconds,
    userAgent,
  });
  try {
    const { versions } = proveTarget(tufRoot, metadata, trustTarget, document);
    const updated = world.now();
    const record = {
      name,
      url,
      updated,
      tufRoot: versions.root,
      digest: hash('sha256', document),
      document: utf8(document),
      metadata,
    };
    proveRecord(record, tufRoot);
    return { record, versions, ...(before === undefined ? {} : { before }) };
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('malformed', `${quoted(url)} is not believed: ${error.message}`, { cause: error });
  }
}

async function keep(record: TrustRecord, file: string, world: World): Promise<void> {
  const text = formatRecord(record);
  if (Buffer.byteLength(text) > maxRecordBytes) {
    throw new OperationalError('limit', `what ${quoted(record.url)} sends has more than ${maxRecordBytes} bytes`);
  }
  await world.disk.write(file, text);
}

/** What an earlier update left; undefined for nothing, and for what is not in order: it is about to be replaced. */
async function earlier({ file, tufRoot, name }: Bringing, world: World): Promise<TrustRecord | undefined> {
  if ((await world.disk.stat(file)) === undefined) return undefined;
  try {
    const record = parseRecord(utf8(await readWhole(world.disk, file, maxRecordBytes)));
    proveRecord(record, tufRoot);
    return record.name === name ? record : undefined;
  } catch (error) {
    if (error instanceof VerifyError) return undefined;
    throw error;
  }
}

async function readTufRoot(file: string, world: World): Promise<string> {
  const bytes = await readWhole(world.disk, file, maxFileBytes);
  try {
    const text = utf8(bytes);
    tufRootVersion(text);
    return text;
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('configuration', `${quoted(file)} is no TUF root: ${error.message}`, { cause: error });
  }
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  // Plain http will do: every byte is proved by signatures.
  if (plain && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  throw new OperationalError('usage', `${quoted(text)} is no URL of a TUF repository`, {
    hints: ['write it as https://HOST/PATH, without user name, query and fragment'],
  });
}

async function whatRemains(name: ShippedName, world: World): Promise<readonly string[]> {
  try {
    const { from, published = 0 } = await loadRoot(name, world);
    const age = rootAge(published, world.now());
    return [
      `nothing was changed: verification goes on offline with the trusted root ${from === 'shipped' ? 'inside tidewaiter' : 'of the last update'}, of ${day(published)} (${age} days old)`,
    ];
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return [printable(error.message), ...error.hints.slice(1)];
  }
}

function withHints(error: OperationalError, hints: readonly string[]): OperationalError {
  return new OperationalError(error.code, error.message, { hints: [...error.hints, ...hints], cause: error.cause });
}

function noCacheFolder(): OperationalError {
  return new OperationalError('configuration', 'there is no folder to keep a trusted root in', {
    hints: ['set HOME, or name a folder with TIDEWAITER_CACHE_DIR'],
  });
}
