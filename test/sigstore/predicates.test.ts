import { describe, expect, it } from 'vitest';
import { readProvenance } from '../../src/sigstore/provenance.ts';
import { parseStatement } from '../../src/sigstore/statement.ts';
import { readVsa } from '../../src/sigstore/vsa.ts';
import { expectRefusal } from './refusal.ts';

const sha1 = 'a'.repeat(40);
const statement = (predicateType: string, predicate: unknown) =>
  parseStatement(
    Buffer.from(
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ digest: { sha256: 'b'.repeat(64) } }],
        predicateType,
        predicate,
      }),
    ),
  );

const workflow = {
  repository: 'https://github.com/acme/shop',
  ref: 'refs/heads/main',
  path: '.github/workflows/r.yml',
};
const definition = (changes: object = {}) => ({
  buildType: 'https://actions.github.io/buildtypes/workflow/v1',
  externalParameters: { workflow },
  resolvedDependencies: [
    { uri: 'git+https://github.com/acme/other@refs/heads/main', digest: { gitCommit: 'f'.repeat(40) } },
    { uri: 'git+https://github.com/acme/shop@refs/heads/main', digest: { gitCommit: sha1 } },
  ],
  ...changes,
});
const details = (changes: object = {}) => ({
  builder: { id: 'https://builder.example' },
  metadata: { invocationId: 'https://run', startedOn: '2026-01-02T03:04:05Z', finishedOn: '2026-01-02T03:05:05Z' },
  ...changes,
});
const v1 = (build: object = definition(), run: object = details()) =>
  readProvenance(statement('https://slsa.dev/provenance/v1', { buildDefinition: build, runDetails: run }));

describe('SLSA provenance v1', () => {
  it('is read, with the commit that stands beside its own source', () => {
    expect(v1()).toMatchObject({
      version: 'v1',
      builder: 'https://builder.example',
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      source: {
        uri: 'git+https://github.com/acme/shop@refs/heads/main',
        repository: 'https://github.com/acme/shop',
        ref: 'refs/heads/main',
        digest: new Map([['gitCommit', sha1]]),
        path: '.github/workflows/r.yml',
      },
      parameters: { workflow },
      invocation: 'https://run',
      startedOn: Date.UTC(2026, 0, 2, 3, 4, 5),
      finishedOn: Date.UTC(2026, 0, 2, 3, 5, 5),
    });
  });

  it('has no digest of the source where no dependency is the source', () => {
    expect(
      v1(definition({ resolvedDependencies: [{ uri: workflow.repository, digest: { sha1 } }] })).source?.digest.size,
    ).toBe(0);
  });

  it('reads the source of the other known build types', () => {
    const source = { uri: 'git+https://github.com/acme/shop@refs/tags/v1', digest: { sha1 } };
    const container = {
      buildType: 'https://slsa.dev/container-based-build/v0.1?draft',
      externalParameters: { source },
    };
    expect(v1(definition(container)).source).toMatchObject({
      repository: 'https://github.com/acme/shop',
      ref: 'refs/tags/v1',
    });
    const sourceToBuild = { repository: 'https://github.com/acme/shop', ref: 'refs/heads/main' };
    const triggered = {
      buildType: 'https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1',
      externalParameters: { sourceToBuild },
    };
    expect(v1(definition(triggered)).source).toMatchObject({ ref: 'refs/heads/main' });
  });

  it('guesses no source for another build type, whatever its parameters are called', () => {
    expect(v1(definition({ buildType: 'https://example.com/build' }))).not.toHaveProperty('source');
  });

  it.each([
    ['no builder', definition(), details({ builder: {} }), /builder has no id/],
    ['an empty builder', definition(), details({ builder: { id: '' } }), /builder has no id/],
    ['no build type', definition({ buildType: undefined }), details(), /no buildType/],
    ['no parameters', definition({ externalParameters: undefined }), details(), /externalParameters is not an object/],
    [
      'a workflow that is no object',
      definition({ externalParameters: { workflow: 'x' } }),
      details(),
      /workflow is not an object/,
    ],
    [
      'no repository',
      definition({ externalParameters: { workflow: { ref: 'x' } } }),
      details(),
      /workflow has no repository/,
    ],
    [
      'a source that is resolved twice',
      definition({
        resolvedDependencies: [...definition().resolvedDependencies, ...definition().resolvedDependencies],
      }),
      details(),
      /more than once/,
    ],
    [
      'a commit that is none',
      definition({ resolvedDependencies: [{ uri: 'x', digest: { gitCommit: 'main' } }] }),
      details(),
      /lower-case hex/,
    ],
    ['a time that is none', definition(), details({ metadata: { startedOn: 'yesterday' } }), /startedOn is not a time/],
    ['dependencies that are no list', definition({ resolvedDependencies: {} }), details(), /is not a list/],
  ])('is refused with %s', (_, build, run, message) => {
    expectRefusal(() => v1(build, run), 'malformed', message);
  });
});

