/**
 * The images that the benchmark reads. What is missing is built into TIDEWAITER_BENCH_IMAGES (default: bench/out/images),
 * which takes a quarter of an hour and 6 GB; what cannot be built for want of a tool is left out by name.
 *
 *   debian   one gzip layer, about 130 MB stored: what a slim base image looks like
 *   mixed    five gzip layers, about 520 MB stored: the same, with npm, Python, Java and Go packages on top
 *   large    mixed with three layers of data that hold no package, about 1.3 GB stored
 *   …-zstd   the same images, packed anew with zstd by skopeo
 *
 * `node bench/images.ts` builds them without measuring anything.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { type LayerRecipe, layerRecipes, onPath, tarOf } from './layers.ts';
import type { Layer } from './layout.ts';
import { packLayer, readManifest, writeDockerArchive, writeLayout } from './layout.ts';

export interface BenchImage {
  readonly name: string;
  /** An OCI layout with one image in it. */
  readonly layout: string;
  /** The same image for tools that read nothing else. */
  readonly dockerArchive: string;
  readonly layers: number;
  readonly storedBytes: number;
}

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export const imageNames = ['debian', 'debian-zstd', 'mixed', 'mixed-zstd', 'large'] as const;
export type ImageName = (typeof imageNames)[number];

const data = ['data-random', 'data-text', 'data-small-files'];
const layersOf: Readonly<Record<string, readonly string[]>> = {
  debian: ['debian'],
  mixed: ['debian', 'npm', 'python', 'java', 'go'],
  large: ['debian', 'npm', 'python', 'java', 'go', ...data],
};

const cache = process.env['TIDEWAITER_BENCH_IMAGES'] || fileURLToPath(new URL('out/images', import.meta.url));

/** Builds what is missing; `say` is told what is being built. */
export async function prepareImages(
  names: readonly ImageName[],
  say: (line: string) => void,
): Promise<{ images: readonly BenchImage[]; skipped: readonly Skipped[] }> {
  mkdirSync(`${cache}/layers`, { recursive: true });
  const images: BenchImage[] = [];
  const skipped: Skipped[] = [];
  for (const name of names) {
    try {
      images.push(await prepareImage(name, say));
    } catch (error) {
      skipped.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { images, skipped };
}

async function prepareImage(name: ImageName, say: (line: string) => void): Promise<BenchImage> {
  const layout = `${cache}/${name}`;
  if (!existsSync(layout)) {
    if (name.endsWith('-zstd')) await repack(name, layout, say);
    else writeLayout(layout, await prepareLayers(layersOf[name]!, say));
  }
  const dockerArchive = `${layout}.tar`;
  if (!existsSync(dockerArchive)) writeDockerArchive(layout, dockerArchive);
  const { layers } = readManifest(layout);
  const storedBytes = layers.reduce((sum, layer) => sum + layer.size, 0);
  return { name, layout, dockerArchive, layers: layers.length, storedBytes };
}

async function repack(name: ImageName, layout: string, say: (line: string) => void): Promise<void> {
  if (!onPath('skopeo')) throw new Error('skopeo is not installed');
  const plain = await prepareImage(name.replace('-zstd', '') as ImageName, say);
  say(`packing ${name}`);
  const partial = `${layout}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const flags = ['--insecure-policy', 'copy', '--quiet', '--dest-compress-format', 'zstd'];
  run('skopeo', [...flags, `oci:${plain.layout}`, `oci:${partial}`], cache);
  renameSync(partial, layout);
}

async function prepareLayers(names: readonly string[], say: (line: string) => void): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  for (const name of names) layers.push(await prepareLayer(name, layerRecipes[name]!, say));
  return layers;
}

async function prepareLayer(name: string, recipe: LayerRecipe, say: (line: string) => void): Promise<Layer> {
  const file = `${cache}/layers/${name}.tar.gz`;
  const note = `${cache}/layers/${name}.json`;
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Layer;
  const missing = recipe.tools.filter((tool) => !onPath(tool));
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} not installed`);
  say(`building the layer ${name}`);
  const staging = path.join(cache, 'staging', name);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(`${staging}/root`, { recursive: true });
  await recipe.fill(staging, run);
  const layer = await packLayer(name, tarOf(staging), file, recipe.level);
  writeFileSync(note, JSON.stringify(layer));
  rmSync(staging, { recursive: true, force: true });
  return layer;
}

/** A tool, politely: others may be at work on this machine. */
function run(tool: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): void {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 } as const;
  const { status, error, stdout, stderr } = spawnSync('nice', ['-n', '15', tool, ...args], options);
  if (error !== undefined) throw error;
  if (status === 0) return;
  // Some tools complain on standard output, and most say the worst first.
  const lines = stripVTControlCharacters(`${stderr}\n${stdout}`).split('\n');
  const said = lines.find((line) => /error|failed|fatal/i.test(line)) ?? lines.findLast((line) => line.trim() !== '');
  throw new Error(`${tool} ended with ${status}: ${said?.trim() ?? 'it said nothing'}`);
}

if (import.meta.main) {
  const { images, skipped } = await prepareImages(imageNames, (line) => console.log(line));
  for (const { name, layers, storedBytes } of images) console.log(`${name}: ${layers} layers, ${storedBytes} bytes`);
  for (const { name, reason } of skipped) console.log(`${name}: left out, ${reason}`);
}
