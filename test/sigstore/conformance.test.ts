/**
 * Real bundles with expected answers: the upstream conformance suite's cases and bundles from the field. Each runs with a
 * path and with a digest, as the upstream suite does; nothing touches the network.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { parseTrustRoots } from '../../src/sigstore/trust-root.ts';
import type { Artifact, TrustRoot } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { describeData, readData } from '../kit/data.ts';

const beacon = {
  identity:
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};

describeData('sigstore conformance', (dir) => {
  for (const folder of ['sigstore/conformance', 'sigstore/real']) {
    for (const name of casesOf(path.join(dir, folder))) {
      const files = new Set(readdirSync(path.join(dir, folder, name)));
      const one = { folder, name, files };
      if (files.has('artifact') || !files.has('digest')) {
        it(`${answer(name)} ${folder}/${name} by path`, () => check(one, fromFile(one)));
      }
      if (!files.has('path-only')) {
        it(`${answer(name)} ${folder}/${name} by digest`, () => check(one, fromDigest(one)));
      }
    }
  }

  it('sees every case', () => {
    expect(casesOf(path.join(dir, 'sigstore/conformance'))).toHaveLength(26);
    expect(casesOf(path.join(dir, 'sigstore/real'))).toHaveLength(63);
  });
});

interface Case {
  readonly folder: string;
  readonly name: string;
  readonly files: ReadonlySet<string>;
}

function casesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function answer(name: string): string {
  return name.endsWith('_fail') ? 'refuses' : 'accepts';
}

function check(one: Case, artifact: Artifact): void {
  if (!one.name.endsWith('_fail')) {
    verify(one, artifact);
    return;
  }
  let thrown: unknown;
  try {
    verify(one, artifact);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, 'was accepted').toBeInstanceOf(VerifyError);
}

/** What the conformance client does: verify, then compare the signer whole. */
function verify(one: Case, artifact: Artifact): void {
  const read = (file: string) => readData(`${one.folder}/${one.name}/${file}`).toString('utf8');
  const line = (file: string, otherwise: string) => (one.files.has(file) ? read(file).trim() : otherwise);
  const key = one.files.has('key.pub') ? parsePublicKey(read('key.pub')) : undefined;
  const root = one.files.has('trusted_root.json')
    ? `${one.folder}/${one.name}/trusted_root.json`
    : 'sigstore/trust/public-good.json';
  const { signer } = verifyEntity(parseBundle(read('bundle.sigstore.json')), trust(root), artifact, {
    ...(key !== undefined && { key }),
  });
  if (key !== undefined) {
    expect(signer).toEqual({ kind: 'key', fingerprint: key.fingerprint });
    return;
  }
  const expected = { identity: line('identity', beacon.identity), issuer: line('issuer', beacon.issuer) };
  const got =
    signer.kind === 'certificate'
      ? { identity: signer.identity.subject.value, issuer: signer.identity.issuer }
      : undefined;
  if (got?.identity !== expected.identity || got.issuer !== expected.issuer) {
    throw new VerifyError('wrong-identity', 'signed by someone else', {
      expected: expected.identity,
      got: String(got?.identity),
    });
  }
}

function trust(file: string): readonly TrustRoot[] {
  return parseTrustRoots(readData(file).toString('utf8'), 'test');
}

function fromFile(one: Case): Artifact {
  const bytes = readData(one.files.has('artifact') ? `${one.folder}/${one.name}/artifact` : `${one.folder}/a.txt`);
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  const digests = new Map(['sha256', 'sha384', 'sha512'].map((algorithm) => [algorithm, hex(algorithm)]));
  return { name: 'artifact', digests, bytes };
}

function fromDigest(one: Case): Artifact {
  const stated = one.files.has('digest')
    ? readData(`${one.folder}/${one.name}/digest`).toString('utf8').trim().replace('sha256:', '')
    : (fromFile(one).digests.get('sha256') ?? '');
  return { name: 'digest', digests: new Map([['sha256', stated]]) };
}
