/** A change between two sets of files, inspected: findings as short lines. */
import { inspectChange } from '../../../src/change/content/index.ts';
import type { ContentFinding } from '../../../src/change/types.ts';
import { diffTrees } from '../../../src/git/tree-diff.ts';
import { type FakeContent, memoryStore } from '../../git/memory-store.ts';

export type Files = Readonly<Record<string, FakeContent>>;

export async function inspect(before: Files, after: Files): Promise<readonly ContentFinding[]> {
  const store = memoryStore();
  const newTree = store.putTree(after);
  const changes = await diffTrees(store, store.putTree(before), newTree);
  return inspectChange(store, changes, { newTree });
}

/** `path:line rule weight`, of the findings of some rules. */
export async function inspectShort(
  before: Files,
  after: Files,
  ...rules: readonly string[]
): Promise<readonly string[]> {
  const findings = await inspect(before, after);
  return findings
    .filter(({ rule }) => rules.length === 0 || rules.includes(rule))
    .map(({ rule, weight, path, line }) => `${path}${line === undefined ? '' : `:${line}`} ${rule} ${weight}`);
}

export async function messages(before: Files, after: Files): Promise<readonly string[]> {
  return (await inspect(before, after)).map(({ weight, message }) => `${weight}: ${message}`);
}
