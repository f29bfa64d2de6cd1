import { expect, test } from 'vitest';
import { writePurls } from '../../src/bom/purls.ts';
import { component, emptyInventory } from '../kit/inventory.ts';

test('every purl is one line, once, in code unit order', () => {
  const components = [
    component('pkg:npm/b@1'),
    component('pkg:npm/a@1'),
    component('pkg:npm/B@1'),
    component('pkg:npm/a@1', { ref: 'another' }),
  ];
  expect(writePurls(emptyInventory({ components }))).toBe('pkg:npm/B@1\npkg:npm/a@1\npkg:npm/b@1\n');
});

test('nothing found is an empty text', () => {
  expect(writePurls(emptyInventory())).toBe('');
});

test('a purl cannot start a second line', () => {
  const hostile = component('pkg:npm/a', { purl: 'pkg:npm/a\npkg:npm/b' });
  expect(writePurls(emptyInventory({ components: [hostile] }))).toBe('pkg:npm/a\\x0apkg:npm/b\n');
});
