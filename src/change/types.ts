/**
 * A range of commits as facts, and what a policy makes of them. Text from commits, files and statements is untrusted as it
 * stands: writers escape it. Names and values from outside stand in lists, never as keys.
 */
import type { RuleId } from '../diag/index.ts';
import type { Commit, ObjectFormat, ObjectId, PathChange, SignatureFormat } from '../git/types.ts';

/** What says that an agent had a hand in a commit. K proves, all others are hints that raise duties and never lower them. */
export interface Sign {
  /** Id in the list of agents: `claude-code`, `copilot`, …; `unknown` for a convention that names none we know. */
  readonly agent: string;
  /** For people: `Claude Code`. */
  readonly name: string;
  readonly kind: SignKind;
  /** `authored`: it wrote it. `assisted`: it helped. `suggested`: a suggestion of it was accepted by a human. */
  readonly part: 'authored' | 'assisted' | 'suggested';
  /** What was found, as it stands there. */
  readonly text: string;
  readonly place: SignPlace;
}

export type SignKind =
  /** The key of a vendor's machines signed it, and the signature holds. */
  | 'key'
  /** Author or committer. */
  | 'identity'
  /** A line `Word: value` anywhere in the message. */
  | 'trailer'
  /** A link to a session, or the line that a tool leaves. */
  | 'body'
  | 'branch'
  /** A git note, or a ref that a tool keeps. */
  | 'note'
  /** A record of line attribution or of a session in a file. */
  | 'record';

export type SignPlace =
  | { readonly in: 'author' | 'committer' | 'signature' }
  /** Line of the message, from 1. */
  | { readonly in: 'message'; readonly line: number }
  | { readonly in: 'branch' | 'note' | 'record'; readonly name: string };

/** A bot that is no AI, by its name and number: a name is never proof. */
export interface BotSign {
  readonly bot: string;
  readonly name: string;
}

/** What the signature in a commit is worth. */
export type SignatureFacts =
  | { readonly state: 'none' }
  /** It holds, and this is who made it. */
  | {
      readonly state: 'good';
      readonly format: SignatureFormat;
      readonly signer: CommitSigner;
      /** Names of identities and people of the policy that it is of. */
      readonly matched: readonly string[];
      /** Of those, the one person whose key or identity it is. */
      readonly person?: string;
      /** The signature itself says that a human touched the security key. Only SSH security keys can say so. */
      readonly touched?: boolean;
      /** Why it is not of somebody who is listed with that key, for people: not touched, for another use, a forge's key. */
      readonly note?: string;
    }
  /** `unknown-key`: nobody listed has that key, so it cannot be checked. `unproved`: no trusted time, or not provable offline. */
  | {
      readonly state: 'bad' | 'unproved' | 'unknown-key' | 'unsupported';
      readonly format?: SignatureFormat;
      /** As it claims; nothing of it is proved. */
      readonly claimed?: string;
      readonly why: string;
    };

export type CommitSigner =
  /** `SHA256:…` as ssh-keygen prints it. The key is in the signature: it holds for whoever has that key. */
  | { readonly kind: 'ssh'; readonly fingerprint: string }
  /** Fingerprint of the primary key, upper-case hex. */
  | { readonly kind: 'openpgp'; readonly fingerprint: string }
  | {
      readonly kind: 'certificate';
      readonly issuer: string;
      readonly subject: string;
      readonly trust: string;
      readonly workflow?: SigningWorkflow;
    };

export type CommitClass = 'agent' | 'human' | 'bot' | 'unknown';

export interface CommitFacts {
  /** Its signature is not kept, once it was checked: there are thousands of them. */
  readonly commit: Omit<Commit, 'signature'>;
  readonly signs: readonly Sign[];
  readonly bot?: BotSign;
  readonly signature: SignatureFacts;
  readonly merge?: MergeFacts;
  /**
   * Nothing ties it to the base: it has no parents, or it merges a history that has no commit in common with the other side.
   * Whoever signed such a history made it for another repository.
   */
  readonly unrelated?: 'root' | 'merge';
  /** Paths that it changes: against its parent, or for a merge what no parent explains. */
  readonly changes: readonly PathChange[];
}

export interface MergeFacts {
  /** `clean`: the tree is what the parents make. `residual`: it is not. `conflict`: the parents do not merge by themselves. */
  readonly replay: 'clean' | 'residual' | 'conflict';
  readonly expectedTree?: ObjectId;
}

