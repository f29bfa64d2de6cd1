/**
 * The graph of an SPDX document (SPDX 2.3 §11). `NONE` says that there is nothing more, `NOASSERTION` that there may be
 * more than is listed: a gap in what we could read is written down as such.
 */
import type { Component, Inventory } from '../types.ts';
import { osId, rootId } from './subject.ts';
import type { Relationship } from './types.ts';

/** `ids` holds the SPDXID of every component by its ref. */
export function relationshipsOf(inventory: Inventory, ids: ReadonlyMap<string, string>): Relationship[] {
  const byRef = new Map(inventory.components.map((component) => [component.ref, component]));
  return [
    ...rootRelationships(inventory, ids, byRef),
    ...inventory.components.flatMap((component) => componentRelationships(component, ids, byRef)),
  ];
}

function rootRelationships(
  inventory: Inventory,
  ids: ReadonlyMap<string, string>,
  byRef: ReadonlyMap<string, Component>,
): Relationship[] {
  const relations = [relation('SPDXRef-DOCUMENT', 'DESCRIBES', rootId)];
  const contains = inventory.subject.kind === 'image' || inventory.subject.kind === 'rootfs';
  if (inventory.distro !== undefined) relations.push(relation(rootId, contains ? 'CONTAINS' : 'DEPENDS_ON', osId));
  if (contains) {
    for (const component of inventory.components) relations.push(relation(rootId, 'CONTAINS', ids.get(component.ref)!));
  } else {
    // A source tree or a lockfile does not contain its packages, it asks for them.
    for (const ref of inventory.roots) {
      const target = byRef.get(ref);
      if (target !== undefined) relations.push(dependency(rootId, 'required', target, ids));
    }
  }
  if (inventory.coverage.gaps.length > 0) {
    relations.push(relation(rootId, contains ? 'CONTAINS' : 'DEPENDS_ON', 'NOASSERTION'));
  }
  return relations;
}

function componentRelationships(
  component: Component,
  ids: ReadonlyMap<string, string>,
  byRef: ReadonlyMap<string, Component>,
): Relationship[] {
  const id = ids.get(component.ref)!;
  const relations: Relationship[] = [];
  const owner = component.ownedBy === undefined ? undefined : ids.get(component.ownedBy);
  if (owner !== undefined) relations.push(relation(owner, 'CONTAINS', id));
  const targets = component.requires.map((ref) => byRef.get(ref));
  for (const target of targets) {
    if (target !== undefined) relations.push(dependency(id, component.scope, target, ids));
  }
  if (component.requiresKnown !== 'complete' || targets.includes(undefined)) {
    relations.push(relation(id, 'DEPENDS_ON', 'NOASSERTION'));
  } else if (targets.length === 0) {
    relations.push(relation(id, 'DEPENDS_ON', 'NONE'));
  }
  return relations;
}

// SPDX puts the scope on the edge, the inventory on the package: the edge that leads into a scope carries it, and what
// a development tool itself needs are plain dependencies.
function dependency(
  fromId: string,
  fromScope: Component['scope'],
  target: Component,
  ids: ReadonlyMap<string, string>,
): Relationship {
  const targetId = ids.get(target.ref)!;
  if (target.scope === fromScope || target.scope === 'required') return relation(fromId, 'DEPENDS_ON', targetId);
  return target.scope === 'excluded'
    ? relation(targetId, 'DEV_DEPENDENCY_OF', fromId)
    : relation(targetId, 'OPTIONAL_DEPENDENCY_OF', fromId);
}

function relation(
  spdxElementId: string,
  relationshipType: Relationship['relationshipType'],
  relatedSpdxElement: string,
): Relationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}
