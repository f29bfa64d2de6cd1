/** The verification: open the target, gather its signatures, check each, decide, and write the answer in every form asked for. */
import { Exit, type ExitCode, OperationalError, quoted, worstExit } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import {
  type Failure,
  type TargetResult,
  type Verification,
  type VerificationOutcome,
  verificationSchema,
  verificationTime,
} from '../report/verification.ts';
import { findClaim, findSigner } from '../sigstore/identity-fields.ts';
import { issuerKind, isWorkflowIssuer } from '../sigstore/issuers.ts';
import { prepareWith } from './verify-ahead.ts';
import { type CheckContext, type Checked, checkEvidence } from './verify-check.ts';
import { decide } from './verify-decide.ts';
import { withHelp } from './verify-failures.ts';
import { loadSigners, type PolicyAsks, type SignerSource } from './verify-signers.ts';
import { readSubjects, type Subject, type SubjectRequest } from './verify-subjects.ts';
import { otherRoots, tooOld } from './verify-trust.ts';

export interface VerifyRequest extends SubjectRequest {
  readonly signers: SignerSource;
  readonly maxRootAgeDays?: number;
  /** How old a signature may be, by its proved time. */
  readonly maxAgeDays?: number;
  readonly predicateType?: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** Throws OperationalError for what cannot be acted on or read at all; everything else is in the result. */
export async function verify(request: VerifyRequest, world: World): Promise<Verification> {
  const signers = await loadSigners(request.signers, world);
  const { predicateType, maxRootAgeDays, maxAgeDays } = request;
  const context: CheckContext = {
    trust: signers.trust.roots,
    otherRoots: otherRoots(signers.trust.roots),
    pins: signers.pins,
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(maxAgeDays === undefined ? {} : { age: { maxDays: maxAgeDays, now: world.now() } }),
  };
  const ages = new Map(signers.maxRootAgeDays);
  if (maxRootAgeDays !== undefined) {
    for (const { name } of signers.trust.used)
      ages.set(name, Math.min(maxRootAgeDays, ages.get(name) ?? maxRootAgeDays));
  }
  const old = (roots?: ReadonlySet<string>) =>
    tooOld(
      signers.trust.used.filter(({ name }) => roots?.has(name) ?? true),
      ages,
    );
  const notes: string[] = [...signers.notes];
  const results: TargetResult[] = [];
  for await (const subject of readSubjects(request, world, notes, prepareWith(context.trust))) {
    const refused = signers.asks === undefined ? undefined : refusal(signers.asks, subject);
    if (refused !== undefined) {
      results.push(denied(subject, refused));
      continue;
    }
    const { result, checked } = await judge(subject, context, old);
    results.push(result);
    if (isSourceOpen(request.signers)) notes.push(...sourceNotes(checked).filter((each) => !notes.includes(each)));
  }
  return {
    schema: verificationSchema,
    tool: request.tool,
    time: verificationTime(world.now()),
    outcome: outcomeOfAll(results),
    required: signers.pins.required,
    ...(predicateType === undefined ? {} : { predicateType }),
    trust: signers.trust.used,
    results,
    notes,
  };
}

export function exitOf(outcome: VerificationOutcome): ExitCode {
  return outcome === 'pass' ? Exit.pass : outcome === 'denied' ? Exit.denied : Exit.undecided;
}

function outcomeOfAll(results: readonly TargetResult[]): VerificationOutcome {
  const worst = worstExit(results.map(({ outcome }) => exitOf(outcome)));
  return worst === Exit.pass ? 'pass' : worst === Exit.denied ? 'denied' : 'undecided';
}

/** What is older than it may be, of these roots or of all. */
type OldRoots = (roots?: ReadonlySet<string>) => readonly Failure[];

async function judge(
  subject: Subject,
  context: CheckContext,
  old: OldRoots,
): Promise<{ readonly result: TargetResult; readonly checked: readonly Checked[] }> {
  const { requested, name, kind } = subject;
  const checked: Checked[] = [];
  for await (const each of subject.evidence) checked.push(checkEvidence(each, subject.artifacts, context));
  const { predicateType } = context;
  const asked = { absent: subject.absent, ...(predicateType === undefined ? {} : { predicateType }) };
  const decision = decide(subject.digests, checked, context.pins, asked);
  const hidden = decision.outcome === 'pass' ? [] : subject.gaps.map(gapFailure);
  const tooOldRoots = old(decision.outcome === 'pass' ? rootsBehind(checked) : undefined);
  const blocking = [...tooOldRoots, ...(subject.failure === undefined ? [] : [subject.failure])];
  const undecided = blocking.length > 0 || hidden.length > 0;
  const findings = [...blocking, ...(subject.failure === undefined ? decision.findings : []), ...hidden];
  const result: TargetResult = {
    target: { requested, name, kind, digests: decision.digests },
    outcome: undecided ? 'undecided' : decision.outcome,
    reason: blocking[0]?.message ?? decision.reason,
    findings: findings.map(withHelp),
    signatures: checked.map(({ signature }) =>
      signature.failure === undefined ? signature : { ...signature, failure: withHelp(signature.failure) },
    ),
  };
  return { result, checked };
}

/**
 * The roots that what counts was proved by; undefined where that may be any. A key needs no root, and its age is nothing to
 * it; a log entry or time stamp beside the key does.
 */
function rootsBehind(checked: readonly Checked[]): ReadonlySet<string> | undefined {
  const counting = checked.flatMap(({ counts }) => counts.map(({ verified }) => verified));
  const isOpen = counting.some(
    ({ signer, times, log }) => signer.kind === 'key' && (times.length > 0 || log !== undefined),
  );
  if (isOpen) return undefined;
  return new Set(counting.flatMap(({ signer }) => (signer.kind === 'certificate' ? [signer.trust] : [])));
}

/** What the policy asks besides signatures: no signature can make up for it. */
function refusal(
  { digest: named, denied, pinned }: PolicyAsks,
  { requested, kind, digests }: Subject,
): Failure | undefined {
  const isCommit = kind === 'digest' && !imageDigest.test(requested);
  if (kind === 'file' || isCommit) {
    throw new OperationalError(
      'usage',
      `--as names an image, and ${quoted(requested)} is a ${isCommit ? 'commit' : kind}`,
      {
        hints: [`for a ${isCommit ? 'commit' : kind}, name who has to have signed with --identity NAME`],
      },
    );
  }
  if (denied !== undefined) return { rule: 'requirement-unmet', message: denied, hints: [nameIt] };
  const inTarget = kind === 'digest' ? requested : /@([^@]+)$/.exec(requested)?.[1];
  const stated = inTarget !== undefined && imageDigest.test(inTarget) ? [inTarget] : [];
  if (named !== undefined) stated.push(named);
  // A name says nothing by itself: it counts when it is what was found by hashing.
  const wrong = stated.find((each) => !isNamedBy(each, digests));
  if (wrong !== undefined) {
    const got = digests.map(({ digest }) => digest).join(', ');
    const message = `the image is not the one that ${wrong === named ? '--as' : 'the target'} names by digest`;
    return { rule: 'wrong-subject', message, expected: wrong, got, hints: [] };
  }
  if (!pinned || stated.length > 0) return undefined;
  return { rule: 'requirement-unmet', message: 'the policy wants the image named by digest', hints: [pinIt] };
}

/** cosign's flags pin the workflow. A reusable one may be called from any repository, for whatever lies there. */
function isSourceOpen(source: SignerSource): boolean {
  return source.kind === 'identity' && source.repository === undefined;
}

function sourceNotes(checked: readonly Checked[]): readonly string[] {
  return checked.flatMap(({ counts }) =>
    counts.flatMap(({ verified: { signer } }) => {
      if (signer.kind !== 'certificate' || !isWorkflowIssuer(signer.identity.issuer)) return [];
      const { workflow } = findSigner(signer.identity);
      const source = findClaim(signer.identity, 'sourceRepositoryUri');
      if (workflow === undefined || source === undefined || workflow.startsWith(`${source}/`)) return [];
      const flag = isGitHub(signer.identity.issuer)
        ? '--certificate-github-workflow-repository OWNER/NAME, or by '
        : '';
      return [
        `${workflow} has signed, and it ran for another repository, ${source}, which nothing pins: pin it by ${flag}source.repository in a policy`,
      ];
    }),
  );
}

function isGitHub(issuer: string): boolean {
  return issuerKind(issuer) === 'github';
}

const imageDigest = /^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/;

/** Whether it is, or lists, every image that was found: of one of several platforms, the others are not named. */
function isNamedBy(stated: string, digests: Subject['digests']): boolean {
  const leaves = digests.filter(({ digest }) => !digests.some(({ under }) => under.includes(digest)));
  return leaves.length > 0 && leaves.every(({ digest, under }) => digest === stated || under.includes(stated));
}

const nameIt = 'add an entry for it under "images", or correct the name given with --as';
const pinIt = 'write the digest behind the target or behind --as: NAME@sha256:HEX';

function denied({ requested, name, kind, digests }: Subject, failure: Failure): TargetResult {
  return {
    target: { requested, name, kind, digests: digests.map(({ under: _, ...each }) => ({ ...each, met: false })) },
    outcome: 'denied',
    reason: failure.message,
    findings: [failure],
    signatures: [],
  };
}

function gapFailure(gap: string): Failure {
  return { rule: 'evidence-unreachable', code: 'unreachable', message: gap, hints: [] };
}
