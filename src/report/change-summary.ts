/**
 * A judged change as Markdown for the summary of a job ($GITHUB_STEP_SUMMARY, at most 1 MiB; merge request comments read it
 * too). Everything that stands in commits, names and statements is put into `<code>`, and each character that Markdown,
 * HTML or a link could begin with is written as an entity: no text can leave its cell, link anywhere or mention anybody.
 */
import { plural, printable } from '../diag/index.ts';
import type { ChangeReport, ReportedCommit } from './change.ts';
import { fixesOf } from './change-fix.ts';
import {
  approvalsLine,
  asOf,
  authorsLine,
  clip,
  coverageText,
  type FindingGroup,
  groupFindings,
  isRisky,
  knownBy,
  lacks,
  listed,
  madeBy,
  outcomeWords,
  rangeFacts,
  replayWords,
  shortId,
  statementText,
  weightWords,
} from './change-words.ts';

/** What GitHub takes of one step. */
const maxBytes = 1024 * 1024;
const cutNote = '\n_Cut here: a summary has at most 1 MiB. `-o json` has all._\n';

export function writeChangeSummary(report: ChangeReport): string {
  const { outcome, requested, reason, notes } = report;
  const pieces = [
    `## tidewaiter: ${outcomeWords[outcome]}\n\n${code(requested, 500)}: ${code(`${reason}${asOf(report)}`)}\n`,
    table(
      ['', ''],
      rangeFacts(report).map(([label, text]) => [label, code(text)]),
    ),
    ...section(
      'Findings',
      report.findings.length,
      groupFindings(report.findings)
        .slice(0, mostGroups)
        .map((each) => groupItem(each, report)),
    ),
    ...commitPieces(report),
    ...riskPieces(report),
    ...evidencePieces(report),
    ...section(
      'Remarks',
      notes.length,
      notes.slice(0, 50).map((each) => `- ${code(each)}\n`),
    ),
  ];
  return withinBytes(pieces);
}

/** Whole pieces only: half of an entity or of a tag would let the next reader see something else. */
function withinBytes(pieces: readonly string[]): string {
  const room = maxBytes - Buffer.byteLength(cutNote);
  let text = '';
  let bytes = 0;
  for (const piece of pieces) {
    bytes += Buffer.byteLength(piece);
    if (bytes > room) return text + cutNote;
    text += piece;
  }
  return text;
}

const mostGroups = 200;
const mostPlaces = 10;
const longest = 500;

function section(title: string, count: number, pieces: readonly string[]): readonly string[] {
  return count === 0 ? [] : [`\n### ${title} (${count})\n\n`, ...pieces];
}

function groupItem({ first, all }: FindingGroup, report: ChangeReport): string {
  const places = all
    .slice(0, mostPlaces)
    .flatMap(({ path, line, place, commits, expected, got }) => [
      ...(path === undefined ? [] : [code(`${clip(path, longest - 20)}${line === undefined ? '' : `:${line}`}`)]),
      ...(place === undefined ? [] : [code(place)]),
      ...(commits.length === 0 ? [] : [code(listed(commits.slice(0, 11).map(shortId), 10))]),
      ...(expected === undefined ? [] : [`expected ${code(expected)}`]),
      ...(got === undefined ? [] : [`got ${code(got)}`]),
    ]);
  const left = all.length - mostPlaces;
  return [
    `- **${weightWords[first.weight]}** \`${first.rule}\`: ${code(first.message)}\n`,
    ...places.map((each) => `  - ${each}\n`),
    ...(left > 0 ? [`  - and ${plural(left, 'more place')}\n`] : []),
    ...fixesOf(first, report).map((each) => `  - **do** ${code(each)}\n`),
  ].join('');
}

const mostCommits = 200;

function commitPieces(report: ChangeReport): readonly string[] {
  const { commits } = report;
  if (commits.length === 0) return [];
  const isLong = commits.length > mostCommits;
  const ordered = isLong ? [...commits.filter(lacks), ...commits.filter((each) => !lacks(each))] : commits;
  const left = commits.length - mostCommits;
  const row = (commit: ReportedCommit) => {
    const vouched = commit.vouchedBy === undefined ? '' : `, vouched by ${commit.vouchedBy}`;
    const merge = commit.replay === undefined ? '' : `; merge ${replayWords[commit.replay]}`;
    return [
      `\`${shortId(commit.id)}\` ${code(commit.subject, 120)}`,
      code(`${madeBy(commit, report)}${vouched}`),
      code(`${knownBy(commit)}${merge}`),
      code(coverageText(commit)),
    ];
  };
  const lines = ordered.slice(0, mostCommits).map((each) => tableRow(row(each)));
  return [
    `\n### Commits (${commits.length})\n\n`,
    tableHead(['commit', 'made by', 'known by', 'provenance']),
    ...lines,
    ...(left > 0 ? [`\n${plural(left, 'more commit')} left out here.\n`] : []),
  ];
}

function riskPieces(report: ChangeReport): readonly string[] {
  const { risks, approvals } = report;
  if (!isRisky(report)) return [];
  return [
    `\n### High risk: ${approvalsLine(report)}\n\n`,
    ...risks.slice(0, 50).map(({ path, reason, pattern }) => {
      const why = pattern === undefined ? reason : `${reason}, by the pattern ${pattern}`;
      return `- ${code(path)}: ${code(why)}\n`;
    }),
    ...(risks.length > 50 ? [`- and ${plural(risks.length - 50, 'more path')}\n`] : []),
    ...approvals.counted.map(
      ({ person, how, place, carriedOver }) =>
        `- approved by ${code(person)}: ${code(`${how}, ${place}${carriedOver ? ', carried over' : ''}`)}\n`,
    ),
    ...(approvals.authors.length === 0 ? [] : [`- authors: ${code(authorsLine(approvals.authors))}\n`]),
  ];
}

function evidencePieces({ evidence: { counted, refused } }: ChangeReport): readonly string[] {
  return [
    ...section(
      'Evidence that counts',
      counted.length,
      counted.slice(0, 50).map((each) => `- ${code(each.place)}: ${code(statementText(each))}\n`),
    ),
    ...section(
      'Evidence that was refused',
      refused.length,
      refused.slice(0, 50).map(({ place, rule, message }) => `- ${code(place)}: \`${rule}\`: ${code(message)}\n`),
    ),
  ];
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${tableHead(titles)}${rows.map(tableRow).join('')}`;
}

function tableHead(titles: readonly string[]): string {
  return `${tableRow(titles)}${tableRow(titles.map(() => '---'))}`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** Untrusted text, shown letter by letter. */
function code(text: string, max = longest): string {
  const safe = printable(clip(text, max)).replace(/[^\p{L}\p{N} ,;\-=+]/gu, entity);
  return safe.trim() === '' ? '' : `<code>${safe}</code>`;
}

/** Behind the sign of a mention a word may break: what follows is no name then. */
function entity(character: string): string {
  const written = `&#${character.codePointAt(0)};`;
  return character === '@' ? `${written}<wbr>` : written;
}
