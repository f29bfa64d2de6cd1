/**
 * Whether a verified statement about agents' commits counts for this range. The signature was checked before; here everything
 * that the statement says is held against what was recomputed and against the policy. One thing that does not fit, and it
 * does not count: the first such thing is named.
 */
import type { ObjectId } from '../git/types.ts';
import type { ChangesRule } from '../policy/types.ts';
import { bindingProblem } from './statement-binding.ts';
import {
  type AgentEvidence,
  countParties,
  headOf,
  isRewritten,
  type Problem,
  type StatementContext,
} from './statement-context.ts';
import { termsProblem } from './statement-terms.ts';
import { tierOf } from './tier.ts';
import type { AgentChange, ChangeFinding, CountedStatement, VerifiedEvidence } from './types.ts';

export interface JudgedStatements {
  readonly counted: readonly CountedStatement[];
  /** Why the others do not count, as denials: the caller weighs them. */
  readonly refused: readonly ChangeFinding[];
}

export function judgeStatements(context: StatementContext): JudgedStatements {
  const all = context.evidence.filter(isAgentEvidence);
  const refused: ChangeFinding[] = [];
  const fitting: CountedStatement[] = [];
  for (const evidence of all) {
    const problem = bindingProblem(evidence.statement, context) ?? termsProblem(evidence, context);
    if (problem === undefined) fitting.push(countedOf(evidence, context));
    else refused.push(refusalOf(evidence, problem));
  }
  const { counted, unsigned } = bySigners(fitting, context.rule);
  const anchored = anchoredOnly(counted, context);
  return { counted: anchored.counted, refused: [...refused, ...unsigned, ...anchored.refused] };
}

function isAgentEvidence(evidence: VerifiedEvidence): evidence is AgentEvidence {
  return evidence.statement.kind === 'agent-change';
}

function countedOf(evidence: AgentEvidence, { relations, rule, range }: StatementContext): CountedStatement {
  return {
    evidence,
    landing: isRewritten(headOf(evidence.statement, range.head.id), relations) ? 'replay' : 'identity',
    tier: tierOf(evidence.signer, rule),
  };
}

/** One statement may be signed by several: `all` and `threshold` count the signers of equal statements. */
function bySigners(
  statements: readonly CountedStatement[],
  { agents }: ChangesRule,
): { readonly counted: readonly CountedStatement[]; readonly unsigned: readonly ChangeFinding[] } {
  const { provenance } = agents;
  const counted: CountedStatement[] = [];
  const unsigned: ChangeFinding[] = [];
  for (const [, same] of Map.groupBy(statements, ({ evidence }) => evidence.statementDigest)) {
    const signed =
      provenance === undefined
        ? 0
        : countParties(
            same.map(({ evidence }) => evidence),
            provenance,
          );
    if (provenance !== undefined && signed >= provenance.count) counted.push(...same);
    else {
      const message = `provenance is signed by ${signed} of the ${provenance?.count ?? 1} whom the policy asks for`;
      const problem = { rule: 'identity-mismatch', message, expected: provenance?.of.join(', ') ?? '' } as const;
      unsigned.push(...same.map(({ evidence }) => refusalOf(evidence, problem)));
    }
  }
  return { counted, unsigned };
}

/**
 * A statement about commits that were squashed or rebased since covers them from its base only. Where that is not in the
 * base branch, another statement has to reach it from there: else what lies between was attested by nobody.
 */
function anchoredOnly(
  statements: readonly CountedStatement[],
  { relations, range }: StatementContext,
): { readonly counted: readonly CountedStatement[]; readonly refused: readonly ChangeFinding[] } {
  const ends = statements.map(({ evidence }) => {
    const statement = evidence.statement as AgentChange;
    return { base: statement.baseCommit, head: headOf(statement, range.head.id) };
  });
  const reached = new Set<ObjectId>();
  for (let grew = true; grew; ) {
    const before = reached.size;
    for (const { base, head } of ends) if (relations.inBase(base) || reached.has(base)) reached.add(head);
    grew = reached.size > before;
  }
  const isAnchored = (at: number): boolean =>
    statements[at]!.landing === 'identity' || relations.inBase(ends[at]!.base) || reached.has(ends[at]!.base);
  return {
    counted: statements.filter((_, at) => isAnchored(at)),
    refused: statements.flatMap(({ evidence }, at) =>
      isAnchored(at)
        ? []
        : [
            refusalOf(evidence, {
              rule: 'range-gap',
              message: 'provenance starts from a commit that no other provenance reaches from the base branch',
              got: ends[at]!.base,
            }),
          ],
    ),
  };
}

function refusalOf(evidence: VerifiedEvidence, { rule, message, expected, got }: Problem): ChangeFinding {
  return {
    rule,
    weight: 'denied',
    message,
    commits: [],
    place: evidence.place,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    hints: [],
  };
}
