/**
 * The error for "we could not do the job": wrong usage, refused input, missing evidence, a broken world.
 *
 * Three kinds of bad news never mix: a finding is a value, an OperationalError is thrown and ends in exit code 2 or 3,
 * and everything else that is thrown is a bug in tidewaiter (exit 3, see cli/main.ts).
 */

export type ErrorCode =
  /** The command line cannot be acted on. */
  | 'usage'
  /** A policy, settings or key file is wrong. */
  | 'configuration'
  /** What was asked for does not exist or cannot be opened. */
  | 'not-found'
  /** The input breaks its own format. */
  | 'malformed'
  /** The input is well-formed, but of a kind that we do not read. */
  | 'unsupported'
  /** A recomputed digest or size differs from the stated one. */
  | 'digest-mismatch'
  /** A cap was reached; the message names the limit and the flag that moves it. */
  | 'limit'
  /** The operating system refused: read, write, no space. */
  | 'io'
  /** The work is done, but with gaps, and the user asked for none (--strict). */
  | 'incomplete';

export interface OperationalErrorOptions {
  /** What the user can do about it, one imperative sentence each. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
}

export class OperationalError extends Error {
  override readonly name = 'OperationalError';
  readonly code: ErrorCode;
  readonly hints: readonly string[];

  constructor(code: ErrorCode, message: string, options: OperationalErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hints = options.hints ?? [];
  }
}
