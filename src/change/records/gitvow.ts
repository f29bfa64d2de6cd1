/**
 * Session notes of gitvow: on `refs/notes/gitvow/<session>`, and in version 0.1 on `refs/notes/sessions`.
 *
 *     gitvow-session
 *     {"schema": 9, "session_id": "8f3d…", "step": 8, "tools_used": ["Bash", …],
 *      "files_written_by_agent_this_session": ["README.md"], "usage": {"models": {"claude-opus-5": 1104, …}, …}, …}
 *
 * A squash leaves several of them in one note. gitvow does not say which agent it was, only its models. Other tools keep other
 * things on `refs/notes/sessions` (a bare session id, a list): that a note is there is then all that is known.
 */
import { isJsonObject, type Json } from '../../sigstore/json.ts';
import {
  addAgent,
  complain,
  type Draft,
  decode,
  finish,
  giveUp,
  listAt,
  objectAt,
  parseJson,
  startDraft,
  textAt,
} from './draft.ts';
import type { AgentRecord } from './types.ts';

export interface GitvowNote extends AgentRecord {
  readonly kind: 'gitvow-note';
  readonly files: readonly string[];
}

/** Throws nothing. */
export function parseGitvowNote(bytes: Buffer): GitvowNote {
  const draft = startDraft('the session note');
  const text = decode(draft, bytes);
  const files = new Set<string>();
  if (text === undefined) addAgent(draft);
  else if (!`${text}\n`.startsWith(heading)) giveUp(draft, 'is not one of gitvow');
  else
    for (const part of `\n${text}\n`.split(`\n${heading}`).slice(1)) readSession(draft, parseJson(draft, part), files);
  return { kind: 'gitvow-note', files: [...files], ...finish(draft) };
}

const heading = 'gitvow-session\n';

function readSession(draft: Draft, value: Json | undefined, files: Set<string>): void {
  if (!isJsonObject(value)) {
    giveUp(draft, 'holds no session');
    return;
  }
  const session = textAt(draft, value, 'session_id');
  if (session === undefined) complain(draft, 'does not name its session');
  const models = Object.keys(objectAt(draft, objectAt(draft, value, 'usage') ?? {}, 'models') ?? {});
  // `<synthetic>` stands for turns that no model made.
  const real = models.filter((model) => !model.startsWith('<'));
  const tool = textAt(draft, value, 'agent');
  for (const model of real.length === 0 ? [undefined] : real) addAgent(draft, tool, model, session);
  for (const file of listAt(draft, value, 'files_written_by_agent_this_session')) {
    if (typeof file === 'string') files.add(file);
  }
}
