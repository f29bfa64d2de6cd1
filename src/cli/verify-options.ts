/** The flags of `verify` as the use case wants them, each checked with a message of its own. */

import type { ExitCode } from '../diag/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { colorWanted } from '../report/color.ts';
import { shown } from '../report/text.ts';
import type { Verification } from '../report/verification.ts';
import { exitOf, verify as run, type VerifyRequest } from '../run/verify.ts';
import type { SignerSource } from '../run/verify-signers.ts';
import type { WantedRoot } from '../run/verify-trust.ts';
import { predicateTypeUri } from '../sigstore/predicate-types.ts';
import { type PlatformChoice, parsePlatform } from '../sources/platform.ts';
import { type Output, parseOutputs } from './outputs.ts';
import type { VerifyFlags } from './verify.ts';

const formats = ['table', 'json', 'sarif'] as const;
type Format = (typeof formats)[number];

/** Runs the verification and writes its outputs. Throws OperationalError. */
export async function verify(
  target: string | undefined,
  flags: VerifyFlags,
  world: World,
  version: string,
): Promise<ExitCode> {
  const outputs = parseOutputs<Format>(flags.output, formats);
  const request = verifyRequest(target, flags, version);
  const verification = await run(request, world);
  for (const note of verification.notes) world.stderr.write(`note: ${shown(note)}\n`).catch(() => {});
  for (const output of outputs) {
    const text = await format(verification, output, world);
    if (output.file === undefined) await world.stdout.write(text);
    else await world.disk.write(output.file, text);
  }
  return exitOf(verification.outcome);
}

export function verifyRequest(target: string | undefined, flags: VerifyFlags, version: string): VerifyRequest {
  if (target === '') throw usage('the target is empty', 'give a file as ./FILE, an image as oci:DIR, or sha256:HEX');
  const signers = signerSource(flags);
  const directory = flags.bundles;
  if (target === undefined && directory === undefined) {
    throw usage(
      'there is nothing to verify: no target was given',
      'give a file as ./FILE, an image as oci:DIR, or sha256:HEX',
      'or --bundles DIR for every bundle in a directory, each about the file beside it',
    );
  }
  if (target === undefined && flags.bundle.length > 0) {
    throw usage('--bundle needs a target: what is it about?', 'give the file or image before it');
  }
  const maxRootAgeDays = days(flags.maxRootAge);
  return {
    ...(target === undefined ? {} : { target }),
    signers,
    bundles: flags.bundle,
    ...(directory === undefined ? {} : { directory }),
    ...(maxRootAgeDays === undefined ? {} : { maxRootAgeDays }),
    ...(flags.type === undefined ? {} : { predicateType: predicateTypeUri(flags.type) }),
    platform: platformChoice(flags.platform),
    tool: { name: 'tidewaiter', version },
  };
}

async function format(verification: Verification, { format: wanted, file }: Output<Format>, world: World) {
  switch (wanted) {
    case 'json': {
      const { writeVerificationJson } = await import('../report/verify-json.ts');
      return writeVerificationJson(verification);
    }
    case 'sarif': {
      const { writeVerificationSarif } = await import('../report/verify-sarif.ts');
      return writeVerificationSarif(verification, exitOf(verification.outcome));
    }
    case 'table': {
      const { writeVerificationTable } = await import('../report/verify-table.ts');
      const onTerminal = file === undefined && world.stdout.isTerminal;
      return writeVerificationTable(verification, {
        color: file === undefined && colorWanted(world.env, world.stdout.isTerminal),
        ...(onTerminal ? { width: world.stdout.columns } : {}),
      });
    }
  }
}

