import { mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../kit/temporary.ts';
import { parseScript, runScript } from '../kit/txtar.ts';

const temporary = realpathSync(temporaryDirectory());
const here = fileURLToPath(new URL('.', import.meta.url));
const work = () => mkdtempSync(path.join(temporary, 'work-'));

describe('scripts', () => {
  it.each(readdirSync(here).filter((name) => name.endsWith('.txtar')))('%s', async (name) => {
    await runScript(path.join(here, name), work());
  });
});

describe('the runner of scripts', () => {
  const script = (text: string) => {
    const file = path.join(work(), 'script.txtar');
    writeFileSync(file, text);
    return runScript(file, work(), false);
  };

  it.each([
    ['a command that should fail', '! tidewaiter rules\n', /script.txtar:1: .*\nended with 0/],
    ['a command that fails', 'tidewaiter scan ./none\n', /script.txtar:1: .*\nended with 3/],
    ['another exit code', '! tidewaiter scan ./none\nexit 2\n', /script.txtar:2: exit 2\nended with 3/],
    ['text that is not there', 'tidewaiter rules\nstdout nonsense\n', /:2: .*\ndoes not match/],
    ['text that should not be there', 'tidewaiter rules\n! stdout .\n', /:2: .*\nmatches/],
    ['a file that differs', 'tidewaiter rules\ncmp stdout want\n-- want --\nx\n', /:2: .*\nis not want/],
    ['a word that it does not know', 'tidewaiter rules\nstduot x\n', /:2: .*\nis no line/],
    ['nothing to run', '# nothing\n', /runs nothing/],
    ['a question before a command', 'stdout x\n', /no command has run/],
  ])('notices %s', async (_, text, why) => {
    await expect(script(text)).rejects.toThrow(why);
  });

  it('keeps the files as they stand', () => {
    const { lines, files } = parseScript('a\n-- x --\n1\n\n-- y/z --\n2\n');
    expect([lines, [...files]]).toEqual([
      ['a', ''],
      [
        ['x', '1\n\n'],
        ['y/z', '2\n'],
      ],
    ]);
  });
});
