/**
 * Simple signing: the document that cosign signs in place of an image, which it names by digest.
 *
 *   {"critical": {"identity": {"docker-reference": "registry.example/app"},
 *                 "image": {"docker-manifest-digest": "sha256:…"},
 *                 "type": "cosign container image signature"},
 *    "optional": {"commit": "…"}}
 *
 * cosign, specs/SIGNATURE_SPEC.md ("Payload"); containers-signature(5) for the type "atomic container signature". The first
 * releases of cosign wrote some names in capitals ("Critical", "Docker-manifest-digest"); both spellings are read, never both
 * at once. The reference is what the signer called the image: shown, and by the specification no part of what is verified.
 *
 * Refused: any other field outside of "optional" (what is critical and not understood must not be passed over), any other
 * type, a digest that is none, and all that strict JSON refuses.
 */
import { quoted } from '../diag/index.ts';
import { malformed, VerifyError } from './failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from './json.ts';

export interface SimpleSigning {
  /** Of the image that was signed: `sha256:` or `sha512:` and lower-case hex. */
  readonly digest: string;
  /** What the signer called the image; may be empty. */
  readonly reference: string;
  /** What else the signer said (`cosign sign -a`). */
  readonly optional: ReadonlyMap<string, Json>;
}

/** Reads the payload; whether its signature holds is for others. Throws VerifyError `malformed` or `unsupported`. */
export function simpleSigningSubject(payload: Buffer): SimpleSigning {
  if (payload.length > maxPayloadBytes) throw malformed(`the payload is larger than ${maxPayloadBytes} bytes`);
  const document = fieldsOf(parseStrictJsonBytes(payload, 'the payload'), 'the payload', ['critical', 'optional']);
  const critical = fieldsOf(document.get('critical'), '"critical"', ['identity', 'image', 'type']);
  const identity = fieldsOf(critical.get('identity'), '"identity"', ['docker-reference']);
  const image = fieldsOf(critical.get('image'), '"image"', ['docker-manifest-digest']);
  const type = textOf(critical, 'type');
  if (!types.includes(type)) throw new VerifyError('unsupported', `the payload is of type ${quoted(type)}`);
  const digest = textOf(image, 'docker-manifest-digest');
  if (!digestForm.test(digest)) throw malformed(`the payload names the image by ${quoted(digest)}, which is no digest`);
  return { digest, reference: textOf(identity, 'docker-reference'), optional: optionalOf(document.get('optional')) };
}

/** The payload, when it is about one of the digests. Throws VerifyError, `wrong-subject` when it is about another image. */
export function matchSimpleSigning(payload: Buffer, digests: readonly string[]): SimpleSigning {
  const subject = simpleSigningSubject(payload);
  if (digests.includes(subject.digest)) return subject;
  const expected = digests.join(' or ');
  throw new VerifyError('wrong-subject', 'the signed payload names another image', { expected, got: subject.digest });
}

const maxPayloadBytes = 1024 * 1024;
const types: readonly string[] = ['cosign container image signature', 'atomic container signature'];
const digestForm = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;

/** The members of an object, under their names in small letters. */
function fieldsOf(value: Json | undefined, what: string, names: readonly string[]): ReadonlyMap<string, Json> {
  if (!isJsonObject(value)) throw malformed(`${what} is no object`);
  const fields = new Map<string, Json>();
  for (const [written, field] of Object.entries(value)) {
    const name = names.find((each) => each === written || capitalized(each) === written);
    if (name === undefined || field === undefined)
      throw malformed(`${what} has an unknown field ${quoted(written, 60)}`);
    if (fields.has(name)) throw malformed(`${what} has field ${quoted(name)} in two spellings`);
    fields.set(name, field);
  }
  return fields;
}

function capitalized(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

function textOf(fields: ReadonlyMap<string, Json>, name: string): string {
  const value = fields.get(name);
  if (typeof value !== 'string') throw malformed(`the payload has no ${quoted(name)}, or one that is no text`);
  return value;
}

function optionalOf(value: Json | undefined): ReadonlyMap<string, Json> {
  if (value === undefined || value === null) return new Map();
  if (!isJsonObject(value)) throw malformed('"optional" is no object');
  return new Map(
    Object.entries(value as JsonObject).flatMap(([name, each]) => (each === undefined ? [] : [[name, each]])),
  );
}
