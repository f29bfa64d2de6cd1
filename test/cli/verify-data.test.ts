/** `tidewaiter verify` over the real and the upstream cases, as a user would call it: by path, by digest, as a batch. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { dataDir, describeData } from '../kit/data.ts';
import { run } from '../kit/world.ts';

interface Case {
  readonly name: string;
  readonly good: boolean;
  readonly targets: readonly string[];
  readonly flags: readonly string[];
}

const beacon =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

function casesOf(folder: string): readonly Case[] {
  if (dataDir === undefined) return [];
  const root = path.join(dataDir, 'sigstore', folder);
  return readdirSync(root)
    .filter((name) => existsSync(path.join(root, name, 'bundle.sigstore.json')))
    .map((name) => readCase(root, name));
}

function readCase(root: string, name: string): Case {
  const at = (file: string) => path.join(root, name, file);
  const text = (file: string, otherwise: string) =>
    existsSync(at(file)) ? readFileSync(at(file), 'utf8').trim() : otherwise;
  const artifact = existsSync(at('artifact')) ? at('artifact') : path.join(root, 'a.txt');
  const digest = text('digest', `sha256:${sha256(artifact)}`);
  const byPath = existsSync(at('digest')) ? [] : [artifact];
  const byDigest = existsSync(at('path-only')) ? [] : [digest];
  const signer = existsSync(at('key.pub'))
    ? ['--key', at('key.pub')]
    : [
        '--certificate-identity',
        text('identity', beacon),
        '--certificate-oidc-issuer',
        text('issuer', 'https://token.actions.githubusercontent.com'),
      ];
  const trust = existsSync(at('trusted_root.json')) ? ['--trusted-root', at('trusted_root.json')] : [];
  return {
    name: `${folder(root)}/${name}`,
    good: !name.endsWith('_fail'),
    targets: [...byPath, ...byDigest],
    flags: ['--bundle', at('bundle.sigstore.json'), ...signer, ...trust],
  };
}

const folder = (root: string) => path.basename(root);

describeData('verify over the cases of the field', () => {
  const cases = [...casesOf('conformance'), ...casesOf('real')];

  it('finds all of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(89);
  });

  it.each(cases)('$name', async ({ name, good, targets, flags }) => {
    for (const target of targets) {
      const { code, stdout, stderr } = await run(['verify', target, ...flags]);
      expect([target, code === 0, code], stdout + stderr).toEqual([
        target,
        good,
        good ? 0 : expect.toBeOneOf(unusableKey(name) ? [2] : [1, 3]),
      ]);
      expect(stderr).not.toContain('error[bug]');
    }
  });
});

/** Its key is none: that is for the user to put right. */
const unusableKey = (name: string) => name === 'conformance/managed-key-wrong-key_fail';

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
