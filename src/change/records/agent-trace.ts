/**
 * Agent Trace records, one in a line (`.agent-trace/traces.jsonl`; agentdiff keeps them in `refs/agentdiff/…`):
 *
 *     {"version": "0.1.0", "id": "5506…", "timestamp": "2026-01-23T14:30:00Z",
 *      "vcs": {"type": "git", "revision": "a1b2…"}, "tool": {"name": "cursor", "version": "2.4.0"},
 *      "files": [{"path": "src/a.ts", "conversations": [{"url": "https://…",
 *        "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5"},
 *        "ranges": [{"start_line": 42, "end_line": 67}]}]}]}
 *
 * `contributor` may be overridden by a range; its type is human, ai, mixed or unknown, and all but human are an agent's. In the
 * field there are also flat lines that borrow the name, without a commit and with paths of somebody's home:
 *
 *     {"schema": "agent-trace/v0.1.0", "session_id": "8f5a…", "file_path": "/Users/a/b.ts", "start_line": 1, "end_line": 9,
 *      "tool": "Edit", …}                                   `tool` is what the agent called: it names no agent
 *
 * Told: missing members, paths that are not relative, revisions that are no commit ids, flat lines, lines that are no JSON.
 * The signature that agentdiff adds is by a key that lies in the same repository, and is not looked at.
 * https://github.com/cursor/agent-trace (0.1.0)
 */
import { quoted } from '../../diag/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../sigstore/json.ts';
import {
  addAgent,
  complain,
  type Draft,
  decode,
  finish,
  giveUp,
  isCommitId,
  listAt,
  objectAt,
  parseJson,
  startDraft,
  textAt,
} from './draft.ts';
import type { AgentRecord, LineRange } from './types.ts';

export interface AgentTraceRecord extends AgentRecord {
  readonly kind: 'agent-trace';
  /** From 1; of the file, or of the list. */
  readonly number: number;
  /** `unknown` is among neither. */
  readonly models: readonly string[];
  readonly files: readonly TracedFile[];
}

export interface TracedFile {
  /** As written. */
  readonly path: string;
  /** Lines that an agent wrote, or that are said to be nobody's. */
  readonly ranges: readonly LineRange[];
}

/** Throws nothing. A file that cannot be read at all is one record. */
export function parseAgentTrace(bytes: Buffer): readonly AgentTraceRecord[] {
  const draft = startDraft('the trace file');
  const text = decode(draft, bytes);
  if (text === undefined) return [unread(draft)];
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.find((line) => line !== '');
  if (first === undefined) return [];
  // One document over several lines.
  if (!first.endsWith('}') || first.startsWith('[')) return parseDocument(text);
  const found: AgentTraceRecord[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    if (found.length === mostRecords) {
      complain(draft, `has more than ${mostRecords} records`);
      return [...found, unread(draft)];
    }
    found.push(parseLine(line, index + 1));
  }
  return found;
}

const mostRecords = 100_000;
const mostFiles = 100_000;
const agentsTypes: ReadonlySet<string> = new Set(['ai', 'mixed', 'unknown']);

function parseDocument(text: string): readonly AgentTraceRecord[] {
  const draft = startDraft('the trace file');
  const value = parseJson(draft, text);
  if (value === undefined) return [unread(draft)];
  const list = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return list
    .slice(0, mostRecords)
    .map((each, index) => readRecord(startDraft(`record ${index + 1}`), each, index + 1));
}

function parseLine(line: string, number: number): AgentTraceRecord {
  const draft = startDraft(`line ${number}`);
  const value = parseJson(draft, line);
  return value === undefined ? unread(draft, number) : readRecord(draft, value, number);
}

function unread(draft: Draft, number = 1): AgentTraceRecord {
  addAgent(draft);
  return { kind: 'agent-trace', number, models: [], files: [], ...finish(draft) };
}

function readRecord(draft: Draft, value: Json, number: number): AgentTraceRecord {
  if (!isJsonObject(value)) {
    complain(draft, 'is not an object');
    return unread(draft, number);
  }
  if (textAt(draft, value, 'file_path') !== undefined) return readFlat(draft, value, number);
  for (const name of ['version', 'id', 'timestamp']) {
    if (textAt(draft, value, name) === undefined) complain(draft, `has no ${name}`);
  }
  const session = sessionOf(draft, value);
  const tool = textAt(draft, objectAt(draft, value, 'tool') ?? nothing, 'name');
  const parts = readFiles(draft, value);
  const models = [...new Set(parts.contributors.flatMap(({ model }) => model ?? []))].filter(
    (each) => each !== 'unknown',
  );
  if (parts.files.length === 0) giveUp(draft, 'names no files');
  for (const { model, url } of parts.contributors) addAgent(draft, tool, model, session ?? url);
  const commit = revisionOf(draft, value);
  return {
    kind: 'agent-trace',
    number,
    models,
    files: parts.files,
    ...finish(draft),
    ...(commit !== undefined && { commit }),
  };
}

const nothing: JsonObject = Object.create(null) as JsonObject;

