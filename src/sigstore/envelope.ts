/**
 * DSSE envelopes that stand alone, with the signer's certificate in the envelope or with none.
 *
 *     {"payloadType": "application/vnd.in-toto+json", "payload": "eyJf…", "signatures": [
 *       {"keyid": "…", "sig": "MEU…",
 *        "cert": "-----BEGIN CERTIFICATE-----…",                                   the SLSA generator before v2.1
 *        "certificate": "LS0t…", "intermediates": ["LS0t…"],                       witness, base64 of PEM
 *        "timestamps": [{"type": "tsp", "data": "MII…"}]}]}                        witness, RFC 3161
 *
 * There is no log entry in any of them. Where the trusted root has logs, such a signature stays unproved: its entry could
 * only be found by asking the log. Payload and signature may be in either alphabet of base64, as DSSE has it. Refused: unknown
 * members, base64 and PEM that are not strict.
 */
import { maxCertificateBytes, readEnvelope } from './bundle.ts';
import { parsePemCertificates } from './certificate.ts';
import { malformed } from './failure.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { bytes, decodeBase64, items, type Message, optionalText, readMessage, readText, text } from './protojson.ts';
import type { SignedEntity, SignerMaterial } from './types.ts';

/** One signature of an envelope. Throws VerifyError. */
export function envelopeEntity(envelope: JsonObject, signature: Json, where: string): SignedEntity {
  const names = ['sig', 'keyid', 'cert', 'certificate', 'intermediates', 'timestamps'];
  const message = readMessage(signature, where, names);
  const { sig, keyid = null } = isJsonObject(signature) ? signature : {};
  const payload = inPlainAlphabet(envelope['payload']);
  const signatures = [{ sig: inPlainAlphabet(sig), keyid }];
  const alone = Object.assign(Object.create(null), envelope, { payload, signatures }) as JsonObject;
  const content = readEnvelope(readMessage(alone, 'envelope', ['payload', 'payloadType', 'signatures']));
  return {
    format: 'DSSE envelope',
    content,
    material: materialOf(message),
    entries: [],
    timestamps: items(message, 'timestamps', 32, readToken),
    requires: 'either',
  };
}

/** What is verified is the bytes. Padding has to be there all the same. */
function inPlainAlphabet(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !/[-_]/.test(value)) return value;
  return value.replaceAll('-', '+').replaceAll('_', '/');
}

function materialOf(message: Message): SignerMaterial {
  const written = ['cert', 'certificate']
    .map((name) => optionalText(message, name) ?? '')
    .filter((each) => each !== '');
  const [first] = written;
  if (written.length > 1) throw malformed(`${message.where} has two certificates`);
  if (first === undefined) {
    const hint = optionalText(message, 'keyid');
    return { kind: 'key', ...(hint !== undefined && { hint }) };
  }
  const [leaf, ...chain] = certificatesOf(first, `${message.where}.certificate`);
  if (leaf === undefined) throw malformed(`${message.where} has no certificate in its PEM`);
  const intermediates = items(message, 'intermediates', 8, (each, where) =>
    certificatesOf(readText(each, where), where),
  );
  return { kind: 'certificate', leaf, chain: [...chain, ...intermediates.flat()] };
}

function certificatesOf(written: string, where: string): readonly Buffer[] {
  if (written.length > 8 * maxCertificateBytes) throw malformed(`${where} is too long`);
  const pem = written.startsWith('-----') ? written : decodeBase64(written, where).toString('latin1');
  return parsePemCertificates(pem).map(({ der }) => der);
}

function readToken(value: Json, where: string): Buffer {
  const token = readMessage(value, where, ['type', 'data']);
  if (text(token, 'type') !== 'tsp') throw malformed(`${where} is of another type than tsp`);
  return bytes(token, 'data', 1 << 16);
}
