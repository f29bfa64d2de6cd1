/**
 * Small inputs that would become large ones: each is refused soon, with exit code 3, one line that names the limit and the
 * flag, and little memory. The large variants run with TIDEWAITER_SLOW_TESTS=1.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../kit/built.ts';
import { anImage, type Image, layout, ociArchive } from '../kit/image.ts';
import { entry, file, tar, whiteout } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';
import { zip } from '../kit/zip.ts';

const temporary = temporaryDirectory();
const slow = process.env['TIDEWAITER_SLOW_TESTS'] === '1';
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

function written(image: Image): string {
  return `oci:${writeTree(temporary, layout([image.built()]))}`;
}

/** One file of a GiB of zeros as a layer, without a GiB ever being made: members and frames of 16 MiB repeat. */
function zeros(pack: (bytes: Buffer) => Buffer, name = 'zeros'): Buffer {
  const header = entry({ name, size: gibibyte });
  const piece = pack(Buffer.alloc(16 * mebibyte));
  return Buffer.concat([pack(header), ...Array.from({ length: 64 }, () => piece), pack(Buffer.alloc(1024))]);
}

const gzip = (bytes: Buffer) => gzipSync(bytes);
const zstd = (bytes: Buffer) => zstdCompressSync(bytes);

describe('a GiB of zeros', () => {
  let program: Program;
  beforeAll(async () => {
    program = buildProgram(path.join(temporary, 'program'));
  });

  /** Also gives the most memory that the process held, in MiB. */
  function scan(target: string, ...args: string[]) {
    const report = path.join(mkdtempSync(path.join(temporary, 'memory-')), 'kib');
    const preload = `import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS)))`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
    const { status, stdout, stderr } = program.run(['scan', target, '-o', 'purls', ...args], { env, timeout: 60_000 });
    return { status, stdout, stderr, mebibytes: Number(readFileSync(report, 'utf8')) / 1024 };
  }

  it.each([
    ['gzip', gzip],
    ['zstd', zstd],
  ])('in a layer of %s is refused by its ratio', (_, pack) => {
    const { status, stdout, stderr, mebibytes } = scan(written(anImage().storedLayer(zeros(pack))));
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^error\[limit\]: layer 1: its data expands by more than the limit of 200 to one \(after \d+ stored bytes\)\n {2}hint: raise it with --max-ratio if this is expected\n$/,
    );
    expect(mebibytes).toBeLessThan(300);
  });

  it('is refused by its bytes when any ratio is allowed', () => {
    const { status, stderr, mebibytes } = scan(
      written(anImage().storedLayer(zeros(zstd))),
      '--max-ratio',
      '1000000',
      '--max-bytes',
      '300000000',
    );
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^error\[limit\]: layer 1: it inflates to more than the limit of 300000000 bytes.*\n {2}hint: raise it with --max-bytes/,
    );
    expect(mebibytes).toBeLessThan(300);
  });

  it.each([
    ['gzip', gzip],
    ['zstd', zstd],
  ])('in a packed archive of %s is refused by its ratio', (name, pack) => {
    const place = path.join(temporary, `bomb-${name}.tar.gz`);
    writeFileSync(place, zeros(pack, 'index.json'));
    const { status, stderr, mebibytes } = scan(`oci-archive:${place}`);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^error\[limit\]: its data expands by more than the limit of 200 to one\n {2}hint: raise it with --max-ratio/,
    );
    expect(mebibytes).toBeLessThan(300);
  });

  it.runIf(slow)(
    'that is allowed is read through in little memory, and refused for its digest (TIDEWAITER_SLOW_TESTS=1)',
    () => {
      const { status, stderr, mebibytes } = scan(written(anImage().storedLayer(zeros(gzip))), '--max-ratio', '1000000');
      expect([status, stderr]).toEqual([
        3,
        expect.stringContaining('error[digest-mismatch]: the content of layer 1 (diffID)'),
      ]);
      expect(mebibytes).toBeLessThan(400);
    },
  );

  it.runIf(slow)('as a package database is a named gap and not held (TIDEWAITER_SLOW_TESTS=1)', () => {
    const place = writeTree(temporary, { 'etc/os-release': 'ID=x\n' });
    const { status, stderr } = program.shell(
      `mkdir -p ${place}/var/lib/dpkg && truncate -s 1G ${place}/var/lib/dpkg/status && $TIDEWAITER scan dir:${place} -o purls`,
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('gap[too-large]: var/lib/dpkg/status')]);
  });
});

