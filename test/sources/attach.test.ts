import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, describe as group, it } from 'vitest';
import { defaultLimits } from '../../src/archive/index.ts';
import { OperationalError } from '../../src/diag/index.ts';
import { type Disk, realDisk } from '../../src/io/disk.ts';
import { attach } from '../../src/sources/attach.ts';
import { openAttached } from '../../src/sources/attached.ts';
import { openImageSubject } from '../../src/sources/image-subject.ts';
import { openSources } from '../../src/sources/index.ts';
import {
  anImage,
  anIndex,
  blobPath,
  describe,
  dockerArchive,
  type Files,
  indexType,
  type Json,
  layout,
  ociArchive,
  sha256,
  tagged,
} from '../kit/image.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const temporary = temporaryDirectory();
const amd64 = anImage().layer(file('a', 'amd64')).built();
const arm64 = anImage().on('linux', 'arm64').layer(file('a', 'arm64')).built();
const index = anIndex([amd64, arm64]);
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const annotations = {
  'dev.sigstore.bundle.content': 'dsse-envelope',
  'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
};
const bundle = (content = '{"bundle":1}') => ({ mediaType: bundleType, content, annotations });
const simple = () => writeTree(temporary, layout([tagged(amd64, '1.0')]));

async function attachTo(directory: string, content?: string, disk: Disk = realDisk) {
  const { descriptor } = await openImageSubject(`oci:${directory}`, { disk: realDisk, limits: defaultLimits });
  return attach(disk, { directory, subject: descriptor }, bundle(content));
}

const readJson = (directory: string, name: string) =>
  JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as Json;
const attached = async (directory: string) => {
  const image = await openAttached(`oci:${directory}`, { disk: realDisk, limits: defaultLimits, platform: 'all' });
  await image.close();
  return image;
};

/** Every blob is what its name says. */
function checkBlobs(directory: string): void {
  const folder = path.join(directory, 'blobs/sha256');
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.tmp')) continue;
    expect(sha256(readFileSync(path.join(folder, name)))).toBe(`sha256:${name}`);
  }
}

group('attaching a bundle', () => {
  it('writes a referrer as cosign does, with its subject, and lists it', async () => {
    const directory = simple();
    const digest = await attachTo(directory);
    const empty = Buffer.from('{}');
    const manifest = readFileSync(path.join(directory, blobPath(digest)));
    expect(JSON.parse(manifest.toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: bundleType,
      config: describe('application/vnd.oci.empty.v1+json', empty),
      layers: [describe(bundleType, Buffer.from('{"bundle":1}'))],
      subject: { mediaType: amd64.descriptor['mediaType'], digest: amd64.digest, size: amd64.descriptor['size'] },
      annotations,
    });
    const referrer = {
      ...describe('application/vnd.oci.image.manifest.v1+json', manifest),
      artifactType: bundleType,
      annotations,
    };
    const fallback = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [referrer] }));
    expect(readJson(directory, 'index.json')['manifests']).toEqual([
      tagged(amd64, '1.0').descriptor,
      referrer,
      {
        ...describe(indexType, fallback),
        annotations: { 'org.opencontainers.image.ref.name': amd64.digest.replace(':', '-') },
      },
    ]);
    expect(readFileSync(path.join(directory, blobPath(sha256(fallback))))).toEqual(fallback);
    checkBlobs(directory);
  });

  it('keeps what was attached before, each once, and everything else in index.json', async () => {
    const extra = (document: Json) => ({ ...document, annotations: { mine: 'yes' }, unknown: [1, { two: 3 }] });
    const directory = writeTree(temporary, layout([tagged(amd64, '1.0')], extra));
    const first = await attachTo(directory, '{"bundle":1}');
    const second = await attachTo(directory, '{"bundle":2}');
    expect(await attachTo(directory, '{"bundle":2}')).toBe(second);
    const document = readJson(directory, 'index.json');
    expect([document['annotations'], document['unknown']]).toEqual([{ mine: 'yes' }, [1, { two: 3 }]]);
    expect((document['manifests'] as Json[]).map((each) => each['digest'])).toEqual([
      amd64.digest,
      first,
      second,
      expect.any(String),
    ]);
    const fallback = (document['manifests'] as Json[])[3]!['digest'] as string;
    const listed = readJson(directory, blobPath(fallback))['manifests'] as Json[];
    expect(listed.map((each) => each['digest'])).toEqual([first, second]);
    checkBlobs(directory);
  });

  it('is found again by whoever looks for what is attached, with its content', async () => {
    const directory = simple();
    await attachTo(directory, '{"bundle":1}');
    await attachTo(directory, '{"bundle":2}');
    const { attachments, gaps } = await attached(directory);
    expect(gaps).toEqual([]);
    expect(attachments.map((each) => [each.kind, each.attachedTo, each.bytes.toString(), each.problem])).toEqual([
      ['bundle', amd64.digest, '{"bundle":1}', undefined],
      ['bundle', amd64.digest, '{"bundle":2}', undefined],
    ]);
  });

  it('leaves the image the only one of its layout: a scan still needs no name', async () => {
    const directory = simple();
    await attachTo(directory);
    const [source, ...others] = await openSources(`oci:${directory}`, {
      disk: realDisk,
      limits: defaultLimits,
      platform: 'all',
      everything: false,
      parallel: 1,
      progress: () => {},
    });
    expect([source?.subject.manifest, others]).toEqual([amd64.digest, []]);
    await source?.close();
  });
});

