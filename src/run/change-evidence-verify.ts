/**
 * One signed statement, held against the repository and the policy's people and identities. What does not hold, is by nobody
 * whom the policy names, or is about a commit that is not there becomes a refusal that says so; nothing else gets through.
 *
 * The commit is taken from the statement, and believed only as a name: its tree is what the repository says, after the
 * signature was found to hold over the statement. Whether the commit is one of this range is the judge's to decide.
 */
import { hash } from 'node:crypto';
import { readChangeStatement } from '../change/statements/index.ts';
import type { ChangeStatement, EvidenceSigner, RefusedEvidence, VerifiedEvidence } from '../change/types.ts';
import { findRule, type RuleId } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import { inTotoPayload } from '../sigstore/dsse.ts';
import type { FailureCode } from '../sigstore/failure.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { parseStatement } from '../sigstore/statement.ts';
import type { Artifact, SignedEntity } from '../sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../sigstore/verify.ts';
import type { Placed } from './change-evidence-forms.ts';
import { verifyByKeys, wantedKeys } from './change-evidence-keys.ts';
import { signerOf } from './change-evidence-signers.ts';
import type { LoadedSigners } from './change-signers.ts';

/** A payload with a signature that may be over it. */
export interface Signed extends Placed {
  readonly format: string;
  readonly payload: Buffer;
  readonly payloadType: string;
  /** By a key that no certificate and no SSH signature speaks for. */
  readonly plainKey: boolean;
  /** Whose signature it is, over the payload and about the artifact. Throws VerifyError. */
  prove(artifact: Artifact): Proof;
}

export interface Proof {
  readonly signer: EvidenceSigner;
  readonly times: readonly number[];
}

export interface VerifyContext {
  readonly signers: LoadedSigners;
  readonly buildTypes: readonly string[];
  /** Milliseconds. */
  readonly now: number;
  /** The commit with that name in the repository, hashed again; undefined where there is none. */
  known(commit: ObjectId): Promise<{ readonly tree: ObjectId } | undefined>;
}

export async function verifySigned(
  signed: Signed,
  context: VerifyContext,
): Promise<
  { readonly ok: true; readonly evidence: VerifiedEvidence } | { readonly ok: false; readonly refused: RefusedEvidence }
> {
  const no = (refused: RefusedEvidence) => ({ ok: false, refused }) as const;
  const read = outcomeOf(() => readChangeStatement(signed.payload, signed.payloadType, context.buildTypes));
  if (!read.ok) return no(refusalOf(signed, statementRule(read.failure), read.failure, claimedBy(signed.payload)));
  const statement = read.value;
  const { commit, tree } = subjectOf(statement);
  const there = commit === undefined ? undefined : await context.known(commit);
  if (commit !== undefined && there === undefined) {
    return no(refusalOf(signed, 'subject-mismatch', notHere(commit), commit));
  }
  const proof = outcomeOf(() => signed.prove(artifactOf(signed, there?.tree)));
  if (!proof.ok) return no(unproved(signed, proof.failure, statement, context));
  // For what is no DSSE envelope, nobody has held the subject against the repository yet.
  if (there !== undefined && tree !== undefined && tree !== there.tree) {
    return no(refusalOf(signed, 'tree-mismatch', otherTree(there.tree, tree), commit));
  }
  const { place, digest, format, payload } = signed;
  const statementDigest = hash('sha256', payload, 'hex');
  return { ok: true, evidence: { place, digest, statementDigest, format, statement, ...proof.value } };
}

/** Proves by the certificate that is in it, or by each of the plain keys that the policy names. Throws VerifyError. */
export function proveEntity(entity: SignedEntity, artifact: Artifact, { signers }: VerifyContext): Proof {
  const verified =
    entity.material.kind === 'certificate'
      ? verifyEntity(entity, signers.roots, artifact)
      : verifyByKeys(entity, entity.material.hint, artifact, signers);
  return { signer: signerOf(verified, signers), times: verified.times.map(({ at }) => at) };
}

