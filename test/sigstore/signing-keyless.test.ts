import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { ambientToken, checkIdentityToken, signBundle } from '../../src/sigstore/keyless.ts';
import type { CertificatePin } from '../../src/sigstore/pin.ts';
import { matchPins } from '../../src/sigstore/requirement.ts';
import { parseSigningConfig } from '../../src/sigstore/signing-config.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import type { Artifact } from '../../src/sigstore/types.ts';
import { verifyEntity } from '../../src/sigstore/verify.ts';
import { digestsOf } from '../../src/sigstore/write-bundle.ts';
import { formatStatement } from '../../src/sigstore/write-statement.ts';
import { describeData, readData } from '../kit/data.ts';
import {
  type Answer,
  type Instance,
  identityToken,
  serve,
  startInstance,
  stopServices,
  withKey,
} from './signing-services.ts';

const bytes = Buffer.from('the artifact');
const artifact: Artifact = { name: 'app', digests: digestsOf(bytes), bytes };
const statement = formatStatement(artifact, 'https://example.com/x/v1', {});
const pin: CertificatePin = {
  kind: 'certificate',
  name: 'release',
  trust: 'acme',
  issuer: 'https://token.actions.githubusercontent.com',
  signer: { workflow: 'https://github.com/acme/app/.github/workflows/release.yml', ref: 'refs/tags/v1.2.3' },
  source: { repository: 'https://github.com/acme/app', id: '123456' },
};

let acme: Instance;
beforeAll(async () => {
  acme = await startInstance({ name: 'acme' });
});
afterAll(stopServices);

const signWith = (instance: Instance, version: 1 | 2, changes: object = {}) =>
  signBundle({
    artifact: bytes,
    identityToken: identityToken(),
    staging: false,
    inToto: false,
    trustedRoot: instance.trustedRoot,
    signingConfig: instance.signingConfig(version),
    ...changes,
  });

async function refusal(work: Promise<unknown>): Promise<OperationalError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OperationalError) return error;
  throw new Error('it was not refused with an OperationalError', { cause: error });
}

describe('keyless signing', () => {
  it.each([
    ['a file, logged in Rekor v1', 1, false, ['log', 'timestamp-authority'], 'hashedrekord', '0.0.1'],
    ['a statement, logged in Rekor v1', 1, true, ['log', 'timestamp-authority'], 'dsse', '0.0.1'],
    ['a file, logged in Rekor v2', 2, false, ['timestamp-authority'], 'hashedrekord', '0.0.2'],
    ['a statement, logged in Rekor v2', 2, true, ['timestamp-authority'], 'hashedrekord', '0.0.2'],
  ] as const)(
    'gives a bundle over %s, that holds for the pinned identity',
    async (_, version, inToto, times, kind, api) => {
      const text = await signWith(acme, version, inToto ? { inToto, artifact: statement } : {});
      const entity = parseBundle(text);
      expect([entity.format, entity.content.kind]).toEqual(['bundle v0.3', inToto ? 'dsse' : 'message']);
      expect(entity.entries.map((each) => each.kind)).toEqual([{ kind, version: api }]);
      const signature = verifyEntity(entity, [parseTrustRoot(acme.trustedRoot, 'acme')], artifact);
      expect(signature.times.map(({ source }) => source)).toEqual(times);
      const release = { name: 'release', pins: [pin] };
      expect(matchPins([signature], { kind: 'any', of: [release] }).satisfied).toBe(true);
      const elsewhere = { ...pin, source: { ...pin.source, id: '123457' } };
      expect(matchPins([signature], { kind: 'any', of: [{ ...release, pins: [elsewhere] }] }).satisfied).toBe(false);
      const other = { name: 'other', digests: digestsOf(Buffer.from('other')), bytes: Buffer.from('other') };
      expect(() => verifyEntity(entity, [parseTrustRoot(acme.trustedRoot, 'acme')], other)).toThrow(/something else/);
    },
  );

  it('signs a statement exactly as it stands', async () => {
    const spaced = Buffer.from(`${JSON.stringify(JSON.parse(statement.toString()), undefined, 2)}\n`);
    const { content } = parseBundle(await signWith(acme, 1, { inToto: true, artifact: spaced }));
    expect(content.kind === 'dsse' && content.payload.equals(spaced)).toBe(true);
  });

  it('sends no certificate but its own, and no chain', async () => {
    const { material } = parseBundle(await signWith(acme, 1));
    expect(material.kind === 'certificate' && material.chain).toEqual([]);
  });
});

