import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cycloneDxVersions, writeCycloneDx } from '../../../src/bom/cyclonedx/index.ts';
import type { Component } from '../../../src/bom/types.ts';
import { root } from '../../kit/data.ts';
import { documentInfo, hostileInventory, sampleInventory } from '../../kit/inventory.ts';

test('every property that is written is documented', () => {
  const page = readFileSync(path.join(root, 'docs/formats/cyclonedx.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `((?:tidewaiter|cdx):[^`]+)` \|/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'tidewaiter:<ecosystem>:<fact>')
    .map((name) => new RegExp(`^${name.replace(/<[a-z]+>/g, '.+')}$`));
  const written = new Set<string>();
  for (const inventory of [sampleInventory(), hostileInventory(`${'x'.repeat(2000)}\ud800`)]) {
    // What catalogers add is theirs to document.
    const components = inventory.components.map((each): Component => ({ ...each, properties: [] }));
    for (const version of cycloneDxVersions) {
      const json = writeCycloneDx({ ...inventory, components }, documentInfo, { version, format: 'json' });
      for (const [, name = ''] of json.matchAll(/"name": "((?:tidewaiter|cdx):[^"]*)"/g)) written.add(name);
    }
  }
  expect(written.size).toBeGreaterThan(30);
  expect([...written].filter((name) => !documented.some((pattern) => pattern.test(name)))).toEqual([]);
});
