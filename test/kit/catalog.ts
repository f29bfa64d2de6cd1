import type { Cataloger, Distro, Found, Package, TreeView } from '../../src/catalog/types.ts';
import { Unreadable } from '../../src/catalog/types.ts';

export interface Gap {
  readonly path: string;
  readonly reason: string;
}

export interface CatalogedFiles {
  readonly packages: readonly Package[];
  readonly gaps: readonly Gap[];
}

export interface FakeFile {
  readonly bytes: Buffer;
  readonly mode?: number;
}

/** Runs one cataloger over files in memory, the way the core does over a merged tree without links. */
export async function catalogFiles(
  cataloger: Cataloger,
  files: Readonly<Record<string, Buffer | string | FakeFile>>,
  distro?: Distro,
): Promise<CatalogedFiles> {
  const gaps: Gap[] = [];
  const contents = new Map(
    Object.entries(files).map(([path, file]): [string, FakeFile] => {
      if (typeof file === 'string') return [path, { bytes: Buffer.from(file) }];
      return [path, Buffer.isBuffer(file) ? { bytes: file } : file];
    }),
  );
  const found: Found<unknown>[] = [];
  for (const [path, { bytes, mode }] of contents) {
    const file = { path, size: bytes.length, mode: mode ?? 0o644, head: bytes.subarray(0, 512), bytes };
    if (!cataloger.wants(file)) continue;
    if (cataloger.needles?.some((needle) => bytes.includes(needle)) === false) continue;
    try {
      const fact = cataloger.read(file, (reason) => gaps.push({ path, reason }));
      if (fact !== undefined) found.push({ path, layer: 0, size: bytes.length, fact });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gaps.push({ path, reason: error.message });
    }
  }
  const packages = await cataloger.assemble(found, {
    tree: flatTree(contents),
    distro,
    gap: (path, reason) => gaps.push({ path, reason }),
  });
  return { packages, gaps };
}

function flatTree(contents: ReadonlyMap<string, FakeFile>): TreeView {
  const directories = new Map<string, Set<string>>([['', new Set()]]);
  for (const path of contents.keys()) {
    const segments = path.split('/');
    for (let depth = 0; depth < segments.length; depth++) {
      const parent = segments.slice(0, depth).join('/');
      const names = directories.get(parent) ?? new Set<string>();
      directories.set(parent, names.add(segments[depth]!));
    }
  }
  return {
    resolve: (path) => (contents.has(path) || directories.has(path) ? path : undefined),
    list: (path) => [...(directories.get(path) ?? [])].sort(),
    read: async (path, maxBytes) => {
      const bytes = contents.get(path)?.bytes;
      if (bytes === undefined) throw new Unreadable('no such file');
      if (bytes.length > maxBytes) throw new Unreadable(`larger than ${maxBytes} bytes`);
      return bytes;
    },
  };
}
