/** Hostile content of the files that catalogers read, through the whole program: it ends, says what it could not read, and nothing leaks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anImage, type Image, layout } from '../kit/image.ts';
import { file, pax, symlink } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';

const temporary = temporaryDirectory();

function scan(image: Image, ...args: string[]) {
  return run(['scan', `oci:${writeTree(temporary, layout([image.built()]))}`, ...args]);
}

describe('keys that are no keys', () => {
  it('pollute no object and hide no package', async () => {
    const names = ['__proto__', 'constructor', 'hasownproperty', 'tostring'];
    const evil = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}},';
    const lock = `${evil}"lockfileVersion":3,"packages":{"":{"name":"p","version":"1.0.0"},"__proto__":{"polluted":"yes"},"node_modules/a":{"version":"1.0.0","dependencies":{"__proto__":"1"}}}}`;
    const image = anImage().layer(
      Buffer.concat([
        pax([
          ['__proto__', 'yes'],
          ['constructor', 'yes'],
        ]),
        file('x'),
      ]),
      file('app/package-lock.json', lock),
      ...names.map((name) => file(`node_modules/${name}/package.json`, `${evil}"name":"${name}","version":"1.0.0"}`)),
      ...names.map((name) => file(`${name}/x`, 'x')),
    );
    const { code, stdout, stderr } = await scan(image, '-o', 'purls', '--all');
    expect([code, stdout]).toEqual([0, expect.stringContaining('pkg:npm/a@1.0.0\n')]);
    for (const name of names) expect(stdout + stderr).toContain(name);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('documents that are not what they seem', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const texts: Readonly<Record<string, string | Buffer>> = {
    'nesting of 200,000': `{"name":"x","version":"1.0.0","x":${deep}}`,
    'nesting of 200,000 objects': `{"name":"x","version":"1.0.0","dependencies":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`,
    'numbers that no one can hold':
      '{"name":"x","version":1e400,"a":-0,"b":9007199254740993,"c":123456789012345678901234567890}',
    'lone surrogates': '{"name":"x\\ud800","version":"1.0.0\\udfff"}',
    NUL: '{"name":"x\\u0000","version":"1.0.0"}',
    'UTF-16': Buffer.from('\ufeff{"name":"x","version":"1.0.0"}', 'utf16le'),
    'invalid UTF-8': Buffer.from([0x7b, 0x22, 0x6e, 0xff, 0xfe, 0x22, 0x7d]),
    'a byte order mark': '\ufeff{"name":"x","version":"1.0.0"}',
    'no object': '"text"',
    nothing: '',
    null: 'null',
    zeros: Buffer.alloc(5000),
  };
  const places = [
    'node_modules/x/package.json',
    'app/package-lock.json',
    'lib/apk/db/installed',
    'var/lib/dpkg/status',
    'var/lib/dpkg/status.d/x',
    'var/lib/dpkg/info/x.list',
    'usr/share/doc/x/copyright',
    'var/lib/rpm/rpmdb.sqlite',
    'var/lib/rpm/Packages',
    'var/lib/rpm/Packages.db',
    'var/lib/rpmmanifest/container-manifest-2',
    'usr/lib/opkg/status',
    'etc/os-release',
    'usr/lib/python3/site-packages/x-1.dist-info/METADATA',
    'usr/lib/python3/site-packages/x-1.dist-info/RECORD',
    'usr/lib/python3/site-packages/x-1.egg-info/PKG-INFO',
    'opt/x.jar',
    'usr/bin/x',
  ];

  it.each(Object.entries(texts))('%s in any place end in an inventory', async (_, text) => {
    const image = anImage().layer(
      ...places.map((place) => file(place, text, 0o755)),
      file('node_modules/ok/package.json', '{"name":"ok","version":"1.0.0"}'),
    );
    const { code, stdout, stderr } = await scan(image, '-o', 'purls', '--all');
    expect([code, stdout]).toEqual([0, expect.stringContaining('pkg:npm/ok@1.0.0\n')]);
    expect(stderr).not.toMatch(/error in tidewaiter/);
    for (const format of ['json', 'cyclonedx-json', 'spdx-json', 'cyclonedx-xml', 'table']) {
      expect((await scan(image, '-o', format, '--all')).code).toBe(0);
    }
  });

  it('any bytes in any place end in an inventory, without an error of our own in it', async () => {
    const magic = fc.constantFrom(
      '',
      '{',
      'P:a\nV:1\n',
      'Package: a\nVersion: 1\nStatus: install ok installed\n',
      'PK\x03\x04',
      'PK\x05\x06',
      '\x7fELF\x02\x01\x01',
      'MZ',
      'SQLite format 3\0',
      '\xcf\xfa\xed\xfe',
      'RpmP',
      '\0\0\0\0\0\0\0\0\0\0\0\0\x61\x15\x06\0',
      'Metadata-Version: 2.1\nName: a\nVersion: ',
    );
    const bytes = fc
      .tuple(magic, fc.uint8Array({ maxLength: 700 }))
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(rest)]));
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: places.length, maxLength: places.length }), async (contents) => {
        const image = anImage().layer(...places.map((place, at) => file(place, contents[at]!, 0o755)));
        const { code, stderr } = await scan(image, '-o', 'purls', '--all');
        expect(code).toBe(0);
        expect(stderr).not.toMatch(/error in tidewaiter/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('file names', () => {
  it('that differ in case, in Unicode form or in bytes are different files', async () => {
    const twins = ['\u00df', 'ss', '\u00e9', 'e\u0301', 'A', 'a', 'K', '\u212a'];
    const image = anImage().layer(
      ...twins.map((name, at) => file(`${name}/node_modules/p/package.json`, `{"name":"p","version":"${at}.0.0"}`)),
      file(
        Buffer.concat([Buffer.from([0xe9]), Buffer.from('/node_modules/p/package.json')]),
        '{"name":"p","version":"99.0.0"}',
      ),
    );
    const { stdout } = await scan(image, '-o', 'purls');
    expect(stdout.trimEnd().split('\n')).toHaveLength(twins.length + 1);
  });

  it('with backslashes and drive letters are names like any other', async () => {
    const image = anImage().layer(
      file('..\\..\\evil/node_modules/p/package.json', '{"name":"p","version":"1.0.0"}'),
      file('C:/node_modules/q/package.json', '{"name":"q","version":"1.0.0"}'),
      symlink('C:\\x', 'C:\\y'),
    );
    const { code, stdout, stderr } = await scan(image, '-o', 'purls', '--strict');
    expect([code, stdout, stderr]).toEqual([0, 'pkg:npm/p@1.0.0\npkg:npm/q@1.0.0\n', '']);
  });

  it('that climb are named as what they are', async () => {
    const image = anImage().layer(file('../../../node_modules/p/package.json', '{"name":"p","version":"1.0.0"}'));
    const { stdout, stderr } = await scan(image, '-o', 'purls');
    expect(stdout).toBe('pkg:npm/p@1.0.0\n');
    expect(stderr).toMatch(
      /^gap\[suspicious-entry\]: node_modules\/p\/package.json \(layer 1\): its name ".*" climbs out of its directory\n$/,
    );
  });
});
