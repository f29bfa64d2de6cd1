/**
 * The people of the policy who had a hand in a change, whose approval of it therefore does not count: who signed a commit, and whose
 * address it bears as author, committer or co-author. Copilot and its like name as co-author whoever gave them the task, and
 * a squash names everybody whose commits went into it, if it likes: where evidence leads to the commits before it, those count too.
 *
 * All but the signature can be forged, and can only take an approval away.
 */
import type { Person, Policy } from '../policy/types.ts';
import { coAuthorAddresses, foldAddress, gitHubLogin } from './signs/index.ts';
import type { ClassifiedCommit, CommitFacts } from './types.ts';

export function authorsOf(
  commits: readonly AuthoredCommit[],
  rewritten: readonly CommitFacts[],
  { people }: Policy,
): ReadonlySet<string> {
  const known = knownAddresses([...people.values()]);
  const authors = new Set<string>();
  for (const each of [...commits, ...rewritten.map((facts): AuthoredCommit => ({ facts }))]) {
    if (!isContent(each)) continue;
    const { commit, signature } = each.facts;
    const signer = each.vouchedBy ?? (signature.state === 'good' ? signature.person : undefined);
    if (signer !== undefined) authors.add(signer);
    for (const email of [commit.author.email, commit.committer.email, ...coAuthorAddresses(commit.message)]) {
      const address = foldAddress(email);
      const login = gitHubLogin(address);
      const person = known.get(address) ?? (login === undefined ? undefined : known.get(`github:${login}`));
      if (person !== undefined) authors.add(person);
    }
  }
  return authors;
}

type AuthoredCommit = Pick<ClassifiedCommit, 'facts' | 'vouchedBy'>;

/** A merge that its parents explain adds nothing of its own, but where it brings in another repository. */
export function isContent({ facts }: Pick<ClassifiedCommit, 'facts'>): boolean {
  return facts.merge?.replay !== 'clean' || facts.unrelated !== undefined;
}

function knownAddresses(people: readonly Person[]): ReadonlyMap<string, string> {
  return new Map(
    people.flatMap(({ name, emails, accounts }) => [
      ...emails.map((email) => [foldAddress(email), name] as const),
      ...accounts.map((account) => [account.toLowerCase(), name] as const),
    ]),
  );
}
