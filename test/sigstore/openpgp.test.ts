import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import * as openpgp from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FailureCode, VerifyError } from '../../src/sigstore/failure.ts';
import { type OpenPgpKey, parseOpenPgpKeys, verifyOpenPgp } from '../../src/sigstore/openpgp.ts';
import { keyIdOf } from '../../src/sigstore/openpgp-packets.ts';
import { parseOpenPgpSignature } from '../../src/sigstore/openpgp-signature.ts';
import { commitOf, dataCommits } from '../kit/commits.ts';
import { describeData } from '../kit/data.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { expectRefusal } from './refusal.ts';

const work = temporaryDirectory();
const payload = Buffer.from('tree 0\n\nmessage\r\nwith ends of both kinds\n');
const made = Date.UTC(2025, 0, 1);
const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;

async function refusal(run: Promise<unknown>): Promise<readonly [FailureCode, string]> {
  try {
    await run;
  } catch (error) {
    if (error instanceof VerifyError) return [error.code, error.message];
    throw error;
  }
  throw new Error('it was accepted');
}

const refuses = async (run: Promise<unknown>, code: FailureCode, why: RegExp): Promise<void> => {
  expect(await refusal(run)).toEqual([code, expect.stringMatching(why)]);
};

function armorPgp(bytes: Uint8Array, label = 'SIGNATURE', head = '\n'): string {
  const base64 = Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,64}|^$/g)!
    .join('\n');
  return `-----BEGIN PGP ${label}-----\n${head}${base64}\n-----END PGP ${label}-----\n`;
}

interface Pair {
  readonly privateKey: openpgp.PrivateKey;
  readonly publicKey: openpgp.PublicKey;
}

type Options = Omit<openpgp.KeyOptions, 'userIDs' | 'format'> & { readonly type?: 'ecc' | 'rsa' | 'curve25519' };

async function makeKey(options: Options = {}): Promise<Pair> {
  const at = new Date(made);
  return openpgp.generateKey({
    type: 'ecc',
    date: at,
    ...options,
    userIDs: [{ email: 'a@acme.example' }],
    format: 'object',
  });
}

async function signWith(
  key: openpgp.PrivateKey,
  over: Uint8Array | string = payload,
  date = made + day,
): Promise<Uint8Array> {
  const options = { signingKeys: key, detached: true, format: 'binary', date: new Date(date) } as const;
  const signature =
    typeof over === 'string'
      ? await openpgp.sign({ message: await openpgp.createMessage({ text: over }), ...options })
      : await openpgp.sign({ message: await openpgp.createMessage({ binary: over }), ...options });
  return signature as Uint8Array;
}

const listed = (key: { write(): Uint8Array }): Promise<readonly OpenPgpKey[]> =>
  parseOpenPgpKeys(Buffer.from(key.write()));

