/** The scan: open the target, read it once, build the inventory, write it in every form that was asked for. */
import path from 'node:path';
import type { Limits } from '../archive/index.ts';
import { buildInventory } from '../bom/inventory.ts';
import type { DocumentInfo, Inventory } from '../bom/types.ts';
import { catalogSource, readsPackages } from '../catalog/index.ts';
import { Exit, type ExitCode, OperationalError, plural, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Matcher } from '../pattern/index.ts';
import type { Listener } from '../report/events.ts';
import { formatPlatform, openSources, type PlatformChoice, type Source } from '../sources/index.ts';
import { formatInventory, type OutputSpec, type TableLook } from './formats.ts';
import { alsoInput, guardOutputs } from './guarded-disk.ts';

export interface ScanOptions {
  readonly target: string;
  readonly platform: PlatformChoice;
  readonly limits: Limits;
  readonly everything: boolean;
  readonly exclude: readonly Matcher[];
  /** Gaps in coverage make the result undecided. */
  readonly strict: boolean;
  readonly outputs: readonly OutputSpec[];
  readonly info: DocumentInfo;
  readonly look: TableLook;
}

export async function scan(options: ScanOptions, outside: World, listener: Listener): Promise<ExitCode> {
  const files = options.outputs.map(({ file }) => file);
  const world = guardOutputs(outside, files, { startsAreFree: true });
  const inventories = await readInventories(options, world, listener);
  for (const inventory of inventories) refuseCounted(inventory, files, world);
  for (const inventory of inventories) tell(inventory, options, listener);
  await writeAll(inventories, options, world);
  const gaps = inventories.reduce((sum, { coverage }) => sum + coverage.gaps.length, 0);
  if (gaps === 0 || !options.strict) return Exit.pass;
  throw new OperationalError('incomplete', `${plural(gaps, 'gap')} in coverage, and --strict allows none`, {
    hints: ['see the gaps in the output, and leave out what is not yours to judge with --exclude'],
  });
}

/** A source tree without any lockfile is read once more for what is installed in it: silence would be a wrong answer. */
async function readInventories(options: ScanOptions, world: World, listener: Listener): Promise<readonly Inventory[]> {
  try {
    const inventories = await readTarget(options, world, listener);
    if (options.everything || !inventories.every(declaresNothing)) return inventories;
    const all = await readTarget({ ...options, everything: true }, world, listener);
    if (all.some(({ components }) => components.length > 0)) {
      listener.on({ type: 'note', text: 'no lockfile was found here, so what is installed was counted instead' });
    }
    return all;
  } finally {
    // Failed or not: a line of progress must not be left where the error will stand.
    listener.on({ type: 'finished' });
  }
}

function declaresNothing({ subject, components, coverage }: Inventory): boolean {
  const read = coverage.catalogers.some(({ cataloger, files }) => files > 0 && readsPackages(cataloger));
  return subject.kind === 'source' && components.length === 0 && !read;
}

async function readTarget(options: ScanOptions, world: World, listener: Listener): Promise<readonly Inventory[]> {
  const sources = await openSources(options.target, {
    disk: world.disk,
    limits: options.limits,
    platform: options.platform,
    everything: options.everything,
    parallel: world.cores,
    progress: (index, bytes, totalBytes) => listener.on({ type: 'layer-progress', index, bytes, totalBytes }),
  });
  try {
    if (sources.length > 1) refuseJoined(options.outputs);
    const inventories: Inventory[] = [];
    for (const source of sources) inventories.push(await inventoryOf(source, options, listener));
    return inventories;
  } finally {
    for (const source of sources) await source.close();
  }
}

/** Two documents one after the other on standard output are no document: no program could read them. */
function refuseJoined(outputs: readonly OutputSpec[]): void {
  const joined = outputs.find(({ format, file }) => file === undefined && format !== 'table' && format !== 'purls');
  if (joined === undefined) return;
  throw new OperationalError('usage', `several platforms make several ${joined.format} documents`, {
    hints: [`give them a file: -o ${joined.format}=bom.json writes bom.linux-amd64.json and so on`],
  });
}

