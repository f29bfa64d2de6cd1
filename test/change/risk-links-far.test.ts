import { expect, it } from 'vitest';
import { findRisksBehind, type TreeLink } from '../../src/change/risk-links.ts';

const linkTo = (path: string, target: string): TreeLink => ({
  path: Buffer.from(path),
  id: '0'.repeat(40),
  target: Buffer.from(target),
});
const risky = (links: readonly TreeLink[]) => links.map(({ path }) => ({ path, reason: 'agent configuration' }));

it('links at risky paths that lead through thousands of names each are refused, and not followed to the end', () => {
  const far = Array.from({ length: 200 }, (_, at) => linkTo(`l${at}`, `${'./'.repeat(2000)}l${at + 1}`));
  expect(() => findRisksBehind([], far, risky(far))).toThrowError(/lead through too many others/);
  const near = Array.from({ length: 200 }, (_, at) => linkTo(`l${at}`, `./l${at + 1}`));
  const change = { path: Buffer.from('l200'), new: { mode: '100644', id: '1'.repeat(40) } } as const;
  expect(findRisksBehind([change], near, risky(near))).toMatchObject([{ path: change.path }]);
});
