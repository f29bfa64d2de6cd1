import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBerkeley } from '../../../src/catalog/rpm/berkeley.ts';
import type { HeaderBlob } from '../../../src/catalog/rpm/header.ts';
import { readNdb } from '../../../src/catalog/rpm/ndb.ts';
import { type ReportGap, Unreadable } from '../../../src/catalog/types.ts';
import { buildBerkeley, buildNdb, buildPackage, swapBerkeley, tag } from './build.ts';

type Read = (file: Buffer, gap: ReportGap) => Iterable<HeaderBlob>;

function readAll(read: Read, file: Buffer): { blobs: readonly HeaderBlob[]; gaps: string[] } {
  const gaps: string[] = [];
  return { blobs: [...read(file, (reason) => gaps.push(reason))], gaps };
}

const small = buildPackage('small');
const large = buildPackage('large', { [tag.vendor]: 'x'.repeat(30_000) });
const headers = [small, large, buildPackage('other', { [tag.vendor]: 'y'.repeat(5000) })];
const formats: readonly (readonly [name: string, read: Read, file: Buffer])[] = [
  ['an ndb file', readNdb, buildNdb(headers)],
  ['a little-endian Berkeley DB file', readBerkeley, buildBerkeley(headers)],
  ['a big-endian Berkeley DB file', readBerkeley, swapBerkeley(buildBerkeley(headers))],
];

for (const [name, read, file] of formats) {
  describe(name, () => {
    it('gives every header, small and large, with its number', () => {
      const { blobs, gaps } = readAll(read, file);
      expect(gaps).toEqual([]);
      expect(blobs.map(({ where }) => where)).toEqual(['package 1', 'package 2', 'package 3']);
      expect(blobs.map(({ bytes }) => Buffer.from(bytes))).toEqual(headers);
    });

    it('ends with headers, gaps or a refusal, wherever it is cut', () => {
      for (let end = 0; end < file.length; end += 53) {
        const result = attempt(() => readAll(read, file.subarray(0, end)));
        if (result !== undefined && result.blobs.length < headers.length) expect(result.gaps).not.toEqual([]);
      }
    });

    it('ends with headers, gaps or a refusal, whatever bytes are changed', () => {
      const change = fc.record({ at: fc.nat(file.length - 1), byte: fc.nat(255) });
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
          const damaged = Buffer.from(file);
          for (const { at, byte } of changes) damaged[at] = byte;
          attempt(() => readAll(read, damaged));
        }),
        { numRuns: 200 },
      );
    });
  });
}

describe('damage in an ndb file', () => {
  it('to the content of a package is told, and the package is still given', () => {
    const file = buildNdb([small]);
    file[4096 + 16 + 8 + 3]! ^= 1;
    const { blobs, gaps } = readAll(readNdb, file);
    expect(blobs).toHaveLength(1);
    expect(gaps).toEqual(['package 1 fails its checksum']);
  });

  it('to a slot leaves the other packages', () => {
    const file = buildNdb(headers);
    file.write('Slop', 32 + 16);
    const { blobs, gaps } = readAll(readNdb, file);
    expect(blobs.map(({ where }) => where)).toEqual(['package 1', 'package 3']);
    expect(gaps).toEqual(['the slot at byte 48 is damaged']);
  });

  it('that makes slots overlap is told', () => {
    const file = buildNdb([small, small]);
    file.copyWithin(48, 32, 48);
    expect(readAll(readNdb, file).gaps).toEqual(['package 1 cannot be read: it overlaps another entry']);
  });

  it('that leaves another version is refused', () => {
    const file = buildNdb([small]);
    file[4] = 1;
    expect(() => readAll(readNdb, file)).toThrow('unknown ndb version 1');
  });
});

describe('damage in a Berkeley DB file', () => {
  const pageSize = 4096;
  /** Page 0 is the meta page, page 1 holds the counter, then come the packages and then the overflow pages. */
  const firstOverflow = 2 + headers.length;

  it('that closes a chain into a circle is told', () => {
    const file = buildBerkeley(headers);
    file.writeUInt32LE(firstOverflow, firstOverflow * pageSize + 16);
    const { blobs, gaps } = readAll(readBerkeley, file);
    expect(blobs).toHaveLength(2);
    expect(gaps).toEqual([`package 2 cannot be read: page ${firstOverflow} is used twice`]);
  });

  it('that makes two packages share a chain is told', () => {
    const file = buildBerkeley([large, large]);
    const [first, second] = [2, 3].map((page) => page * pageSize + pageSize - 5 - 12);
    file.copyWithin(second!, first!, first! + 12);
    const { blobs, gaps } = readAll(readBerkeley, file);
    expect(blobs).toHaveLength(1);
    expect(gaps).toEqual(['package 2 cannot be read: page 4 is used twice']);
  });

  it('to the entries of a page is told', () => {
    const file = buildBerkeley(headers);
    file.writeUInt16LE(65_535, 2 * pageSize + 26);
    expect(readAll(readBerkeley, file).gaps).toEqual(['page 2 is damaged from entry 1 on']);
  });

  it('to the type of a page is told', () => {
    const file = buildBerkeley(headers);
    file[2 * pageSize + 25] = 99;
    const { blobs, gaps } = readAll(readBerkeley, file);
    expect(blobs).toHaveLength(2);
    expect(gaps).toEqual(['page 2 is of the unknown type 99']);
  });

  it('that claims a value of four gigabytes allocates nothing', () => {
    const file = buildBerkeley(headers);
    file.writeUInt32LE(0xffff_ffff, 3 * pageSize + pageSize - 5 - 4);
    const { gaps } = readAll(readBerkeley, file);
    expect(gaps).toEqual([expect.stringMatching(/^package 2 cannot be read: page 0 does not exist$/)]);
  });

  it('a btree, an encrypted file and one with page checksums are refused', () => {
    const refuse = (at: number, value: number) => {
      const file = buildBerkeley(headers);
      file.writeUInt8(value, at);
      return () => readAll(readBerkeley, file);
    };
    const btree = buildBerkeley(headers);
    btree.writeUInt32LE(0x00053162, 12);
    expect(() => readAll(readBerkeley, btree)).toThrow('btree');
    expect(refuse(24, 1)).toThrow('encrypted');
    expect(refuse(26, 1)).toThrow('page checksums');
    expect(refuse(16, 5)).toThrow('unknown version 5');
  });
});

/** Runs to the end; the only error allowed is a refusal. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(Unreadable);
    return undefined;
  }
}
