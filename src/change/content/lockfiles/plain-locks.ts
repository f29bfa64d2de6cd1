/**
 * Lockfiles of plain lines: go.sum and Gemfile.lock.
 *
 *     go.sum            golang.org/x/text v0.3.0 h1:g61tztE5qeGQ89tm6NTjjM9VPIm088od1l6aSorWRWg=
 *                       golang.org/x/text v0.3.0/go.mod h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=
 *
 *     Gemfile.lock      GEM                                GIT
 *                         remote: https://rubygems.org/      remote: https://github.com/a/b
 *                         specs:                             revision: 3f2c…
 *                           rake (13.0.6)                    specs:
 *                             needed (>= 1)                    b (1.0)
 *                       CHECKSUMS
 *                         rake (13.0.6) sha256=5ce4…
 */
import { gitOrigin, registryOrigin } from './origin.ts';
import { digestsOf, type Lock, type LockEntry, mostEntries, type UnreadLock } from './types.ts';

/** A module is where its name says, so there is no origin to compare. */
export function readGoSum(bytes: Buffer): Lock | UnreadLock {
  const entries: LockEntry[] = [];
  for (const [index, line] of bytes.toString('utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    const [name = '', version = '', digest = '', ...rest] = line.trimEnd().split(' ');
    const colon = digest.indexOf(':');
    if (colon <= 0 || rest.length > 0 || index >= mostEntries)
      return { unread: `its line ${index + 1} is not understood` };
    const integrity = digestsOf([[digest.slice(0, colon), digest.slice(colon + 1)]]);
    entries.push({ name, version, line: index + 1, integrity });
  }
  return { entries };
}

export function readGemfileLock(bytes: Buffer): Lock | UnreadLock {
  const reader: GemReader = { block: undefined, entries: [], remotes: [], checksums: new Map() };
  for (const [index, written] of bytes.toString('utf8').split('\n').entries()) {
    const line = written.trimEnd();
    if (line !== '' && !readGemLine(reader, line, index + 1)) {
      return { unread: `its line ${index + 1} is not understood` };
    }
  }
  const entries = reader.entries.map((entry) => {
    const digests = reader.checksums.get(`${entry.name} ${entry.version}`);
    return digests === undefined ? entry : { ...entry, integrity: digestsOf(digests) };
  });
  return { entries, registries: reader.remotes };
}

interface GemReader {
  block: { readonly name: string; remotes: string[]; revision: string; specs: boolean } | undefined;
  readonly entries: LockEntry[];
  readonly remotes: string[];
  readonly checksums: Map<string, (readonly [string, string])[]>;
}

function readGemLine(reader: GemReader, line: string, number: number): boolean {
  if (!line.startsWith(' ')) {
    // Marks of a merge conflict, and whatever else is no name of a block.
    if (!/^[A-Z][A-Z ]*$/.test(line)) return false;
    reader.block = { name: line, remotes: [], revision: '', specs: false };
    return true;
  }
  const { block } = reader;
  if (block === undefined) return false;
  if (block.name === 'CHECKSUMS') return readChecksum(reader, line);
  if (!['GEM', 'GIT', 'PATH', 'PLUGIN SOURCE'].includes(block.name)) return true;
  const field = /^ {2}([a-z_]+):(?: (.*))?$/.exec(line);
  if (field !== null) return readGemField(reader, block, field[1]!, field[2] ?? '');
  const spec = /^ {4}(\S+)(?: \(([^)]*)\))?$/.exec(line);
  if (spec === null || !block.specs) return block.specs && line.startsWith('      ');
  if (reader.entries.length >= mostEntries) return false;
  addGem(reader, block, { name: spec[1]!, version: spec[2] ?? '', line: number });
  return true;
}

function readGemField(reader: GemReader, block: NonNullable<GemReader['block']>, key: string, value: string): boolean {
  if (key === 'specs') block.specs = true;
  if (key === 'revision') block.revision = value;
  if (key !== 'remote') return true;
  block.remotes.push(value);
  if (block.name === 'GEM') reader.remotes.push(value);
  return true;
}

function addGem(
  reader: GemReader,
  block: NonNullable<GemReader['block']>,
  { name, version, line }: { readonly name: string; readonly version: string; readonly line: number },
): void {
  const integrity = digestsOf([]);
  const [remote = ''] = block.remotes;
  if (block.name === 'PATH') return;
  if (block.name === 'GIT') {
    reader.entries.push({ name, version: `${version}#${block.revision}`, line, origin: gitOrigin(remote), integrity });
    return;
  }
  // With several registries in one block nothing says which of them a gem is from.
  const origin = { ...registryOrigin(remote), place: block.remotes.join(' ') };
  reader.entries.push({ name, version, line, origin, integrity });
}

function readChecksum(reader: GemReader, line: string): boolean {
  const match = /^ {2}(\S+) \(([^)]*)\)(?: (\S+))?$/.exec(line);
  if (match === null) return false;
  const digests = (match[3] ?? '').split(',').flatMap((each) => {
    const equals = each.indexOf('=');
    return equals < 0 ? [] : [[each.slice(0, equals), each.slice(equals + 1)] as const];
  });
  if (digests.length > 0) reader.checksums.set(`${match[1]} ${match[2]}`, digests);
  return true;
}
