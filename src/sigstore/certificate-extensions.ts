/**
 * Extensions of a certificate: SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, value OCTET STRING } (RFC 5280 §4.2).
 *
 *     30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 07 80      key usage, critical: digitalSignature
 *
 * Six are understood and become fields; the others stay as they are. A default that is written out (`critical` FALSE)
 * is accepted, as certificate authorities do write it; it has no other meaning.
 */
import {
  boolean,
  children,
  contextTag,
  type Der,
  expectTag,
  explicit,
  fields,
  ia5String,
  namedBits,
  octetString,
  oid,
  primitiveContextTag,
  readDer,
  smallInteger,
  Tag,
  utf8String,
} from './der.ts';
import { malformed, VerifyError } from './failure.ts';
import type { AlternativeName, Certificate } from './types.ts';

export const codeSigning = '1.3.6.1.5.5.7.3.3';
export const timeStamping = '1.3.6.1.5.5.7.3.8';

type Extended = Pick<
  Certificate,
  | 'isCa'
  | 'pathLength'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'extendedKeyUsageCritical'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'names'
  | 'extensions'
>;

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

const id = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Throws `malformed` or `unsupported`. */
export function readExtensions(list: readonly Der[]): Extended {
  const rest = readList(list);
  const take = (name: string): Der | undefined => {
    const extension = rest.get(name);
    rest.delete(name);
    return extension === undefined ? undefined : readDer(extension.value);
  };
  const extendedKeyUsageCritical = rest.get(id.extendedKeyUsage)?.critical ?? false;
  const alternative = rest.get(id.subjectAlternativeName);
  const constraints = take(id.basicConstraints);
  const usage = take(id.keyUsage);
  const extendedKeyUsage = readPurposes(take(id.extendedKeyUsage));
  const subjectKeyId = take(id.subjectKeyId);
  const authorityKeyId = readAuthorityKeyId(take(id.authorityKeyId));
  const names = readNames(take(id.subjectAlternativeName));
  if (names === undefined) {
    // One name that we cannot show must not stand beside the one that is compared.
    if (extendedKeyUsage?.includes(codeSigning)) {
      throw new VerifyError('unsupported', 'a subject alternative name is of an unknown kind');
    }
    if (alternative !== undefined) rest.set(id.subjectAlternativeName, alternative);
  }
  return {
    ...readConstraints(constraints),
    ...(usage === undefined ? {} : { keyUsage: readKeyUsage(usage) }),
    ...(extendedKeyUsage === undefined ? {} : { extendedKeyUsage }),
    extendedKeyUsageCritical,
    ...(subjectKeyId === undefined ? {} : { subjectKeyId: octetString(subjectKeyId) }),
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
    names: names ?? [],
    extensions: rest,
  };
}

function readList(list: readonly Der[]): Map<string, Extension> {
  const found = new Map<string, Extension>();
  for (const each of list) {
    const inside = fields(each);
    const name = oid(inside.next(Tag.oid));
    const criticality = inside.optional(Tag.boolean);
    const value = octetString(inside.next(Tag.octetString));
    inside.end();
    // Two readers would take two different ones for the one that counts.
    if (found.has(name)) throw malformed(`the extension ${name} is there twice`);
    found.set(name, { critical: criticality !== undefined && boolean(criticality), value });
  }
  return found;
}

function readConstraints(der: Der | undefined): Pick<Extended, 'isCa' | 'pathLength'> {
  if (der === undefined) return { isCa: false };
  const inside = fields(der);
  const ca = inside.optional(Tag.boolean);
  const length = inside.optional(Tag.integer);
  inside.end();
  const isCa = ca !== undefined && boolean(ca);
  if (length === undefined) return { isCa };
  if (!isCa) throw malformed('a path length without being a certificate authority');
  return { isCa, pathLength: smallInteger(length) };
}

function readKeyUsage(der: Der): { digitalSignature: boolean; keyCertSign: boolean } {
  const first = namedBits(der).octets[0] ?? 0;
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 };
}

function readPurposes(der: Der | undefined): string[] | undefined {
  if (der === undefined) return undefined;
  const purposes = children(der).map(oid);
  if (purposes.length === 0) throw malformed('the extended key usage is empty');
  return purposes;
}

function readAuthorityKeyId(der: Der | undefined): Buffer | undefined {
  if (der === undefined) return undefined;
  const keyId = children(der).find(({ tag }) => tag === primitiveContextTag(0));
  return keyId?.content;
}

const fulcioUserName = '1.3.6.1.4.1.57264.1.7';

/** All names, or undefined when one is of another kind. */
function readNames(der: Der | undefined): AlternativeName[] | undefined {
  if (der === undefined) return [];
  const all = children(der);
  if (all.length === 0) throw malformed('the subject alternative names are empty');
  const names: AlternativeName[] = [];
  for (const each of all) {
    const name = readName(each);
    if (name === undefined) return undefined;
    if (name.value === '') throw malformed('a subject alternative name is empty');
    names.push(name);
  }
  return names;
}

/** GeneralName: [1] e-mail, [2] DNS, [6] URI, and of [0] otherName the one that Fulcio writes. */
function readName(der: Der): AlternativeName | undefined {
  const email = primitiveContextTag(1);
  const dns = primitiveContextTag(2);
  const uri = primitiveContextTag(6);
  if (der.tag === email) return { type: 'email', value: ia5String(der, email) };
  if (der.tag === dns) return { type: 'dns', value: ia5String(der, dns) };
  if (der.tag === uri) return { type: 'uri', value: ia5String(der, uri) };
  if (der.tag !== contextTag(0)) return undefined;
  const other = fields(der, contextTag(0));
  if (oid(other.next(Tag.oid)) !== fulcioUserName) return undefined;
  const value = utf8String(explicit(expectTag(other.next(contextTag(0)), contextTag(0)), 0));
  other.end();
  return { type: 'other', value };
}
