import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openZip, startsZip, ZipError, zipLimits } from '../../src/archive/zip.ts';
import { type ZipMember, type ZipShape, zip } from '../kit/zip.ts';

/** Name to content, or to the reason why it cannot be read. */
function contents(bytes: Buffer, limits = zipLimits()): Record<string, string> {
  const archive = openZip(bytes, limits);
  return Object.fromEntries(
    archive.entries.map((entry) => {
      try {
        return [entry.name, archive.read(entry, 1024 ** 3).toString('latin1')];
      } catch (error) {
        if (!(error instanceof ZipError)) throw error;
        return [entry.name, `! ${error.message}`];
      }
    }),
  );
}

const text = 'one two three '.repeat(50);

describe('what an honest writer makes', () => {
  const members: ZipMember[] = [
    { name: 'stored.txt', content: text, stored: true },
    { name: 'dir/', stored: true },
    { name: 'dir/deflated.txt', content: text },
    { name: 'empty.txt' },
    { name: 'later.txt', content: text, descriptor: true },
    { name: 'grün.txt', content: 'green' },
  ];
  const expected = {
    'stored.txt': text,
    'dir/': '',
    'dir/deflated.txt': text,
    'empty.txt': '',
    'later.txt': text,
    'grün.txt': 'green',
  };

  it.each<[string, ZipShape]>([
    ['plain', {}],
    ['behind a launch script, offsets from the start of the archive', { prefix: Buffer.from('#!/bin/sh\nexit\n') }],
    [
      'behind a launch script, offsets from the start of the file',
      { prefix: Buffer.from('#!/bin/sh\n'), adjusted: true },
    ],
    ['with the longest comment', { comment: Buffer.alloc(65_535, 'c') }],
    ['zip64 at the end', { zip64: true }],
    ['zip64 at the end, behind a prefix', { zip64: true, prefix: Buffer.alloc(1000, 'p') }],
  ])('is read %s', (_, shape) => {
    const bytes = zip(members, shape);
    expect(contents(bytes)).toEqual(expected);
    expect(openZip(bytes, zipLimits()).problems).toEqual([]);
  });

  it('is read when each entry uses zip64 fields', () => {
    expect(contents(zip(members.map((member) => ({ ...member, zip64: true }))))).toEqual(expected);
  });

  it('is read when it is empty', () => {
    expect(openZip(zip([]), zipLimits())).toMatchObject({ entries: [], problems: [] });
  });

  it('is read when zeros fill the last block', () => {
    const bytes = Buffer.concat([zip(members), Buffer.alloc(100)]);
    expect(contents(bytes)).toEqual(expected);
    expect(openZip(bytes, zipLimits()).problems).toEqual([]);
  });

  it('keeps names that are not UTF-8 apart', () => {
    const names = ['a\xff.txt', 'a\xfe.txt'].map((name) => Buffer.from(name, 'latin1'));
    expect(Object.keys(contents(zip(names.map((name) => ({ name, flags: 0 })))))).toEqual([
      'a\udcff.txt',
      'a\udcfe.txt',
    ]);
  });

  it('is known by its first bytes unless something stands before it', () => {
    expect(startsZip(zip(members))).toBe(true);
    expect(startsZip(zip([]))).toBe(true);
    expect(startsZip(zip(members, { prefix: Buffer.from('#!') }))).toBe(false);
    expect(startsZip(Buffer.from('PK'))).toBe(false);
  });
});

describe('an archive is refused', () => {
  it.each([
    ['when it is empty bytes', Buffer.alloc(0), 'not a zip archive, or its end is missing'],
    ['when it is something else', Buffer.alloc(100_000, 'x'), 'not a zip archive, or its end is missing'],
    ['when its end is cut off', zip({ a: text }).subarray(0, -10), 'not a zip archive, or its end is missing'],
    ['when its comment is cut off', zip({ a: text }, { comment: Buffer.alloc(9) }).subarray(0, -5), 'its end is cut'],
    ['when its beginning is cut off', zip({ a: text, b: text }).subarray(150), 'its end points at no list of files'],
  ])('%s', (_, bytes, reason) => {
    expect(() => openZip(bytes, zipLimits())).toThrow(new ZipError(reason));
  });

  it('when it lists more entries than the limit', () => {
    const bytes = zip({ a: '', b: '', c: '' });
    expect(() => openZip(bytes, zipLimits({ entries: 2 }))).toThrow(new ZipError('more than 2 entries'));
  });
});