describe('an OpenPGP signature', () => {
  let pair: Pair;
  let keys: readonly OpenPgpKey[];
  let bytes: Uint8Array;
  const check = (signature: Uint8Array | string, over = payload, at = now, by = keys) =>
    verifyOpenPgp(typeof signature === 'string' ? signature : armorPgp(signature), over, by, at);

  beforeAll(async () => {
    pair = await makeKey();
    keys = await listed(pair.publicKey);
    bytes = await signWith(pair.privateKey);
  });

  test.each<[string, Options]>([
    ['Ed25519 as of old', { type: 'ecc', curve: 'ed25519Legacy' }],
    ['Ed25519', { type: 'curve25519' }],
    ['P-256', { type: 'ecc', curve: 'nistP256' }],
    ['P-521', { type: 'ecc', curve: 'nistP521' }],
    ['RSA', { type: 'rsa', rsaBits: 2048 }],
    ['version 6', { type: 'curve25519', config: { v6Keys: true } }],
    ['a subkey', { type: 'ecc', subkeys: [{ sign: true }] }],
  ])('by %s holds for its primary key, over nothing else', async (_, options) => {
    const { privateKey, publicKey } = await makeKey(options);
    const by = await listed(publicKey);
    const signature = await signWith(privateKey);
    const fingerprint = publicKey.getFingerprint().toUpperCase();
    const result = await check(signature, payload, now, by);
    expect(result.fingerprint).toBe(fingerprint);
    expect(result.keyId === keyIdOf(fingerprint)).toBe(options.subkeys === undefined);
    await refuses(check(signature, Buffer.from('another'), now, by), 'invalid', /does not hold/);
    await refuses(
      check(signature, Buffer.from(payload.toString().replace('\r', '')), now, by),
      'invalid',
      /does not hold/,
    );
  });

  test('by a key that is not listed is untrusted, and says which it would be', async () => {
    const other = await listed((await makeKey()).publicKey);
    const fingerprint = pair.publicKey.getFingerprint().toUpperCase();
    await refuses(check(bytes, payload, now, other), 'untrusted', new RegExp(fingerprint));
    await refuses(check(bytes, payload, now, []), 'untrusted', /nobody listed/);
  });

  test('does not hold after a change of any octet, or of any bit of what is signed', async () => {
    const signedEnd = 8 + bytes[6]! * 256 + bytes[7]!;
    for (let at = 0; at < bytes.length; at++) {
      // The lengths of the numbers behind it are written in bits, and leave the number as it is up to a whole octet.
      for (const bit of at < signedEnd ? [at % 8, 7] : [7]) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= 1 << bit;
        const [code] = await refusal(check(changed));
        expect(['invalid', 'malformed', 'unsupported', 'untrusted'], `octet ${at}`).toContain(code);
      }
    }
  });

  test('counts by the time of judging, whatever date it states', async () => {
    const expiring = await makeKey({ keyExpirationTime: 30 * 86_400 });
    const by = await listed(expiring.publicKey);
    const signature = await signWith(expiring.privateKey);
    const { fingerprint } = await check(signature, payload, made + 29 * day, by);
    expect(fingerprint).toBe(by[0]!.fingerprint);
    await refuses(check(signature, payload, made + 31 * day, by), 'unproved', /nothing proves that it was/);
    await refuses(check(signature, payload, made - day, by), 'unproved', /not valid now/);
    // A clock that is ahead is no reason to refuse.
    expect((await check(bytes, payload, made + 1)).fingerprint).toBe(keys[0]!.fingerprint);
  });

  test('by a subkey that has expired is unproved though its primary key has not', async () => {
    const { privateKey, publicKey } = await makeKey({
      subkeys: [{ sign: true, keyExpirationTime: 30 * 86_400 } as openpgp.SubkeyOptions],
    });
    const signature = await signWith(privateKey);
    const by = await listed(publicKey);
    expect((await check(signature, payload, made + 2 * day, by)).fingerprint).toBe(by[0]!.fingerprint);
    await refuses(check(signature, payload, now, by), 'unproved', /not valid now/);
  });

  test.each([
    ['for no reason', openpgp.enums.reasonForRevocation.noReason, 'invalid', /was revoked/],
    ['because it was stolen', openpgp.enums.reasonForRevocation.keyCompromised, 'invalid', /was revoked/],
    ['because it was replaced', openpgp.enums.reasonForRevocation.keySuperseded, 'unproved', /replaced or retired/],
    ['because it is retired', openpgp.enums.reasonForRevocation.keyRetired, 'unproved', /replaced or retired/],
  ] as const)('by a key revoked %s does not count, in whichever copy that stands', async (_, flag, code, why) => {
    const { publicKey } = await openpgp.revokeKey({
      key: pair.privateKey,
      reasonForRevocation: { flag },
      date: new Date(made + 2 * day),
      format: 'object',
    });
    const revoked = await listed(publicKey);
    await refuses(check(bytes, payload, now, revoked), code, why);
    await refuses(check(bytes, payload, now, [...keys, ...revoked]), code, why);
    await refuses(check(bytes, payload, made + day, [...revoked, ...keys]), code, why);
    await refuses(check(bytes, Buffer.from('another'), now, revoked), 'invalid', /does not hold/);
  });

  test('by a subkey that was revoked does not count, and by its primary key it does', async () => {
    const { privateKey, publicKey } = await makeKey({ subkeys: [{ sign: true }] });
    const signature = await signWith(privateKey);
    const subkey = await publicKey.subkeys[0]!.revoke(
      privateKey.keyPacket as openpgp.SecretKeyPacket,
      {},
      new Date(made + day),
    );
    const revoked = await openpgp.readKey({ binaryKey: publicKey.write() });
    revoked.subkeys[0] = subkey;
    const by = await listed(revoked);
    await refuses(check(signature, payload, now, by), 'invalid', /was revoked/);
    const alone = await openpgp.readPrivateKey({ binaryKey: privateKey.write() });
    alone.subkeys = [];
    expect((await check(await signWith(alone), payload, now, by)).fingerprint).toBe(by[0]!.fingerprint);
  });

  test('by a subkey that the primary key did not bind for signing does not count', async () => {
    const { privateKey, publicKey } = await makeKey({ subkeys: [{ sign: true }] });
    const signature = await signWith(privateKey);
    const stripped = await openpgp.readKey({ binaryKey: publicKey.write() });
    stripped.subkeys[0]!.bindingSignatures = [];
    await refuses(
      check(signature, payload, now, await listed(stripped)),
      'unsupported',
      /does not count for signatures/,
    );
  });

  test('of a subkey put under another primary key does not count for that one', async () => {
    const [one, other] = [await makeKey({ subkeys: [{ sign: true }] }), await makeKey({ subkeys: [{ sign: true }] })];
    const signature = await signWith(one.privateKey);
    const adopted = await openpgp.readKey({ binaryKey: other.publicKey.write() });
    adopted.subkeys = [one.publicKey.subkeys[0]!];
    await refuses(
      check(signature, payload, now, await listed(adopted)),
      'unsupported',
      /does not count for signatures/,
    );
  });

  test.each<[string, number, number, FailureCode, RegExp]>([
    ['of version 3', 2, 3, 'unsupported', /version 3/],
    ['of version 5', 2, 5, 'unsupported', /version 5/],
    ['over text', 3, 1, 'unsupported', /over text/],
    ['over a key', 3, 0x1f, 'unsupported', /not one over a file/],
    ['by DSA', 4, 17, 'unsupported', /DSA/],
    ['with MD5', 5, 1, 'unsupported', /too weak/],
    ['with SHA-1', 5, 2, 'unsupported', /too weak/],
    ['with an unknown hash', 5, 99, 'unsupported', /hash algorithm 99/],
    ['with an area that overruns', 6, 0xff, 'malformed', /cut off/],
  ])('%s is refused', async (_, at, value, code, why) => {
    const changed = Uint8Array.from(bytes);
    changed[at] = value;
    await refuses(check(changed), code, why);
  });

  test('over text of the same words is refused, since it would hold over other line ends', async () => {
    await refuses(check(await signWith(pair.privateKey, payload.toString())), 'unsupported', /over text/);
  });

  test('beside a second one, or with anything behind it, is refused', async () => {
    await refuses(check(Buffer.concat([bytes, bytes])), 'unsupported', /more than one/);
    await refuses(check(armorPgp(bytes) + armorPgp(bytes)), 'unsupported', /more than one/);
    await refuses(check(Buffer.concat([bytes, Buffer.alloc(3)])), 'malformed', /does not begin/);
    await refuses(
      check(Buffer.concat([bytes, Buffer.from([0xca, 3, 0x50, 0x47, 0x50])])),
      'unsupported',
      /more than one/,
    );
  });

  test('that names two keys, or none, is refused', async () => {
    const issuer = Buffer.concat([Buffer.from([9, 16]), Buffer.alloc(8, 7)]);
    const area = bytes[6]! * 256 + bytes[7]!;
    const unhashed = bytes[8 + area]! * 256 + bytes[9 + area]!;
    const rebuilt = (put: Buffer): Buffer => {
      const body = Buffer.concat([
        bytes.subarray(2, 8 + area),
        Buffer.from([put.length >> 8, put.length & 0xff]),
        put,
        bytes.subarray(10 + area + unhashed),
      ]);
      return Buffer.concat([Buffer.from([0xc2, 0xff, 0, 0, body.length >> 8, body.length & 0xff]), body]);
    };
    expect((await check(rebuilt(Buffer.alloc(0)))).fingerprint).toBe(keys[0]!.fingerprint);
    await refuses(check(rebuilt(issuer)), 'malformed', /two keys/);
    const embedded = Buffer.concat([Buffer.from([5, 32]), Buffer.alloc(4)]);
    await refuses(check(rebuilt(embedded)), 'unsupported', /inside of an OpenPGP signature/);
    await refuses(check(rebuilt(Buffer.from([200]))), 'malformed', /cut off/);
    await refuses(check(rebuilt(Buffer.from([0]))), 'malformed', /cut off/);
  });

  test('has an armour with headers that nobody believes', async () => {
    const head = 'Version: GnuPG v2\nComment: see https://acme.example\n\n';
    expect((await check(armorPgp(bytes, 'SIGNATURE', head))).fingerprint).toBe(keys[0]!.fingerprint);
    expect((await check(armorPgp(bytes).replaceAll('\n', '\r\n'))).fingerprint).toBe(keys[0]!.fingerprint);
  });

  test.each<[string, (text: string) => string, FailureCode, RegExp]>([
    ['text before it', (text) => `x\n${text}`, 'malformed', /stands where/],
    ['text behind it', (text) => `${text}x\n`, 'malformed', /stands where/],
    ['no end', (text) => text.replace('END', 'ENDE'), 'malformed', /does not end/],
    ['a wrong checksum', (text) => text.replace('\n-----END', '\n=AAAA\n-----END'), 'malformed', /checksum/],
    ['a line that is no header', (text) => text.replace('\n\n', '\nno header\n\n'), 'malformed', /headers/],
    ['base64 that is none', (text) => text.replace('\n-----END', '\n*\n-----END'), 'malformed', /base64/],
    ['the label of a message', (text) => text.replaceAll('SIGNATURE', 'MESSAGE'), 'unsupported', /message/],
    ['nothing in it', () => armorPgp(new Uint8Array()), 'malformed', /base64/],
    ['a size beyond the cap', (text) => text + '\n'.repeat(1 << 16), 'malformed', /longer than/],
    ['another packet', () => armorPgp(Uint8Array.from([0xcb, 1, 0])), 'malformed', /no OpenPGP signature/],
  ])('in an armour with %s is refused', async (_, change, code, why) => {
    const text = armorPgp(bytes);
    await refuses(check(change(text)), code, why);
  });

  test('of any bytes is read or refused', async () => {
    const cut = fc.tuple(fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 8 })).map(([from, to, put]) => {
      const [a, b] = [from % bytes.length, to % bytes.length].sort((one, other) => one - other);
      return armorPgp(Buffer.concat([bytes.subarray(0, a), put, bytes.subarray(b), Buffer.alloc(1)]));
    });
    const anything = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((each) => armorPgp(each));
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, anything, fc.string()), async (text) => {
        await check(text).catch((error: unknown) => expect(error).toBeInstanceOf(VerifyError));
      }),
      { numRuns: 500 },
    );
  });
});

