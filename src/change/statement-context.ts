/** What the files that judge one statement share. */
import type { RuleId } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import { compilePattern } from '../pattern/index.ts';
import type { ChangesRule, SignedRule } from '../policy/types.ts';
import type { RangeGraph } from './graph.ts';
import type { AgentChange, CommitFacts, PathlessRange, Relations, VerifiedEvidence } from './types.ts';

export interface StatementContext {
  readonly rule: ChangesRule;
  readonly range: PathlessRange;
  /** Parents before children. */
  readonly commits: readonly CommitFacts[];
  readonly graph: RangeGraph;
  readonly relations: Relations;
  /** Every path that a commit of the range touches. */
  readonly changedPaths: readonly Buffer[];
  readonly evidence: readonly VerifiedEvidence[];
  /** Milliseconds. */
  readonly now: number;
}

export type AgentEvidence = VerifiedEvidence & { readonly statement: AgentChange };

/** Why a statement does not count. */
export interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
}

export function headOf({ subject }: AgentChange, rangeHead: ObjectId): ObjectId {
  // A change that names no commit can only be that of the whole range (headlessProblem).
  return subject.kind === 'commit' ? subject.commit : (subject.commit ?? rangeHead);
}

/** It was squashed or rebased since, and the range holds what it became. */
export function isRewritten(head: ObjectId, relations: Relations): boolean {
  const { kind } = relations.landingOf(head);
  return kind === 'replay' || kind === 'before';
}

/** Whether one of the policy's patterns is all of the value. */
export function isListed(value: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => compilePattern(pattern)(value));
}

/** One signer counts for one name, one person once: the names that can be met at the same time. */
export function countParties(evidence: readonly VerifiedEvidence[], rule: SignedRule): number {
  const signers = [...new Map(evidence.map((each) => [each.signer.person ?? each.signer.shown, each.signer])).values()];
  const taken = new Map<string, number>();
  const place = (signer: number, tried: Set<string>): boolean =>
    rule.of
      .filter((name) => signers[signer]!.matched.includes(name) && !tried.has(name))
      .some((name) => {
        tried.add(name);
        const holder = taken.get(name);
        if (holder !== undefined && !place(holder, tried)) return false;
        taken.set(name, signer);
        return true;
      });
  return signers.filter((_, at) => place(at, new Set())).length;
}
