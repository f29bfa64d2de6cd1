import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parseSshSignature, verifySshSignature } from '../../src/sigstore/ssh-signature.ts';
import { sshString } from '../../src/sigstore/ssh-wire.ts';
import { dataCommits } from '../kit/commits.ts';
import { describeData, readData } from '../kit/data.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { expectRefusal, refusalOf } from './refusal.ts';
import {
  armorSsh,
  makeSshKey,
  mpint,
  plainTypes,
  type Shape,
  type SshType,
  securityTypes,
  signSsh,
  signSshBlob,
  type TestKey,
} from './ssh.ts';

const work = temporaryDirectory();
const types = [...plainTypes, ...securityTypes];
const keys: ReadonlyMap<SshType, TestKey> = new Map(types.map((type) => [type, makeSshKey(type)]));
const message: Buffer = Buffer.from('tree 0\n\nmessage\n');
const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

const check = (armored: string, over = message, namespace = 'git') =>
  verifySshSignature(parseSshSignature(armored), over, namespace);
const ed25519 = keys.get('ssh-ed25519')!;
const rsa = keys.get('ssh-rsa')!;
const p256 = keys.get('ecdsa-sha2-nistp256')!;
const security = keys.get('sk-ssh-ed25519@openssh.com')!;

/** What ssh-keygen says: whether it holds for whoever made it. */
function keygenAccepts(armored: string, over = message, namespace = 'git'): boolean {
  const file = path.join(mkdtempSync(path.join(work, 'signature-')), 'sig');
  writeFileSync(file, armored);
  return spawnSync('ssh-keygen', ['-Y', 'check-novalidate', '-n', namespace, '-s', file], { input: over }).status === 0;
}

