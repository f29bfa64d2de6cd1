/** The real world, for the program itself. */
import type { WriteStream } from 'node:tty';
import { OperationalError } from '../diag/index.ts';
import { realDisk } from './disk.ts';
import type { GitHost } from './git-process.ts';
import type { Output, World } from './world.ts';

export function realWorld(): World {
  return {
    disk: realDisk,
    git: realGit,
    env: process.env,
    // Each is opened when it is used first: that takes as long as reading a small file.
    stdout: output(() => process.stdout, 'standard output'),
    stderr: output(() => process.stderr, 'standard error'),
    now: () => Date.now(),
    // Few ask, and loading the module takes a twentieth of Node's own start.
    get cores() {
      return process.getBuiltinModule('node:os').availableParallelism();
    },
    // Container images are made for Linux whatever this machine runs.
    host: { os: 'linux', architecture: architectures[process.arch] ?? process.arch },
  };
}

/** Loaded when it is used: few commands start git. */
export const realGit: GitHost = {
  makeFolder: async (...request) => (await import('./git-process.ts')).makeFolder(...request),
  removeFolder: async (folder) => (await import('./git-process.ts')).removeFolder(folder),
  start: async (command) => (await import('./git-process.ts')).start(command),
};

/** Node's names in the image specification's words (Go's GOARCH). */
const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
  loong64: 'loong64',
};

function output(open: () => WriteStream, name: string): Output {
  let failure: NodeJS.ErrnoException | undefined;
  let opened: WriteStream | undefined;
  const stream = () => {
    if (opened !== undefined) return opened;
    opened = open();
    // Without a listener, a closed pipe would end the process with exit code 1.
    opened.on('error', (error) => {
      failure = error;
    });
    return opened;
  };
  return {
    get isTerminal() {
      return stream().isTTY === true;
    },
    get columns() {
      return stream().columns ?? 80;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream().write(text, (error) => {
          const broken = error ?? failure;
          if (broken === undefined || broken === null) resolve();
          else reject(new OperationalError('io', `cannot write to ${name}: ${reasonOf(broken)}`, { cause: broken }));
        });
      }),
  };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EPIPE') return 'nobody reads it any more';
  return error.code === 'ENOSPC' ? 'no space is left on the device' : (error.code ?? error.message);
}
