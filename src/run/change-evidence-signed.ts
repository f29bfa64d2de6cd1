/**
 * Signatures with what they are over, whatever holds them together: bundles, envelopes with one or several signatures,
 * signatures that lie beside the statement in a file of their own. SSH signatures in envelopes: sigstore/ssh-envelope.ts.
 *
 * gittuf writes signatures by certificate with an extension of DSSE: `sig` is base64 of a bundle's messageSignature over the
 * encoding, and `extension.ext` the bundle's verificationMaterial.
 */
import { plainPayload } from '../change/statements/index.ts';
import { quoted } from '../diag/index.ts';
import { readBundle } from '../sigstore/bundle.ts';
import { inTotoPayload, pae } from '../sigstore/dsse.ts';
import { envelopeEntity } from '../sigstore/envelope.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from '../sigstore/json.ts';
import type { PersonKey } from '../sigstore/person-key.ts';
import { textIn } from '../sigstore/predicate.ts';
import { readBytes } from '../sigstore/protojson.ts';
import { gittufPayload, isSshEnvelope, statementNamespace, verifySshEnvelope } from '../sigstore/ssh-envelope.ts';
import { parseSshSignature, verifySshSignature } from '../sigstore/ssh-signature.ts';
import type { SignedEntity } from '../sigstore/types.ts';
import { type Outcome, outcomeOf } from '../sigstore/verify.ts';
import type { Placed } from './change-evidence-forms.ts';
import { ownersOf, sshSignerOf, unusedOwner } from './change-evidence-signers.ts';
import { type Proof, proveEntity, type Signed, type VerifyContext } from './change-evidence-verify.ts';

/** A bundle with an envelope in it. */
export function signedEntity(placed: Placed, entity: SignedEntity, context: VerifyContext): Signed {
  const { content, format } = entity;
  if (content.kind !== 'dsse') throw new Error('a signature over a file has no statement in it');
  const { payload, payloadType } = content;
  const plainKey = isByPlainKey(entity);
  return {
    ...placed,
    format,
    payload,
    payloadType,
    plainKey,
    prove: (artifact) => proveEntity(entity, artifact, context),
  };
}

export interface EnvelopeSignature {
  readonly place: string;
  readonly signed: Outcome<Signed>;
}

/** One for each signature: they are not by one signer, and one that cannot be read does not spoil the others. */
export function signedEnvelope(
  placed: Placed,
  envelope: JsonObject,
  context: VerifyContext,
): readonly EnvelopeSignature[] {
  const { signatures } = envelope;
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > maxSignatures) {
    const error = malformed(`the envelope has no list of 1 to ${maxSignatures} signatures`);
    return [{ place: placed.place, signed: { ok: false, failure: error } }];
  }
  return (signatures as readonly Json[]).map((signature, at) => {
    const place = signatures.length === 1 ? placed.place : `${placed.place}, signatures[${at}]`;
    const where = { ...placed, place };
    return { place, signed: outcomeOf(() => signedBy(where, envelope, signature, `signatures[${at}]`, context)) };
  });
}

/** The bytes of a statement that a bundle signs as a file. */
export function signedFile(placed: Placed, bytes: Buffer, entity: SignedEntity, context: VerifyContext): Signed {
  const format = `${entity.format} over a statement`;
  return {
    ...fileSigned(placed, bytes, format),
    plainKey: isByPlainKey(entity),
    prove: (artifact) => proveEntity(entity, artifact, context),
  };
}

/** The bytes of a statement that `ssh-keygen -Y sign -n file` signed. */
export function sshSignedFile(placed: Placed, bytes: Buffer, armored: string, context: VerifyContext): Signed {
  return {
    ...fileSigned(placed, bytes, 'SSH signature over a statement'),
    plainKey: false,
    prove: () => {
      const signer = verifySshSignature(parseSshSignature(armored), bytes, fileNamespace);
      return { signer: sshSignerOf(signer, ownersOf(signer, fileNamespace, context.signers, context.now)), times: [] };
    },
  };
}

