/** Real commit objects of the data folder. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseCommit } from '../../src/git/commit.ts';
import type { Commit } from '../../src/git/types.ts';

/** By file name: `agents/commits/ssh` below the data folder. */
export function dataCommits(data: string, folder: string): readonly (readonly [string, Commit])[] {
  const directory = path.join(data, 'agents/commits', folder);
  return readdirSync(directory)
    .sort()
    .map((name) => [name, commitOf(readFileSync(path.join(directory, name)))]);
}

export function commitOf(bytes: Buffer): Commit {
  const id = createHash('sha1').update(`commit ${bytes.length}\0`).update(bytes).digest('hex');
  return parseCommit({ id, type: 'commit', bytes });
}
