/**
 * What a platform says of a run of an agent, in a file for `attest git:… --agent FILE`. The members are those of the statement
 * that is made of it (write-agent-change.ts), and all may be left out:
 *
 *     {"agent": {"model": {"provider": "anthropic", "modelId": "claude-opus-4-6"},
 *                "runtime": {"name": "claude-code", "version": "1.2.0"},
 *                "tools": [{"name": "mcp-github", "digest": {"sha256": "…"}}]},
 *      "sandboxPolicy": {"network": {"mode": "allowlist", "allowedEgress": ["api.github.com:443"]}, "filesystem": "…"},
 *      "subagents": [{"invocationId": "sub-1", "role": "…", "agent": {…}, "sandboxPolicy": {…}}],
 *      "task": {"uri": "https://…/issues/42", "content": {"digest": {"sha256": "…"}}},
 *      "builder": {"id": "https://…", "version": {"platform": "1.0"}},
 *      "metadata": {"invocationId": "run-1", "startedOn": "…Z", "finishedOn": "…Z"},
 *      "resolvedDependencies": [{"name": "mcp-github", "uri": "oci://…", "digest": {"sha256": "…"}}],
 *      "byproducts": [{"name": "session-transcript", "mediaType": "application/jsonl", "digest": {"sha256": "…"}}]}
 *
 * Strict, because it is signed and published: a member that is not known is refused by its name, and so is one that could hold
 * a prompt (`prompt`, `content` as text, `input`, `output`). Annotations are for what was observed from outside
 * (`observed-…`) and for the type of a referenced statement. docs/formats/attest.md
 */
import { quoted } from '../diag/index.ts';
import { malformed } from '../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from '../sigstore/json.ts';
import { objectIn, optionalObjectIn, optionalTextIn, predicateObject, textIn } from '../sigstore/predicate.ts';
import { digestSet } from '../sigstore/statement.ts';
import { changeSubject } from './statements/agent-change.ts';
import { readSandbox } from './statements/agent-sandbox.ts';
import { itemsIn, optionalTimeTextIn, textItem } from './statements/fields.ts';
import type {
  AgentChangeClaim,
  AgentClaim,
  Digests,
  ResourceClaim,
  RunClaim,
  SubagentClaim,
  TaskClaim,
  ToolClaim,
} from './write-agent-change.ts';

export interface AgentFile {
  readonly model?: AgentClaim['model'];
  readonly runtime?: AgentClaim['runtime'];
  readonly tools: readonly ToolClaim[];
  readonly sandboxPolicy?: JsonObject;
  readonly subagents: readonly SubagentClaim[];
  readonly task?: TaskClaim;
  readonly builder?: AgentChangeClaim['builder'];
  readonly run: RunClaim;
  readonly dependencies: readonly ResourceClaim[];
  readonly byproducts: readonly ResourceClaim[];
}

/** `name` is the file, for messages. Throws VerifyError `malformed`. */
export function parseAgentFile(bytes: Buffer, name: string): AgentFile {
  const where = quoted(name);
  const file = predicateObject(parseStrictJsonBytes(bytes, where), where);
  only(file, members, where);
  const agent = optionalObjectIn(file, 'agent', where);
  const builder = optionalObjectIn(file, 'builder', where);
  const metadata = optionalObjectIn(file, 'metadata', where);
  const task = optionalObjectIn(file, 'task', where);
  const sandboxPolicy = sandboxIn(file, where);
  return {
    ...(agent === undefined ? { tools: [] } : readPartialAgent(agent, 'agent')),
    ...(sandboxPolicy !== undefined && { sandboxPolicy }),
    subagents: itemsIn(file, 'subagents', where, readSubagent),
    ...(task !== undefined && { task: readTask(task) }),
    ...(builder !== undefined && { builder: readBuilder(builder) }),
    run: metadata === undefined ? {} : readRun(metadata),
    dependencies: itemsIn(file, 'resolvedDependencies', where, (each, at) => readResource(each, at, ['source'])),
    byproducts: itemsIn(file, 'byproducts', where, (each, at) => readResource(each, at, [changeSubject])),
  };
}

/** A sandbox in a file of its own: what stands under `sandboxPolicy`. Throws VerifyError `malformed`. */
export function parseSandboxFile(bytes: Buffer, name: string): JsonObject {
  const where = quoted(name);
  const sandboxPolicy = predicateObject(parseStrictJsonBytes(bytes, where), where);
  checkSandbox({ sandboxPolicy }, sandboxPolicy, where);
  return sandboxPolicy;
}

const members = [
  ...['agent', 'sandboxPolicy', 'subagents', 'task', 'builder', 'metadata'],
  ...['resolvedDependencies', 'byproducts'],
];

function only(object: JsonObject, names: readonly string[], where: string): void {
  const other = Object.keys(object).find((each) => !names.includes(each));
  if (other === undefined) return;
  const isText = ['prompt', 'prompts', 'content', 'input', 'output'].includes(other);
  const why = isText ? 'could hold a prompt, which is never published' : 'is not known';
  throw malformed(`${where} has a member ${quoted(other, 60)} that ${why}; known are ${names.join(', ')}`);
}

function sandboxIn(parent: JsonObject, where: string): JsonObject | undefined {
  const sandbox = optionalObjectIn(parent, 'sandboxPolicy', where);
  if (sandbox !== undefined) checkSandbox(parent, sandbox, `${where}.sandboxPolicy`);
  return sandbox;
}

function checkSandbox(parent: JsonObject, sandbox: JsonObject, where: string): void {
  only(sandbox, ['network', 'filesystem', 'credentials'], where);
  readSandbox(parent, where, []);
}

