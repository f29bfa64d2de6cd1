/**
 * Commit objects (gitformat-commit, and git's commit.c for signatures):
 *
 *     tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
 *     parent 5d1f3e6a…                                        none, one or many
 *     author A U Thor <a@acme.example> 1700000000 +0100
 *     committer …
 *     encoding ISO-8859-1                                     then any other headers
 *     gpgsig -----BEGIN SSH SIGNATURE-----
 *      U1NIU0lH…                                              a line that starts with a space continues its header
 *      -----END SSH SIGNATURE-----
 *
 *     Message, up to the end of the object
 *
 * What is signed is the object without its signature headers. Git leaves out every header whose name begins with `gpgsig`,
 * `gpgsig-sha256` in a repository of SHA-1 and the reverse; which one holds the signature depends on the object format.
 *
 * Refused: headers of the first four lines missing, misplaced or twice, ids of the wrong length, a signature or encoding
 * twice (git would join the signatures), other names that begin with `gpgsig` (nobody signs what stands in them), NUL in
 * the headers, CR in a line that decides, a header line without a name.
 */
import { bytesText } from './path-text.ts';
import { GitRefusal } from './refusal.ts';
import type { Commit, EmbeddedSignature, GitObject, Ident, ObjectId, SignatureFormat } from './types.ts';

/** Throws GitRefusal `schema-invalid`. */
export function parseCommit(object: GitObject): Commit {
  const { headers, message } = splitCommit(object);
  const reader: Reader = { id: object.id, headers, at: 0 };
  const tree = idOf(reader, take(reader, 'tree'));
  const parents: ObjectId[] = [];
  while (headers[reader.at]?.name === 'parent') parents.push(idOf(reader, take(reader, 'parent')));
  const author = parseIdent(take(reader, 'author').value);
  const committer = parseIdent(take(reader, 'committer').value);
  checkOthers(reader);
  const signature = findSignature(object, headers);
  return {
    id: object.id,
    tree,
    parents,
    author,
    committer,
    message: bytesText(message),
    ...(signature !== undefined && { signature }),
  };
}

/**
 * `Name <email> 1700000000 +0100`, split as git does: the email stands between the first `<` and the first `>` behind it,
 * the time behind the last `>`. A line without an email is a name.
 */
export function parseIdent(line: Buffer): Ident {
  const open = line.indexOf('<');
  const close = open < 0 ? -1 : line.indexOf('>', open);
  if (close < 0) return { name: bytesText(line).trim(), email: '' };
  const name = bytesText(line.subarray(0, open)).trim();
  const email = bytesText(line.subarray(open + 1, close)).trim();
  const rest = line.subarray(line.lastIndexOf('>') + 1).toString('latin1');
  const time = /^ (\d{1,15}) [+-]\d{4}$/.exec(rest)?.[1];
  return { name, email, ...(time !== undefined && { time: Number(time) }) };
}

interface Header {
  readonly name: string;
  /** The first line behind the name and a space. */
  readonly value: Buffer;
  /** In the object, with the lines that continue it. */
  readonly start: number;
  readonly end: number;
}

interface Reader {
  readonly id: ObjectId;
  readonly headers: readonly Header[];
  at: number;
}

const mostHeaders = 100_000;

function splitCommit({ id, bytes }: GitObject): { readonly headers: readonly Header[]; readonly message: Buffer } {
  const headers: Header[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== lineFeed) {
    const start = at;
    const first = endOfLine(id, bytes, at);
    const name = nameOf(id, bytes, start, first);
    at = first + 1;
    while (bytes[at] === space) at = endOfLine(id, bytes, at) + 1;
    headers.push({ name, value: bytes.subarray(Math.min(start + name.length + 1, first), first), start, end: at });
    if (headers.length > mostHeaders) throw refused(id, `has more than ${mostHeaders} headers`);
  }
  if (bytes.subarray(0, at).includes(0)) throw refused(id, 'has a NUL byte in its headers');
  return { headers, message: bytes.subarray(at + 1) };
}

