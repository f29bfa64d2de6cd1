/** The private keys of forges are theirs: here, a key of our own stands for one of them. */
import { expect, test, vi } from 'vitest';
import { type ListedKey, verifyCommitSignature } from '../../src/change/commit-signature.ts';
import { parsePersonKey } from '../../src/sigstore/person-key.ts';
import { commitOf } from '../kit/commits.ts';
import { makeSshKey, signSsh } from '../sigstore/ssh.ts';

vi.mock('../../src/change/forge-keys.ts', () => ({
  findForgeKey: (fingerprint: string) =>
    fingerprint.startsWith('SHA256:') ? { forge: 'Forge', fingerprint } : undefined,
}));

const head =
  'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@acme.example> 1 +0000\ncommitter A <a@acme.example> 1 +0000\n';
const key = makeSshKey('ssh-ed25519');
const armored = signSsh(key, Buffer.from(`${head}\nmessage\n`));
const commit = commitOf(Buffer.from(`${head}gpgsig ${armored.trimEnd().replaceAll('\n', '\n ')}\n\nmessage\n`));

async function check(more: Partial<ListedKey>) {
  const [only] = await parsePersonKey(Buffer.from(key.line), 'key');
  const keys = [{ name: 'listed', key: only!, ...more }];
  return verifyCommitSignature(commit, { keys, certificates: [], roots: [], now: 0 });
}

test("a forge's key that a policy lists as a person's matches nobody, and the facts say why", async () => {
  const facts = await check({ person: 'alice' });
  expect(facts).toMatchObject({ state: 'good', matched: [], note: expect.stringMatching(/Forge's own/) });
  expect(facts).not.toHaveProperty('person');
});

test("a forge's key that a policy lists as an identity, a bot's, is nobody's either: every account there has it", async () => {
  const facts = await check({});
  expect(facts).toMatchObject({ state: 'good', matched: [], note: expect.stringMatching(/Forge's own/) });
  expect(facts).not.toHaveProperty('person');
});
