import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalType, formatApproval, readChangeStatement } from '../../../src/change/statements/index.ts';
import type { Approval } from '../../../src/change/types.ts';
import { inTotoPayload } from '../../../src/sigstore/dsse.ts';
import { VerifyError } from '../../../src/sigstore/failure.ts';
import { formatStatement } from '../../../src/sigstore/write-statement.ts';
import { readVectors } from './vectors.ts';

const { example, vectors, textOf } = readVectors('approval');
const read = (text: string): Approval => readChangeStatement(Buffer.from(text), inTotoPayload) as Approval;

describe('an approval', () => {
  it.each(vectors.filter((each) => each.expect === 'accepted'))('is read: $name', (vector) => {
    expect(read(textOf(vector)).kind).toBe('approval');
  });

  it.each(vectors.filter((each) => each.expect === 'refused'))('is refused: $name', (vector) => {
    let failure: unknown;
    try {
      read(textOf(vector));
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(VerifyError);
    expect((failure as VerifyError).code).toBe(vector.code);
    expect((failure as VerifyError).message).toContain(vector.message);
  });

  it('binds operation, repository, branch, base, head, tree and time', () => {
    expect(read(example)).toEqual({
      kind: 'approval',
      operation: 'merge',
      repository: 'https://github.com/acme/shop',
      baseRef: 'refs/heads/main',
      mergeBase: '134593d9158efd253e979e2e8d87b939945d091e',
      head: '9300370e0723f7e13a22a2dccdc343dadd39e4e9',
      tree: '982a89a236a51b35b84070a97ac5c5d488e1b601',
      expires: Date.UTC(2026, 1, 1),
    });
  });

  it('is read as it was written', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 });
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    fc.assert(
      fc.property(
        word,
        word,
        word,
        hex,
        hex,
        hex,
        fc.nat(4e12),
        (operation, owner, branch, mergeBase, head, tree, expires) => {
          const approval = {
            operation,
            repository: `https://forge.example/${owner}/x`,
            baseRef: `refs/heads/${branch}`,
            mergeBase,
            expires,
          };
          const digests = new Map([
            ['gitCommit', head],
            ['gitTree', tree],
          ]);
          const payload = formatStatement(
            { name: '', digests },
            approvalType,
            formatApproval(approval, { reason: 'r' }),
          );
          expect(readChangeStatement(payload, inTotoPayload)).toEqual({ kind: 'approval', ...approval, head, tree });
        },
      ),
    );
  });
});
