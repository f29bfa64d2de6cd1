/**
 * Which people agreed to exactly this change. An approval is bound to repository, branch, base, head, tree, operation and
 * time; it counts once per person, never for somebody who made the change, and never for an agent or a bot. It outlives a new
 * head only where replay shows that nothing but the base was merged in, and the policy says so.
 */
import type { ObjectId } from '../git/types.ts';
import {
  type ApprovalContext,
  type Candidate,
  isCarriedOver,
  type Problem,
  sameProblem,
  signerProblem,
  unseenProblem,
} from './approval-candidate.ts';
import { authorsOf, isContent } from './authors.ts';
import { coverageApprovals, gittufApprovals, reviewApprovals } from './recorded-approvals.ts';
import type { ChangeFinding, CountedApproval, VerifiedEvidence } from './types.ts';

export interface JudgedApprovals {
  /** With the one more that an author who is not proved costs. */
  readonly needed: number;
  readonly counted: readonly CountedApproval[];
  readonly authors: readonly string[];
  readonly refused: readonly ChangeFinding[];
}

export function judgeApprovals(context: ApprovalContext): JudgedApprovals {
  const { rule, evidence, reviews } = context;
  const authors = authorsOf(context.commits, context.relations.rewritten, context.policy);
  const candidates = [...evidence.flatMap((each) => fromEvidence(each, context)), ...reviewApprovals(reviews, context)];
  const counted = new Map<string, CountedApproval>();
  const refused: ChangeFinding[] = [];
  for (const candidate of candidates) {
    const problem = candidate.problem ?? personProblem(candidate.person, authors, context);
    if (problem !== undefined) refused.push(refusalOf(candidate.place, problem));
    else if (candidate.person !== undefined && !counted.has(candidate.person)) {
      const { person, place, how, carriedOver } = candidate;
      counted.set(person, { person, place, how, carriedOver });
    }
  }
  // Whoever made the commits of nobody may be among the approvers: one more makes sure that another one agreed.
  const unproved = context.commits.some((each) => each.class === 'unknown' && !each.duty && isContent(each));
  return {
    needed: rule.highRisk.approvals + (unproved ? 1 : 0),
    counted: [...counted.values()],
    authors: [...authors],
    refused,
  };
}

function personProblem(
  person: string | undefined,
  authors: ReadonlySet<string>,
  { rule, policy }: ApprovalContext,
): Problem | undefined {
  const by = rule.highRisk.by.length > 0 ? rule.highRisk.by : [...policy.people.keys()];
  if (person === undefined) {
    return { rule: 'approval-not-human', message: 'an approval by nobody whom the policy names as a person' };
  }
  if (!by.includes(person)) {
    return {
      rule: 'approval-not-human',
      message: `${person} is not among those who may approve changes of high risk`,
      expected: by.join(', '),
      got: person,
    };
  }
  if (!authors.has(person)) return undefined;
  return { rule: 'approval-self', message: `${person} made the change, or a part of it, and cannot approve it` };
}

function fromEvidence(evidence: VerifiedEvidence, context: ApprovalContext): readonly Candidate[] {
  switch (evidence.statement.kind) {
    case 'approval':
      return [signedApproval(evidence, context)];
    case 'gittuf-approval':
      return gittufApprovals(evidence, context);
    case 'review-coverage':
      return coverageApprovals(evidence, context);
    default:
      return [];
  }
}

function signedApproval(evidence: VerifiedEvidence, context: ApprovalContext): Candidate {
  const { statement, place, signer } = evidence;
  if (statement.kind !== 'approval') throw new Error('not an approval');
  const { rule, range, now } = context;
  const carried = { head: statement.head, mergeBase: statement.mergeBase, tree: statement.tree };
  const isCurrent =
    statement.head === range.head.id &&
    statement.mergeBase === range.mergeBase.id &&
    statement.tree === range.head.tree;
  const carriedOver = !isCurrent && isCarriedOver(carried, context);
  const problem =
    signerProblem(evidence, context) ??
    sameProblem('repo-mismatch', 'an approval is for another repository', rule.repository, statement.repository) ??
    sameProblem('repo-mismatch', 'an approval is for another branch', rule.baseRef, statement.baseRef) ??
    sameProblem('replayed', 'an approval is for another operation', rule.highRisk.operation, statement.operation) ??
    (statement.expires > now
      ? undefined
      : {
          rule: 'approval-stale' as const,
          message: 'an approval has expired',
          expected: `after ${new Date(now).toISOString()}`,
          got: new Date(statement.expires).toISOString(),
          hints: ['approve it anew: --expires says until when'],
        }) ??
    (carriedOver ? unseenProblem(carried.head, context) : isCurrent ? undefined : staleProblem(carried, context));
  return { person: signer.person, place, how: 'signed', carriedOver, ...(problem !== undefined && { problem }) };
}

function staleProblem(
  { head, mergeBase, tree }: { head: ObjectId; mergeBase: ObjectId; tree: ObjectId },
  { range, rule }: ApprovalContext,
): Problem {
  const [what, expected, got] =
    head !== range.head.id
      ? ['head', range.head.id, head]
      : mergeBase !== range.mergeBase.id
        ? ['base', range.mergeBase.id, mergeBase]
        : ['tree', range.head.tree, tree];
  // Where the policy says so already, more than the base has changed.
  const isUnsaid = what === 'head' && rule.highRisk.carryOver !== 'replay';
  const hints = [
    'approve the change as it is now',
    ...(isUnsaid
      ? ['or, where nothing but the base changed since, the policy may say so: changes.highRisk.carryOver: replay']
      : []),
  ];
  return { rule: 'approval-stale', message: `an approval is of another ${what}`, expected, got, hints };
}

function refusalOf(place: string, { rule, message, expected, got, hints = [] }: Problem): ChangeFinding {
  return {
    rule,
    weight: 'note',
    message,
    commits: [],
    place,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    hints,
  };
}
