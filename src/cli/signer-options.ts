/** Who signs, from the flags that `attest` and `approve` have in common. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { SignerChoice } from '../run/sign.ts';

export interface SignerFlags {
  readonly key?: string;
  readonly keyPasswordFile?: string;
  readonly identityToken?: string;
  readonly trust?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly timestampUrl?: string;
  readonly offline?: boolean;
}

/** Throws OperationalError `usage`. */
export function signerChoice(flags: SignerFlags): SignerChoice {
  const { key, keyPasswordFile, identityToken, offline } = flags;
  if (key !== undefined) {
    const clash = keylessFlags.find(([name]) => flags[name] !== undefined);
    if (clash !== undefined) {
      throw usage(`--key and ${clash[1]} are two ways to sign`, 'choose one: a key signs alone, without any service');
    }
    return { kind: 'key', file: key, ...(keyPasswordFile === undefined ? {} : { passwordFile: keyPasswordFile }) };
  }
  if (keyPasswordFile !== undefined)
    throw usage('--key-password-file is the password of a key, and --key is missing', 'give --key FILE');
  if (offline === true) {
    throw usage(
      'signing without a key needs the network, and --offline forbids it',
      'sign with --key FILE, or leave out --offline',
    );
  }
  return { kind: 'keyless', ...(identityToken === undefined ? {} : { tokenFile: identityToken }), ...instance(flags) };
}

/** Flags that speak of the network, by the flag's own name. */
export const keylessFlags = [
  ['identityToken', '--identity-token'],
  ['trust', '--trust'],
  ['signingConfig', '--signing-config'],
  ['trustedRoot', '--trusted-root'],
  ['fulcioUrl', '--fulcio-url'],
  ['rekorUrl', '--rekor-url'],
  ['timestampUrl', '--timestamp-url'],
] as const;

function instance(flags: SignerFlags) {
  const { trust = 'public-good', signingConfig, trustedRoot, fulcioUrl, rekorUrl, timestampUrl } = flags;
  if (trust !== 'public-good' && trust !== 'staging') {
    throw usage(
      `--trust ${quoted(trust)} is no instance to sign with`,
      'choose public-good or staging, or give --signing-config and --trusted-root',
    );
  }
  const elsewhere = [signingConfig, fulcioUrl, rekorUrl, timestampUrl].some((each) => each !== undefined);
  if (elsewhere && trustedRoot === undefined) {
    throw usage(
      'services of another instance are given without its trusted root',
      'give --trusted-root FILE: the new signature is verified by it',
    );
  }
  if (flags.trust !== undefined && (elsewhere || trustedRoot !== undefined)) {
    throw usage('--trust names one instance, and other flags another', 'leave out --trust');
  }
  return {
    instance: trust,
    ...(signingConfig === undefined ? {} : { signingConfig }),
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
    ...(fulcioUrl === undefined ? {} : { fulcioUrl }),
    ...(rekorUrl === undefined ? {} : { rekorUrl }),
    ...(timestampUrl === undefined ? {} : { timestampUrl }),
  } as const;
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
