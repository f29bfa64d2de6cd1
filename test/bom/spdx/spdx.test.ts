import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeSpdxJson } from '../../../src/bom/spdx/index.ts';
import type { Component, DocumentInfo, Inventory } from '../../../src/bom/types.ts';
import { root } from '../../kit/data.ts';
import { component, documentInfo, emptyInventory, hostileTexts, sampleInventory } from '../../kit/inventory.ts';
import { spdxProblems } from './check.ts';

type Json = Readonly<Record<string, unknown>>;

function written(inventory: Inventory, info: DocumentInfo = documentInfo) {
  const text = writeSpdxJson(inventory, info);
  expect(spdxProblems(text)).toEqual([]);
  const document = JSON.parse(text) as {
    documentNamespace: string;
    name: string;
    comment: string;
    creationInfo: { creators: string[] };
    packages: Json[];
    relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[];
    hasExtractedLicensingInfos?: Json[];
    annotations?: { comment: string }[];
  };
  const names = new Map(document.packages.map((each) => [String(each['SPDXID']), String(each['name'])]));
  const name = (id: string): string => names.get(id) ?? id;
  const edges = document.relationships.map(
    (each) => `${name(each.spdxElementId)} ${each.relationshipType} ${name(each.relatedSpdxElement)}`,
  );
  return { text, document, edges };
}

/** The one package of an inventory with one component of which these things are known. */
function packageOf(known: Partial<Component>): Json {
  const only = component('pkg:npm/left-pad@1.3.0', known);
  return written(emptyInventory({ components: [only], roots: [only.ref] })).document.packages[1]!;
}

const image: Inventory['subject'] = {
  requested: 'x',
  kind: 'image',
  name: 'example.com/team/App:1@sha256:00',
  manifest: `sha256:${'a'.repeat(64)}`,
  platform: { os: 'linux', architecture: 'arm64' },
  layers: [],
};

