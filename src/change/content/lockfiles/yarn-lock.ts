/**
 * yarn.lock. Version 1, and from version 2 on something that looks like YAML and is written by one program only:
 *
 *     "@babel/core@^7.0.0", "@babel/core@^7.1.0":             "left-pad@npm:^1.3.0":
 *       version "7.1.2"                                         version: 1.3.0
 *       resolved "https://registry.yarnpkg.com/…#sha1"          resolution: "left-pad@npm:1.3.0"
 *       integrity sha512-…                                      checksum: 10c0/3f…
 *       dependencies:                                           languageName: node
 *         a "^1.0.0"
 *
 * A line of another form makes the whole file unread: what one reader passes over another one may understand.
 */
import { subresource } from './json-locks.ts';
import { expandHost, fileOrigin, gitOrigin, isGitAddress, npmOrigin, revisionOf } from './origin.ts';
import { digestsOf, type Lock, type LockEntry, mostEntries, type UnreadLock } from './types.ts';

export function readYarnLock(bytes: Buffer): Lock | UnreadLock {
  const blocks = readBlocks(bytes.toString('utf8'));
  if (!Array.isArray(blocks)) return blocks as UnreadLock;
  const berry = blocks.some(({ header }) => header === '__metadata');
  const entries: LockEntry[] = [];
  for (const block of blocks) {
    if (block.header === '__metadata') continue;
    const entry = berry ? berryEntry(block) : classicEntry(block);
    if (entry === undefined) return { unread: `its entry in line ${block.line} is not understood` };
    if (entry !== 'local') entries.push(entry);
  }
  return { entries };
}

interface Block {
  /** Without the colon at its end. */
  readonly header: string;
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
}

function readBlocks(text: string): readonly Block[] | UnreadLock {
  const blocks: { header: string; line: number; fields: Map<string, string> }[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.endsWith('\r') ? written.slice(0, -1) : written;
    if (line === '' || line.startsWith('#')) continue;
    const unread = { unread: `its line ${index + 1} is not understood` };
    const indent = line.length - line.trimStart().length;
    const block = blocks.at(-1);
    if (indent === 0) {
      if (!line.endsWith(':') || blocks.length >= mostEntries) return unread;
      blocks.push({ header: line.slice(0, -1), line: index + 1, fields: new Map() });
    } else if (block === undefined || line.includes('\t')) return unread;
    else if (indent === 2) {
      const field = /^ {2}"?([A-Za-z]{1,64})"?(?:: ?| )?(.*)$/.exec(line);
      if (field === null || block.fields.has(field[1]!)) return unread;
      block.fields.set(field[1]!, unquoted(field[2]!));
    } else if (indent < 4) return unread;
  }
  return blocks;
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** `"@scope/a@npm:b@^1", …` to name and range of the first. */
function specOf(header: string): { readonly name: string; readonly range: string } | undefined {
  const first = header.startsWith('"') ? header.slice(1).split('"', 1)[0]! : header.split(', ', 1)[0]!;
  const at = first.indexOf('@', 1);
  return at < 0 ? undefined : { name: first.slice(0, at), range: first.slice(at + 1).split(', ', 1)[0]! };
}

function classicEntry({ header, line, fields }: Block): LockEntry | 'local' | undefined {
  const spec = specOf(header);
  const version = fields.get('version');
  if (spec === undefined || version === undefined) return undefined;
  const address = fields.get('resolved');
  const aliased = /^npm:(.+)@[^@]*$/.exec(spec.range)?.[1] ?? /^npm:([^@]+)$/.exec(spec.range)?.[1];
  const real = aliased ?? spec.name;
  const integrity = new Map(subresource(fields.get('integrity')));
  const common = { name: spec.name, line, ...(real !== spec.name && { alias: real }) };
  if (address === undefined) return { ...common, version, integrity };
  if (isGitAddress(address)) {
    return {
      ...common,
      version: `${version}#${revisionOf(address)}`,
      origin: gitOrigin(expandHost(address)),
      integrity,
    };
  }
  const hash = revisionOf(address);
  const { origin, found } = npmOrigin(address.split('#', 1)[0]!);
  // Old lockfiles have nothing but the SHA-1 behind the address.
  if (integrity.size === 0 && /^[0-9a-f]{40}$/.test(hash)) integrity.set('sha1', new Set([hash]));
  const misplaced = found !== undefined && found.toLowerCase() !== real.toLowerCase() ? { misplaced: found } : {};
  return { ...common, version, origin, integrity, ...misplaced };
}

function berryEntry({ header, line, fields }: Block): LockEntry | 'local' | undefined {
  const spec = specOf(header);
  const resolution = specOf(`"${fields.get('resolution') ?? ''}"`);
  const version = fields.get('version');
  if (spec === undefined || resolution === undefined || version === undefined) return undefined;
  const { name: real, range } = resolution;
  if (/^(?:workspace|link|portal):/.test(range)) return 'local';
  const checksum = fields.get('checksum') ?? '';
  const slash = checksum.indexOf('/');
  // `10c0/`: how the cache packs files is a part of the digest.
  const label = slash < 0 ? 'checksum' : `checksum ${checksum.slice(0, slash)}`;
  const integrity = digestsOf(checksum === '' ? [] : [[label, checksum.slice(slash + 1)]]);
  const common = { name: spec.name, line, integrity, ...(real !== spec.name && { alias: real }) };
  const archive = /::__archiveUrl=([^&]*)/.exec(range)?.[1];
  if (range.startsWith('npm:')) {
    if (archive === undefined) return { ...common, version };
    const { origin, found } = npmOrigin(decodedUrl(archive));
    const misplaced = found !== undefined && found.toLowerCase() !== real.toLowerCase() ? { misplaced: found } : {};
    return { ...common, version, origin, ...misplaced };
  }
  // Patches lie in the repository, and what they change is named within.
  if (range.startsWith('patch:')) return { ...common, version: `${version} patched ${range}` };
  if (/^file:/.test(range)) return { ...common, version, origin: fileOrigin(range) };
  const revision = /[#&]commit=([0-9a-f]+)/.exec(range)?.[1];
  if (revision !== undefined)
    return { ...common, version: `${version}#${revision}`, origin: gitOrigin(expandHost(range)) };
  return { ...common, version, origin: fileOrigin(range.split('#', 1)[0]!) };
}

function decodedUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