describe('an SSH signature', () => {
  test.each(types.flatMap((type) => (['sha256', 'sha512'] as const).map((hash) => [type, hash] as const)))(
    'by %s over %s holds, for nothing else',
    (type, hash) => {
      const key = keys.get(type)!;
      const armored = signSsh(key, message, { hash });
      expect(check(armored).keyBlob).toEqual(key.blob);
      expectRefusal(() => check(armored, Buffer.from('another')), 'invalid', /does not hold/);
      expectRefusal(() => check(armored, message, 'file'), 'invalid', /another use/);
      const other = signSsh(key, message, { hash, blob: makeSshKey(type).blob });
      expectRefusal(() => check(other), 'invalid', /does not hold/);
    },
  );

  test('by RSA holds with SHA-256 as with SHA-512', () => {
    for (const algorithm of ['rsa-sha2-256', 'rsa-sha2-512'])
      expect(check(signSsh(rsa, message, { algorithm })).keyBlob).toEqual(rsa.blob);
  });

  test('by RSA holds without its leading zeros, as ssh-keygen has it', () => {
    for (let round = 0; ; round++) {
      const over = Buffer.from(`message ${round}`);
      const blob = signSshBlob(rsa, over);
      const numbers = blob.subarray(-256);
      if (numbers[0] !== 0 || numbers[1] === 0) continue;
      const head = signSshBlob(rsa, over).subarray(0, blob.length - (4 + 4 + 12 + 4 + 256));
      const short = Buffer.concat([
        head,
        sshString(Buffer.concat([sshString('rsa-sha2-512'), sshString(numbers.subarray(1))])),
      ]);
      expect(check(armorSsh(short), over).fingerprint).toBe(check(armorSsh(blob), over).fingerprint);
      if (hasKeygen) expect(keygenAccepts(armorSsh(short), over)).toBe(true);
      return;
    }
  });

  test.each(securityTypes)('by %s says whether it was touched and by whom', (type) => {
    const key = keys.get(type)!;
    const flags = (value: number) => {
      const { touched, verifiedByUser, publicKey } = check(
        signSsh(key, message, { flags: value, counter: 0xfffffffe }),
      );
      expect(publicKey).toBeUndefined();
      return [touched, verifiedByUser];
    };
    expect([0, 1, 4, 5].map(flags)).toEqual([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  test('by a plain key says nothing about touch', () => {
    expect(check(signSsh(ed25519, message))).not.toHaveProperty('touched');
  });

  test('by a security key for another application does not hold', () => {
    expectRefusal(() => check(signSsh(security, message, { application: 'web:' })), 'invalid', /does not hold/);
  });

  test('is compared with its namespace as a whole', () => {
    for (const namespace of ['gi', 'git2', 'Git', 'git\0', ' git']) {
      expectRefusal(() => check(signSsh(ed25519, message, { namespace })), 'invalid', /another use/);
    }
  });

  test.each<[string, TestKey, Shape, string, RegExp]>([
    ['of another version', ed25519, { version: 2 }, 'unsupported', /version 2/],
    ['of version 0', ed25519, { version: 0 }, 'unsupported', /version 0/],
    ['of other magic', ed25519, { magic: 'SSHSIQ' }, 'malformed', /SSHSIG/],
    ['without a namespace', ed25519, { namespace: '' }, 'malformed', /empty namespace/],
    ['with something reserved', ed25519, { reserved: 'x' }, 'unsupported', /reserved/],
    ['over SHA-1', ed25519, { hash: 'sha1' }, 'unsupported', /"sha1"/],
    ['by RSA with SHA-1', rsa, { algorithm: 'ssh-rsa' }, 'unsupported', /SHA-1/],
    ['by an algorithm of another key', p256, { algorithm: 'ssh-ed25519' }, 'malformed', /its key is of the type/],
    ['by the plain algorithm of a security key', security, { algorithm: 'ssh-ed25519' }, 'malformed', /its key is of/],
    [
      'by WebAuthn',
      keys.get('sk-ecdsa-sha2-nistp256@openssh.com')!,
      { algorithm: 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com' },
      'unsupported',
      /webauthn/,
    ],
    ['with bytes inside left over', ed25519, { extra: Buffer.alloc(1) }, 'malformed', /left over/],
    ['with bytes left over', ed25519, { tail: Buffer.alloc(1) }, 'malformed', /left over/],
    ['of a security key with bytes left over', security, { extra: Buffer.alloc(1) }, 'malformed', /left over/],
    ['by a key cut off', ed25519, { blob: ed25519.blob.subarray(0, -1) }, 'malformed', /cut off/],
    [
      'by a certificate',
      ed25519,
      { blob: Buffer.concat([sshString('ssh-ed25519-cert-v01@openssh.com'), sshString('x')]) },
      'unsupported',
      /give the key itself/,
    ],
    ['by DSA', ed25519, { blob: Buffer.concat([sshString('ssh-dss'), sshString('x')]) }, 'unsupported', /ssh-dss/],
    ['by a weak RSA key', makeSshKey('ssh-rsa', 1024), {}, 'unsupported', /1024 bits/],
  ])('%s is refused', (_, key, shape, code, why) => {
    expectRefusal(() => check(signSsh(key, message, shape)), code as 'malformed', why);
  });

  test('of a security key without its flags is refused', () => {
    const blob = signSshBlob(security, message);
    const value = Buffer.concat([sshString(security.type), sshString(Buffer.alloc(64))]);
    const head = blob.subarray(0, blob.length - (4 + value.length + 5));
    expectRefusal(() => check(armorSsh(Buffer.concat([head, sshString(value)]))), 'malformed', /cut off/);
  });

  test('has one spelling of its numbers', () => {
    const [r, s] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const of = (...numbers: Buffer[]): string => {
      const value = Buffer.concat([sshString(p256.type), sshString(Buffer.concat(numbers))]);
      const blob = signSshBlob(p256, message);
      const parts = Buffer.concat([
        Buffer.from('SSHSIG\0\0\0\x01', 'latin1'),
        ...[p256.blob, 'git', '', 'sha512', value].map(sshString),
      ]);
      expect(parts.subarray(0, 60)).toEqual(blob.subarray(0, 60));
      return armorSsh(parts);
    };
    expectRefusal(() => check(of(mpint(r), mpint(s))), 'invalid', /does not hold/);
    const padded = sshString(Buffer.concat([Buffer.alloc(1), r]));
    for (const numbers of [
      [padded, mpint(s)],
      [sshString(Buffer.from([0x80])), mpint(s)],
      [sshString(Buffer.alloc(0)), mpint(s)],
      [sshString(Buffer.alloc(1)), mpint(s)],
      [mpint(r)],
      [mpint(r), mpint(s), mpint(s)],
      [mpint(Buffer.alloc(80, 1)), mpint(s)],
    ]) {
      expect(refusalOf(() => check(of(...numbers))).code).toBe('malformed');
    }
  });

  const armored = signSsh(ed25519, message);
  test.each<[string, string]>([
    ['text before it', `x\n${armored}`],
    ['text behind it', `${armored}x\n`],
    ['another behind it', armored + armored],
    ['spaces in it', armored.replace('U1NI', 'U1N I')],
    ['a header in it', armored.replace('\nU1NI', '\nComment: x\n\nU1NI')],
    ['no end', armored.replace('END', 'ENDE')],
    ['URL-safe base64', armorSsh(Buffer.from('SSHSIG???>>>')).replaceAll('/', '_')],
    ['unused bits in the base64', armored.replace(/\n-----END/, 'AB=\n-----END')],
    ['nothing', ''],
    ['a size beyond the cap', armorSsh(Buffer.alloc(1 << 16))],
  ])('in an armour with %s is refused', (_, text) => {
    expect(refusalOf(() => check(text)).code).toBe('malformed');
  });

  test.each([
    ['lines of another width', armorSsh(signSshBlob(ed25519, message), 76)],
    ['one line', armorSsh(signSshBlob(ed25519, message), 4000)],
    ['line ends of Windows', armored.replaceAll('\n', '\r\n')],
    ['no line end', armored.trimEnd()],
  ])('in an armour with %s is read', (_, text) => {
    expect(check(text).keyBlob).toEqual(ed25519.blob);
  });

  test('does not hold after any change of one octet', () => {
    for (const type of types) {
      const blob = signSshBlob(keys.get(type)!, message);
      for (let at = 0; at < blob.length; at++) {
        const changed = Buffer.from(blob);
        changed[at]! ^= 1 << (at % 8);
        expect(
          refusalOf(() => check(armorSsh(changed))),
          `${type} ${at}`,
        ).toBeInstanceOf(VerifyError);
      }
    }
  });

  test('of any bytes is read or refused', () => {
    const good = types.map((type) => signSshBlob(keys.get(type)!, message));
    const cut = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 8 }))
      .map(([blob, from, to, put]) => {
        const [a, b] = [from % blob.length, to % blob.length].sort((one, other) => one - other);
        return Buffer.concat([blob.subarray(0, a), put, blob.subarray(b)]);
      });
    const anything = fc
      .oneof(
        cut,
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      )
      .map((blob) => armorSsh(blob));
    fc.assert(
      fc.property(fc.oneof(anything, fc.string()), (text) => {
        try {
          check(text);
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe.skipIf(!hasKeygen)('beside ssh-keygen', () => {
  test.each(types)('a signature by %s made by hand holds for it too', (type) => {
    const armored = signSsh(keys.get(type)!, message);
    expect(keygenAccepts(armored)).toBe(true);
    expect(keygenAccepts(armored, Buffer.from('another'))).toBe(false);
  });

  test('security keys that were not touched hold for it as for us', () => {
    expect(securityTypes.every((type) => keygenAccepts(signSsh(keys.get(type)!, message, { flags: 0 })))).toBe(true);
  });

  test.each([
    ['ed25519', []],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048']],
    ['rsa', ['-b', '3072']],
  ])('a signature that it makes with %s %j holds, and the fingerprints agree', (type, bits) => {
    const folder = mkdtempSync(path.join(work, 'keygen-'));
    const key = path.join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-C', 'a comment', '-f', key]);
    const armored = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', key], {
      input: message,
    }).toString();
    const [, fingerprint] = execFileSync('ssh-keygen', ['-lf', key]).toString().split(' ');
    expect(check(armored).fingerprint).toBe(fingerprint);
  });
});

describeData('of the real commits', (data) => {
  const { keys: vendors } = JSON.parse(readData('agents/agent_ssh_keys.json').toString()) as {
    keys: Record<string, string>;
  };

  test.each([
    ['ssh', 19],
    ['agent-ssh-stripped', 23],
  ])(
    'in %s all %i hold, and none with a change',
    (folder, count) => {
      const commits = dataCommits(data, folder);
      expect(commits.length).toBe(count);
      for (const [name, { signature }] of commits) {
        const { armored, payload } = signature!;
        const { fingerprint } = check(armored, payload);
        if (folder === 'agent-ssh-stripped') expect(Object.keys(vendors), name).toContain(fingerprint);
        const blob = Buffer.from(armored.replace(/-----[^\n]*/g, ''), 'base64');
        expect(check(armorSsh(blob), payload).fingerprint, name).toBe(fingerprint);
        for (let at = 0; at < blob.length; at++) {
          const changed = Buffer.from(blob);
          changed[at]! ^= 1 << (at % 8);
          expect(
            refusalOf(() => check(armorSsh(changed), payload)),
            `${name} signature ${at}`,
          ).toBeInstanceOf(VerifyError);
        }
        const read = parseSshSignature(armored);
        for (let at = 0; at < payload.length; at += 31) {
          const changed = Buffer.from(payload);
          changed[at]! ^= 1 << (at % 8);
          expectRefusal(() => verifySshSignature(read, changed, 'git'), 'invalid', /does not hold/);
        }
      }
    },
    60_000,
  );

  test('one was made with a security key that says it was touched', () => {
    const found = dataCommits(data, 'ssh')
      .map(([, { signature }]) => check(signature!.armored, signature!.payload))
      .filter(({ touched }) => touched !== undefined);
    expect(found.map(({ touched }) => touched)).toEqual([true]);
  });
});
