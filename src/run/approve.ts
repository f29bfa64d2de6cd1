/**
 * `approve git:BASE..HEAD --operation OP`: a person signs their consent to exactly this, after it was shown to them. What would not
 * count for that person, by the policy of the base, is refused and never written (approve-check.ts).
 */
import type { Approval } from '../change/types.ts';
import { formatApprovalStatement } from '../change/write-approval.ts';
import { Exit, type ExitCode, OperationalError, quoted } from '../diag/index.ts';
import { openRepository } from '../git/index.ts';
import type { World } from '../io/index.ts';
import { colorWanted, painter } from '../report/color.ts';
import { shown } from '../report/text.ts';
import { inTotoPayload, pae } from '../sigstore/dsse.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { readIdentityToken } from '../sigstore/identity-token.ts';
import { statementNamespace } from '../sigstore/ssh-envelope.ts';
import { parseSshSignature } from '../sigstore/ssh-signature.ts';
import { type Refusal, whyNot, whyNotToken } from './approve-check.ts';
import { type ApprovalFacts, type ApprovalRequest, gatherApproval } from './approve-facts.ts';
import { sessionWarning } from './approve-session.ts';
import { describeApproval } from './approve-show.ts';
import { type SignerChoice, signAsChosen } from './sign.ts';
import { hintAtNotes, note, writeSigned } from './signed-output.ts';
import { guardSigner, readSignerFile } from './signer-files.ts';
import { signWithSshKey } from './ssh-keygen.ts';

/** A token has to be named: the one that a CI job gives is nobody's. */
export type ApprovalSigner =
  | (SignerChoice & { readonly kind: 'key' })
  | (SignerChoice & { readonly kind: 'keyless'; readonly tokenFile: string })
  | { readonly kind: 'ssh'; readonly file: string };

export interface ApproveOptions extends ApprovalRequest {
  readonly operation: string;
  /** Milliseconds. */
  readonly expires: number;
  /** For people to read. */
  readonly reason?: string;
  readonly signer: ApprovalSigner;
  /** Where it goes; undefined is standard output. */
  readonly files: readonly (string | undefined)[];
}

/** Throws OperationalError; GitRefusal for a repository or range that cannot be judged. */
export async function approve(options: ApproveOptions, outside: World): Promise<ExitCode> {
  const { signer } = options;
  const world = guardSigner(outside, options.files, signer.kind === 'keyless' ? undefined : signer.file);
  const warning = sessionWarning(world.env);
  if (warning !== undefined) await note(world, warning);
  await checkSignerFile(signer, world);
  const repository = await openRepository(options.repository, world);
  try {
    const now = world.now();
    const facts = await gatherApproval(options, repository, now, world);
    const approval = approvalOf(options, facts);
    for (const each of facts.notes) await note(world, each);
    await world.stderr.write(describeApproval(approval, facts));
    await noteOperation(approval, facts, world);
    const early = signer.kind === 'keyless' ? await tokenRefusal(signer.tokenFile, facts, world) : undefined;
    if (early !== undefined) return deny(early, world);
    const payload = formatApprovalStatement(approval, options.reason);
    const signed = await sign(payload, approval, options, world);
    const refusal = await whyNot(signed, approval, facts, now, world);
    if (refusal !== undefined) return deny(refusal, world);
    await writeSigned(signed, signer.kind === 'ssh' ? 'signed approval' : 'bundle', options.files, world);
    const { files, repository: from } = options;
    await hintAtNotes({ files, repository: from, commit: approval.head, ref: 'refs/notes/approvals' }, world);
    return Exit.pass;
  } finally {
    await repository.close();
  }
}

function approvalOf({ operation, expires }: ApproveOptions, { policy, range }: ApprovalFacts): Omit<Approval, 'kind'> {
  const { repository, baseRef } = policy.rule;
  const { mergeBase, head } = range;
  return { operation, repository, baseRef, mergeBase: mergeBase.id, head: head.id, tree: head.tree, expires };
}

async function noteOperation({ operation }: Pick<Approval, 'operation'>, { policy }: ApprovalFacts, world: World) {
  const wanted = policy.rule.highRisk.operation;
  if (operation === wanted) return;
  await note(
    world,
    `the policy asks for approvals of ${wanted}: this one, of ${operation}, will not count in "change"`,
  );
}

const maxKeyBytes = 64 * 1024;

/** Before anything is read or shown: what cannot sign. */
async function checkSignerFile(signer: ApprovalSigner, world: World): Promise<void> {
  const file = signer.kind === 'keyless' ? signer.tokenFile : signer.file;
  const text = (await readSignerFile(file, maxKeyBytes, world)).toString('latin1');
  if (signer.kind !== 'key' || !text.includes('BEGIN OPENSSH PRIVATE KEY')) return;
  throw new OperationalError('usage', `${quoted(file)} is an SSH key`, { hints: ['give it with --ssh-key FILE'] });
}

async function tokenRefusal(file: string, facts: ApprovalFacts, world: World): Promise<Refusal | undefined> {
  const identity = readIdentityToken((await readSignerFile(file, maxKeyBytes, world)).toString('utf8'));
  // What is no token at all is refused where it is used.
  return identity === undefined ? undefined : whyNotToken(identity, facts);
}

async function sign(
  payload: Buffer,
  { head, tree }: Omit<Approval, 'kind'>,
  { signer, repository }: ApproveOptions,
  world: World,
): Promise<string> {
  if (signer.kind === 'ssh') return signEnvelope(payload, signer.file, repository, world);
  const digests = new Map([
    ['gitCommit', head],
    ['gitTree', tree],
  ]);
  return signAsChosen({ kind: 'dsse', payloadType: inTotoPayload, payload }, { name: head, digests }, signer, world);
}

/** Bundles know no SSH signatures: a DSSE envelope with the armour as `sig` (sigstore/ssh-envelope.ts). */
async function signEnvelope(payload: Buffer, key: string, repository: string, world: World): Promise<string> {
  const message = pae(inTotoPayload, payload).toString('utf8');
  const armored = await signWithSshKey(message, { key, namespace: statementNamespace, repository }, world);
  let keyid: string;
  try {
    keyid = parseSshSignature(armored).key.fingerprint;
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('configuration', `the key ${quoted(key)} cannot sign approvals: ${error.message}`, {
      hints: ['use an Ed25519, ECDSA or RSA key, or a security key of one of the first two'],
      cause: error,
    });
  }
  const sig = Buffer.from(armored, 'latin1').toString('base64');
  return JSON.stringify({
    payload: payload.toString('base64'),
    payloadType: inTotoPayload,
    signatures: [{ keyid, sig }],
  });
}

async function deny({ rule, message, hints }: Refusal, world: World): Promise<ExitCode> {
  const paint = painter(colorWanted(world.env, world.stderr.isTerminal));
  const lines = hints.map((hint) => `  ${paint('dim', 'hint:')} ${shown(hint)}\n`);
  const text = `${shown(message)}; nothing was written`;
  await world.stderr.write(`${paint('red', `denied[${rule}]:`)} ${text}\n${lines.join('')}`);
  return Exit.denied;
}
