/**
 * Git as we read it. Every object that decides anything is hashed again by us, whoever handed it over; no git process ever
 * sees the user's configuration, attributes, hooks, refs or work tree (repository.ts).
 */

/** 40 (SHA-1) or 64 (SHA-256) lower-case hex digits. */
export type ObjectId = string;

export type ObjectFormat = 'sha1' | 'sha256';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** What the bytes of an object were proved to be: their digest is the name that was asked for. */
export interface GitObject {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly bytes: Buffer;
  /** Of a tree that was taken apart (tree.ts): for as long as it is kept, since neighbouring commits have the same trees. */
  table?: TreeTable;
}

/** A tree that was checked, with the places of its entries: a comparison of two trees makes objects of few of them. */
export interface TreeTable {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where each entry starts, and one more: the end. Of numbers in a plain array the heap is swept faster than of buffers. */
  readonly starts: readonly number[];
  readonly idLength: number;
}

/** Reads objects by name. Many may be asked for at once: they are answered in one stream. */
export interface ObjectStore {
  readonly format: ObjectFormat;
  /**
   * The object, hashed again. Throws GitRefusal: `missing-object` where there is none, `object-mismatch` for bytes that do not have
   * that name, `schema-invalid` for another type, `object-too-large` beyond `maxBytes`.
   */
  read(id: ObjectId, type: ObjectType, maxBytes?: number): Promise<GitObject>;
  /** What `read` would give at once, where it was read lately. */
  kept(id: ObjectId, type: ObjectType): GitObject | undefined;
  /** Type and size as git states them (nothing is hashed); undefined where there is no such object. */
  look(id: ObjectId): Promise<{ readonly type: ObjectType; readonly size: number } | undefined>;
}

/** `Name <email> 1700000000 +0100` of a commit or tag. */
export interface Ident {
  /** As text: UTF-8, or Latin-1 where the bytes are no UTF-8. Untrusted, like everything here. */
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch; undefined where the line does not end as git writes it. Whatever the author liked. */
  readonly time?: number;
}

export type SignatureFormat = 'ssh' | 'openpgp' | 'x509';

export interface EmbeddedSignature {
  /** By its armour; undefined for an armour that is not known. */
  readonly format?: SignatureFormat;
  /** With its armour. */
  readonly armored: string;
  /** The bytes that were signed: the commit without its signature headers. */
  readonly payload: Buffer;
}

/** A commit object, parsed strictly: a header twice that may stand once, a bad id or a missing line is refused. */
export interface Commit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Ident;
  readonly committer: Ident;
  /** Everything behind the headers. */
  readonly message: string;
  /** From `gpgsig` (SHA-1 repositories) or `gpgsig-sha256`. */
  readonly signature?: EmbeddedSignature;
}

/** `100644`, `100755`, `120000` link, `160000` submodule, `040000` directory. */
export type FileMode = '100644' | '100664' | '100755' | '120000' | '160000' | '040000';

export interface TreeEntry {
  /** Bytes of one path segment. */
  readonly name: Buffer;
  readonly mode: FileMode;
  readonly id: ObjectId;
}

export interface FileVersion {
  readonly mode: Exclude<FileMode, '040000'>;
  readonly id: ObjectId;
}

/** One path whose file is not the same in two trees. No renames: one is a removal and an addition. */
export interface PathChange {
  /** Bytes; from the root, `/` between segments. */
  readonly path: Buffer;
  readonly old?: FileVersion;
  readonly new?: FileVersion;
}

export interface Repository {
  /** As the user named it. */
  readonly path: string;
  readonly gitVersion: string;
  readonly format: ObjectFormat;
  /** Full names (`refs/heads/main`) to object ids; symbolic refs resolved. */
  readonly refs: ReadonlyMap<string, ObjectId>;
  /** Of those, the ones that stand for another: to the name of the ref at the end of the chain. */
  readonly symbolicRefs: ReadonlyMap<string, string>;
  /** Refs that name no object (an empty file, a link to nothing): to what is wrong with them. Never among `refs`. */
  readonly brokenRefs: ReadonlyMap<string, string>;
  /** What HEAD is: a branch, or a commit where it is detached; undefined where it is neither (an unborn branch). */
  readonly head?: { readonly ref?: string; readonly id: ObjectId };
  readonly objects: ObjectStore;
  /** Best common ancestors, by git's own walk without grafts, replacements or commit-graph. */
  mergeBases(one: ObjectId, other: ObjectId): Promise<readonly ObjectId[]>;
  isAncestor(ancestor: ObjectId, of: ObjectId): Promise<boolean>;
  /** Whether one commit is in the history of all of these. */
  shareAncestor(ids: readonly ObjectId[]): Promise<boolean>;
  /** Commits reachable from `head` and not from `base`, through every parent, parents before children. Ids only. */
  listRange(base: ObjectId, head: ObjectId): Promise<readonly ObjectId[]>;
  /**
   * What git's merge makes of two commits (strategy ort, no attributes, no drivers). `tree` holds conflict markers where it
   * is not clean. Needs git 2.38. Throws GitRefusal `unsupported-repository` where git takes too long.
   */
  mergeTree(ours: ObjectId, theirs: ObjectId): Promise<{ readonly clean: boolean; readonly tree: ObjectId }>;
  /** The same over more than two parents, folded from the left without rename detection, as git's octopus. */
  mergeTreeOf(parents: readonly ObjectId[]): Promise<{ readonly clean: boolean; readonly tree: ObjectId }>;
  /** Ends the git processes and removes the private directory. */
  close(): Promise<void>;
}
