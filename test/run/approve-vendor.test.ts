/** The private keys of agents' vendors are theirs: here, a key of our own stands for one of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { approve } from '../../src/run/approve.ts';
import { worldWith } from '../git/open.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { capture } from '../kit/world.ts';
import { filesIn, makeShop } from './shop.ts';

const vendor = vi.hoisted(() => ({ key: '' }));

vi.mock('../../src/change/signs/places.ts', async (original) => {
  const real = await original<typeof import('../../src/change/signs/places.ts')>();
  const signOfKey = (fingerprint: string) =>
    fingerprint === vendor.key ? { kind: 'key', agent: 'helper', name: 'Helper', place: '', text: '' } : undefined;
  return { ...real, signOfKey };
});

const temporary = temporaryDirectory();
const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

test.skipIf(!hasKeygen)(
  `the key of an agent's vendor approves for nobody, though the policy lists it as a person's${hasKeygen ? '' : ' (needs ssh-keygen)'}`,
  async () => {
    const folder = filesIn(temporary, { empty: '' })('');
    const key = path.join(folder, 'key');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const { repository } = makeShop(temporary, {
      people: 'alice: { keys: [keys/alice.pub] }\n',
      changes: 'highRisk: { by: [alice] }\n',
      files: { 'keys/alice.pub': readFileSync(`${key}.pub`, 'utf8') },
    });
    const run = async () => {
      const [stdout, stderr] = [capture(), capture()];
      const code = await approve(
        {
          range: 'main..agent/topic',
          repository: repository.path,
          operation: 'merge',
          expires: Date.UTC(2026, 0, 9),
          signer: { kind: 'ssh', file: key },
          files: [undefined],
        },
        { ...worldWith({ TMPDIR: temporary }), stdout, stderr, now: () => Date.UTC(2026, 0, 2) },
      );
      return { code, stdout: stdout.text(), stderr: stderr.text() };
    };
    expect((await run()).code).toBe(0);
    const [, fingerprint] = spawnSync('ssh-keygen', ['-lf', `${key}.pub`])
      .stdout.toString()
      .split(' ');
    vendor.key = fingerprint!;
    const { code, stdout, stderr } = await run();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('denied[approval-not-human]: the key is that of Helper, an agent; nothing was written');
  },
);
