/** What may be an approval, and what every kind of them is held against: who signed it, and whether it is still about this change. */
import type { RuleId } from '../diag/index.ts';
import { bytesText, pathKey } from '../git/path-text.ts';
import type { ObjectId } from '../git/types.ts';
import type { ChangesRule, Person, Policy } from '../policy/types.ts';
import { isContent } from './authors.ts';
import { findForgeKey } from './forge-keys.ts';
import { type RangeGraph, rangeGraph } from './graph.ts';
import { signOfKey } from './signs/index.ts';
import { isEditableBy } from './tier.ts';
import type {
  ClassifiedCommit,
  ContentFinding,
  CountedApproval,
  EvidenceSigner,
  ForgeReview,
  PathlessRange,
  Relations,
  RiskyPath,
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
  /** Every path that the range touches. */
  readonly changedPaths: readonly Buffer[];
  /** What is of high risk in what lands, and what it hides. */
  readonly risky: readonly RiskyPath[];
  readonly content: readonly ContentFinding[];
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
  readonly hints?: readonly string[];
}

export function sameProblem(rule: RuleId, message: string, expected: string, got: string): Problem | undefined {
  return expected === got ? undefined : { rule, message, expected, got };
}

/** An agent, a bot, or whoever vouches for agents never approves, whatever person the policy makes of it. */
export function signerProblem({ signer, statement }: VerifiedEvidence, context: ApprovalContext): Problem | undefined {
  const { rule, policy } = context;
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
  const editable = editableProblem(signer, 'the change can edit the workflow that signed an approval', context);
  if (editable !== undefined) return editable;
  if (signer.workflow !== undefined) {
    return {
      rule: 'approval-not-human',
      message: 'an approval is signed by a workflow, and no human stands behind it',
      got: signer.shown,
    };
  }
  const { fingerprint = '' } = signer;
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

/** Whoever can edit a workflow signs with it whatever they like. */
export function editableProblem(
  signer: EvidenceSigner,
  message: string,
  { changedPaths, rule }: ApprovalContext,
): Problem | undefined {
  if (!isEditableBy(signer, changedPaths, rule)) return undefined;
  return { rule: 'signer-editable', message, got: signer.shown };
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

/**
 * What is carried over may touch only what was looked at: where the base has meanwhile moved a file, git takes an edit along to
 * its new name, and that may be of high risk where the old one was not.
 */
export function unseenProblem(head: ObjectId, context: ApprovalContext): Problem | undefined {
  const now = [...context.risky, ...context.content.filter(({ weight }) => weight !== 'note')];
  const seen = seenPaths(head, context);
  const unseen = now.find(({ path }) => seen?.has(pathKey(path)) !== true);
  if (unseen === undefined) return undefined;
  return {
    rule: 'approval-stale',
    message:
      'an approval cannot be carried over: what lands touches a path of high risk that the approved change did not',
    got: bytesText(unseen.path),
    hints: ['approve the change as it is now'],
  };
}

/** Of the change that was approved: what differs, and what a commit on the way touches. */
function seenPaths(head: ObjectId, { relations, graph, commits }: ApprovalContext): ReadonlySet<string> | undefined {
  const changed = relations.approvedPaths(head);
  if (changed === undefined) return undefined;
  const facts = graph.has(head) ? commits.map((each) => each.facts) : relations.rewritten;
  const approved = rangeGraph(facts).ancestors(head);
  const touched = facts.filter(({ commit }) => approved.has(commit.id)).flatMap(({ changes }) => changes);
  return new Set([...changed, ...touched.map(({ path }) => pathKey(path))]);
}