describe('what a service gets wrong ends in an error, and no bundle:', () => {
  it('a certificate for another key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const evil = await startInstance({ name: 'evil-ca', certify: (request) => withKey(request, privateKey) });
    const error = await refusal(signWith(evil, 1));
    expect(error.message).toMatch(/the new bundle does not verify, so it was not written: the signature does not hold/);
  });

  it.each([1, 2] as const)('a log that keeps something else (Rekor v%i)', async (version) => {
    const forged = await startInstance({
      name: `evil-log${version}`,
      keep: (body) =>
        JSON.parse(JSON.stringify(body).replace(/"(?:value|digest)":"../, (found) => `${found.slice(0, -2)}00`)),
    });
    expect((await refusal(signWith(forged, version))).message).toMatch(/the new bundle does not verify/);
  });

  it('services of another instance than the trusted root', async () => {
    const other = await startInstance({ name: 'other' });
    const error = await refusal(signWith(acme, 2, { trustedRoot: other.trustedRoot }));
    expect(error.message).toMatch(/the new bundle does not verify/);
    expect(error.hints.join()).toMatch(/check that the trusted root belongs to the services that signed/);
  });

  /** Signing with acme, but for its certificate authority. */
  async function signWithAuthority(answer: Answer, token = identityToken()): Promise<unknown> {
    const base = await serve({ '/api/v2/signingCert': () => answer });
    const config = JSON.parse(acme.signingConfig(1)) as { caUrls: Array<{ url: string }> };
    config.caUrls[0]!.url = base;
    return signWith(acme, 1, { identityToken: token, signingConfig: JSON.stringify(config) });
  }
  const json = (statusCode: number, value: unknown): Answer => {
    return { statusCode, response: JSON.stringify(value), contentType: 'application/json' };
  };

  it.each<readonly [string, number, string, RegExp]>([
    ['a refusal, whose reason is told without the token', 403, 'denied: TOKEN', /\(403\) denied: …/],
    ['a part of the token in its answer', 400, 'bad claims PAYLOAD', /\(400\) bad claims …/],
    ['escape sequences', 400, '\u001b[31mred', /\\x1b\[31mred/],
  ])('%s', async (_, status, answer, why) => {
    const token = identityToken();
    const message = answer.replace('TOKEN', token).replace('PAYLOAD', token.split('.')[1]!);
    const error = await refusal(signWithAuthority(json(status, { message }), token));
    expect([error.code, error.message]).toEqual(['io', expect.stringMatching(why)]);
    expect(error.message).toMatch(/^"http:\/\/127\.0\.0\.1:\d+" did not do its part/);
    for (const part of token.split('.')) expect(JSON.stringify([error.message, error.hints])).not.toContain(part);
    expect(error.cause).toBeUndefined();
  });

  it.each<readonly [string, Answer, RegExp]>([
    ['nothing', { statusCode: 200, response: '', contentType: 'application/json' }, /did not do its part/],
    ['no JSON', { statusCode: 200, response: '<html>' }, /did not do its part/],
    ['no chain', json(200, {}), /did not do its part/],
    ['no certificate', json(200, chain('hello')), /something that is no certificate/],
    [
      'a broken certificate',
      json(200, chain('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')),
      /no certificate/,
    ],
  ])('%s where a certificate belongs', async (_, answer, why) => {
    expect((await refusal(signWithAuthority(answer))).message).toMatch(why);
  });

  function chain(certificate: string) {
    return { signedCertificateEmbeddedSct: { chain: { certificates: [certificate] } } };
  }
});

describe('an identity token', () => {
  const now = Date.UTC(2026, 0, 1);
  const claims = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
  it.each<readonly [string, string, RegExp]>([
    ['empty', '', /no JSON Web Token/],
    ['a password', 'hunter2hunter2', /no JSON Web Token/],
    ['two parts', 'e30.e30', /no JSON Web Token/],
    ['not JSON', `e30.${Buffer.from('{"sub":').toString('base64url')}.c2ln`, /no JSON Web Token/],
    ['a list', claims([]), /it names nobody/],
    ['null', claims(null), /no JSON Web Token/],
    ['with a line break inside', `${claims({ sub: 'x' })}\n.`, /no JSON Web Token/],
    ['expired', claims({ sub: 'x', exp: now / 1000 - 1 }), /it has expired/],
    ['of an unverified address', claims({ email: 'a@example.com', email_verified: false }), /is not verified/],
    ['of nobody', claims({ iss: 'x' }), /it names nobody/],
  ])('is refused when it is %s, before anything is sent and without showing it', (_, token, why) => {
    let error: unknown;
    try {
      checkIdentityToken(token, now);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OperationalError);
    const { code, message, hints, cause } = error as OperationalError;
    expect([code, message]).toEqual(['configuration', expect.stringMatching(why)]);
    expect(cause).toBeUndefined();
    for (const part of token.split('.').filter((each) => each.length > 6))
      expect([message, ...hints].join()).not.toContain(part);
  });

  it.each([{ sub: 'x' }, { sub: 'x', exp: now / 1000 + 1 }, { email: 'a@example.com', email_verified: true }])(
    'is taken with %j',
    (payload) => {
      expect(() => checkIdentityToken(claims(payload), now)).not.toThrow();
    },
  );
});

describe('the token of a CI job', () => {
  it('is that of SIGSTORE_ID_TOKEN, and none where nothing speaks of one', async () => {
    expect(await ambientToken({ SIGSTORE_ID_TOKEN: ' a.b.c\n' })).toBe('a.b.c');
    expect(await ambientToken({ SIGSTORE_ID_TOKEN: '', CI: 'true', GITHUB_ACTIONS: 'true' })).toBeUndefined();
  });

  const github = async (answer: Answer) => {
    const asked: Array<string | undefined> = [];
    const base = await serve({
      '/token?v=1&audience=sigstore': (_, { headers }) => {
        asked.push(headers.authorization);
        return answer;
      },
    });
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${base}/token?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret' };
    return { env, asked };
  };
  // The library that asks for it reads the process's own environment.
  const within = async (env: Record<string, string>, work: () => Promise<unknown>) => {
    const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, env);
    try {
      return await work();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  };

  it('is asked for in GitHub Actions, for the audience of Sigstore', async () => {
    const { env, asked } = await github({
      statusCode: 200,
      response: '{"value":"x.y.z"}',
      contentType: 'application/json',
    });
    expect(await within(env, () => ambientToken(env))).toBe('x.y.z');
    expect(asked).toEqual(['Bearer secret']);
  });

  it.each(['{"message":"no, secret"}', 'no, secret'])(
    'that GitHub Actions does not give is an error: %s',
    async (response) => {
      const { env } = await github({ statusCode: 403, response });
      const error = await refusal(within(env, () => ambientToken(env)));
      expect([error.code, error.message]).toEqual(['io', 'GitHub Actions gave no identity token']);
      expect(error.cause).toBeUndefined();
    },
  );
});

describe('a signing config', () => {
  const now = Date.UTC(2026, 5, 1);
  type Service = Record<string, unknown>;
  const service = (url: string, changes: Service = {}): Service => ({
    url,
    majorApiVersion: 1,
    validFor: { start: '2025-01-01T00:00:00Z' },
    operator: 'acme',
    ...changes,
  });
  const config = (changes: Service = {}): Service => ({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service('https://ca.test')],
    rekorTlogUrls: [service('https://log.test')],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service('https://tsa.test/x')],
    tsaConfig: { selector: 'ANY' },
    ...changes,
  });
  const read = (changes: Service = {}) => parseSigningConfig(JSON.stringify(config(changes)), now, 'c.json');

  it('names the services to ask', () => {
    expect(read()).toEqual({
      fulcio: 'https://ca.test',
      logs: [{ url: 'https://log.test', version: 1 }],
      timestamps: ['https://tsa.test/x'],
    });
  });

  it('is read by what is valid now, the newest API of each operator, and the selector', () => {
    const past = { validFor: { start: '2020-01-01T00:00:00Z', end: '2024-01-01T00:00:00Z' } };
    const future = { validFor: { start: '2030-01-01T00:00:00Z' } };
    const rekorTlogUrls = [
      service('https://log-v1.test', { validFor: { start: '2026-01-01T00:00:00Z' } }),
      service('https://log-v2.test', { majorApiVersion: 2 }),
      service('https://log-v3.test', { majorApiVersion: 3 }),
      service('https://log-past.test', { ...past, operator: 'b' }),
      service('https://log-future.test', { ...future, operator: 'c' }),
      service('https://log-other.test', { operator: 'd' }),
    ];
    const [v2, other] = [
      { url: 'https://log-v2.test', version: 2 },
      { url: 'https://log-other.test', version: 1 },
    ];
    expect(read({ rekorTlogUrls }).logs).toEqual([v2]);
    expect(read({ rekorTlogUrls, rekorTlogConfig: { selector: 'ALL' } }).logs).toEqual([v2, other]);
    expect(read({ rekorTlogUrls, rekorTlogConfig: { selector: 'EXACT', count: 2 } }).logs).toEqual([v2, other]);
    expect(() => read({ rekorTlogUrls, rekorTlogConfig: { selector: 'EXACT', count: 3 } })).toThrow(
      /asks for 3 logs, and 2/,
    );
  });

  it.each<readonly [string, Service, RegExp]>([
    ['another media type', { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.1+json' }, /its media type is/],
    ['no certificate authority', { caUrls: [] }, /no certificate authority/],
    ['plain http', { caUrls: [service('http://ca.test')] }, /"http:\/\/ca.test" is not an https address/],
    ['no address', { caUrls: [service('ca.test')] }, /is not an https address/],
    ['another scheme', { tsaUrls: [service('file:///etc/passwd')] }, /is not an https address/],
    ['a password in an address', { caUrls: [service('https://a:b@ca.test')] }, /user name or password/],
    ['a selector of no name', { tsaConfig: { selector: 'SOME' } }, /no selector/],
    ['nothing that proves the time', { rekorTlogConfig: null, tsaConfig: null }, /nothing that proves when/],
    [
      'a second API that has no time, alone',
      { rekorTlogUrls: [service('https://l.test', { majorApiVersion: 2 })], tsaConfig: null },
      /nothing that proves when/,
    ],
    ['a field that is not known', { extra: 1 }, /unknown field "extra"/],
    ['no start', { caUrls: [service('https://ca.test', { validFor: {} })] }, /no certificate authority/],
  ])('is refused with %s', (_, changes, why) => {
    expect(() => read(changes)).toThrow(why);
    expect(() => read(changes)).toThrow(OperationalError);
  });

  it('may name this machine by http', () => {
    expect(read({ caUrls: [service('http://localhost:5555/')] }).fulcio).toBe('http://localhost:5555');
  });

  describeData('of the public instance', () => {
    it('names its services', () => {
      const text = readData('sigstore/trust/tuf-public-good/signing_config.v0.2.json').toString();
      expect(parseSigningConfig(text, now, 'public')).toEqual({
        fulcio: 'https://fulcio.sigstore.dev',
        logs: [{ url: 'https://rekor.sigstore.dev', version: 1 }],
        timestamps: ['https://timestamp.sigstore.dev/api/v1/timestamp'],
      });
    });
  });
});
