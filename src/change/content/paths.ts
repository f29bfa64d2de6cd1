/**
 * Paths of the new tree that could be taken for others: names by themselves (names.ts), and names beside each other that
 * some file systems hold for one. There the later one wins, and whoever reviews one of them has not seen the other.
 */
import { quoted } from '../../diag/index.ts';
import { bytesText, pathKey } from '../../git/path-text.ts';
import type { PathChange } from '../../git/types.ts';
import type { Findings } from './findings.ts';
import { foldName, judgeName } from './names.ts';
import type { TreeView } from './tree-view.ts';

/** Each folder on the way is judged once, under the first path that leads through it. */
export async function judgePaths(view: TreeView, changes: readonly PathChange[], findings: Findings): Promise<void> {
  const judged = new Set<string>();
  const collided = new Set<string>();
  for (const change of changes) {
    if (change.new === undefined) continue;
    if (isTooDeep(change.path)) {
      findings.add(change.path, { rule: 'path-trick', weight: 'error', message: tooDeep });
      continue;
    }
    for (const end of segmentEnds(change.path)) {
      const prefix = pathKey(change.path.subarray(0, end));
      if (judged.has(prefix)) continue;
      judged.add(prefix);
      judgeSegment(change, end, findings);
      if (change.old === undefined) await judgeTwins(view, change, end, collided, findings);
    }
  }
}

const tooDeep = 'the path is longer or deeper than systems can check out, and its names were not judged';

/** PATH_MAX of Linux, and more folders than anything real has: judging each of them takes square time. */
export function isTooDeep(path: Buffer): boolean {
  if (path.length > 4096) return true;
  let depth = 0;
  for (const octet of path) if (octet === slash) depth++;
  return depth > 256;
}

/** Of an old path, only what can never be meant is said again. */
function judgeSegment({ path, old }: PathChange, end: number, findings: Findings): void {
  const start = path.lastIndexOf(slash, end - 1) + 1;
  const name = path.subarray(start, end);
  for (const { weight, message } of judgeName(name, start === 0)) {
    if (old !== undefined && weight !== 'error') continue;
    findings.add(path, { rule: 'path-trick', weight, message: `the name ${quoted(bytesText(name))} ${message}` });
  }
}

async function judgeTwins(
  view: TreeView,
  { path }: PathChange,
  end: number,
  collided: Set<string>,
  findings: Findings,
): Promise<void> {
  const start = path.lastIndexOf(slash, end - 1) + 1;
  const folder = pathKey(path.subarray(0, Math.max(start - 1, 0)));
  const name = path.subarray(start, end);
  const key = foldName(name);
  const names = (await view.twins(folder)).get(key);
  if (names === undefined || collided.has(`${folder}/${key}`)) return;
  collided.add(`${folder}/${key}`);
  const others = names.filter((each) => each !== pathKey(name)).slice(0, 3);
  if (others.length === 0) return;
  const shown = others.map((each) => quoted(bytesText(Buffer.from(each, 'latin1')))).join(', ');
  const message = `the name ${quoted(bytesText(name))} is one with ${shown} beside it where case and invisible ways do not count`;
  findings.add(path, { rule: 'path-trick', weight: 'error', message });
}

const slash = 0x2f;

function segmentEnds(path: Buffer): number[] {
  const ends: number[] = [];
  for (let at = path.indexOf(slash); at >= 0; at = path.indexOf(slash, at + 1)) ends.push(at);
  return [...ends, path.length];
}
