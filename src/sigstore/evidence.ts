/**
 * Files that hold signatures, recognised by their content: a Sigstore bundle, JSON lines of them (`gh attestation
 * download`, `.intoto.jsonl`), the documents of npm's and GitHub's attestation APIs, PEP 740 attestations and
 * provenance, bare DSSE envelopes, `cosign sign-blob --bundle` before v3. One that cannot be read does not hide the others: each is an outcome of its own.
 */
import { isUtf8 } from 'node:buffer';
import { quoted } from '../diag/index.ts';
import { maxBundleChars, readBundle } from './bundle.ts';
import { envelopeType, parseCosignLayer, simpleSigningType } from './cosign.ts';
import { readLoggedDigest } from './entry-body.ts';
import { envelopeEntity } from './envelope.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from './json.ts';
import { isAttestationList, listAttestations, readAttestation } from './npm.ts';
import { isPep740, listPep740, readPep740 } from './pep740.ts';
import { decodeBase64, optionalText, readMessage, text } from './protojson.ts';
import type { SignedContent, SignedEntity } from './types.ts';
import { type Outcome, outcomeOf } from './verify.ts';

export interface Evidence {
  /** Where in the file, for people: `line 2`, `attestations[0]`; empty when it is the whole file. */
  readonly place: string;
  readonly entity: Outcome<SignedEntity>;
}

/** Everything in the file, in its order; at least one. Throws nothing but bugs. */
export function parseEvidence(content: string): readonly Evidence[] {
  if (holdsLines(content)) return linesEvidence(content);
  const found = documentEvidence(content, '');
  if (found.some(({ entity }) => entity.ok) || !mayHoldLines(content)) return found;
  // Lines with something else among them: those that are evidence count, and the others are named.
  const lines = linesEvidence(content);
  return lines.some(({ entity }) => entity.ok) ? lines : found;
}

function linesEvidence(content: string): readonly Evidence[] {
  const found: Evidence[] = [];
  for (const { text, number } of linesOf(content)) {
    if (found.length >= maxMembers) {
      const failure = malformed(`the file holds more than ${maxMembers} attestations`);
      return [...found, { place: `line ${number}`, entity: { ok: false, failure } }];
    }
    found.push(...documentEvidence(text, `line ${number}`));
  }
  return found;
}

const maxMembers = 10_000;

/** JSON lines: an object ends on the line on which it began, and another one begins after it. */
function holdsLines(content: string): boolean {
  let objects = 0;
  for (const { text } of linesOf(content)) {
    const line = text.trim();
    if (!line.startsWith('{') || !line.endsWith('}')) return false;
    objects++;
    if (objects === 2) return true;
  }
  return false;
}

