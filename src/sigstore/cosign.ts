/**
 * cosign's own form of a signature: a layer of an image manifest, with everything else in the layer's annotations.
 *
 *   application/vnd.dev.cosign.simplesigning.v1+json   the layer is the payload that was signed (simple-signing.ts)
 *   application/vnd.dsse.envelope.v1+json              the layer is a DSSE envelope, signature included
 *
 *   dev.cosignproject.cosign/signature        base64; empty or absent beside an envelope
 *   dev.sigstore.cosign/certificate           PEM, the leaf first; absent or empty when a plain key signed
 *   dev.sigstore.cosign/chain                 PEM
 *   dev.sigstore.cosign/bundle                {"SignedEntryTimestamp": base64, "Payload": {"body": base64,
 *                                              "integratedTime": 1711017244, "logIndex": 80008005, "logID": hex}}
 *   dev.sigstore.cosign/rfc3161timestamp      {"SignedRFC3161Timestamp": base64}
 *
 * cosign, specs/SIGNATURE_SPEC.md and specs/ATTESTATION_SPEC.md. Annotations are signed by nobody: each is held against the
 * trusted root like a field of a bundle. The chain may help to build a path and is never a reason to trust. The form has
 * no inclusion proof, so a log entry needs the log's promise. Of an envelope, cosign up to 3.0 has the authority stamp all
 * of the layer, and later releases the signature in it: the layer holds the signature, so that either proves its time.
 *
 * Refused: an envelope without exactly one signature, a signature annotation that differs from the envelope's, fields of a
 * log entry that are not known, base64 and PEM that are not strict. Other annotations are other people's: passed over.
 */
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, parseStrictJson, parseStrictJsonBytes } from './json.ts';
import { parsePem } from './pem.ts';
import { count, decodeBase64, type Message, readMessage, text } from './protojson.ts';
import type { LogEntry, SignedContent, SignedEntity, SignerMaterial } from './types.ts';

export interface CosignLayer {
  readonly bytes: Buffer;
  /** Of the layer's descriptor, not of the manifest. */
  readonly annotations: ReadonlyMap<string, string>;
  readonly mediaType: string;
}

export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const envelopeType = 'application/vnd.dsse.envelope.v1+json';

/**
 * A signature over the layer's bytes (`message`: the artifact to verify is the payload, see simple-signing.ts) or an
 * envelope. Throws VerifyError `malformed` or `unsupported`.
 */
export function parseCosignLayer(layer: CosignLayer): SignedEntity {
  const { annotations } = layer;
  const content = layer.mediaType === simpleSigningType ? messageOf(annotations) : envelopeOf(layer);
  const entry = annotation(annotations, bundleName);
  const timestamp = annotation(annotations, timestampName);
  return {
    format: 'cosign annotation',
    content,
    material: materialOf(annotations),
    entries: entry === undefined ? [] : [logEntryOf(entry)],
    timestamps: timestamp === undefined ? [] : [timestampOf(timestamp)],
    ...(content.kind === 'dsse' ? { stamped: layer.bytes } : {}),
    requires: entry === undefined ? 'either' : 'promise',
  };
}

const signatureName = 'dev.cosignproject.cosign/signature';
const certificateName = 'dev.sigstore.cosign/certificate';
const chainName = 'dev.sigstore.cosign/chain';
const bundleName = 'dev.sigstore.cosign/bundle';
const timestampName = 'dev.sigstore.cosign/rfc3161timestamp';
/** Far more than a log entry or a chain has; annotations of the manifest parser are smaller still. */
const maxAnnotation = 1024 * 1024;

/** An empty annotation is none: cosign writes some of them so. */
function annotation(annotations: ReadonlyMap<string, string>, name: string): string | undefined {
  const value = annotations.get(name);
  if (value === undefined || value === '') return undefined;
  if (value.length > maxAnnotation)
    throw malformed(`the annotation ${name} is larger than ${maxAnnotation} characters`);
  return value;
}

function messageOf(annotations: ReadonlyMap<string, string>): SignedContent {
  const signature = annotation(annotations, signatureName);
  if (signature === undefined) throw malformed(`the layer has no annotation ${signatureName}`);
  return { kind: 'message', signature: base64Of(signature, 'the signature annotation') };
}

