/** Who has to have signed, as the rest of the run asks it: which parties a signature is of, and whether enough have signed. */
import type { Failure, NameValue, PinnedParty, RequiredSigners } from '../report/verification.ts';
import type { Pin, PinnedValue } from '../sigstore/pin.ts';
import { checkRequirement, matchPins, type Requirement, wrongIdentity } from '../sigstore/requirement.ts';
import type { PublicKey, Signature, Verified } from '../sigstore/types.ts';

export interface Pins {
  readonly required: readonly RequiredSigners[];
  /** Signatures without a certificate are tried with these. */
  readonly keys: readonly PublicKey[];
  match(signature: Verified<Signature>): PinMatch;
  /** What is missing, one sentence; undefined when every requirement is met. */
  missing(signatures: readonly Verified<Signature>[]): string | undefined;
}

export type PinMatch =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly failure: Failure };

/** All requirements have to be met. Throws OperationalError of code configuration for one that nothing or anything could meet. */
export function pinsOf(requirements: readonly Requirement[]): Pins {
  for (const requirement of requirements) checkRequirement(requirement);
  const pins = requirements.flatMap(({ of }) => of).flatMap((party) => party.pins);
  const keys = new Map(pins.flatMap((pin) => (pin.kind === 'key' ? [[pin.key.fingerprint, pin.key]] : [])));
  return {
    required: requirements.map(describe),
    keys: [...keys.values()],
    match: (signature) => matchOne(signature, requirements),
    missing: (signatures) => {
      const missing = requirements.flatMap((requirement) => missingOf(signatures, requirement) ?? []);
      // Nothing that is required is nothing that could be met.
      if (requirements.length === 0) return 'nobody is named who has to have signed';
      return missing.length === 0 ? undefined : missing.join('; ');
    },
  };
}

function matchOne(signature: Verified<Signature>, requirements: readonly Requirement[]): PinMatch {
  const matches = requirements.flatMap((requirement) => matchPins([signature], requirement).signatures);
  const names = [...new Set(matches.flatMap(({ matched }) => matched))];
  if (names.length > 0) return { ok: true, names };
  const nearest = matches
    .flatMap((each) => each.nearest ?? [])
    .sort((one, other) => one.differences.length - other.differences.length)[0];
  if (nearest === undefined) throw new Error('a signature matches no pin and is near to none');
  const { code, message } = wrongIdentity(nearest);
  return { ok: false, failure: { rule: 'wrong-identity', code, message, differences: nearest.differences, hints: [] } };
}

function missingOf(signatures: readonly Verified<Signature>[], requirement: Requirement): string | undefined {
  const { satisfied, counted, needed, parties } = matchPins(signatures, requirement);
  if (satisfied) return undefined;
  const absent = parties.filter(({ by }) => by.length === 0).map(({ name }) => name);
  if (requirement.kind === 'any') return `none of the required signers has signed: ${absent.join(', ')}`;
  const who = absent.length === 0 ? 'one signer counts once, whatever it signed as' : `${absent.join(', ')} missing`;
  return `${counted} of ${needed} required signers have signed: ${who}`;
}

function describe(requirement: Requirement): RequiredSigners {
  const { kind, of } = requirement;
  const count = requirement.kind === 'threshold' ? requirement.count : kind === 'all' ? of.length : 1;
  return { rule: kind, count, parties: of.map(({ name, pins }): PinnedParty => ({ name, pins: pins.map(fieldsOf) })) };
}

/** Every field that a pin states, by the name that policies give it. */
export function fieldsOf(pin: Pin): readonly NameValue[] {
  if (pin.kind === 'key') return [{ name: 'key', value: `sha256:${pin.key.fingerprint}` }];
  const { kind: _, name: _name, person: _person, signer, source, ...plain } = pin;
  return [...valuesOf('', plain), ...valuesOf('signer.', signer ?? {}), ...valuesOf('source.', source ?? {})];
}

function valuesOf(prefix: string, fields: Readonly<Record<string, PinnedValue | undefined>>): NameValue[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [{ name: `${prefix}${name}`, value: typeof value === 'string' ? value : `pattern ${value.pattern}` }],
  );
}
