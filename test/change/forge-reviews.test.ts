import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latestReviews, parseForgeReviews } from '../../src/change/forge-reviews.ts';
import type { ForgeReview } from '../../src/change/types.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';

const commit = 'a'.repeat(40);

const rest = (login: string | null, state: string, at = '2026-01-01T00:00:00Z', changes: object = {}) => ({
  id: 1,
  user: login === null ? null : { login, type: 'User' },
  state,
  commit_id: commit,
  submitted_at: at,
  ...changes,
});

const parse = (value: unknown): readonly ForgeReview[] =>
  parseForgeReviews(Buffer.from(JSON.stringify(value)), 'r.json');

const failureOf = (value: unknown): string => {
  try {
    parse(value);
    return 'read';
  } catch (error) {
    if (error instanceof VerifyError) return `${error.code}: ${error.message}`;
    throw error;
  }
};

describe('reviews of a forge', () => {
  it('are read from the REST API, drafts left out', () => {
    expect(parse([rest('alice', 'APPROVED'), rest('bob', 'PENDING', undefined, { submitted_at: null })])).toEqual([
      {
        place: 'r.json, [0]',
        login: 'alice',
        accountType: 'User',
        state: 'approved',
        commit,
        submittedAt: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  it('are read from pages of the REST API', () => {
    const found = parse([
      [rest('alice', 'APPROVED')],
      [rest('copilot', 'COMMENTED', undefined, { user: { login: 'copilot', type: 'Bot' } })],
    ]);
    expect(found.map(({ place, accountType }) => [place, accountType])).toEqual([
      ['r.json, [0][0]', 'User'],
      ['r.json, [1][0]', 'Bot'],
    ]);
  });

  const graph = {
    author: { __typename: 'User', login: 'alice' },
    state: 'CHANGES_REQUESTED',
    commit: { oid: commit },
    submittedAt: '2026-01-01T00:00:00Z',
  };

  it.each([
    ['gh', { reviews: [graph], latestReviews: [] }],
    [
      'GraphQL nodes',
      { data: { repository: { pullRequest: { reviews: { nodes: [graph], pageInfo: { hasNextPage: false } } } } } },
    ],
    [
      'GraphQL edges',
      { data: { repository: { pullRequest: { reviews: { edges: [{ node: graph }], totalCount: 1 } } } } },
    ],
  ])('are read from %s', (_, value) => {
    expect(parse(value)).toMatchObject([{ login: 'alice', accountType: 'User', state: 'changes-requested', commit }]);
  });

  it.each([
    ['a state that is not known', [rest('alice', 'BLESSED')], 'unsupported: [0].state is "BLESSED"'],
    ['a list that is cut off', { reviews: { nodes: [], pageInfo: { hasNextPage: true } } }, 'more pages follow'],
    ['a list that does not say that it is whole', { reviews: { nodes: [graph] } }, 'complete'],
    ['a list that lacks some', { reviews: { nodes: [graph], totalCount: 2 } }, 'complete'],
    ['what looks like the first page', Array.from({ length: 30 }, () => rest('alice', 'APPROVED')), 'exactly 30'],
    ['an answer with errors', { data: {}, errors: [{}] }, 'errors'],
    ['an error', { message: 'Not Found', documentation_url: 'x' }, '"Not Found"'],
    ['the latest reviews alone', { latestReviews: [] }, 'names no commits'],
    ['something else', { foo: 1 }, 'no list of reviews'],
    ['a commit that is none', [rest('alice', 'APPROVED', undefined, { commit_id: 'HEAD' })], 'no object id'],
    ['a login that is none', [rest('alice', 'APPROVED', undefined, { user: { login: 7 } })], 'login is not a string'],
    ['a time that is none', [rest('alice', 'APPROVED', 'soon')], 'not a time'],
  ])('are refused with %s', (_, value, message) => {
    expect(failureOf(value)).toContain(message);
  });

  it('of any JSON are read or refused by a VerifyError', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(failureOf(value)).toEqual(expect.any(String));
      }),
    );
  });
});

describe('of the reviews by one account', () => {
  const states = (...reviews: object[]) => latestReviews(parse(reviews)).map(({ login, state }) => `${login} ${state}`);

  it('the last verdict counts, whatever the order of the list', () => {
    expect(
      states(rest('a', 'CHANGES_REQUESTED', '2026-01-02T00:00:00Z'), rest('a', 'APPROVED', '2026-01-01T00:00:00Z')),
    ).toEqual(['a changes-requested']);
  });

  it('a comment takes no approval back, and stands where there is nothing else', () => {
    expect(
      states(rest('a', 'APPROVED'), rest('a', 'COMMENTED', '2026-01-03T00:00:00Z'), rest('b', 'COMMENTED')),
    ).toEqual(['a approved', 'b commented']);
  });

  it('a dismissal ends an approval', () => {
    expect(states(rest('a', 'APPROVED'), rest('A', 'DISMISSED', '2026-01-02T00:00:00Z'))).toEqual(['A dismissed']);
  });

  it('of equal times, or without one, the last in the list counts', () => {
    expect(states(rest('a', 'APPROVED'), rest('a', 'DISMISSED'))).toEqual(['a dismissed']);
    expect(
      states(rest('a', 'APPROVED', '2026-01-05T00:00:00Z'), rest('a', 'DISMISSED', undefined, { submitted_at: null })),
    ).toEqual(['a dismissed']);
  });

  it('nobody stands for an account that is gone', () => {
    expect(states(rest(null, 'APPROVED'))).toEqual([]);
  });
});
