import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realDisk } from '../../src/io/disk.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { formatSealedKey } from '../../src/sigstore/signing-key.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import type { Artifact } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { digestsOf } from '../../src/sigstore/write-bundle.ts';
import { anImage, anIndex, layout, ociArchive, tagged } from '../kit/image.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { broken, run } from '../kit/world.ts';
import { type Instance, identityToken, startInstance, stopServices } from '../sigstore/signing-services.ts';

const temporary = temporaryDirectory();
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
const content = Buffer.from('the artifact');
const password = 'correct horse';
const place = writeTree(temporary, {
  'app.tgz': content,
  'predicate.json': '{"built":{"by":"me"},"n":1.5}',
  'plain.key': pem(privateKey),
  'plain.pub': publicPem,
  'weak.key': pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
  'list.json': '[]',
  'twice.json': '{"a":1,"a":2}',
  'text.json': 'hello',
  'statement.json': '{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[],"predicate":{}}',
  'envelope.json': '{"payloadType":"x","payload":"","signatures":[]}',
  'bundle.json': '{"mediaType":"x","dsseEnvelope":{}}',
  token: 'not-a-token-at-all',
  empty: '',
});
const at = (name: string) => path.join(place, name);
const app = at('app.tgz');
const type = 'https://example.com/built/v1';
const what = ['--predicate', at('predicate.json'), '--type', type];
const key = ['--key', at('plain.key')];
const publicKey = parsePublicKey(publicPem);
const amd64 = anImage().layer(file('a', 'amd64')).built();
const arm64 = anImage().on('linux', 'arm64').layer(file('a', 'arm64')).built();
const index = anIndex([amd64, arm64]);
const artifact: Artifact = { name: 'app.tgz', digests: digestsOf(content), bytes: content };
const about = (digest: string): Artifact => ({
  name: 'image',
  digests: new Map([['sha256', digest.replace('sha256:', '')]]),
});
const statementOf = (text: string, subject: Artifact) =>
  verifyEntity(parseBundle(text), [], subject, { key: publicKey }).statement!;

describe('a statement signed with a key', () => {
  it('about a file goes to standard output, by SHA-256 and SHA-512', async () => {
    const { code, stdout, stderr } = await run(['attest', app, ...what, ...key]);
    expect([code, stderr, stdout.split('\n').length]).toEqual([0, '', 2]);
    const { subjects, predicateType, predicate } = statementOf(stdout, artifact);
    const { sha256, sha512 } = Object.fromEntries(artifact.digests);
    expect(subjects).toEqual([{ name: 'app.tgz', digest: new Map(Object.entries({ sha256, sha512 })) }]);
    expect([predicateType, JSON.stringify(predicate)]).toEqual([type, '{"built":{"by":"me"},"n":1.5}']);
  });

  it('goes into the files that are named, and to standard output where none is', async () => {
    const file = at('out.json');
    const { code, stdout } = await run(['attest', app, ...what, ...key, '-o', `bundle=${file}`, '-o', 'bundle']);
    expect([code, stdout]).toEqual([0, readFileSync(file, 'utf8')]);
    const quiet = await run(['attest', app, ...what, ...key, '-o', `bundle=${file}`]);
    expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, '', `note: wrote the bundle to ${file}\n`]);
  });

  it('about a bare digest needs no file', async () => {
    const commit = 'ab'.repeat(20);
    const { code, stdout } = await run(['attest', `gitCommit:${commit}`, ...what, ...key, '--offline']);
    expect(code).toBe(0);
    const subject: Artifact = { name: 'commit', digests: new Map([['gitCommit', commit]]) };
    expect(statementOf(stdout, subject).subjects).toEqual([{ digest: new Map([['gitCommit', commit]]) }]);
  });

  it('about an image is about what its name stands for, and about one platform when that is chosen', async () => {
    const directory = writeTree(temporary, layout([tagged(index, 'registry.example/app:1.0')]));
    const target = `oci:${directory}:registry.example/app:1.0`;
    const whole = await run(['attest', target, ...what, ...key]);
    const digest = index.descriptor['digest'] as string;
    expect(whole.stderr).toBe(
      `note: the statement is about the index ${digest}, all its platforms; --platform chooses one\n`,
    );
    expect(statementOf(whole.stdout, about(digest)).subjects[0]!.name).toBe('registry.example/app:1.0');
    const one = await run(['attest', target, ...what, ...key, '--platform', 'linux/arm64']);
    expect([one.code, one.stderr]).toEqual([0, '']);
    expect(statementOf(one.stdout, about(arm64.digest)).subjects.length).toBe(1);
  });

  it('about an image in an archive is about its manifest', async () => {
    const archive = path.join(writeTree(temporary, { 'image.tar': ociArchive(layout([amd64])) }), 'image.tar');
    const { code, stdout } = await run(['attest', `oci-archive:${archive}`, ...what, ...key]);
    expect([code, statementOf(stdout, about(amd64.digest)).subjects.length]).toEqual([0, 1]);
    const itself = await run(['attest', archive, ...what, ...key]);
    const bytes = readFileSync(archive);
    expect(statementOf(itself.stdout, { name: 'image.tar', digests: digestsOf(bytes) }).subjects[0]!.name).toBe(
      'image.tar',
    );
  });

  it('is attached to the image in its layout, and nothing is written elsewhere', async () => {
    const directory = writeTree(temporary, layout([tagged(amd64, '1.0')]));
    const args = ['attest', `oci:${directory}:1.0`, ...what, ...key, '--attach'];
    const { code, stdout, stderr } = await run(args, { env: { SOURCE_DATE_EPOCH: '1700000000' } });
    expect([code, stdout]).toEqual([0, '']);
    const [, digest] = /^note: attached (sha256:\S+) to /.exec(stderr)!;
    const blob = (each: string) =>
      JSON.parse(readFileSync(path.join(directory, 'blobs', each.replace(':', '/')), 'utf8'));
    const manifest = blob(digest!) as { layers: [{ digest: string }]; annotations: object };
    expect(manifest.annotations).toEqual({
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': type,
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    });
    expect(statementOf(JSON.stringify(blob(manifest.layers[0].digest)), about(amd64.digest)).predicateType).toBe(type);
  });

  it('by a short name of its type has the URI that cosign writes', async () => {
    const { stdout } = await run(['attest', app, '--predicate', at('predicate.json'), '--type', 'cyclonedx', ...key]);
    expect(statementOf(stdout, artifact).predicateType).toBe('https://cyclonedx.org/bom');
  });
});

