export { pythonInstalled } from './installed.ts';
