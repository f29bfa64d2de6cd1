/**
 * Which repository and branch a change is for. A flag decides; else the policy of the base, which `change` will hold it against;
 * else the CI job; else the branch that BASE was named by.
 */

import { findRepository } from '../change/repository-name.ts';
import { OperationalError } from '../diag/index.ts';
import { GitRefusal, type OpenedRepository } from '../git/index.ts';
import { readTreeFile } from '../git/tree-file.ts';
import type { JobFacts } from './change-collect-env.ts';
import { defaultPolicyPath, maxPolicyFileBytes } from './change-policy-source.ts';
import { branchOf, type FoundRange } from './change-range.ts';

export interface ChangePlace {
  /** In its normal form. */
  readonly repository: string;
  /** Full name. */
  readonly baseRef: string;
  /** For people: what was taken from where, and what does not fit. */
  readonly notes: readonly string[];
}

export interface StatedPlace {
  readonly sourceRepository?: string;
  readonly baseRef?: string;
}

/** Throws OperationalError `usage` where nothing says it. */
export async function placeOf(
  stated: StatedPlace,
  found: FoundRange,
  repository: OpenedRepository,
  job: JobFacts | undefined,
): Promise<ChangePlace> {
  const policy = await policyPlace(found, repository);
  const named = found.base.ref === undefined ? undefined : branchOf(found.base.ref);
  const url = first([stated.sourceRepository], [policy.repository, policyName], [job?.repository, job?.from]);
  const ref = first(
    [stated.baseRef],
    [policy.baseRef, policyName],
    [job?.baseRef, job?.from],
    [named?.startsWith('refs/heads/') ? named : undefined, 'BASE'],
  );
  if (url === undefined) {
    throw missing('which repository the change is of', '--source-repository https://github.com/acme/shop');
  }
  if (ref === undefined) throw missing('which branch the change is for', '--base-ref refs/heads/main');
  return {
    repository: url.value,
    baseRef: ref.value,
    notes: [...policy.notes, ...taken('repository', url, policy.repository), ...taken('branch', ref, policy.baseRef)],
  };
}

const policyName = 'the policy of the base';

interface Taken {
  readonly value: string;
  readonly from?: string;
}

function first(
  ...sources: readonly (readonly [value: string | undefined, from?: string | undefined])[]
): Taken | undefined {
  const [value, from] = sources.find(([each]) => each !== undefined) ?? [];
  return value === undefined ? undefined : { value, ...(from !== undefined && { from }) };
}

function taken(what: string, { value, from }: Taken, wanted: string | undefined): readonly string[] {
  if (from !== undefined) return [`the ${what} is ${value}, from ${from}`];
  if (wanted === undefined || wanted === value) return [];
  return [`the ${what} is ${value}, and the policy of the base is for ${wanted}: it will not count there`];
}

interface PolicyPlace {
  readonly repository?: string;
  readonly baseRef?: string;
  readonly notes: readonly string[];
}

/** Only these two facts, as far as they can be read: the policy is judged by `change`. */
async function policyPlace({ policyBase }: FoundRange, { objects }: OpenedRepository): Promise<PolicyPlace> {
  try {
    const bytes = await readTreeFile(objects, policyBase.tree, defaultPolicyPath, maxPolicyFileBytes);
    if (bytes === undefined) return { notes: [] };
    const { readPolicy } = await import('../policy/read.ts');
    const { changes } = readPolicy(bytes.toString('utf8'), defaultPolicyPath);
    if (changes === undefined) return { notes: [] };
    const repository = findRepository(changes.repository);
    return { ...(repository !== undefined && { repository }), baseRef: changes.baseRef, notes: [] };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    if (error instanceof GitRefusal && error.rule !== 'path-trick') throw error;
    return { notes: [`nothing was taken from ${policyName}, which cannot be read: ${error.message}`] };
  }
}

function missing(what: string, flag: string): OperationalError {
  return new OperationalError('usage', `nothing says ${what}`, {
    hints: [`give ${flag}`, 'in GitHub Actions, in GitLab CI and where the base has a policy it is found by itself'],
  });
}
