/** The flags of `verify` as the use case wants them, each checked with a message of its own. */

import { Exit, type ExitCode, exitForError, OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { colorWanted } from '../report/color.ts';
import { shown } from '../report/text.ts';
import type { Verification } from '../report/verification.ts';
import { guardOutputs } from '../run/guarded-disk.ts';
import { exitOf, verify as run, type VerifyRequest } from '../run/verify.ts';
import type { SignerSource } from '../run/verify-signers.ts';
import type { WantedRoot } from '../run/verify-trust.ts';
import { issuerKind } from '../sigstore/issuers.ts';
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
  outside: World,
  version: string,
): Promise<ExitCode> {
  const outputs = parseOutputs<Format>(flags.output, formats);
  const request = verifyRequest(target, flags, version);
  const world = guardOutputs(
    outside,
    outputs.map(({ file }) => file),
  );
  let verification: Verification;
  try {
    verification = await run(request, world);
  } catch (error) {
    if (error instanceof OperationalError) await writeUnread(request, error, outputs, world);
    throw error;
  }
  for (const note of verification.notes) world.stderr.write(`note: ${shown(note)}\n`).catch(() => {});
  await writeAll(verification, outputs, world);
  return exitOf(verification.outcome);
}

/** Whoever reads documents must not find that of an earlier run, or none: it says that nothing was decided. */
async function writeUnread(
  request: VerifyRequest,
  error: OperationalError,
  outputs: readonly Output<Format>[],
  world: World,
): Promise<void> {
  if (exitForError(error.code) !== Exit.undecided) return;
  const { unreadVerification } = await import('../run/verify-unread.ts');
  // On a screen the error itself says it.
  const documents = outputs.filter(({ format, file }) => format !== 'table' || file !== undefined);
  await writeAll(unreadVerification(request, error, world), documents, world);
}

async function writeAll(verification: Verification, outputs: readonly Output<Format>[], world: World): Promise<void> {
  for (const output of outputs) {
    const text = await format(verification, output, world);
    if (output.file === undefined) await world.stdout.write(text);
    else await world.disk.write(output.file, text);
  }
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
  if (target === undefined && flags.platform !== undefined) {
    throw usage('--platform chooses among images, and no target was given', 'leave --platform out, or give the image');
  }
  const maxRootAgeDays = days(flags.maxRootAge, '--max-root-age');
  const maxAgeDays = days(flags.maxAge, '--max-age');
  return {
    ...(target === undefined ? {} : { target }),
    signers,
    bundles: flags.bundle,
    ...(directory === undefined ? {} : { directory }),
    ...(maxRootAgeDays === undefined ? {} : { maxRootAgeDays }),
    ...(maxAgeDays === undefined ? {} : { maxAgeDays }),
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

/** A policy that can be read, on one line. */
const patternHints = [
  'where a part has to vary, write it into a policy: { version: 1, identities: { release: { issuer: https://token.actions.githubusercontent.com, signer: { workflow: { pattern: "https://github.com/acme/*/.github/workflows/release.yml" } }, source: { repository: { pattern: "https://github.com/acme/*" } } } } }',
  'and name it: --policy FILE --identity release',
];

function signerSource(flags: VerifyFlags): SignerSource {
  const { policy, identity, key, certificateIdentity, certificateOidcIssuer, as } = flags;
  const repositoryName = flags.certificateGithubWorkflowRepository;
  if (flags.certificateIdentityRegexp !== undefined || flags.certificateOidcIssuerRegexp !== undefined) {
    throw usage('identities are compared whole: there are no regular expressions', ...patternHints);
  }
  const pinned = certificateIdentity.length > 0 || certificateOidcIssuer.length > 0;
  const ways = [
    ...(policy === undefined ? [] : ['--policy']),
    ...(pinned ? ['--certificate-identity'] : []),
    ...(key.length > 0 ? ['--key'] : []),
  ];
  if (repositoryName !== undefined && !pinned) {
    throw usage(
      '--certificate-github-workflow-repository goes with --certificate-identity',
      'give --certificate-identity ID and --certificate-oidc-issuer URL, or pin source.repository in a policy',
    );
  }
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
  const given = once(certificateIdentity, '--certificate-identity', '--certificate-oidc-issuer URL');
  const issuer = once(certificateOidcIssuer, '--certificate-oidc-issuer', '--certificate-identity ID');
  if (given.includes('*') || issuer.includes('*')) {
    const flag = given.includes('*') ? '--certificate-identity' : '--certificate-oidc-issuer';
    throw usage(`${flag} is compared letter by letter, "*" included: patterns stand in a policy`, ...patternHints);
  }
  checkIssuer(issuer);
  const repository = sourceRepository(repositoryName, given, issuer);
  return { kind: 'identity', identity: given, issuer, ...(repository === undefined ? {} : { repository }), trust };
}

/** What no certificate states would deny everything, and look as if somebody else had signed. */
function checkIssuer(issuer: string): void {
  if (!/^https?:\/\/[^/\s]/.test(issuer)) {
    const https = /^[\w.-]+\.[a-z]+(?:\/\S*)?$/.test(issuer) ? `: https://${issuer}` : '';
    throw usage(
      `--certificate-oidc-issuer ${quoted(issuer)} is no URL, and is compared whole`,
      `write it with its scheme${https || ', for example https://token.actions.githubusercontent.com'}`,
    );
  }
  // Some issuers end in a slash; these do not.
  const bare = issuer.replace(/\/+$/, '');
  if (bare === issuer || issuerKind(bare) === 'other') return;
  throw usage(
    `--certificate-oidc-issuer ${quoted(issuer)} ends in a slash, and is compared whole`,
    `write it without: ${bare}`,
  );
}

/** `owner/name` on the server that the workflow is on. */
function sourceRepository(name: string | undefined, identity: string, issuer: string): string | undefined {
  if (name === undefined) return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || name.endsWith('.git')) {
    throw usage(
      `--certificate-github-workflow-repository needs OWNER/NAME, not ${quoted(name)}`,
      'write it as it stands behind https://github.com/, without .git',
    );
  }
  const [, host] = /^(https:\/\/[^/]+)\/./.exec(identity) ?? [];
  if (host === undefined || issuerKind(issuer) !== 'github') {
    throw usage(
      '--certificate-github-workflow-repository goes with a workflow of GitHub Actions, and the pinned identity is none',
      'leave it out, or write a policy',
    );
  }
  return `${host}/${name}`;
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

function days(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const days = /^([1-9][0-9]{0,4})d?$/.exec(text)?.[1];
  if (days !== undefined) return Number(days);
  throw usage(
    `${flag} needs a whole number of days above 0, not ${quoted(text)}`,
    `write it as ${flag} 90, or 90d as in a policy`,
  );
}

function platformChoice(flag: string | undefined): PlatformChoice {
  return flag === undefined || flag === 'all' ? 'all' : { platform: parsePlatform(flag), explicit: true };
}

function usage(message: string, ...hints: string[]): OperationalError {
  return new OperationalError('usage', message, { hints });
}
