/** How a judged change is told: the same words in the table, in an explanation and in a summary. Nothing is escaped yet. */
import { plural } from '../diag/index.ts';
import type {
  ChangeOutcome,
  ChangeReport,
  ReportedCommit,
  ReportedFinding,
  ReportedPoint,
  ReportedSign,
  ReportedSignature,
  ReportedStatement,
} from './change.ts';

export const outcomeWords: Readonly<Record<ChangeOutcome, string>> = {
  pass: 'passed',
  denied: 'denied',
  undecided: 'not decided',
  approval: 'approval needed',
};

export const weightWords: Readonly<Record<ReportedFinding['weight'], string>> = {
  undecided: 'not decided',
  denied: 'denied',
  approval: 'needs approval',
  warning: 'warning',
  note: 'note',
};

/** As programs call it. What waits for an approval is a warning: nothing speaks against the change yet. */
export const levels: Readonly<Record<ReportedFinding['weight'], 'error' | 'warning' | 'note'>> = {
  undecided: 'error',
  denied: 'error',
  approval: 'warning',
  warning: 'warning',
  note: 'note',
};

/** The worst first, otherwise as they were found. */
export function byWeight(findings: readonly ReportedFinding[]): readonly ReportedFinding[] {
  const weights = Object.keys(weightWords);
  return weights.flatMap((weight) => findings.filter((each) => each.weight === weight));
}

/** What is longer than anybody reads ends in `…`; a character is never cut in two. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const start = text.slice(0, max);
  return `${/[\ud800-\udbff]$/.test(start) ? start.slice(0, -1) : start}…`;
}

export function shortId(id: string): string {
  return id.slice(0, 12);
}

export function madeBy(commit: ReportedCommit, report: ChangeReport): string {
  switch (commit.class) {
    case 'agent': {
      const names = [...new Set(commit.signs.map(({ name }) => name))];
      return `agent ${listed(names, 3)}`;
    }
    case 'human':
      return `person ${commit.signature.person ?? listed(commit.signature.matched, 3)}`;
    case 'bot':
      return `bot ${listed(commit.signature.matched, 3)}`;
    case 'unknown':
      if (commit.replay === 'clean') return 'unknown';
      return `unknown, which the policy takes for ${report.policy?.unknown === 'treat-as-human' ? 'a human' : 'an agent'}`;
  }
}

/** The first sign with its place, or why there is none that counts. */
export function knownBy({ class: made, signs, because, signature }: ReportedCommit): string {
  const [first, ...others] = signs;
  if (made === 'agent' && first !== undefined) {
    const more = others.length === 0 ? '' : `, and ${plural(others.length, 'more sign')}`;
    return `${signText(first, 100)}${more}`;
  }
  return made === 'unknown' ? because : signatureText(signature);
}

export function signText({ place, kind, text }: ReportedSign, max: number): string {
  return kind === 'key' ? `the key of its vendor signed it, ${clip(text, max)}` : `${place}, ${clip(text, max)}`;
}

export function signatureText({ state, format, signer, matched, touched, why }: ReportedSignature): string {
  if (state === 'none') return 'not signed';
  const parts = [
    `${signatureStates[state]}${format === undefined ? '' : ` (${format})`}`,
    ...(signer === undefined ? [] : [state === 'good' ? `by ${signer}` : `it claims ${signer}, which nothing proves`]),
    ...(matched.length === 0 ? [] : [`in the policy as ${listed(matched, 5)}`]),
    ...(touched === undefined ? [] : [touched ? 'the security key was touched' : 'the security key was not touched']),
    ...(why === undefined ? [] : [why]),
  ];
  return parts.join('; ');
}

const signatureStates: Readonly<Record<Exclude<ReportedSignature['state'], 'none'>, string>> = {
  good: 'a signature that holds',
  bad: 'a signature that does not hold',
  unproved: 'a signature that nothing proves offline',
  'unknown-key': 'a signature by a key that nobody in the policy has',
  unsupported: 'a signature of a kind that is not verified',
};

/** What covers it or what it lacks. */
export function coverageText({ duty, coveredBy, missing }: ReportedCommit): string {
  if (missing.length > 0) return `missing: ${missing.join(', ')}`;
  if (coveredBy.length > 0) return `covered by ${listed(coveredBy, 3)}`;
  return duty ? 'missing' : 'none needed';
}

