/**
 * Which people agreed to exactly this change. An approval is bound to repository, branch, base, head, tree, operation and
 * time; it counts once per person, never for somebody who made the change, and never for an agent or a bot. It outlives a new
 * head only where replay shows that nothing but the base was merged in, and the policy says so.
 */
import type { RuleId } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import type { ChangesRule, Person, Policy } from '../policy/types.ts';
import { authorsOf, isContent } from './authors.ts';
import { findForgeKey } from './forge-keys.ts';
import { latestReviews } from './forge-reviews.ts';
import type { RangeGraph } from './graph.ts';
import { signOfKey } from './signs/index.ts';
import type {
  ChangeFinding,
  ClassifiedCommit,
  CountedApproval,
  ForgeReview,
  PathlessRange,
  Relations,
  ReviewCoverage,
  VerifiedEvidence,
} from './types.ts';

export interface ApprovalContext {
  readonly policy: Policy;
  readonly rule: ChangesRule;
  readonly range: PathlessRange;
  readonly graph: RangeGraph;
  readonly relations: Relations;
  readonly commits: readonly Pick<ClassifiedCommit, 'facts' | 'class' | 'vouchedBy' | 'duty'>[];
  readonly evidence: readonly VerifiedEvidence[];
  readonly reviews: readonly ForgeReview[];
  /** Milliseconds. */
  readonly now: number;
}

export interface JudgedApprovals {
  /** With the one more that an author who is not proved costs. */
  readonly needed: number;
  readonly counted: readonly CountedApproval[];
  readonly authors: readonly string[];
  readonly refused: readonly ChangeFinding[];
}

export function judgeApprovals(context: ApprovalContext): JudgedApprovals {
  const { rule, evidence, reviews } = context;
  const authors = authorsOf(context.commits, context.policy);
  const candidates = [...evidence.flatMap((each) => fromEvidence(each, context)), ...fromReviews(reviews, context)];
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

interface Candidate {
  /** Undefined where nobody whom the policy knows has approved. */
  readonly person: string | undefined;
  readonly place: string;
  readonly how: CountedApproval['how'];
  readonly carriedOver: boolean;
  readonly problem?: Problem;
}

interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
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
        }) ??
    (isCurrent || carriedOver ? undefined : staleProblem(carried, range));
  return { person: signer.person, place, how: 'signed', carriedOver, ...(problem !== undefined && { problem }) };
}

function staleProblem(
  { head, mergeBase, tree }: { head: ObjectId; mergeBase: ObjectId; tree: ObjectId },
  range: PathlessRange,
): Problem {
  const [what, expected, got] =
    head !== range.head.id
      ? ['head', range.head.id, head]
      : mergeBase !== range.mergeBase.id
        ? ['base', range.mergeBase.id, mergeBase]
        : ['tree', range.head.tree, tree];
  return { rule: 'approval-stale', message: `an approval is of another ${what}`, expected, got };
}

/** An agent, a bot, or whoever vouches for agents never approves, whatever person the policy makes of it. */
function signerProblem(
  { signer, statement }: VerifiedEvidence,
  { rule, policy }: ApprovalContext,
): Problem | undefined {
  const machines = [...(rule.agents.provenance?.of ?? []), ...rule.agents.hosted, ...rule.bots].filter(
    (name) => !policy.people.has(name),
  );
  const machine = signer.matched.find((name) => machines.includes(name));
  if (machine !== undefined) {
    return {
      rule: 'approval-not-human',
      message: `an approval is signed by ${machine}, which vouches for agents or is a bot`,
    };
  }
  const fingerprint = signer.kind === 'ssh' ? signer.shown.replace(/^key /, '') : '';
  const owner = signOfKey(fingerprint)?.name ?? findForgeKey(fingerprint)?.forge;
  if (owner !== undefined) {
    return {
      rule: 'approval-not-human',
      message: `an approval is signed with a key of ${owner}, which can be nobody's`,
      got: fingerprint,
    };
  }
  const person: Person | undefined = signer.person === undefined ? undefined : policy.people.get(signer.person);
  if (person?.presence === 'required' && signer.touched !== true && statement.kind !== 'review-coverage') {
    return {
      rule: 'approval-not-human',
      message: `${person.name} has to approve with a security key that was touched, and nothing in the signature says so`,
    };
  }
  return undefined;
}

