export type { Disk, DiskFile } from './disk.ts';
export type { GitProcess } from './git-process.ts';
export { realWorld } from './real.ts';
export type { Output, World } from './world.ts';
