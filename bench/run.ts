/**
 * The benchmark: tidewaiter beside the floor and beside its peers, in one run on one machine. Only the ratios mean
 * anything elsewhere.
 *
 *   node bench/run.ts [--runs N] [--only start-up,verify,change,scan] [--images NAME,NAME] [--no-peers] [--check]
 *
 * `--check` ends with 1 when a goal is missed or could not be measured. README.md says how each number comes about.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { changeCommits, changeGoals, measureChange } from './change.ts';
import { type BenchImage, type ImageName, imageNames, prepareImages } from './images.ts';
import { type Candidate, type Failed, hasGnuTime, type Measured, measureInTurn } from './measure.ts';
import { floor, peer, peerNames, program, tidewaiter } from './programs.ts';
import { alignRows, inMegabytes, inMilliseconds } from './rows.ts';
import { compareTarReaders } from './tar.ts';
import { measureVerify, verifyGoals } from './verify.ts';

/** DESIGN: wall time as a ratio, memory in bytes. */
const goals = { cold: 1.2, startUp: 1.5, peak: 250e6, growth: 32e6 };
/** A start takes milliseconds: many are needed before the median stands still. */
const startUpRuns = 25;

interface Goal {
  readonly name: string;
  /** Undefined when it could not be measured. */
  readonly value: number | undefined;
  readonly limit: number;
  /** The value may not be below the limit; otherwise it may not be above. */
  readonly isLeast?: true;
  readonly show: (value: number) => string;
}

const parts = ['start-up', 'verify', 'change', 'scan'] as const;
type Part = (typeof parts)[number];

const asRatio = (value: number) => value.toFixed(2);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: parts.join(',') },
      images: { type: 'string', default: imageNames.join(',') },
      'no-peers': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs} is not a whole number above 0`);
  if (!existsSync(program)) throw new Error('dist is not built: run "npm run build"');
  print(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.versions.node}`);
  if (!hasGnuTime) print('GNU time is not installed: no processor time and no memory, wall time only');
  const only = chosenParts(values.only);
  const scanned = only.includes('scan') ? chosenImages(values.images) : [];
  const { images, skipped } = await prepareImages(scanned, print);
  const met = [
    ...(only.includes('start-up') ? [startUp()] : []),
    ...(only.includes('verify') ? verifications() : []),
    ...(only.includes('change') ? changes(runs) : []),
    ...scans(images, runs, !values['no-peers']),
  ];
  await tarReaders(images);
  for (const { name, reason } of skipped) print(`\nleft out: the image ${name}, ${reason}`);
  const missed = judge(met);
  if (values.check && (missed || skipped.length > 0)) process.exitCode = 1;
}

function chosenParts(list: string): readonly Part[] {
  return list.split(',').map((name) => {
    const known = parts.find((each) => each === name);
    if (known === undefined) throw new Error(`--only: there is no part ${name}, only ${parts.join(', ')}`);
    return known;
  });
}

function chosenImages(list: string): readonly ImageName[] {
  return list.split(',').map((name) => {
    const known = imageNames.find((each) => each === name);
    if (known === undefined) throw new Error(`--images: there is no image ${name}, only ${imageNames.join(', ')}`);
    return known;
  });
}

function startUp(): Goal {
  print(`\nstart-up, ${startUpRuns} runs`);
  const bare: Candidate = { name: 'node -e 0', command: [process.execPath, '-e', '0'] };
  const own: Candidate = { name: 'tidewaiter --version', command: [process.execPath, program, '--version'] };
  const results = measureInTurn([bare, own], startUpRuns, false);
  printResults(results);
  return { name: 'start-up', value: ratio(results, 1), limit: goals.startUp, show: asRatio };
}

/** So many that what a process costs by itself does not show. */
const bundles = 1000;

function verifications(): readonly Goal[] {
  const { cold, rate } = measureVerify(startUpRuns, bundles, print);
  const perSecond = (value: number) => `${value.toFixed(0)}/s`;
  return [
    { name: 'verify one bundle', value: cold, limit: verifyGoals.cold, show: asRatio },
    { name: 'verify --bundles', value: rate, limit: verifyGoals.rate, isLeast: true, show: perSecond },
  ];
}