group('whatever fails on the way', () => {
  /** A disk on which only so many writes succeed. */
  const full = (writes: number): Disk & { readonly written: string[] } => {
    const written: string[] = [];
    const write: Disk['write'] = async (place, text) => {
      if (written.length === writes) throw new OperationalError('io', 'no space is left on the device');
      await realDisk.write(place, text);
      written.push(path.basename(place));
    };
    return { ...realDisk, written, write };
  };

  it('the layout is as it was until the last write, which is index.json', async () => {
    const whole = full(100);
    const complete = simple();
    await attachTo(complete, undefined, whole);
    expect(whole.written.indexOf('index.json')).toBe(whole.written.length - 1);
    for (let writes = 0; writes < whole.written.length; writes++) {
      const directory = simple();
      const before = readFileSync(path.join(directory, 'index.json'), 'utf8');
      await expect(attachTo(directory, undefined, full(writes))).rejects.toThrow(/no space is left/);
      expect(readFileSync(path.join(directory, 'index.json'), 'utf8')).toBe(before);
      checkBlobs(directory);
      expect((await attached(directory)).digests.map(({ digest }) => digest)).toEqual([amd64.digest]);
      // What was left behind is no obstacle.
      await attachTo(directory);
      expect(readFileSync(path.join(directory, 'index.json'))).toEqual(readFileSync(path.join(complete, 'index.json')));
    }
  });

  it('a layout that somebody else changes meanwhile is not overwritten', async () => {
    const directory = simple();
    const place = path.join(directory, 'index.json');
    const disk: Disk = {
      ...realDisk,
      write: async (file, text) => {
        await realDisk.write(file, text);
        writeFileSync(place, JSON.stringify({ ...readJson(directory, 'index.json'), changed: true }));
      },
    };
    await expect(attachTo(directory, undefined, disk)).rejects.toThrow(/changed by someone else/);
    expect(readJson(directory, 'index.json')['changed']).toBe(true);
    expect((readJson(directory, 'index.json')['manifests'] as Json[]).length).toBe(1);
  });
});

