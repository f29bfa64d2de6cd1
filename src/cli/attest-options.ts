/** The flags of `attest` as the use case wants them, each checked with a message of its own. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { AttestOptions } from '../run/attest.ts';
import type { SignerChoice } from '../run/sign.ts';
import { predicateTypeUri } from '../sigstore/predicate-types.ts';
import { parsePlatform } from '../sources/index.ts';
import type { AttestFlags } from './attest.ts';
import { parseOutputs } from './outputs.ts';

/** Throws OperationalError `usage`. */
export function attestOptions(target: string, flags: AttestFlags, world: World): AttestOptions {
  const { predicate, type, platform, attach = false, output } = flags;
  if (predicate === undefined)
    throw usage('there is nothing to state: --predicate is missing', 'give --predicate FILE, a JSON object');
  if (type === undefined) {
    throw usage(
      'what the predicate means is not said: --type is missing',
      'give --type URI, or a name such as slsaprovenance1',
    );
  }
  // Attached, it has gone where it was asked for.
  const outputs = attach && output.length === 0 ? [] : parseOutputs(output, ['bundle']);
  return {
    target,
    predicate,
    predicateType: predicateTypeUri(type),
    ...(platform === undefined ? {} : { platform: onePlatform(platform) }),
    signer: signer(flags),
    files: outputs.map(({ file }) => file),
    attach,
    created: timestamp(world),
  };
}

function onePlatform(text: string) {
  if (text !== 'all') return parsePlatform(text);
  throw usage(
    'a statement is about one thing, and --platform all names several',
    'leave --platform out: the index covers all its images',
  );
}

/** Flags that speak of the network, by the flag's own name. */
const keylessFlags = [
  ['identityToken', '--identity-token'],
  ['trust', '--trust'],
  ['signingConfig', '--signing-config'],
  ['trustedRoot', '--trusted-root'],
  ['fulcioUrl', '--fulcio-url'],
  ['rekorUrl', '--rekor-url'],
  ['timestampUrl', '--timestamp-url'],
] as const;

function signer(flags: AttestFlags): SignerChoice {
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

function instance(flags: AttestFlags) {
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

/** Whole seconds, UTC; SOURCE_DATE_EPOCH where it is set, so that equal input gives equal bytes. */
function timestamp(world: World): string {
  const epoch = world.env['SOURCE_DATE_EPOCH'];
  if (epoch !== undefined && epoch !== '' && !/^\d{1,11}$/.test(epoch)) {
    throw usage(
      `SOURCE_DATE_EPOCH ${quoted(epoch)} is not a number of seconds`,
      'set it to whole seconds since 1970, or unset it',
    );
  }
  const seconds = epoch === undefined || epoch === '' ? Math.floor(world.now() / 1000) : Number(epoch);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
