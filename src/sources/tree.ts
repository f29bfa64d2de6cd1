/**
 * The merged file system: what a container runtime shows after applying every layer.
 *
 * Layers are applied in order, the way unpackers without an overlay write them over what is already there (umoci; where an
 * overlay differs, apply-layer.ts says so): an entry is written through links in its parent directories (inside the root
 * only), a file takes the place of a directory and all below it, a directory entry over a directory keeps what is in it.
 * OCI image specification, layer.md: `.wh.NAME` hides NAME, `.wh..wh..opq` hides everything in its directory, both only as
 * far as it comes from lower layers.
 *
 * Whoever made the image chose every path and link: lookups never leave the root, follow at most 40 links, and no
 * recursion goes deeper than the cap on path depth.
 */
import { baseOf, parentOf } from '../archive/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { LayerEntry, SourceGap } from './types.ts';

export interface TreeFile {
  /** Where it is in the merged tree. */
  readonly path: string;
  /** The entry that holds the content: for a hard link, the file that it links to. */
  readonly entry: LayerEntry;
}

interface Node {
  entry: LayerEntry | undefined;
  /** The layer that put the node here (its content may come from a lower one through a hard link). */
  layer: number;
  children: Map<string, Node> | undefined;
  /** The layer whose whiteout has already removed everything lower from this directory. */
  prunedBy?: number;
}

const maxHops = 40;
/** Directories may end up deeper than any one path says, when links are written through: PATH_MAX allows no more. */
const maxDepth = 2048;
/** Segments of link targets that one tree follows in all: a real image needs a few for each of its files. */
const maxLinkSegments = 50_000_000;
const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
/** What aufs kept for itself in the root of a layer; no runtime shows it. */
const reserved = '.wh..wh.';
/** Where aufs kept the content of files with several names, each of which is then a hard link into it. */
const aufsLinks = '.wh..wh.plnk/';

export class Tree {
  readonly #root: Node = { entry: undefined, layer: -1, children: new Map() };
  readonly #gaps: SourceGap[];
  /** Files of aufs by path, for the hard links of their own layer. */
  readonly #aufs = new Map<string, LayerEntry>();
  #linkSegments = 0;
  /** The parent of the entry before: archives list a directory's files one after the other. */
  #recent: { readonly path: string; readonly node: Node } | undefined;

  constructor(gaps: SourceGap[] = []) {
    this.#gaps = gaps;
  }

  apply(entry: LayerEntry): void {
    const base = baseOf(entry.path);
    if (entry.path.startsWith(reserved) && entry.path !== opaque) this.#reserve(entry);
    else if (base.startsWith(whiteout)) this.#whiteout(entry, base);
    else if (entry.path !== '') this.#put(entry, base);
  }

  /** An entry of a real directory, where a name that begins with `.wh.` is just a name. */
  add(entry: LayerEntry): void {
    this.#put(entry, baseOf(entry.path));
  }

  /** All regular files, ordered by path; `directory` limits it to what lies below. */
  *files(directory = ''): Generator<TreeFile> {
    for (const { path, entry } of this.#leaves(directory)) if (entry.kind === 'file') yield { path, entry };
  }

  /** All symbolic links, ordered by path. */
  *links(): Generator<TreeFile> {
    for (const { path, entry } of this.#leaves('')) if (entry.kind === 'symlink') yield { path, entry };
  }

  *#leaves(directory: string): Generator<TreeFile> {
    const start = this.#walk(directory, true);
    if (start?.node.children === undefined) return;
    const stack = [{ prefix: start.path, names: sortedNames(start.node), node: start.node, at: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const name = top.names[top.at++];
      if (name === undefined) {
        stack.pop();
        continue;
      }
      const node = top.node.children!.get(name)!;
      const path = top.prefix === '' ? name : `${top.prefix}/${name}`;
      if (node.children !== undefined) stack.push({ prefix: path, names: sortedNames(node), node, at: 0 });
      else if (node.entry !== undefined) yield { path, entry: node.entry };
    }
  }

  /** The canonical path of what exists at `path`, all links followed. */
  resolve(path: string): string | undefined {
    return this.#walk(path, true)?.path;
  }

  isDirectory(path: string): boolean {
    return this.#walk(path, true)?.node.children !== undefined;
  }

  /** The regular file at `path`, links followed. */
  file(path: string): TreeFile | undefined {
    const found = this.#walk(path, true);
    const entry = found?.node.entry;
    return entry?.kind === 'file' && found !== undefined ? { path: found.path, entry } : undefined;
  }

  /** What stands at exactly this path, its last link not followed. */
  kindOf(path: string): LayerEntry['kind'] | undefined {
    const node = this.#walk(path, false)?.node;
    return node?.children !== undefined ? 'directory' : node?.entry?.kind;
  }

  hasEntries(path: string): boolean {
    return (this.#walk(path, true)?.node.children?.size ?? 0) > 0;
  }

  list(path: string): readonly string[] {
    const node = this.#walk(path, true)?.node;
    return node?.children === undefined ? [] : sortedNames(node);
  }

  #reserve(entry: LayerEntry): void {
    if (entry.path.startsWith(aufsLinks)) this.#aufs.set(entry.path, entry);
    else if (entry.kind === 'file' && entry.path.includes('/')) {
      const reason = 'lies where runtimes keep their own files, and is not shown by them';
      this.#gaps.push({ rule: 'suspicious-entry', path: entry.path, layer: entry.layer, reason });
    }
  }

  #put(entry: LayerEntry, base: string): void {
    const parentPath = parentOf(entry.path);
    const parent = this.#recent?.path === parentPath ? this.#recent.node : this.#parent(entry);
    if (parent === undefined) return;
    const there = parent.children!.get(base);
    // A new name changes no path that is known already; something else under an old name may.
    const harmless = there === undefined || (there.children === undefined && there.entry?.kind === 'file');
    this.#recent = harmless ? { path: parentPath, node: parent } : undefined;
    if (entry.kind === 'directory') {
      if (there?.children !== undefined) {
        there.entry = entry;
        there.layer = entry.layer;
      } else parent.children!.set(base, { entry, layer: entry.layer, children: new Map() });
      return;
    }
    const content = entry.kind === 'hardlink' ? this.#linked(entry) : entry;
    if (content !== undefined) parent.children!.set(base, { entry: content, layer: entry.layer, children: undefined });
  }

  /** The entry that a hard link shares. Links in the parents of its target are followed, the target itself is not. */
  #linked(entry: LayerEntry): LayerEntry | undefined {
    const aufs = this.#aufs.get(entry.link);
    if (aufs?.kind === 'file' && aufs.layer === entry.layer) return aufs;
    const target = this.#walk(entry.link, false)?.node;
    if (target?.entry !== undefined && target.children === undefined) return target.entry;
    const reason = target === undefined ? 'links to a file that is not there' : 'links to a directory';
    this.#gaps.push({ rule: 'unreadable-file', path: entry.path, layer: entry.layer, reason });
    return undefined;
  }

