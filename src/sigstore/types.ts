/**
 * What passes between the files of this room. Everything up to `SignedEntity` is untrusted, whatever it claims;
 * `TrustRoot` and `PublicKey` given by the caller are trusted; `Verified<…>` is made by verify.ts alone.
 */
import type { KeyObject } from 'node:crypto';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** Milliseconds since the epoch, both ends inside. An open end is still valid. */
export interface TimeRange {
  readonly start: number;
  readonly end?: number;
}

export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'rsa' | 'ed25519';

export interface PublicKey {
  readonly kind: KeyKind;
  readonly object: KeyObject;
  /** DER SubjectPublicKeyInfo, re-encoded by us: equal keys have equal bytes. */
  readonly spki: Buffer;
  /** Hex SHA-256 of `spki`. */
  readonly fingerprint: string;
}

/** A certificate as far as it was parsed; nothing about it is proved. */
export interface Certificate {
  readonly der: Buffer;
  /** The signed part, and the signature over it with its algorithm. */
  readonly tbs: Buffer;
  readonly signature: Buffer;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly serial: Buffer;
  /** DER names. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Buffer;
  /** Built on first use; throws VerifyError for a key of an unsupported kind. */
  publicKey(): PublicKey;
  readonly isCa: boolean;
  /** Absent: no limit, or no CA. */
  readonly pathLength?: number;
  /** Undefined when the extension is absent. */
  readonly keyUsage?: { readonly digitalSignature: boolean; readonly keyCertSign: boolean };
  /** Dotted object identifiers; undefined when the extension is absent. */
  readonly extendedKeyUsage?: readonly string[];
  readonly extendedKeyUsageCritical: boolean;
  readonly subjectKeyId?: Buffer;
  readonly authorityKeyId?: Buffer;
  readonly names: readonly AlternativeName[];
  /** Raw extension values by dotted identifier, for what is not listed above. A repeated extension is refused. */
  readonly extensions: ReadonlyMap<string, { readonly critical: boolean; readonly value: Buffer }>;
}

export interface SignatureAlgorithm {
  readonly hash: HashName;
  readonly scheme: 'ecdsa' | 'rsa-pkcs1' | 'rsa-pss' | 'ed25519';
}

export interface AlternativeName {
  /** `other` is the otherName 1.3.6.1.4.1.57264.1.7 that Fulcio uses for user names. */
  readonly type: 'uri' | 'email' | 'dns' | 'other';
  readonly value: string;
}

/** One entry of a transparency log, as a bundle or an annotation carries it. */
export interface LogEntry {
  /** Whole number; undefined in none of the formats, but not to be trusted before a proof or a SET covers it. */
  readonly logIndex: number;
  /** SHA-256 of the log's key (Rekor v1), or its checkpoint key id; raw bytes. */
  readonly logId: Buffer;
  /** `hashedrekord` `0.0.1` and so on, as stated beside the body; undefined where the format has none (annotations). */
  readonly kind?: { readonly kind: string; readonly version: string };
  /** Seconds since the epoch; undefined or 0: the entry has no time of its own (Rekor v2). */
  readonly integratedTime?: number;
  /** The log's promise (SET). */
  readonly promise?: Buffer;
  readonly proof?: InclusionProof;
  /** The canonicalised body that the log signed. */
  readonly body: Buffer;
}

export interface InclusionProof {
  readonly logIndex: number;
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  /** Signed note. */
  readonly checkpoint: string;
}

export type SignedContent =
  | {
      readonly kind: 'message';
      readonly signature: Buffer;
      /** A hint of the bundle: compared with the artifact, never believed. */
      readonly digest?: { readonly algorithm: HashName; readonly value: Buffer };
    }
  | {
      readonly kind: 'dsse';
      readonly payloadType: string;
      readonly payload: Buffer;
      readonly signature: Buffer;
      readonly keyId?: string;
    };

export type SignerMaterial =
  /** `chain` is what came along beside the leaf: it may help to build a path, it is never a source of trust. */
  | { readonly kind: 'certificate'; readonly leaf: Buffer; readonly chain: readonly Buffer[] }
  | { readonly kind: 'key'; readonly hint?: string };

