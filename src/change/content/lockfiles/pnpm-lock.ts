/**
 * pnpm-lock.yaml, of all versions: YAML as pnpm writes it.
 *
 *     packages:
 *
 *       left-pad@1.3.0:                     older: /left-pad@1.3.0:   /left-pad/1.3.0:
 *         resolution: {integrity: sha512-…}
 *         resolution:
 *           integrity: sha512-…
 *           tarball: https://…
 *
 * Only `packages` is looked at. Forms that YAML knows and pnpm does not write (anchors, flow mappings for entries, keys
 * twice, tabs) make the file unread.
 */
import { subresource } from './json-locks.ts';
import { fileOrigin, gitOrigin, isGitAddress, npmOrigin, registryOrigin } from './origin.ts';
import { type Lock, type LockEntry, mostEntries, type Origin, type UnreadLock } from './types.ts';

export function readPnpmLock(bytes: Buffer): Lock | UnreadLock {
  const reader: Reader = { section: '', sections: new Set(), packages: new Map(), inResolution: false };
  for (const [index, written] of bytes.toString('utf8').split('\n').entries()) {
    const line = written.trimEnd();
    if (line === '' || line.trimStart().startsWith('#')) continue;
    if (!readLine(reader, line, index + 1)) return { unread: `its line ${index + 1} is not understood` };
  }
  if (!reader.everPackages && !reader.everVersion) return { unread: 'it has no lockfileVersion' };
  const entries: LockEntry[] = [];
  for (const found of reader.packages.values()) {
    const entry = entryOf(found);
    if (entry !== undefined) entries.push(entry);
  }
  return { entries };
}

interface Found {
  readonly key: string;
  readonly line: number;
  readonly resolution: Map<string, string>;
  readonly fields: Map<string, string>;
}

interface Reader {
  section: string;
  sections: Set<string>;
  readonly packages: Map<string, Found>;
  current?: Found;
  inResolution: boolean;
  everPackages?: true;
  everVersion?: true;
}

function readLine(reader: Reader, line: string, number: number): boolean {
  const indent = line.length - line.trimStart().length;
  if (line.startsWith('---')) {
    reader.sections = new Set();
    reader.section = '';
    return line === '---';
  }
  if (indent === 0) return startSection(reader, line);
  if (reader.section !== 'packages') return true;
  if (line.slice(0, indent).includes('\t')) return false;
  if (indent === 2) return startPackage(reader, line, number);
  const { current } = reader;
  if (current === undefined) return false;
  if (indent === 4) return readField(reader, current, line.trim());
  if (!reader.inResolution) return indent > 4;
  return indent >= 6 && readPair(current.resolution, line.trim());
}

function startSection(reader: Reader, line: string): boolean {
  const match = /^([A-Za-z]+):(.*)$/.exec(line);
  if (match === null || reader.sections.has(match[1]!)) return false;
  const [, name = '', rest = ''] = match;
  reader.section = name;
  reader.sections.add(name);
  delete reader.current;
  if (name === 'lockfileVersion') reader.everVersion = true;
  if (name !== 'packages') return true;
  reader.everPackages = true;
  return rest === '' || rest.trim() === '{}';
}

function startPackage(reader: Reader, line: string, number: number): boolean {
  const match = /^ {2}(?:'([^']+)'|"([^"\\]+)"|([^\s'"{}[\]&*!|>%`,#?:-][^\s'"]*)):$/.exec(line);
  const key = match?.[1] ?? match?.[2] ?? match?.[3];
  if (key === undefined || reader.packages.has(key) || reader.packages.size >= mostEntries) return false;
  reader.current = { key, line: number, resolution: new Map(), fields: new Map() };
  reader.packages.set(key, reader.current);
  reader.inResolution = false;
  return true;
}

function readField(reader: Reader, current: Found, text: string): boolean {
  reader.inResolution = false;
  // A list or a wrapped text continues the field before it.
  if (text.startsWith('- ') || text === '-') return true;
  const match = /^'?([A-Za-z]+)'?:(?: (.*))?$/.exec(text);
  if (match === null) return false;
  const [, name = '', value = ''] = match;
  if (current.fields.has(name)) return false;
  current.fields.set(name, value);
  if (name !== 'resolution') return true;
  if (value === '') {
    reader.inResolution = true;
    return true;
  }
  if (!value.startsWith('{') || !value.endsWith('}')) return false;
  return value
    .slice(1, -1)
    .trim()
    .split(', ')
    .every((pair) => pair === '' || readPair(current.resolution, pair));
}

function readPair(resolution: Map<string, string>, text: string): boolean {
  const match = /^([A-Za-z]+): (?:'([^']*)'|"([^"\\]*)"|([^\s'"{}[\]&*!|>%`,][^\s,{}]*))$/.exec(text);
  const value = match?.[2] ?? match?.[3] ?? match?.[4];
  if (match === null || value === undefined || resolution.has(match[1]!)) return false;
  resolution.set(match[1]!, value);
  return true;
}

function entryOf({ key, line, resolution, fields }: Found): LockEntry | undefined {
  const { name, version } = nameOf(key, fields);
  const integrity = subresource(resolution.get('integrity'));
  const repo = resolution.get('repo');
  if (repo !== undefined) {
    const revision = `${version}#${resolution.get('commit') ?? ''}`;
    return { name, version: revision, line, origin: gitOrigin(repo), integrity };
  }
  if (resolution.has('directory')) return undefined;
  const tarball = resolution.get('tarball');
  if (tarball === undefined) return { name, version, line, integrity, ...originOf(key) };
  if (isGitAddress(tarball)) return { name, version, line, origin: gitOrigin(tarball), integrity };
  const { origin, found } = npmOrigin(tarball);
  if (found === undefined) return { name, version, line, origin: fileOrigin(tarball), integrity };
  const misplaced = found.toLowerCase() !== name.toLowerCase() ? { misplaced: found } : {};
  return { name, version, line, origin, integrity, ...misplaced };
}

/** What the entry says itself, or its key: `/@a/b@1.0.0(peer)`, before version 6 `/@a/b/1.0.0_peer`, with a host in place of none. */
function nameOf(key: string, fields: ReadonlyMap<string, string>): { readonly name: string; readonly version: string } {
  const bare = key.replace(/^\//, '').split('(', 1)[0]!;
  const match = /^((?:@[^/@]+\/)?[^/@]+)@(.+)$/.exec(bare);
  const slash = bare.lastIndexOf('/');
  const path = bare.slice(key.startsWith('/') ? 0 : bare.indexOf('/') + 1, Math.max(slash, 0));
  const name = fields.get('name') ?? match?.[1] ?? (path === '' ? bare : path);
  const version = fields.get('version') ?? match?.[2] ?? bare.slice(slash + 1).split('_', 1)[0]!;
  return { name: unquoted(name), version: unquoted(version) };
}

function unquoted(text: string): string {
  return /^'[^']*'$|^"[^"\\]*"$/.test(text) ? text.slice(1, -1) : text;
}

/** Before version 6 a package of another registry has its host as the first part of its key. */
function originOf(key: string): { readonly origin?: Origin } {
  const host = /^([a-z0-9.-]+\.[a-z]+(?::[0-9]+)?)\//.exec(key)?.[1];
  return host === undefined ? {} : { origin: registryOrigin(`https://${host}`) };
}