describe('the password of a key', () => {
  const sealedKey = async () =>
    writeTree(temporary, { 'cosign.key': await formatSealedKey(privateKey, password), pw: `${password}\n` });
  let folder = '';
  beforeAll(async () => {
    folder = await sealedKey();
  });
  const args = () => ['attest', app, ...what, '--key', path.join(folder, 'cosign.key')];

  it.each(['COSIGN_PASSWORD', 'TIDEWAITER_KEY_PASSWORD'])('comes from %s', async (name) => {
    const { code, stdout, stderr } = await run(args(), { env: { [name]: password } });
    expect([code, stderr]).toEqual([0, '']);
    expect(statementOf(stdout, artifact).predicateType).toBe(type);
  });

  it('comes from a file before the environment, without its last line break', async () => {
    const withFile = [...args(), '--key-password-file', path.join(folder, 'pw')];
    expect((await run(withFile, { env: { COSIGN_PASSWORD: 'wrong' } })).code).toBe(0);
  });

  it('is never shown', async () => {
    const { code, stdout, stderr } = await run(args(), { env: { COSIGN_PASSWORD: 'hunter2-is-wrong' } });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^error\[configuration\]: the key ".*cosign.key" cannot be decrypted: the password is wrong/,
    );
    expect(stderr).not.toMatch(/hunter2/);
    expect((await run(args())).stderr).toMatch(/no password was given\n {2}hint: set COSIGN_PASSWORD/);
  });
});

