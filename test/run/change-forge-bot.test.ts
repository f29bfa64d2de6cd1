/** The private keys of forges are theirs: here, a key of our own stands for one of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { parseSshKey } from '../../src/sigstore/ssh-key.ts';
import { aShop, people } from '../kit/change.ts';

const forge = vi.hoisted(() => ({ fingerprint: '' }));
vi.mock('../../src/change/forge-keys.ts', () => ({
  findForgeKey: (fingerprint: string) =>
    fingerprint === forge.fingerprint ? { forge: 'Forge', fingerprint } : undefined,
}));

const folder = mkdtempSync(path.join(tmpdir(), 'forge-bot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a policy that takes a forge's key for a bot's is refused: an agent that edits in the forge's pages would be that bot", async () => {
  const key = people.mallory;
  const policy = { identities: { updates: '{ key: keys/mallory.pub }' }, changes: { bots: '[updates]' } };
  const shop = aShop(folder, { policy });
  shop.humanCommit({ key, files: { 'src/app.py': 'pass\n' } });
  expect(await shop.judge('main..feature')).toMatchObject({ outcome: 'pass', code: 0 });
  forge.fingerprint = parseSshKey(key.blob).fingerprint;
  await expect(shop.judge('main..feature')).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(/keys\/mallory\.pub.*Forge's own key, which signs for every account/),
  });
});
