/**
 * Everybody whose signature a change can carry, with their keys read and the trusted roots that speak for them: people, and the
 * identities that `changes` of the policy names. No other key has to be there.
 */
import { findForgeKey } from '../change/forge-keys.ts';
import { OperationalError } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import {
  changeCertificates,
  changeKeys,
  type NamedCertificate,
  type NamedKey,
  roleNames,
} from '../policy/change-keys.ts';
import type { ChangesRule, Policy, SignedRule } from '../policy/types.ts';
import type { TrustUsed } from '../report/verification.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { type PersonKey, parsePersonKey } from '../sigstore/person-key.ts';
import type { CertificatePin, Pin } from '../sigstore/pin.ts';
import { checkRequirement } from '../sigstore/requirement.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import { at, wrong } from './change-policy-fault.ts';
import { loadRoots, type ReadNamed } from './change-roots.ts';

export interface LoadedSigners {
  /**
   * By the name of an identity or person: what certificates and signatures by a plain key are held against. A person has the
   * pins of all their keys and identities, with `person` set. SSH signatures go by `keys`.
   */
  readonly pins: ReadonlyMap<string, readonly Pin[]>;
  /** For signatures of commits, and SSH signatures of statements. `name` is of the identity, or of the person. */
  readonly keys: readonly LoadedKey[];
  readonly certificates: readonly { readonly name: string; readonly person?: string; readonly pin: CertificatePin }[];
  readonly roots: readonly TrustRoot[];
  /** For messages: names whose signature counts, by what they sign. */
  readonly counting: CountingNames;
  /** For messages: keys of identities that `changes` does not use, as far as they could be read. */
  readonly unused: readonly { readonly name: string; readonly key: PersonKey }[];
  /** The same roots, for reports. */
  readonly trust: readonly TrustUsed[];
  /** What the policy says and what has no effect here. */
  readonly notes: readonly string[];
}

export interface CountingNames {
  readonly provenance: readonly string[];
  readonly decision: readonly string[];
  /** People. */
  readonly approvals: readonly string[];
  readonly records: readonly string[];
}

export interface LoadedKey {
  readonly name: string;
  readonly person?: string;
  readonly presence?: 'required';
  readonly key: PersonKey;
}

/**
 * Throws OperationalError `configuration`, with the line of the policy, for a key that is missing, broken or of two owners, and
 * GitRefusal `trusted-root-too-old`.
 */
export async function loadChangeSigners(
  policy: Policy,
  rule: ChangesRule,
  read: ReadNamed,
  world: World,
): Promise<LoadedSigners> {
  const named: (LoadedKey & { readonly file: NamedKey })[] = [];
  for (const file of changeKeys(policy, rule)) {
    const { name, person, presence } = file;
    const owner = { name, ...(person !== undefined && { person }), ...(presence !== undefined && { presence }) };
    for (const key of await readKeys(policy, file, read)) named.push({ ...owner, key, file });
  }
  checkOwners(policy, rule, named);
  checkForges(policy, rule, named);
  const certificates = changeCertificates(policy, rule);
  checkSigners(policy, rule, named, certificates);
  const roles = roleNames(rule);
  // A certificate cannot say that a human was there: it is not this person's signature, though it may be that of a role.
  const counting = certificates.filter(({ name, presence }) => presence === undefined || roles.has(name));
  const pins = pinsByName(policy, named, counting, roles);
  for (const signed of [rule.agents.provenance, rule.agents.decision]) {
    if (signed !== undefined) checkRule(policy, signed, pins);
  }
  const { roots, trust } = await loadRoots(policy, counting, read, world);
  return {
    pins,
    keys: named.map(({ file: _, ...each }) => each),
    certificates: certificates.flatMap(({ presence, ...each }) => (presence === undefined ? [each] : [])),
    counting: {
      provenance: rule.agents.provenance?.of ?? [],
      decision: rule.agents.decision?.of ?? [],
      approvals: rule.highRisk.by.length > 0 ? rule.highRisk.by : [...policy.people.keys()],
      records: rule.highRisk.records,
    },
    unused: [],
    roots,
    trust,
    notes: [...presenceNotes(policy, named), ...unjudgedNotes(policy)],
  };
}

/**
 * Keys that the policy names and no change needs, from the files that are there. Only messages are made of them, so that what
 * cannot be read is passed over.
 */
