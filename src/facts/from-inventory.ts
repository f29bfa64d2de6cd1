/** What a scan saw, as facts. Fresh facts: nothing is verified yet, and nothing is replayed. */
import type { Claims, Component, DocumentInfo, Inventory } from '../bom/types.ts';
import { printable } from '../diag/index.ts';
import { type FactClaims, type FactComponent, type Facts, factsSchema, type NameValue } from './types.ts';

export function factsFromInventory(inventory: Inventory, info: DocumentInfo): Facts {
  const { subject, claims, distro, roots, components, coverage } = inventory;
  return wellFormed({
    schema: factsSchema,
    tool: { name: info.tool.name, version: info.tool.version },
    time: info.timestamp,
    replayed: false,
    subject,
    observed: {
      ...(distro === undefined ? {} : { distro }),
      roots,
      components: components.map(factComponent),
    },
    verified: [],
    claims: factClaims(claims),
    coverage: coverage,
  });
}

function factComponent(component: Component): FactComponent {
  return { ...component, properties: component.properties.map(([name, value]) => ({ name, value })) };
}

function factClaims({ annotations, labels, ...rest }: Claims): FactClaims {
  return { ...rest, annotations: pairs(annotations), labels: pairs(labels) };
}

function pairs(record: Readonly<Record<string, string>>): NameValue[] {
  return Object.entries(record)
    .map(([name, value]) => ({ name, value }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/**
 * Every string with its lone surrogates (raw path bytes among them) escaped as printable() does: a JSON document that
 * holds lone surrogates is refused by many readers and altered by others.
 */
function wellFormed<T>(value: T): T;
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.isWellFormed() ? value : value.replace(/\p{Surrogate}/gu, printable);
  }
  if (Array.isArray(value)) return value.map((each) => wellFormed(each));
  if (typeof value !== 'object' || value === null) return value;
  // The keys are those of our own types, and the depth is theirs.
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, wellFormed(each)]));
}