const old = (changes: object = {}) => ({
  builder: { id: 'https://builder.example' },
  buildType: 'https://build.example',
  invocation: {
    configSource: { uri: 'git+https://github.com/acme/shop@refs/tags/v1', digest: { sha1 }, entryPoint: 'r.yml' },
    parameters: { a: 1 },
  },
  metadata: { buildInvocationID: 'run' },
  materials: [{ uri: 'git+https://github.com/acme/shop@refs/tags/v1', digest: { sha1 } }],
  ...changes,
});
const v02 = (changes: object = {}) => readProvenance(statement('https://slsa.dev/provenance/v0.2', old(changes)));

describe('SLSA provenance v0.2', () => {
  it('is read', () => {
    expect(v02()).toMatchObject({
      version: 'v0.2',
      builder: 'https://builder.example',
      source: {
        repository: 'https://github.com/acme/shop',
        ref: 'refs/tags/v1',
        path: 'r.yml',
        digest: new Map([['sha1', sha1]]),
      },
      parameters: { a: 1 },
      invocation: 'run',
    });
    expect(v02({ metadata: { buildInvocationId: 'other' } }).invocation).toBe('other');
  });

  it.each([
    ['git+https://github.com/acme/shop@refs/heads/a@b', 'https://github.com/acme/shop', 'refs/heads/a@b'],
    ['git+https://me@github.com/acme/shop', 'https://me@github.com/acme/shop', undefined],
    ['git+ssh://git@github.com/acme/shop@main', 'ssh://git@github.com/acme/shop', 'main'],
    ['https://github.com', 'https://github.com', undefined],
  ])('parts %s', (uri, repository, ref) => {
    const { source } = v02({ invocation: { configSource: { uri } } });
    expect([source?.repository, source?.ref]).toEqual([repository, ref]);
  });

  it('may have no source', () => {
    expect(v02({ invocation: undefined })).not.toHaveProperty('source');
  });

  it.each([
    ['no builder', { builder: undefined }, /builder is not an object/],
    ['materials that are no list', { materials: 'x' }, /is not a list/],
    ['a digest that is a number', { invocation: { configSource: { uri: 'x', digest: { sha1: 1 } } } }, /no string/],
  ])('is refused with %s', (_, changes, message) => {
    expectRefusal(() => v02(changes), 'malformed', message);
  });
});

describe('another predicate', () => {
  it('is no provenance and no summary', () => {
    expectRefusal(
      () => readProvenance(statement('https://slsa.dev/provenance/v1?', {})),
      'unsupported',
      /no SLSA provenance/,
    );
    expectRefusal(
      () => readVsa(statement('https://slsa.dev/verification_summary/v0.2', {})),
      'unsupported',
      /no verification summary/,
    );
  });
});

const summary = (changes: object = {}) => ({
  verifier: { id: 'https://verifier.example' },
  timeVerified: '2026-01-02T03:04:05Z',
  resourceUri: 'git+https://github.com/acme/shop',
  policy: { uri: 'https://policy.example', digest: { sha256: 'c'.repeat(64) } },
  verificationResult: 'PASSED',
  verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
  ...changes,
});
const vsa = (changes: object = {}) => readVsa(statement('https://slsa.dev/verification_summary/v1', summary(changes)));

describe('a verification summary', () => {
  it('is read', () => {
    expect(vsa()).toEqual({
      verifier: 'https://verifier.example',
      timeVerified: Date.UTC(2026, 0, 2, 3, 4, 5),
      resourceUri: 'git+https://github.com/acme/shop',
      policy: { uri: 'https://policy.example', digest: new Map([['sha256', 'c'.repeat(64)]]) },
      passed: true,
      verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
      inputAttestations: [],
    });
    expect(vsa({ verificationResult: 'FAILED' }).passed).toBe(false);
  });

  it.each([
    ['another result', { verificationResult: 'passed' }, /not PASSED or FAILED/],
    ['no result', { verificationResult: undefined }, /no verificationResult/],
    ['no verifier', { verifier: {} }, /verifier has no id/],
    ['no time', { timeVerified: undefined }, /no timeVerified/],
    ['no resource', { resourceUri: '' }, /no resourceUri/],
    ['levels that are no strings', { verifiedLevels: [3] }, /no list of strings/],
  ])('is refused with %s', (_, changes, message) => {
    expectRefusal(() => vsa(changes), 'malformed', message);
  });
});
