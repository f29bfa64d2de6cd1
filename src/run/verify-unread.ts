/** The document for a target, signature or trusted root that cannot be read at all: whoever reads it must see no pass. */
import type { OperationalError } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import {
  type Verification,
  type VerifiedTarget,
  verificationSchema,
  verificationTime,
} from '../report/verification.ts';
import type { VerifyRequest } from './verify.ts';
import { withHelp } from './verify-failures.ts';

/** Undecided, with the error as the one finding. What has to be signed and by which roots is not said: it decides nothing. */
export function unreadVerification(request: VerifyRequest, error: OperationalError, world: World): Verification {
  const { tool, predicateType } = request;
  const { message, hints } = error;
  const finding = withHelp({ rule: 'evidence-unreachable', code: 'unreachable', message, hints });
  return {
    schema: verificationSchema,
    tool,
    time: verificationTime(world.now()),
    outcome: 'undecided',
    required: [],
    ...(predicateType === undefined ? {} : { predicateType }),
    trust: [],
    results: [
      { target: targetOf(request), outcome: 'undecided', reason: message, findings: [finding], signatures: [] },
    ],
    notes: [],
  };
}

function targetOf({ target, directory = '' }: VerifyRequest): VerifiedTarget {
  const requested = target ?? directory;
  const isImage = /^(?:oci|oci-archive|docker-archive):/.test(requested);
  const isDigest = /^(?:sha\d+|gitCommit|gitTree):[0-9a-f]+$/.test(requested);
  return { requested, name: requested, kind: isImage ? 'image' : isDigest ? 'digest' : 'file', digests: [] };
}
