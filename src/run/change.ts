/**
 * `change BASE..HEAD`, in outline: open the repository, find the range, read the policy from the tree of the base and never
 * from the change, gather the facts, judge, and report. What cannot be judged at all is a finding too, and undecided.
 */
import { judge } from '../change/judge.ts';
import type { PathlessRange } from '../change/types.ts';
import { Exit, type ExitCode } from '../diag/index.ts';
import { changeDigest } from '../git/change-digest.ts';
import { GitRefusal, type OpenedRepository, openRepository } from '../git/index.ts';
import { diffTrees } from '../git/tree-diff.ts';
import { readTreeFile } from '../git/tree-file.ts';
import type { World } from '../io/index.ts';
import { type ChangeOutcome, type ChangeReport, changeSchema } from '../report/change.ts';
import { verificationTime } from '../report/verification.ts';
import { collectChangeEvidence } from './change-collect.ts';
import { readCommits } from './change-commits.ts';
import { inspectRange } from './change-content.ts';
import { explainedCommit } from './change-explained.ts';
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
import { gatherSigns } from './change-signs.ts';
import { refuseRange } from './change-unread.ts';

/** Throws OperationalError for wrong usage and configuration, and for a world that does not answer. */
export async function judgeChange(request: ChangeRequest, world: World): Promise<ChangeReport> {
  const now = request.now ?? world.now();
  const start = {
    schema: changeSchema,
    tool: request.tool,
    time: verificationTime(now),
    replayedTime: request.now !== undefined,
    requested: request.range,
  } as const;
  let repository: OpenedRepository | undefined;
  try {
    repository = await openRepository(request.repository, world, limitsOf(request)).catch(refuseRange);
    const judged = await judgeIn(repository, request, now, world);
    return { ...start, ...judged };
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return { ...start, ...refused(error, request, repository) };
  } finally {
    await repository?.close();
  }
}

export function exitOfChange(outcome: ChangeOutcome): ExitCode {
  return { pass: Exit.pass, denied: Exit.denied, undecided: Exit.undecided, approval: Exit.approval }[outcome];
}

type Judged = Omit<ChangeReport, 'schema' | 'tool' | 'time' | 'replayedTime' | 'requested'>;

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
  const net = await diffTrees(repository.objects, found.mergeBase.tree, found.head.tree);
  const range: PathlessRange = { ...found, changeDigest: await changeDigest(repository.objects, net) };
  const { facts, signedOffByAgent } = await readCommits(found.ids, repository, { ...policy.signers, now });
  const inRange = new Set(found.ids);
  const signs = await gatherSigns(facts, range, request.headRef, repository);
  const { content, risky, landed } = await inspectRange(range, net, facts, policy, repository.objects);
  const evidence = await collectChangeEvidence(request, { repository, range, inRange, policy, now }, world);
  const relations = await relationsOf(evidence.verified, range, inRange, repository, {
    ...policy.signers,
    now,
  });
  const judgement = judge({
    policy: policy.policy,
    rule,
    range,
    commits: facts,
    signs: signs.byCommit,
    signedOffByAgent,
    net,
    landed,
    content,
    risky,
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
    risks: reportedRisks(risky),
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

function refused(error: GitRefusal, request: ChangeRequest, repository: OpenedRepository | undefined): Judged {
  const { rule, message, hints } = error;
  return {
    outcome: 'undecided',
    reason: message,
    repository: {
      path: request.repository,
      ...(repository !== undefined && { objectFormat: repository.format, gitVersion: repository.gitVersion }),
    },
    commits: [],
    risks: [],
    evidence: { counted: [], refused: [] },
    approvals: { needed: 0, counted: [], authors: [] },
    findings: [{ rule, weight: 'undecided', message, commits: [], hints }],
    notes: [],
  };
}
