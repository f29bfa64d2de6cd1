/**
 * The one pattern language for paths and names: `*` stands for any run of characters within a segment, `**` as a whole
 * segment for any number of segments. Nothing else is special, and files that begin with a dot are files like any other.
 * Matching takes time in proportion to pattern × path at worst: whoever chooses the names cannot make it explode.
 *
 *   **\/node_modules/**    everything below any node_modules      docs/*.md    the Markdown files right in docs
 */
export type Matcher = (path: string) => boolean;

/** Matches the whole path. A leading or trailing slash of the pattern says nothing; a trailing one means all below. */
export function compilePattern(pattern: string): Matcher {
  const below = pattern.endsWith('/');
  const segments = pattern.split('/').filter((segment) => segment !== '');
  if (below) segments.push('**');
  return (path) => matchSegments(segments, path.split('/'));
}

function matchSegments(pattern: readonly string[], path: readonly string[]): boolean {
  return match(pattern.length, path.length, {
    wild: (at) => pattern[at] === '**',
    same: (at, of) => matchSegment(pattern[at]!, path[of]!),
  });
}

function matchSegment(pattern: string, segment: string): boolean {
  return match(pattern.length, segment.length, {
    wild: (at) => pattern[at] === '*',
    same: (at, of) => pattern[at] === segment[of],
  });
}

interface Comparison {
  wild(at: number): boolean;
  same(at: number, of: number): boolean;
}

/** Greedy with one point of return, the last wildcard: linear for one wildcard, never exponential. */
function match(patternLength: number, length: number, { wild, same }: Comparison): boolean {
  let at = 0;
  let of = 0;
  let lastWild = -1;
  let resume = 0;
  while (of < length) {
    if (at < patternLength && wild(at)) {
      lastWild = at++;
      resume = of;
    } else if (at < patternLength && same(at, of)) {
      at += 1;
      of += 1;
    } else if (lastWild >= 0) {
      at = lastWild + 1;
      of = ++resume;
    } else return false;
  }
  while (at < patternLength && wild(at)) at += 1;
  return at === patternLength;
}
