/**
 * source-review-coverage v0.1: which tree each approval was given for, and how the reviewed state became the one that landed.
 *
 *     {"reviewCoverage": {"result": "replay"},
 *      "approvals": [{"overTree": {"digest": {"gitTree": "7a6a…"}}, "approver": "alice", "approvedAt": "…Z"}],
 *      "mergeTransform": {"kind": "squash", "reviewedHead": {"digest": {"gitCommit": "64b5…"}},
 *                         "baseAtMerge": {"digest": {"gitCommit": "377c…"}}, …},
 *      "authorship": {…}, "objectFormat": "sha1"}
 *
 * `result` is a word of the issuer's: it is kept as it stands, and what counts is recomputed. Nothing is inferred from a
 * member that is absent. Refused: an approval without its tree, digests around more than one object, no result.
 * https://drvelvetfog.github.io/source-review-coverage/v0.1
 */

import { malformed } from '../../sigstore/failure.ts';
import { objectIn, optionalObjectIn, predicateObject, textIn } from '../../sigstore/predicate.ts';
import type { ReviewCoverage } from '../types.ts';
import { itemsIn, type OneSubject, optionalTimeTextIn, optionalWrappedIdIn, wrappedIdIn } from './fields.ts';

export const reviewCoverageType = 'https://drvelvetfog.github.io/source-review-coverage/v0.1';

/** Throws VerifyError `malformed`. */
export function readReviewCoverage({ predicate: value, subject }: OneSubject): ReviewCoverage {
  const predicate = predicateObject(value, 'predicate');
  if (subject.commit === undefined && subject.tree === undefined) {
    throw malformed('subject[0] has neither digest.gitCommit nor digest.gitTree');
  }
  const transform = optionalObjectIn(predicate, 'mergeTransform', 'predicate');
  const reviewedHead = transform && optionalWrappedIdIn(transform, 'reviewedHead', 'gitCommit', 'mergeTransform');
  const baseAtMerge = transform && optionalWrappedIdIn(transform, 'baseAtMerge', 'gitCommit', 'mergeTransform');
  if ((predicate['approvals'] ?? undefined) === undefined) throw malformed('predicate has no approvals');
  const { commit, tree, name } = subject;
  return {
    kind: 'review-coverage',
    ...(commit !== undefined && { commit }),
    ...(tree !== undefined && { tree }),
    result: textIn(objectIn(predicate, 'reviewCoverage', 'predicate'), 'result', 'reviewCoverage'),
    ...(reviewedHead !== undefined && { reviewedHead }),
    ...(baseAtMerge !== undefined && { baseAtMerge }),
    ...(name?.startsWith('refs/') === true && { ref: name }),
    approvals: itemsIn(predicate, 'approvals', 'predicate', (each, where) => {
      const approval = predicateObject(each, where);
      const approvedAt = optionalTimeTextIn(approval, 'approvedAt', where);
      return {
        approver: textIn(approval, 'approver', where),
        overTree: wrappedIdIn(approval, 'overTree', 'gitTree', where),
        ...(approvedAt !== undefined && { approvedAt }),
      };
    }),
  };
}
