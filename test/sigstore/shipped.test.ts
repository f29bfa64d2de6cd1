import { hash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VerifyError } from '../../src/sigstore/failure.ts';
import {
  findShipped,
  isShippedName,
  rootAge,
  shippedNames,
  shippedRoot,
  shippedRoots,
  shippedText,
  shippedTufRoot,
} from '../../src/sigstore/shipped.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import { proveTarget, tufRootVersion } from '../../src/sigstore/tuf.ts';
import { describeData, readData } from '../kit/data.ts';

afterEach(() => {
  vi.doUnmock('../../src/sigstore/roots/github.ts');
  vi.doUnmock('../../src/sigstore/roots/tuf-github.ts');
  vi.resetModules();
});

const day = 86_400_000;

describe('the trusted roots inside tidewaiter', () => {
  it.each(shippedNames)('%s is the document that its digest names, and is read', (name) => {
    const { digest } = findShipped(name);
    expect(hash('sha256', shippedText(name))).toBe(digest);
    const root = shippedRoot(name);
    expect([root.name, root.digest]).toEqual([name, digest]);
    // Parties are read when first looked at: here all of them, as strictly as those of a user's file.
    expect(JSON.stringify(root)).toBe(JSON.stringify(parseTrustRoot(shippedText(name), name)));
    expect(root.certificateAuthorities.length).toBeGreaterThan(0);
  });

  it('believe in logs where their instance has them', () => {
    const counts = shippedNames.map((name) => {
      const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = shippedRoot(name);
      return [name, tlogs.length, ctlogs.length, certificateAuthorities.length, timestampAuthorities.length];
    });
    expect(counts).toEqual([
      ['public-good', 2, 2, 2, 1],
      ['github', 0, 0, 6, 6],
      ['staging', 5, 5, 2, 2],
    ]);
  });

  it('are dated no earlier than the newest party in them', () => {
    for (const { name, published } of shippedRoots) {
      const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = shippedRoot(name);
      const parties = [...tlogs, ...ctlogs, ...certificateAuthorities, ...timestampAuthorities];
      expect(published).toBeGreaterThanOrEqual(Math.max(...parties.map(({ validFor }) => validFor.start)));
    }
  });

  it('are refused when they are not what was released', async () => {
    vi.doMock('../../src/sigstore/roots/github.ts', () => ({ text: `${shippedText('github')}\n` }));
    vi.resetModules();
    const changed = await import('../../src/sigstore/shipped.ts');
    expect(() => changed.shippedRoot('github')).toThrow(
      expect.objectContaining({ code: 'untrusted', expected: `sha256:${findShipped('github').digest}` }),
    );
    expect(changed.shippedRoot('public-good').name).toBe('public-good');
  });

  it('are known by their names and no others', () => {
    expect(['public-good', 'github', 'staging', 'constructor', ''].map(isShippedName)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('the TUF roots inside tidewaiter', () => {
  it.each([
    ['public-good', 16],
    ['github', 3],
    ['staging', 14],
  ] as const)('%s has version %i', async (name, version) => {
    expect(tufRootVersion(await shippedTufRoot(name))).toBe(version);
  });

  it('are refused when they are not what was released', async () => {
    vi.doMock('../../src/sigstore/roots/tuf-github.ts', () => ({ text: '{}' }));
    vi.resetModules();
    const changed = await import('../../src/sigstore/shipped.ts');
    await expect(changed.shippedTufRoot('github')).rejects.toMatchObject({ code: 'untrusted' });
  });
});

describeData('the public instance', () => {
  const metadata = () => ({
    roots: [],
    timestamp: readData('sigstore/trust/tuf-public-good/tuf-timestamp.json').toString(),
    snapshot: readData('sigstore/trust/tuf-public-good/tuf-snapshot.json').toString(),
    targets: readData('sigstore/trust/tuf-public-good/tuf-targets.json').toString(),
  });

  it('signed the root inside tidewaiter, on the day that its age counts from', async () => {
    const document = Buffer.from(shippedText('public-good'));
    const { versions, expires } = proveTarget(
      await shippedTufRoot('public-good'),
      metadata(),
      'trusted_root.json',
      document,
    );
    expect(versions).toEqual({
      root: 16,
      timestamp: 762,
      snapshot: 165,
      targets: findShipped('public-good').targetsVersion,
    });
    // A timestamp of this repository is good for seven days.
    expect(expires - 7 * day).toBe(findShipped('public-good').published);
  });

  it('signed its next TUF root, the one inside tidewaiter, with the one before', async () => {
    const roots = [await shippedTufRoot('public-good')];
    const before = readData('sigstore/trust/tuf-public-good/tuf-root.json').toString();
    const document = Buffer.from(shippedText('public-good'));
    expect(proveTarget(before, { ...metadata(), roots }, 'trusted_root.json', document).versions.root).toBe(16);
  });

  it('did not sign it for another instance', async () => {
    const document = Buffer.from(shippedText('public-good'));
    const other = await shippedTufRoot('staging');
    expect(() => proveTarget(other, metadata(), 'trusted_root.json', document)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: 'the TUF timestamp is signed by 0 of the 1 keys that it needs',
      }),
    );
  });

  it('signed every byte: no metadata proves anything with one changed', async () => {
    const root = await shippedTufRoot('public-good');
    const document = Buffer.from(shippedText('public-good'));
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
      const text = metadata()[role];
      const signed = text.indexOf('"signed"');
      for (let at = signed + 12; at < text.length - 4; at += 37) {
        const code = text.charCodeAt(at);
        if (/\s/.test(text[at]!)) continue;
        const changed = text.slice(0, at) + String.fromCharCode(code === 0x31 ? 0x32 : 0x31) + text.slice(at + 1);
        expect(() => proveTarget(root, { ...metadata(), [role]: changed }, 'trusted_root.json', document)).toThrow(
          VerifyError,
        );
      }
    }
  });
});

it('counts the age in whole days, and none before its time', () => {
  const published = Date.UTC(2026, 0, 1);
  expect([-day, 0, day - 1, day, 90.5 * day].map((later) => rootAge(published, published + later))).toEqual([
    0, 0, 0, 1, 90,
  ]);
});
