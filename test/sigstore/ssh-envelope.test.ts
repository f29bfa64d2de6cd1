import { createHash, createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import { pae } from '../../src/sigstore/dsse.ts';
import { type FailureCode, VerifyError } from '../../src/sigstore/failure.ts';
import { type JsonObject, parseStrictJson } from '../../src/sigstore/json.ts';
import { parsePersonKey, type SshPersonKey } from '../../src/sigstore/person-key.ts';
import { gittufPayload, isSshEnvelope, verifySshEnvelope } from '../../src/sigstore/ssh-envelope.ts';
import { parseSshSignature } from '../../src/sigstore/ssh-signature.ts';
import { describeData, readData } from '../kit/data.ts';
import { expectRefusal } from './refusal.ts';
import { armorSsh, makeSshKey, type Shape, signSsh, signSshBlob, type TestKey } from './ssh.ts';

const inToto = 'application/vnd.in-toto+json';
const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
const now = Date.UTC(2026, 0, 1);
const alice = makeSshKey('ssh-ed25519');
const token = makeSshKey('sk-ecdsa-sha2-nistp256@openssh.com');

const keyOf = async (line: string): Promise<SshPersonKey> =>
  (await parsePersonKey(Buffer.from(line), 'key'))[0] as SshPersonKey;
const [aliceKey, tokenKey] = [await keyOf(alice.line), await keyOf(token.line)];
const both = [aliceKey, tokenKey];

const signature = (key: TestKey, shape: Shape = {}, type = inToto): JsonObject => ({
  keyid: 'anything',
  sig: Buffer.from(signSsh(key, pae(type, payload), { namespace: 'dsse', ...shape })).toString('base64'),
});

const envelope = (signatures: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  payloadType: inToto,
  payload: payload.toString('base64'),
  signatures,
  ...more,
});

const check = (value: JsonObject, keys: readonly SshPersonKey[] = both, namespaces = ['dsse', 'git']) =>
  verifySshEnvelope(value, keys, namespaces, now);

