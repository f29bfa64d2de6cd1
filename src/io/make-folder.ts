/** Folders, one by one: Node's own recursive mkdir never ends below /proc, where none can be made. */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Makes the folder and what is missing above it, for nobody but this user. Throws what `mkdirSync` throws. */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  let at = path.resolve(folder);
  while (statSync(at, { throwIfNoEntry: false }) === undefined && at !== path.dirname(at)) {
    missing.push(at);
    at = path.dirname(at);
  }
  for (const each of missing.reverse()) {
    try {
      mkdirSync(each, { mode: 0o700 });
    } catch (error) {
      // Somebody else made it meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
