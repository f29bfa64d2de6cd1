/**
 * What all statements about changes have in common: an in-toto statement about exactly one subject. A second subject would
 * let one signature vouch for two things, and readers would not agree on which.
 */
import { quoted } from '../../diag/index.ts';
import type { ObjectId } from '../../git/types.ts';
import { malformed, VerifyError } from '../../sigstore/failure.ts';
import type { Json, JsonObject } from '../../sigstore/json.ts';
import { optionalTextIn, predicateObject, textIn } from '../../sigstore/predicate.ts';
import { readTimestamp } from '../../sigstore/protojson.ts';
import { digestSet } from '../../sigstore/statement.ts';

/** A statement as it was read, with its one subject. */
export interface OneSubject {
  readonly predicateType: string;
  readonly predicate: Json | undefined;
  readonly subject: StatementSubject;
}

export interface StatementSubject {
  readonly name?: string;
  readonly uri?: string;
  readonly digest: ReadonlyMap<string, string>;
  readonly commit?: ObjectId;
  readonly tree?: ObjectId;
}

/** Throws VerifyError. `typeNames` and `predicateNames`: the spellings of the two members, of which one must be there. */
export function readOneSubject(
  value: Json,
  typeNames: readonly string[] = ['_type'],
  predicateNames: readonly string[] = ['predicateType'],
): OneSubject {
  const statement = predicateObject(value, 'the statement');
  const type = oneSpelling(statement, typeNames);
  if (!types.includes(type)) throw new VerifyError('unsupported', `the statement is of type ${quoted(type)}`);
  const predicateType = oneSpelling(statement, predicateNames);
  const subjects = statement['subject'];
  if (!Array.isArray(subjects) || subjects.length === 0) throw malformed('the statement has no subject');
  if (subjects.length > 1) throw malformed(`the statement has ${subjects.length} subjects, and one is allowed`);
  return { predicateType, predicate: statement['predicate'], subject: readSubject(subjects[0] as Json) };
}

const types: readonly string[] = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];

function oneSpelling(object: JsonObject, names: readonly string[]): string {
  const there = names.filter((name) => (object[name] ?? undefined) !== undefined);
  if (there.length > 1) throw malformed(`the statement has ${there.join(' and ')}, which say the same`);
  return textIn(object, there[0] ?? names[0]!, 'the statement');
}

function readSubject(value: Json): StatementSubject {
  const where = 'subject[0]';
  const subject = predicateObject(value, where);
  const name = optionalTextIn(subject, 'name', where);
  const uri = optionalTextIn(subject, 'uri', where);
  const digest = digestSet(subject['digest'], `${where}.digest`);
  const [commit, tree] = [digest.get('gitCommit'), digest.get('gitTree')];
  if (commit !== undefined && tree !== undefined && commit.length !== tree.length) {
    throw malformed(`${where}.digest names a commit and a tree of two object formats`);
  }
  return {
    ...(name !== undefined && { name }),
    ...(uri !== undefined && { uri }),
    digest,
    ...(commit !== undefined && { commit }),
    ...(tree !== undefined && { tree }),
  };
}

/** Refuses what is no object id: 40 or 64 lower-case hex digits. */
export function objectIdIn(parent: JsonObject, name: string, where: string): ObjectId {
  const id = textIn(parent, name, where);
  if (!isObjectId(id)) throw malformed(`${where}.${name} is no object id: 40 or 64 lower-case hex digits`);
  return id;
}

export function optionalObjectIdIn(parent: JsonObject, name: string, where: string): ObjectId | undefined {
  return (parent[name] ?? undefined) === undefined ? undefined : objectIdIn(parent, name, where);
}

export function isObjectId(text: string): boolean {
  return (text.length === 40 || text.length === 64) && /^[0-9a-f]*$/.test(text);
}

/** A list, none when it is absent. */
export function itemsIn<T>(
  parent: JsonObject,
  name: string,
  where: string,
  read: (value: Json, where: string) => T,
): readonly T[] {
  const value = parent[name] ?? [];
  if (!Array.isArray(value)) throw malformed(`${where}.${name} is not a list`);
  if (value.length > maxItems) throw malformed(`${where}.${name} has more than ${maxItems} entries`);
  return value.map((each: Json, index) => read(each, `${where}.${name}[${index}]`));
}

const maxItems = 100_000;

export function textItem(value: Json, where: string): string {
  if (typeof value !== 'string') throw malformed(`${where} is not a string`);
  return value;
}

/** RFC 3339, kept as it is written. */
export function optionalTimeTextIn(parent: JsonObject, name: string, where: string): string | undefined {
  const written = optionalTextIn(parent, name, where);
  if (written !== undefined) readTimestamp(written, `${where}.${name}`);
  return written;
}

/** A string under one of several spellings of its name; two of them at once are refused. */
export function eitherTextIn(parent: JsonObject, names: readonly string[], where: string): string | undefined {
  const there = names.filter((name) => (parent[name] ?? undefined) !== undefined);
  if (there.length > 1) throw malformed(`${where} has ${there.join(' and ')}, which say the same`);
  return there[0] === undefined ? undefined : optionalTextIn(parent, there[0], where);
}

/** `{"digest": {"gitTree": "…"}}` around one digest. */
export function wrappedIdIn(parent: JsonObject, name: string, key: 'gitCommit' | 'gitTree', where: string): ObjectId {
  const at = `${where}.${name}`;
  const digest = predicateObject(predicateObject(parent[name], at)['digest'], `${at}.digest`);
  if (Object.keys(digest).length !== 1) throw malformed(`${at}.digest is not exactly one ${key}`);
  return objectIdIn(digest, key, `${at}.digest`);
}

export function optionalWrappedIdIn(
  parent: JsonObject,
  name: string,
  key: 'gitCommit' | 'gitTree',
  where: string,
): ObjectId | undefined {
  return (parent[name] ?? undefined) !== undefined ? wrappedIdIn(parent, name, key, where) : undefined;
}
