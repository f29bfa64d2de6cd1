/**
 * Writes provenance of an agent's change (statements/agent-change.ts reads it): SLSA provenance v1 with the build type
 * agent-commit, always these members in this order, without spaces, so that the same claim has the same bytes.
 *
 * Nothing that the agent was told or said goes in here as text: statements are published, and stay. A task is its address and
 * the digest of its text, a record of line attribution the digest of its bytes.
 * docs/formats/attest.md, https://refs.arewm.com/agent-commit/v0.3, https://slsa.dev/spec/v1.1/provenance
 */
import type { ObjectId } from '../git/types.ts';
import type { JsonObject } from '../sigstore/json.ts';
import { changeSubject, provenanceType } from './statements/agent-change.ts';

/** Algorithm to lower-case hex. */
export type Digests = Readonly<Record<string, string>>;

export interface AgentChangeClaim {
  readonly buildType: string;
  readonly head: { readonly commit: ObjectId; readonly tree: ObjectId; readonly ref?: string };
  /** In its normal form (repository-name.ts). */
  readonly repository: string;
  /** Full name. */
  readonly baseRef: string;
  readonly baseCommit: ObjectId;
  /** Hex SHA-256, from baseCommit to head. */
  readonly changeDigest: string;
  readonly task?: TaskClaim;
  readonly agent: AgentClaim;
  /** As the build type leaves it open. */
  readonly sandboxPolicy?: JsonObject;
  readonly subagents: readonly SubagentClaim[];
  /** Beside the source. */
  readonly dependencies: readonly ResourceClaim[];
  readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> };
  readonly run: RunClaim;
  /** Beside the change itself. */
  readonly byproducts: readonly ResourceClaim[];
}

export interface TaskClaim {
  readonly uri?: string;
  /** Its text as it was then, by digest alone. */
  readonly content?: ResourceClaim;
}

export interface AgentClaim {
  readonly model: { readonly provider: string; readonly modelId: string; readonly digest?: Digests };
  readonly runtime: { readonly name: string; readonly version?: string; readonly digest?: Digests };
  readonly tools: readonly ToolClaim[];
}

export interface ToolClaim {
  readonly name: string;
  readonly uri?: string;
  readonly digest?: Digests;
  readonly capabilities?: readonly string[];
}

export interface SubagentClaim {
  readonly invocationId?: string;
  readonly role?: string;
  readonly agent: AgentClaim;
  readonly sandboxPolicy?: JsonObject;
  /** RFC 3339. */
  readonly start?: string;
  readonly end?: string;
}

export interface RunClaim {
  readonly invocationId?: string;
  /** RFC 3339. */
  readonly startedOn?: string;
  readonly finishedOn?: string;
}

/** A resource descriptor of in-toto, never with its content. */
export interface ResourceClaim {
  readonly name?: string;
  readonly uri?: string;
  readonly mediaType?: string;
  readonly digest?: Digests;
  readonly annotations?: JsonObject;
}

/** Of the bytes that the change digest is over. */
export const changeMediaType = 'application/vnd.tidewaiter.change-digest.v1';

/** The statement, to be signed as it stands. */
export function formatAgentChange(claim: AgentChangeClaim): Buffer {
  const { repository, baseRef, baseCommit, builder, run, agent, sandboxPolicy, subagents } = claim;
  const source = { name: 'source', uri: `git+${repository}`, digest: { gitCommit: baseCommit } };
  const change = { name: changeSubject, mediaType: changeMediaType, digest: { sha256: claim.changeDigest } };
  // JSON leaves out what is undefined.
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [subjectOf(claim)],
    predicateType: provenanceType,
    predicate: {
      buildDefinition: {
        buildType: claim.buildType,
        externalParameters: { task: claim.task, target: { repository: `git+${repository}`, baseRef, baseCommit } },
        internalParameters: {
          agent: agentOf(agent),
          sandboxPolicy,
          subagents: subagents.length === 0 ? undefined : subagents.map(subagentOf),
        },
        resolvedDependencies: [source, ...claim.dependencies.map(resourceOf)],
      },
      runDetails: {
        builder: { id: builder.id, version: builder.version },
        metadata: isEmpty(run)
          ? undefined
          : { invocationId: run.invocationId, startedOn: run.startedOn, finishedOn: run.finishedOn },
        byproducts: [change, ...claim.byproducts.map(resourceOf)],
      },
    },
  };
  return Buffer.from(JSON.stringify(statement));
}

/**
 * `@` ends the repository in the address for who reads it: where the path has one, only the digests say what it is. The name is for
 * people.
 */
function subjectOf({ head, repository }: AgentChangeClaim): object {
  const { commit, tree, ref } = head;
  const isPlain = !repository.slice('https://'.length).includes('@');
  const isShared = ref !== undefined && (ref.startsWith('refs/heads/') || ref.startsWith('refs/tags/'));
  return {
    name: isShared ? ref : commit,
    uri: isPlain ? `git+${repository}${isShared ? `@${encodeURI(ref)}` : ''}` : undefined,
    digest: { gitCommit: commit, gitTree: tree },
  };
}

function agentOf({ model, runtime, tools }: AgentClaim): object {
  return {
    model: { provider: model.provider, modelId: model.modelId, digest: model.digest },
    runtime: { name: runtime.name, version: runtime.version, digest: runtime.digest },
    tools:
      tools.length === 0
        ? undefined
        : tools.map(({ name, uri, digest, capabilities }) => ({ name, uri, digest, capabilities })),
  };
}

function subagentOf({ invocationId, role, agent, sandboxPolicy, start, end }: SubagentClaim): object {
  return { invocationId, role, agent: agentOf(agent), sandboxPolicy, start, end };
}

function resourceOf({ name, uri, mediaType, digest, annotations }: ResourceClaim): object {
  return { name, uri, mediaType, digest, annotations };
}

function isEmpty(object: object): boolean {
  return Object.values(object).every((value) => value === undefined);
}