async function inventoryOf(source: Source, options: ScanOptions, listener: Listener): Promise<Inventory> {
  const { layers, storedBytes: bytes } = source.extent;
  listener.on({ type: 'source-opened', requested: options.target, layers, ...(layers === 0 ? {} : { bytes }) });
  const result = await catalogSource(source, options);
  for (const layer of result.layers) listener.on({ type: 'layer-finished', index: layer.index, cached: false });
  const inventory = buildInventory(source, result);
  if (source.subject.kind === 'file') refuseUnread(inventory);
  return inventory;
}

/** A small file of a directory is read at its start alone: whether it counted is told by what was found in it. */
function refuseCounted({ subject, components }: Inventory, files: readonly (string | undefined)[], { disk }: World) {
  if (subject.kind !== 'source' && subject.kind !== 'rootfs') return;
  const root = subject.requested.replace(/^dir:/, '');
  const places = new Set(
    components.flatMap(({ sightings }) => sightings.flatMap((each) => each.places.map((place) => place.path))),
  );
  for (const file of files) {
    const identity = file === undefined ? undefined : disk.identityOf(file);
    if (file === undefined || identity === undefined) continue;
    const counted = [...places].find((each) => disk.identityOf(path.join(root, each)) === identity);
    if (counted !== undefined) throw alsoInput(file, path.join(root, counted));
  }
}

/** A single file that says nothing is no empty inventory: the user asked about this file. */
function refuseUnread({ subject, coverage, components }: Inventory): void {
  const [gap] = coverage.gaps;
  if (components.length > 0) return;
  if (gap !== undefined)
    throw new OperationalError('malformed', `${quoted(subject.name)} cannot be read: ${gap.reason}`);
  if (coverage.catalogers.some(({ files }) => files > 0)) return;
  throw new OperationalError('unsupported', `nothing in ${quoted(subject.name)} is recognised`, {
    hints: [
      'files are recognised by their names, the directories they lie in, and their first bytes: keep those of the package manager',
    ],
  });
}

/** What people must not miss, whatever the format and wherever it goes. */
function tell(inventory: Inventory, options: ScanOptions, listener: Listener): void {
  const { coverage, components } = inventory;
  listener.on({ type: 'catalogued', packages: components.length });
  const unused = coverage.excluded === 0 && options.exclude.length > 0;
  if (unused) listener.on({ type: 'note', text: 'no file matched --exclude' });
  const inTable = options.outputs.some((each) => each.format === 'table' && each.file === undefined);
  if (components.length === 0)
    listener.on({
      type: 'note',
      text: `no packages were found in ${plural(coverage.files, 'file')}`,
    });
  if (inTable) return;
  for (const gap of coverage.gaps) listener.on({ type: 'gap', gap });
}

async function writeAll(inventories: readonly Inventory[], options: ScanOptions, world: World): Promise<void> {
  const names = platformNames(inventories);
  for (const [at, inventory] of inventories.entries()) {
    for (const spec of options.outputs) {
      const text = await formatInventory(inventory, options.info, spec, options.look);
      if (spec.file === undefined) await world.stdout.write(text);
      else await world.disk.write(inventories.length === 1 ? spec.file : fileFor(spec.file, names[at]!), text);
    }
  }
}

/** One name for each inventory, no two the same: an index may hold several images for one platform. */
function platformNames(inventories: readonly Inventory[]): readonly string[] {
  const plain = inventories.map(({ subject }) =>
    subject.platform === undefined ? 'unknown' : formatPlatform(subject.platform),
  );
  return plain.map((name, at) => {
    const { manifest, config } = inventories[at]!.subject;
    return plain.indexOf(name) === plain.lastIndexOf(name) ? name : `${name}-${manifest ?? config ?? at}`;
  });
}

/** One document for each platform: `bom.json` becomes `bom.linux-arm64.json` when there are several. */
function fileFor(file: string, name: string): string {
  const { dir, name: base, ext } = path.parse(file);
  return path.join(dir, `${base}.${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}${ext}`);
}
