import { describe, expect, it } from 'vitest';
import type { AgentChange, PathlessRange, VerifiedEvidence } from '../../src/change/types.ts';
import type { Repository } from '../../src/git/types.ts';
import { relationsOf } from '../../src/run/change-relations.ts';

const base = '0'.repeat(40);
const landed = '1'.repeat(40);
const tree = 'a'.repeat(40);
const range: PathlessRange = {
  policyBase: { id: base, tree },
  mergeBase: { id: base, tree },
  head: { id: landed, tree },
  landing: { clean: true, tree },
  changeDigest: '',
};
const idOf = (number: number) => `${'2'.repeat(34)}${number.toString(16).padStart(6, '0')}`;

/** Everything merges to the tree that landed; behind each commit that evidence names there are so many. */
function repositoryWith(commits: number): Repository {
  const ident = 'A <a@acme.example> 1767225600 +0000';
  const some = {
    objects: {
      format: 'sha1',
      read: async (id: string, type: string) => {
        if (type === 'tree') return { id, type, bytes: Buffer.alloc(0) };
        const number = Number.parseInt(id.slice(-6), 16);
        const parent = id === base ? '' : `parent ${number % commits === 1 ? base : idOf(number - 1)}\n`;
        const text = `tree ${tree}\n${parent}author ${ident}\ncommitter ${ident}\n\n${id}\n`;
        return { id, type: 'commit', bytes: Buffer.from(text) };
      },
      look: async () => ({ type: 'commit', size: 1 }),
    },
    mergeBases: async () => [base],
    isAncestor: async (ancestor: string, of: string) => ancestor === base || ancestor === of,
    listRange: async (_: string, end: string) => {
      const last = Number.parseInt(end.slice(-6), 16);
      return Array.from({ length: commits }, (_, at) => idOf(last - commits + 1 + at));
    },
    mergeTree: async () => ({ clean: true, tree }),
  };
  return some as unknown as Repository;
}

function evidenceOf(head: string): VerifiedEvidence {
  const statement = { kind: 'agent-change', subject: { kind: 'commit', commit: head, tree }, baseCommit: base };
  return { statement: statement as AgentChange } as VerifiedEvidence;
}

const nobody = { keys: [], certificates: [], roots: [], now: 0 };
const relate = (commits: number, ...heads: readonly number[]) =>
  relationsOf(
    heads.map((each) => evidenceOf(idOf(each))),
    range,
    new Set([landed]),
    repositoryWith(commits),
    nobody,
  );

describe('commits that were squashed into a range', () => {
  it('are looked up with who made them, each once', async () => {
    const { landingOf, rewritten } = await relate(3, 3, 6);
    expect([3, 6].map((each) => landingOf(idOf(each)).kind)).toEqual(['replay', 'replay']);
    expect(rewritten.map(({ commit }) => commit.id)).toEqual([1, 2, 3, 4, 5, 6].map(idOf));
    expect(rewritten[0]?.commit.author.email).toBe('a@acme.example');
  });

  it('are too many beyond ten thousand, of one statement or of all, and it does not count then', async () => {
    const one = await relate(10_001, 10_001);
    expect(one.landingOf(idOf(10_001))).toMatchObject({ kind: 'residual', clean: true });
    expect(one.rewritten).toEqual([]);
    const two = await relate(5001, 5001, 10_002);
    expect(two.landingOf(idOf(5001)).kind).toBe('replay');
    expect(two.landingOf(idOf(10_002))).toMatchObject({ kind: 'residual', why: expect.stringContaining('10000') });
    expect(two.rewritten).toHaveLength(5001);
  });
});
