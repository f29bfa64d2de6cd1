/**
 * What SLSA's source tool writes after a push: how a commit came to a branch. Three type URIs exist, and two spellings of each
 * name; both spellings of one name at once are refused.
 *
 *     {"prev_commit": "e42f…", "repo_uri": "https://github.com/o/r", "activity_type": "pr_merge", "actor": "alice",
 *      "branch": "refs/heads/main", "created_on": "…", "controls": [{"name": "CONTINUITY_ENFORCED", "since": "…"}]}
 *
 * `actor` is who pushed, not who wrote. https://github.com/slsa-framework/source-tool
 */
import { malformed } from '../../sigstore/failure.ts';
import { optionalTextIn, predicateObject } from '../../sigstore/predicate.ts';
import { normalRepository } from '../repository-name.ts';
import type { SourceProvenance } from '../types.ts';
import { eitherTextIn, isObjectId, type OneSubject } from './fields.ts';

export const sourceProvenanceTypes: readonly string[] = [
  'https://github.com/slsa-framework/source-tool/source-provenance/v1',
  'https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft',
  'https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1',
];

/** Throws VerifyError `malformed`. */
export function readSourceProvenance({ predicate: value, subject }: OneSubject): SourceProvenance {
  const { commit } = subject;
  if (commit === undefined) throw malformed('subject[0] has no digest.gitCommit');
  const predicate = predicateObject(value, 'predicate');
  const previous = eitherTextIn(predicate, ['prev_commit', 'prevCommit'], 'predicate') ?? '';
  // The first push of a branch has none, and says so with nothing or with zeros.
  if (previous !== '' && !isObjectId(previous)) throw malformed('predicate.prev_commit is no object id');
  const repository = eitherTextIn(predicate, ['repo_uri', 'repoUri'], 'predicate') ?? '';
  const branch = optionalTextIn(predicate, 'branch', 'predicate');
  const actor = optionalTextIn(predicate, 'actor', 'predicate');
  return {
    kind: 'source-provenance',
    commit,
    ...(/[1-9a-f]/.test(previous) && { previous }),
    ...(repository !== '' && { repository: normalRepository(repository) }),
    ...(branch !== undefined && { branch }),
    ...(actor !== undefined && { actor }),
  };
}
