/** Failures of evidence as findings: rule, message and what to do, with more to say where the cause can be told. */
import { findRule, type RuleId } from '../diag/index.ts';
import type { Failure } from '../report/verification.ts';
import type { FailureCode, VerifyError } from '../sigstore/failure.ts';

export const ruleOf: Readonly<Record<FailureCode, RuleId>> = {
  absent: 'signature-absent',
  unreachable: 'evidence-unreachable',
  malformed: 'signature-malformed',
  unsupported: 'signature-unsupported',
  invalid: 'signature-invalid',
  untrusted: 'signature-untrusted',
  unproved: 'signature-unproved',
  'wrong-subject': 'wrong-subject',
  'wrong-identity': 'wrong-identity',
  'too-old': 'signature-too-old',
};

/** What could not be looked at might have been the signature that is required; what was looked at and is wrong was not. */
export const isUndecided: Readonly<Record<FailureCode, boolean>> = {
  absent: true,
  unreachable: true,
  malformed: true,
  unsupported: true,
  unproved: true,
  invalid: false,
  untrusted: false,
  'wrong-subject': false,
  'wrong-identity': false,
  'too-old': false,
};

/** Every failure says what to do: where nothing better is known, what its rule says. */
export function withHelp(failure: Failure): Failure {
  if (failure.hints.length > 0) return failure;
  const help = findRule(failure.rule)?.help;
  return help === undefined ? failure : { ...failure, hints: [help] };
}

/** `hints` take the place of what the rule says to do. */
export function failureOf(error: VerifyError, hints: readonly string[] = []): Failure {
  const { code, message, expected, got } = error;
  return {
    rule: ruleOf[code],
    code,
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got }),
    hints,
  };
}