function unproved(
  signed: Signed,
  failure: VerifyError,
  statement: ChangeStatement,
  { signers }: VerifyContext,
): RefusedEvidence {
  const { commit } = subjectOf(statement);
  const isOfKey = signed.plainKey && (failure.code === 'invalid' || failure.code === 'wrong-identity');
  if (!isOfKey) return refusalOf(signed, proofRule(failure), failure, commit);
  const { expected = failure.expected, hints } = wantedKeys(statement.kind, signers);
  const { message, got } = failure;
  return refusalOf(signed, proofRule(failure), { message, expected, got }, commit, hints);
}

/** For messages and lists: every refusal says what to do. */
export function refusalOf(
  { place, format }: { readonly place: string; readonly format?: string },
  rule: RuleId,
  { message, expected, got }: Pick<VerifyError, 'message'> & Partial<Pick<VerifyError, 'expected' | 'got'>>,
  claimedCommit?: string,
  hints: readonly string[] = [],
): RefusedEvidence {
  const help = findRule(rule)?.help;
  return {
    place,
    ...(format !== undefined && { format }),
    rule,
    message,
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    hints: hints.length > 0 || help === undefined ? hints : [help],
    ...(claimedCommit !== undefined && { claimedCommit }),
  };
}

/** What a document that cannot be read is called: its format is broken, or it is of a kind that nobody reads here. */
export function statementRule({ code, expected }: VerifyError): RuleId {
  // A build type or a result that is not accepted is a matter of the statement, and comes with those that are.
  return code === 'unsupported' && expected === undefined ? 'signature-unsupported' : 'schema-invalid';
}

const proofRules: Readonly<Record<FailureCode, RuleId>> = {
  absent: 'provenance-signature',
  unreachable: 'evidence-unreachable',
  malformed: 'provenance-signature',
  unsupported: 'signature-unsupported',
  invalid: 'provenance-signature',
  untrusted: 'provenance-signature',
  unproved: 'signature-unproved',
  'wrong-subject': 'tree-mismatch',
  'wrong-identity': 'identity-mismatch',
  'too-old': 'stale',
};

function proofRule({ code }: VerifyError): RuleId {
  return proofRules[code];
}

/** The commit and tree that the statement is about, by its subject. */
function subjectOf(statement: ChangeStatement): { readonly commit?: ObjectId; readonly tree?: ObjectId } {
  switch (statement.kind) {
    case 'agent-change':
      // A commit beside the digest of a change is no subject: the change may have been squashed since.
      return statement.subject.kind === 'commit' ? statement.subject : {};
    case 'approval':
      return { commit: statement.head, tree: statement.tree };
    case 'review-coverage':
      return statement;
    case 'source-provenance':
      return { commit: statement.commit };
    case 'policy-decision':
      return statement.commit === undefined ? {} : { commit: statement.commit };
    case 'gittuf-approval':
      return {};
  }
}

/**
 * What a DSSE statement has to be about: its own subject, with the tree that the commit really has. What signs the bytes of the
 * statement is about these bytes.
 */
function artifactOf({ payload, payloadType, place }: Signed, tree: ObjectId | undefined): Artifact {
  if (payloadType !== inTotoPayload) {
    return { name: place, digests: new Map([['sha256', hash('sha256', payload, 'hex')]]), bytes: payload };
  }
  const [subject] = parseStatement(payload).subjects;
  const digests = new Map(subject?.digest);
  if (tree !== undefined) digests.set('gitTree', tree);
  return { name: place, digests };
}

function notHere(commit: ObjectId): VerifyError {
  return new VerifyError('wrong-subject', 'the statement is about a commit that this repository does not have', {
    got: commit,
  });
}

function otherTree(expected: ObjectId, got: ObjectId): VerifyError {
  return new VerifyError('wrong-subject', 'the statement names a tree that its commit does not have', {
    expected,
    got,
  });
}

/** Only for people, of a statement that cannot be read otherwise. */
function claimedBy(payload: Buffer): string | undefined {
  const statement = outcomeOf(() => parseStatement(payload));
  return statement.ok ? statement.value.subjects[0]?.digest.get('gitCommit') : undefined;
}
