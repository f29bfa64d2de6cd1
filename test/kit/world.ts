/** The world as the program sees it, for tests: the real disk, and everything else fixed or captured. */
import { main } from '../../src/cli/main.ts';
import type { ExitCode } from '../../src/diag/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import type { Output, World } from '../../src/io/index.ts';
import { realGit } from '../../src/io/real.ts';

export interface Ran {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process. The environment is empty, the clock stands still, nothing is a terminal. */
export async function run(argv: readonly string[], changes: Partial<World> = {}): Promise<Ran> {
  const [stdout, stderr] = [capture(), capture()];
  const code = await main(argv, {
    disk: realDisk,
    git: realGit,
    env: {},
    stdout,
    stderr,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    cores: 2,
    host: { os: 'linux', architecture: 'amd64' },
    ...changes,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

export function capture(isTerminal = false, columns = 80): Output & { text(): string } {
  const pieces: string[] = [];
  return {
    isTerminal,
    columns,
    write: async (text) => {
      pieces.push(text);
    },
    text: () => pieces.join(''),
  };
}

/** An output whose other end is gone. */
export function broken(error: Error): Output {
  return { isTerminal: false, columns: 80, write: () => Promise.reject(error) };
}
