import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { isDigest, parseDigest } from '../../src/sources/digest.ts';
import { formatPlatform, matchesPlatform, normalizePlatform, parsePlatform } from '../../src/sources/platform.ts';
import { parseTarget, pinOf } from '../../src/sources/target.ts';
import { refusal } from '../kit/scanned.ts';

describe('a target', () => {
  it.each([
    ['oci:dir', 'oci', 'dir'],
    ['oci:dir:tag', 'oci', 'dir:tag'],
    ['oci-archive:x.tar', 'oci-archive', 'x.tar'],
    ['docker-archive:x.tar:a/b:c', 'docker-archive', 'x.tar:a/b:c'],
    ['dir:.', 'dir', '.'],
    ['file:package-lock.json', 'file', 'package-lock.json'],
    ['registry:debian', 'registry', 'debian'],
    ['./oci:dir', 'path', './oci:dir'],
    ['/oci:dir', 'path', '/oci:dir'],
    ['..', 'path', '..'],
    ['.', 'path', '.'],
    ['debian', 'registry', 'debian'],
    ['debian:12', 'registry', 'debian:12'],
    ['OCI:dir', 'registry', 'OCI:dir'],
    ['ocix:dir', 'registry', 'ocix:dir'],
  ])('%s is of the kind %s', (text, kind, rest) => {
    expect(parseTarget(text)).toEqual({ requested: text, kind, rest });
  });

  it.each(['', 'oci:', 'file:', 'dir:x\0y'])('%j is refused', (text) => {
    expect(() => parseTarget(text)).toThrow(OperationalError);
  });

  it('that is a directory here is still no directory when it reads like a name', async () => {
    expect(await refusal('src')).toMatch(/^usage: the registry reference "src" cannot be scanned.*\n.*\n.*\.\//s);
    expect(await refusal('docker:debian')).toMatch(/^usage: "docker:debian" cannot be scanned/);
  });

  it('is a target or one error of our own, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseTarget(text).requested).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
      }),
    );
  });
});

describe('a pin', () => {
  const hex = '0a'.repeat(32);

  it('is the digest at the end, whatever stands before it', () => {
    expect(pinOf(`a/b:c@sha256:${hex}`)).toEqual({ place: 'a/b:c', digest: `sha256:${hex}` });
    expect(pinOf(`x@y@sha512:${hex}${hex}`)).toEqual({ place: 'x@y', digest: `sha512:${hex}${hex}` });
    expect(pinOf('a@b/sha256:c')).toBeUndefined();
  });

  it.each([
    'x@sha256:/img',
    `x@sha256:${hex}/img`,
    `x@sha256:${hex}:latest`,
    `x@sha256:${hex.slice(1)}`,
    `x@SHA256:${hex}`,
    `x@sha256:${hex.toUpperCase()}`,
    `x@sha384:${hex}`,
    `x@sha256:${hex}@sha256:${hex}`,
    `@sha256:${hex}`,
  ])('%s is refused, and no path', async (text) => {
    for (const prefix of ['oci:', 'oci-archive:', 'docker-archive:', './']) {
      expect(await refusal(`${prefix}${text}`)).toMatch(
        prefix === './' && text.startsWith('@') ? /^not-found: / : /^usage: .* is pinned to no digest: .*\nwrite/,
      );
    }
  });
});

describe('a digest', () => {
  it('is sha256 or sha512 in lower-case hex, and nothing else', () => {
    const [sha256, sha512] = [`sha256:${'0a'.repeat(32)}`, `sha512:${'0a'.repeat(64)}`];
    expect([sha256, sha512].map(isDigest)).toEqual([true, true]);
    const wrong = [
      `${sha256}\n`,
      ` ${sha256}`,
      sha256.toUpperCase(),
      sha256.slice(0, -1),
      `${sha256}0`,
      `sha1:${'0'.repeat(40)}`,
      `sha256:${'0'.repeat(128)}`,
      'sha256:../../x',
      '',
      '__proto__',
    ];
    expect(wrong.filter(isDigest)).toEqual([]);
    expect(() => parseDigest('sha256:\u001b[31m')).toThrow('"sha256:\\x1b[31m" is not a sha256 or sha512 digest');
  });
});

describe('a platform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['Linux/x86_64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/9.0', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['macos/arm64', 'darwin/arm64'],
    ['linux/arm/v7', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['windows/amd64', 'windows/amd64'],
  ])('%s is %s', (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/amd64/v1/x', 'linux/amd 64', 'linux/amd64/', 'all'])(
    '%j is refused',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(/is not a platform/);
    },
  );

  it('without a variant takes any, with one takes that one', () => {
    const arm = (variant?: string) => ({
      os: 'linux',
      architecture: 'arm',
      ...(variant === undefined ? {} : { variant }),
    });
    expect(matchesPlatform(arm(), arm('v7'))).toBe(true);
    expect(matchesPlatform(arm(), arm('v6'))).toBe(true);
    expect(matchesPlatform(arm('v7'), arm())).toBe(true);
    expect(matchesPlatform(arm('v6'), arm())).toBe(false);
    expect(matchesPlatform(arm('7'), arm('V7'))).toBe(true);
    expect(matchesPlatform(arm('v6'), { os: '', architecture: '' })).toBe(true);
    expect(matchesPlatform(arm('v7'), arm('v6'))).toBe(false);
    expect(matchesPlatform({ os: 'linux', architecture: 'amd64' }, { os: 'windows', architecture: 'amd64' })).toBe(
      false,
    );
  });

  it('is normal once normalised', () => {
    const name = fc.constantFrom('amd64', 'x86_64', 'arm64', 'aarch64', 'arm', 'armhf', 'armel', 'i386', 'riscv64');
    fc.assert(
      fc.property(name, fc.constantFrom(undefined, 'v1', 'v6', 'v7', 'v8'), (architecture, variant) => {
        const once = normalizePlatform({ os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) });
        expect(normalizePlatform(once)).toEqual(once);
      }),
    );
  });
});
