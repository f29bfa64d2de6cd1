/**
 * The facts document: everything that is known about one subject, and all that a policy sees. docs/formats/facts.md is
 * the contract; these types are it in TypeScript, complete on purpose, so that a change elsewhere cannot change it
 * unseen.
 *
 * What we saw (`observed`), what somebody signed and we verified (`verified`) and what is merely said (`claims`) are
 * three places. A rule that needs a fact from one can never be fed from another.
 *
 * Records from the input are lists of name and value: no key of an object ever comes from outside.
 */

export const factsSchema = 'tidewaiter.facts/v1';

export interface Facts {
  readonly schema: typeof factsSchema;
  readonly tool: { readonly name: string; readonly version: string };
  /** When the facts were gathered: RFC 3339, UTC, whole seconds. */
  readonly time: string;
  /**
   * True for facts that were read from a file. Whoever wrote the file could have written anything, so such facts can be
   * explained and tested, and never pass a gate.
   */
  readonly replayed: boolean;
  readonly subject: FactSubject;
  readonly observed: Observed;
  readonly verified: readonly VerifiedStatement[];
  readonly claims: FactClaims;
  readonly coverage: FactCoverage;
}

export interface FactSubject {
  readonly requested: string;
  readonly kind: 'image' | 'rootfs' | 'source' | 'file';
  readonly name: string;
  readonly version?: string;
  /** `sha256:…` or `sha512:…`, recomputed by us, like every digest of the subject. */
  readonly index?: string;
  readonly manifest?: string;
  readonly config?: string;
  readonly digest?: string;
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly osVersion?: string;
  };
  /** From the bottom. */
  readonly layers: readonly FactLayer[];
}

export interface FactLayer {
  /** The position in the list, from 0. */
  readonly index: number;
  readonly digest?: string;
  readonly diffId: string;
  /** Bytes, stored and uncompressed. */
  readonly size: number;
  readonly plainSize: number;
  readonly createdBy?: string;
}

export interface Observed {
  readonly distro?: FactDistro;
  /** Refs of the components that nothing else needs. */
  readonly roots: readonly string[];
  /** By ref. */
  readonly components: readonly FactComponent[];
}

export interface FactDistro {
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId?: string;
  readonly name?: string;
  readonly prettyName?: string;
  readonly version?: string;
  readonly codename?: string;
  readonly variantId?: string;
  readonly buildId?: string;
  readonly imageId?: string;
  readonly imageVersion?: string;
  readonly cpe?: string;
  readonly homeUrl?: string;
  readonly supportEnd?: string;
  readonly path: string;
  readonly layer: number;
}

export interface FactComponent {
  /** Unique in the document. */
  readonly ref: string;
  readonly purl: string;
  readonly ecosystem: string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly kind: 'library' | 'application' | 'framework' | 'operating-system';
  readonly scope: 'required' | 'optional' | 'excluded';
  readonly licenses: readonly string[];
  readonly hashes: readonly FactHash[];
  readonly supplier?: FactParty;
  readonly authors: readonly FactParty[];
  readonly description?: string;
  readonly homepage?: string;
  readonly vcs?: string;
  readonly distribution?: string;
  readonly cpes: readonly string[];
  readonly sightings: readonly FactSighting[];
  /** Ref. */
  readonly ownedBy?: string;
  /** Refs. */
  readonly requires: readonly string[];
  readonly requiresKnown: 'complete' | 'incomplete' | 'unknown';
  readonly properties: readonly NameValue[];
}

export interface FactHash {
  readonly alg: 'MD5' | 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  readonly content: string;
}

export interface FactParty {
  readonly name: string;
  readonly email?: string;
  readonly url?: string;
}

export interface FactSighting {
  readonly cataloger: string;
  readonly technique: 'manifest-analysis' | 'binary-analysis' | 'filename';
  /** 0 to 1. */
  readonly confidence: number;
  readonly places: readonly { readonly path: string; readonly layer: number }[];
}

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** A statement whose signature was verified against a pinned identity. */
export interface VerifiedStatement {
  /** Predicate type URI of the in-toto statement. */
  readonly predicateType: string;
  /** Digest of the signed payload, `sha256:…`. */
  readonly statement: string;
  /** Digest of the evidence as it was found (bundle, envelope, signature file), `sha256:…`. */
  readonly evidence: string;
  readonly identity: SignerIdentity;
}

export type SignerIdentity =
  | { readonly kind: 'certificate'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'key'; readonly fingerprint: string };

/** What the subject says of itself. Nobody vouches for it. */
export interface FactClaims {
  readonly created?: string;
  readonly author?: string;
  readonly annotations: readonly NameValue[];
  readonly labels: readonly NameValue[];
}

export interface FactCoverage {
  readonly files: number;
  readonly excluded: number;
  readonly catalogers: readonly {
    readonly cataloger: string;
    readonly files: number;
    readonly packages: number;
    readonly gaps: number;
  }[];
  /** What could not be read. */
  readonly gaps: readonly FactGap[];
}

export interface FactGap {
  readonly rule: string;
  readonly path: string;
  readonly layer?: number;
  readonly cataloger?: string;
  readonly reason: string;
}
