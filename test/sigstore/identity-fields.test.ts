import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { parseCertificate } from '../../src/sigstore/certificate.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { findClaim, findSigner, identityOf } from '../../src/sigstore/identity-fields.ts';
import { comparePin, cosignPin } from '../../src/sigstore/pin.ts';
import type { CertificateIdentity } from '../../src/sigstore/types.ts';
import { describeData } from '../kit/data.ts';
import { arc, certificate, email, gitHub, gitHubRun, signedBy, uri, workflow } from './identities.ts';

const main = `${workflow}@refs/heads/main`;

describe('the identity in a certificate', () => {
  it('has every field of Fulcio by its name', () => {
    const { issuer, subject, claims } = gitHubRun();
    expect(issuer).toBe(gitHub);
    expect(subject).toEqual({ type: 'uri', value: main });
    expect(Object.fromEntries(claims)).toEqual({
      issuerV1: gitHub,
      githubWorkflowTrigger: 'push',
      githubWorkflowSha: 'a'.repeat(40),
      githubWorkflowName: 'Release',
      githubWorkflowRepository: 'acme/shop',
      githubWorkflowRef: 'refs/heads/main',
      issuer: gitHub,
      buildSignerUri: main,
      buildSignerDigest: 'b'.repeat(40),
      runnerEnvironment: 'github-hosted',
      sourceRepositoryUri: 'https://github.com/acme/shop',
      sourceRepositoryDigest: 'a'.repeat(40),
      sourceRepositoryRef: 'refs/heads/main',
      sourceRepositoryIdentifier: '123456',
      sourceRepositoryOwnerUri: 'https://github.com/acme',
      sourceRepositoryOwnerIdentifier: '42',
      buildConfigUri: main,
      buildConfigDigest: 'a'.repeat(40),
      buildTrigger: 'push',
      runInvocationUri: 'https://github.com/acme/shop/actions/runs/1/attempts/1',
      sourceRepositoryVisibility: 'public',
      deploymentEnvironment: 'production',
      tokenSubject: 'repo:acme/shop:ref:refs/heads/main',
    });
  });

  it('keeps extensions that came later by their number, as text or in hex', () => {
    const odd = certificate([email('a@acme.example')], {
      8: 'https://accounts.google.com',
      25: 'later',
      26: Buffer.of(5, 0),
    });
    const { claims } = identityOf(odd);
    expect(claims.get(`${arc}25`)).toBe('later');
    expect(claims.get(`${arc}26`)).toBe('0500');
  });

  it('takes the issuer from the old extension where there is no other', () => {
    expect(identityOf(certificate([email('a@acme.example')], { 1: 'https://accounts.google.com' })).issuer).toBe(
      'https://accounts.google.com',
    );
  });

  it.each<[string, Parameters<typeof certificate>, string]>([
    ['no name', [[], { 8: gitHub }], 'the certificate has no alternative name that says who signed'],
    ['two names', [[uri(main), uri('https://x')], { 8: gitHub }], 'the certificate has 2 alternative names, not one'],
    ['no issuer', [[uri(main)], {}], 'the certificate does not say which issuer vouched for it'],
    ['an empty issuer', [[uri(main)], { 8: '' }], 'the certificate does not say which issuer vouched for it'],
    ['two issuers', [[uri(main)], { 1: 'https://a', 8: 'https://b' }], 'the certificate names two issuers that differ'],
    [
      'old text that is not UTF-8',
      [[uri(main)], { 1: Buffer.of(0xff), 8: gitHub }],
      `extension ${arc}1 of the certificate is not UTF-8`,
    ],
    [
      'an issuer as raw text where DER belongs',
      [[uri(main)], { 8: Buffer.from(gitHub) }],
      `extension ${arc}8 of the certificate is not a UTF8String`,
    ],
    [
      'an issuer of another string type',
      [[uri(main)], { 8: Buffer.concat([Buffer.of(0x16, gitHub.length), Buffer.from(gitHub)]) }],
      `extension ${arc}8 of the certificate is not a UTF8String`,
    ],
    [
      'bytes behind the string',
      [[uri(main)], { 8: gitHub, 12: Buffer.of(0x0c, 1, 0x41, 0x42) }],
      `extension ${arc}12 of the certificate is not a UTF8String`,
    ],
    [
      'a length that is longer than it has to be',
      [[uri(main)], { 8: gitHub, 12: Buffer.of(0x0c, 0x81, 1, 0x41) }],
      `extension ${arc}12 of the certificate is not a UTF8String`,
    ],
    [
      'a length beyond the end',
      [[uri(main)], { 8: gitHub, 12: Buffer.of(0x0c, 2, 0x41) }],
      `extension ${arc}12 of the certificate is not a UTF8String`,
    ],
    [
      'a build signer that is not the name',
      [[uri(main)], { 8: gitHub, 9: `${workflow}@refs/heads/other` }],
      'the build signer in the certificate is not its alternative name',
    ],
    [
      'a build signer beside an e-mail address',
      [[email('a@acme.example')], { 8: gitHub, 9: main }],
      'the build signer in the certificate is not its alternative name',
    ],
  ])('is refused with %s', (_, [names, extensions], message) => {
    let error: unknown;
    try {
      identityOf(certificate(names, extensions));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(VerifyError);
    expect(error).toMatchObject({ code: 'malformed', message });
  });

  it('lets the name be the escaped form of the build signer', () => {
    const plain = `${workflow}@refs/heads/grün`;
    expect(findSigner(gitHubRun({ 9: plain }, `${workflow}@refs/heads/gr%C3%BCn`))).toEqual({
      workflow,
      ref: 'refs/heads/grün',
    });
  });

  it('lets other issuers name a build signer that is not the name', () => {
    const codefresh = { 8: 'https://oidc.codefresh.io', 9: 'https://g.codefresh.io/build/1' };
    expect(identityOf(certificate([uri('https://g.codefresh.io/acme/p:1/2')], codefresh)).claims.size).toBe(2);
  });

  it('never fails but with a VerifyError', () => {
    const value = fc.oneof(
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const fields = fc.dictionary(fc.integer({ min: 1, max: 30 }).map(String), value);
    fc.assert(
      fc.property(fields, fc.string(), (extensions, name) => {
        try {
          identityOf(certificate([uri(name)], extensions));
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
    );
  });
});

describe('the signer in a certificate', () => {
  it.each<[string, string, string | undefined]>([
    [`${workflow}@refs/heads/main`, workflow, 'refs/heads/main'],
    [`${workflow}@${'c'.repeat(40)}`, workflow, 'c'.repeat(40)],
    [`${workflow}@v1.4.0`, workflow, 'v1.4.0'],
    // Tags of packages with a scope.
    [`${workflow}@refs/tags/@acme/ui@1.0.0`, workflow, 'refs/tags/@acme/ui@1.0.0'],
    // A branch that wants to be taken for main.
    [`${workflow}@refs/heads/x@refs/heads/main`, workflow, 'refs/heads/x@refs/heads/main'],
    [
      'https://github.com/acme/shop/.github/workflows/a@b.yml@refs/heads/main',
      'https://github.com/acme/shop/.github/workflows/a@b.yml',
      'refs/heads/main',
    ],
    ['https://github.com/acme/shop/no-ref', 'https://github.com/acme/shop/no-ref', undefined],
  ])('%s is parted at the right place', (text, file, ref) => {
    expect(findSigner(gitHubRun({ 9: text }))).toEqual(
      ref === undefined ? { workflow: file } : { workflow: file, ref },
    );
    expect(findSigner(gitHubRun({ 9: undefined }, text))).toEqual(
      ref === undefined ? { workflow: file } : { workflow: file, ref },
    );
  });

  it('is the pipeline file for GitLab', () => {
    const name = 'https://gitlab.com/acme/shop//.gitlab-ci.yml@refs/heads/main';
    expect(findSigner(identityOf(certificate([uri(name)], { 8: 'https://gitlab.com' })))).toEqual({
      workflow: 'https://gitlab.com/acme/shop//.gitlab-ci.yml',
      ref: 'refs/heads/main',
    });
  });

  it('is nothing for people and for pipelines without one', () => {
    expect(
      findSigner(identityOf(certificate([email('a@acme.example')], { 8: 'https://accounts.google.com' }))),
    ).toEqual({});
    const buildkite = certificate([uri('https://buildkite.com/acme/shop')], { 8: 'https://agent.buildkite.com' });
    expect(findSigner(identityOf(buildkite))).toEqual({});
  });
});

describe('claims of old certificates', () => {
  const old = { 9: undefined, 12: undefined, 13: undefined, 14: undefined, 20: undefined };

  it('stand in for the current ones', () => {
    const identity = gitHubRun(old, main);
    expect(findClaim(identity, 'sourceRepositoryUri')).toBe('https://github.com/acme/shop');
    expect(findClaim(identity, 'sourceRepositoryRef')).toBe('refs/heads/main');
    expect(findClaim(identity, 'sourceRepositoryDigest')).toBe('a'.repeat(40));
    expect(findClaim(identity, 'buildTrigger')).toBe('push');
    expect(findClaim(identity, 'sourceRepositoryIdentifier')).toBe('123456');
  });

  it('are not looked at where the current ones are', () => {
    const identity = gitHubRun({ 2: 'schedule', 3: 'c'.repeat(40), 5: 'evil/shop', 6: 'refs/heads/evil' });
    expect(findClaim(identity, 'sourceRepositoryUri')).toBe('https://github.com/acme/shop');
    expect(findClaim(identity, 'sourceRepositoryRef')).toBe('refs/heads/main');
    expect(findClaim(identity, 'sourceRepositoryDigest')).toBe('a'.repeat(40));
    expect(findClaim(identity, 'buildTrigger')).toBe('push');
  });

  it('say nothing under another issuer, nor when they are no owner/repo', () => {
    const server = 'https://git.acme.example/_services/token';
    expect(findClaim(gitHubRun({ ...old, 1: server, 8: server }, main), 'sourceRepositoryUri')).toBeUndefined();
    expect(findClaim(gitHubRun({ ...old, 5: 'acme/shop/x' }, main), 'sourceRepositoryUri')).toBeUndefined();
  });
});

describeData('certificates of real bundles', (dir) => {
  const cases = ['conformance', 'real'].flatMap((group) =>
    readdirSync(path.join(dir, 'sigstore', group)).flatMap((name) => {
      const folder = path.join(dir, 'sigstore', group, name);
      const identity = leafIdentity(folder);
      if (identity === undefined) return [];
      const pin = cosignPin({
        identity: readText(path.join(folder, 'identity'))?.trim() ?? beacon,
        issuer: readText(path.join(folder, 'issuer'))?.trim() ?? gitHub,
        trust: 'public-good',
      });
      return [{ name, differences: comparePin(pin, signedBy(identity)) }];
    }),
  );

  it('meet the identity that their case expects', () => {
    const good = cases.filter(({ name }) => !name.endsWith('_fail'));
    expect(good.filter(({ differences }) => differences.length > 0)).toEqual([]);
    expect(good.length).toBe(26);
  });

  it('do not meet an identity that is only the beginning of theirs', () => {
    const shorter = cases.filter(({ name }) => name.endsWith('_identity-prefix_fail'));
    for (const { differences } of shorter) {
      expect(differences).toMatchObject([
        { field: 'subject', note: 'it goes on where the pin ends: a pin is compared whole' },
      ]);
    }
    expect(shorter.length).toBe(21);
  });
});

/** Of cases that state none. */
const beacon =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

function leafIdentity(folder: string): CertificateIdentity | undefined {
  const text = readText(path.join(folder, 'bundle.sigstore.json'));
  if (text === undefined) return undefined;
  try {
    const { material } = parseBundle(text);
    return material.kind === 'certificate' ? identityOf(parseCertificate(material.leaf)) : undefined;
  } catch (error) {
    // Bundles that have to be refused may break anywhere before.
    if (folder.endsWith('_fail') && error instanceof VerifyError) return undefined;
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
