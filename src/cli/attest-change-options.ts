/** The flags of `attest git:BASE..HEAD` as the use case wants them, each checked with a message of its own. */
import { findRepository } from '../change/repository-name.ts';
import type { AgentClaim, ToolClaim } from '../change/write-agent-change.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { AttestChangeOptions } from '../run/attest-change.ts';
import type { AttestFlags } from './attest.ts';
import { refuseOtherFlags } from './attest-change-flags.ts';
import { fullBranch } from './branch-name.ts';
import { parseOutputs } from './outputs.ts';
import { parseTime } from './rfc3339.ts';
import { signerChoice } from './signer-options.ts';

/** Throws OperationalError `usage`. */
export function attestChangeOptions(target: string, flags: AttestFlags): AttestChangeOptions {
  refuseOtherFlags(flags);
  refuseEmpty(flags);
  const { repository = '.', sourceRepository, baseRef, runtime, sandbox, agent, builderId, session } = flags;
  const { startedOn, finishedOn } = flags;
  return {
    range: target.replace(/^git:/, ''),
    repository,
    ...(sourceRepository !== undefined && { sourceRepository: sourceAddress(sourceRepository) }),
    ...(baseRef !== undefined && { baseRef: fullBranch(baseRef, '--base-ref') }),
    buildType: buildTypeUri(flags.buildType ?? 'v0.3'),
    stated: {
      models: flags.model.map(parseModel),
      ...(runtime !== undefined && { runtime: parseRuntime(runtime) }),
      tools: flags.tool.map(parseTool),
    },
    ...(sandbox !== undefined && { sandboxFile: sandbox }),
    ...(agent !== undefined && { agentFile: agent }),
    records: { traces: flags.agentTrace, gitAi: flags.gitAi === true },
    task: parseTask(flags.task),
    ...(builderId !== undefined && { builderId: publicUri(builderId, '--builder-id') }),
    ...(session !== undefined && { session }),
    ...(startedOn !== undefined && { startedOn: timeText(startedOn, '--started-on') }),
    ...(finishedOn !== undefined && { finishedOn: timeText(finishedOn, '--finished-on') }),
    signer: signerChoice(flags),
    files: parseOutputs(flags.output, ['bundle']).map(({ file }) => file),
  };
}

/** A variable that is not set in a pipeline must not look as if nothing had been said. */
function refuseEmpty(flags: AttestFlags): void {
  const values = {
    '--repository': flags.repository,
    '--source-repository': flags.sourceRepository,
    '--base-ref': flags.baseRef,
    '--build-type': flags.buildType,
    '--agent': flags.agent,
    '--runtime': flags.runtime,
    '--sandbox': flags.sandbox,
    '--session': flags.session,
    '--builder-id': flags.builderId,
    '--model': flags.model.includes('') ? '' : undefined,
    '--tool': flags.tool.includes('') ? '' : undefined,
    '--task': flags.task.includes('') ? '' : undefined,
    '--agent-trace': flags.agentTrace.includes('') ? '' : undefined,
  };
  const [empty] = Object.entries(values).find(([, value]) => value === '') ?? [];
  if (empty !== undefined) throw usage(`${empty} is empty`, 'leave it out, or look at what should stand behind it');
}

function sourceAddress(text: string): string {
  const address = findRepository(text);
  if (address?.startsWith('https://')) return address;
  throw usage(
    `--source-repository ${quoted(text)} is no address of a repository`,
    'write it as the policy names it: https://github.com/acme/shop',
  );
}

function buildTypeUri(text: string): string {
  if (text === 'v0.2' || text === 'v0.3') return `https://refs.arewm.com/agent-commit/${text}`;
  return publicUri(text, '--build-type');
}

function parseModel(text: string): AgentClaim['model'] {
  const [, provider, modelId] = /^([^\s/@]+)\/(\S+)$/.exec(text) ?? [];
  if (provider !== undefined && modelId !== undefined) return { provider, modelId };
  throw usage(
    `--model ${quoted(text)} is not PROVIDER/MODEL`,
    'write it as policies allow it: --model anthropic/claude-opus-4-6',
  );
}

/** An `@` at the beginning is a part of the name, as npm writes scopes. */
function parseRuntime(text: string): AgentClaim['runtime'] {
  const [named, digest] = splitDigest(text, '--runtime');
  const at = named.lastIndexOf('@');
  const [name, version] = at > 0 ? [named.slice(0, at), named.slice(at + 1)] : [named, undefined];
  if (/\s/.test(named) || version === '') {
    throw usage(`--runtime ${quoted(text)} is not NAME[@VERSION]`, 'write it as --runtime claude-code@2.1.0');
  }
  return { name, ...(version !== undefined && { version }), ...digest };
}

function parseTool(text: string): ToolClaim {
  const [name, digest] = splitDigest(text, '--tool');
  return { name, ...digest };
}

function splitDigest(text: string, flag: string): [name: string, digest: { readonly digest?: { sha256: string } }] {
  const at = text.search(/@sha\d+:/i);
  if (at < 0) return [text, {}];
  const [, sha256] = /^@sha256:([0-9a-f]{64})$/.exec(text.slice(at)) ?? [];
  if (sha256 !== undefined && at > 0) return [text.slice(0, at), { digest: { sha256 } }];
  throw usage(
    `${flag} ${quoted(text)} has a digest that is none`,
    `write it as NAME@sha256: and 64 lower-case hexadecimal digits`,
  );
}

/** One address and one file at most. */
function parseTask(texts: readonly string[]): AttestChangeOptions['task'] {
  const uris = texts.filter((text) => text.includes('://'));
  const files = texts.filter((text) => !text.includes('://'));
  if (uris.length > 1 || files.length > 1) {
    throw usage('--task names several tasks', 'give one address and one file at most: a statement is about one task');
  }
  const [[uri], [file]] = [uris, files];
  return {
    ...(uri !== undefined && { uri: publicUri(uri, '--task') }),
    ...(file !== undefined && { file }),
  };
}

/** What is published must carry no password. */
function publicUri(text: string, flag: string): string {
  const url = /^[a-z][a-z0-9+.-]*:[^\s\u0000-\u001f\u007f]+$/i.test(text) ? URL.parse(text) : null;
  if (url === null) throw usage(`${flag} ${quoted(text)} is no URI`, `write it in full: ${flag} https://…`);
  if (url.username === '' && url.password === '') return text;
  throw usage(
    `the address given with ${flag} has a user or a password in it`,
    'leave it out: statements are published',
  );
}

function timeText(text: string, flag: string): string {
  parseTime(text, flag);
  return text.toUpperCase();
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
