/**
 * The decision over a range of commits. Pure: the same facts, policy and time give the same judgement. In outline:
 *
 *  1. every commit is an agent's, a proved human's, a listed bot's, or nobody's we know (classify.ts);
 *  2. statements about agents' commits count or not, each for one named reason (provenance.ts), and those that count cover
 *     commits; what has to be covered and is not, is denied;
 *  3. what a merge adds to its parents needs a maker like any other change;
 *  4. paths of high risk and what a diff hides need approvals (approvals.ts).
 *
 * Nothing here is passed by default: a duty ends only by the evidence that meets it.
 */
import { plural, type RuleId } from '../diag/index.ts';
import type { ObjectId, PathChange } from '../git/types.ts';
import type { ChangesRule, Policy } from '../policy/types.ts';
import { judgeApprovals } from './approvals.ts';
import { type Classification, classify } from './classify.ts';
import { type RangeGraph, rangeGraph } from './graph.ts';
import { judgeStatements } from './provenance.ts';
import { policyReason } from './risk.ts';
import { headOf } from './statement-context.ts';
import type {
  ChangeFinding,
  ClassifiedCommit,
  CommitFacts,
  ContentFinding,
  CountedStatement,
  FindingWeight,
  ForgeReview,
  Judgement,
  PathlessRange,
  RefusedEvidence,
  Relations,
  RiskyPath,
  Sign,
  VerifiedEvidence,
} from './types.ts';

export interface JudgeInput {
  readonly policy: Policy;
  readonly rule: ChangesRule;
  readonly range: PathlessRange;
  /** Parents before children. */
  readonly commits: readonly CommitFacts[];
  /** Signs that branches, notes and records give to commits, beside those in the commits themselves. */
  readonly signs: ReadonlyMap<ObjectId, readonly Sign[]>;
  readonly signedOffByAgent: ReadonlyMap<ObjectId, Sign>;
  /** Between mergeBase and head. */
  readonly net: readonly PathChange[];
  /** Between policyBase and what merging head into it makes. */
  readonly landed: readonly PathChange[];
  readonly content: readonly ContentFinding[];
  readonly risky: readonly RiskyPath[];
  readonly evidence: {
    readonly verified: readonly VerifiedEvidence[];
    readonly refused: readonly RefusedEvidence[];
    readonly reviews: readonly ForgeReview[];
  };
  readonly relations: Relations;
  /** Milliseconds. */
  readonly now: number;
}

export function judge(input: JudgeInput): Judgement {
  const { rule, relations, range, now } = input;
  const { verified: evidence } = input.evidence;
  const graph = rangeGraph(input.commits);
  // A merge that moves an edit along names the new path nowhere but in the whole, and one that is to come in what lands.
  const changedPaths = [...input.net, ...input.landed, ...input.commits.flatMap(({ changes }) => changes)].map(
    ({ path }) => path,
  );
  const statements = judgeStatements({
    rule,
    range,
    graph,
    relations,
    evidence,
    now,
    commits: input.commits,
    changedPaths,
  });
  const covered = coverage(statements.counted, graph, input);
  const classified = input.commits.map((facts): ClassifiedCommit => {
    const signs = [...facts.signs, ...(input.signs.get(facts.commit.id) ?? [])];
    const made = classify(facts, signs, rule, changedPaths);
    const coveredBy = covered.get(facts.commit.id) ?? [];
    return { facts, signs, ...made, coveredBy, missing: missingOf(made, coveredBy, covered.size > 0) };
  });
  const approvals = judgeApprovals({
    ...input,
    graph,
    evidence,
    reviews: input.evidence.reviews,
    commits: classified,
    changedPaths,
  });
  const isApproved = approvals.counted.length >= approvals.needed;
  const uncovered = uncoveredFindings(classified);
  const findings = [
    ...uncovered,
    ...refusals(statements.refused, input.evidence.refused, uncovered.length > 0),
    ...mergeFindings(classified, isApproved),
    ...unrelatedFindings(input.commits, isApproved),
    ...signatureFindings(classified),
    ...signoffFindings(input),
    ...keyFindings(statements.counted, rule),
    ...riskFindings(input, approvals, isApproved),
  ];
  return {
    outcome: outcomeOf(findings),
    commits: classified,
    statements: statements.counted,
    approvals: { needed: approvals.needed, counted: approvals.counted, authors: approvals.authors },
    findings,
  };
}

function outcomeOf(findings: readonly ChangeFinding[]): Judgement['outcome'] {
  const weights = new Set(findings.map(({ weight }) => weight));
  const worst = (['undecided', 'denied', 'approval'] as const).find((weight) => weights.has(weight));
  return worst ?? 'pass';
}

