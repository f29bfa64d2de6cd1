/** What the Go toolchain itself builds, against what `go version -m` says of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readExecutables } from '../../../src/catalog/executable/index.ts';
import { goBinary } from '../../../src/catalog/golang/binary.ts';
import { type BuildInfoText, findBuildInfo } from '../../../src/catalog/golang/build-info.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { buildUniversal } from '../executable/build.ts';

const go = spawnSync('go', ['version'], { encoding: 'utf8' });
const release = /go version (go\S+)/.exec(go.stdout ?? '')?.[1];
const hasCompiler = spawnSync('cc', ['--version']).status === 0;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-go-'));
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  write(
    'shop/go.mod',
    'module example.com/shop\n\ngo 1.20\n\nrequire example.com/Lib v1.2.0\n\nreplace example.com/Lib => ../lib\n',
  );
  write(
    'shop/main.go',
    'package main\n\nimport lib "example.com/Lib"\n\nvar version = "dev"\n\nfunc main() { println(version, lib.Name()) }\n',
  );
  // The mark as a constant, as in tools that look for it.
  write('lib/go.mod', 'module example.com/Lib\n\ngo 1.20\n');
  write(
    'lib/lib.go',
    'package lib\n\nvar mark = []byte("\\xff Go buildinf:")\n\nfunc Name() string { return string(mark) }\n',
  );
  write(
    'shop/c/main.go',
    'package main\n\nimport "C"\n\n//export Answer\nfunc Answer() int { return 42 }\n\nfunc main() {}\n',
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Target {
  readonly os: string;
  readonly arch: string;
  readonly flags?: readonly string[];
  readonly main?: string;
  readonly cgo?: boolean;
}

let built = 0;

function build({ os, arch, flags = [], main = '.', cgo = false }: Target): string {
  const file = path.join(folder, `program-${built++}`);
  execFileSync('go', ['build', '-o', file, ...flags, main], {
    cwd: path.join(folder, 'shop'),
    env: {
      ...process.env,
      ...{ GOOS: os, GOARCH: arch, CGO_ENABLED: cgo ? '1' : '0', GOFLAGS: '', GOPROXY: 'off', GOWORK: 'off' },
    },
    stdio: 'pipe',
  });
  return file;
}

/** What Go reads from the file, in our terms. */
function asGoSays(file: string): BuildInfoText {
  const [first, ...lines] = execFileSync('go', ['version', '-m', file], { encoding: 'utf8' }).split('\n');
  return {
    goVersion: first!.slice(file.length + 2),
    modules: lines
      .map((line) => line.replace(/^\t/, ''))
      .join('\n')
      .trimEnd(),
    atItsPlace: true,
  };
}

function asWeSay(bytes: Buffer): BuildInfoText | undefined {
  const gaps: string[] = [];
  const [info] = readExecutables(bytes, (reason) => gaps.push(reason), findBuildInfo);
  expect(gaps).toEqual([]);
  return info && { ...info, modules: info.modules?.trimEnd() };
}

