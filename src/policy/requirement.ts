/** From names in a policy to pins that signatures can be held against, once the key files are loaded. */
import { OperationalError } from '../diag/index.ts';
import type { CertificatePin, Pin } from '../sigstore/pin.ts';
import { checkRequirement, type Party, type Requirement } from '../sigstore/requirement.ts';
import type { PublicKey } from '../sigstore/types.ts';
import type { Identity, Policy, SignedRule } from './types.ts';
import type { Place } from './yaml.ts';

/** A file that the policy names. Its path is relative to the policy file. */
export interface NamedFile {
  readonly path: string;
  /** `identities.ci-key.key`, the first place that names it. */
  readonly by: string;
  readonly place: Place;
}

/** Public keys that images can be signed with, each path once. */
export function keyFiles({ identities, people }: Policy): readonly NamedFile[] {
  const files = namedKeys({ identities, people });
  return files
    .filter(({ path }, at) => files.findIndex((each) => each.path === path) === at)
    .map(({ path, by, place }) => ({ path, by, place }));
}

/** Every place that names a key, with the person whose key it is there. */
function namedKeys({
  identities,
  people,
}: Pick<Policy, 'identities' | 'people'>): readonly (NamedFile & { readonly person: string | undefined })[] {
  return [
    ...[...identities].flatMap(([name, each]) =>
      each.kind === 'key'
        ? [{ path: each.file, by: `identities.${name}.key`, place: each.place, person: each.person }]
        : [],
    ),
    ...[...people.values()].flatMap(({ name, keys, place }) =>
      keys.map((path, at) => ({ path, by: `people.${name}.keys[${at}]`, place, person: name })),
    ),
  ];
}

/** Trusted roots of the policy's own. They must be read under the name that the policy gives them. */
export function rootFiles({ trust }: Policy): readonly (NamedFile & { readonly name: string })[] {
  return [...trust.values()].flatMap(({ name, root, place }) =>
    root === undefined ? [] : [{ name, path: root, by: `trust.${name}.root`, place }],
  );
}

/** Paths of the keys that one rule needs: no other has to be there. */
export function keyPathsOf(policy: Policy, rule: SignedRule): readonly string[] {
  const signers = rule.of.flatMap((name) => signersOf(policy, name));
  return [...new Set(signers.flatMap((each) => (each.kind === 'file' ? [each.file] : [])))];
}

/**
 * `keys` by path. Throws OperationalError `configuration` when the keys show that it can never be met, or that two people
 * have the same one.
 */
export function requirementOf(policy: Policy, rule: SignedRule, keys: ReadonlyMap<string, PublicKey>): Requirement {
  checkOwners(policy, keys);
  const of = rule.of.map((name): Party => ({ name, pins: signersOf(policy, name).map((each) => pinOf(each, keys)) }));
  const requirement: Requirement =
    rule.kind === 'threshold' ? { kind: rule.kind, of, count: rule.count } : { kind: rule.kind, of };
  try {
    checkRequirement(requirement);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const { line, column } = rule.place;
    throw new OperationalError(error.code, `${policy.name}:${line}:${column}: ${error.message}`, {
      hints: error.hints,
    });
  }
  return requirement;
}

/** A key belongs to one person, in whatever files it lies: nobody may sign as two. */
function checkOwners(policy: Policy, keys: ReadonlyMap<string, PublicKey>): void {
  const owned = new Map<string, { readonly person: string; readonly by: string; readonly place: Place }>();
  for (const { path, by, place, person } of namedKeys(policy)) {
    const key = keys.get(path);
    if (key === undefined || person === undefined) continue;
    const other = owned.get(key.fingerprint);
    if (other === undefined) owned.set(key.fingerprint, { person, by, place });
    else if (other.person !== person) {
      throw new OperationalError(
        'configuration',
        `${policy.name}:${place.line}:${place.column}: ${by} is the same key as ${other.by} (line ${other.place.line}): ` +
          `it would make ${other.person} and ${person} one signer`,
        { hints: ['leave it with the one person whose key it is, and give the other a key of their own'] },
      );
    }
  }
}

/** A pin, or a key that has to be loaded to become one. */
type Signer =
  | CertificatePin
  | { readonly kind: 'file'; readonly name: string; readonly person?: string; readonly file: string };

function signersOf(policy: Policy, name: string): readonly Signer[] {
  const identity = policy.identities.get(name);
  if (identity !== undefined) return signersOfIdentity(name, identity);
  const person = policy.people.get(name);
  if (person === undefined) throw new Error(`${policy.name} was read and names nobody called ${name}`);
  return [
    ...person.keys.map((file): Signer => ({ kind: 'file', name: `${name} (${file})`, person: name, file })),
    ...person.identities.flatMap((each) => signersOf(policy, each)),
  ];
}

function signersOfIdentity(name: string, identity: Identity): readonly Signer[] {
  if (identity.kind === 'certificate') return [identity.pin];
  // Images are not signed with OpenPGP; readPolicy refuses it by name, here it is one of several that a person has.
  if (identity.kind === 'openpgp') return [];
  const { file, person } = identity;
  return [{ kind: 'file', name, file, ...(person !== undefined && { person }) }];
}

function pinOf(signer: Signer, keys: ReadonlyMap<string, PublicKey>): Pin {
  if (signer.kind === 'certificate') return signer;
  const key = keys.get(signer.file);
  if (key === undefined) throw new Error(`key file ${signer.file} was not loaded`);
  return { kind: 'key', name: signer.name, key, ...(signer.person !== undefined && { person: signer.person }) };
}
