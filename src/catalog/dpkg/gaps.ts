/** Gaps of one file, of which a hostile one could have as many as it has lines. */
import type { ReportGap } from '../types.ts';

export interface BoundedGaps {
  /** Reports the first hundred, and counts the rest. */
  add(reason: string): void;
  /** Says how many were only counted. */
  end(): void;
}

const maxGaps = 100;

export function boundedGaps(gap: ReportGap): BoundedGaps {
  let count = 0;
  return {
    add: (reason) => {
      if (count++ < maxGaps) gap(reason);
    },
    end: () => {
      if (count > maxGaps) gap(`${count - maxGaps} more of its records have problems like these`);
    },
  };
}
