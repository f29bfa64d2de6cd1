/** One layer, read once: inflated, both digests recomputed, its tar entries given to a visitor. */
import { createHash } from 'node:crypto';
import {
  climbs,
  decompress,
  type Limits,
  limitFlags,
  normalizePath,
  type TarContent,
  type TarEntry,
  TarReader,
} from '../archive/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import { algorithmOf, type Digest, finish, mismatch } from './digest.ts';
import type { FileContent, LayerEntry, SourceGap } from './types.ts';

export interface LayerBlob {
  readonly index: number;
  /** As the manifest states it; absent where the archive stores layers without one. */
  readonly digest?: Digest;
  /** As the config states it. */
  readonly diffId: Digest;
  /** Stored bytes. */
  readonly size: number;
  stream(): AsyncIterable<Buffer>;
}

/** What all layers of one target may cost together. */
export class Budget {
  readonly limits: Limits;
  #entries = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  entry(): void {
    this.#entries += 1;
    if (this.#entries > this.limits.entries) throw overLimit('it has more than', 'entries', 'entries', this.limits);
  }

  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.limits.bytes) throw overLimit('it inflates to more than', 'bytes', 'bytes', this.limits);
  }
}

export interface LayerTaker {
  entry(entry: LayerEntry): void;
  content(entry: LayerEntry): FileContent | undefined;
  gap(gap: SourceGap): void;
  /** Stored bytes read so far. */
  progress(storedBytes: number): void;
}

/** Throws OperationalError when a digest differs or the layer is damaged: nothing that was taken from it counts then. */
export async function readLayer(
  blob: LayerBlob,
  budget: Budget,
  taker: LayerTaker,
): Promise<{ storedSize: number; plainSize: number }> {
  const name = `layer ${blob.index + 1}`;
  const storedHash = blob.digest === undefined ? undefined : createHash(algorithmOf(blob.digest));
  const plainHash = createHash(algorithmOf(blob.diffId));
  const tar = new TarReader({ entry: (entry) => takeEntry(entry, blob.index, counter, budget, taker) }, budget.limits);
  const counter = { ordinal: 0 };
  let storedSize = 0;
  let plainSize = 0;
  const stored = (bytes: Buffer) => {
    storedSize += bytes.length;
    storedHash?.update(bytes);
    taker.progress(storedSize);
  };
  const plain = (bytes: Buffer) => {
    plainSize += bytes.length;
    budget.bytes(bytes.length);
    checkRatio(plainSize, blob.size, budget.limits);
    plainHash.update(bytes);
    tar.push(bytes);
  };
  try {
    await decompress(blob.stream(), { stored, plain });
    tar.end();
  } catch (error) {
    throw await blame(error, name, blob, storedSize);
  }
  if (storedSize !== blob.size) throw mismatch(`the size of ${name}`, `${blob.size} bytes`, `${storedSize} bytes`);
  if (storedHash !== undefined) compare(name, blob.digest!, finish(storedHash, algorithmOf(blob.digest!)));
  compare(`the content of ${name} (diffID)`, blob.diffId, finish(plainHash, algorithmOf(blob.diffId)));
  if (tar.trailingData) {
    const reason = `${name} holds data after the end of its archive, which nothing reads`;
    taker.gap({ rule: 'suspicious-entry', path: '(layer)', layer: blob.index, reason });
  }
  return { storedSize, plainSize };
}

/** Damage that a wrong digest explains is reported as the wrong digest: that is what the user can act on. */
async function blame(error: unknown, name: string, blob: LayerBlob, read: number): Promise<unknown> {
  if (!(error instanceof OperationalError)) return error;
  if (error.code === 'malformed' && blob.digest !== undefined) {
    const hash = createHash(algorithmOf(blob.digest));
    let size = 0;
    for await (const bytes of blob.stream()) {
      hash.update(bytes);
      size += bytes.length;
    }
    const found = finish(hash, algorithmOf(blob.digest));
    if (found !== blob.digest) return mismatch(name, blob.digest, found);
    if (size !== blob.size) return mismatch(`the size of ${name}`, `${blob.size} bytes`, `${size} bytes`);
  }
  const place = error.code === 'limit' || error.code === 'malformed' || error.code === 'unsupported';
  const message = place ? `${name}: ${error.message} (after ${read} stored bytes)` : error.message;
  const hints =
    error.hints.length > 0 ? error.hints : ['the image is damaged or was never whole: fetch or build it again'];
  return new OperationalError(error.code, message, { hints, cause: error });
}

function compare(what: string, stated: Digest, found: Digest): void {
  if (stated !== found) throw mismatch(what, stated, found);
}

/** Small layers of zeros are common and harmless: the ratio counts from here. */
const ratioFloor = 64 * 1024 * 1024;

export function checkRatio(plain: number, stored: number, limits: Limits): void {
  if (plain > ratioFloor && plain > stored * limits.ratio) {
    throw overLimit('its data expands by more than', 'to one', 'ratio', limits);
  }
}

export function overLimit(what: string, unit: string, limit: keyof Limits, limits: Limits): OperationalError {
  return new OperationalError('limit', `${what} the limit of ${limits[limit]} ${unit}`, {
    hints: [`raise it with ${limitFlags[limit]} if this is expected`],
  });
}

/** Linux knows no longer path: an entry beyond it could not be unpacked either. */
const pathMax = 4096;

function takeEntry(
  tar: TarEntry,
  layer: number,
  counter: { ordinal: number },
  budget: Budget,
  taker: LayerTaker,
): TarContent | undefined {
  budget.entry();
  const ordinal = counter.ordinal++;
  const path = normalizePath(tar.name);
  const gap = (rule: SourceGap['rule'], reason: string) => taker.gap({ rule, path, layer, reason });
  if (climbs(tar.name)) gap('suspicious-entry', `its name ${quoted(tar.name)} climbs out of its directory`);
  const isLink = tar.type === 'symlink' || tar.type === 'hardlink';
  if (path.length > pathMax || (isLink && tar.link.length > pathMax)) {
    gap('suspicious-entry', `its name or link is longer than ${pathMax} bytes`);
    return undefined;
  }
  checkDepth(path, budget.limits);
  if (tar.type === 'sparse') gap('unsupported-entry', 'is a sparse file, whose content is not read');
  if (tar.type === 'unknown') gap('unsupported-entry', 'is of a type that is not read');
  const entry: LayerEntry = {
    kind: kindOf(tar.type),
    path,
    size: tar.size,
    mode: tar.mode,
    link: tar.type === 'hardlink' ? normalizePath(tar.link) : tar.link,
    layer,
    ordinal,
  };
  taker.entry(entry);
  return entry.kind === 'file' ? taker.content(entry) : undefined;
}

function checkDepth(path: string, limits: Limits): void {
  let depth = 1;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth += 1;
  if (depth > limits.pathDepth)
    throw overLimit(`the path ${quoted(path, 60)} is deeper than`, 'segments', 'pathDepth', limits);
}

function kindOf(type: TarEntry['type']): LayerEntry['kind'] {
  return type === 'device' || type === 'fifo' || type === 'unknown' ? 'other' : type;
}
