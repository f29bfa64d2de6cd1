/** A judged change as JSON, with the keys in the order of its types, however the judgement came about. */
import type { ChangeReport } from './change.ts';
import { writeJson } from './json.ts';

export function writeChangeJson(report: ChangeReport): string {
  const { schema, tool, time, replayedTime, requested, outcome, reason } = report;
  const { repository, policy, range, commits, risks, evidence, approvals, findings, notes } = report;
  const start = { schema, tool, time, replayedTime, requested, outcome, reason };
  return writeJson({ ...start, repository, policy, range, commits, risks, evidence, approvals, findings, notes });
}
