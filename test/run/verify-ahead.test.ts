import { describe, expect, it } from 'vitest';
import { inAdvance } from '../../src/run/verify-ahead.ts';

async function* numbers(count: number, given: number[]): AsyncGenerator<number> {
  for (let each = 0; each < count; each++) {
    given.push(each);
    yield each;
  }
}

describe('work in advance', () => {
  it('gives everything in its order, each when it is prepared, and never holds many', async () => {
    const [given, prepared]: [number[], Set<number>] = [[], new Set()];
    // The later one is, the sooner it is prepared.
    const prepare = async (each: number) => {
      for (let turn = each; turn < 100; turn++) await Promise.resolve();
      prepared.add(each);
    };
    const got: number[] = [];
    for await (const each of inAdvance(numbers(100, given), prepare, { cores: 2 })) {
      expect(prepared.has(each)).toBe(true);
      expect(given.length - got.length).toBeLessThanOrEqual(33);
      got.push(each);
    }
    expect(got).toEqual([...Array(100).keys()]);
  });

  it('begins with what follows before the first is given', async () => {
    const begun: number[] = [];
    const prepare = async (each: number) => {
      begun.push(each);
    };
    const first = await inAdvance(numbers(5, []), prepare, { cores: 2 }).next();
    expect([first.value, begun]).toEqual([0, [0, 1, 2, 3, 4]]);
  });

  it('does nothing ahead on a single core', async () => {
    const given: number[] = [];
    const prepare = () => Promise.reject(new Error('nothing should be prepared'));
    const first = await inAdvance(numbers(5, given), prepare, { cores: 1 }).next();
    expect([first.value, given]).toEqual([0, [0]]);
  });

  it('fails as its source does', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield* numbers(40, []);
      throw new Error('the disk is gone');
    }
    const got: number[] = [];
    const all = async () => {
      for await (const each of inAdvance(broken(), () => Promise.resolve(), { cores: 2 })) got.push(each);
    };
    await expect(all()).rejects.toThrow('the disk is gone');
    expect(got).toEqual([...got.keys()]);
  });
});
