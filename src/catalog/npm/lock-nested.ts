/** Format 1 of the lockfile: `dependencies`, nested as the directories are. See lock-entries.ts. */
import { asObject, type JsonObject } from './json.ts';
import {
  archiveVersion,
  type Folder,
  type LockEntry,
  lockEntry,
  maxDepth,
  maxEntries,
  type Refusals,
  type Stated,
  textField,
} from './lock-entry.ts';

export function nestedEntries(dependencies: JsonObject, root: Folder, refused: Refusals): readonly LockEntry[] {
  const entries: LockEntry[] = [];
  const waiting: Array<{ readonly dependencies: JsonObject; readonly folder: Folder }> = [
    { dependencies, folder: root },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { folder } = next;
    for (const [key, value] of Object.entries(next.dependencies)) {
      const json = asObject(value);
      if (entries.length >= maxEntries) {
        refused.add(`an entry beyond the ${maxEntries}th was not read`, key);
        continue;
      }
      if (json === undefined) {
        refused.add('an entry is not an object', key);
        continue;
      }
      const own: Folder = { parent: folder, depth: folder.depth + 1, modules: new Map() };
      const entry = lockEntry(statedPackage(key, json), key, json, own, refused);
      if (entry !== undefined) {
        entries.push(entry);
        folder.modules.set(key, entry);
      }
      const inside = asObject(json['dependencies']);
      if (inside === undefined) continue;
      if (own.depth >= maxDepth) refused.add(`an entry lies deeper than ${maxDepth} directories`, key);
      else waiting.push({ dependencies: inside, folder: own });
    }
  }
  return entries;
}

/** In `version` stands a version, an alias (`npm:@real/c@2.0.0`), or where a package of unknown version is from. */
function statedPackage(key: string, json: JsonObject): Stated {
  const version = textField(json, 'version');
  const resolved = textField(json, 'resolved');
  const stated = { needs: asObject(json['requires']) ?? {}, ...(resolved !== undefined && { resolved }) };
  // Keys are names; some tools have written locations.
  const name = key.split('node_modules/').at(-1) ?? key;
  if (version === undefined) return { name, ...stated };
  if (version.startsWith('npm:')) {
    const at = version.lastIndexOf('@');
    if (at <= 'npm:'.length) return { name: version.slice(4), ...stated };
    return { name: version.slice(4, at), version: version.slice(at + 1), ...stated };
  }
  if (/^[=v]?\d[^/:#]*$/.test(version)) return { name, version, ...stated };
  const archived = archiveVersion(name, version);
  return { name, ...stated, resolved: version, ...(archived !== undefined && { version: archived }) };
}
