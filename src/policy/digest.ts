/**
 * The policy digest: one value for what a policy says and for every file that it names, wherever they lie. SHA-256 over
 *
 *     tidewaiter.policy-digest/v1␊
 *     format 1␊                                        the version that the policy file begins with
 *     rules 1␊                                         raised when the same policy decides otherwise than before
 *     policy <SHA-256 of the policy file>␊
 *     file <SHA-256 of the file> <octets of the name> <name>␊      for each file, by the octets of their names
 *     file - <octets of the name> <name>␊                          for one that is not there
 *
 * where a name is the path as the policy writes it, without `.` and `x/..` in it. Hex is lower case, numbers are decimal, a
 * name stands once. A name may hold anything: its length says where it ends. docs/formats/policy.md
 */
import { hash } from 'node:crypto';
import { posix } from 'node:path';

export interface DigestedFile {
  /** Path as the policy writes it; undefined for the policy file itself. */
  readonly name?: string;
  /** Undefined where there is no such file. */
  readonly bytes?: Buffer;
}

/** Raised when a version of tidewaiter judges the same facts by the same policy otherwise than the one before. */
export const ruleSetVersion = 1;

/** Hex SHA-256. The order of the files does not matter. */
export function policyDigest(files: readonly DigestedFile[]): string {
  const policy = files.find(({ name }) => name === undefined);
  if (policy?.bytes === undefined) throw new Error('the policy file itself is missing');
  const named = new Map(
    files.flatMap(({ name, bytes }) =>
      name === undefined ? [] : [[normalName(name), bytes === undefined ? '-' : hash('sha256', bytes)] as const],
    ),
  );
  const lines = [...named]
    .map(([name, digest]) => ({ name: Buffer.from(name), digest }))
    .sort((one, other) => one.name.compare(other.name))
    .flatMap(({ name, digest }) => [Buffer.from(`file ${digest} ${name.length} `), name, Buffer.from('\n')]);
  const head = `tidewaiter.policy-digest/v1\nformat 1\nrules ${ruleSetVersion}\npolicy ${hash('sha256', policy.bytes)}\n`;
  return hash('sha256', Buffer.concat([Buffer.from(head), ...lines]));
}

/** `./keys/x/../ci.pub` -> `keys/ci.pub` */
export function normalName(name: string): string {
  return posix.normalize(name);
}