describe('an SPDX document', () => {
  test('meets the specification for the sample image', () => {
    const { document } = written(sampleInventory());
    expect(document.packages).toHaveLength(11);
    expect(document.creationInfo.creators).toEqual([
      'Tool: tidewaiter-0.1.0',
      'Organization: Example GmbH (sbom@example.com)',
      'Person: Release Team (release@example.com)',
    ]);
  });

  test('of nothing holds the subject alone', () => {
    const { document, edges } = written(emptyInventory(), { ...documentInfo, authors: [] });
    expect(document.packages.map((each) => each['name'])).toEqual(['empty']);
    expect(edges).toEqual(['SPDXRef-DOCUMENT DESCRIBES empty']);
    expect(document.comment).toBe('files seen: 0, left out on request: 0\ncould not be read: 0');
    expect(document.annotations).toBeUndefined();
  });

  test('has the same bytes for the same input, and another namespace for other content', () => {
    const first = written(sampleInventory());
    expect(written(sampleInventory()).text).toBe(first.text);
    const later = written(sampleInventory(), { ...documentInfo, timestamp: '2027-01-01T00:00:00Z' });
    expect(later.document.documentNamespace).toBe(first.document.documentNamespace);
    const other = written(sampleInventory({ components: [], roots: [] }));
    expect(other.document.documentNamespace).not.toBe(first.document.documentNamespace);
    expect(first.document.documentNamespace).toMatch(
      /^https:\/\/spdx\.org\/spdxdocs\/tidewaiter-example\.com-team-app-1\.2\.3-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('names every gap, and says that the list may lack something', () => {
    const { document, edges } = written(sampleInventory());
    expect(document.annotations?.map((each) => each.comment)).toEqual([
      'unreadable-file: opt/broken.jar (layer 1, java/archive): not a zip archive',
      'unsupported-entry: dev/\\x1b[31mred: sparse files are not read',
    ]);
    expect(edges).toContain('example.com/team/app:1.2.3 CONTAINS NOASSERTION');
    expect(document.comment).toContain('could not be read: 2,');
  });

  test('carries neither the target as it was typed nor the commands of the image history', () => {
    const { text } = written(sampleInventory());
    expect(text).not.toContain('app.tar');
    expect(text).not.toContain('/bin/sh');
  });
});

describe('the subject', () => {
  test.each([
    ['image', 'CONTAINER'],
    ['rootfs', 'OPERATING_SYSTEM'],
    ['source', 'SOURCE'],
    ['file', 'FILE'],
  ] as const)('of kind %s has the purpose %s', (kind, purpose) => {
    const { document } = written(emptyInventory({ subject: { ...image, kind } }));
    expect(document.packages[0]).toMatchObject({ SPDXID: 'SPDXRef-Root', primaryPackagePurpose: purpose });
  });

  test('is identified by its digest', () => {
    const { document } = written(emptyInventory({ subject: image }));
    expect(document.packages[0]).toMatchObject({
      versionInfo: image.manifest,
      checksums: [{ algorithm: 'SHA256', checksumValue: 'a'.repeat(64) }],
      externalRefs: [
        {
          referenceCategory: 'PACKAGE-MANAGER',
          referenceType: 'purl',
          referenceLocator: `pkg:oci/app@sha256:${'a'.repeat(64)}?arch=arm64`,
        },
      ],
    });
  });

  test('keeps what it says of itself apart, as claims', () => {
    const [subject] = written(sampleInventory()).document.packages;
    expect(String(subject?.['comment']).split('\n')).toEqual(
      expect.arrayContaining([
        'platform: linux/arm64/v8',
        'claims author: Somebody',
        'claims label maintainer: nobody <nobody@example.com>',
      ]),
    );
  });
});

describe('a package', () => {
  test('holds what is known, in the fields that SPDX has for it', () => {
    expect(
      packageOf({
        supplier: { name: 'Example Inc. (EU)', email: 'a@example.com' },
        authors: [{ name: 'Alice' }, { name: 'Bob' }],
        hashes: [{ alg: 'SHA-1', content: 'b'.repeat(40) }],
        licenses: ['MIT'],
        homepage: 'https://user:secret@example.com/',
        distribution: 'https://token@registry.example.com/left-pad.tgz',
        vcs: 'git+https://user:secret@example.com/left-pad.git',
        description: 'pads\r\nto the left\u001b[1m',
        cpes: ['cpe:2.3:a:x:left-pad:1.3.0:*:*:*:*:*:*:*', 'cpe:/a:x:left-pad', 'cpe'],
        properties: [['npm:x', 'y']],
        sightings: [
          {
            cataloger: 'npm/package-json',
            technique: 'manifest-analysis',
            confidence: 1,
            places: [
              { path: 'a/package.json', layer: 0 },
              { path: 'b/package.json', layer: 1 },
            ],
          },
        ],
      }),
    ).toEqual({
      SPDXID: 'SPDXRef-Package-npm-left-pad-1.3.0-13df810e9c4fb124',
      name: 'left-pad',
      versionInfo: '1.3.0',
      supplier: 'Organization: Example Inc. (EU) (a@example.com)',
      originator: 'Person: Alice',
      downloadLocation: 'https://registry.example.com/left-pad.tgz',
      filesAnalyzed: false,
      checksums: [{ algorithm: 'SHA1', checksumValue: 'b'.repeat(40) }],
      homepage: 'https://example.com/',
      sourceInfo:
        'npm/package-json in a/package.json (layer 0), b/package.json (layer 1) by manifest-analysis, confidence 1',
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'MIT',
      copyrightText: 'NOASSERTION',
      description: 'pads\nto the left\\x1b[1m',
      comment: 'author: Bob\nsource repository: git+https://example.com/left-pad.git\ncpe: cpe\nnpm:x: y',
      externalRefs: [
        { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:npm/left-pad@1.3.0' },
        {
          referenceCategory: 'SECURITY',
          referenceType: 'cpe23Type',
          referenceLocator: 'cpe:2.3:a:x:left-pad:1.3.0:*:*:*:*:*:*:*',
        },
        { referenceCategory: 'SECURITY', referenceType: 'cpe22Type', referenceLocator: 'cpe:/a:x:left-pad' },
      ],
      primaryPackagePurpose: 'LIBRARY',
    });
  });

  test('of which nothing is known asserts nothing', () => {
    const { version: _, ...bare } = component('pkg:npm/left-pad');
    expect(written(emptyInventory({ components: [bare], roots: [bare.ref] })).document.packages[1]).toMatchObject({
      supplier: 'NOASSERTION',
      downloadLocation: 'NOASSERTION',
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'NOASSERTION',
      copyrightText: 'NOASSERTION',
    });
  });

  test('is named as its ecosystem names it', () => {
    expect(packageOf({ group: '@babel', name: 'core' })['name']).toBe('@babel/core');
    expect(packageOf({ ecosystem: 'maven', group: 'org.slf4j', name: 'slf4j-api' })['name']).toBe(
      'org.slf4j:slf4j-api',
    );
    expect(packageOf({ ecosystem: 'golang', group: 'github.com/spf13', name: 'cobra' })['name']).toBe(
      'github.com/spf13/cobra',
    );
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://', '/relative', 'https://a b'])(
    'takes no address from %j, but keeps it as text',
    (url) => {
      const known = packageOf({ homepage: url, distribution: url });
      expect(known['homepage']).toBeUndefined();
      expect(known).toMatchObject({
        downloadLocation: 'NOASSERTION',
        comment: `distribution: ${url}\nhomepage: ${url}`,
      });
    },
  );

  test('takes no checksum of the wrong length, but keeps it as text', () => {
    const known = packageOf({ hashes: [{ alg: 'SHA-256', content: 'abc' }] });
    expect(known['checksums']).toBeUndefined();
    expect(known['comment']).toBe('SHA-256: abc');
  });

  test('ends a supplier name in parentheses so that no reader takes it for an address', () => {
    expect(packageOf({ supplier: { name: 'Example (EU)' } })['supplier']).toBe('Organization: Example (EU) ()');
    expect(packageOf({ supplier: { name: ' \n ' } })['supplier']).toBe('NOASSERTION');
    expect(packageOf({ supplier: { name: 'A\nPerson: B', email: 'not an address' } })['supplier']).toBe(
      'Organization: A Person: B',
    );
  });
});

describe('a declared licence', () => {
  test.each([
    [['MIT'], 'MIT'],
    [['MIT', 'MIT'], 'MIT'],
    [['MIT', 'Apache-2.0 OR ISC'], '(Apache-2.0 OR ISC) AND MIT'],
    [['GPL-2.0-only WITH Classpath-exception-2.0', 'MIT'], 'GPL-2.0-only WITH Classpath-exception-2.0 AND MIT'],
    [[], 'NOASSERTION'],
    [['', '  '], 'NOASSERTION'],
  ])('from %j is %j', (licenses, expected) => {
    expect(packageOf({ licenses })['licenseDeclared']).toBe(expected);
  });

  test('that is not on the list is a reference to its own words, the same in every package', () => {
    const claim = 'do as you like,\nbut quietly';
    const components = ['a', 'b'].map((name) => component(`pkg:npm/${name}@1`, { licenses: [claim, 'MIT'] }));
    const { document } = written(emptyInventory({ components, roots: components.map((each) => each.ref) }));
    expect(document.hasExtractedLicensingInfos).toEqual([
      {
        licenseId: 'LicenseRef-do-as-you-like-but-quietly-64e16c610a97cd99',
        extractedText: 'do as you like,\nbut quietly',
        name: 'do as you like, but quietly',
      },
    ]);
    for (const each of document.packages.slice(1)) {
      expect(each['licenseDeclared']).toBe('LicenseRef-do-as-you-like-but-quietly-64e16c610a97cd99 AND MIT');
    }
  });

  test('that refers to a licence of its own package stays, and the reference resolves', () => {
    const only = component('pkg:npm/a@1', { licenses: ['MIT AND LicenseRef-Own', 'DocumentRef-x:LicenseRef-y'] });
    const { document } = written(emptyInventory({ components: [only], roots: [only.ref] }));
    const ids = document.hasExtractedLicensingInfos?.map((each) => String(each['licenseId'])) ?? [];
    const declared = String(document.packages[1]?.['licenseDeclared']);
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(declared).toContain(id);
    expect(declared).not.toContain('DocumentRef-x:');
  });
});

describe('the graph', () => {
  const dev = component('pkg:npm/dev@1', {
    scope: 'excluded',
    requires: ['pkg:npm/tool@1'],
    requiresKnown: 'complete',
  });
  const tool = component('pkg:npm/tool@1', { scope: 'excluded', requiresKnown: 'complete' });
  const maybe = component('pkg:npm/maybe@1', { scope: 'optional', requiresKnown: 'incomplete' });
  const app = component('pkg:npm/app@1', {
    requires: [dev.ref, maybe.ref],
    requiresKnown: 'complete',
    ownedBy: tool.ref,
  });
  const components = [app, dev, maybe, tool];
  const shared = [
    'dev DEV_DEPENDENCY_OF app',
    'maybe OPTIONAL_DEPENDENCY_OF app',
    'dev DEPENDS_ON tool',
    'maybe DEPENDS_ON NOASSERTION',
    'tool DEPENDS_ON NONE',
  ];

  test('of an image contains every package', () => {
    const { edges } = written(emptyInventory({ subject: { ...image, name: 'root' }, components, roots: [app.ref] }));
    expect(edges).toEqual([
      'SPDXRef-DOCUMENT DESCRIBES root',
      'root CONTAINS app',
      'root CONTAINS dev',
      'root CONTAINS maybe',
      'root CONTAINS tool',
      'tool CONTAINS app',
      ...shared,
    ]);
  });

  test('of a source tree depends on what it asks for', () => {
    const roots = [app.ref, dev.ref];
    const { edges } = written(emptyInventory({ components, roots }));
    expect(edges.slice(0, 3)).toEqual([
      'SPDXRef-DOCUMENT DESCRIBES empty',
      'empty DEPENDS_ON app',
      'dev DEV_DEPENDENCY_OF empty',
    ]);
    expect(edges).toEqual(expect.arrayContaining(shared));
  });

  test('of a source tree with gaps says that it may depend on more', () => {
    const coverage = { catalogers: [], gaps: [{ rule: 'too-large', path: 'a', reason: 'b' }], files: 1, excluded: 0 };
    expect(written(emptyInventory({ coverage })).edges).toContain('empty DEPENDS_ON NOASSERTION');
  });
});

test('the page on the format shows what is written', () => {
  const page = readFileSync(path.join(root, 'docs/formats/spdx.md'), 'utf8');
  const shown = page.split('```json')[1]!.split('```')[0]!;
  const places = [{ path: 'app/node_modules/left-pad/package.json', layer: 0 }];
  const sightings = [{ cataloger: 'npm/package-json', technique: 'manifest-analysis' as const, confidence: 1, places }];
  expect(JSON.parse(shown)).toEqual(packageOf({ licenses: ['WTFPL'], sightings }));
});

test.each([
  ['a dangling relationship', '"relatedSpdxElement": "SPDXRef-Root"', '"relatedSpdxElement": "SPDXRef-Other"'],
  ['an unknown licence', '"licenseDeclared": "MIT"', '"licenseDeclared": "MIT OR Nobody-1.0"'],
  ['a bad identifier', '"SPDXID": "SPDXRef-OperatingSystem"', '"SPDXID": "SPDXRef-Operating_System"'],
  ['a short checksum', `"${'a'.repeat(64)}"`, `"${'a'.repeat(63)}"`],
  ['a missing licence text', '"licenseId": "LicenseRef-proto-', '"licenseId": "LicenseRef-other-'],
])('the checks of these tests notice %s', (_name, right, wrong) => {
  const text = writeSpdxJson(sampleInventory(), documentInfo);
  expect(text).toContain(right);
  expect(spdxProblems(text.replace(right, wrong))).not.toEqual([]);
});

test('whatever the image says, the document meets the specification', () => {
  const text = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary' }), fc.string());
  const known = fc.record({
    name: text,
    group: text,
    version: text,
    licenses: fc.array(fc.oneof(text, fc.constantFrom('MIT', 'MIT OR ISC', 'LicenseRef-a_b', '(', 'NONE')), {
      maxLength: 3,
    }),
    hashes: fc.array(fc.record({ alg: fc.constantFrom('MD5' as const, 'SHA-512' as const), content: text }), {
      maxLength: 1,
    }),
    supplier: fc.record({ name: text, email: text, url: text }),
    authors: fc.array(fc.record({ name: text }), { maxLength: 2 }),
    description: text,
    homepage: text,
    vcs: text,
    distribution: fc.oneof(text, fc.webUrl()),
    cpes: fc.array(text, { maxLength: 2 }),
    scope: fc.constantFrom('required' as const, 'optional' as const, 'excluded' as const),
    properties: fc.array(fc.tuple(text, text), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(
      fc.array(known, { maxLength: 4 }),
      text,
      fc.constantFrom('image' as const, 'source' as const),
      (all, name, kind) => {
        const components = all.map((each, index) => component(`pkg:generic/${index}`, each));
        const subject = { ...image, kind, name, version: name };
        const gaps = [{ rule: 'unreadable-file', path: name, reason: name }];
        const coverage = { catalogers: [], gaps, files: 0, excluded: 0 };
        const claims = { annotations: { [name]: name }, labels: {}, author: name };
        written({ subject, claims, roots: components.map((each) => each.ref), components, coverage });
      },
    ),
    { numRuns: 60 },
  );
});
