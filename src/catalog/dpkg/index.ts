export { dpkg } from './dpkg.ts';
export { opkg } from './opkg.ts';
