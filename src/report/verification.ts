/**
 * What a verification found, as one value: the document of `-o json` and all that the table and SARIF are written from.
 * docs/formats/verification.md is the contract. Text in here is untrusted as it stands in signatures and file names:
 * writers escape it. Names and values from outside stand in lists, never as keys.
 */
import type { RuleId } from '../diag/index.ts';
import type { FailureCode } from '../sigstore/failure.ts';

export const verificationSchema = 'tidewaiter.verification/v1';

/** RFC 3339 in whole seconds, from milliseconds. */
export function verificationTime(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** `undecided`: something is missing or unreadable that could have changed the answer. */
export type VerificationOutcome = 'pass' | 'denied' | 'undecided';

export interface Verification {
  readonly schema: typeof verificationSchema;
  readonly tool: { readonly name: string; readonly version: string };
  /** RFC 3339, UTC, whole seconds. Only the age of trusted roots is measured by it. */
  readonly time: string;
  readonly outcome: VerificationOutcome;
  /** All of them have to be met. */
  readonly required: readonly RequiredSigners[];
  /** The predicate type that counts, where one was asked for. */
  readonly predicateType?: string;
  readonly trust: readonly TrustUsed[];
  readonly results: readonly TargetResult[];
  /** Remarks that change no result. */
  readonly notes: readonly string[];
}

export interface RequiredSigners {
  readonly rule: 'any' | 'all' | 'threshold';
  /** How many of the parties have to sign. */
  readonly count: number;
  readonly parties: readonly PinnedParty[];
}

/** A person or an identity, and what it is recognised by: one of the pins. */
export interface PinnedParty {
  readonly name: string;
  readonly pins: readonly (readonly NameValue[])[];
}

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

export interface TrustUsed {
  readonly name: string;
  /** Hex SHA-256 of the document. */
  readonly digest: string;
  /** `shipped`, `updated`, or the path of the file. */
  readonly from: string;
  /** When its publisher signed it; absent for a file, which does not say. */
  readonly published?: string;
  readonly ageDays?: number;
}

export interface TargetResult {
  readonly target: VerifiedTarget;
  readonly outcome: VerificationOutcome;
  /** One sentence. */
  readonly reason: string;
  /** What is wrong with the whole: nothing attached, too few signatures, an old trusted root. */
  readonly findings: readonly Failure[];
  readonly signatures: readonly CheckedSignature[];
}

export interface VerifiedTarget {
  readonly requested: string;
  readonly name: string;
  readonly kind: 'file' | 'digest' | 'image';
  readonly digests: readonly TargetDigest[];
}

/** What people asked for: a tag alone could be anybody's. */
export function titleOf({ kind, requested, name }: VerifiedTarget): string {
  return kind === 'image' ? requested : name;
}

export interface TargetDigest {
  /** `sha256:…`, `gitCommit:…`. */
  readonly digest: string;
  readonly role: 'file' | 'stated' | 'index' | 'manifest';
  readonly platform?: string;
  /** Whether signatures that count meet the requirement for it. */
  readonly met: boolean;
}

/**
 * `trusted` counts; `not-counted` and `unsigned` are listed and neither help nor harm; `negative` holds and says no; the
 * others are failures.
 */
export type Verdict = 'trusted' | 'negative' | 'not-counted' | 'unsigned' | FailureCode;

export interface CheckedSignature {
  /** Where it was found: a file, or a tag or digest in the layout. */
  readonly place: string;
  /** Path, where the place is in a file of its own. */
  readonly file?: string;
  /** The digest of the image that it hangs on; absent for files. */
  readonly attachedTo?: string;
  /** `bundle v0.3`, `cosign annotation`, … */
  readonly format: string;
  readonly verdict: Verdict;
  /** Why it is not counted. */
  readonly note?: string;
  readonly failure?: Failure;
  /** Digests of the target that it is about; only for what holds. */
  readonly subjects: readonly string[];
  /** Names of the parties whose signature it is. */
  readonly matched: readonly string[];
  /** Who signed, proved; absent for what does not hold. */
  readonly signer?: CheckedSigner;
  readonly times: readonly CheckedTime[];
  readonly statement?: CheckedStatement;
  /** The name that cosign's signer gave the image: signed, and held against nothing. */
  readonly reference?: string;
  readonly log?: { readonly by: string; readonly index: number };
}

export type CheckedSigner =
  | {
      readonly kind: 'certificate';
      readonly trust: string;
      readonly issuer: string;
      readonly subject: { readonly type: string; readonly value: string };
      readonly claims: readonly NameValue[];
    }
  | { readonly kind: 'key'; readonly fingerprint: string };

export interface CheckedTime {
  readonly at: string;
  readonly source: 'log' | 'timestamp-authority';
  readonly by: string;
}

export interface CheckedStatement {
  readonly predicateType: string;
  /** As stated by the signer, all of them. */
  readonly subjects: readonly {
    readonly name?: string;
    readonly digest: readonly { readonly algorithm: string; readonly value: string }[];
  }[];
  /** What is read of predicates of known kinds: builder and source of provenance, result of a verification summary. */
  readonly says?: readonly NameValue[];
}

export interface Failure {
  readonly rule: RuleId;
  readonly code?: FailureCode;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
  /** Of a wrong identity: the fields in which it differs from the nearest pin. */
  readonly differences?: readonly FieldDifference[];
  /** What the user can do about it, one sentence each. */
  readonly hints: readonly string[];
}

export interface FieldDifference {
  readonly field: string;
  readonly expected: string;
  /** Absent where the certificate does not state the field. */
  readonly got?: string;
  readonly note?: string;
}
