/** Where what was signed goes, and what is said beside it. */
import type { World } from '../io/index.ts';
import { shown } from '../report/text.ts';

/** On standard error: no result, so a closed one does not end the work. */
export async function note(world: World, text: string): Promise<void> {
  await world.stderr.write(`note: ${shown(text)}\n`).catch(() => {});
}

/** One line each; undefined is standard output. `what`: `bundle`, for people. */
export async function writeSigned(
  signed: string,
  what: string,
  files: readonly (string | undefined)[],
  world: World,
): Promise<void> {
  for (const file of files) {
    if (file === undefined) await world.stdout.write(`${signed}\n`);
    else {
      await world.disk.write(file, `${signed}\n`);
      await note(world, `wrote the ${what} to ${file}`);
    }
  }
}
