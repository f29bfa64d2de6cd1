/** Findings about content, counted where there are too many of one sort to be read. */
import { plural } from '../../diag/index.ts';
import { pathKey } from '../../git/path-text.ts';
import type { ContentFinding } from '../types.ts';

export type Draft = Omit<ContentFinding, 'path'>;

export interface Findings {
  add(path: Buffer, draft: Draft): void;
  /** In the order in which they came; what was left out stands at the end, by its number and with its weight. */
  list(): readonly ContentFinding[];
}

const mostPerPath = 20;
const mostPerRule = 1000;

/** Caps are by rule and weight: any number of notes cannot crowd out an error. */
export function collectFindings(): Findings {
  const found: ContentFinding[] = [];
  const perPath = new Map<string, number>();
  const perRule = new Map<string, number>();
  const more = new Map<string, { readonly first: ContentFinding; count: number }>();
  const leaveOut = (key: string, finding: ContentFinding): void => {
    const left = more.get(key);
    if (left === undefined) more.set(key, { first: finding, count: 1 });
    else left.count++;
  };
  return {
    add: (path, draft) => {
      const finding = { ...draft, path };
      const sort = `${draft.rule} ${draft.weight}`;
      const here = `${sort} ${pathKey(path)}`;
      const count = (perPath.get(here) ?? 0) + 1;
      const all = perRule.get(sort) ?? 0;
      if (all >= mostPerRule) return leaveOut(sort, finding);
      perPath.set(here, count);
      if (count > mostPerPath) return leaveOut(here, finding);
      perRule.set(sort, all + 1);
      found.push(finding);
    },
    list: () => [
      ...found,
      ...[...more.values()].map(({ first: { rule, weight, path }, count }) => ({
        rule,
        weight,
        path,
        message: `and ${plural(count, 'finding')} more of this kind`,
      })),
    ],
  };
}
