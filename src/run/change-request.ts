/** What the user asked of a range of commits. */
export interface ChangeRequest {
  /** `BASE..HEAD`, as written. */
  readonly range: string;
  /** Path of the repository or of a folder in its work tree. */
  readonly repository: string;
  /** Where the policy lies; the default path in the tree of the base otherwise. */
  readonly policy?: string;
  /** The protected branch that BASE stands for, where BASE is a bare commit. */
  readonly baseRef?: string;
  /** The branch of the change, where HEAD is a bare commit. Only signs are looked for in it. */
  readonly headRef?: string;
  /** Files, and folders of them. */
  readonly evidence: readonly string[];
  /** Full names of notes refs; every one that is there where none is named. */
  readonly notes: readonly string[];
  /** Files with a forge's reviews. */
  readonly reviews: readonly string[];
  /** A commit of the range to say everything about. */
  readonly explain?: string;
  /** Milliseconds; the clock of the machine otherwise. */
  readonly now?: number;
  /** Cap on one object of the repository. */
  readonly maxObjectBytes?: number;
  readonly tool: { readonly name: string; readonly version: string };
}
