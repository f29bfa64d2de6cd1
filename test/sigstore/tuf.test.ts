import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { proveTarget, type TufMetadata, tufRootVersion } from '../../src/sigstore/tuf.ts';
import { defaultKeys, far, newKeys, type RepositoryOptions, tufRepository } from '../kit/tuf.ts';

const name = 'file.json';
const document = '{"some":"thing"}';
const targets = { [name]: document };
const trusted = tufRepository({ targets }).root;

function prove(changes: RepositoryOptions = {}, more: Partial<TufMetadata> = {}, content = document) {
  const { timestamp, snapshot, targets: list } = tufRepository({ targets, ...changes });
  return proveTarget(trusted, { roots: [], timestamp, snapshot, targets: list, ...more }, name, Buffer.from(content));
}

describe('a target is proved', () => {
  it('by signatures all the way from the trusted root', () => {
    expect(prove()).toEqual({
      versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
      expires: Date.parse(far),
    });
  });

  it('until the first of the metadata expires', () => {
    expect(prove({ expires: { snapshot: '2027-03-04T05:06:07Z' } }).expires).toBe(Date.UTC(2027, 2, 4, 5, 6, 7));
  });

  it('by a later root, with keys that the trusted one does not know', () => {
    const keys = { ...newKeys(), root: defaultKeys.root };
    const second = tufRepository({ targets, versions: { root: 2 }, keys });
    expect(prove({ keys }, { roots: [trusted, second.root] }).versions.root).toBe(2);
  });
});

describe('nothing is proved', () => {
  it.each<[string, () => unknown, string, RegExp]>([
    ['a forged timestamp', () => prove({ forged: 'timestamp' }), 'invalid', /timestamp is signed by 0 of the 1/],
    ['a forged snapshot', () => prove({ forged: 'snapshot' }), 'invalid', /snapshot is signed by 0 of the 1/],
    ['forged targets', () => prove({ forged: 'targets' }), 'invalid', /targets is signed by 0 of the 1/],
    [
      'the timestamp as targets',
      () => prove({}, { targets: tufRepository().timestamp }),
      'malformed',
      /of another type/,
    ],
    [
      'another snapshot',
      () => prove({}, { snapshot: tufRepository({ versions: { snapshot: 2 } }).snapshot }),
      'invalid',
      /snapshot.json has version 2/,
    ],
    [
      'other targets',
      () => prove({}, { targets: tufRepository({ targets, versions: { targets: 2 } }).targets }),
      'invalid',
      /targets.json has version 2/,
    ],
    [
      'a skipped root',
      () => prove({}, { roots: [tufRepository({ versions: { root: 3 } }).root] }),
      'invalid',
      /root 3 does not follow root 1/,
    ],
    [
      'a root of others',
      () => prove({}, { roots: [tufRepository({ versions: { root: 2 }, keys: newKeys() }).root] }),
      'invalid',
      /root is signed by 0/,
    ],
    ['a longer document', () => prove({}, {}, `${document} `), 'invalid', /length of target "file.json"/],
    [
      'another document',
      () => prove({}, {}, document.replace('some', 'sume')),
      'invalid',
      /sha256 of target "file.json"/,
    ],
    ['another target', () => prove({ targets: { other: document } }), 'malformed', /no "file.json"/],
    [
      'a target named like a property',
      () => proveTarget(trusted, { ...tufRepository(), roots: [] }, '__proto__', Buffer.of()),
      'malformed',
      /no "__proto__"/,
    ],
    [
      'a signature twice',
      () => prove({}, { timestamp: twice(tufRepository().timestamp) }),
      'malformed',
      /a key signed the TUF timestamp twice/,
    ],
    [
      'a date that is none',
      () => prove({ expires: { timestamp: 'never' } }),
      'malformed',
      /does not say when it expires/,
    ],
    ['version 0', () => prove({ versions: { timestamp: 0 } }), 'malformed', /has no version/],
    ['version 1.5', () => prove({ versions: { timestamp: 1.5 } }), 'malformed', /has no version/],
    [
      'too many roots',
      () => prove({}, { roots: Array.from({ length: 600 }, () => trusted) }),
      'malformed',
      /more than 512/,
    ],
    [
      'one key under three ids',
      () => {
        const options = { targets, threshold: 3, aliases: 2 };
        const { root } = tufRepository(options);
        const { root: next, ...rest } = tufRepository({ ...options, versions: { root: 2 } });
        return proveTarget(root, { ...rest, roots: [next] }, name, Buffer.from(document));
      },
      'invalid',
      /root is signed by 1 of the 3 keys/,
    ],
  ])('by %s', (_, body, code, message) => {
    expect(body).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('by anything that is no metadata, and it is said so', () => {
    const good = tufRepository({ targets });
    const json = fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((each) => `{"signed":${each},"signatures":${each}}`),
    );
    fc.assert(
      fc.property(json, fc.constantFrom('timestamp', 'snapshot', 'targets', 'root'), (text, role) => {
        const metadata = {
          ...good,
          roots: role === 'root' ? [text] : [],
          ...(role === 'root' ? {} : { [role]: text }),
        };
        expect(() => proveTarget(trusted, metadata, name, Buffer.from(document))).toThrow(VerifyError);
        expect(() => tufRootVersion(text)).toThrow(VerifyError);
      }),
    );
  });

  it('by a root with anything in the place of a key or a role', () => {
    const { signed, signatures } = JSON.parse(trusted) as { signed: Record<string, unknown>; signatures: unknown };
    fc.assert(
      fc.property(
        fc.constantFrom('keys', 'roles', 'version', 'expires', '_type', 'spec_version'),
        fc.jsonValue(),
        (field, value) => {
          const root = JSON.stringify({ signatures, signed: { ...signed, version: 2, [field]: value } });
          expect(() => prove({}, { roots: [root] })).toThrow(VerifyError);
        },
      ),
    );
  });
});

function twice(text: string): string {
  const { signed, signatures } = JSON.parse(text) as { signed: unknown; signatures: unknown[] };
  return JSON.stringify({ signed, signatures: [...signatures, ...signatures] });
}
