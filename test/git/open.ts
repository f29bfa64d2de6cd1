/** Opens repositories for tests, and closes them when the test is over. */
import { onTestFinished } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { type OpenedRepository, openRepository } from '../../src/git/index.ts';
import type { RepositoryLimits } from '../../src/git/repository.ts';
import type { World } from '../../src/io/index.ts';
import { realWorld } from '../../src/io/index.ts';

export async function open(
  folder: string,
  env: World['env'] = {},
  limits: RepositoryLimits = {},
): Promise<OpenedRepository> {
  const repository = await openRepository(folder, worldWith(env), limits);
  onTestFinished(() => repository.close());
  return repository;
}

export function worldWith(env: World['env'] = {}): World {
  return { ...realWorld(), env: { PATH: process.env['PATH'], ...env } };
}

/** `rule` of a refusal, or the code of another operational error; fails for anything else, and for none. */
export async function refusal(attempt: Promise<unknown>): Promise<{ readonly rule: string; readonly text: string }> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const rule = 'rule' in error ? String(error.rule) : error.code;
    return { rule, text: [error.message, ...error.hints].join('\n') };
  }
  throw new Error('nothing was refused');
}