describe('OpenPGP keys', () => {
  test('are read armoured and as bytes, several from one file', async () => {
    const [one, other] = [(await makeKey()).publicKey, (await makeKey()).publicKey];
    const fingerprints = [one, other].map((key) => key.getFingerprint().toUpperCase());
    const read = async (file: string | Buffer): Promise<readonly string[]> =>
      (await parseOpenPgpKeys(file)).map(({ fingerprint }) => fingerprint);
    expect(await read(one.armor() + other.armor())).toEqual(fingerprints);
    expect(await read(Buffer.concat([one.write(), other.write()]))).toEqual(fingerprints);
    expect(await read(armorPgp(Buffer.concat([one.write(), other.write()]), 'PUBLIC KEY BLOCK'))).toEqual(fingerprints);
  });

  test('that are private, signatures or nothing are refused', async () => {
    const { privateKey } = await makeKey();
    await refuses(parseOpenPgpKeys(privateKey.armor()), 'unsupported', /private OpenPGP key/);
    await refuses(parseOpenPgpKeys(Buffer.from(privateKey.write())), 'unsupported', /private OpenPGP key/);
    await refuses(parseOpenPgpKeys(armorPgp(Uint8Array.from([1]))), 'malformed', /stands where/);
    await refuses(parseOpenPgpKeys(''), 'malformed', /there is no PUBLIC KEY BLOCK/);
    await refuses(parseOpenPgpKeys(Buffer.alloc(0)), 'malformed', /no OpenPGP public key/);
    await refuses(parseOpenPgpKeys(Buffer.from([0xc6, 6, 3, 0, 0, 0, 0, 1])), 'unsupported', /version 3/);
  });

  test('of any bytes are read or refused', async () => {
    const good = Buffer.from((await makeKey()).publicKey.write());
    const changed = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
      const copy = Buffer.from(good);
      copy[at % copy.length]! ^= bits;
      return copy;
    });
    const anything = fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each));
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, anything), async (each) => {
        await parseOpenPgpKeys(each).catch((error: unknown) => expect(error).toBeInstanceOf(VerifyError));
      }),
      { numRuns: 500 },
    );
  });
});

