/** Caps on what one target may cost us. Every cap has a flag, and reaching one is said, never hidden. */
export interface Limits {
  /** Entries of all layers together. */
  readonly entries: number;
  /** Segments of one path. */
  readonly pathDepth: number;
  /** Bytes of one extended header: PAX records, GNU long names. */
  readonly headerBytes: number;
  /** Uncompressed bytes for each stored byte of a layer (beyond the first 64 MiB). */
  readonly ratio: number;
  /** Uncompressed bytes of all layers together. */
  readonly bytes: number;
  /** Bytes of one file that has to be held in memory; a larger one is a named gap. */
  readonly fileBytes: number;
}

export const defaultLimits: Limits = {
  entries: 2_000_000,
  pathDepth: 512,
  headerBytes: 1024 * 1024,
  ratio: 200,
  bytes: 64 * 1024 ** 3,
  fileBytes: 1024 ** 3,
};

/** The flag that moves each cap, for messages and for the command line. */
export const limitFlags: Readonly<Record<keyof Limits, string>> = {
  entries: '--max-entries',
  pathDepth: '--max-path-depth',
  headerBytes: '--max-header-bytes',
  ratio: '--max-ratio',
  bytes: '--max-bytes',
  fileBytes: '--max-file-bytes',
};
