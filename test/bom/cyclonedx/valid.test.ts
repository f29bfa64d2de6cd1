import { describe, expect, test } from 'vitest';
import { cycloneDxVersions, writeCycloneDx } from '../../../src/bom/cyclonedx/index.ts';
import type { Inventory } from '../../../src/bom/types.ts';
import { describeData, readData } from '../../kit/data.ts';
import {
  component,
  documentInfo,
  emptyInventory,
  hostileInventory,
  hostileTexts,
  sampleInventory,
} from '../../kit/inventory.ts';
import { jsonErrors, xmlErrors } from '../../kit/validate.ts';

const minimal = component('pkg:generic/a');

const inventories: readonly (readonly [name: string, inventory: Inventory])[] = [
  ['the sample image', sampleInventory()],
  ['an empty source tree', emptyInventory()],
  ['a component of which only the name is known', emptyInventory({ roots: [minimal.ref], components: [minimal] })],
  ['an image without a digest', emptyInventory({ subject: { requested: 'x', kind: 'image', name: '', layers: [] } })],
  ['a root file system', sampleInventory({ subject: { requested: '/', kind: 'rootfs', name: 'rootfs', layers: [] } })],
  [
    'a file',
    sampleInventory({
      subject: { requested: 'a.jar', kind: 'file', name: 'a.jar', layers: [], digest: `sha256:${'f'.repeat(64)}` },
    }),
  ],
  ...hostileTexts.map((hostile, at): readonly [string, Inventory] => [
    `hostile text ${at} in every field`,
    hostileInventory(hostile),
  ]),
];

describe.each(cycloneDxVersions)('CycloneDX %s', (version) => {
  test.each(inventories)('JSON of %s validates against the schema', (_, inventory) => {
    const written = writeCycloneDx(inventory, documentInfo, { version, format: 'json' });
    expect(jsonErrors(written, version)).toEqual([]);
  });

  test.each(inventories)('XML of %s validates against the schema', (_, inventory) => {
    const written = writeCycloneDx(inventory, documentInfo, { version, format: 'xml' });
    expect(xmlErrors(written, version)).toEqual([]);
  });

  test.each(inventories)('%s is written as UTF-8 without a lone surrogate, null or empty name', (_, inventory) => {
    const json = writeCycloneDx(inventory, documentInfo, { version, format: 'json' });
    const xml = writeCycloneDx(inventory, documentInfo, { version, format: 'xml' });
    expect(json.isWellFormed() && xml.isWellFormed()).toBe(true);
    for (const value of valuesOf(JSON.parse(json))) {
      expect(value).not.toBeNull();
      if (typeof value === 'string') expect(value.isWellFormed()).toBe(true);
    }
    expect(json).not.toMatch(/"name": ""/);
    expect(xml).not.toMatch(/<name><\/name>/);
  });
});

describe('the validators of these tests', () => {
  const wrong = { bomFormat: 'CycloneDX', components: [{ type: 'library' }] };

  test.each(cycloneDxVersions)('refuse a component without a name in %s', (version) => {
    expect(jsonErrors(JSON.stringify({ ...wrong, specVersion: version }), version)).not.toEqual([]);
    const namespace = `http://cyclonedx.org/schema/bom/${version}`;
    const xml = `<bom xmlns="${namespace}"><components><component type="library"/></components></bom>`;
    expect(xmlErrors(xml, version)).not.toEqual([]);
    expect(xmlErrors(`<bom xmlns="${namespace}"><components/></bom>`, version)).toEqual([]);
  });

  test('refuse a URL with a space', () => {
    const reference = { type: 'website', url: 'https://a b' };
    const document = {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      components: [{ type: 'library', name: 'a', externalReferences: [reference] }],
    };
    expect(jsonErrors(JSON.stringify(document), '1.6')).not.toEqual([]);
  });
});

describeData('the validators of these tests', () => {
  interface Case {
    readonly file: string;
    readonly specVersion: string;
    readonly format: string;
    readonly expected: string | null;
  }
  const cases = (): readonly Case[] =>
    (JSON.parse(readData('cyclonedx/index.json').toString()) as { readonly cases: readonly Case[] }).cases.filter(
      ({ specVersion, expected }) => cycloneDxVersions.some((known) => known === specVersion) && expected !== null,
    );

  test('agree with the judgement of the specification on each of its own documents from 1.4 on', () => {
    const wrong = cases().filter(({ file, specVersion, format, expected }) => {
      const text = readData(`cyclonedx/${file}`).toString();
      const errors = format === 'json' ? jsonErrors(text, specVersion) : xmlErrors(text, specVersion);
      return (errors.length === 0) !== (expected === 'valid');
    });
    expect(cases().length).toBeGreaterThan(200);
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });
});

describe('the strict validator of the CycloneDX library', () => {
  test.for(cycloneDxVersions)('accepts the sample in %s', async (version, context) => {
    const { Spec, Validation } = await import('@cyclonedx/cyclonedx-library');
    const known = Object.values(Spec.Version).find((each) => each === version)!;
    const written = writeCycloneDx(sampleInventory(), documentInfo, { version, format: 'json' });
    try {
      expect(await new Validation.JsonStrictValidator(known).validate(written)).toBeNull();
    } catch (error) {
      if (!(error instanceof Validation.MissingOptionalDependencyError)) throw error;
      context.skip('the library lacks an optional dependency of its validator');
    }
  });
});

function valuesOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(valuesOf);
}
