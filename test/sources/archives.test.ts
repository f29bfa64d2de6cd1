import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anImage,
  blobPath,
  dockerArchive,
  type Image,
  layout,
  type Named,
  ociArchive,
  sha256,
  tagged,
} from '../kit/image.ts';
import { refusal, show, showAll } from '../kit/scanned.ts';
import { directory, file, hardlink, symlink, tar, whiteout } from '../kit/tar.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { gzipMembers, zstdFrames } from '../kit/zstd.ts';

const temporary = temporaryDirectory();
let count = 0;

function write(bytes: Buffer, ending = 'tar'): string {
  count += 1;
  const place = path.join(temporary, `archive-${count}.${ending}`);
  writeFileSync(place, bytes);
  return place;
}

const image = anImage()
  .layer(file('a', 'one'), file('b', 'x'.repeat(5000)))
  .layer(file('a', 'two'))
  .packed('zstd');
const other = anImage().layer(file('other', 'x'));
const merged = { a: 'two', b: 'x'.repeat(5000) };

function named(what: Image, ...tags: string[]): Named {
  return { image: what.built(), tags };
}

const packings: readonly (readonly [string, (bytes: Buffer) => Buffer, string])[] = [
  ['as it is', (bytes) => bytes, 'tar'],
  ['in gzip', (bytes) => gzipSync(bytes), 'tar.gz'],
  ['in gzip members', (bytes) => gzipMembers(bytes, 5), 'tgz'],
  ['in zstd', (bytes) => zstdCompressSync(bytes), 'tar.zst'],
  ['in zstd frames', (bytes) => zstdFrames(bytes, 5), 'tar.zst'],
];

describe.each(packings)('an archive %s', (_, pack, ending) => {
  it('of a layout is read like the layout', async () => {
    const place = write(pack(ociArchive(layout([tagged(image.built(), 'v1')]))), ending);
    for (const target of [
      `oci-archive:${place}`,
      place,
      `oci-archive:${place}:v1`,
      `oci-archive:${place}@${image.built().digest}`,
    ]) {
      const { files, source, scanned } = await show(target);
      expect(files).toEqual(merged);
      expect(source.subject).toMatchObject({ manifest: image.built().digest, version: 'v1' });
      expect(scanned.layers.map(({ digest }) => digest)).toEqual(image.built().layers.map(({ digest }) => digest));
    }
  });

  it.each(['old', 'new'] as const)('of the %s docker form is read', async (form) => {
    const place = write(pack(dockerArchive([named(image, 'shop/web:v1')], form)), ending);
    const { files, source, scanned } = await show(`docker-archive:${place}`);
    expect(files).toEqual(merged);
    expect(source.subject).toMatchObject({ name: 'shop/web', version: 'v1', config: sha256(image.built().config) });
    expect(scanned.layers.map(({ diffId }) => diffId)).toEqual(image.built().layers.map(({ diffId }) => diffId));
    expect((await show(place)).files).toEqual(merged);
  });
});

