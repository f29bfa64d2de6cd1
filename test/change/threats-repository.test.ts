/**
 * Repositories that lie about what is in them, of threats T17, T18 and T29 and of the preflight: each can be judged as long as
 * it is untouched, and is refused with exit code 3 and the name of what is wrong when it is not.
 *
 *   T17 shallow clones       'T17: …'        partial clones, missing objects, replacements, grafts, unrelated histories,
 *   T18 empty ranges         'T18: …'        ambiguous names and the wrong branch: 'preflight: …'
 *   T29 configuration        'T29: …'
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { aShop, denied, passes, policyText, type Shop, undecided } from '../kit/change.ts';
import { hashFolder, openTestRepository, runGit, writeLooseAs } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();

/** A sound change, and the judgement of the shop or of another clone of it. */
function sound() {
  const shop = aShop(temporary);
  const head = shop.agentCommit({ files: { 'src/app.py': 'good()\n' } });
  const evidence = [shop.attest({ base: shop.base, head })];
  return { shop, head, evidence, judge: (range = 'main..feature') => shop.judge(range, { evidence }) };
}

function clone(shop: Shop, ...options: string[]) {
  const folder = `${shop.repo.path}-clone`;
  runGit(temporary, ['clone', '--quiet', ...options, `file://${shop.repo.path}`, folder]);
  return openTestRepository(folder);
}

