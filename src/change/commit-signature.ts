/**
 * What the signature in a commit is worth: whether it holds, who made it, and which of the people and identities of the policy that
 * is. SSH (ssh-signature.ts), OpenPGP (openpgp.ts) and gitsign (gitsign.ts) are verified here, without the network.
 *
 * A good signature by nobody who is listed stays good and matches nobody. What narrows a listed key (the uses it may sign for, when it
 * is valid, that its person has to touch it) takes away from who is matched, never from what is required.
 */
import type { Commit, EmbeddedSignature } from '../git/types.ts';
import { type FailureCode, VerifyError } from '../sigstore/failure.ts';
import { verifyGitsign } from '../sigstore/gitsign.ts';
import { verifyOpenPgp } from '../sigstore/openpgp.ts';
import { parseOpenPgpSignature } from '../sigstore/openpgp-signature.ts';
import { type PersonKey, restrictionOf } from '../sigstore/person-key.ts';
import { type CertificatePin, comparePin } from '../sigstore/pin.ts';
import { parseSshSignature, type SshSigner, verifySshSignature } from '../sigstore/ssh-signature.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import { findForgeKey } from './forge-keys.ts';
import type { CommitSigner, SignatureFacts } from './types.ts';
import { workflowOf } from './workflow.ts';

/** Who is believed, from the policy of the base. */
export interface CommitSigners {
  readonly keys: readonly ListedKey[];
  readonly certificates: readonly ListedPin[];
  readonly roots: readonly TrustRoot[];
  /** The time of judging, in milliseconds: what is there now was signed before. */
  readonly now: number;
}

export interface Listed {
  /** Of the identity or the person. */
  readonly name: string;
  readonly person?: string;
  /** Only what a security key says was touched counts. */
  readonly presence?: 'required';
}

export interface ListedKey extends Listed {
  readonly key: PersonKey;
}

export interface ListedPin extends Listed {
  readonly pin: CertificatePin;
}

/** Never rejects for what is in the commit. */
export async function verifyCommitSignature(commit: Commit, context: CommitSigners): Promise<SignatureFacts> {
  const { signature } = commit;
  if (signature === undefined) return { state: 'none' };
  const { format } = signature;
  if (format === undefined) {
    return {
      state: 'unsupported',
      why: 'the signature is of a kind that is not known: its armour is none of SSH, OpenPGP or CMS',
    };
  }
  try {
    if (format === 'ssh') return verifySsh(signature, context);
    return format === 'openpgp' ? await verifyPgp(signature, context) : verifyX509(signature, context);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const claimed = format === 'openpgp' ? claimedKey(signature.armored) : undefined;
    return refused(format, error, claimed);
  }
}

type Format = NonNullable<EmbeddedSignature['format']>;
type Why = { readonly code: FailureCode; readonly why: string };

function verifySsh({ armored, payload }: EmbeddedSignature, context: CommitSigners): SignatureFacts {
  const made = verifySshSignature(parseSshSignature(armored), payload, 'git');
  const listed = context.keys.filter(({ key }) => isSshKeyOf(key, made));
  const whyNot = (each: ListedKey): Why | undefined =>
    (each.key.kind === 'ssh' ? restrictionOf(each.key, 'git', context.now) : undefined) ??
    whyNobody(each, made.fingerprint, made.touched);
  return good('ssh', { kind: 'ssh', fingerprint: made.fingerprint }, listed, whyNot, made.touched);
}

/** The same key may be written as one of SSH or in PEM. A security key is only itself. */
function isSshKeyOf(key: PersonKey, { keyBlob, publicKey }: SshSigner): boolean {
  if (key.kind === 'ssh') return key.blob.equals(keyBlob);
  return key.kind === 'key' && publicKey !== undefined && key.publicKey.spki.equals(publicKey.spki);
}

