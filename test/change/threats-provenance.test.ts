/**
 * Provenance that is about something else. Each attack in a real repository, beside a twin without it.
 *
 *   T6   other tree, range, base, repository, replayed    'provenance that …', 'one statement …', 'a base …'
 *   T8   force-push after attestation                     'T8: …'
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Attested, aShop, claude, denied, passes, people, type Shop, type Statement } from '../kit/change.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const zeros = '0'.repeat(40);

/** Two commits of an agent; every attestation of them below differs from the sound one in one thing. */
const shop = aShop(temporary);
const first = shop.agentCommit({ files: { a: 'a' } });
const head = shop.agentCommit({ files: { b: 'b' } });
const main = shop.base;

async function judged(...statements: readonly Partial<Attested>[]) {
  return shop.judge('main..feature', {
    evidence: statements.map((each) => shop.attest({ base: main, head, ...each })),
  });
}

describe('T6: provenance that is about something else', () => {
  it('provenance that is about exactly this passes, in a bundle and in a bare envelope', async () => {
    expect(await judged({})).toMatchObject(passes);
    expect(await judged({ form: 'envelope' })).toMatchObject(passes);
    expect(await judged({ repository: 'https://github.com/acme/shop.git' })).toMatchObject(passes);
  });

  const subject = { digest: { gitCommit: head, gitTree: shop.repo.treeOf(head) } };
  const otherKind = (each: Statement) => ({ ...each, predicateType: 'https://slsa.dev/provenance/v0.2' });
  const otherVersion = (each: Statement) => ({ ...each, _type: 'https://in-toto.io/Statement/v0.9' });
  const attacks: readonly (readonly [what: string, change: Partial<Attested>, rule: string])[] = [
    ['another repository', { repository: 'https://github.com/acme/shop-fork' }, 'repo-mismatch'],
    ['the same name in other letters', { repository: 'https://github.com/Acme/shop' }, 'repo-mismatch'],
    ['another host', { repository: 'https://github.com.evil.example/acme/shop' }, 'repo-mismatch'],
    ['another branch', { baseRef: 'refs/heads/release' }, 'repo-mismatch'],
    ['a short name of the branch', { baseRef: 'main' }, 'repo-mismatch'],
    ['a tree that the commit does not have', { tree: shop.repo.treeOf(first) }, 'tree-mismatch'],
    ['a tree that is nowhere', { tree: zeros }, 'tree-mismatch'],
    ['a commit that is nowhere', { commit: zeros }, 'subject-mismatch'],
    ['a base that is nowhere', { base: zeros }, 'base-mismatch'],
    ['a base and a source that differ', { source: first }, 'base-mismatch'],
    ['a base that is the head', { base: head }, 'base-mismatch'],
    ['another change by its digest', { digest: 'ab'.repeat(32) }, 'subject-mismatch'],
    ['another build type', { buildType: 'https://actions.github.io/buildtypes/workflow/v1' }, 'schema-invalid'],
    ['two subjects', { subjects: [subject, subject] }, 'schema-invalid'],
    ['no subject', { subjects: [] }, 'schema-invalid'],
    ['a commit without its tree', { subjects: [{ digest: { gitCommit: head } }] }, 'schema-invalid'],
    ['a subject elsewhere', { subjects: [{ uri: 'git+https://github.com/evil/shop@x', ...subject }] }, 'repo-mismatch'],
    ['an id in upper case', { subjects: [{ digest: { gitCommit: head.toUpperCase() } }] }, 'schema-invalid'],
    ['an id cut short', { commit: head.slice(0, 39) }, 'schema-invalid'],
    ['another kind of statement', { change: otherKind }, 'signature-unsupported'],
    ['a statement of another version', { change: otherVersion }, 'signature-unsupported'],
    ['an identity that the policy knows for other things', { by: 'release-key' }, 'identity-mismatch'],
    ['somebody whom the policy does not know', { by: 'stranger' }, 'provenance-signature'],
    ['a person', { by: people.alice }, 'identity-mismatch'],
    ['a stranger with an SSH key', { by: people.mallory }, 'identity-mismatch'],
  ];

  it.each(attacks)('provenance that is about or by %s does not count', async (_, change, rule) => {
    const verdict = await judged(change);
    expect(verdict).toMatchObject(denied('provenance-missing', rule));
    expect(verdict.report.evidence.counted).toEqual([]);
  });

  it('wrong provenance beside the right one is a remark and no reason', async () => {
    const verdict = await judged({}, { repository: 'https://github.com/acme/other' });
    expect(verdict).toMatchObject(passes);
    expect(verdict.said).toContain('repo-mismatch');
  });

  it('provenance that is for a part of the range leaves the rest', async () => {
    const prefix = await judged({ head: first });
    expect(prefix).toMatchObject(denied('range-gap'));
    expect(prefix.report.findings[0]?.commits).toEqual([head]);
    const suffix = await judged({ base: first });
    expect(suffix).toMatchObject(denied('range-gap'));
    expect(suffix.report.findings[0]?.commits).toEqual([first]);
    expect(await judged({ head: first }, { base: first })).toMatchObject(passes);
  });

  it('one statement is no two: a chain has to reach from the base to the head', async () => {
    const long = aShop(temporary);
    const ids = ['a', 'b', 'c'].map((name) => long.agentCommit({ files: { [name]: name } }));
    const [one = '', two = '', three = ''] = ids;
    const parts = [
      long.attest({ base: long.base, head: one }),
      long.attest({ base: one, head: two }),
      long.attest({ base: two, head: three }),
    ];
    expect(await long.judge('main..feature', { evidence: parts })).toMatchObject(passes);
    for (const [at, missing] of ids.entries()) {
      const verdict = await long.judge('main..feature', { evidence: parts.filter((_, each) => each !== at) });
      expect(verdict).toMatchObject(denied('range-gap'));
      expect(verdict.report.findings[0]?.commits).toEqual([missing]);
    }
  });

  it('a base that is not in the history of what is attested covers nothing', async () => {
    const other = shop.agentCommit({ files: { z: 'z' }, branch: 'elsewhere', parents: [main] });
    expect(await judged({ base: other })).toMatchObject(denied('base-mismatch', 'provenance-missing'));
  });

  it('provenance that was for what landed before does not count for the same change once more', async () => {
    const twice = aShop(temporary);
    const landed = twice.agentCommit({ files: { a: 'a' } });
    const evidence = [twice.attest({ base: twice.base, head: landed })];
    expect(await twice.judge('main..feature', { evidence })).toMatchObject(passes);
    twice.repo.ref('refs/heads/main', landed);
    twice.advance({ a: null });
    twice.agentCommit({ files: { a: 'a' }, parents: [twice.tip('main')] });
    expect(await twice.judge('main..feature', { evidence })).toMatchObject(denied('provenance-missing', 'replayed'));
  });

  it('a change that is named by its digest is held against the two commits that it is between', async () => {
    const { report } = await judged({});
    const digest = report.range?.changeDigest ?? '';
    const named = (sha256: string) => [{ name: 'change.diff', digest: { sha256 } }];
    const to = (commit: string) => (each: Statement) => {
      const text = JSON.stringify(each).replace('"baseCommit":', `"headCommit":"${commit}","baseCommit":`);
      return JSON.parse(text) as object;
    };
    expect(await judged({ digest })).toMatchObject(passes);
    expect(await judged({ subjects: named(digest), change: to(head) })).toMatchObject(passes);
    for (const wrong of [
      { subjects: named(digest), change: to(first) },
      { subjects: named(digest), change: to(head), base: first },
      { subjects: named('ab'.repeat(32)), change: to(head) },
      { subjects: named(digest) },
    ]) {
      expect(await judged(wrong)).toMatchObject(denied('provenance-missing', 'subject-mismatch'));
    }
    expect(await judged({ subjects: named(digest), base: first })).toMatchObject(
      denied('base-mismatch', 'provenance-missing'),
    );
  });

  describe('a change that is named by its digest alone', () => {
    const digestOnly = async () => {
      const one = aShop(temporary);
      const end = one.agentCommit({ files: { 'src/new.py': 'print(1)\n' } });
      const sha256 = (await one.judge('main..feature')).report.range?.changeDigest ?? '';
      const subjects = [{ name: 'change.diff', digest: { sha256 } }];
      return { one, end, evidence: [one.attest({ base: one.base, head: end, subjects })] };
    };

    it('counts from the base of the range, for one commit', async () => {
      const { one, evidence } = await digestOnly();
      expect(await one.judge('main..feature', { evidence })).toMatchObject(passes);
      const other = aShop(temporary);
      other.agentCommit({ files: { 'src/new.py': 'print(2)\n' } });
      expect(await other.judge('main..feature', { evidence })).toMatchObject({ outcome: 'denied' });
    });

    it('does not count for its tree upon a newer base, which takes back what the base has fixed', async () => {
      const { one, end, evidence } = await digestOnly();
      const fix = one.advance({ 'src/app.py': 'def pay():\n    check()\n    verify()\n    charge()\n' });
      one.repo.commit({ branch: 'evil', parents: [fix], tree: one.repo.treeOf(end), author: claude });
      expect(await one.judge('main..evil', { evidence })).toMatchObject(denied('base-mismatch', 'provenance-missing'));
      // The honest branch is still judged from where it started.
      expect(await one.judge('main..feature', { evidence })).toMatchObject(passes);
    });

    it('does not count where several commits make it: what one adds and another takes back is in no digest', async () => {
      const { one, end, evidence } = await digestOnly();
      const back = { branch: 'evil', author: claude, parents: [one.base] };
      const added = one.repo.commit({ ...back, files: { 'src/backdoor.py': 'steal()\n' } });
      one.repo.commit({ ...back, parents: [added], tree: one.repo.treeOf(end) });
      const verdict = await one.judge('main..evil', { evidence });
      expect(verdict).toMatchObject(denied('provenance-missing', 'subject-mismatch'));
      const told = verdict.report.findings.find(({ rule }) => rule === 'subject-mismatch');
      expect(told?.message).toContain('externalParameters.target.headCommit');
    });
  });

  it('a signature over other bytes is none, and so is a statement that nobody signed', async () => {
    const sound = readFileSync(shop.attest({ base: main, head, form: 'envelope' }), 'utf8');
    const envelope = JSON.parse(sound) as { payload: string };
    const text = Buffer.from(envelope.payload, 'base64').toString();
    const payload = Buffer.from(text.replace('claude-opus-4-6', 'claude-opus-4-7')).toString('base64');
    const refused = denied('provenance-missing', 'provenance-signature');
    const changed = [shop.file('changed.json', JSON.stringify({ ...envelope, payload }))];
    expect(await shop.judge('main..feature', { evidence: changed })).toMatchObject(refused);
    const bare = [shop.file('bare.json', text)];
    expect(await shop.judge('main..feature', { evidence: bare })).toMatchObject(refused);
  });
});