describe.skipIf(release === undefined)('programs that go builds (needs go)', () => {
  test.each<[string, Target]>([
    ['Linux, amd64', { os: 'linux', arch: 'amd64' }],
    ['Linux, amd64, stripped', { os: 'linux', arch: 'amd64', flags: ['-ldflags=-s -w', '-trimpath'] }],
    ['Linux, amd64, position-independent', { os: 'linux', arch: 'amd64', flags: ['-buildmode=pie'] }],
    ['Linux, 386', { os: 'linux', arch: '386' }],
    ['Linux, arm64', { os: 'linux', arch: 'arm64' }],
    ['Linux, s390x, which is big-endian', { os: 'linux', arch: 's390x' }],
    ['macOS, amd64', { os: 'darwin', arch: 'amd64' }],
    ['macOS, arm64', { os: 'darwin', arch: 'arm64' }],
    ['Windows, amd64', { os: 'windows', arch: 'amd64' }],
    ['Windows, 386', { os: 'windows', arch: '386', flags: ['-ldflags=-s'] }],
    ['Windows, arm64', { os: 'windows', arch: 'arm64' }],
  ])('are read as go reads them: %s', (_, target) => {
    const file = build(target);
    const info = asWeSay(readFileSync(file));
    expect(info).toEqual(asGoSays(file));
    expect(info?.modules).toContain(`GOARCH=${target.arch}`);
  });

  test('are recognised without their section table', () => {
    const file = build({ os: 'linux', arch: 'amd64' });
    const bytes = readFileSync(file);
    bytes.writeBigUInt64LE(0n, 40);
    bytes.writeUInt32LE(0, 60);
    writeFileSync(file, bytes);
    expect(asWeSay(bytes)).toMatchObject({ goVersion: release, modules: expect.stringContaining('example.com/shop') });
  });

  test('are catalogued: module, replaced module and standard library', async () => {
    const flags = ['-ldflags=-X main.version=9.8.7'];
    const bytes = readFileSync(build({ os: 'linux', arch: 'arm64', flags }));
    const { packages, gaps } = await catalogFiles(goBinary, { 'usr/bin/shop': bytes });
    expect(gaps).toEqual([]);
    expect(packages.map(({ name, version, kind }) => [name, version, kind])).toEqual([
      ['example.com/shop', undefined, 'application'],
      ['stdlib', release?.slice(2), 'library'],
      ['example.com/Lib', undefined, 'library'],
    ]);
    expect(packages[0]?.properties).toMatchObject({ 'go:ldflags-version': '9.8.7', 'go:arch': 'arm64' });
    expect(packages[2]?.properties).toMatchObject({
      'go:replaces': 'example.com/Lib@v1.2.0',
      'go:replaced-by': '../lib',
    });
  });

  test('are read as go reads them when built from a list of files', async () => {
    const file = build({ os: 'linux', arch: 'amd64', main: 'main.go' });
    expect(asWeSay(readFileSync(file))).toEqual(asGoSays(file));
    // Go does not say which module the files belong to, unless they import another package of it.
    const { packages } = await catalogFiles(goBinary, { 'bin/x': readFileSync(file) });
    expect(packages.map(({ name, kind }) => [name, kind])).toEqual([
      ['stdlib', 'library'],
      ['example.com/Lib', 'library'],
    ]);
  });

  test('are found in both halves of a universal file', async () => {
    const halves = ['amd64', 'arm64'].map((arch) => readFileSync(build({ os: 'darwin', arch })));
    const padded = halves.map((half) => Buffer.concat([half, Buffer.alloc(16384 - (half.length % 16384))]));
    const { packages } = await catalogFiles(goBinary, { 'bin/x': buildUniversal(padded) });
    const applications = packages.filter(({ kind }) => kind === 'application');
    expect(applications.map(({ properties }) => properties?.['go:arch'])).toEqual(['amd64', 'arm64']);
  });

  test('are read as go reads them: the toolchain itself, which knows the mark by heart', () => {
    const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
    const file = path.join(root, 'bin', 'go');
    expect(asWeSay(readFileSync(file))).toEqual(asGoSays(file));
  });
});

describe.skipIf(release === undefined || !hasCompiler)('libraries that go builds (needs go and cc)', () => {
  test.each(['c-shared', 'pie'])('are read as go reads them, linked by the C linker: %s', (mode) => {
    const flags = [`-buildmode=${mode}`, '-ldflags=-linkmode=external'];
    const file = build({ os: process.platform, arch: goArch(), flags, main: './c', cgo: true });
    expect(asWeSay(readFileSync(file))).toEqual(asGoSays(file));
    // Without section table it stands at no usual place.
    const bytes = readFileSync(file);
    bytes.writeBigUInt64LE(0n, 40);
    bytes.writeUInt32LE(0, 60);
    expect(asWeSay(bytes)).toMatchObject({ ...asGoSays(file), atItsPlace: expect.any(Boolean) });
  });
});

function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

const go117 = path.join(goRoot(), 'src/debug/buildinfo/testdata/go117/go117.base64');
const notGo = path.join(goRoot(), 'src/debug/buildinfo/testdata/notgo/notgo.base64');

function goRoot(): string {
  return spawnSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).stdout?.trim() || '/nonexistent';
}

describe.skipIf(!existsSync(go117))('programs that Go keeps as test data (needs them in GOROOT)', () => {
  test('are read: one that Go 1.17 built', () => {
    const bytes = Buffer.from(readFileSync(go117, 'latin1'), 'base64');
    expect(asWeSay(bytes)).toEqual({
      goVersion: 'go1.17',
      modules: 'path\texample.com/go117\nmod\texample.com/go117\t(devel)',
      atItsPlace: true,
    });
  });

  test('are nothing: one written in C', () => {
    const bytes = Buffer.from(readFileSync(notGo, 'latin1'), 'base64');
    expect(asWeSay(bytes)).toBeUndefined();
  });
});
