/** What is approved: the same facts that `change` judges, gathered by the same functions. */
import type { ApprovalContext } from '../change/approval-candidate.ts';
import { classify } from '../change/classify.ts';
import { rangeGraph } from '../change/graph.ts';
import type { CommitClass, CommitFacts, ContentFinding, PathlessRange, RiskyPath } from '../change/types.ts';
import type { OpenedRepository } from '../git/index.ts';
import type { World } from '../io/index.ts';
import { policyOf } from './change.ts';
import { gatherRange } from './change-gather.ts';
import type { ChangePolicy } from './change-policy.ts';
import { checkBaseRef, findRange } from './change-range.ts';

export interface ApprovalFacts {
  readonly repository: OpenedRepository;
  readonly policy: ChangePolicy;
  readonly range: PathlessRange;
  readonly ids: ReadonlySet<string>;
  readonly graph: ApprovalContext['graph'];
  /** Parents before children. */
  readonly commits: readonly ApprovedCommit[];
  readonly changedPaths: number;
  /** Every path that the range touches. */
  readonly touched: readonly Buffer[];
  readonly risky: readonly RiskyPath[];
  readonly content: readonly ContentFinding[];
  readonly notes: readonly string[];
}

export interface ApprovedCommit {
  readonly facts: CommitFacts;
  readonly class: CommitClass;
  readonly because: string;
  readonly vouchedBy?: string;
  readonly duty: boolean;
}

export interface ApprovalRequest {
  /** `BASE..HEAD`, as written. */
  readonly range: string;
  /** Path of the repository or of a folder in its work tree. */
  readonly repository: string;
  readonly policy?: string;
  /** The protected branch that BASE stands for, where BASE is a bare commit. */
  readonly baseRef?: string;
}

/** `now`: milliseconds. Throws OperationalError, GitRefusal for what cannot be judged. */
export async function gatherApproval(
  request: ApprovalRequest,
  repository: OpenedRepository,
  now: number,
  world: World,
): Promise<ApprovalFacts> {
  const found = await findRange(request.range, repository);
  const asked = { ...request, evidence: [], notes: [], reviews: [], tool: { name: '', version: '' } };
  const policy = await policyOf(repository, found, asked, world);
  const notes = await checkBaseRef(found, repository, policy.rule.baseRef, request.baseRef);
  const {
    range,
    net,
    commits: facts,
    signs,
    landed,
    ...inspected
  } = await gatherRange(found, policy, undefined, now, repository);
  const touched = [...net, ...landed, ...facts.flatMap(({ changes }) => changes)].map(({ path }) => path);
  const commits = facts.map((each): ApprovedCommit => {
    const all = [...each.signs, ...(signs.byCommit.get(each.commit.id) ?? [])];
    return { facts: each, ...classify(each, all, policy.rule, touched) };
  });
  return {
    repository,
    policy,
    range,
    ids: new Set(found.ids),
    graph: rangeGraph(facts),
    commits,
    changedPaths: net.length,
    touched,
    risky: inspected.risky,
    content: inspected.content,
    notes: [...notes, ...policy.signers.notes, ...signs.notes],
  };
}