describe('an archive of docker', () => {
  it('may store a layer that repeats as a link', async () => {
    const repeated = anImage().layer(file('a', 'x')).layer(whiteout('a')).layer(file('a', 'x'));
    expect((await show(`docker-archive:${write(dockerArchive([named(repeated, 'x:1')], 'old'))}`)).files).toEqual({
      a: 'x',
    });
  });

  it('may link by hard links, through others, but not in circles', async () => {
    const { config, layers } = anImage().layer(file('a', 'x')).built();
    const manifest = (layer: string) =>
      file('manifest.json', JSON.stringify([{ Config: 'c.json', RepoTags: null, Layers: [layer] }]));
    const links = [
      file('real', layers[0]!.plain),
      hardlink('hard', './real'),
      directory('d'),
      symlink('d/soft', '../hard'),
    ];
    const place = write(tar([file('c.json', config), ...links, manifest('d/soft')]));
    expect((await show(`docker-archive:${place}`)).files).toEqual({ a: 'x' });
    const circle = write(tar([file('c.json', config), symlink('a', 'b'), symlink('b', 'a'), manifest('a')]));
    expect(await refusal(`docker-archive:${circle}`)).toMatch(/^not-found: the archive lacks layer 1, "a"/);
    const out = write(tar([file('c.json', config), symlink('a', '../../../../etc/passwd'), manifest('a')]));
    expect(await refusal(`docker-archive:${out}`)).toMatch(/^not-found: the archive lacks layer 1/);
  });

  it('may hold several images, of which one is named', async () => {
    const place = write(dockerArchive([named(image, 'one:v1', 'one:latest'), named(other, 'two:latest')], 'old'));
    expect((await show(`docker-archive:${place}:one:v1`)).files).toEqual(merged);
    expect((await show(`docker-archive:${place}:two`)).files).toEqual({ other: 'x' });
    expect(await refusal(`docker-archive:${place}`)).toBe(
      'usage: the archive holds several images and none was named\nadd one of these to the target: ":one:v1", ":one:latest", ":two:latest"',
    );
    expect(await refusal(`docker-archive:${place}:three`)).toMatch(
      /^not-found: the archive has no image "three"\nadd one/,
    );
  });

  it('may have names with a registry, a port and slashes', async () => {
    const place = write(dockerArchive([named(image, 'registry.example:5000/a/b:v1'), named(other, 'c:1')], 'old'));
    const { source } = await show(`docker-archive:${place}:registry.example:5000/a/b:v1`);
    expect(source.subject).toMatchObject({ name: 'registry.example:5000/a/b', version: 'v1' });
  });

  it('may have no name at all', async () => {
    const place = write(dockerArchive([named(image)], 'old'));
    expect((await show(`docker-archive:${place}`)).source.subject.name).toBe(path.basename(place, '.tar'));
  });

  it('is held against the platform that was asked for', async () => {
    const place = write(dockerArchive([named(image, 'x:1')], 'old'));
    const arm = { platform: { os: 'linux', architecture: 'arm64' }, explicit: true };
    expect(await refusal(`docker-archive:${place}`, { platform: arm })).toMatch(
      /^not-found: the archive has nothing for the platform linux\/arm64/,
    );
    expect(await showAll(`docker-archive:${place}`, { platform: 'all' })).toHaveLength(1);
    expect((await show(`docker-archive:${place}`, { platform: { ...arm, explicit: false } })).files).toEqual(merged);
  });

  it.each<[string, Buffer, RegExp]>([
    ['has no manifest.json', tar([file('x')]), /^not-found: the image has no "manifest.json"/],
    ['has an empty list', tar([file('manifest.json', '[]')]), /^not-found: the archive holds no image/],
    ['has a manifest.json that is no list', tar([file('manifest.json', '{}')]), /^malformed: manifest.json/],
    [
      'names a config outside',
      listing({ Config: '../../../../../../etc/passwd' }),
      /^not-found: the image has no "..\/..\//,
    ],
    [
      'names a layer outside',
      listing({ Layers: ['/etc/passwd'] }),
      /^not-found: the archive lacks layer 1, "\/etc\/passwd"/,
    ],
    [
      'lists fewer layers than its config',
      listing({ Layers: [] }),
      /^malformed: manifest.json lists 0 layers, its config 1/,
    ],
    [
      'has a config that is not the one its name says',
      listing({ Config: `${'1'.repeat(64)}.json` }),
      /^digest-mismatch: the config/,
    ],
    [
      'has a layer that is not its diffID',
      listing({}, tar([file('evil', 'x')])),
      /^digest-mismatch: the content of layer 1 \(diffID\)/,
    ],
    [
      'has a layer that is not the digest in its name',
      listing({ Layers: [`blobs/sha256/${'1'.repeat(64)}`] }),
      /^digest-mismatch: layer 1/,
    ],
  ])('is refused when it %s', async (_, bytes, why) => {
    expect(await refusal(`docker-archive:${write(bytes)}`)).toMatch(why);
  });

  function listing(changes: Record<string, unknown>, plain?: Buffer): Buffer {
    const { config, layers } = anImage().layer(file('a', 'x')).built();
    const layer = plain ?? layers[0]!.plain;
    const names = ['c.json', `${'1'.repeat(64)}.json`].map((name) => file(name, config));
    const stored = ['l/layer.tar', `blobs/sha256/${'1'.repeat(64)}`].map((name) => file(name, layer));
    const listed = [{ Config: 'c.json', RepoTags: ['x:1'], Layers: ['l/layer.tar'], ...changes }];
    return tar([...names, ...stored, file('manifest.json', JSON.stringify(listed))]);
  }
});

