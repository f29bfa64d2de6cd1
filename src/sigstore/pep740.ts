/**
 * PEP 740: attestations of Python packages, as an index serves them beside a distribution.
 *
 *     {"version": 1,
 *      "verification_material": {"certificate": "MII…", "transparency_entries": [{…Rekor entry…}]},
 *      "envelope": {"statement": "eyJf…", "signature": "MEU…"}}
 *
 * The envelope is DSSE with the in-toto payload type left out, because it is always the same. The provenance object of
 * an index holds several, grouped by publisher: {"version": 1, "attestation_bundles": [{"publisher": {…},
 * "attestations": […]}]}; what it says of the publisher is not signed, and is passed over here. Refused: other versions,
 * unknown fields, entries without inclusion proof.
 * https://peps.python.org/pep-0740/
 */
import { maxCertificateBytes, maxPayloadBytes, maxSignatureBytes, readLogEntry } from './bundle.ts';
import { inTotoPayload } from './dsse.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { bytes, child, items, readMessage } from './protojson.ts';
import type { SignedEntity } from './types.ts';

export function isPep740(value: JsonObject): boolean {
  return 'attestation_bundles' in value || ('envelope' in value && 'verification_material' in value);
}

/** One attestation, or every attestation of a provenance object with its place. Throws VerifyError. */
export function listPep740(value: JsonObject): readonly { where: string; value: Json }[] {
  if (!('attestation_bundles' in value)) return [{ where: 'attestation', value }];
  checkVersion(value, 'provenance');
  const bundles = value['attestation_bundles'];
  if (!Array.isArray(bundles)) throw malformed('attestation_bundles is not a list');
  return bundles.flatMap((bundle: Json, at) => {
    const attestations = isJsonObject(bundle) ? bundle['attestations'] : undefined;
    if (!Array.isArray(attestations)) throw malformed(`attestation_bundles[${at}] has no list of attestations`);
    return attestations.map((each: Json, index) => ({
      where: `attestation_bundles[${at}].attestations[${index}]`,
      value: each,
    }));
  });
}

/** Throws VerifyError `malformed` or `unsupported`. */
export function readPep740(value: Json, where: string): SignedEntity {
  if (!isJsonObject(value)) throw malformed(`${where} is not an object`);
  checkVersion(value, where);
  const attestation = readMessage(value, where, ['version', 'verificationMaterial', 'envelope']);
  const material = child(attestation, 'verificationMaterial', ['certificate', 'transparencyEntries']);
  const envelope = child(attestation, 'envelope', ['statement', 'signature']);
  const entries = items(material, 'transparencyEntries', 32, readLogEntry);
  if (entries.some(({ proof }) => proof === undefined)) throw malformed(`${where} has a log entry without proof`);
  return {
    format: 'PEP 740 attestation',
    content: {
      kind: 'dsse',
      payloadType: inTotoPayload,
      payload: bytes(envelope, 'statement', maxPayloadBytes),
      signature: bytes(envelope, 'signature', maxSignatureBytes),
    },
    material: { kind: 'certificate', leaf: bytes(material, 'certificate', maxCertificateBytes), chain: [] },
    entries,
    timestamps: [],
    requires: 'proof',
  };
}

function checkVersion(value: JsonObject, where: string): void {
  if (value['version'] !== 1) throw new VerifyError('unsupported', `${where} is not of version 1`);
}
