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
  /** Parts that were read and not judged. Whoever gives a verdict has to name them. */
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
}
