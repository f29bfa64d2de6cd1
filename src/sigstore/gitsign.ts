/**
 * Commit signatures by certificate, as gitsign and S/MIME tools put them into a commit: detached CMS (cms.ts) in PEM armour.
 *
 *     -----BEGIN SIGNED MESSAGE-----
 *     MIIEBgYJKoZIhvcNAQcCoIID9zCCA/MCAQExDTALBglghkgBZQMEAgEwCwYJKoZI…
 *     -----END SIGNED MESSAGE-----
 *
 * What is signed are the signed attributes, and they hold the digest of the commit. In outline:
 *
 *  1. the signer's certificate is in the message; its key made the signature, which is over this payload;
 *  2. some trusted root knows who issued the certificate;
 *  3. the rest is the verification of any Sigstore signature (verify.ts) over the signed attributes: the embedded log entry
 *     (gitsign-entry.ts) or RFC 3161 tokens over the signature prove the time, and chain, certificate transparency and log
 *     hold under ONE trusted root at every time that is proved.
 *
 * By default (`rekorMode=online`) gitsign embeds no entry: it logs a second signature, over the commit's id, after the
 * commit is made. The commit cannot hold what was made from its own id, so offline nothing says when it was signed, and the
 * key of a certificate of ten minutes could have been used at any time since. Such a commit is checked as far as it can be
 * and then refused as unproved; `rekorMode=offline` embeds the entry. The attribute signing-time is the signer's own word.
 *
 * Refused: other armour, several blocks, no or several signers, no signed attributes, content inside the message, content
 * that is not plain data, BER as gpgsm writes it. RFC 5652, RFC 3161 appendix A
 */

import { hash } from 'node:crypto';
import { parseCertificate } from './certificate.ts';
import { namedIssuers, verifyChain } from './chain.ts';
import { type DetachedData, isSigner, readDetachedData, signedBytes, unsignedAttributes, verifySigner } from './cms.ts';
import { type Der, readDer, Tag } from './der.ts';
import { formatName } from './distinguished-name.ts';
import { malformed, VerifyError } from './failure.ts';
import { readEmbeddedEntry } from './gitsign-entry.ts';
import { identityOf } from './identity-fields.ts';
import { parsePem } from './pem.ts';
import { verifyScts } from './sct.ts';
import type {
  Certificate,
  CertificateIdentity,
  ProvedTime,
  SignatureAlgorithm,
  SignedEntity,
  TrustRoot,
} from './types.ts';
import { mostTelling, outcomeOf, verifyEntity } from './verify.ts';

export interface GitsignSignature {
  readonly identity: CertificateIdentity;
  /** Name of the trusted root that vouches for it. */
  readonly trust: string;
  /** At least one. */
  readonly times: readonly ProvedTime[];
}

/**
 * `payload` is the commit or tag without its signature. Throws VerifyError: `invalid` where the signature or something that
 * came with it does not hold, `untrusted` for a certificate that no root leads to, `unproved` where nothing says when it was
 * signed, `malformed`, `unsupported`. Who may sign is decided afterwards, against pins.
 */
export function verifyGitsign(armored: string, payload: Buffer, roots: readonly TrustRoot[]): GitsignSignature {
  const data = readDetachedData(readMessage(armored));
  if (data.contentType !== plainData) {
    throw new VerifyError('unsupported', `CMS: the signature is about content of the type ${data.contentType}`);
  }
  const { leaf, others } = signerOf(data);
  const algorithm = verifySigner({ ...data, content: payload }, leaf);
  checkIssuer(leaf, others, roots);
  const entity = entityOf(data, algorithm, leaf, others);
  if (entity.entries.length === 0) checkWithoutTime(leaf, others, roots);
  if (entity.entries.length === 0 && entity.timestamps.length === 0) throw timeless();
  const signed = signedBytes(data.signer);
  const { signer, times } = verifyEntity(entity, roots, {
    name: 'the signed attributes',
    digests: new Map(),
    bytes: signed,
  });
  if (signer.kind !== 'certificate') throw new Error('a signature by certificate was verified with a key');
  return { identity: signer.identity, trust: signer.trust, times };
}

/**
 * Whom the certificate names, as `subject (issuer)`, for people: nothing of it is proved. Undefined where it cannot be read.
 */
export function gitsignClaim(armored: string): string | undefined {
  const outcome = outcomeOf(() => {
    const { leaf } = signerOf(readDetachedData(readMessage(armored)));
    const identity = outcomeOf(() => identityOf(leaf));
    if (identity.ok) return `${identity.value.subject.value} (${identity.value.issuer})`;
    return `${leaf.names[0]?.value ?? formatName(leaf.subject)} (${formatName(leaf.issuer)})`;
  });
  return outcome.ok ? outcome.value : undefined;
}

