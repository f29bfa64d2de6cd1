/**
 * Lockfiles in JSON: npm (package-lock.json, versions 1 to 3), Pipenv (Pipfile.lock), Composer (composer.lock).
 *
 *     npm       packages{"node_modules/a": {version, resolved, integrity, name, link}}, dependencies{a: {version, resolved, …}}
 *     Pipenv    _meta.sources[{url}], default|develop{a: {version: "==1.0", hashes: ["sha256:…"], index, git, ref, file}}
 *     Composer  packages|packages-dev[{name, version, source{type, url, reference}, dist{type, url, reference, shasum}}]
 *
 * A text that two readers could understand in two ways (members twice) is refused.
 */
import { VerifyError } from '../../../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from '../../../sigstore/json.ts';
import { expandHost, fileOrigin, gitOrigin, isGitAddress, npmOrigin, registryOrigin, revisionOf } from './origin.ts';
import { digestsOf, type Lock, type LockEntry, mostEntries, type Origin, type UnreadLock } from './types.ts';

/** Throws VerifyError for what is no strict JSON. */
export function readNpmLock(bytes: Buffer): Lock | UnreadLock {
  const root = parseLock(bytes);
  if (!isJsonObject(root)) return { unread: 'it is no object' };
  const packages = root['packages'];
  const dependencies = root['dependencies'];
  if (!isJsonObject(packages) && !isJsonObject(dependencies)) {
    const empty = packages === undefined && dependencies === undefined && root['lockfileVersion'] !== undefined;
    return empty ? { entries: [] } : { unread: 'it has neither packages nor dependencies' };
  }
  // Version 2 holds both, and which one counts depends on the version of npm.
  const entries = [
    ...(isJsonObject(packages) ? locatedEntries(packages) : []),
    ...(isJsonObject(dependencies) ? nestedEntries(dependencies) : []),
  ];
  return { entries };
}

export function readPipfileLock(bytes: Buffer): Lock | UnreadLock {
  const root = parseLock(bytes);
  const meta = isJsonObject(root) ? root['_meta'] : undefined;
  if (!isJsonObject(root) || !isJsonObject(meta)) return { unread: 'it has no _meta' };
  const sources = Array.isArray(meta['sources']) ? meta['sources'] : [];
  const urls = new Map<string, string>();
  for (const source of sources) {
    if (isJsonObject(source)) urls.set(textOf(source['name']) ?? '', textOf(source['url']) ?? '');
  }
  // Every group but _meta: categories have any name.
  const groups = Object.entries(root).filter(([name]) => name !== '_meta');
  const entries = groups.flatMap(([, group]) =>
    isJsonObject(group) ? members(group).map(([name, value]) => pipfileEntry(name, value, urls)) : [],
  );
  return { entries, registries: [...urls.values()] };
}

export function readComposerLock(bytes: Buffer): Lock | UnreadLock {
  const root = parseLock(bytes);
  if (!isJsonObject(root) || !Array.isArray(root['packages'])) return { unread: 'it has no packages' };
  const all: readonly Json[] = [
    ...root['packages'],
    ...(Array.isArray(root['packages-dev']) ? root['packages-dev'] : []),
  ];
  return { entries: all.filter(isJsonObject).map(composerEntry) };
}

