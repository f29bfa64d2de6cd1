/**
 * A judged change as JSON, with the keys in the order of its types, however the judgement came about. Hints are what every
 * other form shows: the commands for this range.
 */
import type { ChangeReport } from './change.ts';
import { fixesOf, forThisRange } from './change-fix.ts';
import { writeJson } from './json.ts';

export function writeChangeJson(report: ChangeReport): string {
  const { schema, tool, time, replayedTime, requested, outcome, reason } = report;
  const { repository, policy, range, commits, risks, evidence, approvals, findings, notes } = report;
  const start = { schema, tool, time, replayedTime, requested, outcome, reason };
  const fixed = findings.map((each) => {
    const hints = each.weight === 'note' ? each.hints.map((hint) => forThisRange(hint, report)) : fixesOf(each, report);
    return { ...each, hints };
  });
  return writeJson({
    ...start,
    ...{ repository, policy, range, commits, risks, evidence, approvals },
    findings: fixed,
    notes,
  });
}
