/**
 * What a reader of records collects on its way: agents, each once, and complaints. Records of the field are rarely quite what
 * their format asks for; what is wrong is told, and the rest is read.
 */
import { plural, quoted } from '../../diag/index.ts';
import type { ObjectId } from '../../git/types.ts';
import { VerifyError } from '../../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from '../../sigstore/json.ts';
import type { RecordedAgent } from './types.ts';

export interface Draft {
  /** What the record is, for people: `the git-ai note`. */
  readonly what: string;
  readonly agents: Map<string, RecordedAgent>;
  readonly complaints: string[];
  /** Complaints beyond those that are kept. */
  left: number;
}

export function startDraft(what: string): Draft {
  return { what, agents: new Map(), complaints: [], left: 0 };
}

/** Gives undefined, for readers that have nothing else to give then. */
export function complain(draft: Draft, message: string): undefined {
  if (draft.complaints.length < mostComplaints) draft.complaints.push(`${draft.what} ${message}`);
  else draft.left++;
}

/** Without a tool it is `unknown`. `unknown` as a model or session is how tools say that they do not know. */
export function addAgent(draft: Draft, tool?: string, model?: string, session?: string): void {
  const agent: RecordedAgent = {
    tool: tool ?? 'unknown',
    ...(model !== undefined && model !== 'unknown' && { model }),
    ...(session !== undefined && session !== 'unknown' && { session }),
  };
  const key = JSON.stringify([agent.tool, agent.model, agent.session]);
  if (draft.agents.has(key)) return;
  if (draft.agents.size < mostAgents) draft.agents.set(key, agent);
  else complain(draft, `names more than ${mostAgents} agents`);
}

/** The record cannot be read: some agent may have been at work. */
export function giveUp(draft: Draft, message: string): void {
  complain(draft, message);
  addAgent(draft);
}

export function finish({ what, agents, complaints, left }: Draft): {
  agents: readonly RecordedAgent[];
  complaints: readonly string[];
} {
  const rest = left === 0 ? [] : [`${what} has ${plural(left, 'fault')} more`];
  return { agents: [...agents.values()], complaints: [...complaints, ...rest] };
}

/** Undefined, with a complaint, for what is no text or too much of it. */
export function decode(draft: Draft, bytes: Buffer): string | undefined {
  if (bytes.length > maxRecordBytes) return complain(draft, `is larger than ${maxRecordBytes} bytes`);
  try {
    return decoder.decode(bytes);
  } catch {
    return complain(draft, 'is not UTF-8');
  }
}

/** Undefined, with a complaint, for what is no strict JSON. */
export function parseJson(draft: Draft, text: string): Json | undefined {
  try {
    return parseStrictJson(text, 'the text');
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    return complain(draft, `cannot be read: ${error.message}`);
  }
}

/** Undefined where it is not there, null or empty; with a complaint where it is no string, or a very long one. */
export function textAt(draft: Draft, object: JsonObject, name: string): string | undefined {
  const value = object[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return complain(draft, `has a ${name} that is not a string`);
  if (value.length > maxTextChars) return complain(draft, `has a ${name} of more than ${maxTextChars} characters`);
  return value;
}

/** As `textAt`, for a member that is an object. */
export function objectAt(draft: Draft, object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  return isJsonObject(value) ? value : complain(draft, `has a ${name} that is not an object`);
}

/** As `textAt`, for a list; empty where there is none. */
export function listAt(draft: Draft, object: JsonObject, name: string): readonly Json[] {
  const value = object[name];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as readonly Json[];
  complain(draft, `has a ${name} that is not a list`);
  return [];
}

/** A whole commit id: 40 or 64 lower-case hex digits. */
export function commitAt(draft: Draft, object: JsonObject, name: string): ObjectId | undefined {
  const value = textAt(draft, object, name);
  if (value === undefined || isCommitId(value)) return value;
  return complain(draft, `has a ${name} that is no commit id: ${quoted(value, 80)}`);
}

export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const maxRecordBytes = 1 << 26;
const maxTextChars = 1000;
const mostComplaints = 50;
const mostAgents = 1000;
