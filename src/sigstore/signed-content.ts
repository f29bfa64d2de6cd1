/**
 * The signature itself: over the artifact, over its digest where the artifact is not at hand, or over a statement in a DSSE
 * envelope. Whose key it is, and whether the statement is about the artifact, is for verify.ts.
 */
import { hash } from 'node:crypto';
import { quoted } from '../diag/index.ts';
import { inTotoPayload, pae } from './dsse.ts';
import { ecdsaInDer } from './ecdsa-signature.ts';
import { invalid, VerifyError } from './failure.ts';
import { defaultHash, verifyBytes, verifyDigest, verifyPss } from './keys.ts';
import { parseStatement } from './statement.ts';
import type { Artifact, HashName, PublicKey, SignedContent, Statement } from './types.ts';

/** What the signature was found to cover. */
export interface Covered {
  readonly statement?: Statement;
  /** Of the artifact, by the hash that was signed. Not for statements: their log entries are over the envelope. */
  readonly digest?: { readonly algorithm: HashName; readonly value: Buffer };
}

/** Throws VerifyError. */
export function verifyContent(content: SignedContent, key: PublicKey, artifact: Artifact): Covered {
  if (content.kind === 'message') return { digest: verifyMessage(content, key, artifact) };
  if (content.payloadType !== inTotoPayload) {
    throw new VerifyError('unsupported', `the signed payload is no in-toto statement: ${quoted(content.payloadType)}`);
  }
  const signed = pae(content.payloadType, content.payload);
  const signature = ecdsaInDer(content.signature, key.kind);
  // in-toto's own tools sign with PSS where Sigstore's do not, and an envelope does not say which.
  const holds = (name: HashName) =>
    verifyBytes(key, signed, signature, name) || verifyPss(key, signed, signature, name);
  if (!hashesOf(key).some(holds)) {
    throw invalid('the signature does not hold over the statement');
  }
  return { statement: parseStatement(content.payload) };
}

/**
 * What a key of this kind signs. Clients sign with SHA-256 on larger curves too, and nothing in a bundle says which; no
 * one can find two contents that have one signature under two of these hashes.
 */
function hashesOf(key: PublicKey, hint?: HashName): readonly HashName[] {
  const usual = defaultHash(key);
  return [...new Set([hint ?? usual, usual, 'sha256' as const])];
}

function verifyMessage(
  content: SignedContent & { readonly kind: 'message' },
  key: PublicKey,
  artifact: Artifact,
): { algorithm: HashName; value: Buffer } {
  const hint = content.digest;
  const own = hint === undefined ? undefined : digestOf(artifact, hint.algorithm);
  if (hint !== undefined && own !== undefined && !own.equals(hint.value)) {
    throw new VerifyError('wrong-subject', 'the signature is said to be over something else', {
      expected: `${hint.algorithm}:${own.toString('hex')}`,
      got: `${hint.algorithm}:${hint.value.toString('hex')}`,
    });
  }
  const hashes = hashesOf(key, hint?.algorithm);
  const known = hashes.flatMap((algorithm) => {
    const value = digestOf(artifact, algorithm);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const signature = ecdsaInDer(content.signature, key.kind);
  const held = known.find((digest) =>
    artifact.bytes === undefined
      ? verifyDigest(key, digest, signature)
      : verifyBytes(key, artifact.bytes, signature, digest.algorithm),
  );
  if (held !== undefined) return held;
  if (known.length === hashes.length) throw invalid(`the signature does not hold over ${quoted(artifact.name)}`);
  throw new VerifyError('unproved', `the signature may be over a digest by ${hashes.join(' or ')}: the file is needed`);
}

function digestOf(artifact: Artifact, algorithm: HashName): Buffer | undefined {
  const stated = artifact.digests.get(algorithm);
  if (stated !== undefined) return Buffer.from(stated, 'hex');
  return artifact.bytes === undefined ? undefined : hash(algorithm, artifact.bytes, 'buffer');
}
