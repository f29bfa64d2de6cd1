import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TarEntry, TarReader } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import {
  base256,
  directory,
  entry,
  file,
  gnuLong,
  hardlink,
  octal,
  type Part,
  pax,
  paxRecord,
  rawPax,
  sparse,
  symlink,
  tar,
} from '../kit/tar.ts';

interface Read {
  readonly entries: readonly (TarEntry & { readonly content: string })[];
  readonly trailing: boolean;
}

const limits = { headerBytes: 1024 * 1024 };

/** Reads an archive in pieces of these lengths, over and over. */
function read(archive: Buffer, steps: readonly number[] = [archive.length || 1]): Read {
  const entries: (TarEntry & { content: string })[] = [];
  const reader = new TarReader(
    {
      entry: (each) => {
        const pieces: Buffer[] = [];
        return {
          chunk: (bytes) => pieces.push(Buffer.from(bytes)),
          end: () => entries.push({ ...each, content: Buffer.concat(pieces).toString('latin1') }),
        };
      },
    },
    limits,
  );
  for (let at = 0, turn = 0; at < archive.length; turn++) {
    const step = steps[turn % steps.length]!;
    reader.push(Buffer.from(archive.subarray(at, at + step)));
    at += step;
  }
  reader.end();
  return { entries, trailing: reader.trailingData };
}

function names(archive: Buffer): readonly string[] {
  return read(archive).entries.map((each) => each.name);
}

