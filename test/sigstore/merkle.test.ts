import { readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashLeaf, type Inclusion, verifyInclusion } from '../../src/sigstore/merkle.ts';
import { describeData, readData } from '../kit/data.ts';
import { nodeOf, pathOf, rootOf, sha256 } from './log.ts';
import { expectRefusal, refusalOf } from './refusal.ts';

describe('inclusion proofs', () => {
  const entries = Array.from({ length: 20 }, (_, index) => Buffer.from(`entry ${index}`));

  it('holds for every entry of every tree up to 20', () => {
    for (let size = 1; size <= entries.length; size++) {
      for (let index = 0; index < size; index++) expect(() => verifyInclusion(inclusionOf(index, size))).not.toThrow();
    }
  });

  it('holds for one place in a tree: no proof fits another index', () => {
    for (let size = 1; size <= entries.length; size++) {
      for (let index = 0; index < size; index++) {
        const good = inclusionOf(index, size);
        for (let other = 0; other <= size; other++) {
          if (other !== index) refusalOf(() => verifyInclusion({ ...good, index: other }));
        }
      }
    }
  });

  it('refuses a proof with one hash more or less as malformed', () => {
    const good = inclusionOf(5, 13);
    expectRefusal(() => verifyInclusion({ ...good, hashes: good.hashes.slice(1) }), 'malformed', /too short/);
    expectRefusal(() => verifyInclusion({ ...good, hashes: [...good.hashes, good.leafHash] }), 'malformed', /too long/);
    expectRefusal(() => verifyInclusion({ ...inclusionOf(0, 1), hashes: [good.leafHash] }), 'malformed', /too long/);
  });

  it.each([
    ['an index that is the size', { index: 13 }],
    ['a negative index', { index: -1 }],
    ['an index between two', { index: 0.5 }],
    ['an index beyond 2^53', { index: 2 ** 53, size: 2 ** 53 + 2 }],
    ['an index that is no number', { index: Number.NaN }],
    ['an empty tree', { index: 0, size: 0 }],
    ['a size without end', { size: Number.POSITIVE_INFINITY }],
    ['a root hash of 31 bytes', { rootHash: Buffer.alloc(31) }],
    ['a leaf hash of 64 bytes', { leafHash: Buffer.alloc(64) }],
    ['an empty hash', { hashes: [Buffer.alloc(0)] }],
  ])('refuses %s as malformed', (_, change) => {
    expectRefusal(() => verifyInclusion({ ...inclusionOf(5, 13), ...change }), 'malformed', /inclusion proof/);
  });

  it('refuses a node that is passed off as an entry', () => {
    const [left, right] = [hashLeaf(entries[0]!), hashLeaf(entries[1]!)];
    const disguised = hashLeaf(Buffer.concat([left, right]));
    const root = rootOf([left, right]);
    expectRefusal(
      () => verifyInclusion({ leafHash: disguised, index: 0, size: 1, hashes: [], rootHash: root }),
      'invalid',
      /does not lead/,
    );
  });

  it('refuses every single flipped bit', () => {
    const good = inclusionOf(5, 13);
    const flip = (bytes: Buffer, bit: number) => {
      const copy = Buffer.from(bytes);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      return copy;
    };
    for (let bit = 0; bit < 256; bit++) {
      refusalOf(() => verifyInclusion({ ...good, leafHash: flip(good.leafHash, bit) }));
      refusalOf(() => verifyInclusion({ ...good, rootHash: flip(good.rootHash, bit) }));
      for (const place of good.hashes.keys()) {
        const hashes = good.hashes.map((hash, index) => (index === place ? flip(hash, bit) : hash));
        refusalOf(() => verifyInclusion({ ...good, hashes }));
      }
    }
  });

  it('is right for trees of any size up to 2^53 - 1, by the recursive definition', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.integer({ min: -1, max: 1 }), (a, b, more) => {
        const [index, last] = [Math.min(a, b), Math.max(a, b)];
        const size = Math.min(last + 1, Number.MAX_SAFE_INTEGER);
        if (index >= size) return;
        const leafHash = sha256(Buffer.from('leaf'));
        const hashes = Array.from({ length: lengthOf(BigInt(index), BigInt(size)) }, (_, at) => sha256(Buffer.of(at)));
        const rootHash = recursiveRoot(leafHash, BigInt(index), BigInt(size), hashes);
        verifyInclusion({ leafHash, index, size, hashes, rootHash });
        const other = index + more;
        if (more === 0 || other < 0 || other >= size) return;
        refusalOf(() => verifyInclusion({ leafHash, index: other, size, hashes, rootHash }));
      }),
      { numRuns: 300 },
    );
  });

  it('ends in a result or a refusal, whatever it is given', () => {
    const anyHash = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.record({
          leafHash: anyHash,
          index: fc.oneof(fc.nat(20), fc.double()),
          size: fc.oneof(fc.nat(20), fc.double()),
          hashes: fc.array(anyHash, { maxLength: 6 }),
          rootHash: anyHash,
        }),
        (inclusion) => {
          refusalOf(() => verifyInclusion(inclusion));
        },
      ),
    );
  });

  function inclusionOf(index: number, size: number): Inclusion {
    const leaves = entries.slice(0, size).map(hashLeaf);
    return { leafHash: leaves[index]!, index, size, hashes: pathOf(leaves, index), rootHash: rootOf(leaves) };
  }
});

