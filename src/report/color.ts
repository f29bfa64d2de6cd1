export type Style = 'bold' | 'dim' | 'red' | 'yellow';

/** Wraps a text in a style, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;

/**
 * Whether to colour what goes to one stream. As Node itself decides: FORCE_COLOR (not empty; `0` and `false` say no)
 * before NO_COLOR (not empty) before TERM=dumb; without any of them, a terminal gets colour.
 */
export function colorWanted(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const forced = env['FORCE_COLOR'] ?? '';
  if (forced !== '') return forced !== '0' && forced !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return isTerminal;
}

export function painter(color: boolean): Paint {
  return color ? (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m` : (_style, text) => text;
}

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, yellow: 33 };
