/** What `changes` needs of the rest of a policy: which identities can matter to a change, and the files behind them. */
import type { CertificatePin } from '../sigstore/pin.ts';
import { keyFiles, type NamedFile, rootFiles } from './requirement.ts';
import type { ChangesRule, Policy } from './types.ts';

/** A file with keys, and whose they are. */
export interface NamedKey extends NamedFile {
  /** Of the identity or person. */
  readonly name: string;
  readonly person?: string;
  readonly presence?: 'required';
  /** What the policy says it is. A person's may be of any kind. */
  readonly kind: 'key' | 'openpgp' | 'any';
}

export interface NamedCertificate {
  readonly name: string;
  readonly person?: string;
  readonly presence?: 'required';
  readonly pin: CertificatePin;
}

/** Names that `changes` itself uses, people's included: they stand for what they do, and not only for a person. */
export function roleNames({ agents, bots, highRisk }: ChangesRule): ReadonlySet<string> {
  const { provenance, decision, hosted } = agents;
  return new Set([...(provenance?.of ?? []), ...(decision?.of ?? []), ...hosted, ...bots, ...highRisk.records]);
}

/** Keys of everybody whose signature a change can carry: all people, and the identities that `changes` names. */
export function changeKeys(policy: Policy, rule: ChangesRule): readonly NamedKey[] {
  const identities = neededIdentities(policy, rule).flatMap(([name, each]): NamedKey[] => {
    if (each.kind === 'certificate') return [];
    const { kind, file, place, person } = each;
    return [{ path: file, by: `identities.${name}.${kind}`, place, name, kind, ...ownerOf(policy, person) }];
  });
  const people = [...policy.people.values()].flatMap(({ name, keys, place }) =>
    keys.map((path, at): NamedKey => {
      return { path, by: `people.${name}.keys[${at}]`, place, name, kind: 'any', ...ownerOf(policy, name) };
    }),
  );
  return [...identities, ...people];
}

/** Certificates of the same. */
export function changeCertificates(policy: Policy, rule: ChangesRule): readonly NamedCertificate[] {
  return neededIdentities(policy, rule).flatMap(([name, each]) =>
    each.kind === 'certificate' ? [{ name, pin: each.pin, ...ownerOf(policy, each.pin.person) }] : [],
  );
}

/** Every file that the policy names, needed or not, each path once as it is written. */
export function namedFiles(policy: Policy): readonly string[] {
  const openpgp = [...policy.identities.values()].flatMap((each) => (each.kind === 'openpgp' ? [each.file] : []));
  const later = policy.unjudged.flatMap(({ path, value }) => (path === 'platform' ? [value] : keyIn(path, value)));
  return [
    ...new Set([
      ...keyFiles(policy).map(({ path }) => path),
      ...openpgp,
      ...rootFiles(policy).map(({ path }) => path),
      ...later.filter((each) => typeof each === 'string' && each !== ''),
    ] as string[]),
  ];
}

/** `ledger: { key: … }`, which is not judged yet: a file that the policy names all the same. */
function keyIn(path: string, value: unknown): readonly unknown[] {
  return path === 'ledger' && typeof value === 'object' && value !== null && 'key' in value ? [value.key] : [];
}

function neededIdentities({ identities, people }: Policy, rule: ChangesRule) {
  const names = new Set([...roleNames(rule), ...[...people.values()].flatMap((person) => person.identities)]);
  return [...identities].filter(([name]) => names.has(name));
}

function ownerOf({ people }: Policy, person: string | undefined): Pick<NamedKey, 'person' | 'presence'> {
  if (person === undefined) return {};
  const presence = people.get(person)?.presence;
  return { person, ...(presence === undefined ? {} : { presence }) };
}