export async function readUnusedKeys(
  policy: Policy,
  rule: ChangesRule,
  files: ReadonlyMap<string, Buffer | undefined>,
): Promise<LoadedSigners['unused']> {
  const used = new Set(changeKeys(policy, rule).map(({ name }) => name));
  const found: { readonly name: string; readonly key: PersonKey }[] = [];
  for (const [name, identity] of policy.identities) {
    const bytes = identity.kind === 'key' && !used.has(name) ? files.get(identity.file) : undefined;
    if (identity.kind !== 'key' || bytes === undefined) continue;
    const keys = await parsePersonKey(bytes, identity.file).catch((error: unknown) => {
      if (error instanceof VerifyError) return [];
      throw error;
    });
    found.push(...keys.map((key) => ({ name, key })));
  }
  return found;
}

async function readKeys(policy: Policy, file: NamedKey, read: ReadNamed): Promise<readonly PersonKey[]> {
  const bytes = await read(file);
  const emails = file.person === undefined ? [] : (policy.people.get(file.person)?.emails ?? []);
  const keys = await parsePersonKey(bytes, file.path, emails).catch((cause: unknown) => {
    if (!(cause instanceof VerifyError)) throw cause;
    const hints = bytes.includes('PRIVATE KEY')
      ? ['keep a private key where nobody but its owner reads it, and give the public one']
      : ['give a public key: PEM, OpenSSH ("ssh-ed25519 AAAA…"), allowed signers, or OpenPGP (gpg --export --armor)'];
    throw wrong(policy, file, `cannot be used as a public key: ${cause.message}`, hints, cause);
  });
  const odd = keys.find(({ kind }) => file.kind !== 'any' && (kind === 'openpgp') !== (file.kind === 'openpgp'));
  if (odd !== undefined) {
    const [is, write] = odd.kind === 'openpgp' ? ['an OpenPGP', 'openpgp'] : ['no OpenPGP', 'key'];
    throw wrong(policy, file, `is ${is} key`, [`write it as ${write}: ${file.path}`]);
  }
  return keys;
}

/**
 * A key has one owner, in whatever files and forms it lies: nobody signs as two people, and no program as a person, or for one
 * that is a bot beside something else.
 */
function checkOwners(
  policy: Policy,
  rule: ChangesRule,
  keys: readonly (LoadedKey & { readonly file: NamedKey })[],
): void {
  const known = new Map<string, NamedKey>();
  for (const { key, file } of keys) {
    for (const token of tokensOf(key)) {
      const other = known.get(token);
      known.set(token, other ?? file);
      if (other === undefined || ownerOf(other) === ownerOf(file)) continue;
      const isMixed = [other, file].some(({ person, name }) => person !== undefined || rule.bots.includes(name));
      if (!isMixed) continue;
      const message = `is the same key as ${other.by} (line ${other.place.line}): it would make ${ownerOf(other)} and ${ownerOf(file)} one signer`;
      throw wrong(policy, file, message, [
        'leave it with the one whose key it is, and give the other a key of their own',
      ]);
    }
  }
}

/** With a forge's key anybody who has an account there would sign as the bot: an agent that edits in its web pages, too. */
function checkForges(
  policy: Policy,
  { bots }: ChangesRule,
  keys: readonly (LoadedKey & { readonly file: NamedKey })[],
): void {
  for (const { key, name, file } of keys) {
    const fingerprint = key.kind === 'openpgp' ? key.key.fingerprint : key.kind === 'ssh' ? key.fingerprint : '';
    const forge = bots.includes(name) ? findForgeKey(fingerprint)?.forge : undefined;
    if (forge === undefined) continue;
    throw wrong(policy, file, `is ${forge}'s own key, which signs for every account there and proves no bot`, [
      `take ${name} out of changes.bots: what ${forge} signed for a bot is a commit of nobody who is proved, and changes.unknown says what becomes of it`,
    ]);
  }
}

function ownerOf({ name, person }: NamedKey): string {
  return person ?? name;
}

/** Equal for equal keys. */
function tokensOf(key: PersonKey): readonly string[] {
  if (key.kind === 'key') return [`key ${key.publicKey.fingerprint}`];
  if (key.kind === 'openpgp') return key.key.parts.map(({ fingerprint }) => `openpgp ${fingerprint}`);
  return [`ssh ${key.fingerprint}`, ...(key.publicKey === undefined ? [] : [`key ${key.publicKey.fingerprint}`])];
}

