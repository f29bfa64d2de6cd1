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
    id: 'evidence-unreachable',
    title: 'a signature or attestation is said to exist and could not be opened',
    help: 'fetch the image or the file again, together with everything that is attached to it',
  },
  {
    id: 'requirement-unmet',
    title: 'fewer signatures that count than the requirement asks for',
    help: 'have the missing people or workflows sign, or correct the requirement if it asks for the wrong ones',
  },
  {
    id: 'signature-absent',
    title: 'there is no signature or attestation that could be judged',
    help: 'ask whoever made it for a signature, or name the file that holds it with --bundle',
  },
  {
    id: 'signature-invalid',
    title: 'a signature, proof, time stamp or certificate does not hold',
    help: 'do not use what it signs: fetch both again from their maker, and report it to them if it stays',
  },
  {
    id: 'signature-malformed',
    title: 'a signature or attestation breaks its own format',
    help: 'fetch it again: what cannot be read cannot be judged',
  },
  {
    id: 'signature-too-old',
    title: 'a signature holds, but is older than allowed',
    help: 'have it signed again, or use a newer release',
  },
  {
    id: 'signature-unproved',
    title: 'a signature may hold, but nothing in it proves so without the network',
    help: 'ask its maker for a bundle with the log entry or a time stamp inside',
  },
  {
    id: 'signature-unsupported',
    title: 'a signature or attestation of a kind that is not verified',
    help: 'verify it with the tool that made it, or ask its maker for a Sigstore bundle',
  },
  {
    id: 'signature-untrusted',
    title: 'a signature was made with an instance, log or authority that the trusted root does not know',
    help: 'name its trusted root with --trust or --trusted-root if you trust that instance; otherwise do not use it',
  },
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
    id: 'trusted-root-too-old',
    title: 'the trusted root is older than allowed',
    help: 'run tidewaiter trust update, or install a newer version of tidewaiter',
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
  {
    id: 'wrong-identity',
    title: 'a signature holds, but somebody other than the pinned identities made it',
    help: 'compare the pin with what the project documents; never copy it from the signature itself',
  },
  {
    id: 'wrong-subject',
    title: 'a signature holds, but it is about something else',
    help: 'find the signature of exactly this file or image: the digests must be equal',
  },
] as const satisfies readonly Rule[];

export type RuleId = (typeof rules)[number]['id'];

export function findRule(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id);
}