group('a hostile or broken layout', () => {
  it.each(['index.json', 'blobs', 'blobs/sha256'])('is not written through a link at %s', async (name) => {
    const directory = simple();
    const elsewhere = path.join(writeTree(temporary, { keep: '' }), 'elsewhere');
    renameSync(path.join(directory, name), elsewhere);
    symlinkSync(elsewhere, path.join(directory, name));
    const before = readdirSync(path.dirname(elsewhere)).length;
    await expect(attachTo(directory)).rejects.toThrow(/nothing can be attached .* is a link/);
    expect(readdirSync(path.dirname(elsewhere)).length).toBe(before);
  });

  it('is not written through a link that stands where a blob will be', async () => {
    const directory = simple();
    const victim = path.join(writeTree(temporary, { keep: 'precious' }), 'keep');
    symlinkSync(victim, path.join(directory, blobPath(sha256(Buffer.from('{}')))));
    await expect(attachTo(directory)).rejects.toThrow(/is no plain file/);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('with a damaged blob where ours will be gets the right one', async () => {
    const directory = simple();
    writeFileSync(path.join(directory, blobPath(sha256(Buffer.from('{}')))), '{"evil":1}');
    await attachTo(directory);
    checkBlobs(directory);
  });

  it('whose list of referrers is not what it claims to be is not extended', async () => {
    const tag = amd64.digest.replace(':', '-');
    const lie = { descriptor: describe(indexType, Buffer.from('x')), blobs: new Map() as Files };
    const directory = writeTree(temporary, layout([tagged(amd64, '1.0'), tagged(lie, tag)]));
    mkdirSync(path.join(directory, 'blobs/sha256'), { recursive: true });
    writeFileSync(path.join(directory, blobPath(lie.descriptor['digest'] as string)), '{}');
    const { descriptor } = await openImageSubject(`oci:${directory}:1.0`, { disk: realDisk, limits: defaultLimits });
    await expect(attach(realDisk, { directory, subject: descriptor }, bundle())).rejects.toThrow(
      /not what it claims to be/,
    );
  });

  it('without blobs by SHA-256 says so', async () => {
    const directory = simple();
    const { descriptor } = await openImageSubject(`oci:${directory}`, { disk: realDisk, limits: defaultLimits });
    renameSync(path.join(directory, 'blobs/sha256'), path.join(directory, 'blobs/other'));
    await expect(attach(realDisk, { directory, subject: descriptor }, bundle())).rejects.toThrow(
      /blobs\/sha256 is not there/,
    );
  });
});

group('what a target stands for', () => {
  const open = async (requested: string, platform?: { os: string; architecture: string }) => {
    const options = { disk: realDisk, limits: defaultLimits, ...(platform === undefined ? {} : { platform }) };
    const { name, role, descriptor, directory } = await openImageSubject(requested, options);
    return { name, role, digest: descriptor.digest, size: descriptor.size, directory };
  };
  const multi = writeTree(temporary, layout([tagged(index, '1.0')]));
  const place = path.basename(multi);
  const indexDigest = index.descriptor['digest'];

  it('is the index under a name, and one of its manifests by platform or digest', async () => {
    const whole = {
      name: `${place}:1.0`,
      role: 'index',
      digest: indexDigest,
      size: index.descriptor['size'],
      directory: multi,
    };
    expect(await open(`oci:${multi}`)).toEqual(whole);
    expect(await open(`oci:${multi}:1.0`)).toEqual(whole);
    expect(await open(multi)).toEqual(whole);
    expect((await open(`oci:${multi}:1.0`, { os: 'linux', architecture: 'arm64' })).digest).toBe(arm64.digest);
    expect((await open(`oci:${multi}@${arm64.digest}`)).digest).toBe(arm64.digest);
    expect((await open(`oci:${multi}@${indexDigest}`)).digest).toBe(indexDigest);
  });

  it('is named as the layout names it, when that is a whole reference', async () => {
    const reference = 'registry.example/acme/app:1.0';
    expect((await open(writeTree(temporary, layout([tagged(amd64, reference)])))).name).toBe(reference);
  });

  it('may lie in an archive, to which nothing can be attached', async () => {
    const archive = path.join(writeTree(temporary, { 'a.tar': ociArchive(layout([amd64])) }), 'a.tar');
    expect(await open(`oci-archive:${archive}`)).toMatchObject({
      digest: amd64.digest,
      directory: undefined,
      name: 'a',
    });
  });

  it.each<readonly [string, () => string, RegExp]>([
    [
      'several images',
      () => `oci:${writeTree(temporary, layout([tagged(amd64, 'a'), tagged(arm64, 'b')]))}`,
      /several images/,
    ],
    [
      'several without a name',
      () => `oci:${writeTree(temporary, layout([amd64, arm64]))}`,
      /stands for several images/,
    ],
    ['no image', () => `oci:${writeTree(temporary, layout([]))}`, /holds no image/],
    ['another name', () => `oci:${multi}:2.0`, /has no image "2.0"/],
    ['another digest', () => `oci:${multi}@sha256:${'0'.repeat(64)}`, /no image with the digest/],
    [
      'an old docker archive',
      () => {
        const archive = dockerArchive([{ image: amd64, tags: ['app:1.0'] }], 'old');
        return `docker-archive:${path.join(writeTree(temporary, { 'd.tar': archive }), 'd.tar')}`;
      },
      /does not keep the manifest/,
    ],
  ])('is refused when it is %s', async (_, requested, why) => {
    await expect(open(requested())).rejects.toThrow(why);
    await expect(open(requested())).rejects.toBeInstanceOf(OperationalError);
  });

  it('is refused when its bytes are not what they claim to be', async () => {
    const directory = simple();
    writeFileSync(path.join(directory, blobPath(amd64.digest)), '{}');
    await expect(open(`oci:${directory}`)).rejects.toThrow(/not what it claims to be/);
  });
});
