/**
 * Lockfiles in TOML: Cargo.lock, poetry.lock, uv.lock, as their programs write them.
 *
 *     [[package]]
 *     name = "serde"
 *     version = "1.0.200"
 *     source = "registry+https://github.com/rust-lang/crates.io-index"     Cargo
 *     checksum = "ddc6f9cc…"                                               Cargo
 *     files = [                                                            Poetry, older versions in [metadata.files]
 *         {file = "a-1.0-py3-none-any.whl", hash = "sha256:…"},
 *     ]
 *     source = { registry = "https://pypi.org/simple" }                    uv; Poetry: [package.source]
 *     wheels = [
 *         { url = "https://files.pythonhosted.org/…", hash = "sha256:…", size = 1 },
 *     ]
 *
 * Forms that TOML knows and these programs do not write (texts over several lines, escapes in what is compared, spaces in
 * the name of a table) make the file unread: we must not see other packages than they do.
 */
import { fileOrigin, gitOrigin, registryOrigin } from './origin.ts';
import { digestsOf, type Lock, type LockEntry, mostEntries, type Origin, type UnreadLock } from './types.ts';

export function readCargoLock(bytes: Buffer): Lock | UnreadLock {
  return readToml(bytes, cargoEntry);
}

export function readPoetryLock(bytes: Buffer): Lock | UnreadLock {
  return readToml(bytes, poetryEntry);
}

export function readUvLock(bytes: Buffer): Lock | UnreadLock {
  return readToml(bytes, uvEntry);
}

interface Package {
  readonly line: number;
  /** `name`, or `source.url` of a table below the package. */
  readonly fields: Map<string, string>;
  /** Inline tables of lists and fields, with the key that they stand under. */
  readonly tables: { readonly key: string; readonly table: ReadonlyMap<string, string> }[];
}

/** Values of other tables: `metadata` and `metadata.files`. */
type Metadata = ReadonlyMap<string, readonly string[]>;

type Entry = (found: Package, metadata: Metadata) => LockEntry | undefined;

function readToml(bytes: Buffer, entryOf: Entry): Lock | UnreadLock {
  const reader: Reader = { table: '', list: undefined, depth: 0, packages: [], metadata: new Map() };
  for (const [index, written] of bytes.toString('utf8').split('\n').entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (!readLine(reader, line, index + 1)) return { unread: `its line ${index + 1} is not understood` };
  }
  if (reader.list !== undefined) return { unread: 'it ends within a list' };
  const entries: LockEntry[] = [];
  for (const found of reader.packages) {
    if (!found.fields.has('name')) return { unread: `its package in line ${found.line} has no name` };
    const entry = entryOf(found, reader.metadata);
    if (entry !== undefined) entries.push(entry);
  }
  return { entries };
}

interface Reader {
  table: string;
  /** The key of a list that is not closed yet. */
  list: string | undefined;
  depth: number;
  readonly packages: Package[];
  readonly metadata: Map<string, string[]>;
}

const header = /^(\[{1,2})([A-Za-z0-9_.-]+(?:\."[^"\\]*")*)(\]{1,2})$/;
const assignment = /^(?:([A-Za-z0-9_-]+)|"([^"\\]*)") = (.*)$/;

function readLine(reader: Reader, line: string, number: number): boolean {
  if (line.includes('"""') || line.includes("'''")) return false;
  if (reader.list !== undefined) return continueList(reader, line);
  if (line.startsWith('[')) return startTable(reader, line, number);
  const match = assignment.exec(line);
  if (match === null) return false;
  return assign(reader, match[1] ?? match[2] ?? '', match[3]!);
}

function startTable(reader: Reader, line: string, number: number): boolean {
  const match = header.exec(line);
  if (match === null || match[1]!.length !== match[3]!.length) return false;
  reader.table = match[2]!;
  const array = match[1] === '[[';
  if (reader.table === 'package') {
    if (!array) return false;
    reader.packages.push({ line: number, fields: new Map(), tables: [] });
    if (reader.packages.length > mostEntries) return false;
  }
  return reader.table.startsWith('package.') ? reader.packages.length > 0 : true;
}

function assign(reader: Reader, key: string, value: string): boolean {
  const { table } = reader;
  const full = table === 'package' ? key : `${table}.${key}`.replace(/^package\./, '');
  reader.depth = openBrackets(value);
  reader.list = reader.depth > 0 ? full : undefined;
  if (table === 'metadata' || table === 'metadata.files') {
    if (reader.metadata.has(full)) return false;
    reader.metadata.set(full, [value]);
    return true;
  }
  const found = reader.packages.at(-1);
  if (found === undefined || (table !== 'package' && !table.startsWith('package.'))) return true;
  if (table === 'package' && found.fields.has(full)) return false;
  found.fields.set(full, value);
  return addTables(found, full, value);
}

function continueList(reader: Reader, line: string): boolean {
  const { list = '', table } = reader;
  const found = reader.packages.at(-1);
  reader.depth += openBrackets(line);
  if (reader.depth <= 0) reader.list = undefined;
  if (table.startsWith('metadata')) reader.metadata.get(list)?.push(line);
  else if (found !== undefined && table.startsWith('package')) return addTables(found, list, line);
  return true;
}

/** Brackets that are open behind the text: those within texts do not count. By hand, since a pattern would take square time. */
function openBrackets(text: string): number {
  let open = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote !== '') {
      if (character === '\\' && quote === '"') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '[') open++;
    else if (character === ']') open--;
  }
  return open;
}

