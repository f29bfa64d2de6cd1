/** TARGET as people write it: a prefix that names the kind, or a path that begins with `.` or `/`. */
import { OperationalError, quoted } from '../diag/index.ts';
import { type Digest, isDigest } from './digest.ts';

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

/** What an image is pinned to. */
interface Pin {
  /** What stands before it. */
  readonly place: string;
  readonly digest: Digest;
}

/**
 * `PLACE@sha256:HEX` or `PLACE@sha512:HEX`. That is always a digest and never part of a path: whoever can make a directory of
 * that name beside an image would choose what the digest stands for. Throws OperationalError for a digest that is none.
 */
export function pinOf(text: string): Pin | undefined {
  const at = text.search(/@sha\d+:/i);
  if (at < 0) return undefined;
  const [place, digest] = [text.slice(0, at), text.slice(at + 1)];
  if (place !== '' && isDigest(digest)) return { place, digest };
  throw new OperationalError('usage', `${quoted(text)} is pinned to no digest: ${quoted(digest)} is none`, {
    hints: [
      'write PLACE@sha256: and 64, or PLACE@sha512: and 128 lower-case hexadecimal digits, and nothing behind them',
      'a file or directory of such a name is given as file:PATH or dir:PATH, or through a link with another name',
    ],
  });
}

function usage(message: string): OperationalError {
  return new OperationalError('usage', message, {
    hints: ['give an image as oci:DIR, oci-archive:FILE or docker-archive:FILE, or a path that begins with . or /'],
  });
}
