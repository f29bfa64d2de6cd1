/**
 * How many of whom must have signed. There is no requirement that any valid signature meets: a signature is cheap, anyone
 * can make one that holds.
 *
 *   any         one of the parties
 *   threshold   so many different ones of them: a party that appears under several names, keys or certificates counts once,
 *               and one signer never stands for two parties
 *   all         a threshold of as many as are named: who asks for two signers must not get one under two names
 */
import { OperationalError } from '../diag/index.ts';
import { VerifyError } from './failure.ts';
import { findClaim, findSigner } from './identity-fields.ts';
import { isWorkflowIssuer } from './issuers.ts';
import { comparePin, type Difference, type Pin } from './pin.ts';
import type { Signature, Signer, Verified } from './types.ts';

/** An identity, or a person with several; it has signed when one of its pins matches. */
export interface Party {
  readonly name: string;
  readonly pins: readonly Pin[];
}

export type Requirement =
  | { readonly kind: 'any' | 'all'; readonly of: readonly Party[] }
  | { readonly kind: 'threshold'; readonly of: readonly Party[]; readonly count: number };

export interface Match {
  readonly satisfied: boolean;
  /** How many parties count, and how many have to. */
  readonly counted: number;
  readonly needed: number;
  /** In the order of the requirement. */
  readonly parties: readonly PartyMatch[];
  /** In the order of the signatures. */
  readonly signatures: readonly SignatureMatch[];
}

export interface PartyMatch {
  readonly name: string;
  /** Indexes of the signatures that are its own. */
  readonly by: readonly number[];
}

export interface SignatureMatch {
  /** Names of the parties whose signature it is. */
  readonly matched: readonly string[];
  /** Only where nothing matched. */
  readonly nearest?: NearestPin;
}

export interface NearestPin {
  /** Name of the party, and of its pin. */
  readonly party: string;
  readonly pin: string;
  readonly differences: readonly Difference[];
}

/** Throws OperationalError `configuration` for a requirement that nothing or anything could meet. */
export function matchPins(signatures: readonly Verified<Signature>[], requirement: Requirement): Match {
  checkRequirement(requirement);
  const { of } = requirement;
  const matched = signatures.map((signature) => of.map(({ pins }) => pins.some((pin) => matches(pin, signature))));
  const parties = of.map(({ name }, party) => ({
    name,
    by: signatures.flatMap((_, at) => (matched[at]![party] === true ? [at] : [])),
  }));
  const matchesOf = signatures.map((signature, at): SignatureMatch => {
    const names = of.filter((_, party) => matched[at]![party]).map(({ name }) => name);
    return names.length > 0 ? { matched: names } : { matched: names, nearest: nearestPin(signature, of) };
  });
  const signed = parties.filter(({ by }) => by.length > 0).length;
  const counted = requirement.kind === 'any' ? signed : countParties(of, parties, signatures);
  const needed = neededOf(requirement);
  return { satisfied: counted >= needed, counted, needed, parties, signatures: matchesOf };
}

/** Why a signature that holds does not count. */
export function wrongIdentity({ party, differences }: NearestPin): VerifyError {
  const fields = differences.map(({ field }) => field).join(', ');
  const lines = (value: (difference: Difference) => string) =>
    differences.map((each) => `${each.field}: ${value(each)}`).join('; ');
  return new VerifyError('wrong-identity', `signed by someone else; nearest is ${party}, which differs in ${fields}`, {
    expected: lines(({ expected }) => expected),
    got: lines(({ got, note }) => `${got ?? ''}${note === undefined ? '' : ` (${note})`}`.trimStart()),
  });
}

/** Throws OperationalError `configuration`. */
export function checkRequirement(requirement: Requirement): void {
  const { of } = requirement;
  if (of.length === 0) throw wrong('nobody is named who has to have signed');
  const empty = of.find(({ pins }) => pins.length === 0);
  if (empty !== undefined) throw wrong(`${empty.name} has neither a key nor an identity to recognise it by`);
  const loose = of.flatMap(({ pins }) => pins).find(isLoose);
  if (loose !== undefined) {
    throw wrong(
      `${loose.name} names neither a subject nor a workflow, and an issuer speaks for everybody who can log in there`,
    );
  }
  if (requirement.kind === 'any') return;
  const count = neededOf(requirement);
  if (!Number.isSafeInteger(count) || count < 1)
    throw wrong(`a threshold must be a whole number from 1 on, not ${count}`);
  const groups = groupsOf(of);
  const most = new Set(groups).size;
  if (count <= most) return;
  const what = requirement.kind === 'all' ? `all ${count}` : `a threshold of ${count}`;
  throw wrong(`${what} can never be met: its names come down to ${most}${sameOnes(of, groups)}`);
}

