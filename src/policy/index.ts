/** Policies: reading one, and what it demands of signatures. Loaded only where a policy is given. */
export { findImageRules, repositoryOf } from './images.ts';
export { readPolicy } from './read.ts';
export { keyFiles, keyPathsOf, requirementOf, rootFiles } from './requirement.ts';
export type * from './types.ts';
