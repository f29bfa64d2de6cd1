/**
 * Which packages tidewaiter and its peers see in the benchmark's images: sets of purl type, namespace, name and version.
 * Nobody is taken to be right: every difference is printed, to be judged by a person.
 *
 *   node bench/compare.ts [--images NAME,NAME] [--layout DIR]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchImage, imageNames, prepareImages } from './images.ts';
import { readManifest, writeDockerArchive } from './layout.ts';
import type { Candidate } from './measure.ts';
import { peer, peerNames, tidewaiter } from './programs.ts';
import { alignRows } from './rows.ts';

/** Purl type -> `namespace/name@version`. */
type Inventory = ReadonlyMap<string, ReadonlySet<string>>;

async function main(): Promise<void> {
  const options = { images: { type: 'string', default: 'debian,mixed' }, layout: { type: 'string' } } as const;
  const { values } = parseArgs({ options });
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-compare-'));
  try {
    const images = values.layout === undefined ? await chosenImages(values.images) : [oneImage(values.layout, folder)];
    for (const image of images) compare(image, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function chosenImages(list: string): Promise<readonly BenchImage[]> {
  const names = imageNames.filter((name) => list.split(',').includes(name));
  const { images, skipped } = await prepareImages(names, console.log);
  for (const { name, reason } of skipped) console.log(`left out: the image ${name}, ${reason}`);
  return images;
}

function oneImage(layout: string, folder: string): BenchImage {
  const dockerArchive = path.join(folder, 'image.tar');
  writeDockerArchive(layout, dockerArchive);
  return { name: layout, layout, dockerArchive, layers: readManifest(layout).layers.length, storedBytes: 0 };
}

function compare(image: BenchImage, folder: string): void {
  console.log(`\n${image.name}`);
  const own = inventoryBy(tidewaiter(image, `${folder}/tidewaiter.json`), `${folder}/tidewaiter.json`);
  const others = peerNames.flatMap((name) => {
    const output = `${folder}/${name}.json`;
    const candidate = peer(name, image, output);
    if (candidate === undefined) console.log(`  left out: ${name} is not installed`);
    return candidate === undefined ? [] : [{ name, inventory: inventoryBy(candidate, output) }];
  });
  const all = [{ name: 'tidewaiter', inventory: own }, ...others];
  const types = [...new Set(all.flatMap(({ inventory }) => [...inventory.keys()]))].sort();
  const rows = types.map((type) => [type, ...all.map(({ inventory }) => String(inventory.get(type)?.size ?? 0))]);
  console.log(alignRows([['', ...all.map(({ name }) => name)], ...rows]));
  for (const { name, inventory } of others) {
    for (const type of types) {
      printDifference(`${type}: only tidewaiter, not ${name}`, own.get(type), inventory.get(type));
      printDifference(`${type}: only ${name}, not tidewaiter`, inventory.get(type), own.get(type));
    }
  }
}

const none: ReadonlySet<string> = new Set();

function printDifference(title: string, from: ReadonlySet<string> = none, without: ReadonlySet<string> = none): void {
  const only = [...from].filter((each) => !without.has(each)).sort();
  if (only.length === 0) return;
  console.log(`\n  ${title} (${only.length})`);
  for (const each of only) console.log(`    ${each}`);
}

function inventoryBy({ name, command, env }: Candidate, output: string): Inventory {
  const [program, ...args] = command;
  const { error, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  if (!existsSync(output)) throw new Error(`${name} wrote nothing: ${stderr.trim().split('\n').at(-1)}`);
  return purlsOf(readFileSync(output, 'utf8'));
}

interface Component {
  readonly purl?: string;
  readonly components?: readonly Component[];
}

function purlsOf(text: string): Inventory {
  const found = new Map<string, Set<string>>();
  const pending = [...((JSON.parse(text) as Component).components ?? [])];
  for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
    pending.push(...(component.components ?? []));
    const match = /^pkg:([^/]+)\/([^?#]+)/.exec(component.purl ?? '');
    if (match === null) continue;
    const [, type, rest] = match as unknown as [string, string, string];
    found.set(type, (found.get(type) ?? new Set()).add(decodeURIComponent(rest)));
  }
  return found;
}

await main();
