import { describe, expect, it } from 'vitest';
import { publicKeyFromSpki } from '../../src/sigstore/keys.ts';
import { findRegistryKeys, parseRegistryKeys } from '../../src/sigstore/npm.ts';
import { makeKeys, spkiOf } from '../kit/certificate.ts';
import { describeData, readData } from '../kit/data.ts';
import { bytes, keyed, signStatement, statementAbout } from './instance.ts';
import { expectRefusal } from './refusal.ts';

const keys = makeKeys();
const spki = spkiOf(keys);
const served = (changes: object = {}) => ({
  expires: null,
  keyid: 'SHA256:one',
  keytype: 'ecdsa-sha2-nistp256',
  scheme: 'ecdsa-sha2-nistp256',
  key: spki.toString('base64'),
  ...changes,
});
const parse = (...list: unknown[]) => parseRegistryKeys(JSON.stringify({ keys: list }));

describe('registry keys', () => {
  it('are read as the registry serves them', () => {
    const { key } = { key: publicKeyFromSpki(spki) };
    const [open, closed] = parse(served(), served({ expires: '2025-01-29T00:00:00.000Z' }));
    expect(open).toMatchObject({ id: 'SHA256:one', key: { fingerprint: key.fingerprint } });
    expect(open).not.toHaveProperty('validFor');
    expect(closed!.validFor).toEqual({ start: 0, end: Date.UTC(2025, 0, 29) });
  });

  it('are found by the id that a signature names, and by nothing else', () => {
    const found = (hint?: string) => {
      const entity = keyed(signStatement(keys, statementAbout(bytes)), {
        material: { kind: 'key', ...(hint !== undefined && { hint }) },
      });
      return findRegistryKeys(parse(served(), served({ keyid: 'SHA256:two' })), entity).map(({ id }) => id);
    };
    expect(found('SHA256:two')).toEqual(['SHA256:two']);
    expect(found('SHA256:')).toEqual([]);
    expect(found()).toEqual([]);
  });

  it.each([
    ['no list', '{}', 'malformed'],
    ['a key of another kind', JSON.stringify({ keys: [served({ keytype: 'rsa' })] }), 'unsupported'],
    ['a key that is none', JSON.stringify({ keys: [served({ key: 'AAAA' })] }), 'malformed'],
    ['no id', JSON.stringify({ keys: [served({ keyid: undefined })] }), 'malformed'],
    ['a date that is none', JSON.stringify({ keys: [served({ expires: 'never' })] }), 'malformed'],
  ] as const)('are refused with %s', (_, json, code) => {
    expectRefusal(() => parseRegistryKeys(json), code, /./);
  });
});

describeData('the npm registry keys', () => {
  it('are read as TUF publishes them, each with its use and validity', () => {
    const published = parseRegistryKeys(readData('sigstore/trust/npm-keys.json').toString('utf8'));
    expect(published.map(({ id, usage }) => [id.slice(0, 11), usage])).toEqual([
      ['SHA256:jl3b', 'npm:signatures'],
      ['SHA256:jl3b', 'npm:attestations'],
      ['SHA256:DhQ8', 'npm:signatures'],
      ['SHA256:DhQ8', 'npm:attestations'],
    ]);
    expect(published[1]!.validFor).toEqual({ start: Date.UTC(2022, 11, 1), end: Date.UTC(2025, 0, 29) });
  });
});
