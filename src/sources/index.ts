export { type OpenOptions, openSources } from './open.ts';
export { formatPlatform, type PlatformChoice, parsePlatform } from './platform.ts';
export type { Tree } from './tree.ts';
export type {
  FileContent,
  LayerEntry,
  LayerInfo,
  Source,
  SourceGap,
  Visitor,
} from './types.ts';
