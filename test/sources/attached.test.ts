import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import { type AttachedImage, type Attachment, openAttached } from '../../src/sources/attached.ts';
import type { PlatformChoice } from '../../src/sources/index.ts';
import {
  anImage,
  anIndex,
  type Built,
  blobPath,
  described,
  describe as descriptorOf,
  dockerArchive,
  type Files,
  type Item,
  indexType,
  layout,
  manifestType,
  ociArchive,
  sha256,
  tagged,
} from '../kit/image.ts';
import {
  aBundle,
  aboutSibling,
  anAttestation,
  aPaper,
  aSignature,
  saved,
  sigstoreBundle,
  simpleSigning,
  tagOf,
  unlisted,
} from '../kit/papers.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();

function image(name = 'app'): Built {
  return anImage().layer(file(name, name)).built();
}

async function attached(files: Files, reference = '', platform: PlatformChoice = 'all'): Promise<AttachedImage> {
  const found = await openAttached(`oci:${writeTree(temporary, files)}${reference}`, {
    disk: realDisk,
    limits: defaultLimits,
    platform,
  });
  await found.close();
  return found;
}

/** What is attached, in a line each: kind, what it hangs on, and the problem if there is one. */
function lines(found: { readonly attachments: readonly Attachment[] }, names: Record<string, string> = {}): string[] {
  return found.attachments.map(({ kind, attachedTo, problem }) =>
    [kind, names[attachedTo], problem?.code].filter((each) => each !== undefined).join(' '),
  );
}

async function refusal(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof OperationalError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no refusal';
}

/** The bytes of one blob are others. */
function damaged(files: Files, digest: string, bytes: Buffer): Files {
  return new Map([...files, [blobPath(digest), bytes]]);
}

function without(files: Files, digest: string): Files {
  return new Map([...files].filter(([name]) => name !== blobPath(digest)));
}

const app = image();

describe('what hangs on an image under a tag', () => {
  it.each([
    ['.sig', aSignature(app.digest), 'cosign-signature'],
    ['.att', anAttestation(app.digest), 'cosign-attestation'],
    ['.sbom', aPaper({ layers: [{ mediaType: 'text/spdx+json', content: '{}' }] }), 'sbom'],
    ['.sbom', aPaper({ layers: [{ mediaType: 'application/vnd.cyclonedx+xml', content: '<bom/>' }] }), 'sbom'],
  ])('%s is found', async (suffix, paper, kind) => {
    const found = await attached(layout([tagged(app, 'v1'), tagged(paper, tagOf(app.digest, suffix))]));
    expect(lines(found)).toEqual([kind]);
    expect(found.attachments[0]).toMatchObject({ attachedTo: app.digest, manifest: paper.digest });
    expect(sha256(found.attachments[0]!.bytes)).toBe(found.attachments[0]!.layer);
    expect(found.gaps).toEqual([]);
    expect(found.name).toBe('v1');
  });

  it.each([
    ['a registry and a repository', `localhost:5000/acme/app:${tagOf(app.digest, '.sig')}`],
    ['another repository, as COSIGN_REPOSITORY has it', `registry.example/signatures:${tagOf(app.digest, '.sig')}`],
    ['a prefix of its own', `ci-${tagOf(app.digest, '.sig')}`],
  ])('is found behind %s', async (_, name) => {
    expect(lines(await attached(layout([tagged(app, 'v1'), tagged(aSignature(app.digest), name)])))).toEqual([
      'cosign-signature',
    ]);
  });

  it('is found where containerd keeps the full name', async () => {
    const annotations = { 'io.containerd.image.name': `docker.io/acme/app:${tagOf(app.digest, '.att')}` };
    const paper = described(anAttestation(app.digest), { annotations });
    expect(lines(await attached(layout([tagged(app, 'v1'), paper])))).toEqual(['cosign-attestation']);
  });

  it('is one attachment for each layer, with the annotations of that layer', async () => {
    const layer = { mediaType: simpleSigning, content: 'one payload', annotations: { a: '1' } };
    const paper = aPaper({ layers: [layer, { ...layer, annotations: { a: '2' } }], annotations: { a: 'manifest' } });
    const { attachments } = await attached(layout([tagged(app, 'v1'), tagged(paper, tagOf(app.digest, '.sig'))]));
    expect(attachments.map(({ annotations }) => annotations.get('a'))).toEqual(['1', '2']);
    expect(attachments.map(({ place }) => place.replace(/.*, /, ''))).toEqual(['layer 1', 'layer 2']);
  });

  it('is reported twice where two manifests have the same tag', async () => {
    const tag = tagOf(app.digest, '.sig');
    const papers = [tagged(aSignature(app.digest), tag), tagged(aSignature(app.digest, {}, 'other'), tag)];
    expect(lines(await attached(layout([tagged(app, 'v1'), ...papers])))).toEqual([
      'cosign-signature',
      'cosign-signature',
    ]);
  });

  it('of another image is not attached to this one', async () => {
    const other = image('other');
    const files = layout([
      tagged(app, 'v1'),
      tagged(other, 'v2'),
      tagged(aSignature(other.digest), tagOf(other.digest, '.sig')),
    ]);
    expect(lines(await attached(files, ':v1'))).toEqual([]);
    expect(lines(await attached(files, ':v2'))).toEqual(['cosign-signature']);
  });

  it('does not hide which image was meant when none is named', async () => {
    const items = [tagged(aSignature(app.digest), tagOf(app.digest, '.sig')), tagged(app, 'v1'), aBundle(app.digest)];
    expect((await attached(layout(items))).digests.map(({ digest }) => digest)).toEqual([app.digest]);
    expect(await refusal(attached(layout([...items, tagged(image('other'), 'v2')])))).toMatch(/holds several images/);
  });
});

