import { expect } from 'vitest';
import { type FailureCode, VerifyError } from '../../src/sigstore/failure.ts';

/** The refusal that the call ends in; a result, or an error that is a bug, fails the test. */
export function refusalOf(run: () => unknown): VerifyError {
  try {
    run();
  } catch (error) {
    if (error instanceof VerifyError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

export function expectRefusal(run: () => unknown, code: FailureCode, message: RegExp): void {
  const refusal = refusalOf(run);
  expect([refusal.code, refusal.message]).toEqual([code, expect.stringMatching(message)]);
}
