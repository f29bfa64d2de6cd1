import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { parseBoolean, parseConfig } from '../../src/git/config.ts';
import { openRepository } from '../../src/git/index.ts';
import { formatAlternates, parseAlternates } from '../../src/git/object-folders.ts';
import { makeRepository, runGit, type TestRepository } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal, worldWith } from './open.ts';

const parent = temporaryDirectory();

/** Two commits; opened before anything is done to it, so that each refusal has its untouched twin. */
async function sound(): Promise<TestRepository & { readonly first: string; readonly second: string }> {
  const made = makeRepository(parent);
  const first = made.commit({ files: { a: '1' } });
  const second = made.commit({ files: { a: '2' } });
  expect((await open(made.path)).head?.id).toBe(second);
  return { ...made, first, second };
}

async function refused(made: { readonly path: string }): Promise<{ readonly rule: string; readonly text: string }> {
  return refusal(openRepository(made.path, worldWith()));
}

describe('a repository that cannot be judged is refused, with the way out', () => {
  it.skipIf(spawnSync('mkfifo', ['--version']).error !== undefined)(
    'one whose pack is a pipe (needs mkfifo): git would wait for ever',
    async () => {
      const made = await sound();
      const pack = path.join(made.gitDir, 'objects/pack', `pack-${'a'.repeat(40)}.idx`);
      spawnSync('mkfifo', [pack]);
      const why = await refused(made);
      expect(why.rule).toBe('unsupported-repository');
      expect(why.text).toContain(pack);
      rmSync(pack);
      runGit(made.path, ['repack', '-adq']);
      const [file = ''] = readdirSync(path.dirname(pack)).filter((name) => name.endsWith('.pack'));
      renameSync(path.join(path.dirname(pack), file), path.join(made.path, 'elsewhere'));
      symlinkSync(path.join(made.path, 'elsewhere'), path.join(path.dirname(pack), file));
      expect((await (await open(made.path)).objects.read(made.second, 'commit')).id).toBe(made.second);
    },
  );

  it('a shallow clone, and its history fetched makes it sound', async () => {
    const source = await sound();
    const clone = path.join(parent, 'shallow');
    runGit(parent, ['clone', '--quiet', '--depth=1', `file://${source.path}`, clone]);
    const why = await refused({ path: clone });
    expect(why).toMatchObject({ rule: 'shallow' });
    expect(why.text).toContain('git fetch --unshallow');
    expect(why.text).toContain('fetch-depth: 0');
    runGit(clone, ['fetch', '--quiet', '--unshallow']);
    expect((await open(clone)).head?.id).toBe(source.second);
  });

  it('a repository that borrows from a shallow one', async () => {
    const source = await sound();
    const clone = path.join(parent, 'shallow-lender');
    runGit(parent, ['clone', '--quiet', '--depth=1', `file://${source.path}`, clone]);
    const borrower = await sound();
    writeFileSync(path.join(borrower.gitDir, 'objects/info/alternates'), `${clone}/.git/objects\n`);
    expect(await refused(borrower)).toMatchObject({ rule: 'shallow' });
  });

  it('an empty shallow file cuts nothing off', async () => {
    const made = await sound();
    writeFileSync(path.join(made.gitDir, 'shallow'), '');
    expect((await open(made.path)).head?.id).toBe(made.second);
  });

  it('a partial clone, by its configuration or by its packs', async () => {
    const source = await sound();
    source.git('config', 'uploadpack.allowFilter', 'true');
    const clone = path.join(parent, 'filtered');
    runGit(parent, ['clone', '--quiet', '--filter=blob:none', `file://${source.path}`, clone]);
    expect(await refused({ path: clone })).toMatchObject({ rule: 'partial-clone' });
    const borrower = await sound();
    writeFileSync(path.join(borrower.gitDir, 'objects/info/alternates'), `${clone}/.git/objects\n`);
    expect(await refused(borrower)).toMatchObject({ rule: 'partial-clone' });
    const hints = (await refused({ path: clone })).text.split('\n');
    const command = hints.find((line) => line.startsWith('or make it whole: '))!.replace('or make it whole: ', '');
    runGit(clone, ['-c', `alias.x=!${command}`, 'x']);
    const whole = await open(clone);
    const blob = source.git('rev-parse', `${source.first}:a`);
    expect((await whole.objects.read(blob, 'blob')).bytes.toString()).toBe('1');
  });

  it.each([
    '[extensions]\n\tpartialClone = origin\n',
    '[remote "origin"]\n\tpromisor = true\n',
    '[remote "origin"]\n\tpromisor\n',
    '[Remote "o"]\n\tPartialCloneFilter = blob:none\n',
    '[remote.origin] promisor = 1',
  ])('a promise in the configuration: %j', async (text) => {
    const made = await sound();
    appendFileSync(path.join(made.gitDir, 'config'), text);
    expect(await refused(made)).toMatchObject({ rule: 'partial-clone' });
  });

  it('a promise in the configuration of the work tree', async () => {
    const made = await sound();
    made.git('config', 'extensions.worktreeConfig', 'true');
    expect((await open(made.path)).head?.id).toBe(made.second);
    writeFileSync(path.join(made.gitDir, 'config.worktree'), '[remote "origin"]\n\tpromisor = true\n');
    expect(await refused(made)).toMatchObject({ rule: 'partial-clone' });
  });

  it('replaced objects, loose or packed', async () => {
    const made = await sound();
    made.git('replace', made.second, made.first);
    const why = await refused(made);
    expect(why).toMatchObject({ rule: 'replaced-objects' });
    expect(why.text).toContain(made.second);
    expect(why.text).toContain('git replace');
    made.git('pack-refs', '--all', '--prune');
    expect(await refused(made)).toMatchObject({ rule: 'replaced-objects' });
    made.git('replace', '--delete', made.second);
    expect((await open(made.path)).head?.id).toBe(made.second);
    // A broken one as well: another git may make something of it.
    mkdirSync(path.join(made.gitDir, 'refs/replace'), { recursive: true });
    writeFileSync(path.join(made.gitDir, 'refs/replace', made.second), '');
    expect(await refused(made)).toMatchObject({ rule: 'replaced-objects' });
  });

  it('grafts, and not the comments of a file without any', async () => {
    const made = await sound();
    writeFileSync(path.join(made.gitDir, 'info/grafts'), '# none\n\n');
    expect((await open(made.path)).head?.id).toBe(made.second);
    writeFileSync(path.join(made.gitDir, 'info/grafts'), `# one\n${made.second}\n`);
    const why = await refused(made);
    expect(why).toMatchObject({ rule: 'replaced-objects' });
    expect(why.text).toContain('info/grafts');
  });

  it.each([
    '[extensions]\n\trefStorage = reftable\n',
    '[extensions]\n\tobjectFormat = sha512\n',
    '[extensions]\n\tcompatObjectFormat = sha256\n',
    '[extensions]\n\tfuture = yes\n',
    '[extensions "of"]\n\tfuture = yes\n',
    '[core]\n\trepositoryFormatVersion = 2\n',
    '[core\n',
    'key = outside\n',
    '[core]\n\tbad = "open\n',
    '[core]\n\tbad = \\x\n',
  ])('a configuration that says something we do not know: %j', async (text) => {
    const made = await sound();
    const file = path.join(made.gitDir, 'config');
    if (text.startsWith('key')) writeFileSync(file, text);
    else appendFileSync(file, text);
    const why = await refused(made);
    expect(why).toMatchObject({ rule: 'unsupported-repository' });
  });

  it('a pipe where a file should be is refused and not waited for', async () => {
    for (const name of ['shallow', 'packed-refs', 'info/grafts', 'objects/info/alternates', 'refs/heads/pipe']) {
      const made = await sound();
      runGit(made.path, ['-c', `alias.x=!mkfifo '${path.join(made.gitDir, name)}'`, 'x']);
      expect(await refused(made)).toMatchObject({ rule: name === 'shallow' ? 'shallow' : 'unsupported-repository' });
    }
  });

  it('works where there is no configuration file at all', async () => {
    const made = await sound();
    runGit(made.path, ['-c', `alias.x=!rm '${path.join(made.gitDir, 'config')}'`, 'x']);
    expect((await open(made.path)).head?.id).toBe(made.second);
  });
});

