/**
 * SLSA provenance, v0.2 and v1: which builder made the artifact, from what, with which parameters.
 *
 *     {"buildDefinition": {"buildType": "https://actions.github.io/buildtypes/workflow/v1",
 *        "externalParameters": {"workflow": {"repository": "https://github.com/o/r", "ref": "refs/heads/main", …}},
 *        "resolvedDependencies": [{"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"gitCommit": "…"}}]},
 *      "runDetails": {"builder": {"id": "https://github.com/o/r/.github/workflows/x.yml@refs/heads/main"}}}
 *
 * What a statement says is worth as much as who signed it. The source stands in another place for each build type: it is
 * read for the types below, and is absent for others rather than guessed, because external parameters are the user's.
 * https://slsa.dev/spec/v1.0/provenance, https://slsa.dev/spec/v0.2/provenance
 */
import { malformed, VerifyError } from './failure.ts';
import type { JsonObject } from './json.ts';
import {
  objectIn,
  optionalObjectIn,
  optionalTextIn,
  optionalTimeIn,
  predicateObject,
  type Resource,
  resource,
  resourcesIn,
  textIn,
} from './predicate.ts';
import type { Statement } from './types.ts';

export interface Provenance {
  readonly version: 'v0.2' | 'v1';
  readonly builder: string;
  readonly buildType: string;
  readonly source?: Source;
  /** v1: externalParameters; v0.2: invocation.parameters. */
  readonly parameters: JsonObject;
  /** v1: resolvedDependencies; v0.2: materials. */
  readonly dependencies: readonly Resource[];
  readonly invocation?: string;
  /** Milliseconds, as the builder says. */
  readonly startedOn?: number;
  readonly finishedOn?: number;
}

export interface Source {
  /** As stated. */
  readonly uri: string;
  /** Without `git+` and ref: `https://github.com/o/r`. */
  readonly repository: string;
  readonly ref?: string;
  /** `sha1` or `gitCommit` to hex; empty when nothing is stated. */
  readonly digest: ReadonlyMap<string, string>;
  /** Path of the workflow or build configuration inside the source. */
  readonly path?: string;
}

export function isProvenance(predicateType: string): boolean {
  return predicateType === v1 || predicateType === v02;
}

/** Throws VerifyError `unsupported` for another predicate, `malformed` for one that breaks its form. */
export function readProvenance(statement: Statement): Provenance {
  const predicate = () => predicateObject(statement.predicate, 'provenance');
  if (statement.predicateType === v1) return readV1(predicate());
  if (statement.predicateType === v02) return readV02(predicate());
  throw new VerifyError('unsupported', 'the statement is no SLSA provenance v0.2 or v1', {
    got: statement.predicateType,
  });
}

const v1 = 'https://slsa.dev/provenance/v1';
const v02 = 'https://slsa.dev/provenance/v0.2';

function readV1(predicate: JsonObject): Provenance {
  const definition = objectIn(predicate, 'buildDefinition', 'provenance');
  const details = objectIn(predicate, 'runDetails', 'provenance');
  const builder = objectIn(details, 'builder', 'runDetails');
  const metadata = optionalObjectIn(details, 'metadata', 'runDetails') ?? {};
  const buildType = textIn(definition, 'buildType', 'buildDefinition');
  const parameters = objectIn(definition, 'externalParameters', 'buildDefinition');
  const dependencies = resourcesIn(definition, 'resolvedDependencies', 'buildDefinition');
  const source = sourcesV1.get(buildType)?.(parameters, dependencies);
  return {
    version: 'v1',
    builder: textIn(builder, 'id', 'builder'),
    buildType,
    ...(source !== undefined && { source }),
    parameters,
    dependencies,
    ...run(metadata, 'invocationId', 'startedOn', 'finishedOn'),
  };
}

type ReadSource = (parameters: JsonObject, dependencies: readonly Resource[]) => Source;

const sourcesV1: ReadonlyMap<string, ReadSource> = new Map<string, ReadSource>([
  ['https://actions.github.io/buildtypes/workflow/v1', workflowSource],
  ['https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1', workflowSource],
  ['https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1', triggeredSource],
  ['https://slsa.dev/container-based-build/v0.1?draft', containerSource],
]);

