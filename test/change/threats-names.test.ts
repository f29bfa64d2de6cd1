/**
 * What stands in commits and paths, of threat T27 and beyond: signs that parsers miss, and names that are made to break whoever
 * reads or prints them.
 *
 *   T27 smuggled trailers   'T27: …'        sizes and shapes   'hostile: …'
 */
import { describe, expect, it } from 'vitest';
import { aShop, denied, identOf, passes, people, undecided } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { signSsh } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const sign = 'Co-Authored-By: Claude <noreply@anthropic.com>';
const lenient = { changes: { unknown: 'treat-as-human' } };

describe('T27: a sign that git does not take for a trailer', () => {
  const shop = aShop(temporary, { policy: lenient });
  let branches = 0;
  const judge = (message: string, headers = '') => {
    branches += 1;
    const branch = `b${branches}`;
    const spec = { branch, parents: [shop.base], message, headers, author: identOf('alice') };
    shop.repo.commit({ ...spec, files: { 'src/app.py': 'x\n' } });
    return shop.judge(`main..${branch}`);
  };

  it.each<[string, (line: string) => string]>([
    ['behind a divider', (line) => `fix\n\n---\n\n${line}\n`],
    ['in a paragraph that is not the last', (line) => `fix\n\n${line}\n\nThat was all.\n`],
    ['in the subject', (line) => `${line}\n`],
    ['in an item of a squash', (line) => `squash (#1)\n\n* fix\n\n  ${line}\n\n* more\n`],
    ['in other letters', (line) => `fix\n\n${line.toUpperCase()}\n`],
    ['without the space', (line) => `fix\n\n${line.replace(': ', ':')}\n`],
    ['with a space before the colon', (line) => `fix\n\n${line.replace(':', ' :')}\n`],
    ['folded over two lines', (line) => `fix\n\n${line.replace(' <', '\n <')}\n`],
    ['with CR LF', (line) => `fix\r\n\r\n${line}\r\n`],
    ['behind a NUL, where git stops to read', (line) => `fix\n\0\n${line}\n`],
    ['without a line end', (line) => `fix\n\n${line}`],
    ['at the end of a megabyte', (line) => `fix\n\n${'a line of the message\n'.repeat(50_000)}\n${line}\n`],
    ['in the middle of a hundred thousand empty lines', (line) => `fix\n${'\n'.repeat(1e5)}${line}${'\n'.repeat(1e5)}`],
  ])('%s', async (_, message) => {
    expect(await judge(message(sign))).toMatchObject(denied('provenance-missing'));
    // The twin: somebody else wrote along.
    expect(await judge(message('Co-Authored-By: Claudia <claudia@acme.example>'))).toMatchObject(passes);
  });

  it('in an encoding that the commit names', async () => {
    expect(await judge(`fix\n\n${sign}\n`, 'encoding UTF-7\n')).toMatchObject(denied('provenance-missing'));
    expect(await judge('fix\n', 'encoding UTF-7\n')).toMatchObject(passes);
  });

  it('is shown with its line', async () => {
    const { report } = await judge(`fix\n\n---\n\n${sign}\n`);
    expect(report.commits[0]?.signs[0]).toMatchObject({ agent: 'claude-code', place: 'message:5', text: sign });
  });
});

