/**
 * Sample inventories for tests of the writers: a small image with everything that a writer has to place somewhere.
 * Canonical order (components by ref, places by path then layer) is kept, as the core keeps it.
 */
import type { Component, DocumentInfo, Inventory, LayerInfo } from '../../src/bom/types.ts';

export const documentInfo: DocumentInfo = {
  timestamp: '2026-01-02T03:04:05Z',
  tool: { name: 'tidewaiter', version: '0.1.0' },
  authors: [{ name: 'Release Team', email: 'release@example.com' }],
  manufacturer: { name: 'Example GmbH', email: 'sbom@example.com', url: 'https://example.com' },
};

/** A component with nothing known beyond its name; give what the test is about. */
export function component(purl: string, known: Partial<Component> = {}): Component {
  const [type = 'generic', rest = ''] = purl.replace(/^pkg:/, '').split(/\/(.*)/s);
  const bare = rest.split(/[?#]/)[0] ?? '';
  const at = bare.lastIndexOf('@');
  return {
    ref: purl,
    purl,
    ecosystem: type,
    name: (at > 0 ? bare.slice(0, at) : bare).split('/').at(-1) ?? bare,
    kind: 'library',
    scope: 'required',
    licenses: [],
    hashes: [],
    authors: [],
    cpes: [],
    sightings: [],
    requires: [],
    requiresKnown: 'unknown',
    properties: [],
    ...(at > 0 ? { version: bare.slice(at + 1) } : {}),
    ...known,
  };
}

/** An image with two layers; deb, npm, Maven and Go packages; every optional field filled somewhere, missing elsewhere. */
export function sampleInventory(overrides: Partial<Inventory> = {}): Inventory {
  return {
    subject: {
      requested: 'app.tar',
      kind: 'image',
      name: 'example.com/team/app:1.2.3',
      version: '1.2.3',
      index: digest('1'),
      manifest: digest('2'),
      config: digest('3'),
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      layers: [layer(0, '/bin/sh -c #(nop) ADD file:abc in /'), layer(1)],
    },
    claims: {
      annotations: { 'org.opencontainers.image.source': 'https://example.com/team/app' },
      labels: { maintainer: 'nobody <nobody@example.com>', __proto__x: 'y' },
      created: '2026-01-01T00:00:00Z',
      author: 'Somebody',
    },
    distro: {
      id: 'debian',
      idLike: [],
      versionId: '12',
      name: 'Debian GNU/Linux',
      prettyName: 'Debian GNU/Linux 12 (bookworm)',
      codename: 'bookworm',
      cpe: 'cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*',
      homeUrl: 'https://www.debian.org/',
      path: 'usr/lib/os-release',
      layer: 0,
    },
    roots: [hostileRef, libsslRef, nodeBabelRef, cobraRef, slf4jRef, appRef],
    components: [hostile, libc, libssl, nodeBabel, cobra, slf4j, babel, npmApp, typescript],
    coverage: {
      catalogers: [
        { cataloger: 'dpkg/status', files: 1, packages: 3, gaps: 0 },
        { cataloger: 'java/archive', files: 2, packages: 1, gaps: 1 },
        { cataloger: 'npm/package-json', files: 3, packages: 3, gaps: 0 },
      ],
      gaps: [
        {
          rule: 'unreadable-file',
          path: 'opt/broken.jar',
          layer: 1,
          cataloger: 'java/archive',
          reason: 'not a zip archive',
        },
        { rule: 'unsupported-entry', path: 'dev/\u001b[31mred', reason: 'sparse files are not read' },
      ],
      files: 1234,
      excluded: 5,
    },
    ...overrides,
  };
}

/** A source tree in which nothing was found. */
export function emptyInventory(overrides: Partial<Inventory> = {}): Inventory {
  return {
    subject: { requested: './empty', kind: 'source', name: 'empty', layers: [] },
    claims: { annotations: {}, labels: {} },
    roots: [],
    components: [],
    coverage: { catalogers: [], gaps: [], files: 0, excluded: 0 },
    ...overrides,
  };
}

/** Text that has hurt writers elsewhere: each may stand in any field that comes from the image. */
export const hostileTexts: readonly string[] = [
  '\u0000\u0001\b\u001b[31m\u007f\u0085',
  'lone \ud800 and \udfff and raw byte \udcff',
  'cdata ]]> <![CDATA[ <!-- --> &amp; &#0; <script>"\'</script>',
  '\ufffe\uffff \u{1fffe} not characters',
  '\u202egnp.exe \u2028 line \u200b zero',
  ' \t\r\n padded \r\n ',
  '__proto__',
  'constructor',
  'x'.repeat(10_000),
  '😀 ünï',
  '%00%zz {}[]|^`\\',
];

/** The same text in every field that an image can fill, in two components that need and own each other. */
export function hostileInventory(text: string): Inventory {
  const party = { name: text, email: text, url: text };
  const known: Partial<Component> = {
    group: text,
    name: text,
    version: text,
    licenses: [text],
    hashes: [{ alg: 'SHA-256', content: text }],
    supplier: party,
    authors: [party],
    description: text,
    homepage: text,
    vcs: text,
    distribution: text,
    cpes: [text, `cpe:2.3:a:${text}:b:1:*:*:*:*:*:*:*`],
    sightings: [seen(text, 'filename', 0.1, [text, 0])],
    properties: [[text, text]],
  };
  const first = component('pkg:generic/first', {
    ...known,
    requires: ['pkg:generic/second'],
    requiresKnown: 'complete',
  });
  const second = component('pkg:generic/second', { ...known, requires: [first.ref, text], ownedBy: first.ref });
  return sampleInventory({
    subject: { ...sampleInventory().subject, name: text, version: text, platform: { os: text, architecture: text } },
    claims: {
      annotations: Object.fromEntries([[text, text]]),
      labels: Object.fromEntries([[text, text]]),
      created: text,
      author: text,
    },
    distro: {
      id: text,
      idLike: [text],
      versionId: text,
      prettyName: text,
      cpe: text,
      homeUrl: text,
      path: text,
      layer: 0,
    },
    roots: [text],
    components: [first, second],
    coverage: {
      catalogers: [{ cataloger: 'x/y', files: 1, packages: 2, gaps: 1 }],
      gaps: [{ rule: 'unreadable-file', path: text, reason: text }],
      files: 1,
      excluded: 0,
    },
  });
}

const libcRef = 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=arm64&distro=debian-12';
const libsslRef = 'pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=arm64&distro=debian-12';
const nodeBabelRef = 'pkg:deb/debian/node-babel@7.20.15?arch=all&distro=debian-12';
const cobraRef = 'pkg:golang/github.com/spf13/cobra@v1.8.1';
const slf4jRef = 'pkg:maven/org.slf4j/slf4j-api@2.0.16';
const appRef = 'pkg:npm/app@1.0.0';
const typescriptRef = 'pkg:npm/typescript@5.6.3';
const babelRef = 'pkg:npm/%40babel/core@7.20.15';
const hostileRef = 'pkg:cargo/%00evil@%EF%BF%BD';

const libc = component(libcRef, {
  name: 'libc6',
  version: '2.36-9+deb12u9',
  licenses: ['LGPL-2.1-or-later', 'GPL-2.0-only WITH Classpath-exception-2.0'],
  supplier: { name: 'GNU Libc Maintainers', email: 'debian-glibc@lists.debian.org' },
  description: 'GNU C Library: Shared libraries',
  homepage: 'https://www.gnu.org/software/libc/libc.html',
  sightings: [
    seen('dpkg/status', 'manifest-analysis', 1, ['var/lib/dpkg/info/libc6.list', 0], ['var/lib/dpkg/status', 1]),
  ],
  requiresKnown: 'complete',
  properties: [
    ['dpkg:source', 'glibc'],
    ['dpkg:source-version', '2.36-9+deb12u9'],
  ],
});

const libssl = component(libsslRef, {
  name: 'libssl3',
  version: '3.0.15-1~deb12u1',
  licenses: ['Apache-2.0', 'a licence with no SPDX id'],
  cpes: ['cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*', 'cpe:2.3:a:debian:openssl:3.0.15:*:*:*:*:*:*:*'],
  sightings: [seen('dpkg/status', 'manifest-analysis', 1, ['var/lib/dpkg/status', 1])],
  requires: [libcRef],
  requiresKnown: 'complete',
});

const nodeBabel = component(nodeBabelRef, {
  name: 'node-babel',
  version: '7.20.15',
  sightings: [seen('dpkg/status', 'manifest-analysis', 1, ['var/lib/dpkg/status', 1])],
  requires: [libcRef],
  requiresKnown: 'incomplete',
});

const cobra = component(cobraRef, {
  group: 'github.com/spf13',
  hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
  vcs: 'https://github.com/spf13/cobra',
  sightings: [
    seen('binary/classifier', 'binary-analysis', 0.5, ['usr/bin/tool', 1]),
    seen('go/buildinfo', 'binary-analysis', 0.95, ['usr/bin/tool', 1]),
  ],
});

const slf4j = component(slf4jRef, {
  group: 'org.slf4j',
  licenses: ['MIT'],
  hashes: [{ alg: 'SHA-1', content: '172931663a09a1fa515567af5fbef00897d3c04c' }],
  authors: [{ name: 'QOS.ch', url: 'http://www.qos.ch' }],
  sightings: [seen('java/archive', 'filename', 0.7, ['opt/app.jar!/BOOT-INF/lib/slf4j-api-2.0.16.jar', 1])],
});

const npmApp = component(appRef, {
  kind: 'application',
  licenses: ['SEE LICENSE IN LICENSE.txt'],
  sightings: [seen('npm/package-json', 'manifest-analysis', 1, ['srv/app/package.json', 1])],
  requires: [babelRef, typescriptRef],
  requiresKnown: 'complete',
});

const typescript = component(typescriptRef, {
  scope: 'excluded',
  licenses: ['Apache-2.0 OR MIT'],
  hashes: [
    { alg: 'SHA-512', content: 'b'.repeat(128) },
    { alg: 'SHA-1', content: 'c'.repeat(40) },
  ],
  supplier: { name: 'Microsoft Corp.', url: 'https://www.typescriptlang.org/' },
  authors: [{ name: 'Microsoft Corp.', email: 'ts@example.com' }, { name: 'Another' }],
  description: 'TypeScript is a language for application scale JavaScript development',
  homepage: 'https://www.typescriptlang.org/',
  vcs: 'git+https://github.com/microsoft/TypeScript.git',
  distribution: 'https://registry.example.com/typescript/-/typescript-5.6.3.tgz',
  sightings: [seen('npm/package-lock', 'manifest-analysis', 1, ['srv/app/package-lock.json', 1])],
  requiresKnown: 'complete',
});

const babel = component(babelRef, {
  group: '@babel',
  scope: 'optional',
  licenses: ['MIT'],
  ownedBy: nodeBabelRef,
  sightings: [
    seen(
      'npm/package-json',
      'manifest-analysis',
      1,
      ['usr/share/nodejs/@babel/core/package.json', 0],
      ['usr/share/nodejs/@babel/core/package.json', 1],
    ),
  ],
});

const hostile = component(hostileRef, {
  name: hostileTexts[0]!,
  version: hostileTexts[1]!,
  licenses: [hostileTexts[2]!, hostileTexts[6]!],
  description: hostileTexts[3]!,
  homepage: 'javascript:alert(1) <"]]>',
  vcs: 'git@github.com:evil/repo name.git\u0000',
  cpes: ['not a cpe', hostileTexts[4]!],
  supplier: { name: hostileTexts[5]!, email: 'not an address', url: 'http://[bad' },
  authors: [{ name: hostileTexts[8]! }],
  sightings: [seen('cargo/lock', 'manifest-analysis', 1, [`tmp/${hostileTexts[1]!}`, 1])],
  properties: [
    ['__proto__', '__proto__'],
    ['cargo:x', hostileTexts[2]!],
  ],
});

function seen(
  cataloger: string,
  technique: Component['sightings'][number]['technique'],
  confidence: number,
  ...places: readonly (readonly [path: string, layer: number])[]
): Component['sightings'][number] {
  return { cataloger, technique, confidence, places: places.map(([path, at]) => ({ path, layer: at })) };
}

function layer(index: number, createdBy?: string): LayerInfo {
  return {
    index,
    digest: digest(`a${index}`),
    diffId: digest(`b${index}`),
    size: 1000 + index,
    plainSize: 3000 + index,
    ...(createdBy === undefined ? {} : { createdBy }),
  };
}

function digest(seed: string): string {
  return `sha256:${seed.padStart(64, '0')}`;
}
