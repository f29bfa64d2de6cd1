/**
 * Signatures by plain keys: which of the policy's keys it is, and where it is none of them, what helps to see why. A bundle or
 * envelope may name its key. That is its own word and decides nothing, but it tells a wrong key from changed content:
 *
 *     hint, keyid    base64 or hex of the SHA-256 of the key, as cosign and others write it; anything else is only a name
 */
import type { ChangeStatement } from '../change/types.ts';
import { VerifyError } from '../sigstore/failure.ts';
import type { Artifact, PublicKey, Signature, SignedEntity, Verified } from '../sigstore/types.ts';
import { mostTelling, outcomeOf, verifyEntity } from '../sigstore/verify.ts';
import type { LoadedSigners } from './change-signers.ts';

/** By each of the plain keys that the policy names for changes. Throws VerifyError. */
export function verifyByKeys(
  entity: SignedEntity,
  hint: string | undefined,
  artifact: Artifact,
  signers: LoadedSigners,
): Verified<Signature> {
  const keys = keysOf(signers);
  const failures: VerifyError[] = [];
  for (const { key } of keys.values()) {
    const outcome = outcomeOf(() => verifyEntity(entity, signers.roots, artifact, { key }));
    if (outcome.ok) return outcome.value;
    failures.push(outcome.failure);
  }
  const telling = mostTelling(failures.filter(({ code }) => code !== 'invalid'));
  if (telling !== undefined) throw telling;
  for (const { name, key } of signers.unused) {
    if (key.kind === 'openpgp' || key.publicKey === undefined) continue;
    const { publicKey } = key;
    if (!outcomeOf(() => verifyEntity(entity, signers.roots, artifact, { key: publicKey })).ok) continue;
    throw new VerifyError('wrong-identity', unusedText(`it is signed with the key of ${name}`), {
      got: shownKey(name, publicKey.fingerprint),
    });
  }
  if (keys.size === 0) {
    const message = 'it is signed with a plain key, and the policy names none that may sign it';
    throw new VerifyError('wrong-identity', message, gotOf(hint));
  }
  throw unknownKey(hint, keys);
}

/** Whose signature over such a statement counts, as `NAME sha256:HEX` where it is a plain key; and what to do. */
export function wantedKeys(
  kind: ChangeStatement['kind'],
  signers: LoadedSigners,
): { readonly expected?: string; readonly hints: readonly string[] } {
  const names = countingNames(kind, signers);
  if (names.length === 0) return { hints: [] };
  const shown = names.flatMap((name) => {
    const keys = (signers.pins.get(name) ?? []).flatMap((pin) =>
      pin.kind === 'key' ? [shownKey(name, pin.key.fingerprint)] : [],
    );
    return keys.length === 0 ? [name] : keys;
  });
  return {
    expected: some([...new Set(shown)], ', '),
    hints: [`sign with the key of ${some(names, ' or ')}`],
  };
}

/** Whom the policy names, and not for changes: the end of a message. */
export function unusedText(beginning: string): string {
  return `${beginning}, which the policy names, but for nothing under changes`;
}

interface OwnedKey {
  readonly name: string;
  readonly key: PublicKey;
}

/** By fingerprint, each with the first name that has it: identities come before the people whose they are. */
function keysOf({ pins }: LoadedSigners): ReadonlyMap<string, OwnedKey> {
  const keys = new Map<string, OwnedKey>();
  for (const [name, list] of pins) {
    for (const pin of list) {
      if (pin.kind === 'key' && !keys.has(pin.key.fingerprint)) keys.set(pin.key.fingerprint, { name, key: pin.key });
    }
  }
  return keys;
}

function unknownKey(hint: string | undefined, keys: ReadonlyMap<string, OwnedKey>): VerifyError {
  const fingerprint = hint === undefined ? undefined : fingerprintIn(hint);
  const named = fingerprint === undefined ? undefined : keys.get(fingerprint);
  if (named === undefined || fingerprint === undefined) {
    return new VerifyError('invalid', 'it does not verify with any key of the policy', gotOf(hint));
  }
  const message = `it says that the key of ${named.name} signed it, and does not verify with that key: it was changed, or another key signed`;
  return new VerifyError('invalid', message, {
    got: `a signature that is not by ${shownKey(named.name, fingerprint)}`,
  });
}

function gotOf(hint: string | undefined): { readonly got?: string } {
  if (hint === undefined || hint === '') return {};
  const fingerprint = fingerprintIn(hint);
  return { got: fingerprint === undefined ? `a key called ${hint.slice(0, 200)}` : `sha256:${fingerprint}` };
}

/** Hex of 32 bytes. */
function fingerprintIn(hint: string): string | undefined {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(hint) ?? [];
  if (hex !== undefined) return hex.toLowerCase();
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(hint) ? Buffer.from(hint, 'base64').toString('hex') : undefined;
}

function countingNames(kind: ChangeStatement['kind'], { counting, pins }: LoadedSigners): readonly string[] {
  switch (kind) {
    case 'agent-change':
      return counting.provenance;
    case 'policy-decision':
      return counting.decision;
    case 'approval':
      return counting.approvals;
    case 'review-coverage':
    case 'gittuf-approval':
      return [...new Set([...counting.records, ...counting.approvals])];
    case 'source-provenance':
      return [...pins.keys()];
  }
}

function shownKey(name: string, fingerprint: string): string {
  return `${name} sha256:${fingerprint}`;
}

const most = 8;

function some(names: readonly string[], between: string): string {
  const left = names.length - most;
  return [...names.slice(0, most), ...(left > 0 ? [`${left} more`] : [])].join(between);
}