function workflowSource(parameters: JsonObject, dependencies: readonly Resource[]): Source {
  const workflow = objectIn(parameters, 'workflow', 'externalParameters');
  const path = optionalTextIn(workflow, 'path', 'workflow');
  return { ...repositoryAt(workflow, 'workflow', dependencies), ...(path !== undefined && { path }) };
}

function triggeredSource(parameters: JsonObject, dependencies: readonly Resource[]): Source {
  return repositoryAt(objectIn(parameters, 'sourceToBuild', 'externalParameters'), 'sourceToBuild', dependencies);
}

function repositoryAt(stated: JsonObject, where: string, dependencies: readonly Resource[]): Source {
  const repository = textIn(stated, 'repository', where);
  const ref = optionalTextIn(stated, 'ref', where);
  const uri = `git+${repository}${ref === undefined ? '' : `@${ref}`}`;
  // The commit stands beside it, under the same name; a dependency on another repository must not lend its own.
  const resolved = dependencies.filter((dependency) => dependency.uri === uri);
  if (resolved.length > 1) throw malformed(`the source ${where} is resolved more than once`);
  return { uri, repository, ...(ref !== undefined && { ref }), digest: resolved[0]?.digest ?? new Map() };
}

function containerSource(parameters: JsonObject): Source {
  const path = optionalTextIn(parameters, 'configPath', 'externalParameters');
  const { uri, digest } = resource(parameters['source'], 'externalParameters.source');
  if (uri === undefined) throw malformed('externalParameters.source has no uri');
  return { ...splitUri(uri), digest, ...(path !== undefined && { path }) };
}

function readV02(predicate: JsonObject): Provenance {
  const invocation = optionalObjectIn(predicate, 'invocation', 'provenance') ?? {};
  const metadata = optionalObjectIn(predicate, 'metadata', 'provenance') ?? {};
  const config = optionalObjectIn(invocation, 'configSource', 'invocation');
  const source = config === undefined ? undefined : configSource(config);
  // Written in both ways: the specification has the first, the SLSA generator the second.
  const invocationName = 'buildInvocationId' in metadata ? 'buildInvocationId' : 'buildInvocationID';
  return {
    version: 'v0.2',
    builder: textIn(objectIn(predicate, 'builder', 'provenance'), 'id', 'builder'),
    buildType: textIn(predicate, 'buildType', 'provenance'),
    ...(source !== undefined && { source }),
    parameters: optionalObjectIn(invocation, 'parameters', 'invocation') ?? {},
    dependencies: resourcesIn(predicate, 'materials', 'provenance'),
    ...run(metadata, invocationName, 'buildStartedOn', 'buildFinishedOn'),
  };
}

function configSource(config: JsonObject): Source | undefined {
  const { uri, digest } = resource(config, 'configSource');
  const path = optionalTextIn(config, 'entryPoint', 'configSource');
  if (uri === undefined || uri === '') return undefined;
  return { ...splitUri(uri), digest, ...(path !== undefined && path !== '' && { path }) };
}

/** `git+https://HOST/PATH@REF`: the ref begins at the first @ of the path, one before it names a user. */
function splitUri(uri: string): { uri: string; repository: string; ref?: string } {
  const bare = uri.startsWith('git+') ? uri.slice(4) : uri;
  const scheme = bare.indexOf('://');
  const path = scheme === -1 ? 0 : bare.indexOf('/', scheme + 3);
  const at = path === -1 ? -1 : bare.indexOf('@', path);
  return at === -1 ? { uri, repository: bare } : { uri, repository: bare.slice(0, at), ref: bare.slice(at + 1) };
}

function run(
  metadata: JsonObject,
  invocationName: string,
  startedName: string,
  finishedName: string,
): Pick<Provenance, 'invocation' | 'startedOn' | 'finishedOn'> {
  const invocation = optionalTextIn(metadata, invocationName, 'metadata');
  const startedOn = optionalTimeIn(metadata, startedName, 'metadata');
  const finishedOn = optionalTimeIn(metadata, finishedName, 'metadata');
  return {
    ...(invocation !== undefined && { invocation }),
    ...(startedOn !== undefined && { startedOn }),
    ...(finishedOn !== undefined && { finishedOn }),
  };
}
