export { rpmDatabase } from './database.ts';
export { rpmManifest } from './manifest.ts';
