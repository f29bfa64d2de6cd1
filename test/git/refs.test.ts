import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { openRepository, parseRangeText, resolveRevision } from '../../src/git/index.ts';
import { isNamePart } from '../../src/git/ref-name.ts';
import { parsePackedRefs, parseRef } from '../../src/git/refs.ts';
import { parseRevision } from '../../src/git/revision.ts';
import { makeRepository, runGit, writeLooseAs } from '../kit/repository.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { open, refusal, worldWith } from './open.ts';

const parent = temporaryDirectory();
const zeros = '0'.repeat(40);

describe('refs', () => {
  it('are what git lists, loose and packed, the loose one first', async () => {
    const made = makeRepository(parent);
    const first = made.commit({ files: { a: '1' } });
    made.tag('v1', first);
    made.git('pack-refs', '--all', '--prune');
    const second = made.commit({ files: { a: '2' } });
    made.ref('refs/heads/deep/er/name', first);
    made.ref('refs/remotes/origin/main', second);
    made.git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
    made.ref('refs/notes/commits', first);
    const repository = await open(made.path);
    const listed = made.git('for-each-ref', '--format=%(refname) %(objectname)').split('\n');
    expect([...repository.refs].map((pair) => pair.join(' ')).sort()).toEqual(listed.sort());
    expect(repository.refs.get('refs/heads/main')).toBe(second);
    expect(repository.symbolicRefs).toEqual(new Map([['refs/remotes/origin/HEAD', 'refs/remotes/origin/main']]));
    expect(repository.brokenRefs.size).toBe(0);
  });

  it('of 50,000 lines of packed-refs are read', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: '1' } });
    const names = Array.from({ length: 50_000 }, (_, at) => `refs/pull/${String(at).padStart(6, '0')}/head`);
    const header = '# pack-refs with: peeled fully-peeled sorted \n';
    writeFileSync(
      path.join(made.gitDir, 'packed-refs'),
      `${header}${names.map((name) => `${tip} ${name}\n`).join('')}`,
    );
    const repository = await open(made.path);
    expect(repository.refs.size).toBe(50_001);
    expect((await resolveRevision(repository, 'pull/049999/head')).ref).toBe('refs/pull/049999/head');
  });

  it.each([
    `${zeros} refs/heads/a`,
    `${zeros}  refs/heads/a\nx\n`,
    `${zeros.slice(1)} refs/heads/a\n`,
    `${zeros}0 refs/heads/a\n`,
    `${zeros} refs/heads/a\n${zeros} refs/heads/a\n`,
    `^${zeros}\n`,
    `${zeros} refs/heads/a\n^${zeros}\n^${zeros}\n`,
    `${zeros} refs/heads/a\n# late\n`,
    `${zeros} refs/heads/a\n\n`,
    '<<<<<<< HEAD\n',
  ])('packed otherwise than git packs them are refused: %j', (text) => {
    expect(() => parsePackedRefs(Buffer.from(text), 'sha1')).toThrow('packed-refs');
  });

  it('that are broken keep their name, and nothing else takes it', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: '1' } });
    made.ref('refs/heads/fine', tip);
    made.git('pack-refs', '--all', '--prune');
    mkdirSync(path.join(made.gitDir, 'refs/heads/in'), { recursive: true });
    writeFileSync(path.join(made.gitDir, 'refs/heads/fine'), '');
    writeFileSync(path.join(made.gitDir, 'refs/heads/dangling'), 'ref: refs/heads/nowhere\n');
    writeFileSync(path.join(made.gitDir, 'refs/heads/circle'), 'ref: refs/heads/circle\n');
    writeFileSync(path.join(made.gitDir, 'refs/heads/outside'), 'ref: ../../etc/passwd\n');
    writeFileSync(path.join(made.gitDir, 'refs/heads/bad name'), `${tip}\n`);
    writeFileSync(path.join(made.gitDir, 'refs/heads/half'), `${tip.slice(0, 20)}\n`);
    writeFileSync(path.join(made.gitDir, 'refs/heads/in/.DS_Store'), 'x');
    writeFileSync(path.join(made.gitDir, 'refs/heads/main.lock'), 'x');
    const repository = await open(made.path);
    expect([...repository.brokenRefs.keys()].sort()).toEqual(
      ['bad name', 'circle', 'dangling', 'fine', 'half', 'outside'].map((name) => `refs/heads/${name}`),
    );
    expect([...repository.refs.keys()]).toEqual(['refs/heads/main']);
    expect(await refusal(resolveRevision(repository, 'fine'))).toMatchObject({ rule: 'unsupported-repository' });
  });

  it('as links: an old symbolic ref is followed, one that leads elsewhere is refused', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: '1' } });
    symlinkSync('refs/heads/main', path.join(made.gitDir, 'refs/heads/link'));
    const repository = await open(made.path);
    expect(repository.refs.get('refs/heads/link')).toBe(tip);
    expect(repository.symbolicRefs.get('refs/heads/link')).toBe('refs/heads/main');
    symlinkSync('/etc/hostname', path.join(made.gitDir, 'refs/heads/host'));
    expect(await refusal(openRepository(made.path, worldWith()))).toMatchObject({ rule: 'unsupported-repository' });
  });

  it('HEAD: detached, unborn, or broken', async () => {
    const made = makeRepository(parent);
    expect((await open(made.path)).head).toBeUndefined();
    const tip = made.commit({ files: { a: '1' } });
    made.checkout(tip);
    expect((await open(made.path)).head).toEqual({ id: tip });
    writeFileSync(path.join(made.gitDir, 'HEAD'), 'ref: nowhere\n');
    expect(await refusal(openRepository(made.path, worldWith()))).toMatchObject({ rule: 'unsupported-repository' });
    writeFileSync(path.join(made.gitDir, 'HEAD'), 'ref: refs/heads/main\n');
    writeFileSync(path.join(made.gitDir, 'refs/heads/main'), '');
    expect(await refusal(openRepository(made.path, worldWith()))).toMatchObject({ rule: 'unsupported-repository' });
  });

  it('have the names that git check-ref-format allows', () => {
    const made = makeRepository(parent);
    const pieces = [
      'a',
      'b',
      '/',
      '.',
      '..',
      '@',
      '{',
      '@{',
      '.lock',
      '~',
      ' ',
      '\\',
      '-',
      '*',
      'ü',
      '\u007f',
      '[',
      ']',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 7 }), (parts) => {
        const name = parts.join('');
        fc.pre(!name.startsWith('-'));
        let allowed = true;
        try {
          runGit(made.path, ['check-ref-format', '--allow-onelevel', name]);
        } catch {
          allowed = false;
        }
        expect(isNamePart(name)).toBe(allowed);
      }),
      { numRuns: 100 },
    );
  });

  it('in any bytes end in refs or in a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseRef(Buffer.from(bytes), 'sha1');
        try {
          parsePackedRefs(Buffer.from(bytes), 'sha256');
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
      }),
    );
  });
});

