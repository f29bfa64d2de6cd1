import { describe, expect, it } from 'vitest';
import { describeStatement } from '../../src/run/verify-statement.ts';
import { parseStatement } from '../../src/sigstore/statement.ts';

const read = (predicateType: string, predicate: unknown) =>
  describeStatement(
    parseStatement(
      Buffer.from(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          subject: [{ digest: { sha256: '0'.repeat(64) } }],
          predicateType,
          predicate,
        }),
      ),
    ),
  );

const vsa = 'https://slsa.dev/verification_summary/v1';
const summary = (verificationResult: unknown) => ({
  verifier: { id: 'https://verifier.example' },
  timeVerified: '2026-01-01T00:00:00Z',
  resourceUri: 'pkg:oci/app',
  policy: { uri: 'https://verifier.example/policy' },
  verificationResult,
  verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
});
const oldVsa = 'https://slsa.dev/verification_summary/v0.2';
const renamed = ({ verificationResult, ...others }: ReturnType<typeof summary>) => ({
  ...others,
  verification_result: verificationResult,
});
const testResult = 'https://in-toto.io/attestation/test-result/v0.1';

describe('what a statement says', () => {
  it('names builder, source and commit of provenance', () => {
    const { statement, against } = read('https://slsa.dev/provenance/v1', {
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: {
          workflow: { repository: 'https://github.com/o/r', ref: 'refs/heads/main', path: '.github/workflows/x.yml' },
        },
        resolvedDependencies: [
          { uri: 'git+https://github.com/o/r@refs/heads/main', digest: { gitCommit: 'a'.repeat(40) } },
        ],
      },
      runDetails: { builder: { id: 'https://builder.example' }, metadata: { invocationId: 'https://run.example/1' } },
    });
    expect(against).toBeUndefined();
    expect(Object.fromEntries((statement.says ?? []).map(({ name, value }) => [name, value]))).toEqual({
      builder: 'https://builder.example',
      'build type': 'https://actions.github.io/buildtypes/workflow/v1',
      source: 'https://github.com/o/r',
      ref: 'refs/heads/main',
      commit: 'a'.repeat(40),
      path: '.github/workflows/x.yml',
      run: 'https://run.example/1',
    });
  });

  it('is only shown to be unread where provenance has an odd shape', () => {
    const { statement, against } = read('https://slsa.dev/provenance/v1', { buildDefinition: {} });
    expect([statement.says?.[0]?.name, against]).toEqual(['unread', undefined]);
  });

  it.each([
    ['a summary that passed', vsa, summary('PASSED'), undefined],
    ['a summary that failed', vsa, summary('FAILED'), 'it is a verification summary that says FAILED'],
    ['a summary without a result', vsa, summary(undefined), expect.stringContaining('its result cannot be read')],
    ['a summary with another result', vsa, summary('passed'), expect.stringContaining('its result cannot be read')],
    ['an empty summary', vsa, {}, expect.stringContaining('its result cannot be read')],
    ['an old summary that passed', oldVsa, { verification_result: 'PASSED' }, undefined],
    ['an old summary that failed', oldVsa, { verification_result: 'FAILED' }, expect.stringContaining('says FAILED')],
    ['a summary of a version to come', `${vsa}.2`, { verificationResult: 'FAILED' }, expect.stringContaining('FAILED')],
    ['an old summary without a result', oldVsa, {}, expect.stringContaining('its result cannot be read')],
    [
      'a summary with two results',
      oldVsa,
      { verification_result: 'PASSED', verificationResult: 'FAILED' },
      expect.stringContaining('two spellings'),
    ],
    ['a summary under an older name', vsa, renamed(summary('PASSED')), expect.stringContaining('cannot be read')],
    ['later tests that failed', `${testResult}.2`, { result: 'FAILED' }, 'it is a test result that says FAILED'],
    ['tests that passed', testResult, { result: 'PASSED' }, undefined],
    ['tests that warned', testResult, { result: 'WARNED' }, undefined],
    ['tests that failed', testResult, { result: 'FAILED' }, 'it is a test result that says FAILED'],
    ['tests without a result', testResult, {}, expect.stringContaining('its result cannot be read')],
    ['an unknown predicate', 'https://example.com/p/v1', { result: 'FAILED' }, undefined],
  ])('%s', (_, type, predicate, against) => {
    expect(read(type, predicate).against).toEqual(against);
  });
});
