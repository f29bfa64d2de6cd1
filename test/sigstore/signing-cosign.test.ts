/** cosign and we accept each other's signatures by keys. Needs cosign in PATH or /opt/peers/bin; skipped by name without it. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { realDisk } from '../../src/io/disk.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { inTotoPayload } from '../../src/sigstore/dsse.ts';
import { parsePublicKey } from '../../src/sigstore/keys.ts';
import { parseSigningKey } from '../../src/sigstore/signing-key.ts';
import type { Artifact } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { bundleMediaType, checkedBundle, digestsOf, signWithKey } from '../../src/sigstore/write-bundle.ts';
import { formatStatement } from '../../src/sigstore/write-statement.ts';
import { attach } from '../../src/sources/attach.ts';
import { parseDigest } from '../../src/sources/digest.ts';
import { anImage, described, layout } from '../kit/image.ts';
import { file } from '../kit/tar.ts';
import { temporaryDirectory, writeTree } from '../kit/temporary.ts';

const places = ['/opt/peers/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)];
const cosign = places.map((each) => path.join(each, 'cosign')).find((each) => existsSync(each));
const describeCosign = cosign === undefined ? describe.skip : describe;

const temporary = temporaryDirectory();
const password = 'correct horse';
const bytes = Buffer.from('the artifact\n');
const artifact: Artifact = { name: 'app', digests: digestsOf(bytes), bytes };
const type = 'https://example.com/built/v1';

/** Runs cosign in a directory of its own, with no way to a network. */
function runCosign(directory: string, ...args: string[]) {
  const env = {
    HOME: directory,
    COSIGN_PASSWORD: password,
    HTTPS_PROXY: 'http://127.0.0.1:9',
    HTTP_PROXY: 'http://127.0.0.1:9',
  };
  return spawnSync(cosign ?? '', args, { cwd: directory, env, encoding: 'utf8', timeout: 60_000 });
}

function place(files: Readonly<Record<string, string | Buffer>> = {}) {
  return writeTree(temporary, { app: bytes, 'predicate.json': '{"x":1}', ...files });
}

const withoutLog = ['--tlog-upload=false', '--use-signing-config=false', '--new-bundle-format', '--yes'];
const read = (directory: string, name: string) => readFileSync(path.join(directory, name), 'utf8');