describe('what refers to an image by its subject', () => {
  it('is found when index.json lists it', async () => {
    const found = await attached(layout([tagged(app, 'v1'), aBundle(app.digest)]));
    expect(lines(found)).toEqual(['bundle']);
    expect(found.attachments[0]).toMatchObject({
      mediaType: sigstoreBundle,
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
    });
  });

  it('is found when nothing lists it, as cosign save leaves it', async () => {
    const files = new Map([...layout([tagged(app, 'v1')]), ...unlisted([aBundle(app.digest)])]);
    const found = await attached(files);
    expect(lines(found)).toEqual(['bundle']);
    expect(found.attachments[0]?.place).toMatch(/^referrer that nothing lists, manifest sha256:/);
  });

  it('is found through the fallback tag, and once if it is found in two ways', async () => {
    const bundle = aBundle(app.digest);
    const fallback = tagged(anIndex([bundle]), tagOf(app.digest));
    expect(lines(await attached(layout([tagged(app, 'v1'), fallback])))).toEqual(['bundle']);
    expect(lines(await attached(layout([tagged(app, 'v1'), fallback, bundle])))).toEqual(['bundle']);
  });

  it('is found under a fallback tag that is cut, as the digests of SHA-512 need it', async () => {
    const bytes = app.blobs.get(blobPath(app.digest))!;
    const { createHash } = await import('node:crypto');
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const item = { ...tagged(app, 'v1'), blobs: new Map([...app.blobs, [blobPath(digest), bytes]]) };
    const bundle = aBundle(digest);
    const fallback = tagged(anIndex([bundle]), tagOf(digest).slice(0, 'sha512-'.length + 64));
    const found = await attached(layout([described(item, { digest }), fallback]), ':v1');
    expect(found.digests.map((each) => each.digest)).toEqual([digest]);
    expect(found.attachments.map(({ place }) => place.slice(0, 10))).toEqual(['tag "sha51']);
  });

  it.each([
    [
      'the experimental signatures of cosign',
      aSignature(app.digest, {
        subject: app.digest,
        configMediaType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
      }),
      'cosign-signature',
    ],
    [
      'envelopes',
      anAttestation(app.digest, { subject: app.digest, artifactType: 'application/vnd.in-toto+json' }),
      'dsse',
    ],
    [
      'envelopes under the media type of statements',
      aPaper({
        layers: [{ mediaType: 'application/vnd.in-toto+json', content: '{"payloadType":"x"}' }],
        subject: app.digest,
      }),
      'dsse',
    ],
    [
      'statements that nobody signed',
      aPaper({
        layers: [{ mediaType: 'application/vnd.in-toto+json', content: '{"predicateType":"x"}' }],
        subject: app.digest,
      }),
      'unknown unsupported',
    ],
    [
      'Notation',
      aPaper({
        layers: [{ mediaType: 'application/jose+json', content: '{}' }],
        artifactType: 'application/vnd.cncf.notary.signature',
        subject: app.digest,
      }),
      'notation unsupported',
    ],
    ['SBOMs', aPaper({ layers: [{ mediaType: 'application/spdx+json', content: '{}' }], subject: app.digest }), 'sbom'],
    [
      'bundles whose layer has another media type',
      aBundle(app.digest, {
        layers: [{ mediaType: 'application/json', content: '{}' }],
      }),
      'bundle',
    ],
    [
      'anything else',
      aPaper({
        layers: [{ mediaType: 'application/octet-stream', content: 'x' }],
        artifactType: 'application/x-signature',
        subject: app.digest,
      }),
      'unknown unsupported',
    ],
    ['nothing at all', aPaper({ layers: [], subject: app.digest }), 'unknown malformed'],
    [
      'artifact manifests from before image specification 1.1',
      aPaper({
        layers: [{ mediaType: sigstoreBundle, content: '{}' }],
        subject: app.digest,
        edit: ({ layers, config: _, ...document }) => ({ ...document, blobs: layers }),
      }),
      'bundle',
    ],
  ])('may be %s', async (_, paper, expected) => {
    const found = await attached(layout([tagged(app, 'v1'), paper]));
    expect(lines(found)).toEqual([expected]);
  });

  it('may be old and new formats at once', async () => {
    const files = layout([
      tagged(app, 'v1'),
      tagged(aSignature(app.digest), tagOf(app.digest, '.sig')),
      tagged(anAttestation(app.digest), tagOf(app.digest, '.att')),
      aBundle(app.digest),
    ]);
    expect(lines(await attached(files))).toEqual(['cosign-signature', 'cosign-attestation', 'bundle']);
  });

  it('does not count under the fallback tag of an image that is not its subject', async () => {
    const other = image('other');
    const bundle = aBundle(other.digest);
    const plain = aPaper({ layers: [{ mediaType: sigstoreBundle, content: '{}' }] });
    const fallback = tagged(anIndex([bundle, plain]), tagOf(app.digest));
    const found = await attached(layout([tagged(app, 'v1'), fallback]));
    expect(lines(found)).toEqual([]);
    expect(found.gaps.map(({ reason }) => reason)).toEqual([
      expect.stringContaining(`attached to ${other.digest}`),
      expect.stringContaining('attached to nothing'),
    ]);
  });

  it('is said to be none when the fallback tag names no index', async () => {
    const found = await attached(
      layout([tagged(app, 'v1'), tagged(aBundle(image('other').digest), tagOf(app.digest))]),
    );
    expect(lines(found)).toEqual([]);
    expect(found.gaps.map(({ reason }) => reason)).toEqual([expect.stringContaining('names no index')]);
  });

  it('is malformed when it is an index', async () => {
    const paper = anIndex([], (document) => ({ ...document, subject: { digest: app.digest, size: 2 } }));
    expect(lines(await attached(layout([tagged(app, 'v1'), paper])))).toEqual(['unknown malformed']);
  });
});