describe('an envelope signed with an SSH key', () => {
  test('holds with its armour and without, by whoever is listed', () => {
    const [made] = check(envelope([signature(alice)]));
    expect(made).toEqual({
      payload,
      payloadType: inToto,
      fingerprint: aliceKey.fingerprint,
      blob: alice.blob,
      keys: [aliceKey],
    });
    expect(made?.keys[0]).toBe(aliceKey);
    const raw = signSshBlob(alice, pae(inToto, payload), { namespace: 'dsse' }).toString('base64');
    expect(check(envelope([{ sig: raw }]))).toEqual([made]);
  });

  test('gives each key once, with the touch of security keys', () => {
    const made = check(
      envelope([signature(alice), signature(token), signature(token, { flags: 0 }), signature(alice)]),
    );
    expect(made.map(({ fingerprint, touched }) => [fingerprint, touched])).toEqual([
      [aliceKey.fingerprint, undefined],
      [tokenKey.fingerprint, true],
    ]);
    expect(check(envelope([signature(token, { flags: 4 })]))[0]?.touched).toBe(false);
  });

  test('counts by what holds beside what does not', () => {
    const broken = { ...signature(alice), sig: signature(alice)['sig']!.toString().replace('A', 'B') };
    const stranger = signature(makeSshKey('ssh-ed25519'));
    const other = { sig: Buffer.from('not of SSH').toString('base64') };
    const made = check(envelope([broken, stranger, other, signature(alice)]));
    expect(made.map(({ fingerprint }) => fingerprint)).toEqual([aliceKey.fingerprint]);
  });

  test('is looked for by what it looks like', () => {
    expect(isSshEnvelope(envelope([signature(alice)]))).toBe(true);
    expect(isSshEnvelope(envelope([{ sig: signSshBlob(alice, payload).toString('base64') }]))).toBe(true);
    expect(isSshEnvelope(envelope([{ sig: 'MEUCIQ==' }]))).toBe(false);
    expect(isSshEnvelope({ signatures: 'x' })).toBe(false);
    expect(isSshEnvelope({})).toBe(false);
  });

  test.each<[string, JsonObject, FailureCode, RegExp]>([
    [
      'by nobody listed',
      envelope([signature(makeSshKey('ssh-ed25519'))]),
      'untrusted',
      /nobody listed has the SSH key SHA256:/,
    ],
    ['for another use', envelope([signature(alice, { namespace: 'file' })]), 'invalid', /another use: "file"/],
    ['for git', envelope([signature(alice, { namespace: 'git' })]), 'invalid', /another use: "git"/],
    ['over another type', envelope([signature(alice)], { payloadType: gittufPayload }), 'invalid', /does not hold/],
    ['over another payload', envelope([signature(alice)], { payload: 'e30=' }), 'invalid', /does not hold/],
    ['not at all', envelope([]), 'malformed', /no signature/],
    ['in another way', envelope([{ sig: 'MEUCIQ==' }]), 'unsupported', /none of SSH/],
    ['with an extension', envelope([{ ...signature(alice), extension: {} }]), 'unsupported', /extension/],
    [
      'with a member that is not known',
      envelope([{ ...signature(alice), cert: 'x' }]),
      'malformed',
      /unknown field "cert"/,
    ],
    ['too often', envelope(Array.from({ length: 17 }, () => signature(alice))), 'malformed', /more than 16/],
    ['beside a member that is not known', envelope([signature(alice)], { x: 1 }), 'malformed', /unknown field "x"/],
    ['over nothing', envelope([signature(alice)], { payload: '' }), 'malformed', /empty/],
    ['over base64 in a second spelling', envelope([signature(alice)], { payload: 'e31=' }), 'malformed', /base64/],
  ])('%s is refused', (_, value, code, why) => {
    expectRefusal(() => check(value), code, why);
  });

  test('counts for the copies of a key that allow it', async () => {
    const [onlyGit, until, gone] = await Promise.all(
      ['namespaces="git"', 'valid-before="20270101Z"', 'valid-before="20250101Z"'].map((each) =>
        keyOf(`a ${each} ${alice.line}`),
      ),
    );
    const made = check(envelope([signature(alice)]), [onlyGit!, until!, gone!, aliceKey]);
    expect(made[0]?.keys).toEqual([until, aliceKey]);
    expectRefusal(() => check(envelope([signature(alice)]), [onlyGit!]), 'wrong-identity', /may not sign for "dsse"/);
    expectRefusal(() => check(envelope([signature(alice)]), [gone!]), 'unproved', /has passed/);
  });

  test('as gittuf has it is for git, with its own payload type alone', () => {
    const signed = signature(alice, { namespace: 'git' }, gittufPayload);
    const value = envelope([signed], { payloadType: gittufPayload });
    expect(check(value)[0]?.fingerprint).toBe(aliceKey.fingerprint);
    expectRefusal(() => check(value, both, ['dsse']), 'invalid', /another use/);
  });

  test('is never one over a commit, nor the other way round', () => {
    const commit = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');
    const sig = Buffer.from(signSsh(alice, commit)).toString('base64');
    for (const payloadType of [gittufPayload, inToto, '']) {
      const value = envelope([{ sig }], { payloadType, payload: commit.toString('base64') });
      expectRefusal(() => check(value), 'invalid', /does not hold|another use/);
    }
    expect(pae('', commit).subarray(0, 7).toString()).toBe('DSSEv1 ');
  });

  test('of any shape is read or refused', () => {
    const sig = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) => Buffer.from(armorSsh(Buffer.concat([Buffer.from('SSHSIG'), bytes]))).toString('base64')),
      fc.string(),
    );
    const any = fc.record({
      payloadType: fc.oneof(fc.string(), fc.constant(null)),
      payload: fc.oneof(fc.base64String(), fc.constant(3)),
      signatures: fc.oneof(fc.array(fc.record({ sig })), fc.constant({})),
    });
    fc.assert(
      fc.property(any, (value) => {
        const json = value as unknown as JsonObject;
        isSshEnvelope(json);
        try {
          check(json);
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describeData("of gittuf's real records", () => {
  const record = (name: string) =>
    parseStrictJson(readData(`agents/gittuf/${name}.dsse.json`).toString()) as JsonObject;
  const first = (value: JsonObject): JsonObject => (value['signatures'] as unknown as readonly JsonObject[])[0]!;

  test.each(['02', '03', '06', '10'])('%s holds by the key that it names', async (name) => {
    const value = record(name);
    const { sig, keyid } = first(value);
    expect(isSshEnvelope(value)).toBe(true);
    const { key } = parseSshSignature(Buffer.from(String(sig), 'base64').toString());
    const listed = await keyOf(`${key.type} ${key.blob.toString('base64')}`);
    const [made] = check(value, [listed]);
    expect([made?.fingerprint, made?.payloadType]).toEqual([keyid, gittufPayload]);
    expectRefusal(() => check(value, []), 'untrusted', /nobody listed/);
    const changed = Buffer.from(String(value['payload']), 'base64');
    changed[10]! ^= 1;
    expectRefusal(() => check({ ...value, payload: changed.toString('base64') }, [listed]), 'invalid', /does not hold/);
  });

  test('12 is signed with a certificate, over the same encoding, and refused here by name', () => {
    const value = record('12');
    expect(isSshEnvelope(value)).toBe(false);
    expectRefusal(() => check(value), 'unsupported', /extension/);
    const { sig, extension } = first(value);
    const message = JSON.parse(Buffer.from(String(sig), 'base64').toString()) as {
      messageDigest: { digest: string };
      signature: string;
    };
    const signed = pae(String(value['payloadType']), Buffer.from(String(value['payload']), 'base64'));
    expect(message.messageDigest.digest).toBe(createHash('sha256').update(signed).digest('base64'));
    const { ext } = extension as unknown as { ext: { certificate: { rawBytes: string } } };
    const { spki } = parseCertificate(Buffer.from(ext.certificate.rawBytes, 'base64'));
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify('sha256', signed, key, Buffer.from(message.signature, 'base64'))).toBe(true);
  });
});