describe('hostile', () => {
  const ansi = '\u001b[2J\u001b[1;1Hpassed\u0007\u009b';

  it.each<[string, Record<string, string>]>([
    ['a name with a line feed', { 'a\n::error::x': '1\n' }],
    ['a name with escapes', { [ansi]: '1\n' }],
    ['a name that is an option', { '--output=x': '1\n', '-rf': '1\n' }],
    ['a name that is a member of every object', { __proto__x: '1\n', constructor: '1\n', 'src/hasOwnProperty': '1\n' }],
  ])('%s is judged, and nothing breaks', async (_, files) => {
    const shop = aShop(temporary);
    const head = shop.agentCommit({ files });
    const verdict = await shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head })] });
    expect(['pass', 'denied', 'approval']).toContain(verdict.outcome);
    expect(verdict.report.range?.changedPaths).toBe(Object.keys(files).length);
    expect(await shop.judge('main..feature')).toMatchObject({ outcome: 'denied' });
  });

  it.each([
    ['a path that leaves the repository', '..', undecided('schema-invalid')],
    [
      'a file called as the directory of git',
      '.git',
      denied('approval-missing', 'high-risk-path', 'path-trick', 'policy-changed'),
    ],
    ['a name that is empty', '', undecided('schema-invalid')],
    ['a name with a slash', 'a/b', undecided('schema-invalid')],
  ])('%s in a tree that git would not write', async (_, name, expected) => {
    const shop = aShop(temporary);
    const blob = shop.repo.object('blob', 'evil\n');
    const entries = [[name, blob]] as const;
    const tree = shop.repo.object(
      'tree',
      Buffer.concat(entries.flatMap(([each, id]) => [Buffer.from(`100644 ${each}\0`), Buffer.from(id, 'hex')])),
    );
    const head = shop.agentCommit({ tree });
    const verdict = await shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head })] });
    expect(verdict).toMatchObject(expected);
  });

  it('one name twice in a tree is refused', async () => {
    const shop = aShop(temporary);
    const [good, evil] = [shop.repo.object('blob', 'good\n'), shop.repo.object('blob', 'evil\n')];
    const entry = (id: string) => [Buffer.from('100644 a\0'), Buffer.from(id, 'hex')];
    const tree = shop.repo.object('tree', Buffer.concat([...entry(good), ...entry(evil)]));
    shop.agentCommit({ tree });
    expect(await shop.judge('main..feature')).toMatchObject(undecided('schema-invalid'));
  });

  it('a hundred thousand files in one commit', async () => {
    const shop = aShop(temporary);
    const blob = Buffer.from(shop.repo.object('blob', 'x\n'), 'hex');
    const names = (count: number) => Array.from({ length: count }, (_, at) => String(at).padStart(4, '0'));
    const folder = shop.repo.object(
      'tree',
      Buffer.concat(names(1000).flatMap((name) => [Buffer.from(`100644 ${name}\0`), blob])),
    );
    const tree = shop.repo.object(
      'tree',
      Buffer.concat(names(100).flatMap((name) => [Buffer.from(`40000 ${name}\0`), Buffer.from(folder, 'hex')])),
    );
    const head = shop.agentCommit({ tree });
    const evidence = [shop.attest({ base: shop.base, head }), shop.approve({ by: 'bob', base: shop.base, head })];
    const verdict = await shop.judge('main..feature', { evidence });
    // It removes the policy as well: that is what the approval is for.
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.range?.changedPaths).toBeGreaterThan(100_000);
  });

  it('a tree that names itself into billions of files is refused before they are listed', async () => {
    const shop = aShop(temporary);
    let inner = shop.repo.object('blob', 'x\n');
    for (let level = 0; level < 10; level += 1) {
      const mode = level === 0 ? '100644' : '40000';
      const id = Buffer.from(inner, 'hex');
      const entries = Array.from({ length: 10 }, (_, at) => [Buffer.from(`${mode} ${at}\0`), id]);
      inner = shop.repo.object('tree', Buffer.concat(entries.flat()));
    }
    shop.agentCommit({ tree: inner });
    await expect(shop.judge('main..feature')).rejects.toMatchObject({ code: 'limit' });
  });

  it.each([
    [1000, 'denied'],
    [10_000, 'limit'],
  ])('a path of %i segments ends in a verdict or a limit: %s', async (depth, end) => {
    const shop = aShop(temporary);
    let inner = shop.repo.object('blob', 'x\n');
    for (let level = 0; level < depth; level += 1) {
      const mode = level === 0 ? '100644' : '40000';
      inner = shop.repo.object('tree', Buffer.concat([Buffer.from(`${mode} d\0`), Buffer.from(inner, 'hex')]));
    }
    const head = shop.agentCommit({ tree: inner });
    const run = shop.judge('main..feature', { evidence: [shop.attest({ base: shop.base, head })] });
    if (end === 'limit') await expect(run).rejects.toMatchObject({ code: 'limit' });
    else expect(await run).toMatchObject({ outcome: end, rules: expect.arrayContaining(['path-trick']) });
  });

  it('thousands of branches that lead into one long range', async () => {
    const shop = aShop(temporary, { policy: lenient });
    let tip = shop.base;
    const tips: string[] = [];
    const tree = shop.repo.treeOf(tip);
    for (let at = 0; at < 1000; at += 1) {
      tip = shop.repo.commit({ branch: null, parents: [tip], tree, author: identOf('alice') });
      tips.push(tip);
    }
    shop.repo.ref('refs/heads/long', tip);
    expect(await shop.judge('main..long')).toMatchObject(passes);
    for (const [at, each] of tips.entries()) shop.repo.ref(`refs/remotes/origin/claude/fix-${at}`, each);
    const verdict = await shop.judge('main..long');
    expect(verdict).toMatchObject(denied('provenance-missing'));
    expect(verdict.report.commits.map(({ signs }) => signs.length)).toEqual(tips.map(() => 1));
  });

  it('a merge of hundreds of parents is refused, and not replayed one by one', async () => {
    const shop = aShop(temporary);
    const one = shop.humanCommit({ files: { a: '1\n' } });
    const two = shop.humanCommit({ branch: 'two', files: { b: '1\n' } });
    const merge = (parents: readonly string[]) =>
      shop.repo.commit({ branch: 'merged', parents, files: { b: '1\n' }, author: identOf('alice') });
    merge([one, two]);
    expect(await shop.judge('main..merged')).toMatchObject(passes);
    merge([one, ...Array.from({ length: 500 }, () => two)]);
    expect(await shop.judge('main..merged')).toMatchObject(undecided('unsupported-repository'));
  });

  it('a commit whose signature is a megabyte, or is none', async () => {
    const shop = aShop(temporary);
    const forged = (text: string) => {
      shop.repo.ref('refs/heads/feature', undefined);
      shop.unsignedCommit({ files: { a: '1\n' }, sign: () => text });
      return shop.judge('main..feature');
    };
    const armour = (body: string) => `-----BEGIN SSH SIGNATURE-----\n${body}\n-----END SSH SIGNATURE-----`;
    for (const body of ['A'.repeat(70), `${'A'.repeat(70)}\n`.repeat(15_000).trimEnd(), 'U1NIU0lH', '']) {
      const verdict = await forged(armour(body));
      expect(verdict.outcome).toBe('denied');
      expect(verdict.rules).toContain('agent-undeclared');
    }
    expect(await forged('-----BEGIN PGP SIGNATURE-----\n\n=AAAA\n-----END PGP SIGNATURE-----')).toMatchObject({
      outcome: 'denied',
    });
    shop.repo.ref('refs/heads/feature', undefined);
    shop.unsignedCommit({ files: { a: '1\n' }, sign: (payload) => signSsh(people.alice, payload) });
    expect(await shop.judge('main..feature')).toMatchObject(passes);
  });

  it.each<[string, string]>([
    ['an author line twice', 'author x <x@x.example> 1 +0000\n'],
    ['a tree line twice', `tree ${'a'.repeat(40)}\n`],
    ['a parent behind the committer', `parent ${'a'.repeat(40)}\n`],
    ['a second signature', 'gpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\ngpgsig x\n'],
  ])('%s in a commit is refused', async (_, headers) => {
    const shop = aShop(temporary);
    shop.unsignedCommit({ files: { a: '1\n' }, headers });
    const verdict = await shop.judge('main..feature');
    expect(verdict).toMatchObject(undecided('schema-invalid'));
  });
});