/** Indexes of the statements that cover a commit. */
function coverage(
  counted: readonly CountedStatement[],
  graph: RangeGraph,
  { range, relations }: JudgeInput,
): ReadonlyMap<ObjectId, readonly number[]> {
  const covered = new Map<ObjectId, number[]>();
  for (const [at, { evidence }] of counted.entries()) {
    const { statement } = evidence;
    if (statement.kind !== 'agent-change') continue;
    const head = headOf(statement, range.head.id);
    const landing = relations.landingOf(head);
    const ids =
      landing.kind === 'replay'
        ? landing.commits
        : landing.kind === 'before'
          ? []
          : graph.between(statement.baseCommit, head);
    for (const id of ids) covered.set(id, [...(covered.get(id) ?? []), at]);
  }
  return covered;
}

function missingOf(made: Classification, coveredBy: readonly number[], anyCovered: boolean): readonly RuleId[] {
  if (!made.duty || coveredBy.length > 0) return [];
  if (made.class === 'unknown') return ['agent-undeclared'];
  return [anyCovered ? 'range-gap' : 'provenance-missing'];
}

const uncoveredMessages: Readonly<Record<string, (count: number) => string>> = {
  'provenance-missing': (count) =>
    `${plural(count, 'commit')} made by agents, and no provenance that counts covers ${them(count)}`,
  'range-gap': (count) => `provenance covers a part of the range, and not ${plural(count, 'commit')} made by agents`,
  'agent-undeclared': (count) =>
    `${plural(count, 'commit')} without proof of a human, which the policy takes for an agent's, and no provenance covers ${them(count)}`,
};

function them(count: number): string {
  return count === 1 ? 'it' : 'them';
}

/** One for each rule, with the commits: a long range is no long list of sentences. */
function uncoveredFindings(commits: readonly ClassifiedCommit[]): readonly ChangeFinding[] {
  return Object.entries(uncoveredMessages).flatMap(([rule, message]) => {
    const ids = commits
      .filter(({ missing }) => missing.some((each) => each === rule))
      .map(({ facts }) => facts.commit.id);
    return ids.length === 0 ? [] : [finding(rule as RuleId, 'denied', message(ids.length), { commits: ids })];
  });
}

/** Why evidence did not count says what is wrong while something is missing; beside enough of it, it is a remark. */
function refusals(
  statements: readonly ChangeFinding[],
  evidence: readonly RefusedEvidence[],
  isMissing: boolean,
): readonly ChangeFinding[] {
  const weight: FindingWeight = isMissing ? 'denied' : 'note';
  return [
    ...statements.map((each) => ({ ...each, weight })),
    ...evidence.map(({ rule, message, place, expected, got, hints }) =>
      finding(rule, weight, message, {
        place,
        hints,
        ...(expected !== undefined && { expected }),
        ...(got !== undefined && { got }),
      }),
    ),
  ];
}

/** What no parent explains was made by whoever made the merge, and shows in no ordinary diff. */
function mergeFindings(commits: readonly ClassifiedCommit[], isApproved: boolean): readonly ChangeFinding[] {
  return commits.flatMap(({ facts, class: made, coveredBy, because }) => {
    const { merge, commit } = facts;
    if (merge === undefined || merge.replay === 'clean') return [];
    const isOwned = made === 'human' || made === 'bot' || coveredBy.length > 0;
    const what =
      merge.replay === 'conflict'
        ? 'its parents do not merge by themselves, and nobody stands for how the conflict was resolved'
        : 'it holds content that none of its parents explains';
    const excuse = isOwned
      ? `; ${coveredBy.length > 0 ? 'provenance covers it' : because}`
      : isApproved
        ? '; approved'
        : '';
    return [
      finding(
        'merge-residual',
        isOwned || isApproved ? 'note' : 'denied',
        `a merge adds to its parents: ${what}${excuse}`,
        {
          commits: [commit.id],
          ...(merge.expectedTree !== undefined && { expected: merge.expectedTree }),
          got: commit.tree,
        },
      ),
    ];
  });
}

/** No signature excuses it, not even a person's: it was given to another repository, and anybody can merge that into this one. */
function unrelatedFindings(commits: readonly CommitFacts[], isApproved: boolean): readonly ChangeFinding[] {
  const weight = isApproved ? 'note' : 'denied';
  const hints = ['where it is meant, have a person approve it: tidewaiter approve git:BASE..HEAD'];
  return (['root', 'merge'] as const).flatMap((sort) => {
    const ids = commits.filter(({ unrelated }) => unrelated === sort).map(({ commit }) => commit.id);
    if (ids.length === 0) return [];
    const what =
      sort === 'root'
        ? `${plural(ids.length, 'commit')} without parents: the history that starts there was made for another repository, whoever signed it`
        : `${plural(ids.length, 'merge')} of histories that have no common ancestor: one side was made for another repository`;
    return [
      finding('unrelated-histories', weight, `${what}${isApproved ? '; approved' : ''}`, { commits: ids, hints }),
    ];
  });
}