describe('an archive with two tables of contents', () => {
  const [good, evil] = [named(image, 'x:1'), named(other, 'x:1')];
  const contents = (what: Named) => unpackedListing(dockerArchive([what], 'new'));

  it('is named as suspicious when docker load would take another image', async () => {
    const files = new Map([
      ...layout([tagged(good.image, '1')]),
      ...evil.image.blobs,
      ['manifest.json', contents(evil)] as const,
    ]);
    const place = write(ociArchive(files));
    const reason = expect.stringContaining('manifest.json, which docker load reads');
    expect((await show(`oci-archive:${place}`)).gaps).toMatchObject([
      { rule: 'suspicious-entry', reason },
      { rule: 'suspicious-entry', reason },
    ]);
    const { files: loaded, gaps } = await show(`docker-archive:${place}`);
    expect(loaded).toEqual({ other: 'x' });
    expect(gaps).toMatchObject([
      { rule: 'suspicious-entry', reason: expect.stringMatching(/holds "x:1", .*index.json/) },
    ]);
  });

  it('is in order when both say the same, of one image or of several', async () => {
    const one = write(dockerArchive([good], 'new'));
    const two = write(dockerArchive([named(image, 'one:1'), named(other, 'two:2')], 'new'));
    for (const target of [
      `oci-archive:${one}`,
      `docker-archive:${one}`,
      `docker-archive:${two}:two:2`,
      `oci-archive:${two}:1`,
    ]) {
      expect((await show(target)).gaps, target).toEqual([]);
    }
  });

  it('has no digest for an image that only manifest.json names', async () => {
    const place = write(dockerArchive([good], 'old'));
    expect(await refusal(`docker-archive:${place}@${good.image.digest}`)).toMatch(
      /^usage: a docker archive does not keep/,
    );
  });

  function unpackedListing(archive: Buffer): Buffer {
    const start = archive.lastIndexOf('[{"Config"');
    return archive.subarray(start, archive.indexOf('}]', start) + 2);
  }
});

describe('an archive that is damaged', () => {
  const whole = ociArchive(layout([anImage().layer(file('a', 'x')).built()]));

  it('is refused wherever it is cut before its end marker', async () => {
    for (let cut = 1; cut < whole.length - 1536; cut += 129) {
      expect(await refusal(`oci-archive:${write(whole.subarray(0, cut))}`), `cut at ${cut}`).toMatch(
        /^(?:malformed|not-found|digest-mismatch): /,
      );
    }
  });

  it.each(packings.slice(1))('is refused wherever it is cut when packed %s', async (_, pack) => {
    const packed = pack(whole);
    for (let cut = 20; cut < packed.length - 1; cut += 97) {
      expect(await refusal(`oci-archive:${write(packed.subarray(0, cut))}`), `cut at ${cut}`).toMatch(/^malformed: /);
    }
  });

  it('ends in an image or in one error of our own, whichever byte of it is changed', async () => {
    const changes = fc.tuple(fc.constantFrom(whole, gzipSync(whole), zstdFrames(whole)), fc.nat(), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(changes, async ([bytes, at, value]) => {
        const copy = Buffer.from(bytes);
        copy[at % copy.length] = value;
        await refusal(`oci-archive:${write(copy)}`);
      }),
      { numRuns: 100 },
    );
  });

  it.each(packings)('is refused when it has a name twice with different content, %s', async (_, pack, ending) => {
    const files = layout([anImage().layer(file('a', 'x')).built()]);
    const members = [...files].map(([name, content]) => file(name, content));
    const other = layout([anImage().layer(file('a', 'evil')).built()]);
    for (const twin of [
      file('./index.json', other.get('index.json')!),
      file('index.json', ''),
      symlink('index.json', 'b'),
    ]) {
      for (const parts of [
        [twin, ...members],
        [...members, twin],
      ]) {
        expect(await refusal(`oci-archive:${write(pack(tar(parts)), ending)}`)).toMatch(
          /^(?:malformed: the archive has "index.json" twice, with different content|not-found: )/,
        );
      }
    }
  });

  it('may have a name twice with the same content, and twice what nobody reads', async () => {
    const files = layout([anImage().layer(file('a', 'x')).built()]);
    const members = [...files].map(([name, content]) => file(name, content));
    const rest = [directory('blobs'), directory('blobs/'), file('README', 'one'), file('README', 'other')];
    expect((await show(`oci-archive:${write(tar([...members, ...rest, ...members]))}`)).files).toEqual({ a: 'x' });
  });
});

