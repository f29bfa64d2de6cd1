import { Command, Option } from 'commander';
import type { World } from '../io/index.ts';
import { foreign } from './foreign.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';

export interface VerifyFlags {
  readonly policy?: string;
  readonly identity: readonly string[];
  readonly as?: string;
  readonly certificateIdentity: readonly string[];
  readonly certificateOidcIssuer: readonly string[];
  readonly key: readonly string[];
  readonly bundle: readonly string[];
  readonly bundles?: string;
  readonly trust: readonly string[];
  readonly trustedRoot: readonly string[];
  readonly maxRootAge?: string;
  readonly maxAge?: string;
  readonly type?: string;
  readonly platform?: string;
  readonly output: readonly string[];
  readonly offline?: boolean;
  readonly certificateGithubWorkflowRepository?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuerRegexp?: string;
}

export function verifyCommand(world: World, earn: Earn, version: string): Command {
  return (
    new Command('verify')
      .summary('check signatures and attestations against pinned identities')
      .description(
        'Check the signatures and attestations of a file, a digest or an image against pinned identities.\nMakes no network call.',
      )
      .argument(
        '[TARGET]',
        'sha256:HEX, a file (./FILE, file:PATH), or an image (oci:DIR[:TAG|@DIGEST], oci-archive:FILE, docker-archive:FILE as Docker writes it since 25)',
      )
      .option('--policy <PATH>', 'who has to sign, from a policy file')
      .option('--identity <NAME>', 'of its identities only this; may be repeated: any of them', collect, [])
      .option('--as <REFERENCE>', 'the image by this name in the policy: its entries under "images" apply')
      .option('--certificate-identity <ID>', 'the whole identity in the certificate', collect, [])
      .option('--certificate-oidc-issuer <URL>', 'who vouched for that identity', collect, [])
      .option(
        '--certificate-github-workflow-repository <OWNER/NAME>',
        'with --certificate-identity: the repository that the workflow ran for',
      )
      .option('--key <FILE>', 'a public key, PEM, DER or OpenSSH; may be repeated: any of them', collect, [])
      .option('--bundle <FILE>', 'signatures of the target (default: beside it); may be repeated', collect, [])
      .option('--bundles <DIR>', 'all bundles in a directory: of the target, or without one of the files beside them')
      .option('--trust <NAME>', 'public-good (default), github or staging; may be repeated', collect, [])
      .option('--trusted-root <FILE>', 'the trusted root of another Sigstore instance; may be repeated', collect, [])
      .option('--max-age <DAYS>', 'refuse signatures that were made longer ago, by their proved time')
      .option('--max-root-age <DAYS>', 'refuse to decide by a trusted root that is older')
      .option('--type <TYPE>', 'only statements of this predicate type: a URI, or slsaprovenance1, spdxjson, …')
      .option('--platform <OS/ARCH[/VARIANT]>', 'one image of a multi-platform index (default: all)')
      .option('-o, --output <FORMAT[=FILE]>', 'table (default), json, sarif; may be repeated', collect, [])
      // Known by their names to whoever comes from cosign, and only there to say what to write instead.
      .addOption(new Option('--certificate-identity-regexp <RE>').hideHelp())
      .addOption(new Option('--certificate-oidc-issuer-regexp <RE>').hideHelp())
      .addOption(foreign('--signature <FILE>', bundleInstead))
      .addOption(foreign('--certificate <FILE>', bundleInstead))
      .addOption(foreign('--certificate-chain <FILE>', 'name the authority by its trusted root: --trusted-root FILE'))
      .addOption(foreign('--owner <NAME>', pinInstead))
      .addOption(foreign('--repo <OWNER/NAME>', pinInstead))
      .addOption(foreign('--source-uri <URI>', pinInstead))
      .addOption(foreign('-y, --yes [WORD]', 'leave it out: nothing is asked here'))
      .option('--offline', 'make no network call (verify never makes one)')
      .addHelpText('after', more)
      .action(async (target: string | undefined, flags: VerifyFlags) => {
        // Loaded here: what only a verification needs must not slow down everything else.
        const { verify } = await import('./verify-options.ts');
        if (flags.bundles !== undefined) (await import('./tuning.ts')).tuneForMany(world.cores);
        earn(await verify(target, flags, world, version));
      })
  );
}

const bundleInstead =
  'a bundle holds signature, certificate and log entry: give it with --bundle FILE (cosign writes one with sign-blob --bundle)';
const pinInstead =
  'a repository alone trusts every workflow in it: give --certificate-identity with the workflow and --certificate-oidc-issuer, and --certificate-github-workflow-repository OWNER/NAME for the source';

const more = `
Exit codes of verify:
  0  signatures that hold, by the pinned identities, over exactly this target
  1  denied: signed by somebody else, over something else, or the signature does not hold
  2  wrong usage, policy or key
  3  could not decide: no signature, or one that cannot be read or proved

Examples:
  tidewaiter verify ./app.tgz --bundle app.tgz.sigstore.json \\
    --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3 \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com
  tidewaiter verify oci:./image --key acme.pub
  tidewaiter verify oci:./image --policy tidewaiter.policy.yaml --identity release -o sarif=out.sarif
  tidewaiter verify --bundles ./dist --policy tidewaiter.policy.yaml --identity release`;