export const replayWords: Readonly<Record<NonNullable<ReportedCommit['replay']>, string>> = {
  clean: 'clean: it adds nothing to its parents',
  residual: 'residual: it holds content that none of its parents explains',
  conflict: 'conflict: its parents do not merge by themselves, how that was resolved is its own',
};

/** Something is wrong with it, or missing: these are shown first. */
export function lacks({ missing, signature, replay, coveredBy, class: made }: ReportedCommit): boolean {
  const isOwned = made === 'human' || made === 'bot' || coveredBy.length > 0;
  return missing.length > 0 || signature.state === 'bad' || (replay !== undefined && replay !== 'clean' && !isOwned);
}

export function rangeFacts(report: ChangeReport): readonly (readonly [label: string, text: string])[] {
  const { range, policy, repository, time, replayedTime } = report;
  const facts: (readonly [string, string])[] = [];
  if (range !== undefined) {
    const isStart = range.mergeBase.commit === range.policyBase.commit;
    const behind = isStart
      ? 'the change starts at it'
      : `it has ${plural(range.behind, 'commit')} that the change has not`;
    facts.push(['base', `${pointText(range.policyBase)} (${behind})`]);
    if (!isStart) facts.push(['starts at', pointText(range.mergeBase)]);
    facts.push(
      ['head', pointText(range.head)],
      [
        'landing',
        range.landing.clean
          ? 'merges into the base without conflicts'
          : 'does not merge into the base without conflicts',
      ],
      ['change', `${plural(range.changedPaths, 'path')}, sha256:${range.changeDigest}`],
    );
  }
  if (policy !== undefined) {
    facts.push(
      ['policy', `${policy.from} (sha256:${policy.digest})`],
      ['for', `${policy.repository}, ${policy.baseRef}`],
    );
  }
  if (repository.objectFormat === 'sha256') facts.push(['objects', 'SHA-256']);
  if (replayedTime) facts.push(['time', `${time}, as --now says`]);
  return facts;
}

/** A decision of another time is marked wherever only one line is read. */
export function asOf({ time, replayedTime }: ChangeReport): string {
  return replayedTime ? ` (as of ${time}, by --now)` : '';
}

function pointText({ commit, ref }: ReportedPoint): string {
  return ref === undefined ? commit : `${commit} ${ref}`;
}

export function statementText({ signer, matched, tier, landing, models, runtime, covers }: ReportedStatement): string {
  const parts = [
    `by ${listed(matched, 5)}, ${signer}`,
    `tier ${tier}`,
    landing === 'replay' ? 'carried over by replay' : undefined,
    models.length === 0 ? undefined : listed(models, 5),
    runtime,
    `covers ${plural(covers, 'commit')}`,
  ];
  return parts.filter((each) => each !== undefined).join('; ');
}

export function authorsLine(authors: readonly string[]): string {
  return `${authors.join(', ')}: whoever made the change cannot approve it`;
}

export function approvalsLine({ approvals }: ChangeReport): string {
  return `${plural(approvals.needed, 'approval')} needed, ${approvals.counted.length} there`;
}

/** Whether anything in the change waits for approvals, or has them. */
export function isRisky({ risks, approvals, findings }: ChangeReport): boolean {
  return risks.length > 0 || approvals.counted.length > 0 || findings.some(({ weight }) => weight === 'approval');
}

/** The first few, and how many more there are. */
export function listed(texts: readonly string[], most: number): string {
  const more = texts.length - most;
  const first = texts.slice(0, most).map((each) => clip(each, 300));
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

export interface FindingGroup {
  readonly first: ReportedFinding;
  readonly all: readonly ReportedFinding[];
}

/** Findings that say the same of different places, the worst first. */
export function groupFindings(findings: readonly ReportedFinding[]): readonly FindingGroup[] {
  const groups = new Map<string, { readonly first: ReportedFinding; readonly all: ReportedFinding[] }>();
  for (const each of byWeight(findings)) {
    const key = JSON.stringify([each.weight, each.rule, each.message, each.hints]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { first: each, all: [each] });
    else known.all.push(each);
  }
  return [...groups.values()];
}
