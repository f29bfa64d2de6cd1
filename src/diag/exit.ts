import type { ErrorCode } from './errors.ts';

/** Exit codes, the same for every command and output format. */
export const Exit = {
  /** Everything that was asked for was done and nothing speaks against it. */
  pass: 0,
  /** A policy denies. */
  denied: 1,
  /** Wrong usage, policy or configuration. */
  usage: 2,
  /** Could not decide: missing or unreadable evidence, network, refused input, a bug in tidewaiter. */
  undecided: 3,
  /** Nothing but a human approval is missing. */
  approval: 4,
} as const;

export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** Most serious first: when several outcomes meet, the first in this list wins. */
const precedence: readonly ExitCode[] = [Exit.usage, Exit.undecided, Exit.denied, Exit.approval, Exit.pass];

/** The one exit code for several outcomes. No outcome at all is no pass. */
export function worstExit(codes: Iterable<ExitCode>): ExitCode {
  const seen = new Set(codes);
  return precedence.find((code) => seen.has(code)) ?? Exit.undecided;
}

export function exitForError(code: ErrorCode): ExitCode {
  return code === 'usage' || code === 'configuration' ? Exit.usage : Exit.undecided;
}