const hasGpg = spawnSync('gpg', ['--version']).status === 0;

describe.skipIf(!hasGpg)('a commit that git has gpg sign', () => {
  const home = path.join(work, 'g');
  const repository = path.join(work, 'repository');
  const today = Date.now();
  const env = { ...process.env, GNUPGHOME: home, HOME: work, GIT_CONFIG_NOSYSTEM: '1' };
  const gpg = (...args: string[]): Buffer =>
    execFileSync(
      'gpg',
      ['--batch', '--quiet', '--no-tty', '--passphrase', '', '--pinentry-mode', 'loopback', ...args],
      { env, stdio: 'pipe' },
    );
  const git = (...args: string[]): Buffer =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=A', '-c', 'user.email=a@acme.example', ...args], {
      env,
      stdio: 'pipe',
    });

  function commitBy(key: string): ReturnType<typeof commitOf> {
    git('-c', `user.signingkey=${key}`, 'commit', '--quiet', '--allow-empty', '-S', '-m', `by ${key}`);
    return commitOf(git('cat-file', 'commit', 'HEAD'));
  }

  const verify = async (commit: ReturnType<typeof commitOf>, key: string, at = today + day) =>
    verifyOpenPgp(
      commit.signature!.armored,
      commit.signature!.payload,
      await parseOpenPgpKeys(gpg('--armor', '--export', key).toString()),
      at,
    );

  const primary = (key: string): string =>
    /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--list-keys', key).toString())![1]!;

  beforeAll(() => {
    mkdirSync(home, { mode: 0o700 });
    mkdirSync(repository);
    execFileSync('git', ['init', '--quiet', repository], { env });
    return () => spawnSync('gpgconf', ['--kill', 'gpg-agent'], { env });
  });

  test.each(['rsa2048', 'ed25519', 'nistp256'])('with %s holds, over this commit alone', async (algorithm) => {
    const name = `${algorithm}@acme.example`;
    gpg('--quick-gen-key', name, algorithm, 'sign', 'never');
    const commit = commitBy(name);
    const { fingerprint } = await verify(commit, name);
    expect(fingerprint).toBe(primary(name));
    const { armored } = commit.signature!;
    const other = { ...commit, signature: { armored, payload: Buffer.from('another') } };
    await refuses(verify(other, name), 'invalid', /does not hold/);
  });

  test('with a signing subkey holds for the primary key', async () => {
    const name = 'subkey@acme.example';
    gpg('--quick-gen-key', name, 'ed25519', 'cert', 'never');
    gpg('--quick-add-key', primary(name), 'ed25519', 'sign', 'never');
    const { fingerprint, keyId } = await verify(commitBy(name), name);
    expect(fingerprint).toBe(primary(name));
    expect(keyId).not.toBe(keyIdOf(fingerprint));
  });

  test('with a key that has expired since is unproved, and holds again when the key is renewed', async () => {
    const name = 'expired@acme.example';
    gpg('--quick-gen-key', name, 'ed25519', 'sign', '2d');
    const commit = commitBy(name);
    expect((await verify(commit, name)).fingerprint).toBe(primary(name));
    await refuses(verify(commit, name, today + 3 * day), 'unproved', /not valid now/);
    gpg('--quick-set-expire', primary(name), '9d');
    expect((await verify(commit, name, today + 3 * day)).fingerprint).toBe(primary(name));
  });

  test('with a key that was revoked counts for nothing', async () => {
    const name = 'revoked@acme.example';
    gpg('--quick-gen-key', name, 'ed25519', 'sign', 'never');
    const commit = commitBy(name);
    const certificate = path.join(home, 'openpgp-revocs.d', `${primary(name)}.rev`);
    const ready = path.join(work, 'ready.rev');
    writeFileSync(ready, readFileSync(certificate, 'utf8').replace(':-----BEGIN', '-----BEGIN'));
    expect((await verify(commit, name)).fingerprint).toBe(primary(name));
    gpg('--import', ready);
    await refuses(verify(commit, name), 'invalid', /was revoked/);
  });

  test.each<[string, readonly string[], FailureCode, RegExp]>([
    ['with SHA-1', ['--digest-algo', 'SHA1'], 'unsupported', /too weak/],
    ['over text', ['--textmode'], 'unsupported', /over text/],
    ['with a critical notation', ['--sig-notation', '!x@acme.example=1'], 'unsupported', /critical/i],
    ['that has expired', ['--default-sig-expire', '2d'], 'unproved', /has expired/],
    [
      'before its key was there',
      ['--faked-system-time', '20200101T000000!', '--ignore-time-conflict', '--ignore-valid-from'],
      'invalid',
      /older than its key/,
    ],
    ['twice', ['-u', 'other@acme.example'], 'unsupported', /more than one/],
  ])('as gpg makes it %s is refused', async (label, options, code, why) => {
    const name = `${label.replaceAll(' ', '-')}@acme.example`;
    if (label === 'twice') gpg('--quick-gen-key', 'other@acme.example', 'ed25519', 'sign', 'never');
    gpg('--quick-gen-key', name, 'ed25519', 'sign', 'never');
    const file = path.join(work, 'payload');
    writeFileSync(file, payload);
    const armored = gpg('-u', name, ...options, '--armor', '--output', '-', '--detach-sign', file).toString();
    const keys = await parseOpenPgpKeys(gpg('--export', name));
    await refuses(verifyOpenPgp(armored, payload, keys, today + 3 * day), code, why);
  });
});

