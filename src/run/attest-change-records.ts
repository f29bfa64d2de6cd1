/**
 * What tools have recorded of the agents at work in a range: Agent Trace files that the user names, and git-ai's notes. Of a
 * record go into the statement: tools, models and sessions, and the digest of its bytes. Never what was said in it.
 */
import { hash } from 'node:crypto';
import { type AgentRecord, parseAgentTrace, parseGitAiNote, type RecordedAgent } from '../change/records/index.ts';
import type { ResourceClaim } from '../change/write-agent-change.ts';
import { OperationalError, plural, quoted } from '../diag/index.ts';
import { readNotesFor } from '../git/notes.ts';
import type { ObjectId, Repository } from '../git/types.ts';
import type { World } from '../io/index.ts';
import { readWhole } from './read-whole.ts';

export interface RecordRequest {
  /** Files of Agent Trace. */
  readonly traces: readonly string[];
  /** Whether to read git-ai's notes of the range. */
  readonly gitAi: boolean;
}

export interface RecordedWork {
  /** Each once; none that nothing is known of. */
  readonly agents: readonly RecordedAgent[];
  readonly byproducts: readonly ResourceClaim[];
  /** For people: what was taken and what could not be understood. */
  readonly notes: readonly string[];
}

/** Throws OperationalError for records that say nothing about the range. */
export async function readRecords(
  { traces, gitAi }: RecordRequest,
  ids: readonly ObjectId[],
  repository: Repository,
  world: World,
): Promise<RecordedWork> {
  const found: Found = { agents: new Map(), byproducts: [], notes: [] };
  const inRange = new Set(ids);
  for (const file of traces) await readTrace(file, inRange, found, world);
  if (gitAi) await readGitAi(inRange, found, repository);
  return { ...found, agents: [...found.agents.values()] };
}

const maxRecordBytes = 64 * 1024 * 1024;
const gitAiRef = 'refs/notes/ai';

interface Found {
  readonly agents: Map<string, RecordedAgent>;
  readonly byproducts: ResourceClaim[];
  readonly notes: string[];
}

async function readTrace(file: string, ids: ReadonlySet<ObjectId>, found: Found, { disk }: World): Promise<void> {
  const bytes = await readWhole(disk, file, maxRecordBytes);
  const records = parseAgentTrace(bytes);
  const own = records.filter(({ commit }) => commit !== undefined && ids.has(commit));
  if (own.length === 0) {
    const [complaint] = records.flatMap(({ complaints }) => complaints);
    throw new OperationalError(
      'malformed',
      `no record in ${quoted(file)} is about a commit of the range${complaint === undefined ? '' : `: ${complaint}`}`,
      { hints: ['records name the commit they are about under vcs.revision; give those of BASE..HEAD, or none'] },
    );
  }
  for (const record of own) take(record, file, found);
  found.byproducts.push({
    name: 'agent-trace',
    mediaType: 'application/vnd.agent-trace.record+json',
    digest: { sha256: hash('sha256', bytes, 'hex') },
  });
  found.notes.push(
    `${plural(own.length, 'record')} of ${plural(records.length, 'record')} in ${file} are of this range`,
  );
}

async function readGitAi(ids: ReadonlySet<ObjectId>, found: Found, { refs, objects }: Repository): Promise<void> {
  const tip = refs.get(gitAiRef);
  if (tip === undefined) {
    throw new OperationalError('not-found', `the repository has no notes of git-ai (${gitAiRef})`, {
      hints: [`fetch them first: git fetch origin ${gitAiRef}:${gitAiRef}`],
    });
  }
  const { notes } = await readNotesFor(objects, tip, ids);
  let count = 0;
  for (const [commit, blobs] of notes) {
    if (!ids.has(commit)) continue;
    for (const blob of blobs) {
      const { bytes } = await objects.read(blob, 'blob', maxRecordBytes);
      take(parseGitAiNote(bytes, commit), `the note on ${commit}`, found);
      found.byproducts.push({
        name: `git-ai-note/${commit}`,
        mediaType: 'application/vnd.git-ai.authorship-log',
        digest: { sha256: hash('sha256', bytes, 'hex') },
      });
      count++;
    }
  }
  if (count === 0) {
    throw new OperationalError('not-found', `no commit of the range has a note in ${gitAiRef}`, {
      hints: ['notes do not follow a commit that was amended or rebased; leave out --git-ai to go without them'],
    });
  }
  found.notes.push(`${plural(count, 'note')} of git-ai ${count === 1 ? 'is' : 'are'} of this range`);
}

function take({ agents, complaints }: AgentRecord, place: string, found: Found): void {
  for (const agent of agents) {
    // A record that cannot be read names an agent of which nothing is known.
    if (agent.tool === 'unknown' && agent.model === undefined) continue;
    found.agents.set(JSON.stringify([agent.tool, agent.model, agent.session]), agent);
  }
  if (complaints.length > 0) found.notes.push(`${place}: ${complaints.slice(0, 3).join('; ')}`);
}