const script = (name: string, body: string): string => {
  const file = path.join(temporary, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
};

describe('T17: a shallow clone', () => {
  it('is refused, with the command that repairs it, and that command does', async () => {
    const { shop, head, evidence } = sound();
    shop.repo.checkout('feature');
    const shallow = clone(shop, '--depth=1', '--no-single-branch');
    const judge = () =>
      shop.judge(`${shop.base}..${head}`, { evidence, repository: shallow.path, baseRef: 'refs/heads/main' });
    const refused = await judge();
    expect(refused).toMatchObject(undecided('shallow'));
    expect(refused.report.commits).toEqual([]);
    expect(refused.report.findings[0]?.hints.join('\n')).toContain('git fetch --unshallow');
    shallow.git('fetch', '--quiet', '--unshallow');
    expect(await judge()).toMatchObject(passes);
  });

  it('so shallow that base and head are the same commit is no empty range', async () => {
    const { shop } = sound();
    const shallow = clone(shop, '--depth=1');
    expect(await shop.judge('main..main', { repository: shallow.path })).toMatchObject(undecided('shallow'));
  });
});

describe('T18: an empty range', () => {
  it.each([
    ['base and head are one commit', 'main..main'],
    ['the base has all of the head', 'feature..main'],
    ['the head is behind the base', 'feature..feature~1'],
  ])('%s: never "no commits, nothing wrong"', async (_, range) => {
    const { judge } = sound();
    expect(await judge()).toMatchObject(passes);
    expect(await judge(range)).toMatchObject(undecided('range-empty'));
  });
});

describe('preflight', () => {
  it('a partial clone runs nothing and is refused', async () => {
    const { shop, evidence, judge } = sound();
    shop.repo.git('config', 'uploadpack.allowFilter', 'true');
    shop.repo.checkout('feature');
    const partial = clone(shop, '--no-checkout', '--filter=blob:none');
    const marker = path.join(temporary, 'upload-pack-ran');
    partial.git('config', 'remote.origin.uploadpack', script('upload.sh', `touch '${marker}'\nexit 1`));
    const refused = await shop.judge('origin/main..origin/feature', { evidence, repository: partial.path });
    expect(refused).toMatchObject(undecided('partial-clone'));
    expect(existsSync(marker)).toBe(false);
    expect(await judge()).toMatchObject(passes);
  });

  it('a partial clone that says so nowhere lacks its objects', async () => {
    const { shop, evidence } = sound();
    shop.repo.git('config', 'uploadpack.allowFilter', 'true');
    const partial = clone(shop, '--no-checkout', '--filter=blob:none');
    const marker = path.join(temporary, 'upload-pack-ran-again');
    partial.git('config', 'remote.origin.uploadpack', script('again.sh', `touch '${marker}'\nexit 1`));
    partial.git('config', '--unset', 'remote.origin.promisor');
    partial.git('config', '--unset', 'remote.origin.partialclonefilter');
    const packs = path.join(partial.gitDir, 'objects/pack');
    for (const name of readdirSync(packs)) if (name.endsWith('.promisor')) rmSync(path.join(packs, name));
    const refused = await shop.judge('origin/main..origin/feature', { evidence, repository: partial.path });
    expect(refused).toMatchObject(undecided('missing-object'));
    expect(existsSync(marker)).toBe(false);
  });

  it('a replaced commit is refused, also one that hides the work of an agent', async () => {
    const { shop, head, judge } = sound();
    const innocent = shop.humanCommit({ branch: 'innocent', files: { 'src/app.py': 'good()\n' } });
    expect(await judge()).toMatchObject(passes);
    shop.repo.git('replace', head, innocent);
    expect(shop.repo.git('log', '-1', '--format=%an', 'feature')).toBe('alice');
    expect(await judge()).toMatchObject(undecided('replaced-objects'));
    shop.repo.git('pack-refs', '--all');
    expect(await judge()).toMatchObject(undecided('replaced-objects'));
  });

  it('a graft that takes commits out of the range is refused', async () => {
    const { shop, head, judge } = sound();
    shop.humanCommit({ files: { 'src/more.py': 'x\n' } });
    const tip = shop.tip('feature');
    expect(await judge()).toMatchObject(passes);
    mkdirSync(path.join(shop.repo.gitDir, 'info'), { recursive: true });
    writeFileSync(path.join(shop.repo.gitDir, 'info/grafts'), `${tip} ${shop.base}\n`);
    expect(shop.repo.git('rev-list', 'main..feature').split('\n')).not.toContain(head);
    expect(await judge()).toMatchObject(undecided('replaced-objects'));
  });

  it.each(['commit', 'tree', 'blob'] as const)('a missing %s is refused', async (type) => {
    const { shop, head, judge } = sound();
    const id = { commit: head, tree: `${head}:src`, blob: `${head}:src/app.py` }[type];
    const lost = shop.repo.git('rev-parse', id);
    expect(await judge()).toMatchObject(passes);
    rmSync(path.join(shop.repo.gitDir, 'objects', lost.slice(0, 2), lost.slice(2)));
    expect(await judge()).toMatchObject(undecided('missing-object'));
  });

  it.each(['commit', 'tree', 'blob'] as const)('a %s with other bytes than its name says is refused', async (type) => {
    const { shop, head, judge } = sound();
    const id = shop.repo.git('rev-parse', { commit: head, tree: `${head}:src`, blob: `${head}:src/app.py` }[type]);
    const other = { commit: shop.base, tree: `${shop.base}:infra`, blob: `${shop.base}:README.md` }[type];
    const bytes = runGit(shop.repo.path, ['cat-file', type, other]);
    expect(await judge()).toMatchObject(passes);
    const file = path.join(shop.repo.gitDir, 'objects', id.slice(0, 2), id.slice(2));
    chmodSync(file, 0o644);
    rmSync(file);
    writeLooseAs(shop.repo.gitDir, id, type, bytes);
    expect(await judge()).toMatchObject(undecided('object-mismatch'));
  });

  it('unrelated histories are refused, and a root commit that is merged in is a commit like any other', async () => {
    const { shop, head } = sound();
    const alien = shop.agentCommit({ branch: 'alien', parents: [], only: true, files: { 'alien.py': 'x\n' } });
    expect(await shop.judge('main..alien')).toMatchObject(undecided('unrelated-histories'));
    const joined = shop.repo.commit({
      branch: 'joined',
      parents: [head, alien],
      tree: shop.repo.tree({}),
      author: 'alice <alice@acme.example>',
    });
    const evidence = [shop.attest({ base: shop.base, head })];
    const verdict = await shop.judge('main..joined', { evidence });
    expect(verdict.outcome).toBe('denied');
    expect(verdict.report.commits.map(({ id }) => id).sort()).toEqual([alien, head, joined].sort());
    expect(verdict.report.commits.find(({ id }) => id === alien)?.missing).toEqual(['range-gap']);
  });

  it('histories that cross have no one start, and are refused', async () => {
    const { shop, head, judge } = sound();
    const other = shop.advance({ 'docs/a.md': 'a\n' });
    expect(await judge()).toMatchObject(passes);
    shop.merge(head, other);
    shop.merge(other, head, { branch: 'main' });
    shop.agentCommit({ files: { 'src/b.py': 'b\n' } });
    shop.advance({ 'docs/c.md': 'c\n' });
    expect(await judge()).toMatchObject(undecided('range-ambiguous'));
  });

  it('a tag that poses as the protected branch is refused, by its short name and in full', async () => {
    const { shop, judge, evidence } = sound();
    const weak = shop.repo.commit({
      branch: null,
      parents: [shop.base],
      files: { 'tidewaiter.policy.yaml': policyText({ changes: { unknown: 'treat-as-human' } }) },
    });
    expect(await judge()).toMatchObject(passes);
    shop.repo.tag('main', weak);
    expect(await judge()).toMatchObject(undecided('ref-ambiguous'));
    expect(await judge('refs/tags/main..feature')).toMatchObject(undecided('base-ref-mismatch'));
    const stated = { evidence, baseRef: 'refs/heads/main' };
    expect(await shop.judge('refs/tags/main..feature', stated)).toMatchObject(undecided('base-ref-mismatch'));
    expect(await judge('refs/heads/main..feature')).toMatchObject(passes);
  });

  it('a branch whose name is the id of another commit is refused', async () => {
    const { shop, head, judge } = sound();
    shop.agentCommit({ branch: 'evil', files: { 'src/app.py': 'evil()\n' } });
    expect(await judge(`main..${head}`)).toMatchObject(passes);
    shop.repo.ref(`refs/heads/${head}`, shop.tip('evil'));
    expect(await judge(`main..${head}`)).toMatchObject(undecided('ref-ambiguous'));
  });

  it('another branch than that of the policy is refused, and so is a commit of none', async () => {
    const { shop, head, evidence, judge } = sound();
    shop.repo.ref('refs/heads/develop', shop.base);
    expect(await judge('develop..feature')).toMatchObject(undecided('base-ref-mismatch'));
    const aside = shop.repo.commit({
      branch: null,
      parents: [shop.base],
      files: { 'tidewaiter.policy.yaml': policyText({ changes: { unknown: 'treat-as-human' } }) },
    });
    const upon = shop.agentCommit({ branch: 'upon', parents: [aside], files: { x: '1\n' } });
    expect(await judge(`${aside}..${upon}`)).toMatchObject(undecided('base-ref-mismatch'));
    expect(await judge(`${shop.base}..${head}`)).toMatchObject(passes);
    expect(await shop.judge(`${shop.base}..${head}`, { evidence, baseRef: 'refs/heads/develop' })).toMatchObject(
      undecided('base-ref-mismatch'),
    );
  });

  it('a part of the change as the base of the rest is refused', async () => {
    const { shop, evidence } = sound();
    const first = shop.agentCommit({ files: { 'tidewaiter.policy.yaml': 'version: 1\n' } });
    shop.humanCommit({ files: { 'src/more.py': 'x\n' } });
    const weak = shop.agentCommit({
      files: { 'tidewaiter.policy.yaml': policyText({ changes: { unknown: 'treat-as-human' } }) },
    });
    shop.unsignedCommit({ files: { 'src/app.py': 'evil()\n' } });
    for (const base of [weak, 'feature~1']) {
      const verdict = await shop.judge(`${base}..feature`, { evidence });
      expect(verdict).toMatchObject(undecided('base-ref-mismatch'));
    }
    expect((await shop.judge(`main..${first}`, { evidence })).outcome).toBe('denied');
  });

  it('a protected branch that stands for another one is that other one', async () => {
    const { shop, judge } = sound();
    expect(await judge()).toMatchObject(passes);
    shop.repo.ref('refs/heads/evil', shop.base);
    shop.repo.git('symbolic-ref', 'refs/heads/main', 'refs/heads/evil');
    expect(await judge()).toMatchObject(undecided('base-ref-mismatch'));
  });

  it('what is no range and what is not there is an error, and no verdict', async () => {
    const { judge } = sound();
    const codes = [];
    for (const range of ['main', 'main...feature', 'main..nowhere', 'main..--all', '..', 'main..feature..x']) {
      codes.push(
        await judge(range).catch((error: unknown) => (error instanceof OperationalError ? error.code : error)),
      );
    }
    expect(codes).toEqual(['usage', 'usage', 'not-found', 'usage', 'usage', 'usage']);
  });
});

describe('T29: nothing of the repository is run or changed', () => {
  it('by a hostile configuration, hooks and attributes, with a merge that has to be replayed', async () => {
    const shop = aShop(temporary, { files: { '.gitattributes': '*.py merge=evil diff=evil filter=evil\n' } });
    const marker = path.join(temporary, 'something-ran');
    const evil = script('evil.sh', `touch '${marker}'\ncat >/dev/null 2>&1\nexit 0`);
    const one = shop.agentCommit({ files: { 'src/app.py': 'def pay():\n    check()\n    charge(2)\n' } });
    const moved = shop.advance({ 'src/app.py': 'def pay2():\n    check()\n    charge()\n' });
    const head = shop.merge(one, moved);
    const evidence = [shop.attest({ base: shop.base, head: one })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
    shop.repo.checkout('feature');
    writeFileSync(path.join(temporary, 'included'), `[core]\n\tfsmonitor = ${evil}\n`);
    writeFileSync(
      path.join(shop.repo.gitDir, 'config'),
      `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ${evil}\n\thooksPath = ${temporary}\n\tpager = ${evil}
\tattributesFile = ${temporary}/attributes\n\tworktree = ${temporary}\n\tsshCommand = ${evil}
[include]\n\tpath = ${temporary}/included\n[includeIf "gitdir:/"]\n\tpath = ${temporary}/included
[diff]\n\texternal = ${evil}\n[diff "evil"]\n\ttextconv = ${evil}\n\tcommand = ${evil}
[merge "evil"]\n\tdriver = ${evil} %O %A %B\n[filter "evil"]\n\tclean = ${evil}\n\tsmudge = ${evil}
[alias]\n\tcat-file = "!${evil}"\n\tmerge-tree = "!${evil}"\n\tversion = "!${evil}"\n[gpg]\n\tprogram = ${evil}
[uploadpack]\n\tpackObjectsHook = ${evil}\n[credential]\n\thelper = ${evil}\n`,
    );
    writeFileSync(path.join(shop.repo.gitDir, 'info/attributes'), '*.py merge=evil\n');
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc']) {
      writeFileSync(path.join(shop.repo.gitDir, 'hooks', hook), `#!/bin/sh\ntouch '${marker}'\n`);
      chmodSync(path.join(shop.repo.gitDir, 'hooks', hook), 0o755);
    }
    const before = hashFolder(shop.repo.path);
    const verdict = await shop.judge('main..feature', { evidence });
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.commits.find(({ id }) => id === head)?.replay).toBe('clean');
    expect(existsSync(marker)).toBe(false);
    expect(hashFolder(shop.repo.path)).toBe(before);
  });

  it('merge=union in the work tree, in info and in a commit leaves a conflict what it is', async () => {
    const shop = aShop(temporary, { files: { '.gitattributes': '*.py merge=union\n' } });
    const one = shop.agentCommit({ files: { 'src/app.py': 'ours()\n' } });
    const moved = shop.advance({ 'src/app.py': 'theirs()\n' });
    shop.repo.checkout('feature');
    writeFileSync(path.join(shop.repo.gitDir, 'info/attributes'), '*.py merge=union\n');
    // What plain git makes of it, by the attribute: both lines, and no conflict.
    const union = shop.repo.git('merge-tree', '--write-tree', one, moved).split('\n')[0]!;
    const head = shop.repo.commit({ branch: 'feature', tree: union, parents: [one, moved], author: 'x <x@x.example>' });
    const evidence = [shop.attest({ base: shop.base, head: one })];
    const verdict = await shop.judge('main..feature', { evidence });
    expect(verdict).toMatchObject({ outcome: 'denied', code: 1 });
    expect(verdict.rules).toContain('merge-residual');
    expect(verdict.report.commits.find(({ id }) => id === head)?.replay).toBe('conflict');
    const owned = shop.attest({ base: shop.base, head });
    expect(await shop.judge('main..feature', { evidence: [owned] })).toMatchObject(passes);
  });

  it('an environment that names another repository changes nothing', async () => {
    const { shop, evidence } = sound();
    const other = aShop(temporary);
    const variables = {
      GIT_DIR: other.repo.gitDir,
      GIT_WORK_TREE: other.repo.path,
      GIT_OBJECT_DIRECTORY: path.join(other.repo.gitDir, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(other.repo.gitDir, 'objects'),
      GIT_EXEC_PATH: temporary,
      GIT_CONFIG_GLOBAL: path.join(temporary, 'included'),
    };
    const saved = { ...process.env };
    Object.assign(process.env, variables);
    try {
      expect(await shop.judge('main..feature', { evidence })).toMatchObject(passes);
    } finally {
      for (const name of Object.keys(variables)) {
        if (saved[name] === undefined) delete process.env[name];
        else process.env[name] = saved[name];
      }
    }
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a repository of somebody else is read, and git is not asked to trust it',
    async () => {
      const { shop, judge } = sound();
      spawnSync('chown', ['-R', '65534:65534', shop.repo.path]);
      expect(() => runGit(shop.repo.path, ['status'])).toThrow(/dubious ownership/);
      expect(await judge()).toMatchObject(passes);
    },
  );

  it('a repository that may only be read is read, and left as it is', async () => {
    const { shop, judge } = sound();
    const before = hashFolder(shop.repo.path);
    spawnSync('chmod', ['-R', 'a-w', shop.repo.path]);
    const locked = hashFolder(shop.repo.path);
    expect(await judge()).toMatchObject(passes);
    expect(hashFolder(shop.repo.path)).toBe(locked);
    spawnSync('chmod', ['-R', 'u+w', shop.repo.path]);
    expect(before).not.toBe(locked);
  });

  it('an agent whose work is in the range through the second parent alone is found', async () => {
    const shop = aShop(temporary);
    const human = shop.humanCommit({ files: { 'docs/a.md': 'a\n' } });
    const agent = shop.agentCommit({ branch: 'side', files: { 'src/app.py': 'evil()\n' } });
    shop.merge(human, agent);
    expect(shop.repo.git('rev-list', '--first-parent', 'main..feature').split('\n')).not.toContain(agent);
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    expect(await shop.judge(`main..${human}`)).toMatchObject(passes);
  });
});
