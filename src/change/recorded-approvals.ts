/** Approvals that others keep: gittuf's, the record of a review workflow, a forge's reviews. */
import {
  type ApprovalContext,
  type Candidate,
  editableProblem,
  isReplayed,
  type Problem,
  sameProblem,
  signerProblem,
  unseenProblem,
} from './approval-candidate.ts';
import { latestReviews } from './forge-reviews.ts';
import type { ForgeReview, ReviewCoverage, VerifiedEvidence } from './types.ts';

/**
 * gittuf binds the commit that the branch was at and the tree that it shall have: nothing else. Signed by a person it is
 * that person's; signed by an app that the policy believes, it is of those whom it lists.
 */
export function gittufApprovals(evidence: VerifiedEvidence, context: ApprovalContext): readonly Candidate[] {
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
export function coverageApprovals(evidence: VerifiedEvidence, context: ApprovalContext): readonly Candidate[] {
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
    const unseen = carriedOver && reviewed !== undefined ? unseenProblem(reviewed, context) : undefined;
    const problem = wrongPlace ?? stale ?? unseen;
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

function recorderProblem({ signer }: VerifiedEvidence, context: ApprovalContext): Problem | undefined {
  const { rule } = context;
  const { records } = rule.highRisk;
  if (signer.matched.some((name) => records.includes(name))) {
    return editableProblem(signer, 'the change can edit the workflow that recorded its approvals', context);
  }
  return {
    rule: 'approval-not-human',
    message: 'a record of approvals is signed by nobody whom the policy believes for that',
    expected: records.length === 0 ? 'a name under changes.highRisk.records' : records.join(', '),
    got: signer.matched.join(', '),
  };
}

/** The word of the pipeline that fetched them: only accounts that the policy gives to a person count. */
export function reviewApprovals(reviews: readonly ForgeReview[], context: ApprovalContext): readonly Candidate[] {
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
