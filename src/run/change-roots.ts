/** The trusted roots that the certificates of a policy are believed by, and whether they are young enough. */
import path from 'node:path';
import { findRule } from '../diag/index.ts';
import { GitRefusal } from '../git/refusal.ts';
import type { World } from '../io/index.ts';
import type { NamedCertificate } from '../policy/change-keys.ts';
import { type NamedFile, rootFiles } from '../policy/requirement.ts';
import type { Policy } from '../policy/types.ts';
import type { TrustUsed } from '../report/verification.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { isShippedName, rootAge } from '../sigstore/shipped.ts';
import { parseTrustRoots } from '../sigstore/trust-root.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import { wrong } from './change-policy-fault.ts';
import { loadRoot, utf8 } from './trust.ts';
import { tooOld } from './verify-trust.ts';

export interface ChangeRoots {
  readonly roots: readonly TrustRoot[];
  /** The same, for reports. */
  readonly trust: readonly TrustUsed[];
}

/** Reads a file that the policy names. Throws OperationalError `configuration` where there is none. */
export type ReadNamed = (file: NamedFile) => Promise<Buffer>;

/**
 * Shipped or updated ones by their name, the policy's own through `read`. Throws OperationalError `configuration`, and GitRefusal
 * `trusted-root-too-old`.
 */
export async function loadRoots(
  policy: Policy,
  certificates: readonly NamedCertificate[],
  read: ReadNamed,
  world: World,
): Promise<ChangeRoots> {
  const own = new Map(rootFiles(policy).map((file) => [file.name, file]));
  const pinned = new Set(certificates.map(({ pin }) => pin.trust));
  const roots: TrustRoot[] = [];
  const trust: TrustUsed[] = [];
  // Keys alone need no root; the public log's promise beside their signatures is checked all the same.
  for (const name of pinned.size === 0 ? ['public-good'] : pinned) {
    const file = own.get(name);
    const loaded = file === undefined ? [await shipped(name, world)] : await readRoots(policy, file, read);
    for (const { root, from, published } of loaded) {
      roots.push(root);
      const age = published === undefined ? {} : ageOf(published, world);
      trust.push({ name: root.name, digest: root.digest, from, ...age });
    }
  }
  const maxDays = new Map(
    [...policy.trust].flatMap(([name, { maxAge }]) => (maxAge === undefined ? [] : [[name, maxAge / dayMs]])),
  );
  // What keys sign counts whatever the age of a root; a certificate is believed by it.
  const [old] = tooOld(
    trust.filter(({ name }) => pinned.has(name)),
    maxDays,
  );
  const help = findRule('trusted-root-too-old')?.help;
  if (old !== undefined) throw new GitRefusal(old.rule, old.message, help === undefined ? [] : [help]);
  return { roots, trust };
}

interface SomeRoot {
  readonly root: TrustRoot;
  readonly from: string;
  readonly published?: number;
}

async function shipped(name: string, world: World): Promise<SomeRoot> {
  if (!isShippedName(name)) throw new Error(`the policy was read and has no trusted root ${name}`);
  const { root, from, published } = await loadRoot(name, world);
  return { root, from, ...(published !== undefined && { published }) };
}

/** Under the name that the policy gives it, by which its pins go. */
async function readRoots(
  policy: Policy,
  file: NamedFile & { readonly name: string },
  read: ReadNamed,
): Promise<readonly SomeRoot[]> {
  const bytes = await read(file);
  try {
    const roots = parseTrustRoots(utf8(bytes), path.posix.basename(file.path));
    return roots.map((root) => ({ root: { ...root, name: file.name }, from: file.path }));
  } catch (cause) {
    if (!(cause instanceof VerifyError)) throw cause;
    const hints = [
      'give a trusted_root.json, as "cosign trusted-root create" or "gh attestation trusted-root" writes it',
    ];
    throw wrong(policy, file, `is no trusted root: ${cause.message}`, hints, cause);
  }
}

const dayMs = 24 * 60 * 60 * 1000;

function ageOf(published: number, world: World): Pick<TrustUsed, 'published' | 'ageDays'> {
  return { published: new Date(published).toISOString(), ageDays: rootAge(published, world.now()) };
}