  #whiteout(entry: LayerEntry, base: string): void {
    this.#recent = undefined;
    const directory = this.#walk(parentOf(entry.path), true)?.node;
    if (base === opaque) {
      if (directory?.children !== undefined) pruneChildren(directory, entry.layer);
      return;
    }
    if (base.startsWith(reserved)) return;
    const name = base.slice(whiteout.length);
    if (name === '' || name === '.' || name === '..') {
      const reason = 'a whiteout that names nothing';
      this.#gaps.push({ rule: 'suspicious-entry', path: entry.path, layer: entry.layer, reason });
      return;
    }
    const node = directory?.children?.get(name);
    if (node !== undefined && prune(node, entry.layer)) directory!.children!.delete(name);
  }

  /** The directory that an entry goes into, made where it is missing, as unpacking makes it. */
  #parent(entry: LayerEntry): Node | undefined {
    const pending = parentOf(entry.path).split('/').filter(Boolean).reverse();
    const trail: Node[] = [this.#root];
    let hops = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const node = trail.at(-1)!;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      let next = node.children!.get(name);
      if (next?.entry?.kind === 'symlink' && next.children === undefined) {
        hops += 1;
        if (hops > maxHops) {
          this.#gaps.push({ rule: 'suspicious-entry', path: entry.path, layer: entry.layer, reason: tooManyLinks });
          return undefined;
        }
        this.#follow(next.entry.link, pending, trail);
        continue;
      }
      if (next?.children === undefined) {
        // Unpacking fails where a file stands in the way of a directory; overlaying layers shows the directory.
        next = { entry: undefined, layer: entry.layer, children: new Map() };
        node.children!.set(name, next);
      }
      trail.push(next);
      if (trail.length > maxDepth) throw tooDeep(entry.path);
    }
    return trail.at(-1);
  }

  #walk(path: string, followLast: boolean): { node: Node; path: string } | undefined {
    const pending = path.split('/').filter(isName).reverse();
    const trail: Node[] = [this.#root];
    const names: string[] = [];
    let hops = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..') {
        if (trail.at(-1)!.children === undefined) return undefined;
        if (trail.length > 1) trail.pop();
        names.pop();
        continue;
      }
      const next = trail.at(-1)!.children?.get(name);
      if (next === undefined) return undefined;
      if (next.entry?.kind === 'symlink' && next.children === undefined && (followLast || pending.length > 0)) {
        hops += 1;
        if (hops > maxHops) return undefined;
        const depth = trail.length;
        this.#follow(next.entry.link, pending, trail);
        names.length -= depth - trail.length;
        continue;
      }
      trail.push(next);
      names.push(name);
    }
    return { node: trail.at(-1)!, path: names.join('/') };
  }

  /** Puts the segments of a link's target before what is still to walk; an absolute target starts at the root again. */
  #follow(link: string, pending: string[], trail: Node[]): void {
    if (link.startsWith('/')) trail.splice(0, trail.length, this.#root);
    const segments = link.split('/').filter(isName);
    this.#linkSegments += segments.length;
    if (this.#linkSegments > maxLinkSegments) {
      throw new OperationalError('limit', `its links lead through more than ${maxLinkSegments} path segments`);
    }
    for (let at = segments.length - 1; at >= 0; at--) pending.push(segments[at]!);
  }
}

const tooManyLinks = `lies behind more than ${maxHops} links`;

function isName(segment: string): boolean {
  return segment !== '' && segment !== '.';
}

/** Removes what comes from layers below `layer`; true when nothing of the node is left. */
function prune(node: Node, layer: number): boolean {
  if (node.children === undefined) return node.layer < layer;
  pruneChildren(node, layer);
  return node.layer < layer && node.children.size === 0;
}

function pruneChildren(node: Node, layer: number): void {
  // A layer may repeat a whiteout as often as it likes; only the first can remove anything.
  if (node.prunedBy === layer) return;
  node.prunedBy = layer;
  for (const [name, child] of node.children!) {
    if (prune(child, layer)) node.children!.delete(name);
  }
}

function sortedNames(node: Node): string[] {
  return [...node.children!.keys()].sort();
}

function tooDeep(path: string): OperationalError {
  return new OperationalError('limit', `the entry ${quoted(path)} lies more than ${maxDepth} directories deep`);
}
