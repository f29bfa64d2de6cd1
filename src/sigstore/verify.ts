/**
 * Verification of one signature over one artifact, offline. In outline:
 *
 *  1. the key: of the leaf certificate, or the one that the caller pinned;
 *  2. the signature holds over the artifact (or its digest), or over an in-toto statement;
 *  3. every log entry speaks of this signature, this key and this content, and of nothing else;
 *  4. for a certificate, under ONE trusted root, roots are never mixed:
 *     a. every log entry is proved by the root's logs, and there is one where the root has logs;
 *     b. the times proved by log promises and by timestamp authorities: at least one;
 *     c. the chain holds at every one of these times;
 *     d. the issuance was logged, where the root has certificate transparency logs;
 *     for a key: every entry of a log that some root knows is proved;
 *  5. a statement is about the artifact.
 *
 * Who may sign is not decided here: what comes out names the signer, and pins are held against it afterwards (pin.ts).
 * https://github.com/sigstore/architecture-docs/blob/main/client-spec.md §4
 */
import { leafOf } from './ahead.ts';
import { parseCertificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import { matchEntryBody } from './entry-body.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { identityOf } from './identity-fields.ts';
import { type LoggedEntry, verifyLogEntry } from './log-entry.ts';
import { verifyScts } from './sct.ts';
import { verifyContent } from './signed-content.ts';
import { matchSubject } from './statement.ts';
import { verifyTimestamp } from './timestamp.ts';
import type {
  Artifact,
  Certificate,
  ProvedTime,
  PublicKey,
  Signature,
  SignedEntity,
  Signer,
  TimeRange,
  TrustRoot,
  Verified,
} from './types.ts';

export interface VerifyOptions {
  /** For signatures without a certificate: the key that the caller expects. */
  readonly key?: PublicKey;
  /** When that key may sign; then a proved time is needed. */
  readonly keyValidFor?: TimeRange;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: VerifyError };

/** Throws VerifyError. What it returns is proved, and says who signed; whether they may is the caller's to decide. */
export function verifyEntity(
  entity: SignedEntity,
  trust: readonly TrustRoot[],
  artifact: Artifact,
  options: VerifyOptions = {},
): Verified<Signature> {
  const material = signingKey(entity, options);
  const { statement, digest } = verifyContent(entity.content, material.key, artifact);
  for (const entry of entity.entries) {
    const signer = material.kind === 'key' ? { key: material.key } : { certificate: material.leaf.der };
    matchEntryBody(entry, entity.content, signer, digest);
  }
  const proof = material.kind === 'key' ? proveKey(entity, trust, material) : proveAnywhere(entity, trust, material);
  if (statement !== undefined) matchSubject(statement, artifact);
  const signature: Signature = {
    format: entity.format,
    signer: proof.signer,
    times: proof.times,
    ...(statement !== undefined && { statement }),
    ...(proof.log !== undefined && { log: proof.log }),
  };
  // The only place where this type is made.
  return signature as Verified<Signature>;
}

/** A refusal as a value. Anything else that is thrown is a bug and passes through. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { ok: true, value: run() };
  } catch (failure) {
    if (failure instanceof VerifyError) return { ok: false, failure };
    throw failure;
  }
}

/** Of several failures the one that says most: a root that knows nothing of a signature says least. */
export function mostTelling(failures: readonly VerifyError[]): VerifyError | undefined {
  return failures.toSorted((a, b) => telling.indexOf(a.code) - telling.indexOf(b.code))[0];
}

const telling: readonly VerifyError['code'][] = [
  'wrong-subject',
  'wrong-identity',
  'too-old',
  'invalid',
  'unproved',
  'malformed',
  'unsupported',
  'untrusted',
  'unreachable',
  'absent',
];

type Material =
  | { readonly kind: 'key'; readonly key: PublicKey; readonly validFor?: TimeRange }
  | {
      readonly kind: 'certificate';
      readonly key: PublicKey;
      readonly leaf: Certificate;
      readonly extra: readonly Certificate[];
    };

function signingKey(entity: SignedEntity, { key, keyValidFor }: VerifyOptions): Material {
  const { material } = entity;
  if (material.kind === 'key') {
    if (key === undefined) throw new VerifyError('untrusted', 'it is signed with a plain key, and no key is pinned');
    return { kind: 'key', key, ...(keyValidFor !== undefined && { validFor: keyValidFor }) };
  }
  const leaf = leafOf(entity, material.leaf);
  return { kind: 'certificate', key: leaf.publicKey(), leaf, extra: intermediates(material.chain) };
}

/**
 * What came along beside the leaf may help to build a path. Signers must not send a root; early npm bundles and cosign
 * have it at the end, where it is passed over. Anywhere else the chain is no chain. By its names alone: whether it really
 * signed itself does not matter for what is not used.
 */
function intermediates(chain: readonly Buffer[]): readonly Certificate[] {
  const certificates = chain.map(parseCertificate);
  const root = certificates.findIndex(({ subject, issuer }) => subject.equals(issuer));
  if (root === -1) return certificates;
  if (root !== certificates.length - 1) throw malformed('a root certificate stands inside the certificate chain');
  return certificates.slice(0, root);
}

interface Proof {
  readonly signer: Signer;
  readonly times: readonly ProvedTime[];
  readonly log?: { readonly by: string; readonly index: number };
}

type Certified = Material & { readonly kind: 'certificate' };

function proveAnywhere(entity: SignedEntity, trust: readonly TrustRoot[], material: Certified): Proof {
  const failures: VerifyError[] = [];
  for (const root of trust) {
    const outcome = outcomeOf(() => proveCertificate(entity, root, material));
    if (outcome.ok) return outcome.value;
    failures.push(outcome.failure);
  }
  throw mostTelling(failures) ?? new VerifyError('untrusted', 'there is no trusted root to verify a certificate with');
}

function proveCertificate(entity: SignedEntity, root: TrustRoot, { leaf, extra }: Certified): Proof {
  const logged = provedEntries(entity, root);
  const times = [...logged.flatMap(({ time }) => time ?? []), ...timestamps(entity, root)];
  checkLogValidity(logged, times);
  let issuer: Certificate | undefined;
  // At every time, not at one of them: each is a statement that the signature existed then.
  for (const { at } of times) issuer = verifyChain(leaf, extra, root.certificateAuthorities, at, 'codeSigning').issuer;
  if (issuer === undefined) {
    throw new VerifyError('unproved', 'nothing that is trusted says when it was signed: a certificate needs a time');
  }
  if (root.ctlogs.length > 0) verifyScts(leaf, issuer, root.ctlogs);
  return {
    signer: { kind: 'certificate', identity: identityOf(leaf), trust: root.name },
    times,
    ...logOf(logged),
  };
}

/**
 * At least one where the root has logs. An entry of a log that it does not list is passed over beside a good one, as a
 * timestamp is: it adds nothing, and its body was held against the signature already.
 */
function provedEntries({ entries, requires }: SignedEntity, root: TrustRoot): readonly LoggedEntry[] {
  const outcomes = entries.map((entry) => outcomeOf(() => verifyLogEntry(entry, root.tlogs, requires)));
  const proved = outcomes.flatMap((each) => (each.ok ? [each.value] : []));
  const failures = outcomes.flatMap((each) => (each.ok ? [] : [each.failure]));
  const wrong = failures.find(({ code }) => code !== 'untrusted') ?? (proved.length === 0 ? failures[0] : undefined);
  if (wrong !== undefined) throw wrong;
  if (root.tlogs.length > 0 && proved.length === 0) {
    throw new VerifyError('unproved', `no transparency log entry came with the signature, and ${root.name} has logs`);
  }
  return proved;
}

type Keyed = Material & { readonly kind: 'key' };

/** A pinned key needs nobody to vouch for it; but what does vouch, and is known, must not be wrong. */
function proveKey(entity: SignedEntity, trust: readonly TrustRoot[], { key, validFor }: Keyed): Proof {
  const logged = trust.flatMap(({ tlogs }) =>
    entity.entries
      .filter((entry) => tlogs.some(({ logId }) => logId.equals(entry.logId)))
      .map((entry) => verifyLogEntry(entry, tlogs, entity.requires)),
  );
  const times = [...logged.flatMap(({ time }) => time ?? []), ...trust.flatMap((root) => timestamps(entity, root))];
  if (validFor !== undefined) checkValidity(times, validFor);
  return { signer: { kind: 'key', fingerprint: key.fingerprint }, times, ...logOf(logged) };
}

function checkValidity(times: readonly ProvedTime[], validFor: TimeRange): void {
  if (times.length === 0) {
    throw new VerifyError('unproved', 'the key may sign for some time only, and nothing trusted says when it signed');
  }
  const outside = times.find(({ at }) => !isWithin(at, validFor));
  if (outside === undefined) return;
  throw invalid('the key was not valid when it signed', {
    expected: describeRange(validFor),
    got: date(outside.at),
  });
}

/** The times by authorities that the root knows. One that it knows, and that is wrong, is a failure. */
function timestamps(entity: SignedEntity, root: TrustRoot): readonly ProvedTime[] {
  return entity.timestamps.flatMap((response) => {
    const outcome = timestamp(response, entity, root);
    if (outcome.ok) return [outcome.value];
    if (outcome.failure.code === 'untrusted') return [];
    throw outcome.failure;
  });
}

function timestamp(response: Buffer, { content, stamped }: SignedEntity, root: TrustRoot): Outcome<ProvedTime> {
  const outcome = outcomeOf(() => verifyTimestamp(response, content.signature, root.timestampAuthorities));
  if (outcome.ok || stamped === undefined) return outcome;
  const whole = outcomeOf(() => verifyTimestamp(response, stamped, root.timestampAuthorities));
  return whole.ok ? whole : outcome;
}

/**
 * An entry with a time of its own was held against the validity of its log. One without (Rekor v2) is as old as the
 * authorities say: a log's key that was given up must not vouch for what came later.
 */
function checkLogValidity(logged: readonly LoggedEntry[], times: readonly ProvedTime[]): void {
  for (const { time, log } of logged) {
    if (time !== undefined) continue;
    const outside = times.find(({ at }) => !isWithin(at, log.validFor));
    if (outside === undefined) continue;
    throw new VerifyError('untrusted', 'it was signed at a time for which the trusted root does not list its log', {
      expected: describeRange(log.validFor),
      got: date(outside.at),
    });
  }
}

function isWithin(at: number, { start, end = Number.POSITIVE_INFINITY }: TimeRange): boolean {
  return at >= start && at <= end;
}

function describeRange({ start, end }: TimeRange): string {
  return end === undefined ? `from ${date(start)}` : `${date(start)} to ${date(end)}`;
}

function logOf([first]: readonly { by: string; index: number }[]): Pick<Proof, 'log'> {
  return first === undefined ? {} : { log: { by: first.by, index: first.index } };
}

function date(at: number): string {
  return new Date(at).toISOString();
}
