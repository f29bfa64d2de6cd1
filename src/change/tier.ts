/**
 * How far from the agent's own job the signer of its provenance stands. Whoever steers an agent by what it reads can have its
 * job do and sign anything: provenance is worth something only where that job cannot be the signer.
 *
 *   local-key   a key, or somebody who logged in: it is wherever its owner is, and so is an agent on that machine
 *   job         a workload, and nothing says that the agent was not in it: any workflow of the change's own repository
 *               (its callers choose what it is told, and an agent may be one of them), jobs on machines of one's own,
 *               pipelines whose jobs all have one name (GitLab), identities of clusters
 *   isolated    a workflow in another repository, at a ref that no pull request makes, on a machine of the forge; or what
 *               the policy lists under `hosted`, by its own word
 *
 * What a certificate does not say is never taken for the better case.
 */
import type { ChangesRule } from '../policy/types.ts';
import { issuerKind, isWorkflowIssuer } from '../sigstore/issuers.ts';
import { repositoryOfUri } from './repository-name.ts';
import type { EvidenceSigner, SigningWorkflow, Tier } from './types.ts';

export function tierOf(signer: EvidenceSigner, rule: Pick<ChangesRule, 'repository' | 'agents'>): Tier {
  // A person who is listed as hosted is a person all the same.
  if (signer.person !== undefined) return 'local-key';
  if (signer.matched.some((name) => rule.agents.hosted.includes(name))) return 'isolated';
  if (signer.kind !== 'certificate') return 'local-key';
  const { workflow, certificate } = signer;
  if (workflow === undefined) return certificate?.type === 'uri' ? 'job' : 'local-key';
  return isIsolated(workflow, certificate?.issuer, rule.repository) ? 'isolated' : 'job';
}

/**
 * Whether the author of the change can decide what the signing workflow does: it is a file of the repository that the change
 * touches, or it was taken from a ref that the author can move. Only the protected branch, and what the pin fixes, is none.
 */
export function isEditableBy(
  { workflow, certificate }: Pick<EvidenceSigner, 'workflow'> & { readonly certificate?: { readonly issuer: string } },
  changedPaths: readonly Buffer[],
  rule: Pick<ChangesRule, 'repository' | 'baseRef'>,
): boolean {
  // An issuer of workflows that names none: whatever it was, nothing says where it lies.
  if (workflow === undefined) return certificate !== undefined && isWorkflowIssuer(certificate.issuer);
  const file = fileOf(workflow.signer);
  // A workflow that cannot be placed may lie anywhere.
  if (file === undefined) return true;
  if (!isSame(file.repository, rule.repository)) return false;
  const fixed = workflow.signerRef === rule.baseRef || workflow.pinned === true;
  return !fixed || foldedPaths(changedPaths).has(folded(file.path));
}

/** One list of paths is asked for by every commit and statement of a range. */
function foldedPaths(paths: readonly Buffer[]): ReadonlySet<string> {
  const known = foldedLists.get(paths);
  if (known !== undefined) return known;
  const made = new Set(paths.map((path) => folded(path.toString('utf8'))));
  foldedLists.set(paths, made);
  return made;
}

const foldedLists = new WeakMap<readonly Buffer[], ReadonlySet<string>>();

function isIsolated(
  { signer, signerRef, sourceRepository, runner }: SigningWorkflow,
  issuer: string | undefined,
  own: string,
): boolean {
  // GitLab's certificates name the configuration of the pipeline, which the agent's job has in common with all others.
  if (issuer === undefined || issuerKind(issuer) !== 'github') return false;
  const file = fileOf(signer);
  if (file === undefined || isSame(file.repository, own)) return false;
  // Without the repository that it ran for, it may have been started by anybody for anything.
  if (sourceRepository === undefined || signerRef === undefined || signerRef.startsWith('refs/pull/')) return false;
  return runner === 'github-hosted';
}

interface WorkflowFile {
  readonly repository: string;
  readonly path: string;
}

/** `https://github.com/acme/agents/.github/workflows/x.yml`; GitLab has `//` before the path. */
function fileOf(workflow: string): WorkflowFile | undefined {
  const scheme = workflow.indexOf('://');
  if (scheme === -1) return undefined;
  const double = workflow.indexOf('//', scheme + 3);
  const gitHub = workflow.indexOf('/.github/workflows/', scheme + 3);
  const at = double !== -1 ? double : gitHub;
  if (at === -1) return undefined;
  return {
    repository: repositoryOfUri(workflow.slice(0, at)),
    path: workflow.slice(at).replace(/^\/+/, ''),
  };
}

/** Forges tell repositories apart without case, some file systems paths: what may be the same is taken to be. */
function isSame(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