function signerSource(flags: VerifyFlags): SignerSource {
  const { policy, identity, key, certificateIdentity, certificateOidcIssuer, as } = flags;
  if (flags.certificateIdentityRegexp !== undefined || flags.certificateOidcIssuerRegexp !== undefined) {
    throw usage(
      'identities are compared whole: there are no regular expressions',
      'where a part has to vary, write a policy: subject: { pattern: "https://github.com/acme/*/…" }',
    );
  }
  const pinned = certificateIdentity.length > 0 || certificateOidcIssuer.length > 0;
  const ways = [
    ...(policy === undefined ? [] : ['--policy']),
    ...(pinned ? ['--certificate-identity'] : []),
    ...(key.length > 0 ? ['--key'] : []),
  ];
  if (ways.length === 0) throw noPin(identity.length > 0 || as !== undefined);
  if (ways.length > 1) {
    throw usage(
      `${ways.join(' and ')} exclude each other`,
      'several kinds of signers, or several that all have to sign, are written in a policy file: --policy PATH',
    );
  }
  if (policy !== undefined) return policySource(policy, flags);
  if (identity.length > 0 || as !== undefined) {
    throw usage(`${identity.length > 0 ? '--identity' : '--as'} needs --policy`, 'it names a part of the policy file');
  }
  const trust = wantedRoots(flags);
  if (key.length > 0) return { kind: 'keys', files: key, trust };
  return {
    kind: 'identity',
    identity: once(certificateIdentity, '--certificate-identity', '--certificate-oidc-issuer URL'),
    issuer: once(certificateOidcIssuer, '--certificate-oidc-issuer', '--certificate-identity ID'),
    trust,
  };
}

/**
 * Who signed is not shown here: a pin that is copied from the signature says nothing, whoever made the signature chose it.
 */
function noPin(forPolicy: boolean): OperationalError {
  if (forPolicy) return usage('--identity and --as name a part of a policy', 'give it with --policy PATH');
  return usage(
    'nothing says who has to have signed: that something is signed is no reason to trust it',
    'add --certificate-identity ID and --certificate-oidc-issuer URL, as the project documents them',
    'or --key FILE, the public key of whoever has to have signed',
    'or --policy PATH and --identity NAME',
  );
}

function policySource(file: string, flags: VerifyFlags): SignerSource {
  const { identity, as, trust, trustedRoot } = flags;
  if (trust.length > 0 || trustedRoot.length > 0) {
    throw usage(
      'a policy says itself which trusted root each identity goes by',
      'leave out --trust and --trusted-root',
    );
  }
  if (as !== undefined && identity.length > 0) {
    throw usage('--as and --identity exclude each other', 'with --as the entries under "images" say who has to sign');
  }
  return { kind: 'policy', file, identities: identity, ...(as === undefined ? {} : { as }) };
}

function once(values: readonly string[], flag: string, other: string): string {
  const [value, second] = values;
  // The one that is taken must not depend on the order in which somebody appended flags.
  if (second !== undefined) throw usage(`${flag} is given twice`, 'several signers are written in a policy file');
  if (value === undefined || value === '') {
    const missing = value === '' ? 'is empty' : 'is missing';
    throw usage(
      `${flag} ${missing}: an identity is the name and who vouches for it`,
      `give both, ${other} is not enough`,
    );
  }
  return value;
}

function wantedRoots({ trust, trustedRoot }: VerifyFlags): readonly WantedRoot[] {
  const names = trust.length === 0 && trustedRoot.length === 0 ? ['public-good'] : trust;
  return [...[...new Set(names)].map((name) => ({ name })), ...[...new Set(trustedRoot)].map((file) => ({ file }))];
}

function days(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,4}$/.test(text)) return Number(text);
  throw usage(
    `--max-root-age needs a whole number of days above 0, not ${quoted(text)}`,
    'write it as --max-root-age 90',
  );
}

function platformChoice(flag: string | undefined): PlatformChoice {
  return flag === undefined || flag === 'all' ? 'all' : { platform: parsePlatform(flag), explicit: true };
}

function usage(message: string, ...hints: string[]): OperationalError {
  return new OperationalError('usage', message, { hints });
}
