import type { Hash } from './types.ts';

/** Digest algorithms as package metadata names them, in lower case, and how many bytes their digests have. */
export const hashNames: ReadonlyMap<string, { readonly alg: Hash['alg']; readonly bytes: number }> = new Map([
  ['md5', { alg: 'MD5', bytes: 16 }],
  ['sha1', { alg: 'SHA-1', bytes: 20 }],
  ['sha256', { alg: 'SHA-256', bytes: 32 }],
  ['sha384', { alg: 'SHA-384', bytes: 48 }],
  ['sha512', { alg: 'SHA-512', bytes: 64 }],
]);