describe('an archive has a problem that is told', () => {
  it('when it states another number of entries than it lists', () => {
    const { entries, problems } = openZip(zip({ a: '', b: '' }, { count: 1 }), zipLimits());
    expect(entries.length).toBe(2);
    expect(problems).toEqual(['states 1 entries and lists 2']);
  });

  it('when its list breaks off', () => {
    const bytes = zip({ first: 'x', second: 'y' });
    bytes.write('XX', bytes.lastIndexOf('PK\x01\x02'));
    const { entries, problems } = openZip(bytes, zipLimits());
    expect(entries.map((entry) => entry.name)).toEqual(['first']);
    expect(problems).toEqual(['the list of files breaks off after 1 entries']);
  });

  it('when it was cut behind a stored inner archive and reads like that one', () => {
    const inner = zip({ inside: 'x' });
    const outer = zip([
      { name: 'outside', content: text },
      { name: 'inner.jar', content: inner, stored: true },
      { name: 'last', content: 'y'.repeat(100), stored: true },
    ]);
    const end = outer.indexOf(inner) + inner.length;
    expect(openZip(outer.subarray(0, end), zipLimits()).problems).toEqual(['another archive stands before it']);
    expect(openZip(outer.subarray(0, end + 40), zipLimits()).problems).toContain('40 bytes follow its end');
  });
});

describe('an entry is refused', () => {
  const good: ZipMember = { name: 'good', content: text };
  it.each<[string, ZipMember, string]>([
    ['when it is encrypted', { flags: 1, name: 'a', content: text }, 'it is encrypted'],
    ['when its method is not read', { method: 93, name: 'a', content: text }, 'not read (zstd)'],
    ['when its method is unknown', { method: 77, name: 'a', content: text }, 'not read (77)'],
    ['when its checksum is another', { crc: 1, name: 'a', content: text }, 'its checksum does not match'],
    ['when it holds less than stated', { size: 2000, name: 'a', content: text }, 'its size is not as stated'],
    ['when it holds more than stated', { size: 10, name: 'a', content: text }, 'its size is not as stated'],
    ['when it holds something and states nothing', { size: 0, name: 'a', content: text }, 'its size is not as stated'],
    ['when a stored one states another size', { size: 5, stored: true, name: 'a', content: text }, 'not as stated'],
    ['when its data is cut', { compressedSize: 5, name: 'a', content: text }, 'its compressed data is damaged'],
    ['when its data is no deflate data', { method: 8, stored: true, name: 'a', content: text }, 'is damaged'],
    ['when its local name is another', { localName: 'b', name: 'a', content: text }, 'another name, "b"'],
    ['when its local name is longer', { localName: 'ab', name: 'a', content: text }, 'another name, "ab"'],
  ])('%s, and the others are read', (_, member, reason) => {
    const read = contents(zip([good, member, { name: 'also good', content: text }]));
    expect(read).toMatchObject({ good: text, 'also good': text });
    expect(read['a']).toContain(`! `);
    expect(read['a']).toContain(reason);
  });

  it('when it is larger than the caller allows, before it is inflated', () => {
    const archive = openZip(zip({ a: text }), zipLimits());
    expect(() => archive.read(archive.entries[0]!, 100)).toThrow(new ZipError('larger than 100 bytes'));
  });

  it('when it is larger than the limit for entries', () => {
    expect(contents(zip({ a: text }), zipLimits({ entryBytes: 100 }))['a']).toBe('! larger than 100 bytes');
  });

  it('when it is a bomb', () => {
    const bytes = zip({ zeros: Buffer.alloc(4 * 1024 * 1024) });
    expect(contents(bytes)['zeros']).toBe('! more than 200 times larger than its compressed form');
  });

  it('when the archive has given as much as it may', () => {
    const read = contents(zip({ a: text, b: text, c: text }), zipLimits({ bytes: 2 * text.length }));
    expect(read).toEqual({ a: text, b: text, c: '! more content than the limit for one file' });
  });

  it('when archives that share a budget have used it up', () => {
    const limits = zipLimits({ bytes: text.length });
    expect(contents(zip({ a: text }), limits)['a']).toBe(text);
    expect(contents(zip({ b: text }), limits)['b']).toBe('! more content than the limit for one file');
  });

  it('when several share the data of one', () => {
    const bytes = zip([good, { name: 'good', content: text, sharesDataOf: 0 }, { name: 'other', content: 'x' }]);
    expect(contents(bytes)).toEqual({ good: '! its data overlaps another entry', other: 'x' });
    expect(openZip(bytes, zipLimits()).problems).toEqual(['2 entries overlap others']);
  });

  it('when its compressed data quotes the local headers of the entries behind it', () => {
    const kernel = zip([{ name: 'kernel', content: text }]);
    const bytes = zip([
      { name: 'quoting', content: kernel, stored: true },
      { name: 'last', content: 'x' },
    ]);
    // The second directory entry is made to point into the data of the first one.
    bytes.writeUInt32LE(bytes.indexOf(kernel), bytes.lastIndexOf('PK\x01\x02') + 42);
    expect(contents(bytes)['quoting']).toBe('! its data overlaps another entry');
    expect(openZip(bytes, zipLimits()).problems).toEqual(['2 entries overlap others']);
  });

  it('when its extra field quotes the next local header', () => {
    const second = zip([{ name: 'b', content: text }]);
    const bytes = zip([
      { name: 'a', content: text.repeat(3), localExtra: Buffer.alloc(400), compressedSize: 20 },
      { name: 'b', content: text },
    ]);
    const offset = bytes.indexOf(Buffer.from('PK\x03\x04', 'latin1'), 1);
    second.copy(bytes, 60, 0, 60);
    bytes.writeUInt32LE(60, bytes.lastIndexOf('PK\x01\x02') + 42);
    expect(offset).toBeGreaterThan(60);
    expect(contents(bytes)['a']).toBe('! its data overlaps another entry');
  });

  it('when it points outside the archive', () => {
    const bytes = zip({ a: text });
    bytes.writeUInt32LE(0x7fffffff, bytes.lastIndexOf('PK\x01\x02') + 42);
    expect(contents(bytes)['a']).toBe('! its data overlaps another entry');
  });
});

