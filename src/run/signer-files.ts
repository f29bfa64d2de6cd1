/**
 * Files that belong to whoever signs: keys, passwords, tokens, what names another instance. One that is missing or cannot be read
 * is a fault of the command line, exit code 2, as is one whose content is wrong. And no output may take the place of a key or of its
 * other half: of a key, the program that signs opens but one file.
 */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { alsoInput, guardOutputs } from './guarded-disk.ts';
import { readWhole } from './read-whole.ts';

/** Throws OperationalError: `configuration`, or `usage` for one that is also an output. */
export async function readSignerFile(file: string, maxBytes: number, world: World): Promise<Buffer> {
  return asConfiguration(() => readWhole(world.disk, file, maxBytes));
}

/** Not found and not readable become `configuration`; everything else stays what it is. */
export async function asConfiguration<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof OperationalError) || !unread.includes(error.code)) throw error;
    throw new OperationalError('configuration', error.message, { hints: error.hints, cause: error });
  }
}

const unread: readonly OperationalError['code'][] = ['not-found', 'io', 'limit', 'unsupported'];

/** `guardOutputs`, and nothing is written over `key` and its other half either. Throws OperationalError `usage`. */
export function guardSigner(world: World, outputs: readonly (string | undefined)[], key: string | undefined): World {
  for (const output of outputs) {
    if (output === undefined || key === undefined) continue;
    const taken = halvesOf(key).find((half) => isSameFile(half, output, world));
    if (taken === undefined) continue;
    if (taken === key) throw alsoInput(output, key);
    throw new OperationalError('usage', `the output ${quoted(output)} would replace a key: ${quoted(taken)}`, {
      hints: ['name another file behind the = of --output'],
    });
  }
  return guardOutputs(world, outputs);
}

/** As ssh-keygen, cosign and openssl's users name them, there or not: what stands there later is read as the other half. */
function halvesOf(key: string): readonly string[] {
  const { dir, name, ext } = path.parse(key);
  const stem = path.join(dir, name);
  const others =
    ext === '.pub' ? [stem, `${stem}.key`, `${stem}.pem`, `${stem}-cert.pub`] : [`${stem}.pub`, `${key}-cert.pub`];
  return [key, `${key}.pub`, ...others];
}

function isSameFile(one: string, other: string, { disk }: World): boolean {
  if (path.resolve(one) === path.resolve(other)) return true;
  const identity = disk.identityOf(one);
  return identity !== undefined && identity === disk.identityOf(other);
}
