import { Command } from 'commander';
import type { World } from '../io/index.ts';
import { foreign } from './foreign.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';
import type { SignerFlags } from './signer-options.ts';

export interface ApproveFlags extends SignerFlags {
  readonly operation?: string;
  readonly expires?: string;
  readonly reason?: string;
  readonly repository?: string;
  readonly policy?: string;
  readonly baseRef?: string;
  readonly sshKey?: string;
  readonly output: readonly string[];
}

export function approveCommand(world: World, earn: Earn, _version: string): Command {
  return new Command('approve')
    .summary("sign a person's consent to exactly one change")
    .description(
      'Show what a change brings, by the policy of its base, and sign consent to exactly that, as one person of the policy.\nRefused: keys and identities of agents, bots and jobs, and of whoever made the change. Keep the key where no agent can use it.',
    )
    .argument('TARGET', 'git:BASE..HEAD: what HEAD has and BASE has not')
    .option('--operation <OP>', 'what is agreed to; policies ask for "merge" unless they say otherwise')
    .option('--expires <TIME>', 'until when: 90m, 72h, 7d (default), or a time as 2026-01-31T12:00:00Z')
    .option('--reason <TEXT>', 'for people to read; it is published with the approval')
    .option('--repository <PATH>', 'the repository, or a folder in it (default: .)')
    .option(
      '--policy <SOURCE>',
      'PATH of a file outside of the work tree, or git:REV[:PATH] (default: tidewaiter.policy.yaml in the tree of BASE)',
    )
    .option('--base-ref <REF>', 'where BASE is a bare commit: the protected branch that it stands for')
    .option('--ssh-key <FILE>', "sign with this SSH key, by ssh-keygen: a security key, or an agent's (its .pub), too")
    .option('--key <FILE>', "sign with this private key (PEM, or cosign's encrypted file)")
    .option('--key-password-file <FILE>', 'its password (default: TIDEWAITER_KEY_PASSWORD or COSIGN_PASSWORD)')
    .option('--identity-token <FILE>', 'sign as the person whom this OIDC token names, without a key')
    .option('--trust <NAME>', 'the Sigstore instance to sign with: public-good (default) or staging')
    .option('--signing-config <FILE>', 'the services of another instance; needs --trusted-root')
    .option('--trusted-root <FILE>', 'the trusted root of that instance')
    .option('--fulcio-url <URL>', 'another certificate authority; needs --trusted-root')
    .option('--rekor-url <URL>', 'another transparency log (Rekor v1); needs --trusted-root')
    .option('--timestamp-url <URL>', 'another timestamp authority; needs --trusted-root')
    .option('-o, --output <FORMAT[=FILE]>', 'bundle (default); with --ssh-key a DSSE envelope', collect, [])
    .option('--offline', 'make no network call: only signing with a key is possible')
    .addOption(foreign('-y, --yes [WORD]', 'leave it out: nothing is asked here'))
    .addOption(foreign('--unlisted', 'an approval by nobody whom the policy knows counts for nothing'))
    .addHelpText('after', more)
    .action(async (target: string, flags: ApproveFlags) => {
      // Loaded here: what only this needs must not slow down everything else.
      const { approveOptions } = await import('./approve-options.ts');
      const { approve } = await import('../run/approve.ts');
      earn(await approve(approveOptions(target, flags, world.now()), world));
    });
}

const more = `
A signature says whose key it was, and not who used it: keep the key where no agent can, best a security key with
"presence: required" in the policy. Where a variable says that an agent or a CI job started this (CLAUDECODE, CURSOR_AGENT,
GITHUB_ACTIONS, CI, …), nothing is signed; no flag changes that.

What is approved is shown on standard error, and after it the commands that bring the approval to who judges. With a key no
network call is made. With --identity-token your name and the digest of the approval are published for ever in a
transparency log.

Exit codes of approve:
  0  signed, verified and written
  1  denied: it would not count because of who signs, or an agent or a CI job runs this
  2  wrong usage, policy, key, password or token: missing ones, too
  3  could not decide: the range cannot be read, ssh-keygen or a service is missing, the signature does not verify, or
     the output cannot be written

Examples:
  tidewaiter approve git:origin/main..feature --operation merge --ssh-key ~/.ssh/id_ed25519_sk -o bundle=alice.json
  tidewaiter approve git:main..feature --operation merge --expires 72h --key alice.key > alice.json
  tidewaiter change origin/main..feature --evidence alice.json`;
