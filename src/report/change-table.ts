/**
 * A judged change for people: the answer, what was judged, every commit with who made it and how we know, what is of high
 * risk and who approved it, the evidence, and what is wrong with the command that fixes it. Of very much the rest is
 * counted: JSON has all of it.
 */
import { plural } from '../diag/index.ts';
import type { ChangeReport, ReportedCommit, ReportedFinding } from './change.ts';
import { fixesOf } from './change-fix.ts';
import {
  approvalsLine,
  authorsLine,
  clip,
  coverageText,
  type FindingGroup,
  groupFindings,
  isRisky,
  knownBy,
  lacks,
  madeBy,
  outcomeWords,
  rangeFacts,
  replayWords,
  shortId,
  statementText,
  weightWords,
} from './change-words.ts';
import { type Paint, painter } from './color.ts';
import { cutEnd, shown } from './text.ts';

export interface ChangeTableOptions {
  readonly color: boolean;
  /** Columns of the terminal; absent for a file or a pipe. */
  readonly width?: number;
}

/** Several lines, each ended by a newline. */
export function writeChangeTable(report: ChangeReport, options: ChangeTableOptions): string {
  const paint = painter(options.color);
  const blocks = [
    [answerLine(report, paint), ...rangeFacts(report).map(([label, text]) => detail(label, text, paint))],
    commitLines(report, options, paint),
    riskLines(report, paint),
    evidenceLines(report, paint),
    ...findingBlocks(report, paint),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

export function answerLine({ outcome, requested, reason }: ChangeReport, paint: Paint): string {
  const word = paint(outcome === 'pass' ? 'bold' : outcome === 'approval' ? 'yellow' : 'red', outcomeWords[outcome]);
  return `${word}: ${safe(requested, 500)}: ${safe(reason, longest)}`;
}

/** Longer texts are cut; JSON has the whole. */
const longest = 2000;

function safe(text: string, max: number): string {
  return shown(clip(text, max));
}

/** `  label     text` */
export function detail(label: string, text: string, paint: Paint, indent = '  '): string {
  return `${indent}${paint('dim', label.padEnd(9))} ${safe(text, longest)}`;
}

const mostCommits = 200;

function commitLines(report: ChangeReport, { width }: ChangeTableOptions, paint: Paint): string[] {
  const { commits } = report;
  if (commits.length === 0) return [];
  const isLong = commits.length > mostCommits;
  const lacking = isLong ? commits.filter(lacks) : [];
  const ordered = isLong ? [...lacking, ...commits.filter((each) => !lacks(each))] : commits;
  const left = commits.length - mostCommits;
  const order = isLong ? `, those that lack something first` : ', parents before children';
  return [
    paint('bold', `${plural(commits.length, 'commit')}${order}:`),
    ...ordered.slice(0, mostCommits).flatMap((each) => commitBlock(each, report, width, paint)),
    ...(left > 0 ? [`  … ${plural(left, 'more commit')} left out here: -o json has all`] : []),
  ];
}

/**
 *     1c2d3e4f5a6b fix the login page
 *       made by   agent Claude Code
 *       known by  message:3, Co-Authored-By: Claude <noreply@anthropic.com>
 *       coverage  missing: provenance-missing
 */
function commitBlock(commit: ReportedCommit, report: ChangeReport, width: number | undefined, paint: Paint): string[] {
  const subject = safe(commit.subject === '' ? '(no message)' : commit.subject, 200);
  const title = `  ${paint('bold', shortId(commit.id))} ${width === undefined ? subject : cutEnd(subject, Math.max(20, width - 15))}`;
  const line = (label: string, text: string) => detail(label, text, paint, '    ');
  const { calledBot, vouchedBy, replay } = commit;
  const coverage = line('coverage', coverageText(commit));
  return [
    title,
    line('made by', madeBy(commit, report)),
    line('known by', knownBy(commit)),
    ...(calledBot === undefined || commit.class === 'bot'
      ? []
      : [line('claims', `to be ${calledBot}, which a name does not prove`)]),
    ...(vouchedBy === undefined ? [] : [line('vouched', `by ${vouchedBy}`)]),
    ...(replay === undefined ? [] : [line('merge', replayWords[replay])]),
    lacks(commit) ? paint('red', coverage) : coverage,
  ];
}

const mostPaths = 50;

function riskLines(report: ChangeReport, paint: Paint): string[] {
  const { risks, approvals, range } = report;
  if (range === undefined) return [];
  if (!isRisky(report)) return ['nothing of high risk: no approval is needed'];
  const left = risks.length - mostPaths;
  const carried = (each: { readonly carriedOver: boolean }) =>
    each.carriedOver ? ', carried over from an earlier state' : '';
  return [
    paint('bold', `high risk: ${plural(risks.length, 'path')}, ${approvalsLine(report)}:`),
    ...risks.slice(0, mostPaths).map(({ path, reason, pattern }) => {
      const why = pattern === undefined ? reason : `${reason}, by the pattern ${pattern}`;
      return `  ${safe(path, longest)}  ${paint('dim', `(${safe(why, 300)})`)}`;
    }),
    ...(left > 0 ? [`  … ${plural(left, 'more path')} left out here: -o json has all`] : []),
    ...approvals.counted.map((each) =>
      detail('approved', `by ${each.person}: ${each.how}, ${each.place}${carried(each)}`, paint),
    ),
    ...(approvals.authors.length === 0 ? [] : [detail('authors', authorsLine(approvals.authors), paint)]),
  ];
}

const mostEvidence = 50;

function evidenceLines({ evidence: { counted, refused }, range }: ChangeReport, paint: Paint): string[] {
  if (range === undefined && counted.length + refused.length === 0) return [];
  if (counted.length + refused.length === 0) return ['no evidence: no provenance was found'];
  const lines = [
    ...counted.map((each) => detail('counts', `${each.place}: ${statementText(each)}`, paint)),
    ...refused.map(({ place, rule, message }) => detail('refused', `${place}: ${rule}: ${message}`, paint)),
  ];
  const left = lines.length - mostEvidence;
  return [
    paint('bold', `evidence: ${counted.length} counted, ${refused.length} refused:`),
    ...lines.slice(0, mostEvidence),
    ...(left > 0 ? [`  … ${left} more left out here: -o json has all`] : []),
  ];
}

const mostGroups = 100;

function findingBlocks(report: ChangeReport, paint: Paint): string[][] {
  const groups = groupFindings(report.findings);
  const left = groups.slice(mostGroups).reduce((sum, { all }) => sum + all.length, 0);
  return [
    ...groups.slice(0, mostGroups).map((group) => groupLines(group, report, paint)),
    left > 0 ? [`… ${plural(left, 'more finding')} left out here: -o json has all`] : [],
  ];
}

const mostInGroup = 20;
const mostIds = 20;

/**
 *     denied: provenance-missing: 2 commits made by agents, and no provenance that counts covers them
 *       commits   1c2d3e4f5a6b, 77aa8b9c0d1e
 *       do        tidewaiter attest git:origin/main..HEAD …
 */
export function groupLines(group: FindingGroup, report: ChangeReport, paint: Paint): string[] {
  return [...findingLines(group, paint), ...fixesOf(group.first, report).map((fix) => detail('do', fix, paint))];
}

/** The same without what to do. */
export function findingLines({ first, all }: FindingGroup, paint: Paint): string[] {
  const { weight, rule, message } = first;
  const color = weight === 'denied' || weight === 'undecided' ? 'red' : weight === 'note' ? 'dim' : 'yellow';
  const left = all.length - mostInGroup;
  return [
    `${paint(color, `${weightWords[weight]}: ${rule}:`)} ${safe(message, longest)}`,
    ...all.slice(0, mostInGroup).flatMap((each) => placeLines(each, paint)),
    ...(left > 0 ? [`  … and ${plural(left, 'more place')}: -o json has all`] : []),
  ];
}

function placeLines({ path, line, place, commits, expected, got }: ReportedFinding, paint: Paint): string[] {
  const one = (label: string, text: string | undefined) => (text === undefined ? [] : [detail(label, text, paint)]);
  const more = commits.length > mostIds ? ` and ${commits.length - mostIds} more` : '';
  const ids = commits.slice(0, mostIds).map(shortId).join(', ');
  return [
    ...one(
      'path',
      path === undefined ? undefined : `${clip(path, longest - 20)}${line === undefined ? '' : `:${line}`}`,
    ),
    ...one('where', place),
    ...one(commits.length === 1 ? 'commit' : 'commits', commits.length === 0 ? undefined : `${ids}${more}`),
    ...one('expected', expected),
    ...one('got', got),
  ];
}
