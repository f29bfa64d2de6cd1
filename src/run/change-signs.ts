/**
 * Signs of agents that do not stand in the commits: branches that lead into the range, notes about its commits, and records
 * that tools keep in refs and files. All of them are claims, and all they can do is to raise duties.
 */

import {
  entireBranch,
  entirePath,
  parseAgentTrace,
  parseEntireCheckpoint,
  parseGitAiNote,
  parseGitvowNote,
  type RecordedAgent,
} from '../change/records/index.ts';
import { signsOfBranch, signsOfNote, signsOfRecord } from '../change/signs/index.ts';
import type { CommitFacts, PathlessRange, Sign } from '../change/types.ts';
import { parseCommit } from '../git/commit.ts';
import { readNotesFor } from '../git/notes.ts';
import { bytesText } from '../git/path-text.ts';
import { GitRefusal } from '../git/refusal.ts';
import { readTreeFile } from '../git/tree-file.ts';
import type { ObjectId, PathChange, Repository } from '../git/types.ts';

export interface GatheredSigns {
  readonly byCommit: ReadonlyMap<ObjectId, readonly Sign[]>;
  /** What could not be read of records, and other remarks. */
  readonly notes: readonly string[];
}

interface Gathering {
  readonly commits: readonly CommitFacts[];
  readonly ids: ReadonlySet<ObjectId>;
  readonly repository: Repository;
  readonly byCommit: Map<ObjectId, Sign[]>;
  readonly notes: string[];
}

export async function gatherSigns(
  commits: readonly CommitFacts[],
  range: PathlessRange,
  headRef: string | undefined,
  repository: Repository,
): Promise<GatheredSigns> {
  const ids = new Set(commits.map(({ commit }) => commit.id));
  const gathering: Gathering = { commits, ids, repository, byCommit: new Map(), notes: [] };
  branchSigns(gathering, range.head.id, headRef);
  for (const [ref, tip] of repository.refs) {
    if (isNotesRef(ref)) await readable(gathering, ref, () => noteSigns(ref, tip, gathering));
    else if (ref.startsWith(authorshipRefs)) await readable(gathering, ref, () => authorshipSigns(ref, tip, gathering));
    else if (ref.startsWith(agentdiffRefs)) await readable(gathering, ref, () => agentdiffSigns(ref, tip, gathering));
  }
  for (const facts of commits) await recordSigns(facts, gathering);
  await readable(gathering, entireBranch, () => checkpointSigns(gathering));
  return { byCommit: gathering.byCommit, notes: gathering.notes };
}

const authorshipRefs = 'refs/ai/authorship/';
const agentdiffRefs = 'refs/agentdiff/';
const maxRecordBytes = 16 * 1024 * 1024;

function isNotesRef(ref: string): boolean {
  return ref === 'refs/notes/ai' || ref === 'refs/notes/sessions' || ref.startsWith('refs/notes/gitvow/');
}

function add({ byCommit }: Gathering, id: ObjectId, signs: readonly Sign[]): void {
  if (signs.length === 0) return;
  const known = byCommit.get(id);
  if (known === undefined) byCommit.set(id, [...signs]);
  else known.push(...signs);
}

/** A branch speaks for every commit of the range that it has. */
function branchSigns(gathering: Gathering, head: ObjectId, headRef: string | undefined): void {
  const parents = new Map(gathering.commits.map(({ commit }) => [commit.id, commit.parents]));
  const branches = [...gathering.repository.refs].filter(
    ([ref, tip]) => gathering.ids.has(tip) && /^refs\/(?:heads|remotes|pull)\//.test(ref),
  );
  if (headRef !== undefined) branches.push([headRef, head]);
  // Each agent once for a commit: the remote has the same branches, and thousands of them may lead into one range.
  const known = new Map<string, Set<ObjectId>>();
  for (const [ref, tip] of branches) {
    for (const sign of signsOfBranch(ref)) {
      const marked = known.get(sign.agent) ?? new Set();
      known.set(sign.agent, marked);
      const waiting = [tip];
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const above = parents.get(id);
        if (above === undefined || marked.has(id)) continue;
        marked.add(id);
        add(gathering, id, [sign]);
        waiting.push(...above);
      }
    }
  }
}