function readPartialAgent(agent: JsonObject, where: string): Pick<AgentFile, 'model' | 'runtime' | 'tools'> {
  only(agent, ['model', 'runtime', 'tools'], where);
  const model = optionalObjectIn(agent, 'model', where);
  const runtime = optionalObjectIn(agent, 'runtime', where);
  return {
    ...(model !== undefined && { model: readModel(model, `${where}.model`) }),
    ...(runtime !== undefined && { runtime: readRuntime(runtime, `${where}.runtime`) }),
    tools: itemsIn(agent, 'tools', where, readTool),
  };
}

function readModel(model: JsonObject, where: string): AgentClaim['model'] {
  only(model, ['provider', 'modelId', 'digest'], where);
  return {
    provider: textIn(model, 'provider', where),
    modelId: textIn(model, 'modelId', where),
    ...digestIn(model, where),
  };
}

function readRuntime(runtime: JsonObject, where: string): AgentClaim['runtime'] {
  only(runtime, ['name', 'version', 'digest'], where);
  const version = optionalTextIn(runtime, 'version', where);
  return {
    name: textIn(runtime, 'name', where),
    ...(version !== undefined && { version }),
    ...digestIn(runtime, where),
  };
}

function readTool(value: Json, where: string): ToolClaim {
  if (typeof value === 'string' && value !== '') return { name: value };
  const tool = predicateObject(value, where);
  only(tool, ['name', 'uri', 'digest', 'capabilities'], where);
  const uri = optionalTextIn(tool, 'uri', where);
  const capabilities = itemsIn(tool, 'capabilities', where, textItem);
  return {
    name: textIn(tool, 'name', where),
    ...(uri !== undefined && { uri }),
    ...digestIn(tool, where),
    ...(capabilities.length > 0 && { capabilities }),
  };
}

function readSubagent(value: Json, where: string): SubagentClaim {
  const entry = predicateObject(value, where);
  only(entry, ['invocationId', 'role', 'agent', 'sandboxPolicy', 'start', 'end'], where);
  const agent = readPartialAgent(objectIn(entry, 'agent', where), `${where}.agent`);
  const { model, runtime, tools } = agent;
  if (model === undefined || runtime === undefined) throw malformed(`${where}.agent needs a model and a runtime`);
  const texts = {
    invocationId: optionalTextIn(entry, 'invocationId', where),
    role: optionalTextIn(entry, 'role', where),
    start: optionalTimeTextIn(entry, 'start', where),
    end: optionalTimeTextIn(entry, 'end', where),
  };
  const sandboxPolicy = sandboxIn(entry, where);
  return { ...present(texts), agent: { model, runtime, tools }, ...(sandboxPolicy !== undefined && { sandboxPolicy }) };
}

function readTask(task: JsonObject): TaskClaim {
  only(task, ['uri', 'content'], 'task');
  const uri = optionalTextIn(task, 'uri', 'task');
  const { content } = task;
  return {
    ...(uri !== undefined && { uri }),
    ...(content !== undefined && content !== null && { content: readResource(content, 'task.content', []) }),
  };
}

function readBuilder(builder: JsonObject): AgentChangeClaim['builder'] {
  only(builder, ['id', 'version'], 'builder');
  const version = optionalObjectIn(builder, 'version', 'builder');
  const id = textIn(builder, 'id', 'builder');
  if (version === undefined) return { id };
  const pairs = Object.entries(version).map(([name, value]) => [
    name,
    textItem(value ?? null, `builder.version.${name}`),
  ]);
  return { id, version: Object.fromEntries(pairs) as Record<string, string> };
}

function readRun(metadata: JsonObject): RunClaim {
  only(metadata, ['invocationId', 'startedOn', 'finishedOn'], 'metadata');
  return present({
    invocationId: optionalTextIn(metadata, 'invocationId', 'metadata'),
    startedOn: optionalTimeTextIn(metadata, 'startedOn', 'metadata'),
    finishedOn: optionalTimeTextIn(metadata, 'finishedOn', 'metadata'),
  });
}

/** `own` are the names of what is computed, and may not be stated. */
function readResource(value: Json, where: string, own: readonly string[]): ResourceClaim {
  const entry = predicateObject(value, where);
  only(entry, ['name', 'uri', 'mediaType', 'digest', 'annotations'], where);
  const texts = {
    name: optionalTextIn(entry, 'name', where),
    uri: optionalTextIn(entry, 'uri', where),
    mediaType: optionalTextIn(entry, 'mediaType', where),
  };
  const { name } = texts;
  if (name !== undefined && own.includes(name)) throw malformed(`${where} is called ${name}, which is computed`);
  const annotations = optionalObjectIn(entry, 'annotations', where);
  const isObserved = name?.startsWith('observed-') === true;
  if (annotations !== undefined)
    only(annotations, [isObserved ? 'observations' : 'predicateType'], `${where}.annotations`);
  const digest = digestIn(entry, where);
  if (texts.uri === undefined && digest.digest === undefined && !(isObserved && annotations !== undefined)) {
    throw malformed(`${where} has neither a uri nor a digest`);
  }
  return { ...present(texts), ...digest, ...(annotations !== undefined && { annotations }) };
}

/** An empty one is no digest. */
function digestIn(parent: JsonObject, where: string): { readonly digest?: Digests } {
  const { digest } = parent;
  if (digest === undefined || digest === null || (isJsonObject(digest) && Object.keys(digest).length === 0)) return {};
  return { digest: Object.fromEntries(digestSet(digest, `${where}.digest`)) };
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
