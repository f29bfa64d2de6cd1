/**
 * What a source gives: a subject whose digests we recomputed ourselves, its files as a stream while they pass, and the
 * merged tree when all have passed.
 */
import type { RuleId } from '../diag/index.ts';
import type { Tree } from './tree.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

export interface LayerInfo {
  /** 0 at the bottom. */
  readonly index: number;
  /** Digest of the blob as stored, recomputed by us; absent where the archive stores plain layers without one. */
  readonly digest?: string;
  /** Digest of the uncompressed layer, recomputed by us. */
  readonly diffId: string;
  /** Stored bytes, uncompressed bytes. */
  readonly size: number;
  readonly plainSize: number;
  /** `created_by` of the image history, where it has one for this layer. */
  readonly createdBy?: string;
}

/** What was scanned. Digests are recomputed by us, never copied from a claim. */
export interface SubjectInfo {
  /** The target as the user gave it. */
  readonly requested: string;
  readonly kind: 'image' | 'rootfs' | 'source' | 'file';
  /** A name for people: the tag or reference stored with the image, else the base name of the path. */
  readonly name: string;
  /** Tag, where there is one. */
  readonly version?: string;
  /** Digest of the multi-platform index that the manifest was chosen from. */
  readonly index?: string;
  readonly manifest?: string;
  readonly config?: string;
  readonly platform?: Platform;
  readonly layers: readonly LayerInfo[];
  /** Digest of the file itself, for kind `file`. */
  readonly digest?: string;
}

/** What the image says of itself: unverified, kept apart from what we saw. */
export interface Claims {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly created?: string;
  readonly author?: string;
}

/** Something in the source itself that could not be read, or that is not what it seems. */
export interface SourceGap {
  readonly rule: RuleId;
  readonly path: string;
  readonly layer: number;
  readonly reason: string;
}

/** One entry of a layer, as its tar header or directory entry states it, with its path normalised. */
export interface LayerEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other' | 'sparse';
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  /** Target of a link: of a symlink as stored, of a hard link normalised. */
  readonly link: string;
  readonly layer: number;
  /** Position among the entries of its layer. */
  readonly ordinal: number;
}

/** Takes the content of one file in pieces, which are views: copy what is kept. */
export interface FileContent {
  chunk(bytes: Buffer): void;
  end(): void;
  /** True once nothing more of this file is of interest. */
  readonly idle: boolean;
}

export interface Visitor {
  /** A regular file whose content is about to pass, in layer order within a layer, layers side by side. */
  file(entry: LayerEntry): FileContent | undefined;
}

export interface Scanned {
  readonly tree: Tree;
  readonly layers: readonly LayerInfo[];
  readonly gaps: readonly SourceGap[];
}

/** Entries whose content is wanted (again), and who takes it. */
export type Wanted = ReadonlyMap<LayerEntry, FileContent>;

export interface Source {
  /** `layers` is empty until they have been read. */
  readonly subject: SubjectInfo;
  readonly claims: Claims;
  /** How much there is to read: layers, and what they store in bytes. Both 0 for a directory or a file. */
  readonly extent: { readonly layers: number; readonly storedBytes: number };
  /** Reads everything once, verifying every digest. Throws OperationalError: then nothing that was seen counts. */
  scan(visitor: Visitor): Promise<Scanned>;
  /** A second, targeted pass. */
  reread(wanted: Wanted): Promise<void>;
  close(): Promise<void>;
}