describe('a name of a commit', () => {
  async function history() {
    const made = makeRepository(parent);
    const root = made.commit({ files: { a: '1' } });
    const side = made.commit({ branch: 'side', parents: [root], files: { b: '1' } });
    const two = made.commit({ files: { a: '2' } });
    const merged = made.merge(two, side);
    const tip = made.commit({ files: { a: '3' } });
    const tag = made.tag('v1', merged);
    made.tag('v1-again', tag, 'tag');
    made.ref('refs/remotes/origin/main', two);
    made.ref('refs/remotes/origin/only-there', side);
    made.git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
    return { made, root, side, two, merged, tip, repository: await open(made.path) };
  }

  it('means what git takes it for', async () => {
    const { made, repository, tip } = await history();
    const names = [
      'HEAD',
      '@',
      'main',
      'heads/main',
      'refs/heads/main',
      'origin/main',
      'origin',
      'v1',
      'tags/v1',
      'v1-again',
    ];
    const steps = [
      '',
      '~',
      '~1',
      '~2',
      '^',
      '^1',
      '^^',
      '~1^2',
      '^^2',
      '^{commit}',
      '^0',
      '^{}',
      '~0',
      '~~',
      '^{commit}~1',
    ];
    let compared = 0;
    for (const name of [...names, tip, tip.slice(0, 8), tip.toUpperCase()]) {
      for (const step of steps) {
        let expected: string | undefined;
        try {
          expected = made.git('rev-parse', '--verify', '--quiet', `${name}${step}^{commit}`);
        } catch {}
        const got = await resolveRevision(repository, `${name}${step}`).catch(() => undefined);
        expect([name, step, got?.id]).toEqual([name, step, expected]);
        if (got !== undefined) compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(120);
  });

  it('comes with the full name of its ref, which steps take away', async () => {
    const { repository, merged, tip } = await history();
    expect(await resolveRevision(repository, 'HEAD')).toEqual({ id: tip, ref: 'refs/heads/main' });
    expect(await resolveRevision(repository, 'v1')).toEqual({ id: merged, ref: 'refs/tags/v1', isTag: true });
    expect(await resolveRevision(repository, 'v1-again^{commit}')).toMatchObject({ id: merged, isTag: true });
    expect((await resolveRevision(repository, 'origin')).ref).toBe('refs/remotes/origin/main');
    expect(await resolveRevision(repository, 'HEAD~1')).toEqual({ id: merged });
    expect(await resolveRevision(repository, tip)).toEqual({ id: tip });
  });

  it('that a branch and a tag have is refused, and so is every other name of two things', async () => {
    const { made, root, tip } = await history();
    made.ref('refs/heads/both', tip);
    made.ref('refs/tags/both', root);
    made.ref('refs/heads/same', tip);
    made.ref('refs/tags/same', tip);
    made.ref('refs/remotes/remote', tip);
    made.ref('refs/heads/remote', tip);
    made.ref(`refs/heads/${tip}`, root);
    made.ref(`refs/tags/${root.slice(0, 7)}`, tip);
    made.ref('refs/tags/HEAD', root);
    made.ref('refs/direct', root);
    made.ref('refs/heads/direct', tip);
    writeFileSync(path.join(made.gitDir, 'refs/heads/v1'), '');
    const repository = await open(made.path);
    for (const name of ['both', 'same', 'remote', tip, root.slice(0, 7), 'HEAD', 'direct', 'v1', 'both~1']) {
      expect(await refusal(resolveRevision(repository, name))).toMatchObject({ rule: 'ref-ambiguous' });
    }
    const { text } = await refusal(resolveRevision(repository, root.slice(0, 7)));
    expect(text).toContain(`write the one that is meant in full: refs/tags/${root.slice(0, 7)} or ${root}`);
    expect((await resolveRevision(repository, 'refs/heads/both')).ref).toBe('refs/heads/both');
    expect((await resolveRevision(repository, 'tags/both')).isTag).toBe(true);
    expect((await resolveRevision(repository, '@')).id).toBe(tip);
  });

  it('of a few digits is refused where two commits begin with them', async () => {
    const made = makeRepository(parent);
    const one = made.commit({ files: { a: '1' } });
    const bytes = runGit(made.path, ['cat-file', 'commit', one]);
    const other = `${one.slice(0, 7)}${'f'.repeat(33)}`;
    writeLooseAs(made.gitDir, other, 'commit', bytes);
    // A blob of these digits does no harm.
    writeLooseAs(made.gitDir, `${one.slice(0, 9)}${'e'.repeat(31)}`, 'blob', Buffer.from('x'));
    const repository = await open(made.path);
    expect(await refusal(resolveRevision(repository, one.slice(0, 7)))).toMatchObject({ rule: 'ref-ambiguous' });
    expect((await resolveRevision(repository, one.slice(0, 9))).id).toBe(one);
    expect(await refusal(resolveRevision(repository, one.slice(0, 6)))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(resolveRevision(repository, 'abcdef0123'))).toMatchObject({ rule: 'not-found' });
  });

  it('that is not there is answered with what was tried, and with what may be meant', async () => {
    const { repository, made, tip } = await history();
    const why = await refusal(resolveRevision(repository, 'only-there'));
    expect(why.rule).toBe('not-found');
    expect(why.text).toContain('refs/heads/only-there');
    expect(why.text).toContain('"refs/remotes/origin/only-there" is there');
    const [remote, odd] = [
      await refusal(resolveRevision(repository, 'origin/release/2')),
      await refusal(resolveRevision(repository, 'origin/$(id)')),
    ];
    expect(remote.text).toContain('git fetch origin +refs/heads/release/2:refs/remotes/origin/release/2\n');
    for (const text of [odd.text, (await refusal(resolveRevision(repository, 'feature/a'))).text]) {
      expect(text).not.toContain('git fetch');
    }
    for (const name of ['FETCH_HEAD', 'MERGE_HEAD', 'CHERRY_PICK_HEAD']) {
      writeFileSync(path.join(made.gitDir, name), `${tip}\n`);
      const { rule, text } = await refusal(resolveRevision(repository, name));
      expect([rule, text]).toEqual(['not-found', expect.stringContaining(`$(git rev-parse ${name})`)]);
      expect(text).not.toContain('fetch it');
    }
    expect(await refusal(resolveRevision(repository, 'main~50'))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(resolveRevision(repository, 'main^3'))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(resolveRevision(repository, 'refs/main'))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(resolveRevision(repository, zeros))).toMatchObject({ rule: 'not-found' });
    expect(await refusal(resolveRevision(repository, '0'.repeat(64)))).toMatchObject({ rule: 'not-found' });
  });

  it('that leads to no commit is refused', async () => {
    const made = makeRepository(parent);
    const tip = made.commit({ files: { a: '1' } });
    made.tag('of-a-tree', made.treeOf(tip), 'tree');
    made.ref('refs/heads/gone', '1'.repeat(40));
    made.tag('to-nowhere', '2'.repeat(40));
    let chain = made.tag('t0', tip);
    for (let at = 1; at < 20; at += 1) chain = made.tag(`t${at}`, chain, 'tag');
    const repository = await open(made.path);
    expect(await refusal(resolveRevision(repository, 'of-a-tree'))).toMatchObject({ rule: 'usage' });
    expect(await refusal(resolveRevision(repository, 'gone'))).toMatchObject({ rule: 'missing-object' });
    expect(await refusal(resolveRevision(repository, 'to-nowhere'))).toMatchObject({ rule: 'missing-object' });
    expect((await resolveRevision(repository, 't12')).id).toBe(tip);
    expect(await refusal(resolveRevision(repository, 't19'))).toMatchObject({ rule: 'unsupported-repository' });
  });

  it.each([
    ':/text',
    '@{1}',
    'main@{yesterday}',
    'HEAD:file',
    '',
    '^main',
    '--all',
    '-x',
    'a b',
    'main^{tree}',
    'main^{/x}',
    'main~x',
    'main^-',
    'main~99999999',
    'main^!',
    'main^@',
    '~1',
    'a..b',
    'a\0b',
    'main\n',
    'main~2{commit}',
    'main~{}',
    '*',
    '@@{u}',
  ])('is not %j', (text) => {
    expect(() => parseRevision(text)).toThrow('does not name a commit');
  });

  it('of any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab~^{}0129@./-commit'), maxLength: 30 }), (text) => {
        try {
          parseRevision(text);
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
      }),
    );
  });
});

describe('a range', () => {
  it('has two ends, and an empty one is HEAD', () => {
    expect(parseRangeText('main..topic')).toEqual({ base: 'main', head: 'topic' });
    expect(parseRangeText('main..')).toEqual({ base: 'main', head: 'HEAD' });
    expect(parseRangeText('..topic')).toEqual({ base: 'HEAD', head: 'topic' });
  });

  it.each(['main', 'main...topic', '..', 'a..b..c', '', 'a....b'])('is not %j', (text) => {
    expect(() => parseRangeText(text)).toThrow(OperationalError);
  });
});
