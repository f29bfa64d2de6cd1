import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRepository } from '../../src/git/index.ts';
import { hashFolder, makeRepository, openTestRepository, runGit } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal, worldWith } from './open.ts';

const parent = temporaryDirectory();

describe('finding the repository', () => {
  it('finds it from any folder inside its work tree', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { 'a/b/c.txt': 'x' } });
    made.checkout('main');
    const repository = await open(path.join(made.path, 'a/b'));
    expect(repository.head).toEqual({ ref: 'refs/heads/main', id: tip });
    expect(repository.format).toBe('sha1');
    expect(repository.gitVersion).toMatch(/^2\.\d+/);
    expect((await repository.objects.read(tip, 'commit')).bytes.toString()).toContain('Ada Example');
  });

  it('opens a bare repository, and the git directory of a work tree', async () => {
    const bare = makeRepository(parent, { bare: true });
    const tip = bare.commit({ files: { a: '1' } });
    expect((await open(bare.path)).head?.id).toBe(tip);
    const made = makeRepository(parent);
    const other = made.commit({ files: { a: '1' } });
    expect((await open(made.gitDir)).head?.id).toBe(other);
  });

  it('reads HEAD and the refs of a linked work tree, and shares the rest', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: '1' } });
    const next = made.commit({ branch: 'topic', parents: [tip], files: { a: '2' } });
    const linked = path.join(parent, 'linked');
    made.git('worktree', 'add', '--quiet', linked, 'topic');
    runGit(linked, ['update-ref', 'refs/worktree/mine', tip]);
    runGit(made.path, ['update-ref', 'refs/worktree/theirs', tip]);
    const repository = await open(linked);
    expect(repository.head).toEqual({ ref: 'refs/heads/topic', id: next });
    expect(repository.refs.get('refs/heads/main')).toBe(tip);
    expect(repository.refs.get('refs/worktree/mine')).toBe(tip);
    expect(repository.refs.has('refs/worktree/theirs')).toBe(false);
    const main = await open(made.path);
    expect(main.refs.has('refs/worktree/mine')).toBe(false);
    expect(main.refs.get('refs/worktree/theirs')).toBe(tip);
  });

  it('opens the checkout of a submodule', async () => {
    const inner = makeRepository(parent);
    const tip = inner.commit({ files: { a: '1' } });
    const outer = makeRepository(parent);
    outer.commit({ files: { b: '1' } });
    outer.checkout('main');
    outer.git('submodule', '--quiet', 'add', inner.path, 'sub');
    expect((await open(path.join(outer.path, 'sub'))).head?.id).toBe(tip);
  });

  it.each(['with space', 'quo"te', "apo'strophe", 'new\nline', '#hash', 'ünïcode', 'back\\slash', '-dash'])(
    'opens a repository in a folder called %j',
    async (name) => {
      const made = makeRepository(parent, { name });
      const tip = made.commit({ files: { a: '1' } });
      const repository = await open(made.path);
      expect((await repository.objects.look(tip))?.type).toBe('commit');
    },
  );

  it('reads a repository of SHA-256', async () => {
    const made = makeRepository(parent, { format: 'sha256' });
    const first = made.commit({ files: { a: '1' } });
    const second = made.commit({ files: { a: '2' } });
    const repository = await open(made.path);
    expect(repository.format).toBe('sha256');
    expect(second).toHaveLength(64);
    expect(await repository.listRange(first, second)).toEqual([second]);
    expect((await repository.objects.read(first, 'commit')).id).toBe(first);
  });

  it('follows the alternates of the repository, relative ones and those of those', async () => {
    const one = makeRepository(parent);
    const tip = one.commit({ files: { a: '1' } });
    const two = makeRepository(parent);
    const three = makeRepository(parent);
    writeFileSync(path.join(two.gitDir, 'objects/info/alternates'), `# lent\n${one.gitDir}/objects\n/not/there\n`);
    const way = path.relative(path.join(three.gitDir, 'objects'), path.join(two.gitDir, 'objects'));
    writeFileSync(path.join(three.gitDir, 'objects/info/alternates'), `${way}\n`);
    const repository = await open(three.path);
    expect((await repository.objects.look(tip))?.type).toBe('commit');
  });

  it('says what is wrong where there is no repository', async () => {
    expect(await refusal(openRepository(parent, worldWith()))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(openRepository(path.join(parent, 'nowhere'), worldWith()))).toMatchObject({
      rule: 'not-found',
    });
    const made = makeRepository(parent);
    writeFileSync(path.join(made.path, 'file'), '');
    expect(await refusal(openRepository(path.join(made.path, 'file'), worldWith()))).toMatchObject({
      rule: 'not-found',
    });
    const lost = makeRepository(parent);
    mkdirSync(path.join(lost.path, 'sub'));
    writeFileSync(path.join(lost.path, 'sub/.git'), 'gitdir: ../elsewhere\n');
    expect(await refusal(openRepository(path.join(lost.path, 'sub'), worldWith()))).toMatchObject({
      rule: 'not-found',
    });
    writeFileSync(path.join(lost.path, 'sub/.git'), 'nonsense\n');
    expect(await refusal(openRepository(path.join(lost.path, 'sub'), worldWith()))).toMatchObject({
      rule: 'unsupported-repository',
    });
  });

  it('takes no folder of a work tree for a bare repository, whatever the change put there', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { 'src/HEAD': 'ref: refs/heads/main\n', 'src/objects/x': '', 'src/refs/x': '' } });
    made.checkout('main');
    expect(await refusal(openRepository(path.join(made.path, 'src'), worldWith()))).toMatchObject({
      rule: 'unsupported-repository',
    });
    expect((await open(made.path)).head?.id).toBe(tip);
  });
});