/** Something that a diff hides from who reads it, or that is a risk by what it is. */
export interface ContentFinding {
  readonly rule: RuleId;
  /** `error` blocks, `risk` makes the path high risk, `note` is only said. */
  readonly weight: 'error' | 'risk' | 'note';
  readonly path: Buffer;
  /** Line of the new file, from 1. */
  readonly line?: number;
  readonly message: string;
}

/** A path of high risk, and why. */
export interface RiskyPath {
  readonly path: Buffer;
  /** `workflow`, `policy`, `agent configuration`, `lockfile`, …, or the pattern of the policy. */
  readonly reason: string;
  /** Where a pattern of the policy says so. */
  readonly pattern?: string;
}

/** How far from the agent's own job the signer of its provenance stands. */
export type Tier = 'local-key' | 'job' | 'isolated';

export interface Range {
  readonly repositoryPath: string;
  readonly format: ObjectFormat;
  readonly gitVersion: string;
  /** Tip of the protected branch: whose policy applies. */
  readonly policyBase: NamedCommit;
  /** Where the range starts. */
  readonly mergeBase: NamedCommit;
  readonly head: NamedCommit;
  /** What merging head into policyBase makes. */
  readonly landing: { readonly clean: boolean; readonly tree: ObjectId };
  /** Hex SHA-256 over the change from mergeBase to head (docs/formats/change-digest.md). */
  readonly changeDigest: string;
}

/** What a judgement needs of a range: everything that was recomputed. */
export type PathlessRange = Pick<Range, 'policyBase' | 'mergeBase' | 'head' | 'landing' | 'changeDigest'>;

export interface NamedCommit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  /** Full name, where it was named by one: `refs/heads/main`. */
  readonly ref?: string;
}

// ---------------------------------------------------------------------------------------------------------------------
// Evidence: statements about the change, wherever they came from. What is not `Verified` was only read.

/** One statement that a signature of somebody in the policy holds for. */
export interface VerifiedEvidence {
  readonly place: string;
  /** Hex SHA-256 of the bytes that it came in. */
  readonly digest: string;
  /** Hex SHA-256 of the statement itself (the payload): equal statements count once. */
  readonly statementDigest: string;
  /** `bundle v0.3`, `DSSE envelope`, `DSSE envelope, SSH signature`, … */
  readonly format: string;
  readonly statement: ChangeStatement;
  readonly signer: EvidenceSigner;
  /** Milliseconds, proved by a log or a timestamp authority; none for a plain key. */
  readonly times: readonly number[];
}

export interface EvidenceSigner {
  /** Names of identities and people of the policy, at least one. */
  readonly matched: readonly string[];
  /** The person whose key or identity it is. */
  readonly person?: string;
  /** For people: `key SHA256:…`, `https://…/attest.yml@refs/tags/v3 (https://token.actions…)`. */
  readonly shown: string;
  /** Of SSH keys, as ssh-keygen writes it: `SHA256:…`. */
  readonly fingerprint?: string;
  /** The signature says that a human touched the security key. */
  readonly touched?: boolean;
  readonly workflow?: SigningWorkflow;
  /** Of certificates: whose, by the one name in it. */
  readonly certificate?: {
    readonly issuer: string;
    readonly subject: string;
    readonly type: 'uri' | 'email' | 'dns' | 'other';
  };
  readonly kind: 'key' | 'ssh' | 'certificate';
}

/** Of certificates of workflows: what signed, for what. */
export interface SigningWorkflow {
  /** `https://github.com/acme/agents/.github/workflows/attest.yml` */
  readonly signer: string;
  readonly signerRef?: string;
  /** The workflow that was started: another one where the signer is a reusable workflow that it called. */
  readonly config?: string;
  readonly sourceRepository?: string;
  readonly trigger?: string;
  readonly runner?: string;
  /** The pin that matched fixes the commit that the workflow is taken from, or a tag: the whole of it, and no pattern. */
  readonly pinned?: true;
}

/** Something that was found and does not count, and why. */
export interface RefusedEvidence {
  readonly place: string;
  readonly format?: string;
  readonly rule: RuleId;
  readonly message: string;
  readonly expected?: string;
  readonly got?: string;
  readonly hints: readonly string[];
  /** The commit that it claims to be about. Unproved. */
  readonly claimedCommit?: string;
}

export type ChangeStatement =
  | AgentChange
  | Approval
  | ReviewCoverage
  | GittufApproval
  | SourceProvenance
  | PolicyDecision;

