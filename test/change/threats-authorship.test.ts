/**
 * Who made a commit, against those who hide or forge it. Each attack in a real repository, beside a twin without it.
 *
 *   T1  stripped trailers              'an agent's commit without its trailers …', 'a vendor's key …'
 *   T2  forged trailers and names      'a name …', 'a trailer …', 'a forge's name …'
 *   T3  replaced objects, grafts       'a commit that is shown as another one …', 'parents that are rewritten …'
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/change/classify.ts';
import { verifyCommitSignature } from '../../src/change/commit-signature.ts';
import { signOfKey } from '../../src/change/signs/index.ts';
import type { ChangesRule } from '../../src/policy/types.ts';
import { parsePersonKey } from '../../src/sigstore/person-key.ts';
import { parseSshSignature } from '../../src/sigstore/ssh-signature.ts';
import { aShop, claude, coAuthor, denied, identOf, passes, people, undecided } from '../kit/change.ts';
import { dataCommits } from '../kit/commits.ts';
import { describeData } from '../kit/data.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { makeSshKey, signSsh } from '../sigstore/ssh.ts';

const temporary = temporaryDirectory();
const files = { 'src/app.py': 'def pay():\n    charge()\n' };

describe('T1: trailers that were taken out', () => {
  it("an agent's commit without its trailers counts as an agent's, and the same one signed by a person as that person's", async () => {
    const attacked = aShop(temporary);
    attacked.unsignedCommit({ files, message: 'tidy up\n' });
    expect(await attacked.judge('main..feature')).toMatchObject(denied('agent-undeclared'));
    const twin = aShop(temporary);
    twin.humanCommit({ files, message: 'tidy up\n' });
    expect(await twin.judge('main..feature')).toMatchObject(passes);
  });

  it('one unsigned commit among signed ones is found wherever it stands', async () => {
    for (const at of [0, 1, 2]) {
      const shop = aShop(temporary);
      const ids = [0, 1, 2].map((each) => {
        const spec = { files: { [`f${each}`]: `${each}` } };
        return each === at ? shop.unsignedCommit(spec) : shop.humanCommit(spec);
      });
      const verdict = await shop.judge('main..feature');
      expect(verdict).toMatchObject(denied('agent-undeclared'));
      expect(verdict.report.findings.flatMap(({ commits }) => commits)).toEqual([ids[at]]);
    }
  });

  it('where unknown commits pass for human ones, a name of a branch or a note still makes them an agent’s', async () => {
    const policy = { changes: { unknown: 'treat-as-human' } };
    const plain = aShop(temporary, { policy });
    const head = plain.unsignedCommit({ files, branch: 'claude/fix-login-011CUx' });
    expect(await plain.judge(`main..${head}`)).toMatchObject(denied('provenance-missing'));
    expect(await plain.judge('main..claude/fix-login-011CUx')).toMatchObject(denied('provenance-missing'));
    const twin = aShop(temporary, { policy });
    const other = twin.unsignedCommit({ files });
    expect(await twin.judge('main..feature')).toMatchObject(passes);
    expect(await twin.judge(`main..${other}`, { headRef: 'refs/heads/copilot/fix-1' })).toMatchObject(
      denied('provenance-missing'),
    );
    twin.repo.git('notes', '--ref=refs/notes/sessions', 'add', '-m', '{"agent":"claude-code"}', other);
    expect(await twin.judge('main..feature')).toMatchObject(denied('provenance-missing'));
  });

  it('a signature by somebody whom the policy does not know proves nobody', async () => {
    const shop = aShop(temporary);
    shop.humanCommit({ files, by: 'mallory', author: identOf('alice') });
    expect(await shop.judge('main..feature')).toMatchObject(denied('agent-undeclared'));
  });

  it('a signature that was made for another commit is a finding of its own, whatever else there is', async () => {
    const shop = aShop(temporary);
    const stolen = signSsh(people.alice, Buffer.from('tree of something else\n'));
    const head = shop.unsignedCommit({ files, sign: () => stolen });
    const evidence = [shop.attest({ base: shop.base, head })];
    expect(await shop.judge('main..feature', { evidence })).toMatchObject(denied('provenance-signature'));
  });

  it('a signature over the same bytes for another use does not make a commit anybody’s', async () => {
    const shop = aShop(temporary);
    shop.unsignedCommit({ files, sign: (payload) => signSsh(people.alice, payload, { namespace: 'file' }) });
    const { outcome, report } = await shop.judge('main..feature');
    expect(outcome).toBe('denied');
    expect(report.commits[0]?.class).toBe('unknown');
  });

  describeData('over real commits whose trailers were taken out', (data) => {
    const rule = { unknown: 'treat-as-human', bots: [] } as unknown as ChangesRule;
    it("a vendor's key makes it an agent's, even where the policy calls the key a person's", async () => {
      const commits = dataCommits(data, 'agent-ssh-stripped');
      for (const [, commit] of commits) {
        const { key } = parseSshSignature(commit.signature?.armored ?? '');
        const line = `${key.type} ${key.blob.toString('base64')}`;
        const keys = (await parsePersonKey(Buffer.from(line), 'key', [])).map((each) => ({
          name: 'alice',
          person: 'alice',
          key: each,
        }));
        const context = { keys, certificates: [], roots: [], now: Date.UTC(2026, 10, 1) };
        const signature = await verifyCommitSignature(commit, context);
        const signer = signature.state === 'good' && signature.signer.kind === 'ssh' ? signature.signer : undefined;
        const sign = signOfKey(signer?.fingerprint ?? '');
        const facts = { commit, signs: [], signature, changes: [] };
        const made = classify(facts, sign === undefined ? [] : [sign], rule, []);
        expect(made).toMatchObject({ class: 'agent', duty: true, vouchedBy: 'alice' });
      }
      expect(commits).toHaveLength(23);
    });
  });
});

describe('T2: trailers and names that were forged', () => {
  it('a trailer that frames a person’s commit as an agent’s asks for provenance, and only that', async () => {
    const framed = aShop(temporary);
    const head = framed.humanCommit({ files, message: `tidy up\n\n${coAuthor}\n` });
    const verdict = await framed.judge('main..feature');
    expect(verdict).toMatchObject(denied('provenance-missing'));
    expect(verdict.report.commits[0]).toMatchObject({ class: 'agent', vouchedBy: 'alice' });
    const evidence = [framed.attest({ base: framed.base, head })];
    expect(await framed.judge('main..feature', { evidence })).toMatchObject(passes);
  });

  it('a trailer never lowers: reviews, sign-offs and claims to be human leave an agent’s commit what it is', async () => {
    for (const line of [
      'Reviewed-by: alice <alice@acme.example>',
      'Signed-off-by: alice <alice@acme.example>',
      'Co-authored-by: alice <alice@acme.example>',
      'Generated-by: human',
      'Assisted-by: none',
    ]) {
      const shop = aShop(temporary);
      shop.agentCommit({ files, message: `change\n\n${line}\n` });
      expect(await shop.judge('main..feature'), line).toMatchObject(denied('provenance-missing'));
    }
  });

  const renovate = makeSshKey('ssh-ed25519');
  const bots = {
    policy: {
      identities: { renovate: '{ key: keys/renovate.pub }' },
      changes: { bots: '[renovate]', unknown: 'treat-as-agent' },
    },
    files: { 'keys/renovate.pub': `${renovate.line}\n` },
  };

  it("a bot's name is nobody's, and its signature is the bot's", async () => {
    const author = 'renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>';
    const attacked = aShop(temporary, bots);
    attacked.unsignedCommit({ files, author });
    expect(await attacked.judge('main..feature')).toMatchObject(denied('agent-undeclared'));
    const forged = aShop(temporary, bots);
    forged.humanCommit({ files, author, key: people.mallory });
    expect(await forged.judge('main..feature')).toMatchObject(denied('agent-undeclared'));
    const twin = aShop(temporary, bots);
    twin.humanCommit({ files, author, key: renovate });
    expect(await twin.judge('main..feature')).toMatchObject(passes);
  });

  it("a bot's key behind which an agent shows is an agent's", async () => {
    const shop = aShop(temporary, bots);
    shop.humanCommit({ files, author: claude, key: renovate });
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
  });

  it("a forge's name as committer makes nobody human, even beside a person's name as author", async () => {
    const webFlow = 'GitHub <noreply@github.com>';
    const attacked = aShop(temporary);
    attacked.unsignedCommit({ files, author: identOf('alice'), committer: webFlow });
    expect(await attacked.judge('main..feature')).toMatchObject(denied('agent-undeclared'));
    const twin = aShop(temporary);
    twin.humanCommit({ files, committer: webFlow });
    expect(await twin.judge('main..feature')).toMatchObject(passes);
  });

  it('dates that cannot be change nothing', async () => {
    for (const time of ['9999999999 +0000', '0 +0000', '1767225600 -9959']) {
      const ident = `${identOf('alice')} ${time}`;
      const attacked = aShop(temporary);
      attacked.unsignedCommit({ files, author: ident, committer: ident });
      expect(await attacked.judge('main..feature'), time).toMatchObject(denied('agent-undeclared'));
      const twin = aShop(temporary);
      twin.humanCommit({ files, author: ident, committer: ident });
      expect(await twin.judge('main..feature'), time).toMatchObject(passes);
    }
  });

  it('a commit that changes nothing has a maker like any other', async () => {
    const attacked = aShop(temporary);
    attacked.agentCommit();
    expect(await attacked.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    const twin = aShop(temporary);
    twin.humanCommit();
    expect(await twin.judge('main..feature')).toMatchObject(passes);
  });
});

describe('T3: objects that are shown as others', () => {
  it('a commit that is shown as another one by a replace ref is not judged at all', async () => {
    const shop = aShop(temporary);
    const agents = shop.agentCommit({ files });
    const clean = shop.humanCommit({ files, branch: null, parents: [shop.base] });
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    shop.repo.ref(`refs/replace/${agents}`, clean);
    expect(shop.repo.git('log', '-1', '--format=%an', 'feature')).toBe('alice');
    expect(await shop.judge('main..feature')).toMatchObject(undecided('replaced-objects'));
  });

  it('parents that are rewritten by grafts are not believed', async () => {
    const shop = aShop(temporary);
    shop.agentCommit({ files });
    const head = shop.humanCommit({ files: { b: 'b' } });
    expect(await shop.judge('main..feature')).toMatchObject(denied('provenance-missing'));
    mkdirSync(path.join(shop.repo.gitDir, 'info'), { recursive: true });
    writeFileSync(path.join(shop.repo.gitDir, 'info/grafts'), `${head} ${shop.base}\n`);
    expect(shop.repo.git('rev-list', '--count', 'main..feature')).toBe('1');
    expect(await shop.judge('main..feature')).toMatchObject(undecided('replaced-objects'));
  });
});
