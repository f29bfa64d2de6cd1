/** Who has to have signed: `any`, `all` or a `threshold` of names, each of an identity or a person. */
import { quoted } from '../diag/index.ts';
import type { PolicyShape, SignedShape } from './schema.ts';
import type { Person, SignedRule } from './types.ts';
import type { Path, YamlFile } from './yaml.ts';

export interface SignedContext {
  readonly shape: PolicyShape;
  readonly people: ReadonlyMap<string, Person>;
  readonly file: YamlFile;
  /** What is signed, for people. OpenPGP signs neither. */
  readonly signs: 'images' | 'statements';
}

export function readSigned(signed: SignedShape, path: Path, context: SignedContext): SignedRule {
  const { file } = context;
  const kinds = (['any', 'all', 'threshold'] as const).filter((kind) => signed[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) throw file.fault(path, 'must have exactly one of any, all and threshold');
  const of = signed.threshold?.of ?? signed.any ?? signed.all ?? [];
  const count = signed.threshold?.count ?? (kind === 'any' ? 1 : of.length);
  const at = kind === 'threshold' ? [...path, kind, 'of'] : [...path, kind];
  for (const [index, name] of of.entries()) {
    const problem = of.indexOf(name) < index ? 'is named twice' : signerFault(name, context);
    if (problem !== undefined) throw file.fault([...at, index], problem);
  }
  if (count > of.length) {
    throw file.fault([...path, kind, 'count'], `can never be met: only ${of.length} are named; lower it or name more`);
  }
  return { kind, of, count, place: file.placeOf(path) };
}

function signerFault(name: string, { shape, people, signs }: SignedContext): string | undefined {
  const { identities = {} } = shape;
  if (Object.hasOwn(identities, name)) {
    const what = signs === 'images' ? 'packages' : 'packages and commits';
    return identities[name]?.openpgp === undefined
      ? undefined
      : `is an OpenPGP key, which signs ${what} and not ${signs}; name a Sigstore identity or a key`;
  }
  const person = people.get(name);
  if (person === undefined) {
    const known = [...Object.keys(identities), ...people.keys()].join(', ');
    return `names nobody: ${quoted(name)} is not among ${known === '' ? 'identities: and people:, which are empty' : known}`;
  }
  const able = person.keys.length > 0 || person.identities.some((each) => identities[each]?.openpgp === undefined);
  return able ? undefined : `has no key and no Sigstore identity to sign ${signs} with; add one under people.${name}`;
}
