/** The inventory behind docs/formats/facts.example.json: small, with every part of the format in it. */
import type { DocumentInfo, Inventory } from '../../src/bom/types.ts';

export const exampleInfo: DocumentInfo = {
  timestamp: '2026-01-02T03:04:05Z',
  tool: { name: 'tidewaiter', version: '0.1.0' },
  authors: [],
};

const libc = 'pkg:deb/debian/libc6@2.36-9?arch=arm64';
const left = 'pkg:npm/left-pad@1.3.0';

export const exampleInventory: Inventory = {
  subject: {
    requested: 'oci:build/app',
    kind: 'image',
    name: 'example.com/shop/app:1.2.3',
    version: '1.2.3',
    index: `sha256:${'1'.repeat(64)}`,
    manifest: `sha256:${'2'.repeat(64)}`,
    config: `sha256:${'3'.repeat(64)}`,
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    layers: [
      {
        index: 0,
        digest: `sha256:${'4'.repeat(64)}`,
        diffId: `sha256:${'5'.repeat(64)}`,
        size: 1024,
        plainSize: 4096,
        createdBy: 'COPY . /app',
      },
    ],
  },
  claims: {
    annotations: { 'org.opencontainers.image.source': 'https://example.com/shop/app' },
    labels: { maintainer: 'shop@example.com' },
    created: '2026-01-01T00:00:00Z',
  },
  distro: { id: 'debian', idLike: [], versionId: '12', name: 'Debian GNU/Linux', path: 'usr/lib/os-release', layer: 0 },
  roots: [libc, left],
  components: [
    {
      ref: libc,
      purl: libc,
      ecosystem: 'deb',
      name: 'libc6',
      version: '2.36-9',
      kind: 'library',
      scope: 'required',
      licenses: ['LGPL-2.1-or-later'],
      hashes: [],
      supplier: { name: 'GNU Libc Maintainers', email: 'libc@example.com' },
      authors: [],
      cpes: [],
      sightings: [
        {
          cataloger: 'dpkg/status',
          technique: 'manifest-analysis',
          confidence: 1,
          places: [{ path: 'var/lib/dpkg/status', layer: 0 }],
        },
      ],
      requires: [],
      requiresKnown: 'complete',
      properties: [['dpkg:source', 'glibc']],
    },
    {
      ref: left,
      purl: left,
      ecosystem: 'npm',
      name: 'left-pad',
      version: '1.3.0',
      kind: 'library',
      scope: 'required',
      licenses: ['WTFPL'],
      hashes: [{ alg: 'SHA-512', content: 'a'.repeat(128) }],
      authors: [{ name: 'azer' }],
      cpes: [],
      sightings: [
        {
          cataloger: 'npm/package-json',
          technique: 'manifest-analysis',
          confidence: 1,
          places: [{ path: 'app/node_modules/left-pad/package.json', layer: 0 }],
        },
      ],
      requires: [],
      requiresKnown: 'unknown',
      properties: [],
    },
  ],
  coverage: {
    catalogers: [
      { cataloger: 'dpkg/status', files: 1, packages: 1, gaps: 0 },
      { cataloger: 'java/archive', files: 1, packages: 0, gaps: 1 },
      { cataloger: 'npm/package-json', files: 1, packages: 1, gaps: 0 },
    ],
    gaps: [
      {
        rule: 'unreadable-file',
        path: 'app/broken.jar',
        layer: 0,
        cataloger: 'java/archive',
        reason: 'not a zip archive',
      },
    ],
    files: 123,
    excluded: 0,
  },
};
