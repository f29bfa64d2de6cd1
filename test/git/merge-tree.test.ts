import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { type MergeBudget, mergeBudget, openMerges } from '../../src/git/merge-tree.ts';
import type { GitProcess } from '../../src/io/index.ts';
import { refusal } from './open.ts';

const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const idOf = (number: number) => number.toString(16).padStart(40, '0');

/** A git that takes `seconds` for each merge, and hands its answers over when it has all of them. */
function slowGit(seconds: (theirs: string) => number, batches: number[]): GitProcess {
  let [input, age, isSilent, isOver] = ['', 0, false, false];
  return {
    write: (text) => {
      input += text;
    },
    end: () => batches.push(input.split('\n').length - 1),
    read: async (most) => {
      if (isOver) return undefined;
      const merges = input.trim().split('\n');
      const needed = merges.reduce((sum, line) => sum + seconds(line.slice(41)), 0);
      age += Math.min(needed, most);
      isSilent = needed > most;
      if (isSilent) throw new OperationalError('io', 'silent');
      isOver = true;
      return Buffer.from(merges.map(() => `1\0${tree}\0\0`).join(''));
    },
    wasSilent: () => isSilent,
    age: () => age,
    ended: Promise.resolve({ code: 0, stderr: '' }),
    kill: () => {},
  };
}

function run(count: number, seconds: (theirs: string) => number, budget: MergeBudget = mergeBudget()) {
  const batches: number[] = [];
  const merge = openMerges(async () => slowGit(seconds, batches), 'sha1', budget);
  const results = Array.from({ length: count }, (_, at) => merge(idOf(0), idOf(at + 1)));
  return { batches, results, budget };
}

describe('merges that are replayed', () => {
  it('are asked for in larger and larger batches as long as they are quick', async () => {
    const { batches, results } = run(3000, () => 0.005);
    expect((await Promise.all(results)).every((each) => each.clean && each.tree === tree)).toBe(true);
    expect(batches).toEqual([16, 128, 1024, 1024, 808]);
  });

  it('and are slow one by one are all answered as long as they keep within the whole', async () => {
    const { batches, results } = run(40, () => 2);
    expect((await Promise.all(results)).length).toBe(40);
    expect(Math.max(...batches)).toBe(16);
  });

  it('are all answered but the one that keeps git busy, which is refused by its parents', async () => {
    const bad = idOf(7);
    const { results } = run(100, (theirs) => (theirs === bad ? 1e9 : 0.005));
    const why = await refusal(results[6]!);
    expect(why.rule).toBe('unsupported-repository');
    expect(why.text).toContain(`the merge of ${idOf(0)} and ${bad}: it alone takes git too long`);
    const others = await Promise.all(results.filter((_, at) => at !== 6));
    expect(others).toHaveLength(99);
  });

  it('are refused when all of them together have taken too long, also over several lists', async () => {
    const { results, budget } = run(10, () => 25);
    const settled = await Promise.allSettled(results);
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(4);
    expect(settled.at(-1)).toMatchObject({ reason: { rule: 'unsupported-repository' } });
    const later = run(1, () => 0.005, budget);
    expect((await refusal(later.results[0]!)).rule).toBe('unsupported-repository');
    expect(later.batches).toEqual([]);
  });
});