/** SLSA provenance v1 with a build type for agents' commits: statement A. */
export interface AgentChange {
  readonly kind: 'agent-change';
  readonly buildType: string;
  /** The one subject: a commit with its tree, or a change by its digest. */
  readonly subject:
    | { readonly kind: 'commit'; readonly commit: ObjectId; readonly tree?: ObjectId }
    | { readonly kind: 'change'; readonly changeDigest: string; readonly commit?: ObjectId };
  /** As `https://github.com/acme/shop`: `git+` before and `.git` and `/` behind are taken off; everything else stays. */
  readonly repository: string;
  /** Of the subject, where it has a `uri`; read as `repository` is. */
  readonly subjectRepository?: string;
  readonly baseRef: string;
  readonly baseCommit: ObjectId;
  /** From resolvedDependencies, the one called `source`. */
  readonly sourceCommit?: ObjectId;
  /** Of the byproduct `change.diff`; for SHA-1 repositories the stronger binding. */
  readonly changeDigest?: string;
  readonly builderId: string;
  /** `provider/model`; those of subagents too. */
  readonly models: readonly string[];
  readonly runtime?: { readonly name: string; readonly version?: string };
  /** Those of subagents too; `digest` as `sha256:HEX`. */
  readonly tools: readonly { readonly name: string; readonly digest?: string }[];
  readonly sandbox?: Sandbox;
  /** Each has a runtime and a sandbox of its own, which have to be allowed as well (runtimesOf, sandboxesOf). */
  readonly subagents?: readonly Subagent[];
  readonly invocationId?: string;
  /** As it says, RFC 3339. */
  readonly startedOn?: string;
  readonly finishedOn?: string;
  readonly byproducts: readonly { readonly name: string; readonly sha256?: string }[];
}

export interface Subagent {
  readonly invocationId?: string;
  readonly model: string;
  readonly runtime: { readonly name: string; readonly version?: string };
  /** Undefined where none is stated. */
  readonly sandbox?: Sandbox;
}

export interface Sandbox {
  /** `allowlist`, `none`, `open`, …; undefined where the statement does not say. */
  readonly networkMode?: string;
  readonly allowedEgress: readonly string[];
  readonly filesystem?: string;
  readonly credentials?: string;
  /** `host:port` that were seen, where an observed-network byproduct is embedded. */
  readonly observed: readonly string[];
}

/** docs/formats/approval.md: one person's consent to exactly this. */
export interface Approval {
  readonly kind: 'approval';
  readonly operation: string;
  readonly repository: string;
  readonly baseRef: string;
  readonly mergeBase: ObjectId;
  readonly head: ObjectId;
  readonly tree: ObjectId;
  /** Milliseconds. */
  readonly expires: number;
}

/** https://drvelvetfog.github.io/source-review-coverage/v0.1 */
export interface ReviewCoverage {
  readonly kind: 'review-coverage';
  readonly commit?: ObjectId;
  readonly tree?: ObjectId;
  /** As it says; what counts is recomputed. */
  readonly result: string;
  readonly reviewedHead?: ObjectId;
  readonly baseAtMerge?: ObjectId;
  readonly ref?: string;
  readonly approvals: readonly {
    readonly approver: string;
    readonly overTree: ObjectId;
    readonly approvedAt?: string;
  }[];
}

/** gittuf's reference authorisation and its record of GitHub approvals, in the spellings that exist. */
export interface GittufApproval {
  readonly kind: 'gittuf-approval';
  readonly targetRef: string;
  readonly fromCommit: ObjectId;
  readonly targetTree: ObjectId;
  /** Whom an app says to have approved; the signer himself approves where it is empty. */
  readonly approvers: readonly string[];
  readonly dismissed: readonly string[];
}

/** source-tool's notes: how a commit came to a branch. Input for people, it meets no duty. */
export interface SourceProvenance {
  readonly kind: 'source-provenance';
  readonly commit: ObjectId;
  readonly previous?: ObjectId;
  readonly repository?: string;
  readonly branch?: string;
  readonly actor?: string;
}

/** A policy decision or audit record of the agent's runtime, found by the digest that provenance states. */
export interface PolicyDecision {
  readonly kind: 'policy-decision';
  /** `https://in-toto.io/attestation/svr/v0.2`, `https://slsa.dev/verification_summary/v1`, … */
  readonly predicateType: string;
  readonly commit?: ObjectId;
  readonly passed: boolean;
}