describeCosign(`cosign${cosign === undefined ? ' (needs cosign)' : ''}`, () => {
  const newKey = (kind: string) => {
    if (kind === 'ed25519') return generateKeyPairSync('ed25519');
    if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 3072 });
    return generateKeyPairSync('ec', { namedCurve: kind });
  };

  it.each(['P-256', 'rsa', 'ed25519'])('accepts a statement by our %s key, about this file only', async (kind) => {
    const { privateKey, publicKey } = newKey(kind);
    const key = await parseSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), undefined, 'key');
    const payload = formatStatement(
      { name: 'app', digests: new Map([...artifact.digests].filter(([name]) => name !== 'sha384')) },
      type,
      {},
    );
    const bundle = checkedBundle(
      signWithKey({ kind: 'dsse', payloadType: inTotoPayload, payload }, key),
      artifact,
      [],
      key.publicKey,
    );
    const directory = place({
      bundle,
      other: 'another file',
      'key.pub': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    });
    const verify = (...what: string[]) =>
      runCosign(
        directory,
        ...[
          'verify-blob-attestation',
          '--bundle',
          'bundle',
          '--key',
          'key.pub',
          '--type',
          type,
          '--insecure-ignore-tlog',
        ],
        ...what,
      );
    expect(verify('app')).toMatchObject({ status: 0, stderr: expect.stringContaining('Verified OK') });
    for (const algorithm of ['sha256', 'sha512']) {
      expect(verify('--digest', artifact.digests.get(algorithm)!, '--digestAlg', algorithm).status).toBe(0);
    }
    expect(verify('other').status).not.toBe(0);
  });

  // It signs with SHA-384 and SHA-512 then, looks for SHA-256 when it verifies by a key, and refuses its own signatures.
  it.each(['P-384', 'P-521'])(
    'signs with a %s key as we do, and takes our signature as it takes its own',
    async (kind) => {
      const pem = newKey(kind).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const directory = place({ 'raw.key': pem });
      expect(
        runCosign(directory, 'import-key-pair', '--key', 'raw.key', '--output-key-prefix', 'own', '-y').status,
      ).toBe(0);
      const key = await parseSigningKey(read(directory, 'own.key'), password, 'own.key');
      const attest = [
        'attest-blob',
        '--key',
        'own.key',
        '--predicate',
        'predicate.json',
        '--type',
        type,
        '--bundle',
        'theirs',
      ];
      expect(runCosign(directory, ...attest, ...withoutLog, 'app').status).toBe(0);
      const theirs = parseBundle(read(directory, 'theirs'));
      expect(verifyEntity(theirs, [], artifact, { key: key.publicKey }).statement?.predicateType).toBe(type);
      if (theirs.content.kind !== 'dsse') throw new Error('cosign made no envelope');
      const { payloadType, payload } = theirs.content;
      const bundle = checkedBundle(
        signWithKey({ kind: 'dsse', payloadType, payload }, key),
        artifact,
        [],
        key.publicKey,
      );
      writeFileSync(path.join(directory, 'ours'), bundle);
      const verify = (name: string) =>
        runCosign(
          directory,
          ...[
            'verify-blob-attestation',
            '--bundle',
            name,
            '--key',
            'own.pub',
            '--type',
            type,
            '--insecure-ignore-tlog',
            'app',
          ],
        ).status;
      expect(verify('ours')).toBe(verify('theirs'));
    },
  );

  it('makes keys that we read, and statements and signatures that we accept', async () => {
    const directory = place();
    expect(runCosign(directory, 'generate-key-pair').status).toBe(0);
    const publicKey = parsePublicKey(read(directory, 'cosign.pub'));
    const key = await parseSigningKey(read(directory, 'cosign.key'), password, 'cosign.key');
    expect(key.publicKey.fingerprint).toBe(publicKey.fingerprint);
    const offline = ['--key', 'cosign.key', ...withoutLog];
    const attested = runCosign(
      directory,
      'attest-blob',
      ...offline,
      '--predicate',
      'predicate.json',
      '--type',
      type,
      '--bundle',
      'a',
      'app',
    );
    expect([attested.status, attested.stderr]).toEqual([0, expect.anything()]);
    const signed = runCosign(directory, 'sign-blob', ...offline, '--bundle', 's', 'app');
    expect([signed.status, signed.stderr]).toEqual([0, expect.anything()]);
    for (const name of ['a', 's']) {
      const entity = parseBundle(read(directory, name));
      expect(verifyEntity(entity, [], artifact, { key: publicKey }).signer).toEqual({
        kind: 'key',
        fingerprint: publicKey.fingerprint,
      });
      const other = { name: 'other', digests: digestsOf(Buffer.from('x')), bytes: Buffer.from('x') };
      expect(() => verifyEntity(entity, [], other, { key: publicKey })).toThrow(/something else/);
    }
    // The same key gives the same hint, by which a bundle is matched with a key.
    const ours = signWithKey({ kind: 'message', artifact: bytes }, key).material;
    expect(parseBundle(read(directory, 's')).material).toEqual(ours);
  });

  it('finds and accepts what we attached to an image in a layout', async () => {
    const image = anImage().layer(file('a', 'x')).built();
    // By this annotation cosign knows the image of a layout.
    const directory = writeTree(
      temporary,
      layout([described(image, { annotations: { kind: 'dev.cosignproject.cosign/image' } })]),
    );
    const { privateKey, publicKey } = newKey('P-256');
    writeFileSync(path.join(directory, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const key = await parseSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), undefined, 'key');
    const subject: Artifact = { name: 'app', digests: new Map([['sha256', image.digest.slice('sha256:'.length)]]) };
    const payload = formatStatement(subject, type, { x: 1 });
    const content = checkedBundle(
      signWithKey({ kind: 'dsse', payloadType: inTotoPayload, payload }, key),
      subject,
      [],
      key.publicKey,
    );
    const target = {
      directory,
      subject: {
        mediaType: image.descriptor['mediaType'] as string,
        digest: parseDigest(image.digest),
        size: image.descriptor['size'] as number,
      },
    };
    const annotations = { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': type };
    await attach(realDisk, target, { mediaType: bundleMediaType, content, annotations });
    const verify = (name: string) =>
      runCosign(
        directory,
        'verify-attestation',
        '--local-image',
        '--key',
        'key.pub',
        '--insecure-ignore-tlog',
        '--type',
        name,
        '.',
      );
    expect(verify(type)).toMatchObject({ status: 0, stdout: expect.stringContaining(payload.toString('base64')) });
    expect(verify('https://example.com/other').status).not.toBe(0);
  });
});