/** One signature with everything that came with it, whatever format it came in. */
export interface SignedEntity {
  /** For people: `bundle v0.3`, `cosign annotation`, `PEP 740 attestation`. */
  readonly format: string;
  readonly content: SignedContent;
  readonly material: SignerMaterial;
  readonly entries: readonly LogEntry[];
  /** DER TimeStampResp or TimeStampToken, one each. */
  readonly timestamps: readonly Buffer[];
  /** What a timestamp may be over, if not the signature: some releases of cosign stamp the envelope that holds it. */
  readonly stamped?: Buffer;
  /** What the format demands beyond the trusted root: v0.1 needs a promise, v0.2 and later a proof. */
  readonly requires: 'promise' | 'proof' | 'either';
}

export interface LogKey {
  /** Raw log id as the trusted root states it. */
  readonly logId: Buffer;
  /** Host (and path) that the checkpoint's origin must name. */
  readonly baseUrl: string;
  readonly key: PublicKey;
  readonly validFor: TimeRange;
}

export interface Authority {
  readonly uri: string;
  /** Leaf or intermediate first, the root last, as the trusted root lists them. */
  readonly chain: readonly Certificate[];
  readonly validFor: TimeRange;
}

/** One Sigstore instance. Roots are never mixed: an authority of one cannot vouch for a log entry of another. */
export interface TrustRoot {
  /** `public-good`, `github`, `staging`, or the name of the file. */
  readonly name: string;
  /** Hex SHA-256 of the document it was read from. */
  readonly digest: string;
  readonly tlogs: readonly LogKey[];
  readonly ctlogs: readonly LogKey[];
  readonly certificateAuthorities: readonly Authority[];
  readonly timestampAuthorities: readonly Authority[];
}

/** What the user asks about. */
export interface Artifact {
  /** For people: a path, an image reference, a digest. */
  readonly name: string;
  /** Lower-case hex by algorithm: sha256, sha384, sha512, gitCommit, gitTree. What is not here cannot be matched. */
  readonly digests: ReadonlyMap<string, string>;
  /** The bytes, where they are at hand: some keys (Ed25519) sign them and not a digest. */
  readonly bytes?: Buffer;
}

/** A time that somebody we trust signed. Milliseconds. */
export interface ProvedTime {
  readonly at: number;
  readonly source: 'log' | 'timestamp-authority';
  /** Base URL of the log or URI of the authority. */
  readonly by: string;
}

/** Who signed, as far as the certificate says; proved only inside `Verified`. */
export interface CertificateIdentity {
  /** OIDC issuer. */
  readonly issuer: string;
  /** The one name in the certificate. */
  readonly subject: AlternativeName;
  /** Fulcio's extensions by the names in identity-fields.ts: `buildSignerUri`, `sourceRepositoryUri` … */
  readonly claims: ReadonlyMap<string, string>;
}

export type Signer =
  | { readonly kind: 'certificate'; readonly identity: CertificateIdentity; readonly trust: string }
  | { readonly kind: 'key'; readonly fingerprint: string };

export interface Subject {
  readonly name?: string;
  /** Algorithm to hex digest, as stated. */
  readonly digest: ReadonlyMap<string, string>;
}

/** An in-toto statement, v0.1 or v1. */
export interface Statement {
  readonly type: string;
  readonly subjects: readonly Subject[];
  readonly predicateType: string;
  /** Parsed JSON. */
  readonly predicate: unknown;
}

declare const verified: unique symbol;
/** Only verify.ts can make one. */
export type Verified<T> = T & { readonly [verified]: true };

/** One signature that holds, over this artifact. Who may sign is decided afterwards, against pins. */
export interface Signature {
  readonly format: string;
  readonly signer: Signer;
  /** Times proved by a log or an authority; empty for a plain key without either. */
  readonly times: readonly ProvedTime[];
  /** Undefined for a signature over the artifact itself. */
  readonly statement?: Statement;
  /** `https://sigstore.dev/…` index for people; undefined where nothing was logged. */
  readonly log?: { readonly by: string; readonly index: number };
}
