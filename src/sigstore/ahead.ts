/**
 * Work that a verification begins with, done ahead of it on the threads that Node keeps for such work: where there are many
 * bundles, the signatures of some are checked while others are read.
 *
 * Most signatures on the way are known before anything else is: the issuer's on the certificate (P-384, in the public
 * instance more than half of the whole work), the signer's on the envelope, those of the logs. Nothing is decided here. What
 * comes out is an answer to the same question over the same bytes, laid where verifySignature looks first; where it is not
 * there, it asks anew.
 */
import { parseCertificate } from './certificate.ts';
import { namedIssuers } from './chain.ts';
import { pae } from './dsse.ts';
import { VerifyError } from './failure.ts';
import { verifyBytesAhead, verifySignatureAhead } from './keys.ts';
import { verifyLogEntryAhead } from './log-entry.ts';
import { verifySctsAhead } from './sct.ts';
import type { Certificate, SignedContent, SignedEntity, TrustRoot } from './types.ts';

/** Never rejects for what is wrong in the entity: `verifyEntity` will say it. */
export async function verifyAhead(entity: SignedEntity, trust: readonly TrustRoot[]): Promise<void> {
  if (entity.material.kind !== 'certificate') return;
  try {
    const leaf = parseCertificate(entity.material.leaf);
    leaves.set(entity, leaf);
    await Promise.all([...trust.map((root) => verifyUnder(root, entity, leaf)), verifyEnvelope(entity.content, leaf)]);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
  }
}

/** The certificate that signed, parsed once for each entity. Throws VerifyError. */
export function leafOf(entity: SignedEntity, der: Buffer): Certificate {
  const leaf = leaves.get(entity);
  return leaf?.der === der ? leaf : parseCertificate(der);
}

const leaves = new WeakMap<SignedEntity, Certificate>();

/** More of one name and key are not in the roots of the field. */
const mostIssuers = 4;
/** More than one has hardly anything. */
const mostEntries = 4;
/** The bytes are kept until the verification: a large statement is not worth it. */
const maxPayloadBytes = 1 << 16;

/** A root that does not know the issuer has nothing else to say. */
async function verifyUnder(root: TrustRoot, { entries }: SignedEntity, leaf: Certificate): Promise<void> {
  const issuers = namedIssuers(leaf, root.certificateAuthorities).slice(0, mostIssuers);
  const [issuer] = issuers;
  if (issuer === undefined) return;
  await Promise.all([
    ...issuers.map((each) => verifyLink(leaf, each)),
    ...entries.slice(0, mostEntries).map((entry) => verifyLogEntryAhead(entry, root.tlogs)),
    verifySctsAhead(leaf, issuer, root.ctlogs),
  ]);
}

function verifyLink(leaf: Certificate, issuer: Certificate): Promise<void> {
  return verifySignatureAhead(issuer.publicKey(), leaf.tbs, leaf.signature, leaf.signatureAlgorithm);
}

async function verifyEnvelope(content: SignedContent, leaf: Certificate): Promise<void> {
  if (content.kind !== 'dsse' || content.payload.length > maxPayloadBytes) return;
  const key = leaf.publicKey();
  await verifyBytesAhead(key, pae(content.payloadType, content.payload), content.signature);
}
