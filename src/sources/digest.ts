/** Digests as the OCI image specification writes them (descriptor.md, "Digests"): `sha256:` or `sha512:` and lower-case hex. */
import { createHash, type Hash } from 'node:crypto';
import { OperationalError, quoted } from '../diag/index.ts';

export type Digest = string & { readonly digest: true };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** The only way to a Digest: it is checked before it may become part of a path. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new OperationalError('malformed', `${quoted(text)} is not a sha256 or sha512 digest`);
}

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

export function digestOf(bytes: Buffer, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return finish(createHash(algorithm).update(bytes), algorithm);
}

export function finish(hash: Hash, algorithm: 'sha256' | 'sha512'): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

export function mismatch(what: string, stated: string, found: string): OperationalError {
  return new OperationalError(
    'digest-mismatch',
    `${what} is not what it claims to be: stated ${stated}, found ${found}`,
    {
      hints: ['the image is damaged or has been tampered with: fetch it again from where it came'],
    },
  );
}