function sessionOf(draft: Draft, record: JsonObject): string | undefined {
  const metadata = objectAt(draft, record, 'metadata') ?? nothing;
  const inner = objectAt(draft, metadata, 'agentdiff') ?? nothing;
  return (
    textAt(draft, inner, 'session_id') ??
    textAt(draft, metadata, 'session_id') ??
    textAt(draft, metadata, 'conversation_id')
  );
}

function revisionOf(draft: Draft, record: JsonObject): string | undefined {
  const vcs = objectAt(draft, record, 'vcs');
  if (vcs === undefined) return complain(draft, 'has no vcs: it names no commit');
  const [type, revision] = [textAt(draft, vcs, 'type'), textAt(draft, vcs, 'revision')];
  if (type !== 'git') return complain(draft, `is about a revision of ${quoted(type ?? 'nothing', 40)}, not of git`);
  if (revision !== undefined && isCommitId(revision)) return revision;
  return complain(draft, `has a revision that is no commit id: ${quoted(revision ?? '', 80)}`);
}

interface Contributor {
  readonly model?: string;
  readonly url?: string;
}

interface Parts {
  readonly files: TracedFile[];
  /** Of agents, each as often as it stands there. */
  readonly contributors: Contributor[];
}

function readFiles(draft: Draft, record: JsonObject): Parts {
  const parts: Parts = { files: [], contributors: [] };
  for (const value of listAt(draft, record, 'files')) {
    const file = isJsonObject(value) ? value : nothing;
    const path = textAt(draft, file, 'path');
    if (path === undefined) {
      giveUp(draft, 'has a file without a path');
      continue;
    }
    if (parts.files.length === mostFiles) break;
    checkPath(draft, path);
    const ranges: LineRange[] = [];
    const conversations = listAt(draft, file, 'conversations');
    if (conversations.length === 0) giveUp(draft, `has a file without conversations: ${quoted(path, 80)}`);
    for (const each of conversations) readConversation(draft, isJsonObject(each) ? each : nothing, parts, ranges);
    parts.files.push({ path, ranges });
  }
  return parts;
}

function readConversation(draft: Draft, conversation: JsonObject, { contributors }: Parts, found: LineRange[]): void {
  const url = textAt(draft, conversation, 'url');
  const whole = objectAt(draft, conversation, 'contributor');
  const ranges = listAt(draft, conversation, 'ranges');
  if (ranges.length === 0) complain(draft, 'has a conversation without ranges');
  const by = (contributor: JsonObject | undefined): boolean => {
    if (!isAgents(draft, contributor)) return false;
    const model = textAt(draft, contributor ?? nothing, 'model_id');
    contributors.push({ ...(model !== undefined && { model }), ...(url !== undefined && { url }) });
    return true;
  };
  const isWhole = by(whole);
  for (const value of ranges) {
    const range = isJsonObject(value) ? value : nothing;
    const own = objectAt(draft, range, 'contributor');
    const lines = rangeOf(draft, range['start_line'], range['end_line']);
    if ((own === undefined ? isWhole : by(own)) && lines !== undefined) found.push(lines);
  }
}

/** Only the plain word `human` says that no agent was at work. */
function isAgents(draft: Draft, contributor: JsonObject | undefined): boolean {
  const type = contributor && textAt(draft, contributor, 'type');
  if (type === 'human') return false;
  if (type === undefined) complain(draft, 'has a contributor without a type');
  else if (!agentsTypes.has(type)) complain(draft, `has a contributor of the type ${quoted(type, 40)}`);
  return true;
}

function rangeOf(draft: Draft, start: Json | undefined, end: Json | undefined): LineRange | undefined {
  const isRange =
    typeof start === 'number' && typeof end === 'number' && Number.isInteger(start) && Number.isInteger(end);
  if (isRange && start >= 1 && end >= start) return { start, end };
  return complain(draft, 'has a range of lines that is none');
}

function checkPath(draft: Draft, path: string): void {
  if (/^(?:[/\\~]|[A-Za-z]:)/.test(path)) complain(draft, `has a path that is not relative: ${quoted(path, 120)}`);
  else if (path.includes('\\')) complain(draft, `has a path with backslashes: ${quoted(path, 120)}`);
  else if (path.split('/').includes('..'))
    complain(draft, `has a path that leaves the repository: ${quoted(path, 120)}`);
}

function readFlat(draft: Draft, line: JsonObject, number: number): AgentTraceRecord {
  complain(draft, 'is a flat line and no record of Agent Trace 0.1: it names no commit and no agent');
  const path = textAt(draft, line, 'file_path') ?? '';
  checkPath(draft, path);
  const range = rangeOf(draft, line['start_line'], line['end_line']);
  const model = textAt(draft, line, 'model_id') ?? textAt(draft, line, 'model');
  addAgent(draft, undefined, model, textAt(draft, line, 'session_id'));
  const files = [{ path, ranges: range === undefined ? [] : [range] }];
  return { kind: 'agent-trace', number, models: model === undefined ? [] : [model], files, ...finish(draft) };
}
