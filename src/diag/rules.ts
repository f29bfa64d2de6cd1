/**
 * Every kind of finding that tidewaiter reports, by its permanent id. Each has a page at docs/rules/ID.md; an id that is
 * retired is never used again.
 */
export interface Rule {
  readonly id: string;
  readonly title: string;
  /** What to do about it, one sentence. */
  readonly help: string;
}

export const rules = [
  {
    id: 'suspicious-entry',
    title: 'an entry of a layer or archive is not what a well-behaved tool would write',
    help: 'find out which tool made the image, and why it writes names like this',
  },
  {
    id: 'too-large',
    title: 'a file that had to be read is larger than the cap on one file',
    help: 'raise the cap with --max-file-bytes if the file is expected',
  },
  {
    id: 'unread-packages',
    title: 'packages of a kind that is not read yet',
    help: 'cover these packages with another tool, or leave them out with --exclude if they are not used',
  },
  {
    id: 'unreadable-file',
    title: 'a file that should name packages could not be read at all',
    help: 'look at the file: what it would have named is missing from the inventory',
  },
  {
    id: 'unreadable-record',
    title: 'a part of a file that names packages could not be read',
    help: 'look at the record: the rest of the file was read, this part is missing from the inventory',
  },
  {
    id: 'unsupported-entry',
    title: 'an entry of a layer is of a kind that is not read',
    help: 'rebuild the layer without it, or accept that its content is not covered',
  },
] as const satisfies readonly Rule[];

export type RuleId = (typeof rules)[number]['id'];

export function findRule(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id);
}
