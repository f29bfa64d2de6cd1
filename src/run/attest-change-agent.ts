/**
 * Who did the work, from what the user says, what the platform's file says and what tools have recorded, in this order. The
 * build type has room for one agent and its subagents: every further model or runtime becomes one of these, so that a policy
 * sees them all. A sandbox is stated for the whole run.
 */
import type { AgentFile } from '../change/agent-file.ts';
import type { RecordedAgent } from '../change/records/index.ts';
import type { AgentChangeClaim, AgentClaim, SubagentClaim, ToolClaim } from '../change/write-agent-change.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { JsonObject } from '../sigstore/json.ts';

export interface StatedAgent {
  readonly models: readonly AgentClaim['model'][];
  readonly runtime?: AgentClaim['runtime'];
  readonly tools: readonly ToolClaim[];
  readonly sandboxPolicy?: JsonObject;
}

export type Agents = Pick<AgentChangeClaim, 'agent' | 'subagents'> & { readonly sandboxPolicy?: JsonObject };

/** Throws OperationalError `usage` where nothing says which model or runtime it was. */
export function combineAgents(stated: StatedAgent, file: AgentFile, recorded: readonly RecordedAgent[]): Agents {
  const known = [...stated.models, ...(file.model === undefined ? [] : [file.model]), ...modelsOf(file)];
  const records = recorded.map((each) => ({ ...each, model: resolveModel(each.model, known) }));
  const model = stated.models[0] ?? file.model ?? records.find((each) => each.model !== undefined)?.model;
  if (model === undefined) throw missing('model', '--model provider/model, for example anthropic/claude-opus-4-6');
  const explicit = stated.runtime ?? file.runtime;
  const tools = new Set(recorded.map(({ tool }) => tool).filter((tool) => tool !== 'unknown'));
  const [tool] = tools;
  const runtime = explicit ?? (tool === undefined ? undefined : { name: tool });
  if (runtime === undefined) throw missing('runtime', '--runtime name@version, for example claude-code@2.1.0');
  // One tool in the records is the runtime that was named, in other words; of several, each keeps its own.
  const runtimeOf = (name: string) => (tools.size > 1 && name !== 'unknown' ? { name } : runtime);
  const sandboxPolicy = stated.sandboxPolicy ?? file.sandboxPolicy;
  const sandbox = sandboxPolicy === undefined ? {} : { sandboxPolicy };
  const more: SubagentClaim[] = [
    ...stated.models.slice(1).map((each) => ({ agent: { model: each, runtime, tools: [] }, ...sandbox })),
    ...records.map(({ tool: name, model: used = model, session }) => ({
      ...(session !== undefined && { invocationId: session }),
      agent: { model: used, runtime: runtimeOf(name), tools: [] },
      ...sandbox,
    })),
  ];
  const agent = { model, runtime, tools: mergeTools(stated.tools, file.tools) };
  return { agent, subagents: [...file.subagents, ...onlyNew(agent, file.subagents, more)], ...sandbox };
}

function modelsOf({ subagents }: AgentFile): readonly AgentClaim['model'][] {
  return subagents.map(({ agent }) => agent.model);
}

/** Whose a model is, is not guessed: an allow-list would let through what somebody else serves under that name. */
function resolveModel(
  text: string | undefined,
  known: readonly AgentClaim['model'][],
): AgentClaim['model'] | undefined {
  if (text === undefined) return undefined;
  const slash = text.indexOf('/');
  const [provider, modelId] = [text.slice(0, slash), text.slice(slash + 1)];
  const named = known.find((each) => each.modelId === text || (slash > 0 && each.modelId === modelId));
  if (slash > 0 && modelId !== '') return named?.provider === provider ? named : { provider, modelId };
  if (named !== undefined) return named;
  throw new OperationalError('usage', `the records name the model ${quoted(text)} without saying whose it is`, {
    hints: [`say it with --model provider/${/^[\w.:-]+$/.test(text) ? text : 'model'}`],
  });
}

/** Those of flags first; one of the same name is the same tool. */
function mergeTools(stated: readonly ToolClaim[], file: readonly ToolClaim[]): readonly ToolClaim[] {
  const names = new Set(stated.map(({ name }) => name));
  return [...stated, ...file.filter(({ name }) => !names.has(name))];
}

function onlyNew(agent: AgentClaim, subagents: readonly SubagentClaim[], more: readonly SubagentClaim[]) {
  const keyOf = ({ model, runtime }: AgentClaim) => JSON.stringify([model.provider, model.modelId, runtime.name]);
  const seen = new Set([agent, ...subagents.map((each) => each.agent)].map(keyOf));
  return more.filter((each) => {
    const key = keyOf(each.agent);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function missing(what: string, flag: string): OperationalError {
  return new OperationalError('usage', `nothing says which ${what} the agent had`, {
    hints: [`give ${flag}`, 'or a file of your platform with --agent FILE, or records with --agent-trace or --git-ai'],
  });
}
