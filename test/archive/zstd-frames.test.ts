import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZstdFrames } from '../../src/archive/zstd-frames.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { skippable } from '../kit/zstd.ts';

/** What each push gave, cut at the ends of frames. */
function cut(input: Buffer, steps: readonly number[]): readonly Buffer[] {
  const frames = new ZstdFrames();
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const step = steps[turn % steps.length]!;
    frames.push(input.subarray(at, at + step), (piece) => pieces.push(piece));
    at += step;
  }
  frames.end();
  return pieces;
}

const content = Buffer.from('content '.repeat(400));
const checksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const noSize = { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } };

const frames: readonly Buffer[] = [
  zstdCompressSync(content),
  zstdCompressSync(content, checksum),
  zstdCompressSync(content, noSize),
  zstdCompressSync(Buffer.alloc(0)),
  zstdCompressSync(Buffer.alloc(300_000, 1)),
  skippable(Buffer.from('anything')),
  skippable(Buffer.alloc(0), 15),
];

describe('a stream of frames', () => {
  it('is cut where each frame ends', () => {
    expect(cut(Buffer.concat(frames), [1 << 20])).toEqual(frames);
  });

  it('loses nothing and mixes no two frames, however it arrives', () => {
    const order = fc.array(fc.constantFrom(...frames), { minLength: 1, maxLength: 6 });
    const steps = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(order, steps, (all, lengths) => {
        const pieces = cut(Buffer.concat(all), lengths);
        expect(Buffer.concat(pieces).equals(Buffer.concat(all))).toBe(true);
        const ends = new Set<number>();
        let end = 0;
        for (const piece of pieces) {
          end += piece.length;
          ends.add(end);
        }
        let frameEnd = 0;
        for (const frame of all) {
          frameEnd += frame.length;
          expect(ends.has(frameEnd)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, Buffer]>([
    ['a frame that is cut', frames[0]!.subarray(0, -1)],
    ['a checksum that is cut', frames[1]!.subarray(0, -2)],
    ['half a magic number', frames[0]!.subarray(0, 2)],
    ['something else between frames', Buffer.concat([frames[0]!, Buffer.from('else'), frames[0]!])],
    ['an empty block of the reserved type', Buffer.from('28b52ffd0058070000', 'hex')],
  ])('is refused with %s', (_, input) => {
    expect(() => cut(input, [1 << 20])).toThrow(OperationalError);
    expect(() => cut(input, [1])).toThrow(/zstd data is malformed/);
  });

  it('ends for any bytes behind a magic number, in pieces or in one error of our own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 9 }), (bytes, step) => {
        try {
          cut(Buffer.concat([frames[3]!.subarray(0, 4), Buffer.from(bytes)]), [step]);
        } catch (error) {
          expect(error).toBeInstanceOf(OperationalError);
        }
      }),
    );
  });
});
