import { Command } from 'commander';
import type { World } from '../io/index.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';

export interface ShowFlags {
  readonly output: string;
  readonly trustedRoot: readonly string[];
}

export interface UpdateFlags {
  readonly root: readonly string[];
  readonly tufUrl?: string;
  readonly tufRoot?: string;
  readonly to?: string;
  readonly timeout: string;
  readonly offline?: boolean;
}

export function trustCommand(world: World, earn: Earn, version: string): Command {
  const command = new Command('trust')
    .summary('show and update the trusted roots')
    .description('Show and update the trusted roots: the logs and authorities by which signatures are verified.')
    .helpCommand(false)
    // The settings of the program arrive after the commands below were made.
    .hook('preSubcommand', (parent, child) => {
      child.copyInheritedSettings(parent);
    });
  command.addCommand(showCommand(world, earn));
  command.addCommand(updateCommand(world, earn, version));
  return command;
}

function showCommand(world: World, earn: Earn): Command {
  return new Command('show')
    .summary('list each trusted root: where from, how old, whom it believes')
    .description('List each trusted root: where it comes from, how old it is, and whom it believes until when.')
    .option('-o, --output <FORMAT>', 'table or json', 'table')
    .option('--trusted-root <FILE>', 'show the roots in this file too; may be repeated', collect, [])
    .option('--offline', 'make no network call (show never makes one)')
    .action(async (flags: ShowFlags) => {
      const { showRoots } = await import('./trust-actions.ts');
      earn(await showRoots(flags, world));
    });
}

function updateCommand(world: World, earn: Earn, version: string): Command {
  return new Command('update')
    .summary('fetch the newest trusted roots over TUF')
    .description(
      'Fetch the newest trusted roots over TUF, proved from the TUF roots inside tidewaiter. Nothing else does: every other\ncommand verifies with what is there.',
    )
    .option(
      '--root <NAME>',
      'public-good, github or staging; may be repeated (default: public-good and github)',
      collect,
      [],
    )
    .option('--tuf-url <URL>', 'another TUF repository: a mirror of one root, or with --tuf-root one of your own')
    .option('--tuf-root <FILE>', 'the TUF root of your own repository; needs --tuf-url and --to')
    .option('--to <FILE>', 'where the trusted root of your own repository is written, for --trusted-root')
    .option('--timeout <SECONDS>', 'for each download', '30')
    .option('--offline', 'make no network call: refused here')
    .addHelpText('after', examples)
    .action(async (flags: UpdateFlags) => {
      const { updateRoots } = await import('./trust-actions.ts');
      earn(await updateRoots(flags, world, version));
    });
}

const examples = `
Examples:
  tidewaiter trust update
  tidewaiter trust update --root public-good --tuf-url https://mirror.example/sigstore
  tidewaiter trust update --tuf-url https://tuf.acme.example --tuf-root acme-root.json --to acme-trusted-root.json`;
