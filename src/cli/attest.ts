import { Command } from 'commander';
import type { World } from '../io/index.ts';
import { foreign } from './foreign.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';

export interface AttestFlags {
  readonly predicate?: string;
  readonly type?: string;
  readonly key?: string;
  readonly keyPasswordFile?: string;
  readonly identityToken?: string;
  readonly trust?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly timestampUrl?: string;
  readonly platform?: string;
  readonly output: readonly string[];
  readonly attach?: boolean;
  readonly offline?: boolean;
}

export function attestCommand(world: World, earn: Earn, _version: string): Command {
  return new Command('attest')
    .summary('sign a statement about an image, a file or a digest')
    .description('Sign a statement about an image, a file or a digest, and write it as a Sigstore bundle.')
    .argument('TARGET', 'sha256:HEX, a file (./FILE, file:PATH), or an image (oci:DIR[:TAG|@DIGEST], oci-archive:FILE)')
    .option('--predicate <FILE>', 'what is stated: a JSON object')
    .option(
      '--type <TYPE>',
      'what kind of predicate it is: a URI, or slsaprovenance1, spdxjson, cyclonedx, vuln, openvex, …',
    )
    .option('--key <FILE>', "sign with this private key (PEM, or cosign's encrypted file); makes no network call")
    .option('--key-password-file <FILE>', 'its password (default: TIDEWAITER_KEY_PASSWORD or COSIGN_PASSWORD)')
    .option('--identity-token <FILE>', 'sign as whoever this OIDC token names (default: the token of the CI job)')
    .option('--trust <NAME>', 'the Sigstore instance to sign with: public-good (default) or staging')
    .option('--signing-config <FILE>', 'the services of another instance; needs --trusted-root')
    .option('--trusted-root <FILE>', 'the trusted root of that instance')
    .option('--fulcio-url <URL>', 'another certificate authority; needs --trusted-root')
    .option('--rekor-url <URL>', 'another transparency log (Rekor v1); needs --trusted-root')
    .option('--timestamp-url <URL>', 'another timestamp authority; needs --trusted-root')
    .option('--platform <OS/ARCH[/VARIANT]>', 'one image of a multi-platform index (default: the index itself)')
    .option('-o, --output <FORMAT[=FILE]>', 'bundle (default); may be repeated', collect, [])
    .option('--attach', 'attach the bundle to the image, in its OCI layout on disk')
    .option('--offline', 'make no network call: only signing with a key is possible')
    .addOption(foreign('-y, --yes [WORD]', 'leave it out: nothing is asked here'))
    .addOption(
      foreign(
        '--tlog-upload [WORD]',
        'leave it out: with --key nothing is uploaded, without it the log is what proves the time',
      ),
    )
    .addHelpText('after', more)
    .action(async (target: string, flags: AttestFlags) => {
      // Loaded here: what only signing needs must not slow down everything else.
      const { attestOptions } = await import('./attest-options.ts');
      const { attest } = await import('../run/attest.ts');
      earn(await attest(attestOptions(target, flags, world), world));
    });
}

const more = `
Nothing is written before the new signature was verified. Without --key the signature, the name in the token and the
digest of the statement are published for ever in a transparency log.

Examples:
  tidewaiter attest oci:./image --predicate provenance.json --type slsaprovenance1 --key cosign.key --attach
  tidewaiter attest ./app.tgz --predicate sbom.json --type cyclonedx -o bundle=app.tgz.sigstore.json
  tidewaiter attest sha256:9f86… --predicate result.json --type https://acme.example/test/v1 --key acme.pem`;