describe('T8: a head that was pushed over what was attested', () => {
  const pushed = (more: (shop: Shop) => void, keep: (shop: Shop) => void = () => {}) => {
    const over = aShop(temporary);
    const attested = over.agentCommit({ files: { a: 'a' } });
    keep(over);
    const evidence = [over.attest({ base: over.base, head: attested })];
    more(over);
    return over.judge('main..feature', { evidence });
  };
  const replaced = denied('landing-residual', 'provenance-missing');

  it('other content in its place is not what was attested; the same content under another message is', async () => {
    const put = (files: Readonly<Record<string, string>>) => (over: Shop) =>
      void over.agentCommit({ parents: [over.base], files, message: `amended\n\nCo-Authored-By: Claude\n` });
    expect(await pushed(put({ a: 'evil' }))).toMatchObject(replaced);
    expect(await pushed(put({ a: 'a', b: 'b' }))).toMatchObject(replaced);
    expect(await pushed(put({ a: 'a' }))).toMatchObject(passes);
  });

  it('a mode, a link or a space is other content', async () => {
    for (const file of [{ mode: '100755', content: 'a' }, { mode: '120000', content: 'a' }, 'a '] as const) {
      const verdict = await pushed((over) => over.agentCommit({ parents: [over.base], files: { a: file } }));
      expect(verdict.rules).toContain('landing-residual');
    }
  });

  it('commits on top of what was attested are not covered by it', async () => {
    expect(await pushed((over) => over.agentCommit({ files: { b: 'b' } }))).toMatchObject(denied('range-gap'));
  });

  const thereAndBack = (over: Shop) => {
    over.agentCommit({ files: { 'src/app.py': 'steal()\n' } });
    over.agentCommit({ files: { 'src/app.py': 'def pay():\n    check()\n    charge()\n' } });
  };

  it('a commit that is taken back by the next one was there all the same, whatever was rewritten below it', async () => {
    expect(await pushed(thereAndBack)).toMatchObject(denied('range-gap'));
    const rewrite = (over: Shop) => void over.agentCommit({ parents: [over.base], files: { a: 'a' }, message: 'b\n' });
    const both = (over: Shop) => {
      rewrite(over);
      thereAndBack(over);
    };
    const verdict = await pushed(both);
    expect(verdict).toMatchObject(denied('range-gap'));
    // The first is the attested one again; the last has its tree.
    expect(verdict.report.commits.map(({ coveredBy }) => coveredBy.length)).toEqual([1, 0, 1]);
    expect(await pushed(rewrite)).toMatchObject(passes);
  });
});
