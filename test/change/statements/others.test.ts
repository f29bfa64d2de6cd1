import { readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainPayload, readChangeStatement } from '../../../src/change/statements/index.ts';
import { inTotoPayload } from '../../../src/sigstore/dsse.ts';
import { VerifyError } from '../../../src/sigstore/failure.ts';
import { gittufPayload } from '../../../src/sigstore/ssh-envelope.ts';
import { describeData, readData } from '../../kit/data.ts';

const commit = 'a'.repeat(40);
const tree = 'b'.repeat(40);

const statement = (
  predicateType: string,
  predicate: unknown,
  digest: object = { gitCommit: commit, gitTree: tree },
) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ digest }],
  predicateType,
  predicate,
});

const read = (value: unknown, payloadType = inTotoPayload) =>
  readChangeStatement(Buffer.from(JSON.stringify(value)), payloadType);

const codeOf = (value: unknown, payloadType?: string): string => {
  try {
    return read(value, payloadType).kind;
  } catch (error) {
    if (error instanceof VerifyError) return `${error.code}: ${error.message}`;
    throw error;
  }
};

const coverageType = 'https://drvelvetfog.github.io/source-review-coverage/v0.1';

describe('review coverage', () => {
  const predicate = {
    reviewCoverage: { result: 'replay' },
    approvals: [{ overTree: { digest: { gitTree: tree } }, approver: 'alice' }],
    mergeTransform: { kind: 'squash', reviewedHead: { digest: { gitCommit: commit } } },
  };

  it('keeps a result that nobody knows as it stands', () => {
    const found = read(statement(coverageType, { ...predicate, reviewCoverage: { result: 'splendid' } }));
    expect(found).toMatchObject({ kind: 'review-coverage', result: 'splendid', reviewedHead: commit });
    expect(found).not.toHaveProperty('baseAtMerge');
  });

  it.each([
    ['an approval without its tree', { ...predicate, approvals: [{ approver: 'alice' }] }, 'overTree is not an object'],
    [
      'a tree with a commit beside it',
      { ...predicate, approvals: [{ approver: 'a', overTree: { digest: { gitTree: tree, gitCommit: commit } } }] },
      'not exactly one gitTree',
    ],
    ['no approvals', { reviewCoverage: { result: 'replay' } }, 'no approvals'],
    ['no result', { ...predicate, reviewCoverage: {} }, 'reviewCoverage has no result'],
    [
      'an approver that is a list',
      { ...predicate, approvals: [{ approver: ['a'], overTree: { digest: { gitTree: tree } } }] },
      'approver is not a string',
    ],
  ])('is refused with %s', (_, value, message) => {
    expect(codeOf(statement(coverageType, value))).toContain(message);
  });
});

describe("gittuf's approvals", () => {
  const authorization = (names: object, more: object = {}) => ({
    subject: [{ digest: { gitTree: tree } }],
    predicate: { targetRef: 'refs/heads/main', fromRevisionID: commit, targetTreeID: tree, approvers: ['alice+1'] },
    ...names,
    ...more,
  });
  const theirs = {
    type: 'https://in-toto.io/Statement/v1',
    predicate_type: 'https://gittuf.dev/github-pull-request-approval/v0.1',
  };
  const standard = { _type: theirs.type, predicateType: theirs.predicate_type };

  it('are read in both spellings', () => {
    const found = read(authorization(theirs), gittufPayload);
    expect(found).toEqual({
      kind: 'gittuf-approval',
      targetRef: 'refs/heads/main',
      fromCommit: commit,
      targetTree: tree,
      approvers: ['alice+1'],
      dismissed: [],
    });
    expect(read(authorization(standard), gittufPayload)).toEqual(found);
  });

  it.each([
    ['with both spellings at once', authorization({ ...theirs, ...standard }), 'malformed'],
    [
      'about another tree than they name',
      authorization(theirs, { subject: [{ digest: { gitTree: commit } }] }),
      'malformed',
    ],
    [
      'about two trees',
      authorization(theirs, { subject: [{ digest: { gitTree: tree } }, { digest: { gitTree: commit } }] }),
      'malformed',
    ],
    [
      'that list nobody, and would be taken for their signer’s own',
      authorization(theirs, {
        predicate: { targetRef: 'r', fromRevisionID: commit, targetTreeID: tree, approvers: null },
      }),
      'malformed',
    ],
    [
      'that are pull requests',
      authorization({ ...theirs, predicate_type: 'https://gittuf.dev/github-pull-request/v0.1' }),
      'unsupported',
    ],
  ])('%s are refused', (_, value, code) => {
    expect(codeOf(value, gittufPayload)).toContain(`${code}:`);
  });

  it('are none of in-toto by payload type, nor the other way round', () => {
    expect(codeOf(authorization(theirs))).toContain('malformed');
    expect(codeOf(statement(coverageType, {}), gittufPayload)).toContain('unsupported');
  });
});

