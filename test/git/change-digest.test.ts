import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeDigest } from '../../src/git/change-digest.ts';
import { diffTrees } from '../../src/git/tree-diff.ts';
import type { FileVersion, PathChange } from '../../src/git/types.ts';
import { root } from '../kit/data.ts';
import { type MemoryStore, memoryStore } from './memory-store.ts';

interface VectorSide {
  readonly mode?: FileVersion['mode'];
  readonly text?: string;
  readonly hex?: string;
  readonly commit?: string;
}

interface Vector {
  readonly name: string;
  readonly changes: readonly {
    readonly path?: string;
    readonly pathHex?: string;
    readonly old?: VectorSide;
    readonly new?: VectorSide;
  }[];
  readonly digest: string;
}

const vectors = JSON.parse(
  readFileSync(path.join(root, 'docs/formats/change-digest.vectors.json'), 'utf8'),
) as Vector[];

function changesOf(store: MemoryStore, { changes }: Vector): readonly PathChange[] {
  const side = ({ mode, text, hex, commit }: VectorSide): FileVersion => {
    if (commit !== undefined) return { mode: '160000', id: commit };
    return { mode: mode!, id: store.put('blob', text ?? Buffer.from(hex!, 'hex')) };
  };
  return changes.map((change) => ({
    path: change.path === undefined ? Buffer.from(change.pathHex!, 'hex') : Buffer.from(change.path),
    ...(change.old !== undefined && { old: side(change.old) }),
    ...(change.new !== undefined && { new: side(change.new) }),
  }));
}

describe('the change digest', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', async (_, vector) => {
    for (const format of ['sha1', 'sha256'] as const) {
      const store = memoryStore(format);
      const changes = changesOf(store, vector);
      expect(await changeDigest(store, changes)).toBe(vector.digest);
      expect(await changeDigest(store, changes.toReversed())).toBe(vector.digest);
    }
  });

  it('is another one for each of its vectors', () => {
    expect(new Set(vectors.map(({ digest }) => digest)).size).toBe(vectors.length);
  });

  it('is the one that its page shows', () => {
    const page = readFileSync(path.join(root, 'docs/formats/change-digest.md'), 'utf8');
    const example =
      'tidewaiter.change-digest/v1\\n\n000000 - 100644 8e609bb71c20b858c77f0e9f90bb1319db8477b13f9f965f1a1e18524bf50881 src/new.ts\\0';
    expect(page).toContain(example);
    const bytes = example.replace('\\n\n', '\n').replace('\\0', '\0');
    expect(page).toContain(createHash('sha256').update(bytes).digest('hex'));
    expect(vectors.find(({ name }) => name === 'one file is added')?.digest).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    );
  });

  it('is the same in both object formats for the same two trees, and another one for any other', async () => {
    const file = fc.record({
      a: fc.constantFrom('1', '2'),
      'b/c': fc.constantFrom('1', '2'),
      'b/d': fc.constantFrom('', '2'),
    });
    const digest = async (format: 'sha1' | 'sha256', before: Record<string, string>, after: Record<string, string>) => {
      const store = memoryStore(format);
      return changeDigest(store, await diffTrees(store, store.putTree(before), store.putTree(after)));
    };
    await fc.assert(
      fc.asyncProperty(file, file, file, async (before, after, other) => {
        const one = await digest('sha1', before, after);
        expect(await digest('sha256', before, after)).toBe(one);
        if (JSON.stringify(after) !== JSON.stringify(other)) expect(await digest('sha1', before, other)).not.toBe(one);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused for a file beyond the cap, a file that is not there and a path twice', async () => {
    const store = memoryStore();
    const [id, here] = [store.put('blob', '12345'), Buffer.from('a')];
    const change: PathChange = { path: here, new: { mode: '100644', id } };
    await expect(changeDigest(store, [change], 4)).rejects.toMatchObject({ rule: 'object-too-large' });
    expect(await changeDigest(store, [change], 5)).toHaveLength(64);
    await expect(changeDigest(store, [change, change])).rejects.toMatchObject({ code: 'malformed' });
    const missing: PathChange = { path: here, old: { mode: '100644', id: '0'.repeat(40) } };
    await expect(changeDigest(store, [missing])).rejects.toMatchObject({ rule: 'missing-object' });
  });
});
