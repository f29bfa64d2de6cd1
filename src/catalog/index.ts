export { readsPackages } from './list.ts';
export { type CatalogResult, catalogSource } from './run.ts';
export type { Package, Party } from './types.ts';
