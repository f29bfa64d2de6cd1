/** The flags of `attest` as the use case wants them, each checked with a message of its own. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { AttestOptions } from '../run/attest.ts';
import { predicateTypeUri } from '../sigstore/predicate-types.ts';
import { parsePlatform } from '../sources/index.ts';
import type { AttestFlags } from './attest.ts';
import { refuseChangeFlags } from './attest-change-flags.ts';
import { parseOutputs } from './outputs.ts';
import { signerChoice } from './signer-options.ts';

/** Throws OperationalError `usage`. */
export function attestOptions(target: string, flags: AttestFlags, world: World): AttestOptions {
  const { predicate, type, platform, attach = false, output } = flags;
  refuseChangeFlags(flags);
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
    signer: signerChoice(flags),
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
