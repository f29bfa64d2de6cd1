import { expect, test } from 'vitest';
import { packedPrograms } from '../../../src/catalog/unread/index.ts';
import { catalogFiles } from '../../kit/catalog.ts';
import { buildElf } from '../executable/build.ts';

function packed(at: number): Buffer {
  const bytes = buildElf([{ name: '.text', bytes: Buffer.alloc(8192) }]);
  bytes.write('UPX!', at, 'latin1');
  return bytes;
}

test('a program that is packed with UPX is named', async () => {
  expect(await catalogFiles(packedPrograms, { 'bin/tool': packed(0xec) })).toEqual({
    packages: [],
    gaps: [{ path: 'bin/tool', reason: 'is packed with UPX, and what is in it cannot be told' }],
  });
});

test('one that only speaks of UPX is not, nor is a text', async () => {
  const files = { 'bin/upx': packed(5000), 'doc/upx': Buffer.from('UPX! '.repeat(2000)) };
  expect(await catalogFiles(packedPrograms, files)).toEqual({ packages: [], gaps: [] });
});
