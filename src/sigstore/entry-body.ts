/**
 * What a log entry says: which key made which signature over what. A log takes entries from everyone, so one that is
 * proved to be in the log vouches for nothing until it is about this signature, this key and this content.
 *
 *     hashedrekord 0.0.1   {"apiVersion":"0.0.1","kind":"hashedrekord","spec":{
 *                             "data":{"hash":{"algorithm":"sha256","value":"<hex>"}},
 *                             "signature":{"content":"<base64>","publicKey":{"content":"<base64 of PEM>"}}}}
 *     hashedrekord 0.0.2   spec.hashedRekordV002 { data { algorithm: "SHA2_256", digest }, signature { content,
 *                             verifier { keyDetails, x509Certificate | publicKey { rawBytes } } } }   (Rekor v2)
 *     dsse 0.0.1           spec { envelopeHash, payloadHash, signatures [{ signature, verifier: base64 of PEM }] }
 *     intoto 0.0.2         spec.content { envelope { payloadType, signatures [{ sig: base64 of base64, publicKey }] },
 *                             hash, payloadHash }
 *     intoto 0.0.1         spec { content { hash, payloadHash }, publicKey }
 *
 * All of key, signature and digest must be there and be equal; several signatures, unknown fields and every other kind or
 * version (dsse 0.0.2 too) are refused. The hash of an envelope is of the bytes that were uploaded, which a bundle does
 * not keep: it is compared only where nothing else binds.
 * https://github.com/sigstore/rekor/tree/main/pkg/types, https://github.com/sigstore/rekor-tiles/tree/main/api/proto
 */
import { hash } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { inTotoPayload, pae } from './dsse.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { parseStrictJsonBytes } from './json.ts';
import { parsePublicKey, publicKeyFromSpki } from './keys.ts';
import { parsePem } from './pem.ts';
import { bytes, child, has, items, type Message, oneOf, readMessage, text } from './protojson.ts';
import type { HashName, LogEntry, PublicKey, SignedContent } from './types.ts';

/** The certificate as DER, or the key, that the signature was verified with. */
export type EntrySigner = { readonly certificate: Buffer } | { readonly key: PublicKey };

export interface ArtifactDigest {
  readonly algorithm: HashName;
  readonly value: Buffer;
}

/**
 * `artifactDigest`: of what a message signature covers; not looked at for an envelope. Throws VerifyError: `invalid` for
 * an entry about another signature, signer or content, `wrong-subject` for one about another artifact, `unsupported`
 * for a kind that is not known here, `malformed`.
 */
export function matchEntryBody(
  entry: LogEntry,
  content: SignedContent,
  signer: EntrySigner,
  artifactDigest?: ArtifactDigest,
): void {
  const body = readMessage(parseStrictJsonBytes(entry.body, 'the log entry'), 'log entry', [
    'apiVersion',
    'kind',
    'spec',
  ]);
  const [kind, version] = [text(body, 'kind'), text(body, 'apiVersion')];
  if (entry.kind !== undefined && (entry.kind.kind !== kind || entry.kind.version !== version)) {
    throw invalid('the log entry is of another kind than is stated beside it', {
      expected: `${entry.kind.kind} ${entry.kind.version}`,
      got: `${kind} ${version}`,
    });
  }
  const match = kinds.get(`${content.kind} in ${kind} ${version}`);
  if (match === undefined) {
    const what = content.kind === 'dsse' ? 'an envelope' : 'a signature over a file';
    throw new VerifyError('unsupported', `a log entry of kind ${quoted(`${kind} ${version}`, 60)} is none for ${what}`);
  }
  match({ body, content, signer, artifactDigest });
}

/** What a hashedrekord 0.0.1 is about; whether that is true is for `matchEntryBody`. Throws VerifyError for all other entries. */
export function readLoggedDigest(entry: LogEntry): ArtifactDigest {
  const names = ['apiVersion', 'kind', 'spec'];
  const body = readMessage(parseStrictJsonBytes(entry.body, 'the log entry'), 'log entry', names);
  return hexDigest(child(child(body, 'spec', ['data', 'signature']), 'data', ['hash']), 'hash');
}

interface Claim {
  readonly body: Message;
  readonly content: SignedContent;
  readonly signer: EntrySigner;
  readonly artifactDigest: ArtifactDigest | undefined;
}

const kinds: ReadonlyMap<string, (claim: Claim) => void> = new Map([
  ['message in hashedrekord 0.0.1', matchHashedRekord1],
  ['message in hashedrekord 0.0.2', matchHashedRekord2],
  ['dsse in hashedrekord 0.0.2', matchHashedRekord2],
  ['dsse in dsse 0.0.1', matchDsse],
  ['dsse in intoto 0.0.1', matchIntoto1],
  ['dsse in intoto 0.0.2', matchIntoto2],
]);

