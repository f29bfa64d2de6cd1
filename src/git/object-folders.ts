/**
 * The folders that hold a repository's objects: its own, and those that `objects/info/alternates` names, one a line:
 *
 *     /srv/git/shop.git/objects
 *     ../../other/objects              relative to the folder that holds info/
 *     "/a path with a\nline end"       C quotes
 *     # a comment
 *
 * gitrepository-layout, "objects/info/alternates". A path that is no UTF-8 is refused, one that is not there is passed
 * over, as git does: an object that is missing then is refused by its name.
 */
import path from 'node:path';
import { quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { readSmall, strictText } from './read-file.ts';
import { GitRefusal } from './refusal.ts';

const maxFolders = 64;

/** Absolute paths, links resolved; the repository's own first. */
export async function findObjectFolders(common: string, world: World): Promise<readonly string[]> {
  const found = new Set([await world.disk.realPath(path.join(common, 'objects'))]);
  // A set is walked in the order of its making, with what is added meanwhile.
  for (const folder of found) {
    const file = path.join(folder, 'info/alternates');
    const bytes = await readSmall(world, file);
    for (const entry of bytes === undefined ? [] : parseAlternates(bytes, file)) {
      const place = path.resolve(folder, entry);
      if ((await world.disk.stat(place))?.kind !== 'directory') continue;
      found.add(await world.disk.realPath(place));
    }
    if (found.size > maxFolders) {
      throw new GitRefusal('unsupported-repository', `the repository borrows from more than ${maxFolders} others`);
    }
  }
  return [...found];
}

export function parseAlternates(bytes: Buffer, file: string): readonly string[] {
  const text = strictText(bytes);
  if (text === undefined || text.includes('\0')) {
    throw new GitRefusal('unsupported-repository', `${quoted(file)} names a folder in bytes that are no UTF-8`);
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const entry = line.startsWith('"') ? unquote(line) : line;
    if (entry !== undefined) return entry;
    throw new GitRefusal('unsupported-repository', `${quoted(file)} has a line that cannot be read: ${quoted(line)}`);
  });
}

export function formatAlternates(folders: readonly string[]): string {
  // Git takes slashes on every system; a backslash elsewhere than on Windows is a part of a name.
  const named = folders.map((each) => (path.sep === '\\' ? each.replaceAll('\\', '/') : each));
  return named.map((each) => `${/^["#]|[\u0000-\u001f]/.test(each) ? quote(each) : each}\n`).join('');
}

const letters = new Map([
  ['a', 7],
  ['b', 8],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
  ['"', 34],
  ['\\', 92],
]);

function unquote(line: string): string | undefined {
  if (!/^"(?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*"$/.test(line)) return undefined;
  const bytes: Buffer[] = [];
  for (const [, plain, escaped = ''] of line.slice(1, -1).matchAll(/([^\\]+)|\\([0-3][0-7]{2}|.)/g)) {
    if (plain !== undefined) bytes.push(Buffer.from(plain));
    else bytes.push(Buffer.from([letters.get(escaped) ?? Number.parseInt(escaped, 8)]));
  }
  return strictText(Buffer.concat(bytes));
}

function quote(text: string): string {
  const inner = text.replace(/[\u0000-\u001f"\\]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 32 ? `\\${code.toString(8).padStart(3, '0')}` : `\\${character}`;
  });
  return `"${inner}"`;
}
