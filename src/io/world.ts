import type { Disk } from './disk.ts';
import type { GitHost } from './git-process.ts';

export interface Output {
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
  /** Resolves when the text has left for good; rejects when the other end is closed or full. */
  write(text: string): Promise<void>;
}

/** Everything outside the program, handed down as one parameter and faked in tests. */
export interface World {
  readonly disk: Disk;
  readonly git: GitHost;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Processors that may be used. */
  readonly cores: number;
  /** The platform of this machine in the image specification's words, `linux/amd64`. */
  readonly host: { readonly os: string; readonly architecture: string };
}
