/**
 * in-toto statements, v0.1 and v1: what is said (predicate) about which artifacts (subjects, by digest).
 *
 *     {"_type": "https://in-toto.io/Statement/v1",
 *      "subject": [{"name": "app.tar.gz", "digest": {"sha256": "e3b0c442…"}}],
 *      "predicateType": "https://slsa.dev/provenance/v1", "predicate": {…}}
 *
 * Refused: other types, no subject, a subject without digest, a digest of a known algorithm that is not lower-case hex of
 * its length (it could never equal one of ours, and would be skipped in silence). Unknown fields are passed over: the
 * specification demands it, and what they add may only restrict.
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from './json.ts';
import type { Artifact, Statement, Subject } from './types.ts';

/** Throws VerifyError `malformed` or `unsupported`. */
export function parseStatement(payload: Buffer): Statement {
  const value = parseStrictJsonBytes(payload, 'the statement');
  if (!isJsonObject(value)) throw malformed('the statement is not an object');
  const type = textOf(value, '_type', 'the statement');
  if (!types.includes(type)) throw new VerifyError('unsupported', `the statement is of type ${quoted(type)}`);
  const predicateType = textOf(value, 'predicateType', 'the statement');
  if (predicateType === '') throw malformed('the statement has an empty predicateType');
  return { type, subjects: subjectsOf(value['subject']), predicateType, predicate: value['predicate'] };
}

/**
 * The first subject that is the artifact: at least one digest is equal, and none that can be compared differs. Throws
 * VerifyError `wrong-subject`.
 */
export function matchSubject(statement: Statement, artifact: Artifact): Subject {
  const found = statement.subjects.find((subject) => {
    let equal = false;
    for (const [algorithm, ours] of artifact.digests) {
      const stated = subject.digest.get(algorithm);
      if (stated === undefined) continue;
      if (stated !== ours) return false;
      equal = true;
    }
    return equal;
  });
  if (found !== undefined) return found;
  throw new VerifyError('wrong-subject', 'the statement is about something else', {
    expected: [...artifact.digests].map(([algorithm, hex]) => `${algorithm}:${hex}`).join(', '),
    got: describeSubjects(statement.subjects),
  });
}

const types: readonly string[] = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
const maxSubjects = 100_000;

/** Hex digits of each algorithm that an artifact may be known by. */
const digestLengths: ReadonlyMap<string, readonly number[]> = new Map([
  ['sha256', [64]],
  ['sha384', [96]],
  ['sha512', [128]],
  // Git names objects by SHA-1 or SHA-256.
  ['gitCommit', [40, 64]],
  ['gitTree', [40, 64]],
]);

function subjectsOf(value: Json | undefined): readonly Subject[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed('the statement has no subject');
  if (value.length > maxSubjects) throw malformed(`the statement has more than ${maxSubjects} subjects`);
  return value.map((each: Json, index) => {
    const where = `subject ${index + 1} of the statement`;
    if (!isJsonObject(each)) throw malformed(`${where} is not an object`);
    const name = each['name'] ?? undefined;
    if (name !== undefined && typeof name !== 'string') throw malformed(`${where} has a name that is no string`);
    return { ...(name !== undefined && { name }), digest: digestSet(each['digest'], where) };
  });
}

/** A DigestSet of in-toto: algorithm to digest, at least one. */
export function digestSet(value: Json | undefined, where: string): ReadonlyMap<string, string> {
  if (!isJsonObject(value)) throw malformed(`${where} has no digest`);
  const digests = new Map<string, string>();
  for (const [algorithm, digest] of Object.entries(value)) {
    if (typeof digest !== 'string' || digest === '') throw malformed(`${where} has a digest that is no string`);
    const lengths = digestLengths.get(algorithm);
    if (lengths !== undefined && !(lengths.includes(digest.length) && /^[0-9a-f]*$/.test(digest))) {
      throw malformed(`${where} has a ${algorithm} digest that is not lower-case hex of its length`);
    }
    digests.set(algorithm, digest);
  }
  if (digests.size === 0) throw malformed(`${where} has no digest`);
  return digests;
}

/** A member that must be a string. */
export function textOf(object: JsonObject, name: string, where: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw malformed(`${where} has no ${name}`);
  return value;
}

function describeSubjects(subjects: readonly Subject[]): string {
  const shown = subjects.slice(0, 3).map(({ name, digest }) => {
    const digests = [...digest].map(([algorithm, hex]) => `${algorithm}:${hex}`).join(', ');
    return name === undefined ? digests : `${name} (${digests})`;
  });
  const more = subjects.length - shown.length;
  return more > 0 ? `${shown.join('; ')} and ${more} more` : shown.join('; ');
}
