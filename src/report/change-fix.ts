/** What to do about a finding of a change: the command that fixes it, for this range, where there is one. */
import { findRule, type RuleId } from '../diag/index.ts';
import type { ChangeReport, ReportedFinding } from './change.ts';

/** One sentence each; empty for notes, which ask for nothing. */
export function fixesOf(finding: ReportedFinding, report: ChangeReport): readonly string[] {
  const { rule, weight, hints } = finding;
  if (weight === 'note') return [];
  if (hints.length > 0) return hints.map((hint) => hint.replaceAll('git:BASE..HEAD', `git:${rangeOf(report)}`));
  const known = weight === 'approval' || weight === 'warning' ? undefined : commands[rule]?.(report, finding);
  return known ?? [helpOf(rule)];
}

/** The range as people can paste it: as they wrote it where a shell takes that as it stands, else by ids. */
export function rangeOf({ requested, range }: ChangeReport): string {
  const text = requested.replace(/^git:/, '');
  if (text.length <= 500 && /^[\w@+=:,./][\w@%+=:,./~^-]*\.\.[\w@%+=:,./~^-]*$/.test(text)) return text;
  return range === undefined ? 'BASE..HEAD' : `${range.policyBase.commit}..${range.head.commit}`;
}

type Commands = (report: ChangeReport, finding: ReportedFinding) => readonly string[];

const again: Commands = (report, { rule }) => [helpOf(rule), attest(report)];

const commands: Readonly<Partial<Record<RuleId, Commands>>> = {
  'provenance-missing': (report) => [attest(report), judgeAgain(report)],
  'range-gap': (report) => [attest(report), judgeAgain(report)],
  'agent-undeclared': (report, { commits }) => [
    `if a person of the policy made it, have them sign it: ${sign(report, commits)}`,
    attest(report),
  ],
  'subject-mismatch': again,
  'tree-mismatch': again,
  'base-mismatch': again,
  'repo-mismatch': again,
  'landing-residual': again,
  stale: again,
  'provenance-signature': (report, { rule, commits }) =>
    commits.length === 0 ? [helpOf(rule)] : [`have it signed again by whoever made it: ${sign(report, commits)}`],
  'merge-residual': (_report, { rule, commits }) => [
    ...(commits[0] === undefined ? [] : [`look at what it adds: git show --remerge-diff ${commits[0]}`]),
    helpOf(rule),
  ],
};

function attest(report: ChangeReport): string {
  return `have the platform of the agent attest the range, not the agent itself: tidewaiter attest git:${rangeOf(report)} --model PROVIDER/MODEL --runtime NAME -o bundle=change.sigstore.json`;
}

function judgeAgain(report: ChangeReport): string {
  return `then judge it again: tidewaiter change ${rangeOf(report)} --evidence change.sigstore.json`;
}

/** Signs these commits, and what stands upon them, anew with the key that git is set up with. */
export function sign({ range, commits, evidence }: ChangeReport, ids: readonly string[]): string {
  const first = commits.find(({ id }) => ids.includes(id));
  const from = first?.parents[0] ?? range?.mergeBase.commit ?? 'BASE';
  const again = evidence.counted.length === 0 ? '' : ' (the ids change: evidence has to be made again)';
  return `git rebase --force-rebase --rebase-merges --gpg-sign ${from}${again}`;
}

function helpOf(rule: RuleId): string {
  return findRule(rule)?.help ?? '';
}
