/**
 * A judged change as annotations of GitHub Actions ("Workflow commands for GitHub Actions"), one on a line:
 *
 *     ::error file=src/a.ts,line=3,title=tidewaiter hidden-text::added text holds characters that nobody sees
 *
 * The verdict comes first, whatever its kind. `%`, CR and LF are escaped everywhere, `:` and `,` in properties too. Of each kind a step shows ten: the rest is counted
 * in a line that is no command. Nothing that stands in a commit can begin a command of its own.
 */
import { plural } from '../diag/index.ts';
import type { ChangeReport, ReportedFinding } from './change.ts';
import { fixesOf } from './change-fix.ts';
import { asOf, byWeight, clip, levels, listed, outcomeWords, shortId } from './change-words.ts';
import { shown } from './text.ts';

const kinds = ['error', 'warning', 'notice'] as const;
type Kind = (typeof kinds)[number];

interface Annotation {
  readonly kind: Kind;
  readonly title: string;
  readonly path?: string;
  readonly line?: number;
  readonly lines: readonly string[];
}

/** What one step shows of each kind. */
const mostOfKind = 10;

/** Several lines, each ended by a newline. */
export function writeChangeGitHub(report: ChangeReport): string {
  const first = verdict(report);
  const annotations = byWeight(report.findings).map((each) => annotationOf(each, report));
  const lines = kinds.flatMap((kind) => {
    const all = annotations.filter((each) => each.kind === kind);
    // The verdict is one of its kind.
    const taken = first.kind === kind ? 1 : 0;
    const left = all.length + taken - mostOfKind;
    const count = all.length + taken;
    const more = left > 0 ? [`${plural(left, `more ${kind}`)} not shown, of ${count}: -o json has all`] : [];
    return [...all.slice(0, mostOfKind - taken).map(commandOf), ...more];
  });
  return [commandOf(first), ...lines].map((line) => `${line}\n`).join('');
}

function verdict(report: ChangeReport): Annotation {
  const { outcome, requested, reason } = report;
  const kind = outcome === 'pass' ? 'notice' : outcome === 'approval' ? 'warning' : 'error';
  return {
    kind,
    title: outcomeWords[outcome],
    lines: [`${clip(requested, 500)}: ${clip(reason, longest)}${asOf(report)}`],
  };
}

const longest = 1000;

function annotationOf(finding: ReportedFinding, report: ChangeReport): Annotation {
  const { rule, weight, message, path, line, place, commits, expected, got } = finding;
  const level = levels[weight];
  const one = (label: string, text: string | undefined) =>
    text === undefined ? [] : [`${label}: ${clip(text, longest)}`];
  return {
    kind: level === 'note' ? 'notice' : level,
    title: rule,
    ...(path !== undefined && { path }),
    ...(line !== undefined && { line }),
    lines: [
      clip(message, longest),
      ...one('where', place),
      ...one('commits', commits.length === 0 ? undefined : listed(commits.slice(0, 11).map(shortId), 10)),
      ...one('expected', expected),
      ...one('got', got),
      ...fixesOf(finding, report).map((each) => `do: ${clip(each, longest)}`),
    ],
  };
}

function commandOf({ kind, title, path, line, lines }: Annotation): string {
  const properties = [
    ...(path === undefined ? [] : [`file=${property(clip(path, longest))}`]),
    ...(path === undefined || line === undefined ? [] : [`line=${line}`]),
    `title=${property(`tidewaiter: ${title}`)}`,
  ];
  return `::${kind} ${properties.join(',')}::${data(lines.map(shown).join('\n'))}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(shown(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