describe('which git is run', () => {
  it('is never one of the repository, nor one of a relative folder', async () => {
    const made = makeRepository(parent);
    made.commit({ files: { a: '1' } });
    const bin = path.join(made.path, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    const marker = path.join(parent, 'fake-git-ran');
    writeFileSync(path.join(bin, 'git'), `#!/bin/sh\ntouch '${marker}'\nexec /usr/bin/git "$@"\n`);
    chmodSync(path.join(bin, 'git'), 0o755);
    const elsewhere = path.join(parent, 'linked-bin');
    symlinkSync(bin, elsewhere);
    const PATH = ['', '.', bin, elsewhere, process.env['PATH']].join(':');
    await open(made.path, { PATH });
    expect(existsSync(marker)).toBe(false);
    const only = refusal(openRepository(made.path, worldWith({ PATH: `.:${bin}` })));
    expect(await only).toMatchObject({ rule: 'not-found', text: expect.stringContaining('there is no git in PATH') });
  });

  it.each([
    ['git version 2.37.9', 'unsupported-repository'],
    ['git version 1.9.5.msysgit.0', 'unsupported-repository'],
    ['something else', 'unsupported'],
  ])('is refused where it says %j', async (says, rule) => {
    const made = makeRepository(parent);
    const PATH = fakeGit(`echo '${says}'`);
    expect(await refusal(openRepository(made.path, worldWith({ PATH })))).toMatchObject({
      rule,
      text: expect.stringContaining('2.38'),
    });
  });

  it('ends in an error of its own words where it dies in the middle', async () => {
    const made = makeRepository(parent);
    const PATH = fakeGit(
      `case "$*" in version) echo git version 2.45.1;; *) echo 'oh \u001b[31mno' >&2; exit 9;; esac`,
    );
    const repository = await open(made.path, { PATH });
    const read = refusal(repository.objects.read('0'.repeat(40), 'blob'));
    expect(await read).toMatchObject({ rule: 'io', text: expect.stringContaining('oh \\x1b[31mno') });
  });

  it('ends in an error where it prints something else', async () => {
    const made = makeRepository(parent);
    const PATH = fakeGit(`case "$*" in version) echo git version 2.45.1;; *) echo nonsense; cat >/dev/null;; esac`);
    const repository = await open(made.path, { PATH });
    expect(await refusal(repository.objects.look('0'.repeat(40)))).toMatchObject({ rule: 'io' });
    expect(await refusal(repository.mergeTree('0'.repeat(40), '1'.repeat(40)))).toMatchObject({ rule: 'io' });
    expect(await refusal(repository.listRange('0'.repeat(40), '1'.repeat(40)))).toMatchObject({
      rule: 'object-mismatch',
    });
  });

  function fakeGit(body: string): string {
    const bin = path.join(parent, `bin-${readdirSync(parent).length}`);
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'git'), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(bin, 'git'), 0o755);
    return `${bin}:/usr/bin:/bin`;
  }
});

