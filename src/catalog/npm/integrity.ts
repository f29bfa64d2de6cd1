/**
 * Subresource integrity, as npm writes it: `sha512-<base64>`, several separated by spaces, options behind `?`.
 * Refused: unknown algorithms and values whose length is not that of the digest.
 * https://www.w3.org/TR/SRI/#the-integrity-attribute
 */
import { hashNames } from '../hash-names.ts';
import type { Hash } from '../types.ts';

/** The digests in it; undefined when any of them cannot be read. */
export function parseIntegrity(text: string): readonly Hash[] | undefined {
  const hashes = new Map<string, Hash>();
  for (const word of text.trim().split(/\s+/, 20)) {
    const hash = parseDigest(word);
    if (hash === undefined) return undefined;
    hashes.set(hash.alg + hash.content, hash);
  }
  return [...hashes.values()];
}

function parseDigest(word: string): Hash | undefined {
  const match = /^([a-z0-9]{1,10})-([A-Za-z0-9+/]{1,88}={0,2})(?:\?.*)?$/s.exec(word);
  const algorithm = hashNames.get(match?.[1] ?? '');
  if (algorithm === undefined) return undefined;
  const digest = Buffer.from(match?.[2] ?? '', 'base64');
  return digest.length === algorithm.bytes ? { alg: algorithm.alg, content: digest.toString('hex') } : undefined;
}
