/**
 * Materials of Chainloop about agents: what `chainloop` collects beside a build or a pull request.
 *
 *     {"chainloop.material.evidence.id": "CHAINLOOP_AI_CODING_SESSION", "schema": "https://schemas.chainloop.dev/…",
 *      "data": {"schema_version": "v1", "agent": {"name": "claude-code", "version": "2.1.83"}, "session": {"id": "fa8a…"},
 *               "git_context": {"commit_start": "ae79…", "commit_end": "5869…", "commits": ["ae79df1 Add …", …]},
 *               "model": {"primary": "claude-opus-4-6", "provider": "anthropic", "models_used": ["claude-opus-4-6"]}}}
 *
 * CHAINLOOP_AI_AGENT_CONFIG lists files that steer an agent (`data.agent.name`, `data.config_files`): it says for whom the
 * repository is prepared, not who wrote, so it names no agents. Members that are not known are passed over.
 */
import { quoted } from '../../diag/index.ts';
import { isJsonObject, type JsonObject } from '../../sigstore/json.ts';
import {
  addAgent,
  commitAt,
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

export type ChainloopMaterial = ChainloopSession | ChainloopAgentConfig;

export interface ChainloopSession extends AgentRecord {
  /** `commit` is the last one of the session. */
  readonly kind: 'chainloop-session';
  /** Where the session began: the commits after it are the session's. */
  readonly firstCommit?: string;
}

export interface ChainloopAgentConfig extends AgentRecord {
  readonly kind: 'chainloop-agent-config';
  readonly configuredAgent?: string;
  readonly files: readonly string[];
}

/** Throws nothing; what cannot be read is taken for a session. */
export function parseChainloopMaterial(bytes: Buffer): ChainloopMaterial {
  const draft = startDraft('the Chainloop material');
  const text = decode(draft, bytes);
  const value = text === undefined ? undefined : parseJson(draft, text);
  const data = isJsonObject(value) ? objectAt(draft, value, 'data') : undefined;
  if (!isJsonObject(value) || data === undefined) return unread(draft, 'holds no data');
  const kind = textAt(draft, value, 'chainloop.material.evidence.id');
  if (kind === 'CHAINLOOP_AI_AGENT_CONFIG') return readConfig(draft, data);
  if (kind !== 'CHAINLOOP_AI_CODING_SESSION') return unread(draft, `is of the kind ${quoted(kind ?? 'none', 60)}`);
  return readSession(draft, data);
}

function unread(draft: Draft, why: string): ChainloopSession {
  giveUp(draft, why);
  return { kind: 'chainloop-session', ...finish(draft) };
}

function readSession(draft: Draft, data: JsonObject): ChainloopSession {
  const tool = textAt(draft, objectAt(draft, data, 'agent') ?? nothing, 'name');
  if (tool === undefined) complain(draft, 'does not name its agent');
  const session = textAt(draft, objectAt(draft, data, 'session') ?? nothing, 'id');
  if (session === undefined) complain(draft, 'does not name its session');
  const models = modelsOf(draft, objectAt(draft, data, 'model') ?? nothing);
  for (const model of models.length === 0 ? [undefined] : models) addAgent(draft, tool, model, session);
  const git = objectAt(draft, data, 'git_context') ?? nothing;
  const [firstCommit, commit] = [commitAt(draft, git, 'commit_start'), commitAt(draft, git, 'commit_end')];
  return {
    kind: 'chainloop-session',
    ...finish(draft),
    ...(commit !== undefined && { commit }),
    ...(firstCommit !== undefined && { firstCommit }),
  };
}

function modelsOf(draft: Draft, model: JsonObject): readonly string[] {
  const [provider, primary] = [textAt(draft, model, 'provider'), textAt(draft, model, 'primary')];
  const used = listAt(draft, model, 'models_used').filter((each) => typeof each === 'string');
  const named = primary === undefined ? used : [primary, ...used];
  const qualified = named.map((name) => (provider === undefined || name.includes('/') ? name : `${provider}/${name}`));
  return [...new Set(qualified)];
}

function readConfig(draft: Draft, data: JsonObject): ChainloopAgentConfig {
  const configuredAgent = textAt(draft, objectAt(draft, data, 'agent') ?? nothing, 'name');
  if (configuredAgent === undefined) complain(draft, 'does not name its agent');
  const files = listAt(draft, data, 'config_files').flatMap((each) =>
    isJsonObject(each) ? (textAt(draft, each, 'path') ?? []) : [],
  );
  return {
    kind: 'chainloop-agent-config',
    files,
    ...finish(draft),
    ...(configuredAgent !== undefined && { configuredAgent }),
  };
}

const nothing: JsonObject = Object.create(null) as JsonObject;
