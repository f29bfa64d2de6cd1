/** Statements about changes, by their payload type and predicate type. What is not known is refused by its name. */
import { quoted } from '../../diag/index.ts';
import { inTotoPayload } from '../../sigstore/dsse.ts';
import { malformed, VerifyError } from '../../sigstore/failure.ts';
import { parseStrictJsonBytes } from '../../sigstore/json.ts';
import { gittufPayload } from '../../sigstore/ssh-envelope.ts';
import type { ChangeStatement } from '../types.ts';
import { knownBuildTypes, provenanceType, readAgentChange } from './agent-change.ts';
import { approvalType, readApproval } from './approval.ts';
import { readOneSubject } from './fields.ts';
import { readGittufApproval } from './gittuf.ts';
import { isAuditEntry, readAuditEntry, readPolicyDecision } from './policy-decision.ts';
import { readReviewCoverage, reviewCoverageType } from './review-coverage.ts';
import { readSourceProvenance, sourceProvenanceTypes } from './source-provenance.ts';

export { runtimesOf, sandboxesOf } from './agent-change.ts';
export { approvalType, formatApproval } from './approval.ts';

/** JSON that was signed as it lies there, in no envelope that would name its type. */
export const plainPayload = 'application/json';

/**
 * What a statement says, which is worth as much as the signature over it. Throws VerifyError: `malformed` with the path of
 * what breaks the format, `unsupported` for a type, build type or result that is not known.
 */
export function readChangeStatement(
  payload: Buffer,
  payloadType: string,
  buildTypes: readonly string[] = knownBuildTypes,
): ChangeStatement {
  if (payloadType !== inTotoPayload && payloadType !== gittufPayload && payloadType !== plainPayload) {
    throw new VerifyError('unsupported', `a payload of type ${quoted(payloadType)} is no statement about a change`);
  }
  if (payload.length > maxStatementBytes) throw malformed(`the statement is larger than ${maxStatementBytes} bytes`);
  const value = parseStrictJsonBytes(payload, 'the statement');
  if (payloadType === gittufPayload) return readGittufApproval(value);
  if (payloadType === plainPayload && isAuditEntry(value)) return readAuditEntry(value);
  const statement = readOneSubject(value);
  const { predicateType } = statement;
  if (predicateType === provenanceType) return readAgentChange(statement, buildTypes);
  if (predicateType === approvalType) return readApproval(value, statement);
  if (predicateType === reviewCoverageType) return readReviewCoverage(statement);
  if (sourceProvenanceTypes.includes(predicateType)) return readSourceProvenance(statement);
  const decision = readPolicyDecision(statement);
  if (decision !== undefined) return decision;
  throw new VerifyError('unsupported', `a statement of type ${quoted(predicateType)} says nothing about a change`);
}

/** Observations of long runs are embedded in provenance. */
const maxStatementBytes = 1 << 25;
