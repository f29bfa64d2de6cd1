export { javaArchive } from './archive.ts';
