/**
 * Who and what made a change: SLSA provenance v1 with a build type for agents' commits.
 *
 *     {"_type": "https://in-toto.io/Statement/v1",
 *      "subject": [{"uri": "git+https://github.com/acme/shop", "digest": {"gitCommit": "9300…", "gitTree": "982a…"}}],
 *      "predicateType": "https://slsa.dev/provenance/v1",
 *      "predicate": {
 *        "buildDefinition": {"buildType": "https://refs.arewm.com/agent-commit/v0.3",
 *          "externalParameters": {"target": {"repository": "git+https://github.com/acme/shop",
 *            "baseRef": "refs/heads/main", "baseCommit": "1345…"}},
 *          "internalParameters": {"agent": {"model": {"provider": "anthropic", "modelId": "…"},
 *              "runtime": {"name": "claude-code", "version": "1.2.0"}, "tools": [{"name": "mcp-github"}]},
 *            "sandboxPolicy": {…}, "subagents": [{"agent": {…}, "sandboxPolicy": {…}}]},
 *          "resolvedDependencies": [{"name": "source", "digest": {"gitCommit": "1345…"}}]},
 *        "runDetails": {"builder": {"id": "https://…"}, "metadata": {…}, "byproducts": [{"name": "change.diff", …}]}}}
 *
 * Versions 0.2 and 0.3 of that build type differ only in what byproducts may hold. Another build type that a policy allows has
 * to have the same fields. Unknown fields are passed over. Refused: another build type, several subjects, a subject that is
 * neither a commit nor `change.diff`, no target, no model or runtime, no dependency called `source` with a commit (both
 * versions demand it), digests that are not lower-case hex. docs/formats/agent-change.md, https://refs.arewm.com/agent-commit/v0.3
 */
import { quoted } from '../../diag/index.ts';
import { malformed, VerifyError } from '../../sigstore/failure.ts';
import type { Json, JsonObject } from '../../sigstore/json.ts';
import {
  objectIn,
  optionalObjectIn,
  optionalTextIn,
  predicateObject,
  type Resource,
  resource,
  resourcesIn,
  textIn,
} from '../../sigstore/predicate.ts';
import { normalRepository, repositoryOfUri } from '../repository-name.ts';
import type { AgentChange, Sandbox, Subagent } from '../types.ts';
import { observedConnections, readSandbox } from './agent-sandbox.ts';
import {
  itemsIn,
  type OneSubject,
  objectIdIn,
  optionalObjectIdIn,
  optionalTimeTextIn,
  type StatementSubject,
} from './fields.ts';

export const provenanceType = 'https://slsa.dev/provenance/v1';
export const knownBuildTypes: readonly string[] = [
  'https://refs.arewm.com/agent-commit/v0.3',
  'https://refs.arewm.com/agent-commit/v0.2',
];

/** The subject of a statement about a change rather than about a commit. */
export const changeSubject = 'change.diff';

/** Throws VerifyError `unsupported` for a build type that is not allowed, `malformed` with the path of what is wrong. */
export function readAgentChange(statement: OneSubject, buildTypes: readonly string[]): AgentChange {
  const predicate = predicateObject(statement.predicate, 'predicate');
  const definition = objectIn(predicate, 'buildDefinition', 'predicate');
  const buildType = textIn(definition, 'buildType', 'buildDefinition');
  if (!buildTypes.includes(buildType)) {
    throw new VerifyError('unsupported', `the build type ${quoted(buildType)} is none that is accepted`, {
      expected: buildTypes.join(', '),
      got: buildType,
    });
  }
  const target = objectIn(
    objectIn(definition, 'externalParameters', 'buildDefinition'),
    'target',
    'externalParameters',
  );
  const dependencies = resourcesIn(definition, 'resolvedDependencies', 'buildDefinition');
  const { uri, commit } = statement.subject;
  return {
    kind: 'agent-change',
    buildType,
    subject: subjectOf(statement.subject, target),
    repository: normalRepository(textIn(target, 'repository', 'target')),
    ...(uri !== undefined && { subjectRepository: repositoryOfUri(uri, commit) }),
    baseRef: textIn(target, 'baseRef', 'target'),
    baseCommit: objectIdIn(target, 'baseCommit', 'target'),
    sourceCommit: sourceCommit(dependencies),
    ...readAgents(objectIn(definition, 'internalParameters', 'buildDefinition'), predicate),
    ...readRun(objectIn(predicate, 'runDetails', 'predicate')),
  };
}

/** The runtime of the agent and those of its subagents: an allow-list has to allow each of them. */
export function runtimesOf({ runtime, subagents = [] }: AgentChange): readonly (AgentChange['runtime'] | undefined)[] {
  return [runtime, ...subagents.map((each) => each.runtime)];
}

/** The sandbox of the agent and those of its subagents; undefined for one that states none. */
export function sandboxesOf({ sandbox, subagents = [] }: AgentChange): readonly (Sandbox | undefined)[] {
  return [sandbox, ...subagents.map((each) => each.sandbox)];
}

function subjectOf(subject: StatementSubject, target: JsonObject): AgentChange['subject'] {
  const { name, digest, commit, tree } = subject;
  const changeDigest = name === changeSubject ? digest.get('sha256') : undefined;
  if (commit !== undefined && changeDigest !== undefined) {
    throw malformed(`subject[0] is a commit and ${changeSubject} at once`);
  }
  if (commit !== undefined) return { kind: 'commit', commit, ...(tree !== undefined && { tree }) };
  if (changeDigest === undefined) {
    throw malformed(`subject[0] has neither digest.gitCommit nor, as ${changeSubject}, digest.sha256`);
  }
  const head = optionalObjectIdIn(target, 'headCommit', 'target');
  return { kind: 'change', changeDigest, ...(head !== undefined && { commit: head }) };
}

