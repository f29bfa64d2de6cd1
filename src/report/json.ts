/**
 * A document as JSON: two spaces, one final newline, keys in the order of the value. Same input, same bytes. What a
 * terminal would obey is escaped.
 */
import { printable, printableJson } from '../diag/index.ts';

export function writeJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return `${printableJson(loneSurrogate.test(text) ? JSON.stringify(value, wellFormed, 2) : text)}\n`;
}

/** As JSON.stringify writes them. To be asked for every value takes several times as long as writing them all. */
const loneSurrogate = /\\ud[89a-f]/;

/** Lone surrogates are refused by many readers and altered by others. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' && !value.isWellFormed() ? value.replace(/\p{Surrogate}/gu, printable) : value;
}
