/**
 * One piece of evidence against the target: what it is, whether it holds, who made it, and what that says of the pins.
 * Nothing here decides; verify-decide.ts does.
 */
import { plural } from '../diag/index.ts';
import type { CheckedSignature, CheckedSigner, CheckedStatement, Failure, NameValue } from '../report/verification.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { matchSubject, parseStatement } from '../sigstore/statement.ts';
import type { Artifact, PublicKey, Signature, SignedEntity, Signer, TrustRoot, Verified } from '../sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../sigstore/verify.ts';
import { failureOf } from './verify-failures.ts';
import type { Pins } from './verify-pins.ts';
import { describeStatement } from './verify-statement.ts';

export interface Evidence {
  readonly place: string;
  /** Path, where it lies in a file of its own. */
  readonly file?: string;
  /** The digest of the image that it hangs on. */
  readonly attachedTo?: string;
  readonly format: string;
  readonly content:
    | { readonly kind: 'entity'; readonly entity: SignedEntity; readonly binding?: Binding }
    | { readonly kind: 'failed'; readonly error: VerifyError; readonly hints?: readonly string[] }
    /** Nothing signs it, or it is about something beside the target: it is listed, and that is all. */
    | { readonly kind: 'listed'; readonly verdict: 'unsigned' | 'not-counted'; readonly note: string };
}

/** The signature is over a document that names the target by digest: cosign's simple signing. */
export interface Binding {
  readonly payload: Artifact;
  /** Called when the signature holds. Throws VerifyError when the document does not name this digest. */
  match(digest: string): void;
  /** What the signer called it; empty where nothing was said. Throws VerifyError. */
  reference(): string;
}

export interface CheckContext {
  readonly trust: readonly TrustRoot[];
  /** Those inside tidewaiter that are not trusted here: only to say what a signature is, never to believe it. */
  otherRoots(): readonly TrustRoot[];
  readonly pins: Pins;
  readonly predicateType?: string;
  /** How old a signature may be; `now` in milliseconds. */
  readonly age?: { readonly maxDays: number; readonly now: number };
}

/** A digest of the target that a signature may be about. */
export interface TargetArtifact {
  /** `sha256:…`, as the result names it. */
  readonly digest: string;
  readonly artifact: Artifact;
}

export interface Checked {
  readonly signature: CheckedSignature;
  /** What holds, by the digest that it is about; empty for what does not, or does not count. */
  readonly counts: readonly { readonly digest: string; readonly verified: Verified<Signature> }[];
}

export function checkEvidence(evidence: Evidence, targets: readonly TargetArtifact[], context: CheckContext): Checked {
  const { content } = evidence;
  if (content.kind === 'listed') return plain(evidence, { verdict: content.verdict, note: content.note });
  if (content.kind === 'failed') return failed(evidence, content.error);
  // What hangs on one digest of the image is about that one, or about nothing here.
  const own = targets.filter(({ digest }) => evidence.attachedTo === undefined || evidence.attachedTo === digest);
  const verifyOver = verifier(content, context);
  const held: Checked['counts'][number][] = [];
  let error: VerifyError | undefined;
  for (const target of candidates(content, own)) {
    const outcome = outcomeOf(() => verifyOver(target));
    if (outcome.ok) held.push({ digest: target.digest, verified: outcome.value });
    else error = outcome.failure;
    // Everything else is wrong whatever the subject: the other digests cannot mend it.
    if (!outcome.ok && outcome.failure.code !== 'wrong-subject') break;
  }
  const [first] = held;
  if (first !== undefined) return judged(evidence, held, first.verified, context);
  error ??= new VerifyError('wrong-subject', 'there is nothing here that it could be about');
  const unknown = error.code === 'untrusted' || error.code === 'unproved';
  const told = unknown ? ofOtherInstance(evidence, content, own[0], context) : undefined;
  return told ?? failed(evidence, error);
}

type EntityContent = Evidence['content'] & { readonly kind: 'entity' };

/**
 * Those of many digests that it may be about, found without cryptography: a proof for each platform of each line of a file
 * could take days. Where it is about none, the first of them, so that what is wrong with it is found out all the same.
 */
function candidates({ entity, binding }: EntityContent, own: readonly TargetArtifact[]): readonly TargetArtifact[] {
  if (own.length < 2 || binding !== undefined) return own;
  const named = namedBy(entity);
  if (named === undefined) return own.slice(0, maxUnnamed);
  const found = own.filter(({ artifact }) => [...artifact.digests].some(([name, hex]) => named.has(`${name}:${hex}`)));
  return found.length > 0 ? found : own.slice(0, 1);
}

/** Signatures over a digest that nothing names are tried one by one. */
const maxUnnamed = 64;