/** Each object takes a hundred times its two brackets. */
function parseLock(bytes: Buffer): Json {
  let objects = 0;
  for (const octet of bytes) if (octet === 0x7b || octet === 0x5b) objects++;
  if (objects > 2 * mostEntries) throw new VerifyError('unsupported', `the lockfile has ${objects} objects and lists`);
  return parseStrictJsonBytes(withoutMark(bytes), 'the lockfile');
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function members(object: JsonObject): readonly (readonly [string, JsonObject])[] {
  return Object.entries(object).flatMap(([name, value]) => (isJsonObject(value) ? [[name, value] as const] : []));
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function locatedEntries(packages: JsonObject): readonly LockEntry[] {
  return members(packages).flatMap(([path, entry]) => {
    const at = path.lastIndexOf('node_modules/');
    if (at < 0 || entry['link'] === true) return [];
    return [npmEntry(path.slice(at + 'node_modules/'.length), entry, textOf(entry['name']))];
  });
}

function nestedEntries(dependencies: JsonObject): readonly LockEntry[] {
  const found: LockEntry[] = [];
  const pending: JsonObject[] = [dependencies];
  for (let group = pending.pop(); group !== undefined; group = pending.pop()) {
    for (const [name, entry] of members(group)) {
      found.push(npmEntry(name, entry, undefined));
      if (isJsonObject(entry['dependencies'])) pending.push(entry['dependencies']);
    }
  }
  return found;
}

function npmEntry(name: string, entry: JsonObject, stated: string | undefined): LockEntry {
  const written = textOf(entry['version']) ?? '';
  const aliased = /^npm:(.+)@([^@]+)$/.exec(written);
  const real = aliased?.[1] ?? stated ?? name;
  // Version 1 writes the address of what is from no registry in place of the version.
  const address = textOf(entry['resolved']) ?? (/[:/]/.test(written) && aliased === null ? written : undefined);
  const { origin, found } = address === undefined ? {} : npmOrigin(expandHost(address));
  const revision = origin?.kind === 'git' && address !== undefined ? `#${revisionOf(address)}` : '';
  return {
    name,
    version: `${aliased?.[2] ?? written}${revision}`,
    ...(origin !== undefined && { origin }),
    integrity: subresource(textOf(entry['integrity'])),
    ...(real !== name && { alias: real }),
    ...(found !== undefined && found.toLowerCase() !== real.toLowerCase() && { misplaced: found }),
  };
}

/** `sha512-… sha1-…` */
export function subresource(text: string | undefined): ReadonlyMap<string, ReadonlySet<string>> {
  const pairs = (text ?? '').split(/\s+/).flatMap((each) => {
    const dash = each.indexOf('-');
    return dash < 0 ? [] : [[each.slice(0, dash), each.slice(dash + 1)] as const];
  });
  return digestsOf(pairs);
}

function pipfileEntry(name: string, entry: JsonObject, urls: ReadonlyMap<string, string>): LockEntry {
  const git = textOf(entry['git']);
  const file = textOf(entry['file']) ?? textOf(entry['path']);
  const index = textOf(entry['index']);
  let origin: Origin | undefined;
  if (git !== undefined) origin = gitOrigin(git);
  else if (file !== undefined) origin = fileOrigin(file);
  else if (index !== undefined) origin = registryOrigin(urls.get(index) ?? index);
  const hashes = Array.isArray(entry['hashes']) ? entry['hashes'].filter((each) => typeof each === 'string') : [];
  return {
    name,
    version: `${textOf(entry['version']) ?? ''}${git === undefined ? '' : `#${textOf(entry['ref']) ?? ''}`}`,
    ...(origin !== undefined && { origin }),
    integrity: digestsOf(hashes.map((hash) => ['sha256', hash] as const)),
  };
}

function composerEntry(entry: JsonObject): LockEntry {
  const source = isJsonObject(entry['source']) ? entry['source'] : undefined;
  const dist = isJsonObject(entry['dist']) ? entry['dist'] : undefined;
  const reference = textOf(source?.['reference']) ?? textOf(dist?.['reference']) ?? '';
  const version = textOf(entry['version']) ?? '';
  // A branch is no version: its revision is.
  const moving = version.startsWith('dev-') || version.endsWith('-dev');
  const address = textOf(source?.['url']);
  const distUrl = textOf(dist?.['url']);
  let origin: Origin | undefined;
  if (address !== undefined) origin = { ...gitOrigin(address), address: gitOrigin(address).place };
  const digests: (readonly [string, string])[] = [];
  if (reference !== '') digests.push(['reference', reference]);
  const shasum = textOf(dist?.['shasum']) ?? '';
  if (shasum !== '') digests.push(['shasum', shasum]);
  // The archive is what is unpacked; where sources are of a well-known host it must be of the same repository.
  if (distUrl !== undefined) digests.push(['archive', archivePlace(distUrl, reference)]);
  return {
    name: textOf(entry['name']) ?? '',
    version: moving ? `${version}#${reference}` : version,
    ...(origin === undefined && distUrl !== undefined && { origin: fileOrigin(distUrl) }),
    ...(origin !== undefined && { origin: composerOrigin(origin) }),
    integrity: digestsOf(digests),
  };
}

function archivePlace(url: string, reference: string): string {
  return isGitAddress(url) || reference === '' ? url : url.replaceAll(reference, 'REFERENCE');
}

/** Packagist names repositories anywhere: the forge is the place, and names are bound to repositories by their first entry. */
function composerOrigin(origin: Origin): Origin {
  if (origin.kind !== 'git') return origin;
  const [, host = ''] = /^git ([^/]*)/.exec(origin.place) ?? [];
  return { kind: 'registry', place: `git ${host}`, address: origin.address };
}
