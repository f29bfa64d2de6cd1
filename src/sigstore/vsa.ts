/**
 * Verification Summary Attestations, v1: somebody verified the artifact by a policy, and says what they found.
 *
 *     {"verifier": {"id": "https://example.com/verifier"}, "timeVerified": "2026-01-02T03:04:05Z",
 *      "resourceUri": "git+https://github.com/o/r", "policy": {"uri": "…", "digest": {"sha256": "…"}},
 *      "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3"]}
 *
 * Only a signer that may speak for this `verifier.id` counts, and a FAILED summary is no lesser kind of pass: readers
 * decide by `passed`. Refused: another result than the two, levels that are no list of strings.
 * https://slsa.dev/spec/v1.1/verification_summary
 */
import { malformed, VerifyError } from './failure.ts';
import {
  listIn,
  objectIn,
  optionalObjectIn,
  optionalTimeIn,
  predicateObject,
  type Resource,
  resource,
  resourcesIn,
  textIn,
} from './predicate.ts';
import type { Statement } from './types.ts';

export interface VerificationSummary {
  readonly verifier: string;
  /** Milliseconds. */
  readonly timeVerified: number;
  readonly resourceUri: string;
  readonly policy?: Resource;
  readonly passed: boolean;
  readonly verifiedLevels: readonly string[];
  readonly inputAttestations: readonly Resource[];
}

export const vsaType = 'https://slsa.dev/verification_summary/v1';

/** Of any version: v0.1 and v0.2 say the same under other names, `verification_result`. */
export function isSummary(predicateType: string): boolean {
  return /^https:\/\/slsa\.dev\/verification_summary(?:$|\/)/.test(predicateType);
}

/** What a summary of any version comes to. Throws VerifyError for one that says neither or both. */
export function summaryResult(predicate: unknown): 'PASSED' | 'FAILED' {
  const summary = predicateObject(predicate, 'summary');
  const names = ['verificationResult', 'verification_result'].filter((name) => name in summary);
  if (names.length > 1) throw malformed('summary has its result in two spellings');
  const name = names[0] ?? 'verificationResult';
  const result = textIn(summary, name, 'summary');
  if (result !== 'PASSED' && result !== 'FAILED') throw malformed(`summary.${name} is not PASSED or FAILED`);
  return result;
}

/** Throws VerifyError `unsupported` for another predicate, `malformed` for one that breaks its form. */
export function readVsa(statement: Statement): VerificationSummary {
  if (statement.predicateType !== vsaType) {
    throw new VerifyError('unsupported', 'the statement is no verification summary v1', {
      got: statement.predicateType,
    });
  }
  const predicate = predicateObject(statement.predicate, 'summary');
  const timeVerified = optionalTimeIn(predicate, 'timeVerified', 'summary');
  if (timeVerified === undefined) throw malformed('summary has no timeVerified');
  // Under no older name.
  textIn(predicate, 'verificationResult', 'summary');
  const levels = listIn(predicate, 'verifiedLevels', 'summary');
  const policy = optionalObjectIn(predicate, 'policy', 'summary');
  return {
    verifier: textIn(objectIn(predicate, 'verifier', 'summary'), 'id', 'verifier'),
    timeVerified,
    resourceUri: textIn(predicate, 'resourceUri', 'summary'),
    ...(policy !== undefined && { policy: resource(policy, 'summary.policy') }),
    passed: summaryResult(statement.predicate) === 'PASSED',
    verifiedLevels: levels.map((level) => {
      if (typeof level !== 'string') throw malformed('summary.verifiedLevels is no list of strings');
      return level;
    }),
    inputAttestations: resourcesIn(predicate, 'inputAttestations', 'summary'),
  };
}
