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
    id: 'agent-signoff',
    title: 'an agent signed off a commit',
    help: 'have the human who takes responsibility sign it off instead: agents cannot',
  },
  {
    id: 'agent-undeclared',
    title: 'a commit shows no proof of a human and no declaration of an agent',
    help: 'sign it with the key of a person in the policy, or add provenance that covers it',
  },
  {
    id: 'approval-missing',
    title: 'a change of high risk lacks a human approval',
    help: 'have a person whom the policy names run tidewaiter approve',
  },
  {
    id: 'approval-not-human',
    title: 'an approval by an agent or a bot, or by nobody whom the policy names',
    help: 'have a person whom the policy names approve',
  },
  {
    id: 'approval-self',
    title: 'an approval by somebody who made the change',
    help: 'have somebody else approve',
  },
  {
    id: 'approval-stale',
    title: 'an approval of another state of the change, or one that has expired',
    help: 'approve the change as it is now',
  },
  {
    id: 'base-mismatch',
    title: 'a statement starts from a commit that this change does not start from',
    help: 'make the statement again for this base',
  },
  {
    id: 'base-ref-mismatch',
    title: 'the branch that is judged is not the one that the policy is for',
    help: 'judge against the branch that the policy names, or correct baseRef in the policy',
  },
  {
    id: 'decision-missing',
    title: "the agent runtime's own policy decision is not there, or not by whom the policy names",
    help: 'add the record that the provenance names by digest with --evidence',
  },
  {
    id: 'evidence-unreachable',
    title: 'a signature or attestation is said to exist and could not be opened',
    help: 'fetch the image or the file again, together with everything that is attached to it',
  },
  {
    id: 'hidden-text',
    title: 'added text holds characters that nobody sees',
    help: 'remove the invisible or bidirectional characters, or write them as escapes',
  },
  {
    id: 'high-risk-path',
    title: 'a change to a path of high risk',
    help: 'have a person whom the policy names approve it',
  },
  {
    id: 'identity-mismatch',
    title: 'provenance is signed, but not by whom the policy names',
    help: 'have the platform that the policy names sign it, or correct the policy on its branch',
  },
  {
    id: 'identity-unpinned',
    title: 'the policy names nobody who could vouch for agents',
    help: 'name who signs provenance under changes.agents.provenance',
  },
  {
    id: 'landing-residual',
    title: 'what landed is not what was attested or approved',
    help: 'review the difference, and give it provenance or an approval of its own',
  },
  {
    id: 'lockfile-source',
    title: 'a lockfile entry changed its source or integrity, and no manifest asks for that',
    help: 'find out why the lockfile changed by itself: regenerate it from the manifest',
  },
  {
    id: 'merge-residual',
    title: 'a merge holds content that none of its parents explains',
    help: "redo the merge without further changes, or give what it adds provenance or a person's signature",
  },
  {
    id: 'missing-object',
    title: 'an object of the repository is missing',
    help: 'fetch the whole repository again: git fetch --refetch',
  },
  {
    id: 'model-not-allowed',
    title: 'provenance names a model that the policy does not allow',
    help: 'use a model that the policy allows, or correct the policy on its branch',
  },
  {
    id: 'object-mismatch',
    title: 'an object of the repository is not what its name says',
    help: 'do not use this repository: clone it anew, and run git fsck',
  },
  {
    id: 'object-too-large',
    title: 'an object of the repository is larger than the cap',
    help: 'raise the cap with --max-object-bytes if the object is expected',
  },
  {
    id: 'opaque-content',
    title: 'content that a diff does not show',
    help: 'review the content itself, and have a person approve it',
  },
  {
    id: 'partial-clone',
    title: 'the repository is a partial clone',
    help: 'clone it anew without --filter: what was left out stays marked as missing otherwise',
  },
  {
    id: 'path-trick',
    title: 'a path that could be taken for another one',
    help: 'rename it: paths that differ in case or in invisible ways are not the same everywhere',
  },
  {
    id: 'policy-changed',
    title: 'the change edits the policy, or a file that the policy names',
    help: 'have a person whom the policy names approve it: the new policy applies once it has landed',
  },
  {
    id: 'provenance-missing',
    title: "an agent's commits have no provenance that counts",
    help: "have the agent's platform attest the range, and give the bundle with --evidence",
  },
  {
    id: 'provenance-signature',
    title: 'a signature on provenance or on a commit does not hold',
    help: 'do not use it: have the statement or the commit made again',
  },
  {
    id: 'range-ambiguous',
    title: 'the two commits have more than one best common ancestor',
    help: 'merge or rebase the change onto the tip of the base branch',
  },
  {
    id: 'range-empty',
    title: 'there is no commit in the range',
    help: 'check which commits are meant: BASE..HEAD names what HEAD has and BASE has not',
  },
  {
    id: 'range-gap',
    title: "provenance covers a part of an agent's commits only",
    help: 'have the missing commits attested as well: one statement for each gap, or one for the whole range',
  },
  {
    id: 'range-unreadable',
    title: 'the repository or a name of the range is not there, or cannot be read',
    help: 'check the names and the path, and fetch what is missing',
  },
  {
    id: 'ref-ambiguous',
    title: 'a name could mean more than one thing',
    help: 'write it in full: refs/heads/NAME, refs/remotes/origin/NAME, or the whole commit id',
  },
  {
    id: 'replaced-objects',
    title: 'the repository replaces objects or parents by others',
    help: 'remove the replacements: git replace -d NAME, or delete .git/info/grafts',
  },
  {
    id: 'replayed',
    title: 'a statement is about another change',
    help: 'make the statement for this change',
  },
  {
    id: 'repo-mismatch',
    title: 'a statement is about another repository or branch',
    help: 'make the statement for this repository and branch',
  },
  {
    id: 'requirement-unmet',
    title: 'fewer signatures that count than the requirement asks for',
    help: 'have the missing people or workflows sign, or correct the requirement if it asks for the wrong ones',
  },
  {
    id: 'runtime-not-allowed',
    title: 'provenance names an agent runtime or a tool that the policy does not allow',
    help: 'use what the policy allows, or correct the policy on its branch',
  },
  {
    id: 'sandbox-egress',
    title: "the agent's sandbox allowed more than the policy does",
    help: 'run the agent with the network and file system that the policy allows',
  },
  {
    id: 'sandbox-missing',
    title: 'provenance does not say in what sandbox the agent ran',
    help: 'run the agent in a sandbox and state it, as the policy asks',
  },
  {
    id: 'schema-invalid',
    title: 'a statement or record breaks its own format',
    help: 'have it made again by a tool that keeps to the format',
  },
  {
    id: 'shallow',
    title: 'the repository is a shallow clone',
    help: 'fetch the history: git fetch --unshallow (in GitHub Actions: fetch-depth: 0)',
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
    id: 'signer-editable',
    title: 'the change edits the workflow that signed its provenance',
    help: 'sign with a workflow in another repository, or at a ref that the change cannot move',
  },
  {
    id: 'stale',
    title: 'provenance is older than the policy allows',
    help: 'have the range attested again',
  },
  {
    id: 'subject-mismatch',
    title: 'a statement is about another commit or change',
    help: 'make the statement for the head of this range',
  },
  {
    id: 'submodule-changed',
    title: 'a submodule points elsewhere',
    help: 'review the commits that it brings in, and have a person approve it',
  },
  {
    id: 'suspicious-entry',
    title: 'an entry of a layer or archive is not what a well-behaved tool would write',
    help: 'find out which tool made the image, and why it writes names like this',
  },
  {
    id: 'tier-too-low',
    title: 'the signer of the provenance stands too near to the agent',
    help: "have an isolated signing workflow or a hosted platform sign, not the agent's own job",
  },
  {
    id: 'too-large',
    title: 'a file that had to be read is larger than the cap on one file',
    help: 'raise the cap with --max-file-bytes if the file is expected',
  },
  {
    id: 'tree-mismatch',
    title: 'a statement names a tree that its commit does not have',
    help: 'make the statement again: commit and tree must belong together',
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
    id: 'unrelated-histories',
    title: 'histories that have no common ancestor',
    help: 'check that both are of one repository: a change that brings in another one needs an approval',
  },
  {
    id: 'unsupported-entry',
    title: 'an entry of a layer is of a kind that is not read',
    help: 'rebuild the layer without it, or accept that its content is not covered',
  },
  {
    id: 'unsupported-repository',
    title: 'the repository is of a kind that is not read',
    help: 'see the message: what is not understood is not judged',
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