describe('source provenance', () => {
  const type = 'https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft';

  it.each([
    ['snake_case', { prev_commit: tree, repo_uri: 'https://github.com/o/r', actor: 'x', branch: 'refs/heads/main' }],
    ['camelCase', { prevCommit: tree, repoUri: 'https://github.com/o/r', actor: 'x', branch: 'refs/heads/main' }],
  ])('is read in %s', (_, predicate) => {
    expect(read(statement(type, predicate))).toEqual({
      kind: 'source-provenance',
      commit,
      previous: tree,
      repository: 'https://github.com/o/r',
      branch: 'refs/heads/main',
      actor: 'x',
    });
  });

  it('with both spellings of one name is refused', () => {
    expect(codeOf(statement(type, { prev_commit: tree, prevCommit: commit }))).toContain('say the same');
  });

  it('of a first push has nothing before it', () => {
    expect(read(statement(type, { prev_commit: '0'.repeat(40) }))).toEqual({ kind: 'source-provenance', commit });
  });
});

const vsa = (verificationResult: unknown) =>
  statement('https://slsa.dev/verification_summary/v1', { verifier: { id: 'v' }, verificationResult });
const svr = (properties: unknown) =>
  statement('https://in-toto.io/attestation/svr/v0.2', {
    verifier: { id: 'v' },
    timeCreated: '2026-01-01T00:00:00Z',
    properties,
  });
const receipt = (decision: unknown) =>
  statement(
    'https://veritasacta.com/attestation/decision-receipt/v0.1',
    { decision, policyId: 'p' },
    { sha256: 'c'.repeat(64) },
  );
const entry = (policy_decision: unknown) => ({ entry_id: '1', entry_hash: 'x', policy_decision });

describe("a runtime's decision", () => {
  it.each([
    ['a summary that passed', vsa('PASSED'), inTotoPayload, true],
    ['a summary that failed', vsa('FAILED'), inTotoPayload, false],
    ['a simple result with properties', svr(['ORG_SOURCE_AGENT_PROVENANCE']), inTotoPayload, true],
    ['a simple result about nothing', svr([]), inTotoPayload, false],
    ['a simple result that says so in a name', svr(['X_OK', 'ACME_TRUST_REJECTED']), inTotoPayload, false],
    ['a receipt that allows', receipt('allow'), inTotoPayload, true],
    ['a receipt that denies', receipt('deny'), inTotoPayload, false],
    ['a receipt that alerts', receipt('alert'), inTotoPayload, false],
    ['an audit entry that allows', entry('allow'), plainPayload, true],
    ['an audit entry that denies', entry('deny'), plainPayload, false],
  ])('is read from %s', (_, value, payloadType, passed) => {
    expect(read(value, payloadType)).toMatchObject({ kind: 'policy-decision', passed });
  });

  it.each([
    ['passed', vsa('passed')],
    ['PASSED ', vsa('PASSED ')],
    ['WARNED', vsa('WARNED')],
    ['ALLOW', receipt('ALLOW')],
    ['allowed', receipt('allowed')],
  ])('that is called %s is refused by that name', (word, value) => {
    expect(codeOf(value)).toContain(`unsupported: predicate.`);
    expect(codeOf(value)).toContain(`"${word}"`);
  });

  it('that is true, or nothing, is malformed', () => {
    expect(codeOf(vsa(true))).toContain('malformed');
    expect(codeOf(vsa(undefined))).toContain('malformed');
    expect(codeOf(receipt(null))).toContain('malformed');
  });

  it('of an audit log is no statement in an envelope', () => {
    expect(codeOf(entry('allow'))).toContain('malformed');
  });
});

