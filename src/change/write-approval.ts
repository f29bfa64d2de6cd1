/** Writes a person's consent to a change (statements/approval.ts reads it), always in the same order, without spaces. */
import { approvalType, formatApproval } from './statements/approval.ts';
import type { Approval } from './types.ts';

/** The statement, to be signed as it stands. `reason` is for people. */
export function formatApprovalStatement(approval: Omit<Approval, 'kind'>, reason?: string): Buffer {
  const { head, tree } = approval;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { gitCommit: head, gitTree: tree } }],
    predicateType: approvalType,
    predicate: formatApproval(approval, reason === undefined ? {} : { reason }),
  };
  return Buffer.from(JSON.stringify(statement));
}
