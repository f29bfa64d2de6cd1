/** `tidewaiter verify` against people who would dodge the policy: two names for one thing, and one name for two. */
import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../src/report/verification.ts';
import { pae } from '../../src/sigstore/dsse.ts';
import { formatBundle } from '../../src/sigstore/write-bundle.ts';
import { anImage, anIndex, type Item, layout, tagged } from '../kit/image.ts';
import { tagOf } from '../kit/papers.ts';
import { cosignSignature, keyPem, keyStatement, makeKeys, referrer, sha256Of, statement } from '../kit/signed.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { run } from '../kit/world.ts';
import { digest, keyed } from '../sigstore/instance.ts';

const temporary = temporaryDirectory();
const [alice, bob] = [makeKeys(), makeKeys()];
const keys = { 'alice.pub': keyPem(alice), 'copy.pub': keyPem(alice), 'bob.pub': keyPem(bob) };

const digestIn = (item: Item) => (item.descriptor as { digest: string }).digest;
const sig = (item: Item, by = alice) => tagged(cosignSignature(by, digestIn(item)), tagOf(digestIn(item), '.sig'));
const image = tagged(anImage().layer(file('bin/app', 'good')).built(), 'latest');
const signed = `oci:${writeTree(temporary, layout([image, sig(image)]))}`;

/** With this policy over the keys above. */
const judge = (policy: string | Buffer, target: string, ...flags: readonly string[]) => {
  const folder = writeTree(temporary, { ...keys, 'policy.yaml': policy });
  return run(['verify', target, '--policy', path.join(folder, 'policy.yaml'), ...flags]);
};

describe('one key', () => {
  it.each([
    ['alice.pub', './alice.pub', /people\.q\.keys\[0\] is listed already, under people\.p/],
    ['alice.pub', 'copy.pub', /people\.q\.keys\[0\] is the same key as people\.p\.keys\[0\] \(line 2\)/],
  ])('is never two people: %s and %s', async (one, other, why) => {
    for (const rule of ['all: [p, q]', 'any: [p, q]', 'threshold: { of: [p, q], count: 2 }']) {
      const policy = `version: 1
people: { p: { keys: [${one}] }, q: { keys: [${other}] } }
images: [{ match: "**", signed: { ${rule} } }]
`;
      const { code, stderr } = await judge(policy, signed, '--as', 'registry.example/app');
      expect([code, stderr]).toEqual([2, expect.stringMatching(why)]);
    }
  });

  it('is never two identities where all have to sign', async () => {
    const policy = (other: string) => `version: 1
identities: { p: { key: alice.pub }, q: { key: ${other} } }
images: [{ match: "**", signed: { all: [p, q] } }]
`;
    const { code, stderr } = await judge(policy('copy.pub'), signed, '--as', 'registry.example/app');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/all 2 can never be met: .* \(p and q are one\)/)]);
    expect((await judge(policy('bob.pub'), signed, '--as', 'registry.example/app')).code).toBe(1);
    const by = (...signers: readonly (typeof alice)[]) =>
      signers.map((each) => referrer(digestIn(image), keyStatement(each, digestIn(image))));
    for (const [signers, code] of [
      [[alice, bob], 0],
      [[alice, alice], 1],
      [[bob], 1],
    ] as const) {
      const target = `oci:${writeTree(temporary, layout([image, ...by(...signers)]))}`;
      expect((await judge(policy('bob.pub'), target, '--as', 'registry.example/app')).code).toBe(code);
    }
  });
});

describe('a name that is written in another way', () => {
  const policy = `version: 1
identities: { loose: { key: alice.pub }, strict: { key: bob.pub } }
images:
  - match: "**"
    signed: { any: [loose] }
  - match: registry.example/acme/pay
    pinned: true
    signed: { any: [strict] }
  - match: docker.io/library/alpine
    signed: { any: [strict] }
`;

  it.each([
    ['registry.example/acme/pay', 1],
    ['registry.example:443/acme/pay', 1],
    ['registry.example:80/acme/pay', 1],
    ['registry.example:0443/acme/pay', 2],
    ['registry.example:65979/acme/pay', 2],
    ['registry.example./acme/pay', 2],
    ['Registry.example/acme/pay', 2],
    ['registry.example/acme/Pay', 2],
    ['alpine', 1],
    ['library/alpine', 1],
    ['index.docker.io/library/alpine:3', 1],
    ['docker.io:443/alpine', 1],
    ['registry.example/acme/other', 0],
  ])('does not dodge an entry: --as %s', async (name, code) => {
    const ran = await judge(policy, signed, '--as', name);
    expect(ran.code, ran.stdout + ran.stderr).toBe(code);
  });
});

