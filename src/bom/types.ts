/**
 * The inventory: what a scan saw, joined and connected, independent of any output format. Every writer (CycloneDX, SPDX,
 * purls, table, facts) reads this and nothing else, so that all outputs tell the same story.
 *
 * Everything is in canonical order (components by ref, places by path then layer) and holds no clock and no randomness:
 * equal inputs give equal inventories.
 */
import type { Distro, Hash, Party, Place } from '../catalog/types.ts';
import type { Claims, SubjectInfo } from '../sources/types.ts';

export type { Claims, LayerInfo, SubjectInfo } from '../sources/types.ts';

/** How one cataloger recognised a component, and where. */
export interface Sighting {
  readonly cataloger: string;
  readonly technique: 'manifest-analysis' | 'binary-analysis' | 'filename';
  readonly confidence: number;
  readonly places: readonly Place[];
}

export interface Component {
  /** Unique; the purl. */
  readonly ref: string;
  readonly purl: string;
  /** purl type: `deb`, `npm` … */
  readonly ecosystem: string;
  /** Maven group, npm scope, Go module path prefix; absent where the ecosystem has none. */
  readonly group?: string;
  /** Without the group. */
  readonly name: string;
  readonly version?: string;
  readonly kind: 'library' | 'application' | 'framework' | 'operating-system';
  readonly scope: 'required' | 'optional' | 'excluded';
  /** As declared; all of them apply. */
  readonly licenses: readonly string[];
  readonly hashes: readonly Hash[];
  readonly supplier?: Party;
  readonly authors: readonly Party[];
  readonly description?: string;
  readonly homepage?: string;
  readonly vcs?: string;
  readonly distribution?: string;
  readonly cpes: readonly string[];
  readonly sightings: readonly Sighting[];
  /** Ref of the OS package that installed the files this was recognised by. */
  readonly ownedBy?: string;
  /** Refs. */
  readonly requires: readonly string[];
  /** What is known of `requires`: all, some, or nothing was stated. */
  readonly requiresKnown: 'complete' | 'incomplete' | 'unknown';
  /** Names without the `tidewaiter:` prefix, sorted. */
  readonly properties: ReadonlyArray<readonly [name: string, value: string]>;
}

/** Something that could not be read. */
export interface Gap {
  /** Stable kebab-case id: `unreadable-file`, `unreadable-record`, `unsupported-entry`, `too-large`. */
  readonly rule: string;
  readonly path: string;
  /** Layer index, where it is known. */
  readonly layer?: number;
  /** Cataloger that wanted it; absent for the image itself. */
  readonly cataloger?: string;
  readonly reason: string;
}

export interface CatalogerStatus {
  readonly cataloger: string;
  /** Files that it read, packages that it found, gaps that it named. */
  readonly files: number;
  readonly packages: number;
  readonly gaps: number;
}

export interface Coverage {
  readonly catalogers: readonly CatalogerStatus[];
  readonly gaps: readonly Gap[];
  /** Files in the merged tree, and those left out by --exclude. */
  readonly files: number;
  readonly excluded: number;
}

export interface Inventory {
  readonly subject: SubjectInfo;
  readonly claims: Claims;
  readonly distro?: Distro;
  /** Refs that the root needs directly: everything that nothing else needs, so that all is reachable. */
  readonly roots: readonly string[];
  readonly components: readonly Component[];
  readonly coverage: Coverage;
}

/** What a document says of its own making; everything that is not the inventory. */
export interface DocumentInfo {
  /** RFC 3339, UTC, whole seconds. */
  readonly timestamp: string;
  readonly tool: { readonly name: string; readonly version: string };
  readonly authors: readonly Party[];
  readonly manufacturer?: Party;
}
