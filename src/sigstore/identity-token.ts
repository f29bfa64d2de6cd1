/**
 * Whom an OIDC token names, before it is used: nothing of it is verified here. The certificate authority does that, and what it
 * signs is public for ever, so that a mistake has to be seen before.
 */
import { isJsonObject, type Json } from './json.ts';

export interface TokenIdentity {
  readonly issuer: string;
  /** What the certificate will name: the e-mail address, else the subject. */
  readonly name: string;
}

/** Undefined for what is no token or names nobody. */
export function readIdentityToken(token: string): TokenIdentity | undefined {
  const [, claims = ''] = token.trim().split('.', 3);
  let value: Json;
  try {
    value = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Json;
  } catch {
    // Not shown: what JSON.parse says holds a part of the token.
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { iss, email, sub } = value;
  const name = typeof email === 'string' && email !== '' ? email : sub;
  return typeof iss === 'string' && typeof name === 'string' && name !== '' ? { issuer: iss, name } : undefined;
}