describe('an image that has to be named by digest', () => {
  const policy = `version: 1
identities: { loose: { key: alice.pub } }
images: [{ match: "registry.example/**", pinned: true, signed: { any: [loose] } }]
`;
  const as = (name = 'registry.example/app') => ['--as', name];
  const amd = anImage().on('linux', 'amd64').layer(file('a', 'a')).built();
  const arm = anImage().on('linux', 'arm64').layer(file('b', 'b')).built();
  const index = tagged(anIndex([amd, arm]), 'latest');
  const several = `oci:${writeTree(temporary, layout([index, sig(index), sig(amd), sig(arm)]))}`;

  it('is, where the digest is that of what was found', async () => {
    const own = digestIn(image);
    expect((await judge(policy, `${signed}@${own}`, ...as())).code).toBe(0);
    expect((await judge(policy, signed, ...as(`registry.example/app@${own}`))).code).toBe(0);
    expect((await judge(policy, `${several}@${digestIn(index)}`, ...as())).code).toBe(0);
    expect((await judge(policy, `${several}@${digestIn(amd)}`, ...as())).code).toBe(0);
    const one = ['--platform', 'linux/amd64'];
    for (const digest of [digestIn(index), digestIn(amd)]) {
      expect((await judge(policy, `${several}:latest`, ...one, ...as(`registry.example/app@${digest}`))).code).toBe(0);
    }
  });

  it('is not by a directory that looks like one', async () => {
    const place = writeTree(temporary, {});
    for (const folder of ['x@sha256:', `x@sha256:${'1'.repeat(64)}`]) {
      const inside = path.join(place, folder, 'img');
      for (const [name, bytes] of layout([image, sig(image)])) {
        mkdirSync(path.dirname(path.join(inside, name)), { recursive: true });
        writeFileSync(path.join(inside, name), bytes);
      }
      const { code, stdout } = await judge(policy, `oci:${inside}`, ...as());
      expect(code, stdout).not.toBe(0);
    }
  });

  it('is not by the digest of one of several that are meant', async () => {
    expect((await judge(policy, `${several}:latest`, ...as())).code).toBe(1);
    expect((await judge(policy, `${several}:latest`, ...as(`registry.example/app@${digestIn(index)}`))).code).toBe(0);
    const { code, stdout } = await judge(policy, `${several}:latest`, ...as(`registry.example/app@${digestIn(amd)}`));
    expect([code, stdout]).toEqual([1, expect.stringContaining('the image is not the one that --as names by digest')]);
  });

  it('is not a commit', async () => {
    const commit = `gitCommit:${'a'.repeat(40)}`;
    const bundle = path.join(temporary, 'commit.json');
    writeFileSync(bundle, keyStatement(alice, commit));
    const { code, stderr } = await judge(policy, commit, ...as(), '--bundle', bundle);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--as names an image, and "gitCommit:a+" is a commit/)]);
    writeFileSync(bundle, keyStatement(alice, digestIn(image)));
    expect((await judge(policy, digestIn(image), ...as(), '--bundle', bundle)).code).toBe(0);
  });
});

