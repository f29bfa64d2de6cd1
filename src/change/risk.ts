/**
 * Paths of high risk among the changes of a range: those that are so in any repository (risk-paths.ts), the policy with every
 * file that it names, submodules, and what the policy lists. An addition counts as much as a change or a removal.
 *
 * A path is compared as the most forgiving file system would take it: without upper and lower case, without what nobody sees,
 * in one Unicode form, without dots and spaces at the end of a name. `.GITHUB/workflows/x.yml` is stored as another path and
 * checked out as the same one; a comparison of bytes would let it through. Taking two paths for one asks for a review that
 * was not needed, which is the safe side.
 */
import { isUtf8 } from 'node:buffer';
import type { FileMode, PathChange } from '../git/types.ts';
import { compilePattern, type Matcher } from '../pattern/index.ts';
import type { HighRiskRule } from '../policy/types.ts';
import { riskGroups } from './risk-paths.ts';
import type { RiskyPath } from './types.ts';

/** The reason of what decides what the policy says: the policy, and the files that it names. */
export const policyReason = 'policy';

/**
 * Each path once, in the order of the changes. The reason is that of the first group that fits, the policy's own files before
 * all others; `pattern` is the first of the policy that fits, also beside another reason. `policyFiles`: paths from the root of
 * the repository.
 */
export function findRiskyPaths(
  changes: readonly PathChange[],
  rule: Pick<HighRiskRule, 'paths'>,
  policyFiles: readonly string[],
): readonly RiskyPath[] {
  const policy = policyFiles.map((file) => compileRisk(file, policyReason));
  const own = rule.paths.map((pattern) => ({ pattern, ...compileRisk(pattern, pattern) }));
  return changes.flatMap((change): RiskyPath[] => {
    const path = foldPath(change.path);
    const leads = [change.old?.mode, change.new?.mode].some(isDoor);
    const fits = (risk: Risk): boolean => risk.matches(path) || risk.above(path, leads);
    const pattern = own.find(fits)?.pattern;
    const reason = policy.find(fits)?.reason ?? builtInReason(path, fits) ?? submoduleReason(change) ?? pattern;
    if (reason === undefined) return [];
    return [{ path: change.path, reason, ...(pattern === undefined ? {} : { pattern }) }];
  });
}

/** As above. Bytes that are no UTF-8 are taken as Latin-1, one character each. */
export function foldPath(path: Buffer | string): string {
  const text = typeof path === 'string' ? path : path.toString(isUtf8(path) ? 'utf8' : 'latin1');
  // By way of upper case: the long s, the Kelvin sign and the sharp s are other letters in lower case only.
  const folded = text.replace(unseen, '').normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
  return folded.split('/').map(withoutEnd).join('/');
}

const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;

/** Windows drops dots and spaces there. `..` and the like stay: nothing of them would be left. */
function withoutEnd(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end -= 1;
  return end === 0 ? segment : segment.slice(0, end);
}

/** A link or a submodule: other paths lie behind it, which the change does not name. */
function isDoor(mode: FileMode | undefined): boolean {
  return mode === '120000' || mode === '160000';
}

function submoduleReason({ old, new: now }: PathChange): string | undefined {
  return old?.mode === '160000' || now?.mode === '160000' ? 'submodule' : undefined;
}

interface Risk {
  readonly reason: string;
  readonly matches: Matcher;
  /**
   * Whether what it names could lie below this path: `.github` as a link is a change to every workflow. Where the pattern
   * leaves open which folder is meant, only a link or a submodule counts, which alone can bring a folder along.
   */
  above(path: string, leads: boolean): boolean;
}

function compileRisk(pattern: string, reason: string): Risk {
  const folded = foldPath(pattern);
  const segments = folded.split('/').filter((segment) => segment !== '');
  const prefixes = segments
    .slice(0, -1)
    .map((_, at) => segments.slice(0, at + 1))
    // `**` alone is every path there is.
    .filter((prefix) => prefix.some((segment) => segment !== '**'))
    .map((prefix) => ({
      isPlain: prefix.every((segment) => !segment.includes('*')),
      matches: compileQuick(prefix.join('/')),
    }));
  return {
    reason,
    matches: compileQuick(folded),
    above: (path, leads) => prefixes.some(({ isPlain, matches }) => (isPlain || leads) && matches(path)),
  };
}

/** Most paths do not even begin or end as the pattern does: only the others are looked at segment by segment. */
function compileQuick(pattern: string): Matcher {
  const matches = compilePattern(pattern);
  const segments = `${pattern}${pattern.endsWith('/') ? '**' : ''}`.split('/').filter((segment) => segment !== '');
  const wild = segments.findIndex((segment) => segment.includes('*'));
  const [first = '**', last = '**'] = [segments[wild], segments.at(-1)];
  const plain = wild < 0 ? segments : segments.slice(0, wild);
  // `**` may stand for nothing, and then there is no slash before it.
  const start = (wild < 0 || first === '**' ? plain : [...plain, first.slice(0, first.indexOf('*'))]).join('/');
  const end = last === '**' ? '' : last.slice(last.lastIndexOf('*') + 1);
  return (path) => path.startsWith(start) && path.endsWith(end) && matches(path);
}

/**
 * The built-in patterns, most of them `**` and one name: those are looked up by the names in the path, so that a change of a
 * hundred thousand files is not compared with some hundreds of patterns each.
 */
interface BuiltIn {
  /** Last name of the path, and any name in it, to its place in the list. */
  readonly files: ReadonlyMap<string, number>;
  readonly folders: ReadonlyMap<string, number>;
  /** By their first segment where it has no wildcard, the rest under `*`. */
  readonly others: ReadonlyMap<string, readonly Placed[]>;
}

interface Placed {
  readonly at: number;
  readonly risk: Risk;
}

function builtInReason(path: string, fits: (risk: Risk) => boolean): string | undefined {
  builtIn ??= compileBuiltIn();
  const { files, folders, others } = builtIn;
  const names = path.split('/');
  const found = [
    files.get(names.at(-1)!),
    ...names.map((name) => folders.get(name)),
    ...[names[0]!, '*'].map((start) => others.get(start)?.find(({ risk }) => fits(risk))?.at),
  ];
  const first = found.reduce<number>((least, at) => Math.min(least, at ?? least), riskGroups.length);
  return riskGroups[first]?.reason;
}

let builtIn: BuiltIn | undefined;

function compileBuiltIn(): BuiltIn {
  const files = new Map<string, number>();
  const folders = new Map<string, number>();
  const others = new Map<string, Placed[]>();
  for (const [at, { reason, patterns }] of riskGroups.entries()) {
    for (const pattern of patterns) {
      const [, name = '', below] = /^\*\*\/([^*/]+)(\/\*\*)?$/.exec(pattern) ?? [];
      const known = below === undefined ? files : folders;
      const [start = ''] = foldPath(pattern).split('/');
      const key = start.includes('*') ? '*' : start;
      if (name === '') others.set(key, [...(others.get(key) ?? []), { at, risk: compileRisk(pattern, reason) }]);
      else if (!known.has(foldPath(name))) known.set(foldPath(name), at);
    }
  }
  return { files, folders, others };
}
