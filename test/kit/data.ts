import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, it } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder of real inputs, or undefined on a clone that has none. */
export const dataDir: string | undefined = [
  process.env['TIDEWAITER_TEST_DATA'],
  path.join(root, '../shared/data'),
].find((dir) => dir !== undefined && dir !== '' && existsSync(path.join(dir, 'packages/index.json')));

/** A group of tests over real inputs; skipped by name where they are absent, since its body may list them to name its tests. */
export function describeData(name: string, body: (dir: string) => void): void {
  const dir = dataDir;
  if (dir !== undefined) describe(name, () => body(dir));
  else describe.skip(name, () => it('needs TIDEWAITER_TEST_DATA', () => {}));
}

/** A file of the data folder, unpacked when its name ends in `.gz`. */
export function readData(file: string): Buffer {
  const bytes = readFileSync(path.join(dataDir ?? '/nonexistent', file));
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

export interface Expected {
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly dev?: boolean;
}

export interface PackageCase {
  readonly file: string;
  readonly ecosystem: string;
  readonly parser?: string;
  readonly judge: string;
  readonly test?: string;
  readonly case?: string;
  readonly kind?: string;
  readonly selfContained?: boolean;
  readonly expected: readonly Expected[];
  readonly alternatives?: readonly (readonly Expected[])[];
}

/** The inputs of some ecosystems with what is expected of them; none where the data is absent. */
export function packageCases(...ecosystems: string[]): readonly PackageCase[] {
  if (dataDir === undefined) return [];
  const index = JSON.parse(readFileSync(path.join(dataDir, 'packages/index.json'), 'utf8')) as PackageCase[];
  return index.filter((each) => ecosystems.includes(each.ecosystem));
}
