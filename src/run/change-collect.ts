/** Evidence of one range: what the user names, and the notes that hang on its commits. */
import type { PathlessRange } from '../change/types.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import { parseCommit } from '../git/commit.ts';
import { readNotesFor } from '../git/notes.ts';
import type { ObjectId, Repository } from '../git/types.ts';
import type { World } from '../io/index.ts';
import { type CollectedEvidence, collectEvidence } from './change-evidence.ts';
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
  const notes = await notesOf(notesRefs(request.notes, repository), inRange, repository);
  const trees = new Map<ObjectId, Promise<{ readonly tree: ObjectId } | undefined>>();
  const known = (commit: ObjectId) => {
    const found = trees.get(commit) ?? treeOf(commit, repository);
    trees.set(commit, found);
    return found;
  };
  return collectEvidence(
    { evidence, notes, reviews },
    { disk: world.disk, signers: policy.signers, buildTypes: policy.rule.agents.buildTypes, now, known },
  );
}

async function treeOf(commit: ObjectId, { objects }: Repository): Promise<{ readonly tree: ObjectId } | undefined> {
  if ((await objects.look(commit))?.type !== 'commit') return undefined;
  return { tree: parseCommit(await objects.read(commit, 'commit')).tree };
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

async function notesOf(refs: readonly string[], ids: ReadonlySet<ObjectId>, { refs: tips, objects }: Repository) {
  const found: { readonly place: string; readonly bytes: Buffer }[] = [];
  for (const ref of refs) {
    const tip = tips.get(ref);
    if (tip === undefined) continue;
    const { notes } = await readNotesFor(objects, tip, ids);
    for (const [id, blobs] of notes) {
      if (!ids.has(id)) continue;
      for (const blob of blobs) {
        found.push({ place: `${ref} on ${id}`, bytes: (await objects.read(blob, 'blob', maxNoteBytes)).bytes });
      }
    }
  }
  return found;
}