async function noteSigns(ref: string, tip: ObjectId, gathering: Gathering): Promise<void> {
  const { objects } = gathering.repository;
  const { notes } = await readNotesFor(objects, tip, gathering.ids);
  for (const [id, blobs] of notes) {
    if (!gathering.ids.has(id)) continue;
    for (const blob of blobs) {
      const { bytes } = await objects.read(blob, 'blob', maxRecordBytes);
      const record = ref === 'refs/notes/ai' ? parseGitAiNote(bytes, id) : parseGitvowNote(bytes);
      add(gathering, id, signsOfNote(ref, record.agents));
      complain(gathering, `${ref} on ${id}`, record.complaints);
    }
  }
}

/** git-ai before it used notes: one ref for each commit. */
async function authorshipSigns(ref: string, tip: ObjectId, gathering: Gathering): Promise<void> {
  const id = ref.slice(authorshipRefs.length).replaceAll('/', '');
  if (!gathering.ids.has(id)) return;
  const { bytes } = await gathering.repository.objects.read(tip, 'blob', maxRecordBytes);
  const record = parseGitAiNote(bytes, id);
  add(gathering, id, signsOfNote(ref, record.agents));
  complain(gathering, ref, record.complaints);
}

async function agentdiffSigns(ref: string, tip: ObjectId, gathering: Gathering): Promise<void> {
  const { objects } = gathering.repository;
  const { tree } = parseCommit(await objects.read(tip, 'commit'));
  const bytes = await readTreeFile(objects, tree, 'traces.jsonl', maxRecordBytes);
  if (bytes === undefined) return;
  for (const { agents, commit, complaints } of parseAgentTrace(bytes)) {
    if (commit === undefined || !gathering.ids.has(commit)) continue;
    add(gathering, commit, signsOfNote(ref, agents));
    complain(gathering, ref, complaints);
  }
}

/** The trailer is a sign by itself; the checkpoint that it names says which agent it was. */
async function checkpointSigns(gathering: Gathering): Promise<void> {
  const { refs, objects } = gathering.repository;
  const tip = refs.get(entireBranch) ?? refs.get(entireBranch.replace('refs/heads/', 'refs/remotes/origin/'));
  if (tip === undefined) return;
  const { tree } = parseCommit(await objects.read(tip, 'commit'));
  for (const { commit, signs } of gathering.commits) {
    for (const { text } of signs) {
      const path = entirePath(/^Entire-Checkpoint:\s*([0-9a-f]{12})\b/i.exec(text)?.[1] ?? '');
      const bytes = path === undefined ? undefined : await readTreeFile(objects, tree, path, maxRecordBytes);
      if (bytes === undefined) continue;
      const { agents, complaints } = parseEntireCheckpoint(bytes);
      add(gathering, commit.id, signsOfNote(entireBranch, agents));
      complain(gathering, `${entireBranch} for ${commit.id}`, complaints);
    }
  }
}

/** Files that tools leave in the tree: a commit that writes one was made with that tool. */
async function recordSigns({ commit, changes }: CommitFacts, gathering: Gathering): Promise<void> {
  for (const change of changes) {
    const path = bytesText(change.path);
    const kind = /(?:^|\/)\.agent-trace\/[^/]+\.jsonl?$/.test(path)
      ? 'trace'
      : /(?:^|\/)\.entire\/.*metadata\.json$/.test(path)
        ? 'entire'
        : undefined;
    if (kind === undefined) continue;
    await readable(gathering, path, async () => {
      const agents = await recordedAgents(change, kind, gathering.repository);
      add(gathering, commit.id, signsOfRecord(path, agents));
    });
  }
}

async function recordedAgents(
  { new: file }: PathChange,
  kind: 'trace' | 'entire',
  { objects }: Repository,
): Promise<readonly RecordedAgent[]> {
  if (file === undefined || file.mode === '160000' || file.mode === '120000') return [];
  const { bytes } = await objects.read(file.id, 'blob', maxRecordBytes);
  return kind === 'trace'
    ? parseAgentTrace(bytes).flatMap(({ agents }) => agents)
    : parseEntireCheckpoint(bytes).agents;
}

function complain({ notes }: Gathering, place: string, complaints: readonly string[]): void {
  if (complaints.length > 0) notes.push(`${place}: ${complaints.slice(0, 3).join('; ')}`);
}

/** Records meet no duty, so one that is not there or is something else only loses its sign, and says so. */
async function readable({ notes }: Gathering, place: string, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof GitRefusal) || error.rule === 'object-mismatch') throw error;
    notes.push(`${place} could not be read: ${error.message}`);
  }
}
