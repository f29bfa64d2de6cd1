import { joinLicences } from '../licences.ts';
import { text } from '../values.ts';
import type { CdxLicense } from './document.ts';

/**
 * What the package says of its licences, marked as declared: nobody has concluded anything. Up to 1.6 a component has
 * either one expression or a list of licences, never both, and every version keeps to that.
 */
export function declaredLicenses(claims: readonly string[]): readonly CdxLicense[] | undefined {
  const joined = joinLicences(claims);
  if (joined === undefined) return undefined;
  const acknowledgement = 'declared';
  if ('expression' in joined) return [{ expression: text(joined.expression), acknowledgement }];
  return joined.licences.map((item): CdxLicense => {
    const named = 'id' in item ? { id: item.id } : { name: text(item.name) };
    return { license: { ...named, acknowledgement } };
  });
}
