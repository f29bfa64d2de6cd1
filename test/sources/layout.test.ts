import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anImage,
  anIndex,
  blobPath,
  configType,
  describe as describeBlob,
  described,
  type Files,
  type Image,
  type Item,
  indexType,
  type Json,
  layout,
  manifestType,
  type Packing,
  sha256,
  tagged,
} from '../kit/image.ts';
import { aBundle, aPaper, aSignature, saved, sigstoreBundle, tagOf } from '../kit/papers.ts';
import { type OpenChanges, refusal, show, showAll } from '../kit/scanned.ts';
import { entry, file, type Part, pax, sparse, symlink, tar, whiteout } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();

function write(files: Files): string {
  return writeTree(temporary, files);
}

function written(image: Image): string {
  return write(layout([image.built()]));
}

const simple = anImage().layer(file('a', 'one'), file('b', 'two')).layer(file('a', 'three'), whiteout('b'));
const other = anImage().layer(file('other', 'x'));

function chosen(platform: string): OpenChanges {
  const [os = '', architecture = '', variant] = platform.split('/');
  return {
    platform: { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) }, explicit: true },
  };
}

describe('an image in a layout', () => {
  it('is shown merged, with every digest recomputed', async () => {
    const built = simple.built();
    const { source, scanned, files } = await show(`oci:${write(layout([tagged(built, 'v1')]))}`);
    expect(files).toEqual({ a: 'three' });
    expect(source.subject).toMatchObject({
      kind: 'image',
      version: 'v1',
      manifest: built.digest,
      config: sha256(built.config),
      platform: { os: 'linux', architecture: 'amd64' },
    });
    expect(source.subject).not.toHaveProperty('index');
    expect(scanned.layers).toEqual(
      built.layers.map(({ digest, diffId, stored, plain }, index) => ({
        index,
        digest,
        diffId,
        size: stored.length,
        plainSize: plain.length,
        createdBy: `step ${index + 1}`,
      })),
    );
  });

  it.each<Packing>(['plain', 'gzip', 'gzip-members', 'gzip-stored', 'zstd', 'zstd-frames'])(
    'may have layers packed as %s',
    async (packing) => {
      const image = anImage()
        .layer(file('a', 'x'.repeat(3000)), file('b', 'y'))
        .packed(packing);
      expect((await show(`oci:${written(image)}`)).files).toEqual({ a: 'x'.repeat(3000), b: 'y' });
    },
  );

  it('is read by the first bytes of its layers, whatever their media type says', async () => {
    const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
    const image = anImage().layer(file('a', 'x')).packed('zstd').lying({ mediaType: gzip });
    const docker = image
      .layer(file('b', 'y'))
      .packed('plain')
      .lying({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' });
    expect((await show(`oci:${written(docker)}`)).files).toEqual({ a: 'x', b: 'y' });
  });

  it('may have no layers, empty layers, and the same layer twice', async () => {
    expect((await show(`oci:${written(anImage())}`)).files).toEqual({});
    const repeated = simple.layer().layer(file('a', 'three'), whiteout('b'));
    expect((await show(`oci:${written(repeated)}`)).files).toEqual({ a: 'three' });
    const nothing = anImage().rawLayer(Buffer.alloc(0)).packed('plain').layer(file('a', 'x'));
    expect((await show(`oci:${written(nothing)}`)).files).toEqual({ a: 'x' });
  });

  it('may be stored under sha512', async () => {
    const { createHash } = await import('node:crypto');
    const sha512 = (bytes: Buffer) => `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const plain = tar([file('a', 'x')]);
    const stored = gzipSync(plain);
    const image = anImage()
      .rawLayer(plain)
      .lying({ digest: sha512(stored), size: stored.length, diffId: sha512(plain), stored: null });
    const files = new Map([...layout([image.built()]), [blobPath(sha512(stored)), stored]]);
    expect((await show(`oci:${write(files)}`)).files).toEqual({ a: 'x' });
  });

  it('may have its blobs behind links, as build systems lay them out', async () => {
    const place = written(simple);
    const elsewhere = mkdtempSync(path.join(temporary, 'store-'));
    for (const name of execFileSync('ls', [path.join(place, 'blobs/sha256')])
      .toString()
      .split('\n')
      .filter(Boolean)) {
      renameSync(path.join(place, 'blobs/sha256', name), path.join(elsewhere, name));
      symlinkSync(path.join(elsewhere, name), path.join(place, 'blobs/sha256', name));
    }
    expect((await show(`oci:${place}`)).files).toEqual({ a: 'three' });
  });

  it('says of itself what it wants, kept apart and away from every object', async () => {
    const labels = JSON.parse('{"maintainer":"me","__proto__":"polluted","constructor":"x"}') as Record<string, string>;
    const image = simple
      .editConfig((config) =>
        JSON.stringify({ ...config, author: 'me', config: {} }).replace(
          '"config":{}',
          `"config":{"Labels":${JSON.stringify(labels)}}`,
        ),
      )
      .editManifest((manifest) =>
        JSON.stringify(manifest).replace(/^{/, '{"annotations":{"__proto__":"polluted","toString":"x","a":"b"},'),
      );
    const { source } = await show(`oci:${written(image)}`);
    expect(source.claims).toMatchObject({ created: '2026-01-01T00:00:00Z', author: 'me' });
    expect(Object.entries(source.claims.labels).sort()).toEqual(Object.entries(labels).sort());
    expect(Object.entries(source.claims.annotations).sort()).toEqual([
      ['__proto__', 'polluted'],
      ['a', 'b'],
      ['toString', 'x'],
    ]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(({} as Json)['polluted']).toBeUndefined();
  });

  it('is shown the same whichever layer is read first', async () => {
    const image = Array.from({ length: 12 }, (_, at) => at).reduce(
      (built, at) =>
        built.layer(file('a', `${at}`), file(`own/${at}`, 'x'.repeat(at * 9000)), whiteout(`own/${at - 2}`)),
      anImage(),
    );
    const place = written(image);
    const one = await show(`oci:${place}`, { parallel: 1 });
    const many = await show(`oci:${place}`, { parallel: 8 });
    expect(many.files).toEqual(one.files);
    expect(many.scanned.layers).toEqual(one.scanned.layers);
    expect(Object.keys(one.files)).toEqual(['a', 'own/10', 'own/11']);
  });

  it('tells how far it is', async () => {
    const seen: [number, number, number][] = [];
    const built = simple.built();
    await show(`oci:${write(layout([built]))}`, { progress: (...step) => seen.push(step) });
    for (const [index, { stored }] of built.layers.entries()) {
      expect(seen.filter(([layer]) => layer === index).at(-1)).toEqual([index, stored.length, stored.length]);
    }
  });
});

describe('which image', () => {
  const two = layout([tagged(simple.built(), 'one'), tagged(other.built(), 'two')]);

  it('is said by a tag, by a digest, or not at all when there is one', async () => {
    const place = write(two);
    expect((await show(`oci:${place}:one`)).files).toEqual({ a: 'three' });
    expect((await show(`oci:${place}:two`)).files).toEqual({ other: 'x' });
    expect((await show(`oci:${place}@${other.built().digest}`)).files).toEqual({ other: 'x' });
    expect((await show(`${place}:two`)).files).toEqual({ other: 'x' });
    expect((await show(`${place}@${simple.built().digest}`)).files).toEqual({ a: 'three' });
  });

  it('must be said when there are several, and they are listed', async () => {
    expect(await refusal(`oci:${write(two)}`)).toBe(
      'usage: the layout holds several images and none was named\nadd one of these to the target: ":one", ":two"',
    );
    expect(await refusal(`oci:${write(two)}:three`)).toMatch(
      /^not-found: the layout has no image "three"\nadd .*":one", ":two"/,
    );
    expect(await refusal(`oci:${write(two)}@sha256:${'0'.repeat(64)}`)).toMatch(
      /^not-found: the layout has no image with the digest/,
    );
  });

  it('must be said when two have no tag and the same platform', async () => {
    const place = write(layout([simple.built(), other.built()]));
    expect(await refusal(`oci:${place}`)).toMatch(/several images for linux\/amd64 and none was named\n.*"@sha256:/);
    expect((await show(`oci:${place}@${other.built().digest}`)).files).toEqual({ other: 'x' });
  });

  it('must be said in full when two names have the same tag, as saved by docker', async () => {
    const named = (item: Item, name: string) =>
      described(item, {
        annotations: {
          'io.containerd.image.name': `docker.io/library/${name}:latest`,
          'org.opencontainers.image.ref.name': 'latest',
        },
      });
    const place = write(layout([named(simple.built(), 'shop'), named(other.built(), 'cart')]));
    expect(await refusal(`oci:${place}`)).toMatch(
      /several images .*\n.*":docker.io\/library\/shop:latest", ":docker.io\/library\/cart:latest"/,
    );
    expect(await refusal(`oci:${place}:latest`)).toMatch(
      /^not-found: several images of the layout are called "latest"/,
    );
    expect((await show(`oci:${place}:docker.io/library/cart:latest`)).files).toEqual({ other: 'x' });
  });

  it('need not be said when all names mean the same', async () => {
    const place = write(layout([tagged(simple.built(), 'one'), tagged(simple.built(), 'latest')]));
    expect((await show(`oci:${place}`)).files).toEqual({ a: 'three' });
  });

  it('is none of the papers that stand beside it', async () => {
    const image = simple.built();
    const papers = anImage().layer().built();
    const unknown = described(papers, { platform: { os: 'unknown', architecture: 'unknown' } });
    const place = write(layout([anIndex([unknown, image])]));
    expect((await showAll(`oci:${place}`, { platform: 'all' })).map(({ files }) => files)).toEqual([{ a: 'three' }]);
    expect((await show(`oci:${place}`)).gaps).toEqual([]);
    const bundle = aBundle(image.digest);
    const beside = [
      described(bundle, { artifactType: sigstoreBundle }),
      tagged(anIndex([bundle]), tagOf(image.digest)),
      tagged(aSignature(image.digest), tagOf(image.digest, '.sig')),
    ];
    expect((await show(`oci:${write(layout([...beside, tagged(image, 'v1')]))}`)).files).toEqual({ a: 'three' });
    const sigs = saved(aSignature(image.digest), 'sigs');
    expect((await show(`oci:${write(layout([saved(image, 'image'), sigs]))}`)).files).toEqual({ a: 'three' });
    expect(await refusal(`oci:${write(layout([anIndex([unknown])]))}`)).toMatch(
      /^not-found: the layout holds no image/,
    );
    expect(await refusal(`oci:${write(layout([described(bundle, { artifactType: sigstoreBundle })]))}`)).toMatch(
      'not-found: the layout holds no image',
    );
  });

  it.each<[string, Json]>([
    ['an artifact type', { artifactType: 'application/x' }],
    ["BuildKit's annotation", { annotations: { 'vnd.docker.reference.type': 'x' } }],
    ["cosign's annotation", { annotations: { kind: 'dev.cosignproject.cosign/x' } }],
  ])('is not hidden by %s', async (_, label) => {
    const [good, evil] = [simple.built(), described(other.built(), label)];
    const { files, gaps } = await show(`oci:${write(layout([anIndex([evil, good])]))}`);
    expect(files).toEqual({ other: 'x' });
    expect(gaps).toMatchObject([{ rule: 'suspicious-entry', reason: expect.stringContaining(good.digest) }]);
    expect(await refusal(`oci:${write(layout([evil, good]))}`)).toMatch(/several images for linux\/amd64/);
    const name = { 'org.opencontainers.image.ref.name': 'v1' };
    const same = described(evil, { annotations: { ...(label['annotations'] as Json), ...name } });
    for (const reference of ['', ':v1']) {
      expect(await refusal(`oci:${write(layout([same, tagged(good, 'v1')]))}${reference}`)).toMatch(
        /^(?:usage|not-found): .*\n.*"@sha256:.*"@sha256:/,
      );
    }
  });

  it.each(['sha256-HEX', 'app:sha256-HEX.sig'])('is not hidden by the tag %s of a paper', async (tag) => {
    const evil = tagged(other.built(), tag.replace('HEX', '0'.repeat(64)));
    const several = /^usage: the layout holds several images and none was named/;
    expect(await refusal(`oci:${write(layout([evil, tagged(simple.built(), 'v1')]))}`)).toMatch(several);
    const index = tagged(anIndex([other.built()]), tag.replace('HEX', '0'.repeat(64)));
    expect(await refusal(`oci:${write(layout([index, tagged(simple.built(), 'v1')]))}`)).toMatch(several);
  });

  it('may have one tag for several platforms, each of which is said once', async () => {
    const arm = anImage().on('linux', 'arm64').layer(file('arm', 'x')).built();
    const on = (item: Item, platform: Json | undefined) => described(tagged(item, 'v1'), { platform });
    const [amd64, arm64] = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ];
    const place = write(layout([on(simple.built(), amd64), on(arm, arm64)]));
    expect((await show(`oci:${place}:v1`)).files).toEqual({ a: 'three' });
    expect((await show(`oci:${place}:v1`, chosen('linux/arm64'))).files).toEqual({ arm: 'x' });
    for (const platform of [
      amd64,
      { os: 'Linux', architecture: 'x86_64' },
      undefined,
      { os: 'unknown', architecture: 'unknown' },
    ]) {
      const several = write(layout([on(simple.built(), amd64), on(other.built(), platform)]));
      expect(await refusal(`oci:${several}:v1`, { platform: 'all' })).toMatch(/several images .* are called "v1"/);
    }
  });

  it('is an image even when its descriptor states the type of its config', async () => {
    const image = described(simple.built(), {
      artifactType: configType,
      annotations: { kind: 'dev.cosignproject.cosign/image' },
    });
    expect((await show(`oci:${write(layout([image]))}`)).files).toEqual({ a: 'three' });
  });
});

describe('which platform', () => {
  const arm = anImage().on('linux', 'arm64', 'v8').layer(file('arm', 'x'));
  const v6 = anImage().on('linux', 'arm', 'v6').layer(file('v6', 'x'));
  const v7 = anImage().on('linux', 'arm', 'v7').layer(file('v7', 'x'));
  const amd = anImage().on('linux', 'amd64').layer(file('amd', 'x'));
  const all = [amd, arm, v6, v7].map((each) => each.built());
  const nested = anIndex(all);
  const place = write(layout([tagged(nested, 'multi')]));

  it("is this machine's unless said otherwise", async () => {
    const { source, files } = await show(`oci:${place}`);
    expect(files).toEqual({ amd: 'x' });
    expect(source.subject.index).toBe(nested.descriptor['digest']);
    const here = { platform: { platform: { os: 'linux', architecture: 'arm64' }, explicit: false } };
    expect((await show(`oci:${place}`, here)).files).toEqual({ arm: 'x' });
  });

  it.each([
    ['linux/arm64', 'arm'],
    ['linux/arm64/v8', 'arm'],
    ['linux/arm/v7', 'v7'],
    ['linux/arm/v6', 'v6'],
    ['linux/arm', 'v7'],
    ['linux/arm/7', 'v7'],
    ['Linux/ARM64/8', 'arm'],
    ['linux/amd64/v1', 'amd'],
  ])('%s is %s', async (platform, name) => {
    expect((await show(`oci:${place}`, chosen(platform))).files).toEqual({ [name]: 'x' });
  });

  it('is the first of two, where a runtime takes one of them, and the other is named', async () => {
    const cases: readonly [Json, Json, string][] = [
      [{ os: 'Linux', architecture: 'AMD64' }, { os: 'linux', architecture: 'amd64' }, 'linux/amd64'],
      [{ os: 'linux', architecture: 'arm64', variant: '8' }, { os: 'linux', architecture: 'arm64' }, 'linux/arm64'],
      [{ os: 'linux', architecture: 'arm' }, { os: 'linux', architecture: 'arm', variant: 'v7' }, 'linux/arm'],
    ];
    for (const [one, two, platform] of cases) {
      const items = [described(amd.built(), { platform: one }), described(other.built(), { platform: two })];
      const { files, gaps } = await show(`oci:${write(layout([anIndex(items)]))}`, chosen(platform));
      expect(files).toEqual({ amd: 'x' });
      expect(gaps.map(({ reason }) => reason)).toContainEqual(expect.stringContaining(other.built().digest));
    }
  });

  it('may be unsaid, and what says one comes first', async () => {
    const unsaid = described(other.built(), { platform: undefined });
    const { files, gaps } = await show(`oci:${write(layout([anIndex([unsaid, amd.built()])]))}`);
    expect(files).toEqual({ amd: 'x' });
    expect(gaps).toMatchObject([{ reason: expect.stringContaining(other.built().digest) }]);
    const chart = aPaper({ layers: [], configMediaType: 'application/vnd.cncf.helm.config.v1+json' });
    for (const platform of ['all' as const, undefined]) {
      const beside = await showAll(`oci:${write(layout([anIndex([chart, amd.built()])]))}`, platform && { platform });
      expect(beside.map((each) => each.files)).toEqual([{ amd: 'x' }]);
      expect(beside[0]!.gaps).toMatchObject([{ reason: expect.stringContaining(chart.digest) }]);
    }
  });

  it('may be all of them', async () => {
    const shown = await showAll(`oci:${place}:multi`, { platform: 'all' });
    expect(shown.map(({ files }) => Object.keys(files)[0])).toEqual(['amd', 'arm', 'v6', 'v7']);
    expect(shown.map(({ source }) => source.subject.platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ]);
  });

  it('that is not there is refused with those that are', async () => {
    expect(await refusal(`oci:${place}`, chosen('linux/s390x'))).toBe(
      'not-found: the image has nothing for the platform linux/s390x\n' +
        'choose with --platform: "linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7", or all',
    );
    expect(await refusal(`oci:${place}`, chosen('linux/amd64/v3'))).toMatch(
      /nothing for the platform linux\/amd64\/v3/,
    );
    expect(await refusal(`oci:${write(layout([arm.built()]))}`, chosen('linux/amd64'))).toMatch(
      /nothing for the platform/,
    );
  });

  it('that is listed and was left behind by an export of another one is refused with those that are there', async () => {
    const gone = amd.built().digest.slice('sha256:'.length);
    const left = write(new Map([...layout([nested])].filter(([name]) => !name.endsWith(gone))));
    const here = 'choose what is here with --platform: "linux/arm64", "linux/arm/v6", "linux/arm/v7"\n';
    const message =
      'not-found: the index lists images that were not copied here: "linux/amd64"\n' +
      `${here}copy the image again with all of its platforms`;
    expect(await refusal(`oci:${left}`, chosen('linux/amd64'))).toBe(message);
    expect(await refusal(`oci:${left}`, { platform: 'all' })).toBe(message);
    expect((await show(`oci:${left}`, chosen('linux/arm64'))).files).toEqual({ arm: 'x' });
  });

  it('is not asked of a single image when nobody asked', async () => {
    expect((await show(`oci:${write(layout([arm.built()]))}`)).files).toEqual({ arm: 'x' });
  });

  it('is read from the config where the descriptor has none', async () => {
    const bare = all.map(({ descriptor: { platform: _, ...descriptor }, blobs }) => ({ descriptor, blobs }));
    expect((await show(`oci:${write(layout([anIndex(bare)]))}`, chosen('linux/arm64'))).files).toEqual({ arm: 'x' });
  });
});

describe('every digest and every size', () => {
  const wrong = `sha256:${'1'.repeat(64)}`;
  const layer = [file('a', 'x')];
  const lies = (change: Parameters<Image['lying']>[0]) =>
    anImage()
      .layer(...layer)
      .lying(change);

  it.each<[string, Image, RegExp]>([
    [
      'a blob that is not its digest',
      lies({ stored: gzipSync(tar([file('evil', 'x')])) }),
      /^digest-mismatch: (?:the size of )?layer 1/,
    ],
    [
      'a blob of the same size that is not its digest',
      lies({ stored: changed(gzipSync(tar(layer))) }),
      /^digest-mismatch: layer 1 is not what it claims/,
    ],
    ['a size that is too small', lies({ size: 10 }), /^digest-mismatch: the size of layer 1 .*stated 10 bytes/],
    ['a size that is too large', lies({ size: 99_999 }), /^digest-mismatch: the size of layer 1 .*stated 99999 bytes/],
    [
      'a diffID that is not that of the layer',
      lies({ diffId: wrong }),
      /^digest-mismatch: the content of layer 1 \(diffID\)/,
    ],
    ['a layer that is not there', lies({ stored: null }), /^not-found: the image lacks the blob of layer 1/],
    [
      'a foreign layer that is not there',
      lies({
        stored: null,
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        descriptor: { urls: ['http://127.0.0.1:9/'] },
      }),
      /never followed/,
    ],
    [
      'an encrypted layer',
      lies({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' }),
      /^unsupported: layer 1 is encrypted\ndecrypt/,
    ],
    [
      'a layer that is something else',
      lies({ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }),
      /^unsupported: layer 1 is not a file system layer/,
    ],
    [
      'a layer without a media type',
      lies({ descriptor: { mediaType: undefined } }),
      /^unsupported: layer 1 is not a file system layer/,
    ],
    [
      'a digest that is a path',
      lies({ digest: '../../../../etc/passwd' }),
      /^malformed: .*at "layers.0.digest": is not a sha256/,
    ],
    ['a digest that ends in a path', lies({ digest: `sha256:${'a'.repeat(60)}/../` }), /^malformed: .*digest/],
    ['a digest with a newline behind it', lies({ digest: `sha256:${'a'.repeat(64)}\n` }), /^malformed: .*digest/],
    ['a digest in capitals', lies({ digest: `sha256:${'A'.repeat(64)}` }), /^malformed: .*digest/],
    ['an algorithm that nobody knows', lies({ digest: `md5:${'a'.repeat(32)}` }), /^malformed: .*digest/],
    ['a diffID that is a path', lies({ diffId: '../x' }), /^malformed: config .*diff_ids/],
    [
      'fewer diffIDs than layers',
      anImage()
        .layer(...layer)
        .editConfig((config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [] } })),
      /lists 1 layers, its config 0/,
    ],
    [
      'more diffIDs than layers',
      anImage()
        .layer(...layer)
        .editManifest((manifest) => ({ ...manifest, layers: [] })),
      /lists 0 layers, its config 1/,
    ],
    ['a negative size', lies({ size: -1 }), /^malformed: .*size/],
    ['half a byte', lies({ size: 1.5 }), /^malformed: .*size/],
    [
      'a size that no number holds',
      anImage().editManifest((manifest) => JSON.stringify(manifest).replace(/"size":\d+/, '"size":1e400')),
      /^malformed: .*size/,
    ],
    ['a size beyond 2^53', lies({ size: 2 ** 53 }), /^malformed: .*size/],
    [
      'a size of minus zero for a config',
      anImage().editManifest((manifest) => JSON.stringify(manifest).replace(/"size":\d+/, '"size":-0')),
      /^(?:malformed|digest-mismatch): /,
    ],
  ])('%s', async (_, image, why) => {
    expect(await refusal(`oci:${written(image)}`)).toMatch(why);
  });

  it.each(['manifest', 'config'])('of the %s', async (which) => {
    const built = anImage()
      .layer(...layer)
      .built();
    const digest = which === 'manifest' ? built.digest : sha256(built.config);
    const files = new Map(layout([built]));
    const bytes = files.get(blobPath(digest))!;
    files.set(blobPath(digest), changed(bytes));
    expect(await refusal(`oci:${write(files)}`)).toMatch(new RegExp(`^digest-mismatch: ${which} ${digest}`));
    files.set(blobPath(digest), Buffer.concat([bytes, Buffer.from(' ')]));
    expect(await refusal(`oci:${write(files)}`)).toMatch(/^digest-mismatch: /);
    files.delete(blobPath(digest));
    expect(await refusal(`oci:${write(files)}`)).toMatch(/^not-found: the image has no "blobs\/sha256/);
  });

  it('of the manifest against its descriptor', async () => {
    const built = anImage().built();
    const place = write(layout([described(built, { size: 3 })]));
    expect(await refusal(`oci:${place}`)).toMatch(/^digest-mismatch: the size of manifest .*stated 3 bytes/);
  });
});

describe('documents that are not what they should be', () => {
  const index = (text: string | Buffer) =>
    write(new Map([...layout([simple.built()]), ['index.json', Buffer.from(text)]]));
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);

  it.each<[string, string | Buffer, RegExp]>([
    ['no JSON', 'index', /^malformed: index.json is malformed: it is not JSON in UTF-8/],
    ['nothing', '', /^malformed: /],
    ['a number', '1', /^malformed: /],
    ['null', 'null', /^malformed: /],
    ['a list', '[]', /^malformed: /],
    ['an empty object', '{}', /^malformed: /],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /^malformed: .*UTF-8/],
    ['UTF-16', Buffer.from('\ufeff{"schemaVersion":2}', 'utf16le'), /^malformed: .*UTF-8/],
    [
      'nesting of 200,000',
      `{"schemaVersion":2,"manifests":[],"x":${deep}}`,
      /^not-found: .*no image|^malformed: .*deep/,
    ],
    [
      'nesting of 200,000 where a text belongs',
      `{"schemaVersion":2,"manifests":[],"annotations":{"a":${deep}}}`,
      /^malformed: /,
    ],
    ['another schema version', '{"schemaVersion":3,"manifests":[]}', /^malformed: .*schemaVersion/],
    ['an index without images', '{"schemaVersion":2,"manifests":[]}', /^not-found: the layout holds no image/],
    [
      'an index and an image at once',
      '{"schemaVersion":2,"manifests":[],"layers":[]}',
      /^malformed: .*an index and an image at once/,
    ],
    ['an index and a config at once', '{"schemaVersion":2,"manifests":[],"config":{}}', /^malformed: .*at once/],
    [
      'an image manifest',
      `{"schemaVersion":2,"config":${JSON.stringify(describeBlob(configType, Buffer.from('{}')))},"layers":[]}`,
      /^malformed: index.json is an image manifest/,
    ],
    ['a schema 1 manifest', '{"schemaVersion":1,"fsLayers":[]}', /^unsupported: .*schema 1/],
    [
      'more than 4 MiB',
      `{"schemaVersion":2,"manifests":[]${' '.repeat(4 * 1024 * 1024)}}`,
      /^limit: "index.json" has \d+ bytes, more than the 4194304 allowed/,
    ],
    [
      'more images than anyone has',
      `{"schemaVersion":2,"manifests":[${Array.from({ length: 10_001 }, () => '{}').join()}]}`,
      /^malformed: /,
    ],
    [
      'the same list twice, in other letters',
      `{"schemaVersion":2,"manifests":[],"Manifests":[]}`,
      /^malformed: .*"manifests" twice/,
    ],
    [
      'the same list twice, in letters that only fold to it',
      `{"schemaVersion":2,"manifests":[],"manife\u017fts":[]}`,
      /^malformed: .*"manifests" twice/,
    ],
  ])('an index.json that is %s', async (_, text, why) => {
    expect(await refusal(`oci:${index(text)}`)).toMatch(why);
  });

  it('a manifest whose layers stand there twice, once for us and once for the runtime', async () => {
    const evil = other.built();
    const image = simple.editManifest((manifest) => ({
      ...manifest,
      Layers: (JSON.parse(evil.blobs.get(blobPath(evil.digest))!.toString()) as Json)['layers'],
    }));
    expect(await refusal(`oci:${written(image)}`)).toMatch(/^malformed: manifest .*"layers" twice/);
  });

  it('labels may differ in case alone', async () => {
    const { source } = await show(`oci:${written(simple.labelled({ Config: 'a', config: 'b' }))}`);
    expect(source.claims.labels).toEqual({ Config: 'a', config: 'b' });
  });

  it.each<[string, Item, RegExp]>([
    [
      'says that it is something else',
      written1({ mediaType: indexType }),
      /^malformed: manifest .* says that it is .*index.* listed as .*manifest/,
    ],
    ['is listed as an index', described(simple.built(), { mediaType: indexType }), /^malformed: .*listed as .*index/],
    [
      'is an index listed as an image',
      described(anIndex([simple.built()]), { mediaType: manifestType }),
      /^malformed: /,
    ],
    [
      'is an index without a media type',
      described(
        anIndex([simple.built()], ({ mediaType: _, ...rest }) => rest),
        { mediaType: undefined },
      ),
      /^malformed: .*not listed as one/,
    ],
    [
      'has the config of something else',
      configOf('application/vnd.cncf.helm.config.v1+json'),
      /^unsupported: this is not a container image/,
    ],
    ['has both layers and manifests', written1({ manifests: [] }), /^malformed: .*an index and an image at once/],
    ['is of schema 1', written1({ schemaVersion: 1, fsLayers: [] }), /^unsupported: .*schema 1/],
    ['is over 4 MiB', written1({ x: 'x'.repeat(4 * 1024 * 1024) }), /^limit: .*4194304/],
  ])('a manifest that %s', async (_, item, why) => {
    expect(await refusal(`oci:${write(layout([item]))}`)).toMatch(why);
  });

  it('a config over 4 MiB, of another kind of file system, or without one', async () => {
    const configs: readonly [Json, RegExp][] = [
      [{ x: 'x'.repeat(4 * 1024 * 1024) }, /^limit: /],
      [{ rootfs: { type: 'blobs', diff_ids: [] } }, /^malformed: config/],
      [{ rootfs: undefined }, /^malformed: config/],
      [{ config: { Labels: { a: { b: 'c' } } } }, /^malformed: config .*Labels/],
    ];
    for (const [change, why] of configs) {
      expect(await refusal(`oci:${written(anImage().editConfig((config) => ({ ...config, ...change })))}`)).toMatch(
        why,
      );
    }
  });

  it('a config that leaves out what is optional, or says null', async () => {
    const bare = simple.editConfig(({ rootfs }) => ({
      rootfs,
      config: null,
      history: null,
      created: null,
      author: null,
    }));
    const { source, files } = await show(`oci:${written(bare)}`);
    expect(files).toEqual({ a: 'three' });
    expect(source.subject).not.toHaveProperty('platform');
    const { scanned } = await show(
      `oci:${written(anImage().editConfig((config) => ({ ...config, rootfs: { type: 'layers', diff_ids: null } })))}`,
    );
    expect(scanned.layers).toEqual([]);
  });

  it('a history with steps that made no layer, or with too few', async () => {
    const history = [{ created_by: 'env', empty_layer: true }, { created_by: 'copy' }];
    const { scanned } = await show(`oci:${written(simple.editConfig((config) => ({ ...config, history })))}`);
    expect(scanned.layers.map(({ createdBy }) => createdBy)).toEqual(['copy', undefined]);
  });

  it('indexes within indexes, down to a limit, each counted once', async () => {
    let item: Item = simple.built();
    for (let depth = 0; depth < 4; depth++) item = anIndex([item]);
    expect((await show(`oci:${write(layout([item]))}`)).files).toEqual({ a: 'three' });
    expect(await refusal(`oci:${write(layout([anIndex([item])]))}`)).toMatch(
      /^limit: image indexes are nested more than 4 deep/,
    );
    let wide: Item = anIndex([]);
    for (let depth = 0; depth < 3; depth++) wide = anIndex(Array.from({ length: 5000 }, () => wide));
    expect(await refusal(`oci:${write(layout([wide]))}`)).toMatch(/^not-found: the layout holds no image/);
  });

  function written1(changes: Json): Item {
    return simple.editManifest((manifest) => ({ ...manifest, ...changes })).built();
  }

  function configOf(mediaType: string): Item {
    return simple
      .editManifest((manifest) => ({ ...manifest, config: { ...(manifest['config'] as Json), mediaType } }))
      .built();
  }
});

describe('places that are not what they should be', () => {
  it('a layout without an index.json, with a directory or a pipe instead of it, or instead of a blob', async () => {
    const without = new Map(layout([simple.built()]));
    without.delete('index.json');
    expect(await refusal(`oci:${write(without)}`)).toMatch(
      /^not-found: this is not an OCI image layout: it has no index.json/,
    );
    const directory = write(without);
    mkdirSync(path.join(directory, 'index.json'));
    expect(await refusal(`oci:${directory}`)).toMatch(/^not-found: /);
    const pipe = write(without);
    execFileSync('mkfifo', [path.join(pipe, 'index.json')]);
    expect(await refusal(`oci:${pipe}`)).toMatch(/^not-found: /);
    const built = simple.built();
    const blob = new Map(layout([built]));
    blob.delete(blobPath(built.layers[0]!.digest));
    const place = write(blob);
    execFileSync('mkfifo', [path.join(place, blobPath(built.layers[0]!.digest))]);
    expect(await refusal(`oci:${place}`)).toMatch(/^not-found: the image lacks the blob of layer 1/);
  });

  it('a file as a layout, and nothing at all', async () => {
    const place = path.join(temporary, 'a-file');
    writeFileSync(place, 'x');
    expect(await refusal(`oci:${place}`)).toMatch(/^usage: oci: needs a directory/);
    expect(await refusal(`oci:${place}-not`)).toMatch(/^not-found: there is no directory/);
  });
});

describe('layers that are not what they should be', () => {
  const raw = (plain: Buffer) => refusal(`oci:${written(anImage().rawLayer(plain))}`);

  it('are refused with their number and what is wrong with them', async () => {
    expect(await raw(Buffer.from('not an archive'.repeat(99)))).toMatch(
      /^malformed: layer 1: the tar archive is malformed: .*\(after \d+ stored bytes\)/,
    );
    expect(await raw(tar([file('a', 'x')]).subarray(0, 512))).toMatch(/^malformed: layer 1: .*cut short/);
    const xz = anImage().layer(file('a')).rawLayer(Buffer.from('fd377a585a000004e6d6b446', 'hex')).packed('plain');
    expect(await refusal(`oci:${written(xz)}`)).toMatch(
      /^unsupported: layer 2: the data is compressed with xz.*\n.*gzip or zstd/,
    );
    const inside = anImage().rawLayer(gzipSync(gzipSync(tar([file('a')]))));
    expect(await refusal(`oci:${written(inside)}`)).toMatch(/^malformed: layer 1: the tar archive is malformed/);
  });

  it('name what in them is not read', async () => {
    const image = anImage().layer(
      file('../../etc/climber', 'x'),
      sparse('holes', Buffer.from('data')),
      entry({ name: 'odd', type: 'Q', content: 'x' }),
      entry({ name: 'dev/null', type: '3' }),
      entry({ name: 'pipe', type: '6' }),
      Buffer.concat([pax([['linkpath', 'x'.repeat(5000)]]), file('ordinary', 'o')]),
      symlink('long', 'x'.repeat(5000)),
      file(`${'d/'.repeat(250)}${'n'.repeat(4000)}`, 'x'),
    );
    const { files, gaps } = await show(`oci:${written(image)}`);
    expect(files).toEqual({ 'etc/climber': 'x', ordinary: 'o' });
    expect(gaps.map(({ rule, reason }) => [rule, reason])).toEqual([
      ['suspicious-entry', 'its name "../../etc/climber" climbs out of its directory'],
      ['unsupported-entry', 'is a sparse file, whose content is not read'],
      ['unsupported-entry', 'is of a type that is not read'],
      ['suspicious-entry', 'its name or link is longer than 4096 bytes'],
      ['suspicious-entry', 'its name or link is longer than 4096 bytes'],
    ]);
  });

  it('name what follows the end of their archive', async () => {
    const image = anImage().rawLayer(Buffer.concat([tar([file('a', 'x')]), file('hidden', 'x')]));
    const { files, gaps } = await show(`oci:${written(image)}`);
    expect(files).toEqual({ a: 'x' });
    expect(gaps).toMatchObject([
      { rule: 'suspicious-entry', layer: 0, reason: expect.stringContaining('after the end of its archive') },
    ]);
  });

  it('end in an image or in one error of our own, whichever byte of them is changed', async () => {
    const plain = tar([file('a', 'content'), whiteout('b'), symlink('l', 'a')]);
    const change = fc.tuple(fc.nat(plain.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(change, async ([at, value]) => {
        const bytes = Buffer.from(plain);
        bytes[at] = value;
        await refusal(`oci:${written(anImage().rawLayer(bytes))}`);
      }),
      { numRuns: 60 },
    );
  });
});

describe('limits', () => {
  const parts = (count: number): Part[] => Array.from({ length: count }, (_, at) => file(`f${at}`));

  it.each<[string, Image, OpenChanges['limits'], RegExp]>([
    [
      'entries',
      anImage()
        .layer(...parts(6))
        .layer(...parts(5)),
      { entries: 10 },
      /^limit: layer \d: it has more than the limit of 10 entries.*\n.*--max-entries/,
    ],
    [
      'depth',
      anImage().layer(file('a/b/c/d')),
      { pathDepth: 3 },
      /^limit: layer 1: the path "a\/b\/c\/d" is deeper than the limit of 3 segments.*\n.*--max-path-depth/,
    ],
    [
      'headers',
      anImage().layer(pax([['comment', 'x'.repeat(2000)]]), file('a')),
      { headerBytes: 1000 },
      /^limit: layer 1: a tar header of \d+ bytes is over the limit of 1000.*\n.*--max-header-bytes/,
    ],
    [
      'bytes',
      anImage()
        .layer(file('a', 'x'.repeat(9000)))
        .layer(file('b', 'x'.repeat(9000))),
      { bytes: 15_000 },
      /^limit: layer \d: it inflates to more than the limit of 15000 bytes.*\n.*--max-bytes/,
    ],
  ])('on %s are named with their flag', async (_, image, limits, why) => {
    expect(await refusal(`oci:${written(image)}`, { limits: limits ?? {} })).toMatch(why);
  });

  it('count what is allowed as allowed', async () => {
    const image = anImage()
      .layer(...parts(6))
      .layer(...parts(4));
    expect(Object.keys((await show(`oci:${written(image)}`, { limits: { entries: 10 } })).files)).toHaveLength(6);
    expect((await show(`oci:${written(anImage().layer(file('a/b/c')))}`, { limits: { pathDepth: 3 } })).files).toEqual({
      'a/b/c': '',
    });
  });
});

/** The same length, another last byte. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1] = copy[copy.length - 1]! ^ 1;
  return copy;
}
