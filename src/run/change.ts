/**
 * `change BASE..HEAD`, in outline: open the repository, find the range, read the policy from the tree of the base and never
 * from the change, gather the facts, judge, and report. What cannot be judged at all is a finding too, and undecided.
 */
import { judge } from '../change/judge.ts';
import { Exit, type ExitCode } from '../diag/index.ts';
import { GitRefusal, type OpenedRepository, openRepository } from '../git/index.ts';
import { readTreeFile } from '../git/tree-file.ts';
import type { World } from '../io/index.ts';
import type { ChangeOutcome, ChangeReport } from '../report/change.ts';
import { collectChangeEvidence } from './change-collect.ts';
import { explainedCommit } from './change-explained.ts';
import { gatherRange } from './change-gather.ts';
import { type ChangePolicy, maxPolicyFileBytes, readChangePolicy } from './change-policy.ts';
import { checkBaseRef, type FoundRange, findRange } from './change-range.ts';
import { relationsOf } from './change-relations.ts';
import {
  reasonOf,
  reportedCommit,
  reportedFinding,
  reportedRange,
  reportedRefusals,
  reportedRisks,
  reportedStatements,
} from './change-report.ts';
import type { ChangeRequest } from './change-request.ts';
import { type Judged, refuseRange, reportStart, undecided } from './change-unread.ts';

/** Throws OperationalError for wrong usage and configuration, and for a world that does not answer. */
export async function judgeChange(request: ChangeRequest, world: World): Promise<ChangeReport> {
  const now = request.now ?? world.now();
  const start = reportStart(request, now);
  let repository: OpenedRepository | undefined;
  try {
    repository = await openRepository(request.repository, world, limitsOf(request)).catch(refuseRange);
    const judged = await judgeIn(repository, request, now, world);
    return { ...start, ...judged };
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    const facts = repository && { objectFormat: repository.format, gitVersion: repository.gitVersion };
    return { ...start, ...undecided(error, error.rule, { path: request.repository, ...facts }) };
  } finally {
    await repository?.close();
  }
}

export function exitOfChange(outcome: ChangeOutcome): ExitCode {
  return { pass: Exit.pass, denied: Exit.denied, undecided: Exit.undecided, approval: Exit.approval }[outcome];
}

function limitsOf({ maxObjectBytes }: ChangeRequest): { readonly maxObjectBytes?: number } {
  return maxObjectBytes === undefined ? {} : { maxObjectBytes };
}

async function judgeIn(
  repository: OpenedRepository,
  request: ChangeRequest,
  now: number,
  world: World,
): Promise<Judged> {
  const found = await findRange(request.range, repository).catch(refuseRange);
  const explained = await explainedCommit(request, found, repository);
  const policy = await policyOf(repository, found, request, world);
  const { rule } = policy;
  const notes = [
    ...(await checkBaseRef(found, repository, rule.baseRef, request.baseRef)),
    ...policy.signers.notes,
    ...(found.landing.clean
      ? []
      : ['the change does not merge into the base without conflicts: it has to change before it can land']),
  ];
  const gathered = await gatherRange(found, policy, request.headRef, now, repository);
  const { range, net, signs } = gathered;
  const inRange = new Set(found.ids);
  const evidence = await collectChangeEvidence(request, { repository, range, inRange, policy, now }, world);
  const relations = await relationsOf(evidence.verified, range, inRange, repository, {
    ...policy.signers,
    now,
  });
  const judgement = judge({
    policy: policy.policy,
    rule,
    range,
    commits: gathered.commits,
    signs: signs.byCommit,
    signedOffByAgent: gathered.signedOffByAgent,
    net,
    landed: gathered.landed,
    content: gathered.content,
    risky: gathered.risky,
    evidence,
    relations,
    now,
  });
  return {
    outcome: judgement.outcome,
    reason: reasonOf(judgement),
    repository: { path: repository.path, objectFormat: repository.format, gitVersion: repository.gitVersion },
    policy: {
      from: policy.from,
      digest: policy.digest,
      repository: rule.repository,
      baseRef: rule.baseRef,
      unknown: rule.unknown,
    },
    range: reportedRange(range, found.behind, net.length),
    commits: judgement.commits.map((each) => reportedCommit(each, judgement.statements)),
    risks: reportedRisks(gathered.risky),
    evidence: {
      counted: reportedStatements(judgement, range),
      refused: reportedRefusals(evidence.refused, judgement.findings),
    },
    approvals: judgement.approvals,
    findings: judgement.findings.map(reportedFinding),
    notes: [...notes, ...signs.notes, ...evidence.notes],
    ...(explained !== undefined && { explained }),
  };
}

/** From the tree of the base: not of the merge base, which the author chose, and never of the change. */
export async function policyOf(
  repository: OpenedRepository,
  { policyBase, head }: FoundRange,
  { policy }: ChangeRequest,
  world: World,
): Promise<ChangePolicy> {
  return readChangePolicy(
    { ...(policy !== undefined && { source: policy }), repository, policyBase, head },
    (path, tree) => readTreeFile(repository.objects, tree, path, maxPolicyFileBytes),
    world,
  );
}
