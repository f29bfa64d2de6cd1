export { rustBinary } from './binary.ts';
