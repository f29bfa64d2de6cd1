/**
 * The notes of git-ai (`refs/notes/ai`): which lines of a commit came from which session, and whose session that was.
 *
 *     src/store.rs                                          a path; in double quotes where it holds spaces
 *       b8eb1cc478a3826a 2,17-20                            session, and its lines
 *       s_e595a515ab55a7::t_15fddaf97354f2 513              session::trace, since 1.5
 *     ---
 *     { "schema_version": "authorship/3.0.0", "git_ai_version": "1.6.10", "base_commit_sha": "5b7c…",
 *       "prompts": { "b8eb1cc478a3826a": { "agent_id": { "tool": "codex", "id": "019d…", "model": "gpt-5.3-codex" },
 *                                          "human_author": "A <a@acme.example>", … } },
 *       "sessions": { "s_e595a515ab55a7": { "agent_id": { … }, "human_author": … } },
 *       "humans": { "h_…": { "author": … } } }
 *
 * Up to authorship/2.0.0 the note could be JSON alone, with `files`, `authors` and `prompts`. Members that are not known are
 * passed over. Told: other schema versions, lines of a session that is not listed (its agent is then `unknown`), ranges that
 * are none, a session without a tool. A note of people only has no agents.
 */
import { quoted } from '../../diag/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../sigstore/json.ts';
import {
  addAgent,
  commitAt,
  complain,
  type Draft,
  decode,
  finish,
  giveUp,
  objectAt,
  parseJson,
  startDraft,
  textAt,
} from './draft.ts';
import type { AgentRecord, LineRange } from './types.ts';

export interface GitAiNote extends AgentRecord {
  readonly kind: 'git-ai-note';
  /** `authorship/3.0.0` */
  readonly schema?: string;
  /** Version of git-ai. */
  readonly version?: string;
  /** Whom the sessions belong to, as written there: `A <a@acme.example>`, or a name. */
  readonly humanAuthors: readonly string[];
  readonly lines: readonly AttributedLines[];
}

export interface AttributedLines {
  readonly path: string;
  readonly session: string;
  readonly ranges: readonly LineRange[];
}

/** `commit`, where it is given, is the one that the note hangs on; a note about another one is told. Throws nothing. */
export function parseGitAiNote(bytes: Buffer, commit?: string): GitAiNote {
  const draft = startDraft('the git-ai note');
  const text = decode(draft, bytes);
  const { map, json } = split(text ?? '');
  const value = text === undefined ? undefined : parseJson(draft, json);
  const data = isJsonObject(value) ? value : undefined;
  if (data === undefined) giveUp(draft, 'holds no authorship log');
  const log = data ?? noLog;
  const schema = textAt(draft, log, 'schema_version');
  if (data !== undefined && !knownSchemas.has(schema ?? ''))
    complain(draft, `is of the schema ${quoted(schema ?? 'none', 60)}`);
  const sessions = readSessions(draft, log);
  const lines = map === undefined ? readFiles(draft, log) : readMap(draft, map);
  for (const { session } of lines) {
    if (sessions.ids.has(session)) continue;
    sessions.ids.add(session);
    giveUp(draft, `has lines of ${quoted(session, 80)}, which it does not list`);
  }
  const base = commitAt(draft, log, 'base_commit_sha');
  if (commit !== undefined && base !== undefined && base !== commit)
    complain(draft, `is about another commit: ${base}`);
  const version = textAt(draft, log, 'git_ai_version');
  return {
    kind: 'git-ai-note',
    ...finish(draft),
    ...(base !== undefined && { commit: base }),
    ...(schema !== undefined && { schema }),
    ...(version !== undefined && { version }),
    humanAuthors: [...sessions.people],
    lines,
  };
}

const knownSchemas: ReadonlySet<string> = new Set(['authorship/1.0.0', 'authorship/2.0.0', 'authorship/3.0.0']);
const noLog: JsonObject = Object.create(null) as JsonObject;
const mostLines = 100_000;

/** `map` is undefined for a note that is JSON alone. */
function split(text: string): { readonly map?: string; readonly json: string } {
  if (text.startsWith('---\n')) return { map: '', json: text.slice(4) };
  const at = text.indexOf('\n---\n');
  if (at !== -1) return { map: text.slice(0, at), json: text.slice(at + 5) };
  return { json: text };
}

