/** The trusted roots that a verification goes by, and how old they are. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Failure, TrustUsed } from '../report/verification.ts';
import { isShippedName, rootAge, shippedNames, shippedRoot } from '../sigstore/shipped.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import { type LoadedRoot, loadRoot, loadRootFile } from './trust.ts';

export interface LoadedTrust {
  readonly roots: readonly TrustRoot[];
  readonly used: readonly TrustUsed[];
}

/** One that is inside tidewaiter, or a file; a policy gives the file a name that its pins go by. */
export type WantedRoot =
  | { readonly name: string; readonly file?: undefined }
  | { readonly file: string; readonly name?: string };

/** Throws OperationalError: usage for an unknown name, configuration for a file that is no trusted root. */
export async function loadTrust(wanted: readonly WantedRoot[], world: World): Promise<LoadedTrust> {
  const loaded: LoadedRoot[] = [];
  for (const each of wanted) loaded.push(...(await loadOne(each, world)));
  return {
    roots: loaded.map(({ root }) => root),
    used: loaded.map(({ root, from, published, file }) => ({
      name: root.name,
      digest: root.digest,
      from: from === 'file' ? (file ?? from) : from,
      ...(published === undefined
        ? {}
        : { published: new Date(published).toISOString(), ageDays: rootAge(published, world.now()) }),
    })),
  };
}

async function loadOne(wanted: WantedRoot, world: World): Promise<readonly LoadedRoot[]> {
  if (wanted.file === undefined) {
    if (isShippedName(wanted.name)) return [await loadRoot(wanted.name, world)];
    throw new OperationalError('usage', `there is no trusted root ${quoted(wanted.name)} inside tidewaiter`, {
      hints: [`choose one of ${shippedNames.join(', ')}, or give a file with --trusted-root`],
    });
  }
  const roots = await loadRootFile(wanted.file, world).catch((error: unknown) => {
    throw withHint(error);
  });
  const { name } = wanted;
  return name === undefined ? roots : roots.map((each) => ({ ...each, root: { ...each.root, name } }));
}

function withHint(error: unknown): unknown {
  if (!(error instanceof OperationalError) || error.code !== 'configuration' || error.hints.length > 0) return error;
  return new OperationalError(error.code, error.message, {
    hints: ['give a trusted_root.json, as "cosign trusted-root create" or "gh attestation trusted-root" writes it'],
    cause: error.cause,
  });
}

/** The roots inside tidewaiter that are none of these, read when first asked for. */
export function otherRoots(trusted: readonly TrustRoot[]): () => readonly TrustRoot[] {
  let roots: readonly TrustRoot[] | undefined;
  return () => {
    roots ??= shippedNames
      .map((name) => shippedRoot(name))
      .filter(({ name, digest }) => !trusted.some((each) => each.name === name || each.digest === digest));
    return roots;
  };
}

/** What is older than it may be, or does not say how old it is. */
export function tooOld(used: readonly TrustUsed[], maxDays: ReadonlyMap<string, number>): readonly Failure[] {
  return used.flatMap(({ name, ageDays }): Failure[] => {
    const most = maxDays.get(name);
    if (most === undefined || (ageDays !== undefined && ageDays <= most)) return [];
    const message =
      ageDays === undefined
        ? `the trusted root ${quoted(name)} does not say how old it is, and only ${most} days are allowed`
        : `the trusted root ${quoted(name)} is ${ageDays} days old, and ${most} are allowed`;
    return [{ rule: 'trusted-root-too-old', message, hints: [] }];
  });
}