describe('the configuration', () => {
  const list = (text: string) => parseConfig(Buffer.from(text)).map(({ name, value }) => [name, value]);

  it('is read as git reads it', () => {
    const text = `\ufeff# comment
; another
[core] bare = true ; behind
[Remote "Or\\"igin"]
	URL = "https://x/#not-a-comment" # but this
	fetch = a\\
b
	promisor
[a.B] c = x  y${'  '}
	d =
	e = "  kept  "\r
`;
    expect(list(text)).toEqual([
      ['core.bare', 'true'],
      ['remote.Or"igin.url', 'https://x/#not-a-comment'],
      ['remote.Or"igin.fetch', 'ab'],
      ['remote.Or"igin.promisor', undefined],
      ['a.b.c', 'x  y'],
      ['a.b.d', ''],
      ['a.b.e', '  kept  '],
    ]);
  });

  it('agrees with git about files that git can read, and otherwise ends in a refusal', () => {
    const made = makeRepository(parent);
    const file = path.join(parent, 'some-config');
    const pieces = [
      '[a]',
      '[b "c"]',
      '[d.e]',
      'k',
      ' = ',
      'v',
      '"',
      '\\',
      '\n',
      '\n',
      '\t',
      '#',
      ';',
      ' ',
      '\\n',
      'x-1',
      '\r\n',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), (parts) => {
        // Git also reads keys before the first section; no tool writes them.
        const text = `[x]${parts.join('')}`;
        let ours: string | undefined;
        try {
          ours = list(text)
            .map(([name, value]) => (value === undefined ? `${name}\0` : `${name}\n${value}\0`))
            .join('');
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
        writeFileSync(file, text);
        let theirs: string | undefined;
        try {
          theirs = runGit(made.path, ['config', '--file', file, '--list', '-z']).toString();
        } catch {}
        // A valueless key has no line end in git's listing.
        expect(ours?.replaceAll('\0', '\n')).toBe(theirs?.replaceAll('\0', '\n'));
      }),
      { numRuns: 60 },
    );
  });

  it('throws nothing but refusals, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          parseConfig(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
      }),
    );
  });

  it('has the booleans of git', () => {
    expect(['yes', 'On', 'TRUE', '1', '-1', undefined].map(parseBoolean)).toEqual(Array(6).fill(true));
    expect(['no', 'off', 'False', '0', ''].map(parseBoolean)).toEqual(Array(5).fill(false));
    expect(parseBoolean('maybe')).toBeUndefined();
  });
});

describe('alternates', () => {
  it('come back from the file that is written for git, whatever the path', () => {
    const segment = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => text.isWellFormed() && !/[\0/]/.test(text));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), (segments) => {
        const place = `/${segments.join('/')}`;
        expect(parseAlternates(Buffer.from(formatAlternates([place])), 'file')).toEqual([place]);
      }),
    );
  });

  it('in bytes that are no text are refused', () => {
    expect(() => parseAlternates(Buffer.from([0x2f, 0xff, 0x0a]), 'file')).toThrow('no UTF-8');
    expect(() => parseAlternates(Buffer.from('"open\n'), 'file')).toThrow('cannot be read');
  });
});
