/**
 * What a cataloger is: three questions, and no IO of its own.
 *
 * 1. `wants`: is this file yours? Asked once for every regular file of every layer, as its bytes pass. The answer may
 *    look at the path, the size, the mode and the first bytes.
 * 2. `read`: what does this one file say? Called as soon as the file has passed, for every layer, before anyone knows
 *    which files survive the layers above. It keeps little (a fact, not the bytes) and never trusts a byte.
 * 3. `assemble`: given the facts of the files that survived, which packages are installed? Here facts meet: a database
 *    and its file lists, a wheel and its dependencies.
 *
 * Adding an ecosystem is a folder beside this file and a line in list.ts.
 */
import type { Purl } from '../purl/index.ts';

/** A regular file of the tree, before its content. */
export interface FileInfo {
  /** Path from the root, `/`-separated, without a leading slash; bytes that are not UTF-8 as U+DC80..U+DCFF. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Permission bits, `0o7777`. */
  readonly mode: number;
  /** The first bytes of the content: `min(size, 512)` of them. */
  readonly head: Buffer;
}

/** A wanted file with its whole content. `bytes` may be kept, but keeping it costs memory until the scan ends. */
export interface FileBytes extends FileInfo {
  readonly bytes: Buffer;
}

/** Says that something in the file could not be read: it becomes counted coverage and is named in every output. */
export type ReportGap = (reason: string) => void;

/** Thrown by `read` for a file that cannot be read at all. The message is shown to people. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** A fact together with the file that it was read from. */
export interface Found<Fact> {
  readonly path: string;
  /** Index of the layer that the content comes from, 0 at the bottom. */
  readonly layer: number;
  readonly size: number;
  readonly fact: Fact;
}

/** The merged file system: what a container runtime would show. */
export interface TreeView {
  /** The canonical path of an existing entry with every link followed inside the root, or undefined. */
  resolve(path: string): string | undefined;
  /** Names in a directory (links followed), sorted; empty when there is no such directory. */
  list(path: string): readonly string[];
  /** The content of a regular file (links followed); a second pass over its layer. Throws Unreadable. */
  read(path: string, maxBytes: number): Promise<Buffer>;
}

/** The distribution, from os-release. */
export interface Distro {
  /** `ID`, lower case: `debian`, `alpine`, `azurelinux`. */
  readonly id: string;
  readonly idLike: readonly string[];
  /** `VERSION_ID`, absent on rolling distributions. */
  readonly versionId?: string;
  readonly name?: string;
  readonly prettyName?: string;
  readonly version?: string;
  readonly codename?: string;
  readonly variantId?: string;
  readonly buildId?: string;
  readonly imageId?: string;
  readonly imageVersion?: string;
  readonly cpe?: string;
  readonly homeUrl?: string;
  readonly supportEnd?: string;
  /** Where it was read. */
  readonly path: string;
  readonly layer: number;
}

export interface AssembleContext {
  readonly tree: TreeView;
  readonly distro: Distro | undefined;
  /** Names a gap found while assembling; `path` is where. */
  gap(path: string, reason: string): void;
}

export interface Cataloger<Fact = unknown> {
  /** Stable, `ecosystem/source`: `npm/package-lock`. Shown in reports and in evidence. */
  readonly id: string;
  /** Installed metadata counts in an image; declared (lockfiles) in a source tree. `always` counts in both. */
  readonly kind: 'installed' | 'declared' | 'always';
  /** Only says that there are packages of kinds that nobody reads yet: what it names are gaps, never packages. */
  readonly unread?: true;
  /**
   * Well-known files or directories at fixed places, for example `var/lib/dpkg/status`. When a link leads there, the
   * core presents what is behind it under the well-known path, so that a moved database cannot hide.
   */
  readonly anchors?: readonly string[];
  /**
   * When present, a wanted file reaches `read` only if at least one of these byte strings occurs somewhere in it. The
   * core looks for them as the bytes pass, so that a cataloger may want every executable without holding each in memory.
   */
  readonly needles?: readonly Buffer[];
  /**
   * Bytes that a wanted file at this path may have; a larger one is a named gap and never reaches `read`. Text needs one
   * well below the general cap of --max-file-bytes: parsed, it takes many times its size. Absent: only the general cap.
   */
  maxBytes?(path: string): number;
  wants(file: FileInfo): boolean;
  /** Throws Unreadable, or reports gaps and returns what it could read; undefined when the file is not what it seemed. */
  read(file: FileBytes, gap: ReportGap): Fact | undefined;
  assemble(found: readonly Found<Fact>[], context: AssembleContext): Promise<readonly Package[]> | readonly Package[];
}

export interface Hash {
  /** As CycloneDX spells it: `SHA-256`, `SHA-512`, `SHA-1`, `MD5`. */
  readonly alg: 'MD5' | 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** Lower-case hex. */
  readonly content: string;
}

export interface Party {
  readonly name: string;
  readonly email?: string;
  readonly url?: string;
}

/** Where a package was seen. */
export interface Place {
  readonly path: string;
  readonly layer: number;
}

/** One installed or declared package, as a cataloger sees it. The core joins equal ones and draws the graph. */
export interface Package {
  /** Unique within one cataloger's answer; what `requires` of the same cataloger points at. */
  readonly key: string;
  readonly purl: Purl;
  /** Name as people say it in this ecosystem (`@babel/core`, `org.slf4j:slf4j-api`, `openssl`). */
  readonly name: string;
  /** Absent when unknown; never an empty string. */
  readonly version?: string;
  readonly kind?: 'library' | 'application' | 'framework' | 'operating-system';
  /** Absent: needed at run time. */
  readonly scope?: 'dev' | 'optional';
  /** Licences as declared, untouched: SPDX expressions, names, whatever stood there. Several mean "all of these". */
  readonly licenses?: readonly string[];
  /** Of the distribution archive, from lockfiles and databases only. */
  readonly hashes?: readonly Hash[];
  readonly supplier?: Party;
  readonly authors?: readonly Party[];
  readonly description?: string;
  readonly homepage?: string;
  /** Source repository URL. */
  readonly vcs?: string;
  /** Where the distribution archive comes from. */
  readonly distribution?: string;
  /** Only when a source states it. */
  readonly cpes?: readonly string[];
  readonly places: readonly Place[];
  /** Keys of packages of the same cataloger that this one needs. */
  readonly requires?: readonly string[];
  /** True when `requires` may lack some: not everything that it needs could be resolved or was stated. */
  readonly requiresIncomplete?: boolean;
  /** Paths (from the root, no leading slash) of the files that this package installed. */
  readonly owns?: () => Iterable<string>;
  /** How it was recognised. */
  readonly technique: 'manifest-analysis' | 'binary-analysis' | 'filename';
  /** 0 to 1. */
  readonly confidence: number;
  /** Further facts, name to value; names are `ecosystem:thing` (`dpkg:source`, `apk:origin`), shown as `tidewaiter:…`. */
  readonly properties?: Readonly<Record<string, string>>;
}
