/**
 * A judged change as SARIF: findings about a path stand at that file and line, all others at the policy that decides, each
 * with the commits that it is about. What a missing approval holds up is a warning: nothing speaks against the change yet.
 */
import type { ChangeReport, ReportedFinding } from './change.ts';
import { fixesOf } from './change-fix.ts';
import { clip, levels } from './change-words.ts';
import { type SarifFinding, writeSarif } from './sarif.ts';

export function writeChangeSarif(report: ChangeReport, exitCode: number): string {
  const { tool, time, replayedTime, outcome, reason, findings, notes } = report;
  const undecided = findings.filter(({ weight }) => weight === 'undecided').map(({ message }) => message);
  const seen = new Map<string, number>();
  return writeSarif({
    tool,
    decided: outcome !== 'undecided',
    exitCode,
    ...(replayedTime && { properties: { time, replayedTime } }),
    notifications: [
      ...(replayedTime ? [`judged as of ${time}, by --now: this is no decision of now`] : []),
      ...(outcome === 'undecided' ? [reason, ...undecided.filter((each) => each !== reason)] : []),
      ...notes,
    ].map((each) => clip(each, longest)),
    findings: [
      ...findings.map((each) => resultOf(each, report, seen)),
      ...(outcome !== 'pass' && findings.length === 0 ? [unexplained(report)] : []),
    ],
  });
}

const longest = 4000;

function resultOf(finding: ReportedFinding, report: ChangeReport, seen: Map<string, number>): SarifFinding {
  const { rule, weight, path, line, place, commits } = finding;
  // Not the line: what is added above a finding makes no other finding of it. Two that are alike are told apart by number.
  const identity = JSON.stringify([path ?? '', place ?? '', path === undefined ? commits : []]);
  const alike = seen.get(`${rule} ${identity}`) ?? 0;
  seen.set(`${rule} ${identity}`, alike + 1);
  const names = [
    ...commits.map((name) => ({ name, kind: 'commit' })),
    ...(place === undefined ? [] : [{ name: place, kind: 'resource' }]),
  ];
  return {
    rule,
    level: levels[weight],
    message: textOf(finding, report),
    subject: report.policy?.repository ?? '',
    place: alike === 0 ? identity : `${identity} ${alike}`,
    names: names.length > 0 ? names : [{ name: report.requested, kind: 'resource' }],
    ...(path === undefined ? fileOf(report) : { tracked: path }),
    ...(path !== undefined && line !== undefined && line >= 1 && { line }),
  };
}

/** Services that show findings want a file: the policy, or the root of the repository where there is none. */
function fileOf({ policy }: ChangeReport): { readonly file: string } | { readonly tracked: string } {
  if (policy === undefined) return { tracked: '.' };
  const tracked = /^git:[0-9a-f]+:(.+)$/s.exec(policy.from)?.[1];
  return tracked === undefined ? { file: policy.from } : { tracked };
}

function textOf(finding: ReportedFinding, report: ChangeReport): string {
  const { message, expected, got, place } = finding;
  const parts = [
    ...(expected === undefined ? [] : [`expected ${clip(expected, longest)}`]),
    ...(got === undefined ? [] : [`got ${clip(got, longest)}`]),
  ];
  const todo = fixesOf(finding, report).join('; ');
  const about = place === undefined ? '' : `${clip(place, longest)}: `;
  const more = parts.length === 0 ? '' : ` (${parts.join('; ')})`;
  return `${about}${clip(message, longest)}${more}${todo === '' ? '' : `; to do: ${clip(todo, longest)}`}`;
}

/** Whatever the reason: a change that did not pass never leaves the list empty. */
function unexplained(report: ChangeReport): SarifFinding {
  return {
    rule: 'requirement-unmet',
    level: report.outcome === 'approval' ? 'warning' : 'error',
    message: clip(report.reason, longest),
    subject: report.policy?.repository ?? '',
    place: '',
    names: [{ name: report.requested, kind: 'resource' }],
    ...fileOf(report),
  };
}
