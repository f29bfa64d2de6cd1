/**
 * What a program costs, measured from outside: wall time by the monotonic clock, processor time and peak memory by GNU
 * time, which asks the kernel when the program has ended. Without GNU time there is wall time only.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Candidate {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it writes its result: a run that says it failed in part (1) counts when it has written it all the same. */
  readonly output?: string;
}

export interface Cost {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds in the program and in the kernel for it, over all its threads. */
  readonly cpu?: number;
  /** Bytes that were resident at most. */
  readonly peak?: number;
}

/** Medians over the runs; `spread` is the least and the greatest wall time. */
export interface Measured extends Cost {
  readonly name: string;
  readonly spread: readonly [least: number, greatest: number];
}

export interface Failed {
  readonly name: string;
  readonly failure: string;
}

const gnuTime = '/usr/bin/time';
export const hasGnuTime = spawnSync(gnuTime, ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU') === true;

const patience = 15 * 60 * 1000;

/**
 * Every candidate once unmeasured, so that all find their input in the page cache, then `runs` rounds in turn: what else
 * happens on the machine meets all of them alike. One that fails is out, and the others go on.
 */
export function measureInTurn(candidates: readonly Candidate[], runs: number, inside = true): Array<Measured | Failed> {
  const costs = new Map<Candidate, Cost[]>();
  const failures = new Map<Candidate, string>();
  for (let round = -1; round < runs; round++) {
    for (const candidate of candidates) {
      if (failures.has(candidate)) continue;
      try {
        const cost = measure(candidate, inside);
        if (round >= 0) costs.set(candidate, [...(costs.get(candidate) ?? []), cost]);
      } catch (error) {
        failures.set(candidate, error instanceof Error ? error.message : String(error));
      }
    }
  }
  return candidates.map((candidate) => {
    const failure = failures.get(candidate);
    if (failure !== undefined) return { name: candidate.name, failure };
    return { name: candidate.name, ...summary(costs.get(candidate) ?? []) };
  });
}

/** One run. With `inside` also what GNU time knows, at the price of starting it. Throws when the program fails. */
function measure({ command, env, output }: Candidate, inside: boolean): Cost {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-bench-'));
  const report = path.join(folder, 'time');
  const [program, ...args] =
    inside && hasGnuTime ? [gnuTime, '--quiet', '-o', report, '-f', '%U %S %M', ...command] : command;
  if (output !== undefined) rmSync(output, { force: true });
  try {
    const start = process.hrtime.bigint();
    const child = spawnSync(program!, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: patience,
      maxBuffer: 64 * 1024 * 1024,
    });
    const wall = Number(process.hrtime.bigint() - start) / 1e6;
    if (child.error !== undefined) throw child.error;
    const inPart = child.status === 1 && output !== undefined && existsSync(output);
    if (child.status !== 0 && !inPart)
      throw new Error(`ended with ${child.status ?? child.signal}: ${lastLine(child.stderr)}`);
    if (!existsSync(report)) return { wall };
    const [user, system, kilobytes] = lastLine(readFileSync(report, 'utf8')).split(' ').map(Number);
    return { wall, cpu: (user! + system!) * 1000, peak: kilobytes! * 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(costs: readonly Cost[]): Omit<Measured, 'name'> {
  const walls = costs.map((cost) => cost.wall);
  const known = (key: 'cpu' | 'peak') => costs.flatMap((cost) => cost[key] ?? []);
  return {
    wall: median(walls),
    spread: [Math.min(...walls), Math.max(...walls)],
    ...(known('cpu').length === 0 ? {} : { cpu: median(known('cpu')), peak: median(known('peak')) }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
