/** A verification as JSON, with the keys in the order of its types. */
import { writeJson } from './json.ts';
import type { Verification } from './verification.ts';

export function writeVerificationJson(verification: Verification): string {
  return writeJson(verification);
}
