import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rustBinary } from '../../../src/catalog/rust/binary.ts';
import type { Package } from '../../../src/catalog/types.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { buildElf, buildMachO, buildUniversal, everyFormat, type Part } from '../executable/build.ts';

const list = {
  format: 1,
  packages: [
    { name: 'cc', version: '1.1.6', source: 'crates.io', kind: 'build', dependencies: [3] },
    { name: 'itoa', version: '1.0.11', source: 'crates.io' },
    { name: 'shop', version: '1.4.0', source: 'local', root: true, dependencies: [0, 1, 4] },
    { name: 'shlex', version: '1.3.0', source: 'registry', kind: 'build' },
    { name: 'fork', version: '0.2.0+git', source: 'git', dependencies: [1] },
  ],
};

const text: Part = { name: '.text', bytes: Buffer.from('instructions') };

function audited(json: unknown = list): Part {
  return { name: '.dep-v0', bytes: deflateSync(JSON.stringify(json)) };
}

async function packagesOf(file: Buffer): Promise<readonly Package[]> {
  const { packages, gaps } = await catalogFiles(rustBinary, { 'usr/bin/shop': file });
  expect(gaps).toEqual([]);
  return packages;
}

test.each(everyFormat)('a program is an application and its crates: %s', async (_, build) => {
  const packages = await packagesOf(build([text, audited()]));
  const keyOf = (name: string) => packages.find((each) => each.name === name)?.key;
  const common = {
    key: expect.any(String),
    kind: 'library',
    places: [{ path: 'usr/bin/shop', layer: 0 }],
    requires: [],
    technique: 'binary-analysis',
    confidence: 0.9,
  };
  const crate = (name: string, version: string, source: string) => ({
    ...common,
    name,
    version,
    purl: { type: 'cargo', name, version },
    properties: { 'cargo:source': source },
  });
  expect(packages).toEqual([
    { ...crate('cc', '1.1.6', 'crates.io'), scope: 'dev', requires: [keyOf('shlex')] },
    crate('itoa', '1.0.11', 'crates.io'),
    {
      ...crate('shop', '1.4.0', 'local'),
      kind: 'application',
      requires: [keyOf('cc'), keyOf('itoa'), keyOf('fork')],
    },
    { ...crate('shlex', '1.3.0', 'registry'), scope: 'dev' },
    { ...crate('fork', '0.2.0+git', 'git'), requires: [keyOf('itoa')] },
  ]);
  expect(new Set(packages.map(({ key }) => key)).size).toBe(5);
});

describe('the application', () => {
  const kinds = async (...packages: readonly unknown[]) =>
    (await packagesOf(buildElf([text, audited({ packages })]))).map(({ kind }) => kind);
  const crate = { version: '1.0.0', source: 'local' };

  test('of a list without a root is the crate that no other needs', async () => {
    expect(await kinds({ ...crate, name: 'a' }, { ...crate, name: 'b', dependencies: [0] })).toEqual([
      'library',
      'application',
    ]);
  });

  test('of a list without a root is unknown when several crates are not needed', async () => {
    expect(await kinds({ ...crate, name: 'a' }, { ...crate, name: 'b' })).toEqual(['library', 'library']);
  });
});

test('a crate that needs one which cannot be read has incomplete needs', async () => {
  const crates = [{ name: 'a', version: '1.0.0', source: 'local', root: true, dependencies: [1] }, {}];
  const { packages, gaps } = await catalogFiles(rustBinary, {
    'bin/a': buildElf([text, audited({ packages: crates })]),
  });
  expect(packages).toMatchObject([{ name: 'a', requires: [], requiresIncomplete: true }]);
  expect(gaps).toEqual([{ path: 'bin/a', reason: 'unreadable crates in its Rust dependency list: 1' }]);
});

test('a universal file gives the crates of each architecture', async () => {
  const packages = await packagesOf(buildUniversal([buildMachO([text, audited()]), buildMachO([text, audited()])]));
  expect(packages).toHaveLength(10);
  expect(new Set(packages.map(({ key }) => key)).size).toBe(10);
});

describe('a file without a list is nothing', () => {
  test.each<[string, Buffer]>([
    ['no Rust', buildElf([text])],
    ['the name of the section as a constant', buildElf([{ name: '.rodata', bytes: Buffer.from('\0.dep-v0\0') }])],
    ['a debugging companion', buildElf([text, { ...audited(), zeroFilled: true }])],
  ])('%s', async (_, file) => {
    expect(await packagesOf(file)).toEqual([]);
  });
});

describe('a file that cannot be read is named', () => {
  test.each<[string, Buffer, string]>([
    ['a damaged list', buildElf([text, { name: '.dep-v0', bytes: Buffer.from('nonsense') }]), 'cannot be decompressed'],
    ['a compressed section', buildElf([text, { ...audited(), compressed: true }]), 'section .dep-v0 is compressed'],
    ['a broken section table', tableAt((file) => file.length), 'cut off or damaged'],
    ['no section table', tableAt(() => 0), 'no section table'],
  ])('%s', async (_, file, reason) => {
    const { packages, gaps } = await catalogFiles(rustBinary, { 'bin/a': file });
    expect(packages).toEqual([]);
    expect(gaps).toEqual([{ path: 'bin/a', reason: expect.stringContaining(reason) }]);
  });
});

function tableAt(offset: (file: Buffer) => number): Buffer {
  const file = buildElf([text, audited()]);
  file.writeBigUInt64LE(BigInt(offset(file)), 40);
  return file;
}

test('of several sections the first is read and the others are named', async () => {
  const other = audited({ packages: [{ name: 'other', version: '1.0.0', source: 'local' }] });
  const { packages, gaps } = await catalogFiles(rustBinary, { 'bin/a': buildElf([text, other, audited()]) });
  expect(packages.map(({ name }) => name)).toEqual(['other']);
  expect(gaps).toEqual([{ path: 'bin/a', reason: 'it has 2 sections named .dep-v0; only the first was read' }]);
});

const hasRust = spawnSync('rustc', ['--version']).status === 0;
const hasObjcopy = process.platform === 'linux' && spawnSync('objcopy', ['--version']).status === 0;

describe.skipIf(!hasRust || !hasObjcopy)('programs that rustc builds (needs rustc and objcopy)', () => {
  let folder = '';
  const file = (name: string) => path.join(folder, name);

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tidewaiter-rust-'));
    writeFileSync(file('list'), audited().bytes);
    const source = (attribute: string) =>
      `${attribute} static LIST: [u8; ${audited().bytes.length}] = *include_bytes!("list");
      fn main() { println!("{}", std::hint::black_box(&LIST).len()); }\n`;
    writeFileSync(file('linked.rs'), source('#[used] #[unsafe(link_section = ".dep-v0")]'));
    writeFileSync(file('plain.rs'), 'fn main() {}\n');
    for (const name of ['linked', 'plain']) {
      execFileSync('rustc', ['--edition', '2021', '-o', file(name), file(`${name}.rs`)], { stdio: 'pipe' });
    }
    execFileSync('objcopy', ['--add-section', `.dep-v0=${file('list')}`, file('plain'), file('added')]);
    execFileSync('objcopy', ['--strip-all', file('linked'), file('stripped')]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(['linked', 'stripped', 'added'])('give their crates: %s', async (name) => {
    const packages = await packagesOf(readFileSync(file(name)));
    expect(packages.map((each) => each.name)).toEqual(['cc', 'itoa', 'shop', 'shlex', 'fork']);
  });

  test('give nothing when they hold no list', async () => {
    expect(await packagesOf(readFileSync(file('plain')))).toEqual([]);
  });
});
