/** What is wrong with a file that a policy names, with the line that names it. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Policy } from '../policy/types.ts';
import type { Place } from '../policy/yaml.ts';

export function wrong(
  policy: Policy,
  { by, place, path: file }: { readonly by: string; readonly place: Place; readonly path?: string },
  message: string,
  hints: readonly string[],
  cause?: unknown,
): OperationalError {
  const what = file === undefined ? by : `${by} (${quoted(file)})`;
  return new OperationalError('configuration', `${at(policy, place)}: ${what} ${message}`, { hints, cause });
}

export function at({ name }: Policy, { line, column }: Place): string {
  return `${name}:${line}:${column}`;
}