const maxKeyBytes = 1 << 17;
const maxSignatureBytes = 1 << 15;
const maxPayloadBytes = 1 << 27;

function matchHashedRekord1({ body, content, signer, artifactDigest }: Claim): void {
  const spec = child(body, 'spec', ['data', 'signature']);
  const signature = child(spec, 'signature', ['content', 'publicKey']);
  matchDigest(hexDigest(child(spec, 'data', ['hash']), 'hash'), content, artifactDigest);
  matchSignature(bytes(signature, 'content', maxSignatureBytes), content);
  matchPem(bytes(child(signature, 'publicKey', ['content']), 'content', maxKeyBytes), signer);
}

function matchHashedRekord2({ body, content, signer, artifactDigest }: Claim): void {
  const record = child(child(body, 'spec', ['hashedRekordV002']), 'hashedRekordV002', ['data', 'signature']);
  const signature = child(record, 'signature', ['content', 'verifier']);
  matchDigest(protoDigest(child(record, 'data', ['algorithm', 'digest'])), content, artifactDigest);
  matchSignature(bytes(signature, 'content', maxSignatureBytes), content);
  const verifier = child(signature, 'verifier', ['keyDetails', 'x509Certificate', 'publicKey']);
  if (text(verifier, 'keyDetails') === '') throw malformed(`${verifier.where} has no keyDetails`);
  const form = oneOf(verifier, ['x509Certificate', 'publicKey']);
  const raw = bytes(child(verifier, form, ['rawBytes']), 'rawBytes', maxKeyBytes);
  const same =
    'certificate' in signer
      ? form === 'x509Certificate' && raw.equals(signer.certificate)
      : form === 'publicKey' && publicKeyFromSpki(raw).spki.equals(signer.key.spki);
  if (!same) throw anotherSigner();
}

function matchDsse({ body, content, signer }: Claim): void {
  const spec = child(body, 'spec', ['envelopeHash', 'payloadHash', 'signatures']);
  matchPayload(hexDigest(spec, 'payloadHash'), content);
  const signature = onlySignature(spec, ['signature', 'verifier']);
  matchSignature(bytes(signature, 'signature', maxSignatureBytes), content);
  matchPem(bytes(signature, 'verifier', maxKeyBytes), signer);
}

function matchIntoto2({ body, content, signer }: Claim): void {
  const inner = child(child(body, 'spec', ['content']), 'content', ['envelope', 'hash', 'payloadHash']);
  matchPayload(hexDigest(inner, 'payloadHash'), content);
  const envelope = child(inner, 'envelope', ['payload', 'payloadType', 'signatures']);
  if (content.kind !== 'dsse' || text(envelope, 'payloadType') !== content.payloadType) {
    throw invalid('the log entry is about a payload of another type');
  }
  // Rekor leaves the payload out; a log that keeps it must have kept this one.
  if (has(envelope, 'payload') && !isBase64Of(bytes(envelope, 'payload', maxPayloadBytes), content.payload)) {
    throw anotherPayload();
  }
  const signature = onlySignature(envelope, ['keyid', 'publicKey', 'sig']);
  if (!isBase64Of(bytes(signature, 'sig', maxSignatureBytes), content.signature)) throw anotherSignature();
  matchPem(bytes(signature, 'publicKey', maxKeyBytes), signer);
}

/**
 * This version does not keep the signature. Key and payload are enough: the log checked, when it took the entry, that this
 * key had signed this payload, and that is all that a second signature by the same key over the same payload would say.
 * Entries from before 2022 lack the payload's hash as well; then the envelope is put together as the clients of that time
 * wrote it, and its hash binds all of it. An entry that names the key alone would fit whatever that key signs later.
 */
function matchIntoto1({ body, content, signer }: Claim): void {
  const spec = child(body, 'spec', ['content', 'publicKey']);
  const inner = child(spec, 'content', ['hash', 'payloadHash']);
  if (has(inner, 'payloadHash')) matchPayload(hexDigest(inner, 'payloadHash'), content);
  else if (!isDigestOf(hexDigest(inner, 'hash'), envelopeAsWritten(content))) {
    throw invalid('the log entry is about another envelope, or one that was written in another form');
  }
  matchPem(bytes(spec, 'publicKey', maxKeyBytes), signer);
}