/** DSSE, envelope.md: fields beyond these are to be ignored, base64 may be of either alphabet. */
function envelopeOf({ bytes, annotations, mediaType }: CosignLayer): SignedContent {
  if (mediaType !== envelopeType && mediaType !== 'application/vnd.in-toto+json') {
    throw new VerifyError('unsupported', `a layer of type ${quoted(mediaType)} is no signature`);
  }
  const envelope = parseStrictJsonBytes(bytes, 'the envelope');
  if (!isJsonObject(envelope)) throw malformed('the envelope is no object');
  const { payloadType, payload, signatures } = envelope;
  if (!Array.isArray(signatures)) throw malformed('the envelope has no signatures');
  if (signatures.length !== 1) {
    throw new VerifyError('unsupported', `the envelope has ${signatures.length} signatures where one is expected`);
  }
  const only: Json = signatures[0];
  if (!isJsonObject(only)) throw malformed('the signature of the envelope is no object');
  const signature = base64Of(only['sig'], 'the signature of the envelope');
  const beside = annotation(annotations, signatureName);
  if (beside !== undefined && !base64Of(beside, 'the signature annotation').equals(signature)) {
    throw malformed('the signature annotation differs from the signature in the envelope');
  }
  const keyId = only['keyid'];
  if (typeof payloadType !== 'string') throw malformed('the envelope has no payload type');
  if (keyId !== undefined && keyId !== null && typeof keyId !== 'string') throw malformed('the key id is no text');
  return {
    kind: 'dsse',
    payloadType,
    payload: base64Of(payload, 'the payload of the envelope'),
    signature,
    ...(typeof keyId === 'string' && keyId !== '' ? { keyId } : {}),
  };
}

/** Padded base64, in one line or several, of either alphabet: what is verified is the bytes. */
function base64Of(value: Json | undefined, where: string): Buffer {
  if (typeof value !== 'string') throw malformed(`${where} is no text`);
  const plain = /[-_\r\n]/.test(value)
    ? value.replaceAll('-', '+').replaceAll('_', '/').replaceAll('\r', '').replaceAll('\n', '')
    : value;
  return decodeBase64(plain, where);
}

function materialOf(annotations: ReadonlyMap<string, string>): SignerMaterial {
  const certificate = annotation(annotations, certificateName);
  const chain = annotation(annotations, chainName);
  if (certificate === undefined) return { kind: 'key' };
  const [leaf, ...others] = certificatesOf(certificate, certificateName);
  return { kind: 'certificate', leaf: leaf!, chain: chain === undefined ? others : certificatesOf(chain, chainName) };
}

function certificatesOf(pem: string, name: string): Buffer[] {
  const blocks = parsePem(pem);
  if (blocks.length > maxChain) throw malformed(`${name} holds more than ${maxChain} certificates`);
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE');
  if (other !== undefined) throw malformed(`${name} holds a ${quoted(other.label)} where a certificate belongs`);
  return blocks.map(({ der }) => der);
}

const maxChain = 16;

function logEntryOf(annotation: string): LogEntry {
  const bundle = readMessage(parseStrictJson(annotation, bundleName), bundleName, ['SignedEntryTimestamp', 'Payload']);
  const where = `${bundleName}.Payload`;
  const payload = readMessage(bundle.fields.get('Payload'), where, ['body', 'integratedTime', 'logIndex', 'logID']);
  const logId = text(payload, 'logID');
  if (!/^[0-9a-f]{64}$/.test(logId)) throw malformed(`${where}.logID is not the SHA-256 of a key in hex`);
  return {
    logIndex: number(payload, 'logIndex'),
    logId: Buffer.from(logId, 'hex'),
    integratedTime: number(payload, 'integratedTime'),
    promise: decodeBase64(text(bundle, 'SignedEntryTimestamp'), `${bundleName}.SignedEntryTimestamp`),
    body: decodeBase64(text(payload, 'body'), `${where}.body`),
  };
}

/** The log signs these as they stand: one that is left out is not 0. */
function number(message: Message, name: string): number {
  if (typeof message.fields.get(name) !== 'number') throw malformed(`${message.where} has no number ${quoted(name)}`);
  return count(message, name);
}

function timestampOf(annotation: string): Buffer {
  const names = ['SignedRFC3161Timestamp'];
  const message = readMessage(parseStrictJson(annotation, timestampName), timestampName, names);
  return decodeBase64(text(message, 'SignedRFC3161Timestamp'), `${timestampName}.SignedRFC3161Timestamp`);
}
