/** The verification: open the target, gather its signatures, check each, decide, and write the answer in every form asked for. */
import { Exit, type ExitCode, OperationalError, quoted, worstExit } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import {
  type Failure,
  type TargetResult,
  type Verification,
  type VerificationOutcome,
  verificationSchema,
} from '../report/verification.ts';
import { verifyAhead } from '../sigstore/ahead.ts';
import type { SignedEntity } from '../sigstore/types.ts';
import { type CheckContext, type Checked, checkEvidence } from './verify-check.ts';
import { decide } from './verify-decide.ts';
import { loadSigners, type PolicyAsks, type SignerSource } from './verify-signers.ts';
import { readSubjects, type Subject, type SubjectRequest } from './verify-subjects.ts';
import { otherRoots, tooOld } from './verify-trust.ts';

export interface VerifyRequest extends SubjectRequest {
  readonly signers: SignerSource;
  readonly maxRootAgeDays?: number;
  readonly predicateType?: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** Throws OperationalError for what cannot be acted on or read at all; everything else is in the result. */
export async function verify(request: VerifyRequest, world: World): Promise<Verification> {
  const signers = await loadSigners(request.signers, world);
  const { predicateType, maxRootAgeDays } = request;
  const context: CheckContext = {
    trust: signers.trust.roots,
    otherRoots: otherRoots(signers.trust.roots),
    pins: signers.pins,
    ...(predicateType === undefined ? {} : { predicateType }),
  };
  const ages = new Map(signers.maxRootAgeDays);
  if (maxRootAgeDays !== undefined) {
    for (const { name } of signers.trust.used)
      ages.set(name, Math.min(maxRootAgeDays, ages.get(name) ?? maxRootAgeDays));
  }
  const old = tooOld(signers.trust.used, ages);
  const notes: string[] = [...signers.notes];
  const prepare = (entity: SignedEntity) => verifyAhead(entity, context.trust);
  const subjects = await readSubjects(request, world, notes, prepare);
  const results: TargetResult[] = [];
  for (const subject of subjects) {
    const refused = signers.asks === undefined ? undefined : refusal(signers.asks, subject);
    results.push(refused === undefined ? await judge(subject, context, old) : denied(subject, refused));
  }
  return {
    schema: verificationSchema,
    tool: request.tool,
    time: `${new Date(world.now()).toISOString().slice(0, 19)}Z`,
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

async function judge(subject: Subject, context: CheckContext, old: readonly Failure[]): Promise<TargetResult> {
  const { requested, name, kind } = subject;
  const checked: Checked[] = [];
  for (const each of subject.evidence) {
    await each.ready;
    checked.push(checkEvidence(each, subject.artifacts, context));
  }
  const { predicateType } = context;
  const asked = { absent: subject.absent, ...(predicateType === undefined ? {} : { predicateType }) };
  const decision = decide(subject.digests, checked, context.pins, asked);
  const hidden = decision.outcome === 'pass' ? [] : subject.gaps.map(gapFailure);
  const blocking = [...old, ...(subject.failure === undefined ? [] : [subject.failure])];
  const undecided = blocking.length > 0 || hidden.length > 0;
  return {
    target: { requested, name, kind, digests: decision.digests },
    outcome: undecided ? 'undecided' : decision.outcome,
    reason: blocking[0]?.message ?? decision.reason,
    findings: [...blocking, ...(subject.failure === undefined ? decision.findings : []), ...hidden],
    signatures: checked.map(({ signature }) => signature),
  };
}

/** What the policy asks besides signatures: no signature can make up for it. */
function refusal(
  { reference, denied, pinned }: PolicyAsks,
  { requested, kind, digests }: Subject,
): Failure | undefined {
  if (kind === 'file') {
    throw new OperationalError('usage', `--as names an image, and ${quoted(requested)} is a file`, {
      hints: ['for a file, name who has to have signed with --identity NAME'],
    });
  }
  if (denied !== undefined) return { rule: 'requirement-unmet', message: denied, hints: [nameIt] };
  const stated = /@(.+)$/.exec(reference)?.[1];
  if (stated !== undefined && !digests.some(({ digest }) => digest === stated)) {
    const got = digests.map(({ digest }) => digest).join(', ');
    const message = 'the image is not the one that --as names by digest';
    return { rule: 'wrong-subject', message, expected: stated, got, hints: [] };
  }
  if (!pinned || stated !== undefined || kind === 'digest' || /@sha(?:256|512):/.test(requested)) return undefined;
  return { rule: 'requirement-unmet', message: 'the policy wants the image named by digest', hints: [pinIt] };
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
