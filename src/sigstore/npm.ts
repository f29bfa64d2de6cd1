/**
 * What the npm registry says about a package version: its attestations, and the keys that sign for the registry itself.
 *
 *     GET /-/npm/v1/attestations/NAME@VERSION
 *     {"attestations": [{"predicateType": "https://slsa.dev/provenance/v1", "bundle": {…Sigstore bundle…}}]}
 *
 *     GET /-/npm/v1/keys
 *     {"keys": [{"expires": null, "keyid": "SHA256:jl3b…", "keytype": "ecdsa-sha2-nistp256",
 *                "scheme": "ecdsa-sha2-nistp256", "key": "MFkw…"}]}
 *
 * The publish attestation (https://github.com/npm/attestation) is signed with such a key, whose id is the bundle's hint.
 * The same keys are published over TUF with a use and a validity: {"keys": [{"keyId": …, "keyUsage":
 * "npm:attestations", "publicKey": {"rawBytes": …, "keyDetails": …, "validFor": …}}]}. The predicate type beside a
 * bundle must be the one inside: it is what people select by.
 */
import { readBundle } from './bundle.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from './json.ts';
import { publicKeyFromSpki } from './keys.ts';
import { child, decodeBase64, optionalText, readMessage, readTimestamp, text } from './protojson.ts';
import { parseStatement, textOf } from './statement.ts';
import { readKey, readRange } from './trust-root.ts';
import type { PublicKey, SignedEntity, TimeRange } from './types.ts';

export interface RegistryKey {
  /** `SHA256:` and the unpadded base64 SHA-256 of the key, as the registry states it. */
  readonly id: string;
  /** `npm:attestations` or `npm:signatures`; undefined where the document does not say. */
  readonly usage?: string;
  readonly key: PublicKey;
  readonly validFor?: TimeRange;
}

export function isAttestationList(value: JsonObject): boolean {
  return 'attestations' in value && !('envelope' in value);
}

/** The bundles of a document by npm, or by GitHub's attestation API, whose shape is the same. Throws VerifyError. */
export function listAttestations(value: JsonObject): readonly { where: string; value: Json }[] {
  const list = value['attestations'];
  if (!Array.isArray(list)) throw malformed('attestations is not a list');
  return list.map((each: Json, index) => ({ where: `attestations[${index}]`, value: each }));
}

/** One element of it. Throws VerifyError. */
export function readAttestation(value: Json, where: string): SignedEntity {
  if (!isJsonObject(value)) throw malformed(`${where} is not an object`);
  const bundle = value['bundle'] ?? undefined;
  // GitHub leaves large bundles out and names an address.
  if (bundle === undefined && typeof value['bundle_url'] === 'string') {
    throw new VerifyError('unreachable', `${where} has no bundle, only the address of one`);
  }
  const entity = readBundle(bundle, `${where}.bundle`);
  const stated = value['predicateType'];
  if (stated !== undefined && entity.content.kind === 'dsse') {
    const { predicateType } = parseStatement(entity.content.payload);
    if (stated !== predicateType) throw malformed(`${where} states another predicate type than its bundle`);
  }
  return entity;
}

/** Both forms of the registry's keys. Throws VerifyError. */
export function parseRegistryKeys(json: string): readonly RegistryKey[] {
  const value = parseStrictJson(json, 'the registry keys');
  const list = isJsonObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(list)) throw malformed('the registry keys are no list of keys');
  return list.map((each: Json, index) => {
    if (!isJsonObject(each)) throw malformed(`keys[${index}] is not an object`);
    return 'publicKey' in each ? publishedKey(each, `keys[${index}]`) : servedKey(each, `keys[${index}]`);
  });
}

/** The keys that may have made the registry's own attestation: one id may have several validities. */
export function findRegistryKeys(keys: readonly RegistryKey[], { material }: SignedEntity): readonly RegistryKey[] {
  if (material.kind !== 'key') return [];
  return keys.filter(({ id, usage }) => id === material.hint && (usage ?? attestationUse) === attestationUse);
}

const attestationUse = 'npm:attestations';

function publishedKey(value: JsonObject, where: string): RegistryKey {
  const message = readMessage(value, where, ['keyId', 'keyUsage', 'publicKey']);
  const key = child(message, 'publicKey', ['rawBytes', 'keyDetails', 'validFor']);
  const usage = optionalText(message, 'keyUsage');
  return {
    id: text(message, 'keyId'),
    ...(usage !== undefined && { usage }),
    key: readKey(key),
    validFor: readRange(key),
  };
}

function servedKey(value: JsonObject, where: string): RegistryKey {
  const expires = value['expires'] ?? undefined;
  const key = publicKeyFromSpki(decodeBase64(textOf(value, 'key', where), `${where}.key`));
  if (textOf(value, 'keytype', where) !== 'ecdsa-sha2-nistp256' || key.kind !== 'P-256') {
    throw new VerifyError('unsupported', `${where} is no ECDSA P-256 key`);
  }
  return {
    id: textOf(value, 'keyid', where),
    key,
    ...(expires !== undefined && { validFor: { start: 0, end: readTimestamp(expires, `${where}.expires`).ms } }),
  };
}
