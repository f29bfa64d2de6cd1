export { type CatalogGap, type CatalogOptions, type CatalogResult, catalogSource } from './run.ts';
export type { Cataloger, Distro, Hash, Package, Party, Place } from './types.ts';