describe('a command line that cannot be acted on ends with 2, says why, and writes nothing', () => {
  const image = () => `oci:${writeTree(temporary, layout([tagged(amd64, '1.0')]))}`;
  it.each<readonly [string, () => readonly string[], RegExp]>([
    ['no predicate', () => [app, '--type', type, ...key], /--predicate is missing/],
    ['no type', () => [app, '--predicate', at('predicate.json'), ...key], /--type is missing/],
    [
      'an unknown type',
      () => [app, '--predicate', at('predicate.json'), '--type', 'slsa', ...key],
      /the names are slsaprovenance/,
    ],
    ['nothing to sign with', () => [app, ...what], /there is nothing to sign with[^\n]*\n {2}hint: sign with a key/],
    ['no network and no key', () => [app, ...what, '--offline'], /--offline forbids it/],
    [
      'a key and a token',
      () => [app, ...what, ...key, '--identity-token', at('token')],
      /--key and --identity-token are two ways/,
    ],
    ['a key and an instance', () => [app, ...what, ...key, '--trust', 'staging'], /--key and --trust are two ways/],
    ['a password without a key', () => [app, ...what, '--key-password-file', at('token')], /--key is missing/],
    ['a wrong instance', () => [app, ...what, '--trust', 'github'], /"github" is no instance to sign with/],
    [
      'services without their root',
      () => [app, ...what, '--rekor-url', 'https://rekor.test'],
      /without its trusted root/,
    ],
    [
      'two instances',
      () => [app, ...what, '--trust', 'staging', '--trusted-root', at('token')],
      /--trust names one instance, and other flags another/,
    ],
    [
      'plain http',
      () => [
        app,
        ...what,
        '--fulcio-url',
        'http://fulcio.test',
        '--trusted-root',
        at('token'),
        '--identity-token',
        at('token'),
      ],
      /"http:\/\/fulcio.test" is not an https address/,
    ],
    [
      'a bad root',
      () => [app, ...what, '--trusted-root', at('text.json'), '--identity-token', at('token')],
      /is no trusted root/,
    ],
    [
      'a bad config',
      () => [app, ...what, '--signing-config', at('list.json'), '--trusted-root', at('token')],
      /no usable signing config/,
    ],
    [
      'a bad token',
      () => [app, ...what, '--identity-token', at('token')],
      /identity token cannot be used: it is no JSON Web Token/,
    ],
    ['a public key', () => [app, ...what, '--key', at('plain.pub')], /it is a public key/],
    ['a weak key', () => [app, ...what, '--key', at('weak.key')], /RSA key of 1024 bits/],
    ['no such key', () => [app, ...what, '--key', at('none')], /there is no file/],
    ['no such password', () => [app, ...what, ...key, '--key-password-file', at('none')], /there is no file/],
    ['no such token', () => [app, ...what, '--identity-token', at('none')], /there is no file/],
    [
      'no such root',
      () => [app, ...what, '--trusted-root', at('none'), '--identity-token', at('token')],
      /there is no file/,
    ],
    [
      'the public half of its key as output',
      () => [app, ...what, ...key, '-o', `bundle=${at('plain.pub')}`],
      /would replace a key/,
    ],
    ['an empty key file', () => [app, ...what, '--key', at('empty')], /no private key in PEM/],
    [
      'another format',
      () => [app, ...what, ...key, '-o', 'json'],
      /"json" is no output format\n {2}hint: choose one of bundle/,
    ],
    ['a file that nothing can be attached to', () => [app, ...what, ...key, '--attach'], /the target is a file/],
    [
      'a digest that nothing can be attached to',
      () => [`sha256:${'0'.repeat(64)}`, ...what, ...key, '--attach'],
      /a bare digest/,
    ],
    ['a platform of a file', () => [app, ...what, ...key, '--platform', 'linux/amd64'], /--platform chooses among/],
    ['all platforms', () => [image(), ...what, ...key, '--platform', 'all'], /names several/],
    ['a short digest', () => ['sha256:abc', ...what, ...key], /is no sha256 digest/],
    ['a range of commits', () => ['git:a..b', ...what, ...key], /--predicate does not go with a range of commits/],
    ['a directory', () => [`dir:${place}`, ...what, ...key], /has no digest/],
    ['a directory by its path', () => [place, ...what, ...key], /is a directory/],
    [
      'a registry',
      () => ['registry.example/app:1.0', ...what, ...key],
      /is not on disk[^\n]*\n {2}hint: give its digest as sha256:HEX/,
    ],
    ['a bare file name', () => ['app.tgz', ...what, ...key], /a file here is written with \.\/ before it/],
  ])('%s', async (_, args, why) => {
    const { code, stdout, stderr } = await run(['attest', ...args()]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
  });
});

describe('what cannot be signed ends with 3, and nothing is written', () => {
  it.each<readonly [string, readonly string[], RegExp]>([
    ['no such file', [at('none'), ...what], /there is no file or directory/],
    ['no such predicate', [app, '--predicate', at('none.json'), '--type', type], /there is no file/],
    ['no JSON', [app, '--predicate', at('text.json'), '--type', type], /the predicate cannot be read/],
    ['a member twice', [app, '--predicate', at('twice.json'), '--type', type], /member "a" stands twice/],
    ['a list', [app, '--predicate', at('list.json'), '--type', type], /is no JSON object/],
    [
      'a statement',
      [app, '--predicate', at('statement.json'), '--type', type],
      /is a whole statement and no predicate/,
    ],
    ['an envelope', [app, '--predicate', at('envelope.json'), '--type', type], /is a signed envelope/],
    ['a bundle', [app, '--predicate', at('bundle.json'), '--type', type], /is a signed bundle/],
  ])('%s', async (_, args, why) => {
    const out = at('never.json');
    const { code, stdout, stderr } = await run(['attest', ...args, ...key, '-o', `bundle=${out}`]);
    expect([code, stdout, existsSync(out)]).toEqual([3, '', false]);
    expect(stderr).toMatch(why);
  });

  it('standard output that nobody reads', async () => {
    const { code } = await run(['attest', app, ...what, ...key], { stdout: broken(new Error('EPIPE')) });
    expect(code).toBe(3);
  });

  it('a full disk while attaching leaves the layout as it was', async () => {
    const directory = writeTree(temporary, layout([tagged(amd64, '1.0')]));
    const before = readFileSync(path.join(directory, 'index.json'), 'utf8');
    const listed = readdirSync(path.join(directory, 'blobs/sha256'));
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const disk = { ...realDisk, write: () => Promise.reject(full) };
    const { code } = await run(['attest', `oci:${directory}`, ...what, ...key, '--attach'], { disk });
    expect(code).toBe(3);
    expect(readFileSync(path.join(directory, 'index.json'), 'utf8')).toBe(before);
    expect(readdirSync(path.join(directory, 'blobs/sha256'))).toEqual(listed);
  });
});

describe('keyless', () => {
  let acme: Instance;
  let folder: string;
  // What services put into certificates and logs is of the day that the test runs.
  const now = () => Date.now();
  beforeAll(async () => {
    acme = await startInstance({ name: 'acme' });
    folder = writeTree(temporary, {
      root: acme.trustedRoot,
      config: acme.signingConfig(1),
      config2: acme.signingConfig(2),
      token: `${identityToken()}\n`,
    });
  });
  afterAll(stopServices);
  const instance = (config = 'config') => [
    ...['--signing-config', path.join(folder, config)],
    ...['--trusted-root', path.join(folder, 'root')],
  ];

  it.each(['config', 'config2'])('signs with a token from a file, and the services of a %s', async (config) => {
    const args = ['attest', app, ...what, ...instance(config), '--identity-token', path.join(folder, 'token')];
    const { code, stdout, stderr } = await run(args, { now });
    expect([code, stderr]).toEqual([0, '']);
    const signature = verifyEntity(parseBundle(stdout), [parseTrustRoot(acme.trustedRoot, 'acme')], artifact);
    expect(signature.signer).toMatchObject({
      identity: { issuer: 'https://token.actions.githubusercontent.com' },
      trust: 'acme',
    });
    expect(signature.statement?.predicateType).toBe(type);
  });

  it('signs with the token of a CI job, at addresses that are given one by one', async () => {
    const { caUrls, rekorTlogUrls, tsaUrls } = JSON.parse(acme.signingConfig(1)) as Record<string, [{ url: string }]>;
    const services = [
      '--fulcio-url',
      caUrls![0].url,
      '--rekor-url',
      rekorTlogUrls![0].url,
      '--timestamp-url',
      tsaUrls![0].url,
    ];
    const args = ['attest', app, ...what, ...services, '--trusted-root', path.join(folder, 'root')];
    const { code, stdout, stderr } = await run(args, { now, env: { SIGSTORE_ID_TOKEN: identityToken() } });
    expect([code, stderr]).toEqual([0, '']);
    expect(verifyEntity(parseBundle(stdout), [parseTrustRoot(acme.trustedRoot, 'acme')], artifact).times.length).toBe(
      2,
    );
  });

  it('writes nothing when what came back does not verify', async () => {
    const other = await startInstance({ name: 'other' });
    const [root, out] = [path.join(writeTree(temporary, { root: other.trustedRoot }), 'root'), at('never.json')];
    const args = ['attest', app, ...what, '--signing-config', path.join(folder, 'config'), '--trusted-root', root];
    const token = ['--identity-token', path.join(folder, 'token')];
    const { code, stdout, stderr } = await run([...args, ...token, '-o', `bundle=${out}`], { now });
    expect([code, stdout, existsSync(out)]).toEqual([3, '', false]);
    expect(stderr).toMatch(/the new bundle does not verify, so it was not written/);
    expect(stderr).not.toContain(identityToken().split('.')[1]);
  });
});
