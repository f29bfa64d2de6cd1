import { describe, expect, test } from 'vitest';
import type { CdxComponent, CdxDocument } from '../../../src/bom/cyclonedx/document.ts';
import { type CycloneDxVersion, writeCycloneDx } from '../../../src/bom/cyclonedx/index.ts';
import type { Inventory } from '../../../src/bom/types.ts';
import { component, documentInfo, emptyInventory, sampleInventory } from '../../kit/inventory.ts';

const typescript = 'pkg:npm/typescript@5.6.3';
const babel = 'pkg:npm/%40babel/core@7.20.15';
const nodeBabel = 'pkg:deb/debian/node-babel@7.20.15?arch=all&distro=debian-12';

function write(inventory: Inventory = sampleInventory(), version: CycloneDxVersion = '1.6'): CdxDocument {
  return JSON.parse(writeCycloneDx(inventory, documentInfo, { version, format: 'json' })) as CdxDocument;
}

function find(document: CdxDocument, ref: string): CdxComponent {
  return document.components!.find((each) => each['bom-ref'] === ref)!;
}

function properties({ properties }: { readonly properties?: CdxComponent['properties'] }, name: string): string[] {
  return (properties ?? []).filter((each) => each.name === name).map(({ value }) => value);
}

describe('the head of a document', () => {
  test('comes in the order of the specification', () => {
    expect(Object.keys(write())).toEqual([
      '$schema',
      'bomFormat',
      'specVersion',
      'serialNumber',
      'version',
      'metadata',
      'components',
      'dependencies',
      'compositions',
    ]);
  });

  test('names time, tool, authors, manufacturer and phase', () => {
    const { metadata } = write();
    expect(metadata).toMatchObject({
      timestamp: '2026-01-02T03:04:05Z',
      lifecycles: [{ phase: 'post-build' }],
      tools: { components: [{ type: 'application', name: 'tidewaiter', version: '0.1.0' }] },
      authors: [{ name: 'Release Team', email: 'release@example.com' }],
      manufacturer: {
        name: 'Example GmbH',
        url: ['https://example.com'],
        contact: [{ email: 'sbom@example.com' }],
      },
      licenses: [{ license: { id: 'CC0-1.0' } }],
    });
    expect(write(emptyInventory()).metadata.lifecycles).toEqual([{ phase: 'pre-build' }]);
  });

  test('describes the image by the digests that were recomputed', () => {
    const image = write().metadata.component;
    const digest = (seed: string) => `sha256:${seed.padStart(64, '0')}`;
    expect(image).toMatchObject({
      type: 'container',
      'bom-ref': 'root',
      name: 'example.com/team/app:1.2.3',
      version: '1.2.3',
      purl: `pkg:oci/app@${digest('2')}?arch=arm64`,
      hashes: [{ alg: 'SHA-256', content: '2'.padStart(64, '0') }],
    });
    expect(properties(image, 'tidewaiter:platform')).toEqual(['linux/arm64/v8']);
    expect(properties(image, 'tidewaiter:digest:index')).toEqual([digest('1')]);
    expect(properties(image, 'tidewaiter:digest:config')).toEqual([digest('3')]);
    expect(properties(image, 'tidewaiter:layer:1:digest')).toEqual([digest('a1')]);
    expect(properties(image, 'tidewaiter:layer:1:diff-id')).toEqual([digest('b1')]);
    expect(properties(image, 'tidewaiter:claim:label:maintainer')).toEqual(['nobody <nobody@example.com>']);
    expect(properties(image, 'tidewaiter:unknown')).toEqual(['licenses', 'supplier']);
  });

  test('holds neither the path that was asked for nor commands of the image history', () => {
    const written = JSON.stringify(write());
    expect(written).not.toContain('app.tar');
    expect(written).not.toContain('ADD file:abc');
  });

  test('names every gap and the count of them', () => {
    const { metadata } = write();
    expect(properties(metadata, 'tidewaiter:gaps')).toEqual(['2']);
    expect(properties(metadata, 'tidewaiter:gap')).toEqual([
      'dev/\u001b[31mred: sparse files are not read',
      'opt/broken.jar: not a zip archive',
    ]);
    expect(properties(metadata, 'tidewaiter:cataloger:java/archive')).toEqual(['files=2 packages=1 gaps=1']);
    expect(properties(metadata, 'tidewaiter:files:excluded')).toEqual(['5']);
  });
});