function isByPlainKey({ material }: SignedEntity): boolean {
  return material.kind === 'key';
}

const maxSignatures = 16;
const maxPayloadBytes = 1 << 25;
const maxSignatureBytes = 1 << 16;
const fileNamespace = 'file';

function fileSigned(placed: Placed, payload: Buffer, format: string): Omit<Signed, 'prove' | 'plainKey'> {
  return { ...placed, format, payload, payloadType: plainPayload };
}

function signedBy(
  placed: Placed,
  envelope: JsonObject,
  signature: Json,
  where: string,
  context: VerifyContext,
): Signed {
  if (!isJsonObject(signature)) throw malformed(`${where} is not an object`);
  const payloadType = textIn(envelope, 'payloadType', 'the envelope');
  if (payloadType !== inTotoPayload && payloadType !== gittufPayload) {
    throw new VerifyError('unsupported', `the signed payload is no statement: ${quoted(payloadType, 80)}`);
  }
  const payload = readBytes(textIn(envelope, 'payload', 'the envelope'), 'payload', maxPayloadBytes);
  const signed = { ...placed, payload, payloadType };
  if ('extension' in signature) return withExtension(signed, signature, where, context);
  const alone: JsonObject = Object.assign(Object.create(null), envelope, { signatures: [signature] });
  if (isSshEnvelope(alone)) return withSsh(signed, alone, context);
  const entity = envelopeEntity(envelope, signature, where);
  const plainKey = isByPlainKey(entity);
  return { ...signed, format: entity.format, plainKey, prove: (artifact) => proveEntity(entity, artifact, context) };
}

type Unproved = Omit<Signed, 'prove' | 'format' | 'plainKey'>;

function withSsh(signed: Unproved, alone: JsonObject, { signers, now }: VerifyContext): Signed {
  const verify = (listed: readonly { readonly key: PersonKey }[]) => {
    const keys = listed.flatMap(({ key }) => (key.kind === 'ssh' ? [key] : []));
    return outcomeOf(() => verifySshEnvelope(alone, keys, [statementNamespace, 'git'], now));
  };
  const prove = (): Proof => {
    const outcome = verify(signers.keys);
    if (!outcome.ok) {
      if (outcome.failure.code !== 'untrusted') throw outcome.failure;
      // The signature holds; it is by nobody who could count.
      const unused = verify(signers.unused);
      const message = unused.ok ? unusedOwner(unused.value[0]?.fingerprint, signers) : undefined;
      throw new VerifyError('wrong-identity', message ?? outcome.failure.message);
    }
    const [made] = outcome.value;
    if (made === undefined) throw new Error('an SSH envelope holds by no signature');
    const owners = signers.keys.filter(({ key }) => key.kind === 'ssh' && made.keys.includes(key));
    return { signer: sshSignerOf(made, owners), times: [] };
  };
  return { ...signed, format: 'DSSE envelope, SSH signature', plainKey: false, prove };
}

function withExtension(signed: Unproved, signature: JsonObject, where: string, context: VerifyContext): Signed {
  const { extension } = signature;
  if (!isJsonObject(extension)) throw malformed(`${where}.extension is not an object`);
  const kind = textIn(extension, 'kind', `${where}.extension`);
  if (kind !== 'application/vnd.dev.sigstore.verificationmaterial;version=0.3') {
    throw new VerifyError('unsupported', `${where}.extension is ${quoted(kind, 100)}`);
  }
  const inner = parseStrictJsonBytes(readBytes(textIn(signature, 'sig', where), `${where}.sig`, maxSignatureBytes));
  const bundle: JsonObject = Object.assign(Object.create(null), {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: extension['ext'] ?? null,
    messageSignature: inner,
  });
  const entity = readBundle(bundle, where);
  const prove = (): Proof => {
    const bytes = pae(signed.payloadType, signed.payload);
    return proveEntity(entity, { name: signed.place, digests: new Map(), bytes }, context);
  };
  return { ...signed, format: 'DSSE envelope, Sigstore extension', plainKey: isByPlainKey(entity), prove };
}