function envelopeAsWritten(content: SignedContent): Buffer {
  if (content.kind !== 'dsse' || content.payloadType !== inTotoPayload) throw anotherPayload();
  const signature = { keyid: content.keyId ?? '', sig: content.signature.toString('base64') };
  const payload = content.payload.toString('base64');
  return Buffer.from(JSON.stringify({ payloadType: content.payloadType, payload, signatures: [signature] }), 'utf8');
}

function onlySignature(message: Message, names: readonly string[]): Message {
  const signatures = items(message, 'signatures', 16, (value, where) => readMessage(value, where, names));
  const [signature] = signatures;
  if (signature === undefined || signatures.length > 1) {
    throw invalid(`the log entry has ${signatures.length} signatures, not the one of the envelope`);
  }
  return signature;
}

function matchSignature(logged: Buffer, content: SignedContent): void {
  if (!logged.equals(content.signature)) throw anotherSignature();
}

function matchDigest(logged: ArtifactDigest, content: SignedContent, artifact: ArtifactDigest | undefined): void {
  if (content.kind === 'dsse') {
    if (!isDigestOf(logged, pae(content.payloadType, content.payload))) throw anotherPayload();
    return;
  }
  if (artifact === undefined) throw invalid('the log entry is about an artifact, and there is none to compare');
  if (logged.algorithm === artifact.algorithm && logged.value.equals(artifact.value)) return;
  throw new VerifyError('wrong-subject', 'the log entry is about another artifact', {
    expected: `${artifact.algorithm}:${artifact.value.toString('hex')}`,
    got: `${logged.algorithm}:${logged.value.toString('hex')}`,
  });
}

function matchPayload(logged: ArtifactDigest, content: SignedContent): void {
  if (content.kind !== 'dsse' || !isDigestOf(logged, content.payload)) throw anotherPayload();
}

function isDigestOf({ algorithm, value }: ArtifactDigest, data: Buffer): boolean {
  return value.equals(hash(algorithm, data, 'buffer'));
}

function matchPem(pem: Buffer, signer: EntrySigner): void {
  const written = pem.toString('latin1');
  // Where a chain was logged, its first certificate is the signer's.
  const [first] = parsePem(written);
  const isCertificate = first?.label === 'CERTIFICATE';
  const same =
    'certificate' in signer
      ? isCertificate && first.der.equals(signer.certificate)
      : !isCertificate && parsePublicKey(written).spki.equals(signer.key.spki);
  if (!same) throw anotherSigner();
}

/** Rekor keeps the envelope's own base64, once more encoded. */
function isBase64Of(logged: Buffer, data: Buffer): boolean {
  return logged.equals(Buffer.from(data.toString('base64'), 'latin1'));
}

/** `{"algorithm": "sha256", "value": "<hex>"}` */
function hexDigest(message: Message, name: string): ArtifactDigest {
  const digest = child(message, name, ['algorithm', 'value']);
  const value = text(digest, 'value');
  if (!/^(?:[0-9a-fA-F]{2}){1,64}$/.test(value)) throw malformed(`${digest.where} is not hexadecimal`);
  return sized(digest, text(digest, 'algorithm'), Buffer.from(value, 'hex'));
}

/** `{"algorithm": "SHA2_256", "digest": "<base64>"}` */
function protoDigest(digest: Message): ArtifactDigest {
  return sized(
    digest,
    protoNames.get(text(digest, 'algorithm')) ?? text(digest, 'algorithm'),
    bytes(digest, 'digest', 64),
  );
}

const protoNames: ReadonlyMap<string, HashName> = new Map([
  ['SHA2_256', 'sha256'],
  ['SHA2_384', 'sha384'],
  ['SHA2_512', 'sha512'],
]);

const digestSizes: ReadonlyMap<string, { algorithm: HashName; size: number }> = new Map([
  ['sha256', { algorithm: 'sha256', size: 32 }],
  ['sha384', { algorithm: 'sha384', size: 48 }],
  ['sha512', { algorithm: 'sha512', size: 64 }],
]);

function sized(digest: Message, name: string, value: Buffer): ArtifactDigest {
  const known = digestSizes.get(name);
  if (known === undefined) throw new VerifyError('unsupported', `${digest.where} is by ${quoted(name, 40)}`);
  if (value.length !== known.size) throw malformed(`${digest.where} is not as long as ${name} makes it`);
  return { algorithm: known.algorithm, value };
}

function anotherSigner(): VerifyError {
  return invalid('the log entry is about a signature by another key or certificate');
}

function anotherSignature(): VerifyError {
  return invalid('the log entry is about another signature');
}

function anotherPayload(): VerifyError {
  return invalid('the log entry is about another payload');
}
