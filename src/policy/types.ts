/** A policy file as it was read: names resolved, patterns compiled, key files still to be loaded by the caller. */
import type { CertificatePin } from '../sigstore/pin.ts';
import type { Place } from './yaml.ts';

export interface Policy {
  /** What the file is called in messages. */
  readonly name: string;
  /** Trusted roots that the policy says more about than that they ship with tidewaiter. */
  readonly trust: ReadonlyMap<string, TrustRule>;
  readonly identities: ReadonlyMap<string, Identity>;
  readonly people: ReadonlyMap<string, Person>;
  readonly images: readonly ImageRule[];
  readonly changes?: ChangesRule;
  /** Parts that do not decide on images. Whoever gives a verdict has to name those that do not decide on it. */
  readonly unjudged: readonly Unjudged[];
}

export interface TrustRule {
  readonly name: string;
  /** Path of a trusted root as the policy writes it; undefined for one that ships with tidewaiter. */
  readonly root?: string;
  /** Issuers that a root of one's own may speak for; empty for one that ships. */
  readonly issuers: readonly string[];
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly place: Place;
}

export type Identity =
  | { readonly kind: 'certificate'; readonly pin: CertificatePin; readonly place: Place }
  /** Path of a public key, as the policy writes it. */
  | { readonly kind: 'key'; readonly file: string; readonly person?: string; readonly place: Place }
  | { readonly kind: 'openpgp'; readonly file: string; readonly person?: string; readonly place: Place };

export interface Person {
  readonly name: string;
  /** Paths of public keys, as the policy writes them. */
  readonly keys: readonly string[];
  /** Names of identities. */
  readonly identities: readonly string[];
  readonly emails: readonly string[];
  /** Accounts on a forge, `github:alice`: who may count by review data that the pipeline got from there. */
  readonly accounts: readonly string[];
  /** Only a signature of a security key that says it was touched counts as this person's. */
  readonly presence?: 'required';
  readonly place: Place;
}

/** What a change has to show. docs/formats/policy.md */
export interface ChangesRule {
  /** `https://github.com/acme/shop`, as statements name it. */
  readonly repository: string;
  /** Full name of the protected branch. */
  readonly baseRef: string;
  /** What a commit without any sign and without a person's signature is taken for. */
  readonly unknown: 'treat-as-agent' | 'treat-as-human';
  /** Identities whose good signature makes a commit a bot's. */
  readonly bots: readonly string[];
  readonly agents: AgentsRule;
  readonly highRisk: HighRiskRule;
  readonly place: Place;
}

export interface AgentsRule {
  /** Who may vouch for what an agent made; undefined: nobody, so that no agent's change passes. */
  readonly provenance?: SignedRule;
  /**
   * How far from the agent's own job that signer has to stand at least. Where the policy does not say, certificates have to be
   * isolated, and a plain key counts by the policy's word: nothing can tell where it is kept.
   */
  readonly tier?: 'local-key' | 'job' | 'isolated';
  /** Identities that are a hosted platform's, which no job of a user can be: isolated by the policy's word. */
  readonly hosted: readonly string[];
  readonly buildTypes: readonly string[];
  /** Patterns for `provider/model`, runtime names and tool names; undefined: any. */
  readonly models?: readonly string[];
  readonly runtimes?: readonly string[];
  readonly tools?: readonly string[];
  readonly sandbox?: SandboxRule;
  /** Who has to have signed the runtime's own policy decision that provenance names by digest. */
  readonly decision?: SignedRule;
  /** Milliseconds; how old provenance may be, by a proved time. */
  readonly maxAge?: number;
  readonly place: Place;
}

/** A sandbox must be stated; where a list is given, what is stated must be in it. */
export interface SandboxRule {
  /** Patterns for `host:port`. */
  readonly network?: readonly string[];
  readonly filesystem?: readonly string[];
  readonly credentials?: readonly string[];
  readonly place: Place;
}

export interface HighRiskRule {
  /** Beside those that are high risk by themselves. */
  readonly paths: readonly string[];
  /** At least 1. */
  readonly approvals: number;
  /** Names of people; all of the policy's people where none are named. */
  readonly by: readonly string[];
  /** Identities that are believed when they record other people's approvals: a review workflow, gittuf's app. */
  readonly records: readonly string[];
  /** What an approval has to say: `merge`. */
  readonly operation: string;
  readonly carryOver: 'replay' | 'never';
  readonly place: Place;
}

export interface ImageRule {
  readonly match: string;
  /** Whether it speaks of a repository such as `registry.example/acme/shop`. */
  readonly matches: (repository: string) => boolean;
  /** Only by digest. */
  readonly pinned: boolean;
  readonly signed?: SignedRule;
  readonly place: Place;
}

/** Names of identities and people. */
export interface SignedRule {
  readonly kind: 'any' | 'all' | 'threshold';
  readonly of: readonly string[];
  /** How many of them: 1 for `any`, all of them for `all`. */
  readonly count: number;
  readonly place: Place;
}

export interface Unjudged {
  /** `images[0].sbom` */
  readonly path: string;
  readonly value: unknown;
  readonly place: Place;
  /** The command that does judge it. */
  readonly judgedBy?: 'change';
}
