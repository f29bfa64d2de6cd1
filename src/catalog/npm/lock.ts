/**
 * package-lock.json and npm-shrinkwrap.json: what a project declares to need, to the last version and digest. The project
 * itself is not among them, its workspaces are. Where both files lie in one directory npm reads the shrinkwrap, and so do
 * we. Those inside node_modules belong to somebody else's project.
 */
import type { AssembleContext, Cataloger, Found, Package } from '../types.ts';
import { Unreadable } from '../types.ts';
import { asObject, parseJsonObject } from './json.ts';
import { parseLockEntries } from './lock-entries.ts';
import { type LockedPackage, type LockGraph, lockGraph } from './lock-graph.ts';
import { npmPurl } from './names.ts';
import { parseSource, publicUrl, sourceQualifiers } from './source.ts';

const maxLock = 64 * 2 ** 20;
const maxManifest = 16 * 2 ** 20;

export const npmLock: Cataloger<LockGraph> = {
  id: 'npm/package-lock',
  kind: 'declared',
  maxBytes: () => maxLock,
  wants: ({ path }) =>
    /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$/.test(path) && !/(?:^|\/)node_modules\//.test(path),
  read: (file, gap) => lockGraph(parseLockEntries(parseJsonObject(file.bytes, maxLock), gap)),
  assemble: async (found, context) => {
    const shrinkwraps = new Set(
      found.filter(({ path }) => /(?:^|\/)npm-shrinkwrap\.json$/.test(path)).map(directoryOf),
    );
    const perLock: Array<readonly Package[]> = [];
    for (const lock of found) {
      if (lock.path.endsWith('package-lock.json') && shrinkwraps.has(directoryOf(lock))) continue;
      const direct = lock.fact.statesDirect ? undefined : await directNames(directoryOf(lock), context);
      perLock.push(toPackages(lock, direct ?? new Set()));
    }
    return perLock.flat();
  },
};

function directoryOf({ path }: { readonly path: string }): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** Format 1 leaves it to the package.json beside to say which packages the project itself asks for. */
async function directNames(directory: string, context: AssembleContext): Promise<ReadonlySet<string>> {
  const path = `${directory}package.json`;
  if (context.tree.resolve(path) === undefined) return new Set();
  try {
    const json = parseJsonObject(await context.tree.read(path, maxManifest), maxManifest);
    const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
    return new Set(fields.flatMap((field) => Object.keys(asObject(json[field]) ?? {})));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    context.gap(path, error.message);
    return new Set();
  }
}

function toPackages({ path, layer, fact }: Found<LockGraph>, directNames: ReadonlySet<string>): readonly Package[] {
  const direct = new Set([...directNames].map((name) => fact.top.get(name)));
  const keys = new Map(fact.packages.map((locked) => [locked, keyOf(path, locked)]));
  return fact.packages.map((locked): Package => {
    const { name, version, resolved, scope } = locked;
    const source = resolved === undefined ? undefined : parseSource(resolved);
    const isFromRegistry = version !== undefined && !locked.byAddress;
    const properties = {
      ...(locked.bundled && { 'npm:bundled': 'true' }),
      ...((locked.direct || direct.has(locked)) && { 'npm:direct': 'true' }),
      ...(source?.kind === 'file' && { 'npm:resolved': publicUrl(source.path) }),
    };
    return {
      key: keyOf(path, locked),
      purl: npmPurl(name, version, source && sourceQualifiers(source, isFromRegistry)),
      name,
      ...(version !== undefined && { version }),
      ...(scope !== undefined && { scope }),
      ...(locked.licenses.length > 0 && { licenses: locked.licenses }),
      ...(locked.hashes.length > 0 && { hashes: locked.hashes }),
      ...(source?.kind === 'git' && { vcs: source.repository }),
      ...(source?.kind === 'archive' && { distribution: source.url }),
      places: [{ path, layer }],
      ...(fact.statesRequires && { requires: [...locked.requires].map((each) => keys.get(each) ?? keyOf(path, each)) }),
      ...(fact.statesRequires && locked.incomplete && { requiresIncomplete: true }),
      technique: 'manifest-analysis',
      confidence: 1,
      ...(Object.keys(properties).length > 0 && { properties }),
    };
  });
}

function keyOf(path: string, { name, version, resolved }: LockedPackage): string {
  return JSON.stringify([path, name, version, resolved]);
}
