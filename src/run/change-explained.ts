/** The commit that `--explain` names: by digits of its id within the range, or by any name that the repository has for it. */
import { OperationalError, quoted } from '../diag/index.ts';
import { GitRefusal, type OpenedRepository, resolveRevision } from '../git/index.ts';
import type { ObjectId } from '../git/types.ts';
import type { FoundRange } from './change-range.ts';
import type { ChangeRequest } from './change-request.ts';

/** Undefined where none is asked for. Throws OperationalError `usage` for what is no commit of the range. */
export async function explainedCommit(
  { explain, range }: Pick<ChangeRequest, 'explain' | 'range'>,
  { named, head, ids }: Pick<FoundRange, 'named' | 'head' | 'ids'>,
  repository: OpenedRepository,
): Promise<ObjectId | undefined> {
  if (explain === undefined) return undefined;
  if (explain === named.head || explain === head.ref) return head.id;
  const [found, other] = byDigits(explain, ids);
  if (other !== undefined) {
    throw usage(`--explain ${quoted(explain)} is the beginning of more than one id`, 'give more digits of it');
  }
  const id = found ?? (await byName(explain, repository));
  if (ids.includes(id)) return id;
  throw usage(`--explain ${quoted(explain)} is no commit of ${quoted(range)}: it is ${id}`, howToName);
}

const howToName = 'name it by its id, or at least four digits of it, or by a branch: git log lists them';

/** Of the range alone fewer digits tell commits apart than of the whole repository. */
function byDigits(text: string, ids: readonly ObjectId[]): readonly ObjectId[] {
  const digits = text.toLowerCase();
  return /^[0-9a-f]{4,64}$/.test(digits) ? ids.filter((id) => id.startsWith(digits)) : [];
}

async function byName(text: string, repository: OpenedRepository): Promise<ObjectId> {
  try {
    return (await resolveRevision(repository, text)).id;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    if (error instanceof GitRefusal && error.rule !== 'ref-ambiguous') throw error;
    if (/^[0-9a-f]{1,3}$/i.test(text)) {
      throw usage(`--explain ${quoted(text)} is too short for an id`, 'give at least four digits of it');
    }
    throw usage(`--explain ${quoted(text)} names no commit: ${error.message}`, howToName);
  }
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
