/** Where what was signed goes, and what is said beside it. */
import path from 'node:path';
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

export interface NoteHint {
  readonly files: readonly (string | undefined)[];
  /** Path of the repository or of a folder in its work tree. */
  readonly repository: string;
  readonly commit: string;
  /** `refs/notes/approvals` */
  readonly ref: string;
}

/** Two commands that bring it to where it is judged, ready to be pasted: we write into no repository. */
export async function hintAtNotes({ files, repository, commit, ref }: NoteHint, world: World): Promise<void> {
  const [file] = files.filter((each) => each !== undefined);
  // git looks for the file from the root of the work tree, wherever it is called.
  const from = file === undefined ? 'FILE' : shellWord(path.resolve(file));
  const git = repository === '.' ? 'git' : `git -C ${shellWord(path.resolve(repository))}`;
  const lines = [`  ${git} notes --ref=${ref} append -F ${from} ${commit}`, `  ${git} push origin ${ref}`];
  await note(world, '"tidewaiter change" takes it with --evidence, or as a note on that commit, once it is pushed:');
  await world.stderr.write(lines.map((line) => `${shown(line)}\n`).join('')).catch(() => {});
  const others = `${git} fetch origin ${ref} && ${git} notes --ref=${ref} merge -s cat_sort_uniq FETCH_HEAD`;
  await note(world, `where that push is refused, take in first what others pushed: ${others}`);
}

/** For a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