/**
 * gittuf binds the commit that the branch was at and the tree that it shall have: nothing else. Signed by a person it is
 * that person's; signed by an app that the policy believes, it is of those whom it lists.
 */
function gittufApprovals(evidence: VerifiedEvidence, context: ApprovalContext): readonly Candidate[] {
  const { statement, place, signer } = evidence;
  if (statement.kind !== 'gittuf-approval') throw new Error('not a gittuf approval');
  const { rule, range } = context;
  const problem =
    sameProblem('repo-mismatch', 'an approval is for another branch', rule.baseRef, statement.targetRef) ??
    sameProblem('approval-stale', 'an approval is of another base', range.policyBase.id, statement.fromCommit) ??
    (range.landing.clean
      ? sameProblem('approval-stale', 'an approval is of another tree', range.landing.tree, statement.targetTree)
      : {
          rule: 'approval-stale' as const,
          message: 'an approval is of a tree, and the change does not merge cleanly',
        });
  const candidate = (person: string | undefined, found: Problem | undefined): Candidate => ({
    person,
    place,
    how: 'gittuf',
    carriedOver: false,
    ...(found !== undefined && { problem: found }),
  });
  if (statement.approvers.length === 0) return [candidate(signer.person, problem ?? signerProblem(evidence, context))];
  const recorder = recorderProblem(evidence, context);
  const dismissed = new Set(statement.dismissed);
  return statement.approvers
    .filter((approver) => !dismissed.has(approver))
    .map((approver) => candidate(personOf(githubLogin(approver), context), recorder ?? problem));
}

/** gittuf writes `login+id`. */
function githubLogin(approver: string): string {
  return approver.replace(/\+\d+$/, '');
}

/** A record binds the reviewed head, the branch or the base that it landed on, and for each approval the tree. */
function coverageApprovals(evidence: VerifiedEvidence, context: ApprovalContext): readonly Candidate[] {
  const { statement, place } = evidence;
  if (statement.kind !== 'review-coverage') throw new Error('not a review coverage');
  const { range } = context;
  // What landed is not what was reviewed, although the record is about both.
  const reviewed = statement.reviewedHead ?? statement.commit;
  const wrongPlace = recorderProblem(evidence, context) ?? coverageBaseProblem(statement, context);
  return statement.approvals.map(({ approver, overTree }) => {
    const isCurrent = reviewed === range.head.id && overTree === range.head.tree;
    const carriedOver = !isCurrent && reviewed !== undefined && isReplayed({ head: reviewed, tree: overTree }, context);
    const stale: Problem | undefined =
      isCurrent || carriedOver
        ? undefined
        : reviewed === range.head.id
          ? sameProblem('approval-stale', 'a recorded approval is of another tree', range.head.tree, overTree)
          : {
              rule: 'approval-stale',
              message: 'recorded approvals are of another head',
              expected: range.head.id,
              ...(reviewed !== undefined && { got: reviewed }),
            };
    const problem = wrongPlace ?? stale;
    const person = personOf(approver, context);
    return { person, place, how: 'review-coverage', carriedOver, ...(problem !== undefined && { problem }) };
  });
}

function coverageBaseProblem({ ref, baseAtMerge }: ReviewCoverage, context: ApprovalContext): Problem | undefined {
  const { rule, relations } = context;
  if (ref !== undefined && ref !== rule.baseRef) {
    return {
      rule: 'repo-mismatch',
      message: 'recorded approvals are for another branch',
      expected: rule.baseRef,
      got: ref,
    };
  }
  if (baseAtMerge !== undefined && !relations.inBase(baseAtMerge)) {
    return { rule: 'approval-stale', message: 'recorded approvals are for another base', got: baseAtMerge };
  }
  if (ref !== undefined || baseAtMerge !== undefined) return undefined;
  return {
    rule: 'approval-stale',
    message: 'recorded approvals name neither the branch nor the base that they are for',
  };
}

