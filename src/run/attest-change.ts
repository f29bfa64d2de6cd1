/**
 * `attest git:BASE..HEAD`: who and what made a change, said and signed by the platform or the CI job that ran the agent. Commits,
 * trees and the change digest are computed here, the rest is collected: from flags before the platform's file, records of other tools,
 * the policy of the base and the job's environment. Where each was taken from is said on standard error. The policy is not judged.
 */
import { hash } from 'node:crypto';
import { type AgentFile, parseAgentFile, parseSandboxFile } from '../change/agent-file.ts';
import { readChangeStatement } from '../change/statements/index.ts';
import { type AgentChangeClaim, formatAgentChange, type TaskClaim } from '../change/write-agent-change.ts';
import { Exit, type ExitCode, OperationalError, quoted } from '../diag/index.ts';
import { changeDigest } from '../git/change-digest.ts';
import { type OpenedRepository, openRepository } from '../git/index.ts';
import { diffTrees } from '../git/tree-diff.ts';
import type { World } from '../io/index.ts';
import { inTotoPayload } from '../sigstore/dsse.ts';
import { outcomeOf } from '../sigstore/verify.ts';
import { combineAgents, type StatedAgent } from './attest-change-agent.ts';
import { placeOf } from './attest-change-place.ts';
import { type RecordedWork, type RecordRequest, readRecords } from './attest-change-records.ts';
import { type JobFacts, jobFacts } from './change-collect-env.ts';
import { type FoundRange, findRange } from './change-range.ts';
import { readWhole } from './read-whole.ts';
import { type SignerChoice, signAsChosen } from './sign.ts';
import { hintAtNotes, note, writeSigned } from './signed-output.ts';
import { guardSigner } from './signer-files.ts';

export interface AttestChangeOptions {
  /** `BASE..HEAD`, as written. */
  readonly range: string;
  /** Path of the repository or of a folder in its work tree. */
  readonly repository: string;
  /** In its normal form. */
  readonly sourceRepository?: string;
  /** Full name of a branch. */
  readonly baseRef?: string;
  readonly buildType: string;
  readonly stated: Omit<StatedAgent, 'sandboxPolicy'>;
  readonly sandboxFile?: string;
  readonly agentFile?: string;
  readonly records: RecordRequest;
  readonly task: { readonly uri?: string; readonly file?: string };
  readonly builderId?: string;
  readonly session?: string;
  /** RFC 3339. */
  readonly startedOn?: string;
  readonly finishedOn?: string;
  readonly signer: SignerChoice;
  /** Where bundles go; undefined is standard output. */
  readonly files: readonly (string | undefined)[];
}

/** Throws OperationalError; GitRefusal for a repository or range that cannot be judged. */
export async function attestChange(options: AttestChangeOptions, outside: World): Promise<ExitCode> {
  const { signer } = options;
  const world = guardSigner(outside, options.files, signer.kind === 'key' ? signer.file : undefined);
  const claim = await claimOf(options, world);
  const payload = formatAgentChange(claim);
  checkReads(payload, claim);
  const { commit, tree } = claim.head;
  const artifact = {
    name: commit,
    digests: new Map([
      ['gitCommit', commit],
      ['gitTree', tree],
    ]),
  };
  const bundle = await signAsChosen({ kind: 'dsse', payloadType: inTotoPayload, payload }, artifact, signer, world);
  await writeSigned(bundle, 'bundle', options.files, world);
  const { files, repository } = options;
  await hintAtNotes({ files, repository, commit, ref: 'refs/notes/provenance' }, world);
  return Exit.pass;
}

async function claimOf(options: AttestChangeOptions, world: World): Promise<AgentChangeClaim> {
  const file = await readAgentFile(options.agentFile, world);
  const sandboxPolicy = await readSandboxFile(options.sandboxFile, world);
  const task = await taskOf(options, file, world);
  const repository = await openRepository(options.repository, world);
  try {
    const found = await findRange(options.range, repository);
    const records = await readRecords(options.records, found.ids, repository, world);
    const job = jobFacts(world.env);
    const place = await placeOf(options, found, repository, job);
    const agents = combineAgents(
      { ...options.stated, ...(sandboxPolicy !== undefined && { sandboxPolicy }) },
      file,
      records.agents,
    );
    const builder = builderOf(options, file, job);
    const run = runOf(options, file, records, job);
    for (const each of [...records.notes, ...place.notes, ...builder.notes, ...run.notes]) await note(world, each);
    await noteMissing({ ...run.run, ...(task !== undefined && { task }) }, world);
    return {
      buildType: options.buildType,
      head: {
        commit: found.head.id,
        tree: found.head.tree,
        ...(found.head.ref !== undefined && { ref: found.head.ref }),
      },
      repository: place.repository,
      baseRef: place.baseRef,
      baseCommit: found.mergeBase.id,
      changeDigest: await digestOf(found, repository),
      ...(task !== undefined && { task }),
      ...agents,
      dependencies: file.dependencies,
      builder: builder.builder,
      run: run.run,
      byproducts: [...file.byproducts, ...records.byproducts],
    };
  } finally {
    await repository.close();
  }
}

async function digestOf({ mergeBase, head }: FoundRange, { objects }: OpenedRepository): Promise<string> {
  return changeDigest(objects, await diffTrees(objects, mergeBase.tree, head.tree));
}

/** Observations of long runs may be in it. */
const maxAgentFileBytes = 16 * 1024 * 1024;
const maxSandboxBytes = 1024 * 1024;
const maxTaskBytes = 64 * 1024 * 1024;