function namedBy({ content }: SignedEntity): ReadonlySet<string> | undefined {
  if (content.kind === 'message') {
    const { digest } = content;
    return digest && new Set([`${digest.algorithm}:${digest.value.toString('hex')}`]);
  }
  const statement = outcomeOf(() => parseStatement(content.payload));
  if (!statement.ok) return new Set();
  return new Set(statement.value.subjects.flatMap(({ digest }) => [...digest].map(([name, hex]) => `${name}:${hex}`)));
}

/** Proves the signature once and holds what it says against each digest; a signature over the digest itself is proved for each. */
function verifier({ entity, binding }: EntityContent, context: CheckContext) {
  let proved: Verified<Signature> | undefined;
  /** Throws VerifyError. */
  return ({ digest, artifact }: TargetArtifact): Verified<Signature> => {
    const before = proved;
    const says = binding !== undefined || before?.statement !== undefined;
    const verified =
      before !== undefined && says ? before : verifySigner(entity, binding?.payload ?? artifact, context);
    proved = verified;
    if (before?.statement !== undefined && binding === undefined) matchSubject(before.statement, artifact);
    binding?.match(digest);
    return verified;
  };
}

function verifySigner(entity: SignedEntity, artifact: Artifact, { trust, pins }: CheckContext): Verified<Signature> {
  if (entity.material.kind === 'certificate') return verifyEntity(entity, trust, artifact, {});
  const [first, ...others] = pins.keys;
  if (first === undefined) {
    throw new VerifyError('untrusted', 'it is signed with a plain key, and no key is pinned');
  }
  const outcome = outcomeOf(() => verifyEntity(entity, trust, artifact, { key: first }));
  if (outcome.ok) return outcome.value;
  for (const key of others) {
    const next = outcomeOf(() => verifyEntity(entity, trust, artifact, { key }));
    if (next.ok) return next.value;
    // The key that made it is the one that says the most about what is wrong.
    if (outcome.failure.code === 'invalid' && next.failure.code !== 'invalid') throw next.failure;
  }
  throw explainKey(outcome.failure, entity, pins.keys);
}

/** A hint is a claim and decides nothing; it says which key to look for. */
function explainKey(error: VerifyError, entity: SignedEntity, keys: readonly PublicKey[]): VerifyError {
  const hint = entity.material.kind === 'key' ? entity.material.hint : undefined;
  if (error.code !== 'invalid' || hint === undefined) return error;
  const claimed = Buffer.from(hint, 'base64').toString('hex');
  if (claimed.length !== 64 || keys.some(({ fingerprint }) => fingerprint === claimed)) return error;
  return new VerifyError('invalid', 'it does not verify with any pinned key, and says of itself that another made it', {
    expected: keys.map(({ fingerprint }) => `sha256:${fingerprint}`).join(', '),
    got: `sha256:${claimed}`,
    cause: error,
  });
}

function judged(
  evidence: Evidence,
  held: Checked['counts'],
  verified: Verified<Signature>,
  context: CheckContext,
): Checked {
  const { pins, predicateType } = context;
  const described = verified.statement === undefined ? undefined : describeStatement(verified.statement);
  const facts = {
    subjects: held.map(({ digest }) => digest),
    signer: signerOf(verified.signer),
    times: verified.times.map(({ at, source, by }) => ({ at: new Date(at).toISOString(), source, by })),
    ...(described === undefined ? {} : { statement: described.statement }),
    ...referenceOf(evidence),
    ...(verified.log === undefined ? {} : { log: { by: verified.log.by, index: verified.log.index } }),
  };
  const match = pins.match(verified);
  if (!match.ok) return plain(evidence, { ...facts, verdict: 'wrong-identity', failure: match.failure });
  const otherType = predicateType !== undefined && verified.statement?.predicateType !== predicateType;
  if (otherType) {
    const note = verified.statement === undefined ? 'it is no statement' : 'it is a statement of another type';
    return plain(evidence, { ...facts, verdict: 'not-counted', note, matched: match.names });
  }
  if (described?.against !== undefined) {
    return plain(evidence, { ...facts, verdict: 'negative', note: described.against, matched: match.names });
  }
  const old = outdated(verified, context.age);
  if (old?.code === 'unproved') return failed(evidence, old);
  if (old !== undefined)
    return plain(evidence, { ...facts, verdict: old.code, failure: failureOf(old), matched: match.names });
  return { ...plain(evidence, { ...facts, verdict: 'trusted', matched: match.names }), counts: held };
}

/**
 * What a signature says of its own time is not believed: a log or a time stamp has to say it. The earliest counts: a later
 * time stamp over an old signature does not make it younger.
 */
