/** TARGET as people write it: a prefix that names the kind, or a path that begins with `.` or `/`. */
import { OperationalError, quoted } from '../diag/index.ts';

export const targetPrefixes = [
  'registry',
  'oci',
  'oci-archive',
  'docker-archive',
  'docker',
  'podman',
  'dir',
  'file',
  'git',
] as const;
export type TargetPrefix = (typeof targetPrefixes)[number];

export interface Target {
  readonly requested: string;
  /** `path`: to be recognised by its content. */
  readonly kind: TargetPrefix | 'path';
  readonly rest: string;
}

/** What has no prefix and is no path is a registry reference: a directory can never stand in for a registry name. */
export function parseTarget(text: string): Target {
  if (text === '') throw usage('the target is empty');
  if (text.includes('\0')) throw usage('the target contains a NUL character');
  if (text.startsWith('.') || text.startsWith('/')) return { requested: text, kind: 'path', rest: text };
  const colon = text.indexOf(':');
  const prefix = targetPrefixes.find((each) => each === text.slice(0, colon));
  if (prefix === undefined) return { requested: text, kind: 'registry', rest: text };
  const rest = text.slice(colon + 1);
  if (rest === '') throw usage(`${quoted(text)} names nothing after its prefix`);
  return { requested: text, kind: prefix, rest };
}

function usage(message: string): OperationalError {
  return new OperationalError('usage', message, {
    hints: ['give an image as oci:DIR, oci-archive:FILE or docker-archive:FILE, or a path that begins with . or /'],
  });
}
