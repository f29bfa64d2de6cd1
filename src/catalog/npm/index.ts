export { npmInstalled } from './installed.ts';
export { npmLock } from './lock.ts';
export { npmYarnCache } from './yarn-cache.ts';
