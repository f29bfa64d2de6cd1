/** An image as a source: all layers side by side, then merged. */
import type { Limits } from '../archive/index.ts';
import { applyLayer } from './apply-layer.ts';
import { Budget, type LayerBlob, readLayer } from './layer.ts';
import type { ImageConfig } from './manifest.ts';
import { formatPlatform, matchesPlatform, normalizePlatform } from './platform.ts';
import { Tree } from './tree.ts';
import type {
  Claims,
  LayerEntry,
  LayerInfo,
  Platform,
  Scanned,
  Source,
  SourceGap,
  SubjectInfo,
  Visitor,
  Wanted,
} from './types.ts';

/** What every kind of image comes down to. */
export interface ImageParts {
  readonly tag?: string;
  readonly index?: string;
  readonly manifest?: string;
  readonly configDigest: string;
  /** The platform that the index lists it for. */
  readonly listedFor?: Platform;
  readonly config: ImageConfig;
  readonly annotations: Readonly<Record<string, string>>;
  /** Why a runtime might run something else, in a sentence each. */
  readonly doubts?: readonly string[];
  readonly layers: readonly LayerBlob[];
  /** `created_by` of each layer. */
  readonly history: readonly (string | undefined)[];
}

export type LayerProgress = (layer: number, storedBytes: number, totalBytes: number) => void;

export interface ImageOptions {
  readonly requested: string;
  /** A name for people where the image has no tag. */
  readonly name: string;
  readonly limits: Limits;
  /** Layers that are read side by side. */
  readonly parallel: number;
  /** Stored bytes of a layer that have been read so far. */
  readonly progress: LayerProgress;
  readonly close: () => Promise<void>;
}

export function imageSource(parts: ImageParts, options: ImageOptions): Source {
  return {
    subject: subjectOf(parts, options),
    claims: claimsOf(parts),
    extent: { layers: parts.layers.length, storedBytes: parts.layers.reduce((sum, layer) => sum + layer.size, 0) },
    scan: (visitor) => scanLayers(parts, options, visitor),
    reread: (wanted) => rereadLayers(parts, options, wanted),
    close: options.close,
  };
}

function subjectOf(parts: ImageParts, options: ImageOptions): SubjectInfo {
  const { os, architecture, variant } = parts.config;
  const osVersion = parts.config['os.version'];
  const platform: Platform | undefined =
    os === undefined || architecture === undefined
      ? undefined
      : normalizePlatform({
          os,
          architecture,
          ...(variant === undefined || variant === '' ? {} : { variant }),
          ...(osVersion === undefined ? {} : { osVersion }),
        });
  const { name, version } = splitTag(parts.tag, options.name);
  return {
    requested: options.requested,
    kind: 'image',
    name,
    ...(version === undefined ? {} : { version }),
    ...(parts.index === undefined ? {} : { index: parts.index }),
    ...(parts.manifest === undefined ? {} : { manifest: parts.manifest }),
    config: parts.configDigest,
    ...(platform === undefined ? {} : { platform }),
    layers: [],
  };
}

/** `registry:5000/name:tag` → name and tag; a tag alone (as OCI layouts store it) stands beside the layout's name. */
function splitTag(tag: string | undefined, fallback: string): { name: string; version?: string } {
  if (tag === undefined || tag === '') return { name: fallback };
  const colon = tag.lastIndexOf(':');
  if (colon > tag.lastIndexOf('/') && colon > 0) return { name: tag.slice(0, colon), version: tag.slice(colon + 1) };
  return tag.includes('/') ? { name: tag } : { name: fallback, version: tag };
}

function claimsOf(parts: ImageParts): Claims {
  const { created, author, config } = parts.config;
  return {
    annotations: parts.annotations,
    labels: config?.Labels ?? {},
    ...(created === undefined || created === null ? {} : { created }),
    ...(author === undefined || author === null ? {} : { author }),
  };
}

async function scanLayers(parts: ImageParts, options: ImageOptions, visitor: Visitor): Promise<Scanned> {
  const budget = new Budget(options.limits);
  const gaps: SourceGap[] = [];
  const entries: LayerEntry[][] = parts.layers.map(() => []);
  const infos: LayerInfo[] = [];
  await sideBySide(parts.layers, options.parallel, async (layer) => {
    const taker = {
      entry: (entry: LayerEntry) => entries[layer.index]!.push(entry),
      content: (entry: LayerEntry) => visitor.file(entry),
      gap: (gap: SourceGap) => gaps.push(gap),
      progress: (bytes: number) => options.progress(layer.index, bytes, layer.size),
    };
    const { storedSize, plainSize } = await readLayer(layer, budget, taker);
    infos[layer.index] = layerInfo(layer, storedSize, plainSize, parts.history[layer.index]);
  });
  const mismatch = platformMismatch(parts);
  for (const reason of [...(mismatch === undefined ? [] : [mismatch]), ...(parts.doubts ?? [])]) {
    gaps.push({ rule: 'suspicious-entry', path: '(image)', layer: 0, reason });
  }
  const tree = new Tree(gaps);
  for (const layer of entries) {
    applyLayer(tree, layer, gaps);
    layer.length = 0;
  }
  return { tree, layers: infos, gaps };
}

/** What the index says decides which image a machine runs; what the config says is what scanners report. */
function platformMismatch({ listedFor, config }: ImageParts): string | undefined {
  const { os, architecture } = config;
  if (listedFor === undefined || os === undefined || architecture === undefined) return undefined;
  if (
    matchesPlatform(listedFor, {
      os,
      architecture,
      ...(listedFor.variant === undefined ? {} : { variant: listedFor.variant }),
    })
  ) {
    return undefined;
  }
  return `the index lists it for ${formatPlatform(listedFor)}, its config says ${os}/${architecture}`;
}

function layerInfo(layer: LayerBlob, size: number, plainSize: number, createdBy: string | undefined): LayerInfo {
  const { index, digest, diffId } = layer;
  return {
    index,
    ...(digest === undefined ? {} : { digest }),
    diffId,
    size,
    plainSize,
    ...(createdBy === undefined ? {} : { createdBy }),
  };
}

/** Digests are compared again: a file that changed between the passes must not slip in. */
async function rereadLayers(parts: ImageParts, options: ImageOptions, wanted: Wanted): Promise<void> {
  const budget = new Budget(options.limits);
  const byLayer = new Map<number, Map<number, LayerEntry>>();
  for (const entry of wanted.keys()) {
    const layer = byLayer.get(entry.layer) ?? new Map<number, LayerEntry>();
    byLayer.set(entry.layer, layer.set(entry.ordinal, entry));
  }
  const layers = parts.layers.filter((layer) => byLayer.has(layer.index));
  await sideBySide(layers, options.parallel, async (layer) => {
    const ordinals = byLayer.get(layer.index)!;
    await readLayer(layer, budget, {
      entry: () => {},
      content: (entry) => {
        const asked = ordinals.get(entry.ordinal);
        return asked === undefined ? undefined : wanted.get(asked);
      },
      gap: () => {},
      progress: () => {},
    });
  });
}

/** Runs `work` over the items, at most `width` at a time; the first failure is thrown after all have stopped. */
async function sideBySide<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const pending = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = pending.shift(); item !== undefined && failures.length === 0; item = pending.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
