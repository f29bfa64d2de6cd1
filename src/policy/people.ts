/** People of a policy: one human, several keys and identities, counted once wherever signers are counted. */
import { posix } from 'node:path';
import { quoted } from '../diag/index.ts';
import type { PolicyShape } from './schema.ts';
import type { Person } from './types.ts';
import type { YamlFile } from './yaml.ts';

export function readPeople(shape: PolicyShape, file: YamlFile): ReadonlyMap<string, Person> {
  const people = new Map<string, Person>();
  const owners = new Map<string, string>();
  for (const [name, { keys = [], identities = [], emails = [] }] of Object.entries(shape.people ?? {})) {
    const path = ['people', name];
    if (keys.length + identities.length + emails.length === 0) {
      throw file.fault(path, 'has nothing to be recognised by; add keys, identities or emails');
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
    const claim = (what: 'keys' | 'identities', values: readonly string[]): void => {
      for (const [at, value] of values.entries()) {
        // The same file by another path is seen here; the same key in another file, when the keys are loaded.
        const token = `${what} ${what === 'keys' ? posix.normalize(value) : value}`;
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
    people.set(name, { name, keys, identities, emails, place: file.placeOf(path) });
  }
  return people;
}