function outdated({ times }: Verified<Signature>, age: CheckContext['age']): VerifyError | undefined {
  if (age === undefined) return undefined;
  if (times.length === 0) {
    return new VerifyError('unproved', 'it holds, but nothing proves when it was made, and its age is limited');
  }
  const made = Math.min(...times.map(({ at }) => at));
  const earliest = age.now - age.maxDays * dayMs;
  if (made >= earliest) return undefined;
  const days = Math.floor((age.now - made) / dayMs);
  return new VerifyError('too-old', `signed ${plural(days, 'day')} ago, and ${age.maxDays} are allowed`, {
    expected: `after ${new Date(earliest).toISOString()}`,
    got: new Date(made).toISOString(),
  });
}

const dayMs = 24 * 60 * 60 * 1000;

function failed(evidence: Evidence, error: VerifyError): Checked {
  return plain(evidence, { verdict: error.code, failure: failureOf(error, keyHints(evidence, error)) });
}

function keyHints({ content }: Evidence, { code }: VerifyError): readonly string[] {
  if (content.kind === 'failed') return content.hints ?? [];
  if (content.kind !== 'entity' || content.entity.material.kind !== 'key') return [];
  if (code === 'untrusted') return ['give the public key that has to have signed with --key FILE'];
  if (code !== 'invalid') return [];
  return ['check that the key is the one that signed, and that what it signed was not changed since'];
}

/**
 * A signature of another public instance fails in ways that say nothing to a user: no log entry, an unknown issuer. Whether
 * one of the instances that tidewaiter carries made it is found out by trying; the answer is a refusal all the same.
 */
function ofOtherInstance(
  evidence: Evidence,
  { entity, binding }: EntityContent,
  target: TargetArtifact | undefined,
  context: CheckContext,
): Checked | undefined {
  if (entity.material.kind !== 'certificate' || target === undefined) return undefined;
  const artifact = binding?.payload ?? target.artifact;
  for (const root of context.otherRoots()) {
    const outcome = outcomeOf(() => verifyEntity(entity, [root], artifact, {}));
    if (!outcome.ok && outcome.failure.code !== 'wrong-subject') continue;
    const trusted = context.trust.map(({ name }) => name).join(', ');
    const message = `it was made with the Sigstore instance "${root.name}", and what is trusted is ${trusted}`;
    const hint = `if you expect that instance to sign this, say so: --trust ${root.name}, or trust: ${root.name} in the policy`;
    return plain(evidence, { verdict: 'untrusted', failure: failureOf(new VerifyError('untrusted', message), [hint]) });
  }
  return undefined;
}

/** Signed, and by the specification no part of what is verified: whoever pins a name sees here what the signer meant. */
function referenceOf({ content }: Evidence): { readonly reference?: string } {
  const reference = content.kind === 'entity' ? content.binding?.reference() : undefined;
  return reference === undefined || reference === '' ? {} : { reference };
}

type Found = Pick<CheckedSignature, 'verdict'> & {
  readonly note?: string;
  readonly failure?: Failure;
  readonly subjects?: readonly string[];
  readonly matched?: readonly string[];
  readonly signer?: CheckedSigner;
  readonly times?: CheckedSignature['times'];
  readonly statement?: CheckedStatement;
  readonly reference?: string;
  readonly log?: { readonly by: string; readonly index: number };
};

function plain(evidence: Evidence, found: Found): Checked {
  const { place, file, attachedTo, format } = evidence;
  const { verdict, note, failure, subjects = [], matched = [], signer, times = [], statement, reference, log } = found;
  const signature: CheckedSignature = {
    place,
    ...(file === undefined ? {} : { file }),
    ...(attachedTo === undefined ? {} : { attachedTo }),
    format,
    verdict,
    ...(note === undefined ? {} : { note }),
    ...(failure === undefined ? {} : { failure }),
    subjects,
    matched,
    ...(signer === undefined ? {} : { signer }),
    times,
    ...(statement === undefined ? {} : { statement }),
    ...(reference === undefined ? {} : { reference }),
    ...(log === undefined ? {} : { log }),
  };
  return { signature, counts: [] };
}

function signerOf(signer: Signer): CheckedSigner {
  if (signer.kind === 'key') return { kind: 'key', fingerprint: signer.fingerprint };
  const { issuer, subject, claims } = signer.identity;
  return {
    kind: 'certificate',
    trust: signer.trust,
    issuer,
    subject: { type: subject.type, value: subject.value },
    claims: pairs(claims),
  };
}

function pairs(map: ReadonlyMap<string, string>): NameValue[] {
  return [...map].map(([name, value]) => ({ name, value })).sort((one, other) => (one.name < other.name ? -1 : 1));
}
