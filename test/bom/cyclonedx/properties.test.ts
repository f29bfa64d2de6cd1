import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CdxDocument } from '../../../src/bom/cyclonedx/document.ts';
import { cycloneDxVersions, writeCycloneDx } from '../../../src/bom/cyclonedx/index.ts';
import type { Component, Inventory } from '../../../src/bom/types.ts';
import { component, documentInfo, emptyInventory, hostileTexts, sampleInventory } from '../../kit/inventory.ts';
import { jsonErrors, xmlErrors } from '../../kit/validate.ts';

const options = cycloneDxVersions.flatMap((version) =>
  (['json', 'xml'] as const).map((format) => ({ version, format })),
);

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom(...hostileTexts.filter((each) => each.length < 100), '', ' '),
  // Any sequence of UTF-16 code units, lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
);
const anyUrl = fc.oneof(
  anyText,
  fc.webUrl(),
  anyText.map((tail) => `https://example.com/${tail}`),
);
const party = fc.record(
  { name: anyText, email: fc.oneof(anyText, fc.emailAddress()), url: anyUrl },
  { requiredKeys: ['name'] },
);
const layer = fc.nat(3);
const sighting = fc.record({
  cataloger: anyText,
  technique: fc.constantFrom('manifest-analysis', 'binary-analysis', 'filename'),
  confidence: fc.double(),
  places: fc.array(fc.record({ path: anyText, layer }), { maxLength: 3 }),
});
const hash = fc.record({ alg: fc.constantFrom('MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'), content: anyText });
const details = fc.record(
  {
    kind: fc.constantFrom('library', 'application', 'framework', 'operating-system'),
    scope: fc.constantFrom('required', 'optional', 'excluded'),
    group: anyText,
    name: anyText,
    version: anyText,
    purl: fc.oneof(anyText, fc.constant('pkg:npm/a@1')),
    licenses: fc.array(fc.oneof(anyText, fc.constantFrom('MIT', 'MIT OR Apache-2.0')), { maxLength: 3 }),
    hashes: fc.array(hash, { maxLength: 3 }),
    supplier: party,
    authors: fc.array(party, { maxLength: 3 }),
    description: anyText,
    homepage: anyUrl,
    vcs: anyUrl,
    distribution: anyUrl,
    cpes: fc.array(
      fc.oneof(
        anyText,
        anyText.map((word) => `cpe:2.3:a:${word}:b:1:*:*:*:*:*:*:*`),
      ),
      { maxLength: 3 },
    ),
    sightings: fc.array(sighting, { maxLength: 3 }),
    requiresKnown: fc.constantFrom('complete', 'incomplete', 'unknown'),
    properties: fc.array(fc.tuple(anyText, anyText), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** Refs are arbitrary but unique; edges, owners and roots point anywhere, also at nothing and at themselves. */
const components: fc.Arbitrary<readonly Component[]> = fc
  .uniqueArray(fc.oneof(anyText, fc.constantFrom('root', 'os:debian@12')), { maxLength: 6 })
  .chain((refs) => {
    const target = fc.constantFrom('nowhere', ...refs);
    const edges = fc.record(
      { requires: fc.array(target, { maxLength: 4 }), ownedBy: target },
      { requiredKeys: ['requires'] },
    );
    return fc.tuple(
      ...refs.map((ref) =>
        fc.tuple(details, edges).map(([known, to]) => ({ ...component(ref), ...known, ref, ...to })),
      ),
    );
  });

const inventory: fc.Arbitrary<Inventory> = fc
  .record({
    components,
    roots: fc.array(anyText, { maxLength: 2 }),
    distro: fc.option(
      fc.record(
        {
          id: anyText,
          idLike: fc.array(anyText),
          versionId: anyText,
          cpe: anyText,
          homeUrl: anyUrl,
          path: anyText,
          layer,
        },
        { requiredKeys: ['id', 'idLike', 'path', 'layer'] },
      ),
    ),
    name: anyText,
    gaps: fc.array(fc.record({ rule: anyText, path: anyText, reason: anyText }), { maxLength: 3 }),
    kind: fc.constantFrom('image', 'rootfs', 'source', 'file'),
  })
  .map(({ components, roots, distro, name, gaps, kind }) => ({
    ...emptyInventory(),
    subject: { ...sampleInventory().subject, name, kind },
    components,
    roots,
    ...(distro === null ? {} : { distro }),
    coverage: { catalogers: [], gaps, files: 1, excluded: 0 },
  }));

describe('any inventory', () => {
  test.each(options)('becomes a valid document of version $version in $format', ({ version, format }) => {
    fc.assert(
      fc.property(inventory, (given) => {
        const written = writeCycloneDx(given, documentInfo, { version, format });
        expect(format === 'json' ? jsonErrors(written, version) : xmlErrors(written, version)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('has unique refs, no dangling ones, and all of them within reach of the root', () => {
    fc.assert(
      fc.property(inventory, fc.constantFrom(...cycloneDxVersions), (given, version) => {
        const written = writeCycloneDx(given, documentInfo, { version, format: 'json' });
        const { metadata, components, dependencies, compositions } = JSON.parse(written) as CdxDocument;
        const refs = [metadata.component, ...(components ?? [])].map((each) => each['bom-ref']);
        expect(refs.length).toBe(given.components.length + (given.distro === undefined ? 1 : 2));
        expect(new Set(refs).size).toBe(refs.length);
        const edges = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
        expect([...edges.keys()].sort()).toEqual(refs.toSorted());
        const reached = new Set(['root']);
        for (const ref of reached) for (const next of edges.get(ref)!) reached.add(next);
        expect(reached.size).toBe(refs.length);
        const graded = compositions.flatMap((each) => each.dependencies ?? []);
        expect(graded.toSorted()).toEqual(refs.toSorted());
      }),
    );
  });

  test('gives the same bytes in whatever order its components, edges, roots and gaps are', () => {
    const shuffled = inventory.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray([...given.components], { minLength: given.components.length }),
        fc.shuffledSubarray([...given.coverage.gaps], { minLength: given.coverage.gaps.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, fc.constantFrom(...options), ([given, components, gaps], option) => {
        const turned = components.map((each) => ({
          ...each,
          requires: each.requires.toReversed(),
          sightings: each.sightings.toReversed(),
        }));
        const other: Inventory = {
          ...given,
          components: turned,
          roots: given.roots.toReversed(),
          coverage: { ...given.coverage, gaps },
        };
        expect(writeCycloneDx(other, documentInfo, option)).toBe(writeCycloneDx(given, documentInfo, option));
      }),
    );
  });

  test('tells the same in JSON and XML', () => {
    fc.assert(
      fc.property(inventory, (given) => {
        const json = writeCycloneDx(given, documentInfo, { version: '1.6', format: 'json' });
        const xml = writeCycloneDx(given, documentInfo, { version: '1.6', format: 'xml' });
        const count = (text: string, part: RegExp) => text.match(part)?.length ?? 0;
        expect(count(xml, /<property name=/g)).toBe(count(json, /^ {8,}"name": "(?:tidewaiter|cdx):/gm));
        expect(count(xml, /<component type=/g)).toBe(given.components.length + (given.distro === undefined ? 2 : 3));
      }),
    );
  });
});

test('20,000 components are written the same whatever their order', () => {
  const many = Array.from({ length: 20_000 }, (_, at) =>
    component(`pkg:npm/package-${at}@1.0.${at}`, {
      licenses: ['MIT'],
      requires: [`pkg:npm/package-${at + 1}@1.0.${at + 1}`, `pkg:npm/package-${at * 7 + 1}@1.0.${at * 7 + 1}`],
      sightings: [
        {
          cataloger: 'npm/package-lock',
          technique: 'manifest-analysis',
          confidence: 1,
          places: [{ path: 'a', layer: 0 }],
        },
      ],
    }),
  );
  const roots = [many[0]!.ref];
  for (const format of ['json', 'xml'] as const) {
    const write = (components: readonly Component[]) =>
      writeCycloneDx(emptyInventory({ roots, components }), documentInfo, { version: '1.6', format });
    expect(write(many.toReversed()) === write(many)).toBe(true);
  }
});
