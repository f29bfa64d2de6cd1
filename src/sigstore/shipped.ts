/**
 * The trusted roots that tidewaiter carries, so that it verifies without a network, and the TUF roots by which newer ones
 * are recognised. Each is held by its digest: what changed on the way from the release to here is refused. Where they come
 * from is told in roots/README.md.
 */
import { hash } from 'node:crypto';
import { VerifyError } from './failure.ts';
import type { Json } from './json.ts';
import { text as github } from './roots/github.ts';
import { text as publicGood } from './roots/public-good.ts';
import { text as staging } from './roots/staging.ts';
import { openTrustRoot } from './trust-root.ts';
import type { TrustRoot } from './types.ts';

export const shippedNames = ['public-good', 'github', 'staging'] as const;
export type ShippedName = (typeof shippedNames)[number];

export interface ShippedRoot {
  readonly name: ShippedName;
  /** Hex SHA-256 of the document. */
  readonly digest: string;
  /** When the document was last known to be the current one, in milliseconds: its age counts from here. */
  readonly published: number;
  /** Version of the TUF targets that listed it; undefined where it did not come through TUF. */
  readonly targetsVersion?: number;
  /** Where newer ones come from, and the digest of the TUF root that proves them. */
  readonly tuf: { readonly url: string; readonly digest: string };
}

export const shippedRoots: readonly ShippedRoot[] = [
  {
    name: 'public-good',
    digest: '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66',
    published: Date.UTC(2026, 7, 21, 19, 25, 56),
    targetsVersion: 14,
    tuf: {
      url: 'https://tuf-repo-cdn.sigstore.dev',
      digest: '27aea7e372aa7864065174f0661784fcf8b0e28b1dbfebeada31a0f1fb19167f',
    },
  },
  {
    name: 'github',
    digest: 'f7a479f2bd2cc8d0389c74e99319a68524f3019d283d1c93d6de24362717012c',
    // No signed metadata says when: it is at least as new as the newest authority in it.
    published: Date.UTC(2026, 5, 12),
    tuf: {
      url: 'https://tuf-repo.github.com',
      digest: '98cba97be9075bc98b2322de3de85fbd1b70ec7392991dfd2f53d215bede1a8d',
    },
  },
  {
    name: 'staging',
    digest: '44deb991d4bbf2150751ccee235d9810bce4434383c26d8898c1bcadbace6ed8',
    published: Date.UTC(2026, 7, 21, 19, 23, 59),
    targetsVersion: 28,
    tuf: {
      url: 'https://tuf-repo-cdn.sigstage.dev',
      digest: '353d172f05f9e73b4a647b1a464f16726d929cbfd030cc42bffb86cd742fb61f',
    },
  },
];

export function isShippedName(name: string): name is ShippedName {
  return shippedNames.some((each) => each === name);
}

export function findShipped(name: ShippedName): ShippedRoot {
  const found = shippedRoots.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no trusted root ${name}`);
  return found;
}

/** Reads that one root and no other. Throws VerifyError `untrusted` when it is not what was released. */
export function shippedRoot(name: ShippedName): TrustRoot {
  // Released documents are read whole by the tests of every release.
  return openTrustRoot(JSON.parse(shippedText(name)) as Json, findShipped(name).digest, name);
}

/** The document itself. Throws as `shippedRoot`. */
export function shippedText(name: ShippedName): string {
  return pinned(texts[name], findShipped(name).digest, `trusted root "${name}"`);
}

/** The TUF root that proves newer documents, as text. Throws as `shippedRoot`. */
export async function shippedTufRoot(name: ShippedName): Promise<string> {
  const { text } = await tufRoots[name]();
  return pinned(text, findShipped(name).tuf.digest, `TUF root "${name}"`);
}

/** Whole days since then; a time that is still to come counts as now. */
export function rootAge(published: number, now: number): number {
  return Math.max(0, Math.floor((now - published) / 86_400_000));
}

const texts: Readonly<Record<ShippedName, string>> = { 'public-good': publicGood, github, staging };

// Needed for updates and for what came from one: nobody else pays for them.
const tufRoots: Readonly<Record<ShippedName, () => Promise<{ readonly text: string }>>> = {
  'public-good': () => import('./roots/tuf-public-good.ts'),
  github: () => import('./roots/tuf-github.ts'),
  staging: () => import('./roots/tuf-staging.ts'),
};

function pinned(text: string, digest: string, what: string): string {
  const got = hash('sha256', text);
  if (got === digest) return text;
  throw new VerifyError('untrusted', `the ${what} inside tidewaiter is not the one that was released`, {
    expected: `sha256:${digest}`,
    got: `sha256:${got}`,
  });
}
