/** The program as a process: whatever goes wrong with it, it never looks like a pass or a denial. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../kit/built.ts';
import { root } from '../kit/data.ts';
import { anImage, layout } from '../kit/image.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const image = `oci:${path.join(root, 'fixtures/image')}`;
let program: Program;

beforeAll(async () => {
  program = buildProgram(path.join(temporary, 'program'));
});

/** Code that runs in the process before the program does. */
function preload(code: string): { env: NodeJS.ProcessEnv } {
  return { env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` } };
}

describe('the process', () => {
  it.each<[string[], number]>([
    [['--version'], 0],
    [['--help'], 0],
    [['scan', '--help'], 0],
    [['rules'], 0],
    [['scan', image], 0],
    [[], 2],
    [['scam', image], 2],
    [['scan'], 2],
    [['scan', image, image], 2],
    [['scan', image, '--no-such-option'], 2],
    [['scan', image, '-o', 'xml'], 2],
    [['scan', 'debian:12'], 2],
    [['scan', './no/such/place'], 3],
    [['scan', 'oci:./no/such/place'], 3],
    [['scan', '/dev/null'], 3],
  ])('%j ends with %i', (args, code) => {
    const { status, stdout, stderr } = program.run(args);
    expect(status).toBe(code);
    expect(code === 0 ? stderr : stdout).toBe('');
    expect(code === 0 ? stdout : stderr).not.toBe('');
  });

  it('writes what it wrote in this process too', () => {
    const { stdout } = program.run(['scan', image, '-o', 'purls']);
    expect(stdout.split('\n')).toContain('pkg:npm/%40babel/runtime@7.26.0');
  });
});

describe('an output that is gone or full', () => {
  it('ends with 3: standard output closed before anything is written', () => {
    for (const args of [`scan ${image}`, `scan ${image} -o cyclonedx-json`, '--help', 'rules']) {
      const { stderr } = program.shell(`{ sleep 0.2; $TIDEWAITER ${args}; echo "code $?" >&2; } | true`);
      expect(stderr, args).toMatch(/code 3\n$/);
    }
  });

  it('ends with 3: a reader that has enough after one byte of much', () => {
    const many = anImage().layer(
      ...Array.from({ length: 3000 }, (_, at) =>
        file(`node_modules/p${at}/package.json`, `{"name":"p${at}","version":"1.0.0"}`),
      ),
    );
    const place = writeTree(temporary, layout([many.built()]));
    const { stdout, stderr } = program.shell(
      `{ $TIDEWAITER scan oci:${place} -o json; echo "code $?" >&2; } | head -c 1`,
    );
    expect([stdout, stderr.match(/code \d/)?.[0]]).toEqual(['{', 'code 3']);
  });

  it('ends with 3 and says why: a full device', () => {
    const { status, stderr } = program.shell(`$TIDEWAITER scan ${image} > /dev/full`);
    expect([status, stderr]).toEqual([
      3,
      expect.stringContaining('error[io]: cannot write to standard output: no space is left on the device'),
    ]);
    const file = program.run(['scan', image, '-o', 'json=/dev/full']);
    expect([file.status, file.stderr]).toEqual([
      3,
      expect.stringContaining('error[io]: cannot write "/dev/full": no space is left'),
    ]);
    expect(program.shell('$TIDEWAITER --version > /dev/full').status).toBe(3);
    expect(program.shell('$TIDEWAITER --help > /dev/full').status).toBe(3);
  });

  it('keeps its code when only standard error is gone', () => {
    expect(program.shell(`$TIDEWAITER scan ${image} -o purls 2> /dev/full`).status).toBe(0);
    expect(program.shell('$TIDEWAITER scan ./no/such/place 2> /dev/full').status).toBe(3);
    expect([0, 1]).not.toContain(program.shell('$TIDEWAITER scan --no-such-option 2> /dev/full').status);
  });
});

describe('something that breaks beside the work', () => {
  it.each([
    ['a throw', "setTimeout(() => { throw new Error('stray') }, 150)"],
    ['a rejection', "setTimeout(() => { Promise.reject(new Error('stray')) }, 150)"],
    ['a throw of nothing', 'setTimeout(() => { throw undefined }, 150)'],
  ])('is told as a bug and ends with 3, even when the work is done: %s', (_, code) => {
    // The output is slow to leave: the stray error comes while the work waits for it, and the work then ends well.
    const slow =
      'const write = process.stdout.write; process.stdout.write = function (text, done) { setTimeout(() => write.call(process.stdout, text, done), 600); return true; };';
    const { status, stdout, stderr } = program.run(['scan', image, '-o', 'purls'], preload(`${slow} ${code}`));
    expect(stdout).toContain('pkg:');
    expect(stderr).toMatch(/^error\[bug\]: this is a bug in tidewaiter/);
    expect(status).toBe(3);
  });

  it('work that never ends is not a pass', () => {
    const never = 'process.stdout.write = () => true;';
    const { status, stderr } = program.run(['scan', image], preload(never));
    expect([status, stderr]).toEqual([3, expect.stringContaining('the work ended before it was done')]);
  });

  it('a program that cannot be loaded is not a denial', () => {
    const broken = mkdtempSync(path.join(temporary, 'broken-'));
    mkdirSync(path.join(broken, 'dist'));
    const { status, stderr } = program.shell(
      `cp ${path.dirname(program.entry)}/../package.json ${broken}; cp ${program.entry} ${broken}/dist; echo 'nonsense(' > ${broken}/dist/main.cjs; ${process.execPath} ${broken}/dist/tidewaiter.cjs rules`,
    );
    expect([status, stderr]).toEqual([3, expect.stringContaining('tidewaiter: cannot be loaded')]);
  });
});

describe('a kill in the middle', () => {
  it('leaves no half a document and nothing else behind but the file that was being written', async () => {
    const many = anImage().layer(
      ...Array.from({ length: 4000 }, (_, at) =>
        file(`node_modules/p${at}/package.json`, `{"name":"p${at}","version":"1.0.0"}`),
      ),
    );
    const place = writeTree(temporary, layout([many.built()]));
    const [out, tmp] = [mkdtempSync(path.join(temporary, 'out-')), mkdtempSync(path.join(temporary, 'tmp-'))];
    const bom = path.join(out, 'bom.json');
    for (let turn = 0; turn < 12; turn++) {
      const child = spawn(process.execPath, [program.entry, 'scan', `oci:${place}`, '-o', `json=${bom}`], {
        stdio: 'ignore',
        env: { TMPDIR: tmp },
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await wait(80 + turn * 60);
      child.kill('SIGKILL');
      await ended;
      expect(readdirSync(tmp)).toEqual([]);
      expect(
        readdirSync(out).filter((name) => name !== 'bom.json' && !/^\.bom\.json\.[0-9a-f]{12}\.tmp$/.test(name)),
      ).toEqual([]);
      if (existsSync(bom)) expect(JSON.parse(readFileSync(bom, 'utf8'))).toHaveProperty('schema');
    }
  });
});
