export { chooseDistro, distroAt, isNestedRelease, osRelease, readNestedRelease } from './release-files.ts';
export { pathsInSystem } from './system-paths.ts';
export { systemFormatOf, type Vendor, vendorOf } from './vendor.ts';