const lineFeed = 0x0a;
const space = 0x20;

function endOfLine(id: ObjectId, bytes: Buffer, at: number): number {
  const end = bytes.indexOf(lineFeed, at);
  if (end < 0) throw refused(id, 'ends in the middle of its headers');
  return end;
}

const headerName = /^[\x21-\x7e]{1,256}/;

function nameOf(id: ObjectId, bytes: Buffer, start: number, end: number): string {
  const name = headerName.exec(bytes.toString('latin1', start, Math.min(end, start + 256)))?.[0];
  if (name === undefined || (name.length < end - start && bytes[start + name.length] !== space)) {
    throw refused(id, 'has a line among its headers that is no header');
  }
  return name;
}

function take(reader: Reader, name: string): Header {
  const header = reader.headers[reader.at];
  if (header?.name !== name) throw refused(reader.id, `has no ${name} where it belongs`);
  reader.at++;
  checkPlain(reader.id, header);
  return header;
}

// A reader that takes CR for the end of a line would see another commit, one that takes a continuation into account too.
function checkPlain(id: ObjectId, { name, value, start, end }: Header): void {
  if (value.includes(0x0d)) throw refused(id, `has a carriage return in its header ${name}`);
  if (start + name.length + 1 + value.length + 1 !== end)
    throw refused(id, `has a header ${name} that is not one line`);
}

function idOf({ id }: Reader, { name, value }: Header): ObjectId {
  const text = value.toString('latin1');
  if (text.length !== id.length || !/^[0-9a-f]+$/.test(text)) throw refused(id, `has a ${name} that is no object id`);
  return text;
}

const onlyOnce: readonly string[] = ['encoding', 'gpgsig', 'gpgsig-sha256'];
const onlyFirst: readonly string[] = ['tree', 'parent', 'author', 'committer'];

function checkOthers({ id, headers, at }: Reader): void {
  const seen = new Set<string>();
  for (const header of headers.slice(at)) {
    const { name } = header;
    if (onlyFirst.includes(name)) throw refused(id, `has a second ${name}, or one out of place`);
    if (onlyOnce.includes(name) && seen.has(name)) throw refused(id, `has more than one header ${name}`);
    if (name.startsWith('gpgsig') && !onlyOnce.includes(name)) throw refused(id, `has an unknown signature header`);
    if (name === 'encoding') checkPlain(id, header);
    seen.add(name);
  }
}

function findSignature({ id, bytes }: GitObject, headers: readonly Header[]): EmbeddedSignature | undefined {
  const wanted = id.length === 40 ? 'gpgsig' : 'gpgsig-sha256';
  const header = headers.find(({ name }) => name === wanted);
  if (header === undefined) return undefined;
  const text = bytes.toString('latin1', header.start + wanted.length + 1, header.end);
  const armored = text.replaceAll('\n ', '\n');
  const format = formatOf(armored);
  return { ...(format !== undefined && { format }), armored, payload: withoutSignatures(bytes, headers) };
}

function withoutSignatures(bytes: Buffer, headers: readonly Header[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { name, start, end } of headers) {
    if (!name.startsWith('gpgsig')) continue;
    pieces.push(bytes.subarray(at, start));
    at = end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}

const armours: readonly (readonly [string, SignatureFormat])[] = [
  ['-----BEGIN SSH SIGNATURE-----', 'ssh'],
  ['-----BEGIN PGP SIGNATURE-----', 'openpgp'],
  ['-----BEGIN PGP MESSAGE-----', 'openpgp'],
  ['-----BEGIN SIGNED MESSAGE-----', 'x509'],
];

function formatOf(armored: string): SignatureFormat | undefined {
  return armours.find(([begin]) => armored.startsWith(begin))?.[1];
}

function refused(id: ObjectId, why: string): GitRefusal {
  return new GitRefusal('schema-invalid', `commit ${id} ${why}`, [
    'git fsck shows more; a commit like this is not written by git itself',
  ]);
}