describe('a component', () => {
  test('carries everything that is known of it', () => {
    expect(find(write(), typescript)).toEqual({
      type: 'library',
      'bom-ref': typescript,
      supplier: { name: 'Microsoft Corp.', url: ['https://www.typescriptlang.org/'] },
      authors: [{ name: 'Microsoft Corp.', email: 'ts@example.com' }, { name: 'Another' }],
      publisher: 'Microsoft Corp.',
      name: 'typescript',
      version: '5.6.3',
      description: 'TypeScript is a language for application scale JavaScript development',
      scope: 'excluded',
      hashes: [
        { alg: 'SHA-512', content: 'b'.repeat(128) },
        { alg: 'SHA-1', content: 'c'.repeat(40) },
      ],
      licenses: [{ expression: 'Apache-2.0 OR MIT', acknowledgement: 'declared' }],
      purl: typescript,
      externalReferences: [
        { url: 'https://www.typescriptlang.org/', type: 'website' },
        { url: 'git+https://github.com/microsoft/TypeScript.git', type: 'vcs' },
        {
          url: 'https://registry.example.com/typescript/-/typescript-5.6.3.tgz',
          type: 'distribution',
          hashes: [
            { alg: 'SHA-512', content: 'b'.repeat(128) },
            { alg: 'SHA-1', content: 'c'.repeat(40) },
          ],
        },
      ],
      properties: [
        { name: 'tidewaiter:cataloger', value: 'npm/package-lock' },
        { name: 'tidewaiter:layer:1', value: 'srv/app/package-lock.json' },
        { name: 'cdx:npm:package:development', value: 'true' },
      ],
      evidence: {
        identity: [
          {
            field: 'purl',
            confidence: 1,
            methods: [{ technique: 'manifest-analysis', confidence: 1, value: 'srv/app/package-lock.json' }],
          },
        ],
        occurrences: [{ location: 'srv/app/package-lock.json' }],
      },
    });
  });

  test('says of each missing fact that it is unknown', () => {
    const bare = component('pkg:generic/bare');
    const known = component('pkg:generic/known@1', {
      licenses: ['MIT'],
      hashes: [{ alg: 'SHA-1', content: 'a'.repeat(40) }],
      supplier: { name: 'Someone' },
      requiresKnown: 'complete',
    });
    const document = write(emptyInventory({ roots: [bare.ref, known.ref], components: [bare, known] }));
    expect(properties(find(document, bare.ref), 'tidewaiter:unknown')).toEqual([
      'hashes',
      'licenses',
      'supplier',
      'version',
      'dependencies',
    ]);
    expect(properties(find(document, known.ref), 'tidewaiter:unknown')).toEqual([]);
  });

  test('lists each place once and each way of recognition', () => {
    const cobra = find(write(), 'pkg:golang/github.com/spf13/cobra@v1.8.1');
    expect(cobra.evidence).toEqual({
      identity: [
        {
          field: 'purl',
          confidence: 0.95,
          methods: [
            { technique: 'binary-analysis', confidence: 0.95, value: 'usr/bin/tool' },
            { technique: 'binary-analysis', confidence: 0.5, value: 'usr/bin/tool' },
          ],
        },
      ],
      occurrences: [{ location: 'usr/bin/tool' }],
    });
    expect(properties(cobra, 'tidewaiter:cataloger')).toEqual(['binary/classifier', 'go/buildinfo']);
  });

  test('has one CPE in its field and the others as properties', () => {
    const libssl = find(write(), 'pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=arm64&distro=debian-12');
    expect(libssl.cpe).toBe('cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*');
    expect(properties(libssl, 'tidewaiter:cpe')).toEqual(['cpe:2.3:a:debian:openssl:3.0.15:*:*:*:*:*:*:*']);
  });

  test('keeps as properties what does not fit the fields', () => {
    const odd = component('pkg:generic/odd', {
      version: 'v'.repeat(1025),
      homepage: 'javascript:alert(1)',
      hashes: [{ alg: 'SHA-256', content: 'abc' }],
      cpes: ['not a cpe'],
    });
    const written = find(write(emptyInventory({ roots: [odd.ref], components: [odd] })), odd.ref);
    expect(written).not.toHaveProperty('version');
    expect(written).not.toHaveProperty('hashes');
    expect(written).not.toHaveProperty('externalReferences');
    expect(written).not.toHaveProperty('cpe');
    expect(properties(written, 'tidewaiter:version')).toEqual(['v'.repeat(1025)]);
    expect(properties(written, 'tidewaiter:website')).toEqual(['javascript:alert(1)']);
    expect(properties(written, 'tidewaiter:hash:SHA-256')).toEqual(['abc']);
    expect(properties(written, 'tidewaiter:cpe')).toEqual(['not a cpe']);
    expect(properties(written, 'tidewaiter:unknown')).toContain('hashes');
  });

  test('has no layers where the subject has none', () => {
    const layered = sampleInventory();
    const document = write({ ...layered, subject: { requested: '.', kind: 'source', name: 'x', layers: [] } });
    expect(JSON.stringify(document)).not.toContain('tidewaiter:layer');
  });
});