async function verifyPgp({ armored, payload }: EmbeddedSignature, context: CommitSigners): Promise<SignatureFacts> {
  const keys = context.keys.flatMap(({ key }) => (key.kind === 'openpgp' ? [key.key] : []));
  const { fingerprint } = await verifyOpenPgp(armored, payload, keys, context.now);
  const listed = context.keys.filter(({ key }) => key.kind === 'openpgp' && key.key.fingerprint === fingerprint);
  return good('openpgp', { kind: 'openpgp', fingerprint }, listed, (each) => whyNobody(each, fingerprint));
}

function verifyX509({ armored, payload }: EmbeddedSignature, context: CommitSigners): SignatureFacts {
  const { identity, trust } = verifyGitsign(armored, payload, context.roots);
  const signer = { kind: 'certificate', identity, trust } as const;
  const listed = context.certificates.filter(({ pin }) => comparePin(pin, { signer }).length === 0);
  const { issuer, subject } = identity;
  const workflow = workflowOf(
    identity,
    listed.map(({ pin }) => pin),
  );
  const made: CommitSigner = {
    ...{ kind: 'certificate', issuer, subject: subject.value, trust },
    ...(workflow !== undefined && { workflow }),
  };
  return good('x509', made, listed, (each) => whyNobody(each, ''));
}

/** What takes a signature that holds away from whoever is listed with its key. */
function whyNobody({ name, presence }: Listed, fingerprint: string, touched = false): Why | undefined {
  const forge = findForgeKey(fingerprint);
  if (forge !== undefined) {
    return {
      code: 'wrong-identity',
      why: `the key is ${forge.forge}'s own and can be nobody's: it signs for every account`,
    };
  }
  if (presence !== 'required' || touched) return undefined;
  return { code: 'wrong-identity', why: `for ${name} only a security key counts that says it was touched` };
}

/** The signature holds: of whom it is. */
function good<T extends Listed>(
  format: Format,
  signer: CommitSigner,
  listed: readonly T[],
  whyNot: (each: T) => Why | undefined,
  touched?: boolean,
): SignatureFacts {
  const reasons = listed.map(whyNot);
  const counting = listed.filter((_, index) => reasons[index] === undefined);
  const unproved = reasons.find((each) => each?.code === 'unproved');
  if (counting.length === 0 && unproved !== undefined) {
    const claimed = signer.kind === 'certificate' ? signer.subject : signer.fingerprint;
    return { state: 'unproved', format, claimed, why: unproved.why };
  }
  const people = new Set(counting.flatMap(({ person }) => person ?? []));
  const [person] = people;
  const note = [
    ...new Set(reasons.flatMap((each) => each?.why ?? [])),
    // One key of two people tells neither of them from the other.
    ...(people.size > 1 ? ['the key is listed for several people, so that it proves none of them'] : []),
  ].join('; ');
  return {
    state: 'good',
    format,
    signer,
    matched: [...new Set(counting.map(({ name }) => name))],
    ...(person !== undefined && people.size === 1 && { person }),
    ...(touched !== undefined && { touched }),
    ...(note !== '' && { note }),
  };
}

const states: Readonly<Partial<Record<FailureCode, 'unproved' | 'unknown-key' | 'unsupported'>>> = {
  unsupported: 'unsupported',
  unproved: 'unproved',
  untrusted: 'unknown-key',
};

function refused(format: Format, { code, message }: VerifyError, claimed: string | undefined): SignatureFacts {
  const forge = claimed === undefined ? undefined : findForgeKey(claimed);
  const state = states[code] ?? 'bad';
  const why =
    state === 'unknown-key' && forge !== undefined
      ? `the signature names ${forge.forge}'s own key, which proves at most that ${forge.forge} made the commit for an account`
      : message;
  return { state, format, why, ...(claimed !== undefined && { claimed }) };
}

/** Fingerprint or key id; undefined where the signature cannot be read. */
function claimedKey(armored: string): string | undefined {
  try {
    const { fingerprint, keyId } = parseOpenPgpSignature(armored);
    return fingerprint ?? keyId;
  } catch (error) {
    if (error instanceof VerifyError) return undefined;
    throw error;
  }
}
