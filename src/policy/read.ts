/**
 * `tidewaiter.policy.yaml`, as far as signatures and changes need it; docs/formats/policy.md tells the format. Everything unknown is
 * refused. The parts that other checks will judge are handed on as they are, so that nobody takes silence for a pass.
 */
import { isShippedName, shippedNames } from '../sigstore/shipped.ts';
import { readChanges } from './changes.ts';
import { readDays } from './days.ts';
import { readIdentity } from './identities.ts';
import { readImages } from './images.ts';
import { readPeople } from './people.ts';
import { type PolicyShape, policyShape } from './schema.ts';
import type { Policy, TrustRule, Unjudged } from './types.ts';
import { formatPath, type Path, readYaml, type YamlFile } from './yaml.ts';

/** Pure: key files and trusted roots are only named. Throws OperationalError `configuration`, `NAME:LINE:COLUMN: …`. */
export function readPolicy(text: string, name: string): Policy {
  const file = readYaml(text, name);
  const shape = checkShape(file);
  const trust = readTrust(shape, file);
  const people = readPeople(shape, file);
  const persons = new Map(
    [...people.values()].flatMap((each) => each.identities.map((one) => [one, each.name] as const)),
  );
  const identities = Object.entries(shape.identities ?? {}).map(
    ([each, fields]) => [each, readIdentity(each, fields, { file, trust, persons })] as const,
  );
  const images = readImages(shape, people, file);
  const changes = readChanges(shape, people, file);
  return {
    name,
    trust,
    identities: new Map(identities),
    people,
    images,
    ...(changes === undefined ? {} : { changes }),
    unjudged: findUnjudged(shape, file),
  };
}

function checkShape(file: YamlFile): PolicyShape {
  const result = policyShape.safeParse(file.value);
  if (!result.success) {
    // Everything that is wrong, in the order of the file; the first is told.
    const [first] = result.error.issues
      .map((issue) => {
        const path = issue.path.filter((step) => typeof step !== 'symbol');
        const at = issue.code === 'unrecognized_keys' ? [...path, ...issue.keys.slice(0, 1)] : path;
        return { at, message: issue.message, place: file.placeOf(at) };
      })
      .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
    throw file.fault(first?.at ?? [], first?.message ?? 'is not a policy');
  }
  for (const part of ['trust', 'identities', 'people'] as const) {
    for (const name of Object.keys(result.data[part] ?? {})) {
      if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) {
        throw file.fault([part, name], 'is no name: use letters, digits, dot, dash and underscore, at most 64');
      }
    }
  }
  return result.data;
}

function readTrust(shape: PolicyShape, file: YamlFile): ReadonlyMap<string, TrustRule> {
  const rules = Object.entries(shape.trust ?? {}).map(([name, { root, issuers = [], maxAge }]) => {
    const path = ['trust', name];
    if (isShippedName(name)) {
      const own = root !== undefined ? 'root' : issuers.length > 0 ? 'issuers' : undefined;
      if (own !== undefined) {
        throw file.fault(
          [...path, own],
          `cannot be set: ${name} ships with tidewaiter; give a root of your own another name`,
        );
      }
      if (maxAge === undefined) throw file.fault(path, 'says nothing; add maxAge, like 90d, or remove it');
    } else if (root === undefined || issuers.length === 0) {
      throw file.fault(
        path,
        `must have root (a trusted_root.json) and issuers (whom it may speak for), or be one of ${shippedNames.join(', ')}`,
      );
    }
    return [
      name,
      {
        name,
        ...(root !== undefined && { root }),
        issuers,
        ...(maxAge !== undefined && { maxAge: readDays(maxAge, [...path, 'maxAge'], file) }),
        place: file.placeOf(path),
      },
    ] as const;
  });
  return new Map(rules);
}

function findUnjudged(shape: PolicyShape, file: YamlFile): readonly Unjudged[] {
  const at = (path: Path, value: unknown, judgedBy?: 'change'): readonly Unjudged[] =>
    value === undefined
      ? []
      : [{ path: formatPath(path), value, place: file.placeOf(path), ...(judgedBy === undefined ? {} : { judgedBy }) }];
  return [
    ...at(['changes'], shape.changes, 'change'),
    ...(['platform', 'exceptions', 'ledger'] as const).flatMap((part) => at([part], shape[part])),
    ...Object.entries(shape.people ?? {}).flatMap(([name, { presence }]) =>
      at(['people', name, 'presence'], presence, 'change'),
    ),
    ...(shape.images ?? []).flatMap((image, index) =>
      (['provenance', 'sbom', 'packages'] as const).flatMap((part) => at(['images', index, part], image[part])),
    ),
  ];
}
