import { describe, expect, it } from 'vitest';
import type { ChangeReport } from '../../src/report/change.ts';
import { writeChangeExplanation } from '../../src/report/change-explain.ts';
import { writeChangeTable } from '../../src/report/change-table.ts';
import { aCommit, aFinding, agentCommit, anUndecided, aReport, aStatement, id } from './change-sample.ts';

const plain = { color: false };

function undeclared(changes: Partial<ChangeReport>): string {
  const findings = [aFinding({ rule: 'agent-undeclared', commits: [id('c2')] })];
  return writeChangeTable(aReport({ findings, ...changes }), plain);
}

describe('the table', () => {
  it('begins with the answer, tells who made each commit and how we know, and ends with what to do', () => {
    expect(writeChangeTable(aReport(), plain)).toBe(
      `denied: origin/main..HEAD: 1 commit made by agents, and no provenance that counts covers it
  base      ${id('ba5e')} refs/remotes/origin/main (it has 2 commits that the change has not)
  starts at ${id('b0')}
  head      ${id('c2')} refs/heads/feature
  landing   merges into the base without conflicts
  change    3 paths, sha256:${'cd'.repeat(32)}
  policy    git:${id('ba5e')}:tidewaiter.policy.yaml (sha256:${'d1'.repeat(32)})
  for       https://github.com/acme/shop, refs/heads/main

2 commits, parents before children:
  a10000000000 fix the login page
    made by   person alice
    known by  a signature that holds (ssh); by SHA256:abc; in the policy as alice
    coverage  none needed
  c20000000000 add the search
    made by   agent Claude Code
    known by  message:3, Co-Authored-By: Claude <noreply@anthropic.com>
    coverage  missing: provenance-missing

high risk: 1 path, 1 approval needed, 0 there:
  .github/workflows/ci.yml  (workflow)
  authors   alice: whoever made the change cannot approve it

evidence: 0 counted, 1 refused:
  refused   old.sigstore.json: base-mismatch: provenance starts elsewhere

denied: provenance-missing: 1 commit made by agents, and no provenance that counts covers it
  commit    c20000000000
  do        have the platform of the agent attest the range, not the agent itself: tidewaiter attest git:origin/main..HEAD --model PROVIDER/MODEL --runtime NAME --builder-id URI --key FILE -o bundle=change.sigstore.json
  do        then judge it again, any other evidence as before: tidewaiter change origin/main..HEAD --evidence change.sigstore.json

denied: base-mismatch: provenance starts elsewhere
  where     old.sigstore.json
  expected  ${id('b0')}
  got       ${id('dead')}
  do        make the statement again for this base
  do        have the platform of the agent attest the range, not the agent itself: tidewaiter attest git:origin/main..HEAD --model PROVIDER/MODEL --runtime NAME --builder-id URI --key FILE -o bundle=change.sigstore.json

needs approval: high-risk-path: a path of high risk: workflow
  path      .github/workflows/ci.yml
  do        have a person whom the policy names approve it

needs approval: approval-missing: a change of high risk needs 1 approval; it has none
  commit    c20000000000
  do        have bob look at 3 changed paths and run: tidewaiter approve git:origin/main..HEAD --operation merge --ssh-key ~/.ssh/id_ed25519 -o bundle=approval.json
  do        then judge it again, any other evidence as before: tidewaiter change origin/main..HEAD --evidence approval.json
`,
    );
  });

  it('says of a repository that cannot be judged why, and the command that repairs it, and nothing of commits', () => {
    expect(writeChangeTable(anUndecided(), plain)).toBe(
      `not decided: origin/main..HEAD: the repository is a shallow clone: ".git/shallow"

not decided: shallow: the repository is a shallow clone: ".git/shallow"
  do        fetch its history: git fetch --unshallow
`,
    );
  });

  it('shows who vouches, what covers a commit, what a bot only claims, and how a merge came out', () => {
    const text = writeChangeTable(
      aReport({
        outcome: 'pass',
        commits: [
          { ...agentCommit, missing: [], coveredBy: ['change.sigstore.json'], vouchedBy: 'alice' },
          aCommit({
            class: 'unknown',
            calledBot: 'dependabot',
            because: 'it calls itself dependabot',
            replay: 'conflict',
          }),
        ],
        evidence: { counted: [aStatement], refused: [] },
        approvals: {
          needed: 1,
          counted: [{ person: 'bob', place: 'bob.json', how: 'signed', carriedOver: true }],
          authors: [],
        },
        findings: [
          aFinding({ rule: 'high-risk-path', weight: 'note', message: 'a path of high risk: workflow', path: 'x' }),
        ],
      }),
      plain,
    );
    for (const line of [
      '    vouched   by alice',
      '    coverage  covered by change.sigstore.json',
      '    made by   unknown, which the policy takes for an agent',
      '    claims    to be dependabot, which a name does not prove',
      '    merge     conflict: its parents do not merge by themselves, how that was resolved is its own',
      '  approved  by bob: signed, bob.json, carried over from an earlier state',
      '  counts    change.sigstore.json: by agent-platform, https://github.com/acme/agents/.github/workflows/attest.yml@refs/tags/v3; tier isolated; anthropic/claude-opus-4-6; claude-code; covers 1 commit',
      'note: high-risk-path: a path of high risk: workflow',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    // What is met asks for nothing.
    expect(text).not.toContain('  do ');
  });

  it('of a long range shows first what lacks something, and counts what it leaves out', () => {
    const commits = Array.from({ length: 1000 }, (_, at) =>
      at % 10 === 9 ? { ...agentCommit, id: id(`f${at}f`) } : aCommit({ id: id(`e${at}e`) }),
    );
    const text = writeChangeTable(aReport({ commits }), plain);
    const shown = [...text.matchAll(/^ {2}([ef]\d+[ef])0+ /gm)].map(([, seed]) => seed!);
    expect(shown).toHaveLength(200);
    expect(shown.slice(0, 100).every((seed) => seed.startsWith('f'))).toBe(true);
    expect(shown.slice(100).every((seed) => seed.startsWith('e'))).toBe(true);
    expect(text).toContain('  … 800 more commits left out here: -o json has all\n');
  });

  it('says the same thing once for many places, and how many it leaves out', () => {
    const findings = Array.from({ length: 100_000 }, (_, at) =>
      aFinding({ rule: 'hidden-text', message: 'hidden', path: `src/${at}.ts`, line: at + 1 }),
    );
    const text = writeChangeTable(aReport({ findings }), plain);
    expect(text.match(/^denied: hidden-text: hidden$/gm)).toHaveLength(1);
    expect(text).toContain('  path      src/19.ts:20\n  … and 99980 more places: -o json has all\n');
    const many = writeChangeTable(
      aReport({ findings: findings.map((each, at) => ({ ...each, message: `${at}` })) }),
      plain,
    );
    expect(many).toContain('… 99900 more findings left out here: -o json has all\n');
    expect(many.length).toBeLessThan(100_000);
  });

  it('shows the worst findings first, so that what is left out is the least', () => {
    const notes = Array.from({ length: 300 }, (_, at) => aFinding({ weight: 'note', message: `remark ${at}` }));
    const text = writeChangeTable(
      aReport({ findings: [...notes, aFinding({ weight: 'undecided', message: 'worst' })] }),
      plain,
    );
    expect(text.indexOf('not decided: provenance-missing: worst')).toBeLessThan(
      text.indexOf('note: provenance-missing'),
    );
    expect(text).toContain('not decided: provenance-missing: worst');
  });

  it('gives a command that a shell takes as it stands, whatever the range is called', () => {
    const commands = (requested: string) =>
      [...writeChangeTable(aReport({ requested }), plain).matchAll(/attest git:(\S+) --model/g)].map(
        ([, range]) => range,
      );
    expect(commands('git:main~2..feature')).toEqual(['main~2..feature', 'main~2..feature']);
    for (const nasty of ['main..$(id)', 'main..x;id', '-o..x', 'a`b`..c', "a..b'c"]) {
      expect(commands(nasty)[0]).toBe(`${id('ba5e')}..${id('c2')}`);
    }
  });

  it('signs anew from the first commit that lacks a signature, and says when that costs the evidence', () => {
    const text = (counted: readonly (typeof aStatement)[]) => undeclared({ evidence: { counted, refused: [] } });
    expect(text([])).toContain(`git rebase --force-rebase --rebase-merges --gpg-sign ${id('a1')} feature\n`);
    expect(text([])).toContain('git config gpg.format ssh; git config user.signingkey FILE\n');
    expect(text([aStatement])).toContain(
      `--gpg-sign ${id('a1')} feature (the ids change: evidence has to be made again)\n`,
    );
  });

  it('signs anew no other branch than that of the change, and nothing that the base has', () => {
    const range = aReport().range!;
    for (const ref of [undefined, 'refs/remotes/origin/feature']) {
      const head = { commit: id('c2'), tree: range.head.tree, ...(ref !== undefined && { ref }) };
      expect(undeclared({ range: { ...range, head } })).toContain(
        `check out the branch of the change first, then git rebase --force-rebase --rebase-merges --gpg-sign ${id('a1')}\n`,
      );
    }
    const odd = { ...range.head, ref: "refs/heads/it's;id" };
    expect(undeclared({ range: { ...range, head: odd } })).toContain(`--gpg-sign ${id('a1')} BRANCH\n`);
    // What was merged in stands upon no commit of the range alone.
    const merge = aCommit({ id: id('d3'), parents: [id('c2'), id('ba5e')], replay: 'clean' });
    expect(undeclared({ commits: [aCommit(), agentCommit, merge] })).toContain(`--gpg-sign ${id('b0')} feature\n`);
  });

  it('gives commands that are about this repository, base and policy', () => {
    const range = aReport().range!;
    const policy = aReport().policy!;
    const text = writeChangeTable(
      aReport({
        repository: { path: '../my shop' },
        range: { ...range, policyBase: { commit: id('ba5e'), tree: id('7ee') } },
        policy: { ...policy, from: '/etc/shop.yaml' },
      }),
      plain,
    );
    const flags = "--repository '../my shop' --base-ref refs/heads/main --policy /etc/shop.yaml\n";
    expect(text).toContain(`-o bundle=approval.json ${flags}`);
    expect(text).toContain(`--evidence approval.json ${flags}`);
    expect(text).toContain("-o bundle=change.sigstore.json --repository '../my shop'\n");
    expect(undeclared({ repository: { path: "it's" } })).toContain('git -C PATH rebase ');
  });

  it('names the place where the change starts once where it is the base', () => {
    const range = { ...aReport().range!, mergeBase: aReport().range!.policyBase, behind: 0 };
    const text = writeChangeTable(aReport({ range }), plain);
    expect(text).toContain('refs/remotes/origin/main (the change starts at it)');
    expect(text).not.toContain('starts at '.padEnd(10) + id('ba5e'));
  });

  it('is painted only where colour is asked for, and fits the subject into a terminal', () => {
    const commits = [aCommit({ subject: 'long '.repeat(100) })];
    const text = writeChangeTable(aReport({ commits }), { color: true, width: 60 });
    expect(text).toContain('\u001b[31mdenied\u001b[0m: origin/main..HEAD');
    const title = text.split('\n').find((line) => line.includes('long '))!;
    expect(title.replace(/\u001b\[\d+m/g, '').length).toBeLessThanOrEqual(60);
    expect(writeChangeTable(aReport({ commits }), plain)).not.toContain('\u001b');
  });
});

describe('the explanation of one commit', () => {
  it('has every sign with its place, the signature, what covers it and what would change it', () => {
    const text = writeChangeExplanation(aReport(), agentCommit, plain);
    for (const line of [
      `${id('c2')} add the search`,
      '  made by   agent Claude Code',
      '  author    Ada Example <ada@example.com>',
      '  signature not signed',
      '1 sign of agents:',
      '  message:3  Claude Code [claude-code], trailer, assisted',
      '    says      Co-Authored-By: Claude <noreply@anthropic.com>',
      'provenance has to cover it',
      '  missing   provenance-missing',
      'what would change this:',
      "  - a person's signature on it says who vouches for it, and takes the place of no provenance",
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toContain('denied: provenance-missing: 1 commit made by agents');
    expect(text).not.toContain('base-mismatch');
  });

  it('names the statements that cover it, with their signers and digests', () => {
    const covered = { ...agentCommit, coveredBy: [aStatement.place], missing: [] };
    const text = writeChangeExplanation(
      aReport({ evidence: { counted: [aStatement], refused: [] }, findings: [], commits: [covered] }),
      covered,
      plain,
    );
    expect(text).toContain(`  covered   change.sigstore.json: by agent-platform, https://`);
    expect(text).toContain(`sha256:${aStatement.digest}`);
    expect(text).not.toContain('  missing');
  });

  it.each([
    ['unknown-key', /if the key \(SHA256:xyz\) is of somebody whom you trust/],
    ['unproved', /git config gitsign\.rekorMode offline/],
    ['none', /a signature by the key of a person in the policy: git rebase --force-rebase/],
  ] as const)('says what would prove a human where the signature is %s', (state, what) => {
    const signer = state === 'none' ? {} : { signer: 'SHA256:xyz', why: 'no key' };
    const commit = aCommit({ class: 'unknown', signature: { state, matched: [], ...signer } });
    expect(writeChangeExplanation(aReport({ findings: [] }), commit, plain)).toMatch(what);
  });

  it('says what would change it once, and of other findings what to do', () => {
    const other = aFinding({ rule: 'merge-residual', message: 'its own', commits: [id('c2')] });
    const findings = [...aReport().findings, other];
    const text = writeChangeExplanation(aReport({ findings }), agentCommit, plain);
    expect(text.match(/tidewaiter attest git:/g)).toHaveLength(1);
    expect(text).toContain('  do        look at what it adds: git show --remerge-diff');
  });

  it('is marked in its first line where --now gave the time', () => {
    const [first] = writeChangeExplanation(aReport({ replayedTime: true }), agentCommit, plain).split('\n');
    expect(first).toBe(`${id('c2')} add the search (as of 2026-01-02T03:04:05Z, by --now)`);
  });
});