describe('an archive that is something else', () => {
  it('is named as neither', async () => {
    expect(await refusal(write(tar([file('package.json', '{}')])))).toMatch(
      /^unsupported: the archive ".*" is neither an OCI layout nor a docker archive\nunpack it/,
    );
    expect(await refusal(write(gzipSync(tar([file('package.json', '{}')])), 'tgz'))).toMatch(/^unsupported: /);
  });

  it('or as no archive where one was promised', async () => {
    expect(await refusal(`oci-archive:${write(Buffer.from('hello'))}`)).toMatch(/^malformed: /);
    expect(await refusal(`oci-archive:${write(Buffer.alloc(0))}`)).toMatch(
      /^not-found: this is not an OCI image layout/,
    );
    expect(await refusal(`oci-archive:${temporary}`)).toMatch(/^usage: oci-archive: needs a file/);
  });
});

describe('what a packed archive may cost', () => {
  it('is counted over all of its passes', async () => {
    const layers = Array.from({ length: 30 }, (_, at) => at);
    const many = layers.reduce(
      (built, at) => built.layer(file(`f${at}`, Buffer.alloc(20_000, `${at}`))).packed('plain'),
      anImage(),
    );
    const place = write(gzipSync(ociArchive(layout([many.built()]))), 'tar.gz');
    expect(await refusal(`oci-archive:${place}`, { limits: { bytes: 3_000_000 } })).toMatch(
      /^limit: .*3000000 bytes.*\n.*--max-bytes/,
    );
    expect(Object.keys((await show(`oci-archive:${place}`, { limits: { bytes: 60_000_000 } })).files)).toHaveLength(30);
  });

  it('is limited in members', async () => {
    const place = write(tar(Array.from({ length: 20 }, (_, at) => file(`f${at}`))));
    expect(await refusal(`oci-archive:${place}`, { limits: { entries: 10 } })).toMatch(
      /^limit: the archive has more than the limit of 10 entries/,
    );
  });
});

describe('blobs in pieces', () => {
  it('are read right wherever the pieces of the packing end', async () => {
    // Frames that end a byte or three into a layer: its first piece is too short to tell its packing by.
    const bytes = ociArchive(layout([anImage().layer(file('a', 'x')).packed('zstd').built()]));
    const digest = anImage().layer(file('a', 'x')).packed('zstd').built().layers[0]!.digest;
    const start = Math.ceil((bytes.indexOf(blobPath(digest)) + 1) / 512) * 512;
    for (const offset of [1, 2, 3, 9]) {
      const cut = start + offset;
      const packed = Buffer.concat([zstdCompressSync(bytes.subarray(0, cut)), zstdCompressSync(bytes.subarray(cut))]);
      expect((await show(`oci-archive:${write(packed, 'tar.zst')}`)).files).toEqual({ a: 'x' });
    }
  });
});