function addTables(found: Package, key: string, text: string): boolean {
  for (const [inner] of text.matchAll(/\{[^{}]*\}/g)) {
    const table = inlineTable(inner);
    if (table === undefined) return !compared.includes(key);
    found.tables.push({ key, table });
  }
  return true;
}

const compared: readonly string[] = ['source', 'files', 'wheels', 'sdist'];

/** `{ a = "b", c = 1 }`. */
function inlineTable(text: string): ReadonlyMap<string, string> | undefined {
  const table = new Map<string, string>();
  const pair = /\s*([A-Za-z0-9_-]+) = ("[^"\\]*"|[0-9A-Za-z_:.+-]+)\s*(,|$)/y;
  const inner = text.slice(1, -1).trimEnd();
  for (let at = 0; at < inner.length; at = pair.lastIndex) {
    pair.lastIndex = at;
    const match = pair.exec(inner);
    if (match === null || table.has(match[1]!)) return undefined;
    table.set(match[1]!, match[2]!.startsWith('"') ? match[2]!.slice(1, -1) : match[2]!);
  }
  return table;
}

/** Undefined where it is missing or no plain text. */
function textOf(value: string | undefined): string | undefined {
  return /^"([^"\\]*)"$/.exec(value ?? '')?.[1];
}

function cargoEntry({ line, fields }: Package, metadata: Metadata): LockEntry | undefined {
  const [name, version] = [textOf(fields.get('name')) ?? '', textOf(fields.get('version')) ?? ''];
  const source = textOf(fields.get('source'));
  if (source === undefined) return undefined;
  const plus = source.indexOf('+');
  const [kind, address] = [source.slice(0, plus), source.slice(plus + 1)];
  const git = kind === 'git';
  const hash = address.indexOf('#');
  const checksum =
    textOf(fields.get('checksum')) ?? textOf(metadata.get(`metadata.checksum ${name} ${version} (${source})`)?.[0]);
  return {
    name,
    version: git ? `${version}#${hash < 0 ? '' : address.slice(hash + 1)}` : version,
    line,
    origin: git ? gitOrigin(address) : cargoRegistry(address),
    integrity: digestsOf(checksum === undefined ? [] : [['checksum', checksum]]),
  };
}

/** crates.io by its git index and by its sparse index is one registry. */
function cargoRegistry(address: string): Origin {
  const sparse =
    address.startsWith('https://index.crates.io/') || address === 'https://github.com/rust-lang/crates.io-index';
  return registryOrigin(sparse ? 'https://github.com/rust-lang/crates.io-index' : address);
}

function poetryEntry({ line, fields, tables }: Package, metadata: Metadata): LockEntry {
  const [name, version] = [textOf(fields.get('name')) ?? '', textOf(fields.get('version')) ?? ''];
  const type = textOf(fields.get('source.type'));
  const url = textOf(fields.get('source.url'));
  const revision = textOf(fields.get('source.resolved_reference'));
  const older = (metadata.get(`metadata.files.${name}`) ?? []).flatMap((each) =>
    [...each.matchAll(/\{[^{}]*\}/g)].flatMap(([inner]) => inlineTable(inner) ?? []),
  );
  const files = [...tables.filter(({ key }) => key === 'files').map(({ table }) => table), ...older];
  const origin = url === undefined ? undefined : poetryOrigin(type, url);
  return {
    name,
    version: type === 'git' ? `${version}#${revision ?? ''}` : version,
    line,
    ...(origin !== undefined && { origin }),
    integrity: digestsOf(files.map((file) => [`file ${file.get('file')}`, file.get('hash') ?? ''] as const)),
  };
}

function poetryOrigin(type: string | undefined, url: string): Origin {
  if (type === 'git') return gitOrigin(url);
  return type === undefined || type === 'legacy' ? registryOrigin(url) : fileOrigin(url);
}

function uvEntry({ line, fields, tables }: Package): LockEntry | undefined {
  const [name, version] = [textOf(fields.get('name')) ?? '', textOf(fields.get('version')) ?? ''];
  const source = tables.find(({ key }) => key === 'source')?.table ?? new Map<string, string>();
  if (['editable', 'virtual', 'directory'].some((key) => source.has(key))) return undefined;
  const files = tables.filter(({ key }) => key === 'wheels' || key === 'sdist').map(({ table }) => table);
  const registry = source.get('registry');
  const git = source.get('git');
  const address = registry ?? git ?? source.get('url') ?? source.get('path') ?? '';
  const base =
    registry !== undefined ? registryOrigin(address) : git !== undefined ? gitOrigin(address) : fileOrigin(address);
  // Where the files lie is a part of where they come from: the registry is only asked for it.
  const hosts = new Set(files.flatMap((file) => hostOf(file.get('url')) ?? []));
  const place = registry === undefined ? base.place : [base.place, ...[...hosts].sort()].join(' ');
  return {
    name,
    version: git === undefined ? version : `${version}#${address.split('#')[1] ?? ''}`,
    line,
    origin: { ...base, place },
    integrity: digestsOf(files.map((file) => [fileName(file), file.get('hash') ?? ''] as const)),
  };
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}

function fileName(file: ReadonlyMap<string, string>): string {
  const address = file.get('url') ?? file.get('path') ?? '';
  return `file ${address.split(/[#?]/, 1)[0]!.split('/').at(-1)}`;
}