describe('bombs within bombs', () => {
  it('gzip inside gzip is no archive, and is not opened a second time', async () => {
    const { code, stderr } = await run(['scan', written(anImage().storedLayer(gzipSync(gzipSync(tar([file('a')])))))]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error\[malformed\]: layer 1: the tar archive is malformed/);
  });

  it('a jar that inflates to much, and jars within jars, are gaps and do not end the scan', async () => {
    const bomb = zip({ 'META-INF/MANIFEST.MF': Buffer.alloc(80 * mebibyte) });
    let nested = zip({ 'META-INF/maven/g/inner/pom.properties': 'groupId=g\nartifactId=inner\nversion=1\n' });
    for (let depth = 0; depth < 20; depth++)
      nested = zip([{ name: `lib/level${depth}.jar`, content: nested, stored: true }]);
    const image = anImage().layer(
      file('opt/bomb.jar', bomb),
      file('opt/nested.jar', nested),
      file('node_modules/a/package.json', '{"name":"a","version":"1.0.0"}'),
    );
    const { code, stdout, stderr } = await run(['scan', written(image), '-o', 'purls', '--strict']);
    expect(code).toBe(3);
    expect(stdout).toContain('pkg:npm/a@1.0.0\n');
    expect(stderr).toMatch(/^gap\[[a-z-]+\]: opt\/bomb\.jar/m);
    expect(stderr).toMatch(/^gap\[[a-z-]+\]: opt\/nested\.jar/m);
  });
});

describe('very many entries', () => {
  const count = slow ? 500_000 : 40_000;
  const many = (name: (at: number) => string) => {
    const headers = Array.from({ length: count }, (_, at) => entry({ name: name(at) }));
    return anImage().rawLayer(tar(headers));
  };

  it('are refused beyond the limit', async () => {
    const target = written(many((at) => `d${at % 100}/f${at}`));
    const { code, stderr } = await run(['scan', target, '--max-entries', String(count - 1)]);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^error\[limit\]: layer 1: it has more than the limit of \d+ entries.*\n {2}hint: raise it with --max-entries/,
    );
    expect((await run(['scan', target, '-o', 'purls', '--max-entries', String(count)])).code).toBe(0);
  });

  it('that hide one another again and again end', async () => {
    const layers = Array.from({ length: 20 }, (_, at) => [file(`d/f${at}`), whiteout('d')]);
    const image = layers.reduce(
      (built, parts) => built.layer(...parts),
      many((at) => `d/f${at}`),
    );
    const { code, stdout } = await run(['scan', written(image)]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/files +1\n/)]);
  });
});

describe('very deep paths', () => {
  it('are refused beyond the limit, and read below it', async () => {
    const deep = (depth: number) => written(anImage().layer(file(`${'d/'.repeat(depth - 1)}f`)));
    const { code, stderr } = await run(['scan', deep(513)]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(
        /^error\[limit\]: layer 1: the path .* is deeper than the limit of 512 segments.*\n {2}hint: raise it with --max-path-depth/,
      ),
    ]);
    expect((await run(['scan', deep(512), '-o', 'purls', '--strict'])).code).toBe(0);
  });

  it('on a disk are refused the same way', async () => {
    const place = writeTree(temporary, { [`${'d/'.repeat(520)}f`]: 'x' });
    const { code, stderr } = await run(['scan', `dir:${place}`]);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^error\[limit\]: the path .*512 segments/)]);
  });
});

describe('an archive with a huge index.json', () => {
  it('is refused before it is held', async () => {
    const place = path.join(temporary, 'huge-index.tar');
    const files = new Map([
      ['oci-layout', Buffer.from('{}')],
      ['index.json', Buffer.alloc(5 * mebibyte, ' ')],
    ]);
    writeFileSync(place, ociArchive(files));
    const { code, stderr } = await run(['scan', place]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^error\[limit\]: "index.json" has 5242880 bytes, more than the 4194304 allowed/),
    ]);
  });
});
