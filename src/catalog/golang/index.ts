export { goBinary } from './binary.ts';
