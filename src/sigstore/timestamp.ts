/**
 * RFC 3161 timestamps: an authority signs that it saw a digest at a time.
 *
 *     TimeStampResp { status { 0 }, TimeStampToken }       the token is CMS SignedData (cms.ts) around
 *     TSTInfo { 1, policy, { hash algorithm, digest }, serial, genTime,
 *               accuracy?, ordering?, nonce?, [0] authority's name?, [1] extensions? }
 *
 * A token alone is taken as well. The digest must be that of what was signed, by SHA-256, SHA-384 or SHA-512; the signer's
 * certificate comes with the token or is listed in the trusted root, and must lead to an authority there that is valid at
 * genTime. The accuracy is not looked at: genTime is taken as it is, to both sides.
 * The signer's certificate is named by its issuer and number alone, which an authority could issue twice; the attribute
 * signingCertificate (RFC 5035 §3) names it by hash, and where it is there, no other certificate will do.
 */
import { hash } from 'node:crypto';
import { parseCertificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import { isSigner, readSignedData, type SignedData, verifySigner } from './cms.ts';
import {
  boolean,
  children,
  contextTag,
  type Der,
  fields,
  integer,
  octetString,
  oid,
  readDer,
  smallInteger,
  Tag,
  timeWithFraction,
} from './der.ts';
import { invalid, malformed, VerifyError } from './failure.ts';
import { readHashAlgorithm } from './signature-algorithm.ts';
import type { Authority, Certificate, ProvedTime } from './types.ts';

/**
 * `signed` is what the timestamp is about: the bytes of the signature. Throws VerifyError: `untrusted` for a timestamp by
 * an authority that is not listed, `invalid`, `malformed`, `unsupported`.
 */
export function verifyTimestamp(response: Buffer, signed: Buffer, authorities: readonly Authority[]): ProvedTime {
  const data = readSignedData(tokenOf(readDer(response)));
  if (data.contentType !== id.tstInfo) throw malformed('the timestamp is about something that is no time');
  const info = readInfo(readDer(data.content));
  const { signer, others } = signerOf(data, authorities);
  // First: what an unknown authority writes, and by which algorithms, is no concern of ours.
  const { authority } = verifyChain(signer, others, authorities, info.time, 'timeStamping');
  verifySigner(data, signer);
  if (!info.digest.equals(hash(readHashAlgorithm(info.algorithm), signed, 'buffer'))) {
    throw invalid('the timestamp is about another signature');
  }
  return { at: info.time, source: 'timestamp-authority', by: authority.uri };
}

const id = {
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

function tokenOf(response: Der): Der {
  if (children(response)[0]?.tag === Tag.oid) return response;
  const outer = fields(response);
  const status = fields(outer.next(Tag.sequence));
  const code = smallInteger(status.any());
  status.optional(Tag.sequence);
  status.optional(Tag.bitString);
  status.end();
  // granted, and granted with modifications: in both cases there is a token, and it says what was granted.
  if (code > 1) throw invalid(`the time-stamping authority refused, with status ${code}`);
  const token = outer.next(Tag.sequence);
  outer.end();
  return token;
}

interface Info {
  readonly algorithm: Der;
  readonly digest: Buffer;
  readonly time: number;
}

function readInfo(der: Der): Info {
  const info = fields(der);
  if (smallInteger(info.any()) !== 1) throw new VerifyError('unsupported', 'the version of the timestamp is not 1');
  oid(info.any());
  const imprint = fields(info.next(Tag.sequence));
  const algorithm = imprint.next(Tag.sequence);
  const digest = octetString(imprint.any());
  imprint.end();
  integer(info.any());
  const time = timeWithFraction(info.any());
  info.optional(Tag.sequence);
  const ordering = info.optional(Tag.boolean);
  if (ordering !== undefined) boolean(ordering);
  const nonce = info.optional(Tag.integer);
  if (nonce !== undefined) integer(nonce);
  info.optional(contextTag(0));
  refuseCritical(info.optional(contextTag(1)));
  info.end();
  return { algorithm, digest, time };
}

function refuseCritical(extensions: Der | undefined): void {
  if (extensions === undefined) return;
  for (const extension of children(extensions, contextTag(1))) {
    const inside = fields(extension);
    const name = oid(inside.any());
    const critical = inside.optional(Tag.boolean);
    octetString(inside.any());
    inside.end();
    if (critical === undefined || !boolean(critical)) continue;
    throw new VerifyError('unsupported', `the timestamp has the critical extension ${name}, which is not known here`);
  }
}

/** Listed certificates first: a chain that was walked before need not be walked again. */
function signerOf(data: SignedData, authorities: readonly Authority[]): { signer: Certificate; others: Certificate[] } {
  const isNamed = namedByHash(data);
  const isIt = (each: Certificate) => isSigner(each, data.signer) && isNamed(each);
  const embedded = data.certificates.flatMap(readable);
  const signer = authorities.flatMap(({ chain }) => chain).find(isIt) ?? embedded.find(isIt);
  if (signer === undefined) {
    throw new VerifyError('untrusted', 'the timestamp is by an authority whose certificate is not known');
  }
  return { signer, others: embedded.filter((each) => each !== signer) };
}

/** One that cannot be read (authorities send old roots along) is of no help, and of no harm. */
function readable(der: Buffer): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (error instanceof VerifyError) return [];
    throw error;
  }
}

/** Whether a certificate is the one that the signed attributes name; any is, when they name none. */
function namedByHash({ signer: { attributes } }: SignedData): (certificate: Certificate) => boolean {
  const [first, second] = [attributes.get(id.signingCertificate), attributes.get(id.signingCertificateV2)];
  const [v1, v2] = [first && certificateId(first), second && certificateId(second)];
  return ({ der }) =>
    (v1 === undefined || v1.digest.equals(hash('sha1', der, 'buffer'))) &&
    (v2 === undefined ||
      v2.digest.equals(hash(v2.algorithm ? readHashAlgorithm(v2.algorithm) : 'sha256', der, 'buffer')));
}

/** The first ESSCertID(v2) { hash algorithm (v2, SHA-256 when absent), hash, issuer and number? } is the signer's. */
function certificateId(attribute: Der): { algorithm?: Der; digest: Buffer } {
  const [list] = children(attribute);
  const inside = fields(children(list)[0]);
  const algorithm = inside.optional(Tag.sequence);
  const digest = octetString(inside.any());
  inside.optional(Tag.sequence);
  inside.end();
  return { ...(algorithm !== undefined && { algorithm }), digest };
}