function sourceCommit(dependencies: readonly Resource[]): string {
  const where = 'resolvedDependencies[name=source]';
  const [source, ...others] = dependencies.filter(({ name }) => name === 'source');
  if (source === undefined) throw malformed(`${where} is missing: it names the commit that the agent started from`);
  if (others.length > 0) throw malformed(`${where} stands ${others.length + 1} times`);
  const commit = source.digest.get('gitCommit');
  if (commit === undefined) throw malformed(`${where} has no digest.gitCommit`);
  return commit;
}

type Agents = Pick<AgentChange, 'models' | 'runtime' | 'tools' | 'sandbox' | 'subagents'>;

function readAgents(parameters: JsonObject, predicate: JsonObject): Agents {
  const observed = observedConnections(predicate);
  const where = 'internalParameters';
  const agent = readAgent(objectIn(parameters, 'agent', where), `${where}.agent`);
  const subagents = itemsIn(parameters, 'subagents', where, (value, at) => {
    const entry = predicateObject(value, at);
    const id = optionalTextIn(entry, 'invocationId', at);
    const used = readAgent(objectIn(entry, 'agent', at), `${at}.agent`);
    const seen = id === undefined ? [] : (observed.get(id) ?? []);
    const sandbox = readSandbox(entry, at, seen);
    return { id, used, facts: subagentFacts(id, used, sandbox) };
  });
  const own = new Set(subagents.flatMap(({ id }) => id ?? []));
  // What was seen of nobody in particular was seen of the agent.
  const seen = [...observed].flatMap(([id, remotes]) => (own.has(id) ? [] : remotes));
  const sandbox = readSandbox(parameters, where, seen);
  const all = [agent, ...subagents.map(({ used }) => used)];
  return {
    models: [...new Set(all.map(({ model }) => model))],
    runtime: agent.runtime,
    tools: all.flatMap(({ tools }) => tools),
    ...(sandbox !== undefined && { sandbox }),
    ...(subagents.length > 0 && { subagents: subagents.map(({ facts }) => facts) }),
  };
}

function subagentFacts(id: string | undefined, used: UsedAgent, sandbox: Sandbox | undefined): Subagent {
  return {
    ...(id !== undefined && { invocationId: id }),
    model: used.model,
    runtime: used.runtime,
    ...(sandbox !== undefined && { sandbox }),
  };
}

interface UsedAgent {
  readonly model: string;
  readonly runtime: NonNullable<AgentChange['runtime']>;
  readonly tools: AgentChange['tools'];
}

function readAgent(agent: JsonObject, where: string): UsedAgent {
  const model = objectIn(agent, 'model', where);
  const runtime = objectIn(agent, 'runtime', where);
  const version = optionalTextIn(runtime, 'version', `${where}.runtime`);
  return {
    model: modelId(textIn(model, 'provider', `${where}.model`), textIn(model, 'modelId', `${where}.model`)),
    runtime: { name: textIn(runtime, 'name', `${where}.runtime`), ...(version !== undefined && { version }) },
    tools: itemsIn(agent, 'tools', where, readTool),
  };
}

/** Some write the provider in both. */
function modelId(provider: string, id: string): string {
  return id.startsWith(`${provider}/`) ? id : `${provider}/${id}`;
}

function readTool(value: Json, where: string): AgentChange['tools'][number] {
  if (typeof value === 'string' && value !== '') return { name: value };
  const tool = predicateObject(value, where);
  const { digest } = resource(tool, where);
  const sha256 = digest.get('sha256');
  return { name: textIn(tool, 'name', where), ...(sha256 !== undefined && { digest: `sha256:${sha256}` }) };
}

type Run = Pick<AgentChange, 'builderId' | 'invocationId' | 'startedOn' | 'finishedOn' | 'byproducts' | 'changeDigest'>;

function readRun(details: JsonObject): Run {
  const metadata = optionalObjectIn(details, 'metadata', 'runDetails');
  const invocationId = metadata && optionalTextIn(metadata, 'invocationId', 'metadata');
  const startedOn = metadata && optionalTimeTextIn(metadata, 'startedOn', 'metadata');
  const finishedOn = metadata && optionalTimeTextIn(metadata, 'finishedOn', 'metadata');
  const byproducts = resourcesIn(details, 'byproducts', 'runDetails');
  const changeDigest = changeDigestOf(byproducts);
  return {
    builderId: textIn(objectIn(details, 'builder', 'runDetails'), 'id', 'builder'),
    ...(invocationId !== undefined && { invocationId }),
    ...(startedOn !== undefined && { startedOn }),
    ...(finishedOn !== undefined && { finishedOn }),
    ...(changeDigest !== undefined && { changeDigest }),
    byproducts: byproducts.map(({ name, uri, digest }) => {
      const sha256 = digest.get('sha256');
      return { name: name ?? uri ?? '', ...(sha256 !== undefined && { sha256 }) };
    }),
  };
}

function changeDigestOf(byproducts: readonly Resource[]): string | undefined {
  const where = `byproducts[name=${changeSubject}]`;
  const [change, ...others] = byproducts.filter(({ name }) => name === changeSubject);
  if (change === undefined) return undefined;
  if (others.length > 0) throw malformed(`${where} stands ${others.length + 1} times`);
  const sha256 = change.digest.get('sha256');
  if (sha256 === undefined) throw malformed(`${where} has no digest.sha256`);
  return sha256;
}
