export { apk } from './apk.ts';
