import { printable } from '../diag/index.ts';
import { byText } from './names.ts';
import type { Inventory } from './types.ts';

/** One package URL a line, each once, in code unit order; empty when nothing was found. The subject itself is not listed. */
export function writePurls(inventory: Inventory): string {
  // A purl is ASCII by construction; if one ever were not, it must not be able to start a line of its own.
  const purls = new Set(inventory.components.map((component) => printable(component.purl)));
  return [...purls]
    .sort(byText)
    .map((purl) => `${purl}\n`)
    .join('');
}
