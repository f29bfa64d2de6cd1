import { randomBytes } from 'node:crypto';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { gzipMembers, gzipStored, skippable, zstdFrames } from '../kit/zstd.ts';
import { bzip2, lz4, sevenZip, xz } from './magic.ts';

interface Inflated {
  readonly compression: string;
  readonly plain: Buffer;
}

/** Inflates bytes that arrive in pieces of these lengths, over and over. */
async function inflate(stored: Buffer, steps: readonly number[] = [stored.length || 1]): Promise<Inflated> {
  const plain: Buffer[] = [];
  const seen: Buffer[] = [];
  const compression = await decompress(pieces(stored, steps), {
    stored: (bytes) => seen.push(Buffer.from(bytes)),
    plain: (bytes) => plain.push(Buffer.from(bytes)),
  });
  expect(Buffer.concat(seen).equals(stored)).toBe(true);
  return { compression, plain: Buffer.concat(plain) };
}

async function* pieces(bytes: Buffer, steps: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const step = steps[turn % steps.length]!;
    yield bytes.subarray(at, at + step);
    at += step;
  }
}

async function failure(stored: Buffer, steps?: readonly number[]): Promise<string> {
  try {
    await inflate(stored, steps);
  } catch (error) {
    if (error instanceof OperationalError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'it was inflated';
}

const plain = Buffer.concat([Buffer.alloc(3000, 'compressible '), randomBytes(3000)]);
const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

const forms: Readonly<Record<string, [stored: Buffer, compression: string]>> = {
  'a gzip member': [gzipSync(plain), 'gzip'],
  'gzip members': [gzipMembers(plain, 4), 'gzip'],
  'an empty gzip member between others': [Buffer.concat([gzipSync(''), gzipSync(plain), gzipSync('')]), 'gzip'],
  'stored gzip': [gzipStored(plain), 'gzip'],
  'a zstd frame': [zstdCompressSync(plain), 'zstd'],
  'a zstd frame with a checksum': [zstdCompressSync(plain, checked), 'zstd'],
  'zstd frames with frames to skip': [zstdFrames(plain, 4), 'zstd'],
  'a frame to skip before a zstd frame': [
    Buffer.concat([skippable(Buffer.alloc(9), 15), zstdCompressSync(plain)]),
    'zstd',
  ],
  'an empty zstd frame between others': [
    Buffer.concat([zstdCompressSync(''), zstdCompressSync(plain), zstdCompressSync('')]),
    'zstd',
  ],
  'nothing compressed': [plain, 'none'],
};

describe.each(Object.entries(forms))('%s', (_, [stored, compression]) => {
  it('is recognised and inflated whole', async () => {
    expect(await inflate(stored)).toEqual({ compression, plain });
  });

  it('is inflated the same byte by byte', async () => {
    expect(await inflate(stored, [1])).toEqual({ compression, plain });
  });

  it('is inflated the same in pieces of any lengths, empty ones too', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, async (lengths) => {
        expect(await inflate(stored, [...lengths, 1])).toEqual({ compression, plain });
      }),
      { numRuns: 20 },
    );
  });
});

it('inflates gzip members and zstd frames the same wherever the stream is cut in two', async () => {
  const small = Buffer.from('one two three four five six seven');
  for (const stored of [gzipMembers(small), zstdFrames(small)]) {
    for (let cut = 1; cut < stored.length; cut++) {
      expect((await inflate(stored, [cut, stored.length])).plain.toString(), `cut at ${cut}`).toBe(small.toString());
    }
  }
});

it('gives nothing for nothing', async () => {
  expect(await inflate(Buffer.alloc(0))).toEqual({ compression: 'none', plain: Buffer.alloc(0) });
});

it('takes more than fits into its queue without losing a byte', async () => {
  const large = Buffer.alloc(48 * 1024 * 1024, 'a large layer ');
  for (const stored of [gzipSync(large, { level: 1 }), zstdCompressSync(large)]) {
    const { plain: got } = await inflate(stored, [64 * 1024]);
    expect(got.equals(large)).toBe(true);
  }
});