/** Whoever has to sign a statement needs something that signs statements, which OpenPGP does not. */
function checkSigners(
  policy: Policy,
  rule: ChangesRule,
  keys: readonly LoadedKey[],
  certificates: readonly NamedCertificate[],
): void {
  const isOf = (name: string) => (each: { readonly name: string; readonly person?: string }) =>
    each.name === name || each.person === name;
  const signs = (name: string): boolean =>
    keys.some((each) => isOf(name)(each) && each.key.kind !== 'openpgp') || certificates.some(isOf(name));
  const { provenance, decision } = rule.agents;
  const roles = [...(provenance?.of ?? []), ...(decision?.of ?? [])];
  const approvers = rule.highRisk.by.filter((name) => policy.people.get(name)?.accounts.length === 0);
  const unable = [...roles, ...approvers].find((name) => !signs(name));
  if (unable === undefined) return;
  const { place } = policy.people.get(unable) ?? rule;
  throw wrong(policy, { by: unable, place }, 'has OpenPGP keys alone, which sign commits and no statements', [
    'add an SSH key, a key in PEM or a Sigstore identity',
  ]);
}

function pinsByName(
  policy: Policy,
  keys: readonly (LoadedKey & { readonly file: NamedKey })[],
  certificates: readonly NamedCertificate[],
  roles: ReadonlySet<string>,
): ReadonlyMap<string, readonly Pin[]> {
  const found = new Map<string, Pin[]>();
  const add = (name: string, pin: Pin): void => void found.set(name, [...(found.get(name) ?? []), pin]);
  for (const { name, person, presence, key, file } of keys) {
    const publicKey = plainKeyOf(key);
    if (publicKey === undefined || (presence !== undefined && !roles.has(name))) continue;
    const shown = name === person ? `${name} (${file.path})` : name;
    const pin: Pin = { kind: 'key', name: shown, ...(person !== undefined && { person }), key: publicKey };
    if (name !== person || presence === undefined) add(name, pin);
    if (person !== undefined && person !== name && presence === undefined) add(person, pin);
  }
  for (const { name, person, presence, pin } of certificates) {
    add(name, pin);
    if (person !== undefined && presence === undefined) add(person, pin);
  }
  for (const name of [...policy.people.keys(), ...roles]) if (!found.has(name)) found.set(name, []);
  return found;
}

/** What restricts an SSH key (a namespace, a time) has no meaning for a signature that is no SSH signature. */
function plainKeyOf(key: PersonKey) {
  if (key.kind === 'key') return key.publicKey;
  if (key.kind === 'openpgp') return undefined;
  const { publicKey, namespaces, validAfter, validBefore } = key;
  return namespaces === undefined && validAfter === undefined && validBefore === undefined ? publicKey : undefined;
}

/** A threshold that its own keys can never meet. Where somebody signs by SSH alone, that is not to be seen from pins. */
function checkRule(policy: Policy, { kind, of, count, place }: SignedRule, pins: LoadedSigners['pins']): void {
  const parties = of.map((name) => ({ name, pins: pins.get(name) ?? [] }));
  if (parties.some((party) => party.pins.length === 0)) return;
  try {
    checkRequirement(kind === 'threshold' ? { kind, of: parties, count } : { kind, of: parties });
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    throw new OperationalError(error.code, `${at(policy, place)}: ${error.message}`, { hints: error.hints });
  }
}

function presenceNotes({ people }: Policy, keys: readonly LoadedKey[]): readonly string[] {
  return [...people.values()].flatMap(({ name, presence }) => {
    const able = keys.some(({ person, key }) => person === name && key.kind === 'ssh' && key.securityKey);
    if (presence === undefined || able) return [];
    return [`people.${name} asks for presence and has no security key (sk-…): no signature of theirs can count`];
  });
}

/** What a policy asks for and nobody looks at must not be taken for met. Images are no part of a change. */
function unjudgedNotes({ unjudged }: Policy): readonly string[] {
  const parts = unjudged.filter(({ path: part, judgedBy }) => judgedBy !== 'change' && !part.startsWith('images'));
  if (parts.length === 0) return [];
  return [`the policy also has ${parts.map(({ path: part }) => part).join(', ')}, which change does not judge`];
}
