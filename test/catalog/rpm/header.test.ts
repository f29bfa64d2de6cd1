import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { installedPaths } from '../../../src/catalog/rpm/files.ts';
import { parseHeader } from '../../../src/catalog/rpm/header.ts';
import { fullVersion, type RpmRecord, readRecord } from '../../../src/catalog/rpm/record.ts';
import { Unreadable } from '../../../src/catalog/types.ts';
import { buildHeader, buildPackage, tag, u32be } from './build.ts';

function read(blob: Buffer): { record: RpmRecord; gaps: string[] } {
  const gaps: string[] = [];
  return { record: readRecord(parseHeader(blob), (reason) => gaps.push(reason)), gaps };
}

const fileTags = {
  [tag.baseNames]: ['bash', 'log', 'skel', 'manual', 'lib.so', 'naïve'],
  [tag.directoryNames]: ['/usr/bin/', '/var/', '/etc/', '/usr/share/'],
  [tag.directoryIndexes]: [0, 1, 2, 3, 0, 0],
  [tag.modes]: [0o100755, 0o100644, 0o040755, 0o100644, 0o100755, 0o100644],
  [tag.flags]: [0, 64, 0, 2, 0, 0],
  [tag.states]: [0, 0, 0, 2, 4, 0],
};

describe('an rpm header', () => {
  it('tells name, version and epoch', () => {
    const { record, gaps } = read(buildPackage('bash', { [tag.epoch]: 2, [tag.sourceRpm]: 'bash-1.0-1.el9.src.rpm' }));
    expect(gaps).toEqual([]);
    expect(record).toMatchObject({ name: 'bash', version: '1.0', release: '1.el9', epoch: 2, arch: 'x86_64' });
    expect(fullVersion(record)).toBe('2:1.0-1.el9');
  });

  it('with an epoch of 0 shows none', () => {
    expect(fullVersion(read(buildPackage('bash', { [tag.epoch]: 0 })).record)).toBe('1.0-1.el9');
  });

  it('lets entries behind the region replace those within it', () => {
    const blob = buildHeader({ 63: Buffer.alloc(16), [tag.name]: 'old', [tag.version]: '1' }, { [tag.name]: 'new' });
    expect(read(blob).record.name).toBe('new');
  });

  it('takes (none) and empty text for nothing', () => {
    const { record } = read(buildPackage('a', { [tag.arch]: '(none)', [tag.vendor]: '', [tag.sourceRpm]: '(none)' }));
    expect([record.arch, record.vendor, record.sourceRpm]).toEqual([undefined, undefined, undefined]);
  });

  it('in Latin-1 is read as such', () => {
    const latin = buildPackage('a', { [tag.vendor]: 'Jos? Mu?oz' });
    latin[latin.indexOf('Jos?') + 3] = 0xe9;
    latin[latin.indexOf('Mu?oz') + 2] = 0xf1;
    expect(read(latin).record.vendor).toBe('José Muñoz');
  });

  it('lists the files that were put on disk: no directories, no ghosts, nothing left out', () => {
    const { record } = read(buildPackage('bash', fileTags));
    expect([...installedPaths(record.files!)]).toEqual(['/usr/bin/bash', '/usr/bin/naïve']);
  });

  it('keeps bytes of file names that are not UTF-8', () => {
    const blob = buildPackage('a', { ...fileTags, [tag.baseNames]: ['a', 'b', 'c', 'd', 'e', 'caf?'] });
    blob[blob.indexOf('caf?') + 3] = 0xe9;
    expect([...installedPaths(read(blob).record.files!)]).toEqual(['/usr/bin/a', '/usr/bin/caf\udce9']);
  });

  it('with a damaged file list still gives the package, and says so', () => {
    const { record, gaps } = read(buildPackage('bash', { ...fileTags, [tag.directoryIndexes]: [0, 1, 2, 3, 0, 9] }));
    expect(record.files).toBeUndefined();
    expect(gaps).toEqual(['of bash: its file list is damaged']);
  });

  it('without a name is refused', () => {
    expect(() => read(buildHeader({ [tag.version]: '1' }))).toThrow('it has no name or no version');
  });

  it('of absurd size is refused before anything is allocated', () => {
    for (const [count, size] of [
      [0, 8],
      [0x1_0000, 8],
      [1, 0x1000_0000],
      [0xffff_ffff, 0xffff_ffff],
      [2, 1000],
    ] as const) {
      expect(() => parseHeader(Buffer.concat([u32be(count, size), Buffer.alloc(100)]))).toThrow(Unreadable);
    }
  });

  it('whose entries lie outside of its data, or claim too many values, leaves those out', () => {
    const good = buildPackage('bash', { [tag.vendor]: 'somebody', [tag.epoch]: 7 });
    for (const [wanted, field, value] of [
      [tag.vendor, 8, 0x7fff_ffff],
      [tag.vendor, 8, 0xffff_ffff],
      [tag.epoch, 12, 0x7fff_ffff],
      [tag.epoch, 4, 99],
      [tag.vendor, 4, 8],
    ] as const) {
      const blob = Buffer.from(good);
      const at = blob.indexOf(u32be(wanted));
      blob.writeUInt32BE(value, at + field);
      if (field === 4 && value === 8) blob.writeUInt32BE(1_000_000, at + 12);
      const { record, gaps } = read(blob);
      expect(record.name).toBe('bash');
      expect(gaps).toHaveLength(1);
      expect(gaps[0]).toContain(`tag ${wanted}`);
    }
  });

  it('ends with a record or a refusal, whatever its bytes are', () => {
    const blob = buildPackage('bash', { ...fileTags, [tag.requireName]: ['libc', '/bin/sh'] });
    const change = fc.record({ at: fc.nat(blob.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), fc.nat(blob.length), (changes, cut) => {
        const damaged = Buffer.from(blob);
        for (const { at, byte } of changes) damaged[at] = byte;
        for (const each of [damaged, damaged.subarray(0, cut)]) {
          try {
            const { record } = read(each);
            if (record.files !== undefined) expect([...installedPaths(record.files)].length).toBeLessThan(100);
          } catch (error) {
            expect(error).toBeInstanceOf(Unreadable);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
