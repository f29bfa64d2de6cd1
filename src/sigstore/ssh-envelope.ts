/**
 * DSSE envelopes that are signed with SSH keys: `sig` holds an SSH signature (ssh-signature.ts), with its armour as gittuf
 * writes it or without, over the envelope's pre-authentication encoding.
 *
 *     {"payloadType": "application/vnd.in-toto+json", "payload": "eyJf…",
 *      "signatures": [{"keyid": "SHA256:…", "sig": "LS0tLS1CRUdJTiBTU0ggU0lHTkFUVVJFLS0tLS0K…"}]}
 *
 * A signature for one use must not pass for one of another. The namespace keeps them apart: statements are signed for `dsse`. gittuf
 * signs for `git`, as git does for commits and tags; that is taken for its own payload type alone, and is safe because what
 * is signed differs from its first byte: the encoding begins with `DSSEv1 `, a commit with `tree `, a tag with `object `.
 * `keyid` is a hint that nobody signed and is not looked at.
 *
 * Refused: unknown members, base64 in a second spelling, signatures of other kinds, more than 16.
 */
import { quoted } from '../diag/index.ts';
import { maxPayloadBytes, maxSignatureBytes } from './bundle.ts';
import { pae } from './dsse.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { restrictionOf, type SshPersonKey } from './person-key.ts';
import { bytes, items, readMessage, text } from './protojson.ts';
import {
  parseSshSignature,
  parseSshSignatureBlob,
  type SshSignature,
  sshArmor,
  verifySshSignature,
} from './ssh-signature.ts';

/** One signature that holds, by a key that was asked for. */
export interface SshSigned {
  readonly payload: Buffer;
  readonly payloadType: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly blob: Buffer;
  /** Security keys only. */
  readonly touched?: boolean;
  /** Those of the keys given that it counts for, the very objects. */
  readonly keys: readonly SshPersonKey[];
}

/** What `approve` signs for. */
export const statementNamespace = 'dsse';

export const gittufPayload = 'application/vnd.gittuf+json';

/** Whether one of its signatures looks like one of SSH; nothing is verified. */
export function isSshEnvelope(envelope: JsonObject): boolean {
  const { signatures } = envelope;
  const looksLike = (each: Json): boolean => {
    const { sig } = isJsonObject(each) ? each : {};
    // The base64 of what an armour begins with, and of SSHSIG.
    return typeof sig === 'string' && (sig.startsWith('LS0tLS1CRUdJTiBTU0gg') || sig.startsWith('U1NIU0lH'));
  };
  return Array.isArray(signatures) && signatures.slice(0, mostSignatures).some(looksLike);
}

/**
 * The signatures that hold, for one of the namespaces, by one of the keys; at least one, each key once. `now` is the time of
 * judging, in milliseconds. Throws VerifyError where none counts, for the first of them: `untrusted` where it holds by a key that
 * is not listed.
 */
export function verifySshEnvelope(
  envelope: JsonObject,
  keys: readonly SshPersonKey[],
  namespaces: readonly string[],
  now: number,
): readonly SshSigned[] {
  const message = readMessage(envelope, 'envelope', ['payload', 'payloadType', 'signatures']);
  const payloadType = text(message, 'payloadType');
  const payload = bytes(message, 'payload', maxPayloadBytes);
  const signed = pae(payloadType, payload);
  const allowed = namespaces.filter((each) => each !== 'git' || payloadType === gittufPayload);
  const found = new Map<string, SshSigned>();
  let failure: VerifyError | undefined;
  for (const value of items(message, 'signatures', mostSignatures, (each) => each)) {
    try {
      const made = verifyOne(readSignature(value), signed, keys, allowed, now);
      if (!found.has(made.fingerprint)) found.set(made.fingerprint, { payload, payloadType, ...made });
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      failure ??= error;
    }
  }
  if (found.size === 0) throw failure ?? malformed('the envelope has no signature');
  return [...found.values()];
}

const mostSignatures = 16;

function readSignature(value: Json): SshSignature {
  const { extension } = isJsonObject(value) ? value : {};
  if (extension !== undefined && extension !== null) {
    throw new VerifyError('unsupported', 'the signature is none of SSH: it carries an extension');
  }
  const sig = bytes(
    readMessage(value, 'envelope.signatures[]', ['sig', 'keyid', 'extension']),
    'sig',
    maxSignatureBytes,
  );
  const isArmored = sig.subarray(0, sshArmor.length).toString('latin1') === sshArmor;
  if (isArmored) return parseSshSignature(sig.toString('latin1'));
  if (sig.subarray(0, 6).toString('latin1') === 'SSHSIG') return parseSshSignatureBlob(sig);
  throw new VerifyError('unsupported', 'the signature is none of SSH');
}

function verifyOne(
  signature: SshSignature,
  signed: Buffer,
  keys: readonly SshPersonKey[],
  namespaces: readonly string[],
  now: number,
): Omit<SshSigned, 'payload' | 'payloadType'> {
  const namespace = namespaces.find((each) => signature.namespace.equals(Buffer.from(each)));
  if (namespace === undefined) {
    const got = signature.namespace.toString('utf8');
    throw new VerifyError('invalid', `the SSH signature is for another use: ${quoted(got, 60)}`, {
      expected: namespaces.join(', '),
      got,
    });
  }
  const { fingerprint, keyBlob: blob, touched } = verifySshSignature(signature, signed, namespace);
  const listed = keys.filter((key) => key.blob.equals(blob));
  if (listed.length === 0) throw new VerifyError('untrusted', `nobody listed has the SSH key ${fingerprint}`);
  const restrictions = listed.map((key) => restrictionOf(key, namespace, now));
  const counting = listed.filter((_, index) => restrictions[index] === undefined);
  const [restriction] = restrictions;
  if (counting.length === 0 && restriction !== undefined) throw new VerifyError(restriction.code, restriction.why);
  return { fingerprint, blob, keys: counting, ...(touched !== undefined && { touched }) };
}
