/**
 * What to do about a finding of a change: the command that fixes it, for this range and repository, where there is one.
 * Hints are written for `BASE..HEAD`; here it becomes the range, with the flags without which the command would be about
 * another repository or policy.
 */
import { findRule, type RuleId } from '../diag/index.ts';
import type { ChangeReport, ReportedFinding } from './change.ts';

/** One sentence each; empty for notes, which ask for nothing. */
export function fixesOf(finding: ReportedFinding, report: ChangeReport): readonly string[] {
  const { rule, weight, hints } = finding;
  if (weight === 'note') return [];
  if (hints.length > 0) return hints.map((hint) => forThisRange(hint, report));
  const known = weight === 'approval' || weight === 'warning' ? undefined : commands[rule]?.(report, finding);
  return known ?? [helpOf(rule)];
}

/** Hints end with their command: flags may follow. */
export function forThisRange(hint: string, report: ChangeReport): string {
  const range = rangeOf(report);
  const command = /tidewaiter (change |approve git:|attest git:)BASE\.\.HEAD/.exec(hint);
  if (command === null) return hint.replaceAll('git:BASE..HEAD', () => `git:${range}`);
  const flags =
    command[1] === 'attest git:' ? repositoryFlag(report) : [...repositoryFlag(report), ...policyFlags(report)];
  const start = hint.slice(0, command.index);
  const rest = hint.slice(command.index).replace('BASE..HEAD', () => range);
  return [`${start}${rest}`, ...flags].join(' ');
}

function repositoryFlag({ repository }: ChangeReport): readonly string[] {
  return repository.path === '.' ? [] : [`--repository ${pasteable(repository.path, 'PATH')}`];
}

/** A bare commit says nothing of its branch; and another policy than the base's own was asked for. */
function policyFlags({ range, policy }: ChangeReport): readonly string[] {
  if (range === undefined || policy === undefined) return [];
  const { commit, ref } = range.policyBase;
  return [
    ...(ref === undefined ? [`--base-ref ${pasteable(policy.baseRef, 'REF')}`] : []),
    ...(policy.from === `git:${commit}:${defaultPolicy}` ? [] : [`--policy ${pasteable(policy.from, 'SOURCE')}`]),
  ];
}

const defaultPolicy = 'tidewaiter.policy.yaml';

/** Names come from outside: what a shell would not take for one plain word is quoted, or left for the reader to fill in. */
function pasteable(text: string, otherwise: string): string {
  if (/^[\w./][\w@%+=:,./-]*$/.test(text)) return text;
  return /^[^-'\p{C}][^'\p{C}]*$/u.test(text) && text.length <= 500 ? `'${text}'` : otherwise;
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
    signingKey(report),
    `if an agent made it, ${attest(report)}`,
  ],
  'subject-mismatch': again,
  'tree-mismatch': again,
  'base-mismatch': again,
  'repo-mismatch': again,
  'landing-residual': again,
  stale: again,
  'provenance-signature': (report, { rule, commits }) =>
    commits.length === 0
      ? [helpOf(rule)]
      : [`have it signed again by whoever made it: ${sign(report, commits)}`, signingKey(report)],
  'merge-residual': (report, { rule, commits }) => [
    ...(commits[0] === undefined ? [] : [`look at what it adds: ${gitIn(report)} show --remerge-diff ${commits[0]}`]),
    helpOf(rule),
  ],
};

function attest(report: ChangeReport): string {
  return forThisRange(
    'have the platform of the agent attest the range, not the agent itself: tidewaiter attest git:BASE..HEAD --model PROVIDER/MODEL --runtime NAME --builder-id URI --key FILE -o bundle=change.sigstore.json',
    report,
  );
}

function judgeAgain(report: ChangeReport): string {
  return forThisRange(
    'then judge it again, any other evidence as before: tidewaiter change BASE..HEAD --evidence change.sigstore.json',
    report,
  );
}

export function signingKey(report: ChangeReport): string {
  const config = `${gitIn(report)} config`;
  return `where git signs with no key of the policy yet: ${config} gpg.format ssh; ${config} user.signingkey FILE`;
}

function gitIn({ repository: { path } }: ChangeReport): string {
  return path === '.' ? 'git' : `git -C ${pasteable(path, 'PATH')}`;
}

/**
 * Signs these commits, and what stands upon them, anew with the key that git is set up with. Git rewrites the branch that is
 * checked out unless one is named, and that may be any other.
 */
export function sign(report: ChangeReport, ids: readonly string[]): string {
  const { range, commits, evidence } = report;
  const first = commits.find(({ id }) => ids.includes(id));
  const hasMerges = commits.some(({ parents }) => parents.length > 1);
  // From one line of several, git would rewrite what was merged in as well, the base's own commits among them.
  const start = hasMerges ? undefined : first?.parents[0];
  const from = start ?? range?.mergeBase.commit ?? 'BASE';
  const branch = /^refs\/heads\/(.+)$/s.exec(range?.head.ref ?? '')?.[1];
  const again = evidence.counted.length === 0 ? '' : ' (the ids change: evidence has to be made again)';
  const command = `${gitIn(report)} rebase --force-rebase --rebase-merges --gpg-sign ${from}`;
  return branch === undefined
    ? `check out the branch of the change first, then ${command}${again}`
    : `${command} ${pasteable(branch, 'BRANCH')}${again}`;
}

function helpOf(rule: RuleId): string {
  return findRule(rule)?.help ?? '';
}