function signatureFindings(commits: readonly ClassifiedCommit[]): readonly ChangeFinding[] {
  return commits.flatMap(({ facts: { commit, signature } }) =>
    signature.state === 'bad'
      ? [
          finding('provenance-signature', 'denied', `the signature of a commit does not hold: ${signature.why}`, {
            commits: [commit.id],
          }),
        ]
      : [],
  );
}

function signoffFindings({ signedOffByAgent }: JudgeInput): readonly ChangeFinding[] {
  return [...signedOffByAgent].map(([id, { text }]) =>
    finding('agent-signoff', 'warning', `an agent signed off a commit: ${text}`, { commits: [id] }),
  );
}

/** The policy names the key, and says nothing of where it has to be kept. */
function keyFindings(counted: readonly CountedStatement[], { agents }: ChangesRule): readonly ChangeFinding[] {
  const near = counted.filter(({ tier }) => tier === 'local-key');
  const [first] = agents.tier === undefined ? near : [];
  if (first === undefined) return [];
  const message = 'provenance counts by a plain key, and nothing tells whether an agent can reach it';
  const hints = [
    'keep the key where no agent runs; changes.agents.tier: local-key in the policy says that a plain key is meant, and this is not said again',
  ];
  return [
    finding('tier-too-low', 'warning', message, {
      place: first.evidence.place,
      got: first.evidence.signer.shown,
      hints,
    }),
  ];
}

function riskFindings(
  { risky, content, net, commits, rule, policy }: JudgeInput,
  approvals: ReturnType<typeof judgeApprovals>,
  isApproved: boolean,
): readonly ChangeFinding[] {
  const hidden = content.map(({ rule: id, weight, path, line, message }) => {
    const heavy: FindingWeight = weight === 'error' ? 'denied' : 'approval';
    return finding(id, weight === 'note' || isApproved ? 'note' : heavy, message, {
      path,
      ...(line !== undefined && { line }),
    });
  });
  const paths = risky.map(({ path, reason, pattern }) => {
    const why = pattern === undefined ? reason : `${reason}, by the pattern ${pattern} of the policy`;
    return reason === policyReason
      ? finding(
          'policy-changed',
          isApproved ? 'note' : 'approval',
          'the change edits the policy or a file that it names',
          { path },
        )
      : finding('high-risk-path', isApproved ? 'note' : 'approval', `a path of high risk: ${why}`, { path });
  });
  const isRisky = paths.length > 0 || content.some(({ weight }) => weight !== 'note');
  if (!isRisky || isApproved) return [...hidden, ...paths, ...(isRisky ? [] : remarks(approvals.refused))];
  const { counted, needed, refused } = approvals;
  const got = counted.length === 0 ? 'none' : `${counted.length}, by ${counted.map(({ person }) => person).join(', ')}`;
  const extra =
    needed > rule.highRisk.approvals ? ', one more than the policy says, for who made a part of it is not proved' : '';
  const missing = finding(
    'approval-missing',
    'approval',
    `a change of high risk needs ${plural(needed, 'approval')}${extra}; it has ${got}`,
    {
      commits: commits.slice(-1).map(({ commit }) => commit.id),
      hints: approveHints(rule, policy, approvals, net.length),
    },
  );
  return [...hidden, ...paths, missing, ...refused.map((each) => ({ ...each, weight: 'approval' as const }))];
}

function remarks(refused: readonly ChangeFinding[]): readonly ChangeFinding[] {
  return refused.map((each) => ({ ...each, weight: 'note' as const }));
}

/** Whoever made the change, or has approved it already, cannot help. */
function approveHints(
  { highRisk }: ChangesRule,
  { people }: Policy,
  { needed, counted, authors }: ReturnType<typeof judgeApprovals>,
  paths: number,
): readonly string[] {
  const by = highRisk.by.length > 0 ? highRisk.by : [...people.keys()];
  const out = new Set([...authors, ...counted.map(({ person }) => person)]);
  const able = by.filter((name) => !out.has(name));
  const first = able.slice(0, mostNamed).join(' or ');
  const who = able.length > mostNamed ? `${first} or another of ${able.length} people` : first;
  const where = highRisk.by.length > 0 ? 'changes.highRisk.by' : 'people';
  const missing = needed - counted.length - able.length;
  return [
    ...(able.length === 0
      ? []
      : [
          `have ${who} look at ${plural(paths, 'changed path')} and run: tidewaiter approve git:BASE..HEAD --operation ${highRisk.operation} --ssh-key ~/.ssh/id_ed25519 -o bundle=approval.json`,
          'then judge it again, any other evidence as before: tidewaiter change BASE..HEAD --evidence approval.json',
        ]),
    ...(missing > 0 ? [`nobody else may approve it: add a person under ${where}, on the branch of the base`] : []),
  ];
}

const mostNamed = 5;

function finding(
  rule: RuleId,
  weight: FindingWeight,
  message: string,
  more: Partial<Omit<ChangeFinding, 'rule' | 'weight' | 'message'>> = {},
): ChangeFinding {
  return { rule, weight, message, commits: [], hints: [], ...more };
}
