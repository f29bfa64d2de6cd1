/**
 * What a command writes must not be what it reads: `-o json=release.key` beside `--key release.key` would replace the key,
 * and a program that has read a file would be the last to have seen it.
 */
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';

interface GuardOptions {
  /** Looking at the beginning of a file to see what it is, as a walk through a directory does, is no reading. */
  readonly startsAreFree?: boolean;
}

/**
 * The world, with a disk that refuses (OperationalError `usage`) to open one of `outputs`, by whatever path, and having
 * refused once, to write anything. Undefined stands for standard output.
 */
export function guardOutputs(
  world: World,
  outputs: readonly (string | undefined)[],
  { startsAreFree = false }: GuardOptions = {},
): World {
  const { disk } = world;
  const known = new Map<string, string>();
  for (const output of outputs) {
    const identity = output === undefined ? undefined : disk.identityOf(output);
    if (output !== undefined && identity !== undefined) known.set(identity, output);
  }
  // What does not exist yet cannot be read.
  if (known.size === 0) return world;
  let refused: OperationalError | undefined;
  const check = (file: string | Buffer) => {
    const output = known.get(disk.identityOf(file) ?? '');
    if (output === undefined) return;
    refused ??= alsoInput(output, file.toString());
    throw refused;
  };
  return {
    ...world,
    disk: {
      ...disk,
      open: async (file, options) => {
        check(file);
        return disk.open(file, options);
      },
      readStart: (file, max) => {
        if (!startsAreFree) check(file);
        return disk.readStart(file, max);
      },
      write: async (file, text) => {
        if (refused !== undefined) throw refused;
        await disk.write(file, text);
      },
    },
  };
}

export function alsoInput(output: string, input: string): OperationalError {
  const other = output === input ? '' : ` (${quoted(input)})`;
  return new OperationalError('usage', `the output ${quoted(output)} is also an input${other}: it would be replaced`, {
    hints: ['name another file behind the = of --output (or --to)'],
  });
}
