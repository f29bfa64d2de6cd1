/** Reads a target the way the scan does, without cataloging: what the tree holds, and what is in the files. */
import { defaultLimits, type Limits } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import { type OpenOptions, openSources, type Source } from '../../src/sources/index.ts';
import type { FileContent, LayerEntry, Scanned, SourceGap } from '../../src/sources/types.ts';

export interface Shown {
  readonly source: Source;
  readonly scanned: Scanned;
  /** Path to content, for all regular files of the merged tree. */
  readonly files: Readonly<Record<string, string>>;
  readonly gaps: readonly SourceGap[];
}

export type OpenChanges = Partial<Omit<OpenOptions, 'limits'>> & { readonly limits?: Partial<Limits> };

export function openOptions(changes: OpenChanges = {}): OpenOptions {
  return {
    disk: realDisk,
    platform: { platform: { os: 'linux', architecture: 'amd64' }, explicit: false },
    everything: false,
    parallel: 2,
    progress: () => {},
    ...changes,
    limits: { ...defaultLimits, ...changes.limits },
  };
}

export async function showAll(target: string, changes: OpenChanges = {}): Promise<readonly Shown[]> {
  const sources = await openSources(target, openOptions(changes));
  try {
    const shown: Shown[] = [];
    for (const source of sources) shown.push(await showSource(source));
    return shown;
  } finally {
    for (const source of sources) await source.close();
  }
}

/** For a target that has one image. */
export async function show(target: string, changes: OpenChanges = {}): Promise<Shown> {
  const [only, ...others] = await showAll(target, changes);
  if (only === undefined || others.length > 0) throw new Error(`one image was expected, not ${others.length + 1}`);
  return only;
}

async function showSource(source: Source): Promise<Shown> {
  const contents = new Map<LayerEntry, string>();
  const scanned = await source.scan({ file: (entry) => gather((text) => contents.set(entry, text)) });
  const files = Object.fromEntries(
    [...scanned.tree.files()].map(({ path, entry }) => [path, contents.get(entry) ?? '']),
  );
  return { source, scanned, files, gaps: scanned.gaps };
}

function gather(done: (text: string) => void): FileContent {
  const pieces: Buffer[] = [];
  return {
    idle: false,
    chunk: (bytes) => pieces.push(Buffer.from(bytes)),
    end: () => done(Buffer.concat(pieces).toString('latin1')),
  };
}

/** `code: message` and the hints of the refusal, or that there was none. */
export async function refusal(target: string, changes: OpenChanges = {}): Promise<string> {
  try {
    await showAll(target, changes);
  } catch (error) {
    if (error instanceof OperationalError) return [`${error.code}: ${error.message}`, ...error.hints].join('\n');
    throw error;
  }
  return 'nothing was refused';
}
