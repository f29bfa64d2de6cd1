import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { npmYarnCache } from '../../../src/catalog/npm/index.ts';
import { catalogFiles } from '../../kit/catalog.ts';

/** A zip archive of one deflated file. */
function zipOf(name: string, content: string): Buffer {
  const data = deflateRawSync(content);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(data.length, 14);
  fields.writeUInt32LE(Buffer.byteLength(content), 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

const cached = 'app/.yarn/cache/@babel-core-npm-7.22.5-0123456789-10c0.zip';
const core = zipOf(
  'node_modules/@babel/core/package.json',
  '{"name":"@babel/core","version":"7.22.5","license":"MIT"}',
);

test('with a Plug’n’Play script the archives of the cache are installed packages', async () => {
  const files = { 'app/.pnp.cjs': '', [cached]: core, 'root/.yarn/berry/cache/core-npm-1.zip': core };
  const { packages, gaps } = await catalogFiles(npmYarnCache, files);
  expect(gaps).toEqual([]);
  expect(packages.map(({ key }) => key)).toEqual([cached, 'root/.yarn/berry/cache/core-npm-1.zip']);
  expect(packages[0]).toMatchObject({ name: '@babel/core', version: '7.22.5', licenses: ['MIT'] });
  expect(packages[0]).not.toHaveProperty('requires');
});

test('without one they are only a cache', async () => {
  expect(await catalogFiles(npmYarnCache, { [cached]: core })).toEqual({ packages: [], gaps: [] });
});

test.each([
  ['not an archive', Buffer.from('PK not really')],
  ['an archive of something else', zipOf('node_modules/a/lib/package.json', '{}')],
  ['an archive cut short', core.subarray(0, 60)],
  ['a manifest without a name', zipOf('node_modules/a/package.json', '{}')],
])('%s is named as a gap', async (_title, bytes) => {
  const { packages, gaps } = await catalogFiles(npmYarnCache, { 'app/.pnp.cjs': '', [cached]: bytes });
  expect(packages).toEqual([]);
  expect(gaps).toMatchObject([{ path: cached }]);
});

test('an archive with any byte changed is read or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(core.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const bytes = Buffer.from(core);
      bytes[at] = (bytes[at] ?? 0) ^ change;
      const { packages, gaps } = await catalogFiles(npmYarnCache, { '.pnp.cjs': '', [cached]: bytes });
      expect(packages.length + gaps.length).toBe(1);
    }),
  );
});

test('a script that names archives which are nowhere is a gap', async () => {
  const script = '"packageLocation": "./.yarn/cache/a-npm-1.0.0-0123456789.zip/node_modules/a/"';
  const gapsOf = async (files: Readonly<Record<string, Buffer | string>>) =>
    (await catalogFiles(npmYarnCache, files)).gaps;
  const gap = { path: 'app/.pnp.cjs', reason: "names packages in archives that are not in Yarn's cache" };
  expect(await gapsOf({ 'app/.pnp.cjs': script })).toEqual([gap]);
  expect(await gapsOf({ 'app/.pnp.cjs': '', 'app/.pnp.data.json': script })).toEqual([
    { ...gap, path: 'app/.pnp.data.json' },
  ]);
  expect(await gapsOf({ 'app/.pnp.cjs': script, 'other/.yarn/cache/core-npm-1.zip': core })).toEqual([gap]);
  expect(await gapsOf({ 'app/.pnp.cjs': script, [cached]: core })).toEqual([]);
  expect(await gapsOf({ 'app/.pnp.cjs': script, 'root/.yarn/berry/cache/core-npm-1.zip': core })).toEqual([]);
  expect(await gapsOf({ 'app/.pnp.cjs': 'no dependencies' })).toEqual([]);
});
