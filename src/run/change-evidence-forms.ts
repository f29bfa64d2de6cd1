/**
 * What evidence looks like, in a file or in a git note: bundles, envelopes, statements that something else signs, signatures by
 * SSH keys. One document, or one on each line; in notes a line may be base64 of one. A line that cannot be read does not
 * hide the others.
 */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { isAuditEntry } from '../change/statements/policy-decision.ts';
import { parseEvidence } from '../sigstore/evidence.ts';
import { malformed, type VerifyError } from '../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from '../sigstore/json.ts';
import { sshArmor } from '../sigstore/ssh-signature.ts';
import type { SignedEntity } from '../sigstore/types.ts';
import { outcomeOf } from '../sigstore/verify.ts';

export type Form = Placed &
  (
    | { readonly kind: 'entity'; readonly entity: SignedEntity }
    | { readonly kind: 'envelope'; readonly envelope: JsonObject }
    /** Not signed by itself. */
    | { readonly kind: 'statement'; readonly bytes: Buffer }
    | { readonly kind: 'ssh-signature'; readonly armored: string }
    /** `recognised`: it is meant to be evidence by its members. */
    | { readonly kind: 'broken'; readonly error: VerifyError; readonly recognised: boolean }
  );

export interface Placed {
  /** For people. */
  readonly place: string;
  /** The file that it lies in. */
  readonly file?: string;
  /** Hex SHA-256 of the bytes of the document: the whole file, or its line. */
  readonly digest: string;
}

/** At least one. Where nothing can be read at all, one that is broken. */
export function formsOf(bytes: Buffer, place: string, file?: string): readonly Form[] {
  const at: Place = { place, ...(file !== undefined && { file }) };
  if (bytes.length === 0) return [broken(at, bytes, malformed('it is empty'))];
  if (!isUtf8(bytes)) return [broken(at, bytes, malformed('it is no text: neither a bundle nor an envelope'))];
  const text = bytes.toString('utf8');
  const whole = documentForms(text, bytes, at);
  if (whole !== undefined) return whole;
  const lines = lineForms(text, at);
  if (lines.some(({ kind }) => kind !== 'broken')) return lines;
  const failure = outcomeOf(() => parseStrictJson(text, 'it'));
  return [broken(at, bytes, failure.ok ? malformed('it holds nothing') : failure.failure)];
}

const maxLines = 10_000;

type Place = Pick<Placed, 'place' | 'file'>;

function broken(at: Place, bytes: Buffer, error: VerifyError): Form {
  return { kind: 'broken', ...at, digest: sha256(bytes), error, recognised: false };
}

function sha256(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}

/** Undefined for a text that is no JSON as a whole. */
function documentForms(text: string, bytes: Buffer, at: Place): readonly Form[] | undefined {
  const placed = { ...at, digest: sha256(bytes) };
  if (text.trimStart().startsWith(sshArmor)) return [{ kind: 'ssh-signature', ...placed, armored: text.trim() }];
  const parsed = outcomeOf(() => parseStrictJson(text, 'it'));
  if (!parsed.ok) return undefined;
  const { value } = parsed;
  if (isJsonObject(value) && isEnvelope(value)) return [{ kind: 'envelope', ...placed, envelope: value }];
  if (isStatement(value)) return [{ kind: 'statement', ...placed, bytes }];
  return parseEvidence(text).map(({ place: inside, entity }): Form => {
    const place = inside === '' ? at.place : `${at.place}, ${inside}`;
    if (!entity.ok) return { kind: 'broken', ...placed, place, error: entity.failure, recognised: isMeant(value) };
    return { kind: 'entity', ...placed, place, entity: entity.value };
  });
}

function lineForms(text: string, at: Place): readonly Form[] {
  const found: Form[] = [];
  let count = 0;
  for (let start = 0, number = 1; start < text.length; number++) {
    const next = text.indexOf('\n', start);
    const end = next === -1 ? text.length : next;
    const line = end === start ? '' : text.slice(start, end).trim();
    start = end + 1;
    if (line === '') continue;
    const here: Place = { ...at, place: `${at.place}, line ${number}` };
    if (++count > maxLines) {
      return [...found, broken(here, Buffer.from(line), malformed(`there are more than ${maxLines} lines`))];
    }
    found.push(...oneLine(line, here));
  }
  return found;
}

function oneLine(line: string, at: Place): readonly Form[] {
  const bytes = Buffer.from(line);
  const plain = documentForms(line, bytes, at);
  if (plain !== undefined) return plain;
  const decoded = fromBase64(line);
  const inner = decoded === undefined ? undefined : documentForms(decoded.toString('utf8'), decoded, at);
  if (inner !== undefined) return inner;
  const failure = outcomeOf(() => parseStrictJson(line, 'it'));
  return [broken(at, bytes, failure.ok ? malformed('it is no evidence') : failure.failure)];
}

/** `eyJ` is what `{"` becomes. */
function fromBase64(line: string): Buffer | undefined {
  if (!line.startsWith('eyJ') && !line.startsWith('ewo')) return undefined;
  const bytes = Buffer.from(line, 'base64');
  return bytes.toString('base64') === line && isUtf8(bytes) ? bytes : undefined;
}

function isMeant(value: Json): boolean {
  const names = [
    'mediaType',
    'media_type',
    'verificationMaterial',
    'attestations',
    'attestation_bundles',
    'base64Signature',
  ];
  return isJsonObject(value) && names.some((name) => name in value);
}

function isEnvelope(value: JsonObject): boolean {
  return 'payload' in value && 'signatures' in value && !('mediaType' in value);
}

function isStatement(value: Json): boolean {
  if (isAuditEntry(value)) return true;
  return isJsonObject(value) && ('_type' in value || 'type' in value) && 'subject' in value && 'predicate' in value;
}
