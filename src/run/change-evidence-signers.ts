/** Whose signature it is that holds: held against everybody whom the policy names. A signature by nobody of them is refused. */
import type { EvidenceSigner } from '../change/types.ts';
import { workflowOf } from '../change/workflow.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { restrictionOf } from '../sigstore/person-key.ts';
import { comparePin, type Pin } from '../sigstore/pin.ts';
import { matchPins, wrongIdentity } from '../sigstore/requirement.ts';
import type { SshSigner } from '../sigstore/ssh-signature.ts';
import type { Signature, Signer, Verified } from '../sigstore/types.ts';
import { unusedText } from './change-evidence-keys.ts';
import type { LoadedKey, LoadedSigners } from './change-signers.ts';

/** Throws VerifyError `wrong-identity` with the nearest pin. */
export function signerOf(verified: Verified<Signature>, { pins }: LoadedSigners): EvidenceSigner {
  const found = [...pins].map(([name, list]) => ({
    name,
    pins: list.filter((pin) => comparePin(pin, verified).length === 0),
  }));
  const matched = found.filter((each) => each.pins.length > 0);
  if (matched.length === 0) throw nearest(verified, pins);
  const own = matched.flatMap((each) => each.pins);
  return {
    matched: matched.map(({ name }) => name),
    ...personOf(own.flatMap(({ person }) => person ?? [])),
    ...describeSigner(verified.signer, own),
  };
}

/**
 * An SSH signature that holds counts for those of the key's owners who had to touch it only where it says so. Throws VerifyError
 * `wrong-identity`.
 */
export function sshSignerOf(
  { fingerprint, touched }: Pick<SshSigner, 'fingerprint' | 'touched'>,
  owners: readonly LoadedKey[],
): EvidenceSigner {
  const shown = `key ${fingerprint}`;
  const isPresent = ({ presence }: LoadedKey): boolean => presence === undefined || touched === true;
  // Untouched it is not the person's signature, whatever else the key may be used for.
  const matched = owners.flatMap((owner) => {
    const { name, person } = owner;
    if (isPresent(owner)) return [name, ...(person === undefined ? [] : [person])];
    return name === person ? [] : [name];
  });
  const [first] = owners;
  if (matched.length === 0 && first !== undefined) {
    const message = `${first.name} has to sign with a security key that was touched, and nothing in the signature says so`;
    throw new VerifyError('wrong-identity', message, { got: shown });
  }
  if (first === undefined) throw new VerifyError('wrong-identity', 'nobody listed has the SSH key', { got: shown });
  return {
    matched: [...new Set(matched)],
    ...personOf(owners.flatMap(({ person }) => person ?? [])),
    shown,
    fingerprint,
    ...(touched !== undefined && { touched }),
    kind: 'ssh',
  };
}

/** The owners of an SSH key that may sign for this use at this time. Throws VerifyError `wrong-identity` or `unproved`. */
export function ownersOf(
  { keyBlob, fingerprint }: SshSigner,
  namespace: string,
  signers: LoadedSigners,
  now: number,
): readonly LoadedKey[] {
  const { keys } = signers;
  const all = keys.filter(({ key }) => key.kind === 'ssh' && key.blob.equals(keyBlob));
  const restrictions = all.map(({ key }) => (key.kind === 'ssh' ? restrictionOf(key, namespace, now) : undefined));
  const free = all.filter((_, at) => restrictions[at] === undefined);
  const [restriction] = restrictions;
  if (free.length > 0) return free;
  if (restriction !== undefined) throw new VerifyError(restriction.code, restriction.why);
  const message = unusedOwner(fingerprint, signers) ?? `nobody whom the policy names has the SSH key ${fingerprint}`;
  throw new VerifyError('wrong-identity', message);
}

/** For messages: that the policy names this SSH key, and not for changes. */
export function unusedOwner(fingerprint: string | undefined, { unused }: LoadedSigners): string | undefined {
  const owner = unused.find(({ key }) => key.kind === 'ssh' && key.fingerprint === fingerprint);
  return owner === undefined ? undefined : unusedText(`the SSH key ${fingerprint} is that of ${owner.name}`);
}

/** One person, or nobody: a signature is not two people's. */
function personOf(people: readonly string[]): Pick<EvidenceSigner, 'person'> {
  const [person, ...others] = new Set(people);
  return person === undefined || others.length > 0 ? {} : { person };
}

function nearest(verified: Verified<Signature>, pins: LoadedSigners['pins']): VerifyError {
  const of = [...pins].flatMap(([name, list]) => (list.length === 0 ? [] : [{ name, pins: list }]));
  const near = of.length === 0 ? undefined : matchPins([verified], { kind: 'any', of }).signatures[0]?.nearest;
  if (near !== undefined) return wrongIdentity(near);
  return new VerifyError('wrong-identity', 'the policy names nobody who could have made such a signature', {
    got: describeSigner(verified.signer, []).shown,
  });
}

function describeSigner(
  signer: Signer,
  matched: readonly Pin[],
): Pick<EvidenceSigner, 'shown' | 'kind' | 'certificate' | 'workflow'> {
  if (signer.kind === 'key') return { shown: `key sha256:${signer.fingerprint}`, kind: 'key' };
  const { identity } = signer;
  const { subject, issuer } = identity;
  const workflow = workflowOf(identity, matched);
  return {
    shown: `${subject.value} (${issuer})`,
    kind: 'certificate',
    certificate: { issuer, subject: subject.value, type: subject.type },
    ...(workflow !== undefined && { workflow }),
  };
}
