/**
 * Whether a verified statement about agents' commits counts for this range. The signature was checked before; here everything
 * that the statement says is held against what was recomputed and against the policy. One thing that does not fit, and it
 * does not count: the first such thing is named.
 */
import { quoted, type RuleId } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import { compilePattern } from '../pattern/index.ts';
import type { AgentsRule, ChangesRule, SandboxRule, SignedRule } from '../policy/types.ts';
import type { RangeGraph } from './graph.ts';
import { runtimesOf, sandboxesOf } from './statements/index.ts';
import { isEditableBy, tierOf } from './tier.ts';
import type {
  AgentChange,
  ChangeFinding,
  CountedStatement,
  PathlessRange,
  Relations,
  Sandbox,
  Tier,
  VerifiedEvidence,
} from './types.ts';

export interface StatementContext {
  readonly rule: ChangesRule;
  readonly range: PathlessRange;
  readonly graph: RangeGraph;
  readonly relations: Relations;
  /** Every path that a commit of the range touches. */
  readonly changedPaths: readonly Buffer[];
  readonly evidence: readonly VerifiedEvidence[];
  /** Milliseconds. */
  readonly now: number;
}

type AgentEvidence = VerifiedEvidence & { readonly statement: AgentChange };

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

interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
}

function isAgentEvidence(evidence: VerifiedEvidence): evidence is AgentEvidence {
  return evidence.statement.kind === 'agent-change';
}

export function headOf({ subject }: AgentChange, rangeHead: ObjectId): ObjectId {
  // A change that names no commit can only be that of the whole range.
  return subject.kind === 'commit' ? subject.commit : (subject.commit ?? rangeHead);
}

/** Repository, branch, base, commit, tree and digest: everything that ties a statement to this change. */
function bindingProblem(statement: AgentChange, context: StatementContext): Problem | undefined {
  return (
    placeProblem(statement, context.rule) ??
    commitProblem(statement, context) ??
    baseProblem(statement, context) ??
    digestProblem(statement, context)
  );
}

function placeProblem(statement: AgentChange, rule: ChangesRule): Problem | undefined {
  const named = [
    statement.repository,
    ...(statement.subjectRepository === undefined ? [] : [statement.subjectRepository]),
  ];
  const other = named.find((each) => each !== rule.repository);
  if (other !== undefined) {
    return {
      rule: 'repo-mismatch',
      message: 'provenance is about another repository',
      expected: rule.repository,
      got: other,
    };
  }
  if (statement.baseRef === rule.baseRef) return undefined;
  return {
    rule: 'repo-mismatch',
    message: 'provenance is for another branch',
    expected: rule.baseRef,
    got: statement.baseRef,
  };
}

function commitProblem(statement: AgentChange, { relations, range }: StatementContext): Problem | undefined {
  const { subject } = statement;
  const head = headOf(statement, range.head.id);
  const landing = relations.landingOf(head);
  if (landing.kind === 'residual') {
    return {
      rule: relations.inBase(head) ? 'replayed' : 'landing-residual',
      message: relations.inBase(head)
        ? 'provenance is about a commit that is in the base branch already'
        : `merging the attested commit ${head} onto the base does not make this change`,
      expected: range.head.tree,
      ...(landing.tree !== undefined && { got: landing.clean ? landing.tree : `${landing.tree}, with conflicts` }),
    };
  }
  if (landing.kind === 'unverifiable') {
    return {
      rule: 'subject-mismatch',
      message: 'provenance is about a commit that this repository does not have',
      expected: range.head.id,
      got: head,
    };
  }
  if (subject.kind === 'change') return undefined;
  const tree = relations.treeOf(head);
  if (subject.tree === undefined) {
    return { rule: 'schema-invalid', message: 'provenance names no gitTree beside its gitCommit' };
  }
  if (subject.tree === tree) return undefined;
  return {
    rule: 'tree-mismatch',
    message: `provenance names a tree that ${head} does not have`,
    ...(tree !== undefined && { expected: tree }),
    got: subject.tree,
  };
}

function baseProblem(statement: AgentChange, { relations, graph, range }: StatementContext): Problem | undefined {
  const { baseCommit, sourceCommit } = statement;
  const mismatch = (message: string, got: string): Problem => ({
    rule: 'base-mismatch',
    message,
    expected: range.mergeBase.id,
    got,
  });
  if (sourceCommit !== undefined && sourceCommit !== baseCommit) {
    return mismatch(
      'provenance names two different commits that the agent started from',
      `${baseCommit} and ${sourceCommit}`,
    );
  }
  const head = headOf(statement, range.head.id);
  if (baseCommit === head) return mismatch('provenance starts and ends at one commit', baseCommit);
  if (!relations.isAncestor(baseCommit, head)) {
    return mismatch(`provenance starts from a commit that ${head} does not have in its history`, baseCommit);
  }
  if (relations.inBase(baseCommit) || graph.has(baseCommit)) return undefined;
  // Only a commit that was squashed or rebased since can be meant; the chain of statements has to reach the base.
  if (isRewritten(head, relations)) return undefined;
  return mismatch('provenance starts from a commit that is neither in the base branch nor in this range', baseCommit);
}

function isRewritten(head: ObjectId, relations: Relations): boolean {
  const { kind } = relations.landingOf(head);
  return kind === 'replay' || kind === 'before';
}

