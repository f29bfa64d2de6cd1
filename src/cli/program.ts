/** The commander program: argv to typed options, and nothing else. */
import { Command, type OutputConfiguration } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { type ExitCode, OperationalError } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { shown } from '../report/index.ts';
import { approveCommand } from './approve.ts';
import { attestCommand } from './attest.ts';
import { changeCommand } from './change.ts';
import { rulesCommand } from './rules.ts';
import { scanCommand } from './scan.ts';
import { trustCommand } from './trust.ts';
import { verifyCommand } from './verify.ts';

export type Earn = (code: ExitCode) => void;

export interface Program {
  readonly command: Command;
  /** Writes what commander had to say. */
  flush(): Promise<void>;
}

/** `first` is the first word of the command line: where it is the name of a command, the others need not be made. */
export function createProgram(world: World, earn: Earn, first: string | undefined): Program {
  const out: string[] = [];
  const err: string[] = [];
  const output: OutputConfiguration = {
    writeOut: (text) => out.push(text),
    // What a user mistyped is shown back: it may hold anything.
    writeErr: (text) => err.push(text.split('\n').map(shown).join('\n')),
    getOutHelpWidth: () => (world.stdout.isTerminal ? world.stdout.columns : 100),
    getErrHelpWidth: () => (world.stderr.isTerminal ? world.stderr.columns : 100),
  };
  const command = new Command('tidewaiter')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureOutput(output)
    // Descriptions say their defaults in words; commander would add an empty list to every option that may be repeated.
    .configureHelp({ optionDescription: ({ description }) => description })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', exitCodes);
  const wanted = commands.get(first ?? '');
  for (const add of wanted === undefined ? commands.values() : [wanted]) {
    const child = add(world, earn, packageJson.version);
    child.copyInheritedSettings(command);
    command.addCommand(child);
  }
  refuseTwice(command);
  return {
    command,
    flush: async () => {
      for (const text of out.splice(0)) await world.stdout.write(text);
      for (const text of err.splice(0)) await world.stderr.write(text);
    },
  };
}

export function isCommand(name: string): boolean {
  return name === 'help' || commands.has(name);
}

const commands = new Map([
  ['scan', scanCommand],
  ['verify', verifyCommand],
  ['attest', attestCommand],
  ['change', changeCommand],
  ['approve', approveCommand],
  ['trust', trustCommand],
  ['rules', rulesCommand],
]);

/** An option that takes one value takes it once: which of two was meant must not depend on their order. */
function refuseTwice(command: Command): void {
  for (const option of command.options) {
    if (option.parseArg !== undefined || !(option.required || option.optional)) continue;
    let given = false;
    option.argParser((value: string) => {
      if (given) {
        throw new OperationalError('usage', `${option.long} is given twice, and takes one value`, {
          hints: ['keep the one that is meant'],
        });
      }
      given = true;
      return value;
    });
  }
  for (const child of command.commands) refuseTwice(child);
}

const exitCodes = `
Exit codes, the same for every output format:
  0  done, and nothing speaks against it
  1  denied by policy
  2  wrong usage, policy or configuration
  3  could not decide: evidence is missing or unreadable, input was refused, or a bug
  4  nothing but an approval is missing`;
