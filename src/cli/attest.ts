import { Command } from 'commander';
import type { World } from '../io/index.ts';
import { foreign } from './foreign.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';
import type { SignerFlags } from './signer-options.ts';

export interface AttestFlags extends SignerFlags, ChangeAttestFlags {
  readonly predicate?: string;
  readonly type?: string;
  readonly platform?: string;
  readonly output: readonly string[];
  readonly attach?: boolean;
}

/** Those of `git:BASE..HEAD`. */
export interface ChangeAttestFlags {
  readonly repository?: string;
  readonly sourceRepository?: string;
  readonly baseRef?: string;
  readonly buildType?: string;
  readonly agent?: string;
  readonly model: readonly string[];
  readonly runtime?: string;
  readonly tool: readonly string[];
  readonly sandbox?: string;
  readonly session?: string;
  readonly task: readonly string[];
  readonly builderId?: string;
  readonly startedOn?: string;
  readonly finishedOn?: string;
  readonly agentTrace: readonly string[];
  readonly gitAi?: boolean;
}

export function attestCommand(world: World, earn: Earn, _version: string): Command {
  return new Command('attest')
    .summary('sign a statement about an image, a file, a digest, or the change that an agent made')
    .description(
      'Sign a statement about an image, a file or a digest, and write it as a Sigstore bundle.\nFor git:BASE..HEAD the statement is made here: who and what made these commits.',
    )
    .argument(
      'TARGET',
      'sha256:HEX, a file (./FILE, file:PATH), an image (oci:DIR[:TAG|@DIGEST], oci-archive:FILE), or a change (git:BASE..HEAD)',
    )
    .option('--predicate <FILE>', 'what is stated: a JSON object')
    .option(
      '--type <TYPE>',
      'what kind of predicate it is: a URI, or slsaprovenance1, spdxjson, cyclonedx, vuln, openvex, …',
    )
    .option('--repository <PATH>', 'git: the repository, or a folder in it (default: .)')
    .option('--source-repository <URL>', "git: its address (default: the policy's at BASE, or the CI job's)")
    .option(
      '--base-ref <REF>',
      "git: the branch that the change is for (default: the policy's at BASE, or the CI job's)",
    )
    .option('--model <PROVIDER/MODEL>', 'git: the model; may be repeated: models of subagents', collect, [])
    .option('--runtime <NAME[@VERSION]>', 'git: what ran the model, such as claude-code@2.1.0')
    .option('--tool <NAME[@sha256:HEX]>', 'git: a tool that it had; may be repeated', collect, [])
    .option('--sandbox <FILE>', 'git: what it was kept in, JSON: network, filesystem, credentials')
    .option('--session <ID>', 'git: the session or run')
    .option(
      '--task <URI|FILE>',
      'git: the task: an address, a file of which the digest is stated, or both',
      collect,
      [],
    )
    .option('--builder-id <URI>', "git: the platform that ran the agent (default: the CI job's workflow)")
    .option('--started-on <RFC3339>', 'git: when the run began')
    .option('--finished-on <RFC3339>', 'git: when it was done')
    .option('--agent <FILE>', 'git: all of this as JSON from your platform; flags go before it')
    .option('--agent-trace <FILE>', 'git: records of Agent Trace; may be repeated', collect, [])
    .option('--git-ai', "git: git-ai's notes on these commits")
    .option('--build-type <TYPE>', 'git: v0.3 (default) or v0.2 of agent-commit, or a URI')
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
      if (target.startsWith('git:')) {
        const { attestChangeOptions } = await import('./attest-change-options.ts');
        const { attestChange } = await import('../run/attest-change.ts');
        earn(await attestChange(attestChangeOptions(target, flags), world));
        return;
      }
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
  tidewaiter attest sha256:9f86… --predicate result.json --type https://acme.example/test/v1 --key acme.pem
  tidewaiter attest git:origin/main..HEAD --model anthropic/claude-opus-4-6 --runtime claude-code@2.1.0 \\
    --builder-id https://agents.acme.example --sandbox sandbox.json --key platform.pem -o bundle=change.sigstore.json`;
