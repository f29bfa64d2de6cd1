/** `tidewaiter verify` as people call it: what passes, what is denied, what cannot be decided, and what it says. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../src/report/verification.ts';
import { anImage, anIndex, type Item, layout, tagged } from '../kit/image.ts';
import { aboutSibling, aPaper, tagOf } from '../kit/papers.ts';
import {
  cosignAttestation,
  cosignSignature,
  fileBundle,
  issuer,
  keyBundle,
  keyPem,
  keyStatement,
  makeInstance,
  makeKeys,
  referrer,
  rootJson,
  sha256Of,
  statementBundle,
} from '../kit/signed.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { capture, type Ran, run } from '../kit/world.ts';

const temporary = temporaryDirectory();
const instance = makeInstance();
const release = 'https://ci.example/acme/release';
const mallory = 'https://ci.example/mallory/release';
const content = Buffer.from('what is released\n');
const other = Buffer.from('what was put in its place\n');
const [alice, bob, eve] = [makeKeys(), makeKeys('P-384'), makeKeys('ed25519')];

const folder = writeTree(temporary, {
  'app.tgz': content,
  'other.tgz': other,
  'root.json': rootJson(instance),
  'foreign.json': rootJson(makeInstance('foreign')),
  'good.json': fileBundle(instance, release, content),
  'mallory.json': fileBundle(instance, mallory, content),
  'longer.json': fileBundle(instance, `${release}/x`, content),
  'about-other.json': fileBundle(instance, release, other),
  'statement.json': statementBundle(instance, release, sha256Of(content), 'https://slsa.dev/provenance/v1'),
  'alice.pub': keyPem(alice),
  'bob.pub': keyPem(bob),
  'eve.pub': keyPem(eve),
  'alice.json': keyBundle(alice, content),
  'eve.json': keyBundle(eve, content),
  'alice.key': alice.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  'empty.json': '',
  'text.json': 'hello',
  'unknown.json': '{"hello": 1}',
  'twice.json': '{"mediaType":"a","mediaType":"b"}',
  'future.json': '{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json"}',
  'sub/x': 'x',
});
const at = (name: string) => path.join(folder, name);
const byIdentity = (identity = release) => [
  '--certificate-identity',
  identity,
  '--certificate-oidc-issuer',
  issuer,
  '--trusted-root',
  at('root.json'),
];
const app = at('app.tgz');

async function verification(...args: readonly string[]): Promise<Ran & { document: Verification }> {
  const ran = await run(['verify', ...args, '-o', 'json']);
  return { ...ran, document: JSON.parse(ran.stdout) as Verification };
}

describe('a file with a bundle', () => {
  it.each<[string, string, readonly string[], number, string]>([
    ['by the pinned identity', 'good.json', byIdentity(), 0, 'trusted'],
    ['that is a statement about it', 'statement.json', byIdentity(), 0, 'trusted'],
    ['by a pinned key', 'alice.json', ['--key', at('alice.pub')], 0, 'trusted'],
    ['by any of several keys', 'alice.json', ['--key', at('bob.pub'), '--key', at('alice.pub')], 0, 'trusted'],
    ['by a key that signs bytes and no digest', 'eve.json', ['--key', at('eve.pub')], 0, 'trusted'],
    ['by somebody else', 'mallory.json', byIdentity(), 1, 'wrong-identity'],
    ['by a longer name that begins like the pin', 'longer.json', byIdentity(), 1, 'wrong-identity'],
    ['by a name of which the pin is more', 'good.json', byIdentity(`${release}/x`), 1, 'wrong-identity'],
    ['about another file', 'about-other.json', byIdentity(), 1, 'invalid'],
    ['by another key', 'alice.json', ['--key', at('bob.pub')], 1, 'invalid'],
    ['by a key where an identity is pinned', 'alice.json', byIdentity(), 1, 'untrusted'],
    [
      'by an identity where a key is pinned',
      'good.json',
      ['--key', at('alice.pub'), '--trusted-root', at('root.json')],
      1,
      'wrong-identity',
    ],
    ['that is no JSON', 'text.json', byIdentity(), 3, 'malformed'],
    ['that is empty', 'empty.json', byIdentity(), 3, 'malformed'],
    ['that has a key twice', 'twice.json', byIdentity(), 3, 'malformed'],
    ['of a version that nobody knows', 'future.json', byIdentity(), 3, 'unsupported'],
    ['that is some other JSON', 'unknown.json', byIdentity(), 3, 'unsupported'],
    ['that is a key', 'alice.pub', byIdentity(), 3, 'malformed'],
  ])('%s', async (_, bundle, pins, code, verdict) => {
    const ran = await verification(app, '--bundle', at(bundle), ...pins);
    expect([ran.code, ran.document.results[0]?.signatures.map((each) => each.verdict)], ran.stdout).toEqual([
      code,
      [verdict],
    ]);
    expect(ran.document.outcome).toBe({ 0: 'pass', 1: 'denied', 3: 'undecided' }[code]);
  });

  it('by another instance than the trusted root is denied, and the public instance is what is trusted unless told', async () => {
    const pins = ['--certificate-identity', release, '--certificate-oidc-issuer', issuer];
    for (const trust of [['--trusted-root', at('foreign.json')], [], ['--trust', 'github'], ['--trust', 'staging']]) {
      const { code, document } = await verification(app, '--bundle', at('good.json'), ...pins, ...trust);
      expect(document.results[0]?.signatures[0]?.verdict).not.toBe('trusted');
      expect([1, 3]).toContain(code);
    }
  });

  it('is about the file, by whatever way the file is named', async () => {
    for (const target of [app, `file:${app}`, sha256Of(content)]) {
      expect((await run(['verify', target, '--bundle', at('good.json'), ...byIdentity()])).code).toBe(0);
    }
    for (const target of [at('other.tgz'), `file:${at('other.tgz')}`, sha256Of(other)]) {
      expect((await run(['verify', target, '--bundle', at('good.json'), ...byIdentity()])).code).toBe(1);
      expect((await run(['verify', target, '--bundle', at('statement.json'), ...byIdentity()])).code).toBe(1);
    }
  });

  it('passes by one signature that counts, whatever lies beside it, and lists the others', async () => {
    const bundles = ['mallory.json', 'text.json', 'good.json', 'future.json'].flatMap((each) => ['--bundle', at(each)]);
    const { code, document } = await verification(app, ...bundles, ...byIdentity());
    expect(code).toBe(0);
    expect(document.results[0]?.signatures.map(({ verdict }) => verdict)).toEqual([
      'wrong-identity',
      'malformed',
      'trusted',
      'unsupported',
    ]);
  });

  it('is not decided while one that cannot be read might have been the one', async () => {
    const bundles = ['mallory.json', 'text.json'].flatMap((each) => ['--bundle', at(each)]);
    expect((await run(['verify', app, ...bundles, ...byIdentity()])).code).toBe(3);
  });

  it('counts only when it is of the type that was asked for', async () => {
    const typed = async (bundle: string, type: string) =>
      (await run(['verify', app, '--bundle', at(bundle), ...byIdentity(), '--type', type])).code;
    expect(await typed('statement.json', 'slsaprovenance1')).toBe(0);
    expect(await typed('statement.json', 'https://slsa.dev/provenance/v1')).toBe(0);
    expect(await typed('statement.json', 'spdxjson')).toBe(3);
    expect(await typed('good.json', 'slsaprovenance1')).toBe(3);
  });
});

describe('a verification summary', () => {
  it('that does not say it passed makes the answer no, whoever signed it', async () => {
    const keys = makeKeys();
    const place = writeTree(temporary, {
      'key.pub': keyPem(keys),
      x: content,
      'x.sigstore.json': keyStatement(keys, sha256Of(content), 'https://slsa.dev/verification_summary/v1'),
    });
    const { code, stdout } = await run(['verify', `${place}/x`, '--key', `${place}/key.pub`]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^negative .*verification_summary/m)]);
    expect(stdout).toMatch(/^ {2}ignored {3}its result cannot be read: /m);
  });
});

describe('without --bundle', () => {
  it('what lies beside the file is taken, and said', async () => {
    for (const suffix of ['.sigstore.json', '.sigstore', '.bundle', '.intoto.jsonl']) {
      const place = writeTree(temporary, { x: content, [`x${suffix}`]: readFileSync(at('good.json')) });
      const { code, stderr } = await run(['verify', `${place}/x`, ...byIdentity()]);
      expect([code, stderr]).toEqual([0, expect.stringContaining(`x${suffix}`)]);
    }
  });

  it('and without anything beside it, nothing is decided', async () => {
    const { code, stdout } = await run(['verify', app, ...byIdentity()]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^signature-absent: .*app\.tgz: no signature was given, and none lies beside the file\n/m);
    expect(stdout).toContain('*.sigstore.json');
  });
});

describe('a command line that cannot be acted on ends with 2, says what to do, and writes nothing', () => {
  const bundle = ['--bundle', at('good.json')];
  const pin = byIdentity().slice(0, 4);
  it.each<[readonly string[], RegExp]>([
    [[], /nothing says who has to have signed/],
    [[app, ...bundle], /nothing says who has to have signed: .*\n {2}hint: add --certificate-identity ID and --cert/],
    [byIdentity(), /no target was given/],
    [[app, ...bundle, '--certificate-identity', release], /--certificate-oidc-issuer is missing/],
    [[app, ...bundle, '--certificate-oidc-issuer', issuer], /--certificate-identity is missing/],
    [[app, ...bundle, ...pin, '--certificate-identity', mallory], /--certificate-identity is given twice/],
    [[app, ...bundle, '--certificate-identity', '', '--certificate-oidc-issuer', issuer], /is empty/],
    [[app, ...bundle, ...pin, '--key', at('alice.pub')], /--certificate-identity and --key exclude each other/],
    [[app, ...bundle, ...pin, '--policy', 'x'], /--policy and --certificate-identity exclude each other/],
    [[app, ...bundle, ...pin, '--identity', 'x'], /--identity needs --policy/],
    [[app, ...bundle, '--identity', 'x'], /give it with --policy PATH/],
    [[app, ...bundle, ...pin, '--trust', 'nobody'], /there is no trusted root "nobody"/],
    [[app, ...bundle, ...pin, '--trusted-root', at('good.json')], /is no trusted root/],
    [[app, ...bundle, ...pin, '--max-root-age', 'old'], /--max-root-age needs a whole number of days/],
    [[app, ...bundle, ...pin, '--max-age', '0'], /--max-age needs a whole number of days above 0, not "0"/],
    [[app, ...bundle, ...pin, '--type', 'nonsense'], /neither a URI nor a known name/],
    [[app, ...bundle, ...pin, '-o', 'yaml'], /"yaml" is no output format\n {2}hint: choose one of table, json, sarif/],
    [[app, ...bundle, ...pin, '-o', 'json', '-o', 'sarif'], /two outputs go to "standard output"/],
    [[app, ...bundle, ...pin, '--platform', 'linux'], /is not a platform/],
    [[app, ...bundle, '--key', at('alice.key')], /private key/],
    [[app, ...bundle, '--key', at('good.json')], /cannot be used as a public key/],
    [[app, ...bundle, '--key', 'awskms:///alias/x'], /is no file/],
    [[app, '--bundle', at('sub'), ...pin], /is a directory, and --bundle takes a file\n {2}hint: write --bundles/],
    [[at('sub'), ...bundle, ...pin], /is a directory, and no image layout/],
    [[`dir:${folder}`, ...bundle, ...pin], /is a directory, and no image layout/],
    [['sha256:abc', ...bundle, ...pin], /is no sha256 digest: it has 3 digits/],
    [[sha256Of(content).toUpperCase().replace('SHA256', 'sha256'), ...bundle, ...pin], /upper-case/],
    [[`sha512:${'0'.repeat(64)}`, ...bundle, ...pin], /is no sha512 digest: it has 64 digits/],
    [[`sha256:${'z'.repeat(64)}`, ...bundle, ...pin], /characters that are no hexadecimal digits/],
    [[sha256Of(content), ...pin], /a digest alone has nothing beside it/],
    [['debian:12', ...pin], /is in a registry/],
    [['', ...pin], /the target is empty/],
    [['docker:debian', ...pin], /cannot be verified/],
    [[app, ...bundle, '--certificate-identity-regexp', '.*'], /identities are compared whole/],
    [[app, ...bundle, ...pin, '--platform', 'linux/amd64'], /--platform chooses among images/],
    [[app, ...pin, '--bundles', at('app.tgz')], /is no directory/],
    [[app, ...bundle, ...pin, '--no-such-flag'], /unknown option/],
  ])('%j', async (args, why) => {
    const { code, stdout, stderr } = await run(['verify', ...args]);
    expect([code, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/hint: |unknown option/);
    expect(stderr).not.toContain(keyPem(alice).split('\n')[1]);
  });

  it('never shows who signed: a pin that is copied from the signature says nothing', async () => {
    const { stdout, stderr } = await run(['verify', app, '--bundle', at('good.json')]);
    expect(stdout + stderr).not.toContain(release);
  });

  it('never shows a private key that was given by mistake', async () => {
    const { stderr } = await run(['verify', app, '--bundle', at('good.json'), '--key', at('alice.key')]);
    for (const line of readFileSync(at('alice.key'), 'utf8').split('\n').slice(1, -2))
      expect(stderr).not.toContain(line);
  });
});

describe('what is not there ends with 3', () => {
  it.each<[readonly string[], RegExp]>([
    [[at('none'), '--bundle', at('good.json')], /there is no file or directory/],
    [[app, '--bundle', at('none.json')], /there is no file .*none\.json/],
    [[app, '--bundle', at('good.json'), '--trusted-root', at('none.json')], /there is no file .*none\.json/],
    [[`oci:${at('none')}`], /there is no directory/],
    [['--bundles', at('sub')], /holds no bundle/],
    [['--bundles', at('nowhere')], /there is no directory/],
  ])('%j', async (args, why) => {
    const pins = args.includes('--trusted-root') ? byIdentity().slice(0, 4) : byIdentity();
    const { code, stderr } = await run(['verify', ...args, ...pins]);
    expect([code, stderr]).toEqual([3, expect.stringMatching(why)]);
  });
});

describe('what was configured and is not there ends with 2', () => {
  it.each<[string, readonly string[]]>([
    ['a key', ['--key', at('none.pub')]],
    ['a policy', ['--policy', at('none.yaml'), '--identity', 'release']],
  ])('%s', async (_, pins) => {
    const { code, stderr } = await run(['verify', app, '--bundle', at('good.json'), ...pins]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cannot be read: there is no file .*none\./)]);
  });
});

describe('the age of a trusted root', () => {
  const pins = byIdentity().slice(0, 4);
  const later = { now: () => Date.UTC(2027, 6, 1) };

  it('is nothing to a signature by a key, for which no root was asked', async () => {
    const keyed = ['--key', at('alice.pub'), '--bundle', at('alice.json'), '--max-root-age', '30'];
    const { code, stdout } = await run(['verify', app, ...keyed], later);
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('public-good')]);
  });

  it('beyond what is allowed leaves undecided what does not pass', async () => {
    const keyed = ['--key', at('bob.pub'), '--bundle', at('alice.json')];
    expect((await run(['verify', app, ...keyed], later)).code).toBe(1);
    expect((await run(['verify', app, ...keyed, '--max-root-age', '9000'], later)).code).toBe(1);
    const { code, stdout } = await run(['verify', app, ...keyed, '--max-root-age', '30d'], later);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^trusted-root-too-old: .*"public-good" is \d+ days old, and 30 are allowed$/m);
    expect(stdout).toContain('tidewaiter trust update');
  });

  it('is shown; a file does not say its age, and cannot be held to one', async () => {
    const { document } = await verification(app, '--bundle', at('good.json'), ...pins);
    expect(document.trust[0]).toMatchObject({ name: 'public-good', from: 'shipped', ageDays: expect.any(Number) });
    const own = [...byIdentity(), '--max-root-age', '30'];
    expect((await run(['verify', app, '--bundle', at('good.json'), ...own])).code).toBe(3);
  });
});

describe('the age of a signature', () => {
  const good = [app, '--bundle', at('good.json'), ...byIdentity()];
  const dayMs = 24 * 60 * 60 * 1000;

  it('is held against --max-age by the time that is proved', async () => {
    const { document } = await verification(...good);
    const times = document.results[0]?.signatures[0]?.times ?? [];
    const signed = Math.min(...times.map((time) => Date.parse(time.at)));
    const dayAfter = (days: number) => ({ now: () => signed + days * dayMs });
    expect((await run(['verify', ...good, '--max-age', '30'], dayAfter(30))).code).toBe(0);
    const { code, stdout } = await run(['verify', ...good, '--max-age', '30d'], dayAfter(30.01));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^signature-too-old: .*: signed 30 days ago, and 30 are allowed$/m);
  });

  it('cannot be told of a signature without any proved time, which does not count then', async () => {
    const keyed = [app, '--key', at('alice.pub'), '--bundle', at('alice.json')];
    expect((await run(['verify', ...keyed])).code).toBe(0);
    const { code, stdout } = await run(['verify', ...keyed, '--max-age', '9000']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^signature-unproved: .*nothing proves when it was made/m);
  });
});

const npm = (name: string) => file(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0' }));
const digestIn = (item: Item) => (item.descriptor as { digest: string }).digest;
const place = (...items: readonly Item[]) => `oci:${writeTree(temporary, layout(items))}`;
const byAlice = ['--key', at('alice.pub')];

describe('an image', () => {
  const image = tagged(anImage().layer(npm('a')).built(), '1.0');
  const digest = digestIn(image);
  const sig = (keys = alice, about = digest) => tagged(cosignSignature(keys, about), tagOf(digest, '.sig'));

  it.each<[string, readonly Item[], number, readonly string[]]>([
    ['with a signature as cosign hangs it', [sig()], 0, ['trusted']],
    [
      'with an attestation as cosign hangs it',
      [tagged(cosignAttestation(alice, digest, 'https://slsa.dev/provenance/v1'), tagOf(digest, '.att'))],
      0,
      ['trusted'],
    ],
    ['with a bundle that refers to it', [referrer(digest, keyStatement(alice, digest))], 0, ['trusted']],
    ['with both forms at once', [sig(), referrer(digest, keyStatement(alice, digest))], 0, ['trusted', 'trusted']],
    [
      'with a signature by somebody unknown beside it',
      [sig(), referrer(digest, keyStatement(bob, digest))],
      0,
      ['trusted', 'invalid'],
    ],
    ['with a signature by somebody unknown alone', [sig(bob)], 1, ['invalid']],
    ['with a signature over another image', [sig(alice, `sha256:${'1'.repeat(64)}`)], 1, ['wrong-subject']],
    [
      'with a bundle about another image',
      [referrer(digest, keyStatement(alice, `sha256:${'1'.repeat(64)}`))],
      1,
      ['wrong-subject'],
    ],
    ['with nothing attached', [], 3, []],
  ])('%s', async (_, attached, code, verdicts) => {
    const ran = await verification(`${place(image, ...attached)}:1.0`, ...byAlice);
    expect([ran.code, ran.document.results[0]?.signatures.map(({ verdict }) => verdict)], ran.stdout).toEqual([
      code,
      verdicts,
    ]);
  });

  it('is not decided by a signature whose content is not there, or is not what its digest says', async () => {
    const layer = {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      content: '{ }',
      annotations: { 'dev.cosignproject.cosign/signature': 'MEUC' },
    };
    const missing = tagged(aPaper({ layers: [{ ...layer, missing: true }] }), tagOf(digest, '.sig'));
    const lying = tagged(aPaper({ layers: [{ ...layer, lies: { size: 77 } }] }), tagOf(digest, '.sig'));
    const first = await verification(`${place(image, missing)}:1.0`, ...byAlice);
    expect([first.code, first.document.results[0]?.signatures[0]?.verdict]).toEqual([3, 'unreachable']);
    const second = await verification(`${place(image, lying)}:1.0`, ...byAlice);
    expect([second.code, second.document.results[0]?.signatures[0]?.verdict]).toEqual([3, 'malformed']);
  });

  it('may have its signature in a file', async () => {
    const bundle = path.join(temporary, 'image.sigstore.json');
    writeFileSync(bundle, keyStatement(alice, digest));
    expect((await run(['verify', place(image), ...byAlice, '--bundle', bundle])).code).toBe(0);
    writeFileSync(bundle, keyStatement(alice, `sha256:${'1'.repeat(64)}`));
    expect((await run(['verify', place(image), ...byAlice, '--bundle', bundle])).code).toBe(1);
  });

  it('in an archive needs to be called one: a path to a file stands for the file', async () => {
    const { ociArchive } = await import('../kit/image.ts');
    const archive = path.join(temporary, 'image.tar');
    writeFileSync(archive, ociArchive(layout([image, sig()])));
    expect((await run(['verify', `oci-archive:${archive}:1.0`, ...byAlice])).code).toBe(0);
    expect((await run(['verify', archive, ...byAlice])).code).toBe(3);
  });
});

describe('an image for several platforms', () => {
  const amd = anImage().on('linux', 'amd64').layer(npm('a')).built();
  const arm = anImage().on('linux', 'arm64').layer(npm('b')).built();
  const index = tagged(anIndex([amd, arm]), '1.0');
  const sign = (item: Item, keys = alice) =>
    tagged(cosignSignature(keys, digestIn(item)), tagOf(digestIn(item), '.sig'));
  const verdict = async (attached: readonly Item[], ...flags: readonly string[]) =>
    verification(`${place(index, ...attached)}:1.0`, ...byAlice, ...flags);

  it('is covered whole by a signature on its index', async () => {
    const { code, document } = await verdict([sign(index)]);
    expect(code).toBe(0);
    expect(document.results[0]?.target.digests.map(({ role, platform, met }) => [role, platform, met])).toEqual([
      ['index', undefined, true],
      ['manifest', 'linux/amd64', true],
      ['manifest', 'linux/arm64', true],
    ]);
  });

  it('is not covered by a signature on one of its platforms, unless only that one is asked about', async () => {
    const { code, stdout } = await run(['verify', `${place(index, sign(amd))}:1.0`, ...byAlice]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^signature-absent: .*linux\/arm64: /m);
    expect((await verdict([sign(amd)], '--platform', 'linux/amd64')).code).toBe(0);
    expect((await verdict([sign(amd)], '--platform', 'linux/arm64')).code).toBe(3);
  });

  it('is covered by signatures on each of its platforms', async () => {
    expect((await verdict([sign(amd), sign(arm)])).code).toBe(0);
    expect((await verdict([sign(amd), sign(arm, bob)])).code).toBe(1);
  });

  it('may hold papers of BuildKit, which nobody signed: they are listed and neither help nor harm', async () => {
    const statement = aPaper({ layers: [{ mediaType: 'application/vnd.in-toto+json', content: '{"_type":"x"}' }] });
    const listed = tagged(anIndex([amd, aboutSibling(statement, digestIn(amd))]), '1.0');
    const alone = await verification(`${place(listed)}:1.0`, ...byAlice);
    expect([alone.code, alone.document.results[0]?.signatures.map((each) => each.verdict)]).toEqual([3, ['unsigned']]);
    const { code } = await verification(`${place(listed, sign(listed))}:1.0`, ...byAlice);
    expect(code).toBe(0);
  });
});

describe('a directory of bundles', () => {
  it('is judged file by file, with the worst outcome as the answer', async () => {
    const good = readFileSync(at('good.json'));
    const clean = writeTree(temporary, {
      'a.tgz': content,
      'a.tgz.sigstore.json': good,
      [`${sha256Of(content)}.jsonl`]: `${readFileSync(at('statement.json'))}\n`,
    });
    const { code, document } = await verification('--bundles', clean, ...byIdentity());
    expect([code, document.results.map(({ outcome }) => outcome)]).toEqual([0, ['pass', 'pass']]);

    writeFileSync(path.join(clean, 'b.tgz'), other);
    const unsigned = await run(['verify', '--bundles', clean, ...byIdentity()]);
    expect([unsigned.code, unsigned.stdout]).toEqual([
      3,
      expect.stringMatching(/^signature-absent: .*b\.tgz: no bundle lies beside it$/m),
    ]);

    writeFileSync(path.join(clean, 'b.tgz.sigstore.json'), good);
    const denied = await run(['verify', '--bundles', clean, ...byIdentity()]);
    expect([denied.code, denied.stdout]).toEqual([
      1,
      expect.stringMatching(/^3 targets: 2 passed, 1 denied, 0 not decided$/m),
    ]);

    writeFileSync(path.join(clean, 'gone.tgz.sigstore.json'), good);
    const undecided = await run(['verify', '--bundles', clean, ...byIdentity()]);
    expect([undecided.code, undecided.stdout]).toEqual([
      3,
      expect.stringContaining('there is no file "gone.tgz" beside its bundle'),
    ]);
  });

  it('with a target is evidence for it', async () => {
    const bundles = writeTree(temporary, {
      'one.sigstore.json': readFileSync(at('mallory.json')),
      'two.sigstore.json': readFileSync(at('good.json')),
    });
    expect((await run(['verify', app, '--bundles', bundles, ...byIdentity()])).code).toBe(0);
    expect((await run(['verify', at('other.tgz'), '--bundles', bundles, ...byIdentity()])).code).toBe(1);
  });
});

describe('a policy', () => {
  const image = tagged(anImage().layer(npm('p')).built(), '1.0');
  const digest = digestIn(image);
  const policyFolder = writeTree(temporary, {
    'keys/alice.pub': keyPem(alice),
    'keys/bob.pub': keyPem(bob),
    'policy.yaml': `version: 1
identities:
  alice: { key: keys/alice.pub }
  bob: { key: keys/bob.pub }
images:
  - match: registry.example/acme/both
    signed: { all: [alice, bob] }
  - match: registry.example/acme/pinned
    pinned: true
    signed: { any: [alice] }
  - match: registry.example/acme/silent
    pinned: true
`,
  });
  const policy = path.join(policyFolder, 'policy.yaml');
  const judge = (target: string, ...flags: readonly string[]) => run(['verify', target, '--policy', policy, ...flags]);

  it('says who has to sign, by name', async () => {
    expect((await judge(app, '--bundle', at('alice.json'), '--identity', 'alice')).code).toBe(0);
    expect((await judge(app, '--bundle', at('alice.json'), '--identity', 'bob')).code).toBe(1);
    expect((await judge(app, '--bundle', at('alice.json'), '--identity', 'bob', '--identity', 'alice')).code).toBe(0);
  });

  it('has to be told which part of it applies', async () => {
    const { code, stderr } = await judge(app, '--bundle', at('alice.json'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('in this policy: "alice", "bob"')]);
    expect((await judge(app, '--bundle', at('alice.json'), '--identity', 'carol')).code).toBe(2);
    expect((await judge(app, '--bundle', at('alice.json'), '--as', 'registry.example/acme/both')).code).toBe(2);
    expect((await judge(app, '--bundle', at('alice.json'), '--identity', 'alice', '--trust', 'github')).code).toBe(2);
  });

  it('judges an image by the entries that speak of its name', async () => {
    const signed = place(image, referrer(digest, keyStatement(alice, digest)));
    const twice = place(
      image,
      referrer(digest, keyStatement(alice, digest)),
      referrer(digest, keyStatement(bob, digest)),
    );
    const as = (name: string) => ['--as', `registry.example/acme/${name}`];
    const short = await judge(signed, ...as('both'));
    expect([short.code, short.stdout]).toEqual([
      1,
      expect.stringMatching(/1 of 2 required signers have signed: bob missing/),
    ]);
    expect((await judge(twice, ...as('both'))).code).toBe(0);
    expect((await judge(signed, ...as('nobody-speaks-of-it'))).code).toBe(1);
    expect((await judge(signed, ...as('silent'))).code).toBe(2);
    expect((await judge(signed, ...as('pinned'))).code).toBe(1);
    expect((await judge(`${signed}@${digest}`, ...as('pinned'))).code).toBe(0);
    expect((await judge(signed, ...as(`pinned@${digest}`))).code).toBe(0);
    expect((await judge(signed, ...as(`pinned@sha256:${'1'.repeat(64)}`))).code).toBe(1);
  });
});

describe('SARIF', () => {
  interface Sarif {
    readonly runs: readonly [
      {
        readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly exitCode: number }];
        readonly results: readonly {
          readonly ruleId: string;
          readonly level: string;
          readonly partialFingerprints: object;
        }[];
        readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      },
    ];
  }
  const sarif = async (...bundles: readonly string[]) => {
    const args = bundles.flatMap((each) => ['--bundle', at(each)]);
    const ran = await run(['verify', app, ...args, ...byIdentity(), '-o', 'sarif']);
    const [only] = (JSON.parse(ran.stdout) as Sarif).runs;
    return { ...only, code: ran.code };
  };

  it('has an error for each finding where something is denied, and notes where the rest does not matter', async () => {
    const denied = await sarif('mallory.json');
    expect(denied.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([['wrong-identity', 'error']]);
    expect(denied.invocations[0]).toMatchObject({ executionSuccessful: true, exitCode: 1 });
    const passed = await sarif('mallory.json', 'good.json');
    expect(passed.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([['wrong-identity', 'note']]);
    expect(passed.code).toBe(0);
  });

  it('never looks clean when nothing was decided', async () => {
    for (const bundles of [['text.json'], []]) {
      const { code, results, invocations } = await sarif(...bundles);
      expect([code, invocations[0].executionSuccessful, results.length]).toEqual([3, false, 1]);
    }
  });

  it('has the same fingerprints from run to run', async () => {
    const [one, two] = [await sarif('mallory.json'), await sarif('mallory.json')];
    expect(one.results.map((each) => each.partialFingerprints)).toEqual(
      two.results.map((each) => each.partialFingerprints),
    );
  });
});

describe('every output format', () => {
  it('ends with the same code, and goes where it was told', async () => {
    for (const [bundle, code] of [
      ['good.json', 0],
      ['mallory.json', 1],
      ['text.json', 3],
    ] as const) {
      const out = path.join(temporary, `${bundle}.out`);
      for (const format of ['table', 'json', 'sarif']) {
        const ran = await run(['verify', app, '--bundle', at(bundle), ...byIdentity(), '-o', `${format}=${out}`]);
        expect([ran.code, ran.stdout, existsSync(out)]).toEqual([code, '', true]);
      }
    }
  });

  it('is the same from run to run', async () => {
    for (const format of ['table', 'json', 'sarif']) {
      const args = ['verify', app, '--bundle', at('mallory.json'), ...byIdentity(), '-o', format];
      expect(await run(args)).toEqual(await run(args));
    }
  });
});

describe('text from a signature or a file name', () => {
  const nasty = '\u001b[31mred\u0007::set-output name=x::y\u202e\u200b\u009b2J\n##[error]z';
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b]/;

  it('never reaches a terminal raw', async () => {
    const name = nasty.replaceAll('/', '').replaceAll('\n', ' ');
    const inside = path.join(temporary, name);
    mkdirSync(inside);
    writeFileSync(path.join(inside, 'x'), content);
    writeFileSync(
      path.join(inside, 'x.sigstore.json'),
      statementBundle(instance, `${mallory}/${nasty.replace(/[^ -~]/g, '')}`, sha256Of(content), `https://x/${nasty}`),
    );
    for (const stdout of [capture(), capture(true, 60)]) {
      const ran = await run(['verify', path.join(inside, 'x'), ...byIdentity(), '-o', 'table'], {
        stdout,
        env: { NO_COLOR: '1' },
      });
      expect([1, 3]).toContain(ran.code);
      for (const text of [stdout.text(), ran.stderr]) {
        expect(text).not.toMatch(raw);
        expect(text).not.toMatch(/^\s*::/m);
        expect(text).not.toMatch(/##\[/);
      }
    }
  });
});

describe('a bundle that somebody spoiled', () => {
  it('is never a bug, and never passes for another file', async () => {
    const text = readFileSync(at('good.json'), 'utf8');
    const spoiled = path.join(temporary, 'spoiled.json');
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(3), async (position, put, drop) => {
        writeFileSync(spoiled, text.slice(0, position) + put + text.slice(position + drop));
        const own = await run(['verify', app, '--bundle', spoiled, ...byIdentity()]);
        expect([own.code, own.stderr]).toEqual([expect.toBeOneOf([0, 1, 3]), '']);
        const others = await run(['verify', at('other.tgz'), '--bundle', spoiled, ...byIdentity()]);
        expect(others.code).toBeOneOf([1, 3]);
        const mallorys = await run(['verify', app, '--bundle', spoiled, ...byIdentity(mallory)]);
        expect(mallorys.code).toBeOneOf([1, 3]);
      }),
      { numRuns: 100 },
    );
  });
});