describe('what cosign saved', () => {
  it('is attached to the image beside it', async () => {
    const files = layout([
      saved(app, 'image'),
      saved(aSignature(app.digest), 'sigs'),
      saved(anAttestation(app.digest), 'atts'),
    ]);
    const found = await attached(new Map([...files, ...unlisted([aBundle(app.digest)])]));
    expect(lines(found)).toEqual(['cosign-signature', 'cosign-attestation', 'bundle']);
  });

  it('is attached to an index that was saved', async () => {
    const index = anIndex([app]);
    const digest = index.descriptor['digest'] as string;
    const files = layout([saved(index, 'imageIndex'), saved(aSignature(digest), 'sigs')]);
    const found = await attached(new Map([...files, ...unlisted([aBundle(digest)])]));
    expect(lines(found, { [digest]: 'index' })).toEqual(['cosign-signature index', 'bundle index']);
    expect(found.digests).toMatchObject([
      { digest, role: 'index' },
      { digest: app.digest, role: 'manifest', listedBy: [digest] },
    ]);
  });

  it('is attached to each of several images, since nothing says to which', async () => {
    const other = image('other');
    const files = layout([saved(app, 'image'), saved(other, 'image'), saved(aSignature(other.digest), 'sigs')]);
    for (const { digest } of [app, other]) {
      expect(lines(await attached(files, `@${digest}`), { [digest]: 'it' })).toEqual(['cosign-signature it']);
    }
  });

  it('may be something else than an image', async () => {
    const chart = aPaper({
      layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', content: 'x' }],
      configMediaType: 'application/vnd.cncf.helm.config.v1+json',
    });
    const artifactType = 'application/vnd.cncf.helm.config.v1+json';
    const files = layout([described(saved(chart, 'image'), { artifactType }), saved(aSignature(chart.digest), 'sigs')]);
    const found = await attached(files);
    expect(found.digests).toMatchObject([{ digest: chart.digest, role: 'manifest' }]);
    expect(lines(found)).toEqual(['cosign-signature']);
  });
});

