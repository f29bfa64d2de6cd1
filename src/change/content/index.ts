export { inspectChange } from './inspect.ts';
