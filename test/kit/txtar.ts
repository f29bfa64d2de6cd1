/**
 * Scripts: command lines, what they must say, and the files that they need, all in one file.
 *
 *     # a comment
 *     tidewaiter scan dir:. -o purls        must end with 0
 *     stdout pkg:npm/debug                  a regular expression that must match what it said
 *     ! stderr .                            one that must not
 *     ! tidewaiter scan ./none              must not end with 0
 *     exit 3                                and with exactly this
 *     cmp stdout want.txt                   exactly this file; UPDATE=1 writes it anew
 *     -- package.json --
 *     {"name": "x"}
 *
 * The command lines run in a directory of their own that holds the files. `$ROOT` stands for the repository, `$WORK` for
 * that directory, in command lines and in what comes out.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './data.ts';
import { type Ran, run } from './world.ts';

interface Script {
  readonly lines: readonly string[];
  readonly files: Map<string, string>;
}

/** Runs the script at `file` with `work` as its directory. Throws an Error that names the line that failed. */
export async function runScript(file: string, work: string, update = updating): Promise<void> {
  const script = parseScript(readFileSync(file, 'utf8'));
  for (const [name, content] of script.files) {
    mkdirSync(path.dirname(path.join(work, name)), { recursive: true });
    writeFileSync(path.join(work, name), content);
  }
  const before = process.cwd();
  process.chdir(work);
  try {
    await runLines(script, work, update);
  } catch (error) {
    throw new Error(`${path.basename(file)}:${error instanceof Error ? error.message : error}`);
  } finally {
    process.chdir(before);
  }
  if (update) writeFileSync(file, formatScript(script));
}

const updating = process.env['UPDATE'] === '1';

export function parseScript(text: string): Script {
  const [head = '', ...sections] = text.split(/^-- (.+) --\n/m);
  const files = new Map<string, string>();
  for (let at = 0; at < sections.length; at += 2) files.set(sections[at]!, sections[at + 1] ?? '');
  return { lines: head.split('\n'), files };
}

function formatScript({ lines, files }: Script): string {
  return lines.join('\n') + [...files].map(([name, content]) => `-- ${name} --\n${content}`).join('');
}

async function runLines(script: Script, work: string, update: boolean): Promise<void> {
  let ran: Ran | undefined;
  let commands = 0;
  for (const [at, raw] of script.lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fail = (why: string) =>
      new Error(`${at + 1}: ${line}\n${why}\n--- stdout\n${ran?.stdout}--- stderr\n${ran?.stderr}`);
    const [, not, verb = '', rest = ''] = /^(! )?(\S+) ?(.*)$/.exec(line) ?? [];
    const negated = not !== undefined;
    if (verb === 'tidewaiter') {
      commands += 1;
      ran = hide(await run(wordsOf(rest, work)), work);
      if ((ran.code !== 0) !== negated) throw fail(`ended with ${ran.code}`);
      continue;
    }
    if (ran === undefined) throw fail('no command has run yet');
    if (verb === 'exit') {
      if (ran.code !== Number(rest)) throw fail(`ended with ${ran.code}`);
    } else if (verb === 'stdout' || verb === 'stderr') {
      if (new RegExp(rest, 'm').test(ran[verb]) === negated) throw fail(negated ? 'matches' : 'does not match');
    } else if (verb === 'cmp') {
      const [which = '', name = ''] = rest.split(' ');
      const got = which === 'stderr' ? ran.stderr : ran.stdout;
      if (update) script.files.set(name, got);
      else if (script.files.get(name) !== got) throw fail(`is not ${name} (UPDATE=1 writes it anew)`);
    } else throw fail('is no line that a script knows');
  }
  if (commands === 0) throw new Error('0: runs nothing');
}

/** Words of a command line, single quotes around those with spaces. */
function wordsOf(text: string, work: string): readonly string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
    (quoted ?? bare ?? '').replaceAll('$ROOT', root.replace(/\/$/, '')).replaceAll('$WORK', work),
  );
}

function hide(ran: Ran, work: string): Ran {
  const clean = (text: string) => text.replaceAll(work, '$WORK').replaceAll(root.replace(/\/$/, ''), '$ROOT');
  return { code: ran.code, stdout: clean(ran.stdout), stderr: clean(ran.stderr) };
}
