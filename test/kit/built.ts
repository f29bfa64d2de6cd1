/** The program as it is installed, built from the sources as they are now, for tests that need a process. */
import { execFileSync, type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { root } from './data.ts';

export interface Program {
  /** Path of the entry script. */
  readonly entry: string;
  run(args: readonly string[], options?: SpawnSyncOptions): SpawnSyncReturns<string>;
  /** A shell line in which `$TIDEWAITER` starts the program. */
  shell(line: string, options?: SpawnSyncOptions): SpawnSyncReturns<string>;
}

export function buildProgram(directory: string): Program {
  execFileSync(process.execPath, [path.join(root, 'build.mjs'), path.join(directory, 'dist')]);
  cpSync(path.join(root, 'package.json'), path.join(directory, 'package.json'));
  // What is loaded from packages, and not bundled.
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  const entry = path.join(directory, 'dist/tidewaiter.cjs');
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
