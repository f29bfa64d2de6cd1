/** Every cataloger, in the order in which files are shown to them. A new ecosystem is a folder and a line here. */
import { apk } from './apk/index.ts';
import { dpkg, opkg } from './dpkg/index.ts';
import { goBinary } from './golang/index.ts';
import { javaArchive } from './java/index.ts';
import { npmInstalled, npmLock, npmYarnCache } from './npm/index.ts';
import { osRelease } from './os-release/index.ts';
import { pythonInstalled } from './python/index.ts';
import { rpmDatabase, rpmManifest } from './rpm/index.ts';
import { rustBinary } from './rust/index.ts';
import type { Cataloger } from './types.ts';
import { packedPrograms, unreadDeclared, unreadInstalled } from './unread/index.ts';

export { chooseDistro } from './os-release/index.ts';
export { osRelease };

export const catalogers: readonly Cataloger[] = [
  osRelease,
  dpkg,
  opkg,
  apk,
  rpmDatabase,
  rpmManifest,
  npmInstalled,
  npmYarnCache,
  npmLock,
  pythonInstalled,
  javaArchive,
  goBinary,
  rustBinary,
  unreadInstalled,
  packedPrograms,
  unreadDeclared,
];

/** Whether the cataloger of this id finds packages, rather than naming what nobody reads. */
export function readsPackages(id: string): boolean {
  return catalogers.some((each) => each.id === id && each.unread !== true);
}
