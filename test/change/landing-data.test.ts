/**
 * Landing over pull requests of public repositories. Of each there are ids: commits, trees and what git's merge made of the
 * two; the repositories themselves are not here. So this asks what we conclude from those, and not whether we find them:
 * that git's replay gives the tree in the row, that the histories are related as it says, and patch ids are not checked.
 */
import { expect, it } from 'vitest';
import type { AgentChange, PathlessRange, VerifiedEvidence } from '../../src/change/types.ts';
import type { Repository } from '../../src/git/types.ts';
import { relationsOf } from '../../src/run/change-relations.ts';
import { describeData, readData } from '../kit/data.ts';

interface Pair {
  readonly kind: 'squash' | 'merge';
  readonly mergeBase: string;
  readonly baseAtMerge: string;
  readonly head: string;
  readonly headTree: string;
  readonly landed: string;
  readonly landedTree: string;
  readonly treeEqual: boolean;
  readonly patchIdEqual: boolean | null;
  readonly replayTree: string;
  readonly replayConflict: boolean;
  readonly replayEqual: boolean;
}

const nobody = { keys: [], certificates: [], roots: [], now: 0 };

describeData('the landing of public pull requests', () => {
  const pairs = JSON.parse(readData('agents/pr_pairs.json').toString()) as readonly Pair[];

  it('the rows are what they say of themselves, and trees decide nothing alone', () => {
    for (const row of pairs) {
      expect(row.treeEqual).toBe(row.headTree === row.landedTree);
      expect(row.replayEqual).toBe(row.replayTree === row.landedTree);
      if (row.mergeBase === row.baseAtMerge) expect(row.replayTree).toBe(row.headTree);
    }
    expect(pairs).toHaveLength(620);
    expect(pairs.filter(({ mergeBase, baseAtMerge }) => mergeBase !== baseAtMerge)).toHaveLength(380);
    expect(pairs.filter(({ replayEqual, treeEqual }) => replayEqual && !treeEqual)).toHaveLength(375);
    expect(pairs.filter(({ replayEqual, patchIdEqual }) => replayEqual && patchIdEqual === false)).toHaveLength(25);
  });

  it('each is what its row says: a replay, the commit itself, or something that nobody attested', async () => {
    const found = { replay: 0, identity: 0, residual: 0, unverifiable: 0, before: 0 };
    for (const row of pairs) {
      const inRange = new Set(row.kind === 'merge' ? [row.head, row.landed] : [row.landed]);
      const relations = await relationsOf([attestationOf(row)], rangeOf(row), inRange, repositoryOf(row), nobody);
      const landing = relations.landingOf(row.head);
      expect(landing.kind).toBe(row.kind === 'merge' ? 'identity' : row.replayEqual ? 'replay' : 'residual');
      if (landing.kind === 'replay') expect([...landing.commits]).toEqual([row.landed]);
      found[landing.kind] += 1;
    }
    expect(found).toEqual({ replay: 593, identity: 24, residual: 3, unverifiable: 0, before: 0 });
  });

  it('where the head is gone, nothing is concluded', async () => {
    for (const row of pairs.slice(0, 50)) {
      const gone = { ...repositoryOf(row), objects: { ...repositoryOf(row).objects, look: async () => undefined } };
      const relations = await relationsOf([attestationOf(row)], rangeOf(row), new Set([row.landed]), gone, nobody);
      expect(relations.landingOf(row.head).kind).toBe('unverifiable');
    }
  });
});

function attestationOf({ head, headTree, mergeBase }: Pair): VerifiedEvidence {
  const statement = {
    kind: 'agent-change',
    subject: { kind: 'commit', commit: head, tree: headTree },
    baseCommit: mergeBase,
  };
  return { statement: statement as AgentChange } as VerifiedEvidence;
}

function rangeOf({ baseAtMerge, landed, landedTree }: Pair): PathlessRange {
  const base = { id: baseAtMerge, tree: '' };
  const landing = { clean: true, tree: landedTree };
  return { policyBase: base, mergeBase: base, head: { id: landed, tree: landedTree }, landing, changeDigest: '' };
}

/** As much of a repository as a row says. */
function repositoryOf(row: Pair): Repository {
  const trees = new Map([
    [row.head, row.headTree],
    [row.landed, row.landedTree],
    [row.mergeBase, '0'.repeat(40)],
  ]);
  const read = async (id: string, type: string) => {
    if (type === 'tree') return { id, type, bytes: Buffer.alloc(0) };
    const ident = 'A <a@example.com> 1767225600 +0000';
    const tree = trees.get(id) ?? '0'.repeat(40);
    return {
      id,
      type: 'commit',
      bytes: Buffer.from(`tree ${tree}\nauthor ${ident}\ncommitter ${ident}\n\nx\n`),
    } as const;
  };
  const some = {
    objects: {
      format: 'sha1',
      read,
      kept: () => undefined,
      look: async (id: string) => (trees.has(id) ? { type: 'commit', size: 1 } : undefined),
    },
    mergeBases: async () => [row.mergeBase],
    isAncestor: async (ancestor: string) => ancestor === row.mergeBase,
    listRange: async () => [row.head],
    mergeTree: async (ours: string, theirs: string) => {
      expect([ours, theirs]).toEqual([row.baseAtMerge, row.head]);
      return { clean: !row.replayConflict, tree: row.replayTree };
    },
  };
  return some as unknown as Repository;
}