describe('hostile bytes', () => {
  const sample = zip(
    [
      { name: 'a', content: text },
      { name: 'b', content: text, zip64: true },
      { name: 'c', content: text, stored: true, descriptor: true },
    ],
    { zip64: true, comment: Buffer.from('comment') },
  );

  it('end in content or in a ZipError, whatever bytes are changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sample.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
        fc.nat(sample.length),
        (changes, length) => {
          const bytes = Buffer.from(sample);
          for (const [at, value] of changes) bytes[at] = value;
          for (const input of [bytes, bytes.subarray(0, length), bytes.subarray(length)]) {
            try {
              contents(input);
            } catch (error) {
              if (!(error instanceof ZipError)) throw error;
            }
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are read back as they were written', () => {
    const member = fc.record({
      content: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      stored: fc.boolean(),
      descriptor: fc.boolean(),
      zip64: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), fc.uint8Array({ maxLength: 40 }), (members, prefix) => {
        const named = members.map((each, index) => ({ ...each, name: `n${index}` }));
        const read = contents(zip(named, { prefix: Buffer.from(prefix) }));
        expect(read).toEqual(Object.fromEntries(named.map((each) => [each.name, each.content.toString('latin1')])));
      }),
    );
  });
});

describe('other writers', () => {
  const jar = tool('jar', '--version');
  it.skipIf(!jar)('the JDK\'s jar (needs "jar") is read', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tidewaiter-zip-'));
    try {
      writeFileSync(path.join(dir, 'hello.txt'), text);
      execFileSync('jar', ['--create', '--file', 'x.jar', 'hello.txt'], { cwd: dir });
      const read = contents(readFileSync(path.join(dir, 'x.jar')));
      expect(read['hello.txt']).toBe(text);
      expect(read['META-INF/MANIFEST.MF']).toContain('Manifest-Version: 1.0');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

function tool(name: string, ...args: string[]): boolean {
  try {
    execFileSync(name, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
