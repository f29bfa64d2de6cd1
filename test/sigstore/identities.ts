/** Certificate names and extensions as Fulcio writes them, and signatures that are taken to have been verified. */

import { identityOf } from '../../src/sigstore/identity-fields.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import type {
  AlternativeName,
  Certificate,
  CertificateIdentity,
  PublicKey,
  Signature,
  Verified,
} from '../../src/sigstore/types.ts';
import { makeKeys, spkiOf } from '../kit/certificate.ts';
import { utf8 } from '../kit/der.ts';

export const arc = '1.3.6.1.4.1.57264.1.';
export const gitHub = 'https://token.actions.githubusercontent.com';
export const workflow = 'https://github.com/acme/shop/.github/workflows/release.yml';

export type Extensions = Readonly<Record<number, string | Buffer>>;

/** Numbers from 8 on are encoded; a buffer is taken as it is. */
export function certificate(
  names: readonly AlternativeName[],
  extensions: Extensions,
): Pick<Certificate, 'names' | 'extensions'> {
  return {
    names,
    extensions: new Map(
      Object.entries(extensions).map(([number, value]) => {
        const raw = Number(number) < 7 ? Buffer.from(value) : typeof value === 'string' ? utf8(value) : value;
        return [`${arc}${number}`, { critical: false, value: raw }];
      }),
    ),
  };
}

export const uri = (value: string): AlternativeName => ({ type: 'uri', value });
export const email = (value: string): AlternativeName => ({ type: 'email', value });

/** A run of acme/shop's release workflow on main, as GitHub's tokens describe it; `undefined` leaves a field out. */
export function gitHubRun(
  changes: Readonly<Record<number, string | undefined>> = {},
  name?: string,
): CertificateIdentity {
  const fields: Record<number, string | undefined> = {
    1: gitHub,
    2: 'push',
    3: 'a'.repeat(40),
    4: 'Release',
    5: 'acme/shop',
    6: 'refs/heads/main',
    8: gitHub,
    9: `${workflow}@refs/heads/main`,
    10: 'b'.repeat(40),
    11: 'github-hosted',
    12: 'https://github.com/acme/shop',
    13: 'a'.repeat(40),
    14: 'refs/heads/main',
    15: '123456',
    16: 'https://github.com/acme',
    17: '42',
    18: `${workflow}@refs/heads/main`,
    19: 'a'.repeat(40),
    20: 'push',
    21: 'https://github.com/acme/shop/actions/runs/1/attempts/1',
    22: 'public',
    23: 'production',
    24: 'repo:acme/shop:ref:refs/heads/main',
    ...changes,
  };
  const present = Object.entries(fields).filter((each): each is [string, string] => each[1] !== undefined);
  return identityOf(
    certificate([uri(name ?? fields[9] ?? `${workflow}@refs/heads/main`)], Object.fromEntries(present)),
  );
}

export function mail(address: string, issuer = 'https://accounts.google.com'): CertificateIdentity {
  return identityOf(certificate([email(address)], { 1: issuer, 8: issuer }));
}

/** As if verify.ts had let it through. */
export function signedBy(identity: CertificateIdentity, trust = 'public-good'): Verified<Signature> {
  return {
    format: 'test',
    signer: { kind: 'certificate', identity, trust },
    times: [],
  } as unknown as Verified<Signature>;
}

export function signedWith(key: PublicKey): Verified<Signature> {
  const signer = { kind: 'key', fingerprint: key.fingerprint };
  return { format: 'test', signer, times: [] } as unknown as Verified<Signature>;
}

export function newKey(): PublicKey {
  return parsePublicKey(spkiOf(makeKeys('P-256')));
}
