import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import * as openpgp from 'openpgp';
import { describe, expect, test } from 'vitest';
import { matchesPatterns, parseAllowedSigners } from '../../src/sigstore/allowed-signers.ts';
import { type FailureCode, VerifyError } from '../../src/sigstore/failure.ts';
import { type PersonKey, parsePersonKey, restrictionOf, type SshPersonKey } from '../../src/sigstore/person-key.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { expectRefusal } from './refusal.ts';
import { makeSshKey, plainTypes, securityTypes, signSsh } from './ssh.ts';

const alice = makeSshKey('ssh-ed25519');
const bob = makeSshKey('ecdsa-sha2-nistp256');
const security = makeSshKey('sk-ssh-ed25519@openssh.com');
const bare = ({ line }: { line: string }): string => line.split(' ').slice(0, 2).join(' ');

const read = (text: string | Buffer, emails: readonly string[] = []) =>
  parsePersonKey(Buffer.from(text as string), 'keys/alice', emails);

async function refuses(
  text: string | Buffer,
  code: FailureCode,
  why: RegExp,
  emails: readonly string[] = [],
): Promise<void> {
  const error = await read(text, emails).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(VerifyError);
  expect([(error as VerifyError).code, (error as VerifyError).message]).toEqual([code, expect.stringMatching(why)]);
}

const blobs = (keys: readonly PersonKey[]): readonly (Buffer | undefined)[] =>
  keys.map((key) => (key.kind === 'ssh' ? key.blob : undefined));

describe("a person's key", () => {
  test.each([...plainTypes, ...securityTypes])('is an OpenSSH line of the type %s', async (type) => {
    const key = makeSshKey(type);
    const [only, ...more] = await read(`# laptop\n\n${key.line}\n`);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ kind: 'ssh', blob: key.blob, securityKey: type.startsWith('sk-') });
    expect('publicKey' in only!).toBe(!type.startsWith('sk-'));
  });

  test('is each of several lines, as a forge lists them', async () => {
    expect(blobs(await read(`${bare(alice)}\n${bare(bob)}\r\n${security.line}\n`))).toEqual([
      alice.blob,
      bob.blob,
      security.blob,
    ]);
  });

  test('is PEM or DER', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const der = publicKey.export({ format: 'der', type: 'spki' });
    for (const file of [der, publicKey.export({ format: 'pem', type: 'spki' }) as string]) {
      const [key] = await read(file);
      expect(key?.kind === 'key' && key.publicKey.spki).toEqual(der);
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const [pkcs1] = await read(rsa.export({ format: 'der', type: 'pkcs1' }));
    expect(pkcs1?.kind).toBe('key');
  });

  test('is OpenPGP, armoured or not', async () => {
    const { publicKey } = await openpgp.generateKey({ userIDs: [{ email: 'a@acme.example' }], format: 'object' });
    for (const file of [publicKey.armor(), Buffer.from(publicKey.write())]) {
      const [key] = await read(file);
      expect(key?.kind === 'openpgp' && key.key.fingerprint).toBe(publicKey.getFingerprint().toUpperCase());
    }
  });

  test.each<[string, string | Buffer, FailureCode, RegExp]>([
    ['nothing', '', 'malformed', /no key in/],
    ['comments', '# a\n', 'malformed', /no key in/],
    [
      'a private key',
      generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
      'unsupported',
      /private key/,
    ],
    ['the format of RFC 4716', '---- BEGIN SSH2 PUBLIC KEY ----\n', 'unsupported', /ssh-keygen -i/],
    ['an SSH certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA', 'unsupported', /not its certificate/],
    ['DSA', 'ssh-dss AAAA', 'unsupported', /ssh-dss/],
    ['a weak RSA key', makeSshKey('ssh-rsa', 1024).line, 'unsupported', /1024 bits/],
    ['keys and signers', `${alice.line}\na@acme.example ${bob.line}`, 'malformed', /mixes/],
    ['bytes that are no text', Buffer.from('a\xff', 'latin1'), 'malformed', /neither text nor/],
    ['prose', 'see the wiki for my key', 'malformed', /option that is not known/],
  ])('is not a file with %s', async (_, text, code, why) => {
    await refuses(text, code, why);
  });

  test('is read or refused, whatever the file holds', async () => {
    const lines = fc
      .array(
        fc.constantFrom(
          alice.line,
          'a@b',
          'namespaces="',
          'git"',
          ' ',
          ',',
          '"',
          '#',
          'cert-authority',
          '\n',
          'ssh-ed25519 ',
        ),
        { maxLength: 12 },
      )
      .map((each) => each.join(''));
    const bytes = fc.uint8Array({ maxLength: 80 }).map((each) => Buffer.from(each));
    await fc.assert(
      fc.asyncProperty(fc.oneof(lines, bytes, fc.string()), async (file) => {
        await read(file).catch((error: unknown) => expect(error).toBeInstanceOf(VerifyError));
      }),
      { numRuns: 500 },
    );
  });
});

