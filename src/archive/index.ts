export { decompress, sniffCompression } from './decompress.ts';
export { defaultLimits, type Limits, limitFlags } from './limits.ts';
export { baseOf, climbs, decodePath, encodePath, normalizePath, parentOf } from './path.ts';
export { type TarContent, type TarEntry, TarReader } from './tar.ts';
