import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inTotoPayload, pae } from '../../src/sigstore/dsse.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { matchSubject, parseStatement } from '../../src/sigstore/statement.ts';
import type { Artifact } from '../../src/sigstore/types.ts';

const sha256 = 'a'.repeat(64);
const sha512 = 'b'.repeat(128);
const commit = 'c'.repeat(40);

const statement = (changes: object = {}) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'app', digest: { sha256 } }],
  predicateType: 'https://example.com/predicate',
  predicate: { level: 3 },
  ...changes,
});

const parse = (value: object) => parseStatement(Buffer.from(JSON.stringify(value)));
const about = (...subjects: object[]) => parse(statement({ subject: subjects.map((digest) => ({ digest })) }));
const artifact = (digests: Record<string, string>): Artifact => ({
  name: 'x',
  digests: new Map(Object.entries(digests)),
});

describe('a statement', () => {
  it('is read in both versions, with unknown fields passed over', () => {
    for (const _type of ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']) {
      const read = parse(statement({ _type, later: true }));
      expect(read.predicateType).toBe('https://example.com/predicate');
      expect(read.subjects).toEqual([{ name: 'app', digest: new Map([['sha256', sha256]]) }]);
    }
  });

  it('needs neither a predicate nor names', () => {
    const read = parse({ ...statement({ subject: [{ digest: { sha256 } }] }), predicate: undefined });
    expect(read.predicate).toBeUndefined();
    expect(read.subjects[0]).not.toHaveProperty('name');
  });

  it.each([
    ['another type', { _type: 'https://in-toto.io/Statement/v2' }, 'is of type "https://in-toto.io/Statement/v2"'],
    ['no type', { _type: undefined }, 'the statement has no _type'],
    ['no subject', { subject: [] }, 'the statement has no subject'],
    ['a subject that is no list', { subject: { digest: { sha256 } } }, 'the statement has no subject'],
    ['a subject without digest', { subject: [{ name: 'app' }] }, 'subject 1 of the statement has no digest'],
    ['an empty digest set', { subject: [{ digest: {} }] }, 'subject 1 of the statement has no digest'],
    ['a digest in capitals', { subject: [{ digest: { sha256: 'A'.repeat(64) } }] }, 'not lower-case hex of its length'],
    [
      'a digest of a wrong length',
      { subject: [{ digest: { sha256: 'a'.repeat(63) } }] },
      'lower-case hex of its length',
    ],
    ['a short commit', { subject: [{ digest: { gitCommit: 'abc1234' } }] }, 'lower-case hex of its length'],
    ['a digest that is a number', { subject: [{ digest: { sha256: 1 } }] }, 'a digest that is no string'],
    ['a name that is a number', { subject: [{ name: 1, digest: { sha256 } }] }, 'a name that is no string'],
    ['no predicate type', { predicateType: undefined }, 'the statement has no predicateType'],
    ['an empty predicate type', { predicateType: '' }, 'an empty predicateType'],
  ])('is refused with %s', (_, changes, message) => {
    expect(() => parse(statement(changes))).toThrow(message);
    expect(() => parse(statement(changes))).toThrow(VerifyError);
  });

  it('is refused when a member stands twice', () => {
    const text = JSON.stringify(statement()).replace(
      '"predicateType"',
      '"predicateType":"https://other","predicateType"',
    );
    expect(() => parseStatement(Buffer.from(text))).toThrow('member "predicateType" stands twice');
  });

  it('throws nothing but VerifyError, whatever the payload', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          parseStatement(Buffer.from(text));
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError);
        }
      }),
    );
  });
});

describe('the subject of a statement', () => {
  it.each([
    ['sha256', { sha256 }],
    ['sha512', { sha512 }],
    ['sha384', { sha384: 'd'.repeat(96) }],
    ['gitCommit', { gitCommit: commit }],
    ['gitTree', { gitTree: 'e'.repeat(64) }],
  ])('is the artifact by %s', (_, digest) => {
    expect(
      matchSubject(about({ sha256: '0'.repeat(64) }, digest), artifact(digest as Record<string, string>)).digest.size,
    ).toBe(1);
  });

  it('is any one of many', () => {
    const others = Array.from({ length: 50 }, (_, index) => ({ sha256: index.toString(16).padStart(64, '0') }));
    expect(() => matchSubject(about(...others, { sha256 }), artifact({ sha256 }))).not.toThrow();
  });

  it('is not the artifact when one digest is equal and another differs', () => {
    expect(() => matchSubject(about({ sha256, sha512 }), artifact({ sha256, sha512: '0'.repeat(128) }))).toThrow(
      VerifyError,
    );
    expect(() => matchSubject(about({ sha512, sha256 }), artifact({ sha512: '0'.repeat(128), sha256 }))).toThrow(
      VerifyError,
    );
  });

  it('is not the artifact when two subjects are each half right', () => {
    const half = about({ sha256, sha512: '0'.repeat(128) }, { sha256: '0'.repeat(64), sha512 });
    expect(() => matchSubject(half, artifact({ sha256, sha512 }))).toThrow(VerifyError);
  });

  it('is not the artifact when nothing can be compared', () => {
    expect(() => matchSubject(about({ sha512 }), artifact({ sha256 }))).toThrow(VerifyError);
    expect(() => matchSubject(about({ sha256 }), artifact({}))).toThrow(VerifyError);
    expect(() => matchSubject(about({ sha1: commit }), artifact({ gitCommit: commit }))).toThrow(VerifyError);
  });

  it('is told with what was expected and what was found', () => {
    try {
      matchSubject(parse(statement({ subject: [{ name: 'app', digest: { sha256 } }] })), artifact({ sha512 }));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'wrong-subject',
        expected: `sha512:${sha512}`,
        got: `app (sha256:${sha256})`,
      });
    }
  });
});

describe('the pre-authentication encoding', () => {
  it('is the example of its specification', () => {
    expect(pae('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('counts bytes, not characters', () => {
    expect(pae('ü', Buffer.from('é')).toString()).toBe('DSSEv1 2 ü 2 é');
    expect(pae(inTotoPayload, Buffer.alloc(0)).toString()).toBe('DSSEv1 28 application/vnd.in-toto+json 0 ');
  });
});