function failure(archive: Buffer): string {
  try {
    read(archive);
  } catch (error) {
    if (error instanceof OperationalError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'it was read';
}

const long = `${'deep/'.repeat(40)}name`;

describe('what writers of archives make', () => {
  it.each<[string, Part, Partial<TarEntry> & { content?: string }]>([
    [
      'a regular file',
      file('a/b', 'hello', 0o4755),
      { name: 'a/b', type: 'file', size: 5, mode: 0o4755, content: 'hello' },
    ],
    [
      'a file of the oldest format',
      entry({ name: 'a', type: '\0', magic: 'v7', content: 'x' }),
      { name: 'a', type: 'file' },
    ],
    [
      'a directory of the oldest format',
      entry({ name: 'a/', type: '\0', magic: 'v7' }),
      { name: 'a/', type: 'directory' },
    ],
    ['a contiguous file', entry({ name: 'a', type: '7', content: 'x' }), { type: 'file', content: 'x' }],
    ['a directory', directory('a/'), { name: 'a/', type: 'directory', mode: 0o755 }],
    ['a symbolic link', symlink('a', '../b'), { name: 'a', type: 'symlink', link: '../b' }],
    ['a hard link', hardlink('a', 'b'), { name: 'a', type: 'hardlink', link: 'b' }],
    ['a POSIX prefix', entry({ name: 'b', prefix: 'a/a' }), { name: 'a/a/b' }],
    [
      'a star prefix, shorter because times follow it',
      entry({ name: 'b', prefix: 'a', magic: 'star', patch: [[476, Buffer.from('00000000000\0')]] }),
      { name: 'a/b' },
    ],
    [
      'a GNU header, which has times where others have the prefix',
      entry({ name: 'b', magic: 'gnu', patch: [[345, Buffer.from('00000000000\0')]] }),
      { name: 'b' },
    ],
    [
      'a GNU header with a prefix instead of times, as Go once wrote it',
      entry({ name: 'installed', magic: 'gnu', prefix: 'lib/apk/db' }),
      { name: 'lib/apk/db/installed' },
    ],
    ['a name that fills its field', file('n'.repeat(100)), { name: 'n'.repeat(100) }],
    ['a PAX path', Buffer.concat([pax([['path', long]]), file('short', 'x')]), { name: long, content: 'x' }],
    ['a PAX link path', Buffer.concat([pax([['linkpath', long]]), symlink('a', 'b')]), { name: 'a', link: long }],
    [
      'a PAX size',
      Buffer.concat([pax([['size', '3']]), entry({ name: 'a', size: 0, content: 'abc' })]),
      { size: 3, content: 'abc' },
    ],
    ['a GNU long name', Buffer.concat([gnuLong('L', long), file('short', 'x')]), { name: long, content: 'x' }],
    ['a GNU long link', Buffer.concat([gnuLong('K', long), symlink('a', 'b')]), { name: 'a', link: long }],
    ['a base-256 size', entry({ name: 'a', size: base256(3n, 12), content: 'abc' }), { size: 3, content: 'abc' }],
    [
      'numbers with spaces around them',
      entry({ name: 'a', size: Buffer.from('  3        \0'), content: 'abc' }),
      { size: 3 },
    ],
    [
      'a number with rubbish behind its end, as some old writers left it',
      entry({ name: 'a', size: Buffer.from('00003\0 77 99'), content: 'abc' }),
      { size: 3, content: 'abc' },
    ],
    ['a checksum over signed bytes', entry({ name: Buffer.of(0xff), checksum: signedSum() }), { name: '\udcff' }],
    ['a device', entry({ name: 'dev/null', type: '3' }), { type: 'device', size: 0 }],
    ['a block device', entry({ name: 'dev/sda', type: '4' }), { type: 'device', size: 0 }],
    ['a fifo', entry({ name: 'pipe', type: '6' }), { type: 'fifo', size: 0 }],
    ['a name in bytes that are not UTF-8', file(Buffer.from('a\xff\xfeb', 'latin1')), { name: 'a\udcff\udcfeb' }],
  ])('reads %s', (_, part, expected) => {
    const { entries } = read(tar([part, file('next', 'n')]));
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject(expected);
    expect(entries[1]).toMatchObject({ name: 'next', content: 'n' });
  });

  it('tells where the content of each member begins', () => {
    const archive = tar([pax([['path', long]]), file('short', 'first'), directory('d'), file('b', 'second')]);
    for (const { content, offset, size } of read(archive).entries) {
      expect(archive.toString('latin1', offset, offset + size)).toBe(content);
    }
  });

  it('accepts an archive without an end marker, with half of one, and without the last padding', () => {
    const parts = [file('a', 'x')];
    expect(read(tar(parts, Buffer.alloc(0))).entries).toHaveLength(1);
    expect(read(tar(parts, Buffer.alloc(512))).entries).toHaveLength(1);
    expect(read(tar([entry({ name: 'a', content: 'x', unpadded: true })], Buffer.alloc(0))).entries).toHaveLength(1);
    expect(read(Buffer.alloc(0)).entries).toEqual([]);
  });

  it('sees the name that a container runtime sees when several are stated', () => {
    const both = Buffer.concat([gnuLong('L', 'from-gnu'), pax([['path', 'from-pax']]), file('from-header')]);
    const twice = Buffer.concat([pax([['path', 'first']]), pax([['mtime', '1']]), file('from-header')]);
    const empty = Buffer.concat([pax([['path', '']]), file('from-header')]);
    const repeated = Buffer.concat([
      pax([
        ['path', 'first'],
        ['path', 'second'],
      ]),
      file('from-header'),
    ]);
    const global = Buffer.concat([pax([['path', 'global']], 'g'), file('from-header')]);
    expect(names(tar([both]))).toEqual(['from-gnu']);
    expect(names(tar([twice]))).toEqual(['from-header']);
    expect(names(tar([empty]))).toEqual(['from-header']);
    expect(names(tar([repeated]))).toEqual(['second']);
    expect(names(tar([global]))).toEqual(['from-header']);
  });

  it('gives no content to members that are only a header, whatever size they state', () => {
    const lying = ['1', '2', '3', '4', '5', '6'].map((type) => entry({ name: `t${type}`, type, size: 512 }));
    expect(names(tar([...lying, file('real', 'x')]))).toEqual(['t1', 't2', 't3', 't4', 't5', 't6', 'real']);
  });

  it('knows sparse members of both kinds and takes the member after them for what it is', () => {
    const old = sparse('old', Buffer.from('data'));
    const extended = sparse('extended', Buffer.from('data'), 3);
    const posix = Buffer.concat([
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'posix'],
        ['GNU.sparse.realsize', '99'],
      ]),
      file('GNUSparseFile.1/posix', 'map and data'),
    ]);
    const { entries } = read(tar([old, extended, posix, file('next', 'n')]));
    expect(entries.map(({ name, type }) => [name, type])).toEqual([
      ['old', 'sparse'],
      ['extended', 'sparse'],
      ['posix', 'sparse'],
      ['next', 'file'],
    ]);
  });

  it.each<[string, string, [string, string][]]>([
    ['plain', 'file', [['GNU.sparse.name', 'elsewhere']]],
    [
      'plain',
      'file',
      [
        ['GNU.sparse.realsize', '9'],
        ['GNU.sparse.name', 'elsewhere'],
      ],
    ],
    [
      'plain',
      'file',
      [
        ['GNU.sparse.major', '2'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.map', '0,1'],
      ],
    ],
    [
      'plain',
      'file',
      [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.name', 'elsewhere'],
      ],
    ],
    ['plain', 'sparse', [['GNU.sparse.map', '0,1']]],
    [
      'plain',
      'sparse',
      [
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numbytes', '1'],
      ],
    ],
    [
      'elsewhere',
      'sparse',
      [
        ['GNU.sparse.name', 'elsewhere'],
        ['path', 'other'],
        ['GNU.sparse.map', '0,1'],
      ],
    ],
  ])('takes %s for a %s by the records that a container runtime looks at: %j', (name, type, records) => {
    const { entries } = read(tar([Buffer.concat([pax(records), file('plain', 'x')])]));
    expect(entries.map((each) => [each.name, each.type])).toEqual([[name, type]]);
  });

  it('passes over members of unknown kinds by the size that they state', () => {
    const { entries } = read(tar([entry({ name: 'v', type: 'V', content: 'volume' }), file('a', 'x')]));
    expect(entries.map(({ type }) => type)).toEqual(['unknown', 'file']);
  });

  it('keeps keys of PAX records away from every object', () => {
    const records = ['__proto__', 'constructor', 'toString'].map((key) => [key, 'polluted'] as const);
    expect(names(tar([pax(records), file('a')]))).toEqual(['a']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each<[string, Buffer, RegExp]>([
    ['a wrong checksum', tar([entry({ name: 'a', checksum: octal(1, 8) })]), /checksum/],
    ['an empty checksum', tar([entry({ name: 'a', checksum: Buffer.alloc(8) })]), /checksum/],
    ['a size that is no number', tar([entry({ name: 'a', size: Buffer.from('12x45678901\0') })]), /size/],
    ['a negative size', tar([entry({ name: 'a', size: Buffer.alloc(12, 0xff) })]), /negative/],
    ['a size beyond 2^53', tar([entry({ name: 'a', size: base256(1n << 60n, 12) })]), /2\^53/],
    ['a mode that is no number', tar([entry({ name: 'a', modeField: Buffer.from('rwxr-xr-') })]), /mode/],
    ['a cut in the header', tar([file('a', 'x')]).subarray(0, 400), /cut short/],
    ['a cut in the content', tar([file('a', 'xyz')]).subarray(0, 514), /cut short/],
    ['a cut after an extended header', tar([pax([['path', 'a']])], Buffer.alloc(0)), /cut short/],
    ['a cut in the map of a sparse member', sparse('a', Buffer.alloc(0), 2).subarray(0, 1024), /cut short/],
    ['an extended header at the end', tar([gnuLong('L', 'a')], Buffer.alloc(0)), /cut short/],
    ['a block of zeros between two members', tar([file('a'), Buffer.alloc(512), file('b')]), /zeros/],
    ['NUL in a PAX path', tar([pax([['path', 'a\0b']]), file('c')]), /NUL/],
    ['NUL in a PAX link path', tar([pax([['linkpath', 'a\0b']]), symlink('c', 'd')]), /NUL/],
    ['a PAX size that is no number', tar([pax([['size', '-1']]), file('a')]), /size/],
    ['a PAX size beyond 2^53', tar([pax([['size', '99999999999999999999']]), file('a')]), /size/],
    ['a PAX size that leads beyond the end', tar([pax([['size', '4000']]), file('a', 'x')]), /cut short|checksum/],
    ['a PAX record that is longer than stated', tar([rawPax(Buffer.from('5 a=bbbbb\n')), file('a')]), /PAX/],
    ['a PAX record that is shorter than stated', tar([rawPax(Buffer.from('99 a=b\n')), file('a')]), /PAX/],
    ['a PAX record without a length', tar([rawPax(Buffer.from('path=b\n')), file('a')]), /PAX/],
    ['a PAX record without a value', tar([rawPax(Buffer.from('7 path\n')), file('a')]), /PAX/],
    ['a PAX record of length 0', tar([rawPax(Buffer.from('0 a=b\n')), file('a')]), /PAX/],
    ['a PAX record that ends without a newline', tar([rawPax(Buffer.from('6 a=bc')), file('a')]), /PAX/],
    ['rubbish', Buffer.alloc(1024, 'rubbish'), /checksum/],
  ])('%s', (_, archive, why) => {
    expect(failure(archive)).toMatch(why);
    expect(failure(archive)).toMatch(/^malformed: /);
  });

  it('an extended header over the limit, before a byte of it is held', () => {
    for (const type of ['x', 'g', 'L', 'K']) {
      const header = entry({ name: 'a', type, size: limits.headerBytes + 1 });
      expect(failure(header)).toMatch(/^limit: .*1048577 bytes is over the limit of 1048576/);
    }
    const vast = entry({ name: 'a', type: 'x', size: base256(1n << 50n, 12) });
    expect(failure(vast)).toMatch(/^limit: /);
  });
});

describe('what follows the end', () => {
  it('is not read, and its presence is told', () => {
    const hidden = Buffer.concat([tar([file('a')]), file('hidden', 'x')]);
    expect(read(hidden)).toMatchObject({ entries: [{ name: 'a' }], trailing: true });
  });

  it('may be any amount of zeros', () => {
    expect(read(tar([file('a')], Buffer.alloc(10_240 + 77))).trailing).toBe(false);
    expect(read(tar([file('a')], Buffer.alloc(200_000))).trailing).toBe(false);
  });
});

/** One of everything. */
const everything = tar([
  pax([['comment', 'global']], 'g'),
  directory('./etc/'),
  file('./etc/passwd', 'root\n'),
  Buffer.concat([gnuLong('L', long), gnuLong('K', long), symlink('short', 'short')]),
  Buffer.concat([
    pax([
      ['path', `${long}2`],
      ['size', '700'],
    ]),
    entry({ name: 'x', size: 0, content: 'y'.repeat(700) }),
  ]),
  sparse('sparse', Buffer.alloc(600, 'z'), 2),
  entry({ name: 'dev/null', type: '3' }),
  hardlink('link', 'etc/passwd'),
  file('empty'),
  file('full', 'f'.repeat(1024)),
]);

describe('however the bytes arrive', () => {
  const whole = read(everything);

  it('is read the same byte by byte', () => {
    expect(whole.entries).toHaveLength(9);
    expect(read(everything, [1])).toEqual(whole);
  });

  it('is read the same when cut in two anywhere', () => {
    const text = JSON.stringify(whole);
    for (let cut = 1; cut < everything.length; cut++) {
      expect(JSON.stringify(read(everything, [cut, everything.length])), `cut at ${cut}`).toBe(text);
    }
  });

  it('is read the same in pieces of any lengths', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(steps, (lengths) => {
        expect(read(everything, lengths)).toEqual(whole);
      }),
    );
  });

  it('is refused wherever it is cut within a member, and never gives half of one', () => {
    const ends = new Set<number>();
    for (let cut = 0; cut <= everything.length - 1024; cut++) {
      const start = everything.subarray(0, cut);
      if (failure(start) !== 'it was read') continue;
      const { entries } = read(start);
      expect(entries).toEqual(whole.entries.slice(0, entries.length));
      ends.add(entries.length);
    }
    expect(ends.size).toBe(whole.entries.length + 1);
  });
});

describe('reading at random', () => {
  it('leaps over content that nobody wants and arrives at the same members', () => {
    const archive = tar([file('a', 'x'.repeat(10_000)), directory('d'), file('b', 'y'.repeat(513)), file('c')]);
    const seen: string[] = [];
    const reader = new TarReader({ entry: (each) => void seen.push(each.name) }, limits);
    let at = 0;
    let pushed = 0;
    while (at < archive.length) {
      const piece = archive.subarray(at, at + 512);
      reader.push(piece);
      pushed += piece.length;
      at += piece.length + reader.skip();
    }
    reader.end();
    expect(seen).toEqual(['a', 'd', 'b', 'c']);
    expect(pushed).toBeLessThan(archive.length / 2);
  });
});

describe('any bytes', () => {
  const header = fc
    .record({
      name: fc.uint8Array({ maxLength: 20 }),
      type: fc.constantFrom('0', '1', '2', '5', 'x', 'g', 'L', 'K', 'S', 'V', '\0'),
      content: fc.uint8Array({ maxLength: 40 }),
      size: fc.option(fc.oneof(fc.nat(2000), fc.uint8Array({ minLength: 12, maxLength: 12 })), { nil: undefined }),
    })
    .map(({ name, type, content, size }) =>
      entry({
        name: Buffer.from(name),
        type,
        content: Buffer.from(content),
        ...(size === undefined ? {} : { size: typeof size === 'number' ? size : Buffer.from(size) }),
      }),
    );
  const records = fc
    .array(fc.tuple(fc.constantFrom('path', 'size', 'linkpath', 'GNU.sparse.map', '__proto__', ''), fc.string()))
    .map((all) => rawPax(Buffer.concat(all.map(([key, value]) => paxRecord(key, value)))));
  const flipped = fc.tuple(fc.nat(everything.length - 1), fc.nat(255)).map(([at, value]) => {
    const copy = Buffer.from(everything);
    copy[at] = value;
    return copy;
  });

  it('end in entries or in one error of our own', () => {
    const hostile = fc.oneof(
      fc.array(fc.oneof(header, records), { maxLength: 6 }).map((parts) => tar(parts)),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      flipped,
    );
    fc.assert(
      fc.property(hostile, (archive) => {
        failure(archive);
      }),
      { numRuns: 500 },
    );
  });
});

/** The checksum of a header whose name is the byte 0xff, summed as old writers with signed bytes did. */
function signedSum(): Buffer {
  const right = entry({ name: Buffer.of(0xff) }).toString('latin1', 148, 154);
  return Buffer.from(`${(Number.parseInt(right, 8) - 256).toString(8).padStart(6, '0')}\0 `, 'latin1');
}