describe('damage is refused', () => {
  const gzip = gzipSync(plain);
  const zstd = zstdCompressSync(plain, checked);

  it.each<[string, Buffer, RegExp]>([
    ['a wrong gzip checksum', flip(gzip, gzip.length - 8), /^malformed: .*incorrect data check/],
    ['a wrong gzip length', flip(gzip, gzip.length - 4), /^malformed: .*incorrect length check/],
    ['a wrong zstd checksum', flip(zstd, zstd.length - 1), /^malformed: .*[Cc]hecksum/],
    ['a gzip header alone', gzip.subarray(0, 10), /^malformed: .*cut short/],
    ['the gzip magic alone', gzip.subarray(0, 2), /^malformed: .*cut short/],
    ['the zstd magic alone', zstd.subarray(0, 4), /^malformed: .*cut short/],
    ['rubbish behind gzip', Buffer.concat([gzip, Buffer.from('rubbish')]), /^malformed/],
    ['zeros behind gzip', Buffer.concat([gzip, Buffer.alloc(512)]), /^malformed: .*followed by/],
    [
      'zeros, then another member behind gzip',
      Buffer.concat([gzip, Buffer.alloc(512), gzip]),
      /^malformed: .*followed by/,
    ],
    ['rubbish behind zstd', Buffer.concat([zstd, Buffer.from('rubbish')]), /^malformed/],
    ['zeros behind zstd', Buffer.concat([zstd, Buffer.alloc(512)]), /^malformed/],
    ['a second zstd frame that is cut', Buffer.concat([zstd, zstd.subarray(0, 100)]), /^malformed: .*cut short/],
    ['a second gzip member that is cut', Buffer.concat([gzip, gzip.subarray(0, 100)]), /^malformed: .*cut short/],
    ['gzip behind zstd', Buffer.concat([zstd, gzip]), /^malformed/],
    ['zstd behind gzip', Buffer.concat([gzip, zstd]), /^malformed/],
    ['a frame to skip that is cut', skippable(Buffer.alloc(9)).subarray(0, 12), /^malformed: .*cut short/],
    ['a zstd block of the reserved type', Buffer.from('28b52ffd00580700000000', 'hex'), /^malformed/],
  ])('%s', async (_, stored, why) => {
    expect(await failure(stored)).toMatch(why);
    expect(await failure(stored, [3])).toMatch(/^malformed/);
  });

  it('every cut of a stream', async () => {
    const small = Buffer.from('one two three four five six seven');
    for (const stored of [gzipSync(small), zstdCompressSync(small, checked)]) {
      for (let cut = 4; cut < stored.length; cut++) {
        expect(await failure(stored.subarray(0, cut)), `cut at ${cut}`).toMatch(/^malformed/);
      }
    }
  });

  it.each<[string, Buffer]>([
    ['xz', xz],
    ['bzip2', bzip2],
    ['lz4', lz4],
    ['7-zip', sevenZip],
  ])('%s is named and said not to be read', async (name, stored) => {
    const message = await failure(stored);
    expect(message).toBe(`unsupported: the data is compressed with ${name}, which is not read`);
    expect(await failure(stored, [1])).toBe(message);
  });

  it('any bytes end in data or in one error of our own', async () => {
    const magics = fc.constantFrom(
      gzip.subarray(0, 10),
      gzip,
      zstd.subarray(0, 6),
      zstd,
      skippable(Buffer.alloc(2)),
      xz,
    );
    const hostile = fc
      .tuple(magics, fc.uint8Array({ maxLength: 60 }), fc.nat(4000))
      .map(([magic, bytes, at]) => flip(Buffer.concat([magic, Buffer.from(bytes)]), at % magic.length));
    await fc.assert(
      fc.asyncProperty(hostile, async (stored) => void (await failure(stored))),
      { numRuns: 200 },
    );
  });
});

describe('what the taker says', () => {
  it.each(['gzip', 'zstd'])('stops the stream: %s', async (name) => {
    const large = Buffer.alloc(32 * 1024 * 1024);
    const stored = name === 'gzip' ? gzipSync(large) : zstdCompressSync(large);
    let plainBytes = 0;
    const enough = new Error('enough');
    const work = decompress(pieces(stored, [1000]), {
      stored: () => {},
      plain: (bytes) => {
        plainBytes += bytes.length;
        if (plainBytes > 1_000_000) throw enough;
      },
    });
    await expect(work).rejects.toBe(enough);
    expect(plainBytes).toBeLessThan(2_000_000);
  });

  it('what the input throws is thrown', async () => {
    const broken = new Error('the disk is gone');
    const input = async function* () {
      yield gzipSync(plain).subarray(0, 100);
      throw broken;
    };
    await expect(decompress(input(), { stored: () => {}, plain: () => {} })).rejects.toBe(broken);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ 0xff;
  return copy;
}