interface Sessions {
  /** Of agents and of people. */
  readonly ids: Set<string>;
  readonly people: Set<string>;
}

function readSessions(draft: Draft, log: JsonObject): Sessions {
  const found: Sessions = { ids: new Set(), people: new Set() };
  for (const name of ['prompts', 'sessions']) {
    const list = objectAt(draft, log, name) ?? noLog;
    for (const id of Object.keys(list)) {
      found.ids.add(id);
      readSession(draft, id, list[id], found.people);
    }
  }
  for (const name of ['humans', 'authors']) {
    for (const id of Object.keys(objectAt(draft, log, name) ?? noLog)) found.ids.add(id);
  }
  return found;
}

function readSession(draft: Draft, id: string, value: Json | undefined, people: Set<string>): void {
  if (!isJsonObject(value)) {
    giveUp(draft, `has a session ${quoted(id, 80)} that is not an object`);
    return;
  }
  const agent = objectAt(draft, value, 'agent_id') ?? noLog;
  const tool = textAt(draft, agent, 'tool');
  if (tool === undefined) complain(draft, `has a session ${quoted(id, 80)} without a tool`);
  addAgent(draft, tool, textAt(draft, agent, 'model'), textAt(draft, agent, 'id') ?? id);
  const human = textAt(draft, value, 'human_author');
  if (human !== undefined) people.add(human);
}

function readMap(draft: Draft, map: string): readonly AttributedLines[] {
  const found: AttributedLines[] = [];
  let path: string | undefined;
  for (const line of map.split('\n')) {
    if (line.trim() === '') continue;
    if (!line.startsWith('  ')) {
      path = line.startsWith('"') && line.endsWith('"') && line.length > 1 ? line.slice(1, -1) : line;
      continue;
    }
    const [, name, ranges] = /^ {2}(\S+) ([0-9,-]+)$/.exec(line) ?? [];
    if (path === undefined || name === undefined || ranges === undefined) {
      giveUp(draft, `has a line that is not understood: ${quoted(line, 80)}`);
      continue;
    }
    if (found.length === mostLines) {
      giveUp(draft, `has more than ${mostLines} lines`);
      return found;
    }
    const session = name.split('::', 1)[0]!;
    found.push({ path, session, ranges: readRanges(draft, ranges) });
  }
  return found;
}

function readRanges(draft: Draft, text: string): readonly LineRange[] {
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^([1-9][0-9]{0,9})(?:-([1-9][0-9]{0,9}))?$/.exec(part) ?? [];
    return rangeOf(draft, Number(first), Number(last ?? first), part);
  });
}

function rangeOf(draft: Draft, start: number, end: number, shown: string): readonly LineRange[] {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 1 && end >= start) return [{ start, end }];
  complain(draft, `has a range of lines that is none: ${quoted(shown, 40)}`);
  return [];
}

/** `"files": { "src/a.ts": [[[4, [10, 12]], "author", "session", 0]] }`; without a session a human wrote it. */
function readFiles(draft: Draft, log: JsonObject): readonly AttributedLines[] {
  const files = objectAt(draft, log, 'files') ?? noLog;
  const found: AttributedLines[] = [];
  for (const path of Object.keys(files)) {
    const entries = files[path];
    for (const entry of Array.isArray(entries) ? (entries as readonly Json[]) : []) {
      const [ranges, author, session] = Array.isArray(entry) ? (entry as readonly Json[]) : [];
      if (!Array.isArray(ranges) || typeof author !== 'string') {
        complain(draft, `has an entry for ${quoted(path, 80)} that is not understood`);
        continue;
      }
      if (found.length === mostLines) {
        giveUp(draft, `has more than ${mostLines} entries`);
        return found;
      }
      const list = ranges.flatMap((each: Json) => {
        const [start, end] = Array.isArray(each) ? (each as readonly Json[]) : [each, each];
        return rangeOf(draft, Number(start), Number(end), JSON.stringify(each));
      });
      found.push({ path, session: typeof session === 'string' ? session : author, ranges: list });
    }
  }
  return found;
}
