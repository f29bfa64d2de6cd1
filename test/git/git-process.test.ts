import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from '../../src/io/git-process.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { refusal } from './open.ts';

const parent = temporaryDirectory();

/** Runs a JavaScript program in git's place. */
function run(body: string) {
  const file = path.join(parent, `${Math.random()}.cjs`);
  writeFileSync(file, body);
  return start({ program: process.execPath, args: [file], folder: parent, env: {} });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a process', () => {
  it('that says nothing for too long is ended, and that is an error', async () => {
    const silent = await run('setInterval(() => {}, 1000)');
    expect(await refusal(silent.read(0.2))).toMatchObject({ rule: 'io' });
    expect((await silent.ended).code).toBeUndefined();
    expect(await silent.read(1)).toBeUndefined();
  });

  it('that does not start ends at once', async () => {
    const none = await start({ program: path.join(parent, 'none'), args: [], folder: parent, env: {} });
    none.write('lost');
    expect(await none.read(60)).toBeUndefined();
    expect(await none.ended).toMatchObject({ stderr: expect.stringContaining('ENOENT') });
  });

  it('whose output nobody reads ends, and can be written to afterwards', async () => {
    const loud = await run(
      'process.stdout.write("x".repeat(1e6)); process.stderr.write("y".repeat(1e5)); process.exitCode = 3',
    );
    const first = await loud.read(60);
    expect(first?.length).toBeGreaterThan(0);
    loud.kill();
    loud.write('late');
    loud.end();
    await loud.ended;
    const errors = await run('process.stderr.write("y".repeat(1e5)); process.exitCode = 3');
    const { code, stderr } = await errors.ended;
    expect([code, stderr.length]).toEqual([3, 16 * 1024]);
  });

  it.skipIf(process.platform === 'win32')('does not outlive us where a signal ends us', async () => {
    const module = new URL('../../src/io/git-process.ts', import.meta.url).href;
    const program = path.join(parent, 'ends.mjs');
    writeFileSync(
      program,
      `import { makeFolder, start } from ${JSON.stringify(module)};
      const folder = await makeFolder(${JSON.stringify(parent)}, [], {});
      const body = 'console.log(process.pid); setInterval(() => {}, 1000)';
      const child = await start({ program: process.execPath, args: ['-e', body], folder, env: {} });
      process.stdout.write((await child.read(60)).toString());
      await child.read(60);`,
    );
    const us = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => us.once('exit', (_, signal) => resolve(signal)));
    const printed = await new Promise<Buffer>((resolve) => us.stdout.once('data', resolve));
    const orphan = Number(printed.toString());
    expect(process.kill(orphan, 0)).toBe(true);
    us.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    await expect.poll(() => isAlive(orphan), { timeout: 10_000 }).toBe(false);
    expect(readdirSync(parent).filter((name) => name.startsWith('tidewaiter-git-'))).toEqual([]);
  });

  it('gets no variable but those that it is given', async () => {
    const printer = await run('console.log(JSON.stringify(process.env))');
    expect(JSON.parse((await printer.read(60))!.toString())).toEqual({});
  });
});