describeData('inclusion proofs of others', (dir) => {
  it('agrees with the 98 cases of transparency-dev', () => {
    const folder = path.join(dir, 'ledger/transparency-dev-merkle/testdata/inclusion');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
    const answers = files.map((file) => {
      const one = JSON.parse(readData(path.join('ledger/transparency-dev-merkle/testdata/inclusion', file)).toString());
      const { leafIdx, treeSize, root, leafHash, proof, wantErr } = one as VectorCase;
      const inclusion = {
        leafHash: decode(leafHash),
        index: leafIdx,
        size: treeSize,
        hashes: (proof ?? []).map(decode),
        rootHash: decode(root),
      };
      if (wantErr) refusalOf(() => verifyInclusion(inclusion));
      else verifyInclusion(inclusion);
      return wantErr;
    });
    expect([answers.length, answers.filter((wantErr) => !wantErr).length]).toEqual([98, 6]);
  });

  it('agrees with the 55 proofs of golang.org/x/mod', () => {
    const { inclusion, roots_base64_by_size: roots } = JSON.parse(
      readData('ledger/sumdb-generated.json').toString(),
    ) as {
      inclusion: readonly { index: number; size: number; proof: readonly string[] }[];
      roots_base64_by_size: readonly string[];
    };
    expect(inclusion).toHaveLength(55);
    for (const { index, size, proof } of inclusion) {
      const leafHash = hashLeaf(Buffer.from(`leaf ${index}`));
      const good = { leafHash, index, size, hashes: proof.map(decode), rootHash: decode(roots[size]!) };
      verifyInclusion(good);
      refusalOf(() => verifyInclusion({ ...good, leafHash: hashLeaf(Buffer.from(`leaf ${index + 1}`)) }));
    }
  });
});

interface VectorCase {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string | null;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

function decode(base64: string | null): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}

function splitBelow(size: bigint): bigint {
  let split = 1n;
  while (split * 2n < size) split *= 2n;
  return split;
}

function lengthOf(index: bigint, size: bigint): number {
  if (size === 1n) return 0;
  const split = splitBelow(size);
  return 1 + (index < split ? lengthOf(index, split) : lengthOf(index - split, size - split));
}

function recursiveRoot(leaf: Buffer, index: bigint, size: bigint, hashes: readonly Buffer[]): Buffer {
  const last = hashes.at(-1);
  if (size === 1n || last === undefined) return leaf;
  const split = splitBelow(size);
  return index < split
    ? nodeOf(recursiveRoot(leaf, index, split, hashes.slice(0, -1)), last)
    : nodeOf(last, recursiveRoot(leaf, index - split, size - split, hashes.slice(0, -1)));
}
