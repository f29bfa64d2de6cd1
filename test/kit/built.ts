/** The program as it is installed, built from the sources as they are now, for tests that need a process. */
import { type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './data.ts';

export interface Program {
  /** Path of the entry script. */
  readonly entry: string;
  run(args: readonly string[], options?: SpawnSyncOptions): SpawnSyncReturns<string>;
  /** A shell line in which `$TIDEWAITER` starts the program. */
  shell(line: string, options?: SpawnSyncOptions): SpawnSyncReturns<string>;
}

export async function buildProgram(directory: string): Promise<Program> {
  const bundle = await rolldown({
    input: { main: path.join(root, 'src/cli/main.ts') },
    platform: 'node',
    logLevel: 'warn',
  });
  await bundle.write({ dir: path.join(directory, 'dist'), format: 'esm', chunkFileNames: '[name].js' });
  await bundle.close();
  cpSync(path.join(root, 'package.json'), path.join(directory, 'package.json'));
  const entry = path.join(directory, 'dist/tidewaiter.cjs');
  cpSync(path.join(root, 'src/tidewaiter.cjs'), entry);
  // Nothing of the environment of whoever tests, but where programs are.
  const env = { PATH: process.env['PATH'], TIDEWAITER: `${process.execPath} ${entry}` };
  const start = (command: string, args: readonly string[], options: SpawnSyncOptions = {}) =>
    spawnSync(command, args, { ...options, env: { ...env, ...options.env }, encoding: 'utf8', maxBuffer: 1 << 28 });
  return {
    entry,
    run: (args, options) => start(process.execPath, [entry, ...args], options),
    shell: (line, options) => start('bash', ['--norc', '-c', line], options),
  };
}