describe('the private directory', () => {
  it('stands in TMPDIR, for this user only, and is gone when closed, however often', async () => {
    const made = makeRepository(parent);
    made.commit({ files: { a: '1' } });
    const temporary = path.join(parent, 'tmp of mine');
    mkdirSync(temporary);
    const repository = await openRepository(made.path, worldWith({ TMPDIR: temporary }));
    expect(readdirSync(temporary)).toHaveLength(1);
    const mode = execFileSync('stat', ['-c', '%a', path.join(temporary, readdirSync(temporary)[0]!)])
      .toString()
      .trim();
    expect(mode).toBe('700');
    const pending = refusal(repository.objects.read('0'.repeat(40), 'blob'));
    await repository.close();
    await repository.close();
    expect(readdirSync(temporary)).toEqual([]);
    expect((await pending).rule).toMatch(/^(?:io|missing-object)$/);
    expect(await refusal(repository.objects.look('0'.repeat(40)))).toMatchObject({ rule: 'io' });
    expect(await refusal(repository.mergeTree('0'.repeat(40), '0'.repeat(40)))).toMatchObject({ rule: 'io' });
  });

  it('is gone when opening fails behind it', async () => {
    const made = makeRepository(parent);
    const temporary = path.join(parent, 'tmp of another');
    mkdirSync(temporary);
    const bin = path.join(parent, 'broken-bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'git'), '#!/bin/sh\nexit 1\n');
    chmodSync(path.join(bin, 'git'), 0o755);
    await refusal(openRepository(made.path, worldWith({ TMPDIR: temporary, PATH: bin })));
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('says so where TMPDIR is no folder', async () => {
    const made = makeRepository(parent);
    const attempt = openRepository(made.path, worldWith({ TMPDIR: path.join(parent, 'no such') }));
    expect(await refusal(attempt)).toMatchObject({ rule: 'io', text: expect.stringContaining('TMPDIR') });
  });

  it('is removed when a signal ends the program', async () => {
    const made = makeRepository(parent);
    const temporary = path.join(parent, 'tmp of a third');
    mkdirSync(temporary);
    const script = `
      import { openRepository } from ${JSON.stringify(path.resolve('src/git/index.ts'))};
      import { realWorld } from ${JSON.stringify(path.resolve('src/io/index.ts'))};
      await openRepository(${JSON.stringify(made.path)}, { ...realWorld(), env: process.env });
      process.kill(process.pid, 'SIGTERM');
      setTimeout(() => {}, 60000);
    `;
    const file = path.join(parent, 'killed.mjs');
    writeFileSync(file, script);
    const env = { PATH: process.env['PATH'], TMPDIR: temporary };
    expect(() => execFileSync(process.execPath, [file], { env, stdio: 'pipe' })).toThrow(
      expect.objectContaining({ signal: 'SIGTERM' }),
    );
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('nothing of the repository is run or changed', () => {
  it('whatever its configuration, hooks and attributes name', async () => {
    const made = makeRepository(parent);
    const marker = path.join(parent, 'something-ran');
    const evil = path.join(parent, 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch '${marker}'\ncat >/dev/null 2>&1\nexit 0\n`);
    chmodSync(evil, 0o755);
    const first = made.commit({
      files: { 'a.txt': '1\n2\n3\n', '.gitattributes': '*.txt merge=evil diff=evil filter=evil\n' },
    });
    const ours = made.commit({ files: { 'a.txt': 'ours\n2\n3\n' } });
    const theirs = made.commit({ branch: 'topic', parents: [first], files: { 'a.txt': '1\n2\ntheirs\n' } });
    made.checkout('main');
    writeFileSync(path.join(parent, 'included'), `[core]\n\tfsmonitor = ${evil}\n[diff]\n\texternal = ${evil}\n`);
    writeFileSync(
      path.join(made.gitDir, 'config'),
      `[core]
	repositoryformatversion = 0
	fsmonitor = ${evil}
	hooksPath = ${parent}
	pager = ${evil}
	editor = ${evil}
	sshCommand = ${evil}
	askPass = ${evil}
	attributesFile = ${path.join(parent, 'attributes')}
	worktree = ${parent}
[include]
	path = ${path.join(parent, 'included')}
[diff]
	external = ${evil}
[diff "evil"]
	textconv = ${evil}
	command = ${evil}
[merge "evil"]
	driver = ${evil} %O %A %B
[filter "evil"]
	clean = ${evil}
	smudge = ${evil}
	process = ${evil}
[alias]
	cat-file = "!${evil}"
	merge-tree = "!${evil}"
	rev-list = "!${evil}"
[gpg]
	program = ${evil}
[credential]
	helper = ${evil}
`,
    );
    writeFileSync(path.join(parent, 'attributes'), '*.txt merge=evil\n');
    writeFileSync(path.join(made.gitDir, 'info/attributes'), '*.txt merge=evil\n');
    for (const hook of ['post-checkout', 'post-merge', 'post-rewrite', 'reference-transaction', 'pre-auto-gc']) {
      writeFileSync(path.join(made.gitDir, 'hooks', hook), `#!/bin/sh\ntouch '${marker}'\n`);
      chmodSync(path.join(made.gitDir, 'hooks', hook), 0o755);
    }
    const before = hashFolder(made.path);
    const variables = Object.fromEntries(
      [
        'GIT_SSH',
        'GIT_SSH_COMMAND',
        'GIT_ASKPASS',
        'GIT_EXTERNAL_DIFF',
        'GIT_PAGER',
        'GIT_EDITOR',
        'GIT_EXEC_PATH',
      ].map((name) => [name, evil]),
    );
    const repository = await open(made.path, {
      ...variables,
      GIT_DIR: '/nonexistent',
      GIT_OBJECT_DIRECTORY: '/nonexistent',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.fsmonitor',
      GIT_CONFIG_VALUE_0: evil,
      HOME: parent,
      XDG_CONFIG_HOME: parent,
    });
    const merged = await repository.mergeTree(ours, theirs);
    expect(merged.clean).toBe(true);
    expect(await repository.mergeBases(ours, theirs)).toEqual([first]);
    expect(await repository.listRange(ours, theirs)).toEqual([theirs]);
    const tree = await repository.objects.read(merged.tree, 'tree');
    const blob = tree.bytes.subarray(-20).toString('hex');
    expect((await repository.objects.read(blob, 'blob')).bytes.toString()).toBe('ours\n2\ntheirs\n');
    await repository.close();
    expect(existsSync(marker)).toBe(false);
    expect(hashFolder(made.path)).toBe(before);
  });

  it('attributes of the work tree or of a commit do not make a conflict clean', async () => {
    const made = makeRepository(parent);
    const first = made.commit({ files: { 'a.txt': '1\n', '.gitattributes': '*.txt merge=union\n' } });
    const ours = made.commit({ files: { 'a.txt': 'ours\n' } });
    const theirs = made.commit({ branch: 'topic', parents: [first], files: { 'a.txt': 'theirs\n' } });
    made.checkout('main');
    writeFileSync(path.join(made.gitDir, 'info/attributes'), '*.txt merge=union\n');
    expect(made.git('merge-tree', '--write-tree', ours, theirs)).toMatch(/^[0-9a-f]{40}$/);
    expect((await (await open(made.path)).mergeTree(ours, theirs)).clean).toBe(false);
    const bare = makeRepository(parent, { bare: true });
    const base = bare.commit({ files: { 'a.txt': '1\n', '.gitattributes': '*.txt merge=union\n' } });
    const one = bare.commit({ files: { 'a.txt': 'ours\n' } });
    const two = bare.commit({ branch: 'topic', parents: [base], files: { 'a.txt': 'theirs\n' } });
    expect((await (await open(bare.path)).mergeTree(one, two)).clean).toBe(false);
  });

  it('a partial clone is refused before its upload-pack could run', async () => {
    const source = makeRepository(parent);
    source.commit({ files: { a: '1', b: '2' } });
    source.git('config', 'uploadpack.allowFilter', 'true');
    const clone = path.join(parent, 'partial');
    runGit(parent, ['clone', '--quiet', '--no-checkout', '--filter=blob:none', `file://${source.path}`, clone]);
    const marker = path.join(parent, 'upload-pack-ran');
    const evil = path.join(parent, 'upload.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch '${marker}'\nexit 1\n`);
    chmodSync(evil, 0o755);
    const made = openTestRepository(clone);
    made.git('config', 'remote.origin.uploadpack', evil);
    expect(await refusal(openRepository(clone, worldWith()))).toMatchObject({ rule: 'partial-clone' });
    // Even where nothing says any more that it is one.
    made.git('config', '--unset', 'remote.origin.promisor');
    made.git('config', '--unset', 'remote.origin.partialclonefilter');
    expect(await refusal(openRepository(clone, worldWith()))).toMatchObject({ rule: 'partial-clone' });
    for (const name of readdirSync(path.join(made.gitDir, 'objects/pack'))) {
      if (name.endsWith('.promisor')) execFileSync('rm', ['-f', path.join(made.gitDir, 'objects/pack', name)]);
    }
    const repository = await open(clone);
    const blob = source.git('rev-parse', 'main:a');
    expect(await refusal(repository.objects.read(blob, 'blob'))).toMatchObject({ rule: 'missing-object' });
    expect(existsSync(marker)).toBe(false);
  });
});
