/**
 * Symbolic links: a blob of the mode 120000 that holds a path. A link out of the tree makes whoever checks it out read or
 * write somewhere else; one into `.git` reaches hooks and settings. Links on the way are followed as the new tree has them.
 */
import { quoted } from '../../diag/index.ts';
import { bytesText, pathKey } from '../../git/path-text.ts';
import type { Draft } from './findings.ts';
import { foldName } from './names.ts';
import { isTooDeep } from './paths.ts';
import { maxTarget, type TreeView } from './tree-view.ts';

/** Undefined for a link that stays in the tree, and for one whose own path was refused as too deep. */
export async function judgeLink(view: TreeView, path: Buffer, target: Buffer): Promise<Draft | undefined> {
  if (isTooDeep(path)) return undefined;
  const shown = quoted(bytesText(target));
  if (target.length > maxTarget) return trick('error', `the link has a target of ${target.length} bytes`);
  if (target.length === 0 || target.includes(0))
    return trick('error', `the link has the target ${shown}, which is no path`);
  const name = pathKey(path).slice(pathKey(path).lastIndexOf('/') + 1);
  if (gitReads.includes(name)) return trick('error', `${name} is a link: git does not read it, and other tools may`);
  const place = await followLink(view, pathKey(path), pathKey(target));
  if (place === 'inside') return undefined;
  const [weight, message] = places[place];
  return trick(weight, `the link to ${shown} ${message}`);
}

const gitReads: readonly string[] = ['.gitmodules', '.gitattributes', '.gitignore', '.mailmap'];

type Place = 'inside' | 'outside' | 'git' | 'loop';

const places: Readonly<Record<Exclude<Place, 'inside'>, readonly [Draft['weight'], string]>> = {
  outside: ['risk', 'leaves the repository'],
  git: ['error', "leads into git's own directory"],
  loop: ['risk', 'leads nowhere: too many links follow each other'],
};

/** As Linux does, 40 links at most. */
const maxHops = 40;
/** A link that has to be read takes as long as many names that are looked up. */
const stepsOfHop = 5;

async function followLink(view: TreeView, path: string, target: string): Promise<Place> {
  if (isAbsolute(target)) return 'outside';
  const place = path.split('/').slice(0, -1);
  // Reversed: the next segment is taken from the end.
  const rest = target.split(/[/\\]/).reverse();
  let hops = 1;
  view.countSteps(rest.length);
  for (let segment = rest.pop(); segment !== undefined; segment = rest.pop()) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (place.length === 0) return 'outside';
      place.pop();
      continue;
    }
    if (foldName(Buffer.from(segment, 'latin1')) === '.git') return 'git';
    const entry = await view.find([...place, segment].join('/'));
    if (entry?.mode !== '120000') {
      place.push(segment);
      continue;
    }
    if (++hops > maxHops || rest.length > maxTarget) return 'loop';
    const next = await view.linkTarget(entry.id);
    if (next === undefined) return 'loop';
    if (isAbsolute(next)) return 'outside';
    const segments = next.split(/[/\\]/).reverse();
    view.countSteps(segments.length + stepsOfHop);
    rest.push(...segments);
  }
  return 'inside';
}

// A backslash is a letter on Linux and a separator on Windows: what leaves by either reading leaves.
function isAbsolute(target: string): boolean {
  return /^(?:[/\\]|[A-Za-z]:|~)/.test(target);
}

function trick(weight: Draft['weight'], message: string): Draft {
  return { rule: 'path-trick', weight, message };
}
