import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/bom/types.ts';
import { writeTable } from '../../src/report/table.ts';
import { displayWidth } from '../../src/report/text.ts';
import { component, emptyInventory, hostileTexts, sampleInventory } from '../kit/inventory.ts';

function seen(...paths: string[]) {
  return [
    {
      cataloger: 'npm/package-json',
      technique: 'manifest-analysis' as const,
      confidence: 1,
      places: paths.map((path, layer) => ({ path, layer })),
    },
  ];
}

const owner = component('pkg:deb/debian/node-babel@7.20.15', { sightings: seen('var/lib/dpkg/status') });

function image(overrides: Partial<Inventory> = {}): Inventory {
  return emptyInventory({
    subject: {
      requested: './app.tar',
      kind: 'image',
      name: 'example.com/app:1',
      manifest: `sha256:${'a'.repeat(64)}`,
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      layers: [{ index: 0, diffId: `sha256:${'b'.repeat(64)}`, size: 1_500_000, plainSize: 4_000_000 }],
    },
    distro: { id: 'debian', idLike: [], prettyName: 'Debian GNU/Linux 12', path: 'etc/os-release', layer: 0 },
    components: [
      owner,
      component('pkg:maven/org.slf4j/slf4j-api', { group: 'org.slf4j', sightings: seen('opt/app.jar', 'opt/b.jar') }),
      component('pkg:npm/%40babel/core@7.20.15', {
        group: '@babel',
        scope: 'optional',
        ownedBy: owner.ref,
        sightings: seen('usr/share/nodejs/@babel/core/package.json'),
      }),
      component('pkg:npm/typescript@5.6.3', { scope: 'excluded' }),
    ],
    coverage: { catalogers: [], gaps: [], files: 7, excluded: 2 },
    ...overrides,
  });
}

describe('the table', () => {
  test('says what was scanned, what is in it and what to do next', () => {
    expect(writeTable(image(), { color: false })).toBe(
      [
        'example.com/app:1',
        '  scanned   ./app.tar',
        '  kind      image',
        '  platform  linux/arm64/v8',
        `  manifest  sha256:${'a'.repeat(64)}`,
        '  system    Debian GNU/Linux 12',
        '  layers    1 (1.5 MB stored, 4.0 MB unpacked)',
        '  files     7, 2 left out by request',
        '',
        '4 packages: 1 deb, 1 maven, 2 npm',
        '',
        'NAME                 VERSION  TYPE            FOUND IN',
        '@babel/core          7.20.15  npm (optional)  usr/share/nodejs/@babel/core/package.json (part of node-babel)',
        'node-babel           7.20.15  deb             var/lib/dpkg/status',
        'org.slf4j:slf4j-api  unknown  maven           opt/app.jar +1',
        'typescript           5.6.3    npm (dev)       -',
        '',
        'next: tidewaiter scan ./app.tar -o cyclonedx-json=bom.json',
        '',
      ].join('\n'),
    );
  });

  test('names everything that could not be read', () => {
    const gaps = [
      { rule: 'unreadable-file', path: 'opt/broken.jar', layer: 1, cataloger: 'java/archive', reason: 'not a zip' },
      { rule: 'too-large', path: '::warning::x', reason: 'larger than 1 GB' },
    ];
    const text = writeTable(image({ components: [], coverage: { catalogers: [], gaps, files: 2, excluded: 0 } }), {
      color: false,
    });
    expect(text).toContain(
      [
        '  files     2',
        '',
        'no packages found',
        '',
        'could not read everything, packages may be missing above (2 gaps):',
        '  opt/broken.jar (layer 2, java/archive): not a zip',
        '  \\x3a:warning::x: larger than 1 GB',
        '',
      ].join('\n'),
    );
  });

  test('of nothing says so', () => {
    expect(writeTable(emptyInventory(), { color: false })).toBe(
      'empty\n  scanned   ./empty\n  kind      source\n  files     0\n\nno packages found\n',
    );
  });

  test('cuts columns to the width of a terminal, keeping the ends of paths and the owner', () => {
    const lines = writeTable(image(), { color: false, width: 80 }).split('\n');
    expect(lines).toContain('@babel/core          7.20.15  npm (optional)  …package.json (part of node-babel)');
    expect(lines.find((line) => line.startsWith('@babel'))).toHaveLength(80);
  });

  test('cuts nothing in a file, and one long name does not widen the other lines', () => {
    const long = 'x'.repeat(10_000);
    const rows = writeTable(
      image({ components: [component(`pkg:npm/${long}@1`), component('pkg:npm/short@1', { sightings: seen(long) })] }),
      { color: false },
    ).split('\n');
    expect(rows.find((row) => row.startsWith('xxx'))).toBe(`${long}  1        npm   -`);
    expect(rows.find((row) => row.startsWith('short'))).toBe(`${'short'.padEnd(60)}  1        npm   ${long}`);
  });

  test('offers no command line that a shell would take apart', () => {
    for (const requested of ['$(reboot)', 'a b', '-rf', "a';b", 'ä', '']) {
      const inventory = image({ subject: { ...image().subject, requested } });
      expect(writeTable(inventory, { color: false })).toContain('next: tidewaiter scan TARGET -o ');
    }
  });

  test('uses colour only when asked, and then changes no word', () => {
    const plain = writeTable(sampleInventory(), { color: false, width: 100 });
    const colored = writeTable(sampleInventory(), { color: true, width: 100 });
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[1m');
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(plain);
  });

  test('holds a line for every package and no other control than line breaks, whatever the image says', () => {
    const text = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary', minLength: 1 }));
    fc.assert(
      fc.property(fc.array(fc.record({ name: text, version: text, path: text }), { maxLength: 8 }), (packages) => {
        const components = packages.map(({ name, version, path }, index) =>
          component(`pkg:generic/${index}`, { name, version, sightings: seen(path) }),
        );
        const table = writeTable(image({ components }), { color: false });
        expect(table).not.toMatch(/[^\P{Cc}\n]|\p{Surrogate}/u);
        const rows = table.split('\n').slice(table.split('\n').findIndex((line) => line.startsWith('NAME')) + 1);
        if (packages.length > 0) expect(rows.indexOf('')).toBe(packages.length);
      }),
      { numRuns: 50 },
    );
  });

  test('never exceeds a terminal of ordinary width', () => {
    fc.assert(
      fc.property(fc.integer({ min: 66, max: 200 }), (width) => {
        const lines = writeTable(sampleInventory(), { color: false, width }).split('\n');
        const start = lines.findIndex((line) => line.startsWith('NAME'));
        for (const line of lines.slice(start, lines.indexOf('', start))) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});