function changes(runs: number): readonly Goal[] {
  const { time, peak, growth } = measureChange(runs, changeCommits, print);
  return [
    { name: 'change: time to git', value: time, limit: changeGoals.time, show: asRatio },
    { name: 'change: peak memory', value: peak, limit: changeGoals.peak, show: inMegabytes },
    { name: 'change: peak memory over a tenth of it', value: growth, limit: changeGoals.growth, show: inMegabytes },
  ];
}

/** The first result of every image is the floor, the second tidewaiter. */
function scans(images: readonly BenchImage[], runs: number, withPeers: boolean): readonly Goal[] {
  const peaks = new Map<string, number | undefined>();
  const met = images.flatMap((image): Goal[] => {
    const { name, layers, storedBytes } = image;
    print(`\n${name}: ${layers} layer${layers === 1 ? '' : 's'}, ${inMegabytes(storedBytes)} stored, ${runs} runs`);
    const results = measureImage(image, runs, withPeers);
    printResults(results);
    const own = results[1]!;
    const peak = 'failure' in own ? undefined : own.peak;
    peaks.set(name, peak);
    return [
      { name: `${name}: time to floor`, value: ratio(results, 1), limit: goals.cold, show: asRatio },
      { name: `${name}: peak memory`, value: peak, limit: goals.peak, show: inMegabytes },
    ];
  });
  const [large, mixed] = [peaks.get('large'), peaks.get('mixed')];
  if (!peaks.has('large') || !peaks.has('mixed')) return met;
  const growth = large === undefined || mixed === undefined ? undefined : large - mixed;
  return [...met, { name: 'large over mixed: peak memory', value: growth, limit: goals.growth, show: inMegabytes }];
}

function measureImage(image: BenchImage, runs: number, withPeers: boolean): ReadonlyArray<Measured | Failed> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-bench-'));
  try {
    const peers = (withPeers ? peerNames : []).flatMap((name) => {
      const found = peer(name, image, `${folder}/${name}.json`);
      if (found === undefined) print(`  left out: ${name} is not installed`);
      return found ?? [];
    });
    return measureInTurn([floor(image), tidewaiter(image, `${folder}/tidewaiter.json`), ...peers], runs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printResults(results: ReadonlyArray<Measured | Failed>): void {
  const rows = results.flatMap((each, at) => {
    if ('failure' in each) return [];
    const { name, wall, spread, cpu, peak } = each;
    const row = [name, inMilliseconds(wall), spread.map(inMilliseconds).join(' … ')];
    if (cpu !== undefined && peak !== undefined) row.push(inMilliseconds(cpu), inMegabytes(peak));
    return [[...row, asRatio(ratio(results, at) ?? Number.NaN)]];
  });
  const inside = results.some((each) => 'peak' in each) ? ['CPU', 'peak memory'] : [];
  print(alignRows([['', 'wall', 'least … greatest', ...inside, `to ${results[0]!.name}`], ...rows]));
  for (const each of results) if ('failure' in each) print(`  ${each.name} failed: ${each.failure}`);
}

function ratio(results: ReadonlyArray<Measured | Failed>, at: number): number | undefined {
  const [first, own] = [results[0]!, results[at]!];
  return 'failure' in first || 'failure' in own ? undefined : own.wall / first.wall;
}

async function tarReaders(images: readonly BenchImage[]): Promise<void> {
  const image = images.find((each) => each.name === 'debian') ?? images[0];
  if (image === undefined) return;
  print(`\ntar readers over the first layer of ${image.name}, in memory`);
  print(await compareTarReaders(image.layout));
}

/** Says which goals are met; true when one is not. */
function judge(met: readonly Goal[]): boolean {
  const verdict = ({ value, limit, isLeast }: Goal) => {
    if (value === undefined) return 'not measured';
    return (isLeast ? value >= limit : value <= limit) ? 'met' : 'MISSED';
  };
  const rows = met.map((goal) => {
    const { name, value, limit, isLeast, show } = goal;
    const bound = `at ${isLeast ? 'least' : 'most'} ${show(limit)}`;
    return [name, value === undefined ? '-' : show(value), bound, verdict(goal)];
  });
  print('\ngoals');
  print(alignRows(rows));
  return met.some((goal) => verdict(goal) !== 'met');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