describe('an image for several platforms', () => {
  const amd64 = anImage().layer(file('a')).built();
  const arm64 = anImage().on('linux', 'arm64').layer(file('b')).built();
  const index = anIndex([amd64, arm64]);
  const digest = index.descriptor['digest'] as string;
  const names = { [amd64.digest]: 'amd64', [arm64.digest]: 'arm64', [digest]: 'index' };
  const files = layout([
    tagged(index, 'v1'),
    aBundle(digest),
    tagged(aSignature(amd64.digest), tagOf(amd64.digest, '.sig')),
    tagged(aSignature(arm64.digest), tagOf(arm64.digest, '.sig')),
  ]);

  it('has attachments on the index and on each manifest, and says on which', async () => {
    const found = await attached(files, ':v1');
    expect(lines(found, names)).toEqual(['bundle index', 'cosign-signature amd64', 'cosign-signature arm64']);
    expect(found.digests).toEqual([
      { digest, role: 'index', listedBy: [] },
      { digest: amd64.digest, role: 'manifest', platform: { os: 'linux', architecture: 'amd64' }, listedBy: [digest] },
      { digest: arm64.digest, role: 'manifest', platform: { os: 'linux', architecture: 'arm64' }, listedBy: [digest] },
    ]);
  });

  it('leaves out what hangs on a platform that was not chosen', async () => {
    const platform = { platform: { os: 'linux', architecture: 'arm64' }, explicit: true };
    expect(lines(await attached(files, ':v1', platform), names)).toEqual(['bundle index', 'cosign-signature arm64']);
    expect(lines(await attached(files, `@${amd64.digest}`), names)).toEqual(['bundle index', 'cosign-signature amd64']);
  });

  it('may be an index of indexes, each of which covers what is below it', async () => {
    const outer = anIndex([index]);
    const outerDigest = outer.descriptor['digest'] as string;
    const found = await attached(layout([tagged(outer, 'v1'), aBundle(outerDigest)]), ':v1');
    expect(found.digests.map((each) => [each.digest, each.listedBy.length])).toEqual([
      [outerDigest, 0],
      [digest, 1],
      [amd64.digest, 2],
      [arm64.digest, 2],
    ]);
    expect(lines(found, { [outerDigest]: 'outer' })).toEqual(['bundle outer']);
  });

  it('holds the statements of BuildKit, which hang on a manifest and are no image', async () => {
    const statement = { mediaType: 'application/vnd.in-toto+json', content: '{"a":1}' };
    const paper = aPaper({
      layers: [{ ...statement, annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' } }],
    });
    const built = anIndex([amd64, aboutSibling(paper, amd64.digest)]);
    const signature = tagged(aSignature(paper.digest), tagOf(paper.digest, '.sig'));
    const found = await attached(layout([tagged(built, 'v1'), signature]), ':v1');
    expect(found.digests.map(({ role }) => role)).toEqual(['index', 'manifest']);
    expect(lines(found, names)).toEqual(['buildkit amd64']);
    expect(found.attachments[0]).toMatchObject({ predicateType: 'https://slsa.dev/provenance/v1' });
    expect(found.attachments[0]?.bytes.toString()).toBe('{"a":1}');
    expect(lines({ attachments: found.onPapers }, { [paper.digest]: 'paper' })).toEqual(['cosign-signature paper']);
  });

  it('is refused when it is not what its descriptor claims', async () => {
    expect(await refusal(attached(damaged(files, digest, Buffer.from('{}')), ':v1'))).toMatch(/^digest-mismatch: /);
    expect(await refusal(attached(damaged(files, amd64.digest, Buffer.from('{}')), ':v1'))).toMatch(
      /^digest-mismatch: /,
    );
  });
});

describe('an image that passes for a paper', () => {
  const evil = image('evil');
  const ref = (name: string) => ({ annotations: { 'org.opencontainers.image.ref.name': name } });
  const labels: readonly [string, Record<string, unknown>][] = [
    ['an artifact type', { artifactType: 'application/x' }],
    ["BuildKit's annotation", { annotations: { 'vnd.docker.reference.type': 'x' } }],
    ["cosign's annotation", { annotations: { kind: 'dev.cosignproject.cosign/x' } }],
    ['half of an unknown platform', { platform: { os: 'unknown', architecture: 'amd64' } }],
    ['no platform', { platform: undefined }],
  ];

  it.each(labels)('by %s counts in an index', async (_, label) => {
    const found = await attached(layout([tagged(anIndex([described(evil, label), app]), 'v1')]), ':v1');
    expect(found.digests.map(({ digest }) => digest)).toContain(evil.digest);
  });

  it.each(labels.slice(0, 3))('by %s counts beside another one', async (_, label) => {
    const found = await attached(layout([described(evil, label), app]));
    expect(found.digests.map(({ digest }) => digest)).toEqual([evil.digest, app.digest]);
  });

  it.each(labels)('by %s is refused under the name of another one', async (_, label) => {
    const annotations = { ...(label['annotations'] as object), ...ref('v1').annotations };
    const files = layout([described(evil, { ...label, annotations }), tagged(app, 'v1')]);
    for (const reference of ['', ':v1']) {
      const options = { os: 'linux', architecture: 'amd64' };
      for (const platform of ['all' as const, { platform: options, explicit: true }]) {
        expect(await refusal(attached(files, reference, platform))).toMatch(/^(?:usage|not-found): .*several images/);
      }
    }
  });

  it('is not hidden by a subject, by a tag of papers or by cosign, as a manifest or in an index', async () => {
    const referring = anImage()
      .layer(file('evil', 'x'))
      .editManifest((document) => ({ ...document, subject: { mediaType: manifestType, digest: app.digest, size: 2 } }))
      .built();
    const tag = `registry.example/app:sha256-${'0'.repeat(64)}`;
    const unreadable = anImage()
      .layer(file('evil', 'x'))
      .editManifest((document) =>
        JSON.stringify(document)
          .replace('"layers"', '"Layers":[],"layers"')
          .replaceAll('image.layer', '\\u0069mage.layer'),
      )
      .built();
    const items = [
      tagged(referring, 'v2'),
      tagged(evil, tag),
      tagged(evil, `${tag}.sig`),
      tagged(anIndex([evil]), tag),
      tagged(anIndex([anIndex([evil])]), tag),
      tagged(unreadable, tag),
      described(evil, { annotations: { kind: 'dev.cosignproject.cosign/sigs' } }),
    ];
    for (const item of items) {
      expect(await refusal(attached(layout([item, tagged(app, 'v1')])))).toMatch(/^usage: the layout holds several/);
      expect((await attached(layout([item, tagged(app, 'v1')]), ':v1')).digests).toHaveLength(1);
    }
  });

  it('is no file that was attached under the type of file systems', async () => {
    const plain = aPaper({
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', content: 'a file' }],
      configMediaType: 'application/vnd.oci.empty.v1+json',
      artifactType: 'sbom/example',
      subject: app.digest,
    });
    const found = await attached(layout([tagged(app, 'v1'), described(plain, { artifactType: 'sbom/example' })]));
    expect(found.digests.map(({ digest }) => digest)).toEqual([app.digest]);
  });

  it('counts for each platform that it could be taken for', async () => {
    const on = (item: Built, architecture: string, variant?: string, os = 'linux') =>
      described(item, { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } });
    const cases: readonly [Item, Item, string][] = [
      [on(evil, 'AMD64', undefined, 'Linux'), on(app, 'amd64'), 'amd64'],
      [on(evil, 'arm64', '8'), on(app, 'arm64', 'v8'), 'arm64'],
      [on(app, 'arm', 'v6'), on(evil, 'arm', 'v7'), 'arm'],
      [on(evil, 'amd64', undefined, ''), on(app, 'amd64'), 'amd64'],
      [described(evil, { platform: undefined }), on(app, 'amd64'), 'amd64'],
    ];
    for (const [one, two, architecture] of cases) {
      const platform = { platform: { os: 'linux', architecture }, explicit: true };
      const found = await attached(layout([tagged(anIndex([one, two]), 'v1')]), ':v1', platform);
      const manifests = found.digests.filter(({ role }) => role === 'manifest').map(({ digest }) => digest);
      expect(manifests.sort()).toEqual([app.digest, evil.digest].sort());
    }
  });

  it('counts beside the one for the chosen platform, where index.json lists both under one name', async () => {
    const arm = described(evil, { platform: { os: 'linux', architecture: 'arm64' }, ...ref('v1') });
    const platform = { platform: { os: 'linux', architecture: 'amd64' }, explicit: true };
    const found = await attached(layout([arm, tagged(app, 'v1')]), ':v1', platform);
    expect(found.digests.map(({ digest }) => digest).sort()).toEqual([app.digest, evil.digest].sort());
  });
});

describe('an attachment that cannot be read', () => {
  const signature = aSignature(app.digest);
  const items = [tagged(app, 'v1'), tagged(signature, tagOf(app.digest, '.sig'))];
  const payload = [...signature.blobs.keys()].find(
    (name) => name !== blobPath(signature.digest) && !name.includes('44136fa3'),
  );
  const layer = payload!.replace('blobs/sha256/', 'sha256:');

  it.each([
    ['a payload that is missing', without(layout(items), layer), 'cosign-signature unreachable'],
    ['a payload with other bytes', damaged(layout(items), layer, Buffer.alloc(10)), 'cosign-signature malformed'],
    ['a manifest that is missing', without(layout(items), signature.digest), 'cosign-signature unreachable'],
    [
      'a manifest with other bytes',
      damaged(layout(items), signature.digest, Buffer.from('{}')),
      'cosign-signature malformed',
    ],
  ])('is named: %s', async (_, files, expected) => {
    const found = await attached(files);
    expect(lines(found)).toEqual([expected]);
    expect(found.attachments[0]?.bytes).toHaveLength(0);
    expect(found.attachments[0]?.problem?.message).not.toBe('');
  });

  it.each([
    ['a manifest of wrong size', described(items[1]!, { size: 7 }), 'cosign-signature malformed'],
    [
      'a manifest of another type than listed',
      described(items[1]!, { mediaType: indexType }),
      'cosign-signature malformed',
    ],
    [
      'a manifest that is no JSON',
      tagged(aSignature(app.digest, { edit: () => 'no JSON' }), tagOf(app.digest, '.sig')),
      'cosign-signature malformed',
    ],
    [
      'an annotation that is no text',
      tagged(
        aSignature(app.digest, {
          layers: [{ mediaType: simpleSigning, content: 'x', annotations: { a: 1 } }],
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature malformed',
    ],
    [
      'a huge annotation',
      tagged(
        aSignature(app.digest, {
          layers: [{ mediaType: simpleSigning, content: 'x', annotations: { a: 'x'.repeat(70_000) } }],
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature malformed',
    ],
    [
      'a manifest and an index at once',
      tagged(
        aSignature(app.digest, {
          edit: (document) => ({ ...document, manifests: [] }),
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature malformed',
    ],
    [
      'a blob that is too large',
      tagged(
        aSignature(app.digest, {
          layers: [{ mediaType: simpleSigning, content: Buffer.alloc(16 * 1024 * 1024 + 1) }],
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature unsupported',
    ],
    [
      'a blob that is larger than stated',
      tagged(
        aSignature(app.digest, {
          layers: [{ mediaType: simpleSigning, content: 'longer than that', lies: { size: 3 } }],
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature malformed',
    ],
    [
      'a layer under no digest',
      tagged(
        aSignature(app.digest, {
          layers: [{ mediaType: simpleSigning, content: 'x', lies: { digest: 'sha256:../../etc/passwd' } }],
        }),
        tagOf(app.digest, '.sig'),
      ),
      'cosign-signature malformed',
    ],
  ])('is named: %s', async (_, item: Item, expected) => {
    expect(lines(await attached(layout([tagged(app, 'v1'), item])))).toEqual([expected]);
  });

  it('is named when nothing lists it and its manifest is damaged', async () => {
    const bundle = aBundle(app.digest);
    const bytes = bundle.blobs.get(blobPath(bundle.digest))!;
    const base = new Map([...layout([tagged(app, 'v1')]), ...unlisted([bundle])]);
    const flipped = Buffer.from(bytes.toString().replace('"schemaVersion":2', '"schemaVersion":3'));
    expect(lines(await attached(damaged(base, bundle.digest, flipped)))).toEqual(['unknown malformed']);
    const spaced = Buffer.concat([bytes, Buffer.from(' ')]);
    expect(lines(await attached(damaged(base, bundle.digest, spaced)))).toEqual(['unknown malformed']);
    expect(lines(await attached(damaged(base, bundle.digest, bytes.subarray(0, -9))))).toEqual(['unknown malformed']);
  });

  it('is not confused with an SBOM or a statement that names the image', async () => {
    const content = JSON.stringify({ subject: 'an image', layers: [{ of: app.digest }] });
    const sbom = aPaper({ layers: [{ mediaType: 'application/spdx+json', content }], subject: app.digest });
    const files = new Map([...layout([tagged(app, 'v1')]), ...unlisted([sbom])]);
    expect(lines(await attached(files))).toEqual(['sbom']);
    const statement = Buffer.from(JSON.stringify({ subject: [{ digest: { sha256: app.digest.slice(7) } }] }));
    expect(lines(await attached(new Map([...files, [blobPath(sha256(statement)), statement]])))).toEqual(['sbom']);
  });

  it('does not hide the same manifest where it is listed rightly', async () => {
    const files = layout([tagged(app, 'v1'), described(items[1]!, { size: 7 }), items[1]!]);
    expect(lines(await attached(files))).toEqual(['cosign-signature malformed', 'cosign-signature']);
  });

  it('is a gap when its manifest is listed without saying what it is attached to', async () => {
    const bundle = aBundle(app.digest);
    const files = without(
      layout([tagged(app, 'v1'), described(bundle, { artifactType: sigstoreBundle })]),
      bundle.digest,
    );
    const found = await attached(files);
    expect(lines(found)).toEqual([]);
    expect(found.gaps).toEqual([
      { place: `manifest ${bundle.digest}`, reason: expect.stringContaining('may be attached to the image') },
    ]);
  });
});

describe('whoever can write beside an image', () => {
  it('cannot make us follow what refers to what refers to it', async () => {
    const chain = [aBundle(app.digest)];
    for (let at = 0; at < 50; at++) chain.push(aBundle(chain.at(-1)!.digest, {}, `{"at":${at}}`));
    expect(lines(await attached(layout([tagged(app, 'v1'), ...chain])))).toEqual(['bundle']);
  });

  it('cannot make a manifest its own subject', async () => {
    const looped = aBundle(app.digest);
    const bytes = Buffer.from(looped.blobs.get(blobPath(looped.digest))!.toString().replace(app.digest, looped.digest));
    const files = damaged(layout([tagged(app, 'v1'), looped]), looped.digest, bytes);
    const found = await attached(files, ':v1');
    expect(lines(found)).toEqual([]);
    expect(found.gaps).toHaveLength(1);
  });

  it('cannot hang more than a thousand things on it without our saying so', async () => {
    const layers = Array.from({ length: 1200 }, () => ({ mediaType: simpleSigning, content: 'x' }));
    const found = await attached(layout([tagged(app, 'v1'), tagged(aPaper({ layers }), tagOf(app.digest, '.sig'))]));
    expect(found.attachments).toHaveLength(1000);
    expect(found.gaps).toEqual([{ place: app.digest, reason: expect.stringContaining('more than 1000') }]);
  });

  it('cannot nest indexes beyond what is looked through without our saying so', async () => {
    let deep: Item = aBundle(app.digest);
    for (let at = 0; at < 8; at++) deep = anIndex([deep]);
    const found = await attached(layout([tagged(app, 'v1'), deep]), ':v1');
    expect(found.gaps).toEqual([{ place: 'the layout', reason: expect.stringContaining('nested too deeply') }]);
    expect(lines(found)).toEqual(['bundle']);
  });

  it('cannot fill index.json beyond its limit', async () => {
    const files = layout([tagged(app, 'v1')], (document) => ({
      ...document,
      manifests: Array.from({ length: 100_000 }, () => ({ digest: app.digest, size: 2 })),
    }));
    expect(await refusal(attached(files, ':v1'))).toMatch(/^(?:malformed|limit): /);
  });

  it('cannot make tags and names obey a terminal', async () => {
    const paper = tagged(aSignature(app.digest), `\u001b[2J${tagOf(app.digest, '.sig')}`);
    const found = await attached(layout([tagged(app, 'v1'), paper]));
    expect(found.attachments[0]?.place).toMatch(/^tag "\\x1b\[2Jsha256-/);
  });

  it('cannot make it throw, or go unsaid, with any manifest', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const shapes = fc.record(
      {
        schemaVersion: fc.constantFrom(1, 2, '2'),
        mediaType: fc.constantFrom(manifestType, indexType, 7),
        artifactType: value,
        config: value,
        layers: fc.oneof(
          value,
          fc.array(fc.record({ mediaType: value, digest: fc.constant(app.digest), size: value })),
        ),
        manifests: value,
        blobs: value,
        subject: fc.oneof(value, fc.constant({ digest: app.digest, size: 2 })),
        annotations: value,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const bytes = Buffer.from(JSON.stringify(shape));
        const item: Item = {
          descriptor: descriptorOf(manifestType, bytes),
          blobs: new Map([[blobPath(sha256(bytes)), bytes]]),
        };
        const found = await attached(layout([tagged(app, 'v1'), tagged(item, tagOf(app.digest, '.sig'))]), ':v1');
        expect(found.attachments.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a target', () => {
  const items = [tagged(app, 'v1'), tagged(aSignature(app.digest), tagOf(app.digest, '.sig')), aBundle(app.digest)];
  const options = { disk: realDisk, limits: defaultLimits, platform: 'all' as const };

  function write(name: string, bytes: Buffer): string {
    const place = path.join(temporary, name);
    writeFileSync(place, bytes);
    return place;
  }

  it('may be an archive of a layout, packed or not, or a path', async () => {
    const archive = ociArchive(layout(items));
    const [plain, packed] = [write('plain.tar', archive), write('packed.tar.gz', gzipSync(archive))];
    const directory = writeTree(temporary, layout(items));
    for (const target of [
      `oci-archive:${plain}`,
      `oci-archive:${packed}:v1`,
      plain,
      packed,
      directory,
      `${directory}:v1`,
    ]) {
      const found = await openAttached(target, options);
      await found.close();
      expect(lines(found), target).toEqual(['cosign-signature', 'bundle']);
    }
  });

  it('may be an archive of docker save only when it is a layout as well', async () => {
    const named = [{ image: app, tags: ['app:v1'] }];
    const [old, fresh] = [write('old.tar', dockerArchive(named, 'old')), write('new.tar', dockerArchive(named, 'new'))];
    expect(await refusal(openAttached(`docker-archive:${old}`, options))).toMatch(/^unsupported: a docker archive/);
    const found = await openAttached(`docker-archive:${fresh}`, options);
    await found.close();
    expect(found.digests.map(({ digest }) => digest)).toEqual([app.digest]);
  });

  it('is refused when docker load would take another image from the same archive', async () => {
    const evil = image('evil');
    const listing = (...images: readonly Built[]) =>
      Buffer.from(
        JSON.stringify(
          images.map((each) => ({
            Config: blobPath(sha256(each.config)),
            RepoTags: ['app:v1'],
            Layers: each.layers.map(({ digest }) => blobPath(digest)),
          })),
        ),
      );
    const open = async (name: string, manifest: Buffer, changes: Files = new Map()) => {
      const files = new Map([...layout(items), ...evil.blobs, ['manifest.json', manifest] as const, ...changes]);
      const place = write(name, ociArchive(files));
      const results: string[] = [];
      for (const kind of ['docker-archive', 'oci-archive']) {
        results.push(await refusal(openAttached(`${kind}:${place}`, options).then((found) => found.close())));
      }
      return results;
    };
    const other = expect.stringMatching(/^unsupported: manifest.json, which docker load reads, holds "app:v1"/);
    expect(await open('same.tar', listing(app))).toEqual(['no refusal', 'no refusal']);
    expect(await open('evil.tar', listing(evil))).toEqual([other, other]);
    expect(await open('both.tar', listing(app, evil))).toEqual([other, other]);
    expect(await open('none.tar', listing())).toEqual(Array(2).fill(expect.stringMatching(/lists no image/)));
    const config: Files = new Map([[blobPath(sha256(app.config)), evil.config]]);
    expect(await open('config.tar', listing(app), config)).toEqual([other, other]);
    const place = write('without.tar', ociArchive(layout(items)));
    expect(await refusal(openAttached(`docker-archive:${place}`, options))).toMatch(/^not-found: .*no manifest.json/);
  });

  it('is the image that its digest names, and no directory that is called so', async () => {
    const evil = image('evil');
    const place = path.join(writeTree(temporary, { x: '' }), 'img');
    for (const [name, files] of [
      [place, layout(items)],
      [`${place}@${app.digest}`, layout([tagged(evil, 'v1')])],
    ] as const) {
      mkdirSync(name);
      cpSync(writeTree(temporary, files), name, { recursive: true });
    }
    for (const target of [`oci:${place}@${app.digest}`, `${place}@${app.digest}`]) {
      const found = await openAttached(target, options);
      await found.close();
      expect(found.digests.map(({ digest }) => digest)).toEqual([app.digest]);
      expect(found.reference).toMatchObject({ digest: app.digest });
    }
    expect(await refusal(openAttached(`oci:${place}@${evil.digest}`, options))).toMatch(/no image with the digest/);
    expect(await refusal(openAttached(`oci:${place}@sha256:/img`, options))).toMatch(/^usage: .*pinned to no digest/);
  });

  it('is refused when it is no image', async () => {
    expect(await refusal(openAttached(`dir:${temporary}`, options))).toMatch(/^usage: /);
    expect(await refusal(openAttached('registry.example/app', options))).toMatch(/^usage: /);
    expect(await refusal(openAttached(`oci:${temporary}`, options))).toMatch(/^not-found: .*index\.json/);
    expect(await refusal(attached(layout([tagged(app, 'v1')]), ':v2'))).toMatch(/^not-found: /);
    expect(await refusal(attached(layout([aBundle(app.digest)])))).toMatch(/^not-found: the layout lists no image/);
  });
});
