/**
 * Rules for images, by registry and repository:
 *
 *   - match: registry.example/acme/**      # every repository of acme there; all entries that match apply
 *     pinned: true                         # by digest
 *     signed: { any: [release] }
 *
 * A name is taken to its one full form before it is compared, as every registry client does: `alpine` is
 * `docker.io/library/alpine`, `registry.example:443/a` is `registry.example/a`. Were there two forms, the second would dodge
 * the entries for the first. Tags and digests play no part. A target that no entry matches is denied by whoever asks.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import { compilePattern } from '../pattern/index.ts';
import type { ImageShape, PolicyShape } from './schema.ts';
import { readSigned } from './signed.ts';
import type { ImageRule, Person, Policy } from './types.ts';
import type { Path, YamlFile } from './yaml.ts';

/** Every entry that speaks of this image. Throws OperationalError `usage` for what is no image name. */
export function findImageRules({ images }: Pick<Policy, 'images'>, reference: string): readonly ImageRule[] {
  const repository = repositoryOf(reference);
  return images.filter(({ matches }) => matches(repository));
}

/**
 * `registry:localhost:5000/App@sha256:…` -> refused (upper case); `alpine:3` -> `docker.io/library/alpine`. Throws
 * OperationalError `usage`.
 * https://github.com/distribution/reference, reference.go and normalize.go
 */
export function repositoryOf(reference: string): string {
  const name = reference.startsWith('registry:') ? reference.slice('registry:'.length) : reference;
  const [named = '', digest, ...more] = name.split('@');
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const parts = (colon === -1 ? named : named.slice(0, colon)).split('/');
  const [first = ''] = parts;
  const hasHost = parts.length > 1 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const path = hasHost ? parts.slice(1) : parts;
  const registry = hasHost ? registryOf(first) : 'docker.io';
  const isName =
    registry !== undefined &&
    more.length === 0 &&
    // A digest alone is no name, though it would pass for a tag of docker.io/library/sha256; nor is the id of an image.
    !/^(?:sha(?:256|384|512):[0-9a-f]{64,}|[0-9a-f]{64})$/.test(name) &&
    (digest === undefined || digestForm.test(digest)) &&
    (tag === undefined || /^\w[\w.-]{0,127}$/.test(tag)) &&
    path.every((each) => /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/.test(each));
  const repository = [registry, ...(registry === 'docker.io' && path.length === 1 ? ['library'] : []), ...path].join(
    '/',
  );
  if (isName && repository.length <= maxName) return repository;
  throw new OperationalError('usage', `${quoted(reference)} is not the name of an image in a registry`, {
    hints: ['write it like registry.example/acme/shop:1.0, in lower case, a port without zeros before it'],
  });
}

/** The digest in it, as `findImageRules` has accepted it. */
export function digestOf(reference: string): string | undefined {
  const at = reference.indexOf('@');
  return at === -1 ? undefined : reference.slice(at + 1);
}

const digestForm = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** Of registry and repository together, as distribution's reference.go has it. */
const maxName = 255;

/**
 * `registry.example:443` -> `registry.example`. Clients go to 443, or 80 for one without TLS, when no port is stated.
 * Undefined for what is no host, and for an address in another form than the usual one (`127.1`, `[0:0::1]`).
 */
function registryOf(host: string): string | undefined {
  const [, name, port] = hostForm.exec(host) ?? [];
  if (name === undefined || Number(port ?? 1) > 65_535) return undefined;
  const address = `https://${name}/`;
  if (!URL.canParse(address) || new URL(address).hostname !== name) return undefined;
  if (port !== undefined && port !== '443' && port !== '80') return `${name}:${port}`;
  return hubNames.has(name) ? 'docker.io' : name;
}

const hostForm = /^([a-z0-9]+(?:(?:\.|-+)[a-z0-9]+)*|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?$/;

const hubNames: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

export function readImages(shape: PolicyShape, people: ReadonlyMap<string, Person>, file: YamlFile): ImageRule[] {
  return (shape.images ?? []).map((image, at) => readImage(image, ['images', at], shape, people, file));
}

function readImage(
  { match, pinned = false, signed }: ImageShape,
  path: Path,
  shape: PolicyShape,
  people: ReadonlyMap<string, Person>,
  file: YamlFile,
): ImageRule {
  const fault = matchFault(match);
  if (fault !== undefined) throw file.fault([...path, 'match'], fault);
  const rule = { match, matches: compilePattern(match), pinned, place: file.placeOf(path) };
  if (signed === undefined) return rule;
  return { ...rule, signed: readSigned(signed, [...path, 'signed'], { shape, people, file, signs: 'images' }) };
}

function matchFault(match: string): string | undefined {
  const [host = '', ...rest] = match.split('/');
  if (match.includes('@') || rest.some((each) => each.includes(':'))) {
    return 'must be without tag and digest: it names repositories';
  }
  if (match.split('/').includes('')) return 'has an empty segment: no slash at an end, none twice';
  if (match.split('/').some((each) => each !== '**' && each.includes('**'))) {
    return 'has "**" inside a segment; it has to stand alone between slashes';
  }
  if (/[A-Z]/.test(match)) return 'must be in lower case, as image names are';
  if (!/[.:*]/.test(host) && host !== 'localhost') {
    return `must begin with a registry, like ${/^[a-z0-9_-]+$/.test(host) ? `docker.io/${match}` : 'registry.example/acme/**'}`;
  }
  if (rest.length === 0 && host !== '**') return 'names a registry and no repository; add /** for all that it has';
  if (/:(?:443|80)$/.test(host)) return `must be without :${host.split(':').at(-1)}, which goes without saying`;
  if (hubNames.has(host) && host !== 'docker.io') return 'must call Docker Hub docker.io';
  if (!host.includes('*') && registryOf(host) !== host) return `matches nothing: ${quoted(host)} is no registry`;
  if (host === 'docker.io' && rest.length === 1 && rest[0] !== '**') {
    return `matches nothing: that image is docker.io/library/${rest[0]} in full`;
  }
  return undefined;
}
