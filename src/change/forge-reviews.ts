/**
 * Reviews of a pull request, from a file that the pipeline got from the forge. Nobody signed them: they are worth as much as
 * whoever put the file there, and count only for accounts that the policy gives to a person.
 *
 *   REST            [{"user": {"login": "alice", "type": "User"}, "state": "APPROVED", "commit_id": "9300…",
 *                     "submitted_at": "2026-01-01T00:00:00Z"}], also the pages of it as a list of lists (gh api --slurp)
 *   gh pr view      {"reviews": [{"author": {"login": "alice"}, "state": "APPROVED", "commit": {"oid": "9300…"},
 *                     "submittedAt": "…"}]}
 *   GraphQL         {"data": {"repository": {"pullRequest": {"reviews": {"nodes": […], "pageInfo": {"hasNextPage": false}}}}}}
 *
 * A draft (PENDING) is no review yet. Refused: a state that is not known, a list that says that more follows or looks like the
 * first page of one (what is missing may take an approval back), and `latestReviews` alone: it names no commits.
 * https://docs.github.com/en/rest/pulls/reviews
 */
import { quoted } from '../diag/index.ts';
import type { ObjectId } from '../git/types.ts';
import { malformed, VerifyError } from '../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from '../sigstore/json.ts';
import { optionalObjectIn, optionalTextIn, predicateObject, textIn } from '../sigstore/predicate.ts';
import { isObjectId, optionalTimeTextIn } from './statements/fields.ts';
import type { ForgeReview } from './types.ts';

/** In the order of the file. Throws VerifyError `malformed` or `unsupported`. */
export function parseForgeReviews(bytes: Buffer, place: string): readonly ForgeReview[] {
  const list = listOf(parseStrictJsonBytes(bytes, 'the list of reviews'));
  if (list.length > maxReviews) throw malformed(`there are more than ${maxReviews} reviews`);
  return list.flatMap(({ value, where }) => readReview(value, where, place) ?? []);
}

/**
 * For each account the one that counts, as GitHub does: the last that approves, asks for changes or was dismissed; a comment
 * only where there is nothing else. Those of accounts that are gone stand for nobody and are left out.
 */
export function latestReviews(reviews: readonly ForgeReview[]): readonly ForgeReview[] {
  const byLogin = Map.groupBy(reviews, ({ login }) => login.toLowerCase());
  byLogin.delete('');
  return [...byLogin.values()].map((own) => {
    const verdicts = own.filter(({ state }) => state !== 'commented');
    return lastOf(verdicts.length > 0 ? verdicts : own);
  });
}

/** By time where all have one; the forge lists them in order of time as well. */
function lastOf(reviews: readonly ForgeReview[]): ForgeReview {
  const times = reviews.map(({ submittedAt }) => Date.parse(submittedAt ?? ''));
  if (times.some((time) => Number.isNaN(time))) return reviews.at(-1)!;
  const latest = Math.max(...times);
  return reviews.findLast((_, at) => times[at] === latest)!;
}

const maxReviews = 10_000;
/** What the API gives when nothing is asked, and at most. */
const pageSizes: readonly number[] = [30, 100];

interface Located {
  readonly value: Json;
  readonly where: string;
}

function listOf(value: Json): readonly Located[] {
  if (Array.isArray(value)) {
    const isFlat = !value.some((each: Json) => Array.isArray(each));
    if (isFlat && pageSizes.includes(value.length)) {
      throw malformed(
        `there are exactly ${value.length} reviews, as on a page of more: ask for all (gh api --paginate --slurp)`,
      );
    }
    return (value as readonly Json[]).flatMap((each, at) =>
      Array.isArray(each) ? entries(each, `[${at}]`) : [{ value: each, where: `[${at}]` }],
    );
  }
  const object = predicateObject(value, 'the list of reviews');
  const pullRequest = findPullRequest(object) ?? object;
  const reviews = pullRequest['reviews'] ?? undefined;
  if (Array.isArray(reviews)) return entries(reviews, 'reviews');
  if (isJsonObject(reviews)) return connectionOf(reviews);
  if ('latestReviews' in pullRequest) {
    throw new VerifyError('unsupported', 'latestReviews names no commits: ask for reviews (gh pr view --json reviews)');
  }
  if ('message' in object && 'documentation_url' in object) {
    throw malformed(`it is an error that the forge answered: ${quoted(String(object['message']), 80)}`);
  }
  throw malformed('it is no list of reviews of a kind that is known');
}

