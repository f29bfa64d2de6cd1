/**
 * CMS SignedData with one signer, as time-stamping authorities use it (RFC 5652 §5, RFC 3161 §2.4.2), and gitsign:
 *
 *     SEQUENCE { OID signedData, [0] SEQUENCE {
 *       3, SET of digest algorithms, { OID content type, [0] OCTET STRING content },
 *       [0] certificates, [1] revocation lists,
 *       SET { SEQUENCE {                                  exactly one signer
 *         1, { issuer, serial }    or  3, [0] key id,     which certificate is the signer's
 *         digest algorithm,
 *         [0] { { OID, SET { value } } … },               signed attributes: the signature covers these, as a SET,
 *         signature algorithm, signature,                   and they cover the content by its digest
 *         [1] unsigned attributes } } } }
 *
 * A detached signature has no [0] content: what it is about is at hand, and 1 stands where a timestamp has 3.
 *
 * Refused: no or several signers, no signed attributes, an attribute twice, a signed one with several values, a content
 * type or digest that is not that of the content, content in what should be detached, SHA-1 and older. Not looked at, for
 * nothing depends on them: revocation lists and the list of digest algorithms. Unsigned attributes are read when asked for;
 * whoever passes the signature on may change them.
 */
import { hash } from 'node:crypto';
import {
  children,
  contextTag,
  type Der,
  explicit,
  fields,
  integer,
  octetString,
  oid,
  primitiveContextTag,
  Tag,
} from './der.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { verifySignature } from './keys.ts';
import { readHashAlgorithm, readSignatureAlgorithm } from './signature-algorithm.ts';
import type { Certificate, HashName, SignatureAlgorithm } from './types.ts';

export interface SignedData extends DetachedData {
  readonly content: Buffer;
}

export interface DetachedData {
  /** Dotted identifier. */
  readonly contentType: string;
  /** DER; helpful, never trusted. */
  readonly certificates: readonly Buffer[];
  readonly signer: SignerInfo;
}

export interface SignerInfo {
  readonly id: { readonly issuer: Buffer; readonly serial: Buffer } | { readonly keyId: Buffer };
  readonly digestAlgorithm: Der;
  /** As it stands in the message, with its context tag. */
  readonly signedAttributes: Der;
  /** The one value of each, by dotted identifier. */
  readonly attributes: ReadonlyMap<string, Der>;
  readonly signatureAlgorithm: Der;
  readonly signature: Buffer;
  /** With its context tag; not read, see `unsignedAttributes`. */
  readonly unsigned?: Der;
}

/** A ContentInfo with its content. Throws VerifyError `malformed` or `unsupported`; nothing is verified. */
export function readSignedData(contentInfo: Der): SignedData {
  const { content, ...data } = readParts(contentInfo, [version3]);
  return { ...data, content: octetString(explicit(content, 0)) };
}

/** A ContentInfo without content. Throws as `readSignedData`. */
export function readDetachedData(contentInfo: Der): DetachedData {
  const { content, ...data } = readParts(contentInfo, [version1, version3]);
  // A signature over what it brings along says nothing about what lies beside it.
  if (content !== undefined) throw malformed('CMS: the signature is not detached, it holds content of its own');
  return data;
}

/** The values of each unsigned attribute, by dotted identifier. Anybody may have put them there. */
export function unsignedAttributes({ unsigned }: SignerInfo): ReadonlyMap<string, readonly Der[]> {
  return unsigned === undefined ? new Map() : readAttributes(unsigned, contextTag(1));
}

/** The bytes that were signed: the tag in the message says which field it is, and what was signed is a SET (RFC 5652 §5.4). */
export function signedBytes({ signedAttributes }: SignerInfo): Buffer {
  const signed = Buffer.from(signedAttributes.bytes);
  signed[0] = Tag.set;
  return signed;
}

export function isSigner(certificate: Certificate, signer: SignerInfo): boolean {
  return 'keyId' in signer.id
    ? certificate.subjectKeyId?.equals(signer.id.keyId) === true
    : certificate.issuer.equals(signer.id.issuer) && certificate.serial.equals(signer.id.serial);
}

/**
 * By this certificate's key, whoever that is. Gives the algorithm of the signature. Throws VerifyError `invalid`, `malformed`
 * or `unsupported`.
 */
