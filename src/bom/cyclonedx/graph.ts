/**
 * The graph of a document: references that are unique, edges that lead somewhere, and everything within reach of the
 * root. Checkers and viewers walk from the root; what hangs on nothing is not seen by them.
 *
 * docs/adr/0005-compositions.md says why the completeness of each part is stated as it is.
 */
import { byText } from '../names.ts';
import type { Component, Inventory } from '../types.ts';
import { text } from '../values.ts';
import { xmlText } from '../xml.ts';
import { type CdxComposition, type CdxDependency, some } from './document.ts';

export const rootRef = 'root';

/** From the ref of the inventory to the `bom-ref` of the document. */
export type Refs = ReadonlyMap<string, string>;

export interface Graph {
  readonly dependencies: readonly CdxDependency[];
  readonly compositions: readonly CdxComposition[];
}

/** A `bom-ref` for each component. Two refs that differ only in what cannot be written get a number each. */
export function assignRefs(components: readonly Component[], taken: readonly string[]): Refs {
  const used = new Set(taken);
  const refs = new Map<string, string>();
  for (const { ref } of components) {
    if (refs.has(ref)) throw new Error(`two components of the inventory have the ref ${JSON.stringify(ref)}`);
    const written = xmlText(text(ref)) || 'component';
    let unique = written;
    for (let count = 2; used.has(unique); count++) unique = `${written}#${count}`;
    used.add(unique);
    refs.set(ref, unique);
  }
  return refs;
}

export function drawGraph(inventory: Inventory, components: readonly Component[], refs: Refs, osRef?: string): Graph {
  const edges = new Map<string, Set<string>>([[rootRef, new Set(known(inventory.roots, refs))]]);
  if (osRef !== undefined) {
    edges.get(rootRef)!.add(osRef);
    edges.set(osRef, new Set());
  }
  for (const ref of refs.values()) edges.set(ref, new Set());
  for (const component of components) {
    const from = refs.get(component.ref)!;
    for (const to of known(component.requires, refs)) edges.get(from)!.add(to);
    const owner = component.ownedBy === undefined ? undefined : refs.get(component.ownedBy);
    if (owner !== undefined) edges.get(owner)!.add(from);
  }
  for (const [from, to] of edges) to.delete(from);
  connectAll(edges);
  const dependencies = [...edges]
    .sort(([one], [other]) => byText(one, other))
    .map(([ref, to]): CdxDependency => ({ ref, dependsOn: [...to].sort() }));
  return { dependencies, compositions: compose(inventory, components, refs, osRef) };
}

function* known(targets: readonly string[], refs: Refs): Iterable<string> {
  for (const target of targets) {
    const ref = refs.get(target);
    if (ref !== undefined) yield ref;
  }
}

/** The inventory names its roots; a cycle that nothing leads into has none, so the first of it is tied to the root. */
function connectAll(edges: ReadonlyMap<string, Set<string>>): void {
  const reached = new Set<string>();
  const visit = (start: string): void => {
    const open = [start];
    reached.add(start);
    for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
      for (const next of edges.get(ref) ?? []) {
        if (reached.has(next)) continue;
        reached.add(next);
        open.push(next);
      }
    }
  };
  visit(rootRef);
  for (const ref of [...edges.keys()].sort()) {
    if (reached.has(ref)) continue;
    edges.get(rootRef)!.add(ref);
    visit(ref);
  }
}

function compose(
  inventory: Inventory,
  components: readonly Component[],
  refs: Refs,
  osRef: string | undefined,
): readonly CdxComposition[] {
  const seenAll = inventory.coverage.gaps.length === 0 && inventory.coverage.excluded === 0;
  const groups = { complete: [] as string[], incomplete: [] as string[], unknown: [] as string[] };
  for (const component of components) groups[dependenciesKnown(component, refs)].push(refs.get(component.ref)!);
  if (osRef !== undefined) groups.unknown.push(osRef);
  return [
    { aggregate: seenAll ? 'unknown' : 'incomplete', assemblies: [rootRef], dependencies: [rootRef] },
    ...(['complete', 'incomplete', 'unknown'] as const)
      .map((aggregate): CdxComposition => ({ aggregate, dependencies: some(groups[aggregate].sort()) }))
      .filter(({ dependencies }) => dependencies !== undefined),
  ];
}

/** An edge that leads nowhere is not written, and then no one may call the list complete. */
function dependenciesKnown({ requires, requiresKnown }: Component, refs: Refs): Component['requiresKnown'] {
  if (requiresKnown === 'complete' && requires.some((ref) => !refs.has(ref))) return 'incomplete';
  return requiresKnown;
}
