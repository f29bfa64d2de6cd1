/** Errors and gaps as lines for people. Messages are lower case without a full stop; hints are sentences. */
import type { Gap } from '../bom/types.ts';
import type { OperationalError } from '../diag/index.ts';
import { painter } from './color.ts';
import { shown } from './text.ts';

/**
 *     error[limit]: layer 3 is larger than 10 GB unpacked
 *       hint: Raise the limit with --max-layer-size.
 *
 * Every line ends in a newline.
 */
export function formatError(error: OperationalError, options: { readonly color: boolean }): string {
  const paint = painter(options.color);
  const hints = error.hints.map((hint) => `  ${paint('dim', 'hint:')} ${shown(hint)}\n`);
  return `${paint('red', `error[${error.code}]:`)} ${shown(error.message)}\n${hints.join('')}`;
}

/** `opt/app.jar (layer 3, java/archive): not a zip archive`, without a newline. People count layers from 1. */
export function formatGap(gap: Gap): string {
  const at = [
    ...(gap.layer === undefined ? [] : [`layer ${gap.layer + 1}`]),
    ...(gap.cataloger === undefined ? [] : [shown(gap.cataloger)]),
  ];
  return `${shown(gap.path)}${at.length === 0 ? '' : ` (${at.join(', ')})`}: ${shown(gap.reason)}`;
}
