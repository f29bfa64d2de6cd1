/** Evidence of one range: what the user names, and the notes that hang on its commits. */
import type { PathlessRange, RefusedEvidence } from '../change/types.ts';
import { OperationalError, quoted, type RuleId } from '../diag/index.ts';
import { findCommit } from '../git/find-commit.ts';
import { readNotesFor } from '../git/notes.ts';
import { GitRefusal } from '../git/refusal.ts';
import type { Commit, ObjectId, Repository } from '../git/types.ts';
import type { World } from '../io/index.ts';
import { type CollectedEvidence, collectEvidence } from './change-evidence.ts';
import { refusalOf } from './change-evidence-verify.ts';
import type { ChangePolicy } from './change-policy.ts';
import type { ChangeRequest } from './change-request.ts';

export interface CollectContext {
  readonly repository: Repository;
  readonly range: PathlessRange;
  readonly inRange: ReadonlySet<ObjectId>;
  readonly policy: ChangePolicy;
  /** Milliseconds. */
  readonly now: number;
}

export async function collectChangeEvidence(
  request: ChangeRequest,
  { repository, inRange, policy, now }: CollectContext,
  world: World,
): Promise<CollectedEvidence> {
  const { evidence, reviews } = request;
  const { notes, refused } = await notesOf(notesRefs(request.notes, repository), inRange, repository);
  const commits = new Map<ObjectId, Promise<Commit | undefined>>();
  const known = (id: ObjectId) => {
    const found = commits.get(id) ?? findCommit(repository.objects, id);
    commits.set(id, found);
    return found;
  };
  const collected = await collectEvidence(
    { evidence, notes, reviews },
    { disk: world.disk, signers: policy.signers, buildTypes: policy.rule.agents.buildTypes, now, known },
  );
  return { ...collected, refused: [...refused, ...collected.refused] };
}

/** Those of tools that keep their own records there are read as signs. */
const records: ReadonlySet<string> = new Set(['refs/notes/ai', 'refs/notes/sessions']);

function notesRefs(named: readonly string[], { refs }: Repository): readonly string[] {
  if (named.length === 0) {
    return [...refs.keys()].filter(
      (ref) => ref.startsWith('refs/notes/') && !records.has(ref) && !ref.startsWith('refs/notes/gitvow/'),
    );
  }
  return named.map((name) => {
    const ref = name.startsWith('refs/') ? name : `refs/notes/${name}`;
    if (refs.has(ref)) return ref;
    throw new OperationalError('not-found', `the repository has no notes ref ${quoted(ref)}`, {
      hints: [`fetch it first: git fetch origin ${ref}:${ref}`],
    });
  });
}

const maxNoteBytes = 32 * 1024 * 1024;

interface FoundNotes {
  readonly notes: { readonly place: string; readonly bytes: Buffer }[];
  readonly refused: RefusedEvidence[];
}

async function notesOf(
  refs: readonly string[],
  ids: ReadonlySet<ObjectId>,
  { refs: tips, objects }: Repository,
): Promise<FoundNotes> {
  const found: FoundNotes = { notes: [], refused: [] };
  for (const ref of refs) {
    const tip = tips.get(ref);
    if (tip === undefined) continue;
    await orRefuse(ref, found, async () => {
      const { notes } = await readNotesFor(objects, tip, ids);
      for (const [id, blobs] of notes) {
        if (!ids.has(id)) continue;
        const place = `${ref} on ${id}`;
        for (const blob of blobs) {
          await orRefuse(place, found, async () => {
            found.notes.push({ place, bytes: (await objects.read(blob, 'blob', maxNoteBytes)).bytes });
          });
        }
      }
    });
  }
  return found;
}

/**
 * Whoever may push notes may push nonsense: it is evidence that does not count, and no reason to judge nothing. Only objects
 * that are not what their names say leave nothing to judge from.
 */
async function orRefuse(place: string, { refused }: FoundNotes, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    const rule = ruleOf(error);
    if (!(error instanceof OperationalError) || rule === undefined) throw error;
    refused.push(refusalOf({ place, format: 'note' }, rule, { message: `a note was not read: ${error.message}` }));
  }
}

function ruleOf(error: unknown): RuleId | undefined {
  if (error instanceof GitRefusal) return error.rule === 'object-mismatch' ? undefined : error.rule;
  return error instanceof OperationalError && error.code === 'limit' ? 'object-too-large' : undefined;
}
