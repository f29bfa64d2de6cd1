/**
 * The answer for one target, from what was found. It starts as "not decided" and is earned:
 *
 *     pass        for every digest that has to be signed, signatures that count meet every requirement
 *     undecided   otherwise, where there is nothing, or something that could not be looked at and might have counted
 *     denied      otherwise: all that is there was looked at, and it is not what is required
 *
 * Of an image for several platforms every image has to be signed that was asked for: by itself, or by the index that lists
 * it. A signature on one platform's image says nothing about another's.
 */
import { plural } from '../diag/index.ts';
import type { CheckedSignature, Failure, TargetDigest, VerificationOutcome } from '../report/verification.ts';
import type { Signature, Verified } from '../sigstore/types.ts';
import type { Checked } from './verify-check.ts';
import { isUndecided } from './verify-failures.ts';
import type { Pins } from './verify-pins.ts';

export interface SubjectDigest extends Omit<TargetDigest, 'met'> {
  /** Digests of the indexes that list it: what is signed of them covers it. */
  readonly under: readonly string[];
}

export interface Decision {
  readonly outcome: VerificationOutcome;
  readonly reason: string;
  readonly findings: readonly Failure[];
  readonly digests: readonly TargetDigest[];
}

export function decide(
  subjects: readonly SubjectDigest[],
  checked: readonly Checked[],
  pins: Pins,
  asked: { readonly predicateType?: string; readonly absent: Failure },
): Decision {
  const judged = subjects.map((subject) => judgeDigest(subject, checked, pins, asked));
  const digests = subjects.map(
    ({ digest, role, platform }, at): TargetDigest => ({
      digest,
      role,
      ...(platform === undefined ? {} : { platform }),
      met: judged[at]?.outcome === 'pass',
    }),
  );
  const leaves = judged.filter((_, at) => !subjects.some(({ under }) => under.includes(subjects[at]!.digest)));
  const open = leaves.flatMap((each) => (each.outcome === 'pass' ? [] : [each]));
  if (leaves.length > 0 && open.length === 0) {
    return { outcome: 'pass', reason: `signed as required by ${signersOf(checked)}`, findings: [], digests };
  }
  // The same about several platforms is said once.
  const groups = [...Map.groupBy(open, ({ reason }) => reason).values()];
  return {
    outcome: open.length === 0 || open.some(({ outcome }) => outcome === 'undecided') ? 'undecided' : 'denied',
    reason: groups.map((group) => withPlatforms(group, group[0]!.reason)).join('; ') || 'there is nothing to be signed',
    findings: groups.flatMap((group) => {
      const { finding } = group[0]!;
      return finding === undefined ? [] : [{ ...finding, message: withPlatforms(group, finding.message) }];
    }),
    digests,
  };
}

type Judged = { readonly outcome: 'pass' } | Open;

interface Open {
  readonly outcome: 'denied' | 'undecided';
  readonly platform: string | undefined;
  readonly reason: string;
  readonly finding?: Failure;
}

function withPlatforms(group: readonly Open[], text: string): string {
  const platforms = group.flatMap(({ platform }) => platform ?? []);
  return platforms.length === 0 ? text : `${platforms.join(', ')}: ${text}`;
}

function judgeDigest(
  { digest, under, platform }: SubjectDigest,
  checked: readonly Checked[],
  pins: Pins,
  { predicateType, absent }: { readonly predicateType?: string; readonly absent: Failure },
): Judged {
  const own = [digest, ...under];
  const counting = checked.flatMap(({ counts }) =>
    counts.filter((each) => own.includes(each.digest)).map(({ verified }): Verified<Signature> => verified),
  );
  const missing = pins.missing(counting);
  if (missing === undefined) return { outcome: 'pass' };
  const seen = checked.map(({ signature }) => signature).filter((signature) => speaksOf(signature, own));
  if (seen.length === 0) {
    const other = predicateType !== undefined && checked.some(({ signature }) => signature.verdict === 'not-counted');
    if (other) {
      const message = `no statement of the type ${predicateType} was found`;
      return { outcome: 'undecided', platform, reason: message, finding: { ...absent, message } };
    }
    const elsewhere = checked.some(({ signature }) => isEvidence(signature.verdict));
    const finding = elsewhere ? { ...absent, message: onlyElsewhere, hints: [signThis] } : absent;
    return { outcome: 'undecided', platform, reason: finding.message, finding };
  }
  const unread = seen.filter(
    ({ verdict }) => verdict in isUndecided && isUndecided[verdict as keyof typeof isUndecided],
  );
  const outcome = unread.length > 0 ? 'undecided' : 'denied';
  const reason = missing + (unread.length === 0 ? '' : `, and ${unreadText(unread)}`);
  if (counting.length === 0) return { outcome, platform, reason };
  return { outcome, platform, reason, finding: { rule: 'requirement-unmet', message: missing, hints: [] } };
}

const onlyElsewhere = 'no signature is about this one, though others of the image have some: none covers another';
const signThis =
  'have this one signed, or the index that lists all of them; or choose the one that you use with --platform';

/** What holds is about the digests that it names; what does not is about where it hangs, or about anything. */
function speaksOf({ verdict, attachedTo, subjects }: CheckedSignature, own: readonly string[]): boolean {
  if (!isEvidence(verdict)) return false;
  if (subjects.length > 0) return subjects.some((each) => own.includes(each));
  return attachedTo === undefined || own.includes(attachedTo);
}

function isEvidence(verdict: CheckedSignature['verdict']): boolean {
  return verdict !== 'unsigned' && verdict !== 'not-counted';
}

function unreadText(unread: readonly CheckedSignature[]): string {
  return `${plural(unread.length, 'signature')} could not be judged (${[
    ...new Set(unread.map(({ verdict }) => verdict)),
  ].join(', ')})`;
}

function signersOf(checked: readonly Checked[]): string {
  const trusted = checked.filter(({ signature }) => signature.verdict === 'trusted');
  return [...new Set(trusted.flatMap(({ signature }) => signature.matched))].join(', ');
}
