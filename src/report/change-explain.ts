/** One commit of a judged change with everything that was found about it, and what would change its standing. */
import { plural } from '../diag/index.ts';
import type { ChangeReport, ReportedCommit, ReportedIdent } from './change.ts';
import { fixesOf, sign, signingKey } from './change-fix.ts';
import { answerLine, type ChangeTableOptions, detail, findingLines, groupLines } from './change-table.ts';
import {
  asOf,
  clip,
  type FindingGroup,
  groupFindings,
  listed,
  madeBy,
  replayWords,
  signatureText,
  statementText,
} from './change-words.ts';
import { type Paint, painter } from './color.ts';
import { shown } from './text.ts';

/** Several lines, each ended by a newline. */
export function writeChangeExplanation(
  report: ChangeReport,
  commit: ReportedCommit,
  options: ChangeTableOptions,
): string {
  const paint = painter(options.color);
  const about = report.findings.filter(({ commits }) => commits.includes(commit.id));
  // What it lacks is said with what would change it, at the end: not twice.
  const lines = (group: FindingGroup) =>
    commit.missing.includes(group.first.rule) ? findingLines(group, paint) : groupLines(group, report, paint);
  const blocks = [
    factLines(commit, report, paint),
    signLines(commit, paint),
    coverLines(commit, report, paint),
    ...groupFindings(about).slice(0, mostFindings).map(lines),
    [
      paint('bold', 'what would change this:'),
      ...wouldChange(commit, report).map((each) => `  - ${shown(clip(each, 2000))}`),
    ],
    [answerLine(report, paint)],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

const mostFindings = 50;

function factLines(commit: ReportedCommit, report: ChangeReport, paint: Paint): string[] {
  const { id, subject, tree, parents, author, committer, signature, calledBot, vouchedBy, replay } = commit;
  const facts: (readonly [string, string | undefined])[] = [
    ['made by', madeBy(commit, report)],
    ['because', commit.because],
    ['author', identText(author)],
    ['committer', identText(committer)],
    ['tree', tree],
    ['parents', parents.length === 0 ? 'none' : listed(parents, 20)],
    [
      'paths',
      `${plural(commit.changedPaths, 'path')} changed${parents.length > 1 ? ' beyond what its parents explain' : ''}`,
    ],
    ['merge', replay && replayWords[replay]],
    ['signature', signatureText(signature)],
    ['person', signature.person],
    ['vouched', vouchedBy && `by ${vouchedBy}: a person signed what an agent made`],
    ['claims', calledBot && `to be ${calledBot}, which a name does not prove`],
  ];
  return [
    `${paint('bold', id)} ${shown(clip(subject === '' ? '(no message)' : subject, 500))}${asOf(report)}`,
    ...facts.flatMap(([label, text]) => (text === undefined ? [] : [detail(label, text, paint)])),
  ];
}

function identText({ name, email }: ReportedIdent): string {
  return `${clip(name, 300)} <${clip(email, 300)}>`;
}

const mostSigns = 100;

function signLines({ signs }: ReportedCommit, paint: Paint): string[] {
  if (signs.length === 0) return ['no sign of an agent'];
  const left = signs.length - mostSigns;
  return [
    paint('bold', `${plural(signs.length, 'sign')} of agents:`),
    ...signs
      .slice(0, mostSigns)
      .flatMap(({ place, name, agent, kind, part, text }) => [
        `  ${shown(clip(place, 300))}  ${shown(`${clip(name, 100)} [${clip(agent, 100)}], ${kind}, ${part}`)}`,
        detail('says', text, paint, '    '),
      ]),
    ...(left > 0 ? [`  … ${plural(left, 'more sign')} left out here: -o json has all`] : []),
  ];
}

function coverLines({ coveredBy, missing, duty }: ReportedCommit, { evidence }: ChangeReport, paint: Paint): string[] {
  const duties = duty ? 'provenance has to cover it' : 'no provenance has to cover it';
  const places = new Set(coveredBy);
  const covering = evidence.counted.filter(({ place }) => places.has(place));
  return [
    paint('bold', duties),
    ...covering
      .slice(0, 50)
      .map((each) => detail('covered', `${each.place}: ${statementText(each)}; sha256:${each.digest}`, paint)),
    ...(missing.length === 0 ? [] : [detail('missing', missing.join(', '), paint)]),
    ...(duty && coveredBy.length === 0 && missing.length === 0 ? [detail('missing', 'what covers it', paint)] : []),
  ];
}

/** Duties end by evidence and by nothing else: that a sign is removed changes no standing worth having. */
function wouldChange(commit: ReportedCommit, report: ChangeReport): readonly string[] {
  const { class: made, duty, coveredBy, missing } = commit;
  const lacking = report.findings.filter(({ rule, commits }) => missing.includes(rule) && commits.includes(commit.id));
  const fixes = [...new Set(lacking.flatMap((each) => fixesOf(each, report)))];
  switch (made) {
    case 'agent':
      return [
        ...fixes,
        "a person's signature on it says who vouches for it, and takes the place of no provenance",
        ...(coveredBy.length > 0 ? ['any commit upon it needs to be covered in its turn'] : []),
        ...(duty ? [] : ['content of its own, beyond what its parents make, would have to be covered']),
      ];
    case 'human':
      return ["any sign of an agent in it, on its branch or in a note would make it an agent's, whoever signed it"];
    case 'bot':
      return [
        "any sign of an agent in it would make it an agent's; taking the identity out of changes.bots would make it unknown",
      ];
    case 'unknown':
      return [
        ...(fixes.length > 0
          ? fixes
          : [`a signature by the key of a person in the policy: ${sign(report, [commit.id])}`, signingKey(report)]),
        ...proof(commit),
      ];
  }
}

function proof({ signature: { state, signer } }: ReportedCommit): readonly string[] {
  switch (state) {
    case 'unknown-key':
      return [
        `if the key${signer === undefined ? '' : ` (${signer})`} is of somebody whom you trust: list it under people in the policy, on the branch of the base. That it stands in the commit is no reason`,
      ];
    case 'good':
      return [
        'the key holds and nobody in the policy has it: list it under people, on the branch of the base, if it is of somebody whom you trust',
      ];
    case 'unproved':
      return [
        'for gitsign, the log entry inside of the signature: git config gitsign.rekorMode offline, before it is signed',
      ];
    default:
      return [];
  }
}
