/**
 * Applies one layer to the tree, and tells where runtimes would not agree on it.
 *
 * Unpackers that write over the layers below follow the links that stand there (umoci, snapshots without overlays). Over
 * an overlay, which is the usual case, containerd, Docker and Podman unpack each layer alone: there a link of a lower layer is
 * unknown, and an entry that goes through it makes a directory in the place of the link.
 *
 *     layer 1   var/lib/dpkg/status   opt/x -> ../var/lib
 *     layer 2   opt/x/.wh.dpkg        hides the database, or nothing at all
 *
 * So such a whiteout hides nothing here (a package too many is the safe mistake) and is named; and so is an entry that
 * replaces what lies behind the link, since the file that was there may still be there.
 */
import { baseOf, parentOf } from '../archive/index.ts';
import { Tree } from './tree.ts';
import type { LayerEntry, SourceGap } from './types.ts';

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

export function applyLayer(tree: Tree, entries: readonly LayerEntry[], gaps: SourceGap[]): void {
  const links = new LowerLinks(tree);
  const hiding: Told = { count: 0 };
  const replacing: Told = { count: 0 };
  for (const entry of entries) {
    if (entry.layer === 0) {
      tree.apply(entry);
      continue;
    }
    const isBehind = links.leadTo(parentOf(entry.path));
    if (isBehind && wouldHide(tree, entry)) {
      add(hiding, entry);
      continue;
    }
    if (isBehind && wouldReplace(tree, entry)) add(replacing, entry);
    tree.apply(entry);
    links.note(entry);
  }
  tell(hiding, 'a whiteout behind a link of a lower layer, which many runtimes do not follow: it hides nothing here');
  tell(
    replacing,
    'replaces what lies behind a link of a lower layer, which many runtimes do not follow and still show',
  );

  function tell({ first, count }: Told, reason: string): void {
    if (first === undefined) return;
    const others = count === 1 ? '' : ` (and ${count - 1} more in this layer)`;
    gaps.push({ rule: 'suspicious-entry', path: first.path, layer: first.layer, reason: `${reason}${others}` });
  }
}

/** One gap for all: whoever made the layer may repeat it as often as they like. */
interface Told {
  first?: LayerEntry;
  count: number;
}

function add(told: Told, entry: LayerEntry): void {
  told.first ??= entry;
  told.count += 1;
}

function wouldHide(tree: Tree, { path }: LayerEntry): boolean {
  const base = baseOf(path);
  if (!base.startsWith(whiteout)) return false;
  const directory = parentOf(path);
  if (base === opaque) return tree.hasEntries(directory);
  return tree.kindOf(`${directory}/${base.slice(whiteout.length)}`) !== undefined;
}

function wouldReplace(tree: Tree, { path, kind }: LayerEntry): boolean {
  const there = tree.kindOf(path);
  return there !== undefined && !(there === 'directory' && kind === 'directory');
}

/** Which directories a layer reaches only through links that it did not bring along. */
class LowerLinks {
  readonly #tree: Tree;
  /** The links of this layer, and the directories that were asked for, as they lie when it is unpacked alone. */
  readonly #alone = new Tree();
  /** Last names of its links: hardly any other entry of a layer bears one, and to look each up takes long. */
  readonly #names = new Set<string>();
  #last: { readonly directory: string; readonly leads: boolean } | undefined;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  leadTo(directory: string): boolean {
    if (this.#last?.directory === directory) return this.#last.leads;
    const real = this.#tree.resolve(directory);
    // Nothing is hidden in a directory that is not there yet.
    if (real === undefined) return false;
    const leads = real !== directory && real !== this.#whereAlone(directory);
    this.#last = { directory, leads };
    return leads;
  }

  /** After the entry has been applied: it may be a link, or stand where one was. */
  note(entry: LayerEntry): void {
    const name = baseOf(entry.path);
    if (entry.kind === 'symlink' || (this.#names.has(name) && this.#alone.kindOf(entry.path) === 'symlink')) {
      this.#alone.apply(entry);
      this.#names.add(name);
    }
    if (entry.kind !== 'file') this.#last = undefined;
  }

  #whereAlone(directory: string): string | undefined {
    // Something in it, so that the directory is made as unpacking makes it: through the links that are there.
    const path = `${directory}/x`;
    this.#alone.apply({ kind: 'other', path, size: 0, mode: 0, link: '', layer: 0, ordinal: 0 });
    return this.#alone.resolve(directory);
  }
}