/** Of several lines one at least may be a whole document. */
function mayHoldLines(content: string): boolean {
  let lines = 0;
  let whole = false;
  for (const { text } of linesOf(content)) {
    lines++;
    whole ||= /^\s*\{"/.test(text) && text.trimEnd().endsWith('}');
    if (whole && lines > 1) return true;
  }
  return false;
}

/** The lines that are not blank, one at a time: a file may be nothing but line ends. */
function* linesOf(content: string): Iterable<{ readonly text: string; readonly number: number }> {
  for (let start = 0, number = 1; start < content.length; number++) {
    const next = content.indexOf('\n', start);
    const end = next === -1 ? content.length : next;
    const text = end === start ? '' : content.slice(start, end);
    if (text.trim() !== '') yield { text, number };
    start = end + 1;
  }
}

function documentEvidence(document: string, place: string): readonly Evidence[] {
  const members = outcomeOf(() => {
    if (document.length > maxBundleChars) throw malformed(`it is larger than ${maxBundleChars} characters`);
    return membersOf(parseStrictJson(document, 'the file'));
  });
  if (!members.ok) return [{ place, entity: members }];
  return members.value.map(({ where, read }) => ({
    place: [place, where].filter((each) => each !== '').join(', '),
    entity: outcomeOf(read),
  }));
}

interface Member {
  readonly where: string;
  readonly read: () => SignedEntity;
}

function membersOf(value: Json): readonly Member[] {
  if (!isJsonObject(value)) throw malformed('it is not an object: no bundle and no attestation');
  if ('mediaType' in value || 'media_type' in value) return [{ where: '', read: () => readBundle(value) }];
  if (isPep740(value)) return some(listPep740(value), readPep740);
  if (isAttestationList(value)) return some(listAttestations(value), readAttestation);
  if ('payload' in value && 'signatures' in value) return envelopeMembers(value);
  if ('base64Signature' in value) return [{ where: '', read: () => blobEntity(value) }];
  const names = Object.keys(value)
    .slice(0, 4)
    .map((name) => quoted(name, 30));
  throw new VerifyError(
    'unsupported',
    `it is no bundle and no attestation that is known here: it has ${names.join(', ') || 'nothing'}`,
  );
}

function some(
  list: readonly { where: string; value: Json }[],
  read: (value: Json, where: string) => SignedEntity,
): readonly Member[] {
  if (list.length === 0) throw new VerifyError('absent', 'the document lists no attestation');
  if (list.length > maxMembers) throw malformed(`the document lists more than ${maxMembers} attestations`);
  return list.map(({ where, value }) => ({
    where: where === 'attestation' ? '' : where,
    read: () => read(value, where),
  }));
}

/** One for each signature: they are not by one signer. */
function envelopeMembers(value: JsonObject): readonly Member[] {
  const list = value['signatures'];
  if (!Array.isArray(list) || list.length === 0) throw malformed('the envelope has no list of signatures');
  if (list.length > 100) throw malformed('the envelope has more than 100 signatures');
  return list.map((signature: Json, index) => ({
    where: list.length === 1 ? '' : `signatures[${index}]`,
    read: () => envelopeEntity(value, signature, `signatures[${index}]`),
  }));
}

/**
 * {"base64Signature": "…", "cert": "<base64 of PEM>", "rekorBundle": {…}}: what cosign writes into the annotations of an
 * image, in a file. `attest-blob` puts the whole envelope where `sign-blob` puts the signature. Instead of a certificate
 * there may be a public key, which proves nothing: the pinned one counts.
 */
function blobEntity(value: JsonObject): SignedEntity {
  const blob = readMessage(value, 'bundle', ['base64Signature', 'cert', 'rekorBundle']);
  const cert = optionalText(blob, 'cert') ?? '';
  const pem = cert === '' || cert.startsWith('-----') ? cert : decodeBase64(cert, 'bundle.cert').toString('latin1');
  const rekor = blob.fields.get('rekorBundle');
  const signature = text(blob, 'base64Signature');
  const signed = decodeBase64(signature, 'bundle.base64Signature');
  const isEnvelope = signed[0] === openingBrace && isUtf8(signed);
  const annotations = new Map([
    ...(isEnvelope ? [] : [['dev.cosignproject.cosign/signature', signature] as const]),
    ...(pem.includes('CERTIFICATE-----') ? [['dev.sigstore.cosign/certificate', pem] as const] : []),
    ...(rekor === undefined ? [] : [['dev.sigstore.cosign/bundle', JSON.stringify(rekor)] as const]),
  ]);
  const bytes = isEnvelope ? signed : Buffer.alloc(0);
  const entity = parseCosignLayer({ bytes, annotations, mediaType: isEnvelope ? envelopeType : simpleSigningType });
  return { ...entity, content: withDigest(entity), format: 'cosign blob bundle' };
}

/** A signature may begin so too, but it is never text. */
const openingBrace = 0x7b;

/** The form names no digest; its log entry does. A claim as that of a bundle is, good to tell another file from a bad signature. */
function withDigest({ content, entries: [entry] }: SignedEntity): SignedContent {
  if (content.kind !== 'message' || entry === undefined) return content;
  const logged = outcomeOf(() => readLoggedDigest(entry));
  return logged.ok ? { ...content, digest: logged.value } : content;
}