describe('the graph', () => {
  const edges = (document: CdxDocument) => new Map(document.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));

  test('has the operating system and the roots below the subject, and an owner above what it owns', () => {
    const drawn = edges(write());
    expect(drawn.get('root')).toEqual(['os:debian@12', ...sampleInventory().roots].sort());
    expect(drawn.get('os:debian@12')).toEqual([]);
    expect(drawn.get(nodeBabel)).toContain(babel);
    expect(properties(find(write(), babel), 'tidewaiter:owned-by')).toEqual([nodeBabel]);
  });

  test('has an entry for every component, sorted, and an empty one for a leaf', () => {
    const document = write();
    const refs = [...document.components!.map((each) => each['bom-ref']), 'root'].sort();
    expect(document.dependencies.map(({ ref }) => ref)).toEqual(refs);
    expect(edges(document).get(typescript)).toEqual([]);
  });

  test('ties a cycle without an entrance to the root', () => {
    const first = component('pkg:generic/a', { requires: ['pkg:generic/b'] });
    const second = component('pkg:generic/b', { requires: ['pkg:generic/a'] });
    const drawn = edges(write(emptyInventory({ components: [first, second] })));
    expect(drawn.get('root')).toEqual(['pkg:generic/a']);
  });

  test('leaves out an edge that leads nowhere and does not call the rest complete', () => {
    const first = component('pkg:generic/a', { requires: ['pkg:generic/gone'], requiresKnown: 'complete' });
    const document = write(emptyInventory({ roots: [first.ref], components: [first] }));
    expect(edges(document).get(first.ref)).toEqual([]);
    expect(document.compositions).toEqual([
      { aggregate: 'unknown', assemblies: ['root'], dependencies: ['root'] },
      { aggregate: 'incomplete', dependencies: [first.ref] },
    ]);
  });

  test('says how complete each list of dependencies is', () => {
    const { compositions } = write();
    expect(compositions.map(({ aggregate, assemblies }) => [aggregate, assemblies])).toEqual([
      ['incomplete', ['root']],
      ['complete', undefined],
      ['incomplete', undefined],
      ['unknown', undefined],
    ]);
    expect(compositions[1]!.dependencies).toContain(typescript);
    expect(compositions[2]!.dependencies).toEqual([nodeBabel]);
    expect(compositions[3]!.dependencies).toContain('os:debian@12');
  });

  test.each([
    ['nothing was unreadable or excluded', { gaps: [], excluded: 0 }, 'unknown'],
    ['a file was unreadable', { gaps: [{ rule: 'x', path: 'a', reason: 'b' }], excluded: 0 }, 'incomplete'],
    ['files were excluded', { gaps: [], excluded: 1 }, 'incomplete'],
  ])('calls the subject no more complete than the scan was when %s', (_, coverage, aggregate) => {
    const inventory = emptyInventory({ coverage: { catalogers: [], files: 9, ...coverage } });
    expect(write(inventory).compositions[0]!.aggregate).toBe(aggregate);
  });

  test('refuses an inventory with the same ref twice, which would be a bug of the core', () => {
    const twin = component('pkg:generic/a');
    expect(() => write(emptyInventory({ components: [twin, twin] }))).toThrow('two components');
  });

  test('keeps apart refs that differ only in what cannot be written', () => {
    const [first, second] = [component('a\udc80'), component('a\\x80')];
    const document = write(emptyInventory({ roots: [first.ref, second.ref], components: [first, second] }));
    expect(document.components!.map((each) => each['bom-ref'])).toEqual(['a\\x80', 'a\\x80#2']);
  });
});

