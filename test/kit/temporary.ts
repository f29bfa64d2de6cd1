import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/** A directory of its own for one test file, gone when the file is done. Call it while tests are collected. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'tidewaiter-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Files by path below a new directory inside `parent`; gives the directory. */
export function writeTree(
  parent: string,
  files: ReadonlyMap<string, Buffer> | Readonly<Record<string, string | Buffer>>,
): string {
  const directory = mkdtempSync(path.join(parent, 'tree-'));
  const entries = files instanceof Map ? [...files] : Object.entries(files);
  for (const [name, content] of entries) {
    const place = path.join(directory, name);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
  return directory;
}
