/**
 * The policy that a change is judged by, with every file that it names. It comes from the tree of the protected branch's tip, from
 * another commit that the user names, or from a file on disk, and never from the change itself: whoever writes the change
 * would write the policy. So a commit of the change is refused, and a file in the work tree of the repository, where the
 * change is checked out in CI.
 *
 *     (nothing)            tidewaiter.policy.yaml of the base
 *     git:REV[:PATH]       of another commit, from the root of the repository
 *     PATH                 a file on disk; what it names lies beside it
 */
import { isUtf8 } from 'node:buffer';
import { OperationalError, quoted } from '../diag/index.ts';
import { GitRefusal } from '../git/refusal.ts';
import type { World } from '../io/index.ts';
import type { NamedFile } from '../policy/requirement.ts';
import type { ChangesRule, Policy } from '../policy/types.ts';
import {
  defaultPolicyPath,
  openPolicySource,
  type PolicyRequest,
  type PolicySource,
  type ReadTree,
} from './change-policy-source.ts';
import { type LoadedSigners, loadChangeSigners, readUnusedKeys } from './change-signers.ts';

export { maxPolicyFileBytes, type PolicyRequest, type ReadTree } from './change-policy-source.ts';
export type { LoadedSigners } from './change-signers.ts';

export interface ChangePolicy {
  readonly policy: Policy;
  readonly rule: ChangesRule;
  /** For people: `git:COMMIT:PATH`, or the file. */
  readonly from: string;
  /** The policy itself, then each file that it names and that is there. Paths are from the root of the repository, or on disk. */
  readonly files: readonly PolicyFile[];
  /** Paths from the root of the repository that decide what the policy says, there or not; none for a policy on disk. */
  readonly paths: readonly string[];
  /** Hex SHA-256, see src/policy/digest.ts. */
  readonly digest: string;
  readonly signers: LoadedSigners;
}

export interface PolicyFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * `read` reads a file of a tree by its path, and refuses what is no file. Throws OperationalError: `configuration` where there is
 * no policy or it cannot be used, `usage` for a source that is none; GitRefusal for objects that cannot be believed and for a
 * trusted root that is too old.
 */
export async function readChangePolicy(request: PolicyRequest, read: ReadTree, world: World): Promise<ChangePolicy> {
  // Loaded here: YAML and schemas cost more to load than a commit takes.
  const { readPolicy } = await import('../policy/read.ts');
  const { namedFiles } = await import('../policy/change-keys.ts');
  const { policyDigest } = await import('../policy/digest.ts');
  const source = await openPolicySource(request, read, world);
  const { from, file } = source;
  const bytes = await source.read(file);
  if (bytes === undefined) throw notConfigured(`there is no ${quoted(file)} in ${source.where}`, source);
  const policy = readPolicy(policyText(bytes, from), from);
  const rule = policy.changes;
  if (rule === undefined) throw notConfigured(`${quoted(from)} says nothing of changes`, source);
  const found = new Map<string, Buffer | undefined>();
  const readNamed = async (name: string): Promise<Buffer | undefined> => {
    if (!found.has(name)) found.set(name, await source.read(source.beside(name)));
    return found.get(name);
  };
  const signers = await loadChangeSigners(policy, rule, (each) => readNeeded(policy, each, source, readNamed), world);
  const names = namedFiles(policy);
  for (const name of names) await readNamed(name).catch((error) => found.set(name, absentOr(error)));
  const named = [...found].flatMap(([name, each]) => (each === undefined ? [] : [{ name, bytes: each }]));
  return {
    policy,
    rule,
    from,
    files: [{ path: file, bytes }, ...named.map((each) => ({ path: source.beside(each.name), bytes: each.bytes }))],
    paths: source.inRepository ? [file, ...names.flatMap((name) => pathInside(source, name))] : [],
    digest: policyDigest([{ bytes }, ...names.map((name) => ({ name })), ...named]),
    signers: { ...signers, unused: await readUnusedKeys(policy, rule, found) },
  };
}

/** A key or a root that `changes` needs. */
async function readNeeded(
  { name }: Policy,
  { path: file, by, place }: NamedFile,
  { where }: PolicySource,
  readNamed: (file: string) => Promise<Buffer | undefined>,
): Promise<Buffer> {
  const fault = (message: string, cause?: OperationalError) =>
    new OperationalError('configuration', `${name}:${place.line}:${place.column}: ${by} ${message}`, {
      hints: cause?.hints ?? ['paths in a policy begin at the folder of the policy file'],
      cause,
    });
  try {
    const bytes = await readNamed(file);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw fault(`cannot be read: ${error.message}`, error);
  }
  throw fault(`names a file that is not there: ${quoted(file)}, in ${where}`);
}

// The digest is of the whole policy. What no change needs may be missing, and the digest says so; what git cannot prove
// may not.
function absentOr(error: unknown): undefined {
  if (isAbsent(error)) return undefined;
  throw error;
}

/** There is no such file, or it is none: a link, a folder, a path that leaves the repository. */
function isAbsent(error: unknown): error is OperationalError {
  if (error instanceof GitRefusal) return error.rule === 'path-trick';
  return error instanceof OperationalError && (error.code === 'configuration' || error.code === 'not-found');
}

function pathInside(source: PolicySource, name: string): readonly string[] {
  try {
    return [source.beside(name)];
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** A byte that is no text would be read as one that matches nothing, or something else than its author sees. */
function policyText(bytes: Buffer, from: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new OperationalError('configuration', `the policy ${quoted(from)} is not UTF-8`, {
    hints: ['save it as UTF-8'],
  });
}

function notConfigured(why: string, { file, inRepository }: PolicySource): OperationalError {
  const example =
    'changes: { repository: https://github.com/acme/shop, baseRef: refs/heads/main, highRisk: { by: [alice] } }';
  return new OperationalError('configuration', `not configured: ${why}`, {
    hints: [
      inRepository
        ? `land a ${quoted(file)} on the protected branch first: a change is judged by the policy of its base`
        : 'give the path of a policy file outside of the repository',
      'begin it with the line: version: 1',
      "name whose signature is a human's, in a second line: people: { alice: { keys: [keys/alice.pub] } }",
      `say what changes have to show, in a third: ${example}`,
      ...(file === defaultPolicyPath ? ['or name another one with --policy PATH or --policy git:REV:PATH'] : []),
    ],
  });
}