async function readAgentFile(name: string | undefined, world: World): Promise<AgentFile> {
  if (name === undefined) return { tools: [], subagents: [], run: {}, dependencies: [], byproducts: [] };
  const bytes = await readWhole(world.disk, name, maxAgentFileBytes);
  return readable('the agent file', () => parseAgentFile(bytes, name));
}

async function readSandboxFile(name: string | undefined, world: World) {
  if (name === undefined) return undefined;
  const bytes = await readWhole(world.disk, name, maxSandboxBytes);
  return readable('the sandbox', () => parseSandboxFile(bytes, name));
}

function readable<T>(what: string, parse: () => T): T {
  const parsed = outcomeOf(parse);
  if (parsed.ok) return parsed.value;
  throw new OperationalError('malformed', `${what} cannot be used: ${parsed.failure.message}`, {
    hints: ['docs/formats/attest.md lists its members: what is signed and published is read strictly'],
    cause: parsed.failure,
  });
}

/** Fewer bytes than this can be guessed and tried, so that their digest gives the text away. */
const shortestTask = 256;

async function taskOf({ task }: AttestChangeOptions, file: AgentFile, world: World): Promise<TaskClaim | undefined> {
  if (task.uri === undefined && task.file === undefined) return file.task;
  const uri = task.uri === undefined ? {} : { uri: task.uri };
  if (task.file === undefined)
    return { ...(file.task?.content !== undefined && { content: file.task.content }), ...uri };
  const bytes = await readWhole(world.disk, task.file, maxTaskBytes);
  if (bytes.length >= shortestTask) return { ...uri, content: { digest: { sha256: sha256(bytes) } } };
  await note(
    world,
    `${quoted(task.file)} has fewer than ${shortestTask} bytes, which could be guessed from their digest: it is not stated`,
  );
  return task.uri === undefined ? undefined : uri;
}

function sha256(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}

interface Builder {
  readonly builder: AgentChangeClaim['builder'];
  readonly notes: readonly string[];
}

function builderOf({ builderId }: AttestChangeOptions, file: AgentFile, job: JobFacts | undefined): Builder {
  if (builderId !== undefined) return { builder: { ...file.builder, id: builderId }, notes: [] };
  if (file.builder !== undefined) return { builder: file.builder, notes: [] };
  const id = job?.builderId;
  if (id !== undefined && job !== undefined) {
    return { builder: { id }, notes: [`the builder is ${id}, from ${job.from}`] };
  }
  throw new OperationalError('usage', 'nothing says who ran the agent', {
    hints: [
      'name your platform or pipeline with --builder-id URI',
      'in GitHub Actions and GitLab CI it is found by itself',
    ],
  });
}

interface Run {
  readonly run: AgentChangeClaim['run'];
  readonly notes: readonly string[];
}

function runOf(options: AttestChangeOptions, file: AgentFile, records: RecordedWork, job: JobFacts | undefined): Run {
  const stated = options.session ?? file.run.invocationId;
  const sessions = new Set(records.agents.flatMap(({ session }) => session ?? []));
  const [recorded] = sessions.size === 1 ? sessions : [];
  const [session, from] =
    stated !== undefined
      ? [stated]
      : recorded !== undefined
        ? [recorded, 'the records']
        : [job?.invocationId, job?.from];
  const startedOn = options.startedOn ?? file.run.startedOn;
  const finishedOn = options.finishedOn ?? file.run.finishedOn;
  if (startedOn !== undefined && finishedOn !== undefined && Date.parse(finishedOn) < Date.parse(startedOn)) {
    throw new OperationalError('usage', 'the run ends before it starts', {
      hints: ['check --started-on and --finished-on, or metadata in the agent file'],
    });
  }
  return {
    run: {
      ...(session !== undefined && { invocationId: session }),
      ...(startedOn !== undefined && { startedOn }),
      ...(finishedOn !== undefined && { finishedOn }),
    },
    notes: session !== undefined && from !== undefined ? [`the session is ${session}, from ${from}`] : [],
  };
}

/** The build type asks for them; a policy here does not, and what nobody knows is not made up. */
async function noteMissing(run: AgentChangeClaim['run'] & { readonly task?: TaskClaim }, world: World): Promise<void> {
  const { task, invocationId, startedOn, finishedOn } = run;
  const missing = [
    ...(task?.uri === undefined || task.content === undefined ? ['the task (--task URI and --task FILE)'] : []),
    ...(invocationId === undefined ? ['the session (--session ID)'] : []),
    ...(startedOn === undefined || finishedOn === undefined ? ['its times (--started-on, --finished-on)'] : []),
  ];
  if (missing.length > 0) await note(world, `the build type also asks for ${missing.join(', ')}: not stated in full`);
}

/** What `change` would read of it is what is claimed; a statement that it would refuse is never signed. */
function checkReads(payload: Buffer, { buildType, head, baseCommit, ...claim }: AgentChangeClaim): void {
  const read = outcomeOf(() => readChangeStatement(payload, inTotoPayload, [buildType]));
  const statement = read.ok && read.value.kind === 'agent-change' ? read.value : undefined;
  const same =
    statement?.subject.kind === 'commit' &&
    statement.subject.commit === head.commit &&
    statement.subject.tree === head.tree &&
    statement.repository === claim.repository &&
    (statement.subjectRepository ?? claim.repository) === claim.repository &&
    statement.baseRef === claim.baseRef &&
    statement.baseCommit === baseCommit &&
    statement.sourceCommit === baseCommit &&
    statement.changeDigest === claim.changeDigest;
  if (same) return;
  throw new OperationalError(
    'malformed',
    `the new statement would not be accepted, so it was not signed: ${read.ok ? 'it reads as something else' : read.failure.message}`,
    { hints: ['correct what the message names, in the flags or in the agent file'], cause: read },
  );
}
