/**
 * What a judgement over a range of commits found, as one value: the document of `-o json` and all that the other forms are
 * written from. docs/formats/change.md is the contract. Text in here is untrusted as it stands in commits, file names and
 * statements: writers escape it. Names and values from outside stand in lists, never as keys.
 */
import type { RuleId } from '../diag/index.ts';

export const changeSchema = 'tidewaiter.change/v1';

export type ChangeOutcome = 'pass' | 'denied' | 'undecided' | 'approval';

export interface ChangeReport {
  readonly schema: typeof changeSchema;
  readonly tool: { readonly name: string; readonly version: string };
  /** RFC 3339, UTC, whole seconds. */
  readonly time: string;
  /** True where `--now` gave the time: a decision replayed as of then. */
  readonly replayedTime: boolean;
  /** As the user wrote it. */
  readonly requested: string;
  readonly outcome: ChangeOutcome;
  /** One sentence. */
  readonly reason: string;
  readonly repository: ReportedRepository;
  /** Absent where the range could not be read so far. */
  readonly policy?: ReportedPolicy;
  readonly range?: ReportedRange;
  /** Parents before children. */
  readonly commits: readonly ReportedCommit[];
  readonly risks: readonly { readonly path: string; readonly reason: string; readonly pattern?: string }[];
  readonly evidence: {
    readonly counted: readonly ReportedStatement[];
    /** Verified or not: what does not count is a finding, or is listed here with the reason. */
    readonly refused: readonly { readonly place: string; readonly rule: RuleId; readonly message: string }[];
  };
  readonly approvals: {
    readonly needed: number;
    readonly counted: readonly {
      readonly person: string;
      readonly place: string;
      readonly how: string;
      readonly carriedOver: boolean;
    }[];
    readonly authors: readonly string[];
  };
  readonly findings: readonly ReportedFinding[];
  /** Remarks that change nothing. */
  readonly notes: readonly string[];
  /** Id of the commit of the range that was asked about. In no document: it says nothing of the change. */
  readonly explained?: string;
}

export interface ReportedRepository {
  readonly path: string;
  readonly objectFormat?: 'sha1' | 'sha256';
  readonly gitVersion?: string;
}

export interface ReportedPolicy {
  /** `git:COMMIT:PATH`, or the path of a file. */
  readonly from: string;
  /** Hex SHA-256 over the policy and every file that it names. */
  readonly digest: string;
  readonly repository: string;
  readonly baseRef: string;
  readonly unknown: 'treat-as-agent' | 'treat-as-human';
}

export interface ReportedRange {
  readonly policyBase: ReportedPoint;
  readonly mergeBase: ReportedPoint;
  readonly head: ReportedPoint;
  /** What merging head into policyBase makes. */
  readonly landing: { readonly clean: boolean; readonly tree: string };
  readonly changeDigest: string;
  /** How many commits policyBase has that the change does not. */
  readonly behind: number;
  readonly changedPaths: number;
}

export interface ReportedPoint {
  readonly commit: string;
  readonly tree: string;
  readonly ref?: string;
}

export interface ReportedCommit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: ReportedIdent;
  readonly committer: ReportedIdent;
  /** First line of the message. */
  readonly subject: string;
  readonly class: 'agent' | 'human' | 'bot' | 'unknown';
  readonly because: string;
  readonly vouchedBy?: string;
  readonly signs: readonly ReportedSign[];
  readonly calledBot?: string;
  readonly signature: ReportedSignature;
  /** Only for merges. */
  readonly replay?: 'clean' | 'residual' | 'conflict';
  readonly changedPaths: number;
  /** Whether provenance has to cover it. */
  readonly duty: boolean;
  /** Places of the statements that cover it. */
  readonly coveredBy: readonly string[];
  readonly missing: readonly RuleId[];
}

export interface ReportedIdent {
  readonly name: string;
  readonly email: string;
}

export interface ReportedSign {
  readonly agent: string;
  readonly name: string;
  readonly kind: string;
  readonly part: string;
  readonly text: string;
  /** `author`, `message:7`, `branch:claude/fix`, … */
  readonly place: string;
}

export interface ReportedSignature {
  readonly state: 'none' | 'good' | 'bad' | 'unproved' | 'unknown-key' | 'unsupported';
  readonly format?: string;
  /** Key or certificate; proved only where the state is `good`. */
  readonly signer?: string;
  readonly matched: readonly string[];
  readonly person?: string;
  readonly touched?: boolean;
  readonly why?: string;
}

export interface ReportedStatement {
  readonly place: string;
  /** Hex SHA-256 of the evidence as it came. */
  readonly digest: string;
  readonly signer: string;
  readonly matched: readonly string[];
  readonly tier: string;
  readonly landing: string;
  readonly base: string;
  readonly head: string;
  readonly models: readonly string[];
  readonly runtime?: string;
  readonly covers: number;
}

export interface ReportedFinding {
  readonly rule: RuleId;
  readonly weight: 'undecided' | 'denied' | 'approval' | 'warning' | 'note';
  readonly message: string;
  readonly commits: readonly string[];
  /** As text: bytes that are no UTF-8 are escaped. */
  readonly path?: string;
  readonly line?: number;
  readonly place?: string;
  readonly expected?: string;
  readonly got?: string;
  readonly hints: readonly string[];
}
