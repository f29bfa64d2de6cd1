/**
 * Installed packages of ecosystems that are not read yet. None of them is in the inventory, and an inventory that leaves
 * out a whole ecosystem without a word reads like a complete one: so each is named as a gap.
 */
import type { Cataloger, TreeView } from '../types.ts';
import { installedKinds, listedKinds } from './installed-kinds.ts';
import { isOfKind, kindFinder, type Located } from './kinds.ts';
import { sayUnread, type UnreadFile } from './say.ts';

const locate = kindFinder(installedKinds);
/** Only the path matters, but a wanted file is held while it passes; a larger one is named by the core. */
const maxHeld = 256 * 2 ** 20;

export const unreadInstalled: Cataloger<Located> = {
  id: 'unread/installed',
  kind: 'installed',
  unread: true,
  anchors: [
    'var/lib/pacman/local',
    'var/db/pkg',
    'var/db/xbps',
    'var/lib/eopkg/package',
    'nix/var/nix/db',
    'var/guix/db',
    'var/lib/chisel',
    'opt/bitnami',
    'usr/share/bottlerocket',
    'etc/cos-package-info.json',
  ],
  maxBytes: () => maxHeld,
  wants: ({ path }) => locate(path) !== undefined,
  read({ path, bytes }) {
    const located = locate(path);
    return located !== undefined && isOfKind(installedKinds[located.kind]!, bytes) ? located : undefined;
  },
  assemble: (found, context) => {
    const files = found.map(({ path, fact }) => ({ path, tree: fact.tree, what: installedKinds[fact.kind]!.what }));
    const told = new Set(files.map(({ what }) => what));
    sayUnread([...files, ...listedFiles(context.tree).filter(({ what }) => !told.has(what))], context);
    return [];
  },
};

/** Kinds that no file is typical of: what lies in their directory tells. */
function listedFiles(tree: TreeView): readonly UnreadFile[] {
  return listedKinds.flatMap(({ what, directory, name }) => {
    const names = tree.list(directory).filter((each) => name.test(each));
    return names.map((each) => ({ path: `${directory}/${each}`, tree: `${directory}/`, what }));
  });
}