export function verifySigner(
  { contentType, content, signer }: SignedData,
  certificate: Certificate,
): SignatureAlgorithm {
  const digestName = readHashAlgorithm(signer.digestAlgorithm);
  if (oid(signer.attributes.get(id.contentType)) !== contentType) {
    throw invalid('CMS: the signature is about another type of content');
  }
  if (!octetString(signer.attributes.get(id.messageDigest)).equals(hash(digestName, content, 'buffer'))) {
    throw invalid('CMS: the signature is about other content');
  }
  const algorithm = algorithmOf(signer.signatureAlgorithm, digestName);
  if (!verifySignature(certificate.publicKey(), signedBytes(signer), signer.signature, algorithm)) {
    throw invalid('CMS: the signature does not hold');
  }
  return algorithm;
}

const id = {
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  rsaEncryption: '1.2.840.113549.1.1.1',
} as const;

const version1 = Buffer.of(1);
const version3 = Buffer.of(3);
const mostCertificates = 16;

function readParts(
  contentInfo: Der,
  versions: readonly Buffer[],
): DetachedData & { readonly content?: Der | undefined } {
  const outer = fields(contentInfo);
  if (oid(outer.next(Tag.oid)) !== id.signedData) throw malformed('CMS: this is no signed data');
  const data = fields(explicit(outer.any(), 0));
  outer.end();
  const version = integer(data.any());
  if (!versions.some((each) => each.equals(version))) {
    throw new VerifyError('unsupported', `CMS: the version is not ${versions.map(([number]) => number).join(' or ')}`);
  }
  children(data.any(), Tag.set);
  const inner = fields(data.next(Tag.sequence));
  const contentType = oid(inner.next(Tag.oid));
  const content = inner.optional(contextTag(0));
  inner.end();
  const certificates = data.optional(contextTag(0));
  data.optional(contextTag(1));
  const [signer, ...others] = children(data.any(), Tag.set);
  data.end();
  if (signer === undefined || others.length > 0) throw malformed('CMS: there must be exactly one signer');
  return { contentType, content, certificates: readCertificates(certificates), signer: readSigner(signer) };
}

function readCertificates(list: Der | undefined): readonly Buffer[] {
  const all = list === undefined ? [] : children(list, contextTag(0));
  if (all.length > mostCertificates) throw malformed(`CMS: there are more than ${mostCertificates} certificates`);
  // The other choices are attribute certificates and older forms, all of them tagged: nobody signs with one.
  return all.filter(({ tag }) => tag === Tag.sequence).map(({ bytes }) => bytes);
}

function readSigner(der: Der): SignerInfo {
  const inside = fields(der);
  const version = integer(inside.any());
  const keyId = inside.optional(primitiveContextTag(0));
  if (!version.equals(keyId === undefined ? version1 : version3))
    throw malformed('CMS: the signer has a wrong version');
  const signerId = keyId === undefined ? readIssuerAndSerial(inside.any()) : { keyId: keyId.content };
  const digestAlgorithm = inside.next(Tag.sequence);
  const signedAttributes = inside.next(contextTag(0));
  const signatureAlgorithm = inside.next(Tag.sequence);
  const signature = octetString(inside.any());
  const unsigned = inside.optional(contextTag(1));
  inside.end();
  const attributes = onlyValues(readAttributes(signedAttributes, contextTag(0)));
  return {
    id: signerId,
    digestAlgorithm,
    signedAttributes,
    attributes,
    signatureAlgorithm,
    signature,
    ...(unsigned !== undefined && { unsigned }),
  };
}

function readIssuerAndSerial(der: Der): { issuer: Buffer; serial: Buffer } {
  const inside = fields(der);
  const issuer = inside.next(Tag.sequence).bytes;
  const serial = integer(inside.any());
  inside.end();
  return { issuer, serial };
}

function readAttributes(list: Der, tag: number): ReadonlyMap<string, readonly Der[]> {
  const found = new Map<string, readonly Der[]>();
  for (const attribute of children(list, tag)) {
    const inside = fields(attribute);
    const name = oid(inside.next(Tag.oid));
    const values = children(inside.any(), Tag.set);
    inside.end();
    if (found.has(name)) throw malformed('CMS: an attribute stands twice');
    found.set(name, values);
  }
  return found;
}

function onlyValues(attributes: ReadonlyMap<string, readonly Der[]>): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const [name, [value, ...others]] of attributes) {
    if (value === undefined || others.length > 0) throw malformed('CMS: an attribute must have exactly one value');
    found.set(name, value);
  }
  return found;
}

/** RFC 3370 §3.2: RSA may be named without its hash, which is then that of the digest. */
function algorithmOf(der: Der, digestName: HashName): SignatureAlgorithm {
  return oid(children(der)[0]) === id.rsaEncryption
    ? { scheme: 'rsa-pkcs1', hash: digestName }
    : readSignatureAlgorithm(der);
}
