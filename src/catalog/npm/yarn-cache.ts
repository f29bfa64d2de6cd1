/**
 * Yarn Plug'n'Play: no node_modules, the packages stay in the archives of Yarn's cache and Node reads them from there.
 *
 *     app/.pnp.cjs
 *     app/.yarn/cache/@babel-core-npm-7.22.5-1e7b0e1b32-10c0.zip     holds node_modules/@babel/core/package.json
 *     root/.yarn/berry/cache/lodash-npm-4.17.21-6382451519-8.zip     the same, shared by all projects
 *
 * Without any `.pnp.cjs` (`.pnp.js` of Yarn 2) the archives are a cache and nothing more. Who needs whom stands in that
 * script, or in `.pnp.data.json` beside it; it is code and is not read. A script that names archives of which there is
 * none, in the cache beside it or in a shared one, is a gap: its packages are somewhere else.
 * https://yarnpkg.com/features/pnp, https://yarnpkg.com/advanced/pnp-spec
 */
import { parentOf } from '../../archive/path.ts';
import { openZip, ZipError, zipLimits } from '../../archive/zip.ts';
import type { Cataloger, Found, Package } from '../types.ts';
import { Unreadable } from '../types.ts';
import { parseJsonObject } from './json.ts';
import { type Manifest, manifestFields, parseManifest } from './manifest.ts';
import { isPackageName, npmPurl } from './names.ts';

type Fact =
  | { readonly kind: 'script'; readonly namesArchives: boolean }
  | { readonly kind: 'package'; readonly manifest: Manifest };

const maxManifest = 16 * 2 ** 20;
const maxScript = 64 * 2 ** 20;

export const npmYarnCache: Cataloger<Fact> = {
  id: 'npm/yarn-cache',
  kind: 'installed',
  // The archives hold programs: only the general cap is for them.
  maxBytes: (path) => (isScript(path) ? maxScript : Number.POSITIVE_INFINITY),
  wants: ({ path }) => isScript(path) || /(?:^|\/)\.yarn\/(?:berry\/)?cache\/[^/]+\.zip$/.test(path),
  read: ({ path, bytes }) => {
    if (isScript(path)) return { kind: 'script', namesArchives: bytes.includes('.zip/') };
    const manifest = parseManifest(parseJsonObject(archivedManifest(bytes), maxManifest));
    if (manifest === undefined || !isPackageName(manifest.name))
      throw new Unreadable('its package.json names no package');
    return { kind: 'package', manifest };
  },
  assemble: (found, context) => {
    const scripts = found.filter(({ fact }) => fact.kind === 'script');
    if (scripts.length === 0) return [];
    const caches = new Set(found.filter(({ fact }) => fact.kind === 'package').map(({ path }) => parentOf(path)));
    const isShared = [...caches].some((cache) => cache.endsWith('.yarn/berry/cache'));
    for (const { path, fact } of scripts) {
      if (fact.kind !== 'script' || !fact.namesArchives || isShared) continue;
      if (!caches.has(cacheBeside(path))) context.gap(path, "names packages in archives that are not in Yarn's cache");
    }
    return found.flatMap(toPackage);
  },
};

function cacheBeside(script: string): string {
  const directory = parentOf(script);
  return directory === '' ? '.yarn/cache' : `${directory}/.yarn/cache`;
}

function isScript(path: string): boolean {
  return /(?:^|\/)\.pnp\.(?:c?js|data\.json)$/.test(path);
}

/** The package.json of the one package in the archive. */
function archivedManifest(bytes: Buffer): Buffer {
  try {
    const archive = openZip(bytes, zipLimits());
    const entry = archive.entries.findLast(({ name }) =>
      /^node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(name),
    );
    if (entry === undefined) throw new Unreadable('an archive without the package.json of a package');
    return archive.read(entry, maxManifest);
  } catch (error) {
    if (error instanceof ZipError) throw new Unreadable(error.message);
    throw error;
  }
}

function toPackage({ path, layer, fact }: Found<Fact>): readonly Package[] {
  if (fact.kind === 'script') return [];
  const { name, version } = fact.manifest;
  return [
    {
      ...manifestFields(fact.manifest),
      key: path,
      purl: npmPurl(name, version),
      name,
      version,
      places: [{ path, layer }],
      technique: 'manifest-analysis',
      confidence: 1,
    },
  ];
}
