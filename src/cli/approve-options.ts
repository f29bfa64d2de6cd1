/** The flags of `approve` as the use case wants them, each checked with a message of its own. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { ApprovalSigner, ApproveOptions } from '../run/approve.ts';
import type { ApproveFlags } from './approve.ts';
import { fullBranch } from './branch-name.ts';
import { parseOutputs } from './outputs.ts';
import { parseTime } from './rfc3339.ts';
import { keylessFlags, signerChoice } from './signer-options.ts';

/** `now` in milliseconds. Throws OperationalError `usage`. */
export function approveOptions(target: string, flags: ApproveFlags, now: number): ApproveOptions {
  const { operation, expires, reason, repository, policy, baseRef } = flags;
  refuseEmpty({ '--repository': repository, '--policy': policy, '--base-ref': baseRef, '--reason': reason });
  return {
    range: rangeOf(target),
    repository: repository ?? '.',
    ...(policy !== undefined && { policy }),
    ...(baseRef !== undefined && { baseRef: fullBranch(baseRef, '--base-ref') }),
    operation: operationOf(operation),
    expires: expiryOf(expires, now),
    ...(reason !== undefined && { reason: reasonOf(reason) }),
    signer: approvalSigner(flags),
    files: parseOutputs(flags.output, ['bundle']).map(({ file }) => file),
  };
}

/** A variable that is not set in a pipeline must not look as if nothing had been said. */
function refuseEmpty(values: Readonly<Record<string, string | undefined>>): void {
  const [empty] = Object.entries(values).find(([, value]) => value === '') ?? [];
  if (empty !== undefined) throw usage(`${empty} is empty`, 'leave it out, or look at what should stand behind it');
}

function rangeOf(target: string): string {
  const prefix = /^([a-z-]+):/.exec(target)?.[1];
  if (prefix === 'git') return target.slice('git:'.length);
  if (prefix === undefined && target.includes('..') && !/^[./]/.test(target)) return target;
  throw usage(`${quoted(target)} cannot be approved: it is no range of commits`, 'give it as git:BASE..HEAD');
}

function operationOf(operation: string | undefined): string {
  if (operation === undefined) {
    throw usage('what is agreed to is not said: --operation is missing', 'give --operation merge');
  }
  if (/^[a-z][a-z0-9-]{0,63}$/.test(operation)) return operation;
  throw usage(
    `--operation ${quoted(operation)} is no name of an operation`,
    'write lower-case letters, digits and hyphens, beginning with a letter: merge',
  );
}

const minute = 60_000;
const units: ReadonlyMap<string, number> = new Map([
  ['m', minute],
  ['h', 60 * minute],
  ['d', 24 * 60 * minute],
  ['w', 7 * 24 * 60 * minute],
]);

/** Longer than this, nobody remembers what they agreed to. */
const longestDays = 366;

/** Whole seconds. */
function expiryOf(text: string | undefined, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text ?? '7d') ?? [];
  const length = units.get(unit);
  const exact = count !== undefined && length !== undefined ? now + Number(count) * length : pointInTime(text ?? '');
  const expires = Math.floor(exact / 1000) * 1000;
  const shown = quoted(text ?? '');
  if (expires <= now) throw usage(`--expires ${shown} is not in the future`, 'an approval has to last: --expires 72h');
  if (expires - now > longestDays * 24 * 60 * minute) {
    throw usage(
      `--expires ${shown} is more than ${longestDays} days from now`,
      'give it a shorter life, and approve again',
    );
  }
  return expires;
}

function pointInTime(text: string): number {
  if (/^\d{4}-/.test(text)) return parseTime(text, '--expires');
  throw usage(
    `--expires ${quoted(text)} is no time`,
    'write how long it lasts (90m, 72h, 7d, 2w), or until when: 2026-01-31T12:00:00Z',
  );
}

function reasonOf(reason: string): string {
  if (reason.length <= 1000) return reason;
  throw usage('--reason has more than 1000 characters', 'say it in a sentence or two: it is for people to read');
}

function approvalSigner(flags: ApproveFlags): ApprovalSigner {
  const { sshKey, key, keyPasswordFile, ...others } = flags;
  if (sshKey === undefined) {
    const choice = signerChoice(flags);
    if (choice.kind === 'key') return choice;
    const { tokenFile } = choice;
    if (tokenFile !== undefined) return { ...choice, tokenFile };
    throw usage(
      'nothing says who approves: --ssh-key, --key and --identity-token are missing',
      'give one of them; the token of a CI job is not used, since no human stands behind it',
    );
  }
  if (sshKey === '') throw usage('--ssh-key is empty', 'give the file of the key: --ssh-key ~/.ssh/id_ed25519');
  const clash =
    key !== undefined
      ? '--key'
      : keyPasswordFile !== undefined
        ? '--key-password-file'
        : keylessFlags.find(([name]) => others[name] !== undefined)?.[1];
  if (clash === undefined) return { kind: 'ssh', file: sshKey };
  throw usage(
    `--ssh-key and ${clash} do not go together`,
    'choose one way to sign; ssh-keygen asks for passwords itself',
  );
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
