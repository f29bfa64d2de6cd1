/** The client that the upstream suite would run, as a process. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeData, root } from '../kit/data.ts';

const client = path.join(root, 'test/clients/sigstore-conformance');
const issuer = 'https://token.actions.githubusercontent.com';
const identity =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';
const digest = 'sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf';

describeData('the conformance client', (dir) => {
  const cases = path.join(dir, 'sigstore/conformance');
  const temporary = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  const run = (args: readonly string[], cwd = cases) => spawnSync(client, args, { cwd, encoding: 'utf8' }).status;
  const by = (who: string, from = issuer) => ['--certificate-identity', who, '--certificate-oidc-issuer', from];
  const verify = (name: string, who: readonly string[], artifact: string, cwd?: string) =>
    run(['verify-bundle', '--bundle', path.join(cases, name, 'bundle.sigstore.json'), ...who, artifact], cwd);

  it('accepts a good bundle by path and by digest', () => {
    expect(verify('happy-path-v0.1', by(identity), 'a.txt')).toBe(0);
    expect(verify('happy-path-v0.1', by(identity), digest)).toBe(0);
  });

  it('takes a digest for a path where there is a file of that name', () => {
    writeFileSync(path.join(temporary, digest), 'something else');
    expect(verify('happy-path-v0.1', by(identity), digest, temporary)).toBe(1);
  });

  it('refuses another file, another identity, a prefix of it, another issuer', () => {
    writeFileSync(path.join(temporary, 'other.txt'), 'other');
    expect(verify('happy-path-v0.1', by(identity), path.join(temporary, 'other.txt'))).toBe(1);
    expect(verify('happy-path-v0.1', by(identity.slice(0, -1)), 'a.txt')).toBe(1);
    expect(verify('happy-path-v0.1', by(identity, `${issuer}/`), 'a.txt')).toBe(1);
  });

  it('verifies with a key, and never with a key and an identity', () => {
    const key = ['--key', path.join(cases, 'managed-key-happy-path/key.pub')];
    expect(verify('managed-key-happy-path', key, 'a.txt')).toBe(0);
    expect(verify('managed-key-no-key_fail', by(identity), 'a.txt')).toBe(1);
    expect(verify('managed-key-happy-path', [...key, ...by(identity)], 'a.txt')).toBe(2);
    expect(verify('happy-path-v0.1', key, 'a.txt')).toBe(1);
  });

  it('takes the trusted root that it is given, or that of staging', () => {
    const name = 'rekor2-checkpoint-origin-not-first';
    const own = ['--trusted-root', path.join(cases, name, 'trusted_root.json')];
    expect(verify(name, [...by(identity), ...own], 'a.txt')).toBe(0);
    expect(verify(name, by(identity), 'a.txt')).toBe(1);
    const args = ['--bundle', path.join(cases, name, 'bundle.sigstore.json'), ...by(identity), 'a.txt'];
    expect(run(['verify-bundle', '--staging', ...args])).toBe(0);
  });

  it('never ends with 0 when it is called wrongly or cannot read', () => {
    expect(run([])).toBe(2);
    expect(run(['verify'])).toBe(2);
    expect(verify('happy-path-v0.1', [], 'a.txt')).toBe(2);
    expect(verify('happy-path-v0.1', by(identity), 'nothing.txt')).not.toBe(0);
    expect(run(['sign-bundle', '--identity-token', 'x', '--bundle', path.join(temporary, 'b'), 'a.txt'])).not.toBe(0);
  });

  it('says in one line what is wrong, without a stack', () => {
    const says = (...args: readonly string[]) => spawnSync(client, args, { cwd: cases, encoding: 'utf8' }).stderr;
    const bundle = ['--bundle', path.join(temporary, 'b')];
    for (const text of [
      says('verify-bundle', '--no-such-option', 'a.txt'),
      says('sign-bundle', '--identity-token', 'x', ...bundle, 'a.txt'),
      says('verify-bundle', ...bundle, ...by(identity), 'a.txt'),
    ]) {
      expect(text).toMatch(/^[^\n]+\n$/);
    }
  });
});
