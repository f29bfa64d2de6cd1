/** Names of branches in flags. */
import { OperationalError, quoted } from '../diag/index.ts';
import { isNamePart } from '../git/ref-name.ts';

/** `main` is `refs/heads/main`. Throws OperationalError `usage` for what can be no branch. */
export function fullBranch(name: string, flag: string): string {
  const full = name.startsWith('refs/') ? name : `refs/heads/${name}`;
  if (isNamePart(name) && !name.startsWith('-') && full.startsWith('refs/heads/')) return full;
  throw new OperationalError('usage', `${flag} ${quoted(name)} is no branch`, {
    hints: [`name the protected branch: ${flag} refs/heads/main`],
  });
}