function findPullRequest(object: JsonObject): JsonObject | undefined {
  if (Array.isArray(object['errors'])) throw malformed('it is an answer with errors: reviews may be missing');
  const data = optionalObjectIn(object, 'data', 'the answer');
  const repository = data && optionalObjectIn(data, 'repository', 'data');
  return repository && optionalObjectIn(repository, 'pullRequest', 'repository');
}

function connectionOf(reviews: JsonObject): readonly Located[] {
  const page = optionalObjectIn(reviews, 'pageInfo', 'reviews');
  const more = page?.['hasNextPage'];
  if (more !== false && (more ?? undefined) !== undefined) throw malformed('reviews: more pages follow, ask for all');
  const { nodes, edges, totalCount } = reviews;
  const list = Array.isArray(nodes)
    ? entries(nodes, 'reviews.nodes')
    : Array.isArray(edges)
      ? entries(edges, 'reviews.edges').map(({ value, where }) => ({
          value: predicateObject(value, where)['node'] ?? null,
          where: `${where}.node`,
        }))
      : undefined;
  if (list === undefined) throw malformed('reviews has neither nodes nor edges');
  // Without any of the two nothing says that these are all of them.
  if (more !== false && totalCount !== list.length) {
    throw malformed('reviews does not say that it is complete: ask for pageInfo { hasNextPage } or totalCount');
  }
  return list;
}

function entries(list: readonly Json[], where: string): readonly Located[] {
  return list.map((value, at) => ({ value, where: `${where}[${at}]` }));
}

const states: ReadonlyMap<string, ForgeReview['state'] | undefined> = new Map([
  ['APPROVED', 'approved'],
  ['CHANGES_REQUESTED', 'changes-requested'],
  ['DISMISSED', 'dismissed'],
  ['COMMENTED', 'commented'],
  ['PENDING', undefined],
]);

function readReview(value: Json, where: string, place: string): ForgeReview | undefined {
  const review = predicateObject(value, where);
  const word = textIn(review, 'state', where);
  // Some versions of the API write it in lower case.
  const written = word.toUpperCase();
  if (!states.has(written))
    throw new VerifyError('unsupported', `${where}.state is ${quoted(word, 60)}, a state that is not known`);
  const state = states.get(written);
  if (state === undefined) return undefined;
  const user = optionalObjectIn(review, 'user' in review ? 'user' : 'author', where);
  const accountType = user && (optionalTextIn(user, 'type', where) ?? optionalTextIn(user, '__typename', where));
  const commit = commitOf(review, where);
  const submittedAt = optionalTimeTextIn(review, 'submitted_at' in review ? 'submitted_at' : 'submittedAt', where);
  return {
    place: `${place}, ${where}`,
    // Null for an account that is gone.
    login: user === undefined ? '' : textIn(user, 'login', where),
    ...(accountType !== undefined && { accountType }),
    state,
    ...(commit !== undefined && { commit }),
    ...(submittedAt !== undefined && { submittedAt }),
  };
}

function commitOf(review: JsonObject, where: string): ObjectId | undefined {
  const commit = optionalObjectIn(review, 'commit', where);
  const id = optionalTextIn(review, 'commit_id', where) ?? (commit && optionalTextIn(commit, 'oid', where)) ?? '';
  if (id === '') return undefined;
  if (!isObjectId(id)) throw malformed(`${where} names a commit that is no object id`);
  return id;
}