describeData('of the real commits', (data) => {
  const webFlow = 'B5690EEEBB952194';

  test('all 28 say which key they are by, and that key is not listed', async () => {
    const commits = dataCommits(data, 'pgp');
    const ids = commits.map(([, { signature }]) => parseOpenPgpSignature(signature!.armored).keyId);
    expect(ids.length).toBe(28);
    expect(ids.filter((id) => id === webFlow).length).toBe(17);
    expect([...new Set(ids)].filter((id) => id !== webFlow).sort()).toEqual([
      '0C8101208F209608',
      '2270AF851FCFC96B',
      '441B5B14FDA44A42',
      '5529493B52AC377B',
      '66428620ADE5DD69',
      '7C170795EE6DE82B',
      '931CF7FEACEAF765',
      '957E55EAFA74D3E0',
      'EDFB33D41A69F819',
      'FEDFBE011216FCEF',
    ]);
    for (const [, { signature }] of commits) {
      await refuses(verifyOpenPgp(signature!.armored, signature!.payload, [], now), 'untrusted', /nobody listed/);
    }
  });

  test('none of their signatures is taken for one of SSH', () => {
    for (const [, { signature }] of dataCommits(data, 'ssh')) {
      expectRefusal(() => parseOpenPgpSignature(signature!.armored), 'malformed', /stands where/);
    }
  });
});