describe('statements', () => {
  it('of other kinds are refused by name', () => {
    expect(codeOf(statement('https://spdx.dev/Document', {}))).toBe(
      'unsupported: a statement of type "https://spdx.dev/Document" says nothing about a change',
    );
    expect(codeOf(vsa('PASSED'), 'application/vnd.oci.image')).toContain('unsupported: a payload of type');
  });

  it('of any bytes are read or refused by a VerifyError', () => {
    const types = fc.constantFrom(inTotoPayload, gittufPayload, plainPayload);
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each)),
      fc.json().map((each) => Buffer.from(each)),
    );
    fc.assert(
      fc.property(any, types, (bytes, type) => {
        expect(() => readChangeStatement(bytes, type)).toThrow(VerifyError);
      }),
    );
  });

  it('with any predicate are read or refused by a VerifyError', () => {
    const types = [
      coverageType,
      'https://slsa.dev/provenance/v1',
      'https://slsa.dev/verification_summary/v1',
      'https://in-toto.io/attestation/svr/v0.2',
      'https://tidewaiter.dev/approval/v1',
      'https://github.com/slsa-framework/source-tool/source-provenance/v1',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.jsonValue(), (type, predicate) => {
        expect(codeOf(statement(type, predicate))).toEqual(expect.any(String));
      }),
      { numRuns: 1000 },
    );
  });
});

describeData('real records', (dir) => {
  it('of review coverage are read', () => {
    for (const file of [
      'source-review-coverage/statement.json',
      'predicate-example/2-review-coverage.statement.json',
    ]) {
      const found = readChangeStatement(readData(`agents/${file}`), inTotoPayload);
      expect(found).toMatchObject({ kind: 'review-coverage', ref: 'refs/heads/main' });
    }
    expect(readChangeStatement(readData('agents/source-review-coverage/statement.json'), inTotoPayload)).toMatchObject({
      commit: '74db64e2392457fb2000dde5934074c2125252b5',
      result: 'unverifiable',
      approvals: [],
      baseAtMerge: '51f3a9558e2dbba6eda1d5baf294f7e35010a8f0',
    });
  });

  it('of gates are read as decisions that passed', () => {
    for (const file of ['3a-gate-svr', '3b-gate-vsa']) {
      const found = readChangeStatement(readData(`agents/predicate-example/${file}.statement.json`), inTotoPayload);
      expect(found).toMatchObject({ passed: true, commit: '9300370e0723f7e13a22a2dccdc343dadd39e4e9' });
    }
  });

  it('of gittuf: three are approvals, two are what GitHub says of a pull request', () => {
    const found = readdirSync(path.join(dir, 'agents/gittuf')).map((file) => {
      const { payload, payloadType } = JSON.parse(readData(`agents/gittuf/${file}`).toString()) as Record<
        string,
        string
      >;
      try {
        const read = readChangeStatement(Buffer.from(payload!, 'base64'), payloadType!);
        return read.kind === 'gittuf-approval' ? `${read.targetRef} ${read.approvers.join()}` : read.kind;
      } catch (error) {
        return (error as VerifyError).code;
      }
    });
    expect(found).toEqual([
      'refs/heads/main patzielinski+70954403',
      'refs/heads/main adityasaky+8928778',
      'unsupported',
      'unsupported',
      'refs/heads/main ',
    ]);
  });

  it("of SLSA's source tool are read, in every spelling", () => {
    const folder = 'agents/notes/slsa-source';
    const kinds = readdirSync(path.join(dir, folder)).flatMap((file) =>
      readData(`${folder}/${file}`)
        .toString()
        .split('\n')
        .filter((line) => line.includes('dsseEnvelope'))
        .map((line) => {
          const { dsseEnvelope } = JSON.parse(line) as { dsseEnvelope: { payload: string } };
          const read = readChangeStatement(Buffer.from(dsseEnvelope.payload, 'base64'), inTotoPayload);
          return read.kind === 'source-provenance' && read.previous === undefined ? 'without previous' : read.kind;
        }),
    );
    expect(kinds.filter((kind) => kind === 'source-provenance')).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'policy-decision')).toHaveLength(10);
    expect(kinds).toHaveLength(20);
  });
});
