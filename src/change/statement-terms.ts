/** Whether the policy accepts who signed a statement, and with what the agent worked. */
import type { RuleId } from '../diag/index.ts';
import type { AgentsRule } from '../policy/types.ts';
import { sandboxesProblem } from './sandbox.ts';
import {
  type AgentEvidence,
  countParties,
  headOf,
  isListed,
  type Problem,
  type StatementContext,
} from './statement-context.ts';
import { runtimesOf } from './statements/index.ts';
import { isEditableBy, tierOf } from './tier.ts';
import type { AgentChange, Tier } from './types.ts';

/** Who signed from where, and with what the agent worked. */
export function termsProblem(evidence: AgentEvidence, context: StatementContext): Problem | undefined {
  const { rule } = context;
  const { agents } = rule;
  return (
    signerProblem(evidence, context) ??
    buildTypeProblem(evidence.statement, agents) ??
    agentProblem(evidence.statement, agents) ??
    sandboxesProblem(evidence.statement, agents.sandbox) ??
    ageProblem(evidence, agents, context.now) ??
    decisionProblem(evidence, context)
  );
}

const tiers: readonly Tier[] = ['local-key', 'job', 'isolated'];

function signerProblem(evidence: AgentEvidence, { rule, changedPaths }: StatementContext): Problem | undefined {
  const { signer } = evidence;
  const { provenance } = rule.agents;
  if (provenance === undefined) {
    return { rule: 'identity-unpinned', message: 'the policy names nobody who could vouch for agents' };
  }
  if (!signer.matched.some((name) => provenance.of.includes(name))) {
    return {
      rule: 'identity-mismatch',
      message: 'provenance is signed by somebody whom the policy does not name for it',
      expected: provenance.of.join(', '),
      got: `${signer.matched.join(', ')}: ${signer.shown}`,
    };
  }
  if (isEditableBy(signer, changedPaths, rule)) {
    return {
      rule: 'signer-editable',
      message: 'the change can edit the workflow that signed its provenance',
      got: signer.shown,
    };
  }
  const tier = tierOf(signer, rule);
  const least = rule.agents.tier ?? (signer.kind === 'certificate' ? 'isolated' : 'local-key');
  if (tiers.indexOf(tier) >= tiers.indexOf(least)) return undefined;
  return {
    rule: 'tier-too-low',
    message: 'the signer of the provenance stands too near to the agent',
    expected: least,
    got: `${tier}: ${signer.shown}`,
  };
}

function buildTypeProblem({ buildType }: AgentChange, { buildTypes }: AgentsRule): Problem | undefined {
  if (buildTypes.includes(buildType)) return undefined;
  return {
    rule: 'schema-invalid',
    message: 'provenance has a build type that the policy does not accept',
    expected: buildTypes.join(', '),
    got: buildType,
  };
}

/** Subagents have runtimes of their own; their models and tools stand among the others. */
function agentProblem(statement: AgentChange, agents: AgentsRule): Problem | undefined {
  const { models, tools } = statement;
  return (
    listProblem('model-not-allowed', 'model', models, agents.models) ??
    firstProblem(runtimesOf(statement), (runtime) =>
      listProblem('runtime-not-allowed', 'runtime', runtime === undefined ? [] : [runtime.name], agents.runtimes),
    ) ??
    listProblem(
      'runtime-not-allowed',
      'tool',
      tools.map(({ name }) => name),
      agents.tools,
      { mayBeNone: true },
    )
  );
}

function firstProblem<Item>(items: readonly Item[], find: (item: Item) => Problem | undefined): Problem | undefined {
  for (const item of items) {
    const problem = find(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What the statement says of its own time is not believed: a log or a timestamp authority has to say it. */
function ageProblem({ times }: AgentEvidence, { maxAge }: AgentsRule, now: number): Problem | undefined {
  if (maxAge === undefined) return undefined;
  if (times.length === 0) {
    return {
      rule: 'stale',
      message: 'the policy limits the age of provenance, and nothing proves when this was signed',
    };
  }
  // The earliest: a later time stamp over an old signature does not make it younger.
  const signed = Math.min(...times);
  if (signed >= now - maxAge) return undefined;
  return {
    rule: 'stale',
    message: 'provenance is older than the policy allows',
    expected: `after ${new Date(now - maxAge).toISOString()}`,
    got: new Date(signed).toISOString(),
  };
}

/** The runtime's own decision, named by digest in the provenance, and signed by whom the policy names. */
function decisionProblem(
  { statement }: AgentEvidence,
  { rule, evidence, relations, range, changedPaths }: StatementContext,
): Problem | undefined {
  const { decision } = rule.agents;
  if (decision === undefined) return undefined;
  const named = new Set(statement.byproducts.flatMap(({ sha256 }) => sha256 ?? []));
  const records = evidence.filter(
    (each) => each.statement.kind === 'policy-decision' && (named.has(each.statementDigest) || named.has(each.digest)),
  );
  const head = headOf(statement, range.head.id);
  const passed = records.filter(
    ({ statement: record, signer }) =>
      record.kind === 'policy-decision' &&
      record.passed &&
      (record.commit === undefined || record.commit === head || relations.treeOf(record.commit) === undefined) &&
      signer.matched.some((name) => decision.of.includes(name)),
  );
  // Whoever can edit the workflow decides what was decided.
  const good = passed.filter(({ signer }) => !isEditableBy(signer, changedPaths, rule));
  if (countParties(good, decision) >= decision.count) return undefined;
  const why =
    records.length === 0
      ? 'none of the records that the provenance names by digest is there'
      : passed.length === 0
        ? 'the records that the provenance names do not say "passed", or are not signed by whom the policy names'
        : good.length < passed.length
          ? `the change can edit the workflow that signed it (${passed.find((each) => !good.includes(each))?.signer.shown})`
          : 'not enough of those whom the policy names have signed it';
  return { rule: 'decision-missing', message: `the agent runtime's own policy decision is missing: ${why}` };
}

function listProblem(
  rule: RuleId,
  what: string,
  stated: readonly string[],
  allowed: readonly string[] | undefined,
  { mayBeNone = false } = {},
): Problem | undefined {
  if (allowed === undefined) return undefined;
  if (stated.length === 0) {
    return mayBeNone ? undefined : { rule, message: `provenance names no ${what}`, expected: allowed.join(', ') };
  }
  const other = stated.find((each) => !isListed(each, allowed));
  if (other === undefined) return undefined;
  return { rule, message: `provenance names a ${what} that is not allowed`, expected: allowed.join(', '), got: other };
}