/** A review on a forge, from a file that the pipeline got from there: GitHub's list of reviews of a pull request. */
export interface ForgeReview {
  readonly place: string;
  readonly login: string;
  /** GitHub's own word: `User`, `Bot`, … */
  readonly accountType?: string;
  readonly state: 'approved' | 'changes-requested' | 'dismissed' | 'commented';
  readonly commit?: ObjectId;
  /** RFC 3339. */
  readonly submittedAt?: string;
}

// ---------------------------------------------------------------------------------------------------------------------
// The judgement.

/**
 * `undecided`, `denied` and `approval` (nothing but an approval is missing) decide the outcome, in this order; a warning or a
 * note is only said.
 */
export type FindingWeight = 'undecided' | 'denied' | 'approval' | 'warning' | 'note';

export interface ChangeFinding {
  readonly rule: RuleId;
  readonly weight: FindingWeight;
  /** What is wrong, in one sentence without a full stop. */
  readonly message: string;
  /** Those it is about, in the order of the range. */
  readonly commits: readonly ObjectId[];
  readonly path?: Buffer;
  /** From 1. */
  readonly line?: number;
  /** Of evidence: where it was found. */
  readonly place?: string;
  readonly expected?: string;
  readonly got?: string;
  /** What the user can do about it, one sentence each. */
  readonly hints: readonly string[];
}

/** How what was attested came to be what is judged. */
export type Landing =
  /** It is in the range itself. */
  | { readonly kind: 'identity' }
  /**
   * Merging it onto mergeBase makes exactly the tree of head: squashed, rebased or updated, and nothing else. `commits`: those
   * of the range that are such a merge themselves, of it or of a commit on its way; head always is.
   */
  | { readonly kind: 'replay'; readonly commits: ReadonlySet<ObjectId> }
  /** It is on the way to a commit that evidence names as well and that is a replay: a part of a chain. */
  | { readonly kind: 'before' }
  /** It does not; `tree` is what it would have made. `why`: it might, and cannot be held against the change. */
  | { readonly kind: 'residual'; readonly clean: boolean; readonly tree?: ObjectId; readonly why?: string }
  /** The repository does not have it. */
  | { readonly kind: 'unverifiable' };

/** What had to be asked of the repository about the commits that evidence names. */
export interface Relations {
  /** Whether policyBase is it, or has it in its history. */
  inBase(commit: ObjectId): boolean;
  /** Of a base and head that one statement names. */
  isAncestor(ancestor: ObjectId, of: ObjectId): boolean;
  treeOf(commit: ObjectId): ObjectId | undefined;
  landingOf(commit: ObjectId): Landing;
  /** Recomputed; undefined where one of the two is missing. */
  changeDigest(base: ObjectId, head: ObjectId): string | undefined;
  /**
   * Of a head that was approved: keys (pathKey) of the paths that differ between it and what it has in common with policyBase;
   * undefined where that is not one commit.
   */
  approvedPaths(head: ObjectId): ReadonlySet<string> | undefined;
  /** Commits that were squashed or rebased into the range, up to those that evidence names: whoever made them made the change. */
  readonly rewritten: readonly CommitFacts[];
}

export interface ClassifiedCommit {
  readonly facts: CommitFacts;
  /** Those of the commit and those of branches and notes that name it. */
  readonly signs: readonly Sign[];
  readonly class: CommitClass;
  /** For people: why. */
  readonly because: string;
  /** The person whose signature an agent's commit bears. */
  readonly vouchedBy?: string;
  /** Whether it has to be covered by provenance. */
  readonly duty: boolean;
  /** Indexes into the counted statements that cover it. */
  readonly coveredBy: readonly number[];
  /** What it lacks. */
  readonly missing: readonly RuleId[];
}

export interface CountedStatement {
  readonly evidence: VerifiedEvidence;
  readonly landing: 'identity' | 'replay';
  readonly tier: Tier;
}

export interface CountedApproval {
  readonly person: string;
  readonly place: string;
  readonly how: 'signed' | 'review-coverage' | 'gittuf' | 'forge review';
  /** It was given for an earlier state, and carried over by replay. */
  readonly carriedOver: boolean;
}

export interface Judgement {
  readonly outcome: 'pass' | 'denied' | 'undecided' | 'approval';
  readonly commits: readonly ClassifiedCommit[];
  readonly statements: readonly CountedStatement[];
  readonly approvals: {
    readonly needed: number;
    readonly counted: readonly CountedApproval[];
    /** People who made the change, proved or by their e-mail address: their approval does not count. */
    readonly authors: readonly string[];
  };
  readonly findings: readonly ChangeFinding[];
}
