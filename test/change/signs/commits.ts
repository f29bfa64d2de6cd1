/** Commits for tests of signs: a human's, but for what the test is about. */
import type { SignsOfCommit } from '../../../src/change/signs/index.ts';
import { findSigns } from '../../../src/change/signs/index.ts';

/** What a message by a human alone holds. */
export function inMessage(message: string): SignsOfCommit {
  return findSigns({ author: jane, committer: jane, message });
}

/** What a line at the end of a message holds, as git writes trailers. */
export function inTrailer(line: string): SignsOfCommit {
  return inMessage(`fix: the parser\n\nIt was wrong.\n\n${line}\n`);
}

/** What an author holds, written as `Name <email>`. */
export function inAuthor(ident: string): SignsOfCommit {
  const [, name = '', email = ''] = /^(.*?) ?<(.*)>$/.exec(ident) ?? [];
  return findSigns({
    author: { name, email },
    committer: { name: 'GitHub', email: 'noreply@github.com' },
    message: 'fix\n',
  });
}

/** `agent kind part`, each once. */
export function shapes({ signs }: SignsOfCommit): readonly string[] {
  return [...new Set(signs.map(({ agent, kind, part }) => `${agent} ${kind} ${part}`))];
}

export const jane = { name: 'Jane Doe', email: 'jane@acme.example' };
