/**
 * Many signatures: while one is judged, others are read and checked on Node's other threads. What is judged, and in which
 * order, is the same as without.
 */
import type { World } from '../io/index.ts';
import { verifyAhead } from '../sigstore/ahead.ts';
import type { TrustRoot } from '../sigstore/types.ts';
import type { Evidence } from './verify-check.ts';

/** Begins what can be done ahead for some evidence, and resolves when it is done. */
export type Prepare = (evidence: readonly Evidence[]) => Promise<void>;

export function prepareWith(trust: readonly TrustRoot[]): Prepare {
  return async (evidence) => {
    await Promise.all(
      evidence.map(({ content }) => (content.kind === 'entity' ? verifyAhead(content.entity, trust) : undefined)),
    );
  };
}

/** Everything in its order, each when it is prepared; some that follow are prepared meanwhile. */
export async function* inAdvance<T>(
  source: AsyncIterable<T>,
  prepare: (each: T) => Promise<void>,
  { cores }: Pick<World, 'cores'>,
): AsyncGenerator<T> {
  // With a single core it would be the same work and a detour.
  if (cores < 2) return yield* source;
  const waiting: { readonly each: T; readonly ready: Promise<void> }[] = [];
  for await (const each of source) {
    waiting.push({ each, ready: prepare(each) });
    if (waiting.length > mostWaiting) yield await first(waiting);
  }
  while (waiting.length > 0) yield await first(waiting);
}

/** So many are held in memory at the same time. */
const mostWaiting = 32;

async function first<T>(waiting: { readonly each: T; readonly ready: Promise<void> }[]): Promise<T> {
  const { each, ready } = waiting.shift()!;
  await ready;
  return each;
}
