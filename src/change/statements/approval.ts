/**
 * One person's consent to exactly one operation on one state of a change (docs/formats/approval.md).
 *
 *     {"_type": "https://in-toto.io/Statement/v1",
 *      "subject": [{"digest": {"gitCommit": "9300…", "gitTree": "982a…"}}],
 *      "predicateType": "https://tidewaiter.dev/approval/v1",
 *      "predicate": {"operation": "merge", "repository": "https://github.com/acme/shop", "baseRef": "refs/heads/main",
 *                    "mergeBase": "1345…", "expires": "2026-02-01T00:00:00Z"}}
 *
 * The format is ours, and nobody may read more or less into it than was signed: unknown members are refused, everything but
 * `reason` and `approver` (for people to read, never believed) is required, and each value has one spelling. An approval
 * without an end would be found and used in another year.
 */
import { malformed } from '../../sigstore/failure.ts';
import type { Json, JsonObject } from '../../sigstore/json.ts';
import { optionalTextIn, predicateObject, textIn } from '../../sigstore/predicate.ts';
import { readTimestamp } from '../../sigstore/protojson.ts';
import { findRepository } from '../repository-name.ts';
import type { Approval } from '../types.ts';
import { type OneSubject, objectIdIn } from './fields.ts';

export const approvalType = 'https://tidewaiter.dev/approval/v1';

/** `value` is the whole statement, `statement` what was read of it. Throws VerifyError `malformed`. */
export function readApproval(value: Json, statement: OneSubject): Approval {
  const whole = predicateObject(value, 'the statement');
  onlyMembers(whole, ['_type', 'subject', 'predicateType', 'predicate'], 'the statement');
  if (whole['_type'] !== 'https://in-toto.io/Statement/v1') throw malformed('an approval is an in-toto statement v1');
  const [subject] = whole['subject'] as readonly Json[];
  onlyMembers(predicateObject(subject, 'subject[0]'), ['digest'], 'subject[0]');
  const digest = predicateObject(predicateObject(subject, 'subject[0]')['digest'], 'subject[0].digest');
  onlyMembers(digest, ['gitCommit', 'gitTree'], 'subject[0].digest');
  const { commit: head, tree } = statement.subject;
  if (head === undefined || tree === undefined) throw malformed('subject[0].digest needs gitCommit and gitTree');
  const predicate = predicateObject(statement.predicate, 'predicate');
  onlyMembers(predicate, [...required, ...forPeople], 'predicate');
  for (const name of forPeople) optionalTextIn(predicate, name, 'predicate');
  const mergeBase = objectIdIn(predicate, 'mergeBase', 'predicate');
  if (mergeBase.length !== head.length)
    throw malformed('predicate.mergeBase is of another object format than the subject');
  return {
    kind: 'approval',
    operation: operationIn(predicate),
    repository: repositoryIn(predicate),
    baseRef: baseRefIn(predicate),
    mergeBase,
    head,
    tree,
    expires: readTimestamp(textIn(predicate, 'expires', 'predicate'), 'predicate.expires').ms,
  };
}

/** What is signed, but for the subject. `reason` and `approver` are for people. */
export function formatApproval(
  { operation, repository, baseRef, mergeBase, expires }: Omit<Approval, 'kind' | 'head' | 'tree'>,
  { reason, approver }: { readonly reason?: string; readonly approver?: string } = {},
): JsonObject {
  return {
    operation,
    repository,
    baseRef,
    mergeBase,
    expires: new Date(expires).toISOString(),
    ...(reason !== undefined && { reason }),
    ...(approver !== undefined && { approver }),
  };
}

const required = ['operation', 'repository', 'baseRef', 'mergeBase', 'expires'];
const forPeople = ['reason', 'approver'];

function onlyMembers(object: JsonObject, names: readonly string[], where: string): void {
  const other = Object.keys(object).find((name) => !names.includes(name));
  if (other !== undefined) throw malformed(`${where}.${other.slice(0, 60)} is no member of an approval`);
}

function operationIn(predicate: JsonObject): string {
  const operation = textIn(predicate, 'operation', 'predicate');
  if (/^[a-z][a-z0-9-]{0,63}$/.test(operation)) return operation;
  throw malformed('predicate.operation is not a word of lower-case letters, digits and hyphens');
}

function repositoryIn(predicate: JsonObject): string {
  const repository = textIn(predicate, 'repository', 'predicate');
  if (repository.startsWith('https://') && findRepository(repository) === repository) return repository;
  throw malformed('predicate.repository is not an https address in its normal form, without .git and / behind');
}

function baseRefIn(predicate: JsonObject): string {
  const baseRef = textIn(predicate, 'baseRef', 'predicate');
  if (/^refs\/[^\s\u0000-\u001f\u007f]+$/.test(baseRef)) return baseRef;
  throw malformed('predicate.baseRef is not a full name: refs/heads/…');
}
