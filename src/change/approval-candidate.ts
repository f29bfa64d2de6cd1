/** What may be an approval, and what every kind of them is held against: who signed it, and whether it is still about this change. */
import type { RuleId } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import type { ChangesRule, Person, Policy } from '../policy/types.ts';
import { isContent } from './authors.ts';
import { findForgeKey } from './forge-keys.ts';
import type { RangeGraph } from './graph.ts';
import { signOfKey } from './signs/index.ts';
import type {
  ClassifiedCommit,
  CountedApproval,
  ForgeReview,
  PathlessRange,
  Relations,
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

export interface Candidate {
  /** Undefined where nobody whom the policy knows has approved. */
  readonly person: string | undefined;
  readonly place: string;
  readonly how: CountedApproval['how'];
  readonly carriedOver: boolean;
  readonly problem?: Problem;
}

/** Why it does not count. */
export interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
}

export function sameProblem(rule: RuleId, message: string, expected: string, got: string): Problem | undefined {
  return expected === got ? undefined : { rule, message, expected, got };
}

/** An agent, a bot, or whoever vouches for agents never approves, whatever person the policy makes of it. */
export function signerProblem(
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
 * Everything that came after the approved head is merges which their parents explain, or the approved head was replayed onto the
 * base. A commit by anybody ends it, even one that a later commit takes back.
 */
export function isCarriedOver(
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
export function isReplayed(
  { head, tree }: { head: ObjectId; tree: ObjectId },
  { rule, relations, commits }: ApprovalContext,
): boolean {
  if (rule.highRisk.carryOver !== 'replay' || relations.treeOf(head) !== tree) return false;
  const landing = relations.landingOf(head);
  if (landing.kind !== 'replay') return false;
  return commits.every((each) => !isContent(each) || landing.commits.has(each.facts.commit.id));
}