function digestProblem(statement: AgentChange, { relations, range }: StatementContext): Problem | undefined {
  const { subject, changeDigest, baseCommit } = statement;
  const stated = [
    ...(subject.kind === 'change' ? [subject.changeDigest] : []),
    ...(changeDigest === undefined ? [] : [changeDigest]),
  ];
  if (stated.length === 0) return undefined;
  const ours = relations.changeDigest(baseCommit, headOf(statement, range.head.id));
  const wrong = stated.find((each) => each !== ours);
  if (wrong === undefined) return undefined;
  return {
    rule: 'subject-mismatch',
    message: 'provenance states another change than the one between its two commits',
    ...(ours !== undefined && { expected: ours }),
    got: wrong,
  };
}

/** Who signed from where, and with what the agent worked. */
function termsProblem(evidence: AgentEvidence, context: StatementContext): Problem | undefined {
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

function isListed(value: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => compilePattern(pattern)(value));
}

function sandboxesProblem(statement: AgentChange, rule: SandboxRule | undefined): Problem | undefined {
  if (rule === undefined) return undefined;
  for (const [at, sandbox] of sandboxesOf(statement).entries()) {
    const problem = sandboxProblem(sandbox, at === 0 ? 'the agent' : 'a subagent', rule);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function sandboxProblem(sandbox: Sandbox | undefined, who: string, rule: SandboxRule): Problem | undefined {
  if (sandbox === undefined) {
    return { rule: 'sandbox-missing', message: `provenance does not say in what sandbox ${who} ran` };
  }
  const { networkMode, allowedEgress, filesystem, credentials, observed } = sandbox;
  if (networkMode === undefined && filesystem === undefined && credentials === undefined) {
    return { rule: 'sandbox-missing', message: 'provenance has a sandbox that says nothing' };
  }
  if (rule.network !== undefined) {
    const problem = networkProblem(networkMode, [...allowedEgress, ...observed], rule.network);
    if (problem !== undefined) return problem;
  }
  const isLimited = networkMode === 'allowlist' || networkMode === 'none';
  const allowed = networkMode === 'allowlist' ? allowedEgress : [];
  const beyond = isLimited ? observed.find((each) => !isListed(each, allowed)) : undefined;
  if (beyond !== undefined) {
    return {
      rule: 'sandbox-egress',
      message: `${who} was seen to connect to where its sandbox did not allow it`,
      expected: allowed.length === 0 ? 'no connection' : allowed.join(', '),
      got: beyond,
    };
  }
  return (
    statedProblem('file system', filesystem, rule.filesystem) ??
    statedProblem('credentials', credentials, rule.credentials)
  );
}

/** Only an allow-list, or no network at all, can be held against the policy's: any other mode allows anything. */
function networkProblem(
  mode: string | undefined,
  targets: readonly string[],
  allowed: readonly string[],
): Problem | undefined {
  if (mode === undefined)
    return { rule: 'sandbox-missing', message: "provenance does not state the sandbox's network" };
  if (mode !== 'allowlist' && mode !== 'none') {
    return {
      rule: 'sandbox-egress',
      message: "the sandbox's network is not an allow-list",
      expected: 'allowlist or none',
      got: mode,
    };
  }
  const other = targets.find((each) => !isListed(each, allowed));
  if (other === undefined) return undefined;
  return {
    rule: 'sandbox-egress',
    message: "the agent's sandbox allowed a connection that the policy does not",
    expected: allowed.join(', '),
    got: other,
  };
}

function statedProblem(
  what: string,
  stated: string | undefined,
  allowed: readonly string[] | undefined,
): Problem | undefined {
  if (allowed === undefined || (stated !== undefined && isListed(stated, allowed))) return undefined;
  const expected = allowed.join(', ');
  return stated === undefined
    ? { rule: 'sandbox-missing', message: `provenance does not state the sandbox's ${what}`, expected }
    : { rule: 'sandbox-egress', message: `the sandbox's ${what} is not what the policy allows`, expected, got: stated };
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
  { rule, evidence, relations, range }: StatementContext,
): Problem | undefined {
  const { decision } = rule.agents;
  if (decision === undefined) return undefined;
  const named = new Set(statement.byproducts.flatMap(({ sha256 }) => sha256 ?? []));
  const records = evidence.filter(
    (each) => each.statement.kind === 'policy-decision' && (named.has(each.statementDigest) || named.has(each.digest)),
  );
  const head = headOf(statement, range.head.id);
  const good = records.filter(
    ({ statement: record, signer }) =>
      record.kind === 'policy-decision' &&
      record.passed &&
      (record.commit === undefined || record.commit === head || relations.treeOf(record.commit) === undefined) &&
      signer.matched.some((name) => decision.of.includes(name)),
  );
  if (countParties(good, decision) >= decision.count) return undefined;
  const why =
    records.length === 0
      ? 'none of the records that the provenance names by digest is there'
      : good.length === 0
        ? 'the records that the provenance names do not say "passed", or are not signed by whom the policy names'
        : 'not enough of those whom the policy names have signed it';
  return { rule: 'decision-missing', message: `the agent runtime's own policy decision is missing: ${why}` };
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

/** For messages. */
export function describeStatement({ evidence }: CountedStatement): string {
  return `${quoted(evidence.place)}, signed by ${evidence.signer.matched.join(', ')}`;
}