const plainData = '1.2.840.113549.1.7.1';
const timestampToken = '1.2.840.113549.1.9.16.2.14';
const labels: ReadonlySet<string> = new Set(['SIGNED MESSAGE', 'CMS', 'PKCS7']);
const mostTimestamps = 8;

function readMessage(armored: string): Der {
  const [block, ...others] = parsePem(armored);
  if (block === undefined || others.length > 0) throw malformed('the commit signature is not one block of PEM');
  if (!labels.has(block.label)) throw malformed('the armour of the commit signature is not that of a signed message');
  // A well-formed message of its own, only not one that has a single spelling.
  if (block.der[0] === Tag.sequence && block.der[1] === 0x80) {
    throw new VerifyError('unsupported', 'the commit signature is in BER, as gpgsm writes it: only DER is verified');
  }
  return readDer(block.der);
}

/** The certificate that the signer names, and what else came along: a set, in no order. */
function signerOf(data: DetachedData): { readonly leaf: Certificate; readonly others: readonly Certificate[] } {
  const certificates = data.certificates.flatMap(readable);
  const named = certificates.filter((each) => isSigner(each, data.signer));
  const [leaf] = named;
  if (leaf === undefined) {
    throw new VerifyError('untrusted', 'the certificate of the signer is not in the signature, or cannot be read');
  }
  if (named.some(({ der }) => !der.equals(leaf.der))) throw malformed('CMS: two certificates answer to the signer');
  return { leaf, others: certificates.filter(({ der }) => !der.equals(leaf.der)) };
}

/** One that cannot be read is of no help, and of no harm. */
function readable(der: Buffer): Certificate[] {
  const outcome = outcomeOf(() => parseCertificate(der));
  return outcome.ok ? [outcome.value] : [];
}

/** Whoever signs mail or documents has a certificate too: not a broken signature, only nobody that is known here. */
function checkIssuer(leaf: Certificate, others: readonly Certificate[], roots: readonly TrustRoot[]): void {
  const authorities = roots.flatMap(({ certificateAuthorities }) => certificateAuthorities);
  if ([leaf, ...others].some((each) => namedIssuers(each, authorities).length > 0)) return;
  throw new VerifyError('untrusted', 'no trusted root knows the issuer of the certificate', {
    got: formatName(leaf.issuer),
  });
}

/** As a message over the signed attributes. Roots that came along are left out: they prove nothing (see verify.ts). */
function entityOf(
  { signer }: DetachedData,
  { scheme, hash: name }: SignatureAlgorithm,
  leaf: Certificate,
  others: readonly Certificate[],
): SignedEntity {
  if (scheme === 'rsa-pss') {
    throw new VerifyError('unsupported', 'a commit signature by RSASSA-PSS is not supported');
  }
  const signed = signedBytes(signer);
  const unsigned = unsignedAttributes(signer);
  const about = { signed, hash: name, signature: signer.signature, certificate: leaf.der };
  const entry = readEmbeddedEntry(unsigned, about);
  const timestamps = unsigned.get(timestampToken) ?? [];
  if (timestamps.length > mostTimestamps) throw malformed(`CMS: there are more than ${mostTimestamps} timestamps`);
  const chain = others.filter(({ subject, issuer }) => !subject.equals(issuer)).map(({ der }) => der);
  return {
    format: 'gitsign',
    content: {
      kind: 'message',
      signature: signer.signature,
      digest: { algorithm: name, value: hash(name, signed, 'buffer') },
    },
    material: { kind: 'certificate', leaf: leaf.der, chain },
    entries: entry === undefined ? [] : [entry],
    timestamps: timestamps.map(({ bytes }) => bytes),
    requires: 'either',
  };
}

/**
 * Without a log entry there is no time that every root accepts; but what would fail at any time is told first. The beginning
 * of the certificate stands in for it, and proves nothing.
 */
function checkWithoutTime(leaf: Certificate, others: readonly Certificate[], roots: readonly TrustRoot[]): void {
  const failures: VerifyError[] = [];
  for (const { certificateAuthorities, ctlogs } of roots) {
    const outcome = outcomeOf(() => {
      const { issuer } = verifyChain(leaf, others, certificateAuthorities, leaf.notBefore, 'codeSigning');
      if (ctlogs.length > 0) verifyScts(leaf, issuer, ctlogs);
    });
    if (outcome.ok) return;
    failures.push(outcome.failure);
  }
  throw mostTelling(failures) ?? timeless();
}

function timeless(): VerifyError {
  const why = 'gitsign asked the log online, and logged the id of the commit, which the commit cannot hold';
  return new VerifyError(
    'unproved',
    `nothing in the commit proves when it was signed: ${why} (gitsign.rekorMode=offline embeds the entry)`,
  );
}
