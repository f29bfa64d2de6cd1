export { type OpenOptions, openSources } from './open.ts';
export { formatPlatform, matchesPlatform, type PlatformChoice, parsePlatform } from './platform.ts';
export type { Tree, TreeFile } from './tree.ts';
export type {
  Claims,
  FileContent,
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
