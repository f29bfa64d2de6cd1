/** What the real cosign signs, attaches and saves, we find and verify. Against a registry on this machine; no network. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/archive/index.ts';
import { realDisk } from '../../src/io/disk.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { parseCosignLayer } from '../../src/sigstore/cosign.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { matchSimpleSigning } from '../../src/sigstore/simple-signing.ts';
import type { Artifact, PublicKey } from '../../src/sigstore/types.ts';
import { outcomeOf, verifyEntity } from '../../src/sigstore/verify.ts';
import { type Attachment, openAttached } from '../../src/sources/attached.ts';
import { anImage, anIndex, layout, tagged } from '../kit/image.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';
import { sha256 } from './log.ts';

const temporary = temporaryDirectory();
const cosign = [process.env['TIDEWAITER_PEERS'] ?? '', ...(process.env['PATH'] ?? '').split(path.delimiter)]
  .filter((folder) => folder !== '')
  .flatMap((folder) => [path.join(folder, 'cosign'), path.join(folder, 'bin/cosign')])
  .find(existsSync);
const hasAll =
  cosign !== undefined && ['docker-registry', 'skopeo'].every((each) => spawnSync(each, ['--version']).status === 0);

const amd64 = anImage().layer(file('a', 'amd64')).built();
const arm64 = anImage().on('linux', 'arm64').layer(file('a', 'arm64')).built();
const index = anIndex([amd64, arm64]);
const indexDigest = index.descriptor['digest'] as string;

let registry: ChildProcess | undefined;
let name = '';
let key: PublicKey;

describe.skipIf(!hasAll)('cosign (needs cosign, docker-registry and skopeo)', () => {
  beforeAll(async () => {
    mkdirSync(path.join(temporary, 'home'));
    const port = await startRegistry();
    name = `localhost:${port}/app`;
    const source = writeTree(temporary, layout([tagged(amd64, 'one'), tagged(index, 'many')]));
    for (const tag of ['one', 'many']) {
      run('skopeo', ['copy', '--all', '--dest-tls-verify=false', `oci:${source}:${tag}`, `docker://${name}:${tag}`]);
    }
    run(cosign!, ['generate-key-pair']);
    key = parsePublicKey(readFileSync(path.join(temporary, 'cosign.pub'), 'utf8'));
    writeFileSync(path.join(temporary, 'predicate.json'), '{"a":1}');
  });

  afterAll(() => void registry?.kill());

  it('signs and saves an image in all its formats, and all of them verify', async () => {
    for (const old of [false, true]) {
      signing('sign', amd64.digest, old);
      signing('attest', amd64.digest, old, ['--predicate', 'predicate.json', '--type', 'https://example.com/p/v1']);
    }
    signing('sign', amd64.digest, true, ['--registry-referrers-mode=oci-1-1'], { COSIGN_EXPERIMENTAL: '1' });
    const found = await save(amd64.digest);
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      'bundle',
      'bundle',
      'cosign-attestation',
      'cosign-signature',
      'cosign-signature',
    ]);
    for (const each of found) {
      expect(each.attachedTo).toBe(amd64.digest);
      expect(subjectOf(each, [amd64.digest]), each.place).toBe(amd64.digest);
      expect(subjectOf(each, [arm64.digest]), each.place).toBe('wrong-subject');
    }
  });

  it('signs an index and its manifests, and each signature is about one of them', async () => {
    for (const old of [false, true]) signing('sign', indexDigest, old, ['--recursive']);
    const found = await save(indexDigest);
    expect(found.map(({ kind }) => kind).sort()).toEqual(['bundle', 'cosign-signature']);
    for (const each of found) expect(subjectOf(each, [indexDigest])).toBe(indexDigest);

    const copied = path.join(temporary, 'copied');
    for (const digest of [indexDigest, amd64.digest, arm64.digest]) {
      for (const tag of [`${digest.replace(':', '-')}.sig`, digest.replace(':', '-')]) {
        run('skopeo', ['copy', '--all', '--src-tls-verify=false', `docker://${name}:${tag}`, `oci:${copied}:${tag}`]);
      }
    }
    run('skopeo', ['copy', '--all', '--src-tls-verify=false', `docker://${name}:many`, `oci:${copied}:many`]);
    const all = await open(`oci:${copied}`);
    for (const digest of [indexDigest, amd64.digest, arm64.digest]) {
      const own = all.filter((each) => each.attachedTo === digest);
      expect(own.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['bundle', 'cosign-signature']));
      for (const each of own) expect(subjectOf(each, [digest]), each.place).toBe(digest);
    }
  });
});

async function startRegistry(): Promise<number> {
  const port = await freePort();
  const settings = `version: 0.1
storage: {filesystem: {rootdirectory: ${JSON.stringify(path.join(temporary, 'registry'))}}}
http: {addr: "127.0.0.1:${port}"}
`;
  const place = path.join(temporary, 'registry.yml');
  writeFileSync(place, settings);
  registry = spawn('docker-registry', ['serve', place], { stdio: 'ignore' });
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`http://localhost:${port}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return port;
    await pause(100);
  }
  throw new Error('the registry does not answer');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function run(program: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): void {
  const done = spawnSync(program, argv, {
    cwd: temporary,
    encoding: 'utf8',
    timeout: 60_000,
    env: {
      PATH: process.env['PATH'],
      HOME: path.join(temporary, 'home'),
      COSIGN_PASSWORD: '',
      HTTPS_PROXY: 'http://127.0.0.1:1',
      ...more,
    },
  });
  if (done.status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${done.stderr}`);
}

function signing(
  command: 'sign' | 'attest',
  digest: string,
  old: boolean,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): void {
  const how = [
    '-y',
    '--key',
    'cosign.key',
    '--use-signing-config=false',
    '--tlog-upload=false',
    '--allow-http-registry',
  ];
  run(cosign!, [command, ...how, `--new-bundle-format=${!old}`, ...more, `${name}@${digest}`], env);
}

async function save(digest: string): Promise<readonly Attachment[]> {
  const directory = path.join(temporary, `saved-${digest.slice(7, 19)}`);
  run(cosign!, ['save', '--dir', directory, '--allow-http-registry', `${name}@${digest}`]);
  return open(`oci:${directory}`);
}

async function open(target: string): Promise<readonly Attachment[]> {
  const found = await openAttached(target, { disk: realDisk, limits: defaultLimits, platform: 'all' });
  await found.close();
  expect(found.gaps).toEqual([]);
  return found.attachments;
}

/** Which of the digests the attachment is proved to be about, or why it is about none. */
function subjectOf(attachment: Attachment, digests: readonly string[]): string {
  const outcome = outcomeOf(() => {
    const { bytes, kind } = attachment;
    const entity = kind === 'bundle' ? parseBundle(bytes.toString()) : parseCosignLayer(attachment);
    if (kind === 'cosign-signature') {
      const digest = sha256(bytes).toString('hex');
      verifyEntity(entity, [], { name: 'payload', digests: new Map([['sha256', digest]]), bytes }, { key });
      return matchSimpleSigning(bytes, digests).digest;
    }
    const [digest = ''] = digests;
    const artifact: Artifact = { name: digest, digests: new Map([['sha256', digest.slice(7)]]) };
    verifyEntity(entity, [], artifact, { key });
    return digest;
  });
  return outcome.ok ? outcome.value : outcome.failure.code;
}
