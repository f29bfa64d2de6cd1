/**
 * Every field of every good real bundle, spoiled: none may verify as another signer, subject, statement or time. Some
 * changes are nobody's business, because nothing signs what is changed; each such field is listed with the reason.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import type { Artifact, PublicKey, Signature, TrustRoot } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { dataDir, describeData, readData } from '../kit/data.ts';
import { realBundles } from './bundles.ts';

/** Fields whose change may still verify, and why nobody signs them. */
const unsigned: Readonly<Record<string, string>> = {
  'verificationMaterial.publicKey.hint': 'a hint which key to try; the pinned key is tried whatever it says',
  'dsseEnvelope.signatures[].keyid': 'a hint which key to try; the signature is by the certificate or the pinned key',
  'verificationMaterial.x509CertificateChain.certificates[].rawBytes':
    'what stands beside the leaf only helps to build a path, and the trusted root has the path already',
  'verificationMaterial.timestampVerificationData.rfc3161Timestamps[].signedTimestamp':
    'the certificates that a token carries: the listed one of the authority is used',
  'verificationMaterial.tlogEntries[].logId.keyId':
    'a pinned key counts without a log, so that the entry of an unknown one is no reason to refuse it, nor a time',
  'verificationMaterial.tlogEntries[].inclusionProof.checkpoint.envelope':
    'lines by witnesses that are not known here: they add to the log, they cannot take its place',
};

interface Case {
  readonly name: string;
  readonly value: unknown;
  readonly text: string;
  readonly trust: readonly TrustRoot[];
  readonly artifact: Artifact;
  readonly key?: PublicKey;
}

describeData('a spoiled bundle', () => {
  const cases = goodCases();
  const accepted = new Set<string>();

  it.each(cases.map((each) => [each.name, each] as const))('%s is refused, or says the same', (_, each) => {
    const expected = verify(each, each.text);
    const seen = new Map<string, number>();
    for (const leaf of leavesOf(each.value)) {
      // A few nodes of an inclusion proof say as much as all of them.
      seen.set(leaf.path, (seen.get(leaf.path) ?? 0) + 1);
      if (seen.get(leaf.path)! > 3) continue;
      for (const mutant of mutantsOf(leaf.value)) {
        const got = attempt(each, JSON.stringify(withLeaf(each.value, leaf.keys, mutant)));
        if (got === undefined) continue;
        expectNoMore(got, expected, leaf.path);
        accepted.add(leaf.path);
      }
    }
  });

  it('is accepted only for a field that nothing signs', () => {
    expect([...accepted].sort()).toEqual(Object.keys(unsigned).sort());
  });

  it('is refused, or says the same, with any character changed', () => {
    const characters = fc.constantFrom(...'AZaz09+/=",:{}[]\\ \n\u0000é');
    fc.assert(
      fc.property(fc.nat(cases.length - 1), fc.nat(1_000_000), characters, (index, at, character) => {
        const each = cases[index]!;
        const place = at % each.text.length;
        const got = attempt(each, each.text.slice(0, place) + character + each.text.slice(place + 1));
        if (got !== undefined) expectNoMore(got, verify(each, each.text), each.name);
      }),
      { numRuns: 600 },
    );
  });

  it('is refused when it is cut off anywhere', () => {
    fc.assert(
      fc.property(fc.nat(cases.length - 1), fc.nat(1_000_000), (index, at) => {
        const each = cases[index]!;
        const whole = each.text.trimEnd();
        expect(attempt(each, whole.slice(0, at % whole.length))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

function goodCases(): readonly Case[] {
  if (dataDir === undefined) return [];
  const dir = path.join(dataDir, 'sigstore');
  return realBundles()
    .filter(({ good }) => good)
    .map(({ name, trust }) => {
      const read = (file: string) => readData(`sigstore/${name}/${file}`);
      const has = (file: string) => existsSync(path.join(dir, name, file));
      const text = read('bundle.sigstore.json').toString('utf8');
      const content = has('artifact') ? read('artifact') : readData(`sigstore/${name.split('/')[0]}/a.txt`);
      const digest = has('digest') ? read('digest').toString('utf8').trim().replace('sha256:', '') : undefined;
      const artifact = digest === undefined ? artifactOf(content) : { name, digests: new Map([['sha256', digest]]) };
      const key = has('key.pub') ? parsePublicKey(read('key.pub')) : undefined;
      return {
        name,
        value: JSON.parse(text) as unknown,
        text,
        trust: [trust],
        artifact,
        ...(key !== undefined && { key }),
      };
    });
}

function artifactOf(bytes: Buffer): Artifact {
  const digests = ['sha256', 'sha512'].map((name) => [name, createHash(name).update(bytes).digest('hex')] as const);
  return { name: 'artifact', digests: new Map(digests), bytes };
}

function verify({ trust, artifact, key }: Case, text: string): Signature {
  return verifyEntity(parseBundle(text), trust, artifact, key === undefined ? {} : { key });
}

/** Undefined for a refusal; anything else that is thrown is a bug and fails the test. */
function attempt(each: Case, text: string): Signature | undefined {
  try {
    return verify(each, text);
  } catch (error) {
    if (error instanceof VerifyError) return undefined;
    throw error;
  }
}

/** What the caller decides by is the same; of the times and the log there may be less. */
function expectNoMore(got: Signature, expected: Signature, where: string): void {
  expect(got.signer, where).toEqual(expected.signer);
  expect(got.statement, where).toEqual(expected.statement);
  for (const time of got.times) expect(expected.times, where).toContainEqual(time);
  if (got.log !== undefined) expect(got.log, where).toEqual(expected.log);
}

interface Leaf {
  readonly keys: readonly (string | number)[];
  readonly path: string;
  readonly value: string | number;
}

function leavesOf(value: unknown, keys: readonly (string | number)[] = []): readonly Leaf[] {
  if (typeof value === 'string' || typeof value === 'number') {
    const path = keys.map((key) => (typeof key === 'number' ? '[]' : `.${key}`)).join('');
    return [{ keys, path: path.slice(1), value }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    leavesOf(each, [...keys, Array.isArray(value) ? Number(key) : key]),
  );
}

function withLeaf(value: unknown, [key, ...rest]: readonly (string | number)[], leaf: unknown): unknown {
  if (key === undefined) return leaf;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[key] = withLeaf(copy[key], rest, leaf);
  return copy;
}

/** A bit at three places of bytes, a character at three places of text, neighbours of a number, and nothing at all. */
function* mutantsOf(value: string | number): Iterable<unknown> {
  yield null;
  if (/^[0-9]+$/.test(String(value))) {
    yield String(BigInt(value) + 1n);
    yield '0';
    return;
  }
  const text = String(value);
  const bytes = Buffer.from(text, 'base64');
  const isBytes = bytes.length > 3 && bytes.toString('base64') === text;
  const length = isBytes ? bytes.length : text.length;
  for (const place of new Set([0, length >> 1, length - 1])) {
    if (isBytes) {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 1;
      yield changed.toString('base64');
    } else {
      yield text.slice(0, place) + (text[place] === 'x' ? 'y' : 'x') + text.slice(place + 1);
    }
  }
}