/** ` (p and q are one)`, where there is nothing else to be told apart. */
function sameOnes(of: readonly Party[], groups: readonly number[]): string {
  const several = [...Map.groupBy(of, (_, at) => groups[at]).values()].filter((each) => each.length > 1);
  const said = several.map((each) => `${each.map(({ name }) => name).join(' and ')} are one`);
  return said.length === 0 ? '' : ` (${said.join('; ')})`;
}

/** For each party the number of the person behind it: parties that share a person, a key or a pin are one. */
function groupsOf(parties: readonly Party[]): readonly number[] {
  const groups = parties.map((_, at) => at);
  const seen = new Map<string, number>();
  for (const [at, { pins }] of parties.entries()) {
    for (const token of pins.flatMap(tokensOf)) {
      const other = seen.get(token);
      if (other === undefined) seen.set(token, at);
      else merge(groups, groups[other]!, groups[at]!);
    }
  }
  return groups;
}

function merge(groups: number[], into: number, from: number): void {
  for (const [at, group] of groups.entries()) if (group === from) groups[at] = into;
}

function tokensOf(pin: Pin): readonly string[] {
  return [
    `pin ${pin.name}`,
    ...(pin.person === undefined ? [] : [`person ${pin.person}`]),
    ...(pin.kind === 'key' ? [`key ${pin.key.fingerprint}`] : []),
  ];
}

/** The most people that can each be given a signer of their own (augmenting paths, one for each person). */
function countParties(
  of: readonly Party[],
  parties: readonly PartyMatch[],
  signatures: readonly Verified<Signature>[],
): number {
  const groups = groupsOf(of);
  const signersOf = new Map<number, Set<string>>();
  for (const [at, { by }] of parties.entries()) {
    const signers = signersOf.get(groups[at]!) ?? new Set();
    for (const index of by) signers.add(signerId(signatures[index]!.signer));
    signersOf.set(groups[at]!, signers);
  }
  const taken = new Map<string, number>();
  // Depth is at most the number of parties that the user's own requirement names.
  const place = (group: number, tried: Set<string>): boolean => {
    for (const signer of signersOf.get(group) ?? []) {
      if (tried.has(signer)) continue;
      tried.add(signer);
      const holder = taken.get(signer);
      if (holder !== undefined && !place(holder, tried)) continue;
      taken.set(signer, group);
      return true;
    }
    return false;
  };
  return [...signersOf.keys()].filter((group) => place(group, new Set())).length;
}

/** Equal for signatures of one party: a key, a name, or a workflow working for a repository, at whatever ref. */
function signerId(signer: Signer): string {
  if (signer.kind === 'key') return `key ${signer.fingerprint}`;
  const { issuer, subject } = signer.identity;
  if (!isWorkflowIssuer(issuer)) return JSON.stringify([issuer, subject.type, subject.value]);
  const { workflow } = findSigner(signer.identity);
  return JSON.stringify([issuer, workflow, findClaim(signer.identity, 'sourceRepositoryUri')]);
}

function nearestPin(signature: Verified<Signature>, parties: readonly Party[]): NearestPin {
  const all = parties.flatMap((party) =>
    party.pins.map((pin) => ({
      party: party.name,
      pin: pin.name,
      differences: comparePin(pin, signature),
      far: pin.kind === signature.signer.kind ? 0 : 1,
    })),
  );
  const { party, pin, differences } = all.reduce((best, each) =>
    each.far < best.far || (each.far === best.far && each.differences.length < best.differences.length) ? each : best,
  );
  return { party, pin, differences };
}

function matches(pin: Pin, signature: Verified<Signature>): boolean {
  return comparePin(pin, signature).length === 0;
}

function isLoose(pin: Pin): boolean {
  return pin.kind === 'certificate' && pin.subject === undefined && pin.signer?.workflow === undefined;
}

function neededOf(requirement: Requirement): number {
  if (requirement.kind === 'threshold') return requirement.count;
  return requirement.kind === 'all' ? requirement.of.length : 1;
}

function wrong(message: string): OperationalError {
  return new OperationalError('configuration', message, {
    hints: ['name who has to have signed, by key or by identity'],
  });
}
