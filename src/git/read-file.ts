/** Small files of a git directory. All are untrusted: a pipe or a device in their place is refused, their length capped. */
import { quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { GitRefusal } from './refusal.ts';

/** Undefined where there is nothing. Links are followed: some tools link whole git directories together. */
export async function readSmall(world: World, file: string, maxBytes = 1024 * 1024): Promise<Buffer | undefined> {
  const stat = await world.disk.stat(file);
  if (stat === undefined) return undefined;
  if (stat.kind !== 'file') throw new GitRefusal('unsupported-repository', `${quoted(file)} is not a regular file`);
  const opened = await world.disk.open(file);
  try {
    if (opened.size > maxBytes) {
      throw new GitRefusal('unsupported-repository', `${quoted(file)} is larger than ${maxBytes} bytes`);
    }
    return await opened.read(0, opened.size);
  } finally {
    await opened.close();
  }
}

/** Text that must be UTF-8, since it becomes a path or a name: another spelling of it would be another file. */
export function strictText(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}