describe('a policy or a key that cannot be read ends with 2', () => {
  const good = 'version: 1\nidentities: { p: { key: alice.pub } }\n';
  const app = path.join(writeTree(temporary, { app: 'x' }), 'app');

  it('for a policy with a byte that is no text', async () => {
    const spoiled = Buffer.concat([Buffer.from(good), Buffer.from('# caf'), Buffer.from([0xe9, 0x0a])]);
    const { code, stderr } = await judge(spoiled, app, '--identity', 'p');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/policy\.yaml" is not UTF-8\n {2}hint: save it as UTF-8/),
    ]);
    expect((await judge(`${good}# café\n`, app, '--identity', 'p')).code).toBe(3);
  });

  const odd = writeTree(temporary, { large: Buffer.alloc(5 * 1024 * 1024, '#'), closed: good });
  const pipe = path.join(odd, 'pipe');
  execFileSync('mkfifo', [pipe]);
  symlinkSync('loop', path.join(odd, 'loop'));
  chmodSync(path.join(odd, 'closed'), 0);

  it.each([
    ['/dev/zero', /is not a regular file/],
    [pipe, /is not a regular file/],
    [odd, /is not a regular file/],
    [path.join(odd, 'large'), /has 5242880 bytes, more than the \d+ allowed/],
    [path.join(odd, 'loop'), /cannot open/],
  ])('for %s', async (place, why) => {
    const policy = `version: 1\nidentities: { p: { key: ${JSON.stringify(place)} } }\n`;
    for (const ran of [
      await run(['verify', app, '--key', place]),
      await judge(policy, app, '--identity', 'p'),
      await run(['verify', app, '--policy', place, '--identity', 'p']),
    ]) {
      expect([ran.code, ran.stdout, ran.stderr]).toEqual([2, '', expect.stringMatching(why)]);
      expect(ran.stderr).toMatch(/^error\[configuration\]: the (?:key|policy) cannot be read: .*\n {2}hint: /);
    }
  });

  it.skipIf(process.getuid?.() === 0)('for one that is forbidden', async () => {
    expect((await run(['verify', app, '--key', path.join(odd, 'closed')])).code).toBe(2);
  });
});

describe('a statement of which one digest is right and another one wrong', () => {
  const content = Buffer.from('hello');
  const app = path.join(writeTree(temporary, { app: content, 'alice.pub': keyPem(alice) }), 'app');
  const key = path.join(path.dirname(app), 'alice.pub');
  const bundle = path.join(temporary, 'digests.json');

  const payloadType = 'application/vnd.in-toto+json';

  /** The name of the second hash as it stands in the payload, raw. */
  const verdict = async (name: string, value: string, predicate: object = {}) => {
    const right = sha256Of(content);
    const text = JSON.stringify({ ...statement(right, 'https://example.com/p/v1'), predicate });
    const payload = Buffer.from(text.replace(right.slice(7), `${right.slice(7)}","${name}":"${value}`));
    const signature = sign('sha256', pae(payloadType, payload), alice.privateKey);
    writeFileSync(bundle, formatBundle(keyed({ kind: 'dsse', payloadType, payload, signature })));
    return (await run(['verify', app, '--bundle', bundle, '--key', key])).code;
  };

  it.each(['sha512', 'sha5\\u00312', '\\u0073ha512', '\\u0073\\u0068\\u0061\\u0035\\u0031\\u0032', 'sha38\\u0034'])(
    'is not about the file, however the name is written: %s',
    async (name) => {
      const algorithm = name.includes('38') ? 'sha384' : 'sha512';
      const right = digest(algorithm, content);
      expect(await verdict(name, '0'.repeat(right.length))).toBe(1);
      expect(await verdict(name, right)).toBe(0);
      expect(await verdict(name, right, { a: '<b>&' })).toBe(0);
    },
  );
});

describe('the document', () => {
  const nasty = 'x\u009b31m\u202e\u2028\u2066\u200b\u0085\u{e0041}';

  it('escapes what a terminal would obey, and says the same', async () => {
    const content = Buffer.from('hello');
    const folder = writeTree(temporary, {
      app: content,
      'alice.pub': keyPem(alice),
      'app.sigstore.json': keyStatement(alice, sha256Of(content), nasty),
    });
    const { code, stdout } = await run(['verify', `${folder}/app`, '--key', `${folder}/alice.pub`, '-o', 'json']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
    const document = JSON.parse(stdout) as Verification;
    expect(document.results[0]?.signatures[0]?.statement?.predicateType).toBe(nasty);
  });

  it('of a scan does so too, in every form of JSON', async () => {
    const folder = writeTree(temporary, {
      'node_modules/a/package.json': JSON.stringify({
        name: 'a',
        version: '1.0.0',
        description: nasty,
        license: nasty,
      }),
    });
    for (const format of ['json', 'cyclonedx-json', 'spdx-json']) {
      const { stdout } = await run(['scan', `dir:${folder}`, '-o', format]);
      expect(stdout).not.toMatch(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/);
      expect(() => JSON.parse(stdout)).not.toThrow();
      // SPDX is for people to read: there it is `printable`, as in the table.
      expect(stdout).toContain(format === 'spdx-json' ? '\\\\x9b31m' : '\\u009b31m');
    }
  });
});