function recorderProblem({ signer }: VerifiedEvidence, { rule }: ApprovalContext): Problem | undefined {
  const { records } = rule.highRisk;
  if (signer.matched.some((name) => records.includes(name))) return undefined;
  return {
    rule: 'approval-not-human',
    message: 'a record of approvals is signed by nobody whom the policy believes for that',
    expected: records.length === 0 ? 'a name under changes.highRisk.records' : records.join(', '),
    got: signer.matched.join(', '),
  };
}

/** The word of the pipeline that fetched them: only accounts that the policy gives to a person count. */
function fromReviews(reviews: readonly ForgeReview[], context: ApprovalContext): readonly Candidate[] {
  return latestReviews(reviews)
    .filter(({ state }) => state === 'approved')
    .map(({ login, accountType, commit, place }) => {
      const problem: Problem | undefined =
        accountType !== undefined && accountType !== 'User'
          ? { rule: 'approval-not-human', message: `the review by ${login} is by no human account`, got: accountType }
          : sameProblem(
              'approval-stale',
              'a review is of another head',
              context.range.head.id,
              commit ?? 'a commit that it does not name',
            );
      const person = personOf(login, context);
      return { person, place, how: 'forge review', carriedOver: false, ...(problem !== undefined && { problem }) };
    });
}

/** Logins are compared without case, as GitHub does. */
function personOf(login: string, { policy }: ApprovalContext): string | undefined {
  const account = `github:${login.toLowerCase()}`;
  return [...policy.people.values()].find(({ accounts }) => accounts.some((each) => each.toLowerCase() === account))
    ?.name;
}

function sameProblem(rule: RuleId, message: string, expected: string, got: string): Problem | undefined {
  return expected === got ? undefined : { rule, message, expected, got };
}

/**
 * Everything that came after the approved head is merges which their parents explain, or the approved head was replayed onto the
 * base. A commit by anybody ends it, even one that a later commit takes back.
 */
function isCarriedOver(
  { head, mergeBase, tree }: { head: ObjectId; mergeBase: ObjectId; tree: ObjectId },
  context: ApprovalContext,
): boolean {
  const { rule, relations, graph, commits, range } = context;
  if (rule.highRisk.carryOver !== 'replay') return false;
  if (!relations.inBase(mergeBase) || !relations.isAncestor(mergeBase, head)) return false;
  if (isReplayed({ head, tree }, context)) return true;
  if (relations.treeOf(head) !== tree || !graph.has(head)) return false;
  const approved = graph.ancestors(head);
  const later = commits.filter(({ facts }) => !approved.has(facts.commit.id));
  // What is merged in besides the base would be commits of the range, and one of them not such a merge.
  return range.head.id !== head && later.length > 0 && later.every(({ facts }) => facts.merge?.replay === 'clean');
}

/** Squashed or rebased, and every commit is what the approved one, or one on the way to it, makes on its base. */
function isReplayed(
  { head, tree }: { head: ObjectId; tree: ObjectId },
  { rule, relations, commits }: ApprovalContext,
): boolean {
  if (rule.highRisk.carryOver !== 'replay' || relations.treeOf(head) !== tree) return false;
  const landing = relations.landingOf(head);
  if (landing.kind !== 'replay') return false;
  return commits.every((each) => !isContent(each) || landing.commits.has(each.facts.commit.id));
}

function refusalOf(place: string, { rule, message, expected, got }: Problem): ChangeFinding {
  return {
    rule,
    weight: 'note',
    message,
    commits: [],
    place,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    hints: [],
  };
}