describe('an older version', () => {
  test('1.5 has one author field, one identity and no acknowledgement', () => {
    const document = write(sampleInventory(), '1.5');
    const written = find(document, typescript);
    expect(written.author).toBe('Microsoft Corp. <ts@example.com>, Another');
    expect(written).not.toHaveProperty('authors');
    expect(written.licenses).toEqual([{ expression: 'Apache-2.0 OR MIT' }]);
    expect(written.evidence!.identity).toMatchObject({ field: 'purl', confidence: 1 });
    expect(document.metadata).not.toHaveProperty('manufacturer');
    expect(document.metadata).not.toHaveProperty('manufacture');
    expect(document.metadata.authors).toContainEqual({ name: 'Example GmbH', email: 'sbom@example.com' });
  });

  test('1.4 keeps evidence and phase as properties and lists its tools', () => {
    const document = write(sampleInventory(), '1.4');
    const written = find(document, typescript);
    expect(written).not.toHaveProperty('evidence');
    expect(properties(written, 'tidewaiter:evidence:manifest-analysis')).toEqual(['1']);
    expect(properties(written, 'tidewaiter:evidence:location')).toEqual(['srv/app/package-lock.json']);
    expect(document.metadata).not.toHaveProperty('lifecycles');
    expect(properties(document.metadata, 'tidewaiter:lifecycle')).toEqual(['post-build']);
    expect(document.metadata.tools).toEqual([{ name: 'tidewaiter', version: '0.1.0' }]);
  });
});

describe('the serial number', () => {
  const serial = (inventory: Inventory, timestamp: string) => {
    const info = { ...documentInfo, timestamp };
    return /urn:uuid:[0-9a-f-]{36}/.exec(writeCycloneDx(inventory, info, { version: '1.6', format: 'xml' }))![0];
  };

  test('comes from the content and not from the time', () => {
    expect(serial(sampleInventory(), '2026-01-01T00:00:00Z')).toBe(serial(sampleInventory(), '2027-01-01T00:00:00Z'));
    expect(serial(sampleInventory(), '2026-01-01T00:00:00Z')).not.toBe(
      serial(emptyInventory(), '2026-01-01T00:00:00Z'),
    );
  });

  test('is a UUID of version 8 and the same in JSON and XML', () => {
    expect(write().serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(serial(sampleInventory(), documentInfo.timestamp)).toBe(write().serialNumber);
  });
});
