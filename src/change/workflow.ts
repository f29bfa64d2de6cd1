/**
 * Workflows that sign: what a certificate says of the one that ran, and whether the pin that matched it fixes its text. Whoever
 * can edit a workflow, or have it taken from a ref of their own, signs whatever they like with it.
 */
import { findClaim, findSigner } from '../sigstore/identity-fields.ts';
import { isWorkflowIssuer } from '../sigstore/issuers.ts';
import type { Pin } from '../sigstore/pin.ts';
import type { CertificateIdentity } from '../sigstore/types.ts';
import type { SigningWorkflow } from './types.ts';

/** `matched`: the pins of the policy that the certificate fits. Undefined for a certificate of no workflow. */
export function workflowOf(identity: CertificateIdentity, matched: readonly Pin[]): SigningWorkflow | undefined {
  const { workflow: signer, ref: signerRef } = findSigner(identity);
  if (signer === undefined || !isWorkflowIssuer(identity.issuer)) return undefined;
  const config = identity.claims.get('buildConfigUri');
  const sourceRepository = findClaim(identity, 'sourceRepositoryUri');
  const trigger = findClaim(identity, 'buildTrigger');
  const runner = findClaim(identity, 'runnerEnvironment');
  return {
    signer,
    ...(signerRef !== undefined && { signerRef }),
    ...(config !== undefined && { config: withoutRef(config) }),
    ...(sourceRepository !== undefined && { sourceRepository }),
    ...(trigger !== undefined && { trigger }),
    ...(runner !== undefined && { runner }),
    ...(matched.some((pin) => fixesWorkflow(pin, signerRef)) && { pinned: true as const }),
  };
}

function withoutRef(uri: string): string {
  const at = uri.indexOf('@refs/');
  return at === -1 ? uri : uri.slice(0, at);
}

/** Its author cannot move a commit, nor, where the forge guards tags, a tag; a branch is moved by whoever pushes to it. */
function fixesWorkflow(pin: Pin, ref: string | undefined): boolean {
  if (pin.kind !== 'certificate') return false;
  if (pin.signer?.digest !== undefined) return true;
  if (ref?.startsWith('refs/tags/') !== true) return false;
  return pin.signer?.ref === ref || (typeof pin.subject === 'string' && pin.subject.endsWith(`@${ref}`));
}
