/**
 * `tidewaiter change` over a long range, beside what git itself needs to list its objects and to compare its trees:
 *
 *   node bench/change.ts [--runs N] [--commits N] [--check]
 *
 * The floor is `git rev-list --objects` and `git log --raw` over the same range, one after the other. It reads every commit
 * and tree, hashes nothing and judges nothing. `--check` ends with 1 when a goal is missed or could not be measured.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BenchRepository, makeBenchRepository } from './change-repository.ts';
import { type Candidate, type Failed, type Measured, measureInTurn } from './measure.ts';
import { program } from './programs.ts';
import { alignRows, inMegabytes, inMilliseconds } from './rows.ts';

/** Wall time as a ratio to the floor; memory in bytes, `growth` from a tenth of the commits to all of them. */
export const changeGoals = { time: 4, peak: 200e6, growth: 100e6 };

export const changeCommits = 10_000;

export interface ChangeResult {
  readonly time: number | undefined;
  readonly peak: number | undefined;
  readonly growth: number | undefined;
}

export function measureChange(runs: number, commits: number, print: (text: string) => void): ChangeResult {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-bench-'));
  try {
    const repository = makeBenchRepository(folder, commits);
    const [short, long] = repository.heads;
    const output = path.join(folder, 'change.json');
    print(`\nchange: ${commits} commits, ${runs} runs`);
    const results = measureInTurn(
      [
        floor(repository, long),
        own(repository, long, output),
        floor(repository, short),
        own(repository, short, output),
      ],
      runs,
    );
    print(table(results));
    const [git, all, , few] = results as [Measured, Measured, Measured, Measured];
    const peak = (of: Measured | Failed) => ('failure' in of ? undefined : of.peak);
    const [most, least] = [peak(all), peak(few)];
    return {
      time: ratio(all, git),
      peak: most,
      growth: most === undefined || least === undefined ? undefined : most - least,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function floor({ path: repository, base }: BenchRepository, head: string): Candidate {
  const range = `${base}..${head}`;
  const script = 'git -C "$0" rev-list --objects "$1" >/dev/null && git -C "$0" log --raw "$1" >/dev/null';
  return { name: `git, ${head}`, command: ['sh', '-c', script, repository, range] };
}

/** The range lacks its provenance, which takes as long to find out as anything: it ends with 1 and has written its result. */
function own({ path: repository, base }: BenchRepository, head: string, output: string): Candidate {
  const args = ['change', `${base}..${head}`, '--repository', repository, '-o', `json=${output}`];
  return { name: `tidewaiter, ${head}`, command: [process.execPath, program, ...args], output };
}

function ratio(one: Measured | Failed, to: Measured | Failed): number | undefined {
  return 'failure' in one || 'failure' in to ? undefined : one.wall / to.wall;
}

function table(results: ReadonlyArray<Measured | Failed>): string {
  const rows = results.flatMap((each, at) => {
    if ('failure' in each) return [];
    const { name, wall, spread, cpu, peak } = each;
    const git = results[at - (at % 2)]!;
    const cpuRatio = 'failure' in git || git.cpu === undefined || cpu === undefined ? undefined : cpu / git.cpu;
    return [
      [
        name,
        inMilliseconds(wall),
        spread.map(inMilliseconds).join(' … '),
        cpu === undefined ? '-' : inMilliseconds(cpu),
        peak === undefined ? '-' : inMegabytes(peak),
        show(ratio(each, git)),
        show(cpuRatio),
      ],
    ];
  });
  const failed = results.flatMap((each) => ('failure' in each ? [`  ${each.name} failed: ${each.failure}`] : []));
  const head = ['', 'wall', 'least … greatest', 'CPU', 'peak memory', 'wall to git', 'CPU to git'];
  return [alignRows([head, ...rows]), ...failed].join('\n');
}

function show(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      commits: { type: 'string', default: String(changeCommits) },
      check: { type: 'boolean', default: false },
    },
  });
  if (!existsSync(program)) throw new Error('dist is not built: run "npm run build"');
  const { time, peak, growth } = measureChange(Number(values.runs), Number(values.commits), console.log);
  const met = [
    [time, changeGoals.time],
    [peak, changeGoals.peak],
    [growth, changeGoals.growth],
  ].every(([value, limit]) => value !== undefined && value <= limit!);
  console.log(
    `\ngoals: time at most ${changeGoals.time} of git's (${show(time)}), peak ${inMegabytes(changeGoals.peak)} (${peak === undefined ? '-' : inMegabytes(peak)}), growth ${inMegabytes(changeGoals.growth)} (${growth === undefined ? '-' : inMegabytes(growth)})`,
  );
  if (values.check && !met) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
