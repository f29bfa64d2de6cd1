/**
 * What the runtime of an agent decided by a policy of its own, in the forms that can be signed:
 *
 *   verification summary (VSA) v1   `verificationResult` is PASSED or FAILED
 *   simple verification result      `properties` lists what was found to hold; there is no such thing as a failed one, but a
 *   (SVR) v0.1, v0.2                property may say so in its name, and a list of nothing says nothing
 *   decision receipt v0.1           `decision` is allow, deny or alert, of one call of a tool
 *   audit entry, a JSON object      `policy_decision` beside `entry_hash`: one line of a governance toolkit's log
 *
 * Only the exact positive word of each is a pass. A word that is not known is refused by name and never taken for another.
 * Unsigned, as logs are, an entry says nothing: it is read behind a signature over its bytes.
 * https://slsa.dev/spec/v1.1/verification_summary, https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md,
 * https://veritasacta.com/attestation/decision-receipt/v0.1
 */
import { quoted } from '../../diag/index.ts';
import { malformed, VerifyError } from '../../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject } from '../../sigstore/json.ts';
import { objectIn, optionalTimeIn, predicateObject, textIn } from '../../sigstore/predicate.ts';
import { vsaType } from '../../sigstore/vsa.ts';
import type { PolicyDecision } from '../types.ts';
import { itemsIn, type OneSubject, textItem } from './fields.ts';

/** Undefined for a statement of another type. Throws VerifyError. */
export function readPolicyDecision({
  predicateType,
  predicate: value,
  subject,
}: OneSubject): PolicyDecision | undefined {
  const read = readers.get(predicateType);
  if (read === undefined) return undefined;
  const { commit } = subject;
  const passed = read(predicateObject(value, 'predicate'));
  return { kind: 'policy-decision', predicateType, ...(commit !== undefined && { commit }), passed };
}

const auditEntryType = 'policy_decision';

export function isAuditEntry(value: Json): value is JsonObject {
  return isJsonObject(value) && 'policy_decision' in value && 'entry_hash' in value;
}

/** Throws VerifyError. */
export function readAuditEntry(entry: JsonObject): PolicyDecision {
  textIn(entry, 'entry_hash', 'the audit entry');
  const passed = isPositive(
    entry,
    'policy_decision',
    'the audit entry',
    ['allow'],
    ['deny', 'denied', 'warn', 'audit'],
  );
  return { kind: 'policy-decision', predicateType: auditEntryType, passed };
}

const readers: ReadonlyMap<string, (predicate: JsonObject) => boolean> = new Map([
  [vsaType, readSummary],
  ['https://in-toto.io/attestation/svr/v0.2', readSimpleResult],
  ['https://in-toto.io/attestation/svr/v0.1', readSimpleResult],
  ['https://veritasacta.com/attestation/decision-receipt/v0.1', readReceipt],
]);

function readSummary(predicate: JsonObject): boolean {
  textIn(objectIn(predicate, 'verifier', 'predicate'), 'id', 'verifier');
  return isPositive(predicate, 'verificationResult', 'predicate', ['PASSED'], ['FAILED']);
}

function readSimpleResult(predicate: JsonObject): boolean {
  textIn(objectIn(predicate, 'verifier', 'predicate'), 'id', 'verifier');
  if (optionalTimeIn(predicate, 'timeCreated', 'predicate') === undefined)
    throw malformed('predicate has no timeCreated');
  const properties = itemsIn(predicate, 'properties', 'predicate', textItem);
  return properties.length > 0 && !properties.some((each) => each.split(/[^A-Za-z]+/).some(isNegative));
}

function isNegative(word: string): boolean {
  return negative.has(word.toUpperCase());
}

const negative: ReadonlySet<string> = new Set([
  ...['FAIL', 'FAILED', 'FAILURE', 'REJECT', 'REJECTED', 'DENY', 'DENIED', 'BLOCK', 'BLOCKED', 'ERROR', 'INVALID'],
  ...['UNVERIFIED', 'UNVERIFIABLE', 'UNTRUSTED', 'NOT'],
]);

function readReceipt(predicate: JsonObject): boolean {
  textIn(predicate, 'policyId', 'predicate');
  return isPositive(predicate, 'decision', 'predicate', ['allow'], ['deny', 'alert']);
}

function isPositive(
  object: JsonObject,
  name: string,
  where: string,
  positive: readonly string[],
  others: readonly string[],
): boolean {
  const word = textIn(object, name, where);
  if (positive.includes(word)) return true;
  if (others.includes(word)) return false;
  throw new VerifyError('unsupported', `${where}.${name} is ${quoted(word, 60)}, a result that is not known`, {
    expected: [...positive, ...others].join(', '),
    got: word,
  });
}
