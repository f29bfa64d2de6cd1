/**
 * The way in and the way out. The process starts as a failure and earns its exit code: whatever goes wrong on the way, a
 * thrown error, a promise that never settles, a closed pipe, it can not look like a pass or a denial.
 */
import { CommanderError } from 'commander';
import { Exit, type ExitCode, exitForError, OperationalError, printable } from '../diag/index.ts';
import { realWorld, type World } from '../io/index.ts';
import { colorWanted, formatError } from '../report/index.ts';
import { createProgram, isCommand } from './program.ts';

/** Runs one command line. Never throws and never exits; what it says goes to `world`. */
export async function main(argv: readonly string[], world: World): Promise<ExitCode> {
  let code: ExitCode = Exit.undecided;
  const earn = (earned: ExitCode) => {
    code = earned;
  };
  const program = createProgram(world, earn, argv[0]);
  // Of a command that is not there, commander would show the help of all, and end as if that had been asked for.
  const [first, of] = argv;
  const words = first === 'help' && of !== undefined && !isCommand(of) ? argv.slice(1) : argv;
  try {
    await program.command.parseAsync([...words], { from: 'user' });
    await program.flush();
    return code;
  } catch (error) {
    return await explain(error, words, world, program.flush);
  }
}

async function explain(
  error: unknown,
  argv: readonly string[],
  world: World,
  flush: () => Promise<void>,
): Promise<ExitCode> {
  try {
    await flush();
    if (error instanceof CommanderError) return isAsked(error, argv) ? Exit.pass : Exit.usage;
    if (error instanceof OperationalError) {
      await world.stderr.write(formatError(error, { color: colorWanted(world.env, world.stderr.isTerminal) }));
      return exitForError(error.code);
    }
    await world.stderr.write(bugReport(error));
  } catch {
    // Standard error is gone too: the exit code is all that is left to say it with.
  }
  return Exit.undecided;
}

/** Help and version that were asked for; commander also shows help where a command is missing. */
function isAsked({ code }: CommanderError, argv: readonly string[]): boolean {
  if (code === 'commander.help') return argv[0] === 'help';
  return code === 'commander.helpDisplayed' || code === 'commander.version';
}

function bugReport(error: unknown): string {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    'error[bug]: this is a bug in tidewaiter, nothing was decided',
    ...what.split('\n').map((line) => `  ${printable(line)}`),
    '  hint: report it with the command line, the version and the lines above\n',
  ].join('\n');
}

/** Called by the entry script, with the exit code already set to failure. */
export function start(): void {
  process.exitCode = Exit.undecided;
  let failed = false;
  const fatal = (error: unknown) => {
    failed = true;
    process.exitCode = Exit.undecided;
    process.stderr.write(bugReport(error));
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  let settled = false;
  process.on('beforeExit', () => {
    if (settled) return;
    settled = true;
    fatal(new Error('the work ended before it was done'));
  });
  main(process.argv.slice(2), realWorld()).then((code) => {
    settled = true;
    // Something broke beside the work: its result cannot be trusted, however it ended.
    if (!failed) process.exitCode = code;
  }, fatal);
}