describe('allowed signers', () => {
  const file = [
    '# the team',
    `alice@acme.example,al@acme.example namespaces="git,dsse*" ${alice.line}`,
    `"bob@acme.example" valid-after="20250101Z",valid-before="202601020304Z" ${bob.line}`,
    `*@other.example,!eve@other.example cert-authority ${security.line}`,
  ].join('\n');

  test('are lines of principals, options and a key', () => {
    expect(parseAllowedSigners(file)).toEqual([
      {
        line: 2,
        principals: 'alice@acme.example,al@acme.example',
        namespaces: 'git,dsse*',
        certAuthority: false,
        keyText: alice.line,
      },
      {
        line: 3,
        principals: 'bob@acme.example',
        validAfter: Date.UTC(2025, 0, 1),
        validBefore: Date.UTC(2026, 0, 2, 3, 4),
        certAuthority: false,
        keyText: bob.line,
      },
      { line: 4, principals: '*@other.example,!eve@other.example', certAuthority: true, keyText: security.line },
    ]);
  });

  test("give a person the keys of that person's e-mail alone", async () => {
    expect(blobs(await read(file, ['al@acme.example']))).toEqual([alice.blob]);
    expect(blobs(await read(file, ['bob@acme.example', 'x@acme.example']))).toEqual([bob.blob]);
    expect(blobs(await read(file, ['alice@acme.example', 'bob@acme.example']))).toEqual([alice.blob, bob.blob]);
    await refuses(file, 'malformed', /no signer of the name "carol/, ['carol@acme.example']);
    await refuses(file, 'malformed', /no signer of the name "eve/, ['eve@other.example']);
  });

  test('of several names are refused where nothing says whose they are', async () => {
    await refuses(file, 'malformed', /state the person's emails/);
    expect(blobs(await read(`* ${alice.line}\n* ${bob.line}`))).toEqual([alice.blob, bob.blob]);
  });

  test('that are authorities are refused for whom they concern', async () => {
    await refuses(`\ufeff\n${file}`, 'unsupported', /line 5 of the allowed signers: certificates/, ['x@other.example']);
  });

  test.each<[string, RegExp]>([
    [`alice ${alice.line.replace('ssh-', 'ssx-')}`, /option that is not known/],
    [`alice no-touch-required ${alice.line}`, /option that is not known/],
    [`alice namespaces ${alice.line}`, /option that is not known: "namespaces"/],
    [`alice cert-authority="x" ${alice.line}`, /option that is not known/],
    [`alice namespaces="" ${alice.line}`, /without a value/],
    [`alice namespaces="git",NAMESPACES="x" ${alice.line}`, /twice/],
    [`alice namespaces="git ${alice.line}`, /quote that does not end/],
    [`alice namespaces="git"`, /no key/],
    [`alice valid-before="20260101" ${alice.line}`, /write 20260101Z/],
    [`alice valid-before="20260230Z" ${alice.line}`, /does not exist/],
    [`alice valid-before="2026Z" ${alice.line}`, /wrong form/],
    ['"alice', /does not begin with principals/],
    ['alice', /does not begin with principals/],
    [`"" ${alice.line}`, /does not begin with principals/],
  ])('with the line %j are refused', (line, why) => {
    expectRefusal(() => parseAllowedSigners(`\n${line}`), 'malformed', why);
    expectRefusal(() => parseAllowedSigners(`\n${line}`), 'malformed', /line 2/);
  });

  test('match patterns as ssh-keygen does', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['git', 'git', true],
      ['git', 'git2', false],
      ['git', 'Git', false],
      ['file,git', 'git', true],
      ['g*', 'git', true],
      ['*t', 'git', true],
      ['g?t', 'git', true],
      ['g?', 'git', false],
      ['*', 'git', true],
      ['*,!git', 'git', false],
      ['!git,*', 'git', false],
      ['!file', 'git', false],
      ['**i**', 'git', true],
      ['', 'git', false],
      ['a*b*c', 'a-b-b-c', true],
      ['a*b*c', 'a-b-c-d', false],
    ];
    for (const [patterns, value, matches] of cases)
      expect(matchesPatterns(patterns, value), `${patterns} ${value}`).toBe(matches);
  });

  test('of a pattern made to be slow end', () => {
    expect(matchesPatterns(`${'*a'.repeat(8000)}b`, 'a'.repeat(60))).toBe(false);
  });
});

describe('what restricts a key', () => {
  const now = Date.UTC(2026, 0, 1);
  const restricted = async (options: string): Promise<string | undefined> => {
    const [key] = await read(`a ${options} ${alice.line}`);
    return restrictionOf(key as SshPersonKey, 'git', now)?.code;
  };

  test('is its uses and its time, and a time that a signature cannot prove does not count', async () => {
    expect(await restricted('namespaces="git"')).toBeUndefined();
    expect(await restricted('namespaces="file,g?t"')).toBeUndefined();
    expect(await restricted('namespaces="file"')).toBe('wrong-identity');
    expect(await restricted('valid-before="20260101000001Z"')).toBeUndefined();
    expect(await restricted('valid-before="20260101Z"')).toBe('unproved');
    expect(await restricted('valid-after="20250101Z"')).toBe('unproved');
  });
});

describe.skipIf(spawnSync('ssh-keygen', ['-?']).error !== undefined)('beside ssh-keygen', () => {
  const work = temporaryDirectory();
  const message = Buffer.from('message');

  test.each([
    ['namespaces="git"', true],
    ['namespaces="file"', false],
    ['namespaces="f*,gi?"', true],
    ['namespaces="*,!git"', false],
    ['NAMESPACES="git"', true],
    ['', true],
  ])('the options %j mean the same', async (options, counts) => {
    const folder = mkdtempSync(path.join(work, 'signers-'));
    const [allowed, signature] = [path.join(folder, 'allowed'), path.join(folder, 'signature')];
    writeFileSync(allowed, `a@acme.example ${options} ${alice.line}\n`);
    writeFileSync(signature, signSsh(alice, message));
    const args = ['-Y', 'verify', '-n', 'git', '-I', 'a@acme.example', '-f', allowed, '-s', signature];
    expect(spawnSync('ssh-keygen', args, { input: message }).status === 0).toBe(counts);
    const [key] = await read(`a@acme.example ${options} ${alice.line}\n`, ['a@acme.example']);
    expect(restrictionOf(key as SshPersonKey, 'git', 0) === undefined).toBe(counts);
  });

  test('fingerprints are its own', async () => {
    for (const key of [alice, bob, security]) {
      const shown = execFileSync('ssh-keygen', ['-lf', '-'], { input: key.line }).toString().split(' ')[1];
      expect((await read(key.line))[0]).toMatchObject({ fingerprint: shown });
    }
  });
});
