/**
 * Checkpoints of Entire: sessions of agents, kept on the branch `entire/checkpoints/v1` and named by commits with the trailer
 * `Entire-Checkpoint: 00c9e2351016`.
 *
 *     00/c9e2351016/metadata.json      {"checkpoint_id": "00c9e2351016", "branch": …, "sessions": [{"metadata": "/00/…"}, …]}
 *     00/c9e2351016/0/metadata.json    {"checkpoint_id": "00c9e2351016", "session_id": "253f…", "agent": "Claude Code", …}
 *
 * Both are read. `"agent": "Agent"` is what Entire writes for an agent that it does not know; old ones name none. The commit
 * stands in neither: a checkpoint belongs to the commit whose trailer names it.
 */
import { quoted } from '../../diag/index.ts';
import { isJsonObject, type JsonObject } from '../../sigstore/json.ts';
import {
  addAgent,
  complain,
  type Draft,
  decode,
  finish,
  giveUp,
  listAt,
  parseJson,
  startDraft,
  textAt,
} from './draft.ts';
import type { AgentRecord } from './types.ts';

export interface EntireCheckpoint extends AgentRecord {
  readonly kind: 'entire-checkpoint';
  /** 12 hex digits. */
  readonly checkpoint?: string;
  readonly files: readonly string[];
}

export const entireBranch = 'refs/heads/entire/checkpoints/v1';

/** Where on that branch a checkpoint lies; undefined for what is no id of one. */
export function entirePath(checkpoint: string): string | undefined {
  return isCheckpoint(checkpoint) ? `${checkpoint.slice(0, 2)}/${checkpoint.slice(2)}/metadata.json` : undefined;
}

/** Throws nothing. */
export function parseEntireCheckpoint(bytes: Buffer): EntireCheckpoint {
  const draft = startDraft('the Entire checkpoint');
  const text = decode(draft, bytes);
  const value = text === undefined ? undefined : parseJson(draft, text);
  if (!isJsonObject(value)) {
    giveUp(draft, 'holds no metadata');
    return { kind: 'entire-checkpoint', files: [], ...finish(draft) };
  }
  const checkpoint = checkpointOf(draft, value);
  const session = textAt(draft, value, 'session_id');
  if (session === undefined && listAt(draft, value, 'sessions').length === 0) complain(draft, 'names no session');
  const model = textAt(draft, value, 'model');
  for (const tool of toolsOf(draft, value)) addAgent(draft, tool, model, session);
  const files = listAt(draft, value, 'files_touched').filter((each) => typeof each === 'string');
  return { kind: 'entire-checkpoint', files, ...finish(draft), ...(checkpoint !== undefined && { checkpoint }) };
}

function checkpointOf(draft: Draft, metadata: JsonObject): string | undefined {
  const id = textAt(draft, metadata, 'checkpoint_id');
  if (id === undefined) return complain(draft, 'has no checkpoint_id');
  return isCheckpoint(id) ? id : complain(draft, `has a checkpoint_id that is none: ${quoted(id, 40)}`);
}

function isCheckpoint(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

/** At least one. `agents` says the same as `agent`, as text or as a list. */
function toolsOf(draft: Draft, metadata: JsonObject): readonly (string | undefined)[] {
  const listed = Array.isArray(metadata['agents']) ? listAt(draft, metadata, 'agents') : [];
  const names = [textAt(draft, metadata, 'agent'), ...listed.filter((each) => typeof each === 'string')];
  const known = names.filter((each) => each !== undefined && each !== '' && each !== 'Agent');
  return known.length === 0 ? [undefined] : [...new Set(known)];
}
