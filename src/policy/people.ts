/** People of a policy: one human, several keys and identities, counted once wherever signers are counted. */
import { posix } from 'node:path';
import { quoted } from '../diag/index.ts';
import type { PolicyShape } from './schema.ts';
import type { Person } from './types.ts';
import type { YamlFile } from './yaml.ts';

export function readPeople(shape: PolicyShape, file: YamlFile): ReadonlyMap<string, Person> {
  const people = new Map<string, Person>();
  const owners = new Map<string, string>();
  for (const [name, person] of Object.entries(shape.people ?? {})) {
    const { keys = [], identities = [], emails = [], accounts = [], presence } = person;
    const path = ['people', name];
    if (keys.length + identities.length + emails.length + accounts.length === 0) {
      throw file.fault(path, 'has nothing to be recognised by; add keys, identities, emails or accounts');
    }
    if (Object.hasOwn(shape.identities ?? {}, name)) {
      throw file.fault(path, 'has the name of an identity; a name must say which of the two is meant');
    }
    for (const [at, identity] of identities.entries()) {
      if (!Object.hasOwn(shape.identities ?? {}, identity)) {
        throw file.fault(
          [...path, 'identities', at],
          `names no identity: ${quoted(identity)} is not under identities:`,
        );
      }
    }
    for (const [at, account] of accounts.entries()) {
      const fault = accountFault(account);
      if (fault !== undefined) throw file.fault([...path, 'accounts', at], fault);
    }
    const claim = (what: keyof typeof spellings, values: readonly string[]): void => {
      for (const [at, value] of values.entries()) {
        const token = `${what} ${spellings[what](value)}`;
        const owner = owners.get(token);
        if (owner !== undefined) {
          throw file.fault(
            [...path, what, at],
            `is listed already, under people.${owner}; it can belong to one person only`,
          );
        }
        owners.set(token, name);
      }
    };
    claim('keys', keys);
    claim('identities', identities);
    claim('accounts', accounts);
    const place = file.placeOf(path);
    people.set(name, {
      name,
      keys,
      identities,
      emails,
      accounts,
      ...(presence === undefined ? {} : { presence }),
      place,
    });
  }
  return people;
}

/** What is one and the same, however it is written. The same key in another file is found when the keys are loaded. */
const spellings = {
  keys: (file: string) => posix.normalize(file),
  identities: (name: string) => name,
  // Forges tell no upper from lower case in the names of accounts.
  accounts: (account: string) => account.toLowerCase(),
} as const;

/** `github:alice`. An account of an unknown forge would never count for anybody, and nobody would be told. */
function accountFault(account: string): string | undefined {
  const [forge = '', ...rest] = account.split(':');
  const login = rest.join(':');
  if (rest.length === 0) return `must be FORGE:LOGIN, like github:${/^[\w-]+$/.test(account) ? account : 'alice'}`;
  if (forge !== 'github') return `is of a forge whose reviews are not read: ${quoted(forge)}; github is`;
  if (/\[bot\]$/i.test(login)) return 'is the account of a program; a person has an account of their own';
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(login)
    ? undefined
    : `holds no login of GitHub: ${quoted(login)}; it has letters, digits and dashes`;
}
