/** Why evidence does not count. One class, a closed set of codes: the caller decides by the code, people read the message. */

export type FailureCode =
  /** There is nothing: no signature, no attestation, no attachment. */
  | 'absent'
  /** It is said to exist and could not be fetched or opened. */
  | 'unreachable'
  /** It breaks its own format. */
  | 'malformed'
  /** Well-formed, but of a kind, version or algorithm that is not verified here. */
  | 'unsupported'
  /** A signature, proof, timestamp or certificate chain does not hold. */
  | 'invalid'
  /** Made by an instance, log, authority or key that the trusted root does not know. */
  | 'untrusted'
  /** It may be right, and nothing in it proves so without the network. */
  | 'unproved'
  /** Right, but about something else. */
  | 'wrong-subject'
  /** Right, but signed by someone else. */
  | 'wrong-identity'
  /** Right, but older than the policy allows. */
  | 'too-old';

export interface FailureDetails {
  /** What was pinned or stated, and what was found instead. Untrusted text: escape it before it is shown. */
  readonly expected?: string;
  readonly got?: string;
  readonly cause?: unknown;
}

/** Thrown inside this room, turned into a value at its door (verify.ts). */
export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  readonly code: FailureCode;
  readonly expected: string | undefined;
  readonly got: string | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.expected = details.expected;
    this.got = details.got;
  }
}

export function malformed(message: string, cause?: unknown): VerifyError {
  return new VerifyError('malformed', message, { cause });
}

export function invalid(message: string, details: FailureDetails = {}): VerifyError {
  return new VerifyError('invalid', message, details);
}
